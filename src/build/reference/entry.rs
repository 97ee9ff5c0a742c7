//! The options of all modules as one flat list, fields of tables among them: `comet.receive.port`.

use crate::base::nearest::nearest;
use crate::base::report::{Diagnostic, Place};
use crate::build::config::module::ModuleFile;
use crate::build::config::option::OptionDecl;
use crate::build::config::tree::{Data, Node};
use crate::build::types::Type;

use super::library::{Library, unknown};

/// What stands in a name for the keys of a map.
pub const KEY: &str = "<key>";
/// What stands in a name for the entries of a list.
pub const ITEM: &str = "<n>";

/// An option, or a field of one.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The module that declares it.
    pub module: &'a ModuleFile,
    /// Its name in the module, part by part; keys of maps are [`KEY`], entries of lists [`ITEM`].
    pub path: Vec<String>,
    /// Its declaration.
    pub decl: &'a OptionDecl,
    /// Whether it, or an option that it is a field of, can be set by modules only.
    pub internal: bool,
}

impl Entry<'_> {
    /// Its whole name: `users.accounts.<key>.home`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.module.name, self.path.join("."))
    }

    /// What links to it lead to: as its name, but for the brackets, which an address would have to escape.
    #[must_use]
    pub fn id(&self) -> String {
        self.name().replace(['<', '>'], "")
    }

    /// Where modules set it: `[[set]]` of any module, in the order of the modules, as written.
    #[must_use]
    pub fn setters<'m>(&self, modules: &'m Library) -> Vec<(&'m ModuleFile, Place)> {
        let mut found = Vec::new();
        for module in modules.values() {
            for set in &module.sets {
                let target = set.targets.entries.get(self.module.name.as_str());
                let mut places = Vec::new();
                if let Some(entry) = target {
                    set_at(&entry.value, &entry.key, &self.path, &mut places);
                }
                found.extend(places.into_iter().map(|place| (module, place)));
            }
        }
        found
    }
}

/// Where a value sets what is at a path in it.
fn set_at(node: &Node, key: &Place, path: &[String], found: &mut Vec<Place>) {
    let Some((first, rest)) = path.split_first() else { return found.push(key.clone()) };
    match &node.data {
        Data::Table(table) if first == KEY => {
            table.entries.values().for_each(|entry| set_at(&entry.value, &entry.key, rest, found));
        }
        Data::Table(table) => {
            if let Some(entry) = table.entries.get(first) {
                set_at(&entry.value, &entry.key, rest, found);
            }
        }
        Data::List(items) if first == ITEM => {
            for item in items {
                set_at(item, &item.place, rest, found);
            }
        }
        _ => {}
    }
}

/// All options of all modules: by module, then by name, fields behind what they are fields of.
#[must_use]
pub fn entries(modules: &Library) -> Vec<Entry<'_>> {
    modules.values().flat_map(of_module).collect()
}

/// All options of a module: by name, fields behind what they are fields of.
#[must_use]
pub fn of_module(module: &ModuleFile) -> Vec<Entry<'_>> {
    let mut found = Vec::new();
    for (name, decl) in &module.options {
        add(&Entry { module, path: vec![name.clone()], decl, internal: decl.internal }, &mut found);
    }
    found
}

fn add<'a>(entry: &Entry<'a>, found: &mut Vec<Entry<'a>>) {
    found.push(entry.clone());
    let mut path = entry.path.clone();
    let mut kind = &entry.decl.kind;
    loop {
        match kind {
            Type::Map(item) => {
                path.push(KEY.to_owned());
                kind = item;
            }
            Type::List { item, .. } => {
                path.push(ITEM.to_owned());
                kind = item;
            }
            Type::Table(fields) => {
                for (name, decl) in fields {
                    let path = path.iter().chain([name]).cloned().collect();
                    let internal = entry.internal || decl.internal;
                    add(&Entry { module: entry.module, path, decl, internal }, found);
                }
                return;
            }
            Type::Scalar(_) => return,
        }
    }
}

/// What a name stands for.
#[derive(Debug)]
pub enum Named<'a> {
    /// A module, with all of its options.
    Module(&'a ModuleFile),
    /// An option or a field, and behind it its own fields.
    Option(Vec<Entry<'a>>),
}

/// What is called so: `comet`, `comet.receive` or `comet.receive.port`. Keys of maps may be left out or be any name.
///
/// # Errors
/// Where nothing is, with the nearest name.
pub fn named<'a>(modules: &'a Library, name: &str) -> Result<Named<'a>, Diagnostic> {
    let (module, rest) = name.split_once('.').map_or((name, None), |(module, rest)| (module, Some(rest)));
    let known = modules.iter().find(|(known, _)| known.as_str() == module);
    let (_, module) = known.ok_or_else(|| unknown(module, modules))?;
    let Some(rest) = rest else { return Ok(Named::Module(module)) };
    let wanted: Vec<&str> = rest.split('.').collect();
    let all = of_module(module);
    if let Some(at) = all.iter().position(|entry| matches(&entry.path, &wanted)) {
        let path = all[at].path.clone();
        let below = all.into_iter().skip(at).take_while(|entry| entry.path.starts_with(&path));
        return Ok(Named::Option(below.collect()));
    }
    let names: Vec<String> = all.iter().map(|entry| like(&entry.path, &wanted)).collect();
    let error =
        Diagnostic::error(format!("module `{}` has no option `{}`", module.name, rest.escape_debug()));
    Err(error.help(match nearest(rest, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}.{near}`?", module.name),
        None => format!("`voevent-build options {}` lists those that it has", module.name),
    }))
}

/// A name, with the keys that somebody wrote in the places of keys.
fn like(path: &[String], wanted: &[&str]) -> String {
    let parts = path.iter().enumerate().map(|(index, part)| match wanted.get(index) {
        Some(key) if [KEY, ITEM].contains(&part.as_str()) => key,
        _ => part.as_str(),
    });
    parts.collect::<Vec<_>>().join(".")
}

fn matches(path: &[String], wanted: &[&str]) -> bool {
    match (path.split_first(), wanted.split_first()) {
        (None, None) => true,
        (Some((key, rest)), Some((_, others))) if [KEY, ITEM].contains(&key.as_str()) => {
            matches(rest, wanted) || matches(rest, others)
        }
        (Some((name, rest)), Some((other, others))) => name == other && matches(rest, others),
        _ => false,
    }
}
