//! Errors of the types of options: of their declarations, and of what has them.

use super::{errors, errors_of, module};

const M: &str = "modules/m/module.toml";

#[test]
fn entries_of_a_list_of_tables() {
    let fields = "[options.a.fields.port]\ntype = 'port'\ndescription = 'The port.'
[options.a.fields.own]\ntype = 'int'\ninternal = true\ndefault = 1\ndescription = 'x'
[options.a.fields.in]\ntype = 'map of list of table'\noptional = true\ndescription = 'x'
[options.a.fields.in.fields.x]\ntype = 'int'\ndescription = 'x'
[[package]]\nname = 'p{{ m.a[0].prot }}{{ m.a.port }}'
";
    let module = module(&[("a", "type = 'list of table'")], fields);
    let host = "modules = ['m']\n[[m.a]]\nprot = 1\n[[m.a]]\nport = 1\nown = 2\n[m.a.in]\nk = [{ x = 1 }, { x = '1' }, 3]\n";
    insta::assert_snapshot!(errors(host, &[(M, &module)]), @"
    error: `m.a.…` has no field `prot`
      --> modules/m/module.toml:22:13
       |
    22 | name = 'p{{ m.a[0].prot }}{{ m.a.port }}'
       |             ^^^^^^^^^^^
       |
       = help: did you mean `port`?

    error: `m.a` is a list
      --> modules/m/module.toml:22:30
       |
    22 | name = 'p{{ m.a[0].prot }}{{ m.a.port }}'
       |                              ^^^^^^^^
       |
       = help: go through it with a loop
    ");
    let module = module.split("[[package]]").next().unwrap();
    insta::assert_snapshot!(errors(host, &[(M, module)]), @"
    error: `m.a[0].port` must be set
     --> hosts/h.toml:6:1
      |
    6 | [[m.a]]
      | ^^^^^^^ needed here
      |
     ::: modules/m/module.toml:6:19
      |
    6 | [options.a.fields.port]
      |                   ---- declared here, without a default
      |
      = help: The port.

    error: `m.a[0]` has no field `prot`
     --> hosts/h.toml:7:1
      |
    7 | prot = 1
      | ^^^^
      |
      = help: did you mean `port`?

    error: `m.a[0].own` is set by modules, not by hosts
      --> hosts/h.toml:10:7
       |
    10 | own = 2
       |       ^
       |
      ::: modules/m/module.toml:9:19
       |
     9 | [options.a.fields.own]
       |                   --- declared `internal` here
       |
       = help: leave it out

    error: `m.a[0].in.k[1].x`: expected an integer, found a string
      --> hosts/h.toml:12:23
       |
    12 | k = [{ x = 1 }, { x = '1' }, 3]
       |                       ^^^
       |
      ::: modules/m/module.toml:18:29
       |
    18 | [options.a.fields.in.fields.x]
       |                             - declared here
       |
       = help: write `1` without quotes, if that is what is meant

    error: `m.a[0].in.k[1].x` must be set
      --> hosts/h.toml:12:30
       |
    12 | k = [{ x = 1 }, { x = '1' }, 3]
       |                              ^ needed here
       |
      ::: modules/m/module.toml:18:29
       |
    18 | [options.a.fields.in.fields.x]
       |                             - declared here, without a default
       |
       = help: x

    error: expected a table, found an integer
      --> hosts/h.toml:12:30
       |
    12 | k = [{ x = 1 }, { x = '1' }, 3]
       |                              ^ this is an integer
       |
       = help: write it in `{ }`, or as `[table]`
    ");
}
