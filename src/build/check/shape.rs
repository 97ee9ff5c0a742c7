//! What a tool's judgement of a text depends on.
//!
//! The hosts of a fleet have the same templates with other values in them. As a value is filled so that the reader of
//! the file gets it back, whatever it is, where a shell or Python finds fault depends on its type and on how many lines
//! it has alone; so the tool is asked once for all of them.

use blake3::Hasher;

use crate::base::value::Value;
use crate::build::artifact::{Part, RenderedWhat, Text};
use crate::build::check::tools::Work;
use crate::build::seal::TextMap;

/// Adds to a key what the judgement of a text depends on.
pub(super) fn add(hasher: &mut Hasher, work: &Work, (text, map, content): (&Text, Option<&TextMap>, &[u8])) {
    let (Text::Template { pieces, .. }, Some(map)) = (text, map) else {
        return framed(hasher, b"source", content);
    };
    // Of a unit: the key of the line that a hole stands in.
    let mut line = String::new();
    for (piece, range) in pieces.iter().zip(map.ranges()) {
        let bytes = content.get(range.clone()).unwrap_or_default();
        match &piece.what {
            // What is taken for code is judged as such.
            RenderedWhat::Text(text) | RenderedWhat::Safe(text) => {
                framed(hasher, b"text", bytes);
                match text.rsplit_once('\n') {
                    Some((_, last)) => last.clone_into(&mut line),
                    None => line.push_str(text),
                }
            }
            RenderedWhat::Hole(parts) if is_quoted(work, &line) => {
                for part in parts {
                    match part {
                        Part::Value(value) => shape(hasher, value),
                        Part::Reference(_) | Part::File(_) => framed(hasher, b"path", b""),
                        Part::Credential(_) => framed(hasher, b"credential", b""),
                    }
                }
                let lines = bytes.split(|byte| *byte == b'\n').count();
                framed(hasher, b"lines", &lines.to_le_bytes());
            }
            RenderedWhat::Hole(_) => framed(hasher, b"value", bytes),
        }
    }
}

/// Whether a value may be anything where it stands.
fn is_quoted(work: &Work, line: &str) -> bool {
    match work {
        Work::Sh | Work::Python(_) => true,
        Work::Nft => false,
        Work::Units => {
            let key = line.split('=').next().unwrap_or_default().trim();
            key.starts_with("Exec") || matches!(key, "Description" | "Documentation" | "Environment")
        }
    }
}

fn shape(hasher: &mut Hasher, value: &Value) {
    match value {
        Value::None => framed(hasher, b"none", b""),
        Value::Bool(_) => framed(hasher, b"bool", b""),
        Value::Int(number) => framed(hasher, b"int", &[u8::from(number.is_negative())]),
        Value::Float(number) => framed(hasher, b"float", &[u8::from(number.is_sign_negative())]),
        Value::Secret(_) => framed(hasher, b"secret", b""),
        Value::File(_) => framed(hasher, b"path", b""),
        Value::Str(text) => framed(hasher, b"string", &[u8::from(text.is_empty())]),
        Value::List(values) => {
            framed(hasher, b"list", &values.len().to_le_bytes());
            for value in values {
                shape(hasher, value);
            }
        }
        Value::Map(values) => {
            framed(hasher, b"map", &values.len().to_le_bytes());
            for value in values.values() {
                shape(hasher, value);
            }
        }
    }
}

/// Adds bytes behind what they are and how many.
pub(super) fn framed(hasher: &mut Hasher, what: &[u8], bytes: &[u8]) {
    for bytes in [what, bytes] {
        hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }
}
