//! Errors of hosts, each as its user sees it.

use super::{errors, errors_of, module};

const COMET: (&str, &str) = (
    "modules/comet/module.toml",
    "[module]
description = 'x'
[options.local_ivo]
type = 'ivoid'
optional = true
description = 'x'
[options.receive]
type = 'table'
description = 'x'
[options.receive.fields.port]
type = 'port'
default = 8098
min = 1024
description = 'The port.'
",
);

#[test]
fn unknown_names() {
    insta::assert_snapshot!(errors(
        "modules = ['comet']\n[comet]\nlocal_iov = 1\n[comet.receive]\nprot = 1\n[comett]\nx = 1\n",
        &[COMET],
    ), @"
    error: module `comet` has no option `local_iov`
     --> hosts/h.toml:7:1
      |
    7 | local_iov = 1
      | ^^^^^^^^^
      |
      = help: did you mean `local_ivo`?

    error: `comet.receive` has no field `prot`
     --> hosts/h.toml:9:1
      |
    9 | prot = 1
      | ^^^^
      |
      = help: did you mean `port`?

    error: the host has no module `comett` on
      --> hosts/h.toml:10:2
       |
    10 | [comett]
       |  ^^^^^^
       |
       = help: did you mean `comet`? Else add `comett` to `modules`
    ");
}

#[test]
fn an_unknown_key_and_module() {
    insta::assert_snapshot!(errors("modules = ['commet']\nadress = 'x'\n", &[COMET]), @r"
        error: there is no module `commet`
         --> hosts/h.toml:5:12
          |
        5 | modules = ['commet']
          |            ^^^^^^^^ there is no `modules/commet/module.toml`
          |
          = help: did you mean `comet`?

        error: `[host]` has no key `adress`
         --> hosts/h.toml:6:1
          |
        6 | adress = 'x'
          | ^^^^^^
          |
          = help: did you mean `address`?
        ");
}

#[test]
fn a_wrong_type() {
    insta::assert_snapshot!(errors(
        "modules = ['comet']\n[comet]\nlocal_ivo = 'http://x'\n[comet.receive]\nport = '8098'\n",
        &[COMET],
    ), @r"
        error: `comet.local_ivo`: `http://x` is no IVOID
         --> hosts/h.toml:7:13
          |
        7 | local_ivo = 'http://x'
          |             ^^^^^^^^^^
          |
         ::: modules/comet/module.toml:3:10
          |
        3 | [options.local_ivo]
          |          --------- declared here
          |
          = help: write it like `ivo://org.example/node1`: an authority of three characters or more, then a path

        error: `comet.receive.port`: expected a port, as an integer, found a string
          --> hosts/h.toml:9:8
           |
         9 | port = '8098'
           |        ^^^^^^
           |
          ::: modules/comet/module.toml:10:25
           |
        10 | [options.receive.fields.port]
           |                         ---- declared here
           |
           = help: write `8098` without quotes, if that is what is meant
        ");
}

#[test]
fn two_values_of_equal_strength() {
    insta::assert_snapshot!(errors(
        "modules = ['comet']\nimports = ['a.toml', 'b.toml']\n",
        &[
            COMET,
            ("hosts/a.toml", "[comet.receive]\nport = 8001\n"),
            ("hosts/b.toml", "[comet.receive]\nport = 8002\n"),
        ],
    ), @r"
        error: `comet.receive.port` has two values of equal strength
         --> hosts/b.toml:2:8
          |
        2 | port = 8002
          |        ^^^^ this
          |
         ::: hosts/a.toml:2:8
          |
        2 | port = 8001
          |        ---- and this
          |
          = help: keep one of them, or set it in the host file, which is the strongest
        ");
}

#[test]
fn two_syntax_errors_at_once() {
    insta::assert_snapshot!(errors("modules = ['comet']\n[comet]\nx =\ny = z\n", &[COMET]), @r#"
        error: a value is missing
         --> hosts/h.toml:7:4
          |
        7 | x =
          |    ^
          |
          = help: write `key = value`

        error: a string must be quoted
         --> hosts/h.toml:8:5
          |
        8 | y = z
          |     ^
          |
          = help: write `"z"`
        "#);
}

#[test]
fn an_open_bracket_is_one_error() {
    insta::assert_snapshot!(errors("modules = ['comet'\n[comet]\nx = = 1\ny = z\n", &[COMET]), @r"
        error: the list before this is not closed
         --> hosts/h.toml:6:1
          |
        6 | [comet]
          | ^
          |
          = help: a line is `key = value` or `[table]`; texts stand in quotes, lists in `[ ]`
        ");
}

#[test]
fn a_required_option() {
    insta::assert_snapshot!(errors_of(&module(&[("a", "type = 'list of string'\nexample = ['x']")], "")), @r"
        error: `m.a` must be set
         --> hosts/h.toml:5:12
          |
        5 | modules = ['m']
          |            ^^^ needed here
          |
         ::: modules/m/module.toml:3:10
          |
        3 | [options.a]
          |          - declared here, without a default
          |
          = help: A a.
          = help: for example `['x']`
        ");
}

#[test]
fn what_modules_set_is_not_for_hosts() {
    let module = module(&[("a", "type = 'int'\ninternal = true\ndefault = 1")], "");
    insta::assert_snapshot!(
        errors("modules = ['m']\n[m]\na = 1\n", &[("modules/m/module.toml", &module)]),
        @r"
        error: `m.a` is set by modules, not by hosts
         --> hosts/h.toml:7:5
          |
        7 | a = 1
          |     ^
          |
         ::: modules/m/module.toml:3:10
          |
        3 | [options.a]
          |          - declared `internal` here
          |
          = help: leave it out
        "
    );
}

#[test]
fn rules_that_do_not_hold() {
    let rules = "[[assert]]
for_each = 'm.a'
that = 'each.value < 3'
message = '`{{ each.key }}` is {{ each.value }}: too much'
[[warn]]
when = '\"x\" in m.a'
message = 'x is old'
";
    let module = module(&[("a", "type = 'map of int'\ndefault = {}")], rules);
    insta::assert_snapshot!(
        errors("modules = ['m']\n[m]\na = { x = 1, y = 3 }\n", &[("modules/m/module.toml", &module)]),
        @r#"
    error: `y` is 3: too much
     --> hosts/h.toml:7:5
      |
    7 | a = { x = 1, y = 3 }
      |     ^^^^^^^^^^^^^^^^
      |
     ::: modules/m/module.toml:9:8
      |
    9 | that = 'each.value < 3'
      |        ---------------- this must hold
      |
      = help: module `m` demands it, in its entry `y`

    warning: x is old
      --> hosts/h.toml:7:5
       |
     7 | a = { x = 1, y = 3 }
       |     ^^^^^^^^^^^^^^^^
       |
      ::: modules/m/module.toml:12:8
       |
    12 | when = '"x" in m.a'
       |        ------------ because of this
       |
       = help: module `m` warns of it
    "#
    );
}

#[test]
fn imports_in_a_ring_and_missing_ones() {
    insta::assert_snapshot!(errors(
        "imports = ['a.toml', 'c.toml']\n",
        &[("hosts/a.toml", "[host]\nimports = ['b.toml']\n"), ("hosts/b.toml", "[host]\nimports = ['a.toml']\n")],
    ), @r"
        error: files import each other in a ring: `hosts/a.toml` → `hosts/b.toml` → `hosts/a.toml`
         --> hosts/a.toml:2:12
          |
        2 | imports = ['b.toml']
          |            ^^^^^^^^ `hosts/a.toml` needs `hosts/b.toml`
          |
         ::: hosts/b.toml:2:12
          |
        2 | imports = ['a.toml']
          |            -------- `hosts/b.toml` needs `hosts/a.toml`
          |
          = help: move what they share into a file of its own

        error: there is no `hosts/c.toml`
         --> hosts/h.toml:5:22
          |
        5 | imports = ['a.toml', 'c.toml']
          |                      ^^^^^^^^
          |
          = help: did you mean `hosts/a.toml`?
        ");
}

#[test]
fn a_ring_of_modules() {
    let file = |requires: &str| format!("[module]\ndescription = 'x'\nrequires = ['{requires}']\n");
    insta::assert_snapshot!(errors(
        "modules = ['a']\n",
        &[("modules/a/module.toml", &file("b")), ("modules/b/module.toml", &file("a"))],
    ), @r"
        error: modules name each other in a ring: `a` → `b` → `a`
         --> modules/a/module.toml:3:13
          |
        3 | requires = ['b']
          |             ^^^ `a` needs `b`
          |
         ::: modules/b/module.toml:3:13
          |
        3 | requires = ['a']
          |             --- `b` needs `a`
          |
          = help: let the one who needs something tell the one who provides it, by `[[set]]`
        ");
}

#[test]
fn what_a_host_must_say() {
    let mut tree = crate::build::sources::Memory::default();
    tree.0.insert("hosts/h.toml".into(), "[host]\nsystem = 'debian-12'\n".into());
    let diagnostics = super::compile_from(&mut tree, std::path::Path::new("hosts/h.toml"), &[]).unwrap_err();
    insta::assert_snapshot!(crate::base::report::render(&diagnostics, crate::base::report::RenderStyle::default()), @r#"
        error: `host.arch` is not set
         --> hosts/h.toml:1:1
          |
        1 | [host]
          | ^^^^^^
          |
          = help: add a line `arch = "x86_64"` to `[host]`: it is part of what the bundle is compiled for

        error: `host.python` is not set
         --> hosts/h.toml:1:1
          |
        1 | [host]
          | ^^^^^^
          |
          = help: add a line `python = "3.11"` to `[host]`: it is part of what the bundle is compiled for

        error: host `h` turns no module on
         --> hosts/h.toml:1:1
          |
        1 | [host]
          | ^^^^^^
          |
          = help: add `modules = ["comet"]` to `[host]`
        "#);
}

/// A place never begins or ends within a character.
#[test]
fn what_is_shown_is_whole() {
    let module = "[module]\ndescription = 'x'\n[[script]]\nname = 'x'\ntemplate = 'x.sh.j2'\n";
    for template in [&b"a\xffb"[..], "\u{F0001}".as_bytes(), "{{ é }}".as_bytes()] {
        let mut tree = crate::build::sources::Memory::default();
        tree.0.insert("hosts/h.toml".into(), format!("{}modules = ['m']\n", super::HEAD).into());
        tree.0.insert("modules/m/module.toml".into(), module.into());
        tree.0.insert("modules/m/x.sh.j2".into(), template.to_vec());
        let folders = [super::ModuleFolder::default_at("modules")];
        let errors =
            super::compile_from(&mut tree, std::path::Path::new("hosts/h.toml"), &folders).unwrap_err();
        let (place, _) = &errors[0].places[0];
        assert!(place.source.text.get(place.span.clone()).is_some(), "{errors:?}");
    }
}
