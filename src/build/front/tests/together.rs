//! Errors of what artifacts are together, and what of a host is shown with them.

use std::collections::BTreeMap;

use crate::base::report::{RenderStyle, render};
use crate::build::seal::seal;

use super::{errors, good, module};

fn folder(path: &str, owner: &str, mode: &str) -> String {
    format!("[[directory]]\npath = '{path}'\nmode = '{mode}'\nowner = '{owner}'\ngroup = 'g'\n")
}

fn messages(rest: &str) -> Vec<String> {
    let module = module(&[("a", "type = 'int'\ndefault = 1")], rest);
    let files = [("modules/m/module.toml", module.as_str()), ("modules/m/x", "")];
    let text = errors("modules = ['m']\n", &files);
    text.lines().filter_map(|line| line.strip_prefix("error: ")).map(str::to_owned).collect()
}

#[test]
fn files_and_folders_that_cannot_lie_in_each_other() {
    let file = |path: &str| format!("[[file]]\npath = '{path}'\nname = 'n'\nsource = 'x'\n");
    for (first, second, want) in [
        (
            folder("/srv/a", "u", "0750"),
            folder("/srv/a/b", "v", "0750"),
            "`/srv/a/b` of `v` lies in a folder of `u`",
        ),
        (
            folder("/etc/a", "u", "0750"),
            file("/etc/a/b/c"),
            "`/etc/a/b/c` lies in a folder that others than root can change",
        ),
        (
            folder("/etc/a", "root", "0770"),
            file("/etc/a/b"),
            "`/etc/a/b` lies in a folder that others than root can change",
        ),
        (folder("/etc/a", "root", "0755"), file("/etc/a"), "`/etc/a` is a file and a folder at once"),
        (file("/etc/a"), file("/etc/a/b").replace("'n'", "'o'"), "`/etc/a` is a file and a folder at once"),
    ] {
        assert_eq!(messages(&format!("{first}{second}")), [want]);
    }
}

#[test]
fn what_others_would_refuse_later() {
    let user =
        |home: &str| format!("[[user]]\nname = 'u'\ngroup = 'g'\nhome = '{home}'\nshell = '/bin/sh'\n");
    let venv = |import: &str| format!("[[venv]]\nname = 'v'\nrequirements = []\nimports = ['{import}']\n");
    let unit = |name: &str| format!("[[unit]]\nname = '{name}'\nsource = 'x'\n");
    for (rest, want) in [
        (user("/home/a:b"), "`/home/a:b` is no `home` that a user can have: passwd(5) divides at `:`"),
        (venv("os; print(1)"), "`os; print(1)` is no module of Python"),
        (venv("a") + "build_on_target = ['lxml==6']\n", "`lxml==6` is no name of a Python package"),
        (unit("voevent.target"), "`voevent.target` belongs to voevent-node itself"),
        (unit("voevent-guard-1.service"), "`voevent-guard-1.service` belongs to voevent-node itself"),
        (
            format!("[[venv]]\nrequirements = []\nname = '{}'\n", "v".repeat(120)),
            &*format!("`{}` is too long for a venv", "v".repeat(120)),
        ),
    ] {
        assert_eq!(messages(&rest), [want]);
    }
}

#[test]
fn the_setting_behind_an_artifact_is_shown() {
    let rest = format!("{}{}", folder("/srv/a", "u", "0750"), folder("{{ m.dir }}", "u", "0750"));
    let module = module(&[("dir", "type = 'path'\ndefault = '/srv/a/b'")], &rest);
    insta::assert_snapshot!(
        errors("modules = ['m']\n[m]\ndir = '/srv/a/b/c'\n", &[("modules/m/module.toml", &module)]),
        @r"
        error: nobody makes `/srv/a/b`, which lies between `/srv/a` and `/srv/a/b/c`
          --> modules/m/module.toml:12:1
           |
        12 | [[directory]]
           | ^^^^^^^^^^^^^
           |
          ::: hosts/h.toml:7:7
           |
         7 | dir = '/srv/a/b/c'
           |       ------------ `m.dir` is set here
           |
           = help: choose a path right below `/srv/a`, or have a module make each level by `[[directory]]`
        "
    );
}

#[test]
fn the_setting_in_a_hole_is_shown_through_names_and_entries() {
    let rest = "[[unit]]\nname = 'a.service'\ntemplate = 'a.service.j2'\nfor_each = 'm.list'\n";
    let module = module(&[("list", "type = 'list of string'")], rest);
    let template = "[Service]\n{% for x in m.list %}\n{% set y = x %}\nUser={{ y }}\n{% endfor %}\nGroup={{ each.value }}\n";
    let files = [("modules/m/module.toml", module.as_str()), ("modules/m/a.service.j2", template)];
    let compiled = good("modules = ['m']\n[m]\nlist = ['a b']\n", &files);
    let refused = seal(&compiled.rendered, &BTreeMap::new()).unwrap_err();
    insta::assert_snapshot!(render(&compiled.explained(refused), RenderStyle::default()), @r"
        error: the value has a character that could have a meaning for this key
         --> modules/m/a.service.j2:4:9
          |
        4 | User={{ y }}
          |         ^
          |
         ::: hosts/h.toml:7:8
          |
        7 | list = ['a b']
          |        ------- `m.list` is set here
          |
          = help: only letters, digits and `_@.,:/+=-` can stand here

        error: the value has a character that could have a meaning for this key
         --> modules/m/a.service.j2:6:10
          |
        6 | Group={{ each.value }}
          |          ^^^^^^^^^^
          |
         ::: hosts/h.toml:7:8
          |
        7 | list = ['a b']
          |        ------- `m.list` is set here
          |
          = help: only letters, digits and `_@.,:/+=-` can stand here
        ");
}
