//! Here-documents (XCU 2.7.4): `<<` names a delimiter, and the lines up to it are input.

use super::expand::Around;
use super::word::{Word, ends_word};
use super::{Lexer, quote};

/// A here-document whose body is still to come.
#[derive(Debug)]
pub(super) struct HereDoc {
    /// Where its `<<` stands.
    open: usize,
    /// The line that ends it.
    delimiter: String,
    /// Part of the delimiter is quoted: the body is not expanded.
    quoted: bool,
    /// `<<-`: tabs at the start of lines are taken away.
    tabs: bool,
    /// The program that reads it as code, and whether that is refused or a warning.
    pub(super) reread: Option<(String, crate::build::fill::reread::Verdict)>,
}

impl Lexer<'_> {
    /// `<<` and its delimiter.
    pub(super) fn here_doc_start(&mut self) {
        let (open, first) = (self.position, self.hole);
        self.skip(2);
        let tabs = self.peek() == Some(b'-');
        self.skip(usize::from(tabs));
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.skip(1);
        }
        let (mut delimiter, mut quoted) = (String::new(), false);
        loop {
            if let Some(hole) = self.hole_here() {
                self.hole = hole + 1;
                self.filling.refuse(
                    hole,
                    "a value cannot be the delimiter of a here-document",
                    "write a word",
                );
                continue;
            }
            match self.peek() {
                Some(byte) if ends_word(byte) => break,
                None => break,
                Some(b'$' | b'`') => return self.unclear_delimiter(open),
                Some(b'\'' | b'"' | b'\\') => {
                    quoted = true;
                    match self.quoted_part() {
                        Some(part) => delimiter.push_str(&part),
                        None => return self.unclear_delimiter(open),
                    }
                }
                Some(_) => delimiter.extend(self.bump()),
            }
        }
        if delimiter.is_empty() && self.hole > first {
            return self.leave();
        }
        if delimiter.is_empty() || delimiter.contains('\n') {
            return self.stop(open, "this here-document has no delimiter", "write `<<EOF` or `<<'EOF'`");
        }
        if tabs && delimiter.starts_with('\t') {
            return self.stop(open, "this delimiter starts with a tab", "write `<<-EOF`");
        }
        self.here_docs.push(HereDoc { open, delimiter, quoted, tabs, reread: None });
    }

    fn unclear_delimiter(&mut self, open: usize) {
        let help = "write `<<EOF` or `<<'EOF'`";
        self.stop(open, "shells differ in how they read this delimiter", help);
    }

    /// A quoted part of a delimiter, where nothing in it is special.
    fn quoted_part(&mut self) -> Option<String> {
        let start = self.position;
        let mut word = Word::default();
        match self.peek() {
            Some(b'\'') => self.single(&mut word),
            Some(b'"') => self.double(&mut word),
            _ => self.backslash(&mut word),
        }
        for hole in word.holes {
            self.filling.refuse(hole, "a value cannot be the delimiter of a here-document", "write a word");
        }
        let text = self.filling.text.get(start + 1..self.position)?;
        (!text.contains(['$', '`', '\\', '\n'])).then_some(word.text)
    }

    /// The bodies of all here-documents that wait for this line break.
    pub(super) fn here_doc_bodies(&mut self) {
        for doc in std::mem::take(&mut self.here_docs) {
            self.body(&doc);
        }
    }

    fn body(&mut self, doc: &HereDoc) {
        // What was read of a line that goes on on the next one by a `\` at its end.
        let mut joined: Option<String> = None;
        while !self.stopped {
            let (start, first) = (self.position, self.hole);
            if start >= self.limit && self.hole_here().is_none() {
                return self.unclosed(doc.open, &format!("the here-document `{}`", doc.delimiter));
            }
            let rest = &self.filling.text[start..self.limit];
            let end = rest.find('\n').map_or(self.limit, |length| start + length);
            let next = (end + 1).min(self.limit);
            let plain = &self.filling.text[start..end];
            let plain = if doc.tabs { plain.trim_start_matches('\t') } else { plain };
            let holes = self.filling.holes[first..].iter().take_while(|hole| hole.offset <= end).count();
            if holes == 0 && plain == doc.delimiter && joined.is_none() {
                self.position = next;
                return;
            }
            let goes_on = self.line(doc, end);
            if self.stopped {
                return;
            }
            let line = self.line_as_filled(start..end, first..first + holes);
            let whole = joined.take().unwrap_or_default() + &line;
            let ends = [&line, &whole].into_iter().flat_map(|text| text.split('\n')).any(|text| {
                let text = if doc.tabs { text.trim_start_matches('\t') } else { text };
                text.strip_suffix('\\').filter(|_| goes_on).unwrap_or(text) == doc.delimiter
            });
            if ends {
                self.ends_early(doc, start, first..first + holes);
            }
            if doc.tabs {
                self.tabs_kept(start, first..first + holes);
            }
            if goes_on {
                joined = Some(begun(doc, whole.strip_suffix('\\').unwrap_or(&whole)).to_owned());
            }
            self.position = next;
        }
    }

    /// One line of a body; whether it goes on on the next by a `\` at its end.
    fn line(&mut self, doc: &HereDoc, end: usize) -> bool {
        let limit = std::mem::replace(&mut self.limit, end);
        let outer = self.line_depth.replace(self.depth);
        let (mut goes_on, mut ignored) = (false, Word::default());
        loop {
            if let Some(hole) = self.hole_here() {
                if let Some(text) = self.take(hole) {
                    self.filling.set(hole, if doc.quoted { text } else { quote::in_here_doc(&text) });
                    self.input(doc, hole);
                }
                continue;
            }
            match self.peek() {
                None => break,
                Some(b'\\') if !doc.quoted && self.position + 1 == end && !self.hole_at(end) => {
                    goes_on = true;
                    self.skip(1);
                }
                Some(b'\\') if !doc.quoted => self.backslash(&mut ignored),
                Some(b'$') if !doc.quoted => self.dollar(&mut ignored, Around::Quotes),
                Some(b'`') if !doc.quoted => self.backquoted(&mut ignored),
                Some(_) => _ = self.bump(),
            }
        }
        if !self.stopped {
            self.limit = limit;
        }
        self.line_depth = outer;
        goes_on
    }

    fn hole_at(&self, offset: usize) -> bool {
        self.filling.holes.get(self.hole).is_some_and(|hole| hole.offset == offset)
    }

    /// The reader of the body may take it for code.
    fn input(&mut self, doc: &HereDoc, hole: usize) {
        use crate::build::fill::reread::Verdict;
        match &doc.reread {
            None => {}
            Some((name, Verdict::Refuse)) => {
                let reason = format!("`{name}` reads this here-document, and with it the value, as code");
                self.filling.refuse(hole, &reason, "write a script, and pass the value to it as an argument");
            }
            Some((name, Verdict::Warn)) => {
                let reason = format!("`{name}` reads this here-document in a language of its own");
                self.filling.warn(hole, &reason, "pass the value as an argument of its own");
            }
        }
    }

    fn line_as_filled(&self, text: std::ops::Range<usize>, holes: std::ops::Range<usize>) -> String {
        let (mut line, mut from) = (String::new(), text.start);
        for hole in holes {
            let offset = self.filling.holes[hole].offset;
            line.push_str(&self.filling.text[from..offset]);
            line.push_str(self.filling.filled(hole));
            from = offset;
        }
        line.push_str(&self.filling.text[from..text.end]);
        line
    }

    /// A line that is the delimiter, or that some shells take for it.
    fn ends_early(&mut self, doc: &HereDoc, start: usize, holes: std::ops::Range<usize>) {
        if holes.is_empty() {
            return self.stop(start, "shells differ in whether this line ends the here-document", "");
        }
        for hole in holes {
            let reason = format!("the value gives a line `{}`, which ends the here-document", doc.delimiter);
            self.filling.refuse(hole, &reason, "choose another delimiter");
        }
    }

    /// `<<-` takes tabs away at the start of every line, also a value's.
    fn tabs_kept(&mut self, start: usize, holes: std::ops::Range<usize>) {
        let mut at_start = true;
        let mut from = start;
        for hole in holes {
            let offset = self.filling.holes[hole].offset;
            at_start &= self.filling.text[from..offset].bytes().all(|byte| byte == b'\t');
            from = offset;
            let value = self.filling.filled(hole);
            let lost = value.contains("\n\t") || (at_start && value.starts_with('\t'));
            at_start = (at_start && value.is_empty()) || value.ends_with('\n');
            if lost {
                let reason = "a line of the value starts with a tab, which `<<-` takes away";
                self.filling.refuse(hole, reason, "write `<<`");
            }
        }
    }
}

/// As much of a line that goes on as tells whether it will be the delimiter: what is longer already never will.
fn begun<'a>(doc: &HereDoc, joined: &'a str) -> &'a str {
    let line = joined.rsplit('\n').next().unwrap_or_default();
    let line = if doc.tabs { line.trim_start_matches('\t') } else { line };
    let end = line.char_indices().nth(doc.delimiter.chars().count() + 1);
    end.map_or(line, |(end, _)| &line[..end])
}
