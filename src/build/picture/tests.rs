//! Properties of all pictures, whatever is on them.

use proptest::prelude::*;
use roxmltree::{Document, Node as Element};

use super::kinds::{Kind, Link};
use super::{Format, Picture};

/// A rectangle: left, top, right, bottom.
type Box4 = [f64; 4];

fn number(element: Element<'_, '_>, name: &str) -> f64 {
    element.attribute(name).unwrap().parse().unwrap()
}

fn rectangle(group: Element<'_, '_>) -> Box4 {
    let rect = group.children().find(|child| child.has_tag_name("rect")).unwrap();
    let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| number(rect, name));
    [x, y, x + width, y + height]
}

/// By how much two rectangles go into each other; not positive where they do not.
fn common(one: &Box4, other: &Box4) -> f64 {
    let x = one[2].min(other[2]) - one[0].max(other[0]);
    let y = one[3].min(other[3]) - one[1].max(other[1]);
    x.min(y)
}

/// Points of a path of `M`, `H` and `C`, close to each other.
fn points(path: &str) -> Vec<[f64; 2]> {
    let command = regex::Regex::new("([MHC])([^MHC]*)").unwrap();
    let mut points: Vec<[f64; 2]> = Vec::new();
    for part in command.captures_iter(path) {
        let to: Vec<f64> = part[2].split([' ', ',']).map(|number| number.parse().unwrap()).collect();
        let at = points.last().copied().unwrap_or_default();
        let steps = (1..=40).map(|step| f64::from(step) / 40.0);
        match &part[1] {
            "M" => points.push([to[0], to[1]]),
            "H" => points.extend(steps.map(|t| [at[0] + (to[0] - at[0]) * t, at[1]])),
            _ => points.extend(steps.map(|t| {
                let u = 1.0 - t;
                let weights = [u * u * u, 3.0 * t * u * u, 3.0 * t * t * u, t * t * t];
                [0, 1].map(|axis| {
                    let controls = [at[axis], to[axis], to[axis + 2], to[axis + 4]];
                    weights.iter().zip(controls).map(|(weight, control)| weight * control).sum()
                })
            })),
        }
    }
    points
}

/// The groups of a class.
fn groups<'a, 'input>(document: &'a Document<'input>, class: &str) -> Vec<Element<'a, 'input>> {
    let is = |element: &Element<'_, '_>| {
        let classes = element.attribute("class").unwrap_or_default();
        element.has_tag_name("g") && classes.split(' ').next() == Some(class)
    };
    document.descendants().filter(is).collect()
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The first text of a group, without blanks: lines may end at them.
fn shown(group: &Element<'_, '_>) -> String {
    let text = group.children().find(|child| child.has_tag_name("text")).unwrap();
    text.descendants().filter(Element::is_text).filter_map(|inner| inner.text()).map(plain).collect()
}

/// Whether all nodes and labels are written, each once and in its order.
fn texts_are_whole(picture: &Picture, document: &Document<'_>) {
    let drawn: Vec<String> = groups(document, "node").iter().map(shown).collect();
    let wanted: Vec<String> = picture.nodes().iter().map(|node| plain(&node.label)).collect();
    assert_eq!(drawn, wanted);
    let drawn: Vec<String> = groups(document, "label").iter().map(shown).collect();
    let labelled = picture.edges().iter().filter(|edge| !edge.labels.is_empty());
    let wanted: Vec<String> = labelled.map(|edge| plain(&edge.labels.concat())).collect();
    assert_eq!(drawn, wanted);
}

/// Whether nothing is outside of the picture, no box over another, and no arrow over the box of a node.
fn nothing_is_in_the_way(picture: &Picture, document: &Document<'_>) {
    let (nodes, arrows) = (groups(document, "node"), groups(document, "arrow"));
    let boxes: Vec<Box4> =
        nodes.iter().chain(&groups(document, "label")).map(|group| rectangle(*group)).collect();
    let root = document.root_element();
    let shift = document.descendants().find_map(|element| element.attribute("transform")).unwrap();
    let shift: Vec<f64> = shift[10..shift.len() - 1].split(' ').map(|text| text.parse().unwrap()).collect();
    let inside = |x: f64, y: f64| {
        let (x, y) = (x + shift[0], y + shift[1]);
        x >= 0.0 && y >= 0.0 && x <= number(root, "width") && y <= number(root, "height")
    };
    for (index, one) in boxes.iter().enumerate() {
        assert!(inside(one[0], one[1]) && inside(one[2], one[3]), "{one:?} is outside");
        let other = boxes[..index].iter().find(|other| common(one, other) > 0.05);
        assert_eq!(other, None, "{one:?} is over it");
    }
    assert_eq!(arrows.len(), picture.edges().len());
    for (arrow, edge) in arrows.iter().zip(picture.edges()) {
        let path = arrow.children().find(|child| child.has_tag_name("path")).unwrap();
        for [x, y] in points(path.attribute("d").unwrap()) {
            let within = |node: &&Box4| {
                x > node[0] + 1.0 && x < node[2] - 1.0 && y > node[1] + 1.0 && y < node[3] - 1.0
            };
            let over = boxes[..nodes.len()].iter().find(within);
            assert_eq!(over, None, "the arrow {} -> {} goes through it", edge.from, edge.to);
            assert!(inside(x, y), "the arrow {} -> {} leaves the picture", edge.from, edge.to);
        }
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9/._-]{1,20}",
        "[a-z0-9/._ -]{0,128}",
        ".{0,40}",
        r#"(["\\#;&<>|`\]{}%:\n\t -]|-->|<br/>|end){0,12}"#
    ]
}

fn pictures() -> impl Strategy<Value = Picture> {
    let nodes = prop::collection::vec((0..Kind::ALL.len(), texts(), texts()), 0..=60);
    let edges = prop::collection::vec(
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..Link::ALL.len(), texts(), 0..4),
        0..=80,
    );
    (texts(), nodes, edges).prop_map(|(title, nodes, edges)| {
        let mut picture = Picture::new(&title);
        for (index, (kind, label, note)) in nodes.iter().enumerate() {
            picture.node(&format!("{index} {label}"), Kind::ALL[*kind], label, note);
        }
        for (from, to, kind, label, labelled) in &edges {
            if !nodes.is_empty() {
                let (from, to) = (from.index(nodes.len()), to.index(nodes.len()));
                let label = if *labelled == 0 && from != to { label } else { "" };
                picture.edge(from, to, Link::ALL[*kind], label);
            }
        }
        picture
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_drawing_shows_all_and_nothing_is_in_the_way(picture in pictures()) {
        let svg = picture.write(Format::Svg).unwrap();
        let document = Document::parse(&svg).unwrap();
        texts_are_whole(&picture, &document);
        nothing_is_in_the_way(&picture, &document);
        prop_assert_eq!(svg, picture.write(Format::Svg).unwrap());
    }
}
