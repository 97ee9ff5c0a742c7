//! Hosts whose bundle could not be linked.

use crate::sandbox::Sandbox;

#[test]
fn a_link_that_cannot_be_made() {
    let project = Sandbox::module(&[("module.toml", "")]);
    project.write("hosts/store.toml", &project.read("hosts/node1.toml"));
    insta::assert_snapshot!(project.shown(&["hosts/store.toml"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: no host can be called `store`: its link would be the store
     |
     = help: give the host file another name
    ");
    project.write("generated/node1", "mine");
    insta::assert_snapshot!(project.refused(), @"
    error: `generated/node1` is in the way: it is no link to a bundle
     |
     = help: move it away, or build with `--out`
    ");
    assert_eq!(project.read("generated/node1"), "mine");
}

#[test]
fn keys_of_the_host_that_stand_before_its_table() {
    let project = Sandbox::module(&[("module.toml", "")]);
    project
        .write("hosts/node1.toml", "modules = [\"m\"]\narch = \"x86_64\"\n[host]\nsystem = \"debian-12\"\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `modules` stands outside of `[host]`
     --> hosts/node1.toml:1:1
      |
    1 | modules = ["m"]
      | ^^^^^^^
      |
      = help: write it below a line `[host]`, and before the next table

    error: `arch` stands outside of `[host]`
     --> hosts/node1.toml:2:1
      |
    2 | arch = "x86_64"
      | ^^^^
      |
      = help: write it below a line `[host]`, and before the next table
    "#);
}
