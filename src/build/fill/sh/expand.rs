//! What `$` starts (XCU 2.6): parameters, command substitution, arithmetic.

use super::Lexer;
use super::command::End;
use super::word::Word;
use crate::base::value::Value;

/// What an expansion stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// A word outside quotes.
    Bare,
    /// `"…"`, a here-document or arithmetic: what follows belongs to the same text.
    Quotes,
}

const BASH: &str = "`/bin/sh` does not know it";

impl Lexer<'_> {
    /// A `$` and what it starts.
    pub(super) fn dollar(&mut self, word: &mut Word, around: Around) {
        let open = self.position;
        self.skip(1);
        if let Some(hole) = self.hole_here() {
            self.hole = hole + 1;
            self.filling.refuse(
                hole,
                "a value cannot stand after `$`",
                "write the variable's name, or `\\$`",
            );
            return;
        }
        let Some(next) = self.peek() else {
            word.text.push('$');
            return;
        };
        match next {
            b'(' if self.peek_at(1) == Some(b'(') => self.nested(open, |lexer| lexer.arithmetic(open)),
            b'(' if self.looking_at("(<") && !self.looking_at("(<<") => {
                return self.stop(open, "`$(<` is of other shells", "write `$(cat …)`");
            }
            b'(' => self.nested(open, |lexer| lexer.script(End::Paren(open))),
            b'{' => self.nested(open, |lexer| lexer.parameter(open, around)),
            b'[' => return self.stop(open, "`$[` is of other shells", "write `$(( ))`"),
            b'\'' | b'"' if around == Around::Bare => {
                return self.stop(open, &format!("`${}` is of other shells", char::from(next)), BASH);
            }
            b'\\' if self.peek_at(1) == Some(b'\n') => return self.stop(open, "a line ends after `$`", ""),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' => self.name(around),
            b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!' => self.skip(1),
            _ => {
                word.text.push('$');
                return;
            }
        }
        word.unknown();
    }

    /// `$name` or `$1`. Within quotes a value right behind it would be read as more of the name.
    fn name(&mut self, around: Around) {
        let digit = self.peek().is_some_and(|byte| byte.is_ascii_digit());
        loop {
            self.skip(1);
            self.skip_joins();
            if digit || !self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                break;
            }
        }
        if around == Around::Quotes
            && let Some(hole) = self.hole_here()
        {
            let reason = "a value right after `$name` would be read as part of the name";
            self.filling.refuse(hole, reason, "write `${name}`");
            self.hole = hole + 1;
        }
    }

    /// `${…}` (2.6.2). Shells differ in how they read quotes in it, so no hole may stand there.
    fn parameter(&mut self, open: usize, around: Around) {
        self.skip(1);
        let outer = self.forbidden.replace("`${…}`");
        let pattern = self.operator(open);
        loop {
            if let Some(hole) = self.hole_here() {
                self.take(hole);
                continue;
            }
            let mut ignored = Word::default();
            match self.peek() {
                None => {
                    self.unclosed(open, "`${`");
                    break;
                }
                Some(b'}') => {
                    self.skip(1);
                    break;
                }
                Some(b'\\') => self.backslash(&mut ignored),
                Some(b'\'') if around == Around::Bare || pattern => self.single(&mut ignored),
                Some(b'"') if around == Around::Bare => self.double(&mut ignored),
                Some(b'"') => self.inner_quotes(open),
                Some(b'$') => self.dollar(&mut ignored, around),
                Some(b'`') => self.backquoted(&mut ignored),
                Some(_) => _ = self.bump(),
            }
        }
        self.forbidden = outer;
    }

    /// The parameter and its operator; whether a pattern follows. What POSIX does not have is refused.
    fn operator(&mut self, open: usize) -> bool {
        let special = |byte: u8| b"@*#?-$!".contains(&byte);
        if self.peek() == Some(b'#')
            && self.peek_at(1).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            self.skip(1);
        }
        match self.peek() {
            Some(byte) if byte.is_ascii_alphanumeric() || byte == b'_' => {
                while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                    self.skip(1);
                }
            }
            Some(byte) if special(byte) => self.skip(1),
            _ if self.hole_here().is_some() => return false,
            _ => {
                self.stop(open, "this `${` is of other shells", BASH);
                return false;
            }
        }
        if self.hole_here().is_some() {
            return false;
        }
        let colon = usize::from(self.peek() == Some(b':'));
        match self.peek_at(colon) {
            Some(b'-' | b'=' | b'?' | b'+') => self.skip(colon + 1),
            Some(b'#' | b'%') if colon == 0 => {
                self.skip(1);
                return true;
            }
            Some(b'}') if colon == 0 => {}
            None => {}
            _ => self.stop(open, "this `${` is of other shells", BASH),
        }
        false
    }

    /// `"…"` in a `${…}` that stands within quotes: only what all shells read alike.
    fn inner_quotes(&mut self, open: usize) {
        self.skip(1);
        let mut ignored = Word::default();
        loop {
            if let Some(hole) = self.hole_here() {
                self.take(hole);
                continue;
            }
            match self.peek() {
                None => return self.unclosed(open, "`${`"),
                Some(b'"') => return self.skip(1),
                Some(b'\'' | b'}') => {
                    return self.stop(open, "shells differ in how they read these quotes within `${…}`", "");
                }
                Some(b'\\') => self.backslash(&mut ignored),
                Some(b'$') => self.dollar(&mut ignored, Around::Quotes),
                Some(b'`') => self.backquoted(&mut ignored),
                Some(_) => _ = self.bump(),
            }
        }
    }

    /// `$((…))` (2.6.4).
    fn arithmetic(&mut self, open: usize) {
        self.skip(2);
        let (mut level, mut ignored) = (0_usize, Word::default());
        loop {
            if let Some(hole) = self.hole_here() {
                self.integer(hole);
                continue;
            }
            match self.peek() {
                None => return self.unclosed(open, "`$((`"),
                Some(b'(') => level += 1,
                Some(b')') if level > 0 => level -= 1,
                Some(b')') if self.peek_at(1) == Some(b')') => return self.skip(2),
                Some(b')') => {
                    return self.stop(open, "this `$((` is no arithmetic", "write `$( (` for a subshell");
                }
                Some(b'\'' | b'"' | b'\\') => {
                    return self.stop(open, "shells differ in how they read quotes in `$(( ))`", "");
                }
                Some(b'$') => {
                    self.dollar(&mut ignored, Around::Quotes);
                    continue;
                }
                Some(b'`') => {
                    self.backquoted(&mut ignored);
                    continue;
                }
                Some(_) => {}
            }
            self.bump();
        }
    }

    /// A value in arithmetic: an integer that is an operand of its own. A negative one is put in parentheses, since
    /// `--` is an operator of some shells.
    fn integer(&mut self, hole: usize) {
        self.hole = hole + 1;
        let joins = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.#$".contains(byte);
        let bytes = self.filling.text.as_bytes();
        let before = self.position.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(joins);
        let holes = &self.filling.holes;
        let is_hole = |index: Option<usize>| {
            index.and_then(|index| holes.get(index)).is_some_and(|other| other.offset == self.position)
        };
        let touched = is_hole(hole.checked_sub(1)) || is_hole(Some(hole + 1));
        if before || touched || bytes.get(self.position).is_some_and(joins) {
            self.filling.refuse(
                hole,
                "in `$(( ))` a value must be a number of its own",
                "put blanks round it",
            );
            return;
        }
        match (self.forbidden, self.filling.holes[hole].value) {
            (None, Value::Int(number @ 0..)) => self.filling.set(hole, number.to_string()),
            // -9223372036854775808 is read as the negation of a number that does not fit.
            (None, Value::Int(number)) if *number > i64::MIN => self.filling.set(hole, format!("({number})")),
            (None, value) => {
                let reason = format!("in `$(( ))` only an integer can stand, and this is {}", value.kind());
                self.filling.refuse(hole, &reason, "give the option the type `int`");
            }
            (Some(place), _) => {
                self.filling.refuse(
                    hole,
                    &format!("a value cannot stand within {place}"),
                    "set a variable before",
                );
            }
        }
    }
}
