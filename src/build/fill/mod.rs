//! Holes of a rendered template get their text, each for the very place where it stands.
//!
//! A template writes no text of a value: it leaves a hole. A lexer of the file's grammar walks the text and fills each
//! hole so that the reader of the file gets back exactly the value, or refuses the file. There is no third outcome.
//!
//! The law holds for one level of reading: what the reader of the file does with the value is its own affair, save
//! where it is known to read it again as code (`reread`): a shell does, and is refused; `sed` and others are a warning.

use std::ops::Range;

use crate::base::value::Value;
use crate::build::artifact::Grammar;

mod cursor;
mod ini;
mod json;
mod lines;
mod literal;
mod nft;
mod python;
mod reread;
mod sh;
mod source;
mod text;
mod toml;
mod unit;
mod xml;

/// A stretch of what a template gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Text of the template itself.
    Text(String),
    /// The place of a value.
    Hole(Value),
}

/// Where a refusal points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// Index of the piece.
    pub piece: usize,
    /// Byte offset in a text piece; 0 in a hole.
    pub offset: usize,
}

/// Why a file cannot be written so that its reader gets the values back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The hole or the text that is the reason.
    pub at: At,
    /// What is wrong: lower case, no final period, backticks round names.
    pub reason: String,
    /// What to do about it, where there is something to say.
    pub help: Option<String>,
}

/// A hole that was filled, but whose reader is likely to read the value again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The hole.
    pub at: At,
    /// What may happen: lower case, no final period, backticks round names.
    pub reason: String,
    /// What to do about it, where there is something to say.
    pub help: Option<String>,
}

/// A file whose holes are filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The file.
    pub text: String,
    /// Where each piece lies in it, in the order of the pieces; an empty list hole has an empty range.
    pub ranges: Vec<Range<usize>>,
    /// What was filled and is doubtful all the same.
    pub warnings: Vec<Warning>,
}

/// Fills the holes of a file.
///
/// # Errors
/// Where a value cannot stand in its place, or the text cannot be read safely: all that was found, in the order of
/// the text.
pub fn fill(grammar: Grammar, pieces: &[Piece]) -> Result<Filled, Vec<Refusal>> {
    let filling = source::Filling::new(pieces);
    match grammar {
        Grammar::Sh => sh::fill(filling),
        Grammar::Unit => unit::fill(filling),
        Grammar::Json => json::fill(filling),
        Grammar::Toml => toml::fill(filling),
        Grammar::Ini => ini::fill(filling),
        Grammar::Xml => xml::fill(filling),
        Grammar::Python => python::fill(filling),
        Grammar::Nft => nft::fill(filling),
        Grammar::Lines => lines::fill(filling),
        Grammar::Text => text::fill(filling),
    }
}

#[cfg(test)]
mod tests;
