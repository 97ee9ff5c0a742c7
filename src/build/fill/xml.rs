//! XML 1.0 (fifth edition), without document types.
//!
//! | place | the hole becomes |
//! |---|---|
//! | text of an element | `&`, `<`, `>` as entities, a carriage return as `&#13;` |
//! | value of an attribute | the same, with quotes, tabs and line breaks too: a reader would make blanks of them (3.3.3) |
//!
//! In names, comments, processing instructions and CDATA it is refused, and so is a value with a character that XML
//! cannot have (2.2). A document type could change how values are read (3.3.3, 4.2): it is refused. What is left of
//! the rules is checked by a reader of the whole text.

use std::fmt::Write as _;

use super::cursor::{Cursor, Symbol};
use super::literal::DEPTH;
use super::source::Filling;
use super::{Filled, Refusal};

struct Lexer<'a> {
    cursor: Cursor<'a>,
    /// How many elements are open.
    depth: usize,
}

/// Fills the holes of a document.
pub(super) fn fill(filling: Filling<'_>) -> Result<Filled, Vec<Refusal>> {
    let mut lexer = Lexer { cursor: Cursor::new(filling), depth: 0 };
    lexer.declaration();
    while let Some(symbol) = lexer.cursor.peek() {
        match symbol {
            Symbol::Hole(hole) => {
                lexer.cursor.bump();
                lexer.content(hole);
            }
            Symbol::Char('<') => lexer.markup(),
            Symbol::Char('&') => lexer.reference(),
            Symbol::Char(_) => _ = lexer.cursor.bump(),
        }
    }
    lexer.cursor.filling.finish_read(fault)
}

/// What a reader has to say about a document.
fn fault(text: &str) -> Option<(usize, String)> {
    let error = roxmltree::Document::parse(text).err()?;
    let place = error.pos();
    let (row, column) = (place.row.saturating_sub(1), place.col.saturating_sub(1));
    let line: usize = text.split_inclusive('\n').take(usize::try_from(row).ok()?).map(str::len).sum();
    let before = text.get(line..).unwrap_or_default().chars().take(usize::try_from(column).ok()?);
    // The place is part of what it says.
    let reason = error.to_string();
    let reason = reason.split(" at ").next().unwrap_or_default();
    Some((line + before.map(char::len_utf8).sum::<usize>(), format!("this is no XML: {reason}")))
}

impl Lexer<'_> {
    /// What a document says of itself must be true: XML 1.1 and other encodings are read differently.
    fn declaration(&mut self) {
        if !self.cursor.rest().starts_with("<?xml") {
            return;
        }
        let start = self.cursor.position;
        let declaration = self.cursor.rest().split("?>").next().unwrap_or_default().replace('\'', "\"");
        let after =
            |key: &str| declaration.split_once(key).map(|(_, rest)| rest.replace(' ', "").to_lowercase());
        if !after("version").is_some_and(|rest| rest.starts_with("=\"1.0\"")) {
            self.cursor.stop(start, "this is not XML 1.0", "write `version=\"1.0\"`");
        } else if !after("encoding").is_none_or(|rest| rest.starts_with("=\"utf-8\"")) {
            self.cursor.stop(
                start,
                "the document names another encoding than UTF-8",
                "write `encoding=\"UTF-8\"`",
            );
        }
    }

    fn content(&mut self, hole: usize) {
        if self.depth == 0 {
            self.cursor.refuse(
                hole,
                "a value cannot stand outside the root element",
                "move it into the root element",
            );
        } else {
            self.escaped(hole, |c| matches!(c, '&' | '<' | '>' | '\r'));
        }
    }

    /// Fills a hole; these characters, and those that some readers take for line breaks, are written as references.
    fn escaped(&mut self, hole: usize, special: fn(char) -> bool) {
        let Some(text) = self.cursor.filling.scalar(hole) else { return };
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            let number = u32::from(c);
            if (number < 0x20 && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}') {
                let reason = format!("the value has a `{}`, which XML cannot have", c.escape_unicode());
                return self.cursor.refuse(hole, &reason, "leave that character out");
            }
            match c {
                '&' if special(c) => out.push_str("&amp;"),
                '<' if special(c) => out.push_str("&lt;"),
                '>' if special(c) => out.push_str("&gt;"),
                '"' if special(c) => out.push_str("&quot;"),
                '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{feff}' => _ = write!(out, "&#{number};"),
                c if special(c) => _ = write!(out, "&#{number};"),
                c => out.push(c),
            }
        }
        self.cursor.filling.set(hole, out);
    }

    /// `&…;`
    fn reference(&mut self) {
        self.cursor.bump();
        self.cursor.run(|c| c.is_alphanumeric() || matches!(c, '#' | '_' | ':' | '-' | '.'));
        if !self.cursor.eat(";") {
            self.cursor.unexpected("the `;` of a reference");
        }
    }

    fn markup(&mut self) {
        for (start, end, what) in [
            ("<!--", "-->", "a comment"),
            ("<![CDATA[", "]]>", "CDATA"),
            ("<?", "?>", "a processing instruction"),
        ] {
            if self.cursor.rest().starts_with(start) {
                return self.opaque(start, end, what);
            }
        }
        if self.cursor.rest().starts_with("<!") {
            let reason = "a document type may change how values are read";
            return self.cursor.stop(self.cursor.position, reason, "leave it out");
        }
        self.cursor.bump();
        let closes = self.cursor.eat("/");
        if closes {
            self.depth = self.depth.saturating_sub(1);
        } else if self.depth >= DEPTH {
            return self.cursor.stop(self.cursor.position, "it is nested more than 64 levels deep", "");
        }
        self.name();
        self.attributes(closes);
    }

    /// Steps over what has no values in it.
    fn opaque(&mut self, start: &str, end: &str, what: &str) {
        let opened = self.cursor.position;
        self.cursor.eat(start);
        while !self.cursor.eat(end) {
            match self.cursor.bump() {
                Some(Symbol::Char(_)) => {}
                Some(Symbol::Hole(hole)) => {
                    self.cursor.refuse(
                        hole,
                        &format!("a value cannot stand in {what}"),
                        "put it into an element",
                    );
                }
                None => return self.cursor.stop(opened, &format!("{what} has no end"), ""),
            }
        }
    }

    /// The name of an element or attribute.
    fn name(&mut self) {
        let name =
            self.cursor.run(|c| !c.is_whitespace() && !matches!(c, '=' | '/' | '>' | '<' | '"' | '\'' | '&'));
        let found = !name.is_empty();
        match self.cursor.peek() {
            Some(Symbol::Hole(hole)) => {
                self.cursor.refuse(
                    hole,
                    "a value cannot be part of a name",
                    "write the name, or choose among names by `{% if %}`",
                );
                self.cursor.leave();
            }
            _ if found => {}
            _ => self.cursor.unexpected("a name"),
        }
    }

    /// The rest of a tag.
    fn attributes(&mut self, closes: bool) {
        while !self.cursor.stopped {
            self.cursor.run(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            if self.cursor.eat(">") {
                self.depth += usize::from(!closes);
                return;
            }
            if self.cursor.eat("/>") {
                return;
            }
            self.name();
            self.cursor.run(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            if !self.cursor.eat("=") {
                return self.cursor.unexpected("`=`");
            }
            self.cursor.run(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            match self.cursor.char() {
                Some(quote @ ('"' | '\'')) => self.attribute(quote),
                _ => self.cursor.unexpected("a quote"),
            }
        }
    }

    fn attribute(&mut self, quote: char) {
        let start = self.cursor.position;
        self.cursor.bump();
        while let Some(symbol) = self.cursor.peek() {
            match symbol {
                Symbol::Char('&') => self.reference(),
                Symbol::Char(c) => {
                    self.cursor.bump();
                    if c == quote {
                        return;
                    }
                }
                Symbol::Hole(hole) => {
                    self.cursor.bump();
                    let special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'' | '\t' | '\n' | '\r');
                    self.escaped(hole, special);
                }
            }
        }
        self.cursor.stop(start, "the value of the attribute has no end", "");
    }
}
