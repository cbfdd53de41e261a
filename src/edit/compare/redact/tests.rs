//! What is hidden, and what is not.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn redacted(path: &str, text: &str) -> String {
    let path = ImagePath::new(path).unwrap();
    Redactor::new(&path).redacted(text)
}

#[rstest]
#[case::shadow("/etc/shadow", "pi:hunter2:1:0:9:7:::\n", "pi:<secret 1>:1:0:9:7:::\n")]
#[case::locked("/etc/shadow-", "pi:!hunter2:1:\n", "pi:!<secret 1>:1:\n")]
#[case::no_password(
    "/etc/shadow",
    "a:*:1:\nb:!:1:\nc::1:\nd:!!:1:\n",
    "a:*:1:\nb:!:1:\nc::1:\nd:!!:1:\n"
)]
#[case::group("/etc/gshadow", "g:hunter2::pi\n", "g:<secret 1>::pi\n")]
#[case::passwd(
    "/etc/passwd",
    "pi:x:1000:1000:a:/home/pi:/bin/sh\n",
    "pi:x:1000:1000:a:/home/pi:/bin/sh\n"
)]
#[case::hash_anywhere(
    "/etc/x",
    "see $6$saltsalt$0123456789abcdefghij!\n",
    "see <secret 1>!\n"
)]
#[case::yescrypt("/etc/x", "$y$j9T$0123456789$abcdefghijkl\n", "<secret 1>\n")]
#[case::shell("/etc/x", "echo $a $b$c ${x}\n", "echo $a $b$c ${x}\n")]
#[case::keyfile(
    "/etc/NetworkManager/system-connections/home.nmconnection",
    "[wifi]\nssid=home\n[wifi-security]\nkey-mgmt=wpa-psk\npsk=hunter2\npsk-flags=0\n",
    "[wifi]\nssid=home\n[wifi-security]\nkey-mgmt=wpa-psk\npsk=<secret 1>\npsk-flags=0\n"
)]
#[case::vpn(
    "/etc/NetworkManager/system-connections/v.nmconnection",
    "[vpn-secrets]\nanything=hunter2\n[ipv4]\nmethod=auto\n",
    "[vpn-secrets]\nanything=<secret 1>\n[ipv4]\nmethod=auto\n"
)]
#[case::supplicant(
    "/etc/wpa_supplicant/wpa_supplicant.conf",
    "network={\n\tssid=\"home\"\n\t#psk=\"hunter 2\"\n\tpsk=0123abcd\n}\n",
    "network={\n\tssid=\"home\"\n\t#psk=\"<secret 1>\"\n\tpsk=<secret 2>\n}\n"
)]
#[case::quote_in_it("/etc/wpa_supplicant.conf", "psk=\"a\"b\"\n", "psk=\"<secret 1>\"\n")]
#[case::ifupdown(
    "/etc/network/interfaces",
    "  wpa-psk hunter2\n",
    "  wpa-psk <secret 1>\n"
)]
#[case::netplan(
    "/etc/netplan/50.yaml",
    "  password: \"hunter2\"\n  dhcp4: true\n",
    "  password: \"<secret 1>\"\n  dhcp4: true\n"
)]
#[case::json(
    "/etc/x.json",
    "{\"apiKey\": \"hunter2\"}\n",
    "{\"apiKey\": \"<secret 1>\"}\n"
)]
#[case::wireguard("/etc/wg.conf", "PrivateKey = aGV5\n", "PrivateKey = <secret 1>\n")]
#[case::hadoop(
    "/opt/hadoop/etc/hadoop/core-site.xml",
    "<name>fs.s3a.secret.key</name>\n<value>hunter2</value>\n<name>a</name>\n<value>b</value>\n",
    "<name>fs.s3a.secret.key</name>\n<value><secret 1></value>\n<name>a</name>\n<value>b</value>\n"
)]
#[case::proxy(
    "/etc/apt/apt.conf",
    "Proxy \"http://me:hunter2@proxy:3128/\";\n",
    "Proxy \"http://me:<secret 1>@proxy:3128/\";\n"
)]
#[case::sshd(
    "/etc/ssh/sshd_config",
    "PasswordAuthentication no\nPermitEmptyPasswords no\n",
    "PasswordAuthentication no\nPermitEmptyPasswords no\n"
)]
#[case::databases(
    "/etc/nsswitch.conf",
    "passwd: files systemd\n",
    "passwd: files systemd\n"
)]
#[case::key(
    "/srv/x.pem",
    "a\n-----BEGIN OPENSSH PRIVATE KEY-----\nabc\ndef\n-----END OPENSSH PRIVATE KEY-----\nb\n",
    "a\n-----BEGIN OPENSSH PRIVATE KEY-----\n<secret 1>\n-----END OPENSSH PRIVATE KEY-----\nb\n"
)]
#[case::cut_key(
    "/srv/x.pem",
    "-----BEGIN RSA PRIVATE KEY-----\nabc\n",
    "-----BEGIN RSA PRIVATE KEY-----\n<secret 1>\n"
)]
#[case::end_of_key(
    "/srv/x",
    "abc\n-----END PRIVATE KEY-----\n",
    "<secret 1>-----END PRIVATE KEY-----\n"
)]
#[case::public_key("/srv/x.pub", "ssh-ed25519 AAAA me\n", "ssh-ed25519 AAAA me\n")]
fn secrets_get_names(#[case] path: &str, #[case] text: &str, #[case] shown: &str) {
    assert_eq!(redacted(path, text), shown);
}

#[test]
fn a_secret_has_one_name_in_both_texts() {
    let path = ImagePath::new("/etc/shadow").unwrap();
    let mut redactor = Redactor::new(&path);
    assert_eq!(
        redactor.redacted("a:one:\nb:two:\n"),
        "a:<secret 1>:\nb:<secret 2>:\n"
    );
    assert_eq!(
        redactor.redacted("a:one:\nb:new:\n"),
        "a:<secret 1>:\nb:<secret 3>:\n"
    );
    assert!(redactor.found_any() && !Redactor::new(&path).found_any());
}

#[rstest]
#[case("/etc/ssh/ssh_host_ed25519_key", 0o644, true)]
#[case("/etc/ssh/ssh_host_ed25519_key.pub", 0o644, false)]
#[case("/home/hadoop/.ssh/id_ed25519", 0o644, true)]
#[case("/home/hadoop/.ssh/deploy", 0o644, true)]
#[case("/home/hadoop/.ssh/id_ed25519.pub", 0o644, false)]
#[case("/home/hadoop/.ssh/authorized_keys", 0o600, false)]
#[case("/etc/shadow", 0o640, false)]
#[case("/etc/sudoers.d/010_pidoop-pi", 0o440, false)]
#[case("/etc/anything", 0o640, true)]
#[case("/etc/anything", 0o644, false)]
#[case("/userconf.txt", 0o755, true)]
#[case("/etc/ssl/private/x.pem", 0o644, true)]
fn whole_files_are_secret(#[case] path: &str, #[case] mode: u16, #[case] secret: bool) {
    let path = ImagePath::new(path).unwrap();
    assert_eq!(is_secret(&path, Mode::new(mode), false), secret);
}

proptest! {
    /// Whatever a secret looks like and stands next to, it does not show.
    #[test]
    fn no_part_of_a_secret_shows(
        secret in "Q[A-Z0-9 \"':=#$<>,;/\\\\]{6,20}Q",
        key in prop::sample::select(vec!["psk", "password", "wpa_passphrase", "fs.x.secret", "wep-key0"]),
        before in "[a-z =\n]{0,20}",
        after in "[a-z =\n]{0,20}",
    ) {
        for assignment in [
            format!("{key}={secret}"),
            format!("{key} = \"{secret}\""),
            format!("{key}: '{secret}'"),
        ] {
            let shown = redacted("/etc/some.conf", &format!("{before}\n{assignment}\n{after}"));
            let shows = shown.contains(&secret[..3]) || shown.contains(&secret[secret.len() - 3..]);
            prop_assert!(!shows, "{assignment} shows as {shown}");
            prop_assert!(shown.contains("<secret 1>"), "{shown}");
        }
    }

    #[test]
    fn nothing_panics(text in "[-a-zéPSK=:\"'$!\n<>/ ]{0,200}(-----(BEGIN|END) PRIVATE KEY-----)?.{0,20}") {
        redacted("/etc/shadow", &text);
        redacted("/etc/x.nmconnection", &text);
    }
}
