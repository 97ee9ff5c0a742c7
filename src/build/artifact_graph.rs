//! The graph of artifacts: who refers to whom, and the order in which they can be sealed.

use std::collections::BTreeMap;

use crate::base::name::InstanceName;
use crate::base::report::{Diagnostic, Place};
use crate::build::artifact::{
    Artifact, FileArtifact, Part, Reference, ReferenceKind, RenderedWhat, Text, What,
};
use crate::build::graph::ring_error;
use crate::build::ring::{self, Edge, Ring};

/// What a reference names: its kind, module and name.
pub type Key = (ReferenceKind, InstanceName, String);

impl Reference {
    /// What it names.
    #[must_use]
    pub fn key(&self) -> Key {
        (self.kind, self.module.clone(), self.name.clone())
    }
}

impl Artifact {
    /// What references to it say; `None` for what cannot be referred to.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        let (kind, name) = match &self.what {
            What::File(file) => (ReferenceKind::File, file.name.to_string()),
            What::Script { name, .. } => (ReferenceKind::Script, name.to_string()),
            What::Venv(venv) => (ReferenceKind::Venv, venv.name.to_string()),
            What::Unit(unit) if unit.drop_in.is_none() => (ReferenceKind::Unit, unit.unit.to_string()),
            _ => return None,
        };
        Some((kind, self.module.clone(), name))
    }

    /// Its text, where it has one.
    #[must_use]
    pub const fn text(&self) -> Option<&Text> {
        match &self.what {
            What::File(file) => Some(&file.text),
            What::Script { text, .. } => Some(text),
            What::Unit(unit) => Some(&unit.text),
            _ => None,
        }
    }

    /// The references in its text, each with its place.
    #[must_use]
    pub fn references(&self) -> Vec<(&Reference, &Place)> {
        let Some(Text::Template { pieces, .. }) = self.text() else {
            return Vec::new();
        };
        let holes = pieces.iter().filter_map(|piece| match &piece.what {
            RenderedWhat::Hole(parts) => Some((parts, &piece.place)),
            RenderedWhat::Text(_) | RenderedWhat::Safe(_) => None,
        });
        holes
            .flat_map(|(parts, place)| parts.iter().map(move |part| (part, place)))
            .filter_map(|(part, place)| match part {
                Part::Reference(reference) => Some((reference, place)),
                Part::Value(_) | Part::File(_) | Part::Credential(_) => None,
            })
            .collect()
    }
}

/// The function that makes a reference of a kind, as templates call it.
#[must_use]
pub const fn function(kind: ReferenceKind) -> &'static str {
    match kind {
        ReferenceKind::Script => "script",
        ReferenceKind::Venv => "venv",
        ReferenceKind::File => "file",
        ReferenceKind::Unit => "unit",
    }
}

/// The indices of all artifacts, each behind those that it refers to, otherwise as they come.
///
/// # Errors
/// All names that are there twice or not at all, or the rings of references.
pub fn order(artifacts: &[Artifact]) -> Result<Vec<usize>, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut known: BTreeMap<Key, usize> = BTreeMap::new();
    for (index, artifact) in artifacts.iter().enumerate() {
        if let Some(key) = artifact.key() {
            match known.get(&key) {
                Some(first) if !may_repeat(&artifacts[*first], artifact) => {
                    errors.push(twice(&key, &artifacts[*first], artifact));
                }
                Some(_) => {}
                None => {
                    known.insert(key, index);
                }
            }
        }
    }
    let mut edges: Vec<Edge<Place>> = Vec::new();
    for (index, artifact) in artifacts.iter().enumerate() {
        for (reference, place) in artifact.references() {
            let key = reference.key();
            match known.get(&key) {
                // A unit's name is known before its text.
                Some(_) if reference.kind == ReferenceKind::Unit => {}
                Some(to) => edges.push((index, *to, place.clone())),
                None => errors.push(unknown(&key, (&artifact.module, place), &known)),
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    ring::order(artifacts.len(), &edges)
        .map_err(|rings| rings.iter().map(|ring| shown(ring, artifacts)).collect())
}

/// Whether both say that they may give the same path the same bytes.
const fn may_repeat(one: &Artifact, other: &Artifact) -> bool {
    match (&one.what, &other.what) {
        (What::File(one), What::File(other)) => one.same && other.same,
        (What::Unit(one), What::Unit(other)) => one.same && other.same,
        _ => false,
    }
}

fn twice(key: &Key, first: &Artifact, second: &Artifact) -> Diagnostic {
    let called = format!("{} `{}` of module `{}`", function(key.0), key.2, key.1);
    let (what, help) = match (&first.what, &second.what) {
        // Another name would not help those.
        (What::File(one), What::File(FileArtifact { path: Some(path), .. }))
            if one.path.as_ref() == Some(path) =>
        {
            (format!("`{path}`"), "a path has one owner: give one of them another path, or leave one out")
        }
        (What::Unit(_), _) => (called, "to change a unit, write a drop-in: `NAME.service.d/x.conf`"),
        _ => (called, "give one of them another `name`"),
    };
    let message = format!("two artifacts for {what}");
    second.against(first, Diagnostic::error(message), ["the second", "the first"], help)
}

fn unknown(key: &Key, (own, place): (&InstanceName, &Place), known: &BTreeMap<Key, usize>) -> Diagnostic {
    let what = function(key.0);
    let same = |other: &&Key| other.0 == key.0 && other.1 == key.1;
    let names: Vec<String> = known.keys().filter(same).map(|other| format!("`{}`", other.2)).collect();
    let help = if names.is_empty() {
        format!("module `{}` has no {what} on this host", key.1)
    } else {
        format!("module `{}` has on this host: {}", key.1, names.join(", "))
    };
    Diagnostic::error(format!("there is no {what} `{}` in module `{}`", key.2, key.1))
        .of(own)
        .at(place.clone(), "referred to here")
        .help(help)
}

fn shown(ring: &Ring<Place>, artifacts: &[Artifact]) -> Diagnostic {
    let name = |index: &usize| artifacts[*index].key().map_or_else(String::new, |key| key.2);
    let names: Vec<String> = ring.iter().map(|(index, _)| name(index)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    ring_error("artifacts refer to each other in a ring", &names, ring.iter().map(|(_, place)| place))
        .help("a path is known only when its file is whole: pass one of them the other as an argument")
}

#[cfg(test)]
mod tests;
