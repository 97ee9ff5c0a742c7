//! `key = value` lines below `[section]` lines.
//!
//! Nobody wrote down what such a file means. A value is filled where it is the same for Python's configparser, with
//! and without interpolation, for git's configuration (git-config(1)) and for files that are read like systemd's
//! (systemd.syntax(7)); the rest is refused: it can be written in the grammar `lines`, whose reader takes lines as they
//! are.
//!
//! | place | the hole becomes |
//! |---|---|
//! | value | one line without tabs, without blanks at its ends, without `# ; % $ " \` and a `'` at the ends; not behind `\`, a `%` or a `$` |
//! | key, section | lower-case letters, digits, `_ . -` in keys, capitals too in sections |
//! | comment | one line, without `\` at its end |

use std::collections::BTreeMap;

use super::cursor::{Cursor, Symbol};
use super::source::{Filling, shown};
use super::{Filled, Refusal};

const LINES: &str = "if the reader takes lines as they are, use the grammar `lines`";

struct Lexer<'a> {
    cursor: Cursor<'a>,
    /// The section, where one has begun.
    section: Option<String>,
    /// Keys of all sections, with the section before, and whether a value came into their lines.
    keys: BTreeMap<(String, String), bool>,
    /// The sections, and whether a value came into their names.
    sections: BTreeMap<String, bool>,
}

/// A stretch of a line.
#[derive(Debug, Default)]
struct Part {
    symbols: Vec<Symbol>,
    /// Where it starts in the text.
    offset: usize,
}

/// Fills the holes of a file; one without holes is as it is.
pub(super) fn fill(filling: Filling<'_>) -> Result<Filled, Vec<Refusal>> {
    if filling.holes.is_empty() {
        return filling.finish();
    }
    let mut lexer = Lexer {
        cursor: Cursor::new(filling),
        section: None,
        keys: BTreeMap::new(),
        sections: BTreeMap::new(),
    };
    lexer.carriage_returns();
    while lexer.cursor.peek().is_some() {
        lexer.line();
    }
    lexer.cursor.filling.finish()
}

impl Lexer<'_> {
    /// A carriage return that is not before a line feed ends a line for some readers only, comments too.
    fn carriage_returns(&mut self) {
        let filling = &self.cursor.filling;
        let alone = filling.text.match_indices('\r').map(|(at, _)| at).find(|at| {
            filling.text.as_bytes().get(at + 1) != Some(&b'\n')
                || filling.holes.binary_search_by_key(&(at + 1), |hole| hole.offset).is_ok()
        });
        if let Some(at) = alone {
            self.cursor.stop(at, "a carriage return stands alone", "end lines with a line feed alone");
        }
    }

    fn line(&mut self) {
        let start = self.cursor.position;
        self.cursor.run(|c| c != '\n' && (c.is_whitespace() || c.is_control()));
        match self.cursor.peek() {
            None => return,
            Some(Symbol::Char('\n')) => {
                self.cursor.bump();
                return;
            }
            Some(Symbol::Char('#' | ';')) => {
                self.comment();
                self.cursor.eat("\n");
                return;
            }
            _ => {}
        }
        if self.cursor.position > start {
            let help = "take the blanks at its start away";
            return self.cursor.stop(
                start,
                "some readers take an indented line as more of the line before",
                help,
            );
        }
        let mut line = Part { symbols: Vec::new(), offset: start };
        loop {
            match self.cursor.bump() {
                None | Some(Symbol::Char('\n')) => break,
                Some(Symbol::Char('\r')) => {}
                Some(symbol) => line.symbols.push(symbol),
            }
        }
        self.statement(&line);
    }

    fn comment(&mut self) {
        let (mut last, mut joins) = (None, false);
        while let Some(symbol) = self.cursor.peek() {
            match symbol {
                Symbol::Char('\n') => break,
                Symbol::Char(c) => (last, joins) = (None, c == '\\'),
                Symbol::Hole(hole) => {
                    if let Some(text) = self.cursor.filling.one_line(hole) {
                        // Behind an empty value the line ends as it did before it.
                        joins = if text.is_empty() { joins } else { text.ends_with('\\') };
                        self.cursor.filling.set(hole, text);
                    }
                    last = Some(hole);
                }
            }
            self.cursor.bump();
        }
        if let Some(hole) = last.filter(|_| joins) {
            self.cursor.refuse(
                hole,
                "the comment ends in `\\`, which could join the next line",
                "leave the last `\\` out",
            );
        }
    }

    fn statement(&mut self, line: &Part) {
        let symbols = line.symbols.as_slice();
        if symbols.last() == Some(&Symbol::Char('\\')) {
            let end = self.cursor.position.saturating_sub(2);
            self.cursor.stop(end, "some readers join the next line at `\\`", "take it away");
        } else if symbols.first() == Some(&Symbol::Char('[')) {
            self.header(line);
        } else if let Some(at) = symbols.iter().position(|s| matches!(s, Symbol::Char('=' | ':'))) {
            self.pair(line, at);
        } else if let Some(hole) = holes(symbols).next() {
            self.cursor.refuse(
                hole,
                "this is neither a section, nor `key = value`, nor a comment",
                "write `key = ` before it",
            );
        }
    }

    fn header(&mut self, line: &Part) {
        let inner = line.symbols.get(1..).unwrap_or_default();
        let end = inner.iter().position(|symbol| *symbol == Symbol::Char(']'));
        let Some(end) = end else {
            return self.cursor.stop(line.offset, "the name of the section has no `]`", "");
        };
        let (name, rest) = inner.split_at(end);
        if rest.iter().skip(1).any(|symbol| !matches!(symbol, Symbol::Char(' ' | '\t'))) {
            return self.cursor.stop(line.offset, "something stands behind the name of the section", "");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let text = self.name(name, plain, "letters, digits, `_`, `.` and `-` can");
        let hole = holes(name).next();
        let before = self.sections.insert(text.to_lowercase(), hole.is_some());
        let again = format!("there is a section `{}` already", text.escape_debug());
        let help = "give the section another name";
        match (before, hole) {
            (_, Some(hole)) if text == "DEFAULT" => {
                let reason = "some readers put what is below `[DEFAULT]` into all sections";
                self.cursor.refuse(hole, reason, help);
            }
            (Some(_), Some(hole)) => self.cursor.refuse(hole, &again, help),
            (Some(true), None) => self.cursor.filling.refuse_text(line.offset, &again, Some(help)),
            _ => {}
        }
        self.section = Some(text.to_lowercase());
    }

    /// Fills the holes of a name; it is given back as the file has it.
    fn name(&mut self, symbols: &[Symbol], plain: fn(char) -> bool, help: &str) -> String {
        for hole in holes(symbols) {
            let Some(text) = self.cursor.filling.scalar(hole) else { continue };
            if text.is_empty() || !text.chars().all(plain) {
                self.cursor.refuse(hole, "the value cannot be part of a name here", help);
            }
            self.cursor.filling.set(hole, text);
        }
        self.assembled(symbols)
    }

    fn pair(&mut self, line: &Part, at: usize) {
        let (key, value) = line.symbols.split_at(at);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | '-');
        let name = self.name(key, plain, "lower-case letters, digits, `_`, `.` and `-` can");
        let name = name.trim().to_lowercase();
        self.value(value.get(1..).unwrap_or_default());
        let first = holes(&line.symbols).next();
        if let (Some(hole), None) = (first, &self.section) {
            return self.cursor.refuse(hole, "it stands before the first `[section]`", LINES);
        }
        if let (Some(hole), true) = (first, name.is_empty()) {
            return self.cursor.refuse(hole, "there is no key before the value", "write `key = ` before it");
        }
        let reason =
            format!("the section has a key `{}` already, of which readers take one", name.escape_debug());
        let before = self.keys.insert((self.section.clone().unwrap_or_default(), name), first.is_some());
        match (before, first) {
            (Some(_), Some(hole)) => self.cursor.refuse(hole, &reason, LINES),
            (Some(true), None) => self.cursor.filling.refuse_text(line.offset, &reason, Some(LINES)),
            _ => {}
        }
    }

    fn value(&mut self, symbols: &[Symbol]) {
        let blank = |symbol: &Symbol| matches!(symbol, Symbol::Char(' ' | '\t'));
        let start = symbols.iter().position(|symbol| !blank(symbol)).unwrap_or(symbols.len());
        let end = symbols.iter().rposition(|symbol| !blank(symbol)).map_or(start, |last| last + 1);
        let value = symbols.get(start..end).unwrap_or_default();
        let mut signs = Signs::default();
        for symbol in value {
            match symbol {
                Symbol::Char(c) => signs.read(*c),
                Symbol::Hole(hole) => {
                    if let Some(sign) = signs.open() {
                        let reason = format!("readers differ in what a value behind `{sign}` is");
                        self.cursor.refuse(*hole, &reason, LINES);
                    }
                    self.value_hole(*hole);
                }
            }
        }
        let text = self.assembled(value);
        let ends = |symbol: Option<&Symbol>| symbol.is_some_and(|s| matches!(s, Symbol::Hole(_)));
        if let Some(hole) = holes(value).next() {
            if text.trim() != text {
                let reason = "a blank at an end of the value would be lost";
                self.cursor.refuse(hole, reason, LINES);
            } else if (ends(value.first()) && text.starts_with('\''))
                || (ends(value.last()) && text.ends_with('\''))
            {
                self.cursor.refuse(hole, "some readers take a `'` at an end of the value away", LINES);
            }
        }
    }

    fn value_hole(&mut self, hole: usize) {
        let Some(text) = self.cursor.filling.one_line(hole) else { return };
        if let Some(bad) =
            text.chars().find(|c| matches!(c, '#' | ';' | '%' | '$' | '"' | '\\' | '\t' | '\u{feff}'))
        {
            let reason = format!("readers differ in what `{}` in a value is", shown(bad));
            self.cursor.refuse(hole, &reason, LINES);
        }
        self.cursor.filling.set(hole, text);
    }

    /// The text as the file has it.
    fn assembled(&self, symbols: &[Symbol]) -> String {
        let mut text = String::new();
        for symbol in symbols {
            match symbol {
                Symbol::Char(c) => text.push(*c),
                Symbol::Hole(hole) => text.push_str(self.cursor.filling.filled(*hole)),
            }
        }
        text
    }
}

/// What the template's own text of a value begins, and has not ended.
#[derive(Debug, Default)]
struct Signs {
    /// What starts a comment for some readers.
    comment: Option<char>,
    /// What takes the next character as its own; a second `%` or `$` makes one plain sign of both.
    escape: Option<char>,
    /// The sign of a `%(…)` or `${…}`, in which some readers look for a name.
    name: Option<char>,
}

impl Signs {
    fn read(&mut self, c: char) {
        let before = self.escape.take();
        match c {
            '#' | ';' => self.comment = self.comment.or(Some(c)),
            '\\' => self.escape = Some(c),
            '%' | '$' if before != Some(c) => self.escape = Some(c),
            '(' if before == Some('%') => self.name = Some('%'),
            '{' if before == Some('$') => self.name = Some('$'),
            ')' | '}' => self.name = None,
            _ => {}
        }
    }

    /// The sign for which a value here could be something else than itself.
    fn open(&self) -> Option<char> {
        self.comment.or(self.escape).or(self.name)
    }
}

fn holes(symbols: &[Symbol]) -> impl Iterator<Item = usize> {
    symbols.iter().filter_map(|symbol| match symbol {
        Symbol::Hole(hole) => Some(*hole),
        Symbol::Char(_) => None,
    })
}
