//! What the first-user wizard of Raspberry Pi OS leaves, as if it were answered.

use super::NodeInputs;
use super::draft::Draft;
use crate::edit::TextEdit;

/// The user that the desktop's wizard runs as.
const WIZARD_USER: &str = "rpi-first-boot-wizard";

/// What a desktop image starts the desktop with.
const DISPLAY_MANAGER: &str = "lightdm.service";

pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    if !inputs.profile.release.is_raspberry_pi_os() {
        return;
    }
    // The wizard has the console while it waits (userconf-pi).
    draft.enable_in("getty@tty1.service", "getty.target");
    if inputs.profile.has("/etc/lightdm/lightdm.conf") {
        // The wizard's, or that of a user who has another name now.
        let prefixes = vec!["autologin-user=".to_owned()];
        draft.edit(
            "/etc/lightdm/lightdm.conf",
            TextEdit::RemoveLines { prefixes },
        );
    }
    if inputs.profile.has_unit(DISPLAY_MANAGER) {
        // The memory plan counts on what Lite takes. `systemctl set-default
        // graphical.target` brings the desktop back.
        let target = draft.unit_path("multi-user.target");
        draft.link("/etc/systemd/system/default.target", &target);
    }
    if inputs.profile.accounts.users.contains_key(WIZARD_USER) {
        let key = WIZARD_USER.to_owned();
        for file in ["/etc/passwd", "/etc/shadow", "/etc/group"] {
            draft.edit(file, TextEdit::RemoveEntry { key: key.clone() });
        }
        draft.edit("/etc/group", TextEdit::RemoveMember { user: key.clone() });
        if inputs.profile.has("/etc/gshadow") {
            draft
                .edit("/etc/gshadow", TextEdit::RemoveEntry { key: key.clone() })
                .edit("/etc/gshadow", TextEdit::RemoveMember { user: key });
        }
        draft.remove(&format!("/home/{WIZARD_USER}"));
    }
}
