//! Files of code.

use super::said;

#[test]
fn python() {
    let rows = [
        "#{{ 'a' }}\n",
        "#!{{ '/aaaaaaaaaaaaaaa' * 8 }}\n",
        "x = {{ 1 }}if y else z\n",
        "f({{ 1 }}=2)\n",
        "x = {{ 'a' }} 'b'\n",
        "x = [\"{{ '' }}\"\"a\"]\n",
        "x = r\"{{ '\\\\' }}\"\n",
        "x = \"\\{{ 'n' }}\"\n",
        "x = \"\\x4{{ '1' }}\"\n",
    ];
    insta::assert_snapshot!(said("python", &rows), @r#"
    error: a value right behind `#` at the very start could name an interpreter
     --> 01.j2:1:5
      |
    1 | #{{ 'a' }}
      |     ^^^
      |
      = help: write a blank between

    error: the `#!` line gets longer than the kernel reads
     --> 02.j2:1:6
      |
    1 | #!{{ '/aaaaaaaaaaaaaaa' * 8 }}
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: use a shorter path

    error: the value would join what stands behind it
     --> 03.j2:1:8
      |
    1 | x = {{ 1 }}if y else z
      |        ^
      |
      = help: write a blank between

    error: a name must stand before `=`, and a value is none
     --> 04.j2:1:6
      |
    1 | f({{ 1 }}=2)
      |      ^
      |
      = help: write the name, or `==` to compare

    error: Python joins the value and the string behind it
     --> 05.j2:1:8
      |
    1 | x = {{ 'a' }} 'b'
      |        ^^^
      |
      = help: write `+` between

    error: the value is empty, and three quotes would come together
     --> 06.j2:1:10
      |
    1 | x = ["{{ '' }}""a"]
      |          ^^
      |
      = help: write a blank between

    error: a raw string cannot hold quotes, `\`, line breaks and control characters
     --> 07.j2:1:10
      |
    1 | x = r"{{ '\\' }}"
      |          ^^^^
      |
      = help: take the `r` away

    error: a value cannot stand after `\`
     --> 08.j2:1:10
      |
    1 | x = "\{{ 'n' }}"
      |          ^^^
      |
      = help: take the `\` away

    error: the value would become part of the escape before it
     --> 09.j2:1:12
      |
    1 | x = "\x4{{ '1' }}"
      |            ^^^
      |
      = help: write all its digits
    "#);
}

#[test]
fn nft() {
    let rows = [
        "add rule t c comment \"{{ 'a' * 129 }}\"\n",
        "add rule t c iifname \"{{ '' }}\"\n",
        "add rule t c tcp dport \"{{ 'ssh' }}\"\n",
        "add rule t c iifname \"{{ 'eth*' }}\"\n",
    ];
    insta::assert_snapshot!(said("nft", &rows), @r#"
    error: the string gets longer than 128 bytes, which nft does not take
     --> 01.j2:1:26
      |
    1 | add rule t c comment "{{ 'a' * 129 }}"
      |                          ^^^^^^^^^
      |
      = help: write a shorter one

    error: the string is empty
     --> 02.j2:1:26
      |
    1 | add rule t c iifname "{{ '' }}"
      |                          ^^
      |
      = help: put it into `{% if … %}`

    error: nft may look up what a string behind `dport` names
     --> 03.j2:1:28
      |
    1 | add rule t c tcp dport "{{ 'ssh' }}"
      |                            ^^^^^
      |
      = help: a string can be a comment, a prefix or the name of an interface

    error: `*` has a meaning of its own for nft here
     --> 04.j2:1:26
      |
    1 | add rule t c iifname "{{ 'eth*' }}"
      |                          ^^^^^^
      |
      = help: leave that character out
    "#);
}

#[test]
fn sh_words() {
    let rows = [
        "x \\{{ 'a' }}\n",
        "x `y {{ 'a' }}`\n",
        "x >&{{ '2' }}\n",
        "{{ 'f' }}() { :; }\n",
        "PS1={{ 'a' }}\n",
        "{{ [] }} x\n",
        "{{ '1a' }}=x\n",
        "for {{ 'a b' }} in c; do :; done\n",
        "#!{{ '/bin/sh' }}\n",
        "echo {{ 'x' }} | sh\n",
        "eval {{ 'x' }}\n",
    ];
    insta::assert_snapshot!(said("sh", &rows), @r"
    error: a value cannot stand after `\`
     --> 01.j2:1:7
      |
    1 | x \{{ 'a' }}
      |       ^^^
      |
      = help: take the `\` away: the value is quoted

    error: a value cannot stand within `` `…` ``
     --> 02.j2:1:9
      |
    1 | x `y {{ 'a' }}`
      |         ^^^
      |
      = help: write `$(…)`

    error: a value cannot stand after `>&` or `<&`
     --> 03.j2:1:8
      |
    1 | x >&{{ '2' }}
      |        ^^^
      |
      = help: write the number of the descriptor, or a redirection to a file

    error: a value cannot name a function
     --> 04.j2:1:4
      |
    1 | {{ 'f' }}() { :; }
      |    ^^^
      |
      = help: write the name

    error: shells expand what is in `PS1`, so the value would be read again
     --> 05.j2:1:8
      |
    1 | PS1={{ 'a' }}
      |        ^^^
      |
      = help: write its text in the template

    error: the list is empty, so the next word would be the program
     --> 06.j2:1:4
      |
    1 | {{ [] }} x
      |    ^^
      |
      = help: write the program before it, or put the line into `{% if … %}`

    error: `1a` is no name of a variable
     --> 07.j2:1:4
      |
    1 | {{ '1a' }}=x
      |    ^^^^
      |
      = help: a name has letters, digits and `_`, and no digit first

    error: `a b` is no name of a variable
     --> 08.j2:1:8
      |
    1 | for {{ 'a b' }} in c; do :; done
      |        ^^^^^
      |
      = help: a name has letters, digits and `_`, and no digit first

    error: a value cannot stand in the `#!` line
     --> 09.j2:1:6
      |
    1 | #!{{ '/bin/sh' }}
      |      ^^^^^^^^^
      |
      = help: write `#!/bin/sh`

    error: `sh` reads what is piped into it, and with it the value, as code
     --> 10.j2:1:9
      |
    1 | echo {{ 'x' }} | sh
      |         ^^^
      |
      = help: write a script, and pass arguments to it

    error: `eval` reads the value again as code
     --> 11.j2:1:9
      |
    1 | eval {{ 'x' }}
      |         ^^^
      |
      = help: write a script, and pass the value to it as an argument
    ");
}

#[test]
fn sh_expansions() {
    let rows = [
        "x ${{ 'a' }}\n",
        "x \"$y{{ 'a' }}\"\n",
        "x $((1{{ 2 }}))\n",
        "x $(({{ '2' }}))\n",
        "x ${y:-{{ 'a' }}}\n",
    ];
    insta::assert_snapshot!(said("sh", &rows), @r#"
    error: a value cannot stand after `$`
     --> 01.j2:1:7
      |
    1 | x ${{ 'a' }}
      |       ^^^
      |
      = help: write the variable's name, or `\$`

    error: a value right after `$name` would be read as part of the name
     --> 02.j2:1:9
      |
    1 | x "$y{{ 'a' }}"
      |         ^^^
      |
      = help: write `${name}`

    error: in `$(( ))` a value must be a number of its own
     --> 03.j2:1:10
      |
    1 | x $((1{{ 2 }}))
      |          ^
      |
      = help: put blanks round it

    error: in `$(( ))` only an integer can stand, and this is a string
     --> 04.j2:1:9
      |
    1 | x $(({{ '2' }}))
      |         ^^^
      |
      = help: give the option the type `int`

    error: a value cannot stand within `${…}`
     --> 05.j2:1:11
      |
    1 | x ${y:-{{ 'a' }}}
      |           ^^^
      |
      = help: set a variable before, and use that
    "#);
}

#[test]
fn sh_here_documents() {
    let rows = [
        "x <<{{ 'E' }}\nE\n",
        "x <<'{{ 'E' }}'\nE\n",
        "sh <<E\n{{ 'x' }}\nE\n",
        "x <<E\n{{ 'E' }}\nE\n",
        "x <<-E\n{{ '\\ta' }}\nE\n",
    ];
    insta::assert_snapshot!(said("sh", &rows), @r"
    error: a value cannot be the delimiter of a here-document
     --> 01.j2:1:8
      |
    1 | x <<{{ 'E' }}
      |        ^^^
      |
      = help: write a word

    error: a value cannot be the delimiter of a here-document
     --> 02.j2:1:9
      |
    1 | x <<'{{ 'E' }}'
      |         ^^^
      |
      = help: write a word

    error: `sh` reads this here-document, and with it the value, as code
     --> 03.j2:2:4
      |
    2 | {{ 'x' }}
      |    ^^^
      |
      = help: write a script, and pass the value to it as an argument

    error: the value gives a line `E`, which ends the here-document
     --> 04.j2:2:4
      |
    2 | {{ 'E' }}
      |    ^^^
      |
      = help: choose another delimiter

    error: a line of the value starts with a tab, which `<<-` takes away
     --> 05.j2:2:4
      |
    2 | {{ '\ta' }}
      |    ^^^^^
      |
      = help: write `<<`
    ");
}
