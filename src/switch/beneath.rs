//! Opening paths of a target beneath a held descriptor of its root, which is never left (openat2(2)).

use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// How often a path is tried. The kernel gives one up that has `..` in it, or a link with that, where anything anywhere
/// was renamed or mounted meanwhile (`EAGAIN`, openat2(2)).
const TRIES: usize = 1000;

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
    let open = || rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve);
    (1..TRIES).map(|_| open()).find(|result| !matches!(result, Err(Errno::AGAIN))).unwrap_or_else(open)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test: it renames")]

    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use super::*;

    #[test]
    fn what_is_renamed_elsewhere_keeps_nothing_from_being_opened() {
        let [here, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        std::fs::create_dir(here.path().join("etc")).unwrap();
        std::fs::write(here.path().join("release"), "").unwrap();
        std::os::unix::fs::symlink("../etc/".repeat(20) + "../release", here.path().join("etc/release"))
            .unwrap();
        let root = OwnedFd::from(std::fs::File::open(here.path()).unwrap());
        let [one, two] = ["one", "two"].map(|name| elsewhere.path().join(name));
        std::fs::write(&one, "").unwrap();
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Relaxed) {
                    std::fs::rename(&one, &two).and_then(|()| std::fs::rename(&two, &one)).unwrap();
                }
            });
            let results: Vec<_> = (0..2000).map(|_| open(&root, "/etc/release", OFlags::RDONLY)).collect();
            is_done.store(true, Relaxed);
            assert_eq!(results.iter().filter(|result| result.is_err()).count(), 0);
        });
    }
}
