//! What values cannot do to a file: it reads as well, and has the same form, as with others in their places.

use voevent_node::base::value::Value;
use voevent_node::build::artifact::{Grammar, Part, RenderedPiece, RenderedWhat, Text};
use voevent_node::build::fill::{Piece, fill};
use voevent_node::build::front::Compiled;

/// Checks each file of a host whose form is easy to see.
pub(super) fn check(compiled: &Compiled) {
    for artifact in &compiled.rendered.artifacts {
        let Some(Text::Template { grammar, pieces }) = artifact.text() else { continue };
        let Some(given) = pieces.iter().map(|piece| hole(piece, false)).collect::<Option<Vec<_>>>() else {
            continue;
        };
        let tame: Vec<_> = pieces.iter().filter_map(|piece| hole(piece, true)).collect();
        let (Ok(given), Ok(tame)) = (fill(*grammar, &given), fill(*grammar, &tame)) else { continue };
        if let Some(wanted) = form(*grammar, &tame.text) {
            let found = form(*grammar, &given.text);
            assert_eq!(found, Some(wanted), "values changed the form of {:?}", given.text);
        }
    }
}

/// A piece of a text, with a tame string in the place of another if so wished; none of a reference.
fn hole(piece: &RenderedPiece, tame: bool) -> Option<Piece> {
    Some(match &piece.what {
        RenderedWhat::Text(text) | RenderedWhat::Safe(text) => Piece::Text(text.clone()),
        RenderedWhat::Hole(parts) => match parts.as_slice() {
            [Part::Value(Value::Str(_))] if tame => Piece::Hole(Value::Str("tame".to_owned())),
            [Part::Value(value)] => Piece::Hole(value.clone()),
            _ => return None,
        },
    })
}

/// The form of a file; none where it cannot be read.
fn form(grammar: Grammar, text: &str) -> Option<String> {
    match grammar {
        Grammar::Json => json(text),
        Grammar::Xml => xml(text),
        Grammar::Unit | Grammar::Ini | Grammar::Nft | Grammar::Lines => {
            Some(text.matches('\n').count().to_string())
        }
        _ => None,
    }
}

/// The tokens of a JSON text, `s` for a string and `v` for any other value.
fn json(text: &str) -> Option<String> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut form = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => {
                form.push('s');
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    if c == '\\' {
                        rest.next();
                    }
                }
            }
            '{' | '}' | '[' | ']' | ',' | ':' => form.push(c),
            c if c.is_ascii_whitespace() => {}
            _ if form.ends_with('v') => {}
            _ => form.push('v'),
        }
    }
    Some(form)
}

/// The elements of an XML text, each with the names of its attributes.
fn xml(text: &str) -> Option<String> {
    let document = roxmltree::Document::parse(text).ok()?;
    let elements = document.descendants().filter(roxmltree::Node::is_element).map(|element| {
        let attributes: Vec<&str> = element.attributes().map(|attribute| attribute.name()).collect();
        format!("{} {} {attributes:?}\n", element.ancestors().count(), element.tag_name().name())
    });
    Some(elements.collect())
}
