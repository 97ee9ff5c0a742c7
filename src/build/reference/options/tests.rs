//! Options as people and programs see them.

use super::*;
use crate::base::report::{RenderStyle, render};
use crate::build::module_folders::ModuleFolder;
use crate::build::reference::library;
use crate::build::sources::Memory;

const A: &str = "[module]
description = 'The first'
[options.name]
type = 'string'
min = 1
pattern = '[a-z ]+'
description = 'A long description that does not stop before it has filled more than one line of a terminal.'
[options.parts]
type = 'map of table'
description = 'Parts.'
example = { x = { kinds = ['a'] } }
[options.parts.fields.kinds]
type = 'list of one of'
of = ['a', 'b']
repeat = true
default = ['a']
description = 'Kinds of a part.'
[options.level]
type = 'int'
max = 9
default = \"{{ a.parts | length }}\"
description = 'A level.'
[options.hidden]
type = 'bool'
internal = true
default = false
description = 'Not for hosts.'
";
const B: &str = "[module]
description = 'The second'
requires = ['a']
[[set]]
[set.a.parts.\"{{ host.name }}\"]
kinds = ['b']
";

fn modules() -> Library {
    let mut tree = Memory::default();
    for (path, text) in [("modules/a/module.toml", A), ("modules/b/module.toml", B)] {
        tree.0.insert(path.into(), text.into());
    }
    library::modules(&mut tree, vec![ModuleFolder::default_at("modules")]).unwrap()
}

#[test]
fn a_table_has_the_width_of_the_terminal() {
    let modules = modules();
    let all = asked(&modules, None).unwrap();
    insta::assert_snapshot!(all.text(&modules, 60), @r#"
    OPTION               TYPE            DEFAULT
    a.hidden             bool            (internal)
        Not for hosts.
    a.level              int             "{{ a.parts | length }}"
        A level.
    a.name               string          (required)
        A long description that does not stop before it has
        filled more than one line of a terminal.
    a.parts              map of table
        Parts.
    a.parts.<key>.kinds  list of one of  ["a"]
        Kinds of a part.
    "#);
    insta::assert_snapshot!(all.text(&modules, 110), @r#"
    OPTION               TYPE            DEFAULT                   DESCRIPTION
    a.hidden             bool            (internal)                Not for hosts.
    a.level              int             "{{ a.parts | length }}"  A level.
    a.name               string          (required)                A long description that does not stop before it
                                                                   has filled more than one line of a terminal.
    a.parts              map of table                              Parts.
    a.parts.<key>.kinds  list of one of  ["a"]                     Kinds of a part.
    "#);
    for width in [40, 60, 80, 110, 300] {
        let text = all.text(&modules, width);
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= width.max(66), "{width}: {longest}");
    }
}

#[test]
fn one_option_with_all_that_is_known_of_it() {
    let modules = modules();
    for name in ["a.parts", "a.parts.<key>", "a.parts.x"] {
        assert!(asked(&modules, Some(name)).is_ok() == (name == "a.parts"), "{name}");
    }
    insta::assert_snapshot!(asked(&modules, Some("a.parts")).unwrap().text(&modules, 80), @r#"
    a.parts

      Parts.

      type      map of table
      default   empty
      example   { x = { kinds = ["a"] } }
      set by    hosts and modules
      declared  modules/a/module.toml:8:10
      set in    modules/b/module.toml:5:8 (module b)

    OPTION               TYPE            DEFAULT  DESCRIPTION
    a.parts.<key>.kinds  list of one of  ["a"]    Kinds of a part.
    "#);
    insta::assert_snapshot!(asked(&modules, Some("a.parts.x.kinds")).unwrap().text(&modules, 60), @r#"
    a.parts.<key>.kinds

      Kinds of a part.

      type      list of one of `"a"`, `"b"`
      default   ["a"]
      entries   equal ones stay
      set by    hosts and modules
      declared  modules/a/module.toml:12:23
      set in    modules/b/module.toml:6:1 (module b)
    "#);
    insta::assert_snapshot!(asked(&modules, Some("a.name")).unwrap().text(&modules, 60), @"
    a.name

      A long description that does not stop before it has filled
      more than one line of a terminal.

      type      string, at least 1 character, matches `[a-z ]+`
      default   there is none: it must be set
      set by    hosts and modules
      declared  modules/a/module.toml:3:10
    ");
    let data = asked(&modules, Some("a.parts.kinds")).unwrap().data(&modules);
    insta::assert_snapshot!(format!("{:#}", Value::Object(data)), @r#"
    {
      "options": [
        {
          "declared": {
            "column": 23,
            "file": "modules/a/module.toml",
            "line": 12
          },
          "default": [
            "a"
          ],
          "description": "Kinds of a part.",
          "example": null,
          "internal": false,
          "limits": "`\"a\"`, `\"b\"`",
          "module": "a",
          "name": "a.parts.<key>.kinds",
          "optional": false,
          "required": false,
          "set_in": [
            {
              "column": 1,
              "file": "modules/b/module.toml",
              "line": 6
            }
          ],
          "type": "list of one of"
        }
      ]
    }
    "#);
}

#[test]
fn what_is_not_there_has_a_nearest_name() {
    let modules = modules();
    let errors = [
        asked(&modules, Some("c")).unwrap_err(),
        asked(&modules, Some("a.parts.x.kind")).unwrap_err(),
        asked(&modules, Some("a.")).unwrap_err(),
        found(&modules, "kinds zzz").unwrap_err(),
        found(&modules, " ").unwrap_err(),
    ];
    insta::assert_snapshot!(render(&errors, RenderStyle::default()), @"
    error: there is no module `c`
     |
     = help: known are `a` and `b`

    error: module `a` has no option `parts.x.kind`
     |
     = help: did you mean `a.parts.x.kinds`?

    error: module `a` has no option ``
     |
     = help: `voevent-build options a` lists those that it has

    error: no option has `kinds zzz` in its name or description
     |
     = help: `voevent-build options` lists all of them

    error: no option has ` ` in its name or description
     |
     = help: `voevent-build options` lists all of them
    ");
}

#[test]
fn the_best_comes_first() {
    let modules = modules();
    let Answer::List(entries) = found(&modules, "PART").unwrap() else { panic!() };
    let names: Vec<String> = entries.iter().map(Entry::name).collect();
    assert_eq!(names, ["a.parts", "a.parts.<key>.kinds"]);
}
