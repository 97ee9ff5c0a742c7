//! Folders that were there before us: their modes and owners, looked at and given back. No link is followed on the way:
//! somebody else than root may own it.

use std::os::fd::OwnedFd;

use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use crate::base::io::{IoError, OnPath as _};
use crate::base::path::TargetPath;
use crate::store::manifest;
use crate::switch::beneath;
use crate::switch::record::FolderBefore;

use super::Root;

impl Root {
    fn open_folder(&self, path: &TargetPath) -> Result<Option<OwnedFd>, IoError> {
        match beneath::open_plain(&self.fd, path.as_str(), OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(fd) => Ok(Some(fd)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(error).on("open folder", self.shown(path.as_str())),
        }
    }

    /// The mode and the owner of a folder; `None` where there is none, or a link is on the way.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn look_at_folder(&self, path: &TargetPath) -> Result<Option<FolderBefore>, IoError> {
        let Some(fd) = self.open_folder(path)? else { return Ok(None) };
        let found = rustix::fs::fstat(&fd).on("look at", self.shown(path.as_str()))?;
        Ok(manifest::Mode::new(found.st_mode & 0o7777).map(|mode| FolderBefore {
            path: path.clone(),
            mode,
            owner: found.st_uid,
            group: found.st_gid,
        }))
    }

    /// Gives a folder the mode and the owner that it had. One that is gone stays so.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn restore_folder(&self, before: &FolderBefore) -> Result<(), IoError> {
        let Some(fd) = self.open_folder(&before.path)? else { return Ok(()) };
        let shown = self.shown(before.path.as_str());
        let (owner, group) = (Uid::from_raw(before.owner), Gid::from_raw(before.group));
        rustix::fs::fchown(&fd, Some(owner), Some(group)).on("own", &shown)?;
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(before.mode.bits())).on("set the mode of", &shown)?;
        rustix::fs::fsync(&fd).on("sync", &shown)
    }
}
