//! Finds the lock of a venv, and reads its wheels.

#![expect(clippy::disallowed_methods, reason = "a door: reads locks")]

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::fetch::Folders;
use super::file::LockedFile;
use super::inputs::{Change, LockInputs, LockRequest, prefix};
use super::pylock::{LockedSource, Pylock};
use super::read::{LockFault, MAX_TEXT};
use super::shelf::{ShelfError, open_file};
use crate::wheel::{Wheel, on_all_cores};

/// What there is of a lock for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The lock of these very inputs.
    Lock(PathBuf),
    /// None of this venv.
    Missing,
    /// Only locks of other inputs: the nearest, and what changed since.
    Stale {
        /// The lock.
        path: PathBuf,
        /// What is different.
        changed: Vec<Change>,
    },
}

/// Why a lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockFileError {
    /// The file system's words.
    #[error("cannot read `{}`: {cause}", path.display())]
    Io {
        /// What was to be read.
        path: PathBuf,
        /// What came of it.
        cause: io::Error,
    },
    /// What it holds.
    #[error("the lock `{}` is damaged{}", path.display(), listed(faults))]
    Damaged {
        /// The lock.
        path: PathBuf,
        /// What it says; empty where it is no text.
        text: String,
        /// All that is wrong.
        faults: Vec<LockFault>,
    },
    /// Its name.
    #[error("the lock `{}` is of other inputs than its name says, which should end in `-{hex}.toml`", path.display())]
    Renamed {
        /// The lock.
        path: PathBuf,
        /// The hash of its inputs.
        hex: String,
    },
}

impl LockFileError {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Io { .. } => "see that the file can be read",
            Self::Damaged { .. } | Self::Renamed { .. } => {
                "take the file from version control again, or remove it and lock again"
            }
        }
    }
}

fn listed(faults: &[LockFault]) -> String {
    faults.iter().flat_map(|fault| ["\n  ".to_owned(), fault.to_string()]).collect()
}

/// Looks for the lock of a venv with these inputs among the locks of a folder.
///
/// # Errors
/// Where the folder, or a lock that would tell what changed, cannot be read.
pub fn find_lock(locks: &Path, request: &LockRequest, inputs: &LockInputs) -> Result<Found, LockFileError> {
    let path = locks.join(inputs.file_name(&request.venv));
    if fs::symlink_metadata(&path).is_ok() {
        return Ok(Found::Lock(path));
    }
    let mut nearest: Option<(PathBuf, Vec<Change>)> = None;
    for path in locks_of(locks, &prefix(&request.venv))? {
        // A lock that cannot be read says nothing of what changed; it is not the one that is asked for either.
        let Ok((_, lock)) = read_lock(&path) else { continue };
        let changed = lock.inputs.changes(inputs);
        if nearest.as_ref().is_none_or(|(_, least)| changed.len() < least.len()) {
            nearest = Some((path, changed));
        }
    }
    Ok(nearest.map_or(Found::Missing, |(path, changed)| Found::Stale { path, changed }))
}

/// The locks of a venv, by name.
fn locks_of(folder: &Path, prefix: &str) -> Result<Vec<PathBuf>, LockFileError> {
    let error = |cause| LockFileError::Io { path: folder.to_owned(), cause };
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(error)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(error)?.file_name();
        let hex = name.to_str().and_then(|name| name.strip_prefix(prefix)?.strip_suffix(".toml"));
        if hex.is_some_and(|hex| hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_hexdigit())) {
            names.push(folder.join(name));
        }
    }
    names.sort();
    Ok(names)
}

/// Reads a lock: its text and what it says.
///
/// # Errors
/// Where it cannot be read, is damaged, or is not the one that its name says.
pub fn read_lock(path: &Path) -> Result<(String, Pylock), LockFileError> {
    let io = |cause| LockFileError::Io { path: path.to_owned(), cause };
    let mut bytes = Vec::new();
    let limit = MAX_TEXT as u64 + 1;
    open_file(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(io)?;
    let damaged =
        |text: &str, faults| LockFileError::Damaged { path: path.to_owned(), text: text.to_owned(), faults };
    let no_text = |_| damaged("", vec![LockFault { line: 1, message: "it is no UTF-8".to_owned() }]);
    let text = String::from_utf8(bytes).map_err(no_text)?;
    let lock = Pylock::parse(&text).map_err(|faults| damaged(&text, faults))?;
    let hex = lock.inputs.hex();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.ends_with(&format!("-{hex}.toml")) {
        Ok((text, lock))
    } else {
        Err(LockFileError::Renamed { path: path.to_owned(), hex })
    }
}

/// What a target builds a package of.
#[derive(Debug)]
pub struct SourceFiles {
    /// The source distribution.
    pub sdist: Vec<u8>,
    /// What builds it.
    pub requires: Vec<Wheel>,
}

/// Reads what the target builds, in the order of the lock, and compares each file with it.
///
/// # Errors
/// The first file that is not there or has other bytes.
pub fn read_sources(lock: &Pylock, folders: &Folders) -> Result<Vec<SourceFiles>, ShelfError> {
    let shelf = folders.wheels()?;
    let wheel =
        |file: &LockedFile| shelf.read(file).map(|bytes| Wheel { file_name: file.name.clone(), bytes });
    let files = |source: &LockedSource| {
        let requires = source.requires.iter().map(|pin| wheel(&pin.wheel)).collect::<Result<_, _>>()?;
        Ok(SourceFiles { sdist: shelf.read(&source.sdist)?, requires })
    };
    lock.sources.iter().map(files).collect()
}

/// Reads the wheels of a lock and compares each with it.
///
/// # Errors
/// All wheels that are not there or have other bytes.
pub fn read_wheels(lock: &Pylock, folders: &Folders) -> Result<Vec<Wheel>, Vec<ShelfError>> {
    let shelf = folders.wheels().map_err(|error| vec![error])?;
    let jobs = lock.packages.iter().map(|package| (package.wheel.size, &package.wheel)).collect();
    let mut wheels = Vec::with_capacity(lock.packages.len());
    let mut errors = Vec::new();
    for read in
        on_all_cores(jobs, |file| shelf.read(file).map(|bytes| Wheel { file_name: file.name.clone(), bytes }))
    {
        match read {
            Ok(wheel) => wheels.push(wheel),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(wheels) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode};

    use super::*;
    use crate::base::name::Label;
    use crate::build::artifact::Target;

    fn request(requirement: &str) -> (LockRequest, LockInputs) {
        let [system, arch, python] = ["debian-12", "x86_64", "3.11"].map(str::to_owned);
        let target = Target { arch, python, system };
        let request = LockRequest {
            venv: Label::new("x").unwrap(),
            requirements: vec![requirement.to_owned()],
            target,
            source: None,
            build_on_target: Vec::new(),
        };
        let inputs = request.inputs().unwrap();
        (request, inputs)
    }

    #[test]
    fn a_lock_is_found_missing_or_stale() {
        let folder = tempfile::tempdir().unwrap();
        let (old, old_inputs) = request("a==1");
        let find = |(request, inputs): &(LockRequest, LockInputs)| {
            find_lock(folder.path(), request, inputs).unwrap()
        };
        assert_eq!(find(&request("a==1")), Found::Missing);
        assert_eq!(find_lock(Path::new("/nowhere"), &old, &old_inputs).unwrap(), Found::Missing);
        let path = folder.path().join(old_inputs.file_name(&old.venv));
        let text = Pylock { inputs: old_inputs, packages: Vec::new(), sources: Vec::new() }.text();
        fs::write(&path, &text).unwrap();
        // Other venvs, and files that are no locks, say nothing.
        fs::write(folder.path().join("pylock.x-y-00000000.toml"), "").unwrap();
        fs::write(folder.path().join("pylock.x-00000000.toml"), "damaged").unwrap();
        assert_eq!(find(&request("a==1")), Found::Lock(path.clone()));
        let Found::Stale { path: stale, changed } = find(&request("a==2")) else { panic!("not stale") };
        assert_eq!(stale, path);
        let changed: Vec<_> = changed.iter().map(ToString::to_string).collect();
        assert_eq!(changed, ["requirement `a==1` is now `a==2`"]);
        assert_eq!(read_lock(&path).unwrap().0, text);
        let renamed = folder.path().join("pylock.x-11111111.toml");
        fs::rename(&path, &renamed).unwrap();
        assert!(matches!(read_lock(&renamed), Err(LockFileError::Renamed { .. })));
        fs::write(&path, text.replace('\n', "\r\n")).unwrap();
        assert!(read_lock(&path).unwrap_err().to_string().contains("CR LF"));
        fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(read_lock(&path).unwrap_err().to_string().ends_with("it is no regular file"));
        fs::remove_file(&path).unwrap();
        fs::write(&path, b"\xff").unwrap();
        assert!(read_lock(&path).unwrap_err().to_string().ends_with("is damaged\n  line 1: it is no UTF-8"));
    }
}
