//! A target with all its doors: files, the activator's own folder, systemd. What is looked at is gathered here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use crate::base::digest::Digest;
use crate::base::io::{IoError, OnPath as _};
use crate::base::layout;
use crate::base::name::UnitName;
use crate::base::path::TargetPath;
use crate::store::bundle::Bundle;
use crate::switch::accounts::Accounts;
use crate::switch::aside;
use crate::switch::observed::{Active, Found, Observed, SHADOWING, UnitFound};
use crate::switch::peek::Peek;
use crate::switch::record::FolderBefore;
use crate::switch::recorded::Records;
use crate::switch::root::Root;
use crate::switch::state::{State, StateError};
use crate::switch::systemd::{self, Load, Systemd, SystemdError};
use crate::switch::traces::running_digest;
use crate::switch::users::{self, UsersError};

/// A target.
#[derive(Debug)]
pub struct Machine {
    /// Its managed paths.
    pub root: Root,
    /// The activator's folder.
    pub state: State,
    /// Its units; `None` on an offline root.
    pub systemd: Option<Systemd>,
    /// When we began: what units wrote to their logs before is not about us.
    pub begun: Instant,
}

/// Why a target cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The system said no.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The activator's folder cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// systemd cannot be asked.
    #[error(transparent)]
    Systemd(#[from] SystemdError),
    /// Users cannot be read.
    #[error(transparent)]
    Users(#[from] UsersError),
}

/// What folders were like before us; what folders are like.
type Folders = (BTreeSet<FolderBefore>, BTreeMap<TargetPath, FolderBefore>);

impl Machine {
    /// The machine that this program runs on.
    ///
    /// # Errors
    /// Where its root cannot be opened or it has no systemd.
    pub fn live() -> Result<Self, LookError> {
        let root = Root::open(Path::new("/"))?;
        let (state, systemd) = (State::below(Path::new("/")), Some(Systemd::open()?));
        Ok(Self { root, state, systemd, begun: Instant::now() })
    }

    /// The root of another machine, which does not run.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn offline(dir: &Path) -> Result<Self, LookError> {
        let root = Root::open(dir)?;
        let state = State::at(root.real(layout::STATE)?);
        Ok(Self { root, state, systemd: None, begun: Instant::now() })
    }

    /// Looks at all that the generations of this target and a bundle have to do with.
    ///
    /// # Errors
    /// Where something cannot be looked at.
    pub fn observe(&mut self, desired: Option<&Bundle>) -> Result<Observed, LookError> {
        let generations = self.state.generations()?;
        let records = Records::read(&generations, |number| self.state.record(number))?;
        let made_folders = records.folders().into_iter();
        let made_folders = made_folders.filter(|folder| self.root.is_folder(folder.as_str())).cloned();
        let made_folders = made_folders.collect();
        let bundles: Vec<&Bundle> = generations.bundles().chain(desired).collect();
        let aside = aside::observe(&self.state, records.held())?;
        let paths: BTreeSet<&TargetPath> = bundles
            .iter()
            .flat_map(|bundle| bundle.manifest.paths.iter().map(|managed| &managed.path))
            .chain(aside.keys())
            .collect();
        let paths = paths
            .into_iter()
            .map(|path| Ok((path.clone(), self.root.look(path)?)))
            .collect::<Result<BTreeMap<TargetPath, Found>, IoError>>()?;
        let mut missing_folders = Vec::new();
        for managed in desired.iter().flat_map(|bundle| &bundle.manifest.paths) {
            for folder in self.root.missing_folders(&managed.path) {
                if !missing_folders.contains(&folder) {
                    missing_folders.push(folder);
                }
            }
        }
        let ran = records.ran();
        let mut names = BTreeMap::new();
        for unit in bundles.iter().flat_map(|bundle| &bundle.manifest.units) {
            *names.entry(&unit.name).or_insert_with(|| ran.contains(&unit.name)) |=
                !unit.wanted_by.is_empty();
        }
        let shadowed = desired.iter().flat_map(|bundle| &bundle.manifest.units).map(|unit| &unit.name);
        let shadows =
            shadowed.map(|name| Ok((name.clone(), self.shadows(name)?))).collect::<Result<_, IoError>>()?;
        let accounts = match desired {
            Some(_) => users::read(&Peek::open(self.root.dir())?, [])?,
            None => Accounts::default(),
        };
        let units = self.units(&names)?;
        let (folders_before, folders) = self.folders(&records, desired)?;
        drop(bundles);
        Ok(Observed {
            generations,
            paths,
            missing_folders,
            made_folders,
            units,
            shadows,
            accounts,
            ran,
            unended: records.numbers(),
            aside,
            folders_before,
            folders,
        })
    }

    /// What folders were like before us, and what they, and those of a bundle, are like.
    fn folders(&self, records: &Records, desired: Option<&Bundle>) -> Result<Folders, LookError> {
        let before: BTreeSet<FolderBefore> =
            records.held().flat_map(|(record, _)| record.folders_before.iter().cloned()).collect();
        let wanted =
            desired.iter().flat_map(|bundle| bundle.manifest.directories.iter().map(|one| &one.path));
        let mut found = BTreeMap::new();
        for path in before.iter().map(|folder| &folder.path).chain(wanted) {
            found.extend(self.root.look_at_folder(path)?.map(|folder| (path.clone(), folder)));
        }
        Ok((before, found))
    }

    fn units(
        &mut self,
        names: &BTreeMap<&UnitName, bool>,
    ) -> Result<Option<BTreeMap<UnitName, UnitFound>>, LookError> {
        let Some(systemd) = &mut self.systemd else {
            return Ok(None);
        };
        let asked: Vec<&UnitName> = names.keys().copied().collect();
        let states = systemd.units(&asked)?;
        let mut found = BTreeMap::new();
        for (name, state) in states {
            let running = running_digest(&name).on("read the running definition of", name.as_str())?;
            let running = running.and_then(|hex| Digest::from_hex(&hex));
            let passing = matches!(state.active, systemd::Active::Activating | systemd::Active::Deactivating);
            let rests = state.active == systemd::Active::Inactive && state.load == Load::Loaded;
            let asked = passing || (rests && names.get(&name) == Some(&true));
            let active = active(&state, asked && systemd.ends_by_itself(&name)?);
            found.insert(name, UnitFound { active, masked: state.masked(), running });
        }
        Ok(Some(found))
    }

    /// Files that systemd would read instead of what our generator gives it; a mask is none.
    fn shadows(&self, name: &UnitName) -> Result<BTreeMap<TargetPath, Found>, IoError> {
        let mut shadows = BTreeMap::new();
        for folder in SHADOWING {
            let Ok(path) = TargetPath::new(format!("{folder}/{name}")) else {
                continue;
            };
            match self.root.look(&path)? {
                Found::Absent => {}
                Found::Link(target) if target == "/dev/null" => {}
                found => drop(shadows.insert(path, found)),
            }
        }
        Ok(shadows)
    }
}

/// A unit that systemd is about to start again after a failure counts as failed, as does one that is ending with nobody
/// having asked for it.
fn active(state: &systemd::UnitState, ends: bool) -> Active {
    match state.active {
        systemd::Active::Activating if state.sub.starts_with("auto-restart") => Active::Failed,
        systemd::Active::Inactive if ends => Active::Ended,
        _ if ends => Active::Working,
        systemd::Active::Deactivating if state.job.is_none() => Active::Failed,
        systemd::Active::Active | systemd::Active::Reloading | systemd::Active::Activating => Active::Active,
        systemd::Active::Failed => Active::Failed,
        systemd::Active::Inactive | systemd::Active::Deactivating | systemd::Active::Other => {
            Active::Inactive
        }
    }
}
