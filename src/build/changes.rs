//! What changed between two bundles of a host.

use std::collections::BTreeMap;
use std::fmt;

use crate::store::manifest::check::Check;
use crate::store::manifest::{Directory, ManagedPath, Manifest, Place, Unit, User};
use crate::store::object::ObjectName;

/// In which way something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// It was not there.
    New,
    /// It was another.
    Changed,
    /// It is there no more.
    Removed,
}

impl Way {
    /// As people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// A part of a bundle that differs; shown as `changed unit comet.service`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// How.
    pub way: Way,
    /// As `unit`.
    pub kind: &'static str,
    /// As `comet.service`.
    pub name: String,
    /// What it was, if it was there.
    pub old: Option<Part>,
    /// What it is, if it is there.
    pub new: Option<Part>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.way.as_str(), self.kind, self.name)
    }
}

/// All that matters of a part of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its bytes.
    pub object: Option<ObjectName>,
    /// What else people know of it, by name.
    pub fields: BTreeMap<&'static str, String>,
    /// All of it, to compare.
    whole: String,
}

impl Part {
    /// A part that is all in its bytes.
    #[must_use]
    pub fn of_object(object: &ObjectName) -> Self {
        Self { object: Some(object.clone()), fields: BTreeMap::new(), whole: object.to_string() }
    }
}

/// What differs, by kind, then name, and what is removed behind that; nothing where the bundles are the same.
#[must_use]
pub fn changes(old: &Manifest, new: &Manifest) -> Vec<Change> {
    let (mut old, new) = (parts(old), parts(new));
    let mut changes = Vec::new();
    for ((kind, name), new) in new {
        let old = old.remove(&(kind, name.clone()));
        if old.as_ref() != Some(&new) {
            let way = if old.is_some() { Way::Changed } else { Way::New };
            changes.push(Change { way, kind, name, old, new: Some(new) });
        }
    }
    changes.extend(old.into_iter().map(|((kind, name), old)| Change {
        way: Way::Removed,
        kind,
        name,
        old: Some(old),
        new: None,
    }));
    changes
}

type Fields = Vec<(&'static str, String)>;

/// What a bundle has, by kind and name.
fn parts(manifest: &Manifest) -> BTreeMap<(&'static str, String), Part> {
    let mut parts = BTreeMap::new();
    let mut add = |(kind, name): (&'static str, String),
                   whole: &dyn fmt::Debug,
                   object: Option<&ObjectName>,
                   fields: Fields| {
        let part = Part {
            object: object.cloned(),
            fields: fields.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
            whole: format!("{whole:?}"),
        };
        parts.insert((kind, name), part);
    };
    let target = &manifest.target;
    let system = format!("{}, {}, python {}", target.system, target.arch, target.python);
    add(("target", system), &(), None, Vec::new());
    for package in &manifest.packages {
        add(("package", package.to_string()), &(), None, Vec::new());
    }
    for path in &manifest.paths {
        let kind = if path.object().is_some() { "file" } else { "link" };
        add((kind, path.path.to_string()), path, path.object(), of_path(path));
    }
    for unit in &manifest.units {
        add(("unit", unit.name.to_string()), unit, Some(&unit.object), of_unit(unit));
    }
    for drop_in in &manifest.drop_ins {
        add(("drop-in", drop_in.file_name()), drop_in, Some(&drop_in.object), Vec::new());
    }
    for group in &manifest.groups {
        add(("group", group.name.to_string()), group, None, Vec::new());
    }
    for user in &manifest.users {
        add(("user", user.name.to_string()), user, None, of_user(user));
    }
    for directory in &manifest.directories {
        add(("directory", directory.path.to_string()), directory, None, of_directory(directory));
    }
    for venv in &manifest.venvs {
        let built = venv.builds.iter().map(|build| format!("{} {}", build.package, build.version));
        let built = built.collect::<Vec<_>>().join(" ");
        let fields = vec![("imports", venv.imports.join(" ")), ("build_on_target", built)];
        add(("venv", venv.name.to_string()), venv, Some(&venv.lock), fields);
    }
    for secret in &manifest.secrets {
        let fields = vec![("path", secret.path.to_string())];
        add(("secret", format!("{} of {}", secret.name, secret.unit)), secret, None, fields);
    }
    for check in &manifest.checks {
        add(("check", check.name.to_string()), check, None, of_check(check));
    }
    parts
}

fn some(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// A flag that few have: it is shown where it is set.
fn flag(set: bool) -> String {
    some(set.then_some(&set))
}

fn of_user(user: &User) -> Fields {
    vec![
        ("group", user.group.to_string()),
        ("home", user.home.to_string()),
        ("shell", user.shell.to_string()),
        ("adopt", flag(user.adopt)),
    ]
}

fn of_directory(directory: &Directory) -> Fields {
    vec![
        ("mode", directory.mode.to_string()),
        ("owner", directory.owner.to_string()),
        ("group", directory.group.to_string()),
    ]
}

fn of_path(path: &ManagedPath) -> Fields {
    let to = match &path.place {
        Place::Straight(to) => to.to_string(),
        Place::Link(_) | Place::Copy(..) => String::new(),
    };
    vec![
        ("place", path.place.as_str().to_owned()),
        ("mode", some(path.mode().as_ref())),
        ("to", to),
        ("adopt", flag(path.adopt)),
    ]
}

fn of_unit(unit: &Unit) -> Fields {
    let wanted_by: Vec<String> = unit.wanted_by.iter().map(ToString::to_string).collect();
    vec![
        ("wanted by", wanted_by.join(" ")),
        ("X-RestartIfChanged", unit.restart_if_changed.to_string()),
        ("X-ReloadIfChanged", unit.reload_if_changed.to_string()),
        ("X-StopIfChanged", unit.stop_if_changed.to_string()),
        ("X-StopOnRemoval", unit.stop_on_removal.to_string()),
        ("seconds to start", unit.start_timeout.to_string()),
        ("seconds to stop", unit.stop_timeout.to_string()),
        ("adopt", flag(unit.adopt)),
    ]
}

fn of_check(check: &Check) -> Fields {
    vec![
        ("kind", check.kind.as_str().to_owned()),
        ("port", some(check.port.as_ref())),
        ("path", some(check.path.as_ref())),
        ("command", check.command.join(" ")),
        ("user", some(check.user.as_ref())),
        ("unit", some(check.unit.as_ref())),
        ("within", format!("{} ms", check.within_ms)),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::build::artifact::{Artifact, FileArtifact, What};
    use crate::build::samples::{artifact, directory, drop_in, file, rendered, unit, user, user_name};
    use crate::build::seal::seal;

    fn manifest(whats: Vec<What>) -> Manifest {
        let artifacts: Vec<Artifact> = whats.into_iter().map(artifact).collect();
        seal(&rendered(artifacts), &BTreeMap::new()).unwrap().bundle.manifest
    }

    fn lines(old: &Manifest, new: &Manifest) -> Vec<String> {
        changes(old, new).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_line_for_each_thing() {
        let service = |name, text| What::Unit(unit(name, text));
        let group = || What::Group { name: user_name("g") };
        let one =
            || vec![service("a.service", "[Service]\nExecStart=/x\n"), What::File(file("/etc/x", b"1"))];
        let with = |more: Vec<What>| one().into_iter().chain(more).collect::<Vec<_>>();
        let cases: [(Vec<What>, Vec<What>, &[&str]); 8] = [
            (one(), one(), &[]),
            (one(), vec![], &["removed file /etc/x", "removed unit a.service"]),
            (vec![], one(), &["new file /etc/x", "new unit a.service"]),
            (
                one(),
                with(vec![drop_in("a.service", "x.conf", "[Service]\nNice=2\n")]),
                &["new drop-in a.service.d/x.conf", "changed unit a.service"],
            ),
            (
                vec![What::File(file("/etc/x", b"1"))],
                vec![What::File(FileArtifact { mode: Some(0o600), ..file("/etc/x", b"1") })],
                &["changed file /etc/x"],
            ),
            (
                vec![service("a.target", "[Unit]\nDescription=a\n")],
                vec![service("a.target", "[Unit]\nDescription=b\n")],
                &["changed unit a.target"],
            ),
            (
                vec![],
                vec![group(), user("u", "g"), directory("/home/u", "u", "g")],
                &[
                    "new directory /home/u",
                    "new file /etc/sysusers.d/voevent.conf",
                    "new file /etc/tmpfiles.d/voevent.conf",
                    "new group g",
                    "new user u",
                ],
            ),
            (
                vec![directory("/srv/a", "root", "root")],
                vec![directory("/srv/b", "root", "root")],
                &[
                    "new directory /srv/b",
                    "changed file /etc/tmpfiles.d/voevent.conf",
                    "removed directory /srv/a",
                ],
            ),
        ];
        for (old, new, expected) in cases {
            assert_eq!(lines(&manifest(old), &manifest(new)), expected);
        }
    }

    #[test]
    fn another_target_is_a_change() {
        let old = manifest(vec![]);
        let mut new = old.clone();
        new.target.python = "3.13".to_owned();
        assert_eq!(
            lines(&old, &new),
            ["new target debian-12, x86_64, python 3.13", "removed target debian-12, x86_64, python 3.11",]
        );
    }
}
