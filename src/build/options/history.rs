//! Who says what about an option, those too who are not heard: every definition, weakest first, of the whole and of
//! each entry.

use std::fmt::{self, Write};
use std::sync::Arc;

use crate::base::name::InstanceName;
use crate::base::report::Place;
use crate::base::value::Value;
use crate::build::config::tree::{Data, Node};

use super::{Origin, Strength};

/// The most definitions that are kept of one option or entry; the weakest go first.
const MAX_DEFINITIONS: usize = 1000;
/// The most characters that are kept of a value.
const MAX_GIVEN: usize = 200;

/// What a definition does to the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counts {
    /// It is the value.
    Wins,
    /// It is a part of the value.
    Adds,
    /// Something stronger is the value.
    Overridden,
    /// A `{ replace = … }` dropped it.
    Replaced,
}

impl Counts {
    /// As it is written for people and in the provenance.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wins => "wins",
            Self::Adds => "adds",
            Self::Overridden => "overridden",
            Self::Replaced => "replaced",
        }
    }

    /// Whether it has a part in the value.
    #[must_use]
    pub const fn is_heard(self) -> bool {
        matches!(self, Self::Wins | Self::Adds)
    }
}

/// A `[[set]]` that says something.
#[derive(Debug, Clone, PartialEq)]
pub struct SetBy {
    /// Whose it is.
    pub module: InstanceName,
    /// Its `when`.
    pub when: Option<Place>,
    /// Its `for_each`, and the key of the entry, as people would write it.
    pub for_each: Option<(Place, String)>,
}

/// That somebody says something about an option or an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Where, and how strong that is.
    pub origin: Origin,
    /// What, evaluated; a default that is not used as it is written. Cut where it is long.
    pub given: String,
    /// What that does to the value.
    pub counts: Counts,
    /// The `[[set]]` that it is in.
    pub by: Option<Arc<SetBy>>,
}

/// The definitions of an option or an entry, and those of its entries.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Weakest first.
    pub definitions: Vec<Definition>,
    /// By key of a map, field of a table, index of a list, in the order of the value. Those behind the first thousand
    /// of an option are left out.
    pub parts: Vec<(String, History)>,
}

impl History {
    /// A history of these definitions.
    #[must_use]
    pub fn new(mut definitions: Vec<Definition>) -> Self {
        definitions.sort_by_key(|definition| definition.origin.strength);
        definitions.drain(..definitions.len().saturating_sub(MAX_DEFINITIONS));
        Self { definitions, parts: Vec::new() }
    }

    /// Adds definitions that are not heard.
    #[must_use]
    pub fn and(self, more: Vec<Definition>) -> Self {
        if more.is_empty() {
            return self;
        }
        let definitions = more.into_iter().chain(self.definitions).collect();
        Self { parts: self.parts, ..Self::new(definitions) }
    }

    /// The history of an entry, of an entry of that, and so on.
    #[must_use]
    pub fn part(&self, path: &[String]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        self.parts.iter().find(|(key, _)| key == first)?.1.part(rest)
    }

    /// The origins of what is heard, weakest first.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.definitions.iter().filter(|definition| definition.counts.is_heard()).map(|heard| &heard.origin)
    }
}

/// A default that nobody uses: as it is written.
#[must_use]
pub fn unused(node: &Node) -> Definition {
    let origin = Origin { place: node.place.clone(), strength: Strength::Default };
    Definition { origin, given: given(&node.data), counts: Counts::Overridden, by: None }
}

/// What is given, as people would write it in TOML, and no more of it than is kept.
#[must_use]
pub fn given(data: &Data) -> String {
    let mut out = Cut::default();
    let _ = write(data, &mut out);
    out.text
}

/// A text, and no more of it than is kept.
#[must_use]
pub fn cut(text: impl fmt::Display) -> String {
    let mut out = Cut::default();
    let _ = write!(out, "{text}");
    out.text
}

/// A text that grows no longer than [`MAX_GIVEN`].
#[derive(Default)]
struct Cut {
    text: String,
    length: usize,
}

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            if self.length == MAX_GIVEN {
                self.text.push('…');
                return Err(fmt::Error);
            }
            self.text.push(char);
            self.length += 1;
        }
        Ok(())
    }
}

fn write(data: &Data, out: &mut Cut) -> fmt::Result {
    match data {
        Data::None => out.write_str("none"),
        Data::Bool(value) => write!(out, "{value}"),
        Data::Int(value) => write!(out, "{value}"),
        Data::Float(value) => write!(out, "{value:?}"),
        Data::Str(value) => write!(out, "{value:?}"),
        Data::List(items) => {
            out.write_str("[")?;
            for (index, item) in items.iter().enumerate() {
                out.write_str(if index > 0 { ", " } else { "" })?;
                write(&item.data, out)?;
            }
            out.write_str("]")
        }
        Data::Secret(secret) => write!(out, "{}", Value::Secret(secret.clone())),
        Data::File(file) => write!(out, "{:?}", file.path),
        Data::Table(table) if table.entries.is_empty() => out.write_str("{}"),
        Data::Table(table) => {
            out.write_str("{")?;
            for (index, (key, entry)) in table.entries.iter().enumerate() {
                write!(out, "{} {key} = ", if index > 0 { "," } else { "" })?;
                write(&entry.value.data, out)?;
            }
            out.write_str(" }")
        }
    }
}
