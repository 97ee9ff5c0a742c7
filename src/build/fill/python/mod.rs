//! Python 3 (the language reference, 2: lexical analysis), as every version that is still in use reads it.
//!
//! | place | the hole becomes |
//! |---|---|
//! | where an expression is due | a literal with its type: lists and dictionaries too |
//! | within `"…"`, `'…'`, `"""…"""`, `'''…'''` | the value with escapes |
//! | within `r"…"` | the value as it is, without `\`, quotes and line breaks |
//! | comment | one line |
//! | `#!` line | letters, digits and `_@.,:/+=-` |
//!
//! A literal is one token more between two others; where it could join them it is refused: beside names, numbers and
//! strings (which are concatenated, 2.4.2), at the start of a statement, after `.`. A number before an operator gets
//! parentheses: `-1 ** 2` is `-(1 ** 2)`. Byte strings have no text, and f-strings are read differently by 3.11 and
//! 3.12: a hole in them is refused.

use super::cursor::{Cursor, Symbol};
use super::literal::{self, DEPTH, Language};
use super::source::Filling;
use super::{Filled, Refusal};
use crate::base::value::Value;

mod comment;
mod string;

/// Words behind which an expression is due.
const BEFORE: [&str; 14] = [
    "return", "in", "is", "not", "and", "or", "if", "elif", "else", "while", "yield", "assert", "await",
    "raise",
];

/// The token before.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Before {
    /// A statement starts here.
    Statement,
    /// Behind a word of this list an expression is due.
    Keyword,
    /// A name, a number, a closing bracket: what a value ends with.
    Value,
    String,
    Hole(usize),
    /// `.`, `@` and what else no literal can follow.
    Closed,
    /// An operator, an opening bracket, a comma …
    Operator,
}

struct Lexer<'a> {
    cursor: Cursor<'a>,
    /// Open brackets and where they stand.
    open: Vec<(char, usize)>,
    before: Before,
    /// Where the token before ended.
    end: usize,
}

/// Fills the holes of a Python file.
pub(super) fn fill(filling: Filling<'_>) -> Result<Filled, Vec<Refusal>> {
    if filling.holes.is_empty() {
        return filling.finish();
    }
    let mut lexer =
        Lexer { cursor: Cursor::new(filling), open: Vec::new(), before: Before::Statement, end: 0 };
    while let Some(symbol) = lexer.cursor.peek() {
        match symbol {
            Symbol::Hole(hole) => lexer.hole(hole),
            Symbol::Char(c) => lexer.char(c),
        }
    }
    if let Some((c, offset)) = lexer.open.pop() {
        lexer.cursor.stop(offset, &format!("`{c}` has no end"), "");
    }
    lexer.cursor.filling.finish_read(comment::encoding)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || !c.is_ascii()
}

impl Lexer<'_> {
    fn char(&mut self, c: char) {
        let start = self.cursor.position;
        match c {
            ' ' | '\t' | '\u{c}' => {
                self.cursor.bump();
                return;
            }
            '\n' | '\r' => {
                self.cursor.bump();
                if self.open.is_empty() {
                    self.before = Before::Statement;
                }
                return;
            }
            '#' => return self.comment(),
            '\\' => {
                if !self.cursor.eat("\\\n") && !self.cursor.eat("\\\r\n") {
                    self.cursor.stop(start, "only a line break can follow `\\` here", "");
                }
                return;
            }
            '"' | '\'' => self.string("", start),
            '0'..='9' => self.number(),
            '(' | '[' | '{' => {
                self.open(c);
                self.before = Before::Operator;
            }
            ')' | ']' | '}' => self.close(c),
            ';' => {
                self.cursor.bump();
                self.before = if self.open.is_empty() { Before::Statement } else { Before::Closed };
            }
            '.' | '@' | '$' | '?' | '`' | '!' if !self.cursor.rest().starts_with("!=") => {
                self.cursor.bump();
                self.before = Before::Closed;
            }
            c if is_name(c) => self.word(),
            _ => {
                self.cursor.bump();
                self.before = Before::Operator;
            }
        }
        self.end = self.cursor.position;
    }

    fn open(&mut self, c: char) {
        if self.open.len() >= DEPTH {
            self.cursor.stop(self.cursor.position, "it is nested more than 64 levels deep", "");
        }
        self.open.push((c, self.cursor.position));
        self.cursor.bump();
    }

    fn close(&mut self, c: char) {
        let matching = self
            .open
            .pop()
            .is_some_and(|(open, _)| matches!((open, c), ('(', ')') | ('[', ']') | ('{', '}')));
        if !matching {
            self.cursor.stop(self.cursor.position, &format!("nothing is open that `{c}` ends"), "");
        }
        self.cursor.bump();
        self.before = Before::Value;
    }

    fn number(&mut self) {
        self.cursor.run(|c| is_name(c) || c == '.');
        self.before = Before::Value;
    }

    /// A name, a keyword, or the prefix of a string.
    fn word(&mut self) {
        let start = self.cursor.position;
        let word = self.cursor.run(is_name).to_owned();
        if let Some('"' | '\'') = self.cursor.char() {
            return self.string(&word, start);
        }
        self.before = match word.as_str() {
            word if BEFORE.contains(&word) => Before::Keyword,
            "lambda" => Before::Closed,
            _ => Before::Value,
        };
    }

    /// A hole outside strings and comments.
    fn hole(&mut self, hole: usize) {
        let here = self.cursor.position;
        self.cursor.bump();
        let quote = "write quotes before and behind it, or a blank or an operator between";
        let (reason, help) = match self.before {
            Before::Statement => ("a statement cannot start with a value", "assign it to a name"),
            Before::Keyword if self.end == here => {
                ("the value would join the word before it", "write a blank between")
            }
            Before::Value => ("a value cannot stand behind a name or another value", quote),
            Before::String | Before::Hole(_) => {
                ("a value cannot stand behind a string or another value", quote)
            }
            Before::Closed => {
                ("a name must stand here, and a value is none", "write it as text of the template")
            }
            Before::Operator | Before::Keyword => ("", ""),
        };
        self.before = Before::Hole(hole);
        self.end = here;
        if !reason.is_empty() {
            return self.cursor.refuse(hole, reason, help);
        }
        let rest = self.cursor.rest();
        let next = rest.trim_start_matches([' ', '\t', '\u{c}']);
        let assigns = next.starts_with('=') && !next.starts_with("==");
        if rest.starts_with(is_name) {
            return self.cursor.refuse(
                hole,
                "the value would join what stands behind it",
                "write a blank between",
            );
        }
        if assigns || next.starts_with(":=") {
            return self.cursor.refuse(
                hole,
                "a name must stand before `=`, and a value is none",
                "write the name, or `==` to compare",
            );
        }
        let alone = self.stands_alone(next);
        literal::fill(&mut self.cursor, hole, Language::Python, self.open.len());
        if let (false, Value::Int(_) | Value::Float(_)) = (alone, self.cursor.value(hole)) {
            let number = format!("({})", self.cursor.filling.filled(hole));
            self.cursor.filling.set(hole, number);
        }
    }

    /// Whether what follows a hole cannot bind to it.
    fn stands_alone(&self, next: &str) -> bool {
        let next = if self.open.is_empty() {
            next
        } else {
            next.trim_start_matches([' ', '\t', '\u{c}', '\n', '\r'])
        };
        next.starts_with([',', ')', ']', '}', ':', ';'])
            || (self.open.is_empty() && (next.is_empty() || next.starts_with(['\n', '\r', '#'])))
    }
}
