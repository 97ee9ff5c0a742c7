//! The hosts of a folder together: what one says about another must be true.
//!
//! Only what the hosts' own facts decide is an error. What depends on the network between them is a warning, or nothing.

pub mod flow;
mod retired;
mod subscriptions;
mod together;

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::name::HostName;
use crate::base::report::{Diagnostic, Place};

use super::config::tree::Placed;
use super::facts::{Facts, Said};
use super::front::Compiled;

/// What is kept of a host to compare it with others.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub name: HostName,
    /// Its `[host] address`.
    pub address: Option<Placed<String>>,
    /// What its modules state.
    pub facts: Facts,
}

impl Member {
    /// What is kept of a compiled host; its facts are taken out of it.
    #[must_use]
    pub fn of(compiled: &mut Compiled) -> Self {
        Self {
            name: compiled.host.name.clone(),
            address: compiled.host.texts.get("address").cloned(),
            facts: std::mem::take(&mut compiled.facts),
        }
    }

    /// Its address, where that is an IP address.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.as_ref()?.value.parse().ok()
    }
}

/// All that is wrong or doubtful between hosts, errors and warnings, in an order that depends on the hosts' order alone.
#[must_use]
pub fn judge(members: &[Member]) -> Vec<Diagnostic> {
    let flow = flow::Flow::of(members);
    let mut found = together::equal_addresses(members);
    found.extend(together::equal_ivos(members));
    found.extend(subscriptions::misled(&flow));
    found.extend(together::rings(&flow));
    found.extend(together::unreached(&flow));
    found.extend(subscriptions::single(&flow));
    found.extend(retired::upstreams(&flow));
    found
}

/// The most hosts that a message names.
const MAX_NAMED: usize = 3;

/// Hosts by their names, the first few of them: `` `a`, `b` and 7 more ``.
#[must_use]
pub fn named(names: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        names if names.len() > MAX_NAMED + 1 => {
            format!("{} and {} more", names[..MAX_NAMED].join(", "), names.len() - MAX_NAMED)
        }
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// Hosts that share a fault: their names, and what is said of it, by place; a fragment that many import is shown once.
#[derive(Debug, Default)]
struct Sharers<'a> {
    by_place: BTreeMap<(&'a str, usize), (&'a Said, Vec<&'a HostName>)>,
}

impl<'a> Sharers<'a> {
    fn add(&mut self, name: &'a HostName, said: &'a Said) {
        let place = said.place();
        let key = (place.source.name.as_str(), place.span.start);
        self.by_place.entry(key).or_insert_with(|| (said, Vec::new())).1.push(name);
    }

    fn names(&self) -> Vec<&'a HostName> {
        self.by_place.values().flat_map(|(_, names)| names.iter().copied()).collect()
    }

    /// Adds the first few places, each with the hosts that it is about.
    fn shown(&self, diagnostic: Diagnostic) -> Diagnostic {
        self.by_place.values().take(MAX_NAMED).fold(diagnostic, |diagnostic, (said, names)| {
            diagnostic.at(said.place().clone(), format!("by {}", named(names.iter().copied())))
        })
    }
}

/// Adds a place unless it is shown already.
fn also(diagnostic: Diagnostic, place: Option<&Place>, label: &str) -> Diagnostic {
    match place {
        Some(place) if diagnostic.places.iter().all(|(shown, _)| shown != place) => {
            diagnostic.at(place.clone(), label)
        }
        _ => diagnostic,
    }
}
