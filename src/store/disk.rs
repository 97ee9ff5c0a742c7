//! A store's folder: objects are added in batches, so that a name always has its whole content.
//!
//! A batch writes under temporary names, syncs once for all of them, hard-links new files into `.files`, renames, and
//! syncs the folder. After a power cut at any point a name is there with all its bytes, or it is not there.

#![expect(clippy::disallowed_methods, reason = "the door to a store's folder")]

use std::collections::BTreeMap;
use std::fs::{File as FsFile, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FlockOperation, OFlags, Timespec, Timestamps};

use crate::base::digest::{Digest, OfFile};
use crate::base::io::{IoError, OnPath as _};
use crate::store::bundle::{BadBundle, Bundle, MANIFEST, MAX_MANIFEST};
use crate::store::object::{Entry, Object, ObjectName, Tree, file_digest};

/// Above this many new files one `syncfs` is cheaper than an `fdatasync` each.
const SYNC_EACH: usize = 32;
const TEMPORARY: &str = ".tmp-";

/// A folder of objects.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

/// Why a bundle cannot be read from a store.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system said no.
    #[error(transparent)]
    Io(#[from] IoError),
    /// It is larger than any manifest.
    #[error("`{}` is larger than {MAX_MANIFEST} bytes: that is no manifest", .0.display())]
    TooLarge(PathBuf),
    /// It is not the bundle.
    #[error(transparent)]
    Bad(#[from] BadBundle),
}

impl Store {
    /// The store in this folder, which need not be there yet.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its files of trees, by their digests. A batch holds the lock of this folder.
    #[must_use]
    pub fn pool(&self) -> PathBuf {
        self.dir.join(".files")
    }

    /// Where an object of this name is, or would be.
    #[must_use]
    pub fn path(&self, name: &ObjectName) -> PathBuf {
        self.dir.join(name.as_str())
    }

    /// Whether there is an object of this name.
    #[must_use]
    pub fn has(&self, name: &ObjectName) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// The bundle of this name.
    ///
    /// # Errors
    /// Where it is not there, cannot be read, or is not what its name says.
    pub fn bundle(&self, name: &ObjectName) -> Result<Bundle, ReadError> {
        let path = self.path(name).join(MANIFEST);
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
            .open(&path)
            .on("read", &path)?;
        let mut bytes = Vec::new();
        (&mut file).take(MAX_MANIFEST + 1).read_to_end(&mut bytes).on("read", &path)?;
        if bytes.len() as u64 > MAX_MANIFEST {
            return Err(ReadError::TooLarge(path));
        }
        Ok(Bundle::read(name, &bytes)?)
    }

    /// The bytes of a file object.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(&self, name: &ObjectName) -> Result<Vec<u8>, IoError> {
        let path = self.path(name);
        std::fs::read(&path).on("read", &path)
    }

    /// Starts a batch: makes the folder where it is missing, waits for other writers, sweeps what a killed one left.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn batch(&self) -> Result<Batch<'_>, IoError> {
        let pool = self.pool();
        std::fs::create_dir_all(&pool).on("make folder", &pool)?;
        let dir = FsFile::open(&self.dir).on("open", &self.dir)?;
        let lock = FsFile::open(&pool).on("open", &pool)?;
        rustix::fs::flock(&lock, FlockOperation::LockExclusive).on("lock", &pool)?;
        for entry in std::fs::read_dir(&self.dir).on("list", &self.dir)? {
            let entry = entry.on("list", &self.dir)?;
            if entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) {
                remove(&entry.path())?;
            }
        }
        Ok(Batch {
            store: self,
            dir,
            lock,
            count: 0,
            staged: Vec::new(),
            fresh: BTreeMap::new(),
            written: Vec::new(),
        })
    }
}

/// Objects on their way into a store. Dropped unfinished, it leaves nothing under an object's name.
#[derive(Debug)]
pub struct Batch<'a> {
    store: &'a Store,
    dir: FsFile,
    lock: FsFile,
    count: usize,
    staged: Vec<(PathBuf, ObjectName)>,
    /// Files of trees that the pool has not, by digest: where the first of each was written.
    fresh: BTreeMap<Digest<OfFile>, PathBuf>,
    written: Vec<PathBuf>,
}

impl Batch<'_> {
    /// A new temporary path for an object.
    pub(crate) fn temporary(&mut self) -> PathBuf {
        self.count += 1;
        self.store.dir.join(format!("{TEMPORARY}{}-{}", std::process::id(), self.count))
    }

    /// Stages an object, unless the store has one of this name.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn add(&mut self, name: &ObjectName, object: &Object) -> Result<(), IoError> {
        if self.store.has(name) || self.staged.iter().any(|(_, staged)| staged == name) {
            return Ok(());
        }
        let path = self.temporary();
        match object {
            Object::File(file) => self.write(&path, file.exec, &file.content)?,
            Object::Tree(tree) => self.tree(&path, tree)?,
        }
        self.stage(path, name.clone());
        Ok(())
    }

    /// Stages a bundle: its manifest, and the links of `root/`. Its objects come in a batch before.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn add_bundle(&mut self, bundle: &Bundle) -> Result<(), IoError> {
        if self.store.has(&bundle.name) {
            return Ok(());
        }
        let path = self.temporary();
        std::fs::create_dir(&path).on("make folder", &path)?;
        self.write(&path.join(MANIFEST), false, bundle.manifest.to_toml().as_bytes())?;
        let mut root = Tree::default();
        for (link, object) in bundle.root() {
            let up = "../".repeat(link.matches('/').count() + 2);
            // Paths of a checked manifest neither repeat nor hold each other.
            let _ = root.insert(&link, Entry::Link(format!("{up}{object}")));
        }
        self.tree(&path.join("root"), &root)?;
        self.seal_folder(&path)?;
        self.stage(path, bundle.name.clone());
        Ok(())
    }

    fn tree(&mut self, path: &Path, tree: &Tree) -> Result<(), IoError> {
        std::fs::create_dir(path).on("make folder", path)?;
        for (name, entry) in &tree.entries {
            let path = path.join(name);
            match entry {
                Entry::File(file) => {
                    self.pooled(&path, file.exec, &file.content)?;
                }
                Entry::Link(target) => link(target, &path)?,
                Entry::Folder(tree) => self.tree(&path, tree)?,
            }
        }
        self.seal_folder(path)
    }

    /// Writes a file of a tree, or links it to one with the same bytes.
    pub(crate) fn pooled(
        &mut self,
        path: &Path,
        exec: bool,
        content: &[u8],
    ) -> Result<Digest<OfFile>, IoError> {
        let digest = file_digest(exec, content);
        let pooled = self.store.pool().join(digest.short());
        let source = self.fresh.get(&digest).unwrap_or(&pooled);
        match std::fs::hard_link(source, path) {
            Ok(()) => return Ok(digest),
            // EMLINK: the file has as many names as the file system allows.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::TooManyLinks) => {}
            Err(error) => return Err(error).on("link", path),
        }
        self.write(path, exec, content)?;
        self.fresh.entry(digest).or_insert_with(|| path.to_owned());
        Ok(digest)
    }

    /// Writes a file with an object's mode and time.
    pub(crate) fn write(&mut self, path: &Path, exec: bool, content: &[u8]) -> Result<(), IoError> {
        write_file(path, exec, content)?;
        self.written.push(path.to_owned());
        Ok(())
    }

    /// Gives a folder an object's mode and time, when all that it has is written.
    pub(crate) fn seal_folder(&mut self, path: &Path) -> Result<(), IoError> {
        seal_folder(path)?;
        self.written.push(path.to_owned());
        Ok(())
    }

    /// Takes a temporary path whose content is whole as the object of this name.
    pub(crate) fn stage(&mut self, path: PathBuf, name: ObjectName) {
        self.staged.push((path, name));
    }

    /// Makes all that was staged durable, and only then gives it its names. Returns how many objects are new.
    ///
    /// # Errors
    /// Where the system says no; objects that have their names by then are whole.
    pub fn finish(self) -> Result<usize, IoError> {
        let dir = &self.store.dir;
        if self.staged.is_empty() {
            return Ok(0);
        }
        if self.written.len() > SYNC_EACH {
            rustix::fs::syncfs(&self.dir).on("sync", dir)?;
        } else {
            for path in &self.written {
                FsFile::open(path).and_then(|file| file.sync_all()).on("sync", path)?;
            }
        }
        for (digest, path) in &self.fresh {
            let pooled = self.store.pool().join(digest.short());
            match std::fs::hard_link(path, &pooled) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(error).on("link", &pooled);
                }
                _ => {}
            }
        }
        for (path, name) in &self.staged {
            let to = dir.join(name.as_str());
            std::fs::rename(path, &to).on("rename to", &to)?;
        }
        self.lock.sync_all().on("sync", self.store.pool())?;
        self.dir.sync_all().on("sync", dir)?;
        Ok(self.staged.len())
    }
}

/// Objects have no time: mtime 1, as zip and tar can both write it.
const EPOCH: Timestamps = Timestamps {
    last_access: Timespec { tv_sec: 1, tv_nsec: 0 },
    last_modification: Timespec { tv_sec: 1, tv_nsec: 0 },
};

/// Makes a symbolic link with an object's time.
pub(crate) fn link(target: &str, path: &Path) -> Result<(), IoError> {
    std::os::unix::fs::symlink(target, path).on("link", path)?;
    rustix::fs::utimensat(CWD, path, &EPOCH, AtFlags::SYMLINK_NOFOLLOW).on("set the time of", path)
}

/// Writes a new file with an object's mode and time.
pub(crate) fn write_file(path: &Path, exec: bool, content: &[u8]) -> Result<(), IoError> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).on("create", path)?;
    file.write_all(content).on("write", path)?;
    let mode = if exec { 0o555 } else { 0o444 };
    file.set_permissions(Permissions::from_mode(mode)).on("set the mode of", path)?;
    rustix::fs::futimens(&file, &EPOCH).on("set the time of", path)
}

/// Gives a folder an object's mode and time.
///
/// # Errors
/// Where the system says no.
pub fn seal_folder(path: &Path) -> Result<(), IoError> {
    std::fs::set_permissions(path, Permissions::from_mode(0o555)).on("set the mode of", path)?;
    rustix::fs::utimensat(CWD, path, &EPOCH, AtFlags::empty()).on("set the time of", path)
}

/// Removes a file, a link, or a folder with all that it has; nothing is followed.
///
/// # Errors
/// Where the system says no.
pub fn remove(path: &Path) -> Result<(), IoError> {
    let Ok(found) = path.symlink_metadata() else {
        return Ok(());
    };
    if !found.is_dir() {
        return std::fs::remove_file(path).on("remove", path);
    }
    // Folders of objects cannot be written, not even by their owner.
    std::fs::set_permissions(path, Permissions::from_mode(0o700)).on("set the mode of", path)?;
    for entry in std::fs::read_dir(path).on("list", path)? {
        remove(&entry.on("list", path)?.path())?;
    }
    std::fs::remove_dir(path).on("remove", path)
}

#[cfg(test)]
mod tests;
