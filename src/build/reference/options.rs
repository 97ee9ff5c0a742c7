//! Options as a table, one option with all that is known of it, and both as data.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use textwrap::core::display_width;

use crate::base::report::{Diagnostic, Place};
use crate::build::types::Type;

use super::entry::{Entry, Named, entries, named, of_module};
use super::library::Library;
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
pub fn asked<'a>(modules: &'a Library, name: Option<&str>) -> Result<Answer<'a>, Diagnostic> {
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
pub fn found<'a>(modules: &'a Library, words: &str) -> Result<Answer<'a>, Diagnostic> {
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
    pub fn text(&self, modules: &Library, width: usize) -> String {
        match self {
            Self::List(entries) => table(entries, width),
            Self::One(entries) => one(entries, modules, width),
        }
    }

    /// The same for programs: `options`, a list.
    #[must_use]
    pub fn data(&self, modules: &Library) -> Map<String, Value> {
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
fn one(entries: &[Entry<'_>], modules: &Library, width: usize) -> String {
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
fn facts(entry: &Entry<'_>, modules: &Library) -> Vec<(&'static str, String)> {
    let decl = entry.decl;
    let mut facts = vec![("type", words::described(&decl.kind))];
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
    facts.extend(decl.renamed_from.as_ref().map(|old| ("once", old.value.clone())));
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
fn data(entry: &Entry<'_>, modules: &Library) -> Value {
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
mod tests;
