//! The generations of a target, as a table.

use std::fmt::Write as _;

use crate::switch::failure::Failure;
use crate::switch::record::Record;
use crate::switch::state::{Pointer, State, StateError};

/// A generation.
#[derive(Debug)]
pub struct Row {
    number: u64,
    /// What is known of it. A record that cannot be read hides no other.
    record: Result<Record, StateError>,
    /// What points at it: `current`, `committed`, `pending`.
    marks: Vec<&'static str>,
}

/// All generations, ascending.
///
/// # Errors
/// Where the folder of generations or what points at them cannot be read.
pub fn history(state: &State) -> Result<Vec<Row>, Failure> {
    let mut pointers = Vec::new();
    for (pointer, name) in
        [(Pointer::Current, "current"), (Pointer::Committed, "committed"), (Pointer::Pending, "pending")]
    {
        pointers.push((state.pointer(pointer)?, name));
    }
    let marks = |number| {
        let here = pointers.iter().filter(|(at, _)| *at == Some(number));
        here.map(|(_, name)| *name).collect()
    };
    let row = |number| Row { number, record: state.record(number), marks: marks(number) };
    Ok(state.numbers()?.into_iter().map(row).collect())
}

/// A row a generation: number, when, outcome, who, bundle, what points at it.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut out = String::new();
    for Row { number, record, marks } in rows {
        let _ = match record {
            Ok(Record { when, outcome, by, bundle, .. }) => {
                write!(out, "{number:>4}  {when}  {:<9}  {by:<12}  {bundle}", outcome.as_str())
            }
            Err(error) => {
                let error = error.to_string();
                write!(out, "{number:>4}  {}", error.lines().next().unwrap_or_default())
            }
        };
        let _ = if marks.is_empty() { writeln!(out) } else { writeln!(out, "  {}", marks.join(", ")) };
    }
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test: it writes records")]

    use super::*;
    use crate::store::object::ObjectName;

    #[test]
    fn what_cannot_be_read_hides_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::below(dir.path());
        state.prepare().unwrap();
        let generations = state.dir().join("generations");
        let name = ObjectName::parse(&format!("{}-x", "a".repeat(32))).unwrap();
        let write = |number: u64, text: &str| {
            std::fs::create_dir(generations.join(number.to_string())).unwrap();
            std::fs::write(generations.join(format!("{number}/record.toml")), text).unwrap();
        };
        write(1, &Record::blank(1, name.clone()).to_toml());
        write(2, "torn = \n= 3\n");
        std::fs::create_dir(generations.join("3")).unwrap();
        write(10, &Record::blank(10, name.clone()).to_toml());
        state.point(Pointer::Current, Some(2)).unwrap();
        let table = table(&history(&state).unwrap());
        let rows: Vec<&str> = table.lines().collect();
        assert_eq!(rows.len(), 4, "{table}");
        assert!(rows[0].starts_with("   1  ") && rows[0].ends_with(name.as_str()), "{table}");
        assert!(rows[1].starts_with("   2  the record of generation 2 cannot be read: "), "{table}");
        assert!(rows[1].ends_with("  current"), "{table}");
        assert!(rows[2].starts_with("   3  cannot read "), "{table}");
        assert!(rows[3].starts_with("  10  "), "{table}");
    }
}
