//! What records know of a machine that cannot be seen on it: what was there before us, which folders were made, which
//! units ran. Gathered for a look, and carried on into the record of the next activation.
//!
//! An activation may begin while the one before it is still pending, because its way back failed. The new one's record
//! names it, and those that it names: until an activation ends well, what any of them may have left counts.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::base::name::UnitName;
use crate::base::path::TargetPath;
use crate::store::bundle::Bundle;
use crate::switch::file_rules::{held_aside, held_folders};
use crate::switch::observed::{Active, Generation, Generations, Observed};
use crate::switch::plan::{Action, Plan};
use crate::switch::record::Record;

/// The records of the generations that may have put something on the machine.
#[derive(Debug, Clone, Default)]
pub struct Records {
    by_number: BTreeMap<u64, Record>,
    committed: Option<u64>,
    pending: Option<u64>,
}

impl Records {
    /// Reads them by their numbers, each once.
    ///
    /// # Errors
    /// That of the first that cannot be read.
    pub fn read<E>(
        generations: &Generations,
        mut record: impl FnMut(u64) -> Result<Record, E>,
    ) -> Result<Self, E> {
        let number = |generation: &Option<Generation>| generation.as_ref().map(|one| one.number);
        let Generations { live, committed, pending, .. } = generations;
        let (live, committed, pending) = (number(live), number(committed), number(pending));
        let mut by_number = BTreeMap::new();
        let mut wanted: Vec<u64> = [live, committed, pending].into_iter().flatten().collect();
        while let Some(number) = wanted.pop() {
            if let Entry::Vacant(place) = by_number.entry(number) {
                let record = place.insert(record(number)?);
                if pending == Some(number) {
                    wanted.extend(&record.unended);
                }
            }
        }
        // One that was proven has ended; only its outcome is missing.
        Ok(Self { by_number, committed, pending: pending.filter(|pending| Some(*pending) != committed) })
    }

    /// Those of activations that have not ended, oldest first.
    fn unended(&self) -> impl Iterator<Item = &Record> {
        let pending = self.pending.and_then(|pending| self.by_number.get(&pending));
        let before = pending.into_iter().flat_map(|pending| &pending.unended);
        before.filter_map(|number| self.by_number.get(number)).chain(pending)
    }

    /// Those that say what was there before us, each with whether it is that of the committed generation. A later one
    /// counts where two say something of one path.
    pub fn held(&self) -> impl Iterator<Item = (&Record, bool)> {
        let committed = self.committed.and_then(|committed| self.by_number.get(&committed));
        let unended = self.unended().map(|record| (record, false));
        unended.chain(committed.map(|record| (record, true)))
    }

    /// The folders that were made for managed paths.
    #[must_use]
    pub fn folders(&self) -> BTreeSet<&TargetPath> {
        self.by_number.values().flat_map(|record| &record.folders).collect()
    }

    /// The units that ran before the first activation that has not ended.
    #[must_use]
    pub fn ran(&self) -> BTreeSet<UnitName> {
        self.unended().flat_map(|record| record.ran.iter().cloned()).collect()
    }

    /// The numbers of activations that have not ended, oldest first, without those of which a later one says all.
    #[must_use]
    pub fn numbers(&self) -> Vec<u64> {
        let all: Vec<&Record> = self.unended().collect();
        let mut numbers = Vec::new();
        for (index, record) in all.iter().enumerate() {
            if !all[index + 1..].iter().any(|later| says_all(later, record)) {
                numbers.push(record.number);
            }
        }
        numbers
    }
}

/// Whether one record has all that another one knows: where a switch is tried again and again, the last tells.
fn says_all(later: &Record, record: &Record) -> bool {
    later.bundle == record.bundle
        && record.aside.iter().all(|aside| later.aside.contains(aside))
        && record.folders.iter().all(|folder| later.folders.contains(folder))
        && record.folders_before.iter().all(|folder| later.folders_before.contains(folder))
}

impl Record {
    /// With what is known when an activation of this bundle begins, and what its plan adds to that.
    #[must_use]
    pub fn noting(self, observed: &Observed, (bundle, plan): (&Bundle, &Plan)) -> Self {
        let mut folders = observed.made_folders.clone();
        for step in &plan.steps {
            match &step.action {
                Action::MakeFolder(path) => drop(folders.insert(path.clone())),
                Action::RemoveFolder(path) => drop(folders.remove(path)),
                _ => {}
            }
        }
        Self {
            steps: plan.steps.iter().map(ToString::to_string).collect(),
            folders: folders.into_iter().collect(),
            ran: ran(observed),
            aside: held_aside(observed, bundle, (plan, self.number)),
            folders_before: held_folders(observed, bundle),
            unended: observed.unended.clone(),
            ..self
        }
    }
}

/// The units that run, and those that ran before an activation that could not be put back. What that one started runs
/// too: of its units only those of the committed generation ran before.
fn ran(observed: &Observed) -> Vec<UnitName> {
    let Generations { committed, pending, .. } = &observed.generations;
    let before = |name: &UnitName| {
        pending.is_none() || committed.as_ref().is_some_and(|committed| committed.bundle.unit(name).is_some())
    };
    let units = observed.units.iter().flatten();
    let running = units.filter(|(name, unit)| unit.active == Active::Active && before(name));
    let running = running.map(|(name, _)| name.clone());
    running.chain(observed.ran.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
}
