//! Values that have no text while code runs: secrets, which never have one, and files, whose paths are known later.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr};

use crate::base::value::{Secret, Value};

/// What stands for such a value where something would make a text of it: no text may have it.
const NO_TEXT: &str = "\u{F0003}";

/// A secret or a file, as code sees it.
#[derive(Debug)]
pub struct Opaque(Value);

impl Opaque {
    /// A value that code can only pass on.
    #[must_use]
    pub fn of(value: &Value) -> minijinja::Value {
        minijinja::Value::from_object(Self(value.clone()))
    }

    /// What it is.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.0
    }
}

impl Object for Opaque {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    // Without this, two of them would be compared by their addresses.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other.downcast_ref::<Self>().map(|other| self.0.to_string().cmp(&other.0.to_string()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NO_TEXT)
    }
}

/// What `credential(…)` gives: a secret that may be written where a unit loads it.
#[derive(Debug)]
pub struct Credential(pub Secret);

impl Object for Credential {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NO_TEXT)
    }
}

/// What `safe` gives: a text that is written as it is.
#[derive(Debug)]
pub struct Code(pub String);

impl Object for Code {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NO_TEXT)
    }
}
