//! Shell scripts that shells would read differently, or not at all.

use super::said;

#[test]
fn what_other_shells_know() {
    let rows = [
        "x &> f\n",
        "x <<< f\n",
        "((1))\n",
        "x @(a)\n",
        "x $(<f)\n",
        "x $[1]\n",
        "x $'a'\n",
        "x ${a//b/c}\n",
        "x ${[a]}\n",
        "a=(b)\n",
        "[[ a ]]\n",
        "#!/bin/bash\n",
    ];
    insta::assert_snapshot!(said("sh", &rows), @"
    error: `&>` is of other shells
     --> 01.j2:1:3
      |
    1 | x &> f
      |   ^
      |
      = help: `/bin/sh` does not know it

    error: `<<<` is of other shells
     --> 02.j2:1:3
      |
    1 | x <<< f
      |   ^
      |
      = help: `/bin/sh` does not know it

    error: `((` is of other shells
     --> 03.j2:1:1
      |
    1 | ((1))
      | ^
      |
      = help: write `$(( ))`, or `( (` for subshells

    error: a `(` cannot stand here
     --> 04.j2:1:4
      |
    1 | x @(a)
      |    ^
      |
      = help: arrays and patterns like `@(…)` are of other shells; else quote it

    error: `$(<` is of other shells
     --> 05.j2:1:3
      |
    1 | x $(<f)
      |   ^
      |
      = help: write `$(cat …)`

    error: `$[` is of other shells
     --> 06.j2:1:3
      |
    1 | x $[1]
      |   ^
      |
      = help: write `$(( ))`

    error: `$'` is of other shells
     --> 07.j2:1:3
      |
    1 | x $'a'
      |   ^
      |
      = help: `/bin/sh` does not know it

    error: this `${` is of other shells
     --> 08.j2:1:3
      |
    1 | x ${a//b/c}
      |   ^
      |
      = help: `/bin/sh` does not know it

    error: this `${` is of other shells
     --> 09.j2:1:3
      |
    1 | x ${[a]}
      |   ^
      |
      = help: `/bin/sh` does not know it

    error: arrays are of other shells
     --> 10.j2:1:3
      |
    1 | a=(b)
      |   ^
      |
      = help: `/bin/sh` does not know them

    error: `[[` is of other shells
     --> 11.j2:1:1
      |
    1 | [[ a ]]
      | ^
      |
      = help: `/bin/sh` does not know it

    error: `#!/bin/bash` is not the shell of this grammar
     --> 12.j2:1:1
      |
    1 | #!/bin/bash
      | ^
      |
      = help: write `#!/bin/sh`, with `-e` or `-u` if wanted
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "what is said is long")]
fn what_is_not_clear() {
    let rows = [
        "x <<E $(y\n)\nE\n",
        "x $(y <<E)\n",
        "x |\\\n| y\n",
        "x ;; y\n",
        "x >\\\ny\n",
        "x > > y\n",
        "x )\n",
        "x $\\\na\n",
        "x \"${a:-\"'\"}\"\n",
        "x $((1)\n)\n",
        "x $(('1'))\n",
        "for a of b; do :; done\n",
        "case a on b) ;; esac\n",
        "case a in b c) ;; esac\n",
        "x <<\nE\n",
        "x <<-'\tE'\n\tE\n",
        "x <<$E\n$E\n",
        "x <<E\na\\\nE\nE\n",
        "#{{ 'a' }}\n",
        "x <<E\n$(y {{ 'a\\nb' }})\nE\n",
        "x $($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($(\n",
        "x 'a\n",
        "x <<E\n$(a\nb)\nE\n",
    ];
    insta::assert_snapshot!(said("sh", &rows), @r#"
    error: a line ends within `$(…)` while a here-document waits for its body
     --> 01.j2:1:10
      |
    1 | x <<E $(y
      |          ^
      |
      = help: write the `$(…)` on one line, or before

    error: `$(…)` ends before the body of its here-document
     --> 02.j2:1:10
      |
    1 | x $(y <<E)
      |          ^
      |
      = help: end it on a line of its own

    error: an operator is broken over two lines
     --> 03.j2:1:3
      |
    1 | x |\
      |   ^
      |
      = help: write this line of the template otherwise

    error: `;;` outside of `case`
     --> 04.j2:1:3
      |
    1 | x ;; y
      |   ^
      |
      = help: write this line of the template otherwise

    error: a line ends within a redirection
     --> 05.j2:1:3
      |
    1 | x >\
      |   ^
      |
      = help: write this line of the template otherwise

    error: this redirection is not clear
     --> 06.j2:1:3
      |
    1 | x > > y
      |   ^
      |
      = help: write this line of the template otherwise

    error: this `)` closes nothing
     --> 07.j2:1:3
      |
    1 | x )
      |   ^
      |
      = help: write this line of the template otherwise

    error: a line ends after `$`
     --> 08.j2:1:3
      |
    1 | x $\
      |   ^
      |
      = help: write this line of the template otherwise

    error: shells differ in how they read these quotes within `${…}`
     --> 09.j2:1:4
      |
    1 | x "${a:-"'"}"
      |    ^
      |
      = help: write this line of the template otherwise

    error: this `$((` is no arithmetic
     --> 10.j2:1:3
      |
    1 | x $((1)
      |   ^
      |
      = help: write `$( (` for a subshell

    error: shells differ in how they read quotes in `$(( ))`
     --> 11.j2:1:3
      |
    1 | x $(('1'))
      |   ^
      |
      = help: write this line of the template otherwise

    error: `in` or `do` is expected here
     --> 12.j2:1:7
      |
    1 | for a of b; do :; done
      |       ^
      |
      = help: write this line of the template otherwise

    error: `in` is expected here
     --> 13.j2:1:8
      |
    1 | case a on b) ;; esac
      |        ^
      |
      = help: write this line of the template otherwise

    error: `|` or `)` is expected here
     --> 14.j2:1:13
      |
    1 | case a in b c) ;; esac
      |             ^
      |
      = help: write this line of the template otherwise

    error: this here-document has no delimiter
     --> 15.j2:1:3
      |
    1 | x <<
      |   ^
      |
      = help: write `<<EOF` or `<<'EOF'`

    error: this delimiter starts with a tab
     --> 16.j2:1:3
      |
    1 | x <<-'    E'
      |   ^
      |
      = help: write `<<-EOF`

    error: shells differ in how they read this delimiter
     --> 17.j2:1:3
      |
    1 | x <<$E
      |   ^
      |
      = help: write `<<EOF` or `<<'EOF'`

    error: shells differ in whether this line ends the here-document
     --> 18.j2:3:1
      |
    3 | E
      | ^
      |
      = help: write this line of the template otherwise

    error: a value right after `#` at the very start could name another interpreter
     --> 19.j2:1:1
      |
    1 | #{{ 'a' }}
      | ^
      |
      = help: add a blank

    error: the value has a line break, which shells read differently within `$(…)` in a here-document
     --> 20.j2:2:8
      |
    2 | $(y {{ 'a\nb' }})
      |        ^^^^^^
      |
      = help: set a variable before, and use that

    error: nested more than 40 levels deep
     --> 21.j2:1:83
      |
    1 | ...$($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($($(...
      |                                      ^
      |
      = help: write this line of the template otherwise

    error: `'` has no end
     --> 22.j2:1:3
      |
    1 | x 'a
      |   ^
      |
      = help: write this line of the template otherwise

    error: `$(` has no end on its line of the here-document
     --> 23.j2:2:1
      |
    2 | $(a
      | ^
      |
      = help: write this line of the template otherwise
    "#);
}
