//! What would take too long, or too much, is refused before it begins.

use super::evaluated::said;
use super::{errors_of, module, try_compile};

/// What minijinja would panic over, or begin without an end.
#[test]
fn what_is_out_of_bounds() {
    let said = [
        "{{ [0] * 100000000 | length }}",
        "{% set include = [''] %}{{ (include * 100000000) | join }}",
        "{{ '%.65536f' | format(7) }}",
        "{{ '%c' | format(983040) }}",
        "{{ [[] | chain(5)] | length }}",
        "{{ [9223372036854775807 + 1] | sort | first }}",
        "{{ 18446744073709551615 }}",
        "{{ range(9223372036854775807, -2, -1) | first }}",
        "{{ ['a'] | sum(start='') }}",
        "{{ [1] | sort(attribute='a' * 1001) | first }}",
        "{{ 'a' | trim('b' * 1001) }}",
    ]
    .map(said);
    insta::assert_snapshot!(said.join("\n"), @"
    error: `*`, `/`, `//` and `%` do not take a list
     --> modules/m/a.txt:1:4
      |
    1 | {{ [0] * 100000000 | length }}
      |    ^^^
      |
      = help: see the types of what it reads

    error: it is not clear what the operators take here
     --> modules/m/a.txt:1:37
      |
    1 | {% set include = [''] %}{{ (include * 100000000) | join }}
      |                                     ^
      |
      = help: put what stands before and behind each `~`, `*`, `/` and `%` into brackets

    error: `format` fills as many characters as are written there, 1000 at the most
     --> modules/m/a.txt:1:17
      |
    1 | {{ '%.65536f' | format(7) }}
      |                 ^^^^^^^^^
      |
      = help: see the types of what it reads

    error: `%c` makes a character that is not allowed
     --> modules/m/a.txt:1:11
      |
    1 | {{ '%c' | format(983040) }}
      |           ^^^^^^^^^^^^^^
      |
      = help: see the types of what it reads

    error: number is not iterable
     --> modules/m/a.txt:1:10
      |
    1 | {{ [[] | chain(5)] | length }}
      |          ^^^^^^^^
      |
      = help: see the types of what it reads

    error: a number that is too large is not sorted
     --> modules/m/a.txt:1:32
      |
    1 | {{ [9223372036854775807 + 1] | sort | first }}
      |                                ^^^^
      |
      = help: see the types of what it reads

    error: a number that is too large
     --> modules/m/a.txt:1:4
      |
    1 | {{ 18446744073709551615 }}
      |    ^^^^^^^^^^^^^^^^^^^^
      |
      = help: 9223372036854775807 is the largest, as in TOML

    error: `range` counts to 1099511627776 at the most
     --> modules/m/a.txt:1:4
      |
    1 | {{ range(9223372036854775807, -2, -1) | first }}
      |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: see the types of what it reads

    error: `sum` adds numbers
     --> modules/m/a.txt:1:12
      |
    1 | {{ ['a'] | sum(start='') }}
      |            ^^^^^^^^^^^^^
      |
      = help: see the types of what it reads

    error: the name of an attribute has 1000 characters at the most
     --> modules/m/a.txt:1:10
      |
    1 | {{ [1] | sort(attribute='a' * 1001) | first }}
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: see the types of what it reads

    error: `trim` takes away 1000 characters at the most
     --> modules/m/a.txt:1:10
      |
    1 | {{ 'a' | trim('b' * 1001) }}
      |          ^^^^^^^^^^^^^^^^
      |
      = help: see the types of what it reads
    ");
}

/// A text of a million letters, and many of it.
const MANY: &str = "{% set s = 'a' * 1000000 %}{% set l = [s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s] %}{% set l = [l, l, l, l] %}";

/// What minijinja would make until the memory is full, or the stack.
#[test]
fn what_has_no_end() {
    let many = |rest: &str| format!("{MANY}{rest}");
    let said = [
        &many("{{ l | map('join') | join }}"),
        &many("{{ l | first | join }}"),
        &many("{{ ('%s' * 16) | format(*(l | first)) }}"),
        "{{ ('\\n' * 9000) | lines | map('default', range(99) | list, true) | length }}",
        &format!("{{% set x = 1 %}}{}{{{{ 1 }}}}", "{% set x = [x] %}".repeat(101)),
        &"{{ 1 * 2 }}".repeat(4001),
        "{{ '%*d' | format(99999, 7) }}",
        &format!("{{{{ {}", "0 if 0 else\n".repeat(80_000)),
    ]
    .map(said);
    insta::assert_snapshot!(said.join("\n"), @r"
    error: `join` makes a text of 8 MiB at the most
     --> modules/m/a.txt:1:123
      |
    1 | ...et l = [l, l, l, l] %}{{ l | map('join') | join }}
      |                                 ^^^^^^^^^^^
      |
      = help: see the types of what it reads

    error: `join` makes a text of 8 MiB at the most
     --> modules/m/a.txt:1:131
      |
    1 | ... = [l, l, l, l] %}{{ l | first | join }}
      |                                     ^^^^
      |
      = help: see the types of what it reads

    error: `format` makes a text of 8 MiB at the most
     --> modules/m/a.txt:1:133
      |
    1 | ...l, l] %}{{ ('%s' * 16) | format(*(l | first)) }}
      |                             ^^^^^^^^^^^^^^^^^^^^
      |
      = help: see the types of what it reads

    error: this takes too long to evaluate
     --> modules/m/a.txt:1:28
      |
    1 | {{ ('\n' * 9000) | lines | map('default', range(99) | list, true) | lengt...
      |                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: do less

    error: this is nested too deep
     --> modules/m/a.txt:1:1727
      |
    1 | ...x] %}{% set x = [x] %}{% set x = [x] %}{{ 1 }}
      |                                     ^^^
      |
      = help: 100 levels are the most: hold less in a name

    error: more than 4000 operators
    --> modules/m/a.txt:1:44006
     = help: write a loop

    error: `format` fills as many characters as are written there, 1000 at the most
     --> modules/m/a.txt:1:12
      |
    1 | {{ '%*d' | format(99999, 7) }}
      |            ^^^^^^^^^^^^^^^^
      |
      = help: see the types of what it reads

    error: an expression of 960001 bytes
     --> modules/m/a.txt:1:3
      |
    1 | {{ 0 if 0 else
      |   ^^^^^^^^^^^^
      |
      = help: 1000 bytes are the most: split it, or let an internal option hold a part of it
    ");
    let (long, many) = ("type = 'string'\ndefault = '{{ \"a\" * 1000000 }}'", "m.a, ".repeat(9));
    let many = format!("type = 'list of string'\ndefault = '{{{{ [{many}] }}}}'");
    insta::assert_snapshot!(errors_of(&module(&[("a", long), ("b", &many)], "")), @"
    error: this expression gives a text that is too long
      --> modules/m/module.toml:10:14
       |
    10 | default = '{{ [m.a, m.a, m.a, m.a, m.a, m.a, m.a, m.a, m.a, ] }}'
       |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: an expression gives a value that TOML could have
    ");
}

/// Each of these would take gigabytes, or minutes.
#[test]
fn code_has_its_bounds() {
    let big = ("big", "type = 'list of int'\nrepeat = true\ndefault = '{{ range(9999) | list }}'");
    let sum = ("sum", "type = 'list of int'\nrepeat = true");
    let set = "[[set]]\nfor_each = 'm.big'\n[set.m]\nsum = ['{{ m.big[each.key] }}']\n";
    insta::assert_snapshot!(errors_of(&module(&[big, sum], set)), @"
    error: all code of the modules together takes too long to evaluate
      --> modules/m/module.toml:15:7
       |
    15 | sum = ['{{ m.big[each.key] }}']
       |       ^^^^^^^^^^^^^^^^^^^^^^^^^ too much from here on
       |
       = help: look for a `for_each` that goes through too many entries, or reads too much for each
    ");
    let names: Vec<(String, String)> = (0..1000).map(|at| (format!("a{at}"), format!("b{at}"))).collect();
    let fields = |(name, _): &(String, String)| {
        format!("{name} = {{ type = 'int', description = 'x', default = 1 }}\n")
    };
    let fields: String = names.iter().map(fields).collect();
    let reads = |(_, name): &(String, String)| {
        format!("[options.{name}]\ntype = 'int'\ndescription = 'x'\ndefault = '{{{{ m.t | length }}}}'\n")
    };
    let reads: String = names.iter().map(reads).collect();
    let table = format!("type = 'table'\n[options.t.fields]\n{fields}");
    insta::assert_snapshot!(errors_of(&module(&[("t", &table)], &reads)), @"
    error: the options read each other too often
        --> modules/m/module.toml:5007:15
         |
    5007 | default = '{{ m.t | length }}'
         |               ^^^
         |
         = help: let them read single fields in the place of whole tables
    ");
}

/// Who has so many errors reads the first, and to look for what was meant by each would take long.
#[test]
fn of_very_many_errors_not_all_are_looked_for() {
    let wrong = "'abd', ".repeat(1000);
    let last = |host: &str, default: &str| {
        let kind = format!("type = 'list of one of'\nrepeat = true\nof = ['abc', 'def']\n{default}");
        let files = [("modules/m/module.toml", module(&[("a", &kind)], ""))];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        let found = try_compile(&format!("modules = ['m']\n{host}"), &files).unwrap_err();
        found.last().map(|last| last.message.clone())
    };
    let more = Some("100 more are not shown".to_owned());
    assert_eq!(last("", &format!("default = [{wrong}]")), more);
    assert_eq!(last(&format!("[m]\na = [{wrong}]\n"), ""), more);
}

/// Each reading takes hundreds of bytes, and each place long to draw.
#[test]
fn what_artifacts_read_has_its_bounds() {
    let option = [("a", "type = 'string'")];
    let file = "[[file]]\npath = '/etc/a'\ntemplate = 'a.txt.j2'\ngrammar = 'text'\n";
    let files = |many: usize, template: &str| {
        let host = "modules = ['m']\n[m]\na = 'x'\n";
        let module = module(&option, &file.repeat(many));
        try_compile(host, &[("modules/m/module.toml", &module), ("modules/m/a.txt.j2", template)])
    };
    let error = files(30, &"{{ m.a }}\n".repeat(9000)).unwrap_err();
    assert_eq!(error[0].message, "the artifacts read options too often");
    let names: Vec<String> = (0..200).map(|number| format!("a{number}")).collect();
    let options: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "type = 'string'")).collect();
    let read: Vec<String> = names.iter().map(|name| format!("'{{{{ m.{name} }}}}'")).collect();
    let venv = format!("[[venv]]\nname = 'e'\nrequirements = [{}]\n", read.join(", "));
    let other = "[[venv]]\nname = 'e'\nrequirements = ['b']\n";
    let set = names.join(" = 'a'\n") + " = 'a'\n";
    let module = module(&options, &format!("{other}{venv}"));
    let error = try_compile(&format!("modules = ['m']\n[m]\n{set}"), &[("modules/m/module.toml", &module)]);
    assert_eq!(error.unwrap_err().iter().map(|error| error.places.len()).max(), Some(100));
}
