//! Errors of the types of options: of their declarations, and of what has them.

use super::{errors, errors_of, good, module, setting};
use crate::base::report::{RenderStyle, render};

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
    error: `m.a[…]` has no field `prot`
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
    error: `m.a[0]` has no field `prot`
     --> hosts/h.toml:7:1
      |
    7 | prot = 1
      | ^^^^
      |
      = help: did you mean `port`?

    error: `m.a[1].own` is set by modules, not by hosts
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

    error: `m.a[1].in.k[1].x`: expected an integer, found a string
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

    error: `m.a[1].in.k[2]`: expected a table, found an integer
      --> hosts/h.toml:12:30
       |
    12 | k = [{ x = 1 }, { x = '1' }, 3]
       |                              ^ this is an integer
       |
       = help: write it in `{ }`, or as `[table]`
    ");
}

const GONE: &str = "[options.gone]\nremoved = 'write `new` twice'
[options.t]\ntype = 'map of table'\ndescription = 'x'
[options.t.fields.a]\ntype = 'int'\nrenamed_from = 'b'\ndefault = 0\ndescription = 'x'
[options.t.fields.c]\nremoved = 'a counts it now'
";
const NEW: (&str, &str) = ("new", "type = 'int'\nrenamed_from = 'old'\ndefault = 1");

#[test]
fn old_names_are_understood() {
    let module = module(&[NEW], &format!("{GONE}[[set]]\n[set.m.t.y]\nb = 4\n"));
    let host = "modules = ['m']\nimports = ['site.toml']\n[m]\nold = 2\n[m.t.x]\nb = 3\n";
    let site = ("hosts/site.toml", "[m]\nnew = 5\n[m.t]\nreplace = { z = { b = 6 } }\n");
    let compiled = good(host, &[(M, &module), site]);
    assert_eq!(setting(&compiled, "m.new"), "2");
    assert_eq!(setting(&compiled, "m.t"), r#"{ "x" = { "a" = 3 }, "z" = { "a" = 6 } }"#);
    insta::assert_snapshot!(render(&compiled.warnings, RenderStyle::default()), @"
    warning: `m.t.z.b` is called `m.t.z.a` now
      --> hosts/site.toml:4:19
       |
     4 | replace = { z = { b = 6 } }
       |                   ^
       |
      ::: modules/m/module.toml:13:19
       |
    13 | [options.t.fields.a]
       |                   - renamed here
       |
       = help: write `a`

    warning: `m.old` is called `m.new` now
     --> hosts/h.toml:8:1
      |
    8 | old = 2
      | ^^^
      |
     ::: modules/m/module.toml:3:10
      |
    3 | [options.new]
      |          --- renamed here
      |
      = help: write `new`

    warning: `m.t.x.b` is called `m.t.x.a` now
      --> hosts/h.toml:10:1
       |
    10 | b = 3
       | ^
       |
      ::: modules/m/module.toml:13:19
       |
    13 | [options.t.fields.a]
       |                   - renamed here
       |
       = help: write `a`

    warning: `m.t.y.b` is called `m.t.y.a` now
      --> modules/m/module.toml:22:1
       |
    13 | [options.t.fields.a]
       |                   - renamed here
    ...
    22 | b = 4
       | ^
       |
       = help: write `a`
    ");
}

#[test]
fn names_that_are_gone() {
    let rest = format!("{GONE}[[warn]]\nwhen = 'm.old or m.gone'\nmessage = 'x'\n");
    let module = module(&[NEW], &rest);
    let host = "modules = ['m']\n[m]\nold = 2\nnew = 2\ngone = 1\n[m.t.x]\nc = 3\n";
    insta::assert_snapshot!(errors(host, &[(M, &module)]), @"
    error: `m.new` is set under two names
     --> hosts/h.toml:7:1
      |
    7 | old = 2
      | ^^^ its old name
    8 | new = 2
      | --- its name
      |
      = help: leave out `old`

    error: `m` has no `gone` any more
     --> hosts/h.toml:9:1
      |
    9 | gone = 1
      | ^^^^
      |
     ::: modules/m/module.toml:9:11
      |
    9 | removed = 'write `new` twice'
      |           ------------------- removed here
      |
      = help: write `new` twice

    error: `m.t.x` has no `c` any more
      --> hosts/h.toml:11:1
       |
    11 | c = 3
       | ^
       |
      ::: modules/m/module.toml:19:11
       |
    19 | removed = 'a counts it now'
       |           ----------------- removed here
       |
       = help: a counts it now
    ");
    insta::assert_snapshot!(errors_of(&module), @"
    error: module `m` has no option `old`
      --> modules/m/module.toml:21:9
       |
    21 | when = 'm.old or m.gone'
       |         ^^^^^
       |
       = help: it is called `new` now

    error: module `m` has no option `gone`
      --> modules/m/module.toml:21:18
       |
    21 | when = 'm.old or m.gone'
       |                  ^^^^^^
       |
       = help: write `new` twice
    ");
}

#[test]
fn renames_that_cannot_be() {
    insta::assert_snapshot!(errors_of(&module(
        &[
            NEW,
            ("other", "type = 'int'\nrenamed_from = 'old'\ndefault = 1"),
            ("third", "type = 'int'\nrenamed_from = 'gone'\ndefault = 1"),
        ],
        "[options.gone]\ntype = 'int'\nremoved = ''\n",
    )), @"
    error: `old` has a meaning already
      --> modules/m/module.toml:11:16
       |
     6 | renamed_from = 'old'
       |                ----- the other
    ...
    11 | renamed_from = 'old'
       |                ^^^^^ the old name
       |
       = help: leave one of them out: a name means one thing

    error: `gone` has a meaning already
      --> modules/m/module.toml:16:16
       |
    16 | renamed_from = 'gone'
       |                ^^^^^^ the old name
    17 | default = 1
    18 | [options.gone]
       |          ---- the other
       |
       = help: leave one of them out: a name means one thing

    error: an option that was removed has no key `type`
      --> modules/m/module.toml:19:1
       |
    19 | type = 'int'
       | ^^^^
       |
       = help: there is only `removed`
    ");
}

#[test]
fn xpaths() {
    let options = [
        ("a", "type = 'list of xpath'\ndefault = ['//Param', '//Param[']"),
        ("b", "type = 'xpath'\ndefault = '//{{ host.name }}[x'"),
    ];
    insta::assert_snapshot!(errors_of(&module(&options[..1], "")), @r#"
    error: this is no XPath 1.0: unexpected end of input, expected an expression
     --> modules/m/module.toml:6:33
      |
    6 | default = ['//Param', '//Param[']
      |                                 ^
      |
      = help: write it like `//Param[@name="SC_Lat"]`, or `/*[@role="observation"]`
    "#);
    insta::assert_snapshot!(errors_of(&module(&options[1..], "")), @r#"
    error: `m.b`: this is no XPath 1.0: unexpected end of input, expected `]`
     --> modules/m/module.toml:6:11
      |
    3 | [options.b]
      |          - declared here
    ...
    6 | default = '//{{ host.name }}[x'
      |           ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write it like `//Param[@name="SC_Lat"]`, or `/*[@role="observation"]`
    "#);
    let host = "modules = ['m']\n[m]\na = [\"\\u0022é\\u0022 = //voe:VOEvent[@x]\", '''//a[matches(b)]''']\n";
    let module = module(&[("a", "type = 'list of xpath'\ndefault = []")], "");
    insta::assert_snapshot!(errors(host, &[(M, &module)]), @r#"
    error: `m.a`: nobody says what the prefix `voe` stands for
     --> hosts/h.toml:7:25
      |
    7 | a = ["\u0022é\u0022 = //voe:VOEvent[@x]", '''//a[matches(b)]''']
      |                         ^^^^
      |
     ::: modules/m/module.toml:3:10
      |
    3 | [options.a]
      |          - declared here
      |
      = help: write `*[local-name()="VOEvent"]`; elements within a VOEvent have no namespace

    error: `m.a`: XPath 1.0 has no function `matches`
     --> hosts/h.toml:7:50
      |
    7 | a = ["\u0022é\u0022 = //voe:VOEvent[@x]", '''//a[matches(b)]''']
      |                                                  ^^^^^^^
      |
     ::: modules/m/module.toml:3:10
      |
    3 | [options.a]
      |          - declared here
      |
      = help: XPath 1.0 has 27 functions, `contains` and `starts-with` among them
    "#);
}

#[test]
fn newer_toml_is_a_warning() {
    let module = module(&[("a", "type = 'map of int'\ndefault = { b = 1, }")], "");
    let compiled = good("modules = ['m']\n[m]\na = { c = 1,\nd = 2 }\n", &[(M, &module)]);
    insta::assert_snapshot!(render(&compiled.warnings, RenderStyle::default()), @"
    warning: an inline table on several lines: TOML 1.0 does not have that, and editors refuse it
     --> hosts/h.toml:7:13
      |
    7 | a = { c = 1,
      |             ^
      |
      = help: write it on one line, or as `[table]`

    warning: a comma behind the last entry of an inline table: TOML 1.0 does not have that, and editors refuse it
     --> modules/m/module.toml:6:18
      |
    6 | default = { b = 1, }
      |                  ^
      |
      = help: leave it out
    ");
}

#[test]
fn options_that_contradict_themselves() {
    let options = [
        ("a", "type = 'int'\noptional = true\ndefault = 1"),
        ("b", "type = 'int'\noptional = true\ndefault = '{{ m.c }}'"),
        ("c", "type = 'int'\noptional = true"),
        ("d", "type = 'table'\noptional = true\n[options.d.fields.x]\ntype = 'int'\ndescription = 'x'"),
        ("e", "type = 'table'\ndefault = {}\n[options.e.fields.x]\ntype = 'int'\ndescription = 'x'"),
    ];
    insta::assert_snapshot!(errors_of(&module(&options, "")), @"
    error: an option with a default is never none
     --> modules/m/module.toml:6:1
      |
    6 | optional = true
      | ^^^^^^^^
    7 | default = 1
      |           - its default
      |
      = help: leave out one of them

    error: a table is never none: it has its fields
      --> modules/m/module.toml:20:1
       |
    20 | optional = true
       | ^^^^^^^^
       |
       = help: make its fields optional

    error: a table has no default of its own
      --> modules/m/module.toml:27:11
       |
    27 | default = {}
       |           ^^
       |
       = help: give its fields their defaults
    ");
}
