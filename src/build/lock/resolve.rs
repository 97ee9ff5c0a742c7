//! Makes locks.

#![expect(clippy::disallowed_methods, reason = "a door: writes locks")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::fetch::{FetchError, Folders, fetch};
use super::find::{Found, LockFileError, find_lock, read_lock};
use super::inputs::{BadRequest, LockInputs, LockRequest};
use super::pylock::{LockedPackage, Pylock};
use super::python::Wanted;
use super::resolution::Choice;
use super::run::Say;
use super::sources::lock_source;
use super::uv::{Uv, UvError};
use super::workshop::Workshop;

/// What became of the lock of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The lock.
    pub path: PathBuf,
    /// Whether it was there and stays as it is.
    pub kept: bool,
    /// Where it is new: the packages that differ from the lock before, all where there was none.
    pub changed: Vec<VersionChange>,
}

/// A package with another version than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionChange {
    /// Its name.
    pub name: String,
    /// The version before.
    pub old: Option<String>,
    /// The version now.
    pub new: Option<String>,
}

impl fmt::Display for VersionChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, old, new } = self;
        match (old, new) {
            (Some(old), Some(new)) => write!(f, "{name} {old} -> {new}"),
            (None, Some(new)) => write!(f, "{name} {new}"),
            (Some(old), None) => write!(f, "{name} {old} gone"),
            (None, None) => Ok(()),
        }
    }
}

/// Why a lock could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// What was asked for.
    #[error("venv `{venv}`: {cause}")]
    Request {
        /// The venv.
        venv: String,
        /// What is wrong.
        cause: BadRequest,
    },
    /// A lock that is there.
    #[error(transparent)]
    File(#[from] LockFileError),
    /// uv.
    #[error(transparent)]
    Uv(#[from] UvError),
    /// The wheels.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The new lock.
    #[error("cannot write `{}`: {cause}", path.display())]
    Write {
        /// The lock.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl LockError {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Request { cause, .. } => cause.help(),
            Self::File(error) => error.help(),
            Self::Uv(error) => error.help(),
            Self::Fetch(error) => error.help(),
            Self::Write { .. } => "see that the folder can be written and has room",
        }
    }
}

/// Makes the lock of each request that has none, and gets the wheels of all. A lock that is there keeps its versions,
/// and a new one takes those of the lock before where they still will do; with `upgrade` both take the newest.
///
/// # Errors
/// At the first that fails. Locks made before stay; none is there in part.
pub fn lock(
    requests: &[LockRequest],
    folders: &Folders,
    upgrade: bool,
    say: Say<'_>,
) -> Result<Vec<Outcome>, LockError> {
    let mut outcomes = Vec::new();
    let mut done = BTreeSet::new();
    for request in requests {
        let bad = |cause| LockError::Request { venv: request.venv.to_string(), cause };
        let inputs = request.inputs().map_err(bad)?;
        if done.insert(inputs.file_name(&request.venv)) {
            outcomes.push(lock_one(request, &inputs, folders, (upgrade, &mut *say))?);
        }
    }
    Ok(outcomes)
}

fn lock_one(
    request: &LockRequest,
    inputs: &LockInputs,
    folders: &Folders,
    (upgrade, say): (bool, Say<'_>),
) -> Result<Outcome, LockError> {
    let path = folders.locks.join(inputs.file_name(&request.venv));
    let before = match find_lock(&folders.locks, request, inputs)? {
        Found::Lock(path) if !upgrade => {
            let (_, lock) = read_lock(&path)?;
            fetch(&lock, request.source.as_deref(), folders, say)?;
            return Ok(Outcome { path, kept: true, changed: Vec::new() });
        }
        // A lock that is to be replaced may be damaged.
        Found::Lock(path) => read_lock(&path).ok(),
        Found::Stale { path, .. } => Some(read_lock(&path)?),
        Found::Missing => None,
    };
    let workshop = Workshop::open(folders)?;
    workshop.get_pins(&inputs.pins, say)?;
    if let Some(source) = &request.source {
        workshop.take_source(source)?;
    }
    let uv = Uv::get(folders, &workshop, say)?;
    say(&format!("resolving {} for {}", inputs.requirements.join(", "), inputs.python));
    let preferred = before.as_ref().filter(|_| !upgrade).map(|(text, _)| text.as_str());
    let choices = uv.resolve(&workshop, inputs, preferred)?;
    let (sources, choices): (Vec<_>, Vec<_>) =
        choices.into_iter().partition(|choice| inputs.build_on_target.contains(&choice.name));
    let packages = obtain(&workshop, inputs, &choices, say)?;
    let source = |choice| lock_source((&uv, &workshop), inputs, choice, say);
    let sources = sources.iter().map(source).collect::<Result<_, _>>()?;
    let lock = Pylock { inputs: inputs.clone(), packages, sources };
    write(&path, &lock.text())?;
    let old = before.map(|(_, lock)| lock.versions()).unwrap_or_default();
    Ok(Outcome { path, kept: false, changed: changes(&old, &lock.versions()) })
}

/// Gets the files that uv chose, builds those that are source, and says what each is.
fn obtain(
    workshop: &Workshop,
    inputs: &LockInputs,
    choices: &[Choice],
    say: Say<'_>,
) -> Result<Vec<LockedPackage>, FetchError> {
    let (sources, wheels): (Vec<_>, Vec<_>) = choices.iter().partition(|choice| choice.source);
    let wanted: Vec<_> = wheels.iter().map(|choice| choice.wanted()).collect();
    let files = workshop.get_wheels(&wanted, &inputs.python, say)?;
    let package = |choice: &Choice, wheel, sdist| LockedPackage {
        name: choice.name.clone(),
        version: choice.version.clone(),
        wheel,
        sdist,
    };
    let mut packages: Vec<_> =
        wheels.iter().zip(files).map(|(choice, wheel)| package(choice, wheel, None)).collect();
    for choice in sources {
        let sdist = workshop.get_sdist(choice.wanted(), say)?;
        say(&format!("building {} twice", choice.file));
        let wheel = workshop.build_twice(&sdist, &inputs.pins, inputs.epoch)?;
        packages.push(package(choice, wheel, Some(sdist)));
    }
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(packages)
}

impl Choice {
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted { name: &self.name, version: &self.version, file: &self.file, sha256: self.sha256 }
    }
}

fn changes(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<VersionChange> {
    let mut versions: BTreeMap<&str, [Option<&str>; 2]> = BTreeMap::new();
    for (side, packages) in [old, new].into_iter().enumerate() {
        for (name, version) in packages {
            versions.entry(name).or_default()[side] = Some(version);
        }
    }
    let changed = versions.into_iter().filter(|(_, [old, new])| old != new);
    let own = |version: Option<&str>| version.map(str::to_owned);
    changed
        .map(|(name, [old, new])| VersionChange { name: name.to_owned(), old: own(old), new: own(new) })
        .collect()
}

/// Writes a lock in one step.
fn write(path: &Path, text: &str) -> Result<(), LockError> {
    let write = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(path);
        let permissions = fs::Permissions::from_mode(0o644);
        let mut file =
            tempfile::Builder::new().prefix(".tmp-").permissions(permissions).tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(|cause| LockError::Write { path: path.to_owned(), cause })
}
