//! Python's comments, two of which are none: the `#!` line, and the one that names the encoding (2.1.4).

use super::super::cursor::Symbol;
use super::Lexer;

/// The longest `#!` line that every Linux reads whole.
const LINE: usize = 127;

impl Lexer<'_> {
    /// A comment up to the end of its line.
    pub(super) fn comment(&mut self) {
        if self.cursor.position == 0 {
            if self.cursor.eat("#!") {
                return self.program();
            }
            self.cursor.bump();
            if let Some(Symbol::Hole(hole)) = self.cursor.peek() {
                let reason = "a value right behind `#` at the very start could name an interpreter";
                self.cursor.refuse(hole, reason, "write a blank between");
            }
        }
        self.cursor.comment();
    }

    /// The `#!` line, which the kernel splits at the first blank.
    fn program(&mut self) {
        let mut length = 2;
        while let Some(symbol) = self.cursor.peek() {
            match symbol {
                Symbol::Char('\n') => break,
                Symbol::Char(c) => length += c.len_utf8(),
                Symbol::Hole(hole) => {
                    let Some(text) = self.cursor.filling.scalar(hole) else { break };
                    length += text.len();
                    if text.is_empty()
                        || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_@.,:/+=-".contains(&b))
                    {
                        let reason = "the value cannot stand in a `#!` line";
                        self.cursor.refuse(hole, reason, "letters, digits and `_@.,:/+=-` can");
                    } else if length > LINE {
                        self.cursor.refuse(
                            hole,
                            "the `#!` line gets longer than the kernel reads",
                            "use a shorter path",
                        );
                    }
                    self.cursor.filling.set(hole, text);
                }
            }
            self.cursor.bump();
        }
    }
}

/// A first or second line that names an encoding other than UTF-8: the rest would be read in that.
pub(super) fn encoding(text: &str) -> Option<(usize, String)> {
    let two = text.match_indices('\n').nth(1).map_or(text, |(end, _)| text.get(..end).unwrap_or(text));
    let mut start = 0;
    for line in two.split(['\n', '\r']) {
        if line.trim_start_matches([' ', '\t', '\u{c}']).starts_with('#')
            && let Some((at, name)) =
                line.match_indices("coding").find_map(|(at, _)| Some((at, named(line, at)?)))
            && !["utf-8", "utf8"].contains(&name.to_ascii_lowercase().as_str())
        {
            return Some((
                start + at,
                format!("the comment names the encoding `{name}`, and the file is UTF-8"),
            ));
        }
        start += line.len() + 1;
    }
    None
}

/// The name that `coding` at an offset of a line gives: behind `:` or `=`.
fn named(line: &str, at: usize) -> Option<&str> {
    let name =
        line.get(at..)?.strip_prefix("coding")?.strip_prefix([':', '='])?.trim_start_matches([' ', '\t']);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.'));
    name.get(..end.unwrap_or(name.len())).filter(|name| !name.is_empty())
}
