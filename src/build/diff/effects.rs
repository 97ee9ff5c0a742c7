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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::build::artifact::{UnitArtifact, What};
    use crate::build::samples::{artifact, drop_in, rendered, unit};
    use crate::build::seal::seal;

    fn manifest(whats: Vec<What>) -> Manifest {
        let artifacts = whats.into_iter().map(artifact).collect();
        seal(&rendered(artifacts), &BTreeMap::new()).unwrap().bundle.manifest
    }

    fn service(lines: &str, wanted: bool) -> What {
        let plain = unit("a.service", &format!("[Service]\nExecStart=/x\n{lines}"));
        let wanted_by = wanted.then(|| UnitName::new(layout::TARGET_UNIT).unwrap());
        What::Unit(UnitArtifact { wanted_by: wanted_by.into_iter().collect(), ..plain })
    }

    #[test]
    fn by_what_the_unit_says() {
        let one = |lines: &str| vec![service(lines, true)];
        let with = |lines: &str| one(&format!("Nice=1\n[Unit]\n{lines}\n"));
        let keep = "[Unit]\nX-StopOnRemoval=no\n";
        let more = || vec![service("", true), drop_in("a.service", "x.conf", "[Service]\nNice=2\n")];
        let trigger = |value: u8| one(&format!("[Unit]\nX-Reload-Triggers={value}\n"));
        let cases: [(Vec<What>, Vec<What>, Option<&str>); 12] = [
            (one(""), one(""), None),
            (one(""), one("# a comment\n"), None),
            (vec![], one(""), Some("start")),
            (vec![], vec![service("", false)], Some("nothing")),
            (vec![service("", false)], one(""), Some("start")),
            (one(""), vec![], Some("stop")),
            (one(keep), vec![], Some("nothing")),
            (one(""), more(), Some("restart")),
            (trigger(1), trigger(2), Some("reload")),
            (one(""), with("X-ReloadIfChanged=yes"), Some("reload")),
            (one(""), with("X-RestartIfChanged=no"), Some("nothing")),
            (one(""), with("X-StopIfChanged=yes"), Some("stop, then start")),
        ];
        for (index, (old, new, expected)) in cases.into_iter().enumerate() {
            let found = effects(&manifest(old), &manifest(new));
            let actions: Vec<&str> = found.iter().map(|effect| effect.action).collect();
            assert_eq!(actions, expected.into_iter().collect::<Vec<_>>(), "case {index}");
        }
    }
}
