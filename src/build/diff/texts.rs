//! The texts of two bundles, line by line. Paths with hashes differ wherever what they lead to differs; that is shown
//! once, where it is, and not again in all that names it.

use std::collections::{BTreeMap, BTreeSet};

use similar::TextDiff;

use crate::build::changes::{Part, Way};
use crate::store::manifest::{ManagedPath, Manifest};
use crate::store::object::{ObjectDigest, ObjectName};

use super::Side;

/// The most lines of a text that is compared line by line.
const MAX_LINES: usize = 5000;

/// What of the one bundle has another object of the same label in the other.
pub(super) struct Moved {
    /// Texts that mean the same in both, with what is written for both.
    plain: Vec<(String, String)>,
    /// The names of objects, with what people call them.
    names: BTreeMap<ObjectName, String>,
}

impl Moved {
    pub(super) fn between(old: &Side<'_>, new: &Side<'_>) -> Self {
        let [before, now] = [old, new].map(|side| names(side.manifest));
        let labels = |names: &BTreeSet<&ObjectName>, others: &BTreeSet<&ObjectName>| -> BTreeSet<String> {
            names.difference(others).map(|name| name.label().to_owned()).collect()
        };
        let both: BTreeSet<String> =
            labels(&before, &now).intersection(&labels(&now, &before)).cloned().collect();
        let mut moved = Self { plain: Vec::new(), names: BTreeMap::new() };
        for name in before.symmetric_difference(&now).filter(|name| both.contains(name.label())) {
            moved.plain.push((name.to_string(), format!("…-{}", name.label())));
            let kind = kind(old, name).or_else(|| kind(new, name)).unwrap_or_else(|| "object".to_owned());
            moved.names.insert((*name).clone(), format!("{kind} {}", name.label()));
        }
        // By this line a process tells its definition: it differs where anything does.
        for unit in old.manifest.units.iter().chain(&new.manifest.units) {
            let line = |hex: &str| format!("LogExtraFields=VOEVENT_UNIT={hex}");
            moved.plain.push((line(&unit.digest.hex()), line("…")));
        }
        moved
    }

    /// A text without hashes of what is shown elsewhere.
    pub(super) fn plain(&self, text: &str) -> String {
        self.plain.iter().fold(text.to_owned(), |text, (found, plain)| text.replace(found, plain))
    }

    /// What the texts name that is shown elsewhere.
    pub(super) fn named(&self, old: &str, new: &str) -> Vec<String> {
        let is_named = |name: &&ObjectName| old.contains(name.as_str()) || new.contains(name.as_str());
        let names: BTreeSet<&String> =
            self.names.keys().filter(is_named).map(|name| &self.names[name]).collect();
        names.into_iter().cloned().collect()
    }

    /// The lines that differ, with three around them.
    pub(super) fn diff(&self, old: &str, new: &str) -> String {
        let (old, new) = (self.plain(old), self.plain(new));
        TextDiff::from_lines(&old, &new).unified_diff().context_radius(3).to_string()
    }
}

type Other = (Way, String, String, Option<Part>, Option<Part>);

/// Objects that differ and have no path of their own: scripts, and files that are named by their hash.
pub(super) fn others(old: &Side<'_>, new: &Side<'_>) -> Vec<Other> {
    let [before, now] = [old, new].map(|side| nameless(side.manifest));
    let mut labels: BTreeMap<&str, [Vec<&ObjectName>; 2]> = BTreeMap::new();
    before.difference(&now).for_each(|name| labels.entry(name.label()).or_default()[0].push(name));
    now.difference(&before).for_each(|name| labels.entry(name.label()).or_default()[1].push(name));
    let mut others = Vec::new();
    for (label, [old_names, new_names]) in labels {
        for index in 0..old_names.len().max(new_names.len()) {
            let (from, to) = (old_names.get(index).copied(), new_names.get(index).copied());
            let way = match (from, to) {
                (None, _) => Way::New,
                (Some(_), None) => Way::Removed,
                (Some(_), Some(_)) => Way::Changed,
            };
            let kind = from.and_then(|name| kind(old, name)).or_else(|| kind(new, to?));
            let part = |name: Option<&ObjectName>| name.map(Part::of_object);
            let kind = kind.unwrap_or_else(|| "object".to_owned());
            others.push((way, kind, label.to_owned(), part(from), part(to)));
        }
    }
    others
}

fn names(manifest: &Manifest) -> BTreeSet<&ObjectName> {
    manifest.objects.iter().map(|object| &object.name).collect()
}

/// The files of a closure that nothing of the manifest places.
fn nameless(manifest: &Manifest) -> BTreeSet<&ObjectName> {
    let placed: BTreeSet<&ObjectName> = (manifest.paths.iter().filter_map(ManagedPath::object))
        .chain(manifest.units.iter().map(|unit| &unit.object))
        .chain(manifest.drop_ins.iter().map(|drop_in| &drop_in.object))
        .chain(manifest.venvs.iter().map(|venv| &venv.lock))
        .chain(manifest.secrets.iter().filter_map(|secret| secret.object.as_ref()))
        .collect();
    let files = manifest.objects.iter().filter(|object| matches!(object.digest, ObjectDigest::File(_)));
    files.map(|object| &object.name).filter(|name| !placed.contains(name)).collect()
}

/// What an object is, as its module or the manifest says.
fn kind(side: &Side<'_>, name: &ObjectName) -> Option<String> {
    if side.manifest.venvs.iter().any(|venv| venv.object == *name) {
        return Some("venv".to_owned());
    }
    if side.manifest.secrets.iter().any(|secret| secret.object.as_ref() == Some(name)) {
        return Some("secret".to_owned());
    }
    let artifacts = &side.provenance?.artifacts;
    artifacts.iter().find(|one| one.object.as_ref() == Some(name)).map(|one| one.kind.clone())
}

/// Two texts that can be compared, or why they cannot.
pub(super) fn pair(old: Option<Vec<u8>>, new: Option<Vec<u8>>) -> Result<(String, String), &'static str> {
    let old = old.ok_or("its old text is not at hand")?;
    let new = new.ok_or("its new text is not at hand")?;
    let text = |bytes| String::from_utf8(bytes).map_err(|_| "it is no text");
    let (old, new) = (text(old)?, text(new)?);
    if [&old, &new].iter().any(|text| text.lines().count() > MAX_LINES) {
        return Err("it is too long to be compared line by line");
    }
    Ok((old, new))
}
