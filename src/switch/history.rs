//! The generations of a target, as a table.

use std::fmt::Write as _;

use crate::switch::failure::Failure;
use crate::switch::record::Record;
use crate::switch::state::{Pointer, State};

/// The records of all generations, ascending, each with what points at it: `current`, `committed`, `pending`.
///
/// # Errors
/// Where one of them cannot be read.
pub fn history(state: &State) -> Result<Vec<(Record, Vec<&'static str>)>, Failure> {
    let mut marks = Vec::new();
    for (pointer, name) in
        [(Pointer::Current, "current"), (Pointer::Committed, "committed"), (Pointer::Pending, "pending")]
    {
        marks.push((state.pointer(pointer)?, name));
    }
    let mut rows = Vec::new();
    for number in state.numbers()? {
        let record = state.record(number)?;
        let names = marks.iter().filter(|(at, _)| *at == Some(number)).map(|(_, name)| *name).collect();
        rows.push((record, names));
    }
    Ok(rows)
}

/// A row a generation: number, when, outcome, who, bundle, what points at it.
#[must_use]
pub fn table(rows: &[(Record, Vec<&'static str>)]) -> String {
    let mut out = String::new();
    for (record, marks) in rows {
        let _ = write!(
            out,
            "{:>4}  {}  {:<9}  {:<12}  {}",
            record.number,
            record.when,
            record.outcome.as_str(),
            record.by,
            record.bundle
        );
        let _ = if marks.is_empty() { writeln!(out) } else { writeln!(out, "  {}", marks.join(", ")) };
    }
    out
}
