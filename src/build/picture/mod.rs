//! Graphs of a configuration as pictures: the modules of a host, its artifacts, the events of a fleet.
//!
//! A [`Picture`] is plain data; [`modules`], [`artifacts`] and [`flow`] make one, [`dot`], [`mermaid`] and [`svg`] write
//! it. The same picture gives the same bytes.

pub mod artifacts;
pub mod dot;
pub mod flow;
pub mod kinds;
mod lines;
pub mod mermaid;
pub mod modules;
mod place;
mod route;
pub mod svg;

use std::collections::BTreeMap;

use crate::base::report::Diagnostic;

use kinds::{Kind, Link};

/// Things, and arrows between them.
#[derive(Debug, Clone)]
pub struct Picture {
    title: String,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    known: BTreeMap<String, usize>,
}

/// A thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What no other node of the picture has.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub label: String,
    /// What else is worth saying; may be empty.
    pub note: String,
}

/// An arrow between two nodes, given by their indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Where it starts.
    pub from: usize,
    /// Where it leads.
    pub to: usize,
    /// What it means.
    pub kind: Link,
    /// What is written on it, a line each.
    pub labels: Vec<String>,
}

/// The languages of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The language of Graphviz.
    Dot,
    /// A flowchart of Mermaid.
    Mermaid,
    /// A drawing.
    Svg,
}

impl Format {
    /// All of them, each by its name.
    pub const ALL: [(&'static str, Self); 3] =
        [("svg", Self::Svg), ("dot", Self::Dot), ("mermaid", Self::Mermaid)];

    /// The language of files whose name ends so.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "svg" => Some(Self::Svg),
            "dot" | "gv" => Some(Self::Dot),
            "mermaid" | "mmd" => Some(Self::Mermaid),
            _ => None,
        }
    }
}

impl Picture {
    /// A picture with nothing on it.
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self { title: clean(title), nodes: Vec::new(), edges: Vec::new(), known: BTreeMap::new() }
    }

    /// What it shows.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// All nodes, in the order in which they were added.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All arrows, in the order in which they were added.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Adds a node, unless one of that id is there, and gives its index.
    pub fn node(&mut self, id: &str, kind: Kind, label: &str, note: &str) -> usize {
        let id = clean(id);
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        self.known.insert(id.clone(), self.nodes.len());
        self.nodes.push(Node { id, kind, label: clean(label), note: clean(note) });
        self.nodes.len() - 1
    }

    /// The index of the node of an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        self.known.get(&clean(id)).copied()
    }

    /// Adds an arrow between two nodes; arrows of one kind between the same two are one, with the labels of all.
    pub fn edge(&mut self, from: usize, to: usize, kind: Link, label: &str) {
        if from >= self.nodes.len() || to >= self.nodes.len() {
            return;
        }
        let same = |edge: &&mut Edge| (edge.from, edge.to, edge.kind) == (from, to, kind);
        let label = clean(label);
        if let Some(edge) = self.edges.iter_mut().find(same) {
            if !label.is_empty() && !edge.labels.contains(&label) {
                edge.labels.push(label);
            }
            return;
        }
        let labels = if label.is_empty() { Vec::new() } else { vec![label] };
        self.edges.push(Edge { from, to, kind, labels });
    }

    /// The picture in a language.
    ///
    /// # Errors
    /// Where it is too large to be laid out here.
    pub fn write(&self, format: Format) -> Result<String, Diagnostic> {
        match format {
            Format::Dot => Ok(dot::write(self)),
            Format::Mermaid => Ok(mermaid::write(self)),
            Format::Svg => svg::write(self),
        }
    }

    /// The kinds of node that it has, in the order of their declaration.
    fn kinds(&self) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| self.nodes.iter().any(|node| node.kind == *kind)).collect()
    }

    /// The kinds of arrow that it has, in the order of their declaration.
    fn links(&self) -> Vec<Link> {
        Link::ALL.into_iter().filter(|kind| self.edges.iter().any(|edge| edge.kind == *kind)).collect()
    }

    /// What an arrow says, as a sentence.
    fn sentence(&self, edge: &Edge) -> String {
        let (from, to) = (&self.nodes[edge.from].label, &self.nodes[edge.to].label);
        let labels = edge.labels.join(", ");
        let colon = if labels.is_empty() { "" } else { ": " };
        format!("{from} {} {to}{colon}{labels}", edge.kind.verb())
    }
}

/// A text without what cannot be seen, ends a line or turns its direction: such characters are shown by their numbers.
fn clean(text: &str) -> String {
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{10ffff}')
    };
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if unseen(c) { clean.extend(c.escape_unicode()) } else { clean.push(c) }
    }
    clean
}

#[cfg(test)]
pub(crate) mod tests;
