//! Inputs that cannot be used: one clear error, nothing under a final name, and
//! a cache in which nothing bad stays.

use camino::Utf8Path;
use fs_err as fs;
use rstest::rstest;
use tar::EntryType;

use crate::support::tiny_image::Table;
use crate::support::tools::{output, run};
use crate::support::world::{
    ClusterFile, Flavour, Image, Intruder, Java, Sandbox, assemble, assert_same_bytes,
    copy_sparsely, cut, debugfs, make_ext4, make_fat, make_hadoop, world,
};

/// Which line of the cluster file names the input.
#[derive(Clone, Copy)]
enum Slot {
    Base,
    Java,
    Hadoop,
}

impl Slot {
    fn filled_with(self, file: &Utf8Path) -> ClusterFile {
        let cluster = ClusterFile::new(world());
        match self {
            Self::Base => cluster.base(file),
            Self::Java => cluster.java(file),
            Self::Hadoop => cluster.hadoop(file),
        }
    }

    fn good(self) -> camino::Utf8PathBuf {
        match self {
            Self::Base => world().base(Flavour::Trixie),
            Self::Java => world().java(),
            Self::Hadoop => world().hadoop(),
        }
    }
}

/// Builds with the file that `spoil` makes as the input, which has to be
/// refused in these words; then with the good one under the same name.
#[track_caller]
fn refused(slot: Slot, name: &str, words: &[&str], spoil: impl FnOnce(&Utf8Path)) {
    let place = Sandbox::new();
    let input = place.path(name);
    spoil(&input);
    let sandbox = Sandbox::warm(&slot.filled_with(&input));
    let run = sandbox.run("build --quiet").refuses(2, words);
    // What does not fit together is not the fault of one file.
    let named = run.stderr.contains(name) || run.stderr.contains("do not work together");
    assert!(named, "it does not name the file\n{run}");
    assert!(sandbox.finished().is_empty(), "{:?}", sandbox.finished());

    copy_sparsely(&slot.good(), &input);
    sandbox.run("build -n worker1").works();
    assert_same_bytes(&sandbox.image("worker1"), &world().usual_image("worker1"));
    assert_eq!(sandbox.names("home/.cache/pidoop/partial"), [""; 0]);
}

fn packed_base(packer: &str, to: &Utf8Path) {
    let base = world().base(Flavour::Trixie);
    run("sh", &["-c", &format!("{packer} -c '{base}' > '{to}'")]);
}

#[rstest]
#[case("base.img.xz", "xz -0 -T1")]
#[case("base.img.gz", "gzip -1")]
#[case("base.img.zst", "zstd -q -1")]
fn a_base_cut_short(#[case] name: &str, #[case] packer: &str) {
    // The good file that takes its place is not packed, whatever its name.
    refused(Slot::Base, name, &["is cut short"], |file| {
        let whole = file.with_extension("whole");
        packed_base(packer, &whole);
        cut(&whole, file, 0.9);
    });
}

#[test]
fn a_raw_base_cut_short() {
    refused(
        Slot::Base,
        "base.img",
        &["truncated", "partition 2"],
        |file| {
            copy_sparsely(&world().base(Flavour::Trixie), file);
            fs::OpenOptions::new()
                .write(true)
                .open(file)
                .unwrap()
                .set_len(60 << 20)
                .unwrap();
        },
    );
}

#[test]
fn a_base_with_damage_inside() {
    refused(Slot::Base, "base.img.xz", &["is damaged"], |file| {
        packed_base("xz -0 -T1", file);
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs::write(file, bytes).unwrap();
    });
}

#[rstest]
#[case("base.pdf", "%PDF-1.7\n%\u{e2}\u{e3}\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", &["a disk image with a partition table is needed"])]
#[case("base.img.xz", "<!DOCTYPE html><title>Sign in</title>", &["web page"])]
#[case("base.img", "", &["is empty"])]
fn a_base_that_is_no_image(#[case] name: &str, #[case] text: &str, #[case] words: &[&str]) {
    refused(Slot::Base, name, words, |file| {
        fs::write(file, text).unwrap()
    });
}

#[test]
fn a_base_that_was_not_unmounted() {
    refused(
        Slot::Base,
        "base.img",
        &["partition 2", "the journal"],
        |file| {
            copy_sparsely(&world().base(Flavour::Trixie), file);
            fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            debugfs(&Image::open(file).root_device(), "feature needs_recovery\n");
        },
    );
}

#[test]
fn a_base_with_two_systems_to_switch_between() {
    let words = [
        "not laid out like Raspberry Pi OS",
        "GPT",
        "partition 4: ext4",
    ];
    refused(Slot::Base, "base.img", &words, |file| {
        let dir = file.parent().unwrap();
        let boot = make_fat(dir, Flavour::Trixie);
        let root = make_ext4(dir, Flavour::Trixie, &Flavour::Trixie.root());
        assemble(file, Table::Gpt, &[&boot, &boot, &root, &root]);
    });
}

#[test]
fn a_base_with_a_filesystem_that_cannot_be_written() {
    let words = ["expected a FAT boot partition 1 and an ext4 root", "erofs"];
    refused(Slot::Base, "base.img", &words, |file| {
        let dir = file.parent().unwrap();
        let boot = make_fat(dir, Flavour::Trixie);
        // Its superblock begins at 1024 with its mark (fs/erofs/erofs_fs.h).
        let mut root = vec![0; 8 << 20];
        root[1024..1028].copy_from_slice(&0xe0f5_e1e2_u32.to_le_bytes());
        fs::write(dir.join("root.erofs"), root).unwrap();
        assemble(file, Table::Mbr, &[&boot, &dir.join("root.erofs")]);
    });
}

#[test]
fn a_base_of_another_system() {
    refused(Slot::Base, "base.img", &["Fedora Linux 43"], |file| {
        let dir = file.parent().unwrap();
        let boot = make_fat(dir, Flavour::Trixie);
        let mut tree = Flavour::Trixie.root();
        tree.file(
            "usr/lib/os-release",
            "ID=fedora\nPRETTY_NAME=\"Fedora Linux 43\"\n",
        );
        assemble(
            file,
            Table::Mbr,
            &[&boot, &make_ext4(dir, Flavour::Trixie, &tree)],
        );
    });
}

#[test]
fn java_for_another_processor() {
    // EM_X86_64 and EM_AARCH64 (System V ABI).
    let (foreign, name) = if cfg!(target_arch = "x86_64") {
        (183, "aarch64")
    } else {
        (62, "x64")
    };
    let words = [
        &format!("the Java runtime is built for {name}"),
        "choose the",
    ];
    refused(Slot::Java, "jre.tar.gz", &words, |file| {
        Java {
            machine: Some(foreign),
            ..Java::default()
        }
        .make(file);
    });
}

#[test]
fn java_too_old_for_hadoop() {
    let words = [
        "Hadoop 3.5.0 is compiled for Java 17 but the runtime is Java 11",
        "temurin-17",
    ];
    refused(Slot::Java, "jre.tar.gz", &words, |file| {
        Java {
            version: "11.0.30",
            ..Java::default()
        }
        .make(file);
    });
}

#[test]
fn hadoop_too_new_for_java() {
    let words = ["Hadoop 3.5.0 is compiled for Java 21 but the runtime is Java 17"];
    refused(Slot::Hadoop, "hadoop.tar.gz", &words, |file| {
        make_hadoop(65, file)
    });
}

#[test]
fn one_archive_in_place_of_the_other() {
    refused(Slot::Java, "jre.tar.gz", &["Java"], |file| {
        copy_sparsely(&world().hadoop(), file)
    });
    refused(Slot::Hadoop, "hadoop.tar.gz", &["Hadoop"], |file| {
        copy_sparsely(&world().java(), file)
    });
}

#[rstest]
#[case(0.02)]
#[case(0.5)]
#[case(0.999)]
fn hadoop_cut_short(#[case] share: f64) {
    refused(Slot::Hadoop, "hadoop.tar.gz", &["is cut short"], |file| {
        cut(&world().hadoop(), file, share);
    });
}

#[rstest]
#[case(
    "hadoop-3.5.0/../../pidoop-evil",
    EntryType::Regular,
    "x",
    "'..' in its name"
)]
#[case("/etc/pidoop-evil", EntryType::Regular, "x", "an absolute name")]
#[case(
    "hadoop-3.5.0/etc/out",
    EntryType::Symlink,
    "../../../etc",
    "outside the archive"
)]
#[case(
    "hadoop-3.5.0/etc/out",
    EntryType::Symlink,
    "/etc/shadow",
    "outside the archive"
)]
#[case(
    "hadoop-3.5.0/etc/out",
    EntryType::Link,
    "../../../etc/shadow",
    "etc/shadow"
)]
#[case("hadoop-3.5.0/etc/out", EntryType::Link, "/etc/shadow", "/etc/shadow")]
#[case("hadoop-3.5.0/etc", EntryType::Symlink, "/etc", "outside the archive")]
#[case("hadoop-3.5.0/dev", EntryType::Char, "", "hadoop-3.5.0/dev")]
fn an_archive_that_reaches_out(
    #[case] name: &'static str,
    #[case] kind: EntryType,
    #[case] content: &'static str,
    #[case] words: &str,
) {
    let words = ["will not be unpacked", words];
    refused(Slot::Hadoop, "hadoop.tar.gz", &words, |file| {
        Intruder {
            name,
            kind,
            content,
        }
        .smuggle(&world().hadoop(), file);
    });
    assert!(!Utf8Path::new("/etc/pidoop-evil").exists());
}

#[test]
fn a_base_with_another_digest_than_the_cluster_file_says() {
    let base = world().base(Flavour::Trixie);
    let said = output("sha256sum", &[base.as_str()]);
    let right = String::from_utf8(said.stdout).unwrap()[..64].to_owned();
    let wrong = format!(
        "{}{}",
        if right.starts_with('0') { 1 } else { 0 },
        &right[1..]
    );
    let sandbox = Sandbox::with(&ClusterFile::new(world()).base_with_sha256(&base, &wrong));
    sandbox
        .run("build")
        .refuses(3, &["raspios-trixie.img", &wrong, &right]);
    assert!(sandbox.finished().is_empty());
    sandbox.write_cluster(&ClusterFile::new(world()).base_with_sha256(&base, &right));
    sandbox.run("build -n master").works();
}

#[test]
fn an_input_that_is_not_there() {
    let nowhere = Utf8Path::new("/nowhere/base.img.xz");
    let sandbox = Sandbox::with(&ClusterFile::new(world()).base(nowhere));
    sandbox.run("build").refuses(
        3,
        &[
            "/nowhere/base.img.xz: there is no such file",
            "cluster.toml:7:8",
        ],
    );
    // A directory is no input either.
    sandbox.write_cluster(&ClusterFile::new(world()).hadoop(Utf8Path::new("/usr")));
    sandbox.run("build").refuses(3, &["/usr", "directory"]);
    assert!(sandbox.finished().is_empty());
    sandbox.write_cluster(&ClusterFile::new(world()));
    sandbox.run("build -n master").works();
}

#[test]
fn an_address_nobody_answers_at() {
    let text = ClusterFile::new(world()).text();
    let java = format!("java = {{ path = \"{}\" }}", world().java());
    assert!(text.contains(&java));
    // Port 1 is nobody's; what connects there is refused at once.
    let address = "java = { url = \"http://127.0.0.1:1/jre.tar.gz\" }";
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    sandbox.write("cluster.toml", text.replace(&java, address));
    sandbox
        .run("build")
        .refuses(3, &["http://127.0.0.1:1/jre.tar.gz"]);
    assert!(sandbox.finished().is_empty());
}
