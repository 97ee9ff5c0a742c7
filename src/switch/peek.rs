//! Facts about files of a target, read beneath its root, which is never left (`openat2`, `RESOLVE_IN_ROOT`).

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::base::io::{IoError, OnPath as _};
use crate::switch::beneath;

/// A root to look into: `/`, or that of an offline root.
#[derive(Debug)]
pub struct Peek {
    dir: PathBuf,
    fd: OwnedFd,
}

impl Peek {
    /// Opens a root.
    ///
    /// # Errors
    /// Where it is no folder.
    pub fn open(dir: &Path) -> Result<Self, IoError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(CWD, dir, flags, Mode::empty()).on("open", dir)?;
        Ok(Self { dir: dir.to_owned(), fd })
    }

    /// The root.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn at(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        beneath::open(&self.fd, path, flags)
    }

    fn shown(&self, path: &str) -> PathBuf {
        self.dir.join(path.trim_start_matches('/'))
    }

    /// The text of a file, which may have so many bytes; `None` where it is not there. What is no UTF-8 in it becomes
    /// U+FFFD.
    ///
    /// # Errors
    /// Where it cannot be read, or is larger.
    pub fn text(&self, path: &str, most: u64) -> Result<Option<String>, IoError> {
        let shown = self.shown(path);
        let fd = match self.at(path, OFlags::RDONLY | OFlags::NONBLOCK) {
            Ok(fd) => fd,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error).on("open", shown),
        };
        let mut bytes = Vec::new();
        File::from(fd).take(most + 1).read_to_end(&mut bytes).on("read", &shown)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
            return Err(std::io::Error::from(std::io::ErrorKind::FileTooLarge)).on("read", shown);
        }
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// What the system knows of a path, links followed; `None` where nothing is there.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn stat(&self, path: &str) -> Result<Option<Stat>, IoError> {
        match self.at(path, OFlags::PATH) {
            Ok(fd) => rustix::fs::statat(fd.as_fd(), "", AtFlags::EMPTY_PATH)
                .on("look at", self.shown(path))
                .map(Some),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(error).on("open", self.shown(path)),
        }
    }

    /// The same with no link on the way: `None` where there is one, `Some(None)` where nothing is there.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn stat_plain(&self, path: &str) -> Result<Option<Option<Stat>>, IoError> {
        match beneath::open_plain(&self.fd, path, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(fd) => {
                let found = rustix::fs::statat(fd.as_fd(), "", AtFlags::EMPTY_PATH);
                let found = found.on("look at", self.shown(path))?;
                let is_link = FileType::from_raw_mode(found.st_mode) == FileType::Symlink;
                Ok((!is_link).then_some(Some(found)))
            }
            Err(Errno::LOOP) => Ok(None),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(Some(None)),
            Err(error) => Err(error).on("open", self.shown(path)),
        }
    }

    /// The bytes that root may still write to the file system of a folder. Where the folder is not there yet, that of
    /// the nearest one above it.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn free(&self, path: &str) -> Result<u64, IoError> {
        let mut folder = path.trim_end_matches('/');
        loop {
            match self.at(folder, OFlags::PATH | OFlags::DIRECTORY) {
                Ok(fd) => {
                    let found = rustix::fs::fstatvfs(fd).on("look at", self.shown(folder))?;
                    return Ok(found.f_bavail.saturating_mul(found.f_frsize));
                }
                Err(Errno::NOENT) if !folder.is_empty() => {
                    folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
                }
                Err(error) => return Err(error).on("open", self.shown(folder)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "it makes the files to look at")]
    fn a_root_is_not_left() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/x"), "inside").unwrap();
        std::os::unix::fs::symlink("/etc/x", dir.path().join("absolute")).unwrap();
        std::os::unix::fs::symlink("../../../../etc/x", dir.path().join("up")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("passwd")).unwrap();
        let peek = Peek::open(dir.path()).unwrap();
        for path in ["/etc/x", "/absolute", "/up"] {
            assert_eq!(peek.text(path, 6).unwrap().as_deref(), Some("inside"), "{path}");
        }
        assert_eq!(peek.text("/passwd", 1 << 20).unwrap(), None);
        assert!(peek.text("/etc/x", 5).is_err());
        assert!(peek.stat("/etc/x/y").unwrap().is_none() && peek.stat("/").unwrap().is_some());
        assert!(peek.free("/var/lib/none").unwrap() > 0);
    }
}
