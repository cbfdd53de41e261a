use globset::GlobBuilder;
use rstest::rstest;

use super::*;

#[test]
fn the_embedded_recipes_are_whole() {
    let recipes = Recipes::embedded().unwrap_or_else(|bad| panic!("{bad}"));
    let names: Vec<&str> = recipes.iter().map(Recipe::name).collect();
    assert_eq!(
        names,
        [
            "debian-13-pi",
            "hadoop-3.4.3",
            "hadoop-3.5.0",
            "raspios-bookworm-lite-arm64",
            "raspios-trixie-lite-arm64",
            "raspios-trixie-lite-arm64-latest",
            "temurin-11",
            "temurin-17"
        ]
    );
    for recipe in recipes.iter() {
        for source in recipe.sources() {
            let pinned = source.sha256.is_some() || source.sha512.is_some();
            if let Some(list) = &source.list {
                // Whatever the list says, within one release of Debian.
                assert!(list.file.contains("-trixie-"), "{list:?}");
                assert!(!pinned && source.urls.is_empty(), "{list:?}");
                continue;
            }
            assert!(
                pinned,
                "{} for {} has no digest",
                recipe.name(),
                source.arch
            );
            for url in &source.urls {
                let version = source.version.as_deref().unwrap_or(recipe.version());
                let in_url = version.replace('+', "%2B");
                assert!(url.contains(&in_url), "{url} is not for {in_url}");
                let other = if source.arch == Arch::Arm64 {
                    "_x64_"
                } else {
                    "aarch64"
                };
                assert!(!url.contains(other), "{url} is not for {}", source.arch);
            }
        }
    }
    let java = recipes
        .component("temurin-17", &ComponentKind::Java)
        .unwrap();
    assert_eq!(java.java_major(), Some(17));
    let hadoop = recipes
        .component("hadoop-3.5.0", &ComponentKind::Hadoop)
        .unwrap();
    let needs = hadoop.java.as_ref().unwrap();
    assert!(needs.supports(17) && !needs.contains(11) && needs.contains(21) && !needs.supports(21));
    let units = |role| {
        hadoop
            .services_of(role)
            .map(|s| s.unit.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        units("worker"),
        ["hdfs-datanode.service", "yarn-nodemanager.service"]
    );
    assert_eq!(units("master").len(), 4);
    assert!(recipes.base("debian-13-pi").unwrap().supply.is_some());
}

/// Names of Hadoop's own archive: which of them stay.
#[rstest]
#[case("bin/hdfs", true)]
#[case("bin/hdfs.cmd", false)]
#[case("share/doc/hadoop/index.html", false)]
#[case("share/hadoop/hdfs/webapps/hdfs/dfshealth.html", true)]
#[case("share/hadoop/hdfs/hadoop-hdfs-3.5.0.jar", true)]
#[case("share/hadoop/hdfs/hadoop-hdfs-3.5.0-tests.jar", false)]
#[case(
    "share/hadoop/common/sources/hadoop-common-3.5.0-test-sources.jar",
    false
)]
#[case("share/hadoop/common/lib/jersey-server-2.46.jar", true)]
#[case(
    "share/hadoop/mapreduce/hadoop-mapreduce-client-jobclient-3.5.0-tests.jar",
    true
)]
#[case(
    "share/hadoop/yarn/timelineservice/hadoop-yarn-server-timelineservice-3.5.0.jar",
    true
)]
#[case(
    "share/hadoop/yarn/timelineservice/hadoop-yarn-server-timelineservice-hbase-client-3.5.0.jar",
    false
)]
#[case("share/hadoop/yarn/timelineservice/lib/commons-lang-2.6.jar", false)]
#[case("share/hadoop/yarn/webapps/ui2/index.html", false)]
#[case("share/hadoop/tools/lib/hadoop-streaming-3.5.0.jar", true)]
#[case("share/hadoop/tools/lib/hadoop-distcp-3.5.0.jar", true)]
#[case("share/hadoop/tools/lib/hadoop-archives-3.5.0.jar", true)]
#[case("share/hadoop/tools/lib/hadoop-aws-3.5.0.jar", false)]
#[case("share/hadoop/tools/lib/hadoop-azure-3.5.0.jar", false)]
#[case("share/hadoop/tools/lib/hadoop-datajoin-3.5.0.jar", false)]
#[case("share/hadoop/tools/lib/hadoop-sls-3.5.0.jar", false)]
#[case("share/hadoop/tools/lib/hadoop-gcp-3.5.0.jar", false)]
#[case("share/hadoop/tools/lib/bundle-2.29.52.jar", false)]
#[case("share/hadoop/tools/lib/hamcrest-core-1.3.jar", false)]
#[case("share/hadoop/tools/lib/htrace-core.jar", false)]
#[case("lib/native/libhadoop.so.1.0.0", true)]
#[case("lib/native/libhadoop.a", false)]
#[case("licenses-binary/LICENSE-re2j.txt", true)]
fn hadoop_keeps_what_daemons_need(
    #[case] member: &str,
    #[case] stays: bool,
    #[values("hadoop-3.5.0", "hadoop-3.4.3")] name: &str,
) {
    let recipes = Recipes::embedded().unwrap();
    let hadoop = recipes.component(name, &ComponentKind::Hadoop).unwrap();
    // A pattern that matches a directory drops what is below it.
    let dropped = hadoop.unpack.drop.iter().any(|glob| {
        let matcher = GlobBuilder::new(glob)
            .literal_separator(true)
            .build()
            .unwrap()
            .compile_matcher();
        camino::Utf8Path::new(member)
            .ancestors()
            .any(|path| matcher.is_match(path.as_str()))
    });
    assert_eq!(!dropped, stays, "{member}");
}
