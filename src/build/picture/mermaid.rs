//! Pictures as flowcharts of Mermaid, which many forges show where they stand in a text.

use std::fmt::Write as _;

use super::kinds::{Link, Stroke};
use super::lines::wrapped;
use super::{Node, Picture};

/// The longest line on an arrow, in columns.
const MAX_LABEL: usize = 32;

/// The picture as a flowchart. The background is the reader's; boxes have colours of their own.
#[must_use]
pub fn write(picture: &Picture) -> String {
    let mut out = format!("---\ntitle: \"{}\"\n---\nflowchart LR\n", title(picture.title()));
    for (index, node) in picture.nodes().iter().enumerate() {
        let _ = writeln!(out, "  n{index}[\"{}\"]:::{}", label(node), node.kind.look().class);
    }
    for edge in picture.edges() {
        let lines: Vec<String> = edge.labels.iter().flat_map(|label| wrapped(label, MAX_LABEL)).collect();
        let label = lines.iter().map(|line| text(line)).collect::<Vec<_>>().join("<br/>");
        let label = if label.is_empty() { String::new() } else { format!("|\"{label}\"|") };
        let _ = writeln!(out, "  n{} {}{label} n{}", edge.from, arrow(edge.kind), edge.to);
    }
    legend(picture, &mut out);
    for kind in picture.kinds() {
        let look = kind.look();
        let dashes = if look.dashed { ",stroke-dasharray:5 4" } else { "" };
        let _ = writeln!(
            out,
            "  classDef {} fill:{},stroke:{},color:#111111{dashes}",
            look.class, look.fill, look.line
        );
    }
    for (index, link) in picture.links().into_iter().enumerate() {
        let (colour, line) = (link.colour(), border(link));
        let _ = writeln!(out, "  style l{index} fill:#ffffff,stroke:{colour},color:#111111{line}");
        // Arrows are known by their numbers.
        let same = picture.edges().iter().enumerate().filter(|(_, edge)| edge.kind == link);
        let numbers: Vec<String> = same.map(|(number, _)| number.to_string()).collect();
        let _ = writeln!(out, "  linkStyle {} stroke:{colour}", numbers.join(","));
    }
    out
}

/// Adds the kinds that the picture has: nodes as they look, arrows as boxes whose border is drawn as they are.
fn legend(picture: &Picture, out: &mut String) {
    *out += "  subgraph legend\n    direction LR\n";
    for kind in picture.kinds() {
        let look = kind.look();
        let _ = writeln!(out, "    k_{}[\"{}\"]:::{}", look.class, text(look.title), look.class);
    }
    for (index, link) in picture.links().into_iter().enumerate() {
        let _ = writeln!(out, "    l{index}[\"{}\"]", text(&format!("→ {}", link.verb())));
    }
    *out += "  end\n";
}

const fn border(link: Link) -> &'static str {
    match link.stroke() {
        Stroke::Solid => "",
        Stroke::Dashed => ",stroke-dasharray:7 4",
        Stroke::Dotted => ",stroke-dasharray:2 3",
        Stroke::Bold => ",stroke-width:3px",
    }
}

const fn arrow(link: Link) -> &'static str {
    match link.stroke() {
        Stroke::Solid => "-->",
        Stroke::Dashed | Stroke::Dotted => "-.->",
        Stroke::Bold => "==>",
    }
}

fn label(node: &Node) -> String {
    let more = if node.note.is_empty() { String::new() } else { format!("<br/>{}", text(&node.note)) };
    format!("<b>{}</b>{more}", text(&node.label))
}

/// A text within quotes: all but plain letters and marks is written as `#number;`, so nothing of it is Mermaid's,
/// HTML's or Markdown's.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = ' ';
    for c in text.chars() {
        // Between two of these there would be a formula, escaped or not: a joiner that nobody sees parts them.
        if (last, c) == ('$', '$') {
            out += "#8288;";
        }
        last = c;
        if c.is_alphanumeric() || matches!(c, ' ' | '/' | ',' | ':' | '.' | '-' | '=') {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

/// A string of YAML, without what Mermaid would take for an entity.
fn title(text: &str) -> String {
    text.replace(['"', '\\', '#'], "_")
}
