//! A tiny machine in memory that does the steps of plans, and the laws that plans must hold on it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::base::digest::{Digest, Hasher, OfUnit};
use crate::base::name::{HostName, Label, UnitName};
use crate::base::path::TargetPath;
use crate::store::bundle::Bundle;
use crate::store::manifest::{
    ClosureObject, ManagedPath, Manifest, Mode, Place, Target, Unit as ManifestUnit,
};
use crate::store::object::{ObjectDigest, file_digest};
use crate::switch::observed::{
    Active, Found, Generation, Generations, Observed, UnitFound, kept_target, live_target,
};
use crate::switch::plan::{Action, Desired, Plan, Step, Way, plan};

const PATHS: [&str; 4] = ["/etc/a", "/etc/b", "/etc/sub/c", "/etc/sudoers.d/d"];
const UNITS: [&str; 3] = ["one.service", "two.service", "three.timer"];

/// What a bundle has at each path and unit: nothing, or this content.
#[derive(Debug, Clone, PartialEq)]
struct Spec {
    paths: Vec<Option<u8>>,
    units: Vec<Option<u8>>,
}

fn spec() -> impl Strategy<Value = Spec> {
    let content = || prop::option::of(0_u8..3);
    (prop::collection::vec(content(), PATHS.len()), prop::collection::vec(content(), UNITS.len()))
        .prop_map(|(paths, units)| Spec { paths, units })
}

fn path(index: usize) -> TargetPath {
    TargetPath::new(PATHS[index]).unwrap()
}

fn unit(index: usize) -> UnitName {
    UnitName::new(UNITS[index]).unwrap()
}

fn definition(content: u8) -> Digest<OfUnit> {
    Hasher::default().bytes(&[content]).finish()
}

fn bundle(spec: &Spec) -> Bundle {
    let mut objects = BTreeMap::new();
    let mut object = |content: u8| {
        let digest = ObjectDigest::File(file_digest(false, &[content]));
        let name = digest.name(&Label::new("x").unwrap());
        objects.insert(name.clone(), ClosureObject { name: name.clone(), digest, size: 1 });
        name
    };
    let mut paths = Vec::new();
    for (index, content) in spec.paths.iter().enumerate() {
        let Some(content) = content else { continue };
        let copy = PATHS[index].contains("sudoers");
        paths.push(ManagedPath {
            path: path(index),
            object: object(*content),
            place: if copy { Place::Copy } else { Place::Link },
            mode: copy.then(|| Mode::new(0o440).unwrap()),
        });
    }
    let mut units = Vec::new();
    for (index, content) in spec.units.iter().enumerate() {
        let Some(content) = content else { continue };
        units.push(ManifestUnit {
            name: unit(index),
            object: object(*content),
            digest: definition(*content),
            reload: None,
            restart_if_changed: true,
            reload_if_changed: false,
            stop_if_changed: false,
            stop_on_removal: true,
            start_timeout: 90,
            stop_timeout: 90,
            wanted_by: vec![UnitName::new("voevent.target").unwrap()],
        });
    }
    let target = Target { arch: "x86_64".into(), python: "3.11".into(), system: "debian-12".into() };
    let empty = Manifest::empty(HostName::new("node1").unwrap(), target);
    Bundle::seal(Manifest { objects: objects.into_values().collect(), paths, units, ..empty }).unwrap()
}

/// The machine: what can be observed of it, and all generations that there are.
#[derive(Debug, Clone)]
struct Model {
    seen: Observed,
    bundles: BTreeMap<u64, Bundle>,
}

impl Model {
    fn new(foreign: &[bool]) -> Self {
        let found = |index: usize| {
            if foreign[index] { Found::Link("/somebody/else".into()) } else { Found::Absent }
        };
        let paths = (0..PATHS.len()).map(|index| (path(index), found(index))).collect();
        let idle = UnitFound { active: Active::Inactive, masked: false, running: None, shadowed_by: None };
        let units = (0..UNITS.len()).map(|index| (unit(index), idle.clone())).collect();
        let seen = Observed {
            paths,
            units: Some(units),
            missing_folders: vec![TargetPath::new("/etc/sub").unwrap()],
            ..Observed::default()
        };
        Self { seen, bundles: BTreeMap::new() }
    }

    fn generation(&self, number: Option<u64>) -> Option<Generation> {
        number.map(|number| Generation { number, bundle: self.bundles[&number].clone() })
    }

    fn set_pending(&mut self, number: Option<u64>) {
        self.seen.ran = match number {
            Some(_) => self.running(),
            None => BTreeSet::new(),
        };
        self.seen.generations.pending = self.generation(number);
    }

    fn running(&self) -> BTreeSet<UnitName> {
        let units = self.seen.units.iter().flatten();
        units.filter(|(_, unit)| unit.active == Active::Active).map(|(name, _)| name.clone()).collect()
    }

    fn step(&mut self, step: &Step) {
        let live = |model: &Self| model.seen.generations.live.as_ref().map(|live| live.bundle.clone());
        match &step.action {
            Action::Retarget { path, generation } => {
                self.seen.paths.insert(path.clone(), Found::Link(kept_target(path, *generation)));
            }
            Action::Flip(number) => self.seen.generations.live = self.generation(*number),
            Action::Link(path) => {
                self.seen.paths.insert(path.clone(), Found::Link(live_target(path)));
            }
            Action::Copy { path, object, mode } => {
                let bundle = live(self).unwrap();
                let object = bundle.manifest.objects.iter().find(|found| found.name == *object).unwrap();
                let ObjectDigest::File(digest) = object.digest else { unreachable!() };
                let found = Found::File { digest, mode: mode.bits(), root: true };
                self.seen.paths.insert(path.clone(), found);
            }
            Action::Remove(path) => drop(self.seen.paths.insert(path.clone(), Found::Absent)),
            Action::MakeFolder(folder) => {
                self.seen.missing_folders.retain(|missing| missing != folder);
                self.seen.made_folders.insert(folder.clone());
            }
            Action::RemoveFolder(folder) => {
                self.seen.made_folders.remove(folder);
                self.seen.missing_folders.push(folder.clone());
            }
            Action::Stop(name) => self.set_unit(name, Active::Inactive, None),
            Action::Start(name) | Action::Restart(name) | Action::Reload(name) => {
                let digest = live(self).unwrap().unit(name).unwrap().digest;
                let service = name.as_str().ends_with(".service");
                self.set_unit(name, Active::Active, service.then_some(digest));
            }
            Action::Directories | Action::DaemonReload | Action::ResetFailed(_) => {}
        }
    }

    fn set_unit(&mut self, name: &UnitName, active: Active, running: Option<Digest<OfUnit>>) {
        let found = UnitFound { active, masked: false, running, shadowed_by: None };
        self.seen.units.as_mut().unwrap().insert(name.clone(), found);
    }

    fn plan_to(&self, number: Option<u64>, way: Way) -> Plan {
        let generation = number.map(|number| (number, &self.bundles[&number]));
        plan(&self.seen, Desired { generation, way })
    }

    fn apply(&mut self, plan: &Plan) {
        plan.steps.iter().for_each(|step| self.step(step));
    }

    /// A whole activation, as it goes when nothing fails; refused where something is in the way.
    fn activate(&mut self, number: u64, spec: &Spec) -> bool {
        self.bundles.insert(number, bundle(spec));
        let plan = self.plan_to(Some(number), Way::Forward);
        if !plan.collisions.is_empty() {
            return false;
        }
        if !plan.is_empty() {
            self.set_pending(Some(number));
            self.apply(&plan);
            self.commit(number);
        }
        true
    }

    fn commit(&mut self, number: u64) {
        self.seen.generations.committed = self.generation(Some(number));
        self.set_pending(None);
    }

    /// What a user of the machine sees: bytes at paths, definitions that run.
    fn visible(&self) -> Vec<String> {
        let mut all = Vec::new();
        let live = self.seen.generations.live.as_ref();
        for (path, found) in &self.seen.paths {
            let through = |bundle: &Bundle| {
                let managed = bundle.manifest.paths.iter().find(|managed| managed.path == *path);
                managed.map_or("DANGLING".to_owned(), |managed| managed.object.to_string())
            };
            all.push(match found {
                Found::Link(target) if *target == live_target(path) => {
                    format!("{path} {}", live.map_or("DANGLING".to_owned(), |live| through(&live.bundle)))
                }
                Found::Link(target) if target.starts_with("/var/lib/voevent/generations/") => {
                    let number: u64 = target.split('/').nth(5).unwrap().parse().unwrap();
                    format!("{path} {}", through(&self.bundles[&number]))
                }
                Found::File { digest, .. } => {
                    format!("{path} {}", ObjectDigest::File(*digest).name(&Label::new("x").unwrap()))
                }
                other => format!("{path} {other:?}"),
            });
        }
        for (name, found) in self.seen.units.iter().flatten() {
            all.push(format!("{name} {:?} {:?}", found.active, found.running));
        }
        all
    }

    fn foreign(&self) -> Vec<&TargetPath> {
        let is_foreign = |found: &Found| matches!(found, Found::Link(target) if target == "/somebody/else");
        self.seen.paths.iter().filter(|(_, found)| is_foreign(found)).map(|(path, _)| path).collect()
    }
}

/// One machine with something live, something that somebody else placed, and something new.
fn world() -> impl Strategy<Value = (Model, Spec)> {
    let foreign = prop::collection::vec(prop::bool::weighted(0.15), PATHS.len());
    (foreign, prop::option::of(spec()), spec()).prop_map(|(foreign, old, new)| {
        let mut model = Model::new(&foreign);
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
        let foreign: Vec<TargetPath> = model.foreign().into_iter().cloned().collect();
        if model.activate(2, &new) {
            let plan = model.plan_to(Some(2), Way::Forward);
            prop_assert!(plan.is_empty(), "{plan:?}");
            for (index, content) in new.paths.iter().enumerate() {
                let there = !matches!(model.seen.paths[&path(index)], Found::Absent);
                prop_assert_eq!(there, content.is_some() || foreign.contains(&path(index)));
            }
            for (index, content) in new.units.iter().enumerate() {
                let running = model.running().contains(&unit(index));
                prop_assert_eq!(running, content.is_some());
            }
        } else {
            prop_assert!(foreign.iter().any(|path| new.paths[PATHS.iter().position(|p| *p == path.as_str()).unwrap()].is_some()));
        }
        let still: Vec<TargetPath> = model.foreign().into_iter().cloned().collect();
        prop_assert_eq!(foreign, still);
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
        model.set_pending(Some(2));
        for killed_after in 0..=forward.steps.len() {
            let mut model = model.clone();
            for step in &forward.steps[..killed_after] {
                model.step(step);
                prop_assert!(!model.visible().iter().any(|line| line.contains("DANGLING")), "{step:?}");
            }
            let committed = model.seen.generations.committed.as_ref().map(|committed| committed.number);
            let back = model.plan_to(committed, Way::Back);
            // The way back is killed too, after `second` steps, and begins again.
            for step in back.steps.iter().take(second) {
                model.step(step);
                prop_assert!(!model.visible().iter().any(|line| line.contains("DANGLING")), "{step:?}");
            }
            let again = model.plan_to(committed, Way::Back);
            for step in &again.steps {
                model.step(step);
                prop_assert!(!model.visible().iter().any(|line| line.contains("DANGLING")), "{step:?}");
            }
            prop_assert_eq!(&before, &model.visible(), "killed after {} of {:?}", killed_after, forward.steps);
        }
    }

    #[test]
    fn desiring_nothing_gives_every_path_back((mut model, new) in world()) {
        let foreign: Vec<TargetPath> = model.foreign().into_iter().cloned().collect();
        model.activate(2, &new);
        let plan = model.plan_to(None, Way::Forward);
        model.apply(&plan);
        for (path, found) in &model.seen.paths {
            prop_assert_eq!(foreign.contains(path), *found != Found::Absent);
        }
        prop_assert!(model.running().is_empty());
        prop_assert_eq!(model.seen.generations.live, Generations::default().live);
    }
}
