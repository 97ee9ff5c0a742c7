//! The graph of artifacts: who refers to whom, and the order in which they can be sealed.

use std::collections::BTreeMap;

use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::base::name::ModuleName;
use crate::base::report::{Diagnostic, Place};
use crate::build::artifact::{Artifact, Part, Reference, ReferenceKind, RenderedWhat, Text, What};

/// What a reference names: its kind, module and name.
pub type Key = (ReferenceKind, ModuleName, String);

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
    fn references(&self) -> Vec<(&Reference, &Place)> {
        let Some(Text::Template { pieces, .. }) = self.text() else {
            return Vec::new();
        };
        let holes = pieces.iter().filter_map(|piece| match &piece.what {
            RenderedWhat::Hole(parts) => Some((parts, &piece.place)),
            RenderedWhat::Text(_) => None,
        });
        holes
            .flat_map(|(parts, place)| parts.iter().map(move |part| (part, place)))
            .filter_map(|(part, place)| match part {
                Part::Reference(reference) => Some((reference, place)),
                Part::Value(_) => None,
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

/// The indices of all artifacts, each behind those that it refers to.
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
                    errors.push(twice(&key, &artifacts[*first].place, &artifact.place));
                }
                Some(_) => {}
                None => {
                    known.insert(key, index);
                }
            }
        }
    }
    let mut graph = DiGraph::<usize, Place>::new();
    let nodes: Vec<NodeIndex> = (0..artifacts.len()).map(|index| graph.add_node(index)).collect();
    for (index, artifact) in artifacts.iter().enumerate() {
        for (reference, place) in artifact.references() {
            let key = (reference.kind, reference.module.clone(), reference.name.clone());
            match known.get(&key) {
                // A unit's name is known before its text.
                Some(_) if reference.kind == ReferenceKind::Unit => {}
                Some(to) => {
                    graph.add_edge(nodes[*to], nodes[index], place.clone());
                }
                None => errors.push(unknown(&key, place, &known)),
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    match toposort(&graph, None) {
        Ok(order) => Ok(order.into_iter().map(|node| graph[node]).collect()),
        Err(_) => Err(rings(&graph, artifacts)),
    }
}

/// Whether both say that they may give the same path the same bytes.
const fn may_repeat(one: &Artifact, other: &Artifact) -> bool {
    match (&one.what, &other.what) {
        (What::File(one), What::File(other)) => one.same && other.same,
        (What::Unit(one), What::Unit(other)) => one.same && other.same,
        _ => false,
    }
}

fn twice(key: &Key, first: &Place, second: &Place) -> Diagnostic {
    let what = function(key.0);
    Diagnostic::error(format!("module `{}` has two artifacts {what} `{}`", key.1, key.2))
        .at(second.clone(), "the second")
        .at(first.clone(), "the first")
        .help("give one of them another `name`")
}

fn unknown(key: &Key, place: &Place, known: &BTreeMap<Key, usize>) -> Diagnostic {
    let what = function(key.0);
    let same = |other: &&Key| other.0 == key.0 && other.1 == key.1;
    let names: Vec<String> = known.keys().filter(same).map(|other| format!("`{}`", other.2)).collect();
    let help = if names.is_empty() {
        format!("module `{}` has no {what} on this host", key.1)
    } else {
        format!("module `{}` has on this host: {}", key.1, names.join(", "))
    };
    Diagnostic::error(format!("there is no {what} `{}` in module `{}`", key.2, key.1))
        .at(place.clone(), "referred to here")
        .help(help)
}

fn rings(graph: &DiGraph<usize, Place>, artifacts: &[Artifact]) -> Vec<Diagnostic> {
    let is_ring = |nodes: &Vec<NodeIndex>| nodes.len() > 1 || graph.contains_edge(nodes[0], nodes[0]);
    let ring = |mut nodes: Vec<NodeIndex>| {
        nodes.sort();
        let name = |node: &NodeIndex| artifacts[graph[*node]].key().map_or_else(String::new, |key| key.2);
        let names: Vec<String> = nodes.iter().map(|node| format!("`{}`", name(node))).collect();
        let message = format!("artifacts refer to each other in a ring: {}", names.join(" → "));
        nodes
            .iter()
            .flat_map(|node| {
                graph.edges(*node).filter(|edge| nodes.contains(&petgraph::visit::EdgeRef::target(edge)))
            })
            .fold(Diagnostic::error(message), |d, edge| d.at(edge.weight().clone(), "refers to the next"))
            .help("pass one of them the other as an argument instead")
    };
    tarjan_scc(graph).into_iter().filter(is_ring).map(ring).collect()
}
