//! The files that artifacts take their text from, read and looked at before anything is evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::name::ModuleName;
use crate::base::nearest::nearest;
use crate::base::report::{Diagnostic, Place, Source};

use super::config::artifact::Body;
use super::config::module::ModuleFile;
use super::graph::Modules;
use super::load::Loader;
use super::scan::{Found, Locals, Stand, template};

/// The most files that an include may be behind.
const MAX_INCLUDES: usize = 8;

/// The most includes that one text may be made of.
const MAX_PARTS: usize = 100;

/// Templates and sources, by `module/file`.
#[derive(Debug, Default)]
pub struct Templates {
    /// The templates, and what they include.
    pub texts: BTreeMap<String, Arc<Source>>,
    /// Sources that are taken as they are.
    pub bytes: BTreeMap<String, Vec<u8>>,
    /// What is in each template, with all that it includes, and whose file each is; none where it cannot be read.
    pub found: BTreeMap<String, Vec<(ModuleName, Arc<Found>)>>,
}

/// The name of a file of a module.
#[must_use]
pub fn name_of(module: &ModuleName, file: &str) -> String {
    format!("{module}/{file}")
}

/// The name of a file that a file of `module` includes: of its own module, or of `MODULE:FILE`.
#[must_use]
pub fn included(module: &str, file: &str) -> String {
    file.split_once(':').map_or_else(|| format!("{module}/{file}"), |(other, file)| format!("{other}/{file}"))
}

impl Templates {
    /// Reads all files that the artifacts of these modules name.
    pub fn read(loader: &mut Loader<'_>, modules: &Modules) -> Self {
        let mut templates = Self::default();
        // The instances of a module share its files.
        let files: Files<'_> = modules.values().map(|module| (&module.file.name, &*module.file)).collect();
        for module in files.values() {
            for body in module.artifacts.iter().filter_map(|artifact| artifact.body.as_ref()) {
                templates.body(loader, (module, &files), body);
            }
        }
        templates
    }

    /// Where they take a value for code, each place once.
    #[must_use]
    pub fn safe(&self) -> Vec<Place> {
        let places = self.found.values().flatten().flat_map(|(_, found)| &found.safe);
        let mut seen = BTreeSet::new();
        places.filter(|place| seen.insert((&place.source.name, place.span.start))).cloned().collect()
    }

    fn body(&mut self, loader: &mut Loader<'_>, (module, modules): (&ModuleFile, &Files<'_>), body: &Body) {
        let name = name_of(&module.name, &body.file.value);
        if body.grammar.is_none() {
            let path = loader.module_file(&module.name, &body.file.value);
            if let Some(bytes) = loader.bytes(&path, &body.file.place) {
                self.bytes.insert(name, bytes);
            }
            return;
        }
        if self.found.contains_key(&name) {
            return;
        }
        let mut walk = Walk { loader, modules, templates: self, open: Vec::new(), found: Vec::new() };
        walk.file((module, &body.file.value), &body.file.place, &Locals::new());
        let found = walk.found;
        self.found.insert(name, found);
    }
}

/// The modules that are on, by name.
type Files<'a> = BTreeMap<&'a ModuleName, &'a ModuleFile>;

struct Walk<'a, 'b> {
    loader: &'a mut Loader<'b>,
    modules: &'a Files<'a>,
    templates: &'a mut Templates,
    open: Vec<String>,
    found: Vec<(ModuleName, Arc<Found>)>,
}

impl<'a> Walk<'a, '_> {
    fn file(&mut self, (module, file): (&ModuleFile, &str), asked: &Place, locals: &Locals) {
        let name = name_of(&module.name, file);
        if self.open.contains(&name) || self.open.len() >= MAX_INCLUDES {
            let way = self.open.join("` → `");
            self.loader.faults.push(
                Diagnostic::error(format!("includes go too deep: `{way}` → `{name}`"))
                    .at(asked.clone(), "")
                    .help(format!("a file does not include itself, and {MAX_INCLUDES} levels are the most")),
            );
            return;
        }
        if self.found.len() == MAX_PARTS {
            let error =
                Diagnostic::error(format!("more than {MAX_PARTS} files are included")).at(asked.clone(), "");
            self.loader.faults.push(error.help("a file that is included twice counts twice: write a loop"));
        }
        if self.found.len() >= MAX_PARTS {
            return;
        }
        let Some(source) = self.source((module, file), asked) else { return };
        let Some(found) = self.found(&source, locals) else { return };
        self.open.push(name);
        for (file, place, locals) in &found.includes {
            match self.whose(module, file) {
                Ok(file) => self.file(file, place, locals),
                Err(error) => self.loader.faults.push(error.at(place.clone(), "")),
            }
        }
        self.open.pop();
        self.found.push((module.name.clone(), found));
    }

    /// Whose file a file of `module` includes, and which: one of its own, or `MODULE:FILE` of a module that it requires.
    fn whose<'c>(
        &self,
        module: &'c ModuleFile,
        file: &'c str,
    ) -> Result<(&'c ModuleFile, &'c str), Diagnostic>
    where
        'a: 'c,
    {
        let (owner, plain) = file.split_once(':').map_or((None, file), |(owner, file)| (Some(owner), file));
        if !is_plain(plain) {
            return Err(Diagnostic::error(format!(
                "`{}` is no file of a module's folder",
                file.escape_debug()
            ))
            .help("write it relative to the folder, without `..`; `module:file` is one of another module"));
        }
        let Some(owner) = owner else { return Ok((module, plain)) };
        let required = module.requires.iter().find(|required| required.value.as_str() == owner);
        let found = required.and_then(|required| self.modules.get(&required.value));
        found.map(|found| (*found, plain)).ok_or_else(|| {
            let names = module.requires.iter().map(|required| required.value.as_str());
            Diagnostic::error(format!(
                "`{}` does not require a module `{}`",
                module.name,
                owner.escape_debug()
            ))
            .help(nearest(owner, names).map_or_else(
                || format!("name it in `requires` of `{}`", module.name),
                |near| format!("did you mean `{near}`?"),
            ))
        })
    }

    fn found(&mut self, source: &Arc<Source>, locals: &Locals) -> Option<Arc<Found>> {
        let Loader { tree, faults, .. } = &mut *self.loader;
        match tree.library() {
            Some(library) if locals.is_empty() => library.template(source, faults),
            _ => template(&source.text, Stand::File(source), locals, faults).map(Arc::new),
        }
    }

    fn source(&mut self, (module, file): (&ModuleFile, &str), asked: &Place) -> Option<Arc<Source>> {
        let name = name_of(&module.name, file);
        if let Some(source) = self.templates.texts.get(&name) {
            return Some(Arc::clone(source));
        }
        let path = self.loader.module_file(&module.name, file);
        let source = self.loader.text(&path, Some(asked))?;
        self.templates.texts.insert(name, Arc::clone(&source));
        Some(source)
    }
}

fn is_plain(file: &str) -> bool {
    !file.contains(char::is_control) && file.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
