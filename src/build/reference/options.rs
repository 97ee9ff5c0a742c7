//! Options as a table, one option with all that is known of it, and both as data.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use textwrap::core::display_width;

use crate::base::report::{Diagnostic, Place};
use crate::build::graph::Modules;
use crate::build::types::Type;

use super::entry::{Entry, Named, entries, named, of_module};
use super::search::search;
use super::words::{self, Unset, unset};

/// The fewest columns in which a description is read with pleasure; where there are fewer it gets lines of its own.
const DESCRIPTION: usize = 32;
/// The most columns for defaults beside descriptions.
const DEFAULT: usize = 24;
/// Between two columns.
const GAP: usize = 2;

/// What was asked for: one option, or a list.
#[derive(Debug)]
pub enum Answer<'a> {
    /// Options, a line or two each.
    List(Vec<Entry<'a>>),
    /// An option, and behind it its fields.
    One(Vec<Entry<'a>>),
}

/// All options, those of one module, or one of them.
///
/// # Errors
/// Where nothing is called so.
pub fn asked<'a>(modules: &'a Modules, name: Option<&str>) -> Result<Answer<'a>, Diagnostic> {
    Ok(match name.map(|name| named(modules, name)).transpose()? {
        None => Answer::List(entries(modules)),
        Some(Named::Module(module)) => Answer::List(of_module(module)),
        Some(Named::Option(option)) => Answer::One(option),
    })
}

/// The options that have all of these words in their name or description, the best first.
///
/// # Errors
/// Where none has.
pub fn found<'a>(modules: &'a Modules, words: &str) -> Result<Answer<'a>, Diagnostic> {
    let found = search(entries(modules), words, |entry| (entry.name(), entry.decl.description.clone()));
    if found.is_empty() {
        let error = format!("no option has `{}` in its name or description", words.escape_debug());
        return Err(Diagnostic::error(error).help("`voevent-build options` lists all of them"));
    }
    Ok(Answer::List(found))
}

impl Answer<'_> {
    /// As text for a terminal of so many columns.
    #[must_use]
    pub fn text(&self, modules: &Modules, width: usize) -> String {
        match self {
            Self::List(entries) => table(entries, width),
            Self::One(entries) => one(entries, modules, width),
        }
    }

    /// The same for programs: `options`, a list.
    #[must_use]
    pub fn data(&self, modules: &Modules) -> Map<String, Value> {
        let (Self::List(entries) | Self::One(entries)) = self;
        let options = entries.iter().map(|entry| data(entry, modules)).collect();
        Map::from_iter([("options".to_owned(), Value::Array(options))])
    }
}

/// What stands in the column of defaults.
fn default_cell(entry: &Entry<'_>) -> String {
    match (unset(entry.decl), &entry.decl.default) {
        _ if entry.internal => "(internal)".to_owned(),
        (_, Some(node)) => words::toml(node),
        (Unset::None, _) => "(optional)".to_owned(),
        (Unset::Refused, _) => "(required)".to_owned(),
        (Unset::Parts | Unset::Default, _) => String::new(),
    }
}

fn table(entries: &[Entry<'_>], width: usize) -> String {
    let head = ["OPTION", "TYPE", "DEFAULT", "DESCRIPTION"].map(str::to_owned);
    let rows = entries.iter().map(|entry| {
        let kind = words::type_name(&entry.decl.kind);
        [entry.name(), kind, default_cell(entry), entry.decl.description.clone()]
    });
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(rows).collect();
    let widest = |column: usize| rows.iter().map(|row| display_width(&row[column])).max().unwrap_or(0);
    let (names, types) = (widest(0), widest(1));
    let before = names + GAP + types + GAP;
    let defaults = widest(2).min(DEFAULT);
    let left = width.saturating_sub(before + defaults + GAP);
    let beside = left >= DESCRIPTION;
    let defaults = if beside { defaults } else { width.saturating_sub(before).max(DEFAULT) };
    let mut text = String::new();
    for (index, [name, kind, default, description]) in rows.iter().enumerate() {
        let mut columns = vec![(name.clone(), names), (kind.clone(), types), (default.clone(), defaults)];
        if beside {
            columns.push((description.clone(), left));
        }
        text.push_str(&line(&columns));
        if !beside && index > 0 {
            for line in textwrap::wrap(description, width.saturating_sub(4).max(DESCRIPTION)) {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
    text
}

/// Cells beside each other, each folded to its width.
fn line(columns: &[(String, usize)]) -> String {
    let folded: Vec<_> = columns.iter().map(|(cell, width)| textwrap::wrap(cell, (*width).max(1))).collect();
    let height = folded.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for row in 0..height {
        let mut line = String::new();
        for (cells, (_, width)) in folded.iter().zip(columns) {
            let cell = cells.get(row).map_or("", |cell| cell.as_ref());
            let blank = width.saturating_sub(display_width(cell)) + GAP;
            line.push_str(cell);
            line.push_str(&" ".repeat(blank));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// An option with all that is known of it, and a table of its fields.
fn one(entries: &[Entry<'_>], modules: &Modules, width: usize) -> String {
    let Some((entry, fields)) = entries.split_first() else { return String::new() };
    let mut text = format!("{}\n", entry.name());
    let indent = textwrap::Options::new(width.max(DESCRIPTION)).initial_indent("  ").subsequent_indent("  ");
    let _ = write!(text, "\n{}\n\n", textwrap::fill(&entry.decl.description, indent));
    let facts = facts(entry, modules);
    let names = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let values = width.saturating_sub(2 + names + GAP).max(DEFAULT);
    for (name, value) in facts {
        text.push_str("  ");
        text.push_str(&line(&[(name.to_owned(), names), (value, values)]).replace('\n', "\n  "));
        text.truncate(text.len() - 2);
    }
    if !fields.is_empty() {
        text.push('\n');
        text.push_str(&table(fields, width));
    }
    text
}

/// What is known of an option besides its description, each with a name.
fn facts(entry: &Entry<'_>, modules: &Modules) -> Vec<(&'static str, String)> {
    let decl = entry.decl;
    let kind = words::type_name(&decl.kind);
    let limits = words::limits(&decl.kind).map_or_else(String::new, |limits| format!(": {limits}"));
    let mut facts = vec![("type", kind + &limits)];
    facts.push((
        "default",
        match (unset(decl), &decl.default) {
            (_, Some(node)) => words::toml(node),
            (Unset::None, _) => "none: it may be left out".to_owned(),
            (Unset::Refused, _) => "there is none: it must be set".to_owned(),
            (Unset::Parts, _) if matches!(decl.kind, Type::Table(_)) => "that of each field".to_owned(),
            (Unset::Parts | Unset::Default, _) => "empty".to_owned(),
        },
    ));
    facts.extend(decl.example.as_ref().map(|node| ("example", words::toml(node))));
    if let Type::List { repeat: true, .. } = decl.kind {
        facts.push(("entries", "equal ones stay".to_owned()));
    }
    facts.push((
        "set by",
        if entry.internal { "modules only: it is internal" } else { "hosts and modules" }.to_owned(),
    ));
    facts.push(("declared", shown(&decl.place)));
    for (module, place) in entry.setters(modules) {
        facts.push(("set in", format!("{} (module {})", shown(&place), module.name)));
    }
    facts
}

fn shown(place: &Place) -> String {
    let (line, column) = place.line_column();
    format!("{}:{line}:{column}", place.source.name)
}

fn at(place: &Place) -> Value {
    let (line, column) = place.line_column();
    json!({ "file": place.source.name, "line": line, "column": column })
}

/// An option for programs; `limits` has the words of people.
fn data(entry: &Entry<'_>, modules: &Modules) -> Value {
    let decl = entry.decl;
    let written = |node: &Option<_>| node.as_ref().map_or(Value::Null, words::json);
    let setters = entry.setters(modules);
    json!({
        "name": entry.name(),
        "module": entry.module.name.as_str(),
        "type": words::type_name(&decl.kind),
        "limits": words::limits(&decl.kind),
        "default": written(&decl.default),
        "example": written(&decl.example),
        "required": unset(decl) == Unset::Refused,
        "optional": decl.optional,
        "internal": entry.internal,
        "description": decl.description,
        "declared": at(&decl.place),
        "set_in": setters.iter().map(|(_, place)| at(place)).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
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

    fn modules() -> Modules {
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

          type      list of one of: `"a"`, `"b"`
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

          type      string: at least 1 character, matches `[a-z ]+`
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
         = help: did you mean `a`?

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
}
