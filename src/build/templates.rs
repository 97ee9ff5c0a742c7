//! The files that artifacts take their text from, read and looked at before anything is evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::name::ModuleName;
use crate::base::report::{Diagnostic, Place, Source};

use super::config::artifact::Body;
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
    /// What is in each template, with all that it includes; none where it cannot be read.
    pub found: BTreeMap<String, Vec<Arc<Found>>>,
}

/// The name of a file of a module.
#[must_use]
pub fn name_of(module: &ModuleName, file: &str) -> String {
    format!("{module}/{file}")
}

impl Templates {
    /// Reads all files that the artifacts of these modules name.
    pub fn read(loader: &mut Loader<'_>, modules: &Modules) -> Self {
        let mut templates = Self::default();
        // The instances of a module share its files.
        let files: BTreeMap<&ModuleName, _> =
            modules.values().map(|module| (&module.file.name, &module.file)).collect();
        for module in files.values() {
            for body in module.artifacts.iter().filter_map(|artifact| artifact.body.as_ref()) {
                templates.body(loader, &module.name, body);
            }
        }
        templates
    }

    /// Where they take a value for code, each place once.
    #[must_use]
    pub fn safe(&self) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for place in self.found.values().flatten().flat_map(|found| &found.safe) {
            if !places.contains(place) {
                places.push(place.clone());
            }
        }
        places
    }

    fn body(&mut self, loader: &mut Loader<'_>, module: &ModuleName, body: &Body) {
        let name = name_of(module, &body.file.value);
        if body.grammar.is_none() {
            let path = loader.module_file(module, &body.file.value);
            if let Some(bytes) = loader.bytes(&path, &body.file.place) {
                self.bytes.insert(name, bytes);
            }
            return;
        }
        if self.found.contains_key(&name) {
            return;
        }
        let mut walk = Walk { loader, module, templates: self, open: Vec::new(), found: Vec::new() };
        walk.file(&body.file.value, &body.file.place, &Locals::new());
        let found = walk.found;
        self.found.insert(name, found);
    }
}

struct Walk<'a, 'b> {
    loader: &'a mut Loader<'b>,
    module: &'a ModuleName,
    templates: &'a mut Templates,
    open: Vec<String>,
    found: Vec<Arc<Found>>,
}

impl Walk<'_, '_> {
    fn file(&mut self, file: &str, asked: &Place, locals: &Locals) {
        if self.open.iter().any(|open| open == file) || self.open.len() >= MAX_INCLUDES {
            let way = self.open.join("` → `");
            self.loader.faults.push(
                Diagnostic::error(format!("includes go too deep: `{way}` → `{file}`"))
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
        let Some(source) = self.source(file, asked) else { return };
        let Some(found) = self.found(&source, locals) else { return };
        self.open.push(file.to_owned());
        for (file, place, locals) in &found.includes {
            if is_plain(file) {
                self.file(file, place, locals);
            } else {
                self.loader.faults.push(
                    Diagnostic::error(format!("`{}` is no file of the module's folder", file.escape_debug()))
                        .at(place.clone(), "")
                        .help("write it relative to the folder, without `..`"),
                );
            }
        }
        self.open.pop();
        self.found.push(found);
    }

    fn found(&mut self, source: &Arc<Source>, locals: &Locals) -> Option<Arc<Found>> {
        let Loader { tree, faults, .. } = &mut *self.loader;
        match tree.library() {
            Some(library) if locals.is_empty() => library.template(source, faults),
            _ => template(&source.text, Stand::File(source), locals, faults).map(Arc::new),
        }
    }

    fn source(&mut self, file: &str, asked: &Place) -> Option<Arc<Source>> {
        let name = name_of(self.module, file);
        if let Some(source) = self.templates.texts.get(&name) {
            return Some(Arc::clone(source));
        }
        let path = self.loader.module_file(self.module, file);
        let source = self.loader.text(&path, Some(asked))?;
        self.templates.texts.insert(name, Arc::clone(&source));
        Some(source)
    }
}

fn is_plain(file: &str) -> bool {
    !file.is_empty() && file.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
