//! What the base mounts, and which disk it says it is on.

use super::ProfileError;
use crate::edit::ImagePath;
use crate::node::DiskId;

pub(super) fn boot_mount(fstab: &str) -> Option<ImagePath> {
    fstab_lines(fstab)
        .map(|fields| fields[1])
        .find(|mount| matches!(*mount, "/boot" | "/boot/firmware"))
        .and_then(|mount| ImagePath::new(mount).ok())
}

/// Lines of an fstab with their fields, comments left out.
fn fstab_lines(fstab: &str) -> impl Iterator<Item = Vec<&str>> {
    fstab
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.len() >= 3 && !fields[0].starts_with('#'))
}

/// Refuses what rpi-image-gen makes: it mounts `/dev/disk/by-slot/…`, links
/// that its own udev rules make (rpi-image-gen `image/mbr/simple_dual`).
pub(super) fn refuse_slots(fstab: &str, cmdline: &str) -> Result<(), ProfileError> {
    let in_fstab = fstab_lines(fstab).map(|fields| fields[0]);
    let in_cmdline = cmdline
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("root="));
    match in_fstab
        .chain(in_cmdline)
        .find(|device| device.starts_with("/dev/disk/by-slot/"))
    {
        Some(device) => Err(ProfileError::ImageGen(device.to_owned())),
        None => Ok(()),
    }
}

/// The id both files name. An MBR PARTUUID is eight hex digits, a dash and
/// two more; a GPT one is a whole UUID, which says nothing of the disk.
pub(super) fn disk_id(fstab: &str, cmdline: &str) -> Result<Option<DiskId>, ProfileError> {
    let in_fstab = fstab_lines(fstab)
        .filter(|fields| matches!(fields[1], "/" | "/boot" | "/boot/firmware"))
        .find_map(|fields| part_uuid(fields[0]));
    let root = |token: &str| part_uuid(token.strip_prefix("root=")?);
    let in_cmdline = cmdline.split_whitespace().find_map(root);
    match (in_fstab, in_cmdline) {
        (Some(fstab), Some(cmdline)) if fstab != cmdline => {
            Err(ProfileError::DiskIds { fstab, cmdline })
        }
        (found, other) => Ok(found.or(other)),
    }
}

fn part_uuid(text: &str) -> Option<DiskId> {
    let (disk, partition) = text.strip_prefix("PARTUUID=")?.split_once('-')?;
    let sized = disk.len() == 8 && partition.len() == 2;
    DiskId::new(u32::from_str_radix(disk, 16).ok().filter(|_| sized)?)
}
