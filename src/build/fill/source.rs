//! The text of a template's output with its holes, and what a lexer finds out about them: common to all grammars.

use super::{At, Filled, Piece, Refusal, Warning};
use crate::base::value::Value;

/// What can be done with a credential.
pub(super) const CREDENTIAL: &str = "write a line `LoadCredential={{ credential(…) }}` in a `[[unit]]`";
/// What is wrong with it anywhere else.
pub(super) const ELSEWHERE: &str = "a credential can only be the whole value of `LoadCredential=` in a unit";

/// The most reasons against a file that are kept: no person reads more.
const MAX_REASONS: usize = 1000;

/// A hole and the place in the joined text before which it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hole<'a> {
    /// Offset in the joined text.
    pub(super) offset: usize,
    /// Index of the piece.
    piece: usize,
    /// What is to be written.
    pub(super) value: &'a Value,
}

/// All texts joined, the holes beside them, and what becomes of each.
#[derive(Debug)]
pub(super) struct Filling<'a> {
    pieces: &'a [Piece],
    /// The texts of all text pieces.
    pub(super) text: String,
    /// The holes, first to last.
    pub(super) holes: Vec<Hole<'a>>,
    /// Where each text piece starts in the joined text, and which piece it is.
    starts: Vec<(usize, usize)>,
    fills: Vec<Option<String>>,
    refusals: Vec<Refusal>,
    warnings: Vec<Warning>,
}

impl<'a> Filling<'a> {
    /// Joins the texts. A NUL is refused at once: no reader of any grammar takes it.
    pub(super) fn new(pieces: &'a [Piece]) -> Self {
        let mut text = String::with_capacity(pieces.iter().map(Piece::len).sum());
        let (mut holes, mut starts) = (Vec::new(), Vec::new());
        for (piece, what) in pieces.iter().enumerate() {
            match what {
                Piece::Text(part) => {
                    starts.push((text.len(), piece));
                    text.push_str(part);
                }
                Piece::Hole(value) => holes.push(Hole { offset: text.len(), piece, value }),
            }
        }
        let fills = vec![None; holes.len()];
        let mut filling =
            Self { pieces, text, holes, starts, fills, refusals: Vec::new(), warnings: Vec::new() };
        if let Some(offset) = filling.text.find('\0') {
            filling.refuse_text(
                offset,
                "the text has a NUL character",
                Some("no reader of the file takes it"),
            );
        }
        filling
    }

    /// The hole's text, where its value has one; else it is refused.
    pub(super) fn scalar(&mut self, hole: usize) -> Option<String> {
        match self.holes[hole].value {
            Value::None => self.refuse(hole, "the value is none", "put it into `{% if … is not none %}`"),
            Value::List(_) => {
                self.refuse(hole, "a list cannot stand here", "join it, or write one entry with `{% for %}`");
            }
            Value::Map(_) => self.refuse(hole, "a table cannot stand here", "write its fields one by one"),
            Value::Secret(_) => self.refuse(hole, ELSEWHERE, CREDENTIAL),
            Value::File(_) => self.refuse(hole, "a file has no text", "write its path"),
            value => return self.checked(hole, value),
        }
        None
    }

    /// The texts of a list's entries, or none of them where it is refused. `None` where it is no list.
    pub(super) fn list(&mut self, hole: usize) -> Option<Vec<String>> {
        let Value::List(values) = self.holes[hole].value else {
            return None;
        };
        let mut texts = Vec::with_capacity(values.len());
        for value in values {
            if value.text().is_none() {
                self.refuse(hole, &format!("an entry of the list is {}", value.kind()), "write texts");
                return Some(Vec::new());
            }
            let Some(text) = self.checked(hole, value) else {
                return Some(Vec::new());
            };
            texts.push(text);
        }
        Some(texts)
    }

    fn checked(&mut self, hole: usize, value: &Value) -> Option<String> {
        let text = value.text()?;
        if text.contains('\0') {
            self.refuse(
                hole,
                "the value has a NUL character",
                "no reader of the file takes it: leave it out",
            );
            return None;
        }
        Some(text)
    }

    /// The hole's text where it is one line: no control character other than a tab.
    pub(super) fn one_line(&mut self, hole: usize) -> Option<String> {
        let text = self.scalar(hole)?;
        if text.chars().any(|c| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}')) {
            self.refuse(
                hole,
                "the value has a line break or a control character",
                "it must be one line here",
            );
            return None;
        }
        Some(text)
    }

    /// Says what the hole becomes.
    pub(super) fn set(&mut self, hole: usize, text: String) {
        self.fills[hole] = Some(text);
    }

    /// What the hole became, as far as is known.
    pub(super) fn filled(&self, hole: usize) -> &str {
        self.fills[hole].as_deref().unwrap_or("")
    }

    /// A hole cannot be filled. An empty help is none.
    pub(super) fn refuse(&mut self, hole: usize, reason: &str, help: &str) {
        self.fills[hole].get_or_insert_default();
        if self.refusals.len() < MAX_REASONS {
            let at = At { piece: self.holes[hole].piece, offset: 0 };
            let help = (!help.is_empty()).then(|| help.to_owned());
            self.refusals.push(Refusal { at, reason: reason.to_owned(), help });
        }
    }

    /// Whether a reason against a hole was found: what else follows from it need not be said.
    pub(super) fn is_refused(&self, hole: usize) -> bool {
        let piece = self.holes[hole].piece;
        self.refusals.iter().any(|refusal| refusal.at.piece == piece)
    }

    /// A hole was filled, and yet.
    pub(super) fn warn(&mut self, hole: usize, reason: &str, help: &str) {
        if self.warnings.len() == MAX_REASONS {
            return;
        }
        let at = At { piece: self.holes[hole].piece, offset: 0 };
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.warnings.push(Warning { at, reason: reason.to_owned(), help });
    }

    /// The template's own text cannot be read.
    pub(super) fn refuse_text(&mut self, offset: usize, reason: &str, help: Option<&str>) {
        if self.refusals.len() == MAX_REASONS {
            return;
        }
        let at = self.starts[..self.starts.partition_point(|(start, _)| *start <= offset)].last();
        let at = at.map_or(At { piece: 0, offset: 0 }, |(start, piece)| At {
            piece: *piece,
            offset: offset - start,
        });
        self.refusals.push(Refusal { at, reason: reason.to_owned(), help: help.map(ToOwned::to_owned) });
    }

    /// The file, or all reasons against it, where a reader of the finished file has a say too: `fault` gives the
    /// offset of the first thing that is wrong with it, and what.
    pub(super) fn finish_read(
        self,
        fault: impl FnOnce(&str) -> Option<(usize, String)>,
    ) -> Result<Filled, Vec<Refusal>> {
        let pieces = self.pieces;
        let filled = self.finish()?;
        let Some((offset, reason)) = fault(&filled.text) else {
            return Ok(filled);
        };
        let piece = filled.ranges.iter().position(|range| range.contains(&offset));
        let piece = piece.unwrap_or(pieces.len().saturating_sub(1));
        let offset = match (pieces.get(piece), filled.ranges.get(piece)) {
            (Some(Piece::Text(text)), Some(range)) => offset.saturating_sub(range.start).min(text.len()),
            _ => 0,
        };
        Err(vec![Refusal { at: At { piece, offset }, reason, help: None }])
    }

    /// The file, or all reasons against it. A hole that no rule reached is a reason.
    pub(super) fn finish(mut self) -> Result<Filled, Vec<Refusal>> {
        if self.refusals.is_empty()
            && let Some(hole) = self.fills.iter().position(Option::is_none)
        {
            self.refuse(
                hole,
                "it is not clear how a value is read here",
                "put it into quotes, or on a line of its own",
            );
        }
        if !self.refusals.is_empty() {
            self.refusals.sort_by_key(|refusal| refusal.at);
            self.refusals.dedup();
            return Err(self.refusals);
        }
        let mut filled = Filled { text: String::new(), ranges: Vec::new(), warnings: self.warnings };
        filled.warnings.sort_by_key(|warning| warning.at);
        filled.warnings.dedup();
        let mut fills = self.fills.into_iter().flatten();
        for piece in self.pieces {
            let start = filled.text.len();
            match piece {
                Piece::Text(text) => filled.text.push_str(text),
                Piece::Hole(_) => filled.text.push_str(&fills.next().unwrap_or_default()),
            }
            filled.ranges.push(start..filled.text.len());
        }
        Ok(filled)
    }
}

/// A character in a message: itself where that can be seen.
pub(super) fn shown(c: char) -> String {
    if c.is_ascii_graphic() { c.to_string() } else { c.escape_default().to_string() }
}

impl Piece {
    const fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Hole(_) => 0,
        }
    }
}
