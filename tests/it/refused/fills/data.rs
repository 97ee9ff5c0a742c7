//! Files of data.

use super::said;

#[test]
fn ini() {
    let rows = [
        "# {{ 'a\\\\' }}\n",
        "{{ 'a' }}\n",
        "k = {{ 'a' }}\n",
        "[s]\n= {{ 'a' }}\n",
        "[s]\nk = {{ \"'a\" }}\n",
        "[{{ 's' }}]\n[s]\n",
        "[s]\n{{ 'a b' }} = 1\n",
    ];
    insta::assert_snapshot!(said("ini", &rows), @"");
}

#[test]
fn json() {
    let rows = ["[1 {{ 2 }}]\n", "[\"\\{{ 'n' }}\"]\n", "{ {{ 1 }}: 2 }\n"];
    insta::assert_snapshot!(said("json", &rows), @r#"
    error: a value cannot stand here, where `,` or `]` must
     --> 01.j2:1:7
      |
    1 | [1 {{ 2 }}]
      |       ^
      |
      = help: move it to where a value can stand

    error: a value cannot stand after `\`
     --> 02.j2:1:7
      |
    1 | ["\{{ 'n' }}"]
      |       ^^^
      |
      = help: take the `\` away

    error: a key is a text
     --> 03.j2:1:6
      |
    1 | { {{ 1 }}: 2 }
      |      ^
      |
      = help: write `"` before and behind it
    "#);
}

#[test]
fn toml() {
    let rows = [
        "a{{ 'b c' }} = 1\n",
        "a = \"\\{{ 'n' }}\"\n",
        "a = '{{ \"'\" }}'\n",
        "a = '''{{ \"\\nb\" }}'''\n",
    ];
    insta::assert_snapshot!(said("toml", &rows), @r#"
    error: only letters, digits, `_` and `-` can stand in a key without quotes
     --> 01.j2:1:5
      |
    1 | a{{ 'b c' }} = 1
      |     ^^^^^
      |
      = help: write `"` before and behind the key

    error: a value cannot stand after `\`
     --> 02.j2:1:10
      |
    1 | a = "\{{ 'n' }}"
      |          ^^^
      |
      = help: take the `\` away

    error: `\'` cannot stand within `'`
     --> 03.j2:1:9
      |
    1 | a = '{{ "'" }}'
      |         ^^^
      |
      = help: write `"` before and behind the text

    error: a line break at the start of a string is lost
     --> 04.j2:1:11
      |
    1 | a = '''{{ "\nb" }}'''
      |           ^^^^^
      |
      = help: write `"` before and behind the text
    "#);
}

#[test]
fn xml() {
    let rows = [
        "{{ 'a' }}<a/>\n",
        "<a>{{ '\\u0001' }}</a>\n",
        "<!-- {{ 'a' }} --><a/>\n",
        "<a {{ 'b' }}=\"c\"/>\n",
    ];
    insta::assert_snapshot!(said("xml", &rows), @r#"
    error: a value cannot stand outside the root element
     --> 01.j2:1:4
      |
    1 | {{ 'a' }}<a/>
      |    ^^^
      |
      = help: move it into the root element

    error: the value has a `\u{1}`, which XML cannot have
     --> 02.j2:1:7
      |
    1 | <a>{{ '\u0001' }}</a>
      |       ^^^^^^^^
      |
      = help: leave that character out

    error: a value cannot stand in a comment
     --> 03.j2:1:9
      |
    1 | <!-- {{ 'a' }} --><a/>
      |         ^^^
      |
      = help: put it into an element

    error: a value cannot be part of a name
     --> 04.j2:1:7
      |
    1 | <a {{ 'b' }}="c"/>
      |       ^^^
      |
      = help: write the name, or choose among names by `{% if %}`
    "#);
}

#[test]
fn text() {
    let rows = ["{{ 0.5 }}\n", "{{ none }}\n", "{{ ['a'] }}\n", "{{ {'a': 1} }}\n"];
    insta::assert_snapshot!(said("text", &rows), @"");
}
