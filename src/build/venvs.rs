//! The venvs of a host: each found its lock, its wheels, its layout.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::slice::from_ref;
use std::sync::Arc;

use crate::base::digest::{Digest, Hasher, OfLockInputs};
use crate::base::name::Label;
use crate::base::report::{Diagnostic, Place, Source};
use crate::build::artifact::{Artifact, Rendered, VenvArtifact, What};
use crate::build::cache::Cache;
use crate::build::front::VenvPlace;
use crate::build::host::Host;
use crate::build::lock::{
    self, Change, Folders, Found, LockError, LockFileError, LockRequest, Outcome, Pylock, fetch, find_lock,
    read_lock, read_wheels,
};
use crate::build::seal::LaidVenv;
use crate::build::target_builds::{self, builds};
use crate::store::disk::Store;
use crate::store::object::ObjectDigest;
use crate::wheel::lay_out;

/// What is needed to lay venvs out.
pub struct Workshop<'a> {
    /// Locks, wheels, tools.
    pub folders: &'a Folders,
    /// What was laid out before.
    pub cache: &'a Cache,
    /// Where it lies.
    pub store: &'a Store,
    /// As the user would write the host file, for the advice to lock it.
    pub path: &'a Path,
    /// The host: what of it a lock depends on has places.
    pub host: &'a Host,
}

/// What came of the venvs of a host.
#[derive(Debug, Default)]
pub struct Laid {
    /// By name.
    pub venvs: BTreeMap<Label, LaidVenv>,
    /// The locks that were read, with their texts.
    pub locks: Vec<(PathBuf, String)>,
}

/// Makes the locks of a host's venvs.
///
/// # Errors
/// All that cannot be resolved, read or written.
pub fn locks(
    (rendered, places): (&Rendered, &[VenvPlace]),
    folders: &Folders,
    upgrade: bool,
    say: &mut dyn FnMut(&str),
) -> Result<Vec<Outcome>, Vec<Diagnostic>> {
    let mut errors = twice(rendered, places);
    let mut outcomes = Vec::new();
    for (artifact, venv) in different(rendered).filter(|_| errors.is_empty()).collect::<Vec<_>>() {
        match lock::lock(from_ref(&request(rendered, venv)), folders, upgrade, say) {
            Ok(done) => outcomes.extend(done),
            Err(error) => errors.push(located(not_locked(&error), artifact, places)),
        }
    }
    if errors.is_empty() { Ok(outcomes) } else { Err(errors) }
}

fn venvs(rendered: &Rendered) -> impl Iterator<Item = (&Artifact, &VenvArtifact)> {
    rendered.artifacts.iter().filter_map(|artifact| match &artifact.what {
        What::Venv(venv) => Some((artifact, venv)),
        _ => None,
    })
}

/// For each venv of a host one without files that has another digest where its requirements or its target differ.
#[must_use]
pub fn stand_ins(rendered: &Rendered) -> BTreeMap<Label, LaidVenv> {
    let stand_in = |venv: &VenvArtifact| {
        let mut hasher = Hasher::<OfLockInputs>::default();
        hasher.framed(format!("{:?}", rendered.target).as_bytes());
        for requirement in &venv.requirements {
            hasher.framed(requirement.as_bytes());
        }
        hasher.framed(venv.source.as_ref().map_or(&[], |source| source.bytes.as_slice()));
        for package in &venv.build_on_target {
            hasher.framed(package.as_bytes());
        }
        let digest = ObjectDigest::Tree(Digest::from_bytes(*hasher.finish().as_bytes()));
        LaidVenv { digest, size: 0, tree: None, lock: String::new(), builds: Vec::new() }
    };
    venvs(rendered).map(|(_, venv)| (venv.name.clone(), stand_in(venv))).collect()
}

/// Each name once.
fn different(rendered: &Rendered) -> impl Iterator<Item = (&Artifact, &VenvArtifact)> {
    let mut seen = BTreeSet::new();
    venvs(rendered).filter(move |(_, venv)| seen.insert(&venv.name))
}

/// Venvs of one name: on a host a name has one lock and one layout. Instances of one module may share a venv.
fn twice(rendered: &Rendered, places: &[VenvPlace]) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<&Label, (&Artifact, &VenvArtifact)> = BTreeMap::new();
    let mut errors = Vec::new();
    for (artifact, venv) in venvs(rendered) {
        let Some((first, other)) = seen.insert(&venv.name, (artifact, venv)) else { continue };
        if artifact.is_twin(first) && venv != other {
            errors.push(unlike((artifact, first), venv, places));
        } else if !artifact.is_twin(first) {
            let place = |artifact: &Artifact| {
                let found = named(artifact, places).map(|place| place.requirements.clone());
                found.unwrap_or_else(|| artifact.place.clone())
            };
            let modules = format!("`{}` and `{}`", first.module, artifact.module);
            errors.push(
                Diagnostic::error(format!("two venvs `{}`, of modules {modules}", venv.name))
                    .at(place(artifact), "the second")
                    .at(place(first), "the first")
                    .help("give one of them another `name`"),
            );
        }
    }
    errors
}

/// Two instances that want one venv in two ways.
fn unlike((second, first): (&Artifact, &Artifact), venv: &VenvArtifact, places: &[VenvPlace]) -> Diagnostic {
    let message = format!(
        "venv `{}` is one for `{}` and `{}`, and they ask for different packages",
        venv.name, first.module, second.module
    );
    let first = located(Diagnostic::error(message), first, places);
    let both = located(first, second, places);
    both.help("give both the same requirements, or write `{{ instance.suffix }}` in the venv's name")
}

fn request(rendered: &Rendered, venv: &VenvArtifact) -> LockRequest {
    LockRequest {
        venv: venv.name.clone(),
        requirements: venv.requirements.clone(),
        target: rendered.target.clone(),
        source: venv.source.clone(),
        build_on_target: venv.build_on_target.clone(),
    }
}

impl Workshop<'_> {
    /// Lays out all venvs of a host; missing wheels are fetched first.
    ///
    /// # Errors
    /// All locks and wheels that are missing, stale or wrong.
    pub fn lay_out(
        &self,
        rendered: &Rendered,
        places: &[VenvPlace],
        say: &mut dyn FnMut(&str),
    ) -> Result<Laid, Vec<Diagnostic>> {
        let mut laid = Laid::default();
        let mut errors = twice(rendered, places);
        for (artifact, venv) in different(rendered).filter(|_| errors.is_empty()).collect::<Vec<_>>() {
            match self.one(&request(rendered, venv), &mut laid, say) {
                Ok(done) => drop(laid.venvs.insert(venv.name.clone(), done)),
                Err(found) => {
                    errors.extend(found.into_iter().map(|diagnostic| located(diagnostic, artifact, places)));
                }
            }
        }
        if errors.is_empty() { Ok(laid) } else { Err(errors) }
    }

    fn one(
        &self,
        request: &LockRequest,
        laid: &mut Laid,
        say: &mut dyn FnMut(&str),
    ) -> Result<LaidVenv, Vec<Diagnostic>> {
        let (text, lock) = self.lock(request, laid)?;
        let builds = builds(&lock).map_err(|error| vec![fault(&error, UNUSABLE)])?;
        let inputs = Hasher::<OfLockInputs>::default()
            .framed(text.as_bytes())
            .framed(format!("{:?}", request.target).as_bytes())
            .finish()
            .short();
        if let Some((digest, size)) = self.cache.venv(&inputs)
            && self.store.has(&digest.name(&request.venv))
        {
            return Ok(LaidVenv { digest, size, tree: None, lock: text, builds });
        }
        fetch(&lock, request.source.as_deref(), self.folders, say)
            .map_err(|error| vec![fault(&error, error.help())])?;
        let wheels = read_wheels(&lock, self.folders)
            .map_err(|errors| errors.iter().map(|error| fault(error, error.help())).collect::<Vec<_>>())?;
        let mut tree = lay_out(&lock.inputs.python, &wheels)
            .map_err(|faults| faults.iter().map(|found| fault(found, UNUSABLE)).collect::<Vec<_>>())?;
        target_builds::add(&mut tree, &lock, self.folders)?;
        let (digest, size) = (ObjectDigest::Tree(tree.digest()), tree.size());
        if let Err(error) = self.cache.note_venv(&inputs, digest, size) {
            say(&format!("warning: {error}"));
        }
        Ok(LaidVenv { digest, size, tree: Some(tree), lock: text, builds })
    }

    fn lock(&self, request: &LockRequest, laid: &mut Laid) -> Result<(String, Pylock), Vec<Diagnostic>> {
        let Self { folders, path, host, .. } = self;
        let (path, text, lock) = Locks { folders, path, host }.find(request)?;
        laid.locks.push((path, text.clone()));
        Ok((text, lock))
    }
}

/// Where the locks of a host are looked for.
pub struct Locks<'a> {
    /// Locks.
    pub folders: &'a Folders,
    /// As the user would write the host file, for the advice to lock it.
    pub path: &'a Path,
    /// The host: what of it a lock depends on has places.
    pub host: &'a Host,
}

impl Locks<'_> {
    /// Looks at the locks of all venvs of a host, and at nothing else: what a venv would hold is not known then, and
    /// each has a stand-in that must never reach a store. With all that is missing, stale or wrong.
    #[must_use]
    pub fn look(
        &self,
        rendered: &Rendered,
        places: &[VenvPlace],
    ) -> (BTreeMap<Label, LaidVenv>, Vec<Diagnostic>) {
        let mut stand_ins = stand_ins(rendered);
        let mut errors = twice(rendered, places);
        let all_differ = errors.is_empty();
        for (artifact, venv) in venvs(rendered) {
            match self.find(&request(rendered, venv)) {
                Ok((_, text, _)) => {
                    stand_ins.entry(venv.name.clone()).and_modify(|laid| laid.lock = text);
                }
                Err(found) => {
                    let found = found.into_iter().filter(|_| all_differ);
                    errors.extend(found.map(|diagnostic| located(diagnostic, artifact, places)));
                }
            }
        }
        (stand_ins, errors)
    }

    fn find(&self, request: &LockRequest) -> Result<(PathBuf, String, Pylock), Vec<Diagnostic>> {
        let one = |diagnostic| vec![diagnostic];
        let command = format!("run `voevent-build lock {}`", self.path.display());
        let inputs = request.inputs().map_err(|error| one(fault(&error, REQUIREMENT)))?;
        match find_lock(&self.folders.locks, request, &inputs).map_err(|error| one(unreadable(&error)))? {
            Found::Lock(path) => {
                let (text, lock) = read_lock(&path).map_err(|error| one(unreadable(&error)))?;
                Ok((path, text, lock))
            }
            Found::Missing => {
                let message = format!("venv `{}` has no lock", request.venv);
                Err(one(Diagnostic::error(message).help(command)))
            }
            Found::Stale { path, changed } => {
                let words: Vec<String> = changed.iter().map(Change::to_string).collect();
                let message = format!("the lock of venv `{}` is stale: {}", request.venv, words.join("; "));
                let older = format!("`{}` is the lock of the inputs before", path.display());
                let stale = Diagnostic::error(message).help(command).help(older);
                Err(one(self.changed(&changed).fold(stale, |stale, place| stale.at(place, "changed here"))))
            }
        }
    }

    /// Where `[host]` says what changed; requirements have places of their own.
    fn changed(&self, changes: &[Change]) -> impl Iterator<Item = Place> {
        let keys = changes.iter().filter_map(|change| match change.what {
            "python" => Some("python"),
            "arch" => Some("arch"),
            "glibc" => Some("system"),
            _ => None,
        });
        keys.filter_map(|key| Some(self.host.texts.get(key)?.place.clone()))
    }
}

const REQUIREMENT: &str = "write it as a package and its versions, as `comet==3.1.0`";
const UNUSABLE: &str = "another version may do: change the requirements and lock again";

fn fault(error: &dyn ToString, help: &str) -> Diagnostic {
    Diagnostic::error(error.to_string()).help(help)
}

fn not_locked(error: &LockError) -> Diagnostic {
    match error {
        LockError::File(error) => unreadable(error),
        error => fault(error, error.help()),
    }
}

/// The most lines of a damaged lock that are shown.
const MAX_LINES: usize = 10;

/// Why a lock cannot be used, with its lines.
fn unreadable(error: &LockFileError) -> Diagnostic {
    let LockFileError::Damaged { path, text, faults } = error else {
        return fault(error, error.help());
    };
    let source = Arc::new(Source { name: path.display().to_string(), text: text.clone() });
    let mut damaged = Diagnostic::error(format!("the lock `{}` is damaged", path.display()));
    for fault in faults.iter().take(MAX_LINES) {
        let lines = source.text.split_inclusive('\n').take(fault.line);
        let end: usize = lines.clone().map(str::len).sum();
        let length = lines.last().map_or(0, str::len);
        damaged = damaged.at(Place { source: Arc::clone(&source), span: end - length..end }, &fault.message);
    }
    damaged.help(error.help())
}

/// The place of a venv among all.
fn named<'a>(artifact: &Artifact, places: &'a [VenvPlace]) -> Option<&'a VenvPlace> {
    let key = artifact.key()?;
    places.iter().find(|place| place.module == key.1 && place.name == key.2)
}

/// Adds where the requirements are written, and the options that they read; the culprit comes first where it is known.
fn located(diagnostic: Diagnostic, artifact: &Artifact, places: &[VenvPlace]) -> Diagnostic {
    let Some(place) = named(artifact, places) else {
        return diagnostic;
    };
    let shown = diagnostic.places.iter().any(|(shown, _)| *shown == place.requirements);
    let mut diagnostic =
        if shown { diagnostic } else { diagnostic.at(place.requirements.clone(), "its requirements") };
    for (option, origins) in &place.options {
        for origin in origins {
            diagnostic = diagnostic.at(origin.place.clone(), format!("`{option}` is set here"));
        }
    }
    diagnostic
}

#[cfg(test)]
mod tests;
