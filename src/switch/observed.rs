//! What was seen on a target: the input of a plan. Nothing here was believed from a note of ours.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::digest::{Digest, OfFile, OfUnit};
use crate::base::layout;
use crate::base::name::UnitName;
use crate::base::path::TargetPath;
use crate::store::bundle::Bundle;
use crate::store::manifest::{ManagedPath, Place};
use crate::store::object::ObjectDigest;
use crate::switch::accounts::Accounts;
use crate::switch::record::FolderBefore;

/// A generation and its bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// What it activated.
    pub bundle: Bundle,
}

/// The generations that may have put something on the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generations {
    /// `current`: every managed link goes through it.
    pub live: Option<Generation>,
    /// `committed`: the last one that was proven.
    pub committed: Option<Generation>,
    /// `pending`: an activation is under way, or was when its program was killed.
    pub pending: Option<Generation>,
    /// Those that were pending before it and could not be put back, as its record says; of equal bundles one.
    pub unended: Vec<Generation>,
}

impl Generations {
    /// All bundles that may have put something on the machine.
    pub fn bundles(&self) -> impl Iterator<Item = &Bundle> {
        let links = [&self.live, &self.committed, &self.pending].into_iter().flatten();
        links.chain(self.unended.iter().rev()).map(|generation| &generation.bundle)
    }
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Absent,
    /// A symbolic link with this target.
    Link(String),
    /// A regular file.
    File {
        /// Of its bytes and its execute bits.
        digest: Digest<OfFile>,
        /// Its permission bits.
        mode: u32,
        /// Whether owner and group are root.
        root: bool,
    },
    /// Anything else.
    Other,
}

/// What systemd says of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitFound {
    /// What it does.
    pub active: Active,
    /// Whether the administrator masked it.
    pub masked: bool,
    /// The definition that runs, where the unit carries one (`VOEVENT_UNIT`).
    pub running: Option<Digest<OfUnit>>,
}

/// The states of a unit, as far as a plan tells them apart (org.freedesktop.systemd1(5), `ActiveState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Active {
    /// It runs, or is about to.
    Active,
    /// It does its work, after which it ends by itself: `Type=oneshot` without `RemainAfterExit=`, such as what a timer
    /// starts.
    Working,
    /// It did its work, and waits until it is started again.
    Ended,
    /// It does not run.
    Inactive,
    /// It does not run because it failed, or systemd waits before it tries again.
    Failed,
}

/// All that a plan looks at.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Which generations there are.
    pub generations: Generations,
    /// What is at each path of theirs and of the desired bundle.
    pub paths: BTreeMap<TargetPath, Found>,
    /// Folders that managed paths of the desired bundle need and that are not there, outermost first.
    pub missing_folders: Vec<TargetPath>,
    /// Folders that were made for managed paths and are still there.
    pub made_folders: BTreeSet<TargetPath>,
    /// What systemd says of each unit of theirs and of the desired bundle; `None` on an offline root.
    pub units: Option<BTreeMap<UnitName, UnitFound>>,
    /// Files of somebody else's that stand before units of the desired bundle, by the unit; masks are none.
    pub shadows: BTreeMap<UnitName, BTreeMap<TargetPath, Found>>,
    /// Users and groups that the machine's files have.
    pub accounts: Accounts,
    /// Units of ours that ran before the first activation that has not ended.
    pub ran: BTreeSet<UnitName>,
    /// The activations that have not ended, as the record of the next one names them.
    pub unended: Vec<u64>,
    /// Somebody else's files that the committed generation and those that have not ended have set aside, by the path
    /// that they had.
    pub aside: BTreeMap<TargetPath, Aside>,
    /// What folders were like before us, as the records of the same generations say.
    pub folders_before: BTreeSet<FolderBefore>,
    /// What the folders of these records, and of the desired bundle, are like.
    pub folders: BTreeMap<TargetPath, FolderBefore>,
}

/// A file of somebody else's that was set aside, as a record names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Which generation did it.
    pub generation: u64,
    /// What the copy is; nothing where it was not made yet: then the file never left its place.
    pub found: Found,
    /// Whether the committed generation holds it, and not only one that has not ended.
    pub committed: bool,
}

/// The folders whose units systemd reads instead of ours.
pub const SHADOWING: [&str; 2] = [layout::UNITS, "/run/systemd/system"];

/// The unit before which a file of this path stands.
#[must_use]
pub fn shadowed_by(path: &TargetPath) -> Option<UnitName> {
    SHADOWING.contains(&path.parent()).then(|| UnitName::new(path.file_name()).ok())?
}

/// Where the managed link of a path leads: through `current`.
#[must_use]
pub fn live_target(path: &TargetPath) -> String {
    format!("{}{path}", layout::LIVE_ROOT)
}

/// Where the link of a path leads that is about to go: to the generation that had it.
#[must_use]
pub fn kept_target(path: &TargetPath, generation: u64) -> String {
    format!("{}/generations/{generation}/bundle/root{path}", layout::STATE)
}

impl Found {
    /// Whether it is ours: a link that leads into our tree, or a copy or straight link that is what one of our bundles
    /// says.
    #[must_use]
    pub fn is_ours(&self, path: &TargetPath, generations: &Generations) -> bool {
        if matches!(self, Self::Link(target) if is_ours(target)) {
            return true;
        }
        let bundles = generations.bundles();
        let all =
            bundles.flat_map(|bundle| bundle.manifest.paths.iter().map(move |managed| (bundle, managed)));
        all.filter(|(_, managed)| managed.path == *path)
            .any(|(bundle, managed)| self.is_placed(managed, bundle))
    }

    /// Whether it is what a bundle places at its path.
    #[must_use]
    pub fn is_placed(&self, managed: &ManagedPath, bundle: &Bundle) -> bool {
        match (&managed.place, self) {
            (Place::Link(_), Self::Link(target)) => *target == live_target(&managed.path),
            (Place::Straight(to), Self::Link(target)) => target == to.as_str(),
            (Place::Copy(wanted, bits), Self::File { digest, mode, root: true }) => {
                let object = bundle.manifest.objects.iter().find(|object| object.name == *wanted);
                bits.bits() == *mode
                    && object.is_some_and(|object| object.digest == ObjectDigest::File(*digest))
            }
            _ => false,
        }
    }
}

/// Whether a link's target is in our tree.
#[must_use]
pub fn is_ours(target: &str) -> bool {
    target.strip_prefix(layout::STATE).is_some_and(|rest| rest.starts_with('/'))
        && !target.split('/').any(|part| part == "..")
}
