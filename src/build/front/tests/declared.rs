//! What a module says of itself that cannot be: a row a rule.

use super::{errors, errors_of, module};

#[test]
fn options() {
    let nested = format!("type = '{}int'", "list of ".repeat(9));
    let table =
        "type = 'list of table'\ndefault = [{ x = 1 }]\nfields.y = { type = 'int', description = 'x' }";
    let options = [("deep", &*nested), ("bare", "type = 'table'\nfields = {}"), ("rows", table)];
    insta::assert_snapshot!(errors_of(&module(&options, "")), @"
    error: more than 8 lists and maps in each other
     --> modules/m/module.toml:5:8
      |
    5 | ... = 'list of list of list of list of list of list of list of list of list of int'
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: use a table, with a name for each part

    error: a table without fields
     --> modules/m/module.toml:9:1
      |
    9 | fields = {}
      | ^^^^^^
      |
      = help: add `[options.x.fields.y]` for each of its fields

    error: there is no field `x`
      --> modules/m/module.toml:13:14
       |
    13 | default = [{ x = 1 }]
       |              ^
       |
       = help: there is only `y`
    ");
}

#[test]
fn entries() {
    let rest = "[[file]]
name = 'a'
source = 'x'
grammar = 'text'
[[file]]
name = 'b'
template = 'x'
grammar = 'tomll'
[[assert]]
that = 'true'
level = 'fatal'
message = 'x'
";
    let module = module(&[], rest).replacen("'x'\n", "'x'\nuses = ['m']\n", 1);
    insta::assert_snapshot!(errors("modules = ['m']\n", &[("modules/m/module.toml", &module), ("modules/m/x", "")]), @"
    error: `m` names itself
     --> modules/m/module.toml:3:9
      |
    3 | uses = ['m']
      |         ^^^
      |
      = help: leave it out

    error: a `source` is taken as it is: it has no grammar
     --> modules/m/module.toml:7:11
      |
    7 | grammar = 'text'
      |           ^^^^^^
      |
      = help: leave it out

    error: there is no grammar `tomll`
      --> modules/m/module.toml:11:11
       |
    11 | grammar = 'tomll'
       |           ^^^^^^^
       |
       = help: did you mean `toml`?

    error: there is no level `fatal`
      --> modules/m/module.toml:14:9
       |
    14 | level = 'fatal'
       |         ^^^^^^^
       |
       = help: write `error` or `warning`
    ");
}

#[test]
fn values_that_toml_has_and_a_source_has_not() {
    let host = "modules = ['m']\n[m]\nnumber = 99999999999999999999\ntext = \"\\U000F0000\"\n";
    let options = [("number", "type = 'int'"), ("text", "type = 'string'")];
    insta::assert_snapshot!(errors(host, &[("modules/m/module.toml", &module(&options, ""))]), @r#"
    error: the number is too large
     --> hosts/h.toml:7:10
      |
    7 | number = 99999999999999999999
      |          ^^^^^^^^^^^^^^^^^^^^
      |
      = help: 64 bits are the most

    error: U+F0000 is not allowed in a source
     --> hosts/h.toml:8:8
      |
    8 | text = "\U000F0000"
      |        ^^^^^^^^^^^^
      |
      = help: leave it out
    "#);
}

#[test]
fn fields_that_read_their_entry() {
    let table = "type = 'map of table'\ndefault = {}\nfields.y = { type = 'int', description = 'x', default = '{{ each.value.y }}' }";
    insta::assert_snapshot!(errors_of(&module(&[("rows", table)], "")), @"
    error: `each.value` is not known yet while its fields get their defaults
     --> modules/m/module.toml:7:61
      |
    7 | ...ription = 'x', default = '{{ each.value.y }}' }
      |                                 ^^^^^^^^^^^^
      |
      = help: use `each.key`
    ");
}
