//! What is no TOML, in words that help: the parser's own, reworded, each with what it collides with.

use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::base::report::{Diagnostic, Place, Source};

/// The most syntax errors that are looked at: who has more has no TOML.
const MAX_ERRORS: usize = 1000;

/// What the parser found in a text, and what it could read of it: all errors, in the order of the text.
pub(super) fn errors(source: &Arc<Source>, root: &DeTable<'_>, found: &[toml::de::Error]) -> Vec<Diagnostic> {
    let mut errors: Vec<(Range<usize>, String)> =
        found.iter().map(|error| (error.span().unwrap_or_default(), error.message().to_owned())).collect();
    errors.sort_by(|a, b| (a.0.start, a.0.end, &a.1).cmp(&(b.0.start, b.0.end, &b.1)));
    errors.dedup();
    errors.truncate(MAX_ERRORS);
    unclosed(&mut errors);
    let mut keys = Vec::new();
    if errors.iter().any(|(_, message)| is_double(message)) {
        of_table(root, &mut keys);
    }
    let keys = said(&source.text, keys);
    let place = |span| Place { source: Arc::clone(source), span };
    errors
        .into_iter()
        .map(|(span, message)| {
            let first = if is_double(&message) { first(&source.text, &keys, &span) } else { None };
            let error = worded(place(span), &message);
            first.map(|first| error.clone().at(place(first), "here it is defined first")).unwrap_or(error)
        })
        .collect()
}

fn is_double(message: &str) -> bool {
    message.starts_with("duplicate key")
}

/// A bracket that is never closed takes the rest of the file along: only the first of those errors says anything.
fn unclosed(errors: &mut Vec<(Range<usize>, String)>) {
    let Some(end) = errors.iter().position(|(_, message)| message.starts_with("unclosed array, ")) else {
        return;
    };
    let missing = |error: &&(Range<usize>, String)| error.1.starts_with("missing comma between array");
    if let Some((span, _)) = errors.iter().take(end).find(missing).cloned() {
        errors.retain(|(other, _)| other.start < span.start);
        errors.push((span, "the list before this is not closed".to_owned()));
    }
}

/// Where all keys are written.
fn of_table(table: &DeTable<'_>, keys: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        keys.push(key.span());
        of_value(value.get_ref(), keys);
    }
}

fn of_value(value: &DeValue<'_>, keys: &mut Vec<Range<usize>>) {
    match value {
        DeValue::Table(table) => of_table(table, keys),
        DeValue::Array(items) => items.iter().for_each(|item| of_value(item.get_ref(), keys)),
        _ => {}
    }
}

/// A key, and all that its line says up to its end: a table's header, or what stands before the `=`.
type Said<'a> = (Range<usize>, &'a str);

/// The keys in the order of the text.
fn said(text: &str, mut keys: Vec<Range<usize>>) -> Vec<Said<'_>> {
    keys.sort_by_key(|key| key.start);
    let (mut at, mut start) = (0, text.len() - text.trim_start_matches([' ', '\t']).len());
    let said = keys.into_iter().filter_map(|key| {
        // A line may have many keys: it is looked through once.
        if let Some(end) = text.get(at..key.start)?.rfind('\n') {
            start = key.start - text[at + end + 1..key.start].trim_start().len();
        }
        at = key.start;
        Some((key.clone(), text.get(start..key.end)?))
    });
    said.collect()
}

/// Where the key that is here for the second time is written before, as far as the text itself shows that.
fn first(text: &str, keys: &[Said<'_>], second: &Range<usize>) -> Option<Range<usize>> {
    let line = text[..second.start].rfind('\n').map_or(0, |end| end + 1);
    let (own, above) = (text.get(line..second.end)?.trim_start(), text.get(..line)?);
    if own.starts_with('[') {
        // The parser keeps one place of a table only.
        let same = |line: &&str| {
            line.trim_start().strip_prefix(own).is_some_and(|rest| rest.trim_start().starts_with(']'))
        };
        let line = above.lines().rev().find(same)?;
        let end = line.as_ptr().addr() - text.as_ptr().addr() + line.find(own)? + own.len();
        return Some(end - second.len()..end);
    }
    let before = keys.partition_point(|(key, _)| key.end <= second.start);
    let (found, _) = keys[..before].iter().rev().find(|(_, said)| *said == own)?;
    let between = above.get(found.end..).unwrap_or_default();
    let other = between.lines().any(|line| line.trim_start().starts_with('['));
    (!other).then(|| found.clone())
}

/// The parser's words, reworded where they would not help.
fn worded(place: Place, message: &str) -> Diagnostic {
    let text = place.source.text.get(place.span.clone()).unwrap_or_default().trim();
    let (message, help) = if message.starts_with("string values must be quoted") && text.is_empty() {
        ("a value is missing".to_owned(), Some("write `key = value`".to_owned()))
    } else if message.starts_with("string values must be quoted") {
        ("a string must be quoted".to_owned(), Some(format!("write `\"{text}\"`")))
    } else if is_double(message) {
        (format!("`{text}` is defined twice"), Some("keep one of the two".to_owned()))
    } else if message.starts_with("key with no value") {
        (format!("the key `{text}` has no value"), Some("write `key = value`".to_owned()))
    } else if message.starts_with("unexpected key or value") {
        ("this belongs to nothing".to_owned(), Some("a line is `key = value` or `[table]`".to_owned()))
    } else if message.contains("recursion limit") {
        ("tables or lists are too deep in each other".to_owned(), Some("flatten them".to_owned()))
    } else {
        (message.to_lowercase(), None)
    };
    let diagnostic = Diagnostic::error(message).at(place, "");
    diagnostic.help(help.unwrap_or_else(|| {
        "a line is `key = value` or `[table]`; texts stand in quotes, lists in `[ ]`".to_owned()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::report::{RenderStyle, render};

    fn said(text: &str) -> String {
        let source = Arc::new(Source { name: "a.toml".to_owned(), text: text.to_owned() });
        let (root, found) = DeTable::parse_recoverable(&source.text);
        render(&errors(&source, root.get_ref(), &found), RenderStyle::default())
    }

    #[test]
    fn both_places_of_a_key_are_shown() {
        insta::assert_snapshot!(said("[a]\nx = 1\n[b.c]\nx = 2\n[b.c] # again\nx = 3\n[d]\ny.z = 1\nx = 2\ny.z = 3\nx = 4\n"), @"
        error: `c` is defined twice
         --> a.toml:5:4
          |
        3 | [b.c]
          |    - here it is defined first
        4 | x = 2
        5 | [b.c] # again
          |    ^
          |
          = help: keep one of the two

        error: `x` is defined twice
         --> a.toml:6:1
          |
        6 | x = 3
          | ^
          |
          = help: keep one of the two

        error: `z` is defined twice
          --> a.toml:10:3
           |
         8 | y.z = 1
           |   - here it is defined first
         9 | x = 2
        10 | y.z = 3
           |   ^
           |
           = help: keep one of the two

        error: `x` is defined twice
          --> a.toml:11:1
           |
         9 | x = 2
           | - here it is defined first
        10 | y.z = 3
        11 | x = 4
           | ^
           |
           = help: keep one of the two
        ");
    }

    #[test]
    fn what_is_too_deep_is_said() {
        insta::assert_snapshot!(said(&format!("a{} = 1\n", ".a".repeat(500))), @"
        error: tables or lists are too deep in each other
         --> a.toml:1:1
          |
        1 | a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a...
          | ^
          |
          = help: flatten them
        ");
    }
}
