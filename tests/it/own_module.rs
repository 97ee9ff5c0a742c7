//! A user's module outside the tree (`tests/own_module`), broken in ten ways: what its author reads.

#![expect(clippy::disallowed_methods, clippy::expect_used, reason = "a test")]

use std::path::Path;

use crate::sandbox::Sandbox;

const HOST: &str = "hosts/node1.toml";
const MODULE: &str = "mine/archive/module.toml";

/// The example with the module in a folder of its own.
fn project() -> Sandbox {
    let project = Sandbox::example();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/own_module/archive");
    for entry in std::fs::read_dir(folder).expect("the module is there").flatten() {
        let name = entry.file_name().into_string().expect("a plain name");
        let text = std::fs::read_to_string(entry.path()).expect("a text");
        project.write(&format!("mine/archive/{name}"), &text);
    }
    let modules = "module_paths = [\"../mine\"]\nmodules = [\"comet\", \"archive\"]";
    project.edit(HOST, "modules = [\"comet\"]", modules);
    project
}

/// What `check` says, which looks at all that it can without a lock.
fn checked(project: &Sandbox) -> String {
    project.shown(&["check", HOST])
}

/// What is said when one text of a file is another.
fn broken(path: &str, old: &str, new: &str) -> String {
    let project = project();
    project.edit(path, old, new);
    project.refused()
}

#[test]
fn nobody_locked_it() {
    insta::assert_snapshot!(project().refused(), @r#"
    error: venv `archive` has no lock
      --> mine/archive/module.toml:48:16
       |
    48 | requirements = ["defusedxml==0.7.1"]
       |                ^^^^^^^^^^^^^^^^^^^^^ its requirements
       |
       = help: run `voevent-build lock hosts/node1.toml`
    "#);
}

#[test]
fn a_field_of_the_table_is_misspelt() {
    let project = project();
    project.append(HOST, "[archive.tidy]\nkep = \"30d\"\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `archive.tidy` has no field `kep`
      --> hosts/node1.toml:27:1
       |
    27 | kep = "30d"
       | ^^^
       |
       = help: did you mean `keep`?
    "#);
}

#[test]
fn a_value_is_of_another_type() {
    let project = project();
    project.append(HOST, "[archive]\nroles = [\"observation\", \"prediktion\"]\ntidy = { keep = 30 }\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `archive.roles`: `prediktion` does not match the pattern of this option
      --> hosts/node1.toml:27:25
       |
    27 | roles = ["observation", "prediktion"]
       |                         ^^^^^^^^^^^^
       |
      ::: mine/archive/module.toml:16:10
       |
    16 | [options.roles]
       |          ----- declared here
       |
       = help: the whole of it must match `observation|prediction|utility|test`

    error: `archive.tidy.keep`: expected a duration, as a string, found an integer
      --> hosts/node1.toml:28:17
       |
    28 | tidy = { keep = 30 }
       |                 ^^
       |
      ::: mine/archive/module.toml:25:22
       |
    25 | [options.tidy.fields.keep]
       |                      ---- declared here
       |
       = help: write it in quotes and with its unit, as `"30s"`
    "#);
}

#[test]
fn a_template_reads_what_is_not_there() {
    let said = broken("mine/archive/config.json.j2", "archive.tidy.keep", "archive.tidy.kept");
    insta::assert_snapshot!(said, @r#"
    error: `archive.tidy` has no field `kept`
     --> mine/archive/config.json.j2:7:22
      |
    7 |   "keep_seconds": {{ archive.tidy.kept | seconds }}
      |                      ^^^^^^^^^^^^^^^^^
      |
      = help: known are `at` and `keep`
    "#);
}

#[test]
fn a_module_is_read_that_is_not_named() {
    insta::assert_snapshot!(broken(MODULE, "requires = [\"users\", \"comet\"]", "requires = [\"comet\"]"), @r#"
    error: `archive` cannot set options of `users`: it does not name it
      --> mine/archive/module.toml:44:6
       |
    44 | [set.users.accounts."{{ archive.user }}"]
       |      ^^^^^
       |
       = help: known are `archive` and `comet`

    error: `archive` knows no `users`
      --> mine/archive/module.toml:55:13
       |
    55 | group = "{{ users.group }}"
       |             ^^^^^^^^^^^
       |
       = help: name `users` in `requires` or `uses` of `archive`

    error: `archive` knows no `users`
     --> mine/archive/archive.service.j2:9:10
      |
    9 | Group={{ users.group }}
      |          ^^^^^^^^^^^
      |
      = help: name `users` in `requires` or `uses` of `archive`

    error: `archive` knows no `users`
     --> mine/archive/archive-tidy.service.j2:7:10
      |
    7 | Group={{ users.group }}
      |          ^^^^^^^^^^^
      |
      = help: name `users` in `requires` or `uses` of `archive`
    "#);
}

#[test]
fn a_value_would_be_two_lines_of_a_unit() {
    let project = project();
    project.append(HOST, "[archive.tidy]\nat = \"daily\\nExecStart=/bin/sh\"\n");
    insta::assert_snapshot!(checked(&project), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: venv `archive` has no lock
      --> mine/archive/module.toml:48:16
       |
    48 | requirements = ["defusedxml==0.7.1"]
       |                ^^^^^^^^^^^^^^^^^^^^^ its requirements
       |
       = help: run `voevent-build lock hosts/node1.toml`

    error: the value has a line break or a control character
      --> mine/archive/archive-tidy.timer.j2:5:15
       |
     5 | OnCalendar={{ archive.tidy.at }}
       |               ^^^^^^^^^^^^^^^
       |
      ::: hosts/node1.toml:27:6
       |
    27 | at = "daily\nExecStart=/bin/sh"
       |      -------------------------- `archive.tidy.at` is set here
       |
       = help: it must be one line here
    1 host, 2 errors, 0 warnings
    "#);
}

#[test]
fn a_time_that_systemd_does_not_know() {
    let project = project();
    project.append(HOST, "[archive.tidy]\nat = \"every night\"\n");
    insta::assert_snapshot!(checked(&project), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: venv `archive` has no lock
      --> mine/archive/module.toml:48:16
       |
    48 | requirements = ["defusedxml==0.7.1"]
       |                ^^^^^^^^^^^^^^^^^^^^^ its requirements
       |
       = help: run `voevent-build lock hosts/node1.toml`

    error: `OnCalendar=` does not take `every night`
      --> mine/archive/archive-tidy.timer.j2:5:15
       |
     5 | OnCalendar={{ archive.tidy.at }}
       |               ^^^^^^^^^^^^^^^
       |
      ::: hosts/node1.toml:27:6
       |
    27 | at = "every night"
       |      ------------- `archive.tidy.at` is set here
       |
       = help: write it like `daily`, `Mon..Fri 03:00` or `*-*-01 03:00:00`: `systemd-analyze calendar` shows what one means
    1 host, 2 errors, 0 warnings
    "#);
}

#[test]
fn a_key_that_systemd_does_not_know() {
    let project = project();
    project.edit("mine/archive/archive.service.j2", "RuntimeDirectory=", "RuntimeDirectry=");
    insta::assert_snapshot!(checked(&project), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: venv `archive` has no lock
      --> mine/archive/module.toml:48:16
       |
    48 | requirements = ["defusedxml==0.7.1"]
       |                ^^^^^^^^^^^^^^^^^^^^^ its requirements
       |
       = help: run `voevent-build lock hosts/node1.toml`

    error: systemd knows no `RuntimeDirectry=` in `[Service]`
      --> mine/archive/archive.service.j2:10:1
       |
    10 | RuntimeDirectry=voevent-archive
       | ^^^^^^^^^^^^^^^
       |
       = help: did you mean `RuntimeDirectory=`?
    1 host, 2 errors, 0 warnings
    "#);
}

#[test]
fn an_assertion_does_not_hold() {
    let said = broken(HOST, "[comet.broadcast]\nenable = true", "[comet.broadcast]\nenable = false");
    insta::assert_snapshot!(said, @r#"
    error: archive subscribes to the broker of its host: set `comet.broadcast.enable = true`
      --> hosts/node1.toml:24:10
       |
    24 | enable = false
       |          ^^^^^
       |
      ::: mine/archive/module.toml:36:8
       |
    36 | that = "comet.broadcast.enable"
       |        ------------------------ this must hold
       |
       = help: module `archive` demands it
    "#);
}

#[test]
fn a_reference_leads_nowhere() {
    let said = broken("mine/archive/archive.service.j2", "file(\"archive.py\")", "file(\"archiv.py\")");
    insta::assert_snapshot!(said, @r#"
    error: module `archive` has no file `archiv.py`
      --> mine/archive/archive.service.j2:11:47
       |
    11 | ExecStart={{ venv("archive") }}/bin/python {{ file("archiv.py") }} {{ fi...
       |                                               ^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `archive.py`?
    "#);
}
