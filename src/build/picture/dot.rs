//! Pictures in the language of Graphviz.

use std::fmt::Write as _;

use super::kinds::{Kind, Link, Stroke};
use super::{Node, Picture, clean};

/// The picture as a `digraph`; it is dark on white.
#[must_use]
pub fn write(picture: &Picture) -> String {
    let mut out = format!("digraph {} {{\n", string(picture.title()));
    let title = text(picture.title());
    let _ = writeln!(
        out,
        "  graph [rankdir=LR, bgcolor=\"#ffffff\", label={title}, labelloc=t, fontname=\"monospace\"];"
    );
    out += "  node [shape=box, style=\"filled,rounded\", fontname=\"monospace\", fontcolor=\"#111111\"];\n";
    out += "  edge [fontname=\"monospace\", fontsize=10, fontcolor=\"#111111\"];\n";
    for node in picture.nodes() {
        let _ = writeln!(out, "  {} [label={}, {}];", string(&node.id), label(node), looks(node.kind));
    }
    for edge in picture.edges() {
        let (from, to) = (&picture.nodes()[edge.from], &picture.nodes()[edge.to]);
        let mut attributes = line(edge.kind);
        if !edge.labels.is_empty() {
            let _ = write!(attributes, ", label={}", text(&edge.labels.join("\n")));
        }
        let _ = write!(attributes, ", tooltip={}", text(&picture.sentence(edge)));
        let _ = writeln!(out, "  {} -> {} [{attributes}];", string(&from.id), string(&to.id));
    }
    out += &legend(picture);
    out + "}\n"
}

/// The kinds that the picture has: nodes as they look, arrows as boxes whose border is drawn as they are.
fn legend(picture: &Picture) -> String {
    let mut out =
        "  subgraph \"cluster legend\" {\n    graph [label=\"legend\", color=\"#999999\"];\n".to_owned();
    for kind in picture.kinds() {
        let look = kind.look();
        let (id, title) = (string(&format!("legend: {}", look.class)), text(look.title));
        let _ = writeln!(out, "    {id} [label={title}, {}];", looks(kind));
    }
    for link in picture.links() {
        let (id, label) = (string(&format!("legend: {}", link.verb())), text(&format!("→ {}", link.verb())));
        let _ = writeln!(out, "    {id} [label={label}, {}];", line(link));
    }
    out + "  }\n"
}

fn looks(kind: Kind) -> String {
    let look = kind.look();
    let style = if look.dashed { ", style=\"filled,rounded,dashed\"" } else { "" };
    format!("class={}, fillcolor=\"{}\", color=\"{}\"{style}", look.class, look.fill, look.line)
}

fn line(link: Link) -> String {
    let style = match link.stroke() {
        Stroke::Solid => "style=solid",
        Stroke::Dashed => "style=dashed",
        Stroke::Dotted => "style=dotted",
        Stroke::Bold => "style=bold, penwidth=2.5",
    };
    format!("{style}, color=\"{}\"", link.colour())
}

fn label(node: &Node) -> String {
    if node.note.is_empty() { text(&node.label) } else { text(&format!("{}\n{}", node.label, node.note)) }
}

/// A string. `\"` is the only escape that it knows, and a backslash before the closing quote would be one.
fn string(id: &str) -> String {
    format!("\"{}\"", clean(id).replace('\\', "\\\\").replace('"', "\\\""))
}

/// A string that is shown: it has escapes of its own, and knows the entities of HTML.
fn text(lines: &str) -> String {
    let lines: Vec<String> = lines.lines().map(|line| string(line).replace('&', "&amp;")).collect();
    let lines: Vec<&str> = lines.iter().map(|line| &line[1..line.len() - 1]).collect();
    format!("\"{}\"", lines.join("\\n"))
}
