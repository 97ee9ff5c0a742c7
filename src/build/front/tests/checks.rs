//! Tables `[[check]]` that are wrong.

use super::{errors_of, module};
use crate::base::http::{HttpAsk, UrlPath};
use crate::build::artifact::{CheckKind, What};

const ONE: (&str, &str) = ("a", "type = 'int'\ndefault = 1");

#[test]
fn checks_have_the_keys_of_their_kind() {
    let rest = "[[check]]\nname = 'a'\nkind = 'tcp'\n\
                [[check]]\nname = 'b'\nkind = 'file-newer'\n\
                [[check]]\nname = 'c'\nkind = 'file-newer'\npath = '/x/y'\nport = 8099\n\
                [[check]]\nname = 'd'\nkind = 'command'\n\
                [[check]]\nname = 'e'\nkind = 'command'\ncommand = ['true']\n\
                [[check]]\nname = 'f'\nkind = 'command'\ncommand = ['/usr/bin/true']\nscript = 's'\n\
                [[check]]\nname = 'g'\nkind = 'unit-active'\n\
                [[check]]\nname = 'h'\nkind = 'tcp'\nport = 8099\nuser = 'root'\n";
    insta::assert_snapshot!(errors_of(&module(&[ONE], rest)), @"
    error: a check of kind `tcp` needs `port`
     --> modules/m/module.toml:9:8
      |
    9 | kind = 'tcp'
      |        ^^^^^
      |
      = help: add a line `port = …`

    error: a check of kind `file-newer` needs `path`
      --> modules/m/module.toml:12:8
       |
    12 | kind = 'file-newer'
       |        ^^^^^^^^^^^^
       |
       = help: add a line `path = …`

    error: a check of kind `file-newer` has no `port`
      --> modules/m/module.toml:17:8
       |
    17 | port = 8099
       |        ^^^^
       |
       = help: leave it out, or choose another kind

    error: a check of kind `command` needs `command`
      --> modules/m/module.toml:20:8
       |
    20 | kind = 'command'
       |        ^^^^^^^^^
       |
       = help: add a line `command = …`

    error: `true` is no absolute path of a program
      --> modules/m/module.toml:24:11
       |
    24 | command = ['true']
       |           ^^^^^^^^
       |
       = help: write it like `/usr/bin/true`, arguments apart

    error: both a `command` and a `script`
      --> modules/m/module.toml:29:10
       |
    29 | script = 's'
       |          ^^^
       |
       = help: name the script alone: what it needs is written into it

    error: a check of kind `unit-active` needs `unit`
      --> modules/m/module.toml:32:8
       |
    32 | kind = 'unit-active'
       |        ^^^^^^^^^^^^^
       |
       = help: add a line `unit = …`

    error: a check of kind `tcp` has no `user`
      --> modules/m/module.toml:37:8
       |
    37 | user = 'root'
       |        ^^^^^^
       |
       = help: leave it out, or choose another kind
    ");
}

#[test]
fn checks_of_http() {
    let check = |name: &str, rest: &str| format!("[[check]]\nname = '{name}'\nkind = 'http'\n{rest}\n");
    let good = check("a", "port = 9000\npath = '/x?y'\nstatus = 204\ncontains = 'ready'");
    let compiled = super::good("modules = ['m']\n", &[("modules/m/module.toml", &module(&[ONE], &good))]);
    let kinds = compiled.rendered.artifacts.iter().filter_map(|artifact| match &artifact.what {
        What::Check(check) => Some(&check.kind),
        _ => None,
    });
    let path = UrlPath::new("/x?y").unwrap();
    let asked = HttpAsk { port: 9000, path, status: 204, contains: Some("ready".into()) };
    assert_eq!(kinds.collect::<Vec<_>>(), [&CheckKind::Http(asked)]);
    let rest = check("b", "port = 9000")
        + &check("c", "path = '/'")
        + &check("d", "port = 9000\npath = 'health'")
        + &check("e", "port = 9000\npath = '/a b'")
        + &check("f", "port = 9000\npath = '/'\nstatus = 99")
        + "[[check]]\nname = 'g'\nkind = 'tcp'\nport = 9000\ncontains = 'x'\n";
    insta::assert_snapshot!(errors_of(&module(&[ONE], &rest)), @"
    error: a check of kind `http` needs `path`
     --> modules/m/module.toml:9:8
      |
    9 | kind = 'http'
      |        ^^^^^^
      |
      = help: add a line `path = …`

    error: a check of kind `http` needs `port`
      --> modules/m/module.toml:13:8
       |
    13 | kind = 'http'
       |        ^^^^^^
       |
       = help: add a line `port = …`

    error: `health` is no path of a URL: it begins with `/`
      --> modules/m/module.toml:19:8
       |
    19 | path = 'health'
       |        ^^^^^^^^
       |
       = help: write it like `/health`; the host is this one

    error: `/a b` is no path of a URL: write other characters as `%20`
      --> modules/m/module.toml:24:8
       |
    24 | path = '/a b'
       |        ^^^^^^
       |
       = help: write it like `/health`; the host is this one

    error: 99 is too small
      --> modules/m/module.toml:30:10
       |
    30 | status = 99
       |          ^^
       |
       = help: 100 is the least

    error: a check of kind `tcp` has no `contains`
      --> modules/m/module.toml:35:12
       |
    35 | contains = 'x'
       |            ^^^
       |
       = help: leave it out, or choose another kind
    ");
}
