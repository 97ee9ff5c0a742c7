//! Python's strings (2.4.1), f-strings (2.4.3) as far as to know where they end.

use super::super::cursor::Symbol;
use super::super::literal::escaped;
use super::{Before, Lexer};

/// A string that is being read.
struct Reading {
    /// Where it starts, its prefix included.
    start: usize,
    quote: char,
    /// What ends it.
    end: &'static str,
    raw: bool,
    bytes: bool,
    /// An f-string: how many `{` are open in it, and whether `:` was among them.
    format: Option<(usize, bool)>,
    /// Behind the quote that starts it.
    inside: usize,
    /// The last hole in it, and whether all of them are empty.
    hole: Option<usize>,
    empty: bool,
}

impl Lexer<'_> {
    /// A string; its prefix is read already.
    pub(super) fn string(&mut self, prefix: &str, start: usize) {
        if let Before::Hole(hole) = self.before {
            self.cursor.refuse(hole, "Python joins the value and the string behind it", "write `+` between");
        }
        self.before = Before::String;
        let prefix = prefix.to_ascii_lowercase();
        let known = ["", "r", "u", "b", "br", "rb", "f", "fr", "rf", "t", "tr", "rt"];
        if !known.contains(&prefix.as_str()) {
            return self.cursor.unexpected("a blank or an operator");
        }
        let (quote, end) =
            match (self.cursor.rest().starts_with("\"\"\""), self.cursor.rest().starts_with("'''")) {
                (true, _) => ('"', "\"\"\""),
                (_, true) => ('\'', "'''"),
                _ if self.cursor.char() == Some('"') => ('"', "\""),
                _ => ('\'', "'"),
            };
        self.cursor.eat(end);
        let mut reading = Reading {
            start,
            quote,
            end,
            raw: prefix.contains('r'),
            bytes: prefix.contains('b'),
            format: prefix.contains(['f', 't']).then_some((0, false)),
            inside: self.cursor.position,
            hole: None,
            empty: true,
        };
        while !self.cursor.stopped && !self.step(&mut reading) {}
        self.end = self.cursor.position;
    }

    /// Reads on; whether the string has ended.
    fn step(&mut self, reading: &mut Reading) -> bool {
        let here = self.cursor.position;
        let field = reading.format.is_some_and(|(open, _)| open > 0);
        match self.cursor.peek() {
            Some(Symbol::Char(c)) if c == reading.quote && self.cursor.rest().starts_with(reading.end) => {
                if field {
                    self.unclear(here);
                }
                self.cursor.eat(reading.end);
                self.closed(reading, here);
                return true;
            }
            Some(Symbol::Char('"' | '\'' | '\\' | '#')) if field => self.field_string(reading),
            Some(Symbol::Char('\n' | '\r')) if reading.end.len() == 1 => {
                self.cursor.stop(reading.start, "the string has no end", "");
            }
            Some(Symbol::Char('\\')) => {
                self.cursor.bump();
                self.escape(reading);
            }
            Some(Symbol::Char(c @ ('{' | '}' | ':'))) if reading.format.is_some() => self.brace(reading, c),
            Some(Symbol::Char(_)) => _ = self.cursor.bump(),
            Some(Symbol::Hole(hole)) => {
                self.cursor.bump();
                self.string_hole(reading, hole);
            }
            None => self.cursor.stop(reading.start, "the string has no end", ""),
        }
        false
    }

    /// An empty string of one quote, before another quote, would start a string of three.
    fn closed(&mut self, reading: &Reading, here: usize) {
        if let (Some(hole), true) =
            (reading.hole, reading.empty && reading.inside == here && reading.end.len() == 1)
            && self.cursor.char() == Some(reading.quote)
        {
            self.cursor.refuse(
                hole,
                "the value is empty, and three quotes would come together",
                "write a blank between",
            );
        }
    }

    fn string_hole(&mut self, reading: &mut Reading, hole: usize) {
        let here = self.cursor.position;
        reading.hole = Some(hole);
        if reading.format.is_some() || reading.bytes {
            let (what, help) = if reading.bytes {
                ("a byte string has no text", "write `\"…\".encode()`")
            } else {
                ("Python would read the value in an f-string again", "assign it to a name before")
            };
            return self.cursor.refuse(hole, what, help);
        }
        let Some(text) = self.cursor.filling.scalar(hole) else { return };
        reading.empty &= text.is_empty();
        let before = self.cursor.filling.text.get(reading.inside..here).unwrap_or_default();
        if text.is_empty()
            && before.ends_with(reading.quote)
            && self.cursor.filling.text[here..].starts_with(reading.quote)
        {
            let reason = "the value is empty, and the quotes before and behind it would come together";
            self.cursor.refuse(hole, reason, "put it into `{% if … %}`");
        }
        let plain = |c: char| !matches!(c, '"' | '\'' | '\\') && !c.is_control();
        if !reading.raw {
            self.cursor.filling.set(hole, escaped(&text, reading.quote));
        } else if text.chars().all(plain) {
            self.cursor.filling.set(hole, text);
        } else {
            let reason = "a raw string cannot hold quotes, `\\`, line breaks and control characters";
            self.cursor.refuse(hole, reason, "take the `r` away");
        }
    }

    /// What follows a `\`.
    fn escape(&mut self, reading: &Reading) {
        if let (true, Some('{' | '}')) = (reading.format.is_some(), self.cursor.char()) {
            return;
        }
        let digits = match self.cursor.peek() {
            Some(Symbol::Hole(hole)) => {
                return self.cursor.refuse(hole, "a value cannot stand after `\\`", "take the `\\` away");
            }
            Some(Symbol::Char('\r')) => {
                self.cursor.bump();
                self.cursor.eat("\n");
                return;
            }
            _ if reading.raw => 0,
            Some(Symbol::Char('N')) if self.cursor.rest().starts_with("N{") => {
                self.cursor.run(|c| !matches!(c, '}' | '"' | '\'' | '\n'));
                return self.whole_escape();
            }
            Some(Symbol::Char('x')) => 2,
            Some(Symbol::Char('u')) => 4,
            Some(Symbol::Char('U')) => 8,
            Some(Symbol::Char('0'..='7')) => {
                let octal =
                    self.cursor.rest().bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
                self.cursor.position += octal;
                return if octal < 3 {
                    self.whole_escape();
                };
            }
            _ => 0,
        };
        self.cursor.bump();
        for _ in 0..digits {
            if !self.cursor.char().is_some_and(|c| c.is_ascii_hexdigit()) {
                return self.whole_escape();
            }
            self.cursor.bump();
        }
    }

    /// An escape that could go on: a hole behind it would be read as part of it.
    fn whole_escape(&mut self) {
        if let Some(Symbol::Hole(hole)) = self.cursor.peek() {
            self.cursor.refuse(
                hole,
                "the value would become part of the escape before it",
                "write all its digits",
            );
        }
    }

    /// A brace or colon of an f-string.
    fn brace(&mut self, reading: &mut Reading, c: char) {
        let Some((open, spec)) = &mut reading.format else { return };
        if *open == 0 && (self.cursor.eat("{{") || self.cursor.eat("}}")) {
            return;
        }
        match c {
            '{' => *open += 1,
            '}' => {
                *open = open.saturating_sub(1);
                *spec &= *open > 0;
            }
            _ => *spec |= *open > 0,
        }
        self.cursor.bump();
    }

    /// A quote, `\` or `#` between the braces of an f-string: a plain string in the other quotes is one in all versions.
    fn field_string(&mut self, reading: &Reading) {
        let start = self.cursor.position;
        let Some(quote) = self.cursor.char() else { return };
        self.cursor.bump();
        let spec = reading.format.is_some_and(|(_, spec)| spec);
        if spec || quote == reading.quote || !matches!(quote, '"' | '\'') {
            return self.unclear(start);
        }
        self.cursor.run(|c| !matches!(c, '"' | '\'' | '\\' | '\n' | '\r' | '{' | '}' | '#'));
        match self.cursor.peek() {
            Some(Symbol::Char(c)) if c == quote => _ = self.cursor.bump(),
            Some(Symbol::Hole(_)) => {}
            _ => self.unclear(start),
        }
    }

    fn unclear(&mut self, offset: usize) {
        let reason = "versions of Python differ in how they read this f-string";
        self.cursor.stop(offset, reason, "assign what stands between its braces to a name before");
    }
}
