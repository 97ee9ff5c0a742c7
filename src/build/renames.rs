//! Options and fields that are called otherwise now, or that there are no longer: what hosts and `[[set]]` say under
//! an old name is moved to the new one before anything looks at it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::name::ModuleName;
use crate::base::report::Diagnostic;

use super::config::module::ModuleFile;
use super::config::option::{OptionDecl, Removed};
use super::config::tree::{Data, Node, Table};
use super::graph::Modules;
use super::host::HostFiles;
use super::types::Type;

/// The options of a module, or the fields of a table: those that there are, and those that there were.
#[derive(Clone, Copy)]
struct Known<'a> {
    options: &'a BTreeMap<String, OptionDecl>,
    removed: &'a Removed,
}

/// Moves what is said under old names in host files and `[[set]]`; each is a warning, what cannot be moved an error.
pub fn apply(files: &mut HostFiles, modules: &mut Modules, found: &mut Vec<Diagnostic>) {
    let has_old = |decl: &OptionDecl| decl.renamed_from.is_some() || !decl.removed.is_empty();
    let declares =
        |file: &ModuleFile| !file.removed.is_empty() || file.options.values().any(|decl| decl.any(&has_old));
    if !modules.values().any(|module| declares(&module.file)) {
        return;
    }
    let mut renamer = Renamer { found };
    for (name, entry) in files.files.iter_mut().flat_map(|file| &mut file.sections) {
        if let Some(module) = modules.values().find(|module| module.name.to_string() == *name) {
            renamer.section(&module.file, name, &mut entry.value);
        }
    }
    rewrite(modules, |module, all| {
        for (name, entry) in module.sets.iter_mut().flat_map(|set| &mut set.targets.entries) {
            if let Some(target) = all.get(name.as_str()) {
                renamer.section(target, name, &mut entry.value);
            }
        }
    });
}

/// Changes each module once, however many instances share it; what it was is beside it.
pub fn rewrite(
    modules: &mut Modules,
    mut change: impl FnMut(&mut ModuleFile, &BTreeMap<ModuleName, Arc<ModuleFile>>),
) {
    let all: BTreeMap<ModuleName, Arc<ModuleFile>> =
        modules.values().map(|module| (module.file.name.clone(), Arc::clone(&module.file))).collect();
    let changed: BTreeMap<&ModuleName, Arc<ModuleFile>> = all
        .iter()
        .map(|(name, file)| {
            let mut file = ModuleFile::clone(file);
            change(&mut file, &all);
            (name, Arc::new(file))
        })
        .collect();
    for module in modules.values_mut() {
        if let Some(file) = changed.get(&module.file.name) {
            module.file = Arc::clone(file);
        }
    }
}

/// What is called otherwise now, or gone, in words; `None` where there never was such a name.
#[must_use]
pub fn gone(options: &BTreeMap<String, OptionDecl>, removed: &Removed, name: &str) -> Option<String> {
    if let Some(message) = removed.get(name) {
        return Some(message.value.clone());
    }
    let is_old = |decl: &OptionDecl| decl.renamed_from.as_ref().is_some_and(|old| old.value == name);
    let new = options.iter().find(|(_, decl)| is_old(decl))?.0;
    Some(format!("it is called `{new}` now"))
}

struct Renamer<'a> {
    found: &'a mut Vec<Diagnostic>,
}

impl Renamer<'_> {
    fn section(&mut self, module: &ModuleFile, name: &str, node: &mut Node) {
        if let Data::Table(table) = &mut node.data {
            let known = Known { options: &module.options, removed: &module.removed };
            self.table(known, table, name);
        }
    }

    fn table(&mut self, known: Known<'_>, table: &mut Table, whole: &str) {
        for (old, message) in known.removed {
            if let Some(entry) = table.entries.remove(old) {
                let error = Diagnostic::error(format!("`{whole}` has no `{old}` any more"));
                let error = error.at(entry.key, "").at(message.place.clone(), "removed here");
                self.found.push(error.help(message.value.as_str()));
            }
        }
        for (new, decl) in known.options {
            let Some(old) = &decl.renamed_from else { continue };
            let Some(entry) = table.entries.remove(&old.value) else { continue };
            let old = &old.value;
            if let Some(other) = table.entries.get(new) {
                let error = Diagnostic::error(format!("`{whole}.{new}` is set under two names"));
                let error = error.at(entry.key, "its old name").at(other.key.clone(), "its name");
                self.found.push(error.help(format!("leave out `{old}`")));
            } else {
                let warning = Diagnostic::warning(format!("`{whole}.{old}` is called `{whole}.{new}` now"));
                let warning = warning.at(entry.key.clone(), "").at(decl.place.clone(), "renamed here");
                self.found.push(warning.help(format!("write `{new}`")));
                table.entries.insert(new.clone(), entry);
            }
        }
        for (name, entry) in &mut table.entries {
            if let Some(decl) = known.options.get(name) {
                let whole = format!("{whole}.{name}");
                self.value((&decl.kind, &decl.removed), &mut entry.value, &whole);
            }
        }
    }

    fn value(&mut self, kind: (&Type, &Removed), node: &mut Node, whole: &str) {
        let (kind, removed) = kind;
        match (kind, &mut node.data) {
            (Type::List { item, .. }, Data::List(nodes)) => {
                for node in nodes {
                    self.value((item, removed), node, whole);
                }
            }
            (Type::Table(options), Data::Table(table)) if !is_replacement(table) => {
                self.table(Known { options, removed }, table, whole);
            }
            (Type::Map(item), Data::Table(table)) if !is_replacement(table) => {
                for (key, entry) in &mut table.entries {
                    self.value((item, removed), &mut entry.value, &format!("{whole}.{key}"));
                }
            }
            (_, Data::Table(table)) if is_replacement(table) => {
                table.entries.values_mut().for_each(|entry| {
                    self.value((kind, removed), &mut entry.value, whole);
                });
            }
            _ => {}
        }
    }
}

/// Whether it is `{ replace = … }`.
#[must_use]
pub fn is_replacement(table: &Table) -> bool {
    table.entries.len() == 1 && table.entries.contains_key("replace")
}
