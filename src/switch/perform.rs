//! A plan is done, step by step, by one thread.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::base::name::UnitName;
use crate::base::path::TargetPath;
use crate::store::bundle::Bundle;
use crate::store::disk::Store;
use crate::store::object::ObjectName;
use crate::switch::aside::{give_back, refuse_changed, set_aside};
use crate::switch::failure::Failure;
use crate::switch::jobs::JobKind;
use crate::switch::machine::Machine;
use crate::switch::observed::live_target;
use crate::switch::plan::{Action, Plan, Step};
use crate::switch::prepare::make_directories;
use crate::switch::state::Pointer;
use crate::switch::systemd::Systemd;
use crate::switch::traces::log_tail;

/// Lines of a failed unit's log that are shown.
const LOG_LINES: u16 = 10;
/// Time beside what units may take.
const MARGIN: Duration = Duration::from_secs(30);

/// Which steps of a plan are done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All.
    Whole,
    /// Those of managed paths: at boot, before anything reads what is not committed. Units do not run yet, and the
    /// folders of the bundle may lie on file systems that are not mounted yet; systemd-tmpfiles makes them later.
    Files,
}

/// What to do when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// End: the way back is planned from what is then.
    Stop,
    /// Go on with the next step: on the way back, as much as can be put back is. Only a flip that fails is the end:
    /// what comes after it would lead through the wrong generation.
    GoOn,
}

/// Does the steps of a plan for the generation `number` (of temporary names), units within the time that they may take.
///
/// # Errors
/// Of the first step that failed, with those of later ones as its details.
pub fn perform(
    machine: &mut Machine,
    plan: &Plan,
    (number, bundle): (u64, Option<&Bundle>),
    (part, on_error): (Part, OnError),
) -> Result<(), Failure> {
    let adopted: BTreeSet<&TargetPath> = plan.steps.iter().filter_map(adopts).collect();
    let mut failure: Option<Failure> = None;
    let mut steps = plan.steps.as_slice();
    while let Some((step, rest)) = steps.split_first() {
        let (jobs, others) = jobs(steps);
        let result = if jobs.is_empty() {
            steps = rest;
            if part == Part::Files && comes_later(step) {
                Ok(())
            } else {
                let replaced = replaces(step).filter(|path| adopted.contains(path));
                let whole = replaced.map_or(Ok(()), |path| refuse_changed(machine, path, number));
                whole.and_then(|()| one(machine, step, (number, bundle)))
            }
        } else {
            steps = others;
            if part == Part::Files { Ok(()) } else { run(machine, &jobs, bundle) }
        };
        if let Err(error) = result {
            failure = Some(match failure {
                Some(first) => first.details([error.message]).details(error.details),
                None => error,
            });
            if on_error == OnError::Stop || matches!(step.action, Action::Flip(_)) {
                break;
            }
        }
    }
    let synced = machine.root.sync().map_err(Failure::from);
    failure.map_or(synced, Err)
}

/// The path of somebody else's file that a step sets aside.
const fn adopts(step: &Step) -> Option<&TargetPath> {
    match &step.action {
        Action::SetAside(path) => Some(path),
        _ => None,
    }
}

/// The path where a step has something else take the place of what is there.
const fn replaces(step: &Step) -> Option<&TargetPath> {
    match &step.action {
        Action::Link(path)
        | Action::Copy { path, .. }
        | Action::Straight { path, .. }
        | Action::Remove(path) => Some(path),
        _ => None,
    }
}

/// Whether a step has nothing to do with managed paths.
const fn comes_later(step: &Step) -> bool {
    matches!(step.action, Action::ResetFailed(_) | Action::Directories | Action::RestoreFolder(_))
}

/// The jobs that a plan goes on with; they are queued together, so that systemd keeps the order that the units ask for.
fn jobs(steps: &[Step]) -> (Vec<(JobKind, UnitName)>, &[Step]) {
    let mut jobs = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        jobs.push(match &step.action {
            Action::Stop(unit) => (JobKind::Stop, unit.clone()),
            Action::Reload(unit) => (JobKind::ReloadOrRestart, unit.clone()),
            Action::Restart(unit) => (JobKind::Restart, unit.clone()),
            Action::Start(unit) => (JobKind::Start, unit.clone()),
            _ => return (jobs, &steps[index..]),
        });
    }
    (jobs, &[])
}

fn one(machine: &mut Machine, step: &Step, (number, bundle): (u64, Option<&Bundle>)) -> Result<(), Failure> {
    let root = &mut machine.root;
    match &step.action {
        Action::Retarget { path, generation } => {
            root.place_link(path, &crate::switch::observed::kept_target(path, *generation), number)?;
        }
        Action::Flip(to) => {
            // Retargeted links must be durable before what they led through moves.
            root.sync()?;
            machine.state.point(Pointer::Current, *to)?;
        }
        Action::SetAside(path) => set_aside(machine, path, number)?,
        Action::GiveBack { path, generation } => give_back(machine, path, (*generation, number))?,
        Action::Straight { path, to } => root.place_link(path, to.as_str(), number)?,
        Action::MakeFolder(path) => root.make_folder(path)?,
        Action::Link(path) => root.place_link(path, &live_target(path), number)?,
        Action::Copy { path, object, mode } => {
            let content = read(&machine.state.store(), object)?;
            root.place_copy(path, (&content, mode.bits()), number)?;
        }
        Action::Remove(path) => root.remove(path)?,
        Action::RemoveFolder(path) => root.remove_folder(path)?,
        Action::RestoreFolder(before) => root.restore_folder(before)?,
        Action::Directories => {
            if let Some(bundle) = bundle {
                make_directories(machine, &bundle.manifest)?;
            }
        }
        Action::DaemonReload => systemd(machine)?.reload()?,
        Action::ResetFailed(unit) => {
            // A unit that systemd has forgotten has not failed.
            let _ = systemd(machine)?.reset_failed(unit);
        }
        Action::Stop(_) | Action::Reload(_) | Action::Restart(_) | Action::Start(_) => {}
    }
    Ok(())
}

fn systemd(machine: &mut Machine) -> Result<&mut Systemd, Failure> {
    machine.systemd.as_mut().ok_or_else(|| Failure::refused("an offline root has no systemd"))
}

fn read(store: &Store, object: &ObjectName) -> Result<Vec<u8>, Failure> {
    Ok(store.read(object)?)
}

/// Runs jobs and waits for them; those that failed are told with the last lines of their logs.
fn run(machine: &mut Machine, jobs: &[(JobKind, UnitName)], bundle: Option<&Bundle>) -> Result<(), Failure> {
    let times = jobs.iter().map(|(_, unit)| time_of(unit, bundle));
    let within = times.fold(MARGIN, Duration::saturating_add);
    let tail = (machine.begun, LOG_LINES);
    let systemd = systemd(machine)?;
    let results = systemd.run_jobs(jobs, within)?;
    let failed: Vec<_> = results.iter().filter(|(_, result)| !result.is_done()).collect();
    let Some((unit, result)) = failed.first() else {
        return Ok(());
    };
    let mut failure = Failure::refused(format!("`{unit}` {}", result.words()));
    for (unit, result) in &failed {
        let log = log_tail(systemd, unit, tail).unwrap_or_else(|error| vec![error.to_string()]);
        failure = failure
            .details([format!("`{unit}` {}", result.words())])
            .details(log.into_iter().map(|line| format!("  {line}")));
    }
    Err(failure.help(format!("see `journalctl -u {unit}`")))
}

/// How long a unit may take to stop and start again; an hour at most.
#[must_use]
pub fn time_of(unit: &UnitName, bundle: Option<&Bundle>) -> Duration {
    let seconds = bundle
        .and_then(|bundle| bundle.unit(unit))
        .map_or(90, |unit| unit.start_timeout.saturating_add(unit.stop_timeout));
    Duration::from_secs(seconds.min(3600))
}

/// Removes what a killed activation left under temporary names.
///
/// # Errors
/// Where the system says no.
pub fn sweep<'a>(
    machine: &mut Machine,
    paths: impl IntoIterator<Item = &'a TargetPath>,
    number: u64,
) -> Result<(), Failure> {
    for path in paths {
        machine.root.sweep(path, number)?;
    }
    Ok(())
}
