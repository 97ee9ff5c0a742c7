//! An activation from its lock to its commit.
//!
//! Order: lock → recover what did not end → packages, where asked for → preflight → import and verify → decrypt secrets →
//! install the activator → users → bytecode and import proof → plan → record, `pending` → guard → the plan with its one
//! flip → proof → `committed` → outcome.
//! Until `pending` is set nothing that runs and no managed path has changed: a failure is a refusal (exit 3). After it
//! every failure, and every death of this program, ends with the committed generation back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::base::io::IoError;
use crate::base::layout;
use crate::base::path::TargetPath;
use crate::store::bundle::Bundle;
use crate::store::import::import;
use crate::store::object::ObjectName;
use crate::switch::bundle_path::BundlePath;
use crate::switch::derived::derive;
use crate::switch::downtime;
use crate::switch::failure::{Exit, Failure, both};
use crate::switch::guard::{boot_time, start_guard};
use crate::switch::install::install;
use crate::switch::machine::Machine;
use crate::switch::observed::Observed;
use crate::switch::origin;
use crate::switch::perform::{OnError, Part, perform, time_of};
use crate::switch::plan::{Action, Desired, Plan, Way, plan};
use crate::switch::prepare::{make_users, preflight};
use crate::switch::prove::prove;
use crate::switch::record::{Outcome, Record, predecessor};
use crate::switch::recover::{Recovered, end, is_done, recover};
use crate::switch::secrets;
use crate::switch::state::{Lock, Pointer};

/// What is to be activated.
#[derive(Debug, Clone)]
pub enum To {
    /// The bundle at this path.
    Path(BundlePath),
    /// The bundle of this generation again.
    Generation(u64),
    /// The bundle of the committed generation's predecessor.
    Predecessor,
}

/// An activation that somebody asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// What.
    pub to: To,
    /// Who asked: a login.
    pub by: String,
    /// When, as RFC 3339 in UTC.
    pub now: String,
    /// How long the whole may take, where the sum of what its parts may take is not to count.
    pub allowance: Option<Duration>,
    /// Whether packages that are missing are installed, before anything is changed.
    pub install_packages: bool,
}

/// How an activation ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Everything is as it should be.
    Nothing,
    /// This generation is committed.
    Committed(u64),
    /// This generation is committed on an offline root, and proven by nothing.
    Unproven(u64),
}

/// Time beside what checks and units may take.
const MARGIN: Duration = Duration::from_secs(30);
/// The guard of the switch before holds the lock for a moment, to see that all is done.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a plan is made for what changed meanwhile: a timer starts a unit, somebody stops one.
const ROUNDS: usize = 2;
/// However long they may take, the guard comes then.
const LONGEST: Duration = Duration::from_hours(24);

/// Activates. `tell` gets a line for each thing that takes time.
///
/// # Errors
/// With the exit code that says what state the machine is in.
pub fn activate(
    machine: &mut Machine,
    request: &Request,
    tell: &mut dyn FnMut(&str),
) -> Result<Ending, Failure> {
    refuse_writable_state(machine)?;
    machine.state.prepare()?;
    let Some(_lock) = lock_soon(machine)? else {
        return Err(Failure::refused("another activation is under way")
            .help("wait until it has ended: `voevent-switch generations` shows how"));
    };
    recovered(machine, tell)?;
    let result = activate_locked(machine, request, tell);
    // Also those that were decrypted for what did not come to be.
    both(result, secrets::sweep(machine))
}

fn activate_locked(
    machine: &mut Machine,
    request: &Request,
    tell: &mut dyn FnMut(&str),
) -> Result<Ending, Failure> {
    let (bundle, again) = find(machine, request)?;
    let facts = preflight(machine, &bundle, (request.install_packages, tell))?;
    let provenance = match (&request.to, again) {
        (To::Path(path), _) => receive(machine, &bundle, path, tell)?,
        (_, Some(again)) => machine.state.record(again)?.provenance,
        _ => None,
    };
    let number = machine.state.next_number()?;
    refuse_collisions(&planned(machine, (number, &bundle))?.1)?;
    secrets::unseal(machine, &bundle)?;
    let activator = install(machine)?;
    make_users(machine, &bundle)?;
    make_venvs(machine, &bundle, tell)?;
    let (observed, plan) = planned(machine, (number, &bundle))?;
    refuse_collisions(&plan)?;
    plan.notes.iter().for_each(|note| tell(&format!("note: {note}")));
    if plan.is_empty() {
        if let To::Path(path) = &request.to {
            origin::renew(machine, &bundle, path.store(), tell)?;
        }
        return Ok(Ending::Nothing);
    }
    let record = record(machine, request, (&bundle, number, again), (&observed, &plan))?;
    let dbm = facts.python.map_or_else(|_| String::new(), |python| python.dbm);
    let record = Record { activator: activator.to_string(), dbm, provenance, ..record };
    // A switch before this one may have been killed between a rename and its sync.
    machine.state.sync_objects()?;
    machine.state.create(&record, &bundle.manifest)?;
    overtake(machine)?;
    machine.state.point(Pointer::Pending, Some(number))?;
    let result = change(machine, request, (number, &bundle, &plan), (&activator, tell));
    match result {
        Ok(()) => commit(machine, number),
        Err(cause) => Err(revert(machine, cause, tell)),
    }
}

/// Writes how a generation ended whose way back failed, before another one takes its place.
fn overtake(machine: &Machine) -> Result<(), Failure> {
    let Some(stuck) = machine.state.pointer(Pointer::Pending)? else { return Ok(()) };
    let (outcome, cause) = if machine.state.pointer(Pointer::Committed)? == Some(stuck) {
        (Outcome::Committed, "")
    } else {
        (Outcome::Reverted, "what was committed did not work either")
    };
    let record = machine.state.record(stuck)?;
    Ok(machine.state.update(&Record { outcome, cause: cause.to_owned(), ..record })?)
}

fn lock_soon(machine: &Machine) -> Result<Option<Lock>, IoError> {
    let begun = Instant::now();
    loop {
        let lock = machine.state.try_lock()?;
        if lock.is_some() || begun.elapsed() >= PATIENCE {
            return Ok(lock);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Root executes what lies in the state folder, at boot too.
fn refuse_writable_state(machine: &Machine) -> Result<(), Failure> {
    let below = TargetPath::new(format!("{}/bin", layout::STATE))?;
    match machine.root.writable_by_others(&below)? {
        None => Ok(()),
        Some(found) => Err(Failure::refused(format!(
            "`{}` lies in `{}`, which others than root can write",
            layout::STATE,
            found
        ))
        .help("make it root's, with mode 0755")),
    }
}

/// Ends an activation that a killed program left. What then still does not work is what a new activation may mend.
fn recovered(machine: &mut Machine, tell: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    match recover(machine, Part::Whole, "its program was killed") {
        Ok(Recovered::Reverted(number)) => {
            tell(&format!("generation {number} had not ended: it was put back"));
        }
        Ok(_) => {}
        Err(failure) if failure.exit == Exit::Stuck => {
            tell(&format!("the generation before does not work either: {}", failure.message));
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// The bundle; and the generation whose bundle it is, where it was activated before.
fn find(machine: &Machine, request: &Request) -> Result<(Bundle, Option<u64>), Failure> {
    let number = match &request.to {
        To::Path(path) => return Ok((path.read()?, None)),
        To::Generation(number) => *number,
        To::Predecessor => machine.previous()?,
    };
    Ok((machine.generation_bundle(number)?, Some(number)))
}

/// Takes the bundle and its closure into the target's own store, and its provenance, whose name it gives.
fn receive(
    machine: &Machine,
    bundle: &Bundle,
    path: &BundlePath,
    tell: &mut dyn FnMut(&str),
) -> Result<Option<ObjectName>, Failure> {
    let new = import(bundle, path.store(), &machine.state.store())?;
    if new > 0 {
        tell(&format!("{new} new objects are in the store"));
    }
    machine.state.set_received(&bundle.name)?;
    Ok(origin::receive(machine, bundle, path.store(), tell))
}

impl Machine {
    /// The bundle of a generation.
    ///
    /// # Errors
    /// Where there is none of this number, or its bundle cannot be read.
    pub fn generation_bundle(&self, number: u64) -> Result<Bundle, Failure> {
        if self.state.numbers()?.contains(&number) {
            return Ok(self.state.generation(number)?.bundle);
        }
        Err(Failure::refused(format!("there is no generation {number}"))
            .help("`voevent-switch generations` lists them"))
    }

    /// The generation that `rollback` goes to.
    ///
    /// # Errors
    /// Where nothing is before the committed one.
    pub fn previous(&self) -> Result<u64, Failure> {
        let committed = self.state.pointer(Pointer::Committed)?;
        let record = committed.map(|number| self.state.record(number)).transpose()?;
        match record.map(|record| record.predecessor) {
            Some(number) if number > 0 => Ok(number),
            _ => Err(Failure::refused("there is no generation before the committed one")
                .help("`voevent-switch generations` lists them; `voevent-switch rollback N` goes to any")),
        }
    }
}

/// What is on the machine, and what there is to do.
pub(super) fn planned(
    machine: &mut Machine,
    (number, bundle): (u64, &Bundle),
) -> Result<(Observed, Plan), Failure> {
    let observed = machine.observe(Some(bundle))?;
    let plan = plan(&observed, Desired { generation: Some((number, bundle)), way: Way::Forward });
    Ok((observed, plan))
}

/// Bytecode, and the proof of imports.
fn make_venvs(machine: &mut Machine, bundle: &Bundle, tell: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    for venv in &bundle.manifest.venvs {
        if derive(machine, &bundle.manifest.target, venv, tell)? {
            tell(&format!("venv `{}` has its bytecode, and its imports work", venv.name));
        }
    }
    Ok(())
}

pub(super) fn refuse_collisions(plan: &Plan) -> Result<(), Failure> {
    if plan.collisions.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::refused("what is not ours is in the way; nothing was changed")
        .details(&plan.collisions)
        .help("move it away, or take the modules that want its place off this host");
    let adopt: BTreeSet<&String> = plan.collisions.iter().filter_map(|one| one.adopt.as_ref()).collect();
    if !adopt.is_empty() {
        let names: Vec<String> = adopt.into_iter().map(|name| format!("\"{name}\"")).collect();
        failure = failure.help(format!(
            "or have it taken over: say `adopt = [{}]` in `[host]`; files are set aside, and given back when ours go, \
             users are taken as they are",
            names.join(", ")
        ));
    }
    Err(failure)
}

fn record(
    machine: &Machine,
    request: &Request,
    (bundle, number, again): (&Bundle, u64, Option<u64>),
    (observed, plan): (&Observed, &Plan),
) -> Result<Record, Failure> {
    let parent = machine.state.pointer(Pointer::Committed)?;
    let parent = parent.map(|number| machine.state.record(number)).transpose()?;
    let again = again.map(|number| machine.state.record(number)).transpose()?;
    let from = match &request.to {
        To::Path(path) => path.to_string(),
        To::Generation(number) => format!("generation {number}"),
        To::Predecessor => format!("generation {}", again.as_ref().map_or(0, |record| record.number)),
    };
    let record = Record {
        parent: parent.as_ref().map_or(0, |parent| parent.number),
        predecessor: predecessor(parent.as_ref(), &bundle.name, again.as_ref()),
        when: request.now.clone(),
        by: request.by.clone(),
        from,
        ..Record::blank(number, bundle.name.clone())
    };
    Ok(record.noting(observed, (bundle, plan)))
}

/// The change itself, and its proof.
fn change(
    machine: &mut Machine,
    request: &Request,
    (number, bundle, plan): (u64, &Bundle, &Plan),
    (activator, tell): (&ObjectName, &mut dyn FnMut(&str)),
) -> Result<(), Failure> {
    if machine.systemd.is_some() {
        let allowance = request.allowance.unwrap_or_else(|| allowance(bundle, plan)).min(LONGEST);
        start_guard(machine, number, (activator, boot_time() + allowance))?;
    }
    let mut plan = plan.clone();
    for _ in 0..ROUNDS {
        plan.steps.iter().for_each(|step| tell(&step.to_string()));
        let since = downtime::now();
        perform(machine, &plan, (number, Some(bundle)), (Part::Whole, OnError::Stop))?;
        downtime::tell(machine, &plan, since, tell);
        if machine.systemd.is_some() {
            prove(machine, (bundle, &plan), tell)?;
        }
        // What answers may still be what was there before.
        plan = planned(machine, (number, bundle))?.1;
        if is_done(&plan) && plan.collisions.is_empty() {
            return Ok(());
        }
        // What is to be set aside is no part of the record.
        let is_other = plan.steps.iter().any(|step| matches!(step.action, Action::SetAside(_)));
        if is_other || !plan.collisions.is_empty() {
            break;
        }
        tell("something changed meanwhile");
    }
    Err(Failure::refused("the machine is not what it should be now")
        .details(&plan.steps)
        .details(&plan.collisions))
}

/// What the checks and the plan's units may take, and some more.
fn allowance(bundle: &Bundle, plan: &Plan) -> Duration {
    let checks = bundle.manifest.checks.iter().map(crate::store::manifest::check::Check::within);
    let units = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Stop(unit) | Action::Start(unit) | Action::Restart(unit) | Action::Reload(unit) => Some(unit),
        _ => None,
    });
    let times = checks.chain(units.map(|unit| time_of(unit, Some(bundle))));
    times.fold(MARGIN, Duration::saturating_add)
}

/// Makes the proven generation the committed one.
fn commit(machine: &mut Machine, number: u64) -> Result<Ending, Failure> {
    let stuck = |failure: Failure| failure.exit(Exit::Stuck);
    machine.root.sync().map_err(|error| stuck(error.into()))?;
    machine.state.point(Pointer::Committed, Some(number)).map_err(|error| stuck(error.into()))?;
    let offline = machine.systemd.is_none();
    let outcome = if offline { Outcome::Unproven } else { Outcome::Committed };
    end(machine, number, (outcome, "")).map_err(stuck)?;
    Ok(if offline { Ending::Unproven(number) } else { Ending::Committed(number) })
}

/// Puts the committed generation back after a failure.
fn revert(machine: &mut Machine, cause: Failure, tell: &mut dyn FnMut(&str)) -> Failure {
    tell(&format!("failed: {}: putting back what was committed", cause.message));
    match recover(machine, Part::Whole, &cause.message) {
        Ok(_) => cause.exit(Exit::Reverted),
        Err(second) => {
            let failed = format!("what was committed does not work either: {}", second.message);
            cause.exit(Exit::Stuck).details([failed]).details(second.details)
        }
    }
}
