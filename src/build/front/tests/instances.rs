//! Modules that are on more than once.

use crate::base::report::{RenderStyle, render};
use crate::build::artifact::What;
use crate::build::fleet::{Member, judge};
use crate::build::seal::{Sealed, seal};
use crate::build::venvs::stand_ins;

use super::{errors, good, setting, shown};

const BOTH: &str = "modules = ['b', 'b:two']\n";
const DIR: &str = "modules/b/module.toml";

/// A module that can be on more than once.
const BROKER: &str = "[module]
description = 'x'
requires = ['acc']
instances = true
[options.port]
type = 'port'
description = 'A port.'
[options.dir]
type = 'path'
default = '/srv/b{{ instance.suffix }}'
description = 'x'
[options.version]
type = 'string'
default = '1'
description = 'x'
[[set]]
[set.acc.names]
\"{{ b.dir }}\" = '{{ b.port }}'
[[set]]
[set.acc]
order = ['{{ instance.name or \"plain\" }}']
[[venv]]
name = 'v'
requirements = ['v=={{ b.version }}']
[[script]]
name = 'run'
template = 'run.sh.j2'
[[unit]]
name = 'b{{ instance.suffix }}.service'
template = 'b.service.j2'
[[listen]]
port = '{{ b.port }}'
role = 'broadcast'
";

const ACC: &str = "[module]
description = 'x'
[options.names]
type = 'map of port'
description = 'x'
[options.order]
type = 'list of string'
description = 'x'
";

const USER: &str = "[module]
description = 'x'
requires = ['b']
[options.port]
type = 'int'
default = '{{ b.port }}'
description = 'x'
[[script]]
name = 'ask'
template = 'ask.sh.j2'
";

const FILES: [(&str, &str); 6] = [
    (DIR, BROKER),
    ("modules/b/run.sh.j2", "{{ venv('v') }}/bin/x {{ b.port }} {{ instance.name is none }}\n"),
    ("modules/b/b.service.j2", "[Service]\nExecStart={{ script('run') }}\nUser={{ b.dir }}\n"),
    ("modules/acc/module.toml", ACC),
    ("modules/user/module.toml", USER),
    ("modules/user/ask.sh.j2", "{{ script('b/run') }} {{ b.port }}\n"),
];

/// The module with more lines, and the host's lines.
fn refused(more: &str, host: &str) -> String {
    let text = format!("{BROKER}{more}");
    let files: Vec<(&str, &str)> =
        [(DIR, text.as_str())].into_iter().chain(FILES[1..].iter().copied()).collect();
    errors(host, &files)
}

#[test]
fn each_has_settings_and_artifacts_of_its_own() {
    let host = "modules = ['b:two', 'user', 'b']\n[b]\nport = 1\n['b:two']\nport = 2\n\
                [user]\nbind.b = 'b:two'\n";
    let compiled = good(host, &FILES);
    for (name, value) in [
        ("b.port", "1"),
        ("b:two.port", "2"),
        ("b.dir", "\"/srv/b\""),
        ("b:two.dir", "\"/srv/b-two\""),
        ("user.port", "2"),
        ("acc.names", r#"{ "/srv/b" = 1, "/srv/b-two" = 2 }"#),
        // What two instances tell a third comes in module order: the plain one first.
        ("acc.order", r#"["plain", "two"]"#),
    ] {
        assert_eq!(setting(&compiled, name), value, "{name}");
    }
    let modules: Vec<String> = compiled.rendered.modules.iter().map(ToString::to_string).collect();
    assert_eq!(modules, ["acc", "b", "b:two", "user"]);
    let texts = compiled.rendered.artifacts.iter().filter(|artifact| artifact.text().is_some());
    let texts: Vec<String> =
        texts.map(|artifact| format!("# {}\n{}", artifact.module, shown(artifact))).collect();
    insta::assert_snapshot!(texts.concat(), @r#"
    # b
    ⟨Venv b/v⟩/bin/x ⟨1⟩ ⟨true⟩
    # b
    [Service]
    ExecStart=⟨Script b/run⟩
    User=⟨"/srv/b"⟩
    # b:two
    ⟨Venv b:two/v⟩/bin/x ⟨2⟩ ⟨false⟩
    # b:two
    [Service]
    ExecStart=⟨Script b:two/run⟩
    User=⟨"/srv/b-two"⟩
    # user
    ⟨Script b:two/run⟩ ⟨2⟩
    "#);
}

#[test]
fn instances_share_a_venv() {
    let host = format!("{BOTH}[b]\nport = 1\ndir = '/a'\n['b:two']\nport = 2\ndir = '/b'\n");
    let files = FILES.map(|(path, text)| (path, text.to_owned().replace("User={{ b.dir }}\n", "")));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let compiled = good(&host, &files);
    let venvs = compiled.rendered.artifacts.iter().filter(|artifact| matches!(artifact.what, What::Venv(_)));
    assert_eq!(venvs.count(), 2);
    let Sealed { bundle, .. } = seal(&compiled.rendered, &stand_ins(&compiled.rendered)).unwrap();
    assert_eq!(bundle.manifest.venvs.len(), 1);
    // Each script is another, and each unit runs its own.
    let names = |text: &str| {
        bundle.manifest.objects.iter().filter(|object| object.name.to_string().contains(text)).count()
    };
    assert_eq!((names("-run"), names("-b.service"), names("-b-two.service")), (2, 1, 1));
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
fn who_names_a_module_says_which() {
    insta::assert_snapshot!(errors("modules = ['b:two', 'user']\n['b:two']\nport = 2\n", &FILES), @r#"
    error: which `b` does `user` mean? the host has `b:two`
     --> modules/user/module.toml:3:13
      |
    3 | requires = ['b']
      |             ^^^ required here
      |
     ::: hosts/h.toml:5:12
      |
    5 | modules = ['b:two', 'user']
      |            ------- turned on here
      |
      = help: add a line `bind.b = "b:two"` to `[user]`, or add `b` to `modules`
    "#);
    // Asked for by name, or bound, it is clear.
    good("modules = ['b:two', 'user', 'b']\n[b]\nport = 1\n['b:two']\nport = 2\n", &FILES);
    let bound = "modules = ['b:two', 'user']\n['b:two']\nport = 2\n[user]\nbind.b = 'b:two'\n";
    let compiled = good(bound, &FILES);
    assert_eq!(compiled.rendered.modules.len(), 3, "no plain one came along");
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
fn the_strongest_binding_counts() {
    let host = "modules = ['b', 'b:two', 'user']\nimports = ['site.toml']\n[b]\nport = 1\n['b:two']\nport = 2\n\
                [user]\nbind.b = 'b:two'\n";
    let files: Vec<(&str, &str)> =
        FILES.into_iter().chain([("hosts/site.toml", "[user]\nbind.b = 'b'\n")]).collect();
    assert_eq!(setting(&good(host, &files), "user.port"), "2");
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
      = help: did you mean `b:two`?
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

#[test]
fn one_broker_of_a_host_may_subscribe_to_another() {
    let more = "[options.to]\ntype = 'list of host-port'\ndefault = []\ndescription = 'x'\n\
                [[subscribe]]\nfor_each = 'b.to'\nto = '{{ each.value }}'\n[[source]]\nname = 'x'\n";
    let text = format!("{BROKER}{more}");
    let files: Vec<(&str, &str)> =
        [(DIR, text.as_str())].into_iter().chain(FILES[1..].iter().copied()).collect();
    let warnings = |to: &str| {
        let host = format!("{BOTH}[b]\nport = 1\nto = [{to}]\n['b:two']\nport = 2\nto = ['127.0.0.1:1']\n");
        let found = judge(&[Member::of(&mut good(&host, &files))]);
        found.into_iter().map(|found| found.message).collect::<Vec<_>>()
    };
    assert_eq!(warnings(""), Vec::<String>::new());
    let ring = "hosts subscribe to each other in a ring: `h` → `b:two` of `h` → `h`";
    assert_eq!(warnings("'localhost:2'"), [ring]);
    assert_eq!(warnings("'localhost:1'"), ["`h` subscribes to itself"]);
}
