//! A tiny machine in memory that does the steps of plans; the laws that plans must hold on it are in `laws`.

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
    Active, Aside, Found, Generation, Generations, Observed, UnitFound, kept_target, live_target,
};
use crate::switch::plan::{Action, Desired, Plan, Step, Way, plan};
use crate::switch::record::{Record, SetAside};
use crate::switch::recorded::Records;

mod laws;

const PATHS: [&str; 6] = ["/etc/a", "/etc/b", "/etc/sub/c", "/etc/sudoers.d/d", STRAIGHT, "/etc/sudoers.d/e"];
const STRAIGHT: &str = "/etc/localtime";
/// The one whose folder may not be there.
const IN_SUB: usize = 2;
/// Those of the paths that adopt what somebody else has there.
const ADOPTS: [usize; 4] = [1, 2, 4, 5];
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
            place: match (copy, PATHS[index] == STRAIGHT) {
                (true, _) => Place::Copy(object(*content), Mode::new(0o440).unwrap()),
                (_, true) => Place::Straight(TargetPath::new(format!("/usr/{content}")).unwrap()),
                (false, false) => Place::Link(object(*content)),
            },
            adopt: ADOPTS.contains(&index),
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
            adopt: index == 0,
        });
    }
    let target = Target { arch: "x86_64".into(), python: "3.11".into(), system: "debian-12".into() };
    let empty = Manifest::empty(HostName::new("node1").unwrap(), target);
    Bundle::seal(Manifest { objects: objects.into_values().collect(), paths, units, ..empty }).unwrap()
}

/// The machine: what can be observed of it, all generations that there are, and what they have set aside.
#[derive(Debug, Clone)]
struct Model {
    seen: Observed,
    bundles: BTreeMap<u64, Bundle>,
    records: BTreeMap<u64, Record>,
    copies: BTreeMap<SetAside, Found>,
    /// The generation whose units systemd has read.
    loaded: Option<u64>,
    /// What was at each path before us.
    before: BTreeMap<TargetPath, Found>,
}

/// Nothing, or something of somebody else's, that may look like what a bundle of ours places.
fn foreign() -> impl Strategy<Value = Found> {
    let bytes = |content: u8| file_digest(false, &[content]);
    prop_oneof![
        20 => Just(Found::Absent),
        3 => Just(Found::Link("/somebody/else".into())),
        2 => (0_u8..3).prop_map(|content| Found::Link(format!("/usr/{content}"))),
        2 => (0_u8..3).prop_map(move |content| Found::File { digest: bytes(content), mode: 0o440, root: true }),
        1 => Just(Found::File { digest: bytes(9), mode: 0o600, root: false }),
        1 => Just(Found::Other),
    ]
}

/// Where somebody else's file stands before a unit.
fn shadow(unit: &UnitName) -> TargetPath {
    TargetPath::new(format!("/etc/systemd/system/{unit}")).unwrap()
}

impl Model {
    /// A machine on which somebody else has these files, and these files of units, some of which run.
    fn new(foreign: Vec<Found>, units: Vec<(Found, bool)>) -> Self {
        let mut paths: BTreeMap<TargetPath, Found> =
            foreign.into_iter().enumerate().map(|(index, found)| (path(index), found)).collect();
        let mut of_units = BTreeMap::new();
        for (index, (found, runs)) in units.into_iter().enumerate() {
            let runs = runs && found != Found::Absent;
            let active = if runs { Active::Active } else { Active::Inactive };
            of_units.insert(unit(index), UnitFound { active, masked: false, running: None });
            paths.insert(shadow(&unit(index)), found);
        }
        let units = of_units;
        let missing_folders = match &paths[&path(IN_SUB)] {
            Found::Absent => vec![TargetPath::new("/etc/sub").unwrap()],
            _ => Vec::new(),
        };
        let seen =
            Observed { paths: paths.clone(), units: Some(units), missing_folders, ..Observed::default() };
        let (bundles, records, copies) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { seen, bundles, records, copies, loaded: None, before: paths }
    }

    fn generation(&self, number: Option<u64>) -> Option<Generation> {
        number.map(|number| Generation { number, bundle: self.bundles[&number].clone() })
    }

    fn set_pending(&mut self, number: Option<u64>) {
        self.seen.generations.pending = self.generation(number);
        let unended = number.map(|number| self.records[&number].unended.clone()).unwrap_or_default();
        self.seen.generations.unended =
            unended.into_iter().filter_map(|number| self.generation(Some(number))).collect();
        self.look();
    }

    /// What is seen by the records, where it has changed.
    fn look(&mut self) {
        let record = |number| self.records.get(&number).cloned().ok_or(number);
        let records = Records::read(&self.seen.generations, record).unwrap();
        self.seen.ran = records.ran();
        self.seen.unended = records.numbers();
        let missing = &self.seen.missing_folders;
        self.seen.made_folders =
            records.folders().into_iter().filter(|folder| !missing.contains(folder)).cloned().collect();
        self.seen.aside.clear();
        for (record, committed) in records.held() {
            for entry in &record.aside {
                let found = self.copies.get(entry).cloned().unwrap_or(Found::Absent);
                let aside = Aside { generation: entry.generation, found, committed };
                self.seen.aside.insert(entry.path.clone(), aside);
            }
        }
    }

    /// What is done when a switch has ended: copies that nothing needs go.
    fn end(&mut self) {
        let committed = self.seen.generations.committed.as_ref().map(|committed| committed.number);
        let held = committed.map(|number| self.records[&number].aside.clone()).unwrap_or_default();
        let paths = &self.seen.paths;
        self.copies.retain(|entry, copy| held.contains(entry) || paths[&entry.path] != *copy);
        self.set_pending(None);
    }

    /// Notes a generation and its plan, as its record does.
    fn begin(&mut self, number: u64, plan: &Plan) {
        let bundle = &self.bundles[&number];
        self.records
            .insert(number, Record::blank(number, bundle.name.clone()).noting(&self.seen, (bundle, plan)));
        self.set_pending(Some(number));
    }

    /// Whether the folder of a path is not there, so that nothing can be placed in it.
    fn is_folderless(&self, path: &TargetPath) -> bool {
        self.seen.missing_folders.iter().any(|folder| path.is_below(folder.as_str()))
    }

    /// Whether everything of somebody else's is in its place, or set aside.
    fn is_nothing_lost(&self) -> bool {
        self.before.iter().all(|(path, found)| {
            let kept = self.copies.iter().any(|(entry, copy)| entry.path == *path && copy == found);
            *found == Found::Absent || self.seen.paths[path] == *found || kept
        })
    }

    fn running(&self) -> BTreeSet<UnitName> {
        let units = self.seen.units.iter().flatten();
        units.filter(|(_, unit)| unit.active == Active::Active).map(|(name, _)| name.clone()).collect()
    }

    /// Does a step, if it can be done.
    fn step(&mut self, step: &Step) {
        self.change(&step.action);
        self.look();
    }

    fn change(&mut self, action: &Action) {
        let live = self.seen.generations.live.as_ref();
        match action {
            Action::Link(path) | Action::Copy { path, .. } if self.is_folderless(path) => {}
            Action::Retarget { path, generation } => {
                self.seen.paths.insert(path.clone(), Found::Link(kept_target(path, *generation)));
            }
            Action::SetAside(path) => {
                let generation = self.seen.generations.pending.as_ref().unwrap().number;
                let entry = SetAside { path: path.clone(), generation };
                self.copies.insert(entry, self.seen.paths[path].clone());
            }
            Action::GiveBack { path, generation } => {
                let entry = SetAside { path: path.clone(), generation: *generation };
                self.seen.paths.insert(path.clone(), self.copies[&entry].clone());
                self.seen.missing_folders.retain(|folder| !path.is_below(folder.as_str()));
            }
            Action::Straight { path, to } => {
                self.seen.paths.insert(path.clone(), Found::Link(to.to_string()));
            }
            Action::Flip(number) => self.seen.generations.live = self.generation(*number),
            Action::Link(path) => {
                self.seen.paths.insert(path.clone(), Found::Link(live_target(path)));
            }
            Action::Copy { path, object, mode } => {
                let bundle = &live.unwrap().bundle;
                let object = bundle.manifest.objects.iter().find(|found| found.name == *object).unwrap();
                let ObjectDigest::File(digest) = object.digest else { unreachable!() };
                let found = Found::File { digest, mode: mode.bits(), root: true };
                self.seen.paths.insert(path.clone(), found);
            }
            Action::Remove(path) => drop(self.seen.paths.insert(path.clone(), Found::Absent)),
            Action::MakeFolder(folder) => {
                self.seen.missing_folders.retain(|missing| missing != folder);
            }
            Action::RemoveFolder(folder) => {
                let mut inside = self.seen.paths.iter().filter(|(path, _)| path.is_below(folder.as_str()));
                if inside.all(|(_, found)| *found == Found::Absent) {
                    self.seen.missing_folders = vec![folder.clone()];
                }
            }
            Action::Stop(name) => self.set_unit(name, Active::Inactive, None),
            Action::Start(name) | Action::Restart(name) | Action::Reload(name) => {
                let ours = self.loaded().iter().find(|unit| unit.name == *name).map(|unit| unit.digest);
                if self.is_theirs(name) {
                    self.set_unit(name, Active::Active, None);
                } else if let Some(digest) = ours {
                    let is_service = name.as_str().ends_with(".service");
                    self.set_unit(name, Active::Active, is_service.then_some(digest));
                }
            }
            Action::DaemonReload => self.loaded = live.map(|live| live.number),
            Action::Directories | Action::RestoreFolder(_) | Action::ResetFailed(_) => {}
        }
    }

    /// The units that systemd has read.
    fn loaded(&self) -> &[ManifestUnit] {
        self.loaded.map_or(&[], |number| &self.bundles[&number].manifest.units)
    }

    fn set_unit(&mut self, name: &UnitName, active: Active, running: Option<Digest<OfUnit>>) {
        let found = UnitFound { active, masked: false, running };
        self.seen.units.as_mut().unwrap().insert(name.clone(), found);
    }

    fn plan_to(&self, number: Option<u64>, way: Way) -> Plan {
        let generation = number.map(|number| (number, &self.bundles[&number]));
        let mut seen = self.seen.clone();
        for unit in generation.iter().flat_map(|(_, bundle)| &bundle.manifest.units) {
            let path = shadow(&unit.name);
            if let Some(found) = self.seen.paths.get(&path).filter(|found| **found != Found::Absent) {
                seen.shadows.insert(unit.name.clone(), [(path, found.clone())].into());
            }
        }
        plan(&seen, Desired { generation, way })
    }

    /// Whether a unit is somebody else's: its file stands before ours, or there is none of ours.
    fn is_theirs(&self, unit: &UnitName) -> bool {
        self.seen.paths[&shadow(unit)] != Found::Absent
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
            self.begin(number, &plan);
            self.apply(&plan);
            self.commit(number);
        }
        true
    }

    fn commit(&mut self, number: u64) {
        self.seen.generations.committed = self.generation(Some(number));
        self.end();
    }

    /// What a user of the machine sees: bytes at paths, definitions that run.
    fn visible(&self) -> Vec<String> {
        let mut all = Vec::new();
        let live = self.seen.generations.live.as_ref();
        for (path, found) in &self.seen.paths {
            let through = |bundle: &Bundle| {
                let managed = bundle.manifest.paths.iter().find(|managed| managed.path == *path);
                managed.map_or("DANGLING".to_owned(), |managed| format!("{:?}", managed.object()))
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
                    format!("{path} {:?}", Some(ObjectDigest::File(*digest).name(&Label::new("x").unwrap())))
                }
                other => format!("{path} {other:?}"),
            });
        }
        for (name, found) in self.seen.units.iter().flatten() {
            all.push(format!("{name} {:?} {:?}", found.active, found.running));
        }
        all
    }
}
