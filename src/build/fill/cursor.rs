//! A place in a text with holes, which moves to the end: common to the lexers that read character by character.

use super::source::Filling;
use crate::base::value::Value;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A character of the template.
    Char(char),
    /// A hole, by its index.
    Hole(usize),
}

/// Where a lexer is.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pub(super) filling: Filling<'a>,
    /// The next byte.
    pub(super) position: usize,
    /// The next hole: it stands before that byte where their offsets are equal.
    hole: usize,
    /// The rest cannot be read: that was said.
    pub(super) stopped: bool,
}

impl<'a> Cursor<'a> {
    /// At the start. A byte order mark is refused there: some readers skip it, others do not.
    pub(super) fn new(mut filling: Filling<'a>) -> Self {
        let mut position = 0;
        if filling.text.starts_with('\u{feff}') {
            position = '\u{feff}'.len_utf8();
            filling.refuse_text(0, "the text starts with a byte order mark", Some("take it away"));
        }
        Self { filling, position, hole: 0, stopped: false }
    }

    /// The text up to the next hole or the end.
    pub(super) fn rest(&self) -> &str {
        let end = self.filling.holes.get(self.hole).map_or(self.filling.text.len(), |hole| hole.offset);
        self.filling.text.get(self.position..end).unwrap_or_default()
    }

    /// The next symbol, `None` at the end.
    pub(super) fn peek(&self) -> Option<Symbol> {
        match self.rest().chars().next() {
            Some(c) => Some(Symbol::Char(c)),
            None => (self.hole < self.filling.holes.len()).then_some(Symbol::Hole(self.hole)),
        }
    }

    /// The next character; `None` at a hole and at the end.
    pub(super) fn char(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Steps over the next symbol.
    pub(super) fn bump(&mut self) -> Option<Symbol> {
        let next = self.peek();
        match next {
            Some(Symbol::Char(c)) => self.position += c.len_utf8(),
            Some(Symbol::Hole(_)) => self.hole += 1,
            None => {}
        }
        next
    }

    /// Steps over this text, if it is next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let there = self.rest().starts_with(text);
        if there {
            self.position += text.len();
        }
        there
    }

    /// Steps over characters of a kind, and gives them; a hole ends them.
    pub(super) fn run(&mut self, of: impl Fn(char) -> bool) -> &str {
        let start = self.position;
        let rest = self.rest();
        self.position += rest.find(|c| !of(c)).unwrap_or(rest.len());
        &self.filling.text[start..self.position]
    }

    /// The value of a hole.
    pub(super) fn value(&self, hole: usize) -> &'a Value {
        self.filling.holes[hole].value
    }

    /// A hole cannot be filled. An empty help is none.
    pub(super) fn refuse(&mut self, hole: usize, reason: &str, help: &str) {
        self.filling.refuse(hole, reason, help);
    }

    /// The text cannot be read from an offset on. An empty help is none.
    pub(super) fn stop(&mut self, offset: usize, reason: &str, help: &str) {
        if !self.stopped {
            self.filling.refuse_text(offset, reason, (!help.is_empty()).then_some(help));
        }
        self.leave();
    }

    /// Goes to the end: what is wrong was said.
    pub(super) fn leave(&mut self) {
        self.stopped = true;
        self.position = self.filling.text.len();
        self.hole = self.filling.holes.len();
    }

    /// What stands here cannot stand here, be it a hole or text; the rest is not read. `expected` says what can:
    /// `a comma`.
    pub(super) fn unexpected(&mut self, expected: &str) {
        match self.peek() {
            Some(Symbol::Hole(hole)) => {
                self.refuse(
                    hole,
                    &format!("a value cannot stand here, where {expected} must"),
                    "move it to where a value can stand",
                );
                self.leave();
            }
            Some(Symbol::Char(c)) => {
                let reason = format!("`{}` cannot stand here, where {expected} must", c.escape_debug());
                self.stop(self.position, &reason, "");
            }
            None => {
                let end = self.position.saturating_sub(1);
                let end = self.filling.text.floor_char_boundary(end);
                self.stop(end, &format!("the text ends where {expected} is missing"), "");
            }
        }
    }

    /// A comment up to the end of its line: its holes are one line each.
    pub(super) fn comment(&mut self) {
        while let Some(symbol) = self.peek() {
            match symbol {
                Symbol::Char('\n' | '\r') => return,
                Symbol::Char(_) => {}
                Symbol::Hole(hole) => {
                    if let Some(text) = self.filling.one_line(hole) {
                        self.filling.set(hole, text);
                    }
                }
            }
            self.bump();
        }
    }
}
