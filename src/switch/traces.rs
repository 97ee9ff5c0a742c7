//! What a running or failed unit leaves to be read: which definition it was started with, and its last words.
#![expect(clippy::disallowed_methods, reason = "a door: it reads systemd's state files")]

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::base::name::UnitName;
use crate::switch::systemd::{Active, Systemd, SystemdError};
use crate::switch::tool::{Tool, ToolError};

/// Where systemd keeps for the journal what it needs to know of each unit that runs (systemd, `unit_export_state_files`).
const STATE: &str = "/run/systemd/units";
/// The field that names the definition, `LogExtraFields=VOEVENT_UNIT=…` in each service of ours (systemd.exec(5)).
const FIELD: &str = "VOEVENT_UNIT";
/// How long a unit that failed is let say its last words.
const ENDING_TIME: Duration = Duration::from_secs(3);
/// How often we look whether it has ended.
const LOOK: Duration = Duration::from_millis(50);
/// When the journal has no more of a unit after this time, it has all: journald reads what units write one after another.
const SETTLED: Duration = Duration::from_millis(250);
const MOST_LOOKS: usize = 8;
/// How long the journal may take.
const JOURNAL_TIME: Duration = Duration::from_secs(10);

/// The value of [`FIELD`] in the definition that a unit was *started* with; a later reload does not change it. `None`
/// where the unit does not run, or was started without the field, or cannot have one (sockets, timers, paths, targets).
///
/// systemd leaves the file behind when the unit stops, and when it starts without the field: then it is older than the
/// link with the id of the start, which is made with it (seen with 252 and 257).
///
/// # Errors
/// Where the file is there and cannot be read.
pub fn running_digest(unit: &UnitName) -> std::io::Result<Option<String>> {
    digest_in(Path::new(STATE), unit)
}

fn digest_in(folder: &Path, unit: &UnitName) -> std::io::Result<Option<String>> {
    let fields = folder.join(format!("log-extra-fields:{unit}"));
    let read = || -> std::io::Result<Option<String>> {
        let started = folder.join(format!("invocation:{unit}")).symlink_metadata()?.modified()?;
        let is_of_start = fields.symlink_metadata()?.modified()? >= started;
        Ok(if is_of_start { field(&std::fs::read(&fields)?, FIELD) } else { None })
    };
    match read() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        result => result,
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

/// The last lines that the journal has of a unit since a moment, its own, and systemd's about it; where there are none,
/// those of its latest start.
///
/// Which start was the latest does not tell where its words are: a unit that failed may have been started again since,
/// and have said nothing yet.
///
/// # Errors
/// Where journalctl fails.
pub fn log_tail(
    systemd: &mut Systemd,
    unit: &UnitName,
    (since, lines): (Instant, u16),
) -> Result<Vec<String>, TracesError> {
    let_end(systemd, unit)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let since = now.saturating_sub(since.elapsed()).as_secs();
    let read = || {
        // What the journal has got is written then, but not what it has yet to read from a unit's output. Where it fails
        // there are fewer lines, no fewer facts.
        let _ = Tool::new("journalctl", JOURNAL_TIME).arg("--sync").run();
        // Not with `--lines=`: journalctl 252 takes the first of the time then, not the last.
        let mut found = journal([format!("--since=@{since}"), format!("--unit={unit}")])?;
        found.drain(..found.len().saturating_sub(usize::from(lines)));
        Ok::<_, TracesError>(found)
    };
    let mut found = read()?;
    for _ in 0..MOST_LOOKS {
        std::thread::sleep(SETTLED);
        let before = std::mem::replace(&mut found, read()?);
        if before == found {
            break;
        }
    }
    match systemd.invocation(unit)? {
        Some(id) if found.is_empty() => {
            let (own, about) = (format!("_SYSTEMD_INVOCATION_ID={id}"), format!("INVOCATION_ID={id}"));
            journal([format!("--lines={lines}"), own, "+".to_owned(), about])
        }
        _ => Ok(found),
    }
}

fn journal(which: impl IntoIterator<Item = String>) -> Result<Vec<String>, TracesError> {
    let output = Tool::new("journalctl", JOURNAL_TIME)
        .args(["--quiet", "--no-pager", "--boot", "--output=cat"])
        .args(which)
        .run()?
        .good()?;
    Ok(output.stdout.lines().map(str::to_owned).collect())
}

/// Waits a little for a unit that is being stopped: systemd says that a start failed before it ends what was started,
/// which may have something to say then.
fn let_end(systemd: &mut Systemd, unit: &UnitName) -> Result<(), TracesError> {
    let until = Instant::now() + ENDING_TIME;
    while Instant::now() < until {
        let states = systemd.units(&[unit])?;
        if states.values().all(|state| state.active != Active::Deactivating) {
            break;
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
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
    fn what_an_earlier_start_left_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let (unit, start) = (UnitName::new("x.service").unwrap(), dir.path().join("invocation:x.service"));
        let fields = dir.path().join("log-extra-fields:x.service");
        assert_eq!(digest_in(dir.path(), &unit).unwrap(), None);
        std::fs::write(&fields, file(&["VOEVENT_UNIT=abc"])).unwrap();
        assert_eq!(digest_in(dir.path(), &unit).unwrap(), None);
        std::os::unix::fs::symlink("id", &start).unwrap();
        let at = |seconds| std::time::UNIX_EPOCH + Duration::from_secs(seconds);
        let written = |time| std::fs::File::options().write(true).open(&fields).unwrap().set_modified(time);
        written(at(1)).unwrap();
        assert_eq!(digest_in(dir.path(), &unit).unwrap(), None);
        written(start.symlink_metadata().unwrap().modified().unwrap()).unwrap();
        assert_eq!(digest_in(dir.path(), &unit).unwrap().as_deref(), Some("abc"));
    }

    #[test]
    fn a_broken_file_has_no_field() {
        let bytes = file(&["A=1"]);
        assert_eq!(field(&bytes[..10], "A"), None);
        assert_eq!(field(&u64::MAX.to_le_bytes(), "A"), None);
    }
}
