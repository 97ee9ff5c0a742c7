//! Expressions that have no value, and templates that have no text.

use super::{errors, errors_of, module};

#[test]
fn expressions() {
    let said = ["{{ 1 + }}", "{{ \"a\" | join }}", "{{ [\"a\"] | join(\",\", \"b\") }}", "{{ -\"a\" }}"]
        .map(|code| errors_of(&module(&[("a", &format!("type = 'string'\ndefault = '{code}'"))], "")));
    insta::assert_snapshot!(said.join("\n"), @r#"
    error: this is no expression or template: unexpected end of input, expected expression
     --> modules/m/module.toml:6:17
      |
    6 | default = '{{ 1 + }}'
      |                 ^
      |
      = help: the syntax is that of Jinja

    error: only a list can be joined
     --> modules/m/module.toml:6:21
      |
    6 | default = '{{ "a" | join }}'
      |                     ^^^^
      |
      = help: see the types of what it reads

    error: a list is joined by one text; `map(attribute=…)` takes a field of its entries
     --> modules/m/module.toml:6:23
      |
    6 | default = '{{ ["a"] | join(",", "b") }}'
      |                       ^^^^^^^^^^^^^^
      |
      = help: see the types of what it reads

    error: these values do not go together here
     --> modules/m/module.toml:6:15
      |
    6 | default = '{{ -"a" }}'
      |               ^^^^
      |
      = help: see the types of what it reads
    "#);
}

/// What is said of a module whose file has this template.
pub(super) fn said(template: &str) -> String {
    let rest = "[[script]]\nname = 'run'\nsource = 'x'\n[[file]]\nname = 'a'\ntemplate = 'a.txt'\n";
    let files =
        [("modules/m/module.toml", &*module(&[], rest)), ("modules/m/x", ""), ("modules/m/a.txt", template)];
    errors("modules = ['m']\n", &files)
}

#[test]
fn templates() {
    let long = format!("a long text\n{{% for i in range(17) %}}{}{{% endfor %}}", "a line\n".repeat(149_000));
    let said = [
        &long,
        "{{ script('run') | upper }}",
        "{{ (script('run') ~ 'x') | upper }}",
        "{% include 'a.txt' %}",
        "{{ 1 ~ }}",
        "{% set a.b = 1 %}",
        "{{ 'a'.b() }}",
        "{{ script('run', 'b') }}",
        "{{ (1)(2) }}",
        "{{ '\\u0000' }}",
    ]
    .map(said);
    insta::assert_snapshot!(said.join("\n"), @r#"
    error: this takes too long to evaluate
     --> modules/m/a.txt:1:1
      |
    1 | a long text
      | ^
      |
      = help: do less

    error: a reference is only written, joined with `~`, or passed on
     --> modules/m/a.txt:1:20
      |
    1 | {{ script('run') | upper }}
      |                    ^^^^^
      |
      = help: see the types of what it reads

    error: a reference is only written, joined with `~`, or passed on
     --> modules/m/a.txt:1:28
      |
    1 | {{ (script('run') ~ 'x') | upper }}
      |                            ^^^^^
      |
      = help: see the types of what it reads

    error: includes go too deep: `m/a.txt` → `m/a.txt`
     --> modules/m/a.txt:1:12
      |
    1 | {% include 'a.txt' %}
      |            ^^^^^^^
      |
      = help: a file does not include itself, and 8 levels are the most

    error: this is no expression or template: unexpected end of variable block
     --> modules/m/a.txt:1:8
      |
    1 | {{ 1 ~ }}
      |        ^^
      |
      = help: the syntax is that of Jinja

    error: only a plain name can be set
     --> modules/m/a.txt:1:10
      |
    1 | {% set a.b = 1 %}
      |          ^
      |
      = help: choose a name

    error: only functions can be called
     --> modules/m/a.txt:1:7
      |
    1 | {{ 'a'.b() }}
      |       ^^^^
      |
      = help: use a filter

    error: a reference has one name
     --> modules/m/a.txt:1:4
      |
    1 | {{ script('run', 'b') }}
      |    ^^^^^^^^^^^^^^^^^^
      |
      = help: write `script("x")`

    error: only functions can be called
     --> modules/m/a.txt:1:4
      |
    1 | {{ (1)(2) }}
      |    ^^^^^^
      |
      = help: use a filter

    error: this text has a character that is not allowed
     --> modules/m/a.txt:1:4
      |
    1 | {{ '\u0000' }}
      |    ^^^^^^^^
      |
      = help: leave it out
    "#);
}
