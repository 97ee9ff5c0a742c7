//! Expressions that have no value, and templates that have no text.

use super::{errors, errors_of, module};

#[test]
fn expressions() {
    let rows = [
        "{{ 1 + }}",
        "{{ \"a\" | join }}",
        "{{ [\"a\"] | join(\",\", \"b\") }}",
        "{{ (\"a\" ~ \"b\" if true else \"c\" ~ \"d\") ~ \"e\" }}",
    ];
    for row in rows {
        let option = format!("type = 'string'\ndefault = '{row}'");
        println!("{}", errors_of(&module(&[("a", &option)], "")));
    }
}

#[test]
fn templates() {
    let rows = [
        "{{ script('run') | upper }}",
        "{{ 'a' * 17000000 }}",
        "{% include 'a.txt' %}",
        "{% set x = 1 %}{{ x ~ }}",
        "{{ 1 ~ '{{' ~ }}",
    ];
    for row in rows {
        let rest = "[[script]]\nname = 'run'\nsource = 'x'\n[[file]]\nname = 'a'\ntemplate = 'a.txt'\n";
        let files = [("modules/m/module.toml", &*module(&[], rest)), ("modules/m/x", ""), ("modules/m/a.txt", row)];
        println!("{}", errors("modules = ['m']\n", &files));
    }
}
