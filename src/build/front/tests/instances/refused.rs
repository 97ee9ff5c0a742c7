//! What is wrong with instances, as users see it.

use super::{BOTH, BROKER, DIR, FILES, errors, good};
use crate::base::report::{RenderStyle, render};
use crate::build::seal::seal;
use crate::build::venvs::stand_ins;

/// The module with more lines, and the host's lines.
fn refused(more: &str, host: &str) -> String {
    let text = format!("{BROKER}{more}");
    let files: Vec<(&str, &str)> =
        [(DIR, text.as_str())].into_iter().chain(FILES[1..].iter().copied()).collect();
    errors(host, &files)
}

#[test]
fn a_module_that_does_not_say_so_is_on_once() {
    insta::assert_snapshot!(errors("modules = ['acc', 'acc:two']\n", &FILES), @"
    error: module `acc` has no instances
     --> hosts/h.toml:5:19
      |
    5 | modules = ['acc', 'acc:two']
      |                   ^^^^^^^^^
      |
     ::: modules/acc/module.toml:1:2
      |
    1 | [module]
      |  ------ it does not say `instances = true`
      |
      = help: write `acc`, or make the module one that can be on more than once
    ");
}

#[test]
fn what_is_bound_must_be_there() {
    let host = "modules = ['b', 'b:two', 'user']\nimports = ['site.toml', 'more.toml']\n\
                [b]\nport = 1\nbind.b = 'b'\n['b:two']\nport = 2\nbind.acc = 'b:two'\n";
    let site = ("hosts/site.toml", "[user]\nbind = { b = 'b:twoo', acc = 'acc', c = 1 }\n");
    let more = ("hosts/more.toml", "[user]\nbind.b = 'b'\n");
    let files: Vec<(&str, &str)> = FILES.into_iter().chain([site, more]).collect();
    insta::assert_snapshot!(errors(host, &files), @r#"
    error: `b` does not name `b`: there is nothing to bind
     --> hosts/h.toml:9:6
      |
    9 | bind.b = 'b'
      |      ^
      |
      = help: there is only `acc`

    error: `b:two` is no instance of `acc`
      --> hosts/h.toml:12:12
       |
    12 | bind.acc = 'b:two'
       |      ---   ^^^^^^^
       |      |
       |      bound here
       |
       = help: write it like `bind.acc = "acc:backup"`

    error: the host has no `b:twoo` on
     --> hosts/site.toml:2:14
      |
    2 | bind = { b = 'b:twoo', acc = 'acc', c = 1 }
      |              ^^^^^^^^
      |
      = help: did you mean `b:two`?

    error: `user` does not name `acc`: there is nothing to bind
     --> hosts/site.toml:2:24
      |
    2 | bind = { b = 'b:twoo', acc = 'acc', c = 1 }
      |                        ^^^
      |
      = help: there is only `b`

    error: expected a string, found an integer
     --> hosts/site.toml:2:41
      |
    2 | bind = { b = 'b:twoo', acc = 'acc', c = 1 }
      |                                         ^ this is an integer
      |
      = help: write it in quotes

    error: `user.bind.b` has two values of equal strength
     --> hosts/more.toml:2:10
      |
    2 | bind.b = 'b'
      |          ^^^ this
      |
     ::: hosts/site.toml:2:14
      |
    2 | bind = { b = 'b:twoo', acc = 'acc', c = 1 }
      |              -------- and this
      |
      = help: set it in the host file, which is stronger than what it imports
    "#);
}

#[test]
fn names_and_tables_that_cannot_be() {
    insta::assert_snapshot!(
        errors("modules = ['b:two', 'b:Two', ':x', 'b:']\n[b]\nport = 1\n['b:tow']\nport = 1\n", &FILES),
        @"
    error: `Two` is no name of an instance: lower-case letters, digits, `_` and `-`, the first a letter or digit, at most 31
     --> hosts/h.toml:5:21
      |
    5 | modules = ['b:two', 'b:Two', ':x', 'b:']
      |                     ^^^^^^^
      |
      = help: name a folder of `modules/`, or an instance of such a module, as `comet:backup`

    error: `` is no module name: lower-case letters, digits and `_`, the first a letter, at most 63, and not `host`, `each`, `instance`, `on` or `set`
     --> hosts/h.toml:5:30
      |
    5 | modules = ['b:two', 'b:Two', ':x', 'b:']
      |                              ^^^^
      |
      = help: name a folder of `modules/`, or an instance of such a module, as `comet:backup`

    error: `` is no name of an instance: lower-case letters, digits, `_` and `-`, the first a letter or digit, at most 31
     --> hosts/h.toml:5:36
      |
    5 | modules = ['b:two', 'b:Two', ':x', 'b:']
      |                                    ^^^^
      |
      = help: name a folder of `modules/`, or an instance of such a module, as `comet:backup`
    "
    );
    insta::assert_snapshot!(errors("modules = ['b:two']\n[b]\nport = 1\n['b:tow']\nport = 1\n", &FILES), @r#"
    error: the host has no module `b` on
     --> hosts/h.toml:6:2
      |
    6 | [b]
      |  ^
      |
      = help: the table of `b:two` is `["b:two"]`

    error: the host has no module `b:tow` on
     --> hosts/h.toml:8:2
      |
    8 | ['b:tow']
      |  ^^^^^^^
      |
      = help: did you mean `b:two`? Else add `b:tow` to `modules`
    "#);
}

#[test]
fn errors_name_the_instance() {
    let host = format!("{BOTH}[b]\nport = 1\ndir = '/x'\n['b:two']\ndir = '/y'\n");
    insta::assert_snapshot!(errors(&host, &FILES), @"
    error: `b:two.port` must be set
     --> hosts/h.toml:9:2
      |
    9 | ['b:two']
      |  ^^^^^^^ needed here
      |
     ::: modules/b/module.toml:5:10
      |
    5 | [options.port]
      |          ---- declared here, without a default
      |
      = help: A port.
    ");
    let more = "[[assert]]\nthat = 'b.port > 9'\nmessage = 'too low'\n\
                [[assert]]\nthat = '[1][b.port - 1] == 1'\nmessage = 'never'\n";
    let host = format!("{BOTH}[b]\nport = 1\n['b:two']\nport = 2\n");
    insta::assert_snapshot!(refused(more, &host), @"
    error: too low
      --> hosts/h.toml:7:8
       |
     7 | port = 1
       |        ^
       |
      ::: modules/b/module.toml:35:8
       |
    35 | that = 'b.port > 9'
       |        ------------ this must hold
       |
       = help: module `b` demands it

    error: `b:two`: too low
      --> hosts/h.toml:9:8
       |
     9 | port = 2
       |        ^
       |
      ::: modules/b/module.toml:35:8
       |
    35 | that = 'b.port > 9'
       |        ------------ this must hold
       |
       = help: module `b:two` demands it

    error: `b:two`: this is not defined
      --> modules/b/module.toml:38:9
       |
    38 | that = '[1][b.port - 1] == 1'
       |         ^^^^^^^^^^^^^^^^^^^^
       |
       = help: ask `x.on` before reading options of a module that may be off, and `key in map` before reading an entry
    ");
    let more = "[[check]]\nname = 'c'\nkind = 'tcp'\nport = '{{ b.port }}'\nunit = 'x{{ instance.suffix }}.service'\n";
    insta::assert_snapshot!(refused(more, &host), @"
    error: check `c` is about `x.service`, and no module has this unit
      --> modules/b/module.toml:34:1
       |
    34 | [[check]]
       | ^^^^^^^^^
       |
      ::: hosts/h.toml:7:8
       |
     7 | port = 1
       |        - `b.port` is set here
       |
       = help: did you mean `b.service`?

    error: the check `c` is not the same in two instances
      --> modules/b/module.toml:34:1
       |
    34 | [[check]]
       | ^^^^^^^^^ of `b` and of `b:two`
       |
      ::: hosts/h.toml:7:8
       |
     7 | port = 1
       |        - `b.port` is set here
     8 | ['b:two']
     9 | port = 2
       |        - `b:two.port` is set here
       |
       = help: write `{{ instance.suffix }}` in what is to tell them apart, or give both the same values
    ");
}

#[test]
fn a_hole_that_is_refused_shows_the_instance_that_filled_it() {
    let host = format!("{BOTH}[b]\nport = 1\ndir = '/a'\n['b:two']\nport = 2\ndir = '/b c'\n");
    let compiled = good(&host, &FILES);
    let refused = seal(&compiled.rendered, &stand_ins(&compiled.rendered)).unwrap_err();
    insta::assert_snapshot!(render(&compiled.explained(refused), RenderStyle::default()), @"
    error: `b:two`: the value has a character that could have a meaning for this key
      --> modules/b/b.service.j2:3:9
       |
     3 | User={{ b.dir }}
       |         ^^^^^
       |
      ::: hosts/h.toml:11:7
       |
    11 | dir = '/b c'
       |       ------ `b:two.dir` is set here
       |
       = help: only letters, digits and `_@.,:/+=-` can stand here
    ");
}

#[test]
fn what_both_want_and_only_one_can_have() {
    let host = format!("{BOTH}[b]\nport = 1\nversion = '2'\n['b:two']\nport = 1\n");
    let more = "[[check]]\nname = 'c'\nkind = 'unit-active'\nunit = 'b{{ instance.suffix }}.service'\n";
    insta::assert_snapshot!(refused(more, &host), @"
    error: two services listen on port 1
      --> hosts/h.toml:10:8
       |
    10 | port = 1
       |        ^ by `b:two`, to broadcast
       |
      ::: modules/b/module.toml:32:8
       |
    32 | port = '{{ b.port }}'
       |        -------------- which is stated here
       |
      ::: hosts/h.toml:7:8
       |
     7 | port = 1
       |        - by `b`, to broadcast
       |
      ::: modules/b/module.toml:32:8
       |
    32 | port = '{{ b.port }}'
       |        -------------- which is stated here
       |
       = help: give one of them another port
    ");
    let host = host.replacen("port = 1\nversion = '2'", "port = 2\nversion = '2'", 1);
    let files = FILES.map(|(path, text)| {
        let text = text.replace("b{{ instance.suffix }}.service", "b.service");
        (path, text.replace("User={{ b.dir }}\n", ""))
    });
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let compiled = good(&host, &files);
    let errors = seal(&compiled.rendered, &stand_ins(&compiled.rendered)).unwrap_err();
    let errors = render(&compiled.explained(errors), RenderStyle::default());
    insta::assert_snapshot!(errors, @"
    error: two artifacts for unit `b.service`
      --> modules/b/module.toml:28:1
       |
    28 | [[unit]]
       | ^^^^^^^^ of `b` and of `b:two`
       |
       = help: write `{{ instance.suffix }}` in what is to tell them apart, or give both the same values
    ");
}

#[test]
fn names_that_modules_cannot_have() {
    let more = "[options.bind]\ntype = 'int'\ndescription = 'x'\n[options.instance]\ntype = 'int'\ndescription = 'x'\n\
                [[package]]\nname = '{{ instance }}'\n[[package]]\nname = '{{ instance.nam }}'\n";
    insta::assert_snapshot!(refused(more, "modules = ['b']\n[b]\nport = 1\n"), @"
    error: `bind` is no name for an option
      --> modules/b/module.toml:34:10
       |
    34 | [options.bind]
       |          ^^^^
       |
       = help: choose another name: hosts say by `bind` which instance a name means

    error: `instance` is no name for an option: lower-case letters, digits and `_`, the first a letter, at most 63, and not `host`, `each`, `instance`, `on` or `set`
      --> modules/b/module.toml:37:10
       |
    37 | [options.instance]
       |          ^^^^^^^^
       |
       = help: choose another name
    ");
    let more = "[[package]]\nname = '{{ instance }}'\n[[package]]\nname = '{{ instance.nam }}'\n";
    insta::assert_snapshot!(refused(more, &format!("{BOTH}[b]\nport = 1\n['b:two']\nport = 2\n")), @"
    error: `instance` is a table
      --> modules/b/module.toml:35:12
       |
    35 | name = '{{ instance }}'
       |            ^^^^^^^^
       |
       = help: write `instance.suffix` in names, or ask for `instance.name`

    error: `instance` has no `nam`
      --> modules/b/module.toml:37:12
       |
    37 | name = '{{ instance.nam }}'
       |            ^^^^^^^^^^^^
       |
       = help: did you mean `name`?
    ");
}
