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

#[test]
fn an_interpreter_that_the_system_does_not_have() {
    let project = Sandbox::module(&[("module.toml", "")]);
    project.edit("hosts/node1.toml", "3.11", "3.13");
    insta::assert_snapshot!(project.shown(&["check", "node1"]), @r#"
    exit 0
    ---- stdout
    ---- stderr
    warning: `debian-12` has python 3.11, and this is compiled for 3.13
     --> hosts/node1.toml:4:10
      |
    2 | system = "debian-12"
      |          ----------- its system
    3 | arch = "x86_64"
    4 | python = "3.13"
      |          ^^^^^^
      |
      = help: write `python = "3.11"`, unless another `python3` is put there
    1 host, 0 errors, 1 warning
    "#);
    project.edit("hosts/node1.toml", "debian-12", "debian-99");
    assert!(project.shown(&["check", "node1"]).contains("1 host, 0 errors, 0 warnings"));
}
