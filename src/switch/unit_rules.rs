//! What a switch does with each unit. The rules, first that fits:
//!
//! | unit | state | what is done |
//! |---|---|---|
//! | masked, or a template | any | nothing |
//! | goes | runs, `X-StopOnRemoval=` not `no` | stopped before the flip |
//! | goes, on the way back, and somebody else's of its name is given back | ran before | stopped as ours, started as theirs |
//! | new, and wanted by something | runs not | started |
//! | stays | is a oneshot at work | nothing: it ends by itself; with another definition and `X-StopIfChanged=`: stopped before |
//! | stays | is a oneshot that is not at work | nothing |
//! | stays | failed | started |
//! | stays | was stopped by an activation that did not end | started |
//! | stays | stopped by the administrator | nothing |
//! | stays, other definition | runs | `X-RestartIfChanged=no`: nothing; `X-ReloadIfChanged=`: reloaded; `X-StopIfChanged=`: stopped before, started after; targets: nothing; else restarted |
//! | stays, other `X-Reload-Triggers=` | runs | reloaded |
//!
//! Which definition runs is read from systemd for services; other types carry none, and a reload does not change it, so
//! there the live manifest tells.

use std::collections::BTreeSet;

use crate::base::name::UnitName;
use crate::store::bundle::Bundle;
use crate::store::manifest::Unit;
use crate::store::manifest::treatment::{self, IfChanged};
use crate::switch::observed::{Active, Observed, UnitFound, shadowed_by};
use crate::switch::plan::{Action, Desired, Plan, Steps, Way};

/// The steps for all units of the desired bundle, and of all that may have started some.
pub(super) fn unit_steps(observed: &Observed, desired: Desired<'_>, plan: &mut Plan) -> Steps {
    let mut steps = Steps::default();
    let Some(found) = &observed.units else {
        return steps;
    };
    let new = desired.generation.map(|(_, bundle)| bundle);
    let known = observed.generations.bundles().chain(new);
    let names: BTreeSet<&UnitName> =
        known.flat_map(|b| b.manifest.units.iter().map(|unit| &unit.name)).collect();
    for name in names {
        let Some(found) = found.get(name) else {
            continue;
        };
        let unit = new.and_then(|bundle| bundle.unit(name));
        if treatment::is_template(name) {
            continue;
        }
        if found.masked {
            plan.leave(name, "is masked: it is left alone");
            continue;
        }
        let theirs = observed.aside.keys().any(|path| shadowed_by(path).as_ref() == Some(name));
        let back = desired.way == Way::Back && theirs;
        let ran = observed.ran.contains(name);
        let case = Case {
            name,
            found,
            old: old_unit(observed, name),
            known: known_unit((observed, desired), name),
            ran,
        };
        match unit {
            None if back => case.is_given_back(&mut steps),
            None => case.goes(&mut steps),
            Some(unit) => case.stays_or_comes(unit, &mut steps, plan),
        }
    }
    // Jobs that follow each other are queued together, in the order that the units ask for.
    steps.after.sort_by_key(|step| !matches!(step.action, Action::ResetFailed(_)));
    steps
}

/// The unit as the live generation has it, or else as any that may have left it on the machine.
fn old_unit<'a>(observed: &'a Observed, name: &UnitName) -> Option<&'a Unit> {
    observed.generations.bundles().find_map(|bundle: &Bundle| bundle.unit(name))
}

/// The unit as the generation has it that has surely started it: the desired one, where it is live already, else the
/// committed one. What did not end may have left it or may not.
fn known_unit<'a>((observed, desired): (&'a Observed, Desired<'_>), name: &UnitName) -> Option<&'a Unit> {
    let generations = &observed.generations;
    let number = desired.generation.map(|(number, _)| number);
    let live = generations.live.as_ref().filter(|live| Some(live.number) == number);
    live.or(generations.committed.as_ref()).and_then(|one| one.bundle.unit(name))
}

const DIFFERS: &str = "another definition of it runs";

struct Case<'a> {
    name: &'a UnitName,
    found: &'a UnitFound,
    old: Option<&'a Unit>,
    known: Option<&'a Unit>,
    ran: bool,
}

impl Case<'_> {
    fn goes(&self, steps: &mut Steps) {
        let stop = self.old.is_none_or(|old| old.stop_on_removal);
        match self.found.active {
            Active::Active | Active::Working if stop => {
                steps.before(Action::Stop(self.name.clone()), "no module has it any more");
            }
            Active::Failed => {
                steps.after(Action::ResetFailed(self.name.clone()), "no module has it any more");
            }
            Active::Active | Active::Working | Active::Ended | Active::Inactive => {}
        }
    }

    /// The way back leads to a unit of the same name that is not ours. What carries no definition of ours runs as it was.
    fn is_given_back(&self, steps: &mut Steps) {
        let name = self.name;
        if self.found.active == Active::Active && self.found.running.is_none() {
            return;
        }
        self.goes(steps);
        if self.ran {
            steps.after(Action::Start(name.clone()), "it ran before, as somebody else's");
        }
    }

    fn stays_or_comes(&self, new: &Unit, steps: &mut Steps, plan: &mut Plan) {
        let name = self.name;
        let was_wanted = self.old.is_some_and(|old| !old.wanted_by.is_empty());
        let is_known_as_wanted = self.known.is_some_and(|known| !known.wanted_by.is_empty());
        let wanted = !new.wanted_by.is_empty() || name.as_str() == crate::base::layout::TARGET_UNIT;
        match self.found.active {
            Active::Active => self.runs(new, steps),
            Active::Working if !self.is_same(new) && new.if_changed() == IfChanged::StopAndStart => {
                steps.before(Action::Stop(name.clone()), DIFFERS);
            }
            Active::Failed if wanted || was_wanted || self.ran => {
                steps.after(Action::ResetFailed(name.clone()), "it had failed");
                steps.after(Action::Start(name.clone()), "it had failed");
            }
            Active::Inactive | Active::Ended if self.ran && !self.is_ended(new) => {
                steps.after(Action::Start(name.clone()), "it ran before");
            }
            Active::Inactive | Active::Ended if wanted && self.known.is_none() => {
                steps.after(Action::Start(name.clone()), "it is new");
            }
            Active::Inactive | Active::Ended
                if wanted && !is_known_as_wanted && !new.wanted_by.is_empty() =>
            {
                steps.after(Action::Start(name.clone()), "it is wanted now");
            }
            Active::Inactive if wanted => plan.leave(name, "was stopped by hand: it stays stopped"),
            Active::Working | Active::Ended | Active::Failed | Active::Inactive => {}
        }
    }

    /// Whether it does not run because it is a oneshot that did its work, as the new definition has it: the one that is
    /// live is what systemd goes by.
    fn is_ended(&self, new: &Unit) -> bool {
        self.found.active == Active::Ended && self.old.is_some_and(|old| old.digest == new.digest)
    }

    /// Whether what runs has the new definition.
    fn is_same(&self, new: &Unit) -> bool {
        match (treatment::has_type(self.name, "service"), self.found.running, self.old) {
            // A reload does not change what it was started with.
            (true, Some(_), Some(old)) if new.reload_if_changed => old.digest == new.digest,
            (true, Some(running), _) => running == new.digest,
            (true, None, _) | (_, _, None) => false,
            (false, _, Some(old)) => old.digest == new.digest,
        }
    }

    fn runs(&self, new: &Unit, steps: &mut Steps) {
        let name = self.name.clone();
        if self.is_same(new) {
            if self.old.is_some_and(|old| old.reload != new.reload) {
                steps.after(Action::Reload(name), "`X-Reload-Triggers=` differs");
            }
            return;
        }
        match new.if_changed() {
            IfChanged::Nothing => {}
            IfChanged::Reload => steps.after(Action::Reload(name), DIFFERS),
            IfChanged::StopAndStart => {
                steps.before(Action::Stop(name.clone()), DIFFERS);
                steps.after(Action::Start(name), DIFFERS);
            }
            IfChanged::Restart => steps.after(Action::Restart(name), DIFFERS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::Hasher;
    use crate::base::name::Label;
    use crate::store::object::{ObjectDigest, file_digest};

    fn unit(content: u8, reload_if_changed: bool) -> Unit {
        Unit {
            name: UnitName::new("x.service").unwrap(),
            object: ObjectDigest::File(file_digest(false, &[content])).name(&Label::new("x").unwrap()),
            digest: Hasher::default().bytes(&[content]).finish(),
            reload: None,
            restart_if_changed: true,
            reload_if_changed,
            stop_if_changed: false,
            stop_on_removal: true,
            start_timeout: 90,
            stop_timeout: 90,
            wanted_by: Vec::new(),
            adopt: false,
        }
    }

    /// What is done with a unit that was started as 1, with this one live, where that one is to be.
    fn done(active: Active, live: &Unit, new: &Unit) -> Vec<Action> {
        let running = Some(unit(1, false).digest);
        let found = UnitFound { active, masked: false, running };
        let case = Case { name: &new.name, found: &found, old: Some(live), known: Some(live), ran: true };
        let (mut steps, mut plan) = (Steps::default(), Plan::default());
        case.stays_or_comes(new, &mut steps, &mut plan);
        assert_eq!(plan.notes, [""; 0]);
        steps.before.into_iter().chain(steps.after).map(|step| step.action).collect()
    }

    #[test]
    fn a_reload_is_done_once() {
        let name = unit(1, true).name;
        assert_eq!(done(Active::Active, &unit(1, true), &unit(2, true)), [Action::Reload(name.clone())]);
        assert_eq!(done(Active::Active, &unit(2, true), &unit(2, true)), []);
        assert_eq!(done(Active::Active, &unit(2, false), &unit(2, false)), [Action::Restart(name)]);
    }

    #[test]
    fn a_oneshot_at_work_is_let_end() {
        let (old, new) = (unit(1, false), unit(2, false));
        assert_eq!(done(Active::Working, &old, &old), []);
        assert_eq!(done(Active::Working, &old, &new), []);
        let new = Unit { stop_if_changed: true, ..new };
        assert_eq!(done(Active::Working, &old, &new), [Action::Stop(new.name.clone())]);
        assert_eq!(done(Active::Working, &Unit { stop_if_changed: true, ..old.clone() }, &old), []);
    }

    #[test]
    fn a_oneshot_that_ended_was_not_stopped() {
        let (old, new) = (unit(1, false), unit(2, false));
        let wanted = Unit { wanted_by: vec![UnitName::new("voevent.target").unwrap()], ..old.clone() };
        assert_eq!(done(Active::Ended, &wanted, &wanted), []);
        // It was none before.
        let start = [Action::Start(old.name.clone())];
        assert_eq!(done(Active::Ended, &old, &new), start);
        assert_eq!(done(Active::Inactive, &wanted, &wanted), start);
    }

    #[test]
    fn what_ran_and_failed_since_is_started_though_nobody_wants_it() {
        let unit = unit(1, false);
        let steps = [Action::ResetFailed(unit.name.clone()), Action::Start(unit.name.clone())];
        assert_eq!(done(Active::Failed, &unit, &unit), steps);
    }
}
