//! Files of code that no reader would take, whatever the value.

use super::said;

#[test]
#[expect(clippy::too_many_lines, reason = "what is said is long")]
fn python() {
    let rows = [
        "#!{{ '/a b' }}\n",
        "x = \\ {{ 1 }}\n",
        "x = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((({{ 1 }}\n",
        "x = ] {{ 1 }}\n",
        "x = ({{ 1 }}\n",
        "x = {{ 1 }} + 'a\n",
        "x = '''{{ 'a' }}\n",
        "x = '''a'{{ '' }}'b'''\n",
        "x = f\"{y['\\n']}\" + {{ 1 }}\n",
        "# coding: latin1 {{ 1 }}\n",
        "{{ 1 }}\n",
        "x = b'{{ 1 }}'\n",
        "x = f'{{ 1 }}'\n",
        "x = y.{{ 1 }}\n",
        "x = y {{ 1 }}\n",
        "x = 'y' {{ 1 }}\n",
    ];
    insta::assert_snapshot!(said("python", &rows), @r#"
    error: the value cannot stand in a `#!` line
     --> 01.j2:1:6
      |
    1 | #!{{ '/a b' }}
      |      ^^^^^^
      |
      = help: letters, digits and `_@.,:/+=-` can

    error: only a line break can follow `\` here
     --> 02.j2:1:5
      |
    1 | x = \ {{ 1 }}
      |     ^
      |
      = help: write this line of the template otherwise

    error: it is nested more than 64 levels deep
     --> 03.j2:1:69
      |
    1 | x = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((({{ 1 }}
      |                                                                     ^
      |
      = help: write this line of the template otherwise

    error: nothing is open that `]` ends
     --> 04.j2:1:5
      |
    1 | x = ] {{ 1 }}
      |     ^
      |
      = help: write this line of the template otherwise

    error: `(` has no end
     --> 05.j2:1:5
      |
    1 | x = ({{ 1 }}
      |     ^
      |
      = help: write this line of the template otherwise

    error: the string has no end
     --> 06.j2:1:15
      |
    1 | x = {{ 1 }} + 'a
      |               ^
      |
      = help: write this line of the template otherwise

    error: the string has no end
     --> 07.j2:1:5
      |
    1 | x = '''{{ 'a' }}
      |     ^
      |
      = help: write this line of the template otherwise

    error: the value is empty, and the quotes before and behind it would come together
     --> 08.j2:1:13
      |
    1 | x = '''a'{{ '' }}'b'''
      |             ^^
      |
      = help: put it into `{% if … %}`

    error: versions of Python differ in how they read this f-string
     --> 09.j2:1:10
      |
    1 | x = f"{y['\n']}" + {{ 1 }}
      |          ^
      |
      = help: assign what stands between its braces to a name before

    error: the comment names the encoding `latin1`, and the file is UTF-8
     --> 10.j2:1:3
      |
    1 | # coding: latin1 {{ 1 }}
      |   ^
      |
      = help: write this line of the template otherwise

    error: a statement cannot start with a value
     --> 11.j2:1:4
      |
    1 | {{ 1 }}
      |    ^
      |
      = help: assign it to a name

    error: a byte string has no text
     --> 12.j2:1:10
      |
    1 | x = b'{{ 1 }}'
      |          ^
      |
      = help: write `"…".encode()`

    error: Python would read the value in an f-string again
     --> 13.j2:1:10
      |
    1 | x = f'{{ 1 }}'
      |          ^
      |
      = help: assign it to a name before

    error: a name must stand here, and a value is none
     --> 14.j2:1:10
      |
    1 | x = y.{{ 1 }}
      |          ^
      |
      = help: write it as text of the template

    error: a value cannot stand behind a name or another value
     --> 15.j2:1:10
      |
    1 | x = y {{ 1 }}
      |          ^
      |
      = help: write quotes before and behind it, or a blank or an operator between

    error: a value cannot stand behind a string or another value
     --> 16.j2:1:12
      |
    1 | x = 'y' {{ 1 }}
      |            ^
      |
      = help: write quotes before and behind it, or a blank or an operator between
    "#);
}

#[test]
fn nft() {
    let rows = [
        "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((( {{ 1 }}\n",
        "add ) {{ 1 }}\n",
        "add ( {{ 1 }}\n",
        "add \"a\n{{ 1 }}\n",
    ];
    insta::assert_snapshot!(said("nft", &rows), @r#"
    error: it is nested more than 64 levels deep
     --> 01.j2:1:65
      |
    1 | ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((( {{ 1 }}
      |                                                                 ^
      |
      = help: write this line of the template otherwise

    error: nothing is open that `)` ends
     --> 02.j2:1:5
      |
    1 | add ) {{ 1 }}
      |     ^
      |
      = help: write this line of the template otherwise

    error: `(` has no end
     --> 03.j2:1:5
      |
    1 | add ( {{ 1 }}
      |     ^
      |
      = help: write this line of the template otherwise

    error: the string has no end on its line
     --> 04.j2:1:5
      |
    1 | add "a
      |     ^
      |
      = help: write this line of the template otherwise
    "#);
}
