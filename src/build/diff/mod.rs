//! What a build would change: the host as its files say it now, against a bundle. Nothing is written.

mod effects;
mod other;
mod settings;
mod show;
mod texts;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::digest::{Digest, Hasher, OfLockInputs};
use crate::base::name::Label;
use crate::base::report::{Diagnostic, Severity};
use crate::build::artifact::lock_label;
use crate::build::changes::{Part, Way, changes};
use crate::build::compile::{BuildError, Dry, Project};
use crate::build::lock::Pylock;
use crate::build::seal::LaidVenv;
use crate::build::target_builds::builds;
use crate::build::venvs::Locks;
use crate::store::manifest::Manifest;
use crate::store::object::{File, Object, ObjectDigest, ObjectName};
use crate::store::provenance::Provenance;

pub use effects::Effect;
pub use other::Other;
pub use settings::SettingChange;

use texts::Moved;

/// What differs.
#[derive(Debug, Serialize)]
pub struct Diff {
    /// The host.
    pub host: String,
    /// What it is compared with.
    pub against: String,
    /// Whether nothing differs.
    pub same: bool,
    /// Settings with another value; none where the old ones are not known.
    pub settings: Vec<SettingChange>,
    /// Whether the old settings are known.
    pub settings_known: bool,
    /// What is on the host.
    pub changes: Vec<Entry>,
    /// What a switch does with units that run, and with new ones.
    pub effects: Vec<Effect>,
}

/// Something on the host that differs.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// How.
    pub change: Way,
    /// As `unit`, `file`, `script`.
    pub kind: String,
    /// Its name; a file's path.
    pub name: String,
    /// Settings with another value that it reads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
    /// What differs and is named in its text by a path with a hash.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<String>,
    /// What differs besides its text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// The packages of a venv that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Field>,
    /// Its lines, as a unified diff without a header; none where a text is not at hand or no line differs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lines: String,
    /// Why there is nothing to see.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A value that differs.
#[derive(Debug, Serialize)]
pub struct Field {
    /// Of what.
    pub name: String,
    /// Before, if it was there.
    pub old: Option<String>,
    /// Now, if it is there.
    pub new: Option<String>,
}

/// One of the two that are compared.
struct Side<'a> {
    manifest: &'a Manifest,
    /// The bytes of a file object, where they are at hand.
    text: &'a dyn Fn(&ObjectName) -> Option<Vec<u8>>,
    provenance: Option<&'a Provenance>,
}

impl Project {
    /// What a build would change, compared with another bundle, with warnings. Nothing is written.
    ///
    /// # Errors
    /// Where the configuration is wrong, or the other bundle is not there or is none.
    pub fn diff(&self, other: &Other) -> Result<(Diff, Vec<Diagnostic>), BuildError> {
        let before = self.before(other)?;
        let (dry, mut warnings) = self.now(&before.bundle.manifest)?;
        let made = |name: &ObjectName| match dry.sealed.objects.get(name)? {
            Object::File(file) => Some(file.content.clone()),
            Object::Tree(_) => None,
        };
        let old = Side {
            manifest: &before.bundle.manifest,
            text: &|name| before.text(name).or_else(|| made(name)),
            provenance: before.provenance.as_ref(),
        };
        let new = Side {
            manifest: &dry.sealed.bundle.manifest,
            text: &made,
            provenance: Some(&dry.made.provenance),
        };
        let diff = compared(&old, &new, before.shown.clone());
        warnings.extend(dry.compiled.warnings);
        Ok((diff, warnings))
    }

    /// The host in memory. A venv has the digest that it had before where it has the lock that it had, and else one
    /// that stands for its lock. What is wrong with locks is a warning: all else can be compared.
    fn now(&self, before: &Manifest) -> Result<(Dry, Vec<Diagnostic>), BuildError> {
        let compiled = self.compile()?;
        let folders = self.folders();
        let locks = Locks { folders: &folders, path: &self.host, host: &compiled.host };
        let (mut venvs, mut wrong) = locks.look(&compiled.rendered, &compiled.venvs);
        for one in &mut wrong {
            one.severity = Severity::Warning;
        }
        for (name, laid) in venvs.iter_mut().filter(|(_, laid)| !laid.lock.is_empty()) {
            *laid = standing_for(name, std::mem::take(&mut laid.lock), before);
        }
        Ok((self.dry_of(compiled, &venvs)?, wrong))
    }
}

/// A venv without files, by its lock.
fn standing_for(name: &Label, lock: String, before: &Manifest) -> LaidVenv {
    let own = Object::File(File { exec: false, content: lock.clone().into_bytes() }).digest();
    let own = lock_label(name).ok().map(|label| own.name(&label));
    let same = before.venvs.iter().find(|venv| venv.name == *name && Some(&venv.lock) == own.as_ref());
    let object = same.and_then(|venv| before.objects.iter().find(|object| object.name == venv.object));
    let (digest, size) = object.map_or_else(
        || {
            let digest = Hasher::<OfLockInputs>::default().framed(lock.as_bytes()).finish();
            (ObjectDigest::Tree(Digest::from_bytes(*digest.as_bytes())), 0)
        },
        |object| (object.digest, object.size),
    );
    let builds = Pylock::parse(&lock).ok().and_then(|lock| builds(&lock).ok()).unwrap_or_default();
    LaidVenv { digest, size, tree: None, lock, builds }
}

fn compared(old: &Side<'_>, new: &Side<'_>, against: String) -> Diff {
    let settings = old.provenance.zip(new.provenance);
    let settings_known = settings.is_some();
    let settings = settings.map(|(old, new)| settings::changed(old, new)).unwrap_or_default();
    let moved = Moved::between(old, new);
    let mut entries: Vec<Entry> = changes(old.manifest, new.manifest)
        .into_iter()
        .map(|change| (change.way, change.kind.to_owned(), change.name, change.old, change.new))
        .chain(texts::others(old, new))
        .map(|(way, kind, name, before, now)| Entry::of((way, kind, name), (before, now), (old, new), &moved))
        .collect();
    if let (Some(before), Some(now)) = (old.provenance, new.provenance) {
        for entry in &mut entries {
            entry.because = settings::behind(entry, [(before, old), (now, new)].map(|(p, _)| p), &settings);
        }
    }
    for at in 0..entries.len() {
        explain(&mut entries, at);
    }
    let host = &old.manifest.host;
    let against = if *host == new.manifest.host { against } else { format!("{against} of host {host}") };
    Diff {
        host: new.manifest.host.to_string(),
        against,
        same: old.manifest == new.manifest,
        settings,
        settings_known,
        changes: entries,
        effects: effects::effects(old.manifest, new.manifest),
    }
}

/// Says of what differs in no line why it does: a unit does with its drop-ins.
fn explain(entries: &mut [Entry], at: usize) {
    let drop_ins: Vec<String> = entries
        .iter()
        .filter(|one| one.kind == "drop-in" && entries[at].kind == "unit")
        .filter(|one| one.name.strip_prefix(&entries[at].name).is_some_and(|rest| rest.starts_with(".d/")))
        .map(|one| format!("drop-in {}", one.name))
        .collect();
    let entry = &mut entries[at];
    if entry.change != Way::Changed {
        return;
    }
    entry.through.extend(drop_ins);
    let silent = entry.through.is_empty() && entry.fields.is_empty() && entry.packages.is_empty();
    if silent && entry.lines.is_empty() && entry.note.is_empty() {
        let note = if entry.kind == "secret" { "it was encrypted anew" } else { "no line of it differs" };
        note.clone_into(&mut entry.note);
    }
}

impl Entry {
    fn of(
        (change, kind, name): (Way, String, String),
        (before, now): (Option<Part>, Option<Part>),
        (old, new): (&Side<'_>, &Side<'_>),
        moved: &Moved,
    ) -> Self {
        let object = |part: &Option<Part>| part.as_ref().and_then(|part| part.object.clone());
        let (from, to) = (object(&before), object(&now));
        let mut entry = Self {
            change,
            kind,
            name,
            because: Vec::new(),
            through: Vec::new(),
            fields: Vec::new(),
            packages: Vec::new(),
            lines: String::new(),
            note: String::new(),
        };
        if let (Some(before), Some(now)) = (&before, &now) {
            let plain = |fields: &BTreeMap<&'static str, String>| {
                fields.iter().map(|(name, value)| ((*name).to_owned(), moved.plain(value))).collect()
            };
            entry.fields = different(&plain(&before.fields), &plain(&now.fields));
        }
        if entry.kind == "venv" {
            entry.venv(packages(old, from.as_ref()), packages(new, to.as_ref()));
        } else if let (Some(from), Some(to)) = (from, to)
            && from != to
        {
            match texts::pair((old.text)(&from), (new.text)(&to)) {
                Ok((old, new)) => {
                    entry.through = moved.named(&old, &new);
                    entry.lines = moved.diff(&old, &new);
                }
                Err(why) => why.clone_into(&mut entry.note),
            }
        }
        entry
    }

    /// The packages of a venv that differ.
    fn venv(&mut self, old: Option<BTreeMap<String, String>>, new: Option<BTreeMap<String, String>>) {
        match (old, new) {
            (Some(old), Some(new)) => self.packages = different(&old, &new),
            (None, _) => "its old lock is not at hand".clone_into(&mut self.note),
            (_, None) => "it has no lock for what it is now".clone_into(&mut self.note),
        }
    }
}

/// The versions of what a lock has, where it is at hand; nothing of a venv that is not there.
fn packages(side: &Side<'_>, lock: Option<&ObjectName>) -> Option<BTreeMap<String, String>> {
    let Some(lock) = lock else { return Some(BTreeMap::new()) };
    let lock = Pylock::parse(&String::from_utf8((side.text)(lock)?).ok()?).ok()?;
    Some(lock.versions())
}

fn different(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<Field> {
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let field = |name: &String| Field {
        name: name.clone(),
        old: old.get(name).cloned(),
        new: new.get(name).cloned(),
    };
    names.into_iter().map(field).filter(|field| field.old != field.new).collect()
}
