//! Rules of nftables (nft(8)), as version 1.0 reads them.
//!
//! | place | the hole becomes |
//! |---|---|
//! | outside of strings | an integer, an address or a network (`10.0.0.0/8`), each as itself |
//! | the same, a list of one of these | `{ a, b }`; its entries where braces are there already |
//! | beside `-`, `/`, `:` | a part of a range, a network, an address with a port |
//! | within `"…"` behind `comment`, `prefix` | one line without `"`; of a prefix without `$`, which nft expands |
//! | within `"…"` behind `iifname`, `oifname`, `device` … | the name of an interface: `*` and `\` are refused |
//! | comment | one line |
//!
//! Strings in other places are refused: nft looks them up (services, hosts). So are empty lists, which are no sets,
//! networks with host bits, which nft takes away, and what would become one token with the text beside it.

use super::cursor::{Cursor, Symbol};
use super::literal::DEPTH;
use super::source::Filling;
use super::{Filled, Refusal};

mod number;

/// Words behind which a string is the name of an interface.
const NAMES: [&str; 6] = ["iifname", "oifname", "ibrname", "obrname", "device", "devices"];
/// The longest name of an interface.
const NAME: usize = 15;
/// Words behind which a string is a text, and how long that may be.
const TEXTS: [(&str, usize); 2] = [("comment", 128), ("prefix", 127)];

/// A bracket that is open.
struct Open {
    c: char,
    offset: usize,
    /// The last word before it.
    word: String,
}

struct Lexer<'a> {
    cursor: Cursor<'a>,
    open: Vec<Open>,
    /// The last word, which says what a string is.
    word: String,
    /// The last hole outside of strings.
    hole: Option<usize>,
}

/// Fills the holes of a file of rules; one without holes is as it is.
pub(super) fn fill(filling: Filling<'_>) -> Result<Filled, Vec<Refusal>> {
    if filling.holes.is_empty() {
        return filling.finish();
    }
    let mut lexer = Lexer { cursor: Cursor::new(filling), open: Vec::new(), word: String::new(), hole: None };
    if let Some(offset) = lexer.cursor.filling.text.find('\r') {
        lexer.cursor.stop(offset, "the text has a carriage return", "end lines with a line feed alone");
    }
    while let Some(symbol) = lexer.cursor.peek() {
        match symbol {
            Symbol::Hole(hole) => lexer.hole(hole),
            Symbol::Char('#') => lexer.cursor.comment(),
            Symbol::Char('"') => lexer.string(),
            Symbol::Char(c) => lexer.char(c),
        }
    }
    if let Some(open) = lexer.open.pop() {
        lexer.cursor.stop(open.offset, &format!("`{}` has no end", open.c), "");
    }
    lexer.cursor.filling.finish()
}

impl Lexer<'_> {
    fn char(&mut self, c: char) {
        match c {
            '{' | '(' | '[' => {
                if self.open.len() >= DEPTH {
                    self.cursor.stop(self.cursor.position, "it is nested more than 64 levels deep", "");
                }
                self.open.push(Open { c, offset: self.cursor.position, word: self.word.clone() });
            }
            '}' | ')' | ']' => match self.open.pop() {
                Some(open) if matches!((open.c, c), ('{', '}') | ('(', ')') | ('[', ']')) => {
                    self.word = open.word;
                }
                _ => self.cursor.stop(self.cursor.position, &format!("nothing is open that `{c}` ends"), ""),
            },
            ',' => {
                if let Some(open) = self.open.last() {
                    self.word.clone_from(&open.word);
                }
            }
            ';' => self.word.clear(),
            c if c.is_ascii_alphabetic() || c == '_' => {
                let word =
                    self.cursor.run(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
                self.word = word.to_owned();
                return;
            }
            c if c.is_ascii_digit() => {
                self.cursor.run(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
                return;
            }
            _ => {}
        }
        self.cursor.bump();
    }

    /// `"…"`: it has no escapes.
    fn string(&mut self) {
        let start = self.cursor.position;
        self.cursor.bump();
        let mut holes = Vec::new();
        loop {
            match self.cursor.bump() {
                Some(Symbol::Char('"')) => break,
                Some(Symbol::Char('\n' | '\r')) | None => {
                    return self.cursor.stop(start, "the string has no end on its line", "");
                }
                Some(Symbol::Char(_)) => {}
                Some(Symbol::Hole(hole)) => {
                    if let Some(text) = self.cursor.filling.one_line(hole) {
                        self.string_hole(hole, text);
                    }
                    holes.push(hole);
                }
            }
        }
        let length = self.cursor.position - start - 2
            + holes.iter().map(|hole| self.cursor.filling.filled(*hole).len()).sum::<usize>();
        let most = TEXTS.iter().find(|(word, _)| *word == self.word).map_or(NAME, |(_, most)| *most);
        if let (Some(hole), true) = (holes.last(), length > most) {
            let reason = format!("the string gets longer than {most} bytes, which nft does not take");
            self.cursor.refuse(*hole, &reason, "write a shorter one");
        }
        if let (Some(hole), 0) = (holes.last(), length)
            && !self.cursor.filling.is_refused(*hole)
        {
            self.cursor.refuse(*hole, "the string is empty", "put it into `{% if … %}`");
        }
    }

    fn string_hole(&mut self, hole: usize, text: String) {
        let is_name = NAMES.contains(&self.word.as_str());
        if !is_name && !TEXTS.iter().any(|(word, _)| *word == self.word) {
            let reason = format!("nft may look up what a string behind `{}` names", self.word.escape_debug());
            return self.cursor.refuse(
                hole,
                &reason,
                "a string can be a comment, a prefix or the name of an interface",
            );
        }
        let bad = |c: char| match c {
            '"' => true,
            '*' | '\\' => is_name,
            '$' => self.word == "prefix",
            _ => false,
        };
        if let Some(bad) = text.chars().find(|c| bad(*c)) {
            let reason = format!("`{bad}` has a meaning of its own for nft here");
            self.cursor.refuse(hole, &reason, "leave that character out");
        }
        self.cursor.filling.set(hole, text);
    }
}
