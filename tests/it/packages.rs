//! The example lock with its wheels, fetched once a run, for the tests that need real packages.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;
use voevent_node::build::lock::{Folders, Pylock, fetch, read_lock, uv};

/// Comet 3.1.0 for Debian 12.
pub(crate) const LOCK: &str = "pylock.comet-a29b3a37.toml";

/// Where uv and build requirements stay between runs.
pub(crate) fn tools() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools")
}

/// A folder with the example lock and no wheels.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts/locks").join(LOCK);
    fs::copy(lock, folder.path().join(LOCK)).unwrap();
    folder
}

/// The example lock, and the folders with all its wheels.
pub(crate) fn fetched() -> (&'static Pylock, &'static Folders) {
    static FETCHED: OnceLock<(TempDir, Pylock, Folders)> = OnceLock::new();
    let (_, lock, folders) = FETCHED.get_or_init(|| {
        let folder = folder();
        let folders = Folders { locks: folder.path().to_owned(), tools: tools() };
        let (_, lock) = read_lock(&folder.path().join(LOCK)).unwrap_or_else(|error| panic!("{error}"));
        let mut said = Vec::new();
        let count = fetch(&lock, &folders, &mut |line| said.push(line.to_owned()));
        let count = count.unwrap_or_else(|error| panic!("{error}\nhelp: {}", error.help()));
        assert_eq!(count, lock.packages.len());
        assert!(
            said.iter().any(|line| line == "building comet-3.1.0-py3-none-any.whl from Comet-3.1.0.tar.gz")
        );
        (folder, lock, folders)
    });
    (lock, folders)
}

/// The pinned uv.
pub(crate) fn uv_program() -> PathBuf {
    static UV: OnceLock<PathBuf> = OnceLock::new();
    let get = || {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders { locks: folder.path().to_owned(), tools: tools() };
        uv::program(&folders, &mut |_| {}).unwrap_or_else(|error| panic!("{error}\nhelp: {}", error.help()))
    };
    UV.get_or_init(get).clone()
}
