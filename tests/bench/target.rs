//! Switches of a real Debian 12, beside what systemd and the broker take by themselves.

use std::time::Duration;

use crate::driver::{Lab, Machine, Result, Setup};
use crate::measure::{on, peak_during};
use crate::node::{Node as _, SHIPPED, Workstation, example, with_ivo};
use crate::table::Table;

const SWITCH: &str = "/usr/local/sbin/voevent-switch";
const SHOW: &str = "systemctl show";
const RELOAD: &str = "daemon-reload";
const RESTART: &str = "restart until it greets";
const BYTECODE: &str = "compileall of its venv";
const FIRST: &str = "first switch of a bare host";
const NOTHING: &str = "switch, nothing changed";
const CHANGED: &str = "switch, one option changed";
const ROLLBACK: &str = "rollback";

/// How often a switch that changes something is measured; each time to a bundle that was never there.
const RUNS: usize = 7;

pub(crate) fn rows(table: &mut Table) -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let first = workstation.build(&example()?)?;
    let changed: Vec<String> = (0..=RUNS)
        .map(|run| workstation.build(&with_ivo(&format!("ivo://org.example/run{run}"))?))
        .collect::<Result<_>>()?;
    let path = |bundle: &str| format!("{SHIPPED}/store/{bundle}");
    let mut node = lab.boot("node1")?;
    node.ship(&workstation)?;
    node.power_off()?;
    let shipped = node.snapshot()?;
    node.start()?;
    table.add((FIRST, &[BYTECODE, RELOAD, RESTART]), RUNS, |_| {
        node.restore(&shipped)?;
        quiet(&node)?;
        on(&node, &[SWITCH, &path(&first)])
    })?;
    floors(table, &node)?;
    table.add((NOTHING, &[SHOW]), 20, |_| on(&node, &[SWITCH, &path(&first)]))?;
    let mut back = Vec::new();
    table.add((CHANGED, &[RELOAD, RESTART]), RUNS, |run| {
        let took = on(&node, &[SWITCH, &path(&changed[run])])?;
        back.push(on(&node, &[SWITCH, "rollback"])?);
        Ok(took)
    })?;
    table.add((ROLLBACK, &[RELOAD, RESTART]), RUNS, |run| Ok(back[run]))?;
    memory(table, &lab.boot_with("node2", Setup::from(&shipped))?, [&path(&first), &path(&changed[RUNS])])
}

/// Waits until the machine has nothing else to do.
fn quiet(node: &Machine) -> Result<()> {
    node.wait(Duration::from_mins(1), || {
        Ok(node.run(["systemctl", "list-jobs", "--no-legend"])?.is_empty())
    })?;
    std::thread::sleep(Duration::from_millis(500));
    Ok(())
}

fn floors(table: &mut Table, node: &Machine) -> Result<()> {
    quiet(node)?;
    table.add((SHOW, &[]), 20, |_| on(node, &["systemctl", "show", "-p", "MainPID", "comet.service"]))?;
    table.add((BYTECODE, &[]), RUNS, |run| {
        let copy = format!("/tmp/environment{run}");
        node.sh(&format!("cp -r {SHIPPED}/store/*-comet {copy}"))?;
        // It ends with 1 for the few sources that are not for this version of Python.
        let compile = "python3 -I -S -m compileall -q -j 0 --invalidation-mode unchecked-hash \"$1\" || true";
        on(node, &["sh", "-c", compile, "sh", &format!("{copy}/lib")])
    })?;
    table.add((RELOAD, &[]), RUNS, |_| on(node, &["systemctl", "daemon-reload"]))?;
    // The unit is active when its broker greets: its `ExecStartPost=` sees to that.
    table.add((RESTART, &[]), RUNS, |_| on(node, &["systemctl", "restart", "comet.service"]))
}

fn memory(table: &mut Table, node: &Machine, [first, changed]: [&str; 2]) -> Result<()> {
    let works: [(&str, &[&str]); 4] = [
        (FIRST, &[SWITCH, first]),
        (NOTHING, &[SWITCH, first]),
        (CHANGED, &[SWITCH, changed]),
        (ROLLBACK, &[SWITCH, "rollback"]),
    ];
    for (work, words) in works {
        let peak = peak_during(node, "voevent-switch", || on(node, words).map(drop))?;
        table.peak(work, peak);
    }
    Ok(())
}
