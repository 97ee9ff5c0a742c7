//! POSIX shell (XCU 2, "Shell Command Language"), as `/bin/sh` of Debian (dash) reads it.
//!
//! The lexer knows what decides about the meaning of a place: quoting (2.2), expansions (2.6), here-documents (2.7.4),
//! comments, nested `$( )` with their `case` patterns, and which words are commands, assignments or targets of a
//! redirection. Where shells differ in how they read the text, the text is refused: the law cannot lean on one of them.
//!
//! | place | the hole becomes |
//! |---|---|
//! | bare word or part of one | `'…'`, with `'\''` for `'` |
//! | `"…"`, here-document | the value with `\` before `` \ $ ` `` (and `"`) |
//! | `'…'` | the value with `'\''` for `'` |
//! | here-document with a quoted delimiter, comment | the value as it is |
//! | before `=`, after `for` | a name |
//! | `$(( ))` | an integer |
//! | alone in a word of a command | a list: a word an entry |

use super::source::Filling;
use super::{Filled, Refusal};
use command::End;
use heredoc::HereDoc;

mod command;
mod expand;
mod expect;
mod heredoc;
mod quote;
mod word;

#[cfg(test)]
mod tests;

/// How deep `$( )`, `${ }` and `$(( ))` may be nested.
const DEPTH: usize = 40;

/// Fills the holes of a script.
pub(super) fn fill(filling: Filling<'_>) -> Result<Filled, Vec<Refusal>> {
    let mut lexer = Lexer {
        limit: filling.text.len(),
        filling,
        position: 0,
        hole: 0,
        depth: 0,
        line_depth: None,
        forbidden: None,
        stopped: false,
        here_docs: Vec::new(),
    };
    lexer.first_line();
    lexer.script(End::File);
    lexer.filling.finish()
}

/// Where the lexer is in the text.
struct Lexer<'a> {
    filling: Filling<'a>,
    /// The next byte.
    position: usize,
    /// The next hole: it stands before that byte where their offsets are equal.
    hole: usize,
    /// The text ends here: at the line's end within a here-document.
    limit: usize,
    depth: usize,
    /// Within a line of a here-document that is expanded: how deep that stands.
    line_depth: Option<usize>,
    /// Within a construct in which no hole may stand, and how that is called.
    forbidden: Option<&'static str>,
    /// The rest cannot be read.
    stopped: bool,
    /// Here-documents whose bodies come after the next line break.
    here_docs: Vec<HereDoc>,
}

impl Lexer<'_> {
    /// The hole before the next byte.
    fn hole_here(&self) -> Option<usize> {
        let hole = self.filling.holes.get(self.hole)?;
        (hole.offset == self.position && self.position <= self.limit).then_some(self.hole)
    }

    /// The next byte; nothing at a hole and at the end.
    fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    /// The byte `ahead` of the next; nothing where a hole or the end comes before it.
    fn peek_at(&self, ahead: usize) -> Option<u8> {
        let at = self.position + ahead;
        let free = self.filling.holes.get(self.hole).is_none_or(|hole| hole.offset > at);
        (free && at < self.limit).then(|| self.filling.text.as_bytes()[at])
    }

    fn looking_at(&self, text: &str) -> bool {
        text.bytes().enumerate().all(|(ahead, byte)| self.peek_at(ahead) == Some(byte))
    }

    /// The next character; steps over it.
    fn bump(&mut self) -> Option<char> {
        self.peek()?;
        let next = self.filling.text.get(self.position..)?.chars().next()?;
        self.position += next.len_utf8();
        Some(next)
    }

    /// Steps over bytes that were looked at.
    fn skip(&mut self, bytes: usize) {
        self.position += bytes;
    }

    /// Steps over joined lines: a `\` at the end of a line (2.2.1).
    fn skip_joins(&mut self) {
        while self.looking_at("\\\n") {
            self.skip(2);
        }
    }

    /// Steps over the hole here, and gives its text where it has one and a hole may stand here.
    fn take(&mut self, hole: usize) -> Option<String> {
        self.hole = hole + 1;
        if let Some(place) = self.forbidden {
            let reason = format!("a value cannot stand within {place}");
            self.filling.refuse(hole, &reason, "set a variable before, and use that");
            return None;
        }
        let text = self.filling.scalar(hole)?;
        self.breaks_line(hole, &text);
        Some(text)
    }

    /// Within `$(…)` in a here-document some shells join lines before they look at quotes.
    fn breaks_line(&mut self, hole: usize, text: &str) {
        if self.line_depth.is_some_and(|depth| self.depth > depth) && text.contains('\n') {
            let reason =
                "the value has a line break, which shells read differently within `$(…)` in a here-document";
            self.filling.refuse(hole, reason, "set a variable before, and use that");
        }
    }

    /// The text cannot be read from here on.
    fn stop(&mut self, offset: usize, reason: &str, help: &str) {
        if !self.stopped {
            self.filling.refuse_text(offset, reason, (!help.is_empty()).then_some(help));
        }
        self.leave();
    }

    /// Goes to the end: what is wrong was said.
    fn leave(&mut self) {
        self.stopped = true;
        self.position = self.filling.text.len();
        self.limit = self.position;
        self.hole = self.filling.holes.len();
        self.here_docs.clear();
    }

    /// What was opened at `offset` has no end.
    fn unclosed(&mut self, offset: usize, what: &str) {
        let reason = if self.limit < self.filling.text.len() {
            format!("{what} has no end on its line of the here-document")
        } else {
            format!("{what} has no end")
        };
        self.stop(offset, &reason, "");
    }

    /// Goes one level deeper, or stops.
    fn nested(&mut self, offset: usize, inner: impl FnOnce(&mut Self)) {
        if self.depth >= DEPTH {
            self.stop(offset, &format!("nested more than {DEPTH} levels deep"), "");
            return;
        }
        self.depth += 1;
        inner(self);
        self.depth -= 1;
    }

    /// The first line decides who reads the file: it must be a POSIX shell.
    fn first_line(&mut self) {
        let text = &self.filling.text;
        if text.starts_with('#') && self.filling.holes.iter().any(|hole| hole.offset == 1) {
            self.stop(
                0,
                "a value right after `#` at the very start could name another interpreter",
                "add a blank",
            );
            return;
        }
        if !text.starts_with("#!") {
            return;
        }
        let line = text.split('\n').next().unwrap_or_default().to_owned();
        if self.filling.holes.first().is_some_and(|hole| hole.offset <= line.len()) {
            return self.filling.refuse(0, "a value cannot stand in the `#!` line", "write `#!/bin/sh`");
        }
        let rest = line.strip_prefix("#!").unwrap_or_default().trim_start_matches(' ');
        let options = rest.strip_prefix("/bin/sh").map(|options| options.trim_end_matches([' ', '\t']));
        let posix = options.is_some_and(|options| {
            let letters = options.trim_start_matches([' ', '\t']).strip_prefix('-');
            options.is_empty()
                || (options.starts_with([' ', '\t'])
                    && letters.is_some_and(|l| !l.is_empty() && l.bytes().all(|b| b"efux".contains(&b))))
        });
        if !posix {
            let reason = format!("`{}` is not the shell of this grammar", line.escape_debug());
            self.stop(0, &reason, "write `#!/bin/sh`, with `-e` or `-u` if wanted");
        }
    }
}
