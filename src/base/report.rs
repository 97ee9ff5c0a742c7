//! How any error of a configuration is shown: the message, its places with their lines, what to do.

use std::ops::Range;
use std::sync::Arc;

/// A source text and the name it is shown under.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the user would write it, relative to the current folder where that is shorter.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// A stretch of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The source.
    pub source: Arc<Source>,
    /// Bytes of its text.
    pub span: Range<usize>,
}

impl Place {
    /// The place as line and column from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        let text = &self.source.text;
        let start = text.floor_char_boundary(self.span.start.min(text.len()));
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is written.
    Error,
    /// Shown; the work goes on.
    Warning,
}

/// One error or warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: lower case, no final period, backticks round names.
    pub message: String,
    /// Where: the first place is the culprit, each with what is to be said there (may be empty).
    pub places: Vec<(Place, String)>,
    /// What to do, a line each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error without a place yet.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), places: Vec::new(), help: Vec::new() }
    }

    /// A warning without a place yet.
    #[must_use]
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// Adds a place and what is to be said there.
    #[must_use]
    pub fn at(mut self, place: Place, label: impl Into<String>) -> Self {
        self.places.push((place, label.into()));
        self
    }

    /// Adds a line of advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}
