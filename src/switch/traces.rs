//! What a running or failed unit leaves to be read: which definition it was started with, and its last words.
#![expect(clippy::disallowed_methods, reason = "a door: it reads systemd's state files")]

use std::time::Duration;

use crate::base::name::UnitName;
use crate::switch::systemd::{Systemd, SystemdError};
use crate::switch::tool::{Tool, ToolError};

/// Where systemd keeps for the journal what it needs to know of each unit that runs (systemd, `unit_export_state_files`).
const STATE: &str = "/run/systemd/units";
/// The field that names the definition, `LogExtraFields=VOEVENT_UNIT=…` in each service of ours (systemd.exec(5)).
const FIELD: &str = "VOEVENT_UNIT";
/// How long the journal may take.
const JOURNAL_TIME: Duration = Duration::from_secs(10);

/// The value of [`FIELD`] in the definition that a unit was *started* with; a later reload does not change it. `None`
/// where the unit does not run, or was started without the field, or cannot have one (sockets, timers, paths, targets).
///
/// # Errors
/// Where the file is there and cannot be read.
pub fn running_digest(unit: &UnitName) -> std::io::Result<Option<String>> {
    match std::fs::read(format!("{STATE}/log-extra-fields:{unit}")) {
        Ok(bytes) => Ok(field(&bytes, FIELD)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A field of such a file: for each its length (little-endian, 64 bits), then `NAME=value`. The last one wins, as the
/// journal shows it.
#[must_use]
fn field(mut bytes: &[u8], name: &str) -> Option<String> {
    let mut found = None;
    while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (pair, rest) = rest.split_at_checked(length)?;
        let value = str::from_utf8(pair).ok().and_then(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found = value.map(str::to_owned).or(found);
        bytes = rest;
    }
    found
}

/// The last lines that the journal has of the unit's latest start: its own, and systemd's about it.
///
/// # Errors
/// Where journalctl fails.
pub fn log_tail(systemd: &mut Systemd, unit: &UnitName, lines: u16) -> Result<Vec<String>, TracesError> {
    let Some(invocation) = systemd.invocation(unit)? else {
        return Ok(Vec::new());
    };
    // What the unit wrote may still be on its way. Where this fails there are fewer lines, no fewer facts.
    let _ = Tool::new("journalctl", JOURNAL_TIME).arg("--sync").run();
    let output = Tool::new("journalctl", JOURNAL_TIME)
        .args(["--quiet", "--no-pager", "--boot", "--output=cat"])
        .arg(format!("--lines={lines}"))
        .arg(format!("_SYSTEMD_INVOCATION_ID={invocation}"))
        .arg("+")
        .arg(format!("INVOCATION_ID={invocation}"))
        .run()?
        .good()?;
    Ok(output.stdout.lines().map(str::to_owned).collect())
}

/// Why the journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// systemd does not say which start is the latest.
    #[error(transparent)]
    Systemd(#[from] SystemdError),
    /// journalctl fails.
    #[error(transparent)]
    Tool(#[from] ToolError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(pairs: &[&str]) -> Vec<u8> {
        pairs
            .iter()
            .flat_map(|pair| {
                let mut bytes = u64::try_from(pair.len()).unwrap().to_le_bytes().to_vec();
                bytes.extend_from_slice(pair.as_bytes());
                bytes
            })
            .collect()
    }

    #[test]
    fn fields_are_found() {
        let bytes = file(&["A=1", "VOEVENT_UNITS=no", "VOEVENT_UNIT=abc=d"]);
        assert_eq!(field(&bytes, "VOEVENT_UNIT").as_deref(), Some("abc=d"));
        assert_eq!(field(&bytes, "B"), None);
        assert_eq!(field(&[], "A"), None);
    }

    #[test]
    fn a_broken_file_has_no_field() {
        let bytes = file(&["A=1"]);
        assert_eq!(field(&bytes[..10], "A"), None);
        assert_eq!(field(&u64::MAX.to_le_bytes(), "A"), None);
    }
}
