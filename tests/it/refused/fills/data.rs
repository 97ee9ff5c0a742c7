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
    insta::assert_snapshot!(said("ini", &rows), @r#"
    error: the comment ends in `\`, which could join the next line
     --> 01.j2:1:6
      |
    1 | # {{ 'a\\' }}
      |      ^^^^^
      |
      = help: leave the last `\` out

    error: this is neither a section, nor `key = value`, nor a comment
     --> 02.j2:1:4
      |
    1 | {{ 'a' }}
      |    ^^^
      |
      = help: write `key = ` before it

    error: it stands before the first `[section]`
     --> 03.j2:1:8
      |
    1 | k = {{ 'a' }}
      |        ^^^
      |
      = help: if the reader takes lines as they are, use the grammar `lines`

    error: there is no key before the value
     --> 04.j2:2:6
      |
    2 | = {{ 'a' }}
      |      ^^^
      |
      = help: write `key = ` before it

    error: some readers take a `'` at an end of the value away
     --> 05.j2:2:8
      |
    2 | k = {{ "'a" }}
      |        ^^^^
      |
      = help: if the reader takes lines as they are, use the grammar `lines`

    error: there is a section `s` already
     --> 06.j2:2:1
      |
    2 | [s]
      | ^
      |
      = help: give the section another name

    error: the value cannot be part of a name here
     --> 07.j2:2:4
      |
    2 | {{ 'a b' }} = 1
      |    ^^^^^
      |
      = help: lower-case letters, digits, `_`, `.` and `-` can
    "#);
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
    let rows =
        ["a{{ 'b c' }} = 1\n", "a = \"\\{{ 'n' }}\"\n", "a = '{{ \"'\" }}'\n", "a = '''{{ \"\\nb\" }}'''\n"];
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

    error: `'` cannot stand within `'`
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
    let rows =
        ["{{ 'a' }}<a/>\n", "<a>{{ '\\u0001' }}</a>\n", "<!-- {{ 'a' }} --><a/>\n", "<a {{ 'b' }}=\"c\"/>\n"];
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
    let rows = ["{{ 0.5 }}\n"];
    insta::assert_snapshot!(said("text", &rows), @"
    error: a float has no text of its own
     --> 01.j2:1:4
      |
    1 | {{ 0.5 }}
      |    ^^^
      |
      = help: make it a text that looks as it should
    ");
}
