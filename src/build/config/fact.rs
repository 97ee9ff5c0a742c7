//! The tables of what a module states about its services, as written: they put nothing on a host.
//!
//! The words are those of the VOEvent Transport Protocol: authors send events to a broker's receiving port, subscribers
//! take them from its broadcasting port.

use std::collections::BTreeMap;

use crate::base::report::{Diagnostic, Place};

use super::artifact::Holds;
use super::keys::Keys;
use super::module::Guard;
use super::tree::{Node, Table};

/// The kinds of facts, by the names of their tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// `[[listen]]`: a service takes connections.
    Listen,
    /// `[[subscribe]]`: a service takes events from a broker.
    Subscribe,
    /// `[[broker]]`: who a broker is, to those that it talks to.
    Broker,
    /// `[[source]]`: events come in from elsewhere than a broker or an author.
    Source,
}

impl FactKind {
    /// All kinds, each with the name of its tables.
    pub const ALL: [(&'static str, Self); 4] = [
        ("listen", Self::Listen),
        ("subscribe", Self::Subscribe),
        ("broker", Self::Broker),
        ("source", Self::Source),
    ];

    /// Its keys besides `when` and `for_each`, what they hold, and whether they must be there.
    #[must_use]
    pub const fn keys(self) -> &'static [(&'static str, Holds, bool)] {
        match self {
            Self::Listen => &[
                ("port", Holds::Port, true),
                ("protocol", Holds::Text, false),
                ("role", Holds::Text, false),
                ("from", Holds::Networks, false),
                ("service", Holds::Text, false),
            ],
            Self::Subscribe => &[("to", Holds::HostPort, true)],
            Self::Broker => &[("ivo", Holds::Ivoid, true)],
            Self::Source => &[("name", Holds::Text, true)],
        }
    }

    /// The name of its tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Listen => "a `[[listen]]`",
            Self::Subscribe => "a `[[subscribe]]`",
            Self::Broker => "a `[[broker]]`",
            Self::Source => "a `[[source]]`",
        }
    }
}

/// A fact, as written.
#[derive(Debug, Clone)]
pub struct FactDecl {
    /// What it is about.
    pub kind: FactKind,
    /// Its header.
    pub place: Place,
    /// When and how often.
    pub guard: Guard,
    /// Its keys; strings may have expressions in them.
    pub keys: BTreeMap<&'static str, Node>,
}

/// Reads all tables of facts, in the order of the text.
pub fn facts(keys: &mut Keys<'_>, faults: &mut Vec<Diagnostic>) -> Vec<FactDecl> {
    let mut found = Vec::new();
    for (name, kind) in FactKind::ALL {
        for (table, place) in keys.tables(name, faults) {
            found.push(fact(kind, table, place, faults));
        }
    }
    found.sort_by_key(|fact| fact.place.span.start);
    found
}

fn fact(kind: FactKind, table: &Table, place: Place, faults: &mut Vec<Diagnostic>) -> FactDecl {
    let mut keys = Keys::new(table, place.clone(), kind.title());
    let guard = Guard::read(&mut keys, faults);
    let values = keys.declared(kind.keys(), faults);
    keys.finish(faults);
    FactDecl { kind, place, guard, keys: values }
}
