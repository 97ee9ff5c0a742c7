//! Holes: what a template leaves in the place of a value.
//!
//! While a template runs, the formatter writes a marker of private-use characters and keeps the typed value beside.
//! A reference has no text yet either: it is an object whose text is a marker of its own kind, so that it can be
//! joined with `~`; the joined string is cut at the markers again. A marker that does not come out whole is an error.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::{DynObject, Object, ObjectRepr};
use minijinja::{Environment, ErrorKind, Output, State};

use crate::base::name::{InstanceName, ModuleName};
use crate::base::value::Value;

use super::artifact::{Part, Reference, ReferenceKind, RenderedWhat};
use super::expression::{environment, from_jinja, no_text};
use super::filters;
use super::instance::Instance;
use super::opaque::{Code, Credential};
use super::sources::is_forbidden;

/// The name under which the ledger is in a template's context; no template can write it.
pub const LEDGER: &str = "\u{F0000}";
/// The most memory that the holes of one text may take.
const MAX_SIZE: usize = 16 << 20;
const HOLE: char = '\u{F0000}';
const END: char = '\u{F0001}';
const REFERENCE: char = '\u{F0002}';
const DIGITS: u32 = 0xF0010;

/// What a run of a template leaves beside its text.
#[derive(Debug)]
pub struct Ledger {
    /// Whose the template is.
    own: InstanceName,
    /// What the names of modules mean there.
    names: BTreeMap<ModuleName, InstanceName>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    holes: Vec<RenderedWhat>,
    /// What markers in joined texts stand for: references and files.
    joined: Vec<Part>,
    /// About how many bytes the holes take.
    size: usize,
}

impl Ledger {
    /// For a run of a template of this instance.
    #[must_use]
    pub fn new(of: &Instance) -> Self {
        Self { own: of.name.clone(), names: of.names.clone(), kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing is half done where a panic could leave it.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hole whose marker a text is.
    #[must_use]
    pub fn hole(&self, text: &str) -> Option<RenderedWhat> {
        let index = text.strip_prefix(HOLE)?.strip_suffix(END).and_then(number)?;
        self.kept().holes.get(index).cloned()
    }

    fn reference(&self, kind: ReferenceKind, name: &str) -> Result<RefObject, minijinja::Error> {
        let (module, name) = match name.split_once('/') {
            Some((module, name)) => {
                let module = ModuleName::new(module).map_err(|error| refuse(error.to_string()))?;
                // One that is not seen is reported when all references are known.
                (self.names.get(&module).cloned().unwrap_or_else(|| InstanceName::plain(module)), name)
            }
            None => (self.own.clone(), name),
        };
        let reference = Reference { kind, module, name: name.to_owned() };
        let index = self.join(Part::Reference(reference.clone()));
        Ok(RefObject { index, reference })
    }

    /// Keeps what a marker is to stand for.
    fn join(&self, part: Part) -> usize {
        let mut kept = self.kept();
        kept.joined.push(part);
        kept.joined.len() - 1
    }

    /// Cuts a text at the markers of references.
    fn cut(&self, text: &str) -> Result<Vec<Part>, minijinja::Error> {
        let broken = || refuse("a reference is only written, joined with `~`, or passed on".to_owned());
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(is_forbidden) {
            let (before, marker) = rest.split_at(at);
            let inner = marker.strip_prefix(REFERENCE).ok_or_else(broken)?;
            let (digits, after) = inner.split_once(END).ok_or_else(broken)?;
            let part = number(digits).and_then(|index| self.kept().joined.get(index).cloned());
            if !before.is_empty() {
                parts.push(Part::Value(Value::Str(before.to_owned())));
            }
            parts.push(part.ok_or_else(broken)?);
            rest = after;
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Value(Value::Str(rest.to_owned())));
        }
        Ok(parts)
    }

    fn parts(&self, value: &minijinja::Value) -> Result<Vec<Part>, minijinja::Error> {
        if let Some(object) = value.downcast_object_ref::<RefObject>() {
            return Ok(vec![Part::Reference(object.reference.clone())]);
        }
        if let Some(Credential(secret)) = value.downcast_object_ref() {
            return Ok(vec![Part::Credential(secret.clone())]);
        }
        match from_jinja(value) {
            Ok(Value::Str(text)) => self.cut(&text),
            Ok(Value::File(file)) => Ok(vec![Part::File(file)]),
            Ok(Value::None | Value::Secret(_)) | Err(_) => Err(no_text(value)),
            Ok(value) if has_marker(&value) => {
                let what = "a list or table with references, files or secrets in it cannot be written whole";
                Err(refuse(format!("{what}: go through it with a loop")))
            }
            Ok(value) => Ok(vec![Part::Value(value)]),
        }
    }

    /// The text of a value in a joined one: of a reference its marker.
    fn text(&self, value: &minijinja::Value) -> Result<String, minijinja::Error> {
        if let Some(object) = value.downcast_object_ref::<RefObject>() {
            return Ok(marker(REFERENCE, object.index));
        }
        if value.downcast_object_ref::<Credential>().is_some() {
            return Err(refuse("a credential is written alone, and joined with nothing".to_owned()));
        }
        match from_jinja(value) {
            Ok(Value::File(file)) => Ok(marker(REFERENCE, self.join(Part::File(file)))),
            _ => filters::text(value),
        }
    }

    fn write(&self, out: &mut Output<'_>, value: &minijinja::Value) -> Result<(), minijinja::Error> {
        let (what, size) = if let Some(Code(text)) = value.downcast_object_ref() {
            (RenderedWhat::Safe(text.clone()), text.len())
        } else {
            let parts = self.parts(value)?;
            let size = parts.iter().map(part_size).sum::<usize>();
            (RenderedWhat::Hole(parts), size)
        };
        let mut kept = self.kept();
        kept.size += size;
        if kept.size > MAX_SIZE {
            return Err(refuse("the values in this text take more than 16 MiB together".to_owned()));
        }
        kept.holes.push(what);
        Ok(out.write_str(&marker(HOLE, kept.holes.len() - 1))?)
    }
}

impl Object for Ledger {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// About how many bytes of memory a part of a hole takes.
pub(super) fn part_size(part: &Part) -> usize {
    match part {
        Part::Value(value) => value.size(),
        Part::Reference(_) | Part::File(_) | Part::Credential(_) => size_of::<Part>(),
    }
}

fn has_marker(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.contains(is_forbidden),
        Value::List(values) => values.iter().any(has_marker),
        Value::Map(values) => {
            values.iter().any(|(key, value)| key.contains(is_forbidden) || has_marker(value))
        }
        Value::Secret(_) | Value::File(_) => true,
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) => false,
    }
}

fn refuse(message: String) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, message)
}

/// A marker: of one length, so that nothing can be learnt from it.
fn marker(start: char, index: usize) -> String {
    let digits = (0..8).rev().map(|digit| (index >> (4 * digit)) & 0xF);
    let digits = digits.filter_map(|digit| char::from_u32(DIGITS + u32::try_from(digit).unwrap_or(0)));
    std::iter::once(start).chain(digits).chain([END]).collect()
}

fn number(digits: &str) -> Option<usize> {
    let mut number = 0;
    for (index, c) in digits.chars().enumerate() {
        let digit = u32::from(c).checked_sub(DIGITS).filter(|digit| *digit < 16 && index < 8)?;
        number = number << 4 | usize::try_from(digit).ok()?;
    }
    (digits.chars().count() == 8).then_some(number)
}

/// A reference while a template runs.
#[derive(Debug)]
struct RefObject {
    index: usize,
    reference: Reference,
}

impl Object for RefObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    // Without this, two references would be compared by their addresses.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other.downcast_ref::<Self>().map(|other| self.reference.cmp(&other.reference))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&marker(REFERENCE, self.index))
    }
}

fn ledger(state: &State<'_, '_>) -> Result<Arc<Ledger>, minijinja::Error> {
    let found = state.lookup(LEDGER).and_then(|value| value.downcast_object::<Ledger>());
    found.ok_or_else(|| refuse("references are for templates".to_owned()))
}

/// The environment of templates: their formatter leaves holes, and there are references.
#[must_use]
pub fn templates() -> Environment<'static> {
    let mut env = environment(|state, value| ledger(state)?.text(value));
    env.set_formatter(|out, state, value| ledger(state)?.write(out, value));
    for (name, kind) in [
        ("script", ReferenceKind::Script),
        ("venv", ReferenceKind::Venv),
        ("file", ReferenceKind::File),
        ("unit", ReferenceKind::Unit),
    ] {
        env.add_function(name, move |state: &State<'_, '_>, name: String| {
            ledger(state)?.reference(kind, &name).map(minijinja::Value::from_object)
        });
    }
    // Only as the last filter of a hole: nothing else can be done with what it gives.
    env.add_filter("safe", |value: &minijinja::Value| match from_jinja(value) {
        Ok(Value::Str(text)) if !text.contains(is_forbidden) => Ok(minijinja::Value::from_object(Code(text))),
        Ok(Value::Str(_)) => Err(refuse("a reference is no code: leave `safe` out".to_owned())),
        _ => Err(refuse("only a text can be taken for code".to_owned())),
    });
    env.add_function("credential", |value: &minijinja::Value| match from_jinja(value) {
        Ok(Value::Secret(secret)) => Ok(minijinja::Value::from_object(Credential(secret))),
        Ok(Value::None) => Err(refuse("this secret is not set: ask `is not none` first".to_owned())),
        Ok(other) => Err(refuse(format!("this is {}, and no secret", other.kind()))),
        Err(what) => Err(refuse(format!("this is {what}, and no secret"))),
    });
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_come_back_and_nothing_else_does() {
        for index in [0, 1, 15, 16, 0xdead_beef] {
            let text = marker(HOLE, index);
            assert_eq!(text.chars().count(), 10);
            assert_eq!(
                text.strip_prefix(HOLE).and_then(|t| t.strip_suffix(END)).and_then(number),
                Some(index)
            );
        }
        assert_eq!(number("\u{F0010}"), None);
        assert_eq!(number("12345678"), None);
    }

    #[test]
    fn a_joined_string_is_cut_at_its_references() {
        let own = InstanceName::parse("m").unwrap();
        let ledger = Ledger { own, names: BTreeMap::new(), kept: Mutex::default() };
        let object = ledger.reference(ReferenceKind::Venv, "x").unwrap();
        let text = format!("a{}b", marker(REFERENCE, object.index));
        let parts = ledger.cut(&text).unwrap();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[1], Part::Reference(object.reference.clone()));
        assert!(ledger.cut(&text.replace(END, "")).is_err());
        assert!(ledger.cut(&marker(REFERENCE, 7)).is_err());
        assert!(ledger.cut(&marker(HOLE, 0)).is_err());
        assert_eq!(ledger.cut("").unwrap(), [Part::Value(Value::Str(String::new()))]);
    }
}
