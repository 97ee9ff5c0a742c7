//! A user's module outside the tree (`tests/own_module`), broken in ten ways: what its author reads.

#![expect(clippy::disallowed_methods, clippy::expect_used, reason = "a test")]

use std::path::Path;

use crate::sandbox::Sandbox;

const HOST: &str = "hosts/node1.toml";
const MODULE: &str = "mine/cabinet/module.toml";

/// The example with the module in a folder of its own.
fn project() -> Sandbox {
    let project = Sandbox::example();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/own_module/cabinet");
    for entry in std::fs::read_dir(folder).expect("the module is there").flatten() {
        let name = entry.file_name().into_string().expect("a plain name");
        let text = std::fs::read_to_string(entry.path()).expect("a text");
        project.write(&format!("mine/cabinet/{name}"), &text);
    }
    let modules = "module_paths = [\"../mine\"]\nmodules = [\"comet\", \"cabinet\"]";
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
    error: venv `cabinet` has no lock
      --> mine/cabinet/module.toml:48:16
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
    project.append(HOST, "[cabinet.tidy]\nkep = \"30d\"\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `cabinet.tidy` has no field `kep`
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
    project.append(HOST, "[cabinet]\nroles = [\"observation\", \"prediktion\"]\ntidy = { keep = 30 }\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `cabinet.roles`: `prediktion` does not match the pattern of this option
      --> hosts/node1.toml:27:25
       |
    27 | roles = ["observation", "prediktion"]
       |                         ^^^^^^^^^^^^
       |
      ::: mine/cabinet/module.toml:16:10
       |
    16 | [options.roles]
       |          ----- declared here
       |
       = help: the whole of it must match `observation|prediction|utility|test`

    error: `cabinet.tidy.keep`: expected a duration, as a string, found an integer
      --> hosts/node1.toml:28:17
       |
    28 | tidy = { keep = 30 }
       |                 ^^
       |
      ::: mine/cabinet/module.toml:25:22
       |
    25 | [options.tidy.fields.keep]
       |                      ---- declared here
       |
       = help: write it in quotes and with its unit, as `"30s"`
    "#);
}

#[test]
fn a_template_reads_what_is_not_there() {
    let said = broken("mine/cabinet/config.json.j2", "cabinet.tidy.keep", "cabinet.tidy.kept");
    insta::assert_snapshot!(said, @r#"
    error: `cabinet.tidy` has no field `kept`
     --> mine/cabinet/config.json.j2:7:22
      |
    7 |   "keep_seconds": {{ cabinet.tidy.kept | seconds }}
      |                      ^^^^^^^^^^^^^^^^^
      |
      = help: known are `at` and `keep`
    "#);
}

#[test]
fn a_module_is_read_that_is_not_named() {
    insta::assert_snapshot!(broken(MODULE, "requires = [\"users\", \"comet\"]", "requires = [\"comet\"]"), @r#"
    error: `cabinet` cannot set options of `users`: it does not name it
      --> mine/cabinet/module.toml:44:6
       |
    44 | [set.users.accounts."{{ cabinet.user }}"]
       |      ^^^^^
       |
       = help: known are `cabinet` and `comet`

    error: `cabinet` knows no `users`
      --> mine/cabinet/module.toml:55:13
       |
    55 | group = "{{ users.group }}"
       |             ^^^^^^^^^^^
       |
       = help: name `users` in `requires` or `uses` of `cabinet`

    error: `cabinet` knows no `users`
     --> mine/cabinet/cabinet.service.j2:9:10
      |
    9 | Group={{ users.group }}
      |          ^^^^^^^^^^^
      |
      = help: name `users` in `requires` or `uses` of `cabinet`

    error: `cabinet` knows no `users`
     --> mine/cabinet/cabinet-tidy.service.j2:7:10
      |
    7 | Group={{ users.group }}
      |          ^^^^^^^^^^^
      |
      = help: name `users` in `requires` or `uses` of `cabinet`
    "#);
}

#[test]
fn a_value_would_be_two_lines_of_a_unit() {
    let project = project();
    project.append(HOST, "[cabinet.tidy]\nat = \"daily\\nExecStart=/bin/sh\"\n");
    insta::assert_snapshot!(checked(&project), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: venv `cabinet` has no lock
      --> mine/cabinet/module.toml:48:16
       |
    48 | requirements = ["defusedxml==0.7.1"]
       |                ^^^^^^^^^^^^^^^^^^^^^ its requirements
       |
       = help: run `voevent-build lock hosts/node1.toml`

    error: the value has a line break or a control character
      --> mine/cabinet/cabinet-tidy.timer.j2:5:15
       |
     5 | OnCalendar={{ cabinet.tidy.at }}
       |               ^^^^^^^^^^^^^^^
       |
      ::: hosts/node1.toml:27:6
       |
    27 | at = "daily\nExecStart=/bin/sh"
       |      -------------------------- `cabinet.tidy.at` is set here
       |
       = help: it must be one line here
    1 host, 2 errors, 0 warnings
    "#);
}

#[test]
fn a_time_that_systemd_does_not_know() {
    let project = project();
    project.append(HOST, "[cabinet.tidy]\nat = \"every night\"\n");
    insta::assert_snapshot!(checked(&project), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: venv `cabinet` has no lock
      --> mine/cabinet/module.toml:48:16
       |
    48 | requirements = ["defusedxml==0.7.1"]
       |                ^^^^^^^^^^^^^^^^^^^^^ its requirements
       |
       = help: run `voevent-build lock hosts/node1.toml`

    error: `OnCalendar=` does not take `every night`
      --> mine/cabinet/cabinet-tidy.timer.j2:5:15
       |
     5 | OnCalendar={{ cabinet.tidy.at }}
       |               ^^^^^^^^^^^^^^^
       |
      ::: hosts/node1.toml:27:6
       |
    27 | at = "every night"
       |      ------------- `cabinet.tidy.at` is set here
       |
       = help: write it like `daily`, `Mon..Fri 03:00` or `*-*-01 03:00:00`: `systemd-analyze calendar` shows what one means
    1 host, 2 errors, 0 warnings
    "#);
}

#[test]
fn a_key_that_systemd_does_not_know() {
    let project = project();
    project.edit("mine/cabinet/cabinet.service.j2", "RuntimeDirectory=", "RuntimeDirectry=");
    insta::assert_snapshot!(checked(&project), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: venv `cabinet` has no lock
      --> mine/cabinet/module.toml:48:16
       |
    48 | requirements = ["defusedxml==0.7.1"]
       |                ^^^^^^^^^^^^^^^^^^^^^ its requirements
       |
       = help: run `voevent-build lock hosts/node1.toml`

    error: systemd knows no `RuntimeDirectry=` in `[Service]`
      --> mine/cabinet/cabinet.service.j2:10:1
       |
    10 | RuntimeDirectry=voevent-cabinet
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
    error: cabinet subscribes to the broker of its host: set `comet.broadcast.enable = true`
      --> hosts/node1.toml:24:10
       |
    24 | enable = false
       |          ^^^^^
       |
      ::: mine/cabinet/module.toml:36:8
       |
    36 | that = "comet.broadcast.enable"
       |        ------------------------ this must hold
       |
       = help: module `cabinet` demands it
    "#);
}

#[test]
fn a_reference_leads_nowhere() {
    let said = broken("mine/cabinet/cabinet.service.j2", "file(\"cabinet.py\")", "file(\"cabine.py\")");
    insta::assert_snapshot!(said, @r#"
    error: module `cabinet` has no file `cabine.py`
      --> mine/cabinet/cabinet.service.j2:11:47
       |
    11 | ExecStart={{ venv("cabinet") }}/bin/python {{ file("cabine.py") }} {{ fi...
       |                                               ^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `cabinet.py`?
    "#);
}
