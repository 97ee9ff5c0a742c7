//! Tests that the driver leaves nothing behind, however a test or the whole run of tests ends.

use crate::driver::{Call, Disk, Explain, Failure, Lab, Result, Running, Setup};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

crate::tests![
    a_panic_leaves_nothing,
    a_killed_run_leaves_nothing,
    a_run_without_watcher_is_swept_by_the_next
];

/// Where names of ours would stand.
const FOLDERS: [&str; 4] =
    ["/run/netns", "/sys/fs/cgroup", "/run/systemd/nspawn/propagate", "/run/systemd/nspawn/unix-export"];
const SOON: Duration = Duration::from_secs(30);

fn a_panic_leaves_nothing() -> Result<()> {
    let lab = Lab::new()?;
    let words: Vec<String> =
        lab.dir().iter().rev().take(2).map(|name| name.to_string_lossy().into_owned()).collect();
    let (session, number) = (&words[1], &words[0]);
    let left = || traces(&format!("{session}-{number}-"), &format!("/{session}/{number}/"));
    let hosts = [lab.boot("one")?, lab.boot_with("two", Setup { disk: Disk::Image, ..Setup::default() })?];
    let inits = [hosts[0].init()?, hosts[1].init()?];
    let inside = hosts[0].spawn(["sleep", "4567"])?;
    let beside = lab.control(["sleep", "4567"]).spawn()?;
    assert!(left()?.len() > 8, "this looks at the right places: {:?}", left()?);

    let outcome = std::thread::spawn(move || {
        let _held = (lab, hosts, inside, beside);
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(outcome.join().is_err());
    let alive = inits.map(|pid| Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!((left()?, alive), (Vec::new(), [false; 2]));
    Ok(())
}

fn a_killed_run_leaves_nothing() -> Result<()> {
    let (run, session) = start_a_run()?;
    Call::here(["kill", "-KILL", &run.pid().to_string()]).ok()?;
    all_goes(&session)
}

fn a_run_without_watcher_is_swept_by_the_next() -> Result<()> {
    let (run, session) = start_a_run()?;
    run.kill()?;
    assert!(!traces_of(&session)?.is_empty(), "the watcher was killed too, so the test shows nothing");
    one_test("boots_to_a_working_systemd")?.ok()?;
    all_goes(&session)
}

/// One test of this program in a process of its own.
fn one_test(name: &str) -> Result<Call> {
    let program = env::current_exe().explain(|| "find this program".to_owned())?;
    let name = format!("driver_works::{name}");
    Ok(Call::here([program.as_os_str(), "--exact".as_ref(), name.as_ref()]))
}

/// A run of the tests that has a machine up, and its session's name.
fn start_a_run() -> Result<(Running, String)> {
    let run = one_test("hosts_reach_each_other_and_are_reached")?.spawn()?;
    let session = format!("voevent-{}", run.pid());
    wait(|| Ok(traces_of(&session)?.iter().any(|trace| trace.starts_with("/sys/fs/cgroup"))))?;
    Ok((run, session))
}

fn all_goes(session: &str) -> Result<()> {
    wait(|| Ok(traces_of(session)?.is_empty()))
        .map_err(|_| Failure::new(format!("left behind: {:?}", traces_of(session))))
}

fn wait(holds: impl Fn() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !holds()? {
        if start.elapsed() > SOON {
            return Err(Failure::new(format!("not so within {SOON:?}")));
        }
        sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn traces_of(session: &str) -> Result<Vec<String>> {
    traces(&format!("{session}-"), &format!("/{session}"))
}

/// Every mount and loop device of that path, and every namespace and control group of names that begin so.
fn traces(prefix: &str, path: &str) -> Result<Vec<String>> {
    let table = "/proc/self/mountinfo";
    let mounts = fs::read_to_string(table).explain(|| format!("read `{table}`"))?;
    let loops = Call::here(["losetup", "--list", "--noheadings", "--output", "BACK-FILE"]).ok()?;
    let lines = mounts.lines().chain(loops.lines()).filter(|line| line.contains(path)).map(str::to_owned);
    let folders = FOLDERS.map(PathBuf::from).into_iter().chain(entries(Path::new("/sys/fs/cgroup")));
    let names = folders.flat_map(|folder| entries(&folder)).map(|path| path.display().to_string());
    Ok(lines.chain(names.filter(|name| name.contains(&format!("/{prefix}")))).collect())
}

/// The paths in a folder; none if it is not there.
fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
