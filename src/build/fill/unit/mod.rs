//! systemd's units (systemd.syntax(7)), as systemd 252 and 257 read them.
//!
//! Lines are joined at a `\` at their end; comments are left out first, also between joined lines; blanks round the
//! value go. What the value means is the affair of its key (`keys`): most keys take it as it is, save that `%` starts
//! a specifier (systemd.unit(5)); others split it at blanks and take quotes and escapes away (`words`), and command
//! lines expand variables too (`exec`; systemd.service(5)). An assignment that systemd does not like is ignored with a
//! line in the log: no place leads there, it is refused.

use super::source::Filling;
use super::{Filled, Refusal};
use crate::base::value::Value;
use keys::Kind;

mod escape;
mod exec;
mod keys;
mod scalar;
mod split;
mod words;

#[cfg(test)]
mod tests;

/// The longest line that systemd reads (`LONG_LINE_MAX`).
const LINE: usize = 1 << 20;

/// A character of a line of which `\` and line break are gone, or a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Symbol {
    what: What,
    /// Its offset in the text.
    offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Char(char),
    Hole(usize),
}

impl Symbol {
    fn is(self, c: char) -> bool {
        self.what == What::Char(c)
    }
    fn is_blank(self) -> bool {
        self.is(' ') || self.is('\t')
    }
    const fn hole(self) -> Option<usize> {
        match self.what {
            What::Hole(hole) => Some(hole),
            What::Char(_) => None,
        }
    }
}

/// A line as systemd sees it, from one or more lines of the file.
#[derive(Debug, Default)]
struct Line {
    symbols: Vec<Symbol>,
    /// Lines of the file that start with a hole: the value must not turn them into comments.
    hole_first: Vec<Vec<Symbol>>,
    /// The last character is a `\` that escapes.
    escaping: bool,
}

/// Fills the holes of a unit.
pub(super) fn fill(mut filling: Filling<'_>) -> Result<Filled, Vec<Refusal>> {
    for (c, name) in [('\r', "a carriage return"), ('\u{feff}', "a byte order mark")] {
        if let Some(offset) = filling.text.find(c) {
            filling.refuse_text(
                offset,
                &format!("the text has {name}"),
                Some("end lines with a line feed alone"),
            );
        }
    }
    noncharacters(&mut filling);
    let mut line = Line::default();
    let (mut start, mut hole) = (0, 0);
    while start < filling.text.len() || hole < filling.holes.len() {
        let end = filling.text[start..].find('\n').map_or(filling.text.len(), |length| start + length);
        let has_holes = filling.holes.get(hole).is_some_and(|next| next.offset <= end);
        if !has_holes && line.symbols.is_empty() && !filling.text[start..end].ends_with('\\') {
            start = (end + 1).min(filling.text.len());
            continue;
        }
        let symbols = symbols(&filling, start, end, &mut hole);
        start = (end + 1).min(filling.text.len());
        let first = symbols.iter().find(|symbol| !symbol.is_blank());
        if first.is_some_and(|symbol| symbol.is('#') || symbol.is(';')) {
            comment(&mut filling, &symbols);
            continue;
        }
        if first.is_some_and(|symbol| symbol.hole().is_some()) {
            line.hole_first.push(symbols.clone());
        }
        if !join(&mut filling, &mut line, symbols) {
            statement(&mut filling, &std::mem::take(&mut line));
        }
    }
    if !line.symbols.is_empty() {
        statement(&mut filling, &line);
    }
    filling.finish()
}

/// Characters that Unicode sets aside: systemd takes a line that has one for no UTF-8, and ignores it.
fn noncharacters(filling: &mut Filling<'_>) {
    let reserved = |c: char| matches!(u32::from(c), 0xfdd0..=0xfdef) || u32::from(c) & 0xfffe == 0xfffe;
    if let Some(offset) = filling.text.find(reserved) {
        filling.refuse_text(offset, "the text has a noncharacter, and systemd ignores such a line", None);
    }
    for hole in 0..filling.holes.len() {
        let values = match filling.holes[hole].value {
            Value::List(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        if values.iter().any(|value| matches!(value, Value::Str(text) if text.contains(reserved))) {
            filling.refuse(
                hole,
                "the value has a noncharacter, and systemd ignores such a line",
                "leave that character out",
            );
        }
    }
}

/// One line of the file. A hole belongs to the line whose end it stands before.
fn symbols(filling: &Filling<'_>, start: usize, end: usize, hole: &mut usize) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    let mut holes_at = |offset: usize, symbols: &mut Vec<Symbol>| {
        while filling.holes.get(*hole).is_some_and(|next| next.offset == offset) {
            symbols.push(Symbol { what: What::Hole(*hole), offset });
            *hole += 1;
        }
    };
    for (index, c) in filling.text[start..end].char_indices() {
        holes_at(start + index, &mut symbols);
        symbols.push(Symbol { what: What::Char(c), offset: start + index });
    }
    holes_at(end, &mut symbols);
    symbols
}

/// Adds a line of the file; whether the next one belongs to it too.
fn join(filling: &mut Filling<'_>, line: &mut Line, symbols: Vec<Symbol>) -> bool {
    for symbol in &symbols {
        if let (true, Some(hole)) = (line.escaping, symbol.hole()) {
            filling.refuse(hole, "a value cannot stand after `\\`", "take the `\\` away");
        }
        line.escaping = !line.escaping && symbol.is('\\');
    }
    line.symbols.extend(symbols);
    if !line.escaping {
        return false;
    }
    line.escaping = false;
    if let Some(last) = line.symbols.last_mut() {
        last.what = What::Char(' ');
    }
    true
}

fn comment(filling: &mut Filling<'_>, symbols: &[Symbol]) {
    for (index, symbol) in symbols.iter().enumerate() {
        let Some(hole) = symbol.hole() else { continue };
        let Some(text) = filling.one_line(hole) else { continue };
        if text.ends_with('\\') && index + 1 == symbols.len() {
            filling.refuse(
                hole,
                "the value ends in `\\`, which would join the next line",
                "leave the last `\\` out",
            );
        }
        if text.len() + symbols.len() >= LINE {
            filling.refuse(
                hole,
                "the line gets longer than the 1 MiB that systemd reads",
                "write several lines",
            );
        }
        filling.set(hole, text);
    }
}

/// A section, or `key=value`.
fn statement(filling: &mut Filling<'_>, line: &Line) {
    let symbols = trim(&line.symbols);
    let holes: Vec<usize> = symbols.iter().filter_map(|symbol| symbol.hole()).collect();
    let Some(first) = holes.first() else {
        return;
    };
    if symbols.first().is_some_and(|symbol| symbol.is('[')) {
        return section(filling, symbols);
    }
    let Some(equals) = symbols.iter().position(|symbol| symbol.is('=')) else {
        for hole in holes {
            let reason = "this is neither a section, nor `key=value`, nor a comment";
            filling.refuse(hole, reason, "write `Key=` before it");
        }
        return;
    };
    let key = name(filling, trim(&symbols[..equals]), "the name of a key", |byte| {
        byte.is_ascii_alphanumeric() || byte == b'-'
    });
    let value = trim(&symbols[equals + 1..]);
    if value.iter().any(|symbol| symbol.hole().is_some()) {
        match keys::kind(&key) {
            Kind::Credential if scalar::secret(filling, &key, value) => {}
            Kind::Exec => exec::fill(filling, value),
            Kind::Assignments(names) => words::assignments(filling, value, names),
            Kind::Paths(prefixes) => words::paths(filling, value, prefixes),
            Kind::Binds => words::binds(filling, value),
            Kind::PlainWords(rule) => words::plain(filling, value, rule),
            Kind::Text => scalar::text(filling, value),
            Kind::Path(rule) => scalar::path(filling, value, rule),
            Kind::Credential => scalar::credential(filling, value),
            Kind::Plain => scalar::plain(filling, value),
        }
        empty(filling, value, &key);
    }
    for symbols in &line.hole_first {
        let text = assembled(filling, symbols);
        if let (true, Some(hole)) = (
            text.trim_start_matches([' ', '\t']).starts_with(['#', ';']),
            symbols.iter().find_map(|s| s.hole()),
        ) {
            filling.refuse(hole, "the value turns the line into a comment", "write it on the line above");
        }
    }
    if assembled(filling, &line.symbols).len() >= LINE {
        filling.refuse(
            *first,
            "the line gets longer than the 1 MiB that systemd reads",
            "write several lines",
        );
    }
}

/// A value that leaves nothing behind `=`: systemd would take back what was assigned before.
fn empty(filling: &mut Filling<'_>, value: &[Symbol], key: &str) {
    if assembled(filling, value).trim_matches([' ', '\t']).is_empty()
        && let Some(hole) = value.iter().find_map(|symbol| symbol.hole())
        && !filling.is_refused(hole)
    {
        let reason = format!("the value is empty, and `{key}=` alone takes back what was set before");
        filling.refuse(hole, &reason, "put the line into `{% if … %}`");
    }
}

fn section(filling: &mut Filling<'_>, symbols: &[Symbol]) {
    let inner = symbols.get(1..).unwrap_or_default();
    let inner = match inner.split_last() {
        Some((last, inner)) if last.is(']') => inner,
        _ => inner,
    };
    name(filling, inner, "a section", |byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
}

/// A name: its holes may have these characters only.
fn name(filling: &mut Filling<'_>, symbols: &[Symbol], what: &str, allowed: fn(u8) -> bool) -> String {
    for hole in symbols.iter().filter_map(|symbol| symbol.hole()) {
        let Some(text) = filling.scalar(hole) else { continue };
        if text.is_empty() || !text.bytes().all(allowed) {
            filling.refuse(
                hole,
                &format!("the value cannot be part of {what}"),
                "letters, digits and `-` can",
            );
        }
        filling.set(hole, text);
    }
    assembled(filling, symbols)
}

/// The line as the file has it; the holes as they are filled.
fn assembled(filling: &Filling<'_>, symbols: &[Symbol]) -> String {
    let mut text = String::new();
    for symbol in symbols {
        match symbol.what {
            What::Char(c) => text.push(c),
            What::Hole(hole) => text.push_str(filling.filled(hole)),
        }
    }
    text
}

/// Without the blanks at both ends.
fn trim(symbols: &[Symbol]) -> &[Symbol] {
    let start = symbols.iter().position(|symbol| !symbol.is_blank()).unwrap_or(symbols.len());
    let end = symbols.iter().rposition(|symbol| !symbol.is_blank()).map_or(start, |last| last + 1);
    &symbols[start..end]
}
