//! Builds that are refused: exit code 1, nothing written, every error with its place and what to do.

use crate::sandbox::Sandbox;

const HOST: &str = "hosts/node1.toml";
const COMET: &str = "modules/comet/module.toml";
const LOCK: &str = "hosts/locks/pylock.comet-a29b3a37.toml";

/// A project whose module `m` has these entries, and a script `run` to refer to.
fn module(entries: &str, more: &[(&str, &str)]) -> Sandbox {
    let mut files = vec![("module.toml", entries), ("text", "text\n"), ("run.sh.j2", "#!/bin/sh\n")];
    files.extend(more);
    Sandbox::module(&files)
}

#[test]
fn no_host_file() {
    let project = Sandbox::example();
    insta::assert_snapshot!(project.shown(&["hosts/node2.toml"]), @r"
    exit 1
    ---- stdout
    ---- stderr
    error: there is no `hosts/node2.toml`
     |
     = help: did you mean `hosts/node1.toml`?
    ");
    insta::assert_snapshot!(project.shown(&["hosts"]), @r"
    exit 1
    ---- stdout
    ---- stderr
    error: `hosts` is no regular file
    ");
    insta::assert_snapshot!(project.shown(&["hosts/Node 1.toml"]), @r"
    exit 1
    ---- stdout
    ---- stderr
    error: `Node 1` is no host name: lower-case letters, digits and `-`, at most 63, the first no `-`
     |
     = help: the name of a host is that of its file, without `.toml`
    ");
    assert_eq!(project.written(), Vec::<String>::new());
}

#[test]
fn unknown_keys_modules_and_options() {
    let project = Sandbox::example();
    project.edit(HOST, "address =", "adress =");
    project.edit(HOST, "modules = [\"comet\"]", "modules = [\"comet\", \"tme\"]");
    project.append(HOST, "[commet]\n[comet.recieve]\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `[host]` has no key `adress`
     --> hosts/node1.toml:6:1
      |
    6 | adress = "node1.example.org"             # where bundles are sent
      | ^^^^^^
      |
      = help: did you mean `address`?

    error: there is no module `tme`
      --> hosts/node1.toml:11:21
       |
    11 | modules = ["comet", "tme"]                       # what these require (h...
       |                     ^^^^^ there is no `modules/tme/module.toml`
       |
       = help: known are `comet` and `users`
    "#);
    let project = Sandbox::example();
    project.edit(HOST, "whitelist =", "whitelst =");
    project.append(HOST, "[commet]\nx = 1\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `comet.receive` has no field `whitelst`
      --> hosts/node1.toml:19:1
       |
    19 | whitelst = ["192.0.2.0/24"]
       | ^^^^^^^^
       |
       = help: did you mean `whitelist`?

    error: the host has no module `commet` on
      --> hosts/node1.toml:25:2
       |
    25 | [commet]
       |  ^^^^^^
       |
       = help: did you mean `comet`?
    "#);
}

#[test]
fn wrong_types() {
    let project = Sandbox::example();
    project.edit(HOST, "[\"192.0.2.0/24\"]", "[\"192.0.2.0/33\"]");
    project.edit(HOST, "\"1h\"", "60");
    project.edit(HOST, "enable = true\ntest", "enable = \"yes\"\ntest");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `comet.receive.whitelist`: `192.0.2.0/33` is no network
      --> hosts/node1.toml:19:14
       |
    19 | whitelist = ["192.0.2.0/33"]
       |              ^^^^^^^^^^^^^^
       |
      ::: modules/comet/module.toml:46:25
       |
    46 | [options.receive.fields.whitelist]
       |                         --------- declared here
       |
       = help: write it like `192.0.2.0/24` or `2001:db8::/32`

    error: `comet.broadcast.enable`: expected a boolean, found a string
      --> hosts/node1.toml:23:10
       |
    23 | enable = "yes"
       |          ^^^^^
       |
      ::: modules/comet/module.toml:55:27
       |
    55 | [options.broadcast.fields.enable]
       |                           ------ declared here
       |
       = help: give a boolean

    error: `comet.broadcast.test_interval`: expected a duration, as a string, found an integer
      --> hosts/node1.toml:24:17
       |
    24 | test_interval = 60                      # a test event each hour shows s...
       |                 ^^
       |
      ::: modules/comet/module.toml:68:27
       |
    68 | [options.broadcast.fields.test_interval]
       |                           ------------- declared here
       |
       = help: write it in quotes
    "#);
}

#[test]
fn syntax() {
    let project = Sandbox::example();
    project.edit(HOST, "[\"192.0.2.0/24\"]", "[\"192.0.2.0/24\"");
    insta::assert_snapshot!(project.refused(), @r"
    error: the list before this is not closed
      --> hosts/node1.toml:22:1
       |
    22 | [comet.broadcast]
       | ^
       |
       = help: a line is `key = value` or `[table]`; texts stand in quotes, lists in `[ ]`
    ");
}

#[test]
fn a_missing_template_and_a_missing_source() {
    let project = Sandbox::example();
    project.remove("modules/comet/comet.service.j2");
    project.append(COMET, "[[file]]\npath = \"/etc/motd\"\nsource = \"modt\"\n");
    project.write("modules/comet/motd", "");
    insta::assert_snapshot!(project.refused(), @r#"
    error: there is no `modules/comet/comet.service.j2`
       --> modules/comet/module.toml:141:12
        |
    141 | template = "comet.service.j2"
        |            ^^^^^^^^^^^^^^^^^^
        |
        = help: `modules/comet` has no such file

    error: there is no `modules/comet/modt`
       --> modules/comet/module.toml:164:10
        |
    164 | source = "modt"
        |          ^^^^^^
        |
        = help: did you mean `modules/comet/motd`?
    "#);
}

#[test]
fn a_ring_of_modules() {
    let project = Sandbox::example();
    project.edit("modules/users/module.toml", "homes\"\n", "homes\"\nuses = [\"comet\"]\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: modules name each other in a ring: `comet` → `users` → `comet`
     --> modules/comet/module.toml:4:13
      |
    4 | requires = ["users"]
      |             ^^^^^^^ `comet` needs `users`
      |
     ::: modules/users/module.toml:4:9
      |
    4 | uses = ["comet"]
      |         ------- `users` needs `comet`
      |
      = help: let the one who needs something tell the one who provides it, by `[[set]]`
    "#);
}

#[test]
fn a_ring_of_options() {
    let project = Sandbox::example();
    project.edit(COMET, "default = 8098", "default = \"{{ comet.broadcast.port - 1 }}\"");
    project.edit(COMET, "default = 8099", "default = \"{{ comet.receive.port + 1 }}\"");
    insta::assert_snapshot!(project.refused(), @r#"
    error: options depend on each other in a ring: `comet.broadcast.port` → `comet.receive.port` → `comet.broadcast.port`
      --> modules/comet/module.toml:62:15
       |
    44 | default = "{{ comet.broadcast.port - 1 }}"
       |               -------------------- `comet.receive.port` needs `comet.broadcast.port`
    ...
    62 | default = "{{ comet.receive.port + 1 }}"
       |               ^^^^^^^^^^^^^^^^^^ `comet.broadcast.port` needs `comet.receive.port`
       |
       = help: give one of them a default that reads none of the others
    "#);
}

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
    error: artifacts refer to each other in a ring: `a` → `b`
     --> modules/m/b.sh.j2:1:9
      |
    1 | exec {{ script("a") }}
      |         ^^^^^^^^^^^ refers to the next
      |
     ::: modules/m/a.sh.j2:2:4
      |
    2 | {{ script("b") }}
      |    ----------- refers to the next
      |
      = help: pass one of them the other as an argument instead

    error: artifacts refer to each other in a ring: `own`
     --> modules/m/own.sh.j2:1:9
      |
    1 | exec {{ script("own") }}
      |         ^^^^^^^^^^^^^ refers to the next
      |
      = help: pass one of them the other as an argument instead
    "#);
}

#[test]
fn undefined_names_in_a_template() {
    let project = Sandbox::example();
    project.edit("modules/comet/comet-run.sh.j2", "comet.receive.port", "comet.recieve.port");
    project.edit("modules/comet/comet.service.j2", "script(\"comet-run\")", "script(\"comet-rnu\")");
    insta::assert_snapshot!(project.refused(), @r"
    error: module `comet` has no option `recieve`
      --> modules/comet/comet-run.sh.j2:14:23
       |
    14 |     --receive-port={{ comet.recieve.port }} \
       |                       ^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `receive`?
    ");
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
      --> modules/comet/comet.service.j2:14:14
       |
    14 | ExecStart={{ script("comet-rnu") }}
       |              ^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `comet-run`?
    "#);
}

#[test]
fn no_lock() {
    let project = Sandbox::example();
    project.remove(LOCK);
    insta::assert_snapshot!(project.refused(), @r#"
    error: venv `comet` has no lock
       --> modules/comet/module.toml:120:16
        |
      9 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    120 | requirements = ["comet=={{ comet.version }}"]
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
       --> modules/comet/module.toml:120:16
        |
    120 | requirements = ["comet=={{ comet.version }}"]
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
       --> modules/comet/module.toml:120:16
        |
      9 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    120 | requirements = ["comet=={{ comet.version }}"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its requirements
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
             line 13: `size` must be a number from 0 to 1073741824
             line 22: `size` must be a number from 0 to 1073741824
             line 31: `size` must be a number from 0 to 1073741824
             line 45: `size` must be a number from 0 to 1073741824
             line 54: `size` must be a number from 0 to 1073741824
             line 58: `name` is no name of a package in normal form
             line 72: `size` must be a number from 0 to 1073741824
             line 81: `size` must be a number from 0 to 1073741824
             line 90: `size` must be a number from 0 to 1073741824
             line 99: `size` must be a number from 0 to 1073741824
             line 108: `size` must be a number from 0 to 1073741824
             line 117: `size` must be a number from 0 to 1073741824
             line 133: `size` must be a number from 0 to 1073741824
             line 140: `size` must be a number from 0 to 1073741824
             line 147: `size` must be a number from 0 to 1073741824
       --> modules/comet/module.toml:120:16
        |
      9 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    120 | requirements = ["comet=={{ comet.version }}"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its requirements
    "#);
}

#[test]
fn missing_wheels_and_nowhere_to_get_them() {
    let project =
        Sandbox::example().with_own_wheels().with("PIP_NO_INDEX", "1").with("PIP_CONFIG_FILE", "/dev/null");
    let project = project.with("PATH", &std::env::var("PATH").unwrap_or_default());
    project.write("links/empty", "");
    let links = project.path("links").display().to_string();
    let project = project.with("PIP_FIND_LINKS", &links);
    for wheel in ["idna-3.20-py3-none-any.whl", "hyperlink-21.0.0-py2.py3-none-any.whl"] {
        project.remove(&format!("hosts/locks/wheels/{wheel}"));
    }
    insta::assert_snapshot!(project.refused(), @r#"
    fetching hyperlink-21.0.0-py2.py3-none-any.whl
    fetching idna-3.20-py3-none-any.whl
    error: pip could not get `hyperlink-21.0.0-py2.py3-none-any.whl`, `idna-3.20-py3-none-any.whl`: `pip download` failed (exit status: 1)
             | ERROR: Could not find a version that satisfies the requirement hyperlink==21.0.0 (from versions: none)
             | ERROR: No matching distribution found for hyperlink==21.0.0
       --> modules/comet/module.toml:120:16
        |
      9 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    120 | requirements = ["comet=={{ comet.version }}"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its requirements
    "#);
}

#[test]
fn wheels_with_other_bytes() {
    let project = Sandbox::example().with_own_wheels();
    project.write("hosts/locks/wheels/idna-3.20-py3-none-any.whl", "short");
    project.write("hosts/locks/wheels/attrs-26.1.0-py3-none-any.whl", "");
    insta::assert_snapshot!(project.refused(), @r#"
    error: in `[DIR]/hosts/locks/wheels`: `attrs-26.1.0-py3-none-any.whl` is not the file of the lock: expected 67548 bytes, found 0 bytes
       --> modules/comet/module.toml:120:16
        |
      9 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    120 | requirements = ["comet=={{ comet.version }}"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its requirements

    error: in `[DIR]/hosts/locks/wheels`: `idna-3.20-py3-none-any.whl` is not the file of the lock: expected 69583 bytes, found 5 bytes
       --> modules/comet/module.toml:120:16
        |
      9 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    120 | requirements = ["comet=={{ comet.version }}"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its requirements
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
    insta::assert_snapshot!(project.refused(), @r"
    error: two artifacts for `/etc/motd`
       --> modules/users/module.toml:65:1
        |
     65 | [[file]]
        | ^^^^^^^^ the second
        |
       ::: modules/comet/module.toml:162:1
        |
    162 | [[file]]
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
    insta::assert_snapshot!(module(&entries, &more).refused(), @r"
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
       = help: keep one of them
    ");
    let entries = [unit, &unit.replace("a.service.j2", "b.service.j2")].concat();
    let more = [("a.service.j2", "[Service]\nExecStart=/bin/true\n"), ("b.service.j2", "[Service]\n")];
    insta::assert_snapshot!(module(&entries, &more).refused(), @r"
    error: module `m` has two artifacts unit `a.service`
     --> modules/m/module.toml:6:1
      |
    3 | [[unit]]
      | -------- the first
    ...
    6 | [[unit]]
      | ^^^^^^^^ the second
      |
      = help: give one of them another `name`
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
       --> modules/comet/module.toml:124:8
        |
    124 | path = "{{ comet.working_dir }}"
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
fn a_venv_of_two_modules() {
    let project = Sandbox::example();
    let venv = "[[venv]]\nname = \"comet\"\nrequirements = [\"comet==3.1.0\"]\nimports = [\"comet\"]\n";
    project.append("modules/users/module.toml", venv);
    insta::assert_snapshot!(project.refused(), @r#"
    error: two modules have a venv `comet`
      --> modules/users/module.toml:67:16
       |
    67 | requirements = ["comet==3.1.0"]
       |                ^^^^^^^^^^^^^^^^ its requirements
    "#);
}

#[test]
fn a_level_of_folders_that_nobody_makes() {
    let project = Sandbox::example();
    project.edit(HOST, "[comet]\n", "[comet]\nworking_dir = \"/home/voeventserve/a/b\"\n");
    insta::assert_snapshot!(project.refused(), @r"
    error: nobody makes `/home/voeventserve/a`, which lies between `/home/voeventserve` and `/home/voeventserve/a/b`
       --> modules/comet/module.toml:123:1
        |
    123 | [[directory]]
        | ^^^^^^^^^^^^^
        |
        = help: add a `[[directory]]` for each level below a folder that is not root's
    ");
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
    insta::assert_snapshot!(project.refused(), @r"
    error: the value has a line break or a control character
     --> modules/comet/comet.service.j2:2:16
      |
    2 | Description={{ comet.label }}
      |                ^^^^^^^^^^^
      |
      = help: it must be one line here
    ");
}

#[test]
fn lines_that_are_no_unit() {
    let project = Sandbox::example();
    project.edit("modules/comet/comet.service.j2", "Type=exec\n", "Type exec\n");
    insta::assert_snapshot!(project.refused(), @r"
    error: unit `comet.service`, line 9: this is neither `[Section]` nor `Key=`
       --> modules/comet/module.toml:139:1
        |
    139 | [[unit]]
        | ^^^^^^^^ this unit has the line `Type exec`
    ");
}

#[test]
fn a_second_build_that_is_refused_leaves_the_first() {
    let project = Sandbox::example();
    let (name, _) = project.build();
    project.edit(HOST, "local_ivo =", "local_iov =");
    project.refused();
    project.edit(HOST, "local_iov =", "local_ivo =");
    assert_eq!(project.build().0, name);
}
