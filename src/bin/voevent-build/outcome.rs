//! What a command has to say, and the one place that prints it: data to stdout, everything for people to stderr.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Map, Value, json};
use voevent_node::base::io::{IoError, OnPath as _};
use voevent_node::base::report::{Diagnostic, RenderStyle, Severity, render, tame};
use voevent_node::build::compile::BuildError;

/// What a command did.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What is printed to stdout: whole lines.
    pub(crate) text: String,
    /// The same for programs.
    pub(crate) data: Map<String, Value>,
    /// Errors and warnings; with an error among them the exit code is 1.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What people want to know besides, a line each.
    pub(crate) summary: Vec<String>,
}

/// The columns of the terminal that stdout is; 80 where it is none.
pub(crate) fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    size.map(|size| usize::from(size.ws_col)).ok().filter(|columns| *columns > 0).unwrap_or(80)
}

/// An answer for programs.
pub(crate) fn data(answer: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(answer) {
        Ok(Value::Object(data)) => data,
        // Every answer is a structure.
        _ => Map::new(),
    }
}

/// A line for people, at once.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", tame(line));
}

/// Prints what a command gave, and ends with its exit code.
pub(crate) fn print(result: Result<Outcome, BuildError>, json: bool) -> ExitCode {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(BuildError::Configuration(diagnostics)) => Outcome { diagnostics, ..Outcome::default() },
        Err(BuildError::Io(error)) => {
            let diagnostics = vec![Diagnostic::error(error.to_string())];
            Outcome { diagnostics, ..Outcome::default() }
        }
    };
    let failed = outcome.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let written = if json { document(outcome) } else { lines(&outcome) };
    if let Err(error) = written {
        say(&format!("error: {error}"));
        return ExitCode::FAILURE;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn lines(outcome: &Outcome) -> Result<(), IoError> {
    let terminal = std::io::stderr().is_terminal();
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let style = RenderStyle { colour: terminal && !no_color, ..RenderStyle::default() };
    let _ = write!(std::io::stderr(), "{}", render(&outcome.diagnostics, style));
    outcome.summary.iter().for_each(|line| say(line));
    // A file gets it as it is.
    if std::io::stdout().is_terminal() { stdout(&tame(&outcome.text)) } else { stdout(&outcome.text) }
}

fn document(outcome: Outcome) -> Result<(), IoError> {
    outcome.summary.iter().for_each(|line| say(line));
    let mut document = outcome.data;
    document.insert("diagnostics".to_owned(), outcome.diagnostics.iter().map(diagnostic).collect());
    stdout(&format!("{:#}\n", Value::Object(document)))
}

fn stdout(text: &str) -> Result<(), IoError> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // Who reads has enough of it, as `head` has.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.on("write to", "stdout"),
    }
}

/// A diagnostic for editors: lines and columns from 1, columns in characters, the end behind the last one.
fn diagnostic(diagnostic: &Diagnostic) -> Value {
    let places: Vec<Value> = diagnostic
        .places
        .iter()
        .map(|(place, label)| {
            let ((line, column), (end_line, end_column)) = (place.line_column(), place.end());
            json!({
                "file": place.source.name,
                "line": line,
                "column": column,
                "end_line": end_line,
                "end_column": end_column,
                "label": label,
            })
        })
        .collect();
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "severity": severity,
        "message": diagnostic.title(),
        "places": places,
        "help": diagnostic.help,
    })
}
