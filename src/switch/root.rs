//! The managed paths of a target: looked at and changed, one rename a change.
//!
//! Every path is resolved beneath a held descriptor of the root (`openat2`, `RESOLVE_IN_ROOT`), so that an offline root
//! is never left, and only its last component is created, renamed or removed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::base::io::{IoError, OnPath as _};
use crate::base::path::TargetPath;
use crate::store::object::file_digest;
use crate::switch::beneath;
use crate::switch::observed::Found;

mod copy;
mod folder;

/// Files larger than this are nobody's configuration, and no generator of ours.
const MAX_FILE: u64 = 64 << 20;

/// The root folder of a target: `/`, or that of an offline root.
#[derive(Debug)]
pub struct Root {
    dir: PathBuf,
    fd: OwnedFd,
    /// Folders that were changed since the last sync.
    touched: BTreeSet<String>,
}

impl Root {
    /// Opens a root.
    ///
    /// # Errors
    /// Where it is no folder that can be opened.
    pub fn open(dir: &Path) -> Result<Self, IoError> {
        let fd =
            rustix::fs::openat(CWD, dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
                .on("open", dir)?;
        // Tools are run in another folder, where a relative path would be another root.
        Ok(Self { dir: path_of(&fd)?, fd, touched: BTreeSet::new() })
    }

    /// Whether this is an offline root.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.dir != Path::new("/")
    }

    /// A path of the target, as this machine sees it. For messages and for tools that take a root of their own.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn shown(&self, path: &str) -> PathBuf {
        self.dir.join(path.trim_start_matches('/'))
    }

    /// Where this machine has a folder of the target, which need not be there yet; no link leads out of the root.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn real(&self, path: &str) -> Result<PathBuf, IoError> {
        let mut folder = path;
        loop {
            match self.open_beneath(folder, OFlags::PATH | OFlags::DIRECTORY) {
                Ok(fd) => return Ok(path_of(&fd)?.join(path[folder.len()..].trim_start_matches('/'))),
                Err(Errno::NOENT) => folder = folder.rsplit_once('/').map_or("", |(above, _)| above),
                Err(error) => return Err(error).on("open", self.shown(folder)),
            }
        }
    }

    fn open_beneath(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        beneath::open(&self.fd, path, flags)
    }

    fn folder(&self, path: &str) -> Result<OwnedFd, IoError> {
        self.open_beneath(path, OFlags::PATH | OFlags::DIRECTORY).on("open folder", self.shown(path))
    }

    /// What is at a path.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn look(&self, path: &TargetPath) -> Result<Found, IoError> {
        let shown = self.shown(path.as_str());
        let folder = match self.open_beneath(path.parent(), OFlags::PATH | OFlags::DIRECTORY) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => return Ok(Found::Absent),
            Err(Errno::NOTDIR) => return Ok(Found::Other),
            Err(error) => return Err(error).on("open the folder of", &shown),
        };
        let found = match rustix::fs::statat(&folder, path.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(Found::Absent),
            Err(error) => return Err(error).on("look at", &shown),
        };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Symlink => {
                let target =
                    rustix::fs::readlinkat(&folder, path.file_name(), Vec::new()).on("read", &shown)?;
                Ok(target.into_string().map_or(Found::Other, Found::Link))
            }
            FileType::RegularFile => self.look_at_file(path, &folder, &found),
            _ => Ok(Found::Other),
        }
    }

    fn look_at_file(&self, path: &TargetPath, folder: &OwnedFd, found: &Stat) -> Result<Found, IoError> {
        let shown = self.shown(path.as_str());
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(folder, path.file_name(), flags, Mode::empty()).on("open", &shown)?;
        let mut content = Vec::new();
        File::from(file).take(MAX_FILE + 1).read_to_end(&mut content).on("read", &shown)?;
        if content.len() as u64 > MAX_FILE {
            return Ok(Found::Other);
        }
        Ok(Found::File {
            digest: file_digest(found.st_mode & 0o111 != 0, &content),
            mode: found.st_mode & 0o7777,
            root: found.st_uid == 0 && found.st_gid == 0,
        })
    }

    /// Whether there is a folder at a path.
    #[must_use]
    pub fn is_folder(&self, path: &str) -> bool {
        self.open_beneath(path, OFlags::PATH | OFlags::DIRECTORY).is_ok()
    }

    /// The folders on the way to a path that are not there, outermost first.
    #[must_use]
    pub fn missing_folders(&self, path: &TargetPath) -> Vec<TargetPath> {
        let mut missing = Vec::new();
        let mut folder = path.parent();
        while folder != "/" && !self.is_folder(folder) {
            let Ok(path) = TargetPath::new(folder) else {
                break;
            };
            missing.insert(0, path);
            folder = folder.rsplit_once('/').map_or("/", |(up, _)| if up.is_empty() { "/" } else { up });
        }
        missing
    }

    /// The first folder on the way to a path that another user than root can write. Where a link is on the way, the
    /// folders that it leads through count too.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn writable_by_others(&self, path: &TargetPath) -> Result<Option<String>, IoError> {
        self.writable_on_the_way(path.parent(), true)
    }

    fn writable_on_the_way(&self, folder: &str, with_links: bool) -> Result<Option<String>, IoError> {
        for end in folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]) {
            let shown = if end == 0 { "/" } else { &folder[..end] };
            let fd = match self.open_beneath(shown, OFlags::PATH | OFlags::DIRECTORY) {
                Ok(fd) => fd,
                Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
                Err(error) => return Err(error).on("open", self.shown(shown)),
            };
            let found = rustix::fs::fstat(&fd).on("look at", self.shown(shown))?;
            if found.st_uid != 0 || found.st_mode & 0o022 != 0 {
                return Ok(Some(shown.to_owned()));
            }
            let real = path_of(&fd)?;
            let real = real.strip_prefix(&self.dir).ok().and_then(Path::to_str);
            if let Some(real) = real.filter(|real| with_links && *real != shown.trim_start_matches('/'))
                && let Some(found) = self.writable_on_the_way(&format!("/{real}"), false)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Renames over a path what `make` makes in its folder, under the name that it is given; the path itself is for
    /// messages. What cannot be placed does not stay.
    fn place(
        &mut self,
        path: &TargetPath,
        number: u64,
        make: impl FnOnce(&OwnedFd, &str, &Path) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let (folder, temporary) = (self.folder(path.parent())?, temporary(path, number));
        let shown = self.shown(path.as_str());
        unlink(&folder, &temporary).on("remove", shown.with_file_name(&temporary))?;
        let placed = make(&folder, &temporary, &shown).and_then(|()| {
            rustix::fs::renameat(&folder, &temporary, &folder, path.file_name()).on("rename to", &shown)
        });
        if placed.is_err() {
            // Why it could not be placed is what is to be known.
            let _ = unlink(&folder, &temporary);
        } else {
            self.touched.insert(path.parent().to_owned());
        }
        placed
    }

    /// Renames a link with this target into place.
    ///
    /// # Errors
    /// Where the system says no; the path is then as it was.
    pub fn place_link(&mut self, path: &TargetPath, target: &str, number: u64) -> Result<(), IoError> {
        self.place(path, number, |folder, temporary, shown| {
            rustix::fs::symlinkat(target, folder, temporary).on("make link", shown)
        })
    }

    /// Renames a file of root's with these bytes and this mode into place.
    ///
    /// # Errors
    /// Where the system says no; the path is then as it was.
    pub fn place_copy(
        &mut self,
        path: &TargetPath,
        (content, mode): (&[u8], u32),
        number: u64,
    ) -> Result<(), IoError> {
        self.place(path, number, |folder, temporary, shown| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let fd =
                rustix::fs::openat(folder, temporary, flags, Mode::RUSR | Mode::WUSR).on("create", shown)?;
            rustix::fs::fchown(&fd, Some(rustix::fs::Uid::ROOT), Some(rustix::fs::Gid::ROOT))
                .on("own", shown)?;
            rustix::fs::fchmod(&fd, Mode::from_raw_mode(mode)).on("set the mode of", shown)?;
            let mut file = File::from(fd);
            file.write_all(content).on("write", shown)?;
            file.sync_all().on("sync", shown)
        })
    }

    /// Removes a file or link, which may be gone already.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn remove(&mut self, path: &TargetPath) -> Result<(), IoError> {
        if !self.is_folder(path.parent()) {
            return Ok(());
        }
        let folder = self.folder(path.parent())?;
        unlink(&folder, path.file_name()).on("remove", self.shown(path.as_str()))?;
        self.touched.insert(path.parent().to_owned());
        Ok(())
    }

    /// Removes what a killed activation left beside a path.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn sweep(&mut self, path: &TargetPath, number: u64) -> Result<(), IoError> {
        if !self.is_folder(path.parent()) {
            return Ok(());
        }
        let folder = self.folder(path.parent())?;
        let name = temporary(path, number);
        unlink(&folder, &name).on("remove", self.shown(path.as_str()).with_file_name(&name))
    }

    /// Makes a folder of root's, which may be there already.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn make_folder(&mut self, path: &TargetPath) -> Result<(), IoError> {
        let parent = self.folder(path.parent())?;
        let shown = self.shown(path.as_str());
        match rustix::fs::mkdirat(&parent, path.file_name(), Mode::from_raw_mode(0o755)) {
            Ok(()) => {
                let made = self
                    .open_beneath(path.as_str(), OFlags::RDONLY | OFlags::DIRECTORY)
                    .on("open", &shown)?;
                rustix::fs::fchmod(&made, Mode::from_raw_mode(0o755)).on("set the mode of", &shown)?;
            }
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error).on("make folder", &shown),
        }
        self.touched.insert(path.parent().to_owned());
        Ok(())
    }

    /// Removes a folder if it is there and empty.
    ///
    /// # Errors
    /// Where the system says no for another reason.
    pub fn remove_folder(&mut self, path: &TargetPath) -> Result<(), IoError> {
        if !self.is_folder(path.parent()) {
            return Ok(());
        }
        let parent = self.folder(path.parent())?;
        match rustix::fs::unlinkat(&parent, path.file_name(), AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::NOTDIR) => {}
            Err(error) => return Err(error).on("remove folder", self.shown(path.as_str())),
        }
        self.touched.insert(path.parent().to_owned());
        Ok(())
    }

    /// Makes all changes since the last sync durable.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn sync(&mut self) -> Result<(), IoError> {
        for folder in std::mem::take(&mut self.touched) {
            match self.open_beneath(&folder, OFlags::RDONLY | OFlags::DIRECTORY) {
                Ok(fd) => rustix::fs::fsync(fd.as_fd()).on("sync", self.shown(&folder))?,
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error).on("open", self.shown(&folder)),
            }
        }
        Ok(())
    }
}

/// The absolute path of what is open.
fn path_of(fd: &OwnedFd) -> Result<PathBuf, IoError> {
    let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let path = rustix::fs::readlinkat(CWD, &link, Vec::new()).on("read link", &link)?;
    Ok(PathBuf::from(OsString::from_vec(path.into_bytes())))
}

/// The name of a file beside `path` while it is made.
fn temporary(path: &TargetPath, number: u64) -> String {
    format!(".{}.voevent-{number}", path.file_name())
}

fn unlink(folder: &OwnedFd, name: &str) -> Result<(), Errno> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
