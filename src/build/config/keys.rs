//! Reading a table key by key: what nobody asked for is unknown, and reported with the nearest name.

use std::collections::BTreeMap;

use crate::base::nearest::advice;
use crate::base::report::{Diagnostic, Place};

use super::tree::{Data, Entry, Node, Placed, Table};

/// A table that is being read.
#[derive(Debug)]
pub struct Keys<'a> {
    table: &'a Table,
    place: Place,
    known: Vec<&'static str>,
    what: &'static str,
}

impl<'a> Keys<'a> {
    /// Begins to read a table that is written at `place`; `what` names it in messages: `a unit`.
    #[must_use]
    pub const fn new(table: &'a Table, place: Place, what: &'static str) -> Self {
        Self { table, place, known: Vec::new(), what }
    }

    /// The entry of a key, which is known from now on.
    pub fn take(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.known.push(key);
        self.table.entries.get(key)
    }

    /// The values of the keys that a table may have: each with its name, what it holds, and whether it must be there.
    pub fn declared<H>(
        &mut self,
        keys: &[(&'static str, H, bool)],
        faults: &mut Vec<Diagnostic>,
    ) -> BTreeMap<&'static str, Node> {
        let mut values = BTreeMap::new();
        for (key, _, required) in keys {
            match self.take(key) {
                Some(entry) => drop(values.insert(*key, entry.value.clone())),
                None if *required => self.missing(key, faults),
                None => {}
            }
        }
        values
    }

    /// The string of a key.
    pub fn string(&mut self, key: &'static str, faults: &mut Vec<Diagnostic>) -> Option<Placed<String>> {
        self.take(key).and_then(|entry| string(&entry.value, faults))
    }

    /// The string of a key that must be there.
    pub fn required(&mut self, key: &'static str, faults: &mut Vec<Diagnostic>) -> Option<Placed<String>> {
        if !self.table.entries.contains_key(key) {
            self.missing(key, faults);
        }
        self.string(key, faults)
    }

    /// Reports that a key is not there.
    pub fn missing(&self, key: &str, faults: &mut Vec<Diagnostic>) {
        let message = format!("{} needs `{key}`", self.what);
        faults.push(
            Diagnostic::error(message).at(self.place.clone(), "").help(format!("add a line `{key} = …`")),
        );
    }

    /// The boolean of a key, `false` where it is not there.
    pub fn flag(&mut self, key: &'static str, faults: &mut Vec<Diagnostic>) -> bool {
        let Some(entry) = self.take(key) else { return false };
        if let Data::Bool(value) = &entry.value.data {
            return *value;
        }
        faults.push(mismatch(&entry.value, "a boolean"));
        false
    }

    /// The strings of a key, none where it is not there.
    pub fn strings(&mut self, key: &'static str, faults: &mut Vec<Diagnostic>) -> Vec<Placed<String>> {
        let Some(entry) = self.take(key) else { return Vec::new() };
        let Data::List(items) = &entry.value.data else {
            faults.push(mismatch(&entry.value, "a list of strings"));
            return Vec::new();
        };
        items.iter().filter_map(|item| string(item, faults)).collect()
    }

    /// The tables of an array of tables, each with its header's place; none where it is not there.
    pub fn tables(&mut self, key: &'static str, faults: &mut Vec<Diagnostic>) -> Vec<(&'a Table, Place)> {
        let Some(entry) = self.take(key) else { return Vec::new() };
        let Data::List(items) = &entry.value.data else {
            faults.push(mismatch(&entry.value, "an array of tables").help(format!("write `[[{key}]]`")));
            return Vec::new();
        };
        items.iter().filter_map(|item| table(item, faults).map(|table| (table, item.place.clone()))).collect()
    }

    /// Ends the reading: all that nobody asked for is unknown.
    pub fn finish(self, faults: &mut Vec<Diagnostic>) {
        for (key, entry) in &self.table.entries {
            if !self.known.contains(&key.as_str()) {
                let message = format!("{} has no key `{key}`", self.what);
                let help = advice(key, self.known.iter().copied());
                faults.push(Diagnostic::error(message).at(entry.key.clone(), "").help(help));
            }
        }
    }
}

/// The string that a node must be.
pub fn string(node: &Node, faults: &mut Vec<Diagnostic>) -> Option<Placed<String>> {
    if let Data::Str(text) = &node.data {
        return Some(Placed { value: text.clone(), place: node.place.clone() });
    }
    faults.push(mismatch(node, "a string"));
    None
}

/// The table that a node must be.
pub fn table<'a>(node: &'a Node, faults: &mut Vec<Diagnostic>) -> Option<&'a Table> {
    if let Data::Table(table) = &node.data {
        return Some(table);
    }
    faults.push(mismatch(node, "a table"));
    None
}

/// The error that a node is something else than `wanted`.
#[must_use]
pub fn mismatch(node: &Node, wanted: &str) -> Diagnostic {
    let error = Diagnostic::error(format!("expected {wanted}, found {}", node.data.kind()))
        .at(node.place.clone(), format!("this is {}", node.data.kind()));
    match wanted {
        "a string" => error.help("write it in quotes"),
        "a boolean" => error.help("write `true` or `false`, without quotes"),
        "an integer" | "a float" => error.help("write a number, without quotes"),
        "a table" => error.help("write it in `{ }`, or as `[table]`"),
        wanted if wanted.starts_with("a list") => error.help("write it in `[ ]`"),
        _ => error,
    }
}
