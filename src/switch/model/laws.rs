//! The laws that plans must hold, on the machine in memory.

use super::*;
use crate::switch::observed::shadowed_by;
use crate::switch::recover::is_done;

/// One machine with something live, something that somebody else placed, and something new.
fn world() -> impl Strategy<Value = (Model, Spec)> {
    let units = prop::collection::vec((foreign(), any::<bool>()), UNITS.len());
    let foreign = prop::collection::vec(foreign(), PATHS.len());
    (foreign, units, prop::option::of(spec()), spec()).prop_map(|(foreign, units, old, new)| {
        let mut model = Model::new(foreign, units);
        if let Some(old) = old {
            model.activate(1, &old);
        }
        (model, new)
    })
}

/// An activation that got stuck: it was killed after so many steps, or was done, and of the way back only these steps
/// could be done.
#[derive(Debug, Clone)]
struct Stuck {
    spec: Spec,
    killed_after: usize,
    back: Vec<bool>,
}

fn chain() -> impl Strategy<Value = Vec<Stuck>> {
    let back = prop::collection::vec(prop::bool::weighted(0.7), 0..30);
    let stuck = (spec(), 0_usize..25, back);
    prop::collection::vec(
        stuck.prop_map(|(spec, killed_after, back)| Stuck { spec, killed_after, back }),
        1..5,
    )
}

impl Model {
    fn committed(&self) -> Option<u64> {
        self.seen.generations.committed.as_ref().map(|committed| committed.number)
    }

    /// Gets stuck, unless it is refused; whether nothing was lost at any moment.
    fn get_stuck(&mut self, number: u64, stuck: &Stuck) -> bool {
        self.bundles.insert(number, bundle(&stuck.spec));
        let plan = self.plan_to(Some(number), Way::Forward);
        if !plan.collisions.is_empty() {
            return true;
        }
        self.begin(number, &plan);
        let mut lost_nothing = true;
        let mut step = |model: &mut Self, step: &Step| {
            model.step(step);
            lost_nothing &= model.is_nothing_lost();
        };
        plan.steps.iter().take(stuck.killed_after).for_each(|next| step(self, next));
        let back = self.plan_to(self.committed(), Way::Back);
        for (next, can_be_done) in back.steps.iter().zip(&stuck.back) {
            if *can_be_done {
                step(self, next);
            } else if matches!(next.action, Action::Flip(_)) {
                break;
            }
        }
        lost_nothing
    }

    /// What differs from a machine that has just what a bundle says, and else what was there before us.
    fn is_other_than(&self, number: u64) -> Option<String> {
        let bundle = &self.bundles[&number];
        for (path, before) in &self.before {
            let found = &self.seen.paths[path];
            let managed = bundle.manifest.paths.iter().find(|managed| managed.path == *path);
            let of_unit = shadowed_by(path).is_some_and(|unit| bundle.unit(&unit).is_some());
            let right = match managed {
                Some(managed) => found.is_placed(managed, bundle),
                None if of_unit => *found == Found::Absent,
                None => found == before,
            };
            if !right {
                return Some(format!("{path}: {found:?}"));
            }
        }
        for name in self.seen.units.iter().flatten().map(|(name, _)| name) {
            let (wanted, runs) = (bundle.unit(name).is_some(), self.running().contains(name));
            if wanted != runs && !(runs && self.is_theirs(name)) {
                return Some(format!("{name} runs: {runs}"));
            }
        }
        let folder = bundle.manifest.paths.iter().any(|managed| managed.path == path(IN_SUB));
        let folder = folder || self.before[&path(IN_SUB)] != Found::Absent;
        if folder != self.seen.missing_folders.is_empty() {
            return Some(format!("the folder is there: {}", !folder));
        }
        if self.loaded() != bundle.manifest.units {
            return Some(format!("systemd has read {:?}", self.loaded()));
        }
        let held = &self.records[&number].aside;
        let copies: Vec<&SetAside> = self.copies.keys().filter(|copy| !held.contains(copy)).collect();
        (!copies.is_empty()).then(|| format!("{copies:?}"))
    }
}

#[test]
fn failed_units_are_started_together() {
    let nothing = vec![Found::Absent; PATHS.len()];
    let mut model = Model::new(nothing, vec![(Found::Absent, false); UNITS.len()]);
    model.activate(1, &Spec { paths: vec![None; PATHS.len()], units: vec![Some(0); UNITS.len()] });
    for index in 0..UNITS.len() {
        model.set_unit(&unit(index), Active::Failed, None);
    }
    let steps = model.plan_to(Some(1), Way::Forward).steps;
    let starts = steps.iter().skip_while(|step| !matches!(step.action, Action::Start(_)));
    assert_eq!(starts.count(), UNITS.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_switch_reaches_what_is_desired_and_then_has_nothing_to_do((mut model, new) in world()) {
        let before = model.seen.paths.clone();
        let theirs: Vec<UnitName> =
            model.running().into_iter().filter(|unit| model.is_theirs(unit)).collect();
        if model.activate(2, &new) {
            let plan = model.plan_to(Some(2), Way::Forward);
            prop_assert!(plan.is_empty(), "{plan:?}");
            let bundle = &model.bundles[&2];
            for (index, content) in new.paths.iter().enumerate() {
                let found = &model.seen.paths[&path(index)];
                let managed = bundle.manifest.paths.iter().find(|managed| managed.path == path(index));
                prop_assert_eq!(managed.is_some(), content.is_some());
                if let Some(managed) = managed {
                    prop_assert!(found.is_placed(managed, bundle), "{managed:?} {found:?}");
                } else {
                    prop_assert_eq!(found, &model.before[&path(index)]);
                }
            }
            for (index, content) in new.units.iter().enumerate() {
                let running = model.running().contains(&unit(index));
                prop_assert_eq!(running, content.is_some() || theirs.contains(&unit(index)));
                prop_assert!(content.is_none() || !model.is_theirs(&unit(index)));
            }
        } else {
            let in_the_way = |(index, content): (usize, &Option<u8>)| {
                content.is_some() && before[&path(index)] == model.before[&path(index)]
                    && before[&path(index)] != Found::Absent
            };
            let before_unit =
                |(index, content): (usize, &Option<u8>)| content.is_some() && model.is_theirs(&unit(index));
            prop_assert!(
                new.paths.iter().enumerate().any(in_the_way) || new.units.iter().enumerate().any(before_unit)
            );
            prop_assert_eq!(&before, &model.seen.paths);
        }
        prop_assert!(model.is_nothing_lost());
    }

    #[test]
    fn killed_after_any_step_the_way_back_reaches_what_was((model, new) in world(), second in 0_usize..12) {
        let before = model.visible();
        let mut model = model;
        model.bundles.insert(2, bundle(&new));
        let forward = model.plan_to(Some(2), Way::Forward);
        if !forward.collisions.is_empty() {
            return Ok(());
        }
        let flips = forward.steps.iter().filter(|step| matches!(step.action, Action::Flip(_))).count();
        prop_assert!(flips == 1 || forward.steps.is_empty());
        model.begin(2, &forward);
        for killed_after in 0..=forward.steps.len() {
            let mut model = model.clone();
            let step = |model: &mut Model, step: &Step| {
                model.step(step);
                let dangles = model.visible().iter().any(|line| line.contains("DANGLING"));
                !dangles && model.is_nothing_lost()
            };
            for next in &forward.steps[..killed_after] {
                prop_assert!(step(&mut model, next), "{next:?}");
            }
            let committed = model.seen.generations.committed.as_ref().map(|committed| committed.number);
            let back = model.plan_to(committed, Way::Back);
            // The way back is killed too, after `second` steps, and begins again.
            for next in back.steps.iter().take(second) {
                prop_assert!(step(&mut model, next), "{next:?}");
            }
            let again = model.plan_to(committed, Way::Back);
            for next in &again.steps {
                prop_assert!(step(&mut model, next), "{next:?}");
            }
            prop_assert_eq!(&before, &model.visible(), "killed after {} of {:?}", killed_after, forward.steps);
            prop_assert!(is_done(&model.plan_to(committed, Way::Back)));
            model.end();
            prop_assert!(model.is_nothing_lost());
            prop_assert!(model.copies.keys().all(|copy| copy.generation != 2));
        }
    }

    #[test]
    fn what_ends_well_leaves_nothing_of_what_got_stuck_before((mut model, new) in world(), chain in chain()) {
        let accepted = model.clone().activate(9, &new);
        for (number, stuck) in (2..).zip(&chain) {
            prop_assert!(model.get_stuck(number, stuck));
        }
        // What is in the way is what was in it before.
        prop_assert_eq!(model.activate(9, &new), accepted);
        if accepted && model.committed() == Some(9) {
            prop_assert_eq!(model.is_other_than(9), None);
            prop_assert!(model.is_nothing_lost() && model.plan_to(Some(9), Way::Forward).is_empty());
        }
    }

    #[test]
    fn a_way_back_that_ends_well_leaves_nothing_of_what_got_stuck((mut model, _) in world(), chain in chain()) {
        let (before, committed, loaded) = (model.visible(), model.committed(), model.loaded().to_vec());
        let copies = model.copies.clone();
        for (number, stuck) in (2..).zip(&chain) {
            prop_assert!(model.get_stuck(number, stuck));
        }
        model.apply(&model.plan_to(committed, Way::Back));
        prop_assert_eq!((&before, &loaded[..]), (&model.visible(), model.loaded()));
        prop_assert!(is_done(&model.plan_to(committed, Way::Back)));
        model.end();
        prop_assert_eq!(copies, model.copies);
    }

    #[test]
    fn desiring_nothing_gives_every_path_back((mut model, new) in world()) {
        model.activate(2, &new);
        let generations = &model.seen.generations;
        let ours = generations.bundles().flat_map(|bundle| bundle.manifest.units.iter().map(|unit| unit.name.clone()));
        let ours: Vec<UnitName> = ours.collect();
        let plan = model.plan_to(None, Way::Forward);
        model.apply(&plan);
        prop_assert_eq!(&model.before, &model.seen.paths);
        prop_assert!(model.running().iter().all(|unit| model.is_theirs(unit) && !ours.contains(unit)));
        prop_assert_eq!(model.seen.generations.live, Generations::default().live);
    }
}
