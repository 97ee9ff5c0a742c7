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
    ("host", "type = 'host-port'"),
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
host = 'a b:8099'
net = '192.0.2.7/24'
keys = { '' = 1 }
";

#[test]
fn of_every_type() {
    insta::assert_snapshot!(errors(WRONG, &[("modules/m/module.toml", &module(KINDS, ""))]), @"");
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
    insta::assert_snapshot!(errors("modules = ['m', 'n']\n", &files), @"");
    let m = m.split("[[set]]").next().unwrap();
    let files = [("modules/m/module.toml", m), ("modules/n/module.toml", &*n), ("modules/m/x", "")];
    insta::assert_snapshot!(errors("modules = ['m', 'n']\n", &files), @"");
}

#[test]
fn more_than_there_can_be() {
    let items = ("items", "type = 'list of int'\nrepeat = true\ndefault = '{{ range(10000) | list }}'");
    let group = "[[package]]\nfor_each = 'm.items'\nname = 'a'\n";
    insta::assert_snapshot!(errors_of(&module(&[items], &group.repeat(11))), @"");
    let long = "type = 'string'\ndefault = '{{ \"a\" * 9000000 }}'";
    let many: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| (name, long)).into();
    insta::assert_snapshot!(errors_of(&module(&many, "")), @"");
}
