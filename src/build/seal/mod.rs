//! Artifacts become objects and a bundle: references get their paths, holes their text, everything its hash.

mod check;
mod text;
mod units;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::layout;
use crate::base::name::{Label, UnitName};
use crate::base::path::TargetPath;
use crate::base::report::Diagnostic;
use crate::build::accounts;
use crate::build::artifact::{Artifact, FileArtifact, Rendered, VenvArtifact, What, lock_label};
use crate::build::artifact_graph::{Key, order};
use crate::build::placing::{copy_mode, judge};
pub use crate::build::seal::text::TextMap;
use crate::build::seal::units::FilledUnit;
use crate::store::bundle::Bundle;
use crate::store::manifest::{
    self, Build, ClosureObject, Directory, Group, ManagedPath, Manifest, Mode, Target, User, Venv,
};
use crate::store::object::{File, Object, ObjectDigest, ObjectName, Tree};

/// A venv that was laid out from its wheels.
#[derive(Debug, Clone)]
pub struct LaidVenv {
    /// Over its tree.
    pub digest: ObjectDigest,
    /// Bytes of its files and links.
    pub size: u64,
    /// Its files; `None` where the store has them already.
    pub tree: Option<Tree>,
    /// The text of the lock that it was laid out by.
    pub lock: String,
    /// What the target builds of it.
    pub builds: Vec<Build>,
}

/// A bundle and the objects that it refers to.
#[derive(Debug)]
pub struct Sealed {
    /// The bundle.
    pub bundle: Bundle,
    /// Its objects; those that the store has already are left out.
    pub objects: BTreeMap<ObjectName, Object>,
    /// What is doubtful, but allowed.
    pub warnings: Vec<Diagnostic>,
    /// The objects of files and scripts, by the artifact's index.
    pub contents: BTreeMap<usize, ObjectName>,
    /// Where the texts of artifacts come from, by the artifact's index.
    pub maps: BTreeMap<usize, TextMap>,
}

/// Seals a host. `venvs` has each venv of it by name.
///
/// # Errors
/// All that stands in the way: references, holes, places.
pub fn seal(rendered: &Rendered, venvs: &BTreeMap<Label, LaidVenv>) -> Result<Sealed, Vec<Diagnostic>> {
    let order = order(&rendered.artifacts)?;
    let mut sealer = Sealer::new(rendered, venvs);
    // Checks last: they name scripts by their paths.
    let (checks, others): (Vec<usize>, Vec<usize>) =
        order.into_iter().partition(|index| matches!(rendered.artifacts[*index].what, What::Check(_)));
    for index in others.into_iter().chain(checks) {
        sealer.current = index;
        sealer.artifact(&rendered.artifacts[index]);
    }
    sealer.finish(rendered)
}

struct Sealer<'a> {
    venvs: &'a BTreeMap<Label, LaidVenv>,
    manifest: Manifest,
    objects: BTreeMap<ObjectName, Object>,
    /// All objects that are referred to, also those that the store has already.
    closure: BTreeMap<ObjectName, ClosureObject>,
    /// What a reference becomes.
    paths: BTreeMap<Key, String>,
    units: Vec<FilledUnit<'a>>,
    /// Units of which, or of whose drop-ins, an error was told.
    flawed: BTreeSet<&'a UnitName>,
    places: BTreeMap<TargetPath, &'a Artifact>,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// The artifact that is being sealed: its index.
    current: usize,
    contents: BTreeMap<usize, ObjectName>,
    maps: BTreeMap<usize, TextMap>,
    /// The objects of files that settings name, by the address of each.
    named: BTreeMap<usize, ObjectName>,
}

impl<'a> Sealer<'a> {
    fn new(rendered: &Rendered, venvs: &'a BTreeMap<Label, LaidVenv>) -> Self {
        let target = Target {
            arch: rendered.target.arch.clone(),
            python: rendered.target.python.clone(),
            system: rendered.target.system.clone(),
        };
        let manifest = Manifest::empty(rendered.host.clone(), target);
        Self {
            venvs,
            manifest,
            objects: BTreeMap::new(),
            closure: BTreeMap::new(),
            paths: BTreeMap::new(),
            units: Vec::new(),
            flawed: BTreeSet::new(),
            places: BTreeMap::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            current: 0,
            contents: BTreeMap::new(),
            maps: BTreeMap::new(),
            named: BTreeMap::new(),
        }
    }

    fn artifact(&mut self, artifact: &'a Artifact) {
        match &artifact.what {
            What::File(file) => self.file(artifact, file),
            What::Link(link) => {
                let place = manifest::Place::Straight(link.to.clone());
                let managed = ManagedPath { path: link.path.clone(), place, adopt: link.adopt };
                self.place(managed, (artifact, false));
            }
            What::Script { name, text } => {
                if let Some(content) = self.text(artifact, text) {
                    let object = self.object(name, Object::File(File { exec: true, content }));
                    self.refer(artifact, format!("{}/{object}", layout::STORE));
                    self.contents.insert(self.current, object);
                }
            }
            What::Unit(unit) => self.unit(artifact, unit),
            What::Venv(venv) => self.venv(artifact, venv),
            What::User(user) => self.manifest.users.push(User {
                name: user.name.clone(),
                group: user.group.clone(),
                home: user.home.clone(),
                shell: user.shell.clone(),
                adopt: user.adopt,
            }),
            What::Group { name } => self.manifest.groups.push(Group { name: name.clone() }),
            What::Directory { path, mode, owner, group, .. } => {
                self.manifest.directories.extend(Mode::new(*mode).map(|mode| Directory {
                    path: path.clone(),
                    mode,
                    owner: owner.clone(),
                    group: group.clone(),
                }));
            }
            What::Package { name } => self.manifest.packages.push(name.clone()),
            What::Check(check) => self.check(artifact, check),
        }
    }

    /// Notes what a reference to an artifact becomes.
    fn refer(&mut self, artifact: &Artifact, path: String) {
        if let Some(key) = artifact.key() {
            self.paths.insert(key, path);
        }
    }

    /// Adds an object to the closure.
    fn object(&mut self, label: &Label, object: Object) -> ObjectName {
        let digest = object.digest();
        let name = digest.name(label);
        self.closure(&name, digest, object.size());
        self.objects.insert(name.clone(), object);
        name
    }

    fn closure(&mut self, name: &ObjectName, digest: ObjectDigest, size: u64) {
        self.closure.insert(name.clone(), ClosureObject { name: name.clone(), digest, size });
    }

    fn file(&mut self, artifact: &'a Artifact, file: &'a FileArtifact) {
        let Some(content) = self.text(artifact, &file.text) else {
            return;
        };
        let mode = file.path.as_ref().and_then(|path| copy_mode(path, file.mode, file.exec));
        let exec = mode.map_or(file.exec, |mode| mode.bits() & 0o111 != 0);
        let object = self.object(&file.name, Object::File(File { exec, content }));
        self.refer(artifact, format!("{}/{object}", layout::STORE));
        self.contents.insert(self.current, object.clone());
        if let Some(path) = &file.path {
            let place = mode.map_or_else(
                || manifest::Place::Link(object.clone()),
                |mode| manifest::Place::Copy(object.clone(), mode),
            );
            let managed = ManagedPath { path: path.clone(), place, adopt: file.adopt };
            self.place(managed, (artifact, file.same));
        }
    }

    /// Manages a path; twice is an error unless both say `same` and it is the same.
    fn place(&mut self, managed: ManagedPath, (artifact, same): (&'a Artifact, bool)) {
        let path = &managed.path;
        if let Some(first) = self.places.get(path) {
            if !(same && self.manifest.paths.contains(&managed)) {
                let error = Diagnostic::error(format!("two artifacts for `{path}`"));
                let help = "a path has one owner: give one of them another path, or place it by one module";
                self.errors.push(artifact.against(first, error, ["the second", "the first"], help));
            }
            return;
        }
        self.places.insert(path.clone(), artifact);
        self.manifest.paths.push(managed);
    }

    fn venv(&mut self, artifact: &Artifact, venv: &VenvArtifact) {
        let (Some(laid), Ok(label)) = (self.venvs.get(&venv.name), lock_label(&venv.name)) else {
            let message = format!("venv `{}` was not laid out, or its name is too long", venv.name);
            self.errors.push(
                Diagnostic::error(message).at(artifact.place.clone(), "").help("give it another `name`"),
            );
            return;
        };
        let object = laid.digest.name(&venv.name);
        self.closure(&object, laid.digest, laid.size);
        if let Some(tree) = &laid.tree {
            self.objects.insert(object.clone(), Object::Tree(tree.clone()));
        }
        let lock = File { exec: false, content: laid.lock.clone().into_bytes() };
        let lock = self.object(&label, Object::File(lock));
        self.refer(artifact, format!("{}/{object}", layout::DERIVED));
        // Two instances can have one.
        if self.manifest.venvs.iter().any(|other| other.name == venv.name) {
            return;
        }
        self.manifest.venvs.push(Venv {
            name: venv.name.clone(),
            object,
            lock,
            imports: venv.imports.clone(),
            builds: laid.builds.clone(),
        });
    }

    fn finish(mut self, rendered: &Rendered) -> Result<Sealed, Vec<Diagnostic>> {
        self.add_units();
        self.add_accounts();
        self.errors.extend(judge(&self.manifest, rendered));
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        self.manifest.packages.sort();
        self.manifest.packages.dedup();
        self.manifest.objects = self.closure.into_values().collect();
        let bundle =
            Bundle::seal(self.manifest).map_err(|error| vec![Diagnostic::error(error.to_string())])?;
        let Self { objects, warnings, contents, maps, .. } = self;
        Ok(Sealed { bundle, objects, warnings, contents, maps })
    }

    fn add_accounts(&mut self) {
        self.manifest.sort();
        let sysusers = accounts::sysusers(&self.manifest.groups, &self.manifest.users);
        let tmpfiles = accounts::tmpfiles(&self.manifest.directories);
        let files = [
            (!self.manifest.users.is_empty() || !self.manifest.groups.is_empty(), layout::SYSUSERS, sysusers),
            (!self.manifest.directories.is_empty(), layout::TMPFILES, tmpfiles),
        ];
        for (there, path, text) in files {
            let (Ok(path), Ok(label)) = (
                TargetPath::new(path),
                Label::new(if path == layout::SYSUSERS { "sysusers.conf" } else { "tmpfiles.conf" }),
            ) else {
                continue;
            };
            if there {
                let object =
                    self.object(&label, Object::File(File { exec: false, content: text.into_bytes() }));
                let place = manifest::Place::Link(object);
                self.manifest.paths.push(ManagedPath { path, place, adopt: false });
            }
        }
    }
}

#[cfg(test)]
mod tests;
