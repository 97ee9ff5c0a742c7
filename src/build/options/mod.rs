//! Every option of every module that is on, with its origin.
//!
//! An option depends on those that its default and every `[[set]]` into it read, found without evaluating anything;
//! they are computed in the order of that graph, once each.

pub mod evaluate;
pub mod given;
pub mod history;
pub mod merge;
pub mod plan;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::report::Place;
use crate::base::value::Value;

use history::History;

use super::names::Meanings;
use super::world::{Leaf, Meaning};

/// How strong an origin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// The default of the module that declares the option.
    Default,
    /// A `[[set]]` of a module.
    Set,
    /// A fragment that the host file imports.
    Import,
    /// The host file.
    Host,
}

impl Strength {
    /// As it is written for people and in the provenance.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Set => "set",
            Self::Import => "import",
            Self::Host => "host",
        }
    }
}

/// From where a value comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Where it is written.
    pub place: Place,
    /// How strong that is.
    pub strength: Strength,
}

/// The value of an option, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The value, in its normal form.
    pub value: Value,
    /// Who said what about it. Nobody where an optional option was not set.
    pub history: History,
}

impl Setting {
    /// Its origins, weakest first: of a list or map all that added to it.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.history.origins()
    }
}

/// The settings of a host, and the options that have none because of an error.
#[derive(Debug, Default)]
pub struct Settings {
    /// By option.
    pub values: BTreeMap<Leaf, Setting>,
    /// Options whose evaluation failed, or that depend on such.
    pub failed: BTreeSet<Leaf>,
}

impl Settings {
    /// The value of an option, or of a table of options; `None` where a part of it failed or is not known yet.
    #[must_use]
    pub fn value(&self, leaf: &Leaf) -> Option<Value> {
        if let Some(setting) = self.values.get(leaf) {
            return Some(setting.value.clone());
        }
        if self.failed.range(leaf..).take_while(|other| is_below(other, leaf)).next().is_some() {
            return None;
        }
        let mut fields = BTreeMap::new();
        let found = self.values.range(leaf..).take_while(|(other, _)| is_below(other, leaf));
        for (other, setting) in found {
            insert(&mut fields, &other.path[leaf.path.len()..], setting.value.clone());
        }
        (!fields.is_empty()).then_some(Value::Map(fields))
    }

    /// The origins of an option, or of all options of a table.
    #[must_use]
    pub fn origins(&self, leaf: &Leaf) -> Vec<Origin> {
        let found = self.values.range(leaf..).take_while(|(other, _)| is_below(other, leaf));
        found.flat_map(|(_, setting)| setting.origins().cloned()).collect()
    }

    /// Where host files and what they import set the options among some names.
    #[must_use]
    pub fn written(&self, meanings: &Meanings) -> Vec<(Place, Leaf)> {
        let mut found: Vec<(Place, Leaf)> = Vec::new();
        for (meaning, _) in meanings {
            let Meaning::Options(leaf) = meaning else { continue };
            for origin in self.origins(leaf) {
                let known = found.iter().any(|(place, _)| *place == origin.place);
                if origin.strength >= Strength::Import && !known {
                    found.push((origin.place, leaf.clone()));
                }
            }
        }
        found
    }
}

fn is_below(leaf: &Leaf, table: &Leaf) -> bool {
    leaf.module == table.module && leaf.path.starts_with(&table.path)
}

/// Puts a value into nested maps.
pub fn insert(map: &mut BTreeMap<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => {
            map.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let inner = map.entry(name.clone()).or_insert_with(|| Value::Map(BTreeMap::new()));
            if let Value::Map(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
