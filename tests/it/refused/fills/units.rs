//! Units of systemd.

use super::said;

#[test]
fn lines() {
    let rows = [
        "[Service]\nExecStart=/a \\{{ 'n' }}\n",
        "# {{ 'a\\\\' }}\n",
        "# {{ 'a' * 1048576 }}\n",
        "[Service]\n{{ 'a' }}\n",
        "[Unit]\nDescription=a \\\n{{ '# b' }}\n",
        "[Unit]\nDescription={{ 'a' * 1048576 }}\n",
        "[Unit]\nDescription={{ '' }}\n",
        "[{{ 'a]' }}]\n",
        "[Service]\nLimit{{ 'a b' }}=1\n",
        "[Unit]\nDescription={{ 'a\\ufffe' }}\n",
    ];
    insta::assert_snapshot!(said("unit", &rows), @r"
    error: a value cannot stand after `\`
     --> 01.j2:2:18
      |
    2 | ExecStart=/a \{{ 'n' }}
      |                  ^^^
      |
      = help: take the `\` away

    error: the value ends in `\`, which would join the next line
     --> 02.j2:1:6
      |
    1 | # {{ 'a\\' }}
      |      ^^^^^
      |
      = help: leave the last `\` out

    error: the line gets longer than the 1 MiB that systemd reads
     --> 03.j2:1:6
      |
    1 | # {{ 'a' * 1048576 }}
      |      ^^^^^^^^^^^^^
      |
      = help: write several lines

    error: this is neither a section, nor `key=value`, nor a comment
     --> 04.j2:2:4
      |
    2 | {{ 'a' }}
      |    ^^^
      |
      = help: write `Key=` before it

    error: the value turns the line into a comment
     --> 05.j2:3:4
      |
    3 | {{ '# b' }}
      |    ^^^^^
      |
      = help: write it on the line above

    error: the line gets longer than the 1 MiB that systemd reads
     --> 06.j2:2:16
      |
    2 | Description={{ 'a' * 1048576 }}
      |                ^^^^^^^^^^^^^
      |
      = help: write several lines

    error: the value is empty, and `Description=` alone takes back what was set before
     --> 07.j2:2:16
      |
    2 | Description={{ '' }}
      |                ^^
      |
      = help: put the line into `{% if … %}`

    error: the value cannot be part of a section
     --> 08.j2:1:5
      |
    1 | [{{ 'a]' }}]
      |     ^^^^
      |
      = help: letters, digits and `-` can

    error: the value cannot be part of the name of a key
     --> 09.j2:2:9
      |
    2 | Limit{{ 'a b' }}=1
      |         ^^^^^
      |
      = help: letters, digits and `-` can

    error: the value has a noncharacter, and systemd ignores such a line
     --> 10.j2:2:16
      |
    2 | Description={{ 'a\ufffe' }}
      |                ^^^^^^^^^
      |
      = help: leave that character out
    ");
}

#[test]
fn texts_and_paths() {
    let rows = [
        "[Unit]\nDescription={{ ' a' }}\n",
        "[Unit]\nDescription={{ 'a\\\\' }}\n",
        "[Unit]\nDescription=%{{ 'h' }}\n",
        "[Service]\nEnvironmentFile={{ '/a*' }}\n",
        "[Service]\nReadWritePaths={{ '/a ' }}\n",
        "[Service]\nLoadCredential={{ 'a b:/c' }}\n",
        "[Service]\nLoadCredential=a:{{ '/b c' }}\n",
        "[Service]\nUser={{ 'a b' }}\n",
    ];
    insta::assert_snapshot!(said("unit", &rows), @r"
    error: the value starts or ends with a blank, which systemd takes away
     --> 01.j2:2:16
      |
    2 | Description={{ ' a' }}
      |                ^^^^
      |
      = help: add the filter `trim`, or leave the blank out

    error: the value ends in `\`, which would join the next line
     --> 02.j2:2:16
      |
    2 | Description={{ 'a\\' }}
      |                ^^^^^
      |
      = help: leave the last `\` out

    error: a value cannot stand after `%`
     --> 03.j2:2:17
      |
    2 | Description=%{{ 'h' }}
      |                 ^^^
      |
      = help: write `%%` for a percent sign

    error: systemd would read the path as a pattern for file names
     --> 04.j2:2:20
      |
    2 | EnvironmentFile={{ '/a*' }}
      |                    ^^^^^
      |
      = help: name the file without `*`, `?`, `[` and `\`

    error: the path ends in a blank, which systemd takes away
     --> 05.j2:2:19
      |
    2 | ReadWritePaths={{ '/a ' }}
      |                   ^^^^^
      |
      = help: leave the blank out

    error: `a b` cannot name a credential
     --> 06.j2:2:19
      |
    2 | LoadCredential={{ 'a b:/c' }}
      |                   ^^^^^^^^
      |
      = help: a name has letters, digits, `_`, `.` and `-`

    error: `/b c` has a character that some versions of systemd lose here
     --> 07.j2:2:21
      |
    2 | LoadCredential=a:{{ '/b c' }}
      |                     ^^^^^^
      |
      = help: name the file without blanks, quotes, `\` and `:`

    error: the value has a character that could have a meaning for this key
     --> 08.j2:2:9
      |
    2 | User={{ 'a b' }}
      |         ^^^^^
      |
      = help: only letters, digits and `_@.,:/+=-` can stand here
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "what is said is long")]
fn words() {
    let rows = [
        "[Service]\nReadWritePaths={{ ['/a\\n'] }}\n",
        "[Service]\nReadWritePaths={{ '/a\\n' }}\n",
        "[Service]\nReadWritePaths=/x{{ ' y' }}\n",
        "[Service]\nExecStart=/a %{{ 'h' }}\n",
        "[Service]\nExecStart=/a ${{ 'HOME' }}\n",
        "[Service]\nExecStart=/a $A{{ 'B' }}\n",
        "[Service]\nEnvironment={{ 'a b' }}\n",
        "[Service]\nExecStart=/a {{ 'a' * 131072 }}\n",
        "[Service]\nBindPaths=/a:/b:{{ 'rbind' }}\n",
        "[Service]\nExecStart=/a \\d {{ 'a' }}\n",
        "[Service]\nExecStart=/a \"b {{ 'a' }}\n",
        "[Service]\nExecStart={{ [] }}\n",
        "[Service]\nExecStart={{ '/bin/a b' }}\n",
        "[Service]\nDocumentation={{ 'a b' }}\n",
        "[Service]\nExecStart=/a {{ [['b']] }}\n",
    ];
    insta::assert_snapshot!(said("unit", &rows), @r#"
    error: the value has a control character, for which this key knows no escape
     --> 01.j2:2:19
      |
    2 | ReadWritePaths={{ ['/a\n'] }}
      |                   ^^^^^^^^
      |
      = help: leave that character out

    error: the value has a control character, for which this key knows no escape
     --> 02.j2:2:19
      |
    2 | ReadWritePaths={{ '/a\n' }}
      |                   ^^^^^^
      |
      = help: leave that character out

    error: this key knows no escape for a character of the value within a word without quotes
     --> 03.j2:2:21
      |
    2 | ReadWritePaths=/x{{ ' y' }}
      |                     ^^^^
      |
      = help: put the whole word into `"…"`

    error: a value cannot stand after `%`
     --> 04.j2:2:18
      |
    2 | ExecStart=/a %{{ 'h' }}
      |                  ^^^
      |
      = help: write `%%` for a percent sign

    error: a value cannot stand after `$` or in `${…}`
     --> 05.j2:2:18
      |
    2 | ExecStart=/a ${{ 'HOME' }}
      |                  ^^^^^^
      |
      = help: write `$$` for a dollar

    error: `$name` is a variable only where it is the whole word
     --> 06.j2:2:19
      |
    2 | ExecStart=/a $A{{ 'B' }}
      |                   ^^^
      |
      = help: write `${name}`, or `$$` for a dollar sign

    error: `a b` is no assignment that systemd takes
     --> 07.j2:2:16
      |
    2 | Environment={{ 'a b' }}
      |                ^^^^^
      |
      = help: write `NAME=value`

    error: the word gets longer than the 128 KiB that a program can be given
     --> 08.j2:2:17
      |
    2 | ExecStart=/a {{ 'a' * 131072 }}
      |                 ^^^^^^^^^^^^
      |
      = help: put the value into a file, and pass its path

    error: a value cannot be an option of a bind mount
     --> 09.j2:2:20
      |
    2 | BindPaths=/a:/b:{{ 'rbind' }}
      |                    ^^^^^^^
      |
      = help: write `rbind` or `norbind`

    error: this escape is unknown, or broken off
     --> 10.j2:2:14
      |
    2 | ExecStart=/a \d {{ 'a' }}
      |              ^
      |
      = help: write this line of the template otherwise

    error: this quote has no end on its line
     --> 11.j2:2:14
      |
    2 | ExecStart=/a "b {{ 'a' }}
      |              ^
      |
      = help: write this line of the template otherwise

    error: the list is empty, so there is no program
     --> 12.j2:2:14
      |
    2 | ExecStart={{ [] }}
      |              ^^
      |
      = help: write the program before it, or put the line into `{% if … %}`

    error: `/bin/a b` is no plain absolute path of a program
     --> 13.j2:2:14
      |
    2 | ExecStart={{ '/bin/a b' }}
      |              ^^^^^^^^^^
      |
      = help: letters, digits and `_@.,:/+=-` can stand in it

    error: the value has a character that could have a meaning for this key
     --> 14.j2:2:18
      |
    2 | Documentation={{ 'a b' }}
      |                  ^^^^^
      |
      = help: write blanks and quotes as `%20` and the like

    error: an entry of the list is a list
     --> 15.j2:2:17
      |
    2 | ExecStart=/a {{ [['b']] }}
      |                 ^^^^^^^
      |
      = help: write texts
    "#);
}
