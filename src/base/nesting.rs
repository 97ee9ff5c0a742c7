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
    Dot, LeftCurlyBracket, LeftSquareBracket, RightCurlyBracket, RightSquareBracket,
};

/// The most brackets that may be open at once, those among them that errors leave open.
const MAX_NESTING: usize = 500;

/// The longest text of which all errors are told, in bytes.
const MAX_RECOVERED: usize = 128 << 10;

/// The most brackets and dots: each can make a table, which takes more than a kilobyte.
const MAX_TABLES: usize = 100_000;

/// A text has too much of something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("more than {most} {what}")]
pub struct TooMuch {
    most: usize,
    what: &'static str,
    /// The first of that which is too much.
    pub at: Range<usize>,
    /// What to do.
    pub help: &'static str,
}

/// What a TOML text says, of a type that serde knows.
///
/// # Errors
/// Where it is no TOML, has something else, or too many brackets; with no control character, as the message can repeat
/// what the text has.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    if let Some(error) = too_much(text) {
        return Err(error.to_string());
    }
    let tame = |c: char| if c.is_control() { '?' } else { c };
    toml::from_str(text).map_err(|error| error.message().chars().map(tame).collect())
}

/// What a TOML text says, and what is wrong with it: all errors, or of a long text the first one.
///
/// The parser makes an error of each byte if need be, and each takes hundreds of bytes.
///
/// # Errors
/// Where it has too many brackets or dots: it is not parsed then.
pub fn document(text: &str) -> Result<(Spanned<DeTable<'_>>, Vec<toml::de::Error>), TooMuch> {
    if let Some(error) = too_much(text) {
        return Err(error);
    }
    if text.len() <= MAX_RECOVERED {
        return Ok(DeTable::parse_recoverable(text));
    }
    Ok(match DeTable::parse(text) {
        Ok(table) => (table, Vec::new()),
        Err(error) => (Spanned::new(0..0, DeTable::new()), vec![error]),
    })
}

/// What a text has more of than the parser can take.
#[must_use]
pub fn too_much(text: &str) -> Option<TooMuch> {
    let (mut open, mut tables) = (Vec::new(), 0);
    for token in toml_parser::Source::new(text).lex() {
        let kind = token.kind();
        tables += usize::from(matches!(kind, LeftSquareBracket | LeftCurlyBracket | Dot));
        match (kind, open.last()) {
            (LeftSquareBracket | LeftCurlyBracket, _) => open.push(kind),
            // One that closes nothing is what the parser stumbles over.
            (RightSquareBracket, Some(LeftSquareBracket)) | (RightCurlyBracket, Some(LeftCurlyBracket)) => {
                open.pop();
            }
            _ => {}
        }
        let at = token.span().start()..token.span().end();
        if open.len() > MAX_NESTING {
            let help = "close those before this";
            return Some(TooMuch { most: MAX_NESTING, what: "open brackets", at, help });
        }
        if tables > MAX_TABLES {
            let help = "write fewer tables and lists";
            return Some(TooMuch { most: MAX_TABLES, what: "brackets and dots", at, help });
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
        assert_eq!(too_much(&deep(250).repeat(9)), None);
        assert_eq!(too_much(&deep(251)).map(|error| error.at), Some(4 + 250 * 6..5 + 250 * 6));
        assert_eq!(too_much(&"[[x]]\na = { b = [1] } # [{\nc = '[{'\n".repeat(999)), None);
        assert!(too_much(&"a = [{}]} {[ ".repeat(999)).is_some());
    }

    #[test]
    fn what_makes_tables_is_counted() {
        let error = |text: &str| too_much(text).map(|error| error.to_string());
        assert_eq!(error(&"[[x.y]]\na.b = '...' # ...\n".repeat(25_000)), None);
        let more = Some("more than 100000 brackets and dots".to_owned());
        assert_eq!(error(&"[[x.y]]\na.b = [] # ...\n".repeat(25_000)), more);
        assert_eq!(error(&format!("a = [{}]\n", "{},".repeat(100_000))), more);
    }
}
