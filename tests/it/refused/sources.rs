//! Hosts, modules and templates that cannot be understood.

#![expect(clippy::disallowed_methods, reason = "a test")]

use std::fs;
use std::os::unix::fs::symlink;

use super::{COMET, HOST};
use crate::sandbox::Sandbox;

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
    insta::assert_snapshot!(project.shown(&["hosts"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: there is no `hosts/hosts.toml`
     |
     = help: `hosts` has no such file
    ");
    insta::assert_snapshot!(project.shown(&["hosts/node1.txt"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: `hosts/node1.txt` is no host file
     |
     = help: host files end in `.toml`: `node1.toml`
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
       = help: did you mean `time`?
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
       = help: did you mean `comet`? Else add `commet` to `modules`
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
      ::: modules/comet/module.toml:86:25
       |
    86 | [options.receive.fields.whitelist]
       |                         --------- declared here
       |
       = help: write it like `192.0.2.0/24` or `2001:db8::/32`

    error: `comet.broadcast.enable`: expected a boolean, found a string
      --> hosts/node1.toml:23:10
       |
    23 | enable = "yes"
       |          ^^^^^
       |
      ::: modules/comet/module.toml:95:27
       |
    95 | [options.broadcast.fields.enable]
       |                           ------ declared here
       |
       = help: write `true` or `false`

    error: `comet.broadcast.test_interval`: expected a duration, as a string, found an integer
       --> hosts/node1.toml:24:17
        |
     24 | test_interval = 60                      # a test event each hour shows ...
        |                 ^^
        |
       ::: modules/comet/module.toml:112:27
        |
    112 | [options.broadcast.fields.test_interval]
        |                           ------------- declared here
        |
        = help: write it in quotes and with its unit, as `"60s"`
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
       --> modules/comet/module.toml:464:12
        |
    464 | template = "comet.service.j2"
        |            ^^^^^^^^^^^^^^^^^^
        |
        = help: `modules/comet` has no such file

    error: there is no `modules/comet/modt`
       --> modules/comet/module.toml:535:10
        |
    535 | source = "modt"
        |          ^^^^^^
        |
        = help: did you mean `modules/comet/motd`?
    "#);
}

#[test]
fn a_ring_of_modules() {
    let project = Sandbox::example();
    project.edit("modules/users/module.toml", "SSH keys\"\n", "SSH keys\"\nuses = [\"comet\"]\n");
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
       --> modules/comet/module.toml:102:15
        |
     80 | default = "{{ comet.broadcast.port - 1 }}"
        |               -------------------- `comet.receive.port` needs `comet.broadcast.port`
    ...
    102 | default = "{{ comet.receive.port + 1 }}"
        |               ^^^^^^^^^^^^^^^^^^ `comet.broadcast.port` needs `comet.receive.port`
        |
        = help: give one of them a default that reads none of the others
    "#);
}

#[test]
fn undefined_names_in_a_template() {
    let project = Sandbox::example();
    project.edit("modules/comet/comet-run.sh.j2", "comet.receive.port", "comet.recieve.port");
    project.edit("modules/comet/comet.service.j2", "script(\"comet-run\")", "script(\"comet-rnu\")");
    insta::assert_snapshot!(project.refused(), @r"
    error: module `comet` has no option `recieve`
      --> modules/comet/comet-run.sh.j2:17:23
       |
    17 |     --receive-port={{ comet.recieve.port }} \
       |                       ^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `receive`?

    error: module `comet` has no option `recieve`
      --> modules/comet/comet-run.sh.j2:43:22
       |
    43 |     --receive=tcp:{{ comet.recieve.port }}{% if comet.receive.local %}:i...
       |                      ^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `receive`?
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

/// A module of somebody else takes no file of this machine to a host.
#[test]
fn links_out_of_the_modules() {
    let files = "[[file]]\nname = \"a\"\nsource = \"a\"\n[[file]]\nname = \"b\"\ntemplate = \"b.txt.j2\"\n\
                 [[file]]\nname = \"c\"\nsource = \"c/x\"\n[[file]]\nname = \"d\"\nsource = \"d\"\n";
    let project = Sandbox::module(&[("module.toml", files), ("b.txt.j2", "{% include \"e\" %}\n")]);
    project.write("secret/x", "mine");
    for (link, to) in
        [("a", "../../secret/x"), ("c", "../../secret"), ("d", "nothing"), ("e", "../../secret/x")]
    {
        symlink(to, project.path(&format!("modules/m/{link}"))).unwrap();
    }
    insta::assert_snapshot!(project.refused(), @r#"
    error: `modules/m/a` is a link out of `modules`
     --> modules/m/module.toml:5:10
      |
    5 | source = "a"
      |          ^^^
      |
      = help: copy the file to where the link is

    error: `modules/m/c/x` is a link out of `modules`
      --> modules/m/module.toml:11:10
       |
    11 | source = "c/x"
       |          ^^^^^
       |
       = help: copy the file to where the link is

    error: there is no `modules/m/d`
      --> modules/m/module.toml:14:10
       |
    14 | source = "d"
       |          ^^^
       |
       = help: it is a link to something that is not there

    error: `modules/m/e` is a link out of `modules`
     --> modules/m/b.txt.j2:1:12
      |
    1 | {% include "e" %}
      |            ^^^
      |
      = help: copy the file to where the link is
    "#);
    // Between modules, and where the whole folder is a link, they are the same files.
    let project = Sandbox::module(&[("module.toml", "[[file]]\nname = \"a\"\nsource = \"a\"\n")]);
    project.write("modules/common/x", "shared");
    symlink("../common/x", project.path("modules/m/a")).unwrap();
    project.build();
    fs::rename(project.path("modules/m"), project.path("elsewhere")).unwrap();
    symlink("../elsewhere", project.path("modules/m")).unwrap();
    fs::rename(project.path("modules/common/x"), project.path("elsewhere/x")).unwrap();
    project.remove("elsewhere/a");
    symlink("x", project.path("elsewhere/a")).unwrap();
    project.build();
}

#[test]
fn a_source_that_is_too_long() {
    let project = Sandbox::module(&[("module.toml", "[[file]]\nname = \"a\"\nsource = \"a\"\n")]);
    project.write("modules/m/a", &"x".repeat(1 + (1 << 20)));
    insta::assert_snapshot!(project.refused(), @r#"
    error: `modules/m/a` is longer than 1 MiB, the most that a source may have
     --> modules/m/module.toml:5:10
      |
    5 | source = "a"
      |          ^^^
      |
      = help: divide it, or take out what is not needed
    "#);
}
