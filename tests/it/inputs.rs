//! What makes test inputs as large as real ones, on a small scale.

use std::collections::BTreeMap;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

/// Runs the script that adds files to a tree.
fn fill(kind: &str, tree: &Utf8Path, scale: &str) -> std::process::Output {
    Command::new("python3")
        .arg("-B")
        .arg(Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/inputs/filler.py"))
        .args([kind, tree.as_str(), scale])
        .output()
        .unwrap()
}

/// All below a directory: files with their bytes, links with what they point at.
fn listed(folder: &Utf8Path) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.is_symlink() {
            found.insert(
                path.clone(),
                path.read_link_utf8().unwrap().into_string().into(),
            );
        } else if path.is_dir() {
            found.extend(listed(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// The same, by paths below the directory.
fn below(folder: &Utf8Path) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    listed(folder)
        .into_iter()
        .map(|(path, bytes)| (path.strip_prefix(folder).unwrap().to_owned(), bytes))
        .collect()
}

/// Makes a tree twice, by `start`, and fills it: both times the same comes out.
fn filled_twice(
    kind: &str,
    scale: &str,
    start: impl Fn(&Utf8Path),
) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    let trees = [(); 2].map(|()| {
        let folder = tempfile::tempdir().unwrap();
        let tree = Utf8Path::from_path(folder.path()).unwrap();
        start(tree);
        let output = fill(kind, tree, scale);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        below(tree)
    });
    let [one, two] = trees;
    assert!(one == two, "two runs made different files");
    one
}

/// How much of it gzip leaves, in percent.
fn packed_percent(bytes: &[u8]) -> usize {
    use std::io::Write as _;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap().len() * 100 / bytes.len()
}

/// Bytes that compress somewhat, as a program does.
fn program() -> Vec<u8> {
    let mut state = 1_u32;
    let body = (0..400_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 & 0x1f
    });
    b"\x7fELF".iter().copied().chain(body).collect()
}

#[test]
fn a_base_grows_the_same_way_each_time() {
    let files = filled_twice("base", "0.01", |root| {
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::write(root.join("bin/sh"), program()).unwrap();
        let text = "Options of the shell are described here\nand nowhere else\n".repeat(200);
        fs::write(root.join("readme"), text).unwrap();
    });
    let added: Vec<_> = files
        .iter()
        .filter(|(path, _)| path.as_str().contains("/filler/"))
        .collect();
    let regular: Vec<_> = added
        .iter()
        .filter(|(path, _)| path.extension() != Some("link"))
        .collect();
    assert_eq!(regular.len(), 600);
    assert!(added.len() > regular.len(), "no links");
    // Small ones and large ones, about 24 KB in the middle.
    let lengths: Vec<_> = regular.iter().map(|(_, bytes)| bytes.len()).collect();
    assert!(lengths.iter().any(|length| *length < 1_000));
    assert!(lengths.iter().any(|length| *length > 150_000));
    let mean = lengths.iter().sum::<usize>() / lengths.len();
    assert!((12_000..48_000).contains(&mean), "{mean}");
    // Neither all the same nor noise.
    for folder in ["usr/lib/filler", "usr/share/filler"] {
        let bytes: Vec<u8> = regular
            .iter()
            .filter(|(path, _)| path.starts_with(folder))
            .flat_map(|(_, bytes)| bytes.iter().copied())
            .collect();
        let percent = packed_percent(&bytes);
        assert!((2..90).contains(&percent), "{folder}: {percent}");
    }
    assert_eq!(files[Utf8Path::new("bin/sh")], program());
}

#[test]
fn a_hadoop_gets_what_the_recipe_leaves_out() {
    let jar = "import sys, zipfile\n\
         with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as jar:\n    \
             for name in 'fs/FileSystem', 'fs/Path', 'ipc/Server':\n        \
                 jar.writestr(zipfile.ZipInfo(f'org/apache/hadoop/{name}.class'), 'x' * 9999)\n";
    let files = filled_twice("hadoop", "0.005", |tree| {
        let common = tree.join("share/hadoop/common");
        fs::create_dir_all(&common).unwrap();
        let made = Command::new("python3")
            .args(["-c", jar, common.join("hadoop-common.jar").as_str()])
            .status()
            .unwrap();
        assert!(made.success());
    });
    let count = |folder: &str| files.keys().filter(|path| path.starts_with(folder)).count();
    assert_eq!(count("share/doc"), 85);
    for folder in [
        "client",
        "tools/lib",
        "yarn/timelineservice/lib",
        "hdfs/sources",
    ] {
        assert!(count(&format!("share/hadoop/{folder}")) > 0, "{folder}");
    }
}

#[test]
fn a_tree_that_is_neither_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let tree = Utf8Path::from_path(folder.path()).unwrap();
    for (kind, words) in [
        ("base", "no programs or no texts"),
        ("hadoop", "no jars of Hadoop"),
    ] {
        let output = fill(kind, tree, "1");
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains(words));
        assert!(below(tree).is_empty());
    }
}
