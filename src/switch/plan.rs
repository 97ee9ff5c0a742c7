//! `plan(observed, desired)`: the steps from what is to what should be, each with its reason. Pure, and the only thing
//! that decides. Switch, rollback, repair after a crash, revert and dry run are this one function.
//!
//! The order is the protocol: what others have where ours will be is set aside, links that go are pointed at the
//! generation that had them, units that go are stopped, one rename flips `current`, then files, folders, units. So no link of ours ever dangles, and before the
//! flip the old generation is whole, after it the new one is.

use std::collections::BTreeSet;
use std::fmt;

use crate::base::name::UnitName;
use crate::base::path::TargetPath;
use crate::store::bundle::Bundle;
use crate::store::manifest::{Manifest, Mode};
use crate::store::object::ObjectName;
use crate::switch::file_rules::{file_steps, restore_folders};
use crate::switch::observed::Observed;
use crate::switch::record::FolderBefore;
use crate::switch::unit_rules::unit_steps;

/// What should be.
#[derive(Debug, Clone, Copy)]
pub struct Desired<'a> {
    /// The generation to activate; `None` desires nothing: every path is given back.
    pub generation: Option<(u64, &'a Bundle)>,
    /// Which way: what is in the way forward is passed over on the way back.
    pub way: Way,
}

/// Which way a plan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To a new generation: nothing that is not ours may be in the way.
    Forward,
    /// To the committed one, after a failure: what is not ours is left as it is, and systemd always reloads.
    Back,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: String,
}

/// What a step does. Each leaves the machine as it is where it was done already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Copies somebody else's file to where it is kept until it is given back; it does not leave its place.
    SetAside(TargetPath),
    /// Points a link of ours at a generation's own file instead of through `current`: the same bytes.
    Retarget {
        /// The link.
        path: TargetPath,
        /// The generation.
        generation: u64,
    },
    /// Stops a unit.
    Stop(UnitName),
    /// Renames `current` to a generation; `None` removes it.
    Flip(Option<u64>),
    /// Makes a folder for managed paths: root's, 0755.
    MakeFolder(TargetPath),
    /// Renames a link through `current` into place.
    Link(TargetPath),
    /// Renames a copy of an object into place.
    Copy {
        /// Where.
        path: TargetPath,
        /// What.
        object: ObjectName,
        /// Its mode.
        mode: Mode,
    },
    /// Renames a link straight to a path of the target into place.
    Straight {
        /// Where.
        path: TargetPath,
        /// Where it leads.
        to: TargetPath,
    },
    /// Renames a copy of what a generation set aside into its place.
    GiveBack {
        /// Where.
        path: TargetPath,
        /// Which generation set it aside.
        generation: u64,
    },
    /// Removes a link or copy of ours.
    Remove(TargetPath),
    /// Removes a folder that was made for managed paths, if it is empty.
    RemoveFolder(TargetPath),
    /// Makes the folders of the bundle (systemd-tmpfiles).
    Directories,
    /// Gives a folder the mode and the owner that it had before us.
    RestoreFolder(FolderBefore),
    /// Lets systemd read all units again.
    DaemonReload,
    /// Forgets that a unit failed.
    ResetFailed(UnitName),
    /// Reloads a unit.
    Reload(UnitName),
    /// Restarts a unit.
    Restart(UnitName),
    /// Starts a unit.
    Start(UnitName),
}

/// The steps, and what stands in their way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they are done.
    pub steps: Vec<Step>,
    /// What is not ours and is in the way. Forward, a plan with collisions is refused; back, they are passed over.
    pub collisions: Vec<Collision>,
    /// Units that the administrator wants otherwise, and that are left so.
    pub left: BTreeSet<UnitName>,
    /// The same in words.
    pub notes: Vec<String>,
}

/// Something that is not ours where something of ours should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// What is where.
    pub what: String,
    /// What `adopt` of `[host]` would have to name, where that would help.
    pub adopt: Option<String>,
}

impl fmt::Display for Collision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Plan {
    /// Whether there is nothing to do and nothing in the way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.collisions.is_empty()
    }

    /// Leaves a unit as the administrator wants it.
    pub(super) fn leave(&mut self, unit: &UnitName, why: &str) {
        self.notes.push(format!("`{unit}` {why}"));
        self.left.insert(unit.clone());
    }

    /// Adds a step.
    pub(super) fn step(&mut self, action: Action, reason: impl Into<String>) {
        self.steps.push(Step { action, reason: reason.into() });
    }
}

/// The steps from `observed` to `desired`.
#[must_use]
pub fn plan(observed: &Observed, desired: Desired<'_>) -> Plan {
    let mut plan = Plan::default();
    users(observed, desired, &mut plan);
    let files = file_steps(observed, desired, &mut plan);
    let units = unit_steps(observed, desired, &mut plan);
    let live = observed.generations.live.as_ref();
    let changed = live.map(|live| &live.bundle) != desired.generation.map(|(_, bundle)| bundle)
        || (desired.way == Way::Back && live.map(|live| live.number) != desired.generation.map(|(n, _)| n));
    let nothing = files.before.is_empty() && files.after.is_empty() && units.is_empty();
    if nothing && !changed && desired.way == Way::Forward && is_settled(observed) {
        return plan;
    }
    plan.steps.extend(files.before);
    plan.steps.extend(units.before);
    let reason = match (desired.generation, changed) {
        (Some((_, bundle)), true) => format!("`{}` goes live", bundle.name),
        (Some((number, _)), false) => format!("generation {number} has the same bundle"),
        (None, _) => "nothing is to be live".to_owned(),
    };
    plan.step(Action::Flip(desired.generation.map(|(number, _)| number)), reason);
    plan.steps.extend(files.after);
    directories(desired, &mut plan);
    restore_folders(observed, desired, &mut plan);
    if observed.units.is_some() {
        reload(observed, desired, &mut plan);
    }
    plan.steps.extend(units.after);
    plan
}

/// Whether the live generation is the committed one, with nothing pending.
fn is_settled(observed: &Observed) -> bool {
    let generations = &observed.generations;
    generations.pending.is_none() && generations.live == generations.committed
}

/// Steps before and after the flip.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) before: Vec<Step>,
    pub(super) after: Vec<Step>,
}

impl Steps {
    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    pub(super) fn before(&mut self, action: Action, reason: impl Into<String>) {
        self.before.push(Step { action, reason: reason.into() });
    }

    pub(super) fn after(&mut self, action: Action, reason: impl Into<String>) {
        self.after.push(Step { action, reason: reason.into() });
    }
}

/// Users that are there already and are others than the bundle wants.
fn users(observed: &Observed, desired: Desired<'_>, plan: &mut Plan) {
    let (Some((_, bundle)), Way::Forward) = (desired.generation, desired.way) else {
        return;
    };
    let Manifest { users, groups, .. } = &bundle.manifest;
    let compared = observed.accounts.compare(users, groups);
    plan.notes.extend(compared.taken.iter().map(|taken| format!("{taken}: it is taken as it is")));
    for difference in compared.wrong.iter().filter(|difference| !difference.is_missing()) {
        let adopt = difference.adopted().map(str::to_owned);
        plan.collisions.push(Collision { what: difference.to_string(), adopt });
    }
}

fn directories(desired: Desired<'_>, plan: &mut Plan) {
    let Some((_, bundle)) = desired.generation else {
        return;
    };
    if !bundle.manifest.directories.is_empty() {
        plan.step(Action::Directories, "modes and owners are put right");
    }
}

fn reload(observed: &Observed, desired: Desired<'_>, plan: &mut Plan) {
    let units =
        |bundle: Option<&Bundle>| bundle.map(|b| (b.manifest.units.clone(), b.manifest.drop_ins.clone()));
    let live = observed.generations.live.as_ref().map(|live| &live.bundle);
    if desired.way == Way::Back {
        plan.step(Action::DaemonReload, "systemd may have read what is put back");
    } else if observed.generations.pending.is_some() {
        plan.step(Action::DaemonReload, "systemd may have read what an activation left that did not end");
    } else if units(live) != units(desired.generation.map(|(_, bundle)| bundle)) {
        plan.step(Action::DaemonReload, "units differ");
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetAside(path) => write!(f, "set aside {path}"),
            Self::Straight { path, to } => write!(f, "link {path} straight to {to}"),
            Self::GiveBack { path, generation } => {
                write!(f, "give back {path}, which generation {generation} set aside")
            }
            Self::Retarget { path, generation } => write!(f, "retarget {path} to generation {generation}"),
            Self::Stop(unit) => write!(f, "stop {unit}"),
            Self::Flip(Some(number)) => write!(f, "flip current to generation {number}"),
            Self::Flip(None) => f.write_str("remove current"),
            Self::MakeFolder(path) => write!(f, "make folder {path}"),
            Self::Link(path) => write!(f, "link {path}"),
            Self::Copy { path, mode, .. } => write!(f, "copy {path} with mode {mode}"),
            Self::Remove(path) => write!(f, "remove {path}"),
            Self::RemoveFolder(path) => write!(f, "remove folder {path} if it is empty"),
            Self::Directories => f.write_str("make directories"),
            Self::RestoreFolder(FolderBefore { path, mode, owner, group }) => {
                write!(f, "give folder {path} mode {mode} and owner {owner}:{group} again")
            }
            Self::DaemonReload => f.write_str("daemon-reload"),
            Self::ResetFailed(unit) => write!(f, "reset-failed {unit}"),
            Self::Reload(unit) => write!(f, "reload {unit}"),
            Self::Restart(unit) => write!(f, "restart {unit}"),
            Self::Start(unit) => write!(f, "start {unit}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.action, self.reason)
    }
}
