//! The session: what one run of the tests owns, and how all of it goes when the run ends, however it ends.
//!
//! ```text
//! <cache>/run/voevent-<pid>.lock     locked as long as the process lives
//! <cache>/run/voevent-<pid>/         a folder a lab, in it a folder a machine
//! ```
//!
//! A second process, the watcher, does nothing but wait for the end of the first, and then clears away. A run
//! whose watcher was ended too is found by the next run: its lock can be taken. Layers are deleted by the
//! watcher and not before: after a mass deletion ext4 makes files several times slower for a while.

use super::{Call, Explain, Failure, Result, base, remains};
use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The argument with which this program starts itself as the watcher.
const WATCH: &str = "--watch-session";
/// The kind of file system that statfs says of an overlay.
const OVERLAY: i64 = 0x794c_7630;

/// What this process owns.
pub(super) struct Session {
    id: String,
    dir: PathBuf,
    labs: AtomicUsize,
    alive: Mutex<Option<(File, Child)>>,
}

static SESSION: OnceLock<Result<Session>> = OnceLock::new();

/// The session of this process, begun at the first call.
pub(super) fn current() -> Result<&'static Session> {
    SESSION.get_or_init(Session::begin).as_ref().map_err(Clone::clone)
}

impl Session {
    /// The name and the folder of a new lab. Every name of the lab begins with the first, and no other does.
    pub(super) fn lab(&self) -> Result<(String, PathBuf)> {
        let number = self.labs.fetch_add(1, Ordering::Relaxed) + 1;
        let dir = self.dir.join(number.to_string());
        fs::create_dir(&dir).explain(|| format!("make `{}`", dir.display()))?;
        Ok((format!("{}-{number}-", self.id), dir))
    }

    /// Its folder, in which overlay mounts are made so that their options stay short.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    fn begin() -> Result<Self> {
        if !super::is_root() {
            return Err(Failure::new("machines are booted by root"));
        }
        let runs = base::cache()?.join("run");
        fs::create_dir_all(&runs).explain(|| format!("make `{}`", runs.display()))?;
        // one at a time: a lock file between its making and its locking looks like one of a dead process
        let _turn = base::locked(&runs.join("turn"))?;
        sweep(&runs)?;
        let id = format!("voevent-{}", std::process::id());
        let (dir, lock) = (runs.join(&id), runs.join(format!("{id}.lock")));
        let held = base::locked(&lock)?;
        fs::create_dir(&dir).explain(|| format!("make `{}`", dir.display()))?;
        make_shared_mount(&dir)?;
        let watcher = start_watcher(&lock)?;
        Ok(Self { id, dir, labs: AtomicUsize::new(0), alive: Mutex::new(Some((held, watcher))) })
    }
}

/// Ends the session of this process, if there is one: returns when nothing of it is left.
pub fn finish() {
    let Some(Ok(session)) = SESSION.get() else { return };
    let alive = session.alive.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((held, mut watcher)) = alive {
        drop((held, watcher.stdin.take()));
        if let Err(error) = watcher.wait() {
            eprintln!("warning: the watcher of the tests: {error}");
        }
    }
}

/// The watcher's whole life, where this process was started as one. The first thing that `main` calls.
pub fn watch() -> Option<Result<()>> {
    let mut args = env::args_os().skip(1);
    (args.next()? == WATCH).then(|| {
        let lock = PathBuf::from(args.next().unwrap_or_default());
        io::stdin().read_to_end(&mut Vec::new()).explain(|| "read from the tests".to_owned())?;
        let _turn = base::locked(&lock.with_file_name("turn"))?;
        let _held = base::locked(&lock)?;
        clear(&lock)
    })
}

/// Makes the folder a mount that is shared: each machine's mount namespace starts as a copy of the host's, and
/// only so does an unmount here reach the copies, without which nothing is ever really unmounted or flushed.
///
/// It is a file system in memory where the cache is itself on an overlay, which can be no layer of another.
fn make_shared_mount(dir: &Path) -> Result<()> {
    let kind = rustix::fs::statfs(dir).explain(|| format!("look at `{}`", dir.display()))?.f_type;
    let mount = |options: &[&str]| {
        let words = ["mount"].iter().chain(options).map(Path::new);
        Call::here(words.chain([dir])).ok().map(drop)
    };
    if kind == OVERLAY {
        mount(&["-t", "tmpfs", "voevent-test"])?;
    } else {
        Call::here([Path::new("mount"), Path::new("--bind"), dir, dir]).ok()?;
    }
    mount(&["--make-private"])?;
    mount(&["--make-shared"])
}

fn start_watcher(lock: &Path) -> Result<Child> {
    let program = env::current_exe().explain(|| "find this program".to_owned())?;
    // a group of its own: Ctrl-C at a terminal reaches the tests and not the one who clears up after them
    let mut command = Command::new(program);
    command.arg(WATCH).arg(lock).stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
    command.spawn().explain(|| "start the watcher of the tests".to_owned())
}

/// Clears away what dead sessions left.
fn sweep(runs: &Path) -> Result<()> {
    let entries = fs::read_dir(runs).explain(|| format!("read `{}`", runs.display()))?;
    for lock in entries.flatten().map(|entry| entry.path()) {
        if lock.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        let file = File::open(&lock).explain(|| format!("open `{}`", lock.display()))?;
        if file.try_lock().is_ok() {
            clear(&lock)?;
        }
    }
    Ok(())
}

/// Clears away everything of the session with this lock file.
fn clear(lock: &Path) -> Result<()> {
    let dir = lock.with_extension("");
    let id = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let prefix = format!("{id}-");
    remains::clear(|name| name.starts_with(&prefix), &dir)?;
    if dir.exists() {
        fs::remove_dir_all(&dir).explain(|| format!("remove `{}`", dir.display()))?;
    }
    if lock.exists() {
        fs::remove_file(lock).explain(|| format!("remove `{}`", lock.display()))?;
    }
    Ok(())
}
