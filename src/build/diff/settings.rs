//! Settings with another value, and what reads them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::store::provenance::{Artifact, Provenance, Setting};

use super::Entry;

/// A setting with another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// As `comet.receive.port`.
    pub name: String,
    /// Before, if it was there.
    pub old: Option<String>,
    /// Now, if it is there.
    pub new: Option<String>,
    /// Where that is said, as `hosts/node1.toml:14`; of a setting that is gone, where it was said.
    pub at: Option<String>,
}

/// The longest values of a list, map or table that are shown as a whole, together.
const MAX_WHOLE: usize = 120;

/// All settings with another value. Of a long one that has parts its parts are named; of modules that come or go what
/// others than themselves say.
pub(super) fn changed(old: &Provenance, new: &Provenance) -> Vec<SettingChange> {
    let [before, now] = [old, new].map(by_name);
    let [had, has] = [&before, &now].map(|all| all.keys().map(|name| module(name)).collect::<BTreeSet<_>>());
    let is_told = |name: &str, setting: &Setting| {
        (had.contains(module(name)) && has.contains(module(name)))
            || heard(setting).is_some_and(|definition| definition.strength != "default")
    };
    let names: BTreeSet<&str> = before.keys().chain(now.keys()).copied().collect();
    let mut changes: Vec<SettingChange> = Vec::new();
    for name in names {
        let (from, to) = (before.get(name), now.get(name));
        let value = |setting: Option<&&Setting>| setting.map(|setting| setting.value.clone());
        let (old_value, new_value) = (value(from), value(to));
        let Some(last) = to.or(from).filter(|setting| is_told(name, setting)) else { continue };
        if old_value == new_value {
            continue;
        }
        let of = if to.is_some() { new } else { old };
        let at = heard(last).and_then(|definition| {
            Some(format!("{}:{}", of.sources.get(definition.at.source)?, definition.at.line))
        });
        changes.push(SettingChange { name: name.to_owned(), old: old_value, new: new_value, at });
    }
    whole_or_parts(&changes)
}

/// Either a setting or its parts.
fn whole_or_parts(changes: &[SettingChange]) -> Vec<SettingChange> {
    let size = |change: &SettingChange| {
        [&change.old, &change.new].into_iter().flatten().map(|value| value.chars().count()).sum::<usize>()
    };
    let shown = |change: &&SettingChange| {
        let has_parts = changes.iter().any(|other| is_part(&other.name, &change.name));
        let in_whole =
            changes.iter().any(|other| is_part(&change.name, &other.name) && size(other) <= MAX_WHOLE);
        !in_whole && (!has_parts || size(change) <= MAX_WHOLE)
    };
    changes.iter().filter(shown).cloned().collect()
}

fn is_part(name: &str, whole: &str) -> bool {
    name.strip_prefix(whole).is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn by_name(provenance: &Provenance) -> BTreeMap<&str, &Setting> {
    provenance.settings.iter().map(|setting| (setting.name.as_str(), setting)).collect()
}

fn module(name: &str) -> &str {
    name.split_once('.').map_or(name, |(module, _)| module)
}

/// What is said about a setting and counts.
fn heard(setting: &Setting) -> Option<&crate::store::provenance::Definition> {
    setting.definitions.iter().rev().find(|one| matches!(one.counts.as_str(), "wins" | "adds"))
}

/// The changed settings that something reads, before or now.
pub(super) fn behind(entry: &Entry, sides: [&Provenance; 2], changes: &[SettingChange]) -> Vec<String> {
    let mut read: BTreeSet<&str> = BTreeSet::new();
    for provenance in sides {
        for artifact in provenance.artifacts.iter().filter(|artifact| is_of(artifact, entry)) {
            reads(provenance, artifact, &mut read);
        }
    }
    let is_read = |change: &&SettingChange| {
        read.iter()
            .any(|name| *name == change.name || is_part(name, &change.name) || is_part(&change.name, name))
    };
    changes.iter().filter(is_read).map(|change| change.name.clone()).collect()
}

/// Whether an artifact is what differs.
fn is_of(artifact: &Artifact, entry: &Entry) -> bool {
    let path = artifact.path.as_deref();
    match entry.kind.as_str() {
        "file" => path == Some(&entry.name),
        "unit" | "drop-in" => {
            path.and_then(|path| path.strip_prefix(crate::base::layout::UNITS)?.strip_prefix('/'))
                == Some(&entry.name)
        }
        kind => artifact.kind == kind && artifact.name == entry.name,
    }
}

fn reads<'a>(provenance: &'a Provenance, artifact: &Artifact, read: &mut BTreeSet<&'a str>) {
    let causes = artifact.lines.0.iter().filter_map(|run| provenance.causes.get(run.cause));
    let (mut settings, mut conditions) = (artifact.settings.clone(), artifact.conditions.clone());
    for cause in causes {
        settings.extend(&cause.settings);
        conditions.extend(&cause.conditions);
    }
    conditions.sort_unstable();
    conditions.dedup();
    let conditions = conditions.iter().filter_map(|index| provenance.conditions.get(*index));
    settings.extend(conditions.flat_map(|condition| &condition.settings));
    let names = settings.iter().filter_map(|index| provenance.settings.get(*index));
    read.extend(names.map(|setting| setting.name.as_str()));
}
