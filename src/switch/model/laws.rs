//! The laws that plans must hold, on the machine in memory.

use super::*;
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
            model.sweep();
            model.set_pending(None);
            prop_assert!(model.is_nothing_lost());
            prop_assert!(model.copies.keys().all(|copy| copy.generation != 2));
        }
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
