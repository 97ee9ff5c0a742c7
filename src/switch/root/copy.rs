//! Files and links copied from one root to another, with all that belongs to them.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags};

use crate::base::io::{IoError, OnPath as _};
use crate::base::path::TargetPath;

use super::{MAX_FILE, Root};

/// The longest value, and the longest list of names, that an extended attribute has (xattr(7)).
const MAX_ATTRIBUTE: usize = 64 << 10;

impl Root {
    /// Renames a copy of what another root has at a path into the same path here: its bytes or its target, its mode,
    /// owner, extended attributes and times.
    ///
    /// # Errors
    /// Where the system says no; the path is then as it was.
    pub fn copy_from(&mut self, other: &Self, path: &TargetPath, number: u64) -> Result<(), IoError> {
        let (from, source) = (other.folder(path.parent())?, other.shown(path.as_str()));
        let found =
            rustix::fs::statat(&from, path.file_name(), AtFlags::SYMLINK_NOFOLLOW).on("look at", &source)?;
        self.place(path, number, |folder, temporary, shown| {
            if FileType::from_raw_mode(found.st_mode) == FileType::Symlink {
                let target =
                    rustix::fs::readlinkat(&from, path.file_name(), Vec::new()).on("read", &source)?;
                rustix::fs::symlinkat(&*target, folder, temporary).on("make link", shown)?;
                let (owner, group) = owner(&found);
                let flags = AtFlags::SYMLINK_NOFOLLOW;
                rustix::fs::chownat(folder, temporary, owner, group, flags).on("own", shown)?;
                return rustix::fs::utimensat(folder, temporary, &times(&found), flags)
                    .on("set the times of", shown);
            }
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let from =
                rustix::fs::openat(&from, path.file_name(), flags, Mode::empty()).on("open", &source)?;
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let to =
                rustix::fs::openat(folder, temporary, flags, Mode::RUSR | Mode::WUSR).on("create", shown)?;
            copy_file(from, to).on("copy", &source)
        })
    }
}

fn copy_file(from: OwnedFd, to: OwnedFd) -> std::io::Result<()> {
    let found = rustix::fs::fstat(&from)?;
    let (owner, group) = owner(&found);
    rustix::fs::fchown(&to, owner, group)?;
    // A change of owner takes file capabilities away, one of the access list the mode.
    copy_attributes(&from, &to)?;
    rustix::fs::fchmod(&to, Mode::from_raw_mode(found.st_mode & 0o7777))?;
    let (mut from, mut to) = (File::from(from).take(MAX_FILE), File::from(to));
    let mut content = Vec::new();
    from.read_to_end(&mut content)?;
    to.write_all(&content)?;
    rustix::fs::futimens(&to, &times(&found))?;
    to.sync_all()
}

fn copy_attributes(from: &OwnedFd, to: &OwnedFd) -> std::io::Result<()> {
    let mut names = vec![0_u8; MAX_ATTRIBUTE];
    let length = match rustix::fs::flistxattr(from, &mut names[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::OPNOTSUPP) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut value = vec![0_u8; MAX_ATTRIBUTE];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let length = rustix::fs::fgetxattr(from, name, &mut value[..])?;
        rustix::fs::fsetxattr(to, name, &value[..length], XattrFlags::empty())?;
    }
    Ok(())
}

fn owner(found: &Stat) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(found.st_uid)), Some(Gid::from_raw(found.st_gid)))
}

fn times(found: &Stat) -> Timestamps {
    let time = |seconds, nanoseconds: u64| Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds.try_into().unwrap_or_default(),
    };
    Timestamps {
        last_access: time(found.st_atime, found.st_atime_nsec),
        last_modification: time(found.st_mtime, found.st_mtime_nsec),
    }
}
