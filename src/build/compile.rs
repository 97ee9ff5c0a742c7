//! One build of one host: notes → front → venvs → seal → store → link → notes.

#![expect(clippy::disallowed_methods, reason = "the door to the folder of bundles")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::io::{IoError, OnPath as _};
use crate::base::name::{HostName, Label};
use crate::base::path::relative;
use crate::base::report::Diagnostic;
use crate::build::artifact::Rendered;
use crate::build::cache::Cache;
use crate::build::changes::changes;
use crate::build::front::{self, Compiled};
use crate::build::lock::{self, Folders};
use crate::build::module_folders::ModuleFolder;
use crate::build::provenance::depends::{Dependencies, depends};
use crate::build::provenance::{Made, provenance};
use crate::build::seal::{LaidVenv, Sealed, seal};
use crate::build::sources::{Disk, Tree as _, normal};
use crate::build::venvs::{Workshop, locks, stand_ins};
use crate::store::bundle::Bundle;
use crate::store::disk::Store;
use crate::store::manifest::Manifest;
use crate::store::object::{File, Object, ObjectName};
use crate::store::provenance::answer::{Answer, Texts};
use crate::store::provenance::ask::NoAnswer;
use crate::store::provenance::{FOLDER, label};

/// A host, and where its build reads and writes.
#[derive(Debug, Clone)]
pub struct Project {
    /// The host file.
    pub host: PathBuf,
    /// Where modules are looked for, besides the folders that the host names.
    pub modules: Vec<ModuleFolder>,
    /// Locks; their wheels are in `wheels` below.
    pub locks: PathBuf,
    /// Bundles: `store/`, a link a host, `.cache/`.
    pub out: PathBuf,
}

/// What a build did.
#[derive(Debug)]
pub struct Built {
    /// The bundle's folder.
    pub path: PathBuf,
    /// What people want to know, a line each: modules, artifacts, changes.
    pub summary: Vec<String>,
    /// What is doubtful.
    pub warnings: Vec<Diagnostic>,
}

/// A host that was compiled and sealed, with nothing written.
#[derive(Debug)]
pub struct Dry {
    /// What its files say.
    pub compiled: Compiled,
    /// Its bundle. A venv is a stand-in there, named by its requirements: it has no wheels and no lock.
    pub sealed: Sealed,
    /// Where its lines come from.
    pub made: Made,
}

impl Dry {
    /// Where what a question names comes from.
    ///
    /// # Errors
    /// Where it names nothing, or several.
    pub fn why(&self, question: &str) -> Result<Answer, NoAnswer> {
        let object = |name: &ObjectName| match self.sealed.objects.get(name)? {
            Object::File(file) => Some(file.content.clone()),
            Object::Tree(_) => None,
        };
        let source = |source, line| self.made.line(source, line);
        self.made.provenance.answer(question, &Texts { object: &object, source: &source })
    }

    /// What leads to what a question names, and what that leads to.
    ///
    /// # Errors
    /// Where it names nothing, or several.
    pub fn depends(&self, question: &str) -> Result<Dependencies, NoAnswer> {
        depends(&self.made.provenance, question)
    }
}

/// Why there is no bundle.
#[derive(Debug)]
pub enum BuildError {
    /// The configuration is wrong: all errors of the stage that failed, with the warnings until then.
    Configuration(Vec<Diagnostic>),
    /// The system said no.
    Io(IoError),
}

impl From<IoError> for BuildError {
    fn from(error: IoError) -> Self {
        Self::Io(error)
    }
}
impl From<Vec<Diagnostic>> for BuildError {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self::Configuration(diagnostics)
    }
}

impl Project {
    /// The project around a host file: `modules` and `generated` lie beside its folder, `locks` in it.
    #[must_use]
    pub fn around(host: &Path) -> Self {
        let hosts = normal(host.parent().unwrap_or(Path::new("")));
        let top = match hosts.parent() {
            Some(top) if hosts.file_name().is_some() => top.to_owned(),
            _ => hosts.join(".."),
        };
        Self {
            host: host.to_owned(),
            modules: vec![ModuleFolder::default_at(top.join("modules"))],
            locks: hosts.join("locks"),
            out: top.join("generated"),
        }
    }

    pub(super) fn store(&self) -> Store {
        Store::new(self.out.join("store"))
    }

    fn cache(&self) -> Cache {
        Cache::new(self.out.join(".cache"))
    }

    pub(super) fn folders(&self) -> Folders {
        Folders { locks: self.locks.clone(), tools: self.out.join(".cache/tools") }
    }

    pub(super) fn stem(&self) -> String {
        self.host.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn arguments(&self) -> Vec<String> {
        let modules = self.modules.iter().map(|folder| &folder.path);
        let paths = [&self.host, &self.locks].into_iter().chain(modules);
        paths.map(|path| path.to_string_lossy().into_owned()).collect()
    }

    /// Compiles the host into a bundle, unless nothing changed since its last build.
    ///
    /// # Errors
    /// Where the configuration is wrong or the system says no; nothing is written then.
    pub fn build(&self, say: &mut dyn FnMut(&str)) -> Result<Built, BuildError> {
        let (store, cache, host) = (self.store(), self.cache(), self.stem());
        let link = self.out.join(&host);
        let provenance_link = self.out.join(FOLDER).join(&host);
        if let Some(name) = cache.bundle(&host, &self.arguments())
            && linked(&link).as_ref() == Some(&name)
            && has_closure(&store, &name)
            && linked(&provenance_link).is_some_and(|name| store.has(&name))
        {
            let summary = vec![format!("nothing changed: `{name}`")];
            return Ok(Built { path: store.path(&name), summary, warnings: Vec::new() });
        }
        let compiled = self.compile()?;
        let workshop = Workshop {
            folders: &self.folders(),
            cache: &cache,
            store: &store,
            path: &self.host,
            host: &compiled.host,
        };
        let laid = workshop.lay_out(&compiled.rendered, &compiled.venvs, say)?;
        let Dry { compiled, sealed, mut made } = self.dry_of(compiled, &laid.venvs)?;
        let doubtful = std::mem::take(&mut made.warnings);
        let (provenance_name, provenance) = provenance_object(&compiled.rendered.host, made)?;
        let Sealed { bundle, objects, warnings, .. } = sealed;
        self.free(&link)?;
        let before = linked(&link).and_then(|name| store.bundle(&name).ok());
        let mut batch = store.batch()?;
        for (name, object) in &objects {
            batch.add(name, object)?;
        }
        let new = batch.finish()?;
        let mut batch = store.batch()?;
        batch.add(&provenance_name, &provenance)?;
        batch.add_bundle(&bundle)?;
        batch.finish()?;
        point(&link, &bundle.name)?;
        let folder = self.out.join(FOLDER);
        std::fs::create_dir_all(&folder).on("make folder", &folder)?;
        point(&provenance_link, &provenance_name)?;
        let mut disk = Disk { log: compiled.inputs };
        // A lock that was written meanwhile is not the one that this bundle was made by.
        let is_same =
            |(path, text): &(PathBuf, String)| disk.read(path).is_ok_and(|now| now == text.as_bytes());
        if laid.locks.iter().all(is_same)
            && let Err(error) = cache.note(&host, &self.arguments(), (&disk.log, &bundle.name))
        {
            say(&format!("warning: {error}"));
        }
        let summary = summary(&compiled.rendered, &bundle, (before.as_ref(), new));
        let warnings = compiled.warnings.into_iter().chain(warnings).chain(doubtful).collect();
        Ok(Built { path: store.path(&bundle.name), summary, warnings })
    }

    /// Compiles and seals the host in memory. Needs no wheels and writes nothing.
    ///
    /// # Errors
    /// Where the configuration is wrong.
    pub fn dry(&self) -> Result<Dry, BuildError> {
        let compiled = self.compile()?;
        let venvs = stand_ins(&compiled.rendered);
        self.dry_of(compiled, &venvs)
    }

    /// Seals a compiled host with these venvs, and says where its lines come from.
    pub(super) fn dry_of(
        &self,
        compiled: Compiled,
        venvs: &BTreeMap<Label, LaidVenv>,
    ) -> Result<Dry, BuildError> {
        let sealed = seal(&compiled.rendered, venvs).map_err(|errors| compiled.explained(errors))?;
        let made = provenance(&compiled, &sealed, &self.naming());
        Ok(Dry { compiled, sealed, made })
    }

    /// How the provenance names sources: relative to the project's folder, wherever that is and from wherever it is
    /// compiled; files of modules below `modules`, wherever those are.
    pub fn naming(&self) -> impl Fn(&str) -> String + use<> {
        let absolute = |path: &Path| {
            let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            normal(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
        };
        let modules: Vec<PathBuf> = self.modules.iter().map(|folder| absolute(&folder.path)).collect();
        let hosts = absolute(self.host.parent().unwrap_or(Path::new("")));
        let top = hosts.parent().unwrap_or(&hosts).to_owned();
        move |name| {
            let path = absolute(Path::new(name));
            let inside = modules.iter().find_map(|folder| path.strip_prefix(folder).ok());
            let path = match inside {
                Some(inside) => Path::new("modules").join(inside),
                None => relative(&path, &top),
            };
            path.to_string_lossy().into_owned()
        }
    }

    /// Resolves the venvs of the host and writes their locks. A lock that is there keeps its versions, unless `upgrade`.
    ///
    /// # Errors
    /// Where the configuration is wrong, or uv or pip fail.
    pub fn lock(&self, upgrade: bool, say: &mut dyn FnMut(&str)) -> Result<Vec<lock::Outcome>, BuildError> {
        let compiled = self.compile()?;
        Ok(locks((&compiled.rendered, &compiled.venvs), &self.folders(), upgrade, say)?)
    }

    /// Nobody else's file is replaced by the link to the bundle.
    fn free(&self, link: &Path) -> Result<(), BuildError> {
        if self.stem() == "store" {
            let error = Diagnostic::error("no host can be called `store`: its link would be the store");
            return Err(vec![error.help("give the host file another name")].into());
        }
        if link.symlink_metadata().is_ok() && linked(link).is_none() {
            let message = format!("`{}` is in the way: it is no link to a bundle", link.display());
            return Err(vec![Diagnostic::error(message).help("move it away, or build with `--out`")].into());
        }
        Ok(())
    }

    /// Compiles the host as far as the settings and the artifacts go; nothing is written.
    ///
    /// # Errors
    /// Where the configuration is wrong.
    pub fn compile(&self) -> Result<Compiled, BuildError> {
        Ok(front::compile(&self.host, &self.modules)?)
    }
}

/// A provenance as an object.
fn provenance_object(host: &HostName, made: Made) -> Result<(ObjectName, Object), BuildError> {
    let label = label(host).map_err(|error| {
        vec![Diagnostic::error(error.to_string()).help("give the host file a shorter name")]
    })?;
    let object = Object::File(File { exec: false, content: made.text.into_bytes() });
    Ok((object.digest().name(&label), object))
}

/// Whether a bundle and all that it refers to are there.
fn has_closure(store: &Store, name: &ObjectName) -> bool {
    let bundle = store.bundle(name);
    bundle.is_ok_and(|bundle| bundle.manifest.objects.iter().all(|object| store.has(&object.name)))
}

/// The object that a link of the folder, or of one in it, leads to.
fn linked(link: &Path) -> Option<ObjectName> {
    let target = std::fs::read_link(link).ok()?;
    let target = target.strip_prefix("..").unwrap_or(&target);
    ObjectName::parse(target.strip_prefix("store").ok()?.to_str()?).ok()
}

/// Makes a link lead to an object, by one rename.
fn point(link: &Path, name: &ObjectName) -> Result<(), IoError> {
    if linked(link).as_ref() == Some(name) {
        return Ok(());
    }
    let temporary = link.with_file_name(format!(".{}.new", std::process::id()));
    // A killed build can have had the same number.
    let _ = std::fs::remove_file(&temporary);
    let up = if link.parent().is_some_and(|folder| folder.ends_with(FOLDER)) { "../" } else { "" };
    std::os::unix::fs::symlink(format!("{up}store/{name}"), &temporary).on("make link", &temporary)?;
    std::fs::rename(&temporary, link).on("rename to", link).inspect_err(|_| {
        let _ = std::fs::remove_file(&temporary);
    })
}

fn summary(rendered: &Rendered, bundle: &Bundle, (before, new): (Option<&Bundle>, usize)) -> Vec<String> {
    let modules: Vec<String> = rendered.modules.iter().map(ToString::to_string).collect();
    let manifest = &bundle.manifest;
    let mut lines = vec![
        format!("{}: {} modules: {}", manifest.host, modules.len(), modules.join(", ")),
        counted(rendered, manifest, new),
    ];
    match before {
        None => lines.push("first build".to_owned()),
        Some(before) if before.name == bundle.name => lines.push("the bundle is the same".to_owned()),
        Some(before) => lines.extend(changes(&before.manifest, manifest).iter().map(ToString::to_string)),
    }
    lines
}

fn counted(rendered: &Rendered, manifest: &Manifest, new: usize) -> String {
    let size: u64 = manifest.objects.iter().map(|object| object.size).sum();
    format!(
        "{} artifacts, {} objects with {} bytes in all, {new} of them new",
        rendered.artifacts.len(),
        manifest.objects.len(),
        size
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_lies_around_the_hosts() {
        for (host, modules, locks) in [
            ("hosts/node1.toml", "modules", "hosts/locks"),
            ("/a/hosts/node1.toml", "/a/modules", "/a/hosts/locks"),
            ("node1.toml", "../modules", "locks"),
            ("./hosts/node1.toml", "modules", "hosts/locks"),
            ("../node1.toml", "../../modules", "../locks"),
            ("../hosts/node1.toml", "../modules", "../hosts/locks"),
        ] {
            let project = Project::around(Path::new(host));
            assert_eq!((&*project.modules[0].path, &*project.locks), (Path::new(modules), Path::new(locks)));
            assert_eq!(project.modules.len(), 1, "{host}");
        }
    }
}
