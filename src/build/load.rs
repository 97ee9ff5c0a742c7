//! Finding all sources of a host: the files that it imports, the modules that are on, their templates.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::name::{InstanceName, ModuleName};
use crate::base::nearest::nearest;
use crate::base::report::{Diagnostic, Place, Source};

use super::config::host::{self, HostFile};
use super::config::module::{self, ModuleFile};
use super::config::tree::Placed;
use super::graph::{Modules, ring_error};
use super::host::HostFiles;
use super::instance::Maker;
use super::module_folders::{ModuleFolder, each_once, none_has, nothing_in, two_have};
use super::private_key;
use super::sources::{ReadFault, Tree, normal, text};

/// Where sources come from, and what is wrong with them.
pub struct Loader<'a> {
    /// The files.
    pub tree: &'a mut dyn Tree,
    /// Where modules are looked for: a host file that is read may add to them.
    pub folders: Vec<ModuleFolder>,
    /// In which of them each module was found.
    pub found: BTreeMap<ModuleName, PathBuf>,
    /// What is wrong so far.
    pub faults: Vec<Diagnostic>,
}

/// The most files that an import may be behind.
const MAX_IMPORTS: usize = 32;

struct Imports {
    /// The files that were read, by path: where they are in `files`, once all that they import is.
    known: BTreeMap<PathBuf, Option<usize>>,
    /// The files that are being read, each with the place of the import that is followed.
    open: Vec<(PathBuf, Option<Place>)>,
    files: HostFiles,
}

impl<'a> Loader<'a> {
    /// A loader that has read nothing yet.
    pub fn new(tree: &'a mut dyn Tree, folders: &[ModuleFolder]) -> Self {
        let folders = folders.to_vec();
        Self { tree, folders, found: BTreeMap::new(), faults: Vec::new() }
    }
}

impl Loader<'_> {
    /// Reads a source text; `asked` is where it is asked for.
    pub fn text(&mut self, path: &Path, asked: Option<&Place>) -> Option<Arc<Source>> {
        if self.leads_out(path, asked) {
            return None;
        }
        match self.tree.read(path) {
            Ok(bytes) => self.source(path, bytes),
            Err(fault) => {
                self.unreadable(path, &fault, asked);
                None
            }
        }
    }

    /// Whether a file of a module lies in no folder of modules, but elsewhere on this machine: that is said, and nothing
    /// of it comes to a host.
    fn leads_out(&mut self, path: &Path, asked: Option<&Place>) -> bool {
        let Some((folder, inside)) = self
            .folders
            .iter()
            .find_map(|folder| Some((&folder.path, path.strip_prefix(&folder.path).ok()?)))
        else {
            return false;
        };
        // The folder of a module may be a link itself, as people make it who have it elsewhere.
        let module = folder.join(inside.components().next().map_or("".as_ref(), |name| name.as_os_str()));
        let out = self.tree.leads_out(path, &module, &[folder, &module]);
        if out {
            let message = format!("`{}` is a link out of `{}`", path.display(), folder.display());
            let mut error = Diagnostic::error(message).help("copy the file to where the link is");
            error.places.extend(asked.map(|place| (place.clone(), String::new())));
            self.faults.push(error);
        }
        out
    }

    fn source(&mut self, path: &Path, bytes: Vec<u8>) -> Option<Arc<Source>> {
        let source = match self.tree.library() {
            Some(library) => library.source(path, bytes),
            None => text(&path.to_string_lossy(), bytes),
        };
        let bad = match source {
            Ok(source) => match private_key::find(&source.text) {
                None => return Some(source),
                Some(key) => {
                    self.faults.push(private_key::fault(&source, key));
                    return None;
                }
            },
            Err(bad) => bad,
        };
        let error = Diagnostic::error(bad.message).help("a source is plain UTF-8 text");
        let (source, at) = bad.shown;
        self.faults.push(error.at(Place::whole(&source, at..at + 1), ""));
        None
    }

    fn unreadable(&mut self, path: &Path, fault: &ReadFault, asked: Option<&Place>) {
        let mut error = Diagnostic::error(fault.to_string());
        if let Some(place) = asked {
            error = error.at(place.clone(), "");
        }
        if matches!(fault, ReadFault::Missing(_)) {
            let folder = path.parent().unwrap_or(Path::new(""));
            let names = self.tree.list(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let called = if folder.as_os_str().is_empty() {
                "this folder".to_owned()
            } else {
                format!("`{}`", folder.display())
            };
            // A link that leads nowhere is there by its name.
            let others = names.iter().map(String::as_str).filter(|other| *other != name);
            error = error.help(match nearest(&name, others) {
                _ if names.contains(&name) => "it is a link to something that is not there".to_owned(),
                Some(near) => format!("did you mean `{}`?", folder.join(near).display()),
                None if names.is_empty() => format!("{called} is empty or not there"),
                None => format!("{called} has no such file"),
            });
        } else {
            error = error.help(match (fault, asked) {
                (ReadFault::TooLong(_), _) => "divide it, or take out what is not needed",
                (_, None) => "name a host's file, as `hosts/node1.toml`",
                (_, Some(_)) => "name a file that can be read",
            });
        }
        self.faults.push(error);
    }

    /// Reads a host file and all that it imports.
    pub fn host(&mut self, path: &Path) -> HostFiles {
        let files = HostFiles { files: Vec::new(), below: Vec::new() };
        let mut imports = Imports { known: BTreeMap::new(), open: Vec::new(), files };
        self.host_file(&normal(path), None, &mut imports);
        imports.files
    }

    fn host_file(&mut self, path: &Path, asked: Option<&Place>, imports: &mut Imports) -> Option<usize> {
        if let Some(start) = imports.open.iter().position(|(open, _)| open == path) {
            self.import_ring(&imports.open[start..]);
            return None;
        }
        if let Some(known) = imports.known.get(path) {
            return *known;
        }
        if imports.open.len() > MAX_IMPORTS {
            let mut error = Diagnostic::error(format!("imports are more than {MAX_IMPORTS} levels deep"));
            error.places.extend(asked.map(|place| (place.clone(), String::new())));
            self.faults.push(error.help("import the files from fewer levels"));
            return None;
        }
        let source = self.text(path, asked);
        let file = source.map(|source| host::read(&source, &mut self.faults));
        let index = file.map(|file| self.with_imports(path, file, imports));
        imports.known.insert(path.to_owned(), index);
        index
    }

    fn with_imports(&mut self, path: &Path, file: HostFile, imports: &mut Imports) -> usize {
        self.folders.extend(file.module_paths.iter().map(|written| ModuleFolder::of_file(path, written)));
        let mut below = BTreeSet::new();
        imports.open.push((path.to_owned(), None));
        for import in &file.imports {
            if let Some((_, at)) = imports.open.last_mut() {
                *at = Some(import.place.clone());
            }
            let folder = path.parent().unwrap_or(Path::new(""));
            let target = normal(&folder.join(&import.value));
            if let Some(index) = self.host_file(&target, Some(&import.place), imports) {
                below.insert(index);
                below.extend(imports.files.below[index].iter().copied());
            }
        }
        imports.open.pop();
        imports.files.files.push(file);
        imports.files.below.push(below);
        imports.files.files.len() - 1
    }

    fn import_ring(&mut self, ring: &[(PathBuf, Option<Place>)]) {
        let names: Vec<String> = ring.iter().map(|(path, _)| path.display().to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let places: Vec<&Place> = ring.iter().filter_map(|(_, place)| place.as_ref()).collect();
        let error = ring_error("files import each other in a ring", &names, places.into_iter());
        self.faults.push(error.help("move what they share into a file of its own"));
    }

    /// Reads the modules that a host turns on, and those that they require.
    pub fn modules(&mut self, files: &HostFiles) -> Modules {
        self.folders = each_once(std::mem::take(&mut self.folders));
        for folder in &self.folders {
            self.faults.extend(nothing_in(folder, self.tree));
        }
        let on = files.modules();
        let maker = Maker { on: &on };
        let mut wanted: Vec<Placed<InstanceName>> = on.clone();
        let mut modules = Modules::new();
        let (mut seen, mut read) = (BTreeSet::new(), BTreeMap::new());
        while let Some(name) = wanted.pop() {
            if !seen.insert(name.value.clone()) {
                continue;
            }
            let module = Placed { value: name.value.module().clone(), place: name.place.clone() };
            let file = read.entry(module.value.clone()).or_insert_with(|| self.module(&module));
            let Some(file) = file else { continue };
            let bindings = files.bindings(&name.value, &mut self.faults);
            let Some(instance) = maker.instance((&name, file), &bindings, &mut self.faults) else { continue };
            let required = instance.required();
            wanted.extend(required.map(|(name, place)| Placed { value: name.clone(), place: place.clone() }));
            modules.insert(name.value, instance);
        }
        modules
    }

    fn module(&mut self, name: &Placed<ModuleName>) -> Option<Arc<ModuleFile>> {
        let source = self.module_text(name)?;
        match self.tree.library() {
            Some(library) => library.module(&name.value, &source, &mut self.faults),
            None => module::read(&name.value, &source, &mut self.faults).map(Arc::new),
        }
    }

    /// The text of the one module of a name. It is looked for in all folders, so that the log of inputs has each.
    fn module_text(&mut self, name: &Placed<ModuleName>) -> Option<Arc<Source>> {
        let mut found: Vec<(ModuleFolder, Arc<Source>)> = Vec::new();
        let mut failed = false;
        for folder in self.folders.clone() {
            let path = folder.module_file(&name.value);
            match self.tree.read(&path) {
                Ok(bytes) => match self.source(&path, bytes) {
                    Some(source) => found.push((folder, source)),
                    None => failed = true,
                },
                Err(ReadFault::Missing(_)) => {}
                Err(fault) => {
                    self.unreadable(&path, &fault, Some(&name.place));
                    failed = true;
                }
            }
        }
        let mut found = found.into_iter();
        let (folder, source) = match (found.next(), found.next()) {
            (Some(first), None) => first,
            (Some((first, text)), Some((second, other))) => {
                self.faults.push(two_have(name, (&first, &text), (&second, &other)));
                return None;
            }
            (None, _) if failed => return None,
            (None, _) => {
                self.faults.push(none_has(name, &self.folders, self.tree));
                return None;
            }
        };
        self.found.insert(name.value.clone(), folder.path);
        Some(source)
    }

    /// The path of a file of a module's folder.
    #[must_use]
    pub fn module_file(&self, module: &ModuleName, file: &str) -> PathBuf {
        let folder = self.found.get(module).cloned().unwrap_or_default();
        folder.join(module.as_str()).join(file)
    }

    /// Reads a source that is taken as it is.
    pub fn bytes(&mut self, path: &Path, asked: &Place) -> Option<Vec<u8>> {
        if self.leads_out(path, Some(asked)) {
            return None;
        }
        match self.tree.read(path) {
            Ok(bytes) if private_key::find(&String::from_utf8_lossy(&bytes)).is_some() => {
                let message = format!("`{}` is a private key, or has one in it", path.display());
                let error = Diagnostic::error(message).at(asked.clone(), "");
                self.faults.push(error.help(private_key::HELP));
                None
            }
            Ok(bytes) => Some(bytes),
            Err(fault) => {
                self.unreadable(path, &fault, Some(asked));
                None
            }
        }
    }
}
