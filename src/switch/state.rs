//! The activator's own folder on a target.
//!
//! ```text
//! /var/lib/voevent/
//!   store/<hash>-<name>          objects
//!   derived/<hash>-<name>/       venvs with bytecode
//!   generations/<n>/             bundle -> ../../store/…, provenance -> ../../store/…, record.toml, live/
//!   current   -> generations/<n>     live: every managed link goes through it
//!   committed -> generations/<m>     the last one that was proven
//!   pending   -> generations/<n>     an activation is under way, or was when its program was killed
//!   live      -> current/live      links for people to venvs, scripts and files
//!   received  -> store/<hash>-<host> the bundle that arrived last
//!   aside/<n>/                   somebody else's files that generation n set aside, below their own paths
//!   bin/voevent-switch           link to the activator's object, and voevent-switch.previous
//!   lock                         held by whoever changes anything
//! ```
//!
//! A link changes by one rename and is durable when the call returns. `generations/<n>/` is made whole under a
//! temporary name; numbers are never used twice.

#![expect(clippy::disallowed_methods, reason = "the door to the activator's own folder")]

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink,
};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use crate::base::io::{IoError, OnPath as _};
use crate::base::layout;
use crate::store::disk::{ReadError, Store, remove};
use crate::store::object::ObjectName;
use crate::switch::record::BadRecord;

mod generations;

/// The links that name a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointer {
    /// `current`
    Current,
    /// `committed`
    Committed,
    /// `pending`
    Pending,
}

impl Pointer {
    const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Committed => "committed",
            Self::Pending => "pending",
        }
    }
}

/// Why the state cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The system said no.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A bundle cannot be read.
    #[error("generation {number}: {error}")]
    Bundle {
        /// Of which generation.
        number: u64,
        /// Why.
        error: ReadError,
    },
    /// A record cannot be read.
    #[error("the record of generation {number} cannot be read: {error}")]
    Record {
        /// Of which generation.
        number: u64,
        /// Why.
        error: BadRecord,
    },
    /// A link does not have the form that only this program gives it.
    #[error("`{}` leads to `{target}`, which is no generation: it was changed by hand", path.display())]
    Pointer {
        /// The link.
        path: PathBuf,
        /// Its target.
        target: String,
    },
}

/// The activator's folder of one target.
#[derive(Debug, Clone)]
pub struct State {
    dir: PathBuf,
}

/// The right to change a target. Given back when dropped, or when the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl State {
    /// The state folder below a root, which need not be there yet.
    #[must_use]
    pub fn below(root: &Path) -> Self {
        Self::at(root.join(layout::STATE.trim_start_matches('/')))
    }

    /// The state folder at a path of this machine, which need not be there yet.
    #[must_use]
    pub const fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The store in it.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::new(self.dir.join("store"))
    }

    /// The folder of venvs with bytecode.
    #[must_use]
    pub fn derived(&self) -> PathBuf {
        self.dir.join("derived")
    }

    /// Makes the folders that are not there: root's, 0755.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn prepare(&self) -> Result<(), IoError> {
        let new = self.dir.symlink_metadata().is_err();
        for folder in ["", "store", "derived", "generations", "bin"] {
            let path = self.dir.join(folder);
            DirBuilder::new().recursive(true).mode(0o755).create(&path).on("make folder", &path)?;
        }
        // Whoever can open the pool can lock it, and a switch would wait for them.
        let pool = self.store().pool();
        DirBuilder::new().recursive(true).mode(0o700).create(&pool).on("make folder", &pool)?;
        if pool.metadata().on("look at", &pool)?.mode() & 0o077 != 0 {
            let mode = Permissions::from_mode(0o700);
            std::fs::set_permissions(&pool, mode).on("set the mode of", &pool)?;
        }
        match self.dir.parent() {
            Some(parent) if new => sync(parent),
            _ => Ok(()),
        }
    }

    /// Makes the names of objects and derived trees durable.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn sync_objects(&self) -> Result<(), IoError> {
        sync(&self.derived())?;
        sync(self.store().dir())
    }

    /// Takes the lock, waiting for whoever holds it.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn lock(&self) -> Result<Lock, IoError> {
        let file = self.open_lock()?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive).on("lock", self.dir.join("lock"))?;
        Ok(Lock { _file: file })
    }

    /// Takes the lock, or `None` where somebody holds it.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn try_lock(&self) -> Result<Option<Lock>, IoError> {
        let file = self.open_lock()?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error).on("lock", self.dir.join("lock")),
        }
    }

    fn open_lock(&self) -> Result<File, IoError> {
        let path = self.dir.join("lock");
        OpenOptions::new().create(true).append(true).mode(0o600).open(&path).on("open", &path)
    }

    /// The number of the generation that a link names.
    ///
    /// # Errors
    /// Where the link cannot be read or has another form.
    pub fn pointer(&self, pointer: Pointer) -> Result<Option<u64>, StateError> {
        let path = self.dir.join(pointer.name());
        let target = match std::fs::read_link(&path) {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).on("read link", &path)?,
        };
        let target = target.to_string_lossy().into_owned();
        let number = target.strip_prefix("generations/").and_then(|number| number.parse().ok());
        number.map(Some).ok_or(StateError::Pointer { path, target })
    }

    /// Makes a link name a generation, or removes it; durable when this returns.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn point(&self, pointer: Pointer, number: Option<u64>) -> Result<(), IoError> {
        let target = number.map(|number| format!("generations/{number}"));
        self.set_link(pointer.name(), target.as_deref())
    }

    /// Notes the bundle that arrived last.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn set_received(&self, bundle: &ObjectName) -> Result<(), IoError> {
        self.set_link("received", Some(&format!("store/{bundle}")))
    }

    /// The path of the bundle that arrived last.
    #[must_use]
    pub fn received(&self) -> Option<PathBuf> {
        let path = self.dir.join("received");
        path.symlink_metadata().is_ok().then_some(path)
    }

    /// Changes a link below the folder by one rename.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn set_link(&self, name: &str, target: Option<&str>) -> Result<(), IoError> {
        let path = self.dir.join(name);
        let folder = path.parent().unwrap_or(&self.dir);
        match target {
            Some(target) => {
                let temporary = path.with_file_name(format!(".{}.new", file_name(&path)));
                remove(&temporary)?;
                symlink(target, &temporary).on("make link", &temporary)?;
                std::fs::rename(&temporary, &path).on("rename to", &path)?;
            }
            None => remove(&path)?,
        }
        sync(folder)
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn write_synced(path: &Path, text: &str) -> Result<(), IoError> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o644).open(path).on("create", path)?;
    file.write_all(text.as_bytes()).on("write", path)?;
    file.sync_all().on("sync", path)
}

/// Makes the names in a folder durable.
///
/// # Errors
/// Where the system says no.
pub fn sync(folder: &Path) -> Result<(), IoError> {
    File::open(folder).and_then(|folder| folder.sync_all()).on("sync", folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_name_generations_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::below(dir.path());
        assert_eq!(state.pointer(Pointer::Current).unwrap(), None);
        state.prepare().unwrap();
        state.point(Pointer::Current, Some(3)).unwrap();
        state.point(Pointer::Current, Some(4)).unwrap();
        assert_eq!(state.pointer(Pointer::Current).unwrap(), Some(4));
        state.point(Pointer::Current, None).unwrap();
        assert_eq!(state.pointer(Pointer::Current).unwrap(), None);
        symlink("/etc", state.dir().join("pending")).unwrap();
        let error = state.pointer(Pointer::Pending).unwrap_err().to_string();
        assert!(error.contains("changed by hand"), "{error}");
    }

    #[test]
    fn nobody_else_can_lock_the_pool() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::below(dir.path());
        let pool = state.store().pool();
        for _ in 0..2 {
            state.prepare().unwrap();
            assert_eq!(pool.metadata().unwrap().mode() & 0o777, 0o700);
            std::fs::set_permissions(&pool, Permissions::from_mode(0o755)).unwrap();
        }
        // It is what a batch locks.
        let lock = File::open(&pool).unwrap();
        let store = state.store();
        let _batch = store.batch().unwrap();
        assert!(rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err());
    }

    #[test]
    fn one_holds_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::below(dir.path());
        state.prepare().unwrap();
        let held = state.try_lock().unwrap();
        assert!(held.is_some());
        assert!(state.try_lock().unwrap().is_none());
        drop(held);
        assert!(state.try_lock().unwrap().is_some());
    }
}
