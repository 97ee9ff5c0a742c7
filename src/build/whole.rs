//! What artifacts say together: references name something that is there, nothing is said twice, folders hang together.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::layout;
use crate::base::name::InstanceName;
use crate::base::nearest::advice;
use crate::base::report::Diagnostic;

use super::artifact::{Artifact, Part, Reference, ReferenceKind, RenderedPiece, RenderedWhat, Text, What};
use super::artifact_graph::function;
use super::folders;
use super::world::World;

/// Checks artifacts together, and drops those that are said twice in the same words.
pub fn check(world: &World, artifacts: Vec<Artifact>, faults: &mut Vec<Diagnostic>) -> Vec<Artifact> {
    references(world, &artifacts, faults);
    let artifacts = once(artifacts, faults);
    folders::check(&artifacts, faults);
    checks(&artifacts, faults);
    artifacts
}

/// Where a module has no artifact of a kind.
static NONE: BTreeSet<String> = BTreeSet::new();

fn references(world: &World, artifacts: &[Artifact], faults: &mut Vec<Diagnostic>) {
    let mut known: BTreeMap<(ReferenceKind, InstanceName), BTreeSet<String>> = BTreeMap::new();
    for (kind, module, name) in artifacts.iter().filter_map(Artifact::key) {
        known.entry((kind, module)).or_default().insert(name);
    }
    // What many artifacts take from one template is said once.
    let mut said = BTreeSet::new();
    for artifact in artifacts {
        let Some(Text::Template { pieces, .. }) = artifact.text() else { continue };
        for piece in pieces {
            let RenderedWhat::Hole(parts) = &piece.what else { continue };
            for part in parts {
                let Part::Reference(reference) = part else { continue };
                let names = known.get(&(reference.kind, reference.module.clone())).unwrap_or(&NONE);
                let place = (piece.place.source.name.as_str(), piece.place.span.start);
                if let Some((message, help)) = dangling(world, &artifact.module, reference, names)
                    && said.insert((place, &artifact.module, reference.key()))
                {
                    let error = Diagnostic::error(message).at(piece.place.clone(), "");
                    faults.push(error.of(&artifact.module).help(help));
                }
            }
        }
    }
}

/// Why a reference leads nowhere.
fn dangling(
    world: &World,
    own: &InstanceName,
    reference: &Reference,
    names: &BTreeSet<String>,
) -> Option<(String, String)> {
    let (module, name, what) = (&reference.module, &reference.name, function(reference.kind));
    let seen = world.modules.get(own).is_some_and(|own| own.names.values().any(|seen| seen == module));
    let own = own.module();
    if !seen {
        let help = format!("name `{module}` in `requires` or `uses` of `{own}`");
        return Some((format!("`{own}` knows no module `{module}`"), help));
    }
    if !world.modules.contains_key(module) {
        return Some((format!("module `{module}` is off"), format!("ask `{module}.on` first")));
    }
    if names.contains(name) {
        return None;
    }
    let place = world.modules.get(module).and_then(|module| {
        module.file.artifacts.iter().find(|artifact| {
            let written = artifact.keys.get("name").map(|node| &node.data);
            matches!(written, Some(super::config::tree::Data::Str(text)) if text == name)
        })
    });
    let help = match place {
        Some(_) => {
            format!("its `when` or `for_each` leaves `{name}` out here: ask the same before naming it")
        }
        None => advice(name, names.iter().map(String::as_str)),
    };
    Some((format!("module `{module}` has no {what} `{name}`"), help))
}

/// What an artifact must not share with another; none where that is for the seal to judge.
fn identity(artifact: &Artifact) -> Option<String> {
    let module = &artifact.module;
    Some(match &artifact.what {
        What::User(user) => format!("the user `{}`", user.name),
        What::Group { name } => format!("the group `{name}`"),
        What::Package { name } => format!("the package `{name}`"),
        What::Directory { path, .. } => format!("the folder `{path}`"),
        What::Check(check) => format!("the check `{}`", check.name),
        What::Venv(venv) => format!("the venv `{}` of `{module}`", venv.name),
        What::Script { name, .. } => format!("the script `{name}` of `{module}`"),
        What::File(file) if file.path.is_none() => format!("the file `{}` of `{module}`", file.name),
        What::File(_) | What::Link(_) | What::Unit(_) => return None,
    })
}

/// Whether two artifacts of one identity say the same.
fn agree(one: &Artifact, other: &Artifact) -> bool {
    match (&one.what, &other.what) {
        (What::User(one), What::User(other)) => one == other,
        (What::Group { .. }, What::Group { .. }) | (What::Package { .. }, What::Package { .. }) => true,
        (
            What::Directory { mode, owner, group, .. },
            What::Directory { mode: other_mode, owner: other_owner, group: other_group, .. },
        ) => (mode, owner, group) == (other_mode, other_owner, other_group),
        // A script is looked for in the instance.
        (What::Check(check), What::Check(same)) => {
            check == same && (one.module == other.module || !check.runs_script())
        }
        (What::Venv(one), What::Venv(other)) => one == other,
        (What::Script { text: one, .. }, What::Script { text: other, .. }) => agree_text(one, other),
        (What::File(one), What::File(other)) => one.exec == other.exec && agree_text(&one.text, &other.text),
        _ => false,
    }
}

/// Whether two texts have the same words and values in them, wherever those come from.
fn agree_text(one: &Text, other: &Text) -> bool {
    match (one, other) {
        (Text::Source(one), Text::Source(other)) => one == other,
        (Text::Template { grammar, pieces }, Text::Template { grammar: other_grammar, pieces: other }) => {
            let whats =
                |pieces: &[RenderedPiece]| pieces.iter().map(|piece| piece.what.clone()).collect::<Vec<_>>();
            grammar == other_grammar && whats(pieces) == whats(other)
        }
        _ => false,
    }
}

const fn is_sole(artifact: &Artifact) -> bool {
    matches!(artifact.what, What::Directory { sole: true, .. })
}

/// That two make what is for one alone.
fn shared(name: &str, first: &Artifact, second: &Artifact) -> Diagnostic {
    let error = Diagnostic::error(format!("{name} is made twice, and is for one alone"));
    let error = if second.is_twin(first) {
        error.at(second.place.clone(), format!("of `{}` and of `{}`", first.module, second.module))
    } else {
        error.at(second.place.clone(), "this").at(first.place.clone(), "and this")
    };
    error.help("set another path for one of them")
}

fn once(artifacts: Vec<Artifact>, faults: &mut Vec<Diagnostic>) -> Vec<Artifact> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<Artifact> = Vec::new();
    for artifact in artifacts {
        if let Some(name) = identity(&artifact) {
            if let Some(other) = seen.get(&name).and_then(|index| kept.get(*index)) {
                if is_sole(other) || is_sole(&artifact) {
                    faults.push(shared(&name, other, &artifact));
                } else if !agree(other, &artifact) {
                    let named = matches!(artifact.what, What::Check(_) | What::Script { .. } | What::Venv(_));
                    let help = if named { "give one of them another name" } else { "keep one of them" };
                    let differ = if artifact.is_twin(other) {
                        format!("{name} is not the same in two instances")
                    } else {
                        format!("{name} comes from two places that differ")
                    };
                    let error = Diagnostic::error(differ);
                    faults.push(artifact.against(other, error, ["this", "and this"], help));
                }
                continue;
            }
            seen.insert(name, kept.len());
        }
        kept.push(artifact);
    }
    kept
}

/// A check of a unit is about one of the host.
fn checks(artifacts: &[Artifact], faults: &mut Vec<Diagnostic>) {
    let units = artifacts.iter().filter_map(|artifact| match &artifact.what {
        What::Unit(unit) if unit.drop_in.is_none() => Some(unit.unit.as_str()),
        _ => None,
    });
    let units: BTreeSet<&str> = units.chain([layout::TARGET_UNIT]).collect();
    for artifact in artifacts {
        if let What::Check(check) = &artifact.what
            && let Some(unit) = &check.unit
            && !units.contains(unit.as_str())
        {
            let message = format!("check `{}` is about `{unit}`, and no module has this unit", check.name);
            let help = advice(unit.as_str(), units.iter().copied());
            let fault = Diagnostic::error(message).at(artifact.place.clone(), "").of(&artifact.module);
            faults.push(fault.help(help));
        }
    }
}
