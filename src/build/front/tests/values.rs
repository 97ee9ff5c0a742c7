//! Values that an option, or a key of an artifact, does not take: what is said of each.

use super::{errors, errors_of, module};

const KINDS: &[(&str, &str)] = &[
    ("count", "type = 'int'\nmin = 2"),
    ("few", "type = 'float'\nmin = 1.0"),
    ("whole", "type = 'float'"),
    ("secret", "type = 'secret'"),
    ("wait", "type = 'duration'"),
    ("size", "type = 'size'"),
    ("mode", "type = 'mode'"),
    ("word", "type = 'string'\npattern = '[a-z]+'"),
    ("port", "type = 'host-port'"),
    ("name", "type = 'host-port'"),
    ("net", "type = 'cidr'"),
    ("keys", "type = 'map of int'"),
];

const WRONG: &str = "modules = ['m']
[m]
count = 1
few = 0.5
whole = 1
secret = { file = 1 }
wait = '5'
size = '1 M'
mode = '0780'
word = 'a1'
port = 'up.example.org:0'
name = 'a b:8099'
net = '192.0.2.7/24'
keys = { '' = 1 }
";

#[test]
#[expect(clippy::too_many_lines, reason = "what is said is long")]
fn of_every_type() {
    insta::assert_snapshot!(errors(WRONG, &[("modules/m/module.toml", &module(KINDS, ""))]), @r#"
    error: `m.count`: 1 is too small
     --> hosts/h.toml:7:9
      |
    7 | count = 1
      |         ^
      |
     ::: modules/m/module.toml:3:10
      |
    3 | [options.count]
      |          ----- declared here
      |
      = help: 2 is the least

    error: `m.few`: 0.5 is too small
     --> hosts/h.toml:8:7
      |
    8 | few = 0.5
      |       ^^^
      |
     ::: modules/m/module.toml:7:10
      |
    7 | [options.few]
      |          --- declared here
      |
      = help: 1.0 is the least

    error: `m.whole`: expected a float, found an integer
      --> hosts/h.toml:9:9
       |
     9 | whole = 1
       |         ^
       |
      ::: modules/m/module.toml:11:10
       |
    11 | [options.whole]
       |          ----- declared here
       |
       = help: write `1.0`

    error: `m.secret`: the `file` of a secret is a path, found an integer
      --> hosts/h.toml:10:10
       |
    10 | secret = { file = 1 }
       |          ^^^^^^^^^^^^
       |
      ::: modules/m/module.toml:14:10
       |
    14 | [options.secret]
       |          ------ declared here
       |
       = help: write `{ age = "secrets/x.age" }`, a file beside this one that `voevent-build secret` encrypted, or `{ file = "/etc/voevent/secrets/x" }`, one that lies on the target

    error: `m.wait`: `5` is no duration
      --> hosts/h.toml:11:8
       |
    11 | wait = '5'
       |        ^^^
       |
      ::: modules/m/module.toml:17:10
       |
    17 | [options.wait]
       |          ---- declared here
       |
       = help: write it like `90s`, `15m`, `1h30m` or `2d`

    error: `m.size`: `1 M` is no size
      --> hosts/h.toml:12:8
       |
    12 | size = '1 M'
       |        ^^^^^
       |
      ::: modules/m/module.toml:20:10
       |
    20 | [options.size]
       |          ---- declared here
       |
       = help: write it like `256M` or `2G` (powers of 1024)

    error: `m.mode`: `0780` is no mode
      --> hosts/h.toml:13:8
       |
    13 | mode = '0780'
       |        ^^^^^^
       |
      ::: modules/m/module.toml:23:10
       |
    23 | [options.mode]
       |          ---- declared here
       |
       = help: write three or four octal digits, as `0750`

    error: `m.word`: `a1` does not match the pattern of this option
      --> hosts/h.toml:14:8
       |
    14 | word = 'a1'
       |        ^^^^
       |
      ::: modules/m/module.toml:26:10
       |
    26 | [options.word]
       |          ---- declared here
       |
       = help: the whole of it must match `[a-z]+`

    error: `m.port`: `0` is no port
      --> hosts/h.toml:15:8
       |
    15 | port = 'up.example.org:0'
       |        ^^^^^^^^^^^^^^^^^^
       |
      ::: modules/m/module.toml:30:10
       |
    30 | [options.port]
       |          ---- declared here
       |
       = help: write it like `upstream.example.org:8099`, `192.0.2.7:8099` or `[2001:db8::7]:8099`

    error: `m.name`: `a b:8099` names no host
      --> hosts/h.toml:16:8
       |
    16 | name = 'a b:8099'
       |        ^^^^^^^^^^
       |
      ::: modules/m/module.toml:33:10
       |
    33 | [options.name]
       |          ---- declared here
       |
       = help: write it like `upstream.example.org:8099`, `192.0.2.7:8099` or `[2001:db8::7]:8099`

    error: `m.net`: `192.0.2.7/24` has host bits set
      --> hosts/h.toml:17:7
       |
    17 | net = '192.0.2.7/24'
       |       ^^^^^^^^^^^^^^
       |
      ::: modules/m/module.toml:36:10
       |
    36 | [options.net]
       |          --- declared here
       |
       = help: write `192.0.2.0/24` for the network, or `192.0.2.7` for the one address

    error: `m.keys`: a key is a text of one line
      --> hosts/h.toml:18:10
       |
    18 | keys = { '' = 1 }
       |          ^^
       |
      ::: modules/m/module.toml:39:10
       |
    39 | [options.keys]
       |          ---- declared here
       |
       = help: choose another name
    "#);
}

const LATE: &[(&str, &str)] = &[
    ("number", "type = 'int'\ndefault = 1"),
    ("nothing", "type = 'string'\noptional = true"),
    ("items", "type = 'list of string'\ndefault = ['b']"),
];

const ENTRIES: &str = "[[unit]]
name = 'a.service'
source = 'x'
wanted_by = '{{ m.number }}'
[[unit]]
name = 'a.d/{{ m.items | first }}'
source = 'x'
[[group]]
name = '{{ m.nothing }}'
[[file]]
name = 'a'
source = 'x'
mode = '0666'
[[file]]
path = '{{ m.nothing }}'
source = 'x'
[[unit]]
name = 'a.service.d/b.conf'
source = 'x'
wanted_by = ['b.target']
[[group]]
for_each = 'm.number'
name = 'a'
[[set]]
[set.n.by]
'{{ m.number }}' = 1
[[set]]
[set.n.by]
a = 1
'{{ \"a\" }}' = 2
";

#[test]
fn of_artifacts_and_settings() {
    let n = module(&[("by", "type = 'map of int'\ndefault = {}")], "");
    let m = module(LATE, ENTRIES).replacen("'x'\n", "'x'\nuses = ['n']\n", 1);
    let files = [("modules/m/module.toml", &*m), ("modules/n/module.toml", &*n), ("modules/m/x", "")];
    insta::assert_snapshot!(errors("modules = ['m', 'n']\n", &files), @"
    error: a key is a string, this is an integer
      --> modules/m/module.toml:41:1
       |
    41 | '{{ m.number }}' = 1
       | ^^^^^^^^^^^^^^^^
       |
       = help: add the filter `string`
    ");
    let m = m.replace("'{{ m.number }}' = 1", "b = 1");
    insta::assert_snapshot!(errors("modules = ['m', 'n']\n", &[("modules/m/module.toml", &m), files[1], files[2]]), @r#"
    error: two keys are `a`
      --> modules/m/module.toml:45:1
       |
    44 | a = 1
       | - and this
    45 | '{{ "a" }}' = 2
       | ^^^^^^^^^^^ this
       |
       = help: write them as one, or in two `[[set]]`
    "#);
    let m = m.split("[[set]]").next().unwrap();
    let files = [("modules/m/module.toml", m), ("modules/n/module.toml", &*n), ("modules/m/x", "")];
    insta::assert_snapshot!(errors("modules = ['m', 'n']\n", &files), @"
    error: expected a list of strings, found an integer
      --> modules/m/module.toml:19:13
       |
    19 | wanted_by = '{{ m.number }}'
       |             ^^^^^^^^^^^^^^^^
       |
       = help: write it in `[ ]`

    error: `a.d/b` is no name of a drop-in
      --> modules/m/module.toml:21:8
       |
    21 | name = 'a.d/{{ m.items | first }}'
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: write it like `x.service.d/y.conf`

    error: `name` is needed
      --> modules/m/module.toml:23:1
       |
    23 | [[group]]
       | ^^^^^^^^^
       |
       = help: give it a value

    error: a file of mode 0666 would be for others to change, or to run as its owner
      --> modules/m/module.toml:28:8
       |
    28 | mode = '0666'
       |        ^^^^^^
       |
       = help: leave out these bits

    error: a file needs a name or a path
      --> modules/m/module.toml:29:1
       |
    29 | [[file]]
       | ^^^^^^^^
       |
       = help: give it one

    error: a drop-in is wanted by nobody
      --> modules/m/module.toml:35:13
       |
    35 | wanted_by = ['b.target']
       |             ^^^^^^^^^^^^
       |
       = help: leave it out

    error: expected a list or a map, found an integer
      --> modules/m/module.toml:37:12
       |
    37 | for_each = 'm.number'
       |            ^^^^^^^^^^
       |
       = help: `for_each` goes through a list or a map
    ");
}

#[test]
fn more_than_there_can_be() {
    let items = ("items", "type = 'list of int'\nrepeat = true\ndefault = '{{ range(10000) | list }}'");
    let group = "[[package]]\nfor_each = 'm.items'\nname = 'aa'\n";
    insta::assert_snapshot!(errors_of(&module(&[items], &group.repeat(11))), @"
    error: more than 100000 artifacts
      --> modules/m/module.toml:38:1
       |
    38 | [[package]]
       | ^^^^^^^^^^^
       |
       = help: go through fewer entries
    ");
    let long = "type = 'string'\ndefault = '{{ \"a\" * 1000000 }}'";
    let names: Vec<String> = (0..68).map(|number| format!("a{number:02}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), long)).collect();
    insta::assert_snapshot!(errors_of(&module(&many, "")), @"
    error: the settings take more than 64 MiB together
       --> modules/m/module.toml:271:10
        |
    271 | [options.a67]
        |          ^^^ too much from here on
        |
        = help: look for options that repeat the values of others
    ");
}
