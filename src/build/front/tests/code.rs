//! Errors of expressions and templates, each as their author sees it.

use super::{errors, errors_of, module};

const ONE: (&str, &str) = ("a", "type = 'int'\ndefault = 1");

#[test]
fn undefined_names_in_expressions() {
    insta::assert_snapshot!(errors_of(&module(
        &[("a", "type = 'int'\ndefault = \"{{ m.aa + other.x + hots.name }}\"")],
        "[[assert]]\nthat = 'm.a.b'\nmessage = '{{ each.key }}'\n[[set]]\n[set.other]\nx = 1\n",
    )), @r#"
    error: module `m` has no option `aa`
     --> modules/m/module.toml:6:15
      |
    6 | default = "{{ m.aa + other.x + hots.name }}"
      |               ^^^^
      |
      = help: did you mean `a`?

    error: `m` knows no `other`
     --> modules/m/module.toml:6:22
      |
    6 | default = "{{ m.aa + other.x + hots.name }}"
      |                      ^^^^^^^
      |
      = help: known are `m`, `host`, `each` and `instance`

    error: `m` knows no `hots`
     --> modules/m/module.toml:6:32
      |
    6 | default = "{{ m.aa + other.x + hots.name }}"
      |                                ^^^^^^^^^
      |
      = help: did you mean `host`?

    error: `m.a` is one value: it has no `b`
     --> modules/m/module.toml:8:9
      |
    8 | that = 'm.a.b'
      |         ^^^^^
      |
      = help: write `m.a`

    error: there is no `each` here
     --> modules/m/module.toml:9:15
      |
    9 | message = '{{ each.key }}'
      |               ^^^^^^^^
      |
      = help: add `for_each = "…"` to the entry

    error: `m` cannot set options of `other`: it does not name it
      --> modules/m/module.toml:11:6
       |
    11 | [set.other]
       |      ^^^^^
       |
       = help: there is only `m`
    "#);
}

#[test]
fn undefined_names_in_templates() {
    let rest = "[[unit]]\nname = 'a.service'\ntemplate = 'a.service.j2'\n";
    let template = "[Service]\n{% if m.b %}\nUser={{ m.a }}{{ x }}\n{% endif %}\n";
    insta::assert_snapshot!(errors(
        "modules = ['m']\n",
        &[("modules/m/module.toml", &module(&[ONE], rest)), ("modules/m/a.service.j2", template)],
    ), @"
    error: module `m` has no option `b`
     --> modules/m/a.service.j2:2:7
      |
    2 | {% if m.b %}
      |       ^^^
      |
      = help: there is only `a`

    error: `m` knows no `x`
     --> modules/m/a.service.j2:3:18
      |
    3 | User={{ m.a }}{{ x }}
      |                  ^
      |
      = help: known are `m`, `host`, `each` and `instance`
    ");
}

#[test]
fn references_that_lead_nowhere() {
    let rest = "[[script]]\nname = 'run'\ntemplate = 'run.sh.j2'\n\
                [[venv]]\nname = 'v'\nwhen = 'm.a > 1'\nrequirements = []\n";
    let template = "{{ script('rum') }} {{ venv('v') ~ '/bin/x' }} {{ file('other/x') }}\n";
    insta::assert_snapshot!(errors(
        "modules = ['m']\n",
        &[("modules/m/module.toml", &module(&[ONE], rest)), ("modules/m/run.sh.j2", template)],
    ), @r"
        error: module `m` has no script `rum`
         --> modules/m/run.sh.j2:1:4
          |
        1 | {{ script('rum') }} {{ venv('v') ~ '/bin/x' }} {{ file('other/x') }}
          |    ^^^^^^^^^^^^^
          |
          = help: did you mean `run`?

        error: module `m` has no venv `v`
         --> modules/m/run.sh.j2:1:24
          |
        1 | {{ script('rum') }} {{ venv('v') ~ '/bin/x' }} {{ file('other/x') }}
          |                        ^^^^^^^^^^^^^^^^^^^^
          |
          = help: its `when` or `for_each` leaves `v` out here: ask the same before naming it

        error: `m` knows no module `other`
         --> modules/m/run.sh.j2:1:51
          |
        1 | {{ script('rum') }} {{ venv('v') ~ '/bin/x' }} {{ file('other/x') }}
          |                                                   ^^^^^^^^^^^^^^^
          |
          = help: name `other` in `requires` or `uses` of `m`
        ");
}

#[test]
fn statements_that_are_not_allowed() {
    let rest = "[[unit]]\nname = 'a.service'\ntemplate = 'a.service.j2'\n";
    let template = "{% set x %}{{ m.a }}{% endset %}
{% filter upper %}a{% endfilter %}
{% for x in [1] recursive %}{{ loop([2]) }}{% endfor %}
{{ m.a | safe }}{{ debug() }}{{ m.a | uper }}
{% include m.a %}
{% with y = 1 %}{% endwith %}
";
    insta::assert_snapshot!(errors(
        "modules = ['m']\n",
        &[("modules/m/module.toml", &module(&[ONE], rest)), ("modules/m/a.service.j2", template)],
    ), @r#"
    error: `set … endset` is not allowed in a template
     --> modules/m/a.service.j2:1:4
      |
    1 | {% set x %}{{ m.a }}{% endset %}
      |    ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: templates have `if`, `for`, `set`, `include` and `raw`

    error: `filter` is not allowed in a template
     --> modules/m/a.service.j2:2:4
      |
    2 | {% filter upper %}a{% endfilter %}
      |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: templates have `if`, `for`, `set`, `include` and `raw`

    error: recursive loops are not allowed
     --> modules/m/a.service.j2:3:4
      |
    3 | {% for x in [1] recursive %}{{ loop([2]) }}{% endfor %}
      |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write a loop in a loop

    error: there is no function `loop` here
     --> modules/m/a.service.j2:3:32
      |
    3 | {% for x in [1] recursive %}{{ loop([2]) }}{% endfor %}
      |                                ^^^^^^^^^
      |
      = help: known are `range`, `script`, `venv`, `file`, `unit` and `credential`

    error: there is no function `debug` here
     --> modules/m/a.service.j2:4:20
      |
    4 | {{ m.a | safe }}{{ debug() }}{{ m.a | uper }}
      |                    ^^^^^^^
      |
      = help: known are `range`, `script`, `venv`, `file`, `unit` and `credential`

    error: there is no filter `uper`
     --> modules/m/a.service.j2:4:39
      |
    4 | {{ m.a | safe }}{{ debug() }}{{ m.a | uper }}
      |                                       ^^^^
      |
      = help: did you mean `upper`?

    error: an include names one file
     --> modules/m/a.service.j2:5:4
      |
    5 | {% include m.a %}
      |    ^^^^^^^^^^^
      |
      = help: write `{% include "x" %}`

    error: `with` is not allowed in a template
     --> modules/m/a.service.j2:6:4
      |
    6 | {% with y = 1 %}{% endwith %}
      |    ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: templates have `if`, `for`, `set`, `include` and `raw`
    "#);
}

#[test]
fn statements_in_strings() {
    let a = ("a", "type = 'string'\ndefault = \"{% if true %}{{ 1 }}{% endif %}\"");
    insta::assert_snapshot!(errors_of(&module(&[a], "")), @r#"
        error: `if` is not allowed in a string
         --> modules/m/module.toml:6:15
          |
        6 | default = "{% if true %}{{ 1 }}{% endif %}"
          |               ^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: a string may have `{{ … }}` in it; statements are for template files
        "#);
}

#[test]
fn too_long_an_expression() {
    let long = format!("type = 'int'\ndefault = '{{{{ {}1 }}}}'", "1 + ".repeat(300));
    let error = errors_of(&module(&[("a", &long)], ""));
    assert!(
        error.starts_with("error: an expression of 1203 bytes\n --> modules/m/module.toml:6:"),
        "{error}"
    );
    let deep = format!("type = 'int'\ndefault = '{{{{ {}1{} }}}}'", "(".repeat(65), ")".repeat(65));
    let error = errors_of(&module(&[("a", &deep)], ""));
    assert!(error.starts_with("error: more than 64 levels"), "{error}");
}

#[test]
fn expressions_of_the_wrong_type() {
    insta::assert_snapshot!(errors_of(&module(
        &[
            ("a", "type = 'int'\ndefault = \"{{ 'x' }}\""),
            ("b", "type = 'string'\ndefault = '{{ 1 + 1 }}'"),
            ("c", "type = 'string'\ndefault = 'x{{ [1] }}'"),
            ("d", "type = 'int'\ndefault = '{{ {}.x }}'"),
            ("e", "type = 'int'\ndefault = '{{ none }}'"),
            ("f", "type = 'int'\ndefault = \"\\u00e9{{ 1 + 'x' }}\""),
        ],
        "",
    )), @r#"
        error: `m.a`: expected an integer, found a string
         --> modules/m/module.toml:6:11
          |
        3 | [options.a]
          |          - declared here
        ...
        6 | default = "{{ 'x' }}"
          |           ^^^^^^^^^^^
          |
          = help: this expression gives a string; a filter could change that

        error: `m.b`: expected a string, found an integer
          --> modules/m/module.toml:10:11
           |
         7 | [options.b]
           |          - declared here
        ...
        10 | default = '{{ 1 + 1 }}'
           |           ^^^^^^^^^^^^^
           |
           = help: this expression gives an integer; a filter could change that

        error: this is a list, which has no text
          --> modules/m/module.toml:14:16
           |
        14 | default = 'x{{ [1] }}'
           |                ^^^
           |
           = help: see the types of what it reads

        error: this is not defined
          --> modules/m/module.toml:18:14
           |
        18 | default = '{{ {}.x }}'
           |              ^^^^^^
           |
           = help: ask `x.on` before reading options of a module that may be off, and `key in map` before reading an entry

        error: `m.e`: expected an integer, found nothing
          --> modules/m/module.toml:22:11
           |
        19 | [options.e]
           |          - declared here
        ...
        22 | default = '{{ none }}'
           |           ^^^^^^^^^^^^
           |
           = help: this expression gives nothing; a filter could change that

        error: tried to use + operator on unsupported types number and string
          --> modules/m/module.toml:26:21
           |
        26 | default = "\u00e9{{ 1 + 'x' }}"
           |                     ^^^^^^^
           |
           = help: see the types of what it reads
        "#);
}

#[test]
fn entries_have_the_fields_of_their_type() {
    let a = ("a", "type = 'map of table'\n[options.a.fields.port]\ntype = 'port'\ndescription = 'x'");
    let rest = "[[package]]\nfor_each = 'm.a'\nwhen = 'each.value.prot'\nname = '{{ each.kye }}'\n";
    insta::assert_snapshot!(errors_of(&module(&[a], rest)), @r"
        error: `each.value` has no field `prot`
          --> modules/m/module.toml:11:9
           |
        11 | when = 'each.value.prot'
           |         ^^^^^^^^^^^^^^^
           |
           = help: did you mean `port`?

        error: `each` has `key` and `value`
          --> modules/m/module.toml:12:12
           |
        12 | name = '{{ each.kye }}'
           |            ^^^^^^^^
           |
           = help: write `each.key` or `each.value`
        ");
}

#[test]
fn bare_expressions_with_braces() {
    insta::assert_snapshot!(errors_of(&module(&[ONE], "[[assert]]\nthat = '{{ m.a > 0 }}'\nmessage = 'x'\n")), @"
    error: an expression that stands for itself has no `{{ }}`
     --> modules/m/module.toml:8:9
      |
    8 | that = '{{ m.a > 0 }}'
      |         ^^^^^^^^^^^^^
      |
      = help: write `m.a > 0`
    ");
}
