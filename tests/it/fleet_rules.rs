//! What hosts say about each other, as `voevent-build check` judges it.

mod upstreams;

use crate::sandbox::Sandbox;

const MODULE: &str = r#"
[options.ivo]
type = "ivoid"
optional = true
description = "x"
[options.receive]
type = "port"
optional = true
description = "x"
[options.broadcast]
type = "port"
optional = true
description = "x"
[options.whitelist]
type = "list of cidr"
default = ["0.0.0.0/0"]
description = "x"
[options.remotes]
type = "list of host-port"
default = []
description = "x"
[options.topics]
type = "list of string"
default = []
description = "x"

[[broker]]
when = "m.ivo is not none"
ivo = "{{ m.ivo }}"
[[listen]]
when = "m.receive is not none"
role = "receive"
port = "{{ m.receive }}"
[[listen]]
when = "m.broadcast is not none"
role = "broadcast"
port = "{{ m.broadcast }}"
from = "{{ m.whitelist }}"
[[subscribe]]
for_each = "m.remotes"
to = "{{ each.value }}"
[[source]]
for_each = "m.topics"
name = "{{ each.value }}"
"#;

/// What is said of these hosts: name, address, settings.
fn checked(hosts: &[(&str, &str, &str)]) -> String {
    let project = Sandbox::module(&[("module.toml", MODULE)]);
    let head = project.read("hosts/node1.toml");
    project.remove("hosts/node1.toml");
    for (name, address, settings) in hosts {
        let address = format!("[host]\naddress = \"{address}\"\n");
        let text = head.replace("[host]\n", &address) + "[m]\n" + settings;
        project.write(&format!("hosts/{name}.toml"), &text);
    }
    project.shown(&["check"])
}

#[test]
fn a_sound_fleet() {
    let said = checked(&[
        ("a", "a.example.org", "ivo = 'ivo://org/a'\nreceive = 8098\nbroadcast = 8099\n"),
        (
            "b",
            "192.0.2.2",
            "ivo = 'ivo://org/b'\nbroadcast = 8099\nremotes = ['A.example.org:8099', 'far.example.org:1']\n",
        ),
        ("c", "c.example.org", "topics = ['gcn']\nbroadcast = 8100\nwhitelist = ['192.0.2.0/24']\n"),
        ("d", "192.0.2.9", "remotes = ['c:8100', 'b:8099']\n"),
        // Where it connects from is not known by its name.
        ("e", "e.example.org", "remotes = ['c:8100', '192.0.2.2:8099']\n"),
        // Who has no broker need not be reached.
        ("f", "f.example.org", ""),
    ]);
    assert_eq!(said, "exit 0\n---- stdout\n---- stderr\n6 hosts, 0 errors, 0 warnings\n");
}

#[test]
fn equal_names() {
    insta::assert_snapshot!(checked(&[
        ("a", "a.example.org", "ivo = 'ivo://org/node'\nreceive = 8098\n"),
        ("b", "A.example.org", "ivo = 'ivo://ORG/node'\nreceive = 8098\n"),
    ]), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: hosts `a` and `b` have the address `A.example.org`
     --> hosts/b.toml:2:11
      |
    2 | address = "A.example.org"
      |           ^^^^^^^^^^^^^^^ of `b`
      |
     ::: hosts/a.toml:2:11
      |
    2 | address = "a.example.org"
      |           --------------- of `a`
      |
      = help: give each host its own address, in its own file: it is where its bundle is sent

    error: brokers of `a` and `b` have the IVOID `ivo://ORG/node`
     --> hosts/b.toml:8:7
      |
    8 | ivo = 'ivo://ORG/node'
      |       ^^^^^^^^^^^^^^^^ on `b`
      |
     ::: hosts/a.toml:8:7
      |
    8 | ivo = 'ivo://org/node'
      |       ---------------- on `a`
      |
      = help: give each broker an IVOID of its own, such as `ivo://AUTHORITY/HOST`
    2 hosts, 2 errors, 0 warnings
    "#);
}

#[test]
fn nobody_broadcasts_there() {
    insta::assert_snapshot!(checked(&[
        ("a", "a.example.org", "receive = 8098\nbroadcast = 8099\n"),
        ("b", "b.example.org", "receive = 8098\n"),
        ("c", "c.example.org", "remotes = [\n  'a.example.org:8098',\n  'A:8090',\n  'b.example.org:8099',\n]\n"),
    ]), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: `a` does not broadcast on port 8098: that is where it takes events from authors
      --> hosts/c.toml:9:3
       |
     9 |   'a.example.org:8098',
       |   ^^^^^^^^^^^^^^^^^^^^ `c` subscribes here
       |
      ::: modules/m/module.toml:43:6
       |
    43 | to = "{{ each.value }}"
       |      ------------------ which is stated here
       |
      ::: hosts/a.toml:8:11
       |
     8 | receive = 8098
       |           ---- `a` listens on port 8098 by this
     9 | broadcast = 8099
       |             ---- `a` broadcasts on port 8099 by this
       |
       = help: subscribe to `a.example.org:8099`

    error: `a` does not broadcast on port 8090
      --> hosts/c.toml:10:3
       |
    10 |   'A:8090',
       |   ^^^^^^^^ `c` subscribes here
       |
      ::: modules/m/module.toml:43:6
       |
    43 | to = "{{ each.value }}"
       |      ------------------ which is stated here
       |
      ::: hosts/a.toml:9:13
       |
     9 | broadcast = 8099
       |             ---- `a` broadcasts on port 8099 by this
       |
       = help: subscribe to `a:8099`

    error: `b` does not broadcast on port 8099
      --> hosts/c.toml:11:3
       |
    11 |   'b.example.org:8099',
       |   ^^^^^^^^^^^^^^^^^^^^ `c` subscribes here
       |
      ::: modules/m/module.toml:43:6
       |
    43 | to = "{{ each.value }}"
       |      ------------------ which is stated here
       |
       = help: `b` broadcasts nowhere: let it, or subscribe to another host
    3 hosts, 3 errors, 0 warnings
    "#);
}

#[test]
fn the_subscriber_is_shut_out() {
    insta::assert_snapshot!(checked(&[
        ("a", "a.example.org", "receive = 8098\nbroadcast = 8099\nwhitelist = ['192.0.2.0/24']\n"),
        ("b", "b.example.org", "receive = 8098\nbroadcast = 8099\nwhitelist = []\n"),
        ("c", "198.51.100.1", "remotes = ['a:8099', 'b:8099']\n"),
        ("d", "2001:db8::1", "remotes = ['a:8099', 'c.example.net:1']\n"),
    ]), @r#"
    exit 1
    ---- stdout
    ---- stderr
    warning: `a` does not let `198.51.100.1` subscribe on port 8099, which is the address of `c`
      --> hosts/c.toml:8:12
       |
     8 | remotes = ['a:8099', 'b:8099']
       |            ^^^^^^^^ `c` subscribes here
       |
      ::: modules/m/module.toml:43:6
       |
    43 | to = "{{ each.value }}"
       |      ------------------ which is stated here
       |
      ::: hosts/a.toml:10:13
       |
    10 | whitelist = ['192.0.2.0/24']
       |             ---------------- whom `a` lets in
       |
      ::: hosts/c.toml:2:11
       |
     2 | address = "198.51.100.1"
       |           -------------- the address of `c`
       |
       = help: let in `198.51.100.1/32`, or the one that it connects from where that is another

    error: `b` lets nobody but itself subscribe on port 8099, and `c` wants to
      --> hosts/c.toml:8:22
       |
     8 | remotes = ['a:8099', 'b:8099']
       |                      ^^^^^^^^ `c` subscribes here
       |
      ::: modules/m/module.toml:43:6
       |
    43 | to = "{{ each.value }}"
       |      ------------------ which is stated here
       |
      ::: hosts/b.toml:10:13
       |
    10 | whitelist = []
       |             -- whom `b` lets in
       |
       = help: let in `198.51.100.1/32`
    4 hosts, 1 error, 1 warning
    "#);
}

#[test]
fn rings_and_hosts_that_nothing_reaches() {
    insta::assert_snapshot!(checked(&[
        ("a", "a.example.org", "broadcast = 8099\nremotes = ['b:8099', 'c:8099']\n"),
        ("b", "b.example.org", "broadcast = 8099\nremotes = ['a:8099', 'c:8099']\n"),
        ("c", "c.example.org", "broadcast = 8099\nremotes = ['localhost:8099', 'b:8099']\n"),
        ("d", "d.example.org", "broadcast = 8099\n"),
    ]), @r#"
    exit 0
    ---- stdout
    ---- stderr
    warning: hosts subscribe to each other in a ring: `a` → `b` → `a`
     --> hosts/a.toml:9:12
      |
    9 | remotes = ['b:8099', 'c:8099']
      |            ^^^^^^^^ `a` takes events from `b`
      |
     ::: hosts/b.toml:9:12
      |
    9 | remotes = ['a:8099', 'c:8099']
      |            -------- `b` takes events from `a`
      |
      = help: each event goes round and is dropped where it was seen before: leave one of these out, unless the ring is there so that one of them may fail

    warning: `c` subscribes to itself
     --> hosts/c.toml:9:12
      |
    9 | remotes = ['localhost:8099', 'b:8099']
      |            ^^^^^^^^^^^^^^^^ `c` takes events from `c`
      |
      = help: leave it out

    warning: no event can reach the broker of `a`
      --> hosts/a.toml:9:12
       |
     9 | remotes = ['b:8099', 'c:8099']
       |            ^^^^^^^^ its upstream gets none either
       |
      ::: modules/m/module.toml:43:6
       |
    43 | to = "{{ each.value }}"
       |      ------------------ which is stated here
       |
       = help: let it take events from authors, or subscribe it to a broker that gets some

    warning: no event can reach the broker of `b`
      --> hosts/b.toml:9:12
       |
     9 | remotes = ['a:8099', 'c:8099']
       |            ^^^^^^^^ its upstream gets none either
       |
      ::: modules/m/module.toml:43:6
       |
    43 | to = "{{ each.value }}"
       |      ------------------ which is stated here
       |
       = help: let it take events from authors, or subscribe it to a broker that gets some

    warning: no event can reach the broker of `c`
      --> hosts/c.toml:9:12
       |
     9 | remotes = ['localhost:8099', 'b:8099']
       |            ^^^^^^^^^^^^^^^^ its upstream gets none either
       |
      ::: modules/m/module.toml:43:6
       |
    43 | to = "{{ each.value }}"
       |      ------------------ which is stated here
       |
       = help: let it take events from authors, or subscribe it to a broker that gets some

    warning: no event can reach the broker of `d`
      --> hosts/d.toml:8:13
       |
     8 | broadcast = 8099
       |             ^^^^
       |
      ::: modules/m/module.toml:39:8
       |
    39 | port = "{{ m.broadcast }}"
       |        ------------------- which is stated here
       |
       = help: let it take events from authors, or subscribe it to a broker that gets some

    warning: `c` takes its events from `b` alone: none come while that is down
     --> hosts/c.toml:9:30
      |
    9 | remotes = ['localhost:8099', 'b:8099']
      |                              ^^^^^^^^ by `c`
      |
      = help: subscribe to a second broker too: what was seen before is dropped
    4 hosts, 0 errors, 7 warnings
    "#);
}

#[test]
fn of_a_host_that_is_wrong_nothing_is_known() {
    let said = checked(&[
        ("a", "a.example.org", "recieve = 8098\n"),
        ("b", "b.example.org", "remotes = ['a.example.org:8099', 'a:8090']\n"),
    ]);
    assert!(said.ends_with("2 hosts, 1 error, 0 warnings\n"), "{said}");
}
