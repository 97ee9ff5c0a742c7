//! Files of data that no reader would take, whatever the value.

use super::said;

#[test]
fn json() {
    let rows = [
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
        "{\"a\": 1, \"a\": 2}\n",
        "[\"a\tb\"]\n",
        "[\"a\n",
        "[\"\\d\"]\n",
        "[nil]\n",
        "[1\n",
        "[1] 2\n",
    ];
    insta::assert_snapshot!(said("json", &rows), @r#"
    error: it is nested more than 64 levels deep
     --> 01.j2:1:65
      |
    1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
      |                                                                 ^
      |
      = help: write this line of the template otherwise

    error: the object has a key `a` already
     --> 02.j2:1:10
      |
    1 | {"a": 1, "a": 2}
      |          ^
      |
      = help: write this line of the template otherwise

    error: a string has a control character
     --> 03.j2:1:4
      |
    1 | ["a    b"]
      |    ^^^^
      |
      = help: write it as `\n` or `\u…`

    error: a string has a control character
     --> 04.j2:1:4
      |
    1 | ["a
      |    ^
      |
      = help: write it as `\n` or `\u…`

    error: this is no escape that JSON has
     --> 05.j2:1:3
      |
    1 | ["\d"]
      |   ^
      |
      = help: write this line of the template otherwise

    error: `nil` is no value
     --> 06.j2:1:2
      |
    1 | [nil]
      |  ^
      |
      = help: write this line of the template otherwise

    error: the text ends where `,` or `]` is missing
     --> 07.j2:1:3
      |
    1 | [1
      |   ^
      |
      = help: write this line of the template otherwise

    error: `2` cannot stand here, where the end must
     --> 08.j2:1:5
      |
    1 | [1] 2
      |     ^
      |
      = help: write this line of the template otherwise
    "#);
}

#[test]
fn toml() {
    let rows = [
        "a = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
        "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1\n",
        "a = 10:00\n",
        "a = \"\\d\"\n",
        "a = \"\"\"a\"\"\"\"\"\"\n",
        "a = \"\"\"a\\\n{{ ' b' }}\"\"\"\n",
        "a = \"\"\"\"{{ '' }}\"b\"\"\"\n",
        "a = 1\na = 2\n",
        "a = \"b\n",
    ];
    insta::assert_snapshot!(said("toml", &rows), @r#"
    error: it is nested more than 64 levels deep
     --> 01.j2:1:69
      |
    1 | a = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
      |                                                                     ^
      |
      = help: write this line of the template otherwise

    error: a key of more than 64 parts
     --> 02.j2:1:1
      |
    1 | a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a...
      | ^
      |
      = help: write this line of the template otherwise

    error: a time without seconds is no TOML 1.0
     --> 03.j2:1:5
      |
    1 | a = 10:00
      |     ^
      |
      = help: write `:00` behind it

    error: this is no escape that TOML 1.0 has
     --> 04.j2:1:6
      |
    1 | a = "\d"
      |      ^
      |
      = help: write this line of the template otherwise

    error: more quotes than can end a string
     --> 05.j2:1:14
      |
    1 | a = """a""""""
      |              ^
      |
      = help: write this line of the template otherwise

    error: blanks at the start of the value would be lost after `\` at the end of a line
     --> 06.j2:2:4
      |
    2 | {{ ' b' }}"""
      |    ^^^^
      |
      = help: take the `\` away

    error: the value is empty, and what stands before and behind it would be read as one
     --> 07.j2:1:12
      |
    1 | a = """"{{ '' }}"b"""
      |            ^^
      |
      = help: put it into `{% if … %}`

    error: this is no TOML: duplicate key
     --> 08.j2:2:1
      |
    2 | a = 2
      | ^
      |
      = help: write this line of the template otherwise

    error: the string has no end
     --> 09.j2:1:5
      |
    1 | a = "b
      |     ^
      |
      = help: write this line of the template otherwise
    "#);
}

#[test]
fn xml() {
    let rows = [
        "<?xml version=\"1.1\"?><a/>\n",
        "<?xml version=\"1.0\" encoding=\"latin1\"?><a/>\n",
        "<!DOCTYPE a><a/>\n",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>\n",
        "<a b=\"c\n",
        "<a>&b</a>\n",
        "<!-- a\n",
        "<a></b>\n",
        "<a b/>\n",
    ];
    insta::assert_snapshot!(said("xml", &rows), @r#"
    error: this is not XML 1.0
     --> 01.j2:1:1
      |
    1 | <?xml version="1.1"?><a/>
      | ^
      |
      = help: write `version="1.0"`

    error: the document names another encoding than UTF-8
     --> 02.j2:1:1
      |
    1 | <?xml version="1.0" encoding="latin1"?><a/>
      | ^
      |
      = help: write `encoding="UTF-8"`

    error: a document type may change how values are read
     --> 03.j2:1:1
      |
    1 | <!DOCTYPE a><a/>
      | ^
      |
      = help: leave it out

    error: it is nested more than 64 levels deep
     --> 04.j2:1:194
      |
    1 | ...<a><a><a><a><a><a><a><a><a><a><a><a>
      |                                      ^
      |
      = help: write this line of the template otherwise

    error: the value of the attribute has no end
     --> 05.j2:1:6
      |
    1 | <a b="c
      |      ^
      |
      = help: write this line of the template otherwise

    error: `<` cannot stand here, where the `;` of a reference must
     --> 06.j2:1:6
      |
    1 | <a>&b</a>
      |      ^
      |
      = help: write this line of the template otherwise

    error: a comment has no end
     --> 07.j2:1:1
      |
    1 | <!-- a
      | ^
      |
      = help: write this line of the template otherwise

    error: this is no XML: expected 'a' tag, not 'b'
     --> 08.j2:1:4
      |
    1 | <a></b>
      |    ^
      |
      = help: write this line of the template otherwise

    error: `/` cannot stand here, where `=` must
     --> 09.j2:1:5
      |
    1 | <a b/>
      |     ^
      |
      = help: write this line of the template otherwise
    "#);
}

#[test]
fn ini() {
    let rows = [
        "[s\nk = {{ 1 }}\n",
        "[s] a\nk = {{ 1 }}\n",
        "[{{ 'DEFAULT' }}]\n",
        "[s]\nk = a\\\nl = {{ 1 }}\n",
        "[s]\n k = {{ 1 }}\n",
        "[s]\nk = {{ 1 }}\nk = 2\n",
        "[s]\nk = {{ ' a' }}\n",
        "[s]\nk = {{ 'a#' }}\n",
        "[s]\nk = # {{ 1 }}\n",
    ];
    insta::assert_snapshot!(said("ini", &rows), @r"
    error: the name of the section has no `]`
     --> 01.j2:1:1
      |
    1 | [s
      | ^
      |
      = help: write this line of the template otherwise

    error: something stands behind the name of the section
     --> 02.j2:1:1
      |
    1 | [s] a
      | ^
      |
      = help: write this line of the template otherwise

    error: some readers put what is below `[DEFAULT]` into all sections
     --> 03.j2:1:5
      |
    1 | [{{ 'DEFAULT' }}]
      |     ^^^^^^^^^
      |
      = help: give the section another name

    error: some readers join the next line at `\`
     --> 04.j2:2:6
      |
    2 | k = a\
      |      ^
      |
      = help: take it away

    error: some readers take an indented line as more of the line before
     --> 05.j2:2:1
      |
    2 |  k = {{ 1 }}
      | ^
      |
      = help: take the blanks at its start away

    error: the section has a key `k` already, of which readers take one
     --> 06.j2:3:1
      |
    3 | k = 2
      | ^
      |
      = help: if the reader takes lines as they are, use the grammar `lines`

    error: a blank at an end of the value would be lost
     --> 07.j2:2:8
      |
    2 | k = {{ ' a' }}
      |        ^^^^
      |
      = help: if the reader takes lines as they are, use the grammar `lines`

    error: readers differ in what `#` in a value is
     --> 08.j2:2:8
      |
    2 | k = {{ 'a#' }}
      |        ^^^^
      |
      = help: if the reader takes lines as they are, use the grammar `lines`

    error: readers differ in what a value behind `#` is
     --> 09.j2:2:10
      |
    2 | k = # {{ 1 }}
      |          ^
      |
      = help: if the reader takes lines as they are, use the grammar `lines`
    ");
}
