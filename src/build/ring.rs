//! Putting things in order, dependencies first, or showing why there is none: rings.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

/// A ring: each member, and what its edge to the next (after the last: the first) says.
pub type Ring<E> = Vec<(usize, E)>;

/// That one depends on another, and why.
pub type Edge<E> = (usize, usize, E);

/// Orders `0..count`, each behind all that it depends on; of those that could come next the smallest.
///
/// # Errors
/// Where there are rings: one for each knot, shortest through its smallest member.
pub fn order<E: Clone>(count: usize, edges: &[Edge<E>]) -> Result<Vec<usize>, Vec<Ring<E>>> {
    let mut waits = vec![BTreeSet::new(); count];
    let mut frees = vec![BTreeSet::new(); count];
    for (from, to, _) in edges {
        waits[*from].insert(*to);
        frees[*to].insert(*from);
    }
    let mut ready: BTreeSet<usize> = (0..count).filter(|node| waits[*node].is_empty()).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for freed in &frees[node] {
            waits[*freed].remove(&node);
            if waits[*freed].is_empty() {
                ready.insert(*freed);
            }
        }
    }
    if order.len() == count { Ok(order) } else { Err(rings(count, edges)) }
}

fn rings<E: Clone>(count: usize, edges: &[Edge<E>]) -> Vec<Ring<E>> {
    let mut graph: DiGraph<(), ()> = DiGraph::new();
    let nodes: Vec<_> = (0..count).map(|_| graph.add_node(())).collect();
    // Of several edges between two the first is shown.
    let mut labels: BTreeMap<usize, BTreeMap<usize, E>> = BTreeMap::new();
    for (from, to, label) in edges {
        graph.add_edge(nodes[*from], nodes[*to], ());
        labels.entry(*from).or_default().entry(*to).or_insert_with(|| label.clone());
    }
    let mut knots: Vec<BTreeSet<usize>> =
        tarjan_scc(&graph).into_iter().map(|knot| knot.into_iter().map(NodeIndex::index).collect()).collect();
    knots.sort();
    knots.iter().filter_map(|knot| shortest(knot, &labels)).collect()
}

/// The shortest way from the smallest member of a knot back to itself.
fn shortest<E: Clone>(
    knot: &BTreeSet<usize>,
    labels: &BTreeMap<usize, BTreeMap<usize, E>>,
) -> Option<Ring<E>> {
    let start = *knot.first()?;
    let mut came: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for to in labels.get(&node).into_iter().flat_map(BTreeMap::keys) {
            if *to == start {
                let mut way = vec![node];
                while let Some(before) = way.last().filter(|at| **at != start).and_then(|at| came.get(at)) {
                    way.push(*before);
                }
                way.reverse();
                let next = way.iter().skip(1).chain([&start]);
                return Some(
                    way.iter().zip(next).map(|(node, next)| (*node, labels[node][next].clone())).collect(),
                );
            }
            if knot.contains(to) && !came.contains_key(to) {
                came.insert(*to, node);
                queue.push_back(*to);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_come_first_and_ties_by_number() {
        assert_eq!(order(4, &[(0, 3, ()), (1, 3, ()), (3, 2, ())]), Ok(vec![2, 3, 0, 1]));
    }

    #[test]
    fn each_knot_shows_one_ring() {
        let edges = [(0, 1, 'a'), (1, 2, 'b'), (2, 0, 'c'), (1, 0, 'd'), (3, 3, 'e'), (3, 0, 'f')];
        assert_eq!(order(4, &edges), Err(vec![vec![(0, 'a'), (1, 'd')], vec![(3, 'e')]]));
    }
}
