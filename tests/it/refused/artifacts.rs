//! What modules put on a host that does not fit together, or cannot be written.

use super::{COMET, HOST, module};
use crate::sandbox::Sandbox;

#[test]
fn a_ring_of_artifacts() {
    let entries = "[[script]]\nname = \"run\"\ntemplate = \"run.sh.j2\"\n\
                   [[script]]\nname = \"a\"\ntemplate = \"a.sh.j2\"\n\
                   [[script]]\nname = \"b\"\ntemplate = \"b.sh.j2\"\n\
                   [[script]]\nname = \"own\"\ntemplate = \"own.sh.j2\"\n";
    let project = module(
        entries,
        &[
            ("a.sh.j2", "{{ script(\"run\") }}\n{{ script(\"b\") }}\n"),
            ("b.sh.j2", "exec {{ script(\"a\") }}\n"),
            ("own.sh.j2", "exec {{ script(\"own\") }}\n"),
        ],
    );
    insta::assert_snapshot!(project.refused(), @r#"
    error: artifacts refer to each other in a ring: `a` → `b` → `a`
     --> modules/m/a.sh.j2:2:4
      |
    2 | {{ script("b") }}
      |    ^^^^^^^^^^^ `a` needs `b`
      |
     ::: modules/m/b.sh.j2:1:9
      |
    1 | exec {{ script("a") }}
      |         ----------- `b` needs `a`
      |
      = help: a path is known only when its file is whole: pass one of them the other as an argument

    error: artifacts refer to each other in a ring: `own` → `own`
     --> modules/m/own.sh.j2:1:9
      |
    1 | exec {{ script("own") }}
      |         ^^^^^^^^^^^^^ `own` needs `own`
      |
      = help: a path is known only when its file is whole: pass one of them the other as an argument
    "#);
}

#[test]
fn references_to_nothing() {
    let project = Sandbox::example();
    project.edit("modules/comet/comet.service.j2", "script(\"comet-run\")", "script(\"comet-rnu\")");
    project.edit("modules/comet/comet.service.j2", "time-sync.target", "{{ unit(\"time.service\") }}");
    insta::assert_snapshot!(project.refused(), @r#"
    error: module `comet` has no unit `time.service`
     --> modules/comet/comet.service.j2:5:32
      |
    5 | After=network-online.target {{ unit("time.service") }} nss-lookup.target
      |                                ^^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `comet.service`?

    error: module `comet` has no script `comet-rnu`
      --> modules/comet/comet.service.j2:17:14
       |
    17 | ExecStart={{ script("comet-rnu") }}
       |              ^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `comet-run`?
    "#);
}

#[test]
fn two_artifacts_for_one_path() {
    let project = Sandbox::example();
    let file = "[[file]]\npath = \"/etc/motd\"\nsource = \"motd\"\n";
    project.write("modules/comet/motd", "one\n");
    project.write("modules/users/motd", "two\n");
    project.append(COMET, file);
    project.append("modules/users/module.toml", file);
    insta::assert_snapshot!(project.refused(), @"
    error: two artifacts for `/etc/motd`
       --> modules/comet/module.toml:533:1
        |
    533 | [[file]]
        | ^^^^^^^^ the second
        |
       ::: modules/users/module.toml:119:1
        |
    119 | [[file]]
        | -------- the first
        |
        = help: a path has one owner: give one of them another path, or place it by one module
    ");
}

#[test]
fn two_artifacts_of_one_name() {
    let unit = "[[unit]]\nname = \"a.service\"\ntemplate = \"a.service.j2\"\n";
    let file = "[[file]]\nname = \"x\"\nsource = \"text\"\n";
    let script = "[[script]]\nname = \"run\"\ntemplate = \"run.sh.j2\"\n";
    let other = "[[script]]\nname = \"run\"\ntemplate = \"other.sh.j2\"\n";
    let entries =
        [unit, unit, file, "[[file]]\nname = \"x\"\nsource = \"run.sh.j2\"\n", script, other].concat();
    let more = [("a.service.j2", "[Service]\nExecStart=/bin/true\n"), ("other.sh.j2", "#!/bin/sh\nexit 1\n")];
    insta::assert_snapshot!(module(&entries, &more).refused(), @"
    error: the file `x` of `m` comes from two places that differ
      --> modules/m/module.toml:12:1
       |
     9 | [[file]]
       | -------- and this
    ...
    12 | [[file]]
       | ^^^^^^^^ this
       |
       = help: keep one of them

    error: the script `run` of `m` comes from two places that differ
      --> modules/m/module.toml:18:1
       |
    15 | [[script]]
       | ---------- and this
    ...
    18 | [[script]]
       | ^^^^^^^^^^ this
       |
       = help: give one of them another name
    ");
    let entries = [unit, &unit.replace("a.service.j2", "b.service.j2")].concat();
    let more = [("a.service.j2", "[Service]\nExecStart=/bin/true\n"), ("b.service.j2", "[Service]\n")];
    insta::assert_snapshot!(module(&entries, &more).refused(), @r"
    error: two artifacts for unit `a.service` of module `m`
     --> modules/m/module.toml:6:1
      |
    3 | [[unit]]
      | -------- the first
    ...
    6 | [[unit]]
      | ^^^^^^^^ the second
      |
      = help: to change a unit, write a drop-in: `NAME.service.d/x.conf`
    ");
}

#[test]
fn paths_that_are_not_allowed() {
    let file = |path: &str| format!("[[file]]\npath = \"{path}\"\nsource = \"text\"\n");
    let entries =
        ["/etc/passwd", "/usr/bin/comet", "/etc/../root/x", "etc/x", "/etc/systemd/system/x.service"];
    insta::assert_snapshot!(module(&entries.map(file).concat(), &[]).refused(), @r#"
    error: no file can be placed at `/etc/passwd`: the system keeps it itself
     --> modules/m/module.toml:4:8
      |
    4 | path = "/etc/passwd"
      |        ^^^^^^^^^^^^^
      |
      = help: choose another path

    error: no file can be placed at `/usr/bin/comet`: it is not below `/etc`
     --> modules/m/module.toml:7:8
      |
    7 | path = "/usr/bin/comet"
      |        ^^^^^^^^^^^^^^^^
      |
      = help: leave `path` out, and name the file by `file("x")` where it is read or run

    error: `/etc/../root/x` is no path: it has a `.` or `..` component
      --> modules/m/module.toml:10:8
       |
    10 | path = "/etc/../root/x"
       |        ^^^^^^^^^^^^^^^^
       |
       = help: write it like `/srv/data`

    error: `etc/x` is no path: it must be absolute
      --> modules/m/module.toml:13:8
       |
    13 | path = "etc/x"
       |        ^^^^^^^
       |
       = help: write it like `/srv/data`

    error: no file can be placed at `/etc/systemd/system/x.service`: units are not files
      --> modules/m/module.toml:16:8
       |
    16 | path = "/etc/systemd/system/x.service"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: write a `[[unit]]`
    "#);
    let outside = "[[script]]\nname = \"x\"\ntemplate = \"../x.sh.j2\"\n";
    insta::assert_snapshot!(module(outside, &[]).refused(), @r#"
    error: `../x.sh.j2` is no file of the module's folder
     --> modules/m/module.toml:5:12
      |
    5 | template = "../x.sh.j2"
      |            ^^^^^^^^^^^^
      |
      = help: write it relative to the folder, without `..`
    "#);
}

#[test]
fn a_path_that_comes_from_the_host() {
    let project = Sandbox::example();
    project.edit(HOST, "[comet]\n", "[comet]\nworking_dir = \"/var/lib\"\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: no folder can be made at `/var/lib`: it is the system's
       --> modules/comet/module.toml:405:8
        |
    405 | path = "{{ comet.working_dir }}"
        |        ^^^^^^^^^^^^^^^^^^^^^^^^^
        |
       ::: hosts/node1.toml:14:15
        |
     14 | working_dir = "/var/lib"
        |               ---------- `comet.working_dir` is set here
        |
        = help: choose a path below `/srv`, `/home`, `/var/lib` or `/etc`
    "#);
}

#[test]
fn a_level_of_folders_that_nobody_makes() {
    let project = Sandbox::example();
    project.edit(HOST, "[comet]\n", "[comet]\nworking_dir = \"/home/voeventserve/a/b\"\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: nobody makes `/home/voeventserve/a`, which lies between `/home/voeventserve` and `/home/voeventserve/a/b`
       --> modules/comet/module.toml:404:1
        |
    404 | [[directory]]
        | ^^^^^^^^^^^^^
        |
       ::: hosts/node1.toml:14:15
        |
     14 | working_dir = "/home/voeventserve/a/b"
        |               ------------------------ `comet.working_dir` is set here
        |
        = help: choose a path right below `/home/voeventserve`, or have a module make each level by `[[directory]]`
    "#);
}

#[test]
fn users_and_groups_of_nobody() {
    let folder =
        "[[directory]]\npath = \"/srv/x\"\nmode = \"0750\"\nowner = \"nobody-here\"\ngroup = \"nor-here\"\n";
    let user = "[[user]]\nname = \"x\"\ngroup = \"grp\"\nhome = \"/home/x\"\nshell = \"/bin/sh\"\n";
    insta::assert_snapshot!(module(&[folder, user].concat(), &[]).refused(), @r"
    error: user `nobody-here` is not one of this host
     --> modules/m/module.toml:3:1
      |
    3 | [[directory]]
      | ^^^^^^^^^^^^^ needed here
      |
      = help: have a module emit `[[user]]` with this name

    error: group `nor-here` is not one of this host
     --> modules/m/module.toml:3:1
      |
    3 | [[directory]]
      | ^^^^^^^^^^^^^ needed here
      |
      = help: have a module emit `[[group]]` with this name

    error: group `grp` is not one of this host
     --> modules/m/module.toml:8:1
      |
    8 | [[user]]
      | ^^^^^^^^ needed here
      |
      = help: have a module emit `[[group]]` with this name
    ");
}

#[test]
fn values_that_cannot_be_written() {
    let project = Sandbox::example();
    project.edit(
        "modules/comet/comet.service.j2",
        "Description=Comet VOEvent broker",
        "Description={{ comet.label }}",
    );
    project.append(COMET, "[options.label]\ntype = \"string\"\ndefault = \"x\"\ndescription = \"x\"\n");
    project.edit(HOST, "[comet]\n", "[comet]\nlabel = \"two\\nlines\"\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: the value has a line break or a control character
      --> modules/comet/comet.service.j2:2:16
       |
     2 | Description={{ comet.label }}{{ instance.suffix }}
       |                ^^^^^^^^^^^
       |
      ::: hosts/node1.toml:14:9
       |
    14 | label = "two\nlines"
       |         ------------ `comet.label` is set here
       |
       = help: it must be one line here
    "#);
}

#[test]
fn lines_that_are_no_unit() {
    let project = Sandbox::example();
    project.edit("modules/comet/comet.service.j2", "Type=exec\n", "Type exec\n");
    insta::assert_snapshot!(project.refused(), @"
    error: unit `comet.service`: this is neither `[Section]` nor `Key=`
     --> modules/comet/comet.service.j2:9:1
      |
    9 | Type exec
      | ^^^^^^^^^
      |
      = help: a line of a unit is `[Section]`, `Key=value` or a comment
    ");
}

#[test]
fn an_include_from_another_module() {
    let entries = "[[script]]\nname = \"x\"\ntemplate = \"x.sh.j2\"\n";
    let text = "{% include \"user:hardened.j2\" %}\n{% include \"host:a\" %}\n{% include \"../x\" %}\n";
    insta::assert_snapshot!(module(entries, &[("x.sh.j2", text)]).refused(), @r#"
    error: `m` does not require a module `user`
     --> modules/m/x.sh.j2:1:12
      |
    1 | {% include "user:hardened.j2" %}
      |            ^^^^^^^^^^^^^^^^^^
      |
      = help: name it in `requires` of `m`

    error: `m` does not require a module `host`
     --> modules/m/x.sh.j2:2:12
      |
    2 | {% include "host:a" %}
      |            ^^^^^^^^
      |
      = help: name it in `requires` of `m`

    error: `../x` is no file of a module's folder
     --> modules/m/x.sh.j2:3:12
      |
    3 | {% include "../x" %}
      |            ^^^^^^
      |
      = help: write it relative to the folder, without `..`; `module:file` is one of another module
    "#);
}
