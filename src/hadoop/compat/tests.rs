use super::*;

const BASE: Arch = Arch::Aarch64;

fn java(major: u32) -> JavaFacts {
    JavaFacts {
        version: format!("{major}.0.1"),
        major,
        arch: BASE,
        libc: Libc::Gnu,
        image_type: Some(ImageType::Jre),
        modules: (major > 8).then(|| NEEDED_MODULES.map(str::to_owned).into()),
        has_server_vm: true,
        interpreter: Some("/lib/ld-linux-aarch64.so.1".to_owned()),
        needs_glibc: Some(GlibcVersion::new(2, 17)),
    }
}

fn hadoop(version: &str) -> HadoopFacts {
    let version: HadoopVersion = version.parse().unwrap();
    HadoopFacts {
        version,
        class_major: if version >= HadoopVersion::new(3, 5, 0) {
            61
        } else {
            52
        },
        has_webapps: true,
        native_arch: BTreeSet::from([BASE]),
        native_needs_glibc: Some(GlibcVersion::new(2, 27)),
        defaults: Defaults::default(),
    }
}

fn base() -> BaseJvmFacts {
    BaseJvmFacts {
        arch: BASE,
        glibc: Some(GlibcVersion::new(2, 36)),
        loaders: BTreeSet::from(["/lib/ld-linux-aarch64.so.1".to_owned()]),
    }
}

/// How a pair of releases ends: "" is well, else the severity.
fn verdict(java_major: u32, version: &str) -> String {
    let problems = check(&java(java_major), &hadoop(version), &base());
    assert!(problems.len() <= 1, "{problems:?}");
    problems
        .first()
        .map(|problem| problem.severity().to_string())
        .unwrap_or_default()
}

#[test]
fn the_matrix_of_releases() {
    for (version, verdicts) in [
        //            8        11       17         21         25
        ("3.2.4", ["", "error", "error", "error", "error"]),
        ("3.3.6", ["", "", "warning", "warning", "error"]),
        ("3.4.1", ["", "", "warning", "warning", "error"]),
        ("3.4.2", ["", "", "warning", "warning", "error"]),
        ("3.4.3", ["", "", "warning", "warning", "warning"]),
        ("3.5.0", ["error", "error", "", "warning", "warning"]),
    ] {
        let found = [8, 11, 17, 21, 25].map(|major| verdict(major, version));
        assert_eq!(found, verdicts, "Hadoop {version}");
    }
}

/// The one problem after `change`, as text.
fn said(change: impl FnOnce(&mut JavaFacts, &mut HadoopFacts, &mut BaseJvmFacts)) -> String {
    let (mut java, mut hadoop, mut base) = (java(17), hadoop("3.5.0"), base());
    change(&mut java, &mut hadoop, &mut base);
    let problems = check(&java, &hadoop, &base);
    assert_eq!(problems.len(), 1, "{problems:?}");
    format!("{}: {}", problems[0].severity(), problems[0])
}

#[test]
fn each_misfit_names_the_error_it_saves_from() {
    let x86 = said(|java, _, _| java.arch = Arch::X86_64);
    assert!(
        x86.starts_with("error: ") && x86.contains("Exec format error"),
        "{x86}"
    );
    let arm = said(|java, _, _| java.arch = Arch::Arm);
    assert!(arm.contains("No such file or directory"), "{arm}");
    let musl = said(|java, _, _| java.libc = Libc::Musl);
    assert!(musl.contains("alpine"), "{musl}");
    let musl = said(|java, _, _| java.interpreter = Some("/lib/ld-musl-aarch64.so.1".to_owned()));
    assert!(musl.contains("alpine"), "{musl}");
    let loader = said(|_, _, base| base.loaders.clear());
    assert!(loader.contains("/lib/ld-linux-aarch64.so.1"), "{loader}");
    let glibc = said(|java, _, _| java.needs_glibc = Some(GlibcVersion::new(2, 38)));
    assert!(glibc.contains("version `GLIBC_2.38' not found"), "{glibc}");
    let login = said(|java, _, _| {
        java.modules.as_mut().unwrap().remove("jdk.security.auth");
    });
    assert!(login.contains("UnixLoginModule"), "{login}");
    let module = said(|java, _, _| {
        java.modules.as_mut().unwrap().remove("java.sql");
    });
    assert!(
        module.contains("java.sql") && module.contains("NoClassDefFoundError"),
        "{module}"
    );
    let webapps = said(|_, hadoop, _| hadoop.has_webapps = false);
    assert!(
        webapps.contains("webapps/hdfs not found in CLASSPATH"),
        "{webapps}"
    );
    let second = said(|_, hadoop, _| hadoop.version = HadoopVersion::new(2, 10, 2));
    assert!(second.contains("Hadoop 2.10.2"), "{second}");
}

#[test]
fn misfits_that_do_no_harm_are_warnings() {
    let native = said(|_, hadoop, _| hadoop.native_arch = BTreeSet::from([Arch::X86_64]));
    assert!(
        native.starts_with("warning: ") && native.contains("native-hadoop"),
        "{native}"
    );
    let glibc = said(|_, hadoop, _| hadoop.native_needs_glibc = Some(GlibcVersion::new(2, 39)));
    assert!(glibc.starts_with("warning: "), "{glibc}");
    let client = said(|java, _, _| java.has_server_vm = false);
    assert!(client.starts_with("warning: "), "{client}");
    let none = |hadoop: &mut HadoopFacts| hadoop.native_arch.clear();
    let mut lean = hadoop("3.5.0");
    none(&mut lean);
    assert_eq!(check(&java(17), &lean, &base()), []);
}

#[test]
fn messages_read_as_sentences() {
    insta::assert_snapshot!(
        check(&java(11), &hadoop("3.5.0"), &base())[0],
        @r#"Hadoop 3.5.0 is compiled for Java 17 but the runtime is Java 11: every command would stop with "UnsupportedClassVersionError … class file version 61.0"; set java to a Java 17 runtime (such as "temurin-17")"#
    );
    insta::assert_snapshot!(
        check(&java(17), &hadoop("3.4.1"), &base())[0],
        @r#"Hadoop 3.4.1 is not tested on Java 17 by its makers; it is on Java 8 and 11, so pidoop adds the --add-opens options without which the ResourceManager and NodeManager stop with "InaccessibleObjectException""#
    );
    insta::assert_snapshot!(
        check(&java(25), &hadoop("3.3.6"), &base())[0],
        @r#"Hadoop 3.3.6 does not run on Java 25: the daemons would stop with "UnsupportedOperationException: getSubject is not supported"; use Java 11, or Hadoop 3.4.3 or later"#
    );
}

#[test]
fn refusals_come_before_warnings() {
    let mut client = java(11);
    client.has_server_vm = false;
    let severities: Vec<Severity> = check(&client, &hadoop("3.5.0"), &base())
        .iter()
        .map(CompatProblem::severity)
        .collect();
    assert_eq!(severities, [Severity::Refusal, Severity::Warning]);
}

#[test]
fn large_heaps_need_64_bits() {
    let mut small = java(17);
    assert_eq!(check_heaps(&small, [("map task", 1638)]), []);
    small.arch = Arch::Arm;
    let problems = check_heaps(&small, [("map task", 1638), ("NameNode", 512)]);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0]
            .to_string()
            .contains("Could not reserve enough space for object heap")
    );
}
