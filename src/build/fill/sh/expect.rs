//! Words by their place: a keyword (XCU 2.4), an assignment (2.9.1), an argument, a pattern of `case` (2.9.4).

use super::command::{Block, Commands, Expect};
use super::word::{Role, Word};
use super::{Lexer, quote};

impl Lexer<'_> {
    /// A word, by what is expected.
    pub(super) fn list_word(&mut self, list: &mut Commands) {
        let start = self.position;
        match list.expect {
            Expect::Command => self.command_word(list, start),
            Expect::Argument | Expect::ForWords => {
                let word = self.word(Role::Argument);
                list.words.extend(word.arguments());
            }
            Expect::ForName => {
                self.variable_name();
                list.expect = Expect::ForIn;
            }
            Expect::ForIn => {
                let word = self.word(Role::Single);
                list.expect = match (word.quoted, word.text.as_str()) {
                    (false, "in") => Expect::ForWords,
                    (false, "do") => Expect::Command,
                    _ => return self.stop(start, "`in` or `do` is expected here", ""),
                };
            }
            Expect::CaseWord => {
                self.word(Role::Single);
                list.expect = Expect::CaseIn;
            }
            Expect::CaseIn => {
                let word = self.word(Role::Single);
                if word.quoted || word.text != "in" {
                    return self.stop(start, "`in` is expected here", "");
                }
                list.expect = Expect::Pattern;
            }
            Expect::Pattern => {
                let word = self.word(Role::Single);
                list.expect = Expect::PatternEnd;
                if !word.quoted && word.text == "esac" {
                    list.blocks.pop();
                    list.compound = true;
                    list.expect = Expect::Command;
                }
            }
            Expect::PatternEnd => self.stop(start, "`|` or `)` is expected here", ""),
        }
    }

    /// The first word of a command: an assignment, a keyword, or a program.
    fn command_word(&mut self, list: &mut Commands, start: usize) {
        if let Some(name) = self.assignment() {
            list.begun = true;
            if self.peek() == Some(b'(') {
                return self.stop(
                    self.position,
                    "arrays are of other shells",
                    "`/bin/sh` does not know them",
                );
            }
            let word = self.word(Role::Single);
            if matches!(name.as_str(), "PS1" | "PS2" | "PS4" | "ENV" | "BASH_ENV" | "PROMPT_COMMAND") {
                for hole in word.holes {
                    let reason =
                        format!("shells expand what is in `{name}`, so the value would be read again");
                    self.filling.refuse(hole, &reason, "write its text in the template");
                }
            }
            return;
        }
        let word = self.word(Role::Argument);
        if !word.quoted && !list.begun && self.keyword(list, &word, start) {
            return;
        }
        if word.entries.as_ref().is_some_and(Vec::is_empty) {
            let hole = word.holes.first().copied().unwrap_or_default();
            self.filling.refuse(
                hole,
                "the list is empty, so the next word would be the program",
                "write the program before it, or put the line into `{% if … %}`",
            );
        }
        list.compound = false;
        list.words.extend(word.arguments());
        list.expect = Expect::Argument;
    }

    /// Reserved words (2.4); whether it is one.
    fn keyword(&mut self, list: &mut Commands, word: &Word, start: usize) -> bool {
        list.compound = false;
        match word.text.as_str() {
            "if" | "then" | "elif" | "else" | "while" | "until" | "do" | "{" | "!" => {}
            "fi" | "done" | "}" => list.compound = true,
            "for" => list.expect = Expect::ForName,
            "case" => {
                list.blocks.push(Block::Case(start));
                list.expect = Expect::CaseWord;
            }
            "esac" if matches!(list.blocks.last(), Some(Block::Case(_))) => {
                list.blocks.pop();
                list.compound = true;
            }
            "[[" | "function" | "select" | "coproc" => {
                self.stop(
                    start,
                    &format!("`{}` is of other shells", word.text),
                    "`/bin/sh` does not know it",
                );
            }
            _ => return false,
        }
        true
    }

    /// Steps over `name=` where that is what stands here, and fills the holes of the name.
    fn assignment(&mut self) -> Option<String> {
        let (mut at, mut hole, mut name) = (self.position, self.hole, String::new());
        let bytes = self.filling.text.as_bytes();
        loop {
            if self.filling.holes.get(hole).is_some_and(|next| next.offset == at) {
                hole += 1;
                continue;
            }
            match bytes.get(at).filter(|_| at < self.limit) {
                Some(b'=') if at > self.position || hole > self.hole => break,
                Some(byte) if byte.is_ascii_alphanumeric() || *byte == b'_' => at += 1,
                _ => return None,
            }
        }
        let mut from = self.position;
        let mut texts = Vec::new();
        let start = self.hole;
        for index in start..hole {
            let offset = self.filling.holes[index].offset;
            name.push_str(&self.filling.text[from..offset]);
            from = offset;
            let text = self.take(index).unwrap_or_default();
            name.push_str(&text);
            texts.push((index, text));
        }
        name.push_str(&self.filling.text[from..at]);
        if !quote::is_name(&name) {
            if hole == start {
                return None;
            }
            let reason = format!("`{}` is no name of a variable", name.escape_debug());
            self.filling.refuse(start, &reason, "a name has letters, digits and `_`, and no digit first");
        }
        for (index, text) in texts {
            self.filling.set(index, text);
        }
        (self.position, self.hole) = (at + 1, hole);
        Some(name)
    }

    /// The word after `for`.
    fn variable_name(&mut self) {
        let hole = self.hole_here();
        let word = self.word(Role::Single);
        for index in &word.holes {
            if Some(*index) == hole && word.holes.len() == 1 && quote::is_name(&word.text) {
                self.filling.set(*index, word.text.clone());
            } else {
                let reason = format!("`{}` is no name of a variable", word.text.escape_debug());
                self.filling.refuse(
                    *index,
                    &reason,
                    "a name has letters, digits and `_`, and no digit first",
                );
            }
        }
    }
}
