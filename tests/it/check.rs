//! `voevent-build check`: a host at the desk, and what outside tools say of it.

use crate::check_tools::with_tools;
use crate::fleet::fleet;
use crate::sandbox::{Sandbox, listing};

#[test]
fn a_fleet_is_sound_and_nothing_is_written() {
    let project = with_tools(fleet(4));
    let before = listing(&project.path("."));
    let output = project.run(&["check"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().last(), Some("4 hosts, 0 errors, 0 warnings"));
    assert_eq!(listing(&project.path(".")), before);
}

#[test]
fn the_example_is_sound_from_any_folder() {
    let project = Sandbox::example();
    let said = project.shown(&["check", "hosts/node1.toml"]);
    assert!(said.starts_with("exit 0\n---- stdout\n---- stderr\n"), "{said}");
    assert!(said.ends_with("1 host, 0 errors, 0 warnings\n"), "{said}");
}

#[test]
fn without_hosts_there_is_nothing_to_check() {
    let project = Sandbox::module(&[("module.toml", "")]);
    project.remove("hosts");
    insta::assert_snapshot!(project.shown(&["check"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: there is no host in `hosts`
     |
     = help: go to the folder that has `hosts/`, or name host files
    ");
}

#[test]
fn all_that_can_be_known_is_said_although_the_lock_is_missing() {
    let project = Sandbox::example();
    project.remove("hosts/locks/pylock.comet-a29b3a37.toml");
    project.edit(
        "modules/comet/comet-run.sh.j2",
        "#!/bin/sh\n",
        "#!/bin/sh\n: ${x:-{{ comet.verbosity }}}\n",
    );
    insta::assert_snapshot!(project.shown(&["check"]), @r#"
    exit 1
    ---- stdout
    ---- stderr
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

    error: a value cannot stand within `${…}`
       --> modules/comet/comet-run.sh.j2:2:11
        |
      2 | : ${x:-{{ comet.verbosity }}}
        |           ^^^^^^^^^^^^^^^
        |
       ::: modules/comet/module.toml:181:11
        |
    181 | default = "info"
        |           ------ `comet.verbosity` is set here
        |
        = help: set a variable before, and use that
    1 host, 2 errors, 0 warnings
    "#);
}

#[test]
fn a_fault_that_hosts_share_is_shown_once() {
    let project =
        Sandbox::module(&[("module.toml", "[[warn]]\nmessage = \"odd\"\n[[group]]\nnam = \"g\"\n")]);
    let host = project.read("hosts/node1.toml");
    for name in ["a", "b", "c", "d", "e"] {
        project.write(&format!("hosts/{name}.toml"), &host);
    }
    insta::assert_snapshot!(project.shown(&["check"]), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: a `[[group]]` needs `name`
     --> modules/m/module.toml:5:1
      |
    5 | [[group]]
      | ^^^^^^^^^
      |
      = help: add a line `name = …`
      = help: on hosts `a`, `b`, `c` and 3 more

    error: a `[[group]]` has no key `nam`
     --> modules/m/module.toml:6:1
      |
    6 | nam = "g"
      | ^^^
      |
      = help: did you mean `name`?
      = help: on hosts `a`, `b`, `c` and 3 more
    6 hosts, 2 errors, 0 warnings
    "#);
    project.edit("modules/m/module.toml", "nam =", "name =");
    project.append("hosts/e.toml", "[m]\nx = 1\n");
    insta::assert_snapshot!(project.shown(&["check"]), @"
    exit 1
    ---- stdout
    ---- stderr
    warning: odd
     --> modules/m/module.toml:3:1
      |
    3 | [[warn]]
      | ^^^^^^^^ because of this
      |
      = help: module `m` warns of it
      = help: on hosts `a`, `b`, `c` and 2 more

    error: module `m` has no option `x`
     --> hosts/e.toml:7:1
      |
    7 | x = 1
      | ^
      |
      = help: there is none
    6 hosts, 1 error, 1 warning
    ");
}

#[test]
fn two_services_at_one_port_are_refused_by_a_build_too() {
    let module = "[options.port]\ntype = \"port\"\ndefault = 8099\ndescription = \"x\"\n\
                  [[listen]]\nport = \"{{ m.port }}\"\nrole = \"broadcast\"\n\
                  [[listen]]\nservice = \"metrics\"\nport = 9100\n\
                  [[listen]]\nport = 9100\nprotocol = \"udp\"\n";
    let project = Sandbox::module(&[("module.toml", module)]);
    assert_eq!(project.build().1.lines().last(), Some("first build"));
    project.append("hosts/node1.toml", "[m]\nport = 9100\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: two services listen on port 9100
      --> modules/m/module.toml:12:8
       |
    12 | port = 9100
       |        ^^^^ by `metrics`
       |
      ::: hosts/node1.toml:7:8
       |
     7 | port = 9100
       |        ---- by `m`, to broadcast
       |
      ::: modules/m/module.toml:8:8
       |
     8 | port = "{{ m.port }}"
       |        -------------- which is stated here
       |
       = help: give one of them another port
    "#);
}

#[test]
fn facts_are_checked() {
    let module = "[options.to]\ntype = \"list of string\"\ndefault = []\ndescription = \"x\"\n\
                  [[listen]]\nport = 70000\n[[listen]]\nport = 1\nrole = \"recieve\"\n\
                  [[listen]]\nport = 2\nfrom = [\"192.0.2.1/24\"]\nprotocol = \"sctp\"\n\
                  [[subscribe]]\nfor_each = \"m.to\"\nto = \"{{ each.value }}\"\n\
                  [[broker]]\nivo = \"ivo://x\"\n[[source]]\nname = \"\"\n";
    let project = Sandbox::module(&[("module.toml", module)]);
    project.append("hosts/node1.toml", "[m]\nto = [\"a:1\", \"b\"]\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: 70000 is too large
     --> modules/m/module.toml:8:8
      |
    8 | port = 70000
      |        ^^^^^
      |
      = help: 65535 is the most

    error: there is no role `recieve`
      --> modules/m/module.toml:11:8
       |
    11 | role = "recieve"
       |        ^^^^^^^^^
       |
       = help: did you mean `receive`?

    error: there is no protocol `sctp`
      --> modules/m/module.toml:15:12
       |
    15 | protocol = "sctp"
       |            ^^^^^^
       |
       = help: known are `tcp` and `udp`

    error: `b` has no port
      --> modules/m/module.toml:18:6
       |
    18 | to = "{{ each.value }}"
       |      ^^^^^^^^^^^^^^^^^^
       |
      ::: hosts/node1.toml:7:14
       |
     7 | to = ["a:1", "b"]
       |              --- `m.to` is set here
       |
       = help: write it like `upstream.example.org:8099`, `192.0.2.7:8099` or `[2001:db8::7]:8099`

    error: `ivo://x` is no IVOID
      --> modules/m/module.toml:20:7
       |
    20 | ivo = "ivo://x"
       |       ^^^^^^^^^
       |
       = help: write it like `ivo://org.example/node1`: an authority of three characters or more, then a path

    error: the string has 0 characters
      --> modules/m/module.toml:22:8
       |
    22 | name = ""
       |        ^^
       |
       = help: 1 is the least
    "#);
    project.write(
        "modules/m/module.toml",
        "[module]\ndescription = \"x\"\n[[listen]]\nprt = \"{{ m.x }}\"\n[[subscribe]]\nto = \"{{ m.x }}\"\n",
    );
    insta::assert_snapshot!(project.refused(), @r#"
    error: a `[[listen]]` needs `port`
     --> modules/m/module.toml:3:1
      |
    3 | [[listen]]
      | ^^^^^^^^^^
      |
      = help: add a line `port = …`

    error: a `[[listen]]` has no key `prt`
     --> modules/m/module.toml:4:1
      |
    4 | prt = "{{ m.x }}"
      | ^^^
      |
      = help: did you mean `port`?
    "#);
}

#[test]
fn values_that_are_code_are_listed() {
    let module = "[options.x]\ntype = \"string\"\ndefault = \"true\"\ndescription = \"x\"\n\
                  [[file]]\npath = \"/etc/a\"\ntemplate = \"a.sh.j2\"\n";
    let text = "#!/bin/sh\necho {{ m.x }}\n{{ m.x | safe }}\n";
    let project = with_tools(Sandbox::module(&[("module.toml", module), ("a.sh.j2", text)]));
    project.write("hosts/node2.toml", &project.read("hosts/node1.toml"));
    insta::assert_snapshot!(project.shown(&["check"]), @"
    exit 0
    ---- stdout
    ---- stderr
    a value is taken for code at modules/m/a.sh.j2:3:4
    2 hosts, 0 errors, 0 warnings
    ");
    // Two texts of one shape, but for the code.
    project.append("hosts/node2.toml", "[m]\nx = \"if\"\n");
    insta::assert_snapshot!(project.shown(&["check"]), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: `sh -n`: end of file unexpected (expecting "then")
     --> modules/m/a.sh.j2:3:4
      |
    3 | {{ m.x | safe }}
      |    ^^^^^^^^^^^^^
      |
     ::: hosts/node2.toml:7:5
      |
    7 | x = "if"
      |     ---- `m.x` is set here
      |
      = help: write this line so that `sh -n` takes it
    a value is taken for code at modules/m/a.sh.j2:3:4
    2 hosts, 1 error, 0 warnings
    "#);
}

#[test]
fn keys_that_nothing_reads() {
    let project = with_tools(Sandbox::example());
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJuN+F5OeiHpuSmAC7i2gvNrGmsmOrKADNNuwDEVpHA/ ann@desk";
    project.append("hosts/node1.toml", &format!("\n[users.accounts.voeventdeploy]\nkeys = [\"{key}\"]\n"));
    let checked = || project.shown(&["check"]);
    assert!(checked().contains("warning: `voeventdeploy` has keys that nothing reads"), "{}", checked());
    project.edit("hosts/node1.toml", "modules = [\"comet\"]", "modules = [\"comet\", \"ssh\"]");
    assert!(checked().contains("1 host, 0 errors, 0 warnings"), "{}", checked());
    project.edit("hosts/node1.toml", "[\"comet\", \"ssh\"]", "[\"comet\"]");
    project.append("hosts/node1.toml", "[users]\nkeys_read = true\n");
    assert!(checked().contains("1 host, 0 errors, 0 warnings"), "{}", checked());
}
