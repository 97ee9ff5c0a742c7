//! Booting a machine's systemd in systemd-nspawn, and waiting for it.

use super::process::{self, Watched};
use super::{Call, Explain, Failure, Result, remains};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long systemd may take from nothing to all units started, on a machine with much else to do.
const BOOTING: Duration = Duration::from_mins(1);
const SHUTTING_DOWN: Duration = Duration::from_mins(1);
const DYING: Duration = Duration::from_secs(20);
/// Moves itself into groups of its own and becomes the program: `<number of groups> <groups…> <program…>`.
const IN_GROUPS: &str = r#"n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1/cgroup.procs"; shift; n=$((n - 1)); done; exec "$@""#;

/// What is booted.
pub(super) struct Plan<'a> {
    /// The name of its groups and of its network namespace.
    pub(super) full_name: &'a str,
    /// Its own name.
    pub(super) hostname: &'a str,
    /// Its mounted disk.
    pub(super) root: &'a Path,
    /// Where what it prints goes.
    pub(super) console: PathBuf,
    /// More arguments for systemd-nspawn.
    pub(super) extra: &'a [String],
}

/// A machine that is up. Its owner ends it.
pub(super) struct Booted {
    nspawn: Child,
    watched: Watched,
    init: i32,
    console: PathBuf,
}

impl Booted {
    /// Boots it; all its units are started then.
    pub(super) fn new(plan: Plan<'_>) -> Result<Self> {
        let mut nspawn = start(&plan)?;
        let pid = nspawn.id().cast_signed();
        let found = Watched::new(pid).and_then(|watched| {
            let init = find_init(pid, &watched, &plan.console)?;
            Ok((watched, init))
        });
        match found {
            Ok((watched, init)) => {
                let mut booted = Self { nspawn, watched, init, console: plan.console };
                let ready = booted.wait_ready();
                ready.or_else(|failure| booted.cut().and(Err(failure)))?;
                Ok(booted)
            }
            Err(failure) => {
                process::kill_tree(pid)?;
                nspawn.wait().explain(|| "wait for systemd-nspawn".to_owned())?;
                Err(failure)
            }
        }
    }

    /// Its first process, as the host numbers it; a failure if it is not up.
    pub(super) fn init(&self) -> Result<i32> {
        if self.watched.ended_within(Duration::ZERO)? || !process::runs(self.init) {
            return Err(Failure::new(format!("the machine is down\n{}", tail(&self.console))));
        }
        Ok(self.init)
    }

    /// Asks systemd to shut down, and waits until it has.
    pub(super) fn power_off(mut self) -> Result<()> {
        let init = self.init()?.to_string();
        Call::here(["nsenter", "-t", &init, "-a", "--", "systemctl", "poweroff", "--no-block"]).ok()?;
        if !self.watched.ended_within(SHUTTING_DOWN)? {
            self.cut()?;
            let console = tail(&self.console);
            return Err(Failure::new(format!("no shutdown within {SHUTTING_DOWN:?}\n{console}")));
        }
        self.reap()
    }

    /// Ends all its processes at once: they are in the process namespace of the first.
    pub(super) fn cut(&mut self) -> Result<()> {
        process::kill(self.init)?;
        remains::until(DYING, || Ok(!process::runs(self.init))).explain(|| "end a machine".to_owned())
    }

    /// Waits for nspawn, which clears up after a machine that has ended.
    pub(super) fn reap(&mut self) -> Result<()> {
        if !self.watched.ended_within(DYING)? {
            process::kill_tree(self.nspawn.id().cast_signed())?;
        }
        self.nspawn.wait().explain(|| "wait for systemd-nspawn".to_owned()).map(drop)
    }

    fn wait_ready(&self) -> Result<()> {
        let start = Instant::now();
        loop {
            let init = self.init()?.to_string();
            let words = ["nsenter", "-t", &init, "-a", "--", "systemctl", "is-system-running", "--wait"];
            let answer = Call::here(words).timeout(BOOTING).output()?;
            if ["running", "degraded"].contains(&answer.stdout.trim()) {
                return Ok(());
            }
            if start.elapsed() > BOOTING {
                let (state, console) = (answer.stdout + &answer.stderr, tail(&self.console));
                return Err(Failure::new(format!("not up within {BOOTING:?}: {state}\n{console}")));
            }
            sleep(Duration::from_millis(10));
        }
    }
}

fn start(plan: &Plan<'_>) -> Result<Child> {
    let groups = remains::groups(plan.full_name);
    if groups.is_empty() {
        return Err(Failure::new("no control groups: `/sys/fs/cgroup` is not mounted"));
    }
    for group in &groups {
        fs::create_dir_all(group).explain(|| format!("make the control group `{}`", group.display()))?;
    }
    let console = File::create(&plan.console).explain(|| format!("make `{}`", plan.console.display()))?;
    let errors = console.try_clone().explain(|| format!("open `{}`", plan.console.display()))?;
    let mut command = Command::new("setsid");
    command.args(["sh", "-euc", IN_GROUPS, "sh", &groups.len().to_string()]).args(&groups);
    command.args([
        "systemd-nspawn",
        "--quiet",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--link-journal=no",
    ]);
    command.args(["--resolv-conf=off", "--timezone=off", "--capability=CAP_NET_ADMIN"]);
    command.arg(format!("--network-namespace-path=/run/netns/{}", plan.full_name));
    command.arg(format!("--machine={}", plan.full_name)).arg(format!("--hostname={}", plan.hostname));
    command.arg("--directory").arg(plan.root).args(plan.extra);
    command.stdin(Stdio::null()).stdout(console).stderr(errors);
    command.spawn().explain(|| "start systemd-nspawn".to_owned())
}

/// The child of nspawn that is first in a process namespace and is systemd already: nspawn forks another child
/// before it, and taking the first one seen is a race.
fn find_init(nspawn: i32, watched: &Watched, console: &Path) -> Result<i32> {
    let start = Instant::now();
    loop {
        if let Some(init) = process::children(nspawn)?.into_iter().find(|&pid| process::is_inner_systemd(pid))
        {
            return Ok(init);
        }
        if watched.ended_within(Duration::from_millis(5))? {
            return Err(Failure::new(format!("systemd-nspawn ended\n{}", tail(console))));
        }
        if start.elapsed() > BOOTING {
            return Err(Failure::new(format!("no systemd within {BOOTING:?}\n{}", tail(console))));
        }
    }
}

/// The last of what a machine printed.
fn tail(console: &Path) -> String {
    let text = fs::read(console).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(15)..].join("\n");
    format!("the end of its console:\n{last}")
}
