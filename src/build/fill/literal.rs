//! Values as literals with their type: JSON, TOML and Python write them alike.

use std::fmt::Write as _;

use super::cursor::Cursor;
use super::source::{CREDENTIAL, ELSEWHERE};
use crate::base::value::Value;

/// How deep a file may be nested, its values and the template together: readers give up at some depth.
pub(super) const DEPTH: usize = 64;

/// A language with literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// RFC 8259.
    Json,
    /// TOML 1.0: arrays and inline tables.
    Toml,
    /// Python: lists and dictionaries.
    Python,
}

impl Language {
    const fn bool(self, value: bool) -> &'static str {
        match (self, value) {
            (Self::Python, true) => "True",
            (Self::Python, false) => "False",
            (_, true) => "true",
            (_, false) => "false",
        }
    }
}

/// Why a value has no literal: the reason, and what to do about it.
type Fault = (&'static str, &'static str);

/// Fills a hole with the literal of its value; `depth` is how deep the hole stands.
pub(super) fn fill(cursor: &mut Cursor<'_>, hole: usize, language: Language, depth: usize) {
    let mut text = String::new();
    match write(&mut text, cursor.value(hole), language, depth) {
        Ok(()) => cursor.filling.set(hole, text),
        Err((reason, help)) => cursor.refuse(hole, reason, help),
    }
}

fn write(out: &mut String, value: &Value, language: Language, depth: usize) -> Result<(), Fault> {
    if depth > DEPTH {
        return Err(("it is nested more than 64 levels deep", "flatten it"));
    }
    match value {
        Value::Secret(_) => return Err((ELSEWHERE, CREDENTIAL)),
        Value::File(_) => return Err(("a file has no literal", "write its path")),
        Value::None => return Err(("the value is none", "put it into `{% if … is not none %}`")),
        Value::Bool(value) => out.push_str(language.bool(*value)),
        Value::Int(value) => {
            if language == Language::Json && value.unsigned_abs() >= 1 << 53 {
                let help = "write it as a text, within `\"…\"`";
                return Err(("readers of JSON disagree about integers beyond 2^53 (RFC 8259, 6)", help));
            }
            out.push_str(&value.to_string());
        }
        Value::Float(value) => {
            if !value.is_finite() {
                return Err(("the number is not finite", "give a finite number"));
            }
            // The shortest text that reads as this number, always with `.` or `e`.
            _ = write!(out, "{value:?}");
        }
        Value::Str(text) => quoted(out, text)?,
        Value::List(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write(out, value, language, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(values) => {
            out.push('{');
            for (index, (key, value)) in values.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                quoted(out, key)?;
                out.push_str(if language == Language::Toml { " = " } else { ": " });
                write(out, value, language, depth + 1)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn quoted(out: &mut String, text: &str) -> Result<(), Fault> {
    if text.contains('\0') {
        return Err(("the value has a NUL character", "leave it out"));
    }
    out.push('"');
    escape(out, text, '"');
    out.push('"');
    Ok(())
}

/// Writes a text for the inside of a quoted string. The escapes are those that JSON, TOML and Python have in common:
/// what is not printable is never left to a reader that normalises it.
pub(super) fn escape(out: &mut String, text: &str, quote: char) {
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// The same as a text of its own.
pub(super) fn escaped(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    escape(&mut out, text, quote);
    out
}
