//! The graph of settings and artifacts: what leads to something, and what it leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::{Direction, visit::EdgeRef as _};

use crate::store::provenance::Provenance;
use crate::store::provenance::ask::{Asked, NoAnswer};

/// A setting or an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Setting(usize),
    Artifact(usize),
}

/// A tree of what leads to something, or of what it leads to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Branch {
    /// A setting with its value, or an artifact.
    pub name: String,
    /// The lines of the artifact that are meant, where not all are: as `10, 12-14`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lines: String,
    /// What is behind it; what is shown elsewhere is not shown again.
    pub next: Vec<Branch>,
}

/// What depends on what, from one or several things on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Dependencies {
    /// What leads to it.
    pub of: Vec<Branch>,
    /// What it leads to: what changes with it.
    pub to: Vec<Branch>,
}

/// What leads to what a question names, and what that leads to.
///
/// # Errors
/// Where it names nothing, or several.
pub fn depends(provenance: &Provenance, question: &str) -> Result<Dependencies, NoAnswer> {
    let roots: Vec<Node> = match provenance.find(question)? {
        Asked::Line(index, _) | Asked::Artifact(index) => vec![Node::Artifact(index)],
        Asked::Settings(range) => range.map(Node::Setting).collect(),
    };
    let graph = Graph::new(provenance);
    let tree = |direction| {
        let mut seen: BTreeSet<Node> = roots.iter().copied().collect();
        roots.iter().map(|root| graph.branch(*root, direction, &mut seen, 0)).collect()
    };
    Ok(Dependencies { of: tree(Direction::Incoming), to: tree(Direction::Outgoing) })
}

/// The deepest branch that is followed.
const MAX_DEPTH: usize = 64;

struct Graph<'a> {
    provenance: &'a Provenance,
    /// An edge leads from what is used to who uses it; it says in which line, if in one.
    edges: DiGraph<Node, Option<u64>>,
    nodes: BTreeMap<Node, NodeIndex>,
}

impl<'a> Graph<'a> {
    fn new(provenance: &'a Provenance) -> Self {
        let mut graph = Self { provenance, edges: DiGraph::new(), nodes: BTreeMap::new() };
        for (index, setting) in provenance.settings.iter().enumerate() {
            let heard =
                setting.definitions.iter().filter(|one| matches!(one.counts.as_str(), "wins" | "adds"));
            for definition in heard {
                let deciding = definition.conditions.iter().flat_map(|index| graph.decides(*index));
                let all: Vec<usize> = definition.settings.iter().copied().chain(deciding).collect();
                graph.edges(all, Node::Setting(index), None);
            }
        }
        for (index, artifact) in provenance.artifacts.iter().enumerate() {
            let to = Node::Artifact(index);
            for from in &artifact.uses {
                graph.edge(Node::Artifact(*from), to, None);
            }
            let deciding = artifact.conditions.iter().flat_map(|index| graph.decides(*index));
            let all: Vec<usize> = artifact.settings.iter().copied().chain(deciding).collect();
            graph.edges(all, to, None);
            let mut line = 1_u64;
            for run in artifact.lines.0.iter().filter(|_| !artifact.module.is_empty()) {
                if let Some(cause) = provenance.causes.get(run.cause) {
                    let deciding = cause.conditions.iter().flat_map(|index| graph.decides(*index));
                    let all: Vec<usize> = cause.settings.iter().copied().chain(deciding).collect();
                    // A run of one cause is named by its first line.
                    graph.edges(all, to, Some(line));
                }
                line = line.saturating_add(run.count);
            }
        }
        graph.whole_and_parts();
        graph
    }

    fn decides(&self, condition: usize) -> Vec<usize> {
        self.provenance.conditions.get(condition).map(|one| one.settings.clone()).unwrap_or_default()
    }

    /// Who reads a part of a setting reads what is said about the whole.
    fn whole_and_parts(&mut self) {
        let mut wholes: Vec<usize> = Vec::new();
        for (index, setting) in self.provenance.settings.iter().enumerate() {
            let name = &setting.name;
            let holds = |whole: &usize| {
                let rest = name.strip_prefix(&self.provenance.settings[*whole].name);
                rest.is_some_and(|rest| rest.starts_with(['.', '[']))
            };
            while wholes.last().is_some_and(|whole| !holds(whole)) {
                wholes.pop();
            }
            if let Some(whole) = wholes.last().copied() {
                let part = Node::Setting(index);
                if self.nodes.contains_key(&part) {
                    self.edge(part, Node::Setting(whole), None);
                }
            }
            wholes.push(index);
        }
    }

    fn node(&mut self, node: Node) -> NodeIndex {
        let edges = &mut self.edges;
        *self.nodes.entry(node).or_insert_with(|| edges.add_node(node))
    }

    /// Edges from settings.
    fn edges(&mut self, from: Vec<usize>, to: Node, line: Option<u64>) {
        for from in from {
            self.edge(Node::Setting(from), to, line);
        }
    }

    fn edge(&mut self, from: Node, to: Node, line: Option<u64>) {
        let (from, to) = (self.node(from), self.node(to));
        self.edges.add_edge(from, to, line);
    }

    fn name(&self, node: Node) -> String {
        match node {
            Node::Setting(index) => self
                .provenance
                .settings
                .get(index)
                .map_or_else(String::new, |setting| format!("{} = {}", setting.name, setting.value)),
            Node::Artifact(index) => self
                .provenance
                .artifacts
                .get(index)
                .map_or_else(String::new, |artifact| format!("{} {}", artifact.kind, artifact.name)),
        }
    }

    fn branch(&self, node: Node, way: Direction, seen: &mut BTreeSet<Node>, depth: usize) -> Branch {
        let mut next: BTreeMap<Node, BTreeSet<u64>> = BTreeMap::new();
        if let Some(index) = self.nodes.get(&node).filter(|_| depth < MAX_DEPTH) {
            for edge in self.edges.edges_directed(*index, way) {
                let other = if way == Direction::Incoming { edge.source() } else { edge.target() };
                let lines = next.entry(self.edges[other]).or_default();
                lines.extend(edge.weight().filter(|_| way == Direction::Outgoing));
            }
        }
        let fresh: Vec<(Node, BTreeSet<u64>)> =
            next.into_iter().filter(|(node, _)| seen.insert(*node)).collect();
        let branch = |(node, lines): (Node, BTreeSet<u64>)| Branch {
            lines: lines.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
            ..self.branch(node, way, seen, depth + 1)
        };
        Branch { name: self.name(node), lines: String::new(), next: fresh.into_iter().map(branch).collect() }
    }
}

impl Dependencies {
    /// As people read it: paths as indented names.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut out = String::new();
        for (title, branches) in [("depends on", &self.of), ("reaches", &self.to)] {
            for root in branches {
                if !out.is_empty() {
                    out.push('\n');
                }
                let _ = write!(out, "{} {title}", root.name);
                out.push_str(if root.next.is_empty() { " nothing\n" } else { "\n" });
                root.next.iter().for_each(|branch| branch.write(&mut out, 1));
            }
        }
        out
    }
}

impl Branch {
    fn write(&self, out: &mut String, depth: usize) {
        let lines = if self.lines.is_empty() { String::new() } else { format!("  line {}", self.lines) };
        let line = format!("{:indent$}{}{lines}", "", self.name, indent = 2 * depth);
        let cut: String = line.chars().take(79).collect();
        out.push_str(&cut);
        out.push_str(if cut.len() < line.len() { "…\n" } else { "\n" });
        self.next.iter().for_each(|branch| branch.write(out, depth + 1));
    }
}
