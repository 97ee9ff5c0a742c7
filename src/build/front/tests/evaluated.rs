//! Expressions that have no value, and templates that have no text.

use crate::base::report::{RenderStyle, render};

use super::{errors_of, module, try_compile};

#[test]
fn expressions() {
    let rows = [
        "{{ 1 + }}",
        "{{ \"a\" | join }}",
        "{{ [\"a\"] | join(\",\", \"b\") }}",
        "{{ \"a\" ~ \"b\" if \"c\" ~ \"d\" is string else \"e\" ~ -1 }}",
        "{{ not \"a\" ~ \"b\" }}",
        "{{ -\"a\" ~ \"b\" }}",
    ];
    for row in rows {
        let option = format!("type = 'string'\ndefault = '{row}'");
        match try_compile("modules = ['m']\n", &[("modules/m/module.toml", &module(&[("a", &option)], ""))]) {
            Ok(_) => println!("fine: {row}"),
            Err(e) => println!("{}", render(&e, RenderStyle::default())),
        }
    }
}

#[test]
fn templates() {
    let rows = [
        "{{ script('run') | upper }}",
        "{% for i in range(17) %}{{ 'a' * 1000000 }}{% endfor %}",
        "{% include 'a.txt' %}",
        "{% set x = 1 %}{{ x ~ }}",
    ];
    for row in rows {
        let rest = "[[script]]\nname = 'run'\nsource = 'x'\n[[file]]\nname = 'a'\ntemplate = 'a.txt'\n";
        let files = [("modules/m/module.toml", &*module(&[], rest)), ("modules/m/x", ""), ("modules/m/a.txt", row)];
        match try_compile("modules = ['m']\n", &files) {
            Ok(_) => println!("fine: {row}"),
            Err(e) => println!("{}", render(&e, RenderStyle::default())),
        }
    }
}
