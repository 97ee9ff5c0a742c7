//! Gets the wheels of a lock that are not there: from an index by hash, or built again from the locked source.

use std::path::PathBuf;

use super::file::LockedFile;
use super::pylock::{LockedPackage, LockedSource, Pylock, WHEELS};
use super::python::{PythonError, Wanted};
use super::run::Say;
use super::shelf::{Shelf, ShelfError};
use super::workshop::Workshop;
use crate::base::value::NamedFile;
use crate::wheel::on_all_cores;

/// The folders that locking and fetching work in.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Where locks lie: `hosts/locks`. Their wheels are in `wheels` below.
    pub locks: PathBuf,
    /// What may be deleted at any time: `generated/.cache/tools`.
    pub tools: PathBuf,
}

impl Folders {
    /// The folder of the wheels.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn wheels(&self) -> Result<Shelf, ShelfError> {
        Shelf::open(&self.locks.join(WHEELS))
    }
}

/// Why a wheel could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// pip.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// The folders.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// A build gave no wheel, or several.
    #[error("building `{0}` gave no wheel")]
    NoWheel(String),
    /// A build gave a wheel for one machine.
    #[error("building `{sdist}` gives `{wheel}`, which depends on this workstation's compiler and libraries")]
    NotPure {
        /// The source.
        sdist: String,
        /// What came of it.
        wheel: String,
    },
    /// Two builds differ.
    #[error("building `{sdist}` twice gives two wheels: sha256 {first} and {second}")]
    Unlike {
        /// The source.
        sdist: String,
        /// Hash of the first.
        first: String,
        /// Hash of the second.
        second: String,
    },
    /// How it is built cannot be known.
    #[error("`{sdist}` {cause}")]
    BuildSystem {
        /// The source.
        sdist: String,
        /// What is wrong.
        cause: String,
    },
    /// What builds a package would have to be built itself.
    #[error("`{sdist}` is built with `{package}`, which has no wheel for {host}")]
    BuildRequires {
        /// The source.
        sdist: String,
        /// What it is built with.
        package: String,
        /// The target's interpreter.
        host: String,
    },
    /// A build differs from the lock.
    #[error("building `{sdist}` again gives another wheel: expected `{}` with sha256 {}, found `{}` with {}",
        expected.name, expected.sha256, found.name, found.sha256)]
    Rebuilt {
        /// The source.
        sdist: String,
        /// As locked.
        expected: Box<LockedFile>,
        /// As built.
        found: Box<LockedFile>,
    },
}

impl FetchError {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Python(error) => error.help(),
            Self::Shelf(error) => error.help(),
            Self::BuildSystem { .. } => "take the package out of `build_on_target`, or another version of it",
            Self::BuildRequires { .. } => "put a wheel of that where pip looks (`find-links`) and lock again",
            Self::NoWheel(_) => "see that the package builds with `pip wheel`",
            Self::NotPure { .. } => {
                "put a wheel of it for the host where pip looks (`find-links`) and lock again"
            }
            Self::Unlike { .. } => {
                "its build is not repeatable: put a wheel of it where pip looks and lock again"
            }
            Self::Rebuilt { .. } => {
                "copy the wheel from the machine that made the lock into the folder of wheels, or lock again with \
                 `voevent-build lock --upgrade`"
            }
        }
    }
}

/// Gets every wheel of a lock that is not there or has other bytes, and gives how many came. A wheel of the same name
/// can have other bytes: a lock with other build requirements asks for them. What is built from a `source` of the
/// project is asked of no index.
///
/// # Errors
/// At the first that cannot be had; what came before stays.
pub fn fetch(
    lock: &Pylock,
    source: Option<&NamedFile>,
    folders: &Folders,
    say: Say<'_>,
) -> Result<usize, FetchError> {
    let wheels = folders.wheels()?;
    let jobs = lock.packages.iter().map(|package| (package.wheel.size, package)).collect();
    let read = |package: &LockedPackage| wheels.read(&package.wheel).map(drop);
    let mut missing = Vec::new();
    for (package, read) in lock.packages.iter().zip(on_all_cores(jobs, read)) {
        let Err(error) = read else { continue };
        if matches!(error, ShelfError::Other { .. }) {
            say(&format!("{error}"));
        }
        missing.push(package);
    }
    let sources: Vec<_> = lock.sources.iter().filter(|source| wheels.read(&source.sdist).is_err()).collect();
    let mut pins: Vec<_> = lock.sources.iter().flat_map(|source| &source.requires).collect();
    // One wheel can be asked for by several packages.
    pins.sort();
    pins.dedup();
    pins.retain(|pin| wheels.read(&pin.wheel).is_err());
    if missing.is_empty() && sources.is_empty() && pins.is_empty() {
        return Ok(0);
    }
    let workshop = Workshop::open(folders)?;
    if let Some(source) = source {
        workshop.take_source(source)?;
    }
    let get = missing.iter().filter(|package| package.sdist.is_none()).map(|package| package.wanted());
    let get: Vec<_> = get.chain(pins.iter().map(|pin| pin.wanted())).collect();
    workshop.get_wheels(&get, &lock.inputs.python, say)?;
    for source in &sources {
        workshop.get_tarball(source.wanted(), say)?;
    }
    for package in &missing {
        if let Some(sdist) = &package.sdist {
            rebuild(&workshop, package, sdist, lock, say)?;
        }
    }
    Ok(missing.len() + sources.len() + pins.len())
}

fn rebuild(
    workshop: &Workshop,
    package: &LockedPackage,
    sdist: &LockedFile,
    lock: &Pylock,
    say: Say<'_>,
) -> Result<(), FetchError> {
    let LockedPackage { name, version, wheel, .. } = package;
    let wanted = Wanted { name, version, file: &sdist.name, sha256: sdist.sha256 };
    let pins = &lock.inputs.pins;
    workshop.get_pins(pins, say)?;
    workshop.get_sdist(wanted, say)?;
    say(&format!("building {} from {}", wheel.name, sdist.name));
    let built = workshop.build(sdist, pins, lock.inputs.epoch)?;
    if built.wheel == *wheel {
        workshop.keep(&built)
    } else {
        let [expected, found] = [wheel.clone(), built.wheel].map(Box::new);
        Err(FetchError::Rebuilt { sdist: sdist.name.clone(), expected, found })
    }
}

impl LockedSource {
    fn wanted(&self) -> Wanted<'_> {
        let Self { name, version, sdist, .. } = self;
        Wanted { name, version, file: &sdist.name, sha256: sdist.sha256 }
    }
}

impl LockedPackage {
    fn wanted(&self) -> Wanted<'_> {
        let Self { name, version, wheel, .. } = self;
        Wanted { name, version, file: &wheel.name, sha256: wheel.sha256 }
    }
}
