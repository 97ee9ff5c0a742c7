//! TOML 1.0 (its specification, and the ABNF beside it).
//!
//! | place | the hole becomes |
//! |---|---|
//! | where a value is due | a literal with its type; lists become arrays, tables inline tables |
//! | alone in a part of a key | the text, bare where it can be, quoted otherwise |
//! | part of a bare key | letters, digits, `_` and `-` only |
//! | within `"…"` or `"""…"""` | the value with escapes |
//! | within `'…'` or `'''…'''` | the value as it is, if it can stand there |
//! | comment | one line |
//!
//! Dates and times are the template's own text. What TOML 1.1 adds is refused, and what is left of the rules (equal
//! keys, the form of numbers) is checked by a reader of the whole text.

use super::cursor::{Cursor, Symbol};
use super::literal::{self, DEPTH, Language};
use super::source::Filling;
use super::{Filled, Refusal};
use crate::base::value::Value;

mod string;

/// The lexer.
struct Lexer<'a> {
    cursor: Cursor<'a>,
    depth: usize,
}

/// Fills the holes of a TOML document.
pub(super) fn fill(filling: Filling<'_>) -> Result<Filled, Vec<Refusal>> {
    let mut lexer = Lexer { cursor: Cursor::new(filling), depth: 0 };
    lexer.document();
    lexer.cursor.filling.finish_read(|text| {
        let error = toml::de::DeTable::parse(text).err()?;
        let offset = error.span().map_or(0, |span| span.start);
        Some((offset, format!("this is no TOML: {}", error.message().replace('\n', ", "))))
    })
}

fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

impl Lexer<'_> {
    fn document(&mut self) {
        loop {
            self.blanks();
            match self.cursor.peek() {
                None => return,
                Some(Symbol::Char('\n' | '\r' | '#')) => {}
                Some(Symbol::Char('[')) => self.header(),
                Some(_) => self.pair(),
            }
            self.line_end();
        }
    }

    fn blanks(&mut self) {
        self.cursor.run(|c| matches!(c, ' ' | '\t'));
    }

    /// Blanks, line breaks and comments, as between the entries of an array.
    fn blank_lines(&mut self) {
        loop {
            self.cursor.run(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            if self.cursor.char() != Some('#') {
                return;
            }
            self.cursor.comment();
        }
    }

    fn line_end(&mut self) {
        self.blanks();
        if self.cursor.char() == Some('#') {
            self.cursor.comment();
        }
        if self.cursor.peek().is_some() && !self.cursor.eat("\n") && !self.cursor.eat("\r\n") {
            self.cursor.unexpected("the end of the line");
        }
    }

    /// Steps over this text, or stops.
    fn expect(&mut self, text: &str) {
        if !self.cursor.eat(text) {
            self.cursor.unexpected(&format!("`{text}`"));
        }
    }

    fn header(&mut self) {
        let end = if self.cursor.eat("[[") { "]]" } else { "]" };
        if end == "]" {
            self.cursor.bump();
        }
        self.key();
        self.expect(end);
    }

    fn pair(&mut self) {
        self.key();
        self.expect("=");
        self.blanks();
        self.value();
    }

    /// Parts with dots between.
    fn key(&mut self) {
        let start = self.cursor.position;
        for _ in 0..DEPTH {
            self.blanks();
            match self.cursor.char() {
                Some('"') => self.basic(),
                Some('\'') => self.literal(),
                _ => self.bare(),
            }
            self.blanks();
            if !self.cursor.eat(".") {
                return;
            }
        }
        self.cursor.stop(start, "a key of more than 64 parts", "");
    }

    fn bare(&mut self) {
        let start = self.cursor.position;
        let mut holes = Vec::new();
        loop {
            self.cursor.run(is_bare);
            let Some(Symbol::Hole(hole)) = self.cursor.peek() else { break };
            self.cursor.bump();
            holes.push(hole);
        }
        match holes.as_slice() {
            [] if self.cursor.position == start => self.cursor.unexpected("a key"),
            [hole] if self.cursor.position == start => self.whole_key(*hole),
            _ => {
                for hole in holes {
                    let Some(text) = self.cursor.filling.scalar(hole) else { continue };
                    if text.is_empty() || !text.chars().all(is_bare) {
                        let reason = "only letters, digits, `_` and `-` can stand in a key without quotes";
                        self.cursor.refuse(hole, reason, "write `\"` before and behind the key");
                    }
                    self.cursor.filling.set(hole, text);
                }
            }
        }
    }

    fn whole_key(&mut self, hole: usize) {
        match self.cursor.value(hole) {
            Value::Str(text) if !text.is_empty() && text.chars().all(is_bare) => {
                self.cursor.filling.set(hole, text.clone());
            }
            Value::Str(_) => literal::fill(&mut self.cursor, hole, Language::Toml, 0),
            _ => self.cursor.refuse(hole, "a key is a text", "write `\"` before and behind it"),
        }
    }

    fn value(&mut self) {
        match self.cursor.peek() {
            Some(Symbol::Hole(hole)) => {
                self.cursor.bump();
                literal::fill(&mut self.cursor, hole, Language::Toml, self.depth);
            }
            Some(Symbol::Char('"')) if self.cursor.eat("\"\"\"") => self.multi_basic(),
            Some(Symbol::Char('"')) => self.basic(),
            Some(Symbol::Char('\'')) if self.cursor.eat("'''") => self.multi_literal(),
            Some(Symbol::Char('\'')) => self.literal(),
            Some(Symbol::Char('[')) => self.nested(Self::array),
            Some(Symbol::Char('{')) => self.nested(Self::inline_table),
            _ => self.scalar(),
        }
    }

    fn nested(&mut self, inner: fn(&mut Self)) {
        if self.depth >= DEPTH {
            self.cursor.stop(self.cursor.position, "it is nested more than 64 levels deep", "");
            return;
        }
        self.cursor.bump();
        self.depth += 1;
        inner(self);
        self.depth -= 1;
    }

    fn array(&mut self) {
        loop {
            self.blank_lines();
            if self.cursor.eat("]") || self.cursor.stopped {
                return;
            }
            self.value();
            self.blank_lines();
            if !self.cursor.eat(",") {
                return self.expect("]");
            }
        }
    }

    /// On one line, without a comma behind the last (TOML 1.0).
    fn inline_table(&mut self) {
        self.blanks();
        if self.cursor.eat("}") {
            return;
        }
        loop {
            self.pair();
            self.blanks();
            if self.cursor.stopped || !self.cursor.eat(",") {
                return self.expect("}");
            }
        }
    }

    /// A boolean, number, date or time: the template's text. TOML 1.0 wants seconds in times.
    fn scalar(&mut self) {
        let start = self.cursor.position;
        let of = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-' | '.' | ':');
        let word = self.cursor.run(of);
        let is_date = word.len() == 10 && word.as_bytes().get(4) == Some(&b'-');
        if word.is_empty() {
            return self.cursor.unexpected("a value");
        }
        let mut rest = self.cursor.rest().chars();
        if is_date && rest.next() == Some(' ') && rest.next().is_some_and(|c| c.is_ascii_digit()) {
            self.cursor.bump();
            self.cursor.run(of);
        }
        let word = self.cursor.filling.text.get(start..self.cursor.position).unwrap_or_default();
        if word.find(':').is_some_and(|colon| word.as_bytes().get(colon + 3) != Some(&b':')) {
            self.cursor.stop(start, "a time without seconds is no TOML 1.0", "write `:00` behind it");
        }
    }
}
