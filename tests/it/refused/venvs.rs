//! Environments without a lock, or with another; wheels that are missing or wrong.

#![expect(clippy::disallowed_methods, reason = "a test")]

use super::HOST;
use crate::sandbox::Sandbox;

const LOCK: &str = "hosts/locks/pylock.comet-a29b3a37.toml";

/// The example, where pip finds nothing anywhere; the wheels are the project's own.
fn offline() -> Sandbox {
    let project = Sandbox::example().with_own_wheels();
    project.write("links/empty", "");
    let links = project.path("links").display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let project = project.with("PIP_NO_INDEX", "1").with("PIP_FIND_LINKS", &links).with("PATH", &path);
    project.with("PIP_CONFIG_FILE", "/dev/null")
}

/// What was said, without the words of pip, which change from version to version.
fn without_pip(said: &str) -> String {
    said.split_inclusive('\n').filter(|line| !line.starts_with("         | ")).collect()
}

#[test]
fn no_lock() {
    let project = Sandbox::example();
    project.remove(LOCK);
    insta::assert_snapshot!(project.refused(), @r#"
    error: venv `comet` has no lock
       --> modules/comet/module.toml:394:16
        |
     11 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    394 | requirements = ["comet=={{ comet.version }}"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its requirements
        |
        = help: run `voevent-build lock hosts/node1.toml`
    "#);
}

#[test]
fn a_stale_lock() {
    let project = Sandbox::example();
    project.edit(HOST, "[comet]\n", "[comet]\nversion = \"3.0.1\"\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: the lock of venv `comet` is stale: requirement `comet==3.1.0` is now `comet==3.0.1`
       --> modules/comet/module.toml:394:16
        |
    394 | requirements = ["comet=={{ comet.version }}"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its requirements
        |
       ::: hosts/node1.toml:14:11
        |
     14 | version = "3.0.1"
        |           ------- `comet.version` is set here
        |
        = help: run `voevent-build lock hosts/node1.toml`
        = help: `hosts/locks/pylock.comet-a29b3a37.toml` is the lock of the inputs before
    "#);
    let project = Sandbox::example();
    project.edit(HOST, "\"3.11\"", "\"3.13\"");
    project.edit(HOST, "debian-12", "debian-13");
    insta::assert_snapshot!(project.refused(), @r#"
    error: the lock of venv `comet` is stale: python `3.11` is now `3.13`; glibc `2.36` is now `2.41`
       --> hosts/node1.toml:9:10
        |
      7 | system = "debian-13"                      # what the bundle is compiled...
        |          ----------- changed here
      8 | arch = "x86_64"
      9 | python = "3.13"
        |          ^^^^^^ changed here
        |
       ::: modules/comet/module.toml:11:11
        |
     11 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    394 | requirements = ["comet=={{ comet.version }}"]
        |                ------------------------------ its requirements
        |
        = help: run `voevent-build lock hosts/node1.toml`
        = help: `hosts/locks/pylock.comet-a29b3a37.toml` is the lock of the inputs before
    "#);
}

#[test]
fn a_damaged_lock() {
    let project = Sandbox::example();
    project.edit(LOCK, "size = ", "size = -");
    project.edit(LOCK, "idna", "./idna");
    insta::assert_snapshot!(project.refused(), @r#"
    error: the lock `hosts/locks/pylock.comet-a29b3a37.toml` is damaged
       --> hosts/locks/pylock.comet-a29b3a37.toml:13:1
        |
     13 | size = -67548
        | ^^^^^^^^^^^^^ `size` must be a number from 0 to 1073741824
    ...
     22 | size = -42842
        | ------------- `size` must be a number from 0 to 1073741824
    ...
     31 | size = -57670
        | ------------- `size` must be a number from 0 to 1073741824
    ...
     45 | size = -13547
        | ------------- `size` must be a number from 0 to 1073741824
    ...
     54 | size = -74638
        | ------------- `size` must be a number from 0 to 1073741824
    ...
     58 | name = "./idna"
        | --------------- `name` is no name of a package in normal form
    ...
     72 | size = -21109
        | ------------- `size` must be a number from 0 to 1073741824
    ...
     81 | size = -5211431
        | --------------- `size` must be a number from 0 to 1073741824
    ...
     90 | size = -129956
        | -------------- `size` must be a number from 0 to 1073741824
    ...
     99 | size = -3251703
        | --------------- `size` must be a number from 0 to 1073741824
        |
       ::: modules/comet/module.toml:11:11
        |
     11 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    394 | requirements = ["comet=={{ comet.version }}"]
        |                ------------------------------ its requirements
        |
        = help: take the file from version control again, or remove it and lock again
    "#);
}

#[test]
fn missing_wheels_and_nowhere_to_get_them() {
    let project = offline();
    for wheel in ["idna-3.20-py3-none-any.whl", "hyperlink-21.0.0-py2.py3-none-any.whl"] {
        project.remove(&format!("hosts/locks/wheels/{wheel}"));
    }
    insta::assert_snapshot!(without_pip(&project.refused()), @r#"
    fetching hyperlink-21.0.0-py2.py3-none-any.whl
    fetching idna-3.20-py3-none-any.whl
    error: pip could not get `hyperlink-21.0.0-py2.py3-none-any.whl`, `idna-3.20-py3-none-any.whl`: `pip download` failed (exit status: 1)
       --> modules/comet/module.toml:394:16
        |
     11 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    394 | requirements = ["comet=={{ comet.version }}"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its requirements
        |
        = help: see that pip reaches an index or a folder that has this very file (`pip config list`), or copy the file into the folder of wheels beside the lock
    "#);
}

#[test]
fn wheels_with_other_bytes() {
    let project = offline();
    project.write("hosts/locks/wheels/idna-3.20-py3-none-any.whl", "short");
    project.write("hosts/locks/wheels/attrs-26.1.0-py3-none-any.whl", "");
    insta::assert_snapshot!(without_pip(&project.refused()), @r#"
    in `[DIR]/hosts/locks/wheels`: `attrs-26.1.0-py3-none-any.whl` is not the file of the lock: expected 67548 bytes, found 0 bytes
    in `[DIR]/hosts/locks/wheels`: `idna-3.20-py3-none-any.whl` is not the file of the lock: expected 69583 bytes, found 5 bytes
    fetching attrs-26.1.0-py3-none-any.whl
    fetching idna-3.20-py3-none-any.whl
    error: pip could not get `attrs-26.1.0-py3-none-any.whl`, `idna-3.20-py3-none-any.whl`: `pip download` failed (exit status: 1)
       --> modules/comet/module.toml:394:16
        |
     11 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    394 | requirements = ["comet=={{ comet.version }}"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its requirements
        |
        = help: see that pip reaches an index or a folder that has this very file (`pip config list`), or copy the file into the folder of wheels beside the lock
    "#);
}

#[test]
fn a_venv_of_two_modules() {
    let project = Sandbox::example();
    let venv = "[[venv]]\nname = \"comet\"\nrequirements = [\"comet==3.1.0\"]\nimports = [\"comet\"]\n";
    project.append("modules/users/module.toml", venv);
    insta::assert_snapshot!(project.refused(), @r#"
    error: two venvs `comet`, of modules `users` and `comet`
       --> modules/comet/module.toml:394:16
        |
    394 | requirements = ["comet=={{ comet.version }}"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the second
        |
       ::: modules/users/module.toml:121:16
        |
    121 | requirements = ["comet==3.1.0"]
        |                ---------------- the first
        |
        = help: give one of them another `name`
    "#);
}
