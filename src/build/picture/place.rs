//! Where nodes, arrows and what is written on them come to lie: columns from left to right, laid out by `dagre`.

use std::collections::BTreeMap;

use dagre::graph::{Graph, GraphOptions};
use dagre::layout::types::LabelPos;
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankDir};

/// Between two boxes of a column, and between two arrows.
const BOXES: f64 = 16.0;
const ARROWS: f64 = 10.0;
/// Between two columns; those of arrows and what is written on them are columns too.
const COLUMNS: f64 = 96.0;

/// A place, or a width and a height, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// An arrow to be laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The size of what is written on it.
    pub(super) label: Option<Pair>,
}

/// What was laid out.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The middle of each node.
    pub(super) nodes: Vec<Pair>,
    /// Of each arrow where it goes through a column of nodes or labels, from its start to its end.
    pub(super) ways: Vec<Vec<Pair>>,
    /// The middle of what is written on it.
    pub(super) labels: Vec<Option<Pair>>,
    /// Half the width of the columns that have one, by their middle.
    columns: BTreeMap<i64, f64>,
}

impl Places {
    /// Half the width of the column around a middle.
    pub(super) fn half(&self, x: f64) -> f64 {
        self.columns.get(&key(x)).copied().unwrap_or_default()
    }

    fn widen(&mut self, x: f64, width: f64) {
        let half = self.columns.entry(key(x)).or_default();
        *half = half.max(width / 2.0);
    }
}

/// A coordinate in tenths of a pixel, which is as exact as a picture gets.
#[expect(clippy::cast_possible_truncation, reason = "a picture has no 2^60 pixels")]
fn key(x: f64) -> i64 {
    (x * 10.0).round() as i64
}

/// Lays nodes of these sizes and the arrows between them out.
pub(super) fn place(nodes: &[Pair], wires: &[Wire]) -> Places {
    let options = GraphOptions { directed: true, multigraph: true, compound: false };
    let mut graph: Graph<NodeLabel, EdgeLabel> = Graph::with_options(options);
    for (index, size) in nodes.iter().enumerate() {
        let node = NodeLabel { width: size.x, height: size.y, ..NodeLabel::default() };
        graph.set_node(index.to_string(), Some(node));
    }
    let names: Vec<[String; 3]> = wires.iter().enumerate().map(|(index, wire)| names(index, wire)).collect();
    for (wire, [from, to, name]) in wires.iter().zip(&names) {
        let size = wire.label.unwrap_or(Pair { x: 0.0, y: 0.0 });
        let edge =
            EdgeLabel { width: size.x, height: size.y, labelpos: LabelPos::Center, ..EdgeLabel::default() };
        graph.set_edge(from, to, Some(edge), Some(name));
    }
    let options = LayoutOptions {
        rankdir: RankDir::LR,
        nodesep: BOXES,
        edgesep: ARROWS,
        ranksep: COLUMNS,
        ..LayoutOptions::default()
    };
    if !nodes.is_empty() {
        dagre::layout(&mut graph, Some(options));
    }
    let mut places = Places::default();
    for (index, size) in nodes.iter().enumerate() {
        let at = graph.node(&index.to_string()).and_then(|node| Some(Pair { x: node.x?, y: node.y? }));
        let at = at.unwrap_or(Pair { x: 0.0, y: 0.0 });
        places.widen(at.x, size.x);
        places.nodes.push(at);
    }
    for (wire, [from, to, name]) in wires.iter().zip(&names) {
        let edge = graph.edge(from, to, Some(name));
        let points = edge.map(|edge| edge.points.as_slice()).unwrap_or_default();
        // The first and the last are on the borders of boxes.
        let inner = points.get(1..points.len().saturating_sub(1)).unwrap_or_default();
        places.ways.push(inner.iter().map(|point| Pair { x: point.x, y: point.y }).collect());
        let label = wire.label.and_then(|size| {
            let at = edge.and_then(|edge| Some(Pair { x: edge.x?, y: edge.y? }))?;
            places.widen(at.x, size.x);
            Some(at)
        });
        places.labels.push(label);
    }
    // Where a column has nothing but arrows, there is nothing to go round.
    let Places { ways, columns, .. } = &mut places;
    for way in ways {
        way.retain(|point| columns.contains_key(&key(point.x)));
    }
    places
}

fn names(index: usize, wire: &Wire) -> [String; 3] {
    [wire.from, wire.to, index].map(|number| number.to_string())
}
