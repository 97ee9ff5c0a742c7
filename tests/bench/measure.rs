//! Time and peak memory of a program that runs once.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use crate::driver::{Call, Explain, Failure, Machine, Result};

/// The argument with which this program starts itself as the helper.
const HELPER: &str = "--measure-one";
/// How long anything that is measured may take.
const LONG: Duration = Duration::from_mins(5);

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    /// From its start to its end.
    pub(crate) seconds: f64,
    /// The most memory that it, or a program that it waited for, had at once. 0: not measured.
    pub(crate) peak_kib: u64,
}

/// Runs a program in a folder, through a helper: what the system says of memory is said of all children of a process
/// together, and no child is said to have had less than its parent.
pub(crate) fn here(folder: &Path, words: &[&OsStr]) -> Result<Took> {
    let program = env::current_exe().explain(|| "find this program".to_owned())?;
    let argv = [program.as_os_str(), HELPER.as_ref()].into_iter().chain(words.iter().copied());
    let said = Call::here(argv).current_dir(folder).timeout(LONG).ok()?;
    let numbers: Vec<f64> = said.split(' ').filter_map(|number| number.parse().ok()).collect();
    match numbers[..] {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kibibytes")]
        [seconds, peak] => Ok(Took { seconds, peak_kib: peak as u64 }),
        _ => Err(Failure::new(format!("the helper said `{said}`"))),
    }
}

/// The helper's whole life, where this process was started as one.
pub(crate) fn helper() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next()? != HELPER {
        return None;
    }
    let mut command = Command::new(arguments.next()?);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let ended = command.status();
    let seconds = start.elapsed().as_secs_f64();
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| usage.max_rss());
    println!("{seconds} {peak}");
    Some(if ended.is_ok_and(|status| status.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a program on a machine; the clock is the machine's, so that the way there and back does not count.
pub(crate) fn on(machine: &Machine, words: &[&str]) -> Result<Took> {
    const SCRIPT: &str = "import os, sys, time
null = [(os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0)]
start = time.monotonic()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=null)
_, status = os.waitpid(child, 0)
print(time.monotonic() - start)
sys.exit(status != 0)";
    let argv = ["python3", "-c", SCRIPT].into_iter().chain(words.iter().copied());
    let said = machine.call(argv)?.timeout(LONG).ok()?;
    let seconds = said.parse().explain(|| format!("understand `{said}`"))?;
    Ok(Took { seconds, peak_kib: 0 })
}

/// The most memory that any one process of a machine with this name had while something was done there: seen from
/// outside every millisecond, so a run in which this is measured is not one whose time counts.
pub(crate) fn peak_during(machine: &Machine, name: &str, work: impl FnOnce() -> Result<()>) -> Result<u64> {
    let space = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let own = space(&machine.init()?.to_string());
    let (peak, over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
                    let pid = entry.file_name().to_string_lossy().into_owned();
                    let Ok(status) = fs::read_to_string(entry.path().join("status")) else { continue };
                    if status.lines().next() == Some(&format!("Name:\t{name}")) && space(&pid) == own {
                        peak.fetch_max(high_water(&status), Ordering::Relaxed);
                    }
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let done = work();
        over.store(true, Ordering::Relaxed);
        done
    })?;
    Ok(peak.into_inner())
}

/// `VmHWM` of proc(5), in KiB.
fn high_water(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
