//! TOML's four kinds of string.

use super::super::cursor::Symbol;
use super::super::literal::escaped;
use super::super::source::shown;
use super::Lexer;

const NO_END: &str = "the string has no end";

impl Lexer<'_> {
    /// `"…"`
    pub(super) fn basic(&mut self) {
        let start = self.cursor.position;
        self.cursor.bump();
        loop {
            match self.cursor.bump() {
                Some(Symbol::Char('"')) => return,
                Some(Symbol::Char('\\')) => self.escape(),
                Some(Symbol::Char('\n' | '\r')) | None => return self.cursor.stop(start, NO_END, ""),
                Some(Symbol::Char(_)) => {}
                Some(Symbol::Hole(hole)) => {
                    self.escaped(hole);
                }
            }
        }
    }

    /// Fills a hole with the value, escaped; whether it is empty.
    fn escaped(&mut self, hole: usize) -> bool {
        let Some(text) = self.cursor.filling.scalar(hole) else { return false };
        self.cursor.filling.set(hole, escaped(&text, '"'));
        text.is_empty()
    }

    /// What follows a `\`, on one line.
    fn escape(&mut self) {
        let start = self.cursor.position - 1;
        let digits = match self.cursor.bump() {
            Some(Symbol::Char('b' | 't' | 'n' | 'f' | 'r' | '"' | '\\')) => 0,
            Some(Symbol::Char('u')) => 4,
            Some(Symbol::Char('U')) => 8,
            Some(Symbol::Hole(hole)) => {
                return self.cursor.refuse(hole, "a value cannot stand after `\\`", "take the `\\` away");
            }
            _ => return self.cursor.stop(start, "this is no escape that TOML 1.0 has", ""),
        };
        for _ in 0..digits {
            if self.cursor.char().is_some_and(|c| c.is_ascii_hexdigit()) {
                self.cursor.bump();
            } else {
                return self.cursor.unexpected("a hexadecimal digit of the escape");
            }
        }
    }

    /// `'…'`
    pub(super) fn literal(&mut self) {
        let start = self.cursor.position;
        self.cursor.bump();
        loop {
            match self.cursor.bump() {
                Some(Symbol::Char('\'')) => return,
                Some(Symbol::Char('\n' | '\r')) | None => return self.cursor.stop(start, NO_END, ""),
                Some(Symbol::Char(_)) => {}
                Some(Symbol::Hole(hole)) => {
                    self.plain(hole, |c| c == '\t' || !c.is_control());
                }
            }
        }
    }

    /// Fills a hole with the value as it is, if it has no `'` and else these characters only; gives it back.
    fn plain(&mut self, hole: usize, of: fn(char) -> bool) -> String {
        let Some(text) = self.cursor.filling.scalar(hole) else { return String::new() };
        if let Some(bad) = text.chars().find(|c| *c == '\'' || !of(*c)) {
            let reason = format!("`{}` cannot stand within `'`", shown(bad));
            self.cursor.refuse(hole, &reason, "write `\"` before and behind the text");
        }
        self.cursor.filling.set(hole, text.clone());
        text
    }

    /// The rest of `"""…"""`.
    pub(super) fn multi_basic(&mut self) {
        let start = self.cursor.position - 3;
        loop {
            let here = self.cursor.position;
            match self.cursor.peek() {
                Some(Symbol::Char('"')) => {
                    if self.closes('"') {
                        return;
                    }
                }
                Some(Symbol::Char('\\')) => {
                    self.cursor.bump();
                    self.multi_escape();
                }
                Some(Symbol::Char(_)) => _ = self.cursor.bump(),
                Some(Symbol::Hole(hole)) => {
                    self.cursor.bump();
                    if self.escaped(hole) {
                        self.joins(hole, start, here);
                    }
                }
                None => return self.cursor.stop(start, NO_END, ""),
            }
        }
    }

    /// The rest of `'''…'''`.
    pub(super) fn multi_literal(&mut self) {
        let start = self.cursor.position - 3;
        loop {
            let here = self.cursor.position;
            match self.cursor.peek() {
                Some(Symbol::Char('\'')) => {
                    if self.closes('\'') {
                        return;
                    }
                }
                Some(Symbol::Char(_)) => _ = self.cursor.bump(),
                Some(Symbol::Hole(hole)) => {
                    self.cursor.bump();
                    let text = self.plain(hole, |c| matches!(c, '\t' | '\n') || !c.is_control());
                    if text.is_empty() {
                        self.joins(hole, start, here);
                    } else if text.starts_with('\n') && start + 3 == here {
                        let reason = "a line break at the start of a string is lost";
                        self.cursor.refuse(hole, reason, "write `\"` before and behind the text");
                    }
                }
                None => return self.cursor.stop(start, NO_END, ""),
            }
        }
    }

    /// At a quote in a string of many lines: whether the string ends here. One or two quotes may stand before the
    /// three that end it.
    fn closes(&mut self, quote: char) -> bool {
        let quotes = self.cursor.run(|c| c == quote).len();
        if quotes > 5 {
            self.cursor.stop(self.cursor.position - 1, "more quotes than can end a string", "");
        }
        quotes >= 3
    }

    /// What follows a `\` where it may join lines.
    fn multi_escape(&mut self) {
        let rest = self.cursor.rest();
        let after = rest.trim_start_matches([' ', '\t']);
        if !after.starts_with('\n') && !after.starts_with("\r\n") {
            return self.escape();
        }
        self.cursor.run(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        if let Some(Symbol::Hole(hole)) = self.cursor.peek() {
            let reason = "blanks at the start of the value would be lost after `\\` at the end of a line";
            self.cursor.refuse(hole, reason, "take the `\\` away");
        }
    }

    /// An empty value that brings together what the template keeps apart.
    fn joins(&mut self, hole: usize, start: usize, here: usize) {
        let before = self.cursor.filling.text.get(start + 3..here).unwrap_or_default();
        let after = self.cursor.filling.text.get(here..).unwrap_or_default();
        let quotes = before.ends_with(['"', '\'']) && after.starts_with(['"', '\'']);
        let line_break = before.is_empty() && after.starts_with(['\n', '\r']);
        if quotes || line_break {
            let reason = "the value is empty, and what stands before and behind it would be read as one";
            self.cursor.refuse(hole, reason, "put it into `{% if … %}`");
        }
    }
}
