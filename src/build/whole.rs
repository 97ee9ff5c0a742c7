//! What artifacts say together: references name something that is there, nothing is said twice, folders hang together.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::name::ModuleName;
use crate::base::nearest::advice;
use crate::base::path::TargetPath;
use crate::base::report::Diagnostic;

use super::artifact::{Artifact, Part, Reference, ReferenceKind, RenderedWhat, Text, What};
use super::world::World;

/// Checks artifacts together, and drops those that are said twice in the same words.
pub fn check(world: &World, artifacts: Vec<Artifact>, faults: &mut Vec<Diagnostic>) -> Vec<Artifact> {
    references(world, &artifacts, faults);
    let artifacts = once(artifacts, faults);
    folders(&artifacts, faults);
    artifacts
}

/// The function that refers to an artifact, and the name that it takes.
fn referable(what: &What) -> Option<(ReferenceKind, &str)> {
    match what {
        What::File(file) => Some((ReferenceKind::File, file.name.as_str())),
        What::Script { name, .. } => Some((ReferenceKind::Script, name.as_str())),
        What::Unit(unit) if unit.drop_in.is_none() => Some((ReferenceKind::Unit, unit.unit.as_str())),
        What::Venv(venv) => Some((ReferenceKind::Venv, venv.name.as_str())),
        _ => None,
    }
}

fn text(what: &What) -> Option<&Text> {
    match what {
        What::File(file) => Some(&file.text),
        What::Script { text, .. } => Some(text),
        What::Unit(unit) => Some(&unit.text),
        _ => None,
    }
}

const fn function(kind: ReferenceKind) -> &'static str {
    match kind {
        ReferenceKind::Script => "script",
        ReferenceKind::Venv => "venv",
        ReferenceKind::File => "file",
        ReferenceKind::Unit => "unit",
    }
}

fn references(world: &World, artifacts: &[Artifact], faults: &mut Vec<Diagnostic>) {
    let mut known: BTreeMap<(ReferenceKind, &ModuleName), BTreeSet<&str>> = BTreeMap::new();
    for artifact in artifacts {
        if let Some((kind, name)) = referable(&artifact.what) {
            known.entry((kind, &artifact.module)).or_default().insert(name);
        }
    }
    for artifact in artifacts {
        let Some(Text::Template { pieces, .. }) = text(&artifact.what) else { continue };
        for piece in pieces {
            let RenderedWhat::Hole(parts) = &piece.what else { continue };
            for part in parts {
                let Part::Reference(reference) = part else { continue };
                let names = known.get(&(reference.kind, &reference.module)).cloned().unwrap_or_default();
                if let Some((message, help)) = dangling(world, &artifact.module, reference, &names) {
                    let fault = Diagnostic::error(message).at(piece.place.clone(), "").help(help);
                    if !faults.contains(&fault) {
                        faults.push(fault);
                    }
                }
            }
        }
    }
}

/// Why a reference leads nowhere.
fn dangling(
    world: &World,
    own: &ModuleName,
    reference: &Reference,
    names: &BTreeSet<&str>,
) -> Option<(String, String)> {
    let (module, name, what) = (&reference.module, &reference.name, function(reference.kind));
    let seen = world.modules.get(own).is_some_and(|file| {
        module == own || file.requires.iter().chain(&file.uses).any(|named| named.value == *module)
    });
    if !seen {
        let help = format!("name `{module}` in `requires` or `uses` of `{own}`");
        return Some((format!("`{own}` knows no module `{module}`"), help));
    }
    if !world.modules.contains_key(module) {
        return Some((format!("module `{module}` is off"), format!("ask `{module}.on` first")));
    }
    if names.contains(name.as_str()) {
        return None;
    }
    let place = world.modules.get(module).and_then(|file| {
        file.artifacts.iter().find(|artifact| {
            let written = artifact.keys.get("name").map(|node| &node.data);
            matches!(written, Some(super::config::tree::Data::Str(text)) if text == name)
        })
    });
    let help = match place {
        Some(_) => {
            format!("its `when` or `for_each` leaves `{name}` out here: ask the same before naming it")
        }
        None => advice(name, names.iter().copied()),
    };
    Some((format!("module `{module}` has no {what} `{name}`"), help))
}

/// What an artifact must not share with another, with what else it says; none where that is for the seal to judge.
fn identity(artifact: &Artifact) -> Option<(String, String)> {
    let module = &artifact.module;
    Some(match &artifact.what {
        What::User(user) => (format!("the user `{}`", user.name), format!("{user:?}")),
        What::Group { name } => (format!("the group `{name}`"), String::new()),
        What::Package { name } => (format!("the package `{name}`"), String::new()),
        What::Directory { path, mode, owner, group } => {
            (format!("the folder `{path}`"), format!("{mode:o} {owner} {group}"))
        }
        What::Check(check) => (format!("the check `{}` of `{module}`", check.name), format!("{check:?}")),
        What::Venv(venv) => (format!("the venv `{}` of `{module}`", venv.name), format!("{venv:?}")),
        What::Script { name, .. } => {
            (format!("the script `{name}` of `{module}`"), format!("{:?}", artifact.what))
        }
        What::File(file) if file.path.is_none() => {
            (format!("the file `{}` of `{module}`", file.name), format!("{:?}", artifact.what))
        }
        What::File(_) | What::Unit(_) => return None,
    })
}

fn once(artifacts: Vec<Artifact>, faults: &mut Vec<Diagnostic>) -> Vec<Artifact> {
    let mut seen: BTreeMap<String, (String, usize)> = BTreeMap::new();
    let mut kept: Vec<Artifact> = Vec::new();
    for artifact in artifacts {
        if let Some((name, rest)) = identity(&artifact) {
            if let Some((other, index)) = seen.get(&name) {
                if *other != rest {
                    let other = kept.get(*index).map(|other| other.place.clone());
                    let fault = Diagnostic::error(format!("{name} comes from two places that differ"))
                        .at(artifact.place.clone(), "this")
                        .help("keep one of them");
                    faults.push(match other {
                        Some(place) => fault.at(place, "and this"),
                        None => fault,
                    });
                }
                continue;
            }
            seen.insert(name, (rest, kept.len()));
        }
        kept.push(artifact);
    }
    kept
}

/// systemd-tmpfiles refuses to go through a folder of a user into one that it makes: each level needs its own entry.
fn folders(artifacts: &[Artifact], faults: &mut Vec<Diagnostic>) {
    let mut paths: BTreeMap<&TargetPath, &Artifact> = BTreeMap::new();
    for artifact in artifacts {
        if let What::Directory { path, .. } = &artifact.what {
            paths.insert(path, artifact);
        }
    }
    for (path, artifact) in &paths {
        let above = paths.keys().filter(|other| *other != path && path.is_below(other.as_str()));
        let Some(nearest) = above.max_by_key(|other| other.as_str().len()) else { continue };
        if path.parent() != nearest.as_str() {
            let message =
                format!("nobody makes `{}`, which lies between `{nearest}` and `{path}`", path.parent());
            faults.push(
                Diagnostic::error(message)
                    .at(artifact.place.clone(), "")
                    .help("add a `[[directory]]` for each level below a folder that is not root's"),
            );
        }
    }
}
