//! Pictures as drawings: no script, no font and no file of others; light, with dark text, whatever is around them.

use std::fmt::Write as _;

use crate::base::report::Diagnostic;

use super::kinds::{Link, Stroke};
use super::lines::{columns, wrapped};
use super::place::{Pair, Wire, place};
use super::route::{Area, CORNER, paths};
use super::{Node, Picture};

/// The most nodes and arrows together: laying out more takes long, and nobody could read it.
const MAX_PARTS: usize = 600;
/// Around all.
const MARGIN: f64 = 20.0;
/// The height of the title.
const TITLE: f64 = 34.0;
/// Between the ends of two arrows at a side of a node, at least, if there are no more than so many.
const MIN_GAP: f64 = 7.0;
const MAX_ENDS: usize = 60;
/// The least width: that of the legend.
const MIN_WIDTH: f64 = 560.0;
/// Around the text of a box.
const PADDING: Pair = Pair { x: 12.0, y: 8.0 };

/// A size of text: of the font, of a line, and the most columns of one.
#[derive(Debug, Clone, Copy)]
struct Text {
    font: f64,
    line: f64,
    most: usize,
}

const LABEL: Text = Text { font: 13.0, line: 17.0, most: 34 };
const NOTE: Text = Text { font: 11.0, line: 14.0, most: 40 };
const ON_ARROW: Text = Text { font: 10.0, line: 12.0, most: 32 };

impl Text {
    /// The width of a line: characters of all fixed-width fonts in use are about 0.6 of their height wide.
    #[expect(clippy::cast_precision_loss, reason = "no text has 2^52 columns")]
    fn width(self, line: &str) -> f64 {
        columns(line.trim_end()) as f64 * self.font * 0.602
    }

    #[expect(clippy::cast_precision_loss, reason = "no text has 2^52 lines")]
    fn size(self, lines: &[String]) -> Pair {
        let width = lines.iter().map(|line| self.width(line)).fold(0.0, f64::max);
        Pair { x: width, y: lines.len() as f64 * self.line }
    }

    /// Lines around a middle, the first one's box beginning at `top`. Whatever font is there, each takes the width that
    /// was kept for it.
    fn draw(self, out: &mut String, lines: &[String], (x, top): (f64, f64), more: &str) {
        let _ = write!(out, "<text text-anchor=\"middle\" font-size=\"{}\"{more}>", self.font);
        let mut y = top + self.line * 0.5 + self.font * 0.35;
        for line in lines.iter().map(|line| line.trim_end()) {
            let width = self.width(line);
            let fit = if width > 0.0 {
                format!(" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\"")
            } else {
                String::new()
            };
            let _ = write!(out, "<tspan x=\"{x:.1}\" y=\"{y:.1}\"{fit}>{}</tspan>", escaped(line));
            y += self.line;
        }
        *out += "</text>";
    }
}

/// The texts of a node, in lines.
struct Lines {
    label: Vec<String>,
    note: Vec<String>,
}

impl Lines {
    fn of(node: &Node) -> Self {
        let more = if node.note.is_empty() { Vec::new() } else { wrapped(&node.note, NOTE.most) };
        Self { label: wrapped(&node.label, LABEL.most), note: more }
    }

    fn size(&self) -> Pair {
        let (label, note) = (LABEL.size(&self.label), NOTE.size(&self.note));
        Pair { x: label.x.max(note.x) + 2.0 * PADDING.x, y: label.y + note.y + 2.0 * PADDING.y }
    }
}

/// The picture as a drawing.
///
/// # Errors
/// Where it has too many parts.
pub fn write(picture: &Picture) -> Result<String, Diagnostic> {
    let (nodes, edges) = (picture.nodes(), picture.edges());
    if nodes.len() + edges.len() > MAX_PARTS {
        let message =
            format!("a picture of {} nodes and {} arrows is too large to be drawn", nodes.len(), edges.len());
        let help = "write it with `--format dot`, and let `dot` or `sfdp` of Graphviz lay it out";
        return Err(Diagnostic::error(message).help(help));
    }
    let lines: Vec<Lines> = nodes.iter().map(Lines::of).collect();
    let mut sizes: Vec<Pair> = lines.iter().map(Lines::size).collect();
    for (index, size) in sizes.iter_mut().enumerate() {
        size.y = size.y.max(height(picture, index));
    }
    let labels: Vec<Vec<String>> = edges
        .iter()
        .map(|edge| edge.labels.iter().flat_map(|label| wrapped(label, ON_ARROW.most)).collect())
        .collect();
    let wires: Vec<Wire> = edges
        .iter()
        .zip(&labels)
        .map(|(edge, lines)| {
            let size = ON_ARROW.size(lines);
            let label = (!lines.is_empty()).then_some(Pair { x: size.x + 8.0, y: size.y + 4.0 });
            Wire { from: edge.from, to: edge.to, label }
        })
        .collect();
    let places = place(&sizes, &wires);
    let widest = |at: &Pair| {
        let same = places.nodes.iter().zip(&sizes).filter(|(other, _)| (other.x - at.x).abs() < 0.05);
        same.map(|(_, size)| size.x).fold(0.0, f64::max)
    };
    let areas: Vec<Area> = places
        .nodes
        .iter()
        .zip(&sizes)
        .map(|(at, size)| Area { at: *at, size: Pair { x: widest(at), y: size.y } })
        .collect();
    let mut body = String::new();
    for (edge, path) in edges.iter().zip(paths(&wires, &areas, &places)) {
        let title = escaped(&picture.sentence(edge));
        let _ = writeln!(body, "<g class=\"arrow\"><title>{title}</title>{}</g>", stroke(edge.kind, &path));
    }
    for ((lines, wire), at) in labels.iter().zip(&wires).zip(&places.labels) {
        if let (Some(at), Some(size)) = (at, wire.label) {
            written(&mut body, lines, (*at, size));
        }
    }
    for ((node, lines), area) in nodes.iter().zip(&lines).zip(&areas) {
        boxed(&mut body, node, lines, area);
    }
    let drawn = areas.iter().copied().chain(
        places
            .labels
            .iter()
            .zip(&wires)
            .filter_map(|(at, wire)| Some(Area { at: (*at)?, size: wire.label? })),
    );
    let bends = places.ways.iter().flatten().map(|at| Area { at: *at, size: Pair { x: 0.0, y: 2.0 } });
    Ok(framed(picture, &body, bounds(drawn.chain(bends))))
}

/// The height that a node needs for the arrows at its sides.
#[expect(clippy::cast_precision_loss, reason = "there are no 2^52 arrows")]
fn height(picture: &Picture, node: usize) -> f64 {
    let [mut left, mut right] = [0_usize; 2];
    for edge in picture.edges().iter().filter(|edge| edge.from != edge.to) {
        left += usize::from(edge.to == node);
        right += usize::from(edge.from == node);
    }
    2.0 * CORNER + left.max(right).saturating_sub(1).min(MAX_ENDS) as f64 * MIN_GAP
}

/// The least and the greatest coordinates of areas.
fn bounds(areas: impl Iterator<Item = Area>) -> (Pair, Pair) {
    let none =
        (Pair { x: f64::INFINITY, y: f64::INFINITY }, Pair { x: f64::NEG_INFINITY, y: f64::NEG_INFINITY });
    let (least, most) = areas.fold(none, |(least, most), Area { at, size }| {
        let (x, y) = (size.x / 2.0, size.y / 2.0);
        (
            Pair { x: least.x.min(at.x - x), y: least.y.min(at.y - y) },
            Pair { x: most.x.max(at.x + x), y: most.y.max(at.y + y) },
        )
    });
    if least.x > most.x { (Pair { x: 0.0, y: 0.0 }, Pair { x: 0.0, y: 0.0 }) } else { (least, most) }
}

/// What is written on an arrow, on a ground of its own.
fn written(out: &mut String, lines: &[String], (at, size): (Pair, Pair)) {
    let (left, top) = (at.x - size.x / 2.0, at.y - size.y / 2.0);
    let _ = write!(
        out,
        "<g class=\"label\"><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"3\" \
         fill=\"#ffffff\"/>",
        size.x, size.y
    );
    ON_ARROW.draw(out, lines, (at.x, top + 2.0), "");
    *out += "</g>\n";
}

fn boxed(out: &mut String, node: &Node, lines: &Lines, area: &Area) {
    let look = node.kind.look();
    let (left, top) = (area.at.x - area.size.x / 2.0, area.at.y - area.size.y / 2.0);
    let more = if node.note.is_empty() { String::new() } else { format!("\n{}", node.note) };
    let title = escaped(&format!("{}: {}{more}", look.title, node.label));
    let dashes = if look.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
    let _ = write!(
        out,
        "<g class=\"node {}\"><title>{title}</title><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" \
         height=\"{:.1}\" rx=\"5\" fill=\"{}\" stroke=\"{}\" stroke-width=\"1.5\"{dashes}/>",
        look.class, area.size.x, area.size.y, look.fill, look.line
    );
    let text = area.at.y - lines.size().y / 2.0 + PADDING.y;
    LABEL.draw(out, &lines.label, (area.at.x, text), " font-weight=\"bold\"");
    if !lines.note.is_empty() {
        NOTE.draw(out, &lines.note, (area.at.x, text + LABEL.size(&lines.label).y), "");
    }
    *out += "</g>\n";
}

/// A line with its head.
fn stroke(link: Link, path: &str) -> String {
    let (width, dashes) = match link.stroke() {
        Stroke::Solid => ("1.5", ""),
        Stroke::Dashed => ("1.5", " stroke-dasharray=\"7 4\""),
        Stroke::Dotted => ("1.5", " stroke-dasharray=\"2 3\""),
        Stroke::Bold => ("2.6", ""),
    };
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"{dashes} marker-end=\"url(#{})\"/>",
        link.colour(),
        head(link)
    )
}

/// The name of the head of arrows of a kind.
fn head(link: Link) -> String {
    format!("head-{}", &link.colour()[1..])
}

/// All of the drawing around its parts.
fn framed(picture: &Picture, body: &str, (least, most): (Pair, Pair)) -> String {
    let drawn = (most.x - least.x + 2.0 * MARGIN).max(MIN_WIDTH);
    let top = TITLE + MARGIN;
    let bottom = top + (most.y - least.y) + MARGIN;
    let mut legend = Legend { out: String::new(), at: Pair { x: MARGIN, y: bottom + 24.0 }, width: drawn };
    let samples = legend.of(picture);
    let height = legend.at.y + 20.0;
    let width = Text { font: 14.0, ..LABEL }.width(picture.title()).max(drawn - 2.0 * MARGIN) + 2.0 * MARGIN;
    let title = escaped(picture.title());
    let mut heads: Vec<&str> = picture.links().into_iter().map(Link::colour).collect();
    heads.sort_unstable();
    heads.dedup();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.1}\" height=\"{height:.1}\" \
         viewBox=\"0 0 {width:.1} {height:.1}\" role=\"img\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace\" fill=\"#111111\">\n\
         <title>{title}</title>\n<defs>"
    );
    for colour in heads {
        let _ = write!(
            out,
            "<marker id=\"head-{}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"9\" markerHeight=\"9\" \
             markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 1L10 5L0 9z\" fill=\"{colour}\"/></marker>",
            &colour[1..]
        );
    }
    let _ = write!(
        out,
        "</defs>\n<rect width=\"{width:.1}\" height=\"{height:.1}\" rx=\"6\" fill=\"#ffffff\"/>\n\
         <text x=\"{MARGIN}\" y=\"{TITLE}\" font-size=\"14\" font-weight=\"bold\">{title}</text>\n\
         <g transform=\"translate({:.1} {:.1})\">\n{body}</g>\n<g class=\"legend\" font-size=\"11\">\n{samples}</g>\n</svg>\n",
        MARGIN - least.x,
        top - least.y
    );
    out
}

/// The kinds that a picture has, each with a sample, in rows.
struct Legend {
    out: String,
    at: Pair,
    width: f64,
}

impl Legend {
    fn of(&mut self, picture: &Picture) -> String {
        for kind in picture.kinds() {
            let look = kind.look();
            let dashes = if look.dashed { " stroke-dasharray=\"4 3\"" } else { "" };
            let Pair { x, y } = self.next(look.title);
            let _ = writeln!(
                self.out,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"22\" height=\"13\" rx=\"3\" fill=\"{}\" stroke=\"{}\"{dashes}/>\
                 <text x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
                y - 10.5,
                look.fill,
                look.line,
                x + 28.0,
                look.title
            );
        }
        self.at = Pair { x: MARGIN, y: self.at.y + 22.0 };
        for link in picture.links() {
            let Pair { x, y } = self.next(link.verb());
            let sample = stroke(link, &format!("M{x:.1} {:.1}H{:.1}", y - 4.0, x + 30.0));
            let _ =
                writeln!(self.out, "{sample}<text x=\"{:.1}\" y=\"{y:.1}\">{}</text>", x + 36.0, link.verb());
        }
        std::mem::take(&mut self.out)
    }

    /// Where the next sample goes, and behind it.
    fn next(&mut self, text: &str) -> Pair {
        let width = NOTE.width(text) + 56.0;
        if self.at.x + width > self.width - MARGIN && self.at.x > MARGIN {
            self.at = Pair { x: MARGIN, y: self.at.y + 22.0 };
        }
        let at = self.at;
        self.at.x += width;
        at
    }
}

/// A text as XML's: [`Picture`] has no characters that XML has not.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
