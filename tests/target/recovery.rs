//! Everything comes back by itself: each service of the full node is killed under load, and then the host is rebooted.
//! What the broker said that it has is in the archive then.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::driver::{Explain, Failure, Lab, Machine, Result, Setup, Suite};
use crate::node::{Node, Workstation};

crate::tests![the_full_node_comes_back_by_itself];

const SOON: Duration = Duration::from_mins(1);
const LOAD: &str = include_str!("recovery/load.py");
/// The hashes of all events that the broker said it has.
const ACCEPTED: &str = "/root/accepted";
/// Prints how many of them there are, and how many the archive lacks.
const LACKING: &str = r#"
sort -u /root/accepted > /run/accepted
/etc/voevent/bin/voevent-archive list --json | grep -o '"sha256": "[0-9a-f]*' | cut -d'"' -f4 | sort -u > /run/archived
echo "$(wc -l < /run/accepted) $(comm -23 /run/accepted /run/archived | wc -l)"
"#;
/// Who waits longer than this before systemd starts it again is killed first, and waited for last.
const SLOW: f64 = 5.0;

/// Kills a service, and prints after how many seconds its successor is ready.
const KILL: &str = r#"
now() { read -r up _ < /proc/uptime; echo "$up"; }
until pid=$(systemctl show --value -p MainPID "$1") && [ "$pid" != 0 ]; do sleep 0.05; done; from=$(now); kill -KILL "$pid"
until [ "$(systemctl show --value -p ActiveState "$1")" = active ] &&
    new=$(systemctl show --value -p MainPID "$1") && [ "$new" != 0 ] && [ "$new" != "$pid" ]; do sleep 0.05; done
echo "$from $(now)"
"#;

/// What of ours is up: unit, microseconds between the start of the host and its own, main process, and when systemd
/// starts it again.
const UP: &str = r#"
boot=$(systemctl show --value -p UserspaceTimestampMonotonic)
for unit in $(systemctl list-units --plain --no-legend --state=active 'comet*' 'voevent-*' | cut -d' ' -f1); do
    get() { systemctl show --value -p "$1" "$unit"; }
    echo "$unit $(( $(get ActiveEnterTimestampMonotonic) - boot )) $(get MainPID) $(get RestartUSec)"
done
"#;

/// A unit that is up.
#[derive(Debug)]
struct Up {
    /// Seconds after the host began to boot.
    after: f64,
    /// It has a process that can be killed.
    runs: bool,
    /// systemd waits long before it starts it again.
    slow: bool,
}

/// The example of a full node, and a machine on which its secrets lie.
pub(crate) fn full_node(lab: &Lab) -> Result<Machine> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/hosts/observatory.toml");
    let host = fs::read_to_string(path).explain(|| format!("read `{path}`"))?;
    // Swap and the clock are the kernel's, which a container has no hand in: they have tests of their own.
    let own = "    \"swap\",\n    \"time\",\n";
    assert!(host.contains(own), "{host}");
    let host = host.replace(own, "");
    let workstation = Workstation::new(lab, "w")?;
    let bundle = workstation.build_as("observatory", &host)?;
    let node = lab.boot_with("observatory", Setup::of_modules(Suite::Trixie))?;
    node.sh("install -d -m 0700 /etc/voevent /etc/voevent/secrets")?;
    for secret in host.split('"').filter(|text| text.starts_with("/etc/voevent/secrets/")) {
        node.sh(&format!("umask 077; echo something > {secret}"))?;
    }
    node.ship(&workstation)?;
    node.switch_to(&bundle)?;
    Ok(node)
}

/// Events are sent again and again, and those that were accepted are written down.
fn load(node: &Machine) -> Result<()> {
    node.write_file("/root/load.py", LOAD)?;
    node.run(["systemd-run", "-q", "--unit=load", "python3", "/root/load.py", ACCEPTED])?;
    more_events(node)
}

/// Waits until more events were accepted.
fn more_events(node: &Machine) -> Result<()> {
    let accepted = || Ok(node.sh(&format!("touch {ACCEPTED}; wc -l < {ACCEPTED}"))?.parse().unwrap_or(0));
    let before: u64 = accepted()?;
    node.wait(SOON, || Ok(accepted()? > before + 10))
}

/// What of ours is up.
fn up(node: &Machine) -> Result<BTreeMap<String, Up>> {
    let read = |line: &str| {
        let mut words = line.split_whitespace();
        let unit = words.next()?.to_owned();
        let after = words.next()?.parse::<f64>().ok()? / 1e6;
        let runs = words.next().is_some_and(|pid| pid != "0");
        let wait = words.next().unwrap_or_default();
        let seconds = wait.strip_suffix('s').and_then(|text| text.parse::<f64>().ok());
        Some((unit, Up { after, runs, slow: wait.ends_with("min") || seconds.is_some_and(|s| s > SLOW) }))
    };
    Ok(node.sh(UP)?.lines().filter_map(read).filter(|(unit, _)| lasting(unit)).collect())
}

/// What is there for one activation or one connection comes and goes.
fn lasting(unit: &str) -> bool {
    !["voevent-guard", "voevent-switch", "voevent-boot"].iter().any(|one| unit.starts_with(one))
        && !unit.contains('@')
}

fn the_full_node_comes_back_by_itself() -> Result<()> {
    let lab = Lab::new()?;
    let mut node = full_node(&lab)?;
    load(&node)?;
    monitor_sees_all(&node)?;
    let before = up(&node)?;
    assert!(before.get("comet.service").is_some_and(|comet| comet.runs), "{before:?}");
    for (unit, said) in killed(&node, &before)? {
        println!("{unit}: killed, and ready {:.2} s later", between(&said)?);
    }

    node.reboot()?;
    let all = || Ok(up(&node).is_ok_and(|now| before.keys().all(|unit| now.contains_key(unit))));
    node.wait(SOON, all)
        .map_err(|failure| Failure::new(format!("{failure}: {before:?} became {:?}", up(&node))))?;
    for (unit, up) in up(&node)? {
        println!("{unit}: up {:.2} s after the host began to boot", up.after);
    }
    load(&node)?;
    nothing_is_lost(&node)
}

/// The archive has, byte for byte, all that the broker said it has, before and after.
fn nothing_is_lost(node: &Machine) -> Result<()> {
    node.run(["systemctl", "stop", "load"])?;
    let said = || node.sh(LACKING);
    node.wait(SOON, || Ok(said()?.ends_with(" 0"))).map_err(|failure| {
        Failure::new(format!("{failure}: events, and those that the archive lacks: {:?}", said()))
    })?;
    println!("events that the broker had, and those that the archive lacks: {}", said()?);
    let verified = node.run(["/etc/voevent/bin/voevent-archive", "verify"])?;
    if verified == "all events are there" { Ok(()) } else { Err(Failure::new(verified)) }
}

/// Modules tell the monitor of each other's files: it can read them all, and each service writes its numbers.
fn monitor_sees_all(node: &Machine) -> Result<()> {
    node.sh("systemctl start voevent-monitor.service && systemctl start voevent-metrics.service")?;
    let state = node.sh("cat /var/lib/voevent-monitor/state.json")?;
    assert!(!state.contains("cannot be read") && !state.contains("cannot look"), "{state}");
    let numbers = node.sh("cat /var/lib/voevent-textfile/voevent.prom")?;
    let ill: Vec<&str> = numbers
        .lines()
        .filter(|line| line.starts_with("voevent_metrics_file_ok{") && !line.ends_with(" 1"))
        .collect();
    assert!(ill.is_empty(), "{ill:?}");
    Ok(())
}

/// Kills each service that runs; what was said of each.
fn killed(node: &Machine, before: &BTreeMap<String, Up>) -> Result<BTreeMap<String, String>> {
    let call = |unit: &str| node.call(["sh", "-c", KILL, "kill", unit]);
    let running = || before.iter().filter(|(_, up)| up.runs);
    let mut slow = Vec::new();
    for (unit, _) in running().filter(|(_, up)| up.slow) {
        slow.push((unit.clone(), call(unit)?.timeout(SOON).spawn()?));
    }
    let mut took = BTreeMap::new();
    for (unit, _) in running().filter(|(_, up)| !up.slow) {
        took.insert(unit.clone(), call(unit)?.timeout(SOON).ok()?);
        more_events(node)?;
    }
    for (unit, mut running) in slow {
        took.insert(unit, running.wait(SOON)?.checked()?.stdout);
    }
    Ok(took)
}

/// The seconds between two times of the machine.
fn between(said: &str) -> Result<f64> {
    let mut times = said.split_whitespace().filter_map(|word| word.parse::<f64>().ok());
    match (times.next(), times.next()) {
        (Some(from), Some(to)) => Ok(to - from),
        _ => Err(Failure::new(format!("no two times: {said}"))),
    }
}
