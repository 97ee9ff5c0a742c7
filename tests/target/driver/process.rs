//! Processes as `/proc` shows them, and how one that is ours is ended: by its id, never by its name.

use super::{Explain, Failure, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::fs;
use std::time::Duration;

/// The value of one line of `/proc/<pid>/status`; none if the process is gone.
fn status(pid: i32, key: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// The processes whose parent this is.
pub(super) fn children(parent: i32) -> Result<Vec<i32>> {
    let entries = fs::read_dir("/proc").explain(|| "read `/proc`".to_owned())?;
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(pids.filter(|&pid| status(pid, "PPid").is_some_and(|id| id == parent.to_string())).collect())
}

/// Is this the first process of a process namespace of its own, and systemd already?
pub(super) fn is_inner_systemd(pid: i32) -> bool {
    let first = status(pid, "NSpid").is_some_and(|ids| {
        let ids: Vec<&str> = ids.split_whitespace().collect();
        ids.len() > 1 && ids.last() == Some(&"1")
    });
    first && status(pid, "Name").is_some_and(|name| name == "systemd")
}

/// Does it still run? One that has ended and waits for its parent does not.
pub(super) fn runs(pid: i32) -> bool {
    status(pid, "State").is_some_and(|state| !state.starts_with(['Z', 'X']))
}

/// Kills one process; one that is gone already is no error.
pub(super) fn kill(pid: i32) -> Result<()> {
    let id = Pid::from_raw(pid).ok_or_else(|| Failure::new(format!("{pid} is not a process id")))?;
    match kill_process(id, Signal::KILL) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error).explain(|| format!("kill process {pid}")),
    }
}

/// Kills a process and all that came from it, the ends first, so that none is handed to another parent.
pub(super) fn kill_tree(pid: i32) -> Result<()> {
    for child in children(pid)? {
        kill_tree(child)?;
    }
    kill(pid)
}

/// A process that can be waited for with a bound; its number cannot be taken over by another one.
pub(super) struct Watched(OwnedFd);

impl Watched {
    /// Starts to watch; the process must not have been reaped yet.
    pub(super) fn new(pid: i32) -> Result<Self> {
        let id = Pid::from_raw(pid).ok_or_else(|| Failure::new(format!("{pid} is not a process id")))?;
        pidfd_open(id, PidfdFlags::empty()).map(Self).explain(|| format!("watch process {pid}"))
    }

    /// Waits for its end; false if it still runs then.
    pub(super) fn ended_within(&self, time: Duration) -> Result<bool> {
        let bound = Timespec::try_from(time).explain(|| format!("wait for {time:?}"))?;
        loop {
            match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&bound)) {
                Ok(ready) => return Ok(ready > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).explain(|| "wait for a process".to_owned()),
            }
        }
    }
}
