//! The lines of a unit (systemd.syntax(7)), joined at a `\` at their end, each with where it stands.

use std::ops::Range;

/// A section, an assignment, or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Its first line in the file, counted from 1.
    pub(super) number: usize,
    /// Its bytes in the file, without the blanks at both ends.
    pub(super) bytes: Range<usize>,
    pub(super) what: What,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// `[Name]`
    Section(String),
    /// `Key=value`
    Assignment {
        key: String,
        value: String,
        /// Its first byte in the file.
        at: usize,
    },
    /// Nothing that systemd knows.
    Neither,
}

/// All lines but comments and empty ones.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open: Option<Joined> = None;
    let mut start = 0;
    for (index, whole) in text.split_inclusive('\n').enumerate() {
        let line = whole.trim_end_matches(['\r', '\n']);
        let (first, bytes) = (line.trim_start(), start..start + line.len());
        start += whole.len();
        // A comment inside a continuation is passed over, and the continuation goes on.
        if first.starts_with(['#', ';']) || (open.is_none() && first.is_empty()) {
            continue;
        }
        let from = bytes.end - first.len();
        let mut joined =
            open.take().unwrap_or(Joined { number: index + 1, bytes: from..from, text: String::new() });
        joined.bytes.end = from + first.trim_end().len();
        let escapes = line.len() - line.trim_end_matches('\\').len();
        if escapes % 2 == 1 {
            joined.text.push_str(&line[..line.len() - 1]);
            joined.text.push(' ');
            open = Some(joined);
        } else {
            joined.text.push_str(line);
            lines.push(joined.read(text));
        }
    }
    lines.extend(open.map(|joined| joined.read(text)));
    lines
}

/// A line of systemd's from one or more lines of the file.
struct Joined {
    number: usize,
    bytes: Range<usize>,
    text: String,
}

impl Joined {
    fn read(self, file: &str) -> Line {
        let text = self.text.trim();
        let what = if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            What::Section(name.to_owned())
        } else {
            match text.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => {
                    let raw = file[self.bytes.clone()].split_once('=').map_or("", |(_, raw)| raw);
                    // It may begin only on the next line.
                    let at = self.bytes.end
                        - raw.trim_start_matches(|c: char| c.is_whitespace() || c == '\\').len();
                    What::Assignment { key: key.trim().to_owned(), value: value.trim().to_owned(), at }
                }
                _ => What::Neither,
            }
        };
        Line { number: self.number, bytes: self.bytes, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_where_they_stand() {
        let text = "# c\n[A]\r\n  b = c \nd=e \\\n # c\n f\ng=h\\\\\nneither";
        let found: Vec<(usize, &str, What)> =
            lines(text).into_iter().map(|line| (line.number, &text[line.bytes], line.what)).collect();
        let assignment = |key: &str, value: &str, at| What::Assignment {
            key: key.to_owned(),
            value: value.to_owned(),
            at,
        };
        assert_eq!(
            found,
            [
                (2, "[A]", What::Section("A".to_owned())),
                (3, "b = c", assignment("b", "c", 15)),
                (4, "d=e \\\n # c\n f", assignment("d", "e   f", 20)),
                (7, "g=h\\\\", assignment("g", "h\\\\", 34)),
                (8, "neither", What::Neither),
            ]
        );
    }
}
