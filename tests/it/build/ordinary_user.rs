//! Building takes no rights that everybody does not have.

use crate::support::world::{
    ClusterFile, Flavour, Image, Sandbox, assert_same_bytes, copy_sparsely, world,
};

/// Nobody, who owns nothing.
const NOBODY: u32 = 65534;

#[test]
fn an_ordinary_user_builds_the_same_images() {
    let mut sandbox = Sandbox::new();
    let inputs = [
        world().base(Flavour::Trixie),
        world().java(),
        world().hadoop(),
    ];
    let [base, java, hadoop] = inputs.map(|input| {
        let copy = sandbox.path(input.file_name().unwrap());
        copy_sparsely(&input, &copy);
        copy
    });
    let cluster = ClusterFile::new(world())
        .base(&base)
        .java(&java)
        .hadoop(&hadoop);
    sandbox.write_cluster(&cluster);
    sandbox.write_cluster_key();

    if rustix::process::geteuid().is_root() {
        sandbox.give_to(NOBODY);
        let id = NOBODY.to_string();
        let (uid, gid) = (format!("--reuid={id}"), format!("--regid={id}"));
        let nobody = [
            "setpriv",
            &uid,
            &gid,
            "--clear-groups",
            "--no-new-privs",
            "--inh-caps=-all",
        ];
        let command = sandbox.wrapped(&[&nobody[..], &["--"]].concat(), "build");
        sandbox.finish(command, "build").works();
    } else {
        sandbox.run("build").works();
    }

    for node in ["master", "worker1", "worker2"] {
        Image::open(&sandbox.image(node)).judge();
        assert_same_bytes(&sandbox.image(node), &world().usual_image(node));
    }
}
