//! The lines of arrows: straight through columns, where `dagre` keeps the way free, and curved between them.

use std::fmt::Write as _;

use super::place::{Pair, Places, Wire};

/// Between the ends of two arrows at one side of a box, at most; and from there to its corners, at least.
const ENDS: f64 = 12.0;
pub(super) const CORNER: f64 = 8.0;

/// A box: its middle and its size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) at: Pair,
    pub(super) size: Pair,
}

/// Which sides of two boxes an arrow connects: -1 is left, 1 is right.
fn sides(wire: &Wire, way: &[Pair], areas: &[Area]) -> (f64, f64) {
    let (from, to) = (areas[wire.from].at, areas[wire.to].at);
    let first = way.first().copied().unwrap_or(to);
    let last = way.last().copied().unwrap_or(from);
    ((first.x - from.x).signum(), (last.x - to.x).signum())
}

/// The lines of all arrows, as SVG's `d`.
pub(super) fn paths(wires: &[Wire], areas: &[Area], places: &Places) -> Vec<String> {
    let ends = ends(wires, areas, places);
    let path = |((wire, way), (start, end)): ((&Wire, &Vec<Pair>), &(f64, f64))| {
        if wire.from == wire.to {
            own(&areas[wire.from], way)
        } else {
            path(wire, way, (*start, *end), (areas, places))
        }
    };
    wires.iter().zip(&places.ways).zip(&ends).map(path).collect()
}

/// How high each arrow starts and ends: those at one side of a box side by side, in the order of where they lead.
fn ends(wires: &[Wire], areas: &[Area], places: &Places) -> Vec<(f64, f64)> {
    let mut ends: Vec<(f64, f64)> =
        wires.iter().map(|wire| (areas[wire.from].at.y, areas[wire.to].at.y)).collect();
    for (node, area) in areas.iter().enumerate() {
        for side in [-1.0, 1.0] {
            // Where it leads, its number, and whether it starts here.
            let mut here: Vec<(f64, usize, bool)> = Vec::new();
            for (index, (wire, way)) in wires.iter().zip(&places.ways).enumerate() {
                let (start, end) = sides(wire, way, areas);
                if wire.from == wire.to {
                    continue;
                }
                if wire.from == node && (start - side).abs() < 0.5 {
                    here.push((way.first().map_or(areas[wire.to].at.y, |way| way.y), index, true));
                }
                if wire.to == node && (end - side).abs() < 0.5 {
                    here.push((way.last().map_or(areas[wire.from].at.y, |way| way.y), index, false));
                }
            }
            here.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
            let mut gaps = 0.0;
            here.iter().skip(1).for_each(|_| gaps += 1.0);
            let step = if gaps > 0.0 { ((area.size.y - 2.0 * CORNER) / gaps).clamp(0.0, ENDS) } else { 0.0 };
            let mut y = area.at.y - step * gaps / 2.0;
            for (_, index, starts) in here {
                if starts {
                    ends[index].0 = y;
                } else {
                    ends[index].1 = y;
                }
                y += step;
            }
        }
    }
    ends
}

fn path(wire: &Wire, way: &[Pair], (start, end): (f64, f64), (areas, places): (&[Area], &Places)) -> String {
    let (from, to) = (&areas[wire.from], &areas[wire.to]);
    let (leaves, comes) = sides(wire, way, areas);
    let mut line =
        Line { d: String::new(), at: Pair { x: from.at.x + leaves * from.size.x / 2.0, y: start } };
    let _ = write!(line.d, "M{:.1} {:.1}", line.at.x, line.at.y);
    line.straight(from.at.x + leaves * places.half(from.at.x));
    for point in way {
        let direction = (point.x - line.at.x).signum();
        let half = places.half(point.x);
        line.curve(Pair { x: point.x - direction * half, y: point.y });
        line.straight(point.x + direction * half);
    }
    line.curve(Pair { x: to.at.x + comes * places.half(to.at.x), y: end });
    line.straight(to.at.x + comes * to.size.x / 2.0);
    line.d
}

/// An arrow from a box to itself: a bow where a place beside it was kept free.
fn own(area: &Area, way: &[Pair]) -> String {
    let Pair { x, y } = area.at;
    let bottom = y + area.size.y / 2.0;
    let low = way.iter().map(|point| point.y).fold(bottom, f64::max).min(bottom + 24.0).max(bottom + 12.0);
    format!(
        "M{:.1} {bottom:.1}C{:.1} {low:.1} {:.1} {low:.1} {:.1} {bottom:.1}",
        x - 14.0,
        x - 14.0,
        x + 14.0,
        x + 14.0
    )
}

struct Line {
    d: String,
    at: Pair,
}

impl Line {
    fn straight(&mut self, x: f64) {
        if (x - self.at.x).abs() >= 0.05 {
            let _ = write!(self.d, "H{x:.1}");
        }
        self.at.x = x;
    }

    fn curve(&mut self, to: Pair) {
        let middle = f64::midpoint(self.at.x, to.x);
        let _ =
            write!(self.d, "C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}", self.at.y, to.y, to.x, to.y);
        self.at = to;
    }
}
