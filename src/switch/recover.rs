//! The one recovery rule, for the next run, the guard and the boot alike.
//!
//! It reads `pending` and never guesses from `current`:
//! - no `pending`: nothing;
//! - `pending` is `committed`: everything was proven; the outcome is written, `pending` goes;
//! - else: the plan back to `committed` (to nothing, where nothing was committed) is performed and proven; the outcome
//!   is `reverted`, `pending` goes.
//!
//! Whoever calls it holds the lock.

use crate::base::path::TargetPath;
use crate::switch::failure::{Exit, Failure};
use crate::switch::machine::Machine;
use crate::switch::perform::{OnError, Part, perform, sweep};
use crate::switch::plan::{Desired, Way, plan};
use crate::switch::prove::prove;
use crate::switch::record::Outcome;
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
    abandon(machine)?;
    let Some(pending) = machine.state.pointer(Pointer::Pending)? else {
        return Ok(Recovered::Nothing);
    };
    if machine.state.pointer(Pointer::Committed)? == Some(pending) {
        let outcome = if machine.systemd.is_some() { Outcome::Committed } else { Outcome::Unproven };
        end(machine, pending, (outcome, ""))?;
        return Ok(Recovered::Finished(pending));
    }
    back(machine, pending, part).map_err(|failure| failure.exit(Exit::Stuck))?;
    if part == Part::Files {
        return Ok(Recovered::FilesBack(pending));
    }
    end(machine, pending, (Outcome::Reverted, cause))?;
    Ok(Recovered::Reverted(pending))
}

/// Performs the plan back to the committed generation, and proves that it works.
fn back(machine: &mut Machine, pending: u64, part: Part) -> Result<(), Failure> {
    let committed = machine.state.generations()?.committed;
    let bundle = committed.as_ref().map(|committed| &committed.bundle);
    let observed = machine.observe(bundle)?;
    let paths: Vec<TargetPath> = observed.paths.keys().cloned().collect();
    sweep(machine, &paths, pending)?;
    let generation = committed.as_ref().map(|committed| (committed.number, &committed.bundle));
    let plan = plan(&observed, Desired { generation, way: Way::Back });
    perform(machine, &plan, (pending, bundle), (part, OnError::GoOn))?;
    match (bundle, part) {
        (Some(bundle), Part::Whole) => prove(machine, (bundle, &plan), &mut |_| ()),
        _ => Ok(()),
    }
}

/// Writes how a generation ended, and takes `pending` away.
///
/// # Errors
/// Where the system says no.
pub fn end(machine: &mut Machine, number: u64, (outcome, cause): (Outcome, &str)) -> Result<(), Failure> {
    let mut record = machine.state.record(number)?;
    record.outcome = outcome;
    cause.clone_into(&mut record.cause);
    machine.state.update(&record)?;
    machine.state.point(Pointer::Pending, None)?;
    Ok(())
}

/// Marks generations that never became pending.
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
