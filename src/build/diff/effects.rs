//! What a switch does with the units of a bundle, where those of the other run as it was left.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::base::layout;
use crate::base::name::UnitName;
use crate::store::manifest::treatment::{IfChanged, is_template};
use crate::store::manifest::{Manifest, Unit};

/// What a switch does with a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// The unit.
    pub unit: String,
    /// As `restart`, `reload`, `start`, `stop`, `stop, then start`, `nothing`.
    pub action: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// What a switch does with all units that differ; where none differs, nothing.
pub(super) fn effects(old: &Manifest, new: &Manifest) -> Vec<Effect> {
    let find = |manifest: &'_ Manifest, name: &UnitName| -> Option<Unit> {
        manifest.units.iter().find(|unit| unit.name == *name).cloned()
    };
    let names: BTreeSet<&UnitName> = old.units.iter().chain(&new.units).map(|unit| &unit.name).collect();
    let effect = |name: &UnitName| {
        let (action, reason) = effect(find(old, name).as_ref(), find(new, name).as_ref())?;
        Some(Effect { unit: name.to_string(), action, reason })
    };
    names.into_iter().filter(|name| !is_template(name)).filter_map(effect).collect()
}

/// What is done, and why.
fn effect(old: Option<&Unit>, new: Option<&Unit>) -> Option<(&'static str, &'static str)> {
    let gone = "no module has it any more";
    match (old, new) {
        (None, None) => None,
        (Some(old), None) if old.stop_on_removal => Some(("stop", gone)),
        (Some(_), None) => Some(("nothing", "`X-StopOnRemoval=no`: it runs on")),
        (None, Some(new)) if !new.wanted_by.is_empty() || new.name.as_str() == layout::TARGET_UNIT => {
            Some(("start", "it is new"))
        }
        (None, Some(_)) => Some(("nothing", "it is new, and nothing wants it")),
        (Some(old), Some(new)) if old.digest == new.digest => {
            if old.reload != new.reload {
                Some(("reload", "`X-Reload-Triggers=` differs"))
            } else if old.wanted_by.is_empty() && !new.wanted_by.is_empty() {
                Some(("start", "it is wanted now"))
            } else {
                None
            }
        }
        (Some(_), Some(new)) => Some(match new.if_changed() {
            IfChanged::Nothing => ("nothing", "a target, or `X-RestartIfChanged=no`"),
            IfChanged::Reload => ("reload", "`X-ReloadIfChanged=yes`"),
            IfChanged::StopAndStart => ("stop, then start", "another definition of it runs"),
            IfChanged::Restart => ("restart", "another definition of it runs"),
        }),
    }
}
