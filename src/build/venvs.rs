//! The venvs of a host: each found its lock, its wheels, its layout.

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::digest::{Hasher, OfLockInputs};
use crate::base::name::Label;
use crate::base::report::Diagnostic;
use crate::build::artifact::{Rendered, VenvArtifact, What};
use crate::build::cache::Cache;
use crate::build::front::VenvPlace;
use crate::build::lock::{
    Change, Folders, Found, LockRequest, Pylock, fetch, find_lock, read_lock, read_wheels,
};
use crate::build::seal::LaidVenv;
use crate::build::wheel::lay_out;
use crate::store::disk::Store;
use crate::store::object::Object;

/// What is needed to lay venvs out.
pub struct Workshop<'a> {
    /// Locks, wheels, tools.
    pub folders: &'a Folders,
    /// What was laid out before.
    pub cache: &'a Cache,
    /// Where it lies.
    pub store: &'a Store,
    /// As the user would write the host file, for the advice to lock it.
    pub host: &'a Path,
}

/// What came of the venvs of a host.
#[derive(Debug, Default)]
pub struct Laid {
    /// By name.
    pub venvs: BTreeMap<Label, LaidVenv>,
    /// The locks that were read.
    pub locks: Vec<std::path::PathBuf>,
}

/// The venvs of a host and what they require, for `voevent-build lock`.
#[must_use]
pub fn requests(rendered: &Rendered) -> Vec<LockRequest> {
    venvs(rendered).map(|venv| request(rendered, venv)).collect()
}

fn venvs(rendered: &Rendered) -> impl Iterator<Item = &VenvArtifact> {
    rendered.artifacts.iter().filter_map(|artifact| match &artifact.what {
        What::Venv(venv) => Some(venv),
        _ => None,
    })
}

fn request(rendered: &Rendered, venv: &VenvArtifact) -> LockRequest {
    LockRequest {
        venv: venv.name.clone(),
        requirements: venv.requirements.clone(),
        target: rendered.target.clone(),
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
        let mut errors = Vec::new();
        for venv in venvs(rendered) {
            match self.one(&request(rendered, venv), &mut laid, say) {
                Ok(done) => {
                    if laid.venvs.insert(venv.name.clone(), done).is_some() {
                        let message = format!("two modules have a venv `{}`", venv.name);
                        errors.push(located(Diagnostic::error(message), venv, places));
                    }
                }
                Err(found) => {
                    errors.extend(found.into_iter().map(|diagnostic| located(diagnostic, venv, places)));
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
        let inputs = Hasher::<OfLockInputs>::default()
            .framed(text.as_bytes())
            .framed(format!("{:?}", request.target).as_bytes())
            .finish()
            .short();
        if let Some((digest, size)) = self.cache.venv(&inputs)
            && self.store.has(&digest.name(&request.venv))
        {
            return Ok(LaidVenv { digest, size, tree: None, lock: text });
        }
        fetch(&lock, self.folders, say).map_err(|error| vec![Diagnostic::error(error.to_string())])?;
        let wheels = read_wheels(&lock, self.folders).map_err(all)?;
        let tree = lay_out(&lock.inputs.python, &wheels).map_err(all)?;
        let (digest, size) = (crate::store::object::ObjectDigest::Tree(tree.digest()), tree.size());
        if let Err(error) = self.cache.note_venv(&inputs, digest, size) {
            say(&format!("warning: {error}"));
        }
        Ok(LaidVenv { digest, size, tree: Some(tree), lock: text })
    }

    fn lock(&self, request: &LockRequest, laid: &mut Laid) -> Result<(String, Pylock), Vec<Diagnostic>> {
        let one = |error: &dyn ToString| vec![Diagnostic::error(error.to_string())];
        let command = format!("run `voevent-build lock {}`", self.host.display());
        let inputs = request.inputs().map_err(|error| one(&error))?;
        match find_lock(&self.folders.locks, request, &inputs).map_err(|error| one(&error))? {
            Found::Lock(path) => {
                let found = read_lock(&path).map_err(|error| one(&error))?;
                laid.locks.push(path);
                Ok(found)
            }
            Found::Missing => {
                let message = format!("venv `{}` has no lock", request.venv);
                Err(vec![Diagnostic::error(message).help(command)])
            }
            Found::Stale { path, changed } => {
                let changed: Vec<String> = changed.iter().map(Change::to_string).collect();
                let message = format!("the lock of venv `{}` is stale: {}", request.venv, changed.join("; "));
                let older = format!("`{}` is the lock of the inputs before", path.display());
                Err(vec![Diagnostic::error(message).help(command).help(older)])
            }
        }
    }
}

fn all<E: ToString>(errors: Vec<E>) -> Vec<Diagnostic> {
    errors.into_iter().map(|error| Diagnostic::error(error.to_string())).collect()
}

/// Adds where the requirements are written, and the options that they read.
fn located(diagnostic: Diagnostic, venv: &VenvArtifact, places: &[VenvPlace]) -> Diagnostic {
    let Some(place) = places.iter().find(|place| place.name == venv.name.as_str()) else {
        return diagnostic;
    };
    let mut diagnostic = diagnostic.at(place.requirements.clone(), "its requirements");
    for (option, origins) in &place.options {
        for origin in origins {
            diagnostic = diagnostic.at(origin.place.clone(), format!("`{option}` is set here"));
        }
    }
    diagnostic
}

/// The tree of a venv that was laid out now, as an object.
#[must_use]
pub fn object(venv: &LaidVenv) -> Option<Object> {
    venv.tree.clone().map(Object::Tree)
}
