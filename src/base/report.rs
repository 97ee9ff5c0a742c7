//! How any error of a configuration is shown: the message, its places with their lines, what to do.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::name::InstanceName;
use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

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
    /// The place of these bytes, and of all others of the characters that they belong to.
    #[must_use]
    pub fn whole(source: &Arc<Source>, bytes: Range<usize>) -> Self {
        let text = &source.text;
        let span = text.floor_char_boundary(bytes.start)..text.ceil_char_boundary(bytes.end);
        Self { source: Arc::clone(source), span }
    }

    /// The place as line and column from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        let text = &self.source.text;
        let start = text.floor_char_boundary(self.span.start.min(text.len()));
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// Where it ends: line and column from 1 of what comes behind it, the column in characters.
    #[must_use]
    pub fn end(&self) -> (usize, usize) {
        let end = self.span.end.max(self.span.start);
        Self { source: Arc::clone(&self.source), span: end..end }.line_column()
    }

    /// The length of its line in bytes.
    fn line_len(&self) -> usize {
        let text = &self.source.text;
        let (before, after) = text.split_at(text.floor_char_boundary(self.span.start.min(text.len())));
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        before.len() - start + after.find('\n').unwrap_or(after.len())
    }

    /// The part that is underlined: within the text, and no more than its first line.
    fn shown(&self) -> Range<usize> {
        let text = &self.source.text;
        let start = text.floor_char_boundary(self.span.start.min(text.len()));
        let end = text.ceil_char_boundary(self.span.end.clamp(start, text.len()));
        let line = text[start..end].find('\n').map_or(end, |at| start + at);
        start..line
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
    /// Whose code or whose thing it is about, where that is known: instances of one module share their places.
    pub of: Option<Box<InstanceName>>,
}

impl Diagnostic {
    /// An error without a place yet.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        let (places, help) = (Vec::new(), Vec::new());
        Self { severity: Severity::Error, message: message.into(), places, help, of: None }
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

    /// Says whose it is.
    #[must_use]
    pub fn of(self, instance: &InstanceName) -> Self {
        Self { of: Some(Box::new(instance.clone())), ..self }
    }

    /// The message as people see it: that of a named instance begins with its name.
    #[must_use]
    pub fn title(&self) -> Cow<'_, str> {
        match &self.of {
            Some(instance) if instance.name().is_some() => {
                Cow::Owned(format!("`{instance}`: {}", self.message))
            }
            _ => Cow::Borrowed(&self.message),
        }
    }

    /// Adds a line of advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

/// Whether so many errors are known that nobody reads what else is wrong: then it need not be looked for.
#[must_use]
pub fn enough(faults: &[Diagnostic]) -> bool {
    const ENOUGH: usize = 200;
    faults.len() >= ENOUGH
        && faults.iter().filter(|fault| fault.severity == Severity::Error).nth(ENOUGH - 1).is_some()
}

/// The columns of a terminal, where it does not say.
pub const WIDTH: usize = 80;

/// How diagnostics are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderStyle {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to colour.
    pub colour: bool,
}

impl Default for RenderStyle {
    fn default() -> Self {
        Self { width: WIDTH, colour: false }
    }
}

/// The longest line that is drawn: drawing takes long, and nobody reads it.
const MAX_LINE: usize = 10_000;
/// The longest message, label or advice that is drawn whole, in characters.
const MAX_SAID: usize = 1000;

/// Draws diagnostics as rustc does, a blank line between two, in the order in which they come.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], style: RenderStyle) -> String {
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width);
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(renderer.render(&[group(diagnostic)]).trim_end());
        text.push_str("\n\n");
    }
    text.truncate(text.trim_end().len());
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(said(&diagnostic.title()).into_owned());
    // Consecutive places of one source are drawn in one excerpt.
    let excerpts = diagnostic.places.chunk_by(|a, b| a.0.source == b.0.source).enumerate();
    let excerpts = excerpts.map(|(index, places)| match places {
        [(place, _), ..] if places.iter().any(|(place, _)| place.line_len() > MAX_LINE) => origin(place),
        _ => Element::from(excerpt(places, index == 0)),
    });
    let helps = diagnostic.help.iter().map(|line| Level::HELP.message(said(line)).into());
    let elements: Vec<Element<'_>> = excerpts.chain(helps).collect();
    if elements.is_empty() { Group::with_title(title) } else { title.elements(elements) }
}

/// Whether a character makes a terminal do something, or show what stands round it in another order.
#[must_use]
pub fn drives(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// Text of others without the characters that drive a terminal; all bytes that stay are where they were.
#[must_use]
pub fn tame(text: &str) -> Cow<'_, str> {
    without(text, drives)
}

/// The same of lines of a source, where a carriage return is drawn as a sign.
fn tame_lines(text: &str) -> Cow<'_, str> {
    without(text, |c| drives(c) && c != '\r')
}

fn without(text: &str, drives: impl Fn(char) -> bool) -> Cow<'_, str> {
    // Most texts have none, and bytes are looked at faster than characters.
    if !text.bytes().any(|byte| drives(char::from(byte)) || matches!(byte, 0xc2 | 0xd8 | 0xe2)) {
        return Cow::Borrowed(text);
    }
    let tamed = |c: char| match c.len_utf8() {
        _ if !drives(c) => c,
        1 => '?',
        2 => '¿',
        _ => '\u{fffd}',
    };
    Cow::Owned(text.chars().map(tamed).collect())
}

/// What is said of a place, without those characters, and no longer than anybody reads: a value may be in it.
fn said(text: &str) -> Cow<'_, str> {
    let text = tame(text);
    match text.char_indices().nth(MAX_SAID) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => text,
    }
}

/// A place without its line.
fn origin(place: &Place) -> Element<'_> {
    let (line, column) = place.line_column();
    Origin::path(tame(&place.source.name)).line(line).char_column(column).into()
}

fn excerpt(places: &[(Place, String)], first: bool) -> Snippet<'_, Annotation<'_>> {
    let source = places.first().map(|(place, _)| place.source.as_ref());
    let (name, text) = source.map_or(("", ""), |source| (source.name.as_str(), source.text.as_str()));
    // Drawing looks at all lines that it is given: those from the first place to the last will do.
    let (start, end) = places
        .iter()
        .map(|(place, _)| place.shown())
        .fold((text.len(), 0), |(start, end), shown| (start.min(shown.start), end.max(shown.end)));
    // A place behind the last line feed is drawn with the line before it.
    let start = text[..start.min(text.trim_end_matches('\n').len())].rfind('\n').map_or(0, |at| at + 1);
    let end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    let annotations = places.iter().enumerate().map(|(index, (place, label))| {
        let kind = if first && index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let label = (!label.is_empty()).then(|| said(label));
        let shown = place.shown();
        kind.span(shown.start - start..shown.end - start).label(label)
    });
    let line = text[..start].matches('\n').count() + 1;
    Snippet::source(tame_lines(&text[start..end])).line_start(line).path(tame(name)).annotations(annotations)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, text: &str) -> Arc<Source> {
        Arc::new(Source { name: name.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn both_places_of_a_conflict_are_drawn() {
        let (a, b) = (source("a.toml", "x = 1\ny = 2\n"), source("b.toml", "# é\nx = 3\n"));
        let place = |source: &Arc<Source>, span| Place { source: Arc::clone(source), span };
        let diagnostic = Diagnostic::error("`x` has two values")
            .at(place(&a, 4..5), "this one")
            .at(place(&a, 10..11), "not this")
            .at(place(&b, 9..10), "and this one")
            .help("keep one of them");
        insta::assert_snapshot!(render(&[diagnostic, Diagnostic::warning("odd")], RenderStyle::default()), @r"
        error: `x` has two values
         --> a.toml:1:5
          |
        1 | x = 1
          |     ^ this one
        2 | y = 2
          |     - not this
          |
         ::: b.toml:2:5
          |
        2 | x = 3
          |     - and this one
          |
          = help: keep one of them

        warning: odd
        ");
    }

    #[test]
    fn a_line_that_is_too_long_has_its_place_only() {
        let text = source("a", &format!("x = 1\ny = {}\n", "é".repeat(10_000)));
        let place = Place { source: Arc::clone(&text), span: 12..14 };
        let diagnostic = Diagnostic::error("odd").at(place, "this").help("shorter");
        insta::assert_snapshot!(render(&[diagnostic], RenderStyle::default()), @r"
        error: odd
        --> a:2:6
         = help: shorter
        ");
    }

    /// A text that somebody else wrote changes no colour, title or clipboard of who reads the error.
    #[test]
    fn nothing_drives_the_terminal() {
        let text = source("a\u{7}", "x = '\u{1b}]0;é\u{9b}2J'\r\ny = 1\n");
        let place = Place { source: Arc::clone(&text), span: 4..15 };
        let odd =
            Diagnostic::error("no\u{1b}[31m").at(place, "\u{1b}c").help("write `\u{9d}` \u{202e}`\u{61c}`");
        insta::assert_snapshot!(render(&[odd], RenderStyle::default()), @r"
        error: no?[31m
         --> a?:1:5
          |
        1 | x = '?]0;é¿2J'
          |     ^^^^^^^^^ ?c
          |
          = help: write `¿` �`¿`
        ");
    }

    #[test]
    fn a_value_that_is_too_long_is_cut() {
        let odd = Diagnostic::error(format!("`{}` is odd", "é".repeat(5000)));
        let drawn = render(&[odd], RenderStyle::default());
        assert_eq!(drawn, format!("error: `{}…\n", "é".repeat(999)));
    }

    #[test]
    fn the_end_of_a_text_is_drawn() {
        let text = source("a", "x = 1\ny = [\n\n");
        let end = text.text.len();
        let place = |span| Place { source: Arc::clone(&text), span };
        let odd = Diagnostic::error("no end").at(place(end..end), "here").at(place(10..11), "of this");
        insta::assert_snapshot!(render(&[odd], RenderStyle::default()), @r"
        error: no end
         --> a:3:2
          |
        2 | y = [
          |     - of this
        3 |
          | ^ here
        ");
    }

    #[test]
    fn columns_are_characters_and_spans_are_clamped() {
        let text = source("a", "é = 1\n");
        let place = Place { source: Arc::clone(&text), span: 5..99 };
        assert_eq!(place.line_column(), (1, 5));
        assert_eq!(place.shown(), 5..6);
    }
}
