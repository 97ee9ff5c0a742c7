//! The one recovery rule, for the next run, the guard and the boot alike.
//!
//! It reads `pending` and never guesses from `current`:
//! - no `pending`: nothing;
//! - `pending` is `committed`: everything was proven; the outcome is written, `pending` goes;
//! - else: the plan back to `committed` (to nothing, where nothing was committed) is performed and proven; the outcome
//!   is `reverted`, `pending` goes.
//!
//! Whoever calls it holds the lock.

use crate::base::name::UnitName;
use crate::store::bundle::Bundle;
use crate::switch::aside;
use crate::switch::failure::{Exit, Failure, both};
use crate::switch::machine::Machine;
use crate::switch::perform::{OnError, Part, perform, sweep};
use crate::switch::plan::{Desired, Plan, Way, plan};
use crate::switch::prove::prove;
use crate::switch::record::Outcome;
use crate::switch::secrets;
use crate::switch::state::Pointer;

/// What recovery found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing was pending.
    Nothing,
    /// The generation had been proven; only its outcome was missing.
    Finished(u64),
    /// The generation was put back.
    Reverted(u64),
    /// Its files were put back; units and outcome wait until the machine has booted.
    FilesBack(u64),
}

/// Brings an activation that did not end to its end. `cause` goes into its record.
///
/// # Errors
/// Where the committed generation could not be put back, or does not work: `pending` then stays, and a person is needed.
pub fn recover(machine: &mut Machine, part: Part, cause: &str) -> Result<Recovered, Failure> {
    let ended = match machine.state.pointer(Pointer::Pending)? {
        Some(pending) => {
            pending_ended(machine, (pending, part), cause).map_err(|failure| failure.exit(Exit::Stuck))
        }
        None => Ok(Recovered::Nothing),
    };
    // What never was pending keeps nothing from coming back.
    let ended = both(ended, abandon(machine));
    both(ended, secrets::sweep(machine))
}

fn pending_ended(
    machine: &mut Machine,
    (pending, part): (u64, Part),
    cause: &str,
) -> Result<Recovered, Failure> {
    if machine.state.pointer(Pointer::Committed)? == Some(pending) {
        let outcome = if machine.systemd.is_some() { Outcome::Committed } else { Outcome::Unproven };
        end(machine, pending, (outcome, ""))?;
        return Ok(Recovered::Finished(pending));
    }
    back(machine, pending, part)?;
    if part == Part::Files {
        return Ok(Recovered::FilesBack(pending));
    }
    end(machine, pending, (Outcome::Reverted, cause))?;
    Ok(Recovered::Reverted(pending))
}

/// How often the way back is looked at again: what a killed switch told systemd may still be under way.
const ROUNDS: usize = 5;

/// Performs the plan back to the committed generation, until nothing is left to do, and proves that it works.
fn back(machine: &mut Machine, pending: u64, part: Part) -> Result<(), Failure> {
    let committed = machine.state.generations()?.committed;
    let bundle = committed.as_ref().map(|committed| &committed.bundle);
    let generation = committed.as_ref().map(|committed| (committed.number, &committed.bundle));
    if part == Part::Whole {
        // At boot the jobs that are queued are those of the boot.
        cancel_jobs(machine)?;
    }
    // They are there, unless somebody took them away: what can be put back without them is.
    let unsealed = bundle.map_or(Ok(()), |bundle| secrets::unseal(machine, bundle));
    let mut plan = plan_back(machine, generation)?;
    let mut failed = None;
    let seen = machine.observe(bundle)?;
    for number in seen.unended {
        sweep(machine, seen.paths.keys(), number)?;
    }
    for _ in 0..ROUNDS {
        failed = perform(machine, &plan, (pending, bundle), (part, OnError::GoOn)).err();
        let tried = std::mem::replace(&mut plan, plan_back(machine, generation)?);
        // What failed may have come to be all the same, or be mended by what is to be done now, as where a unit was
        // started too often.
        let is_new = is_done(&plan) != is_done(&tried);
        let is_hopeless =
            failed.is_some() && !is_new && plan.steps.iter().all(|step| tried.steps.contains(step));
        if part == Part::Files || is_hopeless || (failed.is_none() && is_done(&plan)) {
            break;
        }
    }
    both(unsealed, failed.map_or(Ok(()), Err))?;
    match (bundle, part) {
        (_, Part::Whole) if !is_done(&plan) => {
            Err(Failure::refused("what was committed does not come back").details(&plan.steps))
        }
        (Some(bundle), Part::Whole) => prove(machine, (bundle, &plan), &mut |_| ()),
        _ => Ok(()),
    }
}

fn plan_back(machine: &mut Machine, generation: Option<(u64, &Bundle)>) -> Result<Plan, Failure> {
    let observed = machine.observe(generation.map(|(_, bundle)| bundle))?;
    Ok(plan(&observed, Desired { generation, way: Way::Back }))
}

/// Whether a plan has nothing but what every plan has: nothing to place, to remove, to start or to stop.
#[must_use]
pub fn is_done(plan: &Plan) -> bool {
    use crate::switch::plan::Action::{DaemonReload, Directories, Flip, RemoveFolder};
    let always = |action: &_| matches!(action, Flip(_) | Directories | DaemonReload | RemoveFolder(_));
    plan.steps.iter().all(|step| always(&step.action))
}

/// Takes back what the activation that did not end has told systemd to do.
fn cancel_jobs(machine: &mut Machine) -> Result<(), Failure> {
    let generations = machine.state.generations()?;
    let units = generations.bundles().flat_map(|bundle| bundle.manifest.units.iter().map(|unit| &unit.name));
    let units: Vec<&UnitName> = units.collect();
    match &mut machine.systemd {
        Some(systemd) => Ok(systemd.cancel_jobs(&units)?),
        None => Ok(()),
    }
}

/// Writes how a generation ended, and takes `pending` away. What was set aside and is in its place goes before.
///
/// # Errors
/// Where the system says no.
pub fn end(machine: &mut Machine, number: u64, (outcome, cause): (Outcome, &str)) -> Result<(), Failure> {
    aside::sweep(machine)?;
    let mut record = machine.state.record(number)?;
    record.outcome = outcome;
    cause.clone_into(&mut record.cause);
    machine.state.update(&record)?;
    machine.state.point(Pointer::Pending, None)?;
    Ok(())
}

/// Marks a generation that never became pending: the last one, since its successor is made after this.
fn abandon(machine: &Machine) -> Result<(), Failure> {
    let pending = machine.state.pointer(Pointer::Pending)?;
    let Some(last) = machine.state.numbers()?.pop().filter(|last| Some(*last) != pending) else {
        return Ok(());
    };
    let mut record = machine.state.record(last)?;
    if record.outcome == Outcome::Pending {
        record.outcome = Outcome::Abandoned;
        "its program ended before the first change".clone_into(&mut record.cause);
        machine.state.update(&record)?;
    }
    Ok(())
}
