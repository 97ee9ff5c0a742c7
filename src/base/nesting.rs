//! What the parser of TOML would take for a hostile text is bounded here: how deep brackets lie in each other is counted
//! before it is parsed, and of a long text only the first error is told.
//!
//! The parser has a bound of its own, and loses count where brackets are closed that were never opened: then it calls
//! itself until the stack is exhausted, and the process is gone.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::DeTable;
use toml_parser::lexer::TokenKind::{
    LeftCurlyBracket, LeftSquareBracket, RightCurlyBracket, RightSquareBracket,
};

/// The most brackets that may be open at once, those among them that errors leave open.
const MAX_NESTING: usize = 500;

/// The longest text of which all errors are told, in bytes.
const MAX_RECOVERED: usize = 128 << 10;

/// A text has more than [`MAX_NESTING`] open brackets, and the last of them is here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_NESTING} open brackets")]
pub struct TooDeep(pub Range<usize>);

/// What a TOML text says, of a type that serde knows.
///
/// # Errors
/// Where it is no TOML, has something else, or too many brackets; with no control character, as the message can repeat
/// what the text has.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    if let Some(span) = too_deep(text) {
        return Err(TooDeep(span).to_string());
    }
    let tame = |c: char| if c.is_control() { '?' } else { c };
    toml::from_str(text).map_err(|error| error.message().chars().map(tame).collect())
}

/// What a TOML text says, and what is wrong with it: all errors, or of a long text the first one.
///
/// The parser makes an error of each byte if need be, and each takes hundreds of bytes.
///
/// # Errors
/// Where it has too many brackets: it is not parsed then.
pub fn document(text: &str) -> Result<(Spanned<DeTable<'_>>, Vec<toml::de::Error>), TooDeep> {
    if let Some(span) = too_deep(text) {
        return Err(TooDeep(span));
    }
    if text.len() <= MAX_RECOVERED {
        return Ok(DeTable::parse_recoverable(text));
    }
    Ok(match DeTable::parse(text) {
        Ok(table) => (table, Vec::new()),
        Err(error) => (Spanned::new(0..0, DeTable::new()), vec![error]),
    })
}

/// Where a text has more than [`MAX_NESTING`] open brackets.
#[must_use]
pub fn too_deep(text: &str) -> Option<Range<usize>> {
    let mut open = Vec::new();
    for token in toml_parser::Source::new(text).lex() {
        let kind = token.kind();
        match (kind, open.last()) {
            (LeftSquareBracket | LeftCurlyBracket, _) => open.push(kind),
            // One that closes nothing is what the parser stumbles over.
            (RightSquareBracket, Some(LeftSquareBracket)) | (RightCurlyBracket, Some(LeftCurlyBracket)) => {
                open.pop();
            }
            _ => {}
        }
        if open.len() > MAX_NESTING {
            return Some(token.span().start()..token.span().end());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_has_one_error() {
        let text = |lines| "a = 1\n".to_owned() + &"a = \n".repeat(lines);
        assert!(document(&text(1000)).unwrap().1.len() >= 1000);
        let long = text(100_000);
        let (table, errors) = document(&long).unwrap();
        assert_eq!((table.get_ref().len(), errors.len()), (0, 1));
        assert_eq!(errors[0].span().map(|span| span.start), Some(10));
        let long = format!("a = '{}'\n", "x".repeat(MAX_RECOVERED));
        let (table, errors) = document(&long).unwrap();
        assert_eq!((table.get_ref().len(), errors.len()), (1, 0));
    }

    #[test]
    fn only_what_is_open_counts() {
        let deep = |count| format!("a = {}{}\n", "[{b = ".repeat(count), "}]".repeat(count));
        assert_eq!(too_deep(&deep(250).repeat(9)), None);
        assert_eq!(too_deep(&deep(251)), Some(4 + 250 * 6..5 + 250 * 6));
        assert_eq!(too_deep(&"[[x]]\na = { b = [1] } # [{\nc = '[{'\n".repeat(999)), None);
        assert!(too_deep(&"a = [{}]} {[ ".repeat(999)).is_some());
    }
}
