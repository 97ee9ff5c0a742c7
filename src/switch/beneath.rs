//! Opening paths of a target beneath a held descriptor of its root, which is never left (openat2(2)).

use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Opens a path; links on the way lead to where they do for the target.
///
/// # Errors
/// What the system says.
pub fn open(root: &OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    at(root, path, flags, ResolveFlags::IN_ROOT)
}

/// Opens a path with no link on the way: somebody else than root may own what lies there.
///
/// # Errors
/// What the system says; `ELOOP` where there is a link.
pub fn open_plain(root: &OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    at(root, path, flags, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
}

fn at(root: &OwnedFd, path: &str, flags: OFlags, resolve: ResolveFlags) -> Result<OwnedFd, Errno> {
    let path = match path.trim_start_matches('/') {
        "" => ".",
        path => path,
    };
    let resolve = resolve | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
}
