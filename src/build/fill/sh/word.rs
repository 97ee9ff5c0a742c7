//! Words: what stands between blanks and operators (XCU 2.3), with its quotes.

use super::expand::Around;
use super::{Lexer, quote};
use crate::build::fill::reread;

/// What a word may be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A word of a command: a list alone in it is a word an entry.
    Argument,
    /// A list cannot stand here: the shell takes exactly one word.
    Single,
}

/// A word.
#[derive(Debug, Default)]
pub(super) struct Word {
    /// What the shell makes of it, as far as that is known (see [`reread::Word`]).
    pub(super) text: String,
    /// Quoted in part, or not from the template's text alone: no keyword.
    pub(super) quoted: bool,
    /// The holes in it.
    pub(super) holes: Vec<usize>,
    /// The entries where it is a list hole.
    pub(super) entries: Option<Vec<String>>,
}

/// What stands for text that is known at run time only.
const UNKNOWN: char = '\u{fffd}';

impl Word {
    /// An expansion.
    pub(super) fn unknown(&mut self) {
        self.quoted = true;
        self.text.push(UNKNOWN);
    }

    /// As the words that the program gets.
    pub(super) fn arguments(self) -> Vec<reread::Word> {
        match self.entries {
            Some(entries) => {
                entries.into_iter().map(|text| reread::Word { text, holes: self.holes.clone() }).collect()
            }
            None => vec![reread::Word { text: self.text, holes: self.holes }],
        }
    }
}

/// Whether a byte ends a word (2.3: blanks and what operators start with).
pub(super) const fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')')
}

impl Lexer<'_> {
    /// Reads a word; it is empty where none stands here.
    pub(super) fn word(&mut self, role: Role) -> Word {
        let mut word = Word::default();
        let start = (self.position, self.hole);
        loop {
            if let Some(hole) = self.hole_here() {
                let first = (self.position, self.hole) == start;
                self.bare_hole(&mut word, hole, first && role == Role::Argument);
                continue;
            }
            match self.peek() {
                None => return word,
                Some(byte) if ends_word(byte) => return word,
                Some(b'\'') => self.single(&mut word),
                Some(b'"') => self.double(&mut word),
                Some(b'\\') => self.backslash(&mut word),
                Some(b'$') => self.dollar(&mut word, Around::Bare),
                Some(b'`') => self.backquoted(&mut word),
                Some(_) => word.text.extend(self.bump()),
            }
        }
    }

    fn bare_hole(&mut self, word: &mut Word, hole: usize, may_be_list: bool) {
        word.quoted = true;
        word.holes.push(hole);
        let after = (self.position, hole + 1);
        let alone = self.filling.holes.get(after.1).is_none_or(|next| next.offset > after.0)
            && (after.0 >= self.limit || ends_word(self.filling.text.as_bytes()[after.0]));
        if may_be_list
            && alone
            && self.forbidden.is_none()
            && let Some(entries) = self.filling.list(hole)
        {
            self.hole = hole + 1;
            self.breaks_line(hole, &entries.concat());
            let quoted: Vec<String> = entries.iter().map(|entry| quote::bare(entry)).collect();
            self.filling.set(hole, quoted.join(" "));
            word.entries = Some(entries);
            return;
        }
        self.write(hole, quote::bare, word);
    }

    /// Writes the one text of a hole, quoted for its place; the word has it as the shell will read it.
    fn write(&mut self, hole: usize, quote: fn(&str) -> String, word: &mut Word) {
        if let Some(text) = self.take(hole) {
            self.filling.set(hole, quote(&text));
            word.text.push_str(&text);
        }
    }

    /// `'…'` (2.2.2): nothing is special.
    pub(super) fn single(&mut self, word: &mut Word) {
        let open = self.position;
        self.skip(1);
        word.quoted = true;
        loop {
            if let Some(hole) = self.hole_here() {
                word.holes.push(hole);
                self.write(hole, quote::in_single, word);
                continue;
            }
            match self.bump() {
                None => return self.unclosed(open, "`'`"),
                Some('\'') => return,
                Some(c) => word.text.push(c),
            }
        }
    }

    /// `"…"` (2.2.3): `$`, `` ` `` and `\` are special.
    pub(super) fn double(&mut self, word: &mut Word) {
        let open = self.position;
        self.skip(1);
        word.quoted = true;
        loop {
            if let Some(hole) = self.hole_here() {
                word.holes.push(hole);
                self.write(hole, quote::in_double, word);
                continue;
            }
            match self.peek() {
                None => return self.unclosed(open, "`\"`"),
                Some(b'"') => return self.skip(1),
                Some(b'\\') => self.backslash(word),
                Some(b'$') => self.dollar(word, Around::Quotes),
                Some(b'`') => self.backquoted(word),
                Some(_) => word.text.extend(self.bump()),
            }
        }
    }

    /// A `\` and what it escapes. (Which `\` stay within `"…"` does not matter here.)
    pub(super) fn backslash(&mut self, word: &mut Word) {
        let open = self.position;
        self.skip(1);
        if let Some(hole) = self.hole_here() {
            self.hole = hole + 1;
            self.filling.refuse(
                hole,
                "a value cannot stand after `\\`",
                "take the `\\` away: the value is quoted",
            );
            return;
        }
        match self.bump() {
            None => self.unclosed(open, "`\\`"),
            Some('\n') => {}
            Some(c) => {
                word.quoted = true;
                word.text.push(c);
            }
        }
    }

    /// `` `…` `` (2.6.3): up to the next `` ` `` that has no `\`; what stands between is unescaped before it is read,
    /// so no hole may.
    pub(super) fn backquoted(&mut self, word: &mut Word) {
        let open = self.position;
        self.skip(1);
        word.unknown();
        loop {
            if let Some(hole) = self.hole_here() {
                self.hole = hole + 1;
                self.filling.refuse(hole, "a value cannot stand within `` `…` ``", "write `$(…)`");
                continue;
            }
            match self.bump() {
                None => return self.unclosed(open, "`` ` ``"),
                Some('`') => return,
                Some('\\') if self.hole_here().is_none() => _ = self.bump(),
                Some(_) => {}
            }
        }
    }
}
