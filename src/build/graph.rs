//! Which modules are on, and their one order: each behind all that it names.

use std::collections::BTreeMap;

use crate::base::name::ModuleName;
use crate::base::report::{Diagnostic, Place};

use super::config::module::ModuleFile;
use super::ring::order;

/// The modules that are on, by name.
pub type Modules = BTreeMap<ModuleName, ModuleFile>;

/// The order of the modules: those that a module requires, or uses and that are on, come before it.
///
/// # Errors
/// Where there is none, each ring with its places.
pub fn module_order(modules: &Modules) -> Result<Vec<ModuleName>, Vec<Diagnostic>> {
    let names: Vec<&ModuleName> = modules.keys().collect();
    let mut edges: Vec<(usize, usize, Place)> = Vec::new();
    for (from, module) in modules.values().enumerate() {
        for named in module.requires.iter().chain(&module.uses) {
            if let Ok(to) = names.binary_search(&&named.value) {
                edges.push((from, to, named.place.clone()));
            }
        }
    }
    match order(names.len(), &edges) {
        Ok(order) => Ok(order.into_iter().map(|index| names[index].clone()).collect()),
        Err(rings) => Err(rings
            .into_iter()
            .map(|ring| {
                let around: Vec<&str> = ring.iter().map(|(module, _)| names[*module].as_str()).collect();
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
