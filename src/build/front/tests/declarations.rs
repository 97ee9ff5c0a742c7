//! Errors of modules, each as their author sees it.

use super::{errors, errors_of, module};

const ONE: (&str, &str) = ("a", "type = 'int'\ndefault = 1");

#[test]
fn a_missing_template() {
    let rest = "[[unit]]\nname = 'a.service'\ntemplate = 'a.service.j2'\n[[script]]\nname = 'x'\ntemplate = 'x.yml'\n";
    insta::assert_snapshot!(errors(
        "modules = ['m']\n",
        &[("modules/m/module.toml", &module(&[ONE], rest)), ("modules/m/b.service.j2", "")],
    ), @r#"
        error: there is no `modules/m/a.service.j2`
         --> modules/m/module.toml:9:12
          |
        9 | template = 'a.service.j2'
          |            ^^^^^^^^^^^^^^
          |
          = help: did you mean `modules/m/b.service.j2`?

        error: the grammar of `x.yml` is not known
          --> modules/m/module.toml:12:12
           |
        12 | template = 'x.yml'
           |            ^^^^^^^
           |
           = help: name it `x.sh.j2`, `x.service.j2`, `.json.j2`, `.toml.j2`, `.ini.j2`, `.xml.j2`, `.py.j2`, `.nft.j2` or `.txt.j2`, or add `grammar = "lines"` or another
        "#);
}

#[test]
fn a_ring_of_options() {
    let b = ("b", "type = 'int'\ndefault = 1");
    insta::assert_snapshot!(errors_of(&module(
        &[("a", "type = 'int'\ndefault = '{{ m.b + 1 }}'"), b],
        "[[set]]\nwhen = 'm.a > 1'\n[set.m]\nb = 2\n",
    )), @r"
        error: options depend on each other in a ring: `m.a` → `m.b` → `m.a`
          --> modules/m/module.toml:6:15
           |
         6 | default = '{{ m.b + 1 }}'
           |               ^^^ `m.a` needs `m.b`
        ...
        12 | when = 'm.a > 1'
           |         --- `m.b` needs `m.a`
           |
           = help: give one of them a default that reads none of the others
        ");
}

#[test]
fn paths_that_are_not_allowed() {
    let rest = "[[file]]
path = '{{ m.a }}'
source = 'x'
[[file]]
path = '/etc/systemd/system/x.service'
source = 'x'
[[file]]
path = '/opt/x'
source = 'x'
[[directory]]
path = '/var/lib'
mode = '0755'
owner = 'root'
group = 'root'
[[directory]]
path = '/srv/../etc'
mode = '0755'
owner = 'root'
group = 'root'
";
    let module = module(&[("a", "type = 'path'\ndefault = '/etc/shadow'")], rest);
    insta::assert_snapshot!(
        errors("modules = ['m']\n", &[("modules/m/module.toml", &module), ("modules/m/x", "")]),
        @r#"
        error: no file can be placed at `/etc/shadow`: the system keeps it itself
         --> modules/m/module.toml:8:8
          |
        8 | path = '{{ m.a }}'
          |        ^^^^^^^^^^^
          |
          = help: choose another path

        error: no file can be placed at `/etc/systemd/system/x.service`: units are not files
          --> modules/m/module.toml:11:8
           |
        11 | path = '/etc/systemd/system/x.service'
           |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           |
           = help: write a `[[unit]]`

        error: no file can be placed at `/opt/x`: it is not below `/etc`
          --> modules/m/module.toml:14:8
           |
        14 | path = '/opt/x'
           |        ^^^^^^^^
           |
           = help: leave `path` out, and name the file by `file("x")` where it is read or run

        error: no folder can be made at `/var/lib`: it is the system's
          --> modules/m/module.toml:17:8
           |
        17 | path = '/var/lib'
           |        ^^^^^^^^^^
           |
           = help: choose a path below `/srv`, `/home`, `/var/lib` or `/etc`

        error: `/srv/../etc` is no path: it has a `.` or `..` component
          --> modules/m/module.toml:22:8
           |
        22 | path = '/srv/../etc'
           |        ^^^^^^^^^^^^^
           |
           = help: write it like `/srv/data`
        "#
    );
}

#[test]
fn declarations_that_cannot_be() {
    insta::assert_snapshot!(errors_of(
        "[module]
description = 'x'
require = []
[options.a]
type = 'list of hostport'
[options.on]
type = 'int'
description = 'x'
[[unit]]
template = 'x.j2'
wantedby = []
",
    ), @r#"
    error: `[module]` has no key `require`
     --> modules/m/module.toml:3:1
      |
    3 | require = []
      | ^^^^^^^
      |
      = help: did you mean `requires`?

    error: an option needs `description`
     --> modules/m/module.toml:4:10
      |
    4 | [options.a]
      |          ^
      |
      = help: add a line `description = …`

    error: there is no type `hostport`
     --> modules/m/module.toml:5:17
      |
    5 | type = 'list of hostport'
      |                 ^^^^^^^^
      |
      = help: did you mean `host-port`?

    error: `on` is no name for an option: lower-case letters, digits and `_`, the first a letter, at most 63, and not `host`, `each`, `instance`, `on` or `set`
     --> modules/m/module.toml:6:10
      |
    6 | [options.on]
      |          ^^
      |
      = help: choose another name

    error: a `[[unit]]` needs `name`
     --> modules/m/module.toml:9:1
      |
    9 | [[unit]]
      | ^^^^^^^^
      |
      = help: add a line `name = …`

    error: the grammar of `x.j2` is not known
      --> modules/m/module.toml:10:12
       |
    10 | template = 'x.j2'
       |            ^^^^^^
       |
       = help: name it `x.sh.j2`, `x.service.j2`, `.json.j2`, `.toml.j2`, `.ini.j2`, `.xml.j2`, `.py.j2`, `.nft.j2` or `.txt.j2`, or add `grammar = "lines"` or another

    error: a `[[unit]]` has no key `wantedby`
      --> modules/m/module.toml:11:1
       |
    11 | wantedby = []
       | ^^^^^^^^
       |
       = help: did you mean `wanted_by`?
    "#);
}

#[test]
fn types_that_cannot_be() {
    insta::assert_snapshot!(errors_of(&module(
        &[
            ("b", "type = 'one of'\nof = ['x', 'y']\ndefault = 'z'"),
            ("c", "type = 'string'\npattern = '('"),
            ("d", "type = 'list of table'"),
            ("e", "type = 'int'\nmin = 3\nmax = 2\ndefault = 9"),
            ("f", "type = 'port'\nmin = 70000\noptional = true"),
            ("g", "type = 'float'\nmin = 1.5\nmax = 1.0\noptional = true"),
            ("h", "type = 'one of'\nof = []\noptional = true"),
        ],
        "",
    )), @"
    error: `z` is none of the values that this may have
     --> modules/m/module.toml:7:11
      |
    7 | default = 'z'
      |           ^^^
      |
      = help: known are `x` and `y`

    error: the pattern is no regular expression: unclosed group
      --> modules/m/module.toml:11:11
       |
    11 | pattern = '('
       |           ^^^
       |
       = help: it has the syntax of the Rust crate `regex`

    error: a table needs `fields`
      --> modules/m/module.toml:14:8
       |
    14 | type = 'list of table'
       |        ^^^^^^^^^^^^^^^
       |
       = help: add `[options.x.fields.y]` for each of its fields

    error: no value lies between these bounds
      --> modules/m/module.toml:18:7
       |
    18 | min = 3
       |       ^
    19 | max = 2
       |       -
       |
       = help: `min` is the least value, `max` the greatest

    error: no value lies between these bounds
      --> modules/m/module.toml:24:7
       |
    24 | min = 70000
       |       ^^^^^
       |
       = help: `min` is the least value, `max` the greatest

    error: no value lies between these bounds
      --> modules/m/module.toml:29:7
       |
    29 | min = 1.5
       |       ^^^
    30 | max = 1.0
       |       ---
       |
       = help: `min` is the least value, `max` the greatest

    error: there is nothing to choose from
      --> modules/m/module.toml:35:6
       |
    35 | of = []
       |      ^^
       |
       = help: list the texts that it may be
    ");
}

#[test]
fn units_have_no_install_section() {
    let rest = "[[unit]]\nname = 'a.service'\ntemplate = 'a.service.j2'\n";
    insta::assert_snapshot!(errors(
        "modules = ['m']\n",
        &[
            ("modules/m/module.toml", &module(&[ONE], rest)),
            ("modules/m/a.service.j2", "[Service]\n[Install]\nWantedBy=x.target\n"),
        ],
    ), @r#"
        error: units have no `[Install]`
         --> modules/m/a.service.j2:2:1
          |
        2 | [Install]
          | ^^^^^^^^^
          |
          = help: say `wanted_by = ["voevent.target"]` in the `[[unit]]`
        "#);
}

#[test]
fn what_a_host_sets_is_shown_where_an_artifact_cannot_have_it() {
    let rest =
        "[[user]]\nfor_each = 'm.a'\nname = '{{ each.key }}'\ngroup = 'x'\nhome = '/x'\nshell = '/x'\n";
    let module = module(&[("a", "type = 'map of int'\ndefault = {}")], rest);
    insta::assert_snapshot!(
        errors("modules = ['m']\n[m.a]\n\"A b\" = 1\n", &[("modules/m/module.toml", &module)]),
        @r"
        error: `A b` is no name of a user or group: lower-case letters, digits, `_` and `-`, the first a letter or `_`, at most 31
         --> modules/m/module.toml:9:8
          |
        9 | name = '{{ each.key }}'
          |        ^^^^^^^^^^^^^^^^
          |
         ::: hosts/h.toml:6:1
          |
        6 | [m.a]
          | ----- `m.a` is set here
          |
          = help: write it like `voeventserve`
        "
    );
}

#[test]
fn artifacts_that_contradict_each_other() {
    let rest = "[[directory]]
path = '/srv/a'
mode = '0750'
owner = 'x'
group = 'x'
[[directory]]
path = '/srv/a'
mode = '0755'
owner = 'x'
group = 'x'
[[directory]]
path = '/srv/a/b/c'
mode = '0755'
owner = 'x'
group = 'x'
[[package]]
name = 'python3'
[[package]]
name = 'python3'
[[check]]
name = 'x'
kind = 'unit'
";
    insta::assert_snapshot!(errors_of(&module(&[ONE], rest)), @"
    error: there is no kind of check `unit`
      --> modules/m/module.toml:28:8
       |
    28 | kind = 'unit'
       |        ^^^^^^
       |
       = help: known are `unit-active`, `vtp`, `vtp-nak`, `tcp`, `http`, `file-newer` and `command`
    ");
    let rest = rest.replace("kind = 'unit'", "kind = 'unit-active'\nunit = 'x.service'");
    insta::assert_snapshot!(errors_of(&module(&[ONE], &rest)), @r"
        error: the folder `/srv/a` comes from two places that differ
          --> modules/m/module.toml:12:1
           |
         7 | [[directory]]
           | ------------- and this
        ...
        12 | [[directory]]
           | ^^^^^^^^^^^^^ this
           |
           = help: keep one of them

        error: nobody makes `/srv/a/b`, which lies between `/srv/a` and `/srv/a/b/c`
          --> modules/m/module.toml:17:1
           |
        17 | [[directory]]
           | ^^^^^^^^^^^^^
           |
           = help: choose a path right below `/srv/a`, or have a module make each level by `[[directory]]`

        error: check `x` is about `x.service`, and no module has this unit
          --> modules/m/module.toml:26:1
           |
        26 | [[check]]
           | ^^^^^^^^^
           |
           = help: there is only `voevent.target`
        ");
}
