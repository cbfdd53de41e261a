use insta::assert_snapshot;

use super::{said_of_each, valid_with};

const KEYS: &str = "[\"~/.ssh/id_ed25519.pub\"]";
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBqzv0ZxK0l6GkV8mFBv7Xbl4xQG6uS0Yk7hYcC9yqkM alice@desk";

#[test]
fn keys_are_paths_or_the_keys_themselves() {
    for keys in [
        format!("[\"{KEY}\"]"),
        format!("['no-pty,from=\"10.*\" {KEY}']"),
        "[\"keys/team.txt\", \"~/.ssh/authorized_keys\", \"ssh-keys/all.pub\", \"ssh-master.pub\"]"
            .to_owned(),
    ] {
        let cluster = valid_with(KEYS, &keys);
        assert!(!cluster.access.authorized_keys.is_empty());
    }
}

#[test]
fn a_password_alone_is_access() {
    let hash = format!("$6$rounds=5000$abc$${}", "x".repeat(86)).replace("$$", "$");
    let cluster = valid_with(
        &format!("authorized_keys = {KEYS}"),
        &format!("password_hash = \"{hash}\""),
    );
    assert_eq!(cluster.access.password_hash.as_deref(), Some(hash.as_str()));
    assert!(
        !cluster.access.passwordless_sudo,
        "a password is there to be asked for"
    );
}

/// Lines that ssh-keygen wrote, and hashes of `raspberry` that openssl and
/// libxcrypt made.
#[test]
fn what_other_programs_make_is_accepted() {
    let keys = [
        "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBPXkMV8blZosxkXimYJLuHDwhGTAGdcoMRzT14k8KBC9SiHSIgVRhWUBC9SSSqa94FogJX2TQpwJ7iUzKsPPQuK8r4YjybLqqtVzcVDy6x3aWp4fLv/kcqV9e0McpiCeEw== t@desk",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIDZ1bII70lqJcWcUUSc/nKpwHq/FVoRev52H4nE5aQv t@desk",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCarGZWvJBYmyJCSQhQlxb2V3a91bRDFU5j1lCYB0kZWSwAXtlilhq3TCPeSTiikJ8IEMGtI5yQRhKOnk007hfyj1r0DZM+Ho3k9N4soQ98ZS3YKCdHDIwE78pyCM+nVqBZyFLCkyYscSPWu+cr8x/59A8EvHwfPgI8gMsu/8JvdvvL44h7W8vDUkqcZyDoagFtov/lO1kV1xuQTf6JRXaNqhgIb2TL8Ul2Gf6VoI65w0UoW8AB1I1ehaWxDJ0IvPfktciM90GWWHZJ5fD+3NOy11HMT+T647vwAr6tPA8PEgBMRkZ3VNPTV7SeXaInHfpeBNxD7Eu0JrjlEqbtyxnz t@desk",
    ];
    for key in keys {
        assert_eq!(
            valid_with(KEYS, &format!("[\"{key}\"]"))
                .access
                .authorized_keys[0]
                .0,
            key
        );
    }
    let hashes = [
        "$6$saltsalt$677q0O/U8ycKsbBfN68CgcyXcWEbi0J/eUf256PkkeGXfNX3CNnPlwFdNvdBgnSiHDx5X1Xozxf5lg9iVIVVu/",
        "$6$rounds=5000$saltsalt$677q0O/U8ycKsbBfN68CgcyXcWEbi0J/eUf256PkkeGXfNX3CNnPlwFdNvdBgnSiHDx5X1Xozxf5lg9iVIVVu/",
        "$5$saltsalt$co270cgnQFtIiaigKUIOOLh41ufjqoVJXZNYu0l.NS4",
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$eL4ia2HImHZ8seSlqsaUJTioIRKoDlNtfIVLRX5XK74",
    ];
    for hash in hashes {
        let access = valid_with("user = \"pi\"", &format!("password_hash = \"{hash}\"")).access;
        assert_eq!(access.password_hash.as_deref(), Some(hash));
    }
}

#[test]
fn nobody_is_locked_out() {
    assert_snapshot!(said_of_each(&[
        (KEYS, "[]"),
        ("authorized_keys = [\"~/.ssh/id_ed25519.pub\"]\n", ""),
        ("[access]\nuser = \"pi\"\nauthorized_keys = [\"~/.ssh/id_ed25519.pub\"]\n", ""),
        ("authorized_keys", "authorised_keys"),
    ]), @r#"
    error: nobody could log in: no key and no password
      --> cluster.toml:13:19
       |
    13 | authorized_keys = []
       |                   ^^ empty
       |
       = help: name your public key, such as `["~/.ssh/id_ed25519.pub"]`; `ssh-keygen -t ed25519` makes one
    ---
    error: [access] has no `authorized_keys`
      --> cluster.toml:11:1
       |
    11 | [access]
       | ^^^^^^^^ `authorized_keys` is missing
       |
       = help: add `authorized_keys = ["~/.ssh/id_ed25519.pub"]`
    ---
    error: the file has no `[access]`
     --> cluster.toml:1:1
      |
    1 | schema = 1
      | ^ `[access]` is missing
      |
      = help: add `[access]` with at least `authorized_keys = ["~/.ssh/id_ed25519.pub"]` below it
    ---
    error: unknown key `authorised_keys` in [access]
      --> cluster.toml:13:1
       |
    13 | authorised_keys = ["~/.ssh/id_ed25519.pub"]
       | ^^^^^^^^^^^^^^^
       |
       = help: did you mean `authorized_keys`?
    "#);
}

#[test]
fn keys_that_are_none_are_refused() {
    assert_snapshot!(said_of_each(&[
        (KEYS, "[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBroken alice\"]"),
        (KEYS, "[\"ssh-ed25519\"]"),
        (KEYS, "[\"ssh-new AAAAC3Nz x\"]"),
        (KEYS, "[\"ssh-dss AAAAB3NzaC1kc3MAAAABBQAAAAEFAAAAAQUAAAABBQ== old\"]"),
        (KEYS, "[\"~/.ssh/id_ed25519\"]"),
        (KEYS, "[\"-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXk\\n-----END OPENSSH PRIVATE KEY-----\"]"),
        (KEYS, "[\"\", \" \"]"),
        (KEYS, "\"~/.ssh/id_ed25519.pub\""),
        (KEYS, "[1]"),
    ]), @r#"
    error: this is not a public key: Base64 encoding error: invalid Base64 encoding
      --> cluster.toml:13:20
       |
    13 | authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBroken alice"]
       |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: copy the whole line of the .pub file: type, key, comment
    ---
    error: this is not a public key: format encoding error
      --> cluster.toml:13:20
       |
    13 | authorized_keys = ["ssh-ed25519"]
       |                    ^^^^^^^^^^^^^
       |
       = help: copy the whole line of the .pub file: type, key, comment
    ---
    error: this is not a public key: Base64 encoding error: invalid Base64 length
      --> cluster.toml:13:20
       |
    13 | authorized_keys = ["ssh-new AAAAC3Nz x"]
       |                    ^^^^^^^^^^^^^^^^^^^^
       |
       = help: copy the whole line of the .pub file: type, key, comment
    ---
    error: DSA keys are not accepted by sshd any more
      --> cluster.toml:13:20
       |
    13 | authorized_keys = ["ssh-dss AAAAB3NzaC1kc3MAAAABBQAAAAEFAAAAAQUAAAABBQ== old"]
       |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: `ssh-keygen -t ed25519` makes a key that is
    ---
    error: "id_ed25519" looks like a private key
      --> cluster.toml:13:20
       |
    13 | authorized_keys = ["~/.ssh/id_ed25519"]
       |                    ^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `~/.ssh/id_ed25519.pub`? Only public keys go into images
    ---
    error: this is a private key
      --> cluster.toml:13:20
       |
    13 | authorized_keys = ["-----BEGIN OPENSSH PRIVATE KEY-----*******************-----END OPENSSH PRIVATE KEY-----"]
       |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: name the public key, the file ending in .pub; the private key stays where it is
    ---
    error: an authorized key cannot be empty
      --> cluster.toml:13:20
       |
    13 | authorized_keys = ["", " "]
       |                    ^^

    error: an authorized key cannot be empty
      --> cluster.toml:13:24
       |
    13 | authorized_keys = ["", " "]
       |                        ^^^
    ---
    error: `authorized_keys` is a string, expected a list of strings
      --> cluster.toml:13:19
       |
    13 | authorized_keys = "~/.ssh/id_ed25519.pub"
       |                   ^^^^^^^^^^^^^^^^^^^^^^^ a string
       |
       = help: write it like `authorized_keys = ["~/.ssh/id_ed25519.pub"]`
    ---
    error: `authorized_keys` is an integer, expected a list of strings
      --> cluster.toml:13:20
       |
    13 | authorized_keys = [1]
       |                    ^ an integer
       |
       = help: write it like `authorized_keys = ["~/.ssh/id_ed25519.pub"]`
    "#);
}

#[test]
fn password_hashes_are_judged_unseen() {
    let short = format!("password_hash = \"$6$saltsalt${}\"", "x".repeat(30));
    let said = said_of_each(&[
        ("user = \"pi\"", "password_hash = \"raspberry\""),
        ("user = \"pi\"", &short),
        (
            "user = \"pi\"",
            "password_hash = \"$1$saltsalt$0123456789012345678901\"",
        ),
        ("user = \"pi\"", "password_hash = \"$9$x\""),
        ("user = \"pi\"", "password_hash = \"\""),
        ("user = \"pi\"", "password_hash = \"!\""),
        ("user = \"pi\"", "password_hash = \"$y$j9T$salt\""),
        ("user = \"pi\"", "password_hash = \"$5$rounds=many$salt$x\""),
        ("user = \"pi\"", "password_hash = \"$5$sa:lt$x\""),
        ("user = \"pi\"", "password_hash = \"$5$salt\""),
        ("user = \"pi\"", "password = \"raspberry\""),
        ("user = \"pi\"", "passwordless_sudo = \"yes\""),
    ]);
    assert!(!said.contains("raspberry"), "a password was shown:\n{said}");
    assert_snapshot!(said, @r#"
    error: this is not a password hash but, it seems, a password
      --> cluster.toml:12:17
       |
    12 | password_hash = "*********"
       |                 ^^^^^^^^^^^
       |
       = help: make one with `openssl passwd -6` or `mkpasswd`
    ---
    error: the password hash is not whole: its last part has 30 characters of 86
      --> cluster.toml:12:17
       |
    12 | password_hash = "******************************************"
       |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: make one with `openssl passwd -6` or `mkpasswd`
    ---
    error: MD5 password hashes are too weak
      --> cluster.toml:12:17
       |
    12 | password_hash = "**********************************"
       |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: make one with `openssl passwd -6` or `mkpasswd`
    ---
    error: this kind of password hash is not known here, only $y$, $6$ and $5$
      --> cluster.toml:12:17
       |
    12 | password_hash = "****"
       |                 ^^^^^^
       |
       = help: make one with `openssl passwd -6` or `mkpasswd`
    ---
    error: the password hash is empty, which lets anybody in
      --> cluster.toml:12:17
       |
    12 | password_hash = ""
       |                 ^^
       |
       = help: make one with `openssl passwd -6` or `mkpasswd`
    ---
    error: this locks the password, which is also so without the key
      --> cluster.toml:12:17
       |
    12 | password_hash = "*"
       |                 ^^^
       |
       = help: leave `password_hash` out
    ---
    error: the password hash is not whole: expected $y$parameters$salt$hash
      --> cluster.toml:12:17
       |
    12 | password_hash = "***********"
       |                 ^^^^^^^^^^^^^
       |
       = help: make one with `openssl passwd -6` or `mkpasswd`
    ---
    error: the password hash has rounds that are not a number
      --> cluster.toml:12:17
       |
    12 | password_hash = "*********************"
       |                 ^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: make one with `openssl passwd -6` or `mkpasswd`
    ---
    error: the password hash has characters no hash has
      --> cluster.toml:12:17
       |
    12 | password_hash = "**********"
       |                 ^^^^^^^^^^^^
       |
       = help: make one with `openssl passwd -6` or `mkpasswd`
    ---
    error: the password hash is not whole: expected $5$salt$hash
      --> cluster.toml:12:17
       |
    12 | password_hash = "*******"
       |                 ^^^^^^^^^
       |
       = help: make one with `openssl passwd -6` or `mkpasswd`
    ---
    error: unknown key `password` in [access]
      --> cluster.toml:12:1
       |
    12 | password = "*********"
       | ^^^^^^^^
       |
       = help: did you mean `password_hash`?
    ---
    error: `passwordless_sudo` is a string, expected true or false
      --> cluster.toml:12:21
       |
    12 | passwordless_sudo = "yes"
       |                     ^^^^^ a string
       |
       = help: write it like `passwordless_sudo = true`
    "#);
}

#[test]
fn the_user_is_one_people_may_be() {
    assert_snapshot!(said_of_each(&[
        ("user = \"pi\"", "user = \"root\""),
        ("user = \"pi\"", "user = \"hadoop\""),
        ("user = \"pi\"", "user = \"Alice\""),
    ]), @r#"
    error: the user cannot be root: log in as another and use sudo
      --> cluster.toml:12:8
       |
    12 | user = "root"
       |        ^^^^^^
    ---
    error: the user hadoop runs the daemons; choose another to log in as
      --> cluster.toml:12:8
       |
    12 | user = "hadoop"
       |        ^^^^^^^^
    ---
    error: a user name begins with a lower-case letter
      --> cluster.toml:12:8
       |
    12 | user = "Alice"
       |        ^^^^^^^
    "#);
}
