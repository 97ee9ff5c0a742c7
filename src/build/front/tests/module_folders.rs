//! Modules in more than one folder.

use super::{errors, good, module, setting};

const TREE: &str = "modules/a/module.toml";

#[test]
fn a_module_may_lie_in_any_folder_that_is_named() {
    let option = |name, value| module(&[(name, &format!("type = 'int'\ndefault = {value}"))], "");
    let b = option("x", 2) + "[[script]]\nname = 's'\ntemplate = 's.sh.j2'\n";
    let files = [
        (TREE, option("x", 1)),
        ("site/b/module.toml", b),
        ("site/b/s.sh.j2", "{% include 'lib/t.sh' %}".to_owned()),
        ("site/b/lib/t.sh", "echo {{ b.x }}\n".to_owned()),
        ("common/more/c/module.toml", option("x", 3)),
        ("common/all.toml", "[host]\nmodule_paths = ['more', './more/']\nmodules = ['c']\n".to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let host = "modules = ['a', 'b']\nmodule_paths = ['../site']\nimports = ['../common/all.toml']\n";
    let compiled = good(host, &files);
    for (name, value) in [("a.x", "1"), ("b.x", "2"), ("c.x", "3")] {
        assert_eq!(setting(&compiled, name), value);
    }
    assert_eq!(super::shown(&compiled.rendered.artifacts[0]), "echo ⟨2⟩\n");
    // The default folder need not be there.
    good("modules = ['c']\nimports = ['../common/all.toml']\n", &files[1..]);
}

#[test]
fn a_module_of_two_folders() {
    let files = [
        (TREE, "[module]\ndescription = 'x'\n"),
        ("site/a/module.toml", "# ours\n[module]\ndescription = 'x'\n"),
        ("hosts/site.toml", "[host]\nmodule_paths = ['../site']\n"),
    ];
    insta::assert_snapshot!(errors("modules = ['a']\nimports = ['site.toml']\n", &files), @"
    error: there are two modules `a`
     --> hosts/h.toml:5:12
      |
    5 | modules = ['a']
      |            ^^^
      |
     ::: modules/a/module.toml:1:1
      |
    1 | [module]
      | -------- one in `modules`, the default folder
      |
     ::: site/a/module.toml:2:1
      |
    2 | [module]
      | -------- and one in `site`, which `module_paths` names
      |
     ::: hosts/site.toml:2:17
      |
    2 | module_paths = ['../site']
      |                 --------- its folder is named here
      |
      = help: give the folder `a` of one of them another name, or name only one of the folders
    ");
}

#[test]
fn a_module_of_no_folder() {
    let files = [(TREE, ""), ("site/comet/module.toml", "")];
    let host = "modules = ['commet']\nmodule_paths = ['../site']\n";
    insta::assert_snapshot!(errors(host, &files), @"
    error: there is no module `commet`
     --> hosts/h.toml:5:12
      |
    5 | modules = ['commet']
      |            ^^^^^^^^ there is no `modules/commet/module.toml`, nor `site/commet/module.toml`
      |
      = help: did you mean `comet`?
    ");
}

#[test]
fn folders_that_cannot_be() {
    let host = "modules = ['a']\nmodule_paths = ['../sit', '/srv/modules', '']\n";
    insta::assert_snapshot!(errors(host, &[(TREE, "[module]\ndescription = 'x'\n")]), @"
    error: `sit` is empty or not there
     --> hosts/h.toml:6:17
      |
    6 | module_paths = ['../sit', '/srv/modules', '']
      |                 ^^^^^^^^ modules are looked for there
      |
      = help: write the folder relative to this file, or leave it out

    error: `/srv/modules` is no relative path
     --> hosts/h.toml:6:27
      |
    6 | module_paths = ['../sit', '/srv/modules', '']
      |                           ^^^^^^^^^^^^^^
      |
      = help: write it relative to this file, so that the folder can move

    error: `` is no relative path
     --> hosts/h.toml:6:43
      |
    6 | module_paths = ['../sit', '/srv/modules', '']
      |                                           ^^
      |
      = help: write it relative to this file, so that the folder can move
    ");
}
