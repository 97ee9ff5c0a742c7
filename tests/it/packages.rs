//! The example lock with its wheels, for the tests that need real packages: fetched once and kept under `target/`.

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

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts/locks").join(LOCK)
}

/// A folder with the example lock and no wheels.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(example(), folder.path().join(LOCK)).unwrap();
    folder
}

/// The example lock, and the folders with all its wheels.
pub(crate) fn fetched() -> (&'static Pylock, &'static Folders) {
    static FETCHED: OnceLock<(Pylock, Folders)> = OnceLock::new();
    let (lock, folders) = FETCHED.get_or_init(|| {
        let locks = Path::new(env!("CARGO_TARGET_TMPDIR")).join("locks");
        fs::create_dir_all(&locks).unwrap();
        fs::copy(example(), locks.join(LOCK)).unwrap();
        let (_, lock) = read_lock(&locks.join(LOCK)).unwrap_or_else(|error| panic!("{error}"));
        let folders = Folders { locks, tools: tools() };
        let count = fetch(&lock, None, &folders, &mut |_| {});
        count.unwrap_or_else(|error| panic!("{error}\nhelp: {}", error.help()));
        (lock, folders)
    });
    (lock, folders)
}

/// What a test says that needs the interpreter of the example lock where there is none. It fails: a test that proves
/// nothing is no success.
pub(crate) const NO_PYTHON: &str =
    "this test needs python 3.11 in `/usr/bin`: that of Debian 12, `apt install python3`";

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
