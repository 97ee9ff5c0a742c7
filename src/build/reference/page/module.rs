//! The page of a module: what it is for, its options, what it puts on a host, what must hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::base::name::ModuleName;
use crate::build::config::artifact::ArtifactDecl;
use crate::build::config::module::{Guard, ModuleFile};
use crate::build::config::tree::{Data, Node, Placed};
use crate::build::reference::entry::{Entry, of_module};
use crate::build::reference::library::Library;
use crate::build::reference::markdown::{anchor, code, table, words};
use crate::build::reference::words::{Unset, described, toml, unset};

/// The text below the first heading.
pub(super) fn text(module: &ModuleFile, modules: &Library) -> String {
    let mut text = format!("{}\n\n", words(&module.description));
    text.push_str(&relations(module, modules));
    let options = of_module(module);
    if !options.is_empty() {
        text.push_str("## Options\n\n");
        let rows = options.iter().map(|entry| option(entry, modules));
        text.push_str(&table(["Option", "Type", "Default", "Description"], rows));
    }
    for (name, message) in &module.removed {
        let _ = writeln!(text, "- There is no {} any more: {}", code(name), words(&message.value));
    }
    if !module.sets.is_empty() {
        text.push_str("## What it sets\n\n");
        text.push_str(&table(["Option", "Value", "When, how often"], sets(module)));
    }
    if !module.rules.is_empty() {
        text.push_str("## What must hold\n\n");
        for rule in &module.rules {
            let (what, code_) = match &rule.that {
                Some(that) if !rule.warning => ("must hold", code(&that.value)),
                Some(that) => ("should hold", code(&that.value)),
                None => ("is worth a warning", String::new()),
            };
            let when = condition(&rule.guard);
            let when = if when.is_empty() { when } else { format!(", {when}") };
            let _ = writeln!(text, "- {}  \n  {code_} {what}{}", words(&raw(&rule.message)), when);
        }
        text.push('\n');
    }
    if !module.artifacts.is_empty() {
        text.push_str("## What it puts on a host\n\n");
        text.push_str(&table(
            ["What", "Name or path", "With", "When, how often"],
            module.artifacts.iter().map(artifact),
        ));
    }
    if !module.facts.is_empty() {
        text.push_str("## What it says about its services\n\n");
        let rows = module.facts.iter().map(|fact| {
            let keys = fact.keys.iter().map(|(key, node)| (*key, node));
            [fact.kind.name().to_owned(), pairs(keys), condition(&fact.guard)]
        });
        text.push_str(&table(["What", "With", "When, how often"], rows));
    }
    text
}

/// The modules that one names, each where it does.
type Names = Vec<Placed<ModuleName>>;

fn relations(module: &ModuleFile, modules: &Library) -> String {
    let link = |name: &str| {
        if modules.contains_key(name) { format!("[{}]({name}.md)", code(name)) } else { code(name) }
    };
    let links =
        |names: Vec<&ModuleName>| names.into_iter().map(|name| link(name.as_str())).collect::<Vec<_>>();
    let named = |names: &Names| links(names.iter().map(|named| &named.value).collect());
    let needing = |of: fn(&ModuleFile) -> &Names| {
        let needs = |other: &ModuleFile| of(other).iter().any(|named| named.value == module.name);
        links(modules.values().filter(|other| needs(other)).map(|other| &other.name).collect())
    };
    let several = module
        .instances
        .then(|| format!("a host can have several, as {}", code(&format!("{}:backup", module.name))));
    let facts = [
        ("Requires, and brings along", named(&module.requires)),
        ("Uses, where they are on", named(&module.uses)),
        ("Required by", needing(|module| &module.requires)),
        ("Used by", needing(|module| &module.uses)),
        ("Instances", several.into_iter().collect()),
    ];
    let mut text = String::new();
    for (what, names) in facts {
        if !names.is_empty() {
            let _ = writeln!(text, "- {what}: {}", names.join(", "));
        }
    }
    text.push('\n');
    text
}

fn option(entry: &Entry<'_>, modules: &Library) -> [String; 4] {
    let decl = entry.decl;
    let name = entry.name();
    let default = match (unset(decl), &decl.default) {
        (_, Some(node)) => code(&toml(node)),
        (Unset::None, _) => "optional".to_owned(),
        (Unset::Refused, _) => "**must be set**".to_owned(),
        (Unset::Parts | Unset::Default, _) => String::new(),
    };
    let mut description = words(&decl.description);
    if let Some(node) = &decl.example {
        let _ = write!(description, " Example: {}", code(&toml(node)));
    }
    if let Some(old) = &decl.renamed_from {
        let _ = write!(description, " *Once called {}.*", code(&old.value));
    }
    if entry.internal {
        description.push_str(" *Internal: modules set it, hosts cannot.*");
    }
    let mut setters: Vec<&str> =
        entry.setters(modules).iter().map(|(setter, _)| setter.name.as_str()).collect();
    setters.dedup();
    if !setters.is_empty() {
        let setters: Vec<String> = setters.into_iter().map(code).collect();
        let _ = write!(description, " *Set by {}.*", setters.join(", "));
    }
    [format!("{}{}", anchor(&entry.id()), code(&name)), words(&described(&decl.kind)), default, description]
}

/// A string as it is written, anything else as TOML.
fn raw(node: &Node) -> String {
    match &node.data {
        Data::Str(text) => text.clone(),
        _ => toml(node),
    }
}

fn condition(guard: &Guard) -> String {
    let each = guard.for_each.as_ref().map(|each| format!("for each of {}", code(&each.value)));
    let when = guard.when.as_ref().map(|when| format!("when {}", code(&when.value)));
    each.into_iter().chain(when).collect::<Vec<_>>().join(", ")
}

fn sets(module: &ModuleFile) -> Vec<[String; 3]> {
    let mut rows = Vec::new();
    for set in &module.sets {
        for (target, entry) in &set.targets.entries {
            let Data::Table(options) = &entry.value.data else { continue };
            for (option, entry) in &options.entries {
                let name = format!("{target}.{option}");
                rows.push([code(&name), code(&toml(&entry.value)), condition(&set.guard)]);
            }
        }
    }
    rows
}

fn artifact(artifact: &ArtifactDecl) -> [String; 4] {
    let mut keys: BTreeMap<&str, &Node> = artifact.keys.iter().map(|(key, node)| (*key, node)).collect();
    let name = keys.remove("path").or_else(|| keys.remove("name")).map(|node| code(&raw(node)));
    let mut with = pairs(keys.into_iter());
    if let Some(body) = &artifact.body {
        let from = if body.grammar.is_some() { "template" } else { "source" };
        let comma = if with.is_empty() { "" } else { ", " };
        let _ = write!(with, "{comma}{from} {}", code(&body.file.value));
    }
    [artifact.kind.name().to_owned(), name.unwrap_or_default(), with, condition(&artifact.guard)]
}

fn pairs<'a>(keys: impl Iterator<Item = (&'a str, &'a Node)>) -> String {
    keys.map(|(key, node)| format!("{key} {}", code(&raw(node)))).collect::<Vec<_>>().join(", ")
}
