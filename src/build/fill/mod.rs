//! Holes of a rendered template get their text, each for the very place where it stands.
//!
//! A template writes no text of a value: it leaves a hole. A lexer of the file's grammar walks the text and fills each
//! hole so that the reader of the file gets back exactly the value, or refuses the file. There is no third outcome.

use crate::base::value::Value;

/// A stretch of what a template gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Text of the template itself.
    Text(String),
    /// The place of a value.
    Hole(Value),
}

/// Where a refusal points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
