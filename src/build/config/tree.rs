//! TOML as a tree in which every key and value has its place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::nesting::document;
use crate::base::report::{Diagnostic, Place, Source, enough};
use crate::base::value::{NamedFile, Secret};
use crate::build::config::newer::newer;
use crate::build::config::syntax;
use crate::build::sources::is_forbidden;

/// The most entries a list or a table may have.
pub const MAX_ENTRIES: usize = 10_000;
/// The deepest nesting of lists and tables.
const MAX_DEPTH: usize = 64;

/// A value and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where.
    pub place: Place,
    /// What.
    pub data: Data,
}

/// What is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Nothing: never written, but what an expression may give.
    None,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// A text.
    Str(String),
    /// Values in order.
    List(Vec<Node>),
    /// Values by key.
    Table(Table),
    /// A secret: never written so, but what an expression may give.
    Secret(Secret),
    /// A file that was read, in the place of its name.
    File(Arc<NamedFile>),
}

impl Data {
    /// What kind of value this is, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Str(_) => "a string",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Secret(_) => "a secret",
            Self::File(_) => "a file",
        }
    }
}

/// A table: entries by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The entries.
    pub entries: BTreeMap<String, Entry>,
}

/// An entry of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where the key is written.
    pub key: Place,
    /// The value.
    pub value: Node,
}

/// Something and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// What.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// Reads a text; of one with errors nothing, as what the parser guesses behind them would only mislead.
pub fn parse(source: &Arc<Source>, faults: &mut Vec<Diagnostic>) -> Option<Table> {
    let before = faults.len();
    let (root, errors) = match document(&source.text) {
        Ok(read) => read,
        Err(error) => {
            let place = Place { source: Arc::clone(source), span: error.at.clone() };
            let diagnostic = Diagnostic::error(error.to_string());
            faults.push(diagnostic.at(place, "").help(error.help));
            return None;
        }
    };
    faults.extend(syntax::errors(source, root.get_ref(), &errors));
    let mut reader = Reader { source, faults, depth: 0 };
    let table = reader.table(root.into_inner());
    let whole = faults.len() == before;
    if whole {
        newer(source, faults);
    }
    whole.then_some(table)
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    faults: &'a mut Vec<Diagnostic>,
    depth: usize,
}

impl Reader<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place { source: Arc::clone(self.source), span }
    }

    fn table(&mut self, table: DeTable<'_>) -> Table {
        let mut entries = BTreeMap::new();
        for (key, value) in table {
            let place = self.place(key.span());
            let key = key.into_inner().into_owned();
            self.clean(&key, &place);
            if let Some(value) = self.node(value) {
                entries.insert(key, Entry { key: place, value });
            }
        }
        Table { entries }
    }

    fn node(&mut self, value: Spanned<DeValue<'_>>) -> Option<Node> {
        let place = self.place(value.span());
        if self.depth >= MAX_DEPTH {
            self.fault(&place, format!("more than {MAX_DEPTH} levels"), "flatten it");
            return None;
        }
        self.depth += 1;
        let data = self.data(value.into_inner(), &place);
        self.depth -= 1;
        data.map(|data| Node { place, data })
    }

    fn data(&mut self, value: DeValue<'_>, place: &Place) -> Option<Data> {
        match value {
            DeValue::String(text) => {
                self.clean(&text, place);
                Some(Data::Str(text.into_owned()))
            }
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix()).ok();
                if parsed.is_none() {
                    self.fault(place, "the number is too large".to_owned(), "64 bits are the most");
                }
                parsed.map(Data::Int)
            }
            DeValue::Float(number) => {
                let parsed = number.as_str().parse::<f64>().ok().filter(|number| number.is_finite());
                if parsed.is_none() {
                    self.fault(place, "the number is not finite".to_owned(), "write a finite number");
                }
                parsed.map(Data::Float)
            }
            DeValue::Boolean(value) => Some(Data::Bool(value)),
            DeValue::Datetime(_) => {
                self.fault(place, "no option is a date".to_owned(), "quote it");
                None
            }
            DeValue::Array(list) => {
                self.bounded(list.len(), place);
                Some(Data::List(list.into_iter().filter_map(|item| self.node(item)).collect()))
            }
            DeValue::Table(table) => {
                self.bounded(table.len(), place);
                Some(Data::Table(self.table(table)))
            }
        }
    }

    fn bounded(&mut self, len: usize, place: &Place) {
        if len > MAX_ENTRIES {
            self.fault(place, format!("{len} entries"), "10,000 are the most");
        }
    }

    /// Escapes could bring in what the text itself may not have.
    fn clean(&mut self, text: &str, place: &Place) {
        if let Some(c) = text.chars().find(|c| is_forbidden(*c)) {
            self.fault(place, format!("U+{:04X} is not allowed in a source", u32::from(c)), "leave it out");
        }
    }

    fn fault(&mut self, place: &Place, message: String, help: &str) {
        if enough(self.faults) {
            return;
        }
        self.faults.push(Diagnostic::error(message).at(place.clone(), "").help(help));
    }
}

/// The place of a part of a string's value, found by lexing the string again: escapes are longer than what they mean.
#[must_use]
pub fn within(string: &Place, part: Range<usize>) -> Place {
    written(string, &starts(string), part)
}

/// For each byte of a string's value the offset in the string at which it is written.
#[must_use]
pub fn starts(string: &Place) -> Vec<usize> {
    starts_of(raw(string))
}

fn raw(string: &Place) -> &str {
    string.source.text.get(string.span.clone()).unwrap_or_default()
}

/// As [`within`], of a string whose [`starts`] are known.
#[must_use]
pub fn written(string: &Place, starts: &[usize], part: Range<usize>) -> Place {
    let raw = raw(string);
    let at = |offset: usize| starts.get(offset).copied().unwrap_or(raw.len());
    // The end is the end of the last character, not the start of the next: an escape may lie between.
    let end = if part.end > part.start { at(part.end - 1) + 1 } else { at(part.start) };
    let end = end.max(at(part.start));
    Place {
        source: Arc::clone(&string.source),
        span: string.span.start + at(part.start)..string.span.start + raw.ceil_char_boundary(end),
    }
}

/// For each byte of the value the offset in `raw` at which it is written.
fn starts_of(raw: &str) -> Vec<usize> {
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| raw.starts_with(quote)).unwrap_or("");
    let mut at = quote.len();
    if quote.len() == 3 {
        let rest = &raw[at..];
        at += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    }
    let end = raw.len().saturating_sub(quote.len()).max(at);
    let escapes = quote.starts_with('"');
    let mut starts = Vec::with_capacity(raw.len());
    while let Some(c) = raw.get(at..end).and_then(|rest| rest.chars().next()) {
        if !(escapes && c == '\\') {
            starts.extend((0..c.len_utf8()).map(|byte| at + byte));
            at += c.len_utf8();
            continue;
        }
        let (read, written) = escape(&raw[at..end]);
        starts.extend(std::iter::repeat_n(at, written));
        at += read;
    }
    starts
}

/// How many bytes an escape takes, and how many it stands for.
fn escape(rest: &str) -> (usize, usize) {
    let digits = match rest.as_bytes().get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            let blank = rest[1..].len() - rest[1..].trim_start_matches([' ', '\t', '\r', '\n']).len();
            return (1 + blank, 0);
        }
        _ => return (2, 1),
    };
    let code = rest.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    (2 + digits, code.and_then(char::from_u32).map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::report::{RenderStyle, render};

    fn read(text: &str) -> (Table, String) {
        let source = Arc::new(Source { name: "a.toml".to_owned(), text: text.to_owned() });
        let mut faults = Vec::new();
        let table = parse(&source, &mut faults);
        (table.unwrap_or_default(), render(&faults, RenderStyle::default()))
    }

    #[test]
    fn all_syntax_errors_come_at_once() {
        let (table, faults) =
            read("a = 1\nb = x y\nd = 1\nd = 99999999999999999999\ne = 2020-01-01\nf =\ng = nan\n");
        assert_eq!(table, Table::default());
        insta::assert_snapshot!(faults, @r#"
        error: a string must be quoted
         --> a.toml:2:5
          |
        2 | b = x y
          |     ^^^
          |
          = help: write `"x y"`

        error: `d` is defined twice
         --> a.toml:4:1
          |
        3 | d = 1
          | - here it is defined first
        4 | d = 99999999999999999999
          | ^
          |
          = help: keep one of the two

        error: a value is missing
         --> a.toml:6:4
          |
        6 | f =
          |    ^
          |
          = help: write `key = value`

        error: no option is a date
         --> a.toml:5:5
          |
        5 | e = 2020-01-01
          |     ^^^^^^^^^^
          |
          = help: quote it

        error: the number is not finite
         --> a.toml:7:5
          |
        7 | g = nan
          |     ^^^
          |
          = help: write a finite number
        "#);
    }

    #[test]
    fn everything_has_its_place() {
        let (table, faults) = read("[a.b]\nc = [1, { d = 'x' }]\n");
        assert_eq!(faults, "");
        let Data::Table(a) = &table.entries["a"].value.data else { panic!() };
        let Data::Table(b) = &a.entries["b"].value.data else { panic!() };
        let Data::List(c) = &b.entries["c"].value.data else { panic!() };
        assert_eq!(b.entries["c"].key.line_column(), (2, 1));
        assert_eq!(c[1].place.line_column(), (2, 9));
    }

    #[test]
    fn markers_cannot_come_in_by_an_escape() {
        let (_, faults) = read("a = \"\\U000F0000\"\n");
        assert!(faults.contains("U+F0000 is not allowed"), "{faults}");
    }

    #[test]
    fn parts_of_strings_are_found_behind_escapes() {
        for (text, part) in [
            ("a = \"x\\ty{{ b }}\"", 3..8),
            ("a = \"\\u00e9{{ b }}\"", 2..7),
            ("a = '{{ b }}'", 0..5),
            ("a = \"\"\"\n  \\\n   {{ b }}\"\"\"", 2..7),
        ] {
            let (table, _) = read(text);
            let place = within(&table.entries["a"].value.place, part.start + 3..part.start + 4);
            assert_eq!(&place.source.text[place.span], "b", "{text}");
        }
    }
}
