//! `module.toml` as written: what a module needs, its options, what it sets, demands and emits.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::name::ModuleName;
use crate::base::report::{Diagnostic, Place, Source};

use super::artifact::{ArtifactDecl, artifacts};
use super::fact::{FactDecl, facts};
use super::keys::{Keys, mismatch, table};
use super::option::{OptionDecl, Removed, options};
use super::pattern::Patterns;
use super::tree::{Data, Node, Placed, Table, parse};

/// A module, as written.
#[derive(Debug, Clone)]
pub struct ModuleFile {
    /// Its name: that of its folder.
    pub name: ModuleName,
    /// Its header: `[module]`.
    pub place: Place,
    /// What it is for.
    pub description: String,
    /// Whether a host may have more than one instance of it.
    pub instances: bool,
    /// The modules that come along, and before it.
    pub requires: Vec<Placed<ModuleName>>,
    /// The modules that it knows where they are on.
    pub uses: Vec<Placed<ModuleName>>,
    /// Its options, by name.
    pub options: BTreeMap<String, OptionDecl>,
    /// The options that it had once.
    pub removed: Removed,
    /// What it sets in options, its own or others'.
    pub sets: Vec<SetDecl>,
    /// What must hold, and what is worth a warning.
    pub rules: Vec<RuleDecl>,
    /// What it emits, in the order of the text.
    pub artifacts: Vec<ArtifactDecl>,
    /// What it states about its services, in the order of the text.
    pub facts: Vec<FactDecl>,
}

/// When an entry counts, and how often: bare expressions.
#[derive(Debug, Default, Clone)]
pub struct Guard {
    /// It counts where this holds.
    pub when: Option<Placed<String>>,
    /// It counts for each entry of this list or map.
    pub for_each: Option<Placed<String>>,
}

impl Guard {
    /// Reads `when` and `for_each`.
    pub fn read(keys: &mut Keys<'_>, faults: &mut Vec<Diagnostic>) -> Self {
        Self { when: keys.string("when", faults), for_each: keys.string("for_each", faults) }
    }
}

/// A `[[set]]`.
#[derive(Debug, Clone)]
pub struct SetDecl {
    /// When and how often.
    pub guard: Guard,
    /// What it sets: options by module.
    pub targets: Table,
}

/// An `[[assert]]` or a `[[warn]]`.
#[derive(Debug, Clone)]
pub struct RuleDecl {
    /// Its header.
    pub place: Place,
    /// When and how often.
    pub guard: Guard,
    /// What must hold; a `[[warn]]` has none, and speaks whenever it counts.
    pub that: Option<Placed<String>>,
    /// What is said otherwise: may have expressions in it.
    pub message: Node,
    /// Whether it only warns.
    pub warning: bool,
}

/// Reads the text of a `module.toml`; nothing where that is no TOML.
pub fn read(name: &ModuleName, source: &Arc<Source>, faults: &mut Vec<Diagnostic>) -> Option<ModuleFile> {
    let root = parse(source, faults)?;
    let top = Place { source: Arc::clone(source), span: 0..0 };
    let mut keys = Keys::new(&root, top.clone(), "a module");
    let mut file = ModuleFile {
        name: name.clone(),
        place: top,
        description: String::new(),
        instances: false,
        requires: Vec::new(),
        uses: Vec::new(),
        options: BTreeMap::new(),
        removed: Removed::new(),
        sets: Vec::new(),
        rules: Vec::new(),
        artifacts: Vec::new(),
        facts: Vec::new(),
    };
    match keys.take("module") {
        Some(entry) => {
            file.place = entry.key.clone();
            if let Some(head) = table(&entry.value, faults) {
                let mut keys = Keys::new(head, entry.key.clone(), "`[module]`");
                file.description =
                    keys.required("description", faults).map(|text| text.value).unwrap_or_default();
                file.requires = names(name, keys.strings("requires", faults), faults);
                file.instances = keys.flag("instances", faults);
                file.uses = names(name, keys.strings("uses", faults), faults);
                keys.finish(faults);
            }
        }
        None => faults.push(
            Diagnostic::error(format!("module `{name}` has no `[module]`"))
                .at(Place { source: Arc::clone(source), span: 0..0 }, "")
                .help("begin with `[module]` and a line `description = \"…\"`"),
        ),
    }
    if let Some(entry) = keys.take("options") {
        let table = table(&entry.value, faults);
        if let Some(bind) = table.and_then(|table| table.entries.get("bind")) {
            let error = Diagnostic::error("`bind` is no name for an option").at(bind.key.clone(), "");
            faults.push(error.help("choose another name: hosts say by `bind` which instance a name means"));
        }
        (file.options, file.removed) =
            table.map(|table| options(table, &mut Patterns::default(), faults)).unwrap_or_default();
    }
    file.sets = keys.tables("set", faults).iter().map(|(table, place)| set(table, place, faults)).collect();
    for (table, place) in keys.tables("assert", faults) {
        file.rules.extend(rule(table, place, true, faults));
    }
    for (table, place) in keys.tables("warn", faults) {
        file.rules.extend(rule(table, place, false, faults));
    }
    file.rules.sort_by_key(|rule| rule.place.span.start);
    file.artifacts = artifacts(&mut keys, faults);
    file.facts = facts(&mut keys, faults);
    keys.finish(faults);
    Some(file)
}

fn names(
    own: &ModuleName,
    names: Vec<Placed<String>>,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Placed<ModuleName>> {
    let mut good: Vec<Placed<ModuleName>> = Vec::new();
    for name in names {
        match ModuleName::new(name.value) {
            Ok(value) if value == *own => {
                let message = format!("`{own}` names itself");
                faults.push(Diagnostic::error(message).at(name.place, "").help("leave it out"));
            }
            Ok(value) => good.push(Placed { value, place: name.place }),
            Err(error) => faults.push(
                Diagnostic::error(error.to_string()).at(name.place, "").help("name a folder of `modules/`"),
            ),
        }
    }
    good
}

fn set(table: &Table, place: &Place, faults: &mut Vec<Diagnostic>) -> SetDecl {
    let mut keys = Keys::new(table, place.clone(), "a `[[set]]`");
    let guard = Guard::read(&mut keys, faults);
    let mut targets = table.clone();
    targets.entries.retain(|key, _| key != "when" && key != "for_each");
    for entry in targets.entries.values() {
        if !matches!(entry.value.data, Data::Table(_)) {
            faults.push(mismatch(&entry.value, "a table of options").help("write `[set.module.option]`"));
        }
    }
    targets.entries.retain(|_, entry| matches!(entry.value.data, Data::Table(_)));
    SetDecl { guard, targets }
}

fn rule(table: &Table, place: Place, assert: bool, faults: &mut Vec<Diagnostic>) -> Option<RuleDecl> {
    let what = if assert { "an `[[assert]]`" } else { "a `[[warn]]`" };
    let mut keys = Keys::new(table, place.clone(), what);
    let guard = Guard::read(&mut keys, faults);
    let that = if assert { keys.required("that", faults) } else { None };
    let level = if assert { keys.string("level", faults) } else { None };
    let message = keys.required("message", faults);
    keys.finish(faults);
    let warning = match level.as_ref().map(|level| level.value.as_str()) {
        None | Some("error") => !assert,
        Some("warning") => true,
        Some(_) => {
            let level = level?;
            let error = Diagnostic::error(format!("there is no level `{}`", level.value.escape_debug()));
            faults.push(error.at(level.place, "").help("write `error` or `warning`"));
            return None;
        }
    };
    let message = message?;
    if assert && that.is_none() {
        return None;
    }
    let message = Node { place: message.place, data: Data::Str(message.value) };
    Some(RuleDecl { place, guard, that, message, warning })
}
