//! What a module says of itself that cannot be: a row a rule.

use super::{errors, errors_of, module};

#[test]
fn options() {
    let nested = format!("type = '{}int'", "list of ".repeat(9));
    let table = "type = 'list of table'\ndefault = [{ x = 1 }]\nfields.y = { type = 'int', description = 'x' }";
    let options = [("deep", &*nested), ("bare", "type = 'table'\nfields = {}"), ("rows", table)];
    insta::assert_snapshot!(errors_of(&module(&options, "")), @"");
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
    insta::assert_snapshot!(errors("modules = ['m']\n", &[("modules/m/module.toml", &module), ("modules/m/x", "")]), @"");
}

#[test]
fn values_that_toml_has_and_a_source_has_not() {
    let host = "modules = ['m']\n[m]\nnumber = 99999999999999999999\ntext = \"\\u0007\"\n";
    let options = [("number", "type = 'int'"), ("text", "type = 'string'")];
    insta::assert_snapshot!(errors(host, &[("modules/m/module.toml", &module(&options, ""))]), @"");
}

#[test]
fn fields_that_read_their_entry() {
    let table = "type = 'map of table'\ndefault = {}\nfields.y = { type = 'int', description = 'x', default = '{{ each.value.y }}' }";
    insta::assert_snapshot!(errors_of(&module(&[("rows", table)], "")), @"");
}
