//! Which modules are on, and their one order: each behind all that it names.

use std::collections::BTreeMap;

use crate::base::name::InstanceName;
use crate::base::report::{Diagnostic, Place};

use super::instance::Instance;
use super::ring::order;

/// The modules that are on, by name.
pub type Modules = BTreeMap<InstanceName, Instance>;

/// The order of the modules: those that a module requires, or uses and that are on, come before it.
///
/// # Errors
/// Where there is none, each ring with its places.
pub fn module_order(modules: &Modules) -> Result<Vec<InstanceName>, Vec<Diagnostic>> {
    let names: Vec<&InstanceName> = modules.keys().collect();
    let mut edges: Vec<(usize, usize, Place)> = Vec::new();
    for (from, module) in modules.values().enumerate() {
        for (needed, place) in module.needs() {
            if let Ok(to) = names.binary_search(&needed) {
                edges.push((from, to, place.clone()));
            }
        }
    }
    match order(names.len(), &edges) {
        Ok(order) => Ok(order.into_iter().map(|index| names[index].clone()).collect()),
        Err(rings) => Err(rings
            .into_iter()
            .map(|ring| {
                let around: Vec<String> = ring.iter().map(|(module, _)| names[*module].to_string()).collect();
                let around: Vec<&str> = around.iter().map(String::as_str).collect();
                ring_error("modules name each other in a ring", &around, ring.iter().map(|(_, place)| place))
                    .help("let the one who needs something tell the one who provides it, by `[[set]]`")
            })
            .collect()),
    }
}

/// The error that shows a ring of names, each with the place where it names the next.
pub fn ring_error<'a>(what: &str, names: &[&str], places: impl Iterator<Item = &'a Place>) -> Diagnostic {
    let first = names.first().copied().unwrap_or_default();
    let mut error = Diagnostic::error(format!("{what}: `{}` → `{first}`", names.join("` → `")));
    for (index, place) in places.enumerate() {
        let next = names.get(index + 1).copied().unwrap_or(first);
        error = error.at(place.clone(), format!("`{}` needs `{next}`", names[index]));
    }
    error
}
