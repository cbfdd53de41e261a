//! Java and Hadoop archives, small but shaped like their publishers'.

use std::io::{Read, Write};

use camino::Utf8Path;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use fs_err::{self as fs, File};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::tiny_image::temp_dir;
use super::super::tools::run;
use super::system::small_program;
use super::tree::Tree;

/// Keys of the four `*-default.xml` of Hadoop 3.5.0: file, key, type.
const KEYS: &str = include_str!("../../../fixtures/hadoop-3.5.0-keys.tsv");

/// What a Java archive is like.
#[derive(Clone, Debug)]
pub(crate) struct Java {
    pub(crate) version: &'static str,
    /// `e_machine` of its programs; none for this machine's.
    pub(crate) machine: Option<u16>,
}

impl Default for Java {
    fn default() -> Self {
        Self {
            version: "17.0.99",
            machine: None,
        }
    }
}

/// Modules of a vendor's runtime that Hadoop loads.
const MODULES: &str = "java.base java.compiler java.datatransfer java.xml java.prefs java.desktop \
                       java.instrument java.logging java.management java.security.sasl \
                       java.naming java.rmi java.management.rmi java.net.http java.scripting \
                       java.security.jgss java.transaction.xa java.sql java.sql.rowset \
                       java.xml.crypto jdk.management jdk.naming.dns jdk.security.auth \
                       jdk.security.jgss jdk.unsupported jdk.zipfs";

impl Java {
    /// Makes the archive at `path`.
    pub(crate) fn make(&self, path: &Utf8Path) {
        let mut program = for_old_systems(small_program());
        if let Some(machine) = self.machine {
            program[18..20].copy_from_slice(&machine.to_le_bytes());
        }
        let top = format!("jdk-{}+1-jre", self.version);
        let at = |name: &str| format!("{top}/{name}");
        let mut tree = Tree::default();
        tree.file(
            &at("release"),
            format!(
                "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"{}\"\nMODULES=\"{MODULES}\"\nOS_NAME=\"Linux\"\n\
                 LIBC=\"gnu\"\nIMAGE_TYPE=\"JRE\"\n",
                self.version
            ),
        )
        .program(&at("bin/java"), program.clone())
        .program(&at("bin/keytool"), program.clone())
        .file(&at("lib/server/libjvm.so"), program.clone())
        .file(&at("lib/libjli.so"), program)
        .file(&at("lib/modules"), "not a jimage")
        .file(&at("lib/security/cacerts"), "not a key store")
        .file(&at("conf/security/java.security"), "networkaddress.cache.ttl=30\n")
        .file(&at("legal/java.base/LICENSE"), "A licence.\n")
        .link(&at("legal/java.desktop/LICENSE"), "../java.base/LICENSE")
        .file(&at("man/man1/java.1"), ".TH java 1\n");
        pack(&tree, &top, path);
    }
}

/// The program as its publisher would build it, who looks to it that it runs on
/// old systems: it asks for no C library newer than 2.17.
fn for_old_systems(mut program: Vec<u8>) -> Vec<u8> {
    let name = b"GLIBC_2.";
    for at in 0..program.len() {
        let end = at + name.len();
        if program[at..].starts_with(name) && program[end..].starts_with(b"3") {
            // Two digits and no more: 2.30 to 2.39.
            if program.get(end + 1).is_some_and(u8::is_ascii_digit) {
                program[end..end + 2].copy_from_slice(b"17");
            }
        }
    }
    program
}

/// A member of a jar: its name and content.
type Member<'a> = (&'a str, &'a [u8]);

/// Makes a Hadoop 3.5.0 archive at `path` whose classes are for Java
/// `class_major - 44`.
pub(crate) fn make_hadoop(class_major: u16, path: &Utf8Path) {
    let top = "hadoop-3.5.0";
    let at = |name: &str| format!("{top}/{name}");
    let class = class_file(class_major);
    let jars: [(&str, &str, Option<Member<'_>>); 4] = [
        (
            "common/hadoop-common-3.5.0.jar",
            "core",
            Some(("org/apache/hadoop/fs/FileSystem.class", &class)),
        ),
        ("hdfs/hadoop-hdfs-3.5.0.jar", "hdfs", None),
        ("yarn/hadoop-yarn-common-3.5.0.jar", "yarn", None),
        (
            "mapreduce/hadoop-mapreduce-client-core-3.5.0.jar",
            "mapred",
            None,
        ),
    ];
    let mut tree = Tree::default();
    for (name, defaults, class) in jars {
        let (file, xml) = (format!("{defaults}-default.xml"), default_xml(defaults));
        let members: Vec<Member<'_>> = class
            .into_iter()
            .chain([(&*file, xml.as_bytes())])
            .collect();
        tree.file(&at(&format!("share/hadoop/{name}")), jar(&members));
    }
    for command in ["hadoop", "hdfs", "mapred", "yarn"] {
        tree.program(
            &at(&format!("bin/{command}")),
            "#!/usr/bin/env bash\nexit 0\n",
        )
        .file(&at(&format!("bin/{command}.cmd")), "@echo off\r\n");
    }
    tree.file(
        &at("libexec/hadoop-config.sh"),
        "# sourced by the launchers\n",
    )
    .program(&at("sbin/start-dfs.sh"), "#!/usr/bin/env bash\n")
    .file(&at("etc/hadoop/hadoop-env.sh"), "# export JAVA_HOME=\n")
    .file(&at("etc/hadoop/core-site.xml"), "<configuration/>\n")
    .file(
        &at("etc/hadoop/log4j.properties"),
        "hadoop.root.logger=INFO,console\n",
    )
    .file(
        &at("etc/hadoop/capacity-scheduler.xml"),
        "<configuration/>\n",
    )
    .file(
        &at("share/hadoop/hdfs/webapps/hdfs/index.html"),
        "<!DOCTYPE html>\n",
    )
    .file(
        &at("share/hadoop/hdfs/webapps/datanode/index.html"),
        "<!DOCTYPE html>\n",
    )
    .file(
        &at("share/hadoop/common/lib/slf4j-api-1.7.36.jar"),
        jar(&[]),
    )
    .file(&at("share/doc/hadoop/index.html"), "<!DOCTYPE html>\n")
    .file(&at("LICENSE.txt"), "A licence.\n");
    pack(&tree, top, path);
}

/// The head of a class file (JVM specification, 4.1); nothing reads on.
fn class_file(major: u16) -> Vec<u8> {
    let mut class = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0];
    class.extend(major.to_be_bytes());
    class.resize(64, 0);
    class
}

fn default_xml(which: &str) -> String {
    let file = format!("{which}-site.xml");
    let mut xml = "<?xml version=\"1.0\"?>\n<configuration>\n".to_owned();
    for line in KEYS.lines() {
        let mut fields = line.split('\t');
        if fields.next() == Some(&file) {
            let key = fields.next().unwrap();
            let value = match fields.next().unwrap() {
                "boolean" => "false",
                "integer" => "1",
                _ => "",
            };
            xml.push_str(&format!(
                "<property>\n  <name>{key}</name>\n  <value>{value}</value>\n</property>\n"
            ));
        }
    }
    xml + "</configuration>\n"
}

fn jar(members: &[Member<'_>]) -> Vec<u8> {
    let mut jar = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    // A stored member is read as well as a deflated one.
    let plain = SimpleFileOptions::default();
    jar.start_file("META-INF/MANIFEST.MF", plain).unwrap();
    jar.write_all(b"Manifest-Version: 1.0\r\n\r\n").unwrap();
    for (name, bytes) in members {
        jar.start_file(*name, plain).unwrap();
        jar.write_all(bytes).unwrap();
    }
    jar.finish().unwrap().into_inner()
}

/// Packs the tree's directory `top` as publishers do: with GNU tar, owned by
/// nobody in particular.
pub(crate) fn pack(tree: &Tree, top: &str, path: &Utf8Path) {
    let (_scratch, dir) = temp_dir();
    tree.write_to(&dir);
    let owner = ["--owner=10668", "--group=10668", "--numeric-owner"];
    let how = ["--sort=name", "--mtime=@1750000000", "--format=ustar"];
    let what = ["-C", dir.as_str(), "-czf", path.as_str(), top];
    run("tar", &[&owner[..], &how[..], &what[..]].concat());
}

/// A member that no honest archive has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intruder {
    pub(crate) name: &'static str,
    pub(crate) kind: tar::EntryType,
    /// Target of a link; content of a file.
    pub(crate) content: &'static str,
}

impl Intruder {
    /// Copies the archive `from` to `to` with the intruder in front, as no tar
    /// program would write it.
    pub(crate) fn smuggle(self, from: &Utf8Path, to: &Utf8Path) {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..self.name.len()].copy_from_slice(self.name.as_bytes());
        header.set_entry_type(self.kind);
        header.set_mode(0o644);
        header.set_mtime(1_750_000_000);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        let mut body = Vec::new();
        if self.kind.is_file() {
            header.set_size(self.content.len() as u64);
            body.extend(self.content.as_bytes());
            body.resize(body.len().next_multiple_of(512), 0);
        } else {
            let at = 157;
            header.as_mut_bytes()[at..at + self.content.len()]
                .copy_from_slice(self.content.as_bytes());
        }
        header.set_cksum();
        let mut rest = Vec::new();
        GzDecoder::new(File::open(from).unwrap())
            .read_to_end(&mut rest)
            .unwrap();
        let mut gz = GzEncoder::new(File::create(to).unwrap(), Compression::fast());
        for bytes in [header.as_bytes().as_slice(), &body, &rest] {
            gz.write_all(bytes).unwrap();
        }
        gz.finish().unwrap();
    }
}

/// Copies `share` (0 to 1) of a file's bytes.
pub(crate) fn cut(from: &Utf8Path, to: &Utf8Path, share: f64) {
    let bytes = fs::read(from).unwrap();
    let keep = (bytes.len() as f64 * share) as usize;
    fs::write(to, &bytes[..keep]).unwrap();
}
