//! Folders of files that are known by hash: the wheels beside the locks, and what building them takes in the cache.
//! A file has its whole content from the moment it has its name, also with several builds at once and after power loss.

#![expect(clippy::disallowed_methods, reason = "a door: reads and writes fetched files")]

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::file::{LockedFile, OtherFile, Sha256Sum};
use crate::wheel::MAX_BYTES;

/// What names of inboxes begin with.
const INBOX: &str = ".tmp-";

/// A folder of files by hash.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

/// What goes wrong with a shelf.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The file system's words.
    #[error("cannot {verb} `{}`: {cause}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// With what.
        path: PathBuf,
        /// What came of it.
        cause: io::Error,
    },
    /// A file that came is another than the one that was asked for.
    #[error("what was fetched is another file: {0}")]
    Got(OtherFile),
    /// Another file.
    #[error("in `{}`: {other}", folder.display())]
    Other {
        /// The folder.
        folder: PathBuf,
        /// The file.
        other: OtherFile,
    },
}

impl ShelfError {
    fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { verb, path: path.to_owned(), cause }
    }

    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Io { .. } => "see that the folder can be read and written and has room",
            Self::Got(_) => {
                "the index or folder that pip asked serves other bytes under this name: see `pip config list`"
            }
            Self::Other { .. } => "remove the file: it is then fetched again by its hash",
        }
    }
}

impl Shelf {
    /// The shelf in a folder, which is made where it is missing.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn open(folder: &Path) -> Result<Self, ShelfError> {
        fs::create_dir_all(folder).map_err(ShelfError::io("make", folder))?;
        let folder = fs::canonicalize(folder).map_err(ShelfError::io("open", folder))?;
        Ok(Self { folder })
    }

    /// Where a file of it lies.
    #[must_use]
    pub fn path(&self, file: &LockedFile) -> PathBuf {
        self.folder.join(&file.name)
    }

    /// Whether a file is there; what it holds is looked at when it is read.
    #[must_use]
    pub fn has(&self, file: &LockedFile) -> bool {
        fs::symlink_metadata(self.path(file)).is_ok_and(|metadata| metadata.is_file())
    }

    /// A file's bytes, compared with the lock.
    ///
    /// # Errors
    /// Where it cannot be read or has other bytes.
    pub fn read(&self, file: &LockedFile) -> Result<Vec<u8>, ShelfError> {
        let bytes = read_bounded(&self.path(file), file.size)?;
        file.check(&bytes).map_err(|other| ShelfError::Other { folder: self.folder.clone(), other })?;
        Ok(bytes)
    }

    /// A folder for files on their way here; it goes when it is dropped.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn inbox(&self) -> Result<TempDir, ShelfError> {
        self.sweep();
        tempfile::Builder::new()
            .prefix(INBOX)
            .tempdir_in(&self.folder)
            .map_err(ShelfError::io("write", &self.folder))
    }

    /// Removes what runs that were killed have left: no run takes a day.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let old =
                || Some(entry.metadata().ok()?.modified().ok()?.elapsed().ok()? > Duration::from_hours(24));
            if entry.file_name().as_encoded_bytes().starts_with(INBOX.as_bytes()) && old() == Some(true) {
                // What cannot be removed now can be next time.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Takes a file out of an inbox, if it has this hash, and says what it is.
    ///
    /// # Errors
    /// Where it is not there, or another.
    pub fn take(&self, inbox: &Path, name: &str, sha256: Sha256Sum) -> Result<LockedFile, ShelfError> {
        let path = inbox.join(name);
        let file = LockedFile::of(name, &read_bounded(&path, MAX_BYTES)?);
        if file.sha256 != sha256 {
            let [expected, found] = [sha256, file.sha256].map(|sum| format!("sha256 {sum}"));
            return Err(ShelfError::Got(OtherFile { name: name.to_owned(), expected, found }));
        }
        self.place(&path, name)?;
        Ok(file)
    }

    fn place(&self, from: &Path, name: &str) -> Result<(), ShelfError> {
        let to = self.folder.join(name);
        fs::set_permissions(from, Permissions::from_mode(0o644)).map_err(ShelfError::io("write", from))?;
        let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
        sync(from).map_err(ShelfError::io("write", from))?;
        fs::rename(from, &to).map_err(ShelfError::io("write", &to))?;
        sync(&self.folder).map_err(ShelfError::io("write", &self.folder))
    }
}

/// Opens a regular file; a FIFO or a device is refused and never waited for.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file")) }
}

/// Reads a file that should have `size` bytes: one more at most.
fn read_bounded(path: &Path, size: u64) -> Result<Vec<u8>, ShelfError> {
    let read = || {
        let mut bytes = Vec::new();
        open_file(path)?.take(size.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(ShelfError::io("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_file_of_the_lock_gets_in_or_out() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(&folder.path().join("a/b")).unwrap();
        let file = LockedFile::of("x.whl", b"abc");
        assert!(!shelf.has(&file));
        let inbox = shelf.inbox().unwrap();
        fs::write(inbox.path().join("x.whl"), "abd").unwrap();
        assert!(matches!(shelf.take(inbox.path(), "x.whl", file.sha256), Err(ShelfError::Got(_))));
        fs::write(inbox.path().join("x.whl"), "abc").unwrap();
        shelf.take(inbox.path(), "x.whl", file.sha256).unwrap();
        assert_eq!(shelf.read(&file).unwrap(), b"abc");
        for other in ["abcd", "abd", ""] {
            fs::write(shelf.path(&file), other).unwrap();
            assert!(matches!(shelf.read(&file), Err(ShelfError::Other { .. })), "{other}");
        }
        fs::remove_file(shelf.path(&file)).unwrap();
        assert!(shelf.read(&file).unwrap_err().to_string().starts_with("cannot read `/"));
        drop(inbox);
        assert_eq!(fs::read_dir(&shelf.folder).unwrap().count(), 0);
        // As if killed: swept when it is a day old, not before.
        let left = shelf.inbox().unwrap().keep();
        drop(shelf.inbox().unwrap());
        assert!(left.exists());
        let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_hours(24);
        File::open(&left).unwrap().set_modified(old).unwrap();
        drop(shelf.inbox().unwrap());
        assert!(!left.exists());
    }
}
