//! What machines leave in the kernel and the file system, found by name and taken away.
//!
//! Everything of a machine has its name: control groups, network namespace, folders of nspawn; its mounts lie
//! in its folder. So the same function ends one machine, a lab, and what a killed test run left behind.

use super::{Call, Explain, Failure, Result, process};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long processes and mounts may take to go.
const PATIENCE: Duration = Duration::from_secs(10);
/// The control group hierarchies that a machine has groups of its own in, where the kernel has them: those that
/// systemd works in (two machines in one group get each other's processes), and one that it does not, whose
/// group has every process of the machine. With version 2 they are one.
const HIERARCHIES: [&str; 4] =
    ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/cpuacct"];
const NAMESPACES: &str = "/run/netns";
const NSPAWN: [&str; 2] = ["/run/systemd/nspawn/propagate", "/run/systemd/nspawn/unix-export"];

/// The control groups of that name, whether they are there or not.
pub(super) fn groups(name: &str) -> Vec<PathBuf> {
    hierarchies().map(|hierarchy| hierarchy.join(name)).collect()
}

/// Ends the processes, unmounts the file systems and takes away the namespaces and control groups of the names
/// that `ours` knows, and all mounts in `dir`. Files in `dir` stay.
pub(super) fn clear(ours: impl Fn(&str) -> bool, dir: &Path) -> Result<()> {
    let of = |folders: &[PathBuf]| -> Vec<PathBuf> {
        folders.iter().flat_map(|folder| entries(folder)).filter(|path| named(path, &ours)).collect()
    };
    let groups = of(&hierarchies().collect::<Vec<_>>());
    let namespaces = || of(&[NAMESPACES.into()]);
    end_processes(|| {
        let in_groups = groups.iter().flat_map(|group| members(group));
        Ok(in_groups.chain(inside(&namespaces())?).collect())
    })?;

    // looked for when no process is left that would still make one
    let folders = of(&NSPAWN.map(PathBuf::from));
    let namespaces = namespaces();
    for place in folders.iter().map(PathBuf::as_path).chain([dir]) {
        unmount_below(place)?;
    }
    for namespace in namespaces.iter().filter_map(|path| path.file_name()) {
        Call::here(["ip".as_ref(), "netns".as_ref(), "delete".as_ref(), namespace]).ok()?;
    }
    for folder in folders {
        fs::remove_dir_all(&folder).explain(|| format!("remove `{}`", folder.display()))?;
    }
    groups.iter().try_for_each(|group| remove_group(group))
}

/// Unmounts whatever is mounted on a folder or below it, the last first.
pub(super) fn unmount_below(dir: &Path) -> Result<()> {
    let table = "/proc/self/mountinfo";
    let text = fs::read_to_string(table).explain(|| format!("read `{table}`"))?;
    let points = text.lines().filter_map(|line| line.split(' ').nth(4)).map(Path::new);
    let points: Vec<&Path> = points.filter(|point| point.starts_with(dir)).collect();
    for point in points.into_iter().rev() {
        // another machine that boots at this moment may hold a copy of the mount for an instant
        let unmount = || Call::here([Path::new("umount"), point]).ok();
        until(PATIENCE, || Ok(unmount().is_ok()))
            .or_else(|_| Call::here([Path::new("umount"), Path::new("--lazy"), point]).ok().map(drop))?;
    }
    Ok(())
}

/// Waits until something holds; a failure of the condition ends it.
pub(super) fn until(time: Duration, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !holds()? {
        if start.elapsed() > time {
            return Err(Failure::new(format!("not within {time:?}")));
        }
        sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn hierarchies() -> impl Iterator<Item = PathBuf> {
    HIERARCHIES.into_iter().map(PathBuf::from).filter(|path| path.join("cgroup.procs").exists())
}

/// The paths in a folder; none where there is no such folder.
fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn named(path: &Path, ours: impl Fn(&str) -> bool) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(ours)
}

fn end_processes(find: impl Fn() -> Result<Vec<i32>>) -> Result<()> {
    let mut left = Vec::new();
    until(PATIENCE, || {
        left = find()?.into_iter().filter(|&pid| process::runs(pid)).collect();
        left.iter().try_for_each(|&pid| process::kill(pid))?;
        Ok(left.is_empty())
    })
    .map_err(|_| Failure::new(format!("killed processes still run: {left:?}")))
}

/// The processes in a control group and in those below it.
fn members(group: &Path) -> Vec<i32> {
    let own = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let below = entries(group).into_iter().filter(|path| path.is_dir()).flat_map(|path| members(&path));
    own.lines().filter_map(|line| line.parse().ok()).chain(below).collect()
}

/// The processes in network namespaces.
fn inside(namespaces: &[PathBuf]) -> Result<Vec<i32>> {
    let mut pids = Vec::new();
    for name in namespaces.iter().filter_map(|path| path.file_name()) {
        let text = Call::here(["ip".as_ref(), "netns".as_ref(), "pids".as_ref(), name]).ok()?;
        pids.extend(text.lines().filter_map(|line| line.trim().parse::<i32>().ok()));
    }
    Ok(pids)
}

fn remove_group(group: &Path) -> Result<()> {
    for below in entries(group).into_iter().filter(|path| path.is_dir()) {
        remove_group(&below)?;
    }
    // the kernel lets go of a group's last process a moment after its end
    until(PATIENCE, || Ok(fs::remove_dir(group).is_ok() || !group.exists()))
        .explain(|| format!("remove the control group `{}`", group.display()))
}
