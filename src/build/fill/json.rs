//! JSON (RFC 8259): one value, which every reader takes for the same.
//!
//! | place | the hole becomes |
//! |---|---|
//! | where a value is due | a literal with its type, lists and tables too |
//! | where a key is due | a string |
//! | within `"…"`, of a key too | the value with `\` before `"` and `\`, and control characters as escapes |
//!
//! There is no other place: JSON has no comments. The whole text must be JSON, or readers could begin to guess. What
//! RFC 8259 leaves to readers is refused: equal keys in an object (4), integers beyond 2^53 (6), halves of surrogate
//! pairs (8.2), deep nesting (9).

use std::collections::BTreeSet;

use super::cursor::{Cursor, Symbol};
use super::literal::{self, DEPTH, Language};
use super::source::Filling;
use super::{Filled, Refusal};
use crate::base::value::Value;

/// What can come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Value,
    /// Right behind `[`.
    ValueOrEnd,
    Key,
    /// Right behind `{`.
    KeyOrEnd,
    Colon,
    /// Behind a value.
    Comma,
}

/// What is open.
#[derive(Debug)]
enum Open {
    Array,
    /// With its keys so far.
    Object(BTreeSet<String>),
}

struct Lexer<'a> {
    cursor: Cursor<'a>,
    open: Vec<Open>,
    due: Due,
}

/// Fills the holes of a JSON text.
pub(super) fn fill(filling: Filling<'_>) -> Result<Filled, Vec<Refusal>> {
    let mut lexer = Lexer { cursor: Cursor::new(filling), open: Vec::new(), due: Due::Value };
    loop {
        lexer.cursor.run(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        match lexer.cursor.peek() {
            Some(Symbol::Hole(hole)) => lexer.hole(hole),
            Some(Symbol::Char(c)) => lexer.char(c),
            None => break,
        }
    }
    if lexer.due != Due::Comma || !lexer.open.is_empty() {
        lexer.unexpected();
    }
    lexer.cursor.filling.finish()
}

impl Lexer<'_> {
    fn hole(&mut self, hole: usize) {
        match self.due {
            Due::Value | Due::ValueOrEnd => {
                self.cursor.bump();
                literal::fill(&mut self.cursor, hole, Language::Json, self.open.len());
                self.due = Due::Comma;
            }
            Due::Key | Due::KeyOrEnd => {
                self.cursor.bump();
                if let Value::Str(key) = self.cursor.value(hole) {
                    literal::fill(&mut self.cursor, hole, Language::Json, 0);
                    self.key(key.clone(), Some(hole), 0);
                } else {
                    self.cursor.refuse(hole, "a key is a text", "write `\"` before and behind it");
                    self.due = Due::Colon;
                }
            }
            Due::Colon | Due::Comma => self.unexpected(),
        }
    }

    fn char(&mut self, c: char) {
        let start = self.cursor.position;
        match (self.due, c) {
            (Due::Value | Due::ValueOrEnd, '{') => self.begin(Open::Object(BTreeSet::new()), Due::KeyOrEnd),
            (Due::Value | Due::ValueOrEnd, '[') => self.begin(Open::Array, Due::ValueOrEnd),
            (Due::Value | Due::ValueOrEnd, '"') => {
                self.string();
                self.due = Due::Comma;
            }
            (Due::Key | Due::KeyOrEnd, '"') => {
                if let Some((key, hole)) = self.string() {
                    self.key(key, hole, start);
                }
            }
            (Due::Colon, ':') => {
                self.cursor.bump();
                self.due = Due::Value;
            }
            (Due::Comma, ',') if !self.open.is_empty() => {
                self.cursor.bump();
                self.due = if let Some(Open::Object(_)) = self.open.last() { Due::Key } else { Due::Value };
            }
            (Due::Comma | Due::ValueOrEnd, ']') if matches!(self.open.last(), Some(Open::Array)) => {
                self.end();
            }
            (Due::Comma | Due::KeyOrEnd, '}') if matches!(self.open.last(), Some(Open::Object(_))) => {
                self.end();
            }
            (Due::Value | Due::ValueOrEnd, '-' | '0'..='9' | 'a'..='z') => self.scalar(),
            _ => self.unexpected(),
        }
    }

    fn begin(&mut self, open: Open, due: Due) {
        if self.open.len() >= DEPTH {
            self.cursor.stop(self.cursor.position, "it is nested more than 64 levels deep", "");
            return;
        }
        self.cursor.bump();
        self.open.push(open);
        self.due = due;
    }

    fn end(&mut self) {
        self.cursor.bump();
        self.open.pop();
        self.due = Due::Comma;
    }

    fn unexpected(&mut self) {
        let expected = match (self.due, self.open.last()) {
            (Due::Value, _) => "a value",
            (Due::ValueOrEnd, _) => "a value or `]`",
            (Due::Key, _) => "a key",
            (Due::KeyOrEnd, _) => "a key or `}`",
            (Due::Colon, _) => "`:`",
            (Due::Comma, Some(Open::Array)) => "`,` or `]`",
            (Due::Comma, Some(Open::Object(_))) => "`,` or `}`",
            (Due::Comma, None) => "the end",
        };
        self.cursor.unexpected(expected);
    }

    /// Notes a key: of equal ones most readers take the last, some the first, others none.
    fn key(&mut self, key: String, hole: Option<usize>, offset: usize) {
        self.due = Due::Colon;
        let Some(Open::Object(keys)) = self.open.last_mut() else { return };
        let reason = format!("the object has a key `{}` already", key.escape_debug());
        if !keys.insert(key) {
            match hole {
                Some(hole) => self.cursor.refuse(hole, &reason, "give one of the keys another name"),
                None => self.cursor.filling.refuse_text(offset, &reason, None),
            }
        }
    }

    /// `true`, `false`, `null` or a number.
    fn scalar(&mut self) {
        let start = self.cursor.position;
        let word = self.cursor.run(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        if !matches!(word, "true" | "false" | "null") && !is_number(word) {
            let reason = format!("`{}` is no value", word.escape_debug());
            self.cursor.stop(start, &reason, "");
        }
        self.due = Due::Comma;
    }

    /// A string; what it reads as, and its first hole. `None` where it cannot be read.
    fn string(&mut self) -> Option<(String, Option<usize>)> {
        let start = self.cursor.position;
        self.cursor.bump();
        let (mut text, mut first) = (String::new(), None);
        loop {
            match self.cursor.bump() {
                Some(Symbol::Char('"')) => return Some((text, first)),
                Some(Symbol::Char('\\')) => text.push(self.escape()?),
                Some(Symbol::Char(c)) if u32::from(c) < 0x20 => {
                    let at = self.cursor.position - 1;
                    self.cursor.stop(at, "a string has a control character", "write it as `\\n` or `\\u…`");
                    return None;
                }
                Some(Symbol::Char(c)) => text.push(c),
                Some(Symbol::Hole(hole)) => {
                    if let Some(value) = self.cursor.filling.scalar(hole) {
                        text.push_str(&value);
                        self.cursor.filling.set(hole, literal::escaped(&value, '"'));
                    }
                    first = first.or(Some(hole));
                }
                None => {
                    self.cursor.stop(start, "the string has no end", "");
                    return None;
                }
            }
        }
    }

    /// What follows a `\`.
    fn escape(&mut self) -> Option<char> {
        let start = self.cursor.position - 1;
        let c = match self.cursor.bump() {
            Some(Symbol::Char(c @ ('"' | '\\' | '/'))) => Some(c),
            Some(Symbol::Char('b')) => Some('\u{8}'),
            Some(Symbol::Char('f')) => Some('\u{c}'),
            Some(Symbol::Char('n')) => Some('\n'),
            Some(Symbol::Char('r')) => Some('\r'),
            Some(Symbol::Char('t')) => Some('\t'),
            Some(Symbol::Char('u')) => match self.digits()? {
                high @ 0xd800..=0xdbff if self.cursor.eat("\\u") => {
                    let low = self.digits()?.checked_sub(0xdc00).filter(|low| *low < 0x400);
                    low.and_then(|low| char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low))
                }
                unit => char::from_u32(unit),
            },
            Some(Symbol::Hole(hole)) => {
                self.cursor.refuse(hole, "a value cannot stand after `\\`", "take the `\\` away");
                Some(' ')
            }
            _ => None,
        };
        if c.is_none() {
            self.cursor.stop(start, "this is no escape that JSON has", "");
        }
        c
    }

    /// Four hexadecimal digits.
    fn digits(&mut self) -> Option<u32> {
        let digits = self.cursor.rest().get(..4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match number {
            Some(_) => self.cursor.position += 4,
            None => self.cursor.unexpected("a hexadecimal digit of `\\u`"),
        }
        number
    }
}

/// RFC 8259, 6.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let word = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match word.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (word, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}
