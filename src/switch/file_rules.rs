//! What a switch does with each managed path. The rules, first that fits:
//!
//! | path | what is there | what is done |
//! |---|---|---|
//! | wanted | what is to be there, and it is ours | nothing |
//! | wanted | nothing, or something of ours | placed after the flip |
//! | wanted | somebody else's, new to us, with `adopt` | set aside before the flip, ours is renamed over it after the flip |
//! | wanted | on the way back, what the committed generation had set aside | ours is renamed over it |
//! | wanted | forward, what was set aside and an activation that did not end gave back | ours is renamed over it |
//! | wanted | somebody else's | forward, it is in the way; back, it is left |
//! | goes | what was set aside for it | nothing: it is given back |
//! | goes | somebody else's | nothing |
//! | goes | nothing, or ours, and something was set aside for it | that is given back, by a rename over ours |
//! | goes | ours | removed after the flip |
//!
//! A file that stands before a unit of ours is somebody else's in its place: it is set aside, removed after the flip, and
//! given back, by the same rules.
//!
//! What is set aside stays there until the switch has ended, so that the way back can take its place again. What is in
//! a record to be set aside, and has no copy, never left its place: it is not ours, whatever it looks like.

use std::collections::BTreeSet;

use crate::base::path::TargetPath;
use crate::store::bundle::Bundle;
use crate::store::manifest::{Directory, ManagedPath, Place, Unit};
use crate::switch::observed::{Aside, Found, Observed, live_target, shadowed_by};
use crate::switch::plan::{Action, Collision, Desired, Plan, Steps, Way};
use crate::switch::record::{FolderBefore, SetAside};

/// The steps for all managed paths of the desired bundle, and of all that may have placed some.
pub(super) fn file_steps(observed: &Observed, desired: Desired<'_>, plan: &mut Plan) -> Steps {
    let mut steps = Steps::default();
    let wanted: &[ManagedPath] =
        desired.generation.map_or(&[], |(_, bundle)| bundle.manifest.paths.as_slice());
    for folder in &observed.missing_folders {
        if wanted.iter().any(|managed| managed.path.is_below(folder.as_str())) {
            steps.after(Action::MakeFolder(folder.clone()), "a managed path lies in it");
        }
    }
    if let Some((_, bundle)) = desired.generation {
        let case = Case { observed, way: desired.way };
        for managed in wanted {
            case.wanted((managed, bundle), (&mut steps, plan));
        }
        for unit in &bundle.manifest.units {
            case.shadowed(unit, (&mut steps, plan));
        }
    }
    let known: BTreeSet<&TargetPath> = observed
        .generations
        .bundles()
        .flat_map(|bundle| bundle.manifest.paths.iter().map(|managed| &managed.path))
        .chain(observed.aside.keys())
        .filter(|path| !desired.generation.is_some_and(|(_, bundle)| stays(path, bundle)))
        .collect();
    for path in known {
        Case { observed, way: desired.way }.goes(path, (&mut steps, plan));
    }
    for folder in observed.made_folders.iter().rev() {
        if !wanted.iter().any(|managed| managed.path.is_below(folder.as_str())) {
            steps.after(Action::RemoveFolder(folder.clone()), "no managed path lies in it any more");
        }
    }
    steps
}

/// Gives folders that go, and had been there before us, the mode and the owner that they had.
pub(super) fn restore_folders(observed: &Observed, desired: Desired<'_>, plan: &mut Plan) {
    let directories = desired.generation.iter().flat_map(|(_, bundle)| &bundle.manifest.directories);
    let stays: BTreeSet<&TargetPath> = directories.map(|directory| &directory.path).collect();
    for before in observed.folders_before.iter().filter(|before| !stays.contains(&before.path)) {
        if observed.folders.get(&before.path).is_some_and(|found| found != before) {
            plan.step(
                Action::RestoreFolder(before.clone()),
                "it was so before, and no module has it any more",
            );
        }
    }
}

/// What the record of a generation says of folders that were there before us: what is known, for folders that it has
/// too, and what those are like that are new to us.
pub(super) fn held_folders(observed: &Observed, bundle: &Bundle) -> Vec<FolderBefore> {
    let ours = |path: &TargetPath| {
        let mut all = observed.generations.bundles().flat_map(|bundle| &bundle.manifest.directories);
        all.any(|directory| directory.path == *path)
    };
    let mut held = Vec::new();
    for Directory { path, .. } in &bundle.manifest.directories {
        let known = observed.folders_before.iter().find(|before| before.path == *path);
        let found = observed.folders.get(path).filter(|_| !ours(path));
        held.extend(known.or(found).cloned());
    }
    held
}

#[derive(Clone, Copy)]
struct Case<'a> {
    observed: &'a Observed,
    way: Way,
}

impl<'a> Case<'a> {
    fn found(self, path: &TargetPath) -> &'a Found {
        self.observed.paths.get(path).unwrap_or(&Found::Absent)
    }

    fn is_ours(self, path: &TargetPath, found: &Found) -> bool {
        let never_left = self.observed.aside.get(path).is_some_and(|aside| aside.found == Found::Absent);
        !never_left && found.is_ours(path, &self.observed.generations)
    }

    /// A path that the desired bundle has.
    fn wanted(self, (managed, bundle): (&ManagedPath, &Bundle), (steps, plan): (&mut Steps, &mut Plan)) {
        let path = &managed.path;
        let found = self.found(path);
        if *found == Found::Absent {
            steps.after(placed(managed), "it is not there");
        } else if self.is_ours(path, found) {
            if !found.is_placed(managed, bundle) {
                steps.after(placed(managed), "it leads elsewhere or has other bytes");
            }
        } else if self.was_given_back(path, (found, managed.adopt)) {
            steps.after(placed(managed), "what was set aside for it had been given back");
        } else if self.way == Way::Forward
            && managed.adopt
            && self.is_new(path, found)
            && *found != Found::Other
        {
            steps.before(Action::SetAside(path.clone()), "it is somebody else's, and is adopted");
            steps.after(placed(managed), "what was there is set aside");
        } else {
            plan.collisions.push(self.in_the_way(managed, found));
        }
    }

    fn in_the_way(self, managed: &ManagedPath, found: &Found) -> Collision {
        let path = &managed.path;
        let (what, adopt) = if !self.is_new(path, found) {
            ("was replaced by somebody else's file", None)
        } else if *found == Found::Other {
            ("is somebody else's, and neither a file nor a link", None)
        } else {
            ("is somebody else's file", Some(path.to_string()))
        };
        Collision { what: format!("`{path}` {what}"), adopt }
    }

    /// Files that stand before a unit of the desired bundle.
    fn shadowed(self, unit: &Unit, (steps, plan): (&mut Steps, &mut Plan)) {
        let held = self.observed.generations.bundles().any(|bundle| bundle.unit(&unit.name).is_some());
        for (path, found) in self.observed.shadows.get(&unit.name).into_iter().flatten() {
            if self.was_given_back(path, (found, unit.adopt)) {
                steps.after(Action::Remove(path.clone()), "what was set aside had been given back");
                continue;
            }
            let is_new = !held || self.is_as_before(path, found);
            let can_be = self.way == Way::Forward && is_new && *found != Found::Other;
            if can_be && unit.adopt {
                let reason = format!("it stands before our `{}`, and is adopted", unit.name);
                steps.before(Action::SetAside(path.clone()), reason);
                steps.after(Action::Remove(path.clone()), "it is set aside");
                continue;
            }
            let what = format!("`{path}` stands before our `{}`, which systemd then never reads", unit.name);
            plan.collisions.push(Collision { what, adopt: can_be.then(|| unit.name.to_string()) });
        }
    }

    /// Whether no generation has held the path, but for those that did not end and left what was there before: what
    /// replaced ours since is no file that was there before us.
    fn is_new(self, path: &TargetPath, found: &Found) -> bool {
        let generations = &self.observed.generations;
        let held = |bundle: &Bundle| bundle.manifest.paths.iter().any(|managed| managed.path == *path);
        !generations.bundles().any(held) || self.is_as_before(path, found)
    }

    /// Whether an activation that did not end has never set aside what is at a path, or has given it back.
    fn is_as_before(self, path: &TargetPath, found: &Found) -> bool {
        let as_before = |aside: &Aside| aside.found == Found::Absent || aside.found == *found;
        self.observed.generations.pending.is_some() && self.observed.aside.get(path).is_some_and(as_before)
    }

    /// Whether a path has what was set aside for ours, which is to take its place again: on the way back, ours of the
    /// committed generation; forward, ours too of one that did not end, where what is there is to be adopted.
    fn was_given_back(self, path: &TargetPath, (found, adopt): (&Found, bool)) -> bool {
        let aside = self.observed.aside.get(path).filter(|aside| aside.found == *found);
        aside.is_some_and(|aside| match self.way {
            Way::Back => aside.committed,
            Way::Forward => self.observed.generations.pending.is_some() && (aside.committed || adopt),
        })
    }

    /// A path that the desired bundle has not.
    fn goes(self, path: &TargetPath, (steps, plan): (&mut Steps, &mut Plan)) {
        let found = self.found(path);
        let aside = self.observed.aside.get(path).filter(|aside| aside.found != Found::Absent);
        if aside.is_some_and(|aside| aside.found == *found) {
            return;
        }
        let ours = self.is_ours(path, found);
        if *found != Found::Absent && !ours {
            if let Some(Aside { generation, .. }) = aside {
                plan.notes.push(format!(
                    "`{path}` was replaced by somebody else's file: what was there before stays set aside by \
                     generation {generation}"
                ));
            }
            return;
        }
        let live = self.observed.generations.live.as_ref();
        if let (Found::Link(target), Some(live)) = (found, live)
            && *target == live_target(path)
            && live.bundle.manifest.paths.iter().any(|managed| managed.path == *path)
        {
            let action = Action::Retarget { path: path.clone(), generation: live.number };
            steps.before(action, "it goes: until then it keeps its bytes");
        }
        if let Some(Aside { generation, .. }) = aside {
            let action = Action::GiveBack { path: path.clone(), generation: *generation };
            steps.after(action, "no module places it any more");
        } else if ours {
            steps.after(Action::Remove(path.clone()), "no module places it any more");
        }
    }
}

fn placed(managed: &ManagedPath) -> Action {
    let path = managed.path.clone();
    match &managed.place {
        Place::Link(_) => Action::Link(path),
        Place::Copy(object, mode) => Action::Copy { path, object: object.clone(), mode: *mode },
        Place::Straight(to) => Action::Straight { path, to: to.clone() },
    }
}

/// Whether a bundle has something in the place of what was at a path: there, or a unit that a file there stands before.
fn stays(path: &TargetPath, bundle: &Bundle) -> bool {
    let unit = shadowed_by(path);
    bundle.manifest.paths.iter().any(|managed| managed.path == *path)
        || unit.is_some_and(|unit| bundle.unit(&unit).is_some())
}

/// What the record of generation `number` says is set aside: what was, for paths that it has too, and what its plan sets
/// aside.
pub(super) fn held_aside(
    observed: &Observed,
    bundle: &Bundle,
    (plan, number): (&Plan, u64),
) -> Vec<SetAside> {
    let before = observed.aside.iter();
    let before = before.filter(|(path, aside)| aside.found != Found::Absent && stays(path, bundle));
    let before = before.map(|(path, aside)| SetAside { path: path.clone(), generation: aside.generation });
    let new = plan.steps.iter().filter_map(|step| match &step.action {
        Action::SetAside(path) => Some(SetAside { path: path.clone(), generation: number }),
        _ => None,
    });
    before.chain(new).collect::<BTreeSet<_>>().into_iter().collect()
}
