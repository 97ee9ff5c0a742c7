//! The bytes of texts: references become paths, holes are filled by the lexer of the grammar.

use std::ops::Range;

use crate::base::layout;
use crate::base::report::{Diagnostic, Place};
use crate::base::value::{NamedFile, Value};
use crate::build::artifact::{Artifact, Part, ReferenceKind, RenderedPiece, RenderedWhat, Text};
use crate::build::expression::CREDENTIAL;
use crate::build::fill::{At, Piece, fill};
use crate::build::seal::Sealer;
use crate::store::object::{File, Object, ObjectName};

/// Where in a filled text each piece of its template lies.
#[derive(Debug, Clone, Default)]
pub struct TextMap {
    ranges: Vec<Range<usize>>,
}

/// The bytes of a text, and where they come from.
pub(super) struct Written {
    pub(super) content: Vec<u8>,
    map: TextMap,
}

impl Written {
    /// As [`TextMap::place`].
    pub(super) fn place(&self, text: &Text, bytes: Range<usize>) -> Option<Place> {
        self.map.place(text, bytes)
    }
}

impl TextMap {
    /// Where each piece lies, in the order of the pieces.
    #[must_use]
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Where in the template some bytes come from, from the first piece of them to the last. None for a source.
    #[must_use]
    pub fn place(&self, text: &Text, bytes: Range<usize>) -> Option<Place> {
        let first = self.place_of(text, bytes.start)?;
        let last = bytes.end.checked_sub(1).filter(|last| *last > bytes.start);
        let last = last.and_then(|last| self.place_of(text, last));
        // In a loop a later piece may stand before an earlier one.
        match last.filter(|last| last.source == first.source && last.span.start >= first.span.start) {
            Some(last) => Some(Place { span: first.span.start..last.span.end, ..first }),
            None => Some(first),
        }
    }

    /// The place of one byte: a byte of a template's text, or a whole hole.
    fn place_of(&self, text: &Text, byte: usize) -> Option<Place> {
        let Text::Template { pieces, .. } = text else {
            return None;
        };
        let index = self.ranges.partition_point(|range| range.end <= byte);
        let range = self.ranges.get(index).filter(|range| range.contains(&byte))?;
        let piece = pieces.get(index)?;
        let mut place = piece.place.clone();
        if let RenderedWhat::Text(_) = piece.what {
            let start = place.span.start + (byte - range.start);
            place = Place::whole(&place.source, start..(start + 1).min(place.span.end.max(start)));
        }
        Some(place)
    }
}

impl Sealer<'_> {
    /// The bytes of a text, its references and holes filled; `None` where that was refused.
    pub(super) fn text(&mut self, of: &Artifact, text: &Text) -> Option<Vec<u8>> {
        if let Some(piece) = pieces(text).iter().find(|piece| has_credential(piece)) {
            let error = Diagnostic::error("only a `[[unit]]` loads credentials").at(piece.place.clone(), "");
            self.errors.push(error.help(CREDENTIAL));
            return None;
        }
        self.written(of, text).map(|written| written.content)
    }

    /// The same, knowing where they come from.
    pub(super) fn written(&mut self, of: &Artifact, text: &Text) -> Option<Written> {
        let (grammar, pieces) = match text {
            Text::Source(bytes) => return Some(Written { content: bytes.clone(), map: TextMap::default() }),
            Text::Template { grammar, pieces } => (*grammar, pieces),
        };
        let resolved: Option<Vec<Piece>> = pieces.iter().map(|piece| self.resolve(piece)).collect();
        let explained = |diagnostic: Diagnostic, at: At, help: Option<&String>| {
            let in_hole =
                pieces.get(at.piece).is_some_and(|piece| matches!(piece.what, RenderedWhat::Hole(_)));
            let usual =
                if in_hole { "give it another value" } else { "write this line of the template otherwise" };
            place(diagnostic, at, pieces).of(&of.module).help(help.map_or(usual, String::as_str))
        };
        match fill(grammar, &resolved?) {
            Ok(filled) => {
                let warnings = filled.warnings.iter();
                self.warnings.extend(warnings.map(|warning| {
                    explained(Diagnostic::warning(warning.reason.clone()), warning.at, warning.help.as_ref())
                }));
                let map = TextMap { ranges: filled.ranges };
                self.maps.insert(self.current, map.clone());
                Some(Written { content: filled.text.into_bytes(), map })
            }
            Err(refusals) => {
                self.errors.extend(refusals.iter().map(|refusal| {
                    explained(Diagnostic::error(refusal.reason.clone()), refusal.at, refusal.help.as_ref())
                }));
                None
            }
        }
    }

    /// A piece with its references replaced by paths. A hole of one value keeps its type; joined parts are one text.
    fn resolve(&mut self, piece: &RenderedPiece) -> Option<Piece> {
        let parts = match &piece.what {
            RenderedWhat::Text(text) | RenderedWhat::Safe(text) => return Some(Piece::Text(text.clone())),
            RenderedWhat::Hole(parts) => parts,
        };
        match parts.as_slice() {
            [Part::Value(value)] => return Some(Piece::Hole(value.clone())),
            [Part::Credential(secret)] => return Some(Piece::Hole(Value::Secret(secret.clone()))),
            _ => {}
        }
        let mut joined = String::new();
        for part in parts {
            let text = match part {
                Part::Value(value) => value.text(),
                Part::File(file) => Some(self.named_file(file)),
                Part::Credential(_) => None,
                Part::Reference(reference) => {
                    let key = reference.key();
                    // Sealed before, unless it was refused; then that error is shown, and this one follows from it.
                    if reference.kind == ReferenceKind::Unit {
                        Some(reference.name.clone())
                    } else {
                        self.paths.get(&key).cloned()
                    }
                }
            };
            joined.push_str(&text?);
        }
        Some(Piece::Hole(Value::Str(joined)))
    }
}

impl Sealer<'_> {
    /// The path of the object that a file of a setting becomes.
    fn named_file(&mut self, file: &NamedFile) -> String {
        format!("{}/{}", layout::STORE, self.named_object(file))
    }

    /// The object that a file of a setting becomes.
    pub(super) fn named_object(&mut self, file: &NamedFile) -> ObjectName {
        let address = std::ptr::from_ref(file).addr();
        if let Some(name) = self.named.get(&address) {
            return name.clone();
        }
        let object = Object::File(File { exec: file.exec, content: file.bytes.clone() });
        let name = self.object(&file.label, object);
        self.named.insert(address, name.clone());
        name
    }
}

fn pieces(text: &Text) -> &[RenderedPiece] {
    match text {
        Text::Template { pieces, .. } => pieces,
        Text::Source(_) => &[],
    }
}

fn has_credential(piece: &RenderedPiece) -> bool {
    matches!(&piece.what, RenderedWhat::Hole(parts) if matches!(parts.as_slice(), [Part::Credential(_)]))
}

/// Adds the place in the template that a lexer points at.
fn place(diagnostic: Diagnostic, at: At, pieces: &[RenderedPiece]) -> Diagnostic {
    let Some(piece) = pieces.get(at.piece) else {
        return diagnostic;
    };
    let mut place = piece.place.clone();
    if let RenderedWhat::Text(_) = piece.what {
        let start = (place.span.start + at.offset).min(place.span.end);
        place = Place::whole(&place.source, start..(start + 1).min(place.span.end.max(start)));
    }
    diagnostic.at(place, "")
}
