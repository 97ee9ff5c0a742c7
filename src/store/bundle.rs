//! Bundles: a manifest that was checked, and the links that let people browse it.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::digest::{Digest, Hasher, OfBundle};
use crate::base::layout;
use crate::base::name::{Label, UnitName};
use crate::base::nesting::read;
use crate::base::path::TargetPath;
use crate::store::manifest::{DropIn, FORMAT, ManagedPath, Manifest, Place, Unit};
use crate::store::object::{ObjectDigest, ObjectName};

/// The largest manifest that is read: 16 MiB.
pub const MAX_MANIFEST: u64 = 16 << 20;
/// The file of a bundle that is the bundle.
pub const MANIFEST: &str = "manifest.toml";

/// A manifest whose name and content were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The bundle's name in a store.
    pub name: ObjectName,
    /// What it says.
    pub manifest: Manifest,
}

/// Why a manifest is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBundle {
    /// Its bytes are not those that the name stands for.
    #[error("the manifest of bundle `{expected}` was altered: its bytes make `{found}`")]
    Altered {
        /// The name that was asked for.
        expected: ObjectName,
        /// The name that the bytes have.
        found: ObjectName,
    },
    /// No UTF-8, no TOML, or fields that are not those of a manifest.
    #[error("the manifest cannot be read: {0}")]
    Syntax(String),
    /// Of another version of the format.
    #[error(
        "the manifest has format {0}; this program reads format {FORMAT}: use the programs of one version"
    )]
    Format(u64),
    /// Not written in the one form.
    #[error("the manifest is not in its canonical form: it was not written by `voevent-build`")]
    NotCanonical,
    /// It contradicts itself.
    #[error("the manifest is inconsistent: {0}")]
    Inconsistent(String),
}

/// The digest of a bundle.
#[must_use]
pub fn bundle_digest(manifest: &str) -> Digest<OfBundle> {
    Hasher::default().bytes(manifest.as_bytes()).finish()
}

impl Bundle {
    /// Seals a manifest: sorts it, checks it and names it.
    ///
    /// # Errors
    /// Where it contradicts itself.
    pub fn seal(mut manifest: Manifest) -> Result<Self, BadBundle> {
        manifest.sort();
        check(&manifest)?;
        let name = Self::name_of(&manifest, &manifest.to_toml())?;
        Ok(Self { name, manifest })
    }

    /// Reads the manifest of the bundle `name` from its bytes; `expected` is the name under which it was found.
    ///
    /// # Errors
    /// Where the bytes are not the bundle's, or not a manifest in canonical form.
    pub fn read(expected: &ObjectName, bytes: &[u8]) -> Result<Self, BadBundle> {
        let text = std::str::from_utf8(bytes).map_err(|error| BadBundle::Syntax(error.to_string()))?;
        let label = Label::new(expected.label()).map_err(|error| BadBundle::Syntax(error.to_string()))?;
        let found = ObjectName::of_bundle(bundle_digest(text), &label);
        if found != *expected {
            return Err(BadBundle::Altered { expected: expected.clone(), found });
        }
        let manifest = parse(text)?;
        let name = Self::name_of(&manifest, text)?;
        if name != *expected {
            return Err(BadBundle::Altered { expected: expected.clone(), found: name });
        }
        check(&manifest)?;
        Ok(Self { name, manifest })
    }

    /// Reads a manifest of a bundle that has no name here: its bytes give it one.
    ///
    /// # Errors
    /// Where the bytes are not a manifest in canonical form.
    pub fn read_nameless(bytes: &[u8]) -> Result<Self, BadBundle> {
        let text = std::str::from_utf8(bytes).map_err(|error| BadBundle::Syntax(error.to_string()))?;
        let manifest = parse(text)?;
        check(&manifest)?;
        Ok(Self { name: Self::name_of(&manifest, text)?, manifest })
    }

    fn name_of(manifest: &Manifest, text: &str) -> Result<ObjectName, BadBundle> {
        let label = Label::new(manifest.host.as_str()).map_err(|e| BadBundle::Syntax(e.to_string()))?;
        Ok(ObjectName::of_bundle(bundle_digest(text), &label))
    }

    /// The paths of `root/`, relative, each with the object that its link leads to.
    #[must_use]
    pub fn root(&self) -> BTreeMap<String, ObjectName> {
        let manifest = &self.manifest;
        let paths = manifest.paths.iter();
        let paths = paths.filter_map(|path| Some((path.path.as_str().to_owned(), path.object()?)));
        let units =
            manifest.units.iter().map(|unit| (format!("{}/{}", layout::UNITS, unit.name), &unit.object));
        let drop_ins = manifest
            .drop_ins
            .iter()
            .map(|drop_in| (format!("{}/{}", layout::UNITS, drop_in.file_name()), &drop_in.object));
        paths
            .chain(units)
            .chain(drop_ins)
            .map(|(path, object)| (path.trim_start_matches('/').to_owned(), object.clone()))
            .collect()
    }

    /// The unit of this name.
    #[must_use]
    pub fn unit(&self, name: &UnitName) -> Option<&Unit> {
        self.manifest.units.iter().find(|unit| unit.name == *name)
    }
}

fn parse(text: &str) -> Result<Manifest, BadBundle> {
    #[derive(serde::Deserialize)]
    struct OnlyFormat {
        format: u64,
    }
    let only: OnlyFormat = read(text).map_err(BadBundle::Syntax)?;
    if only.format != FORMAT {
        return Err(BadBundle::Format(only.format));
    }
    let manifest: Manifest = read(text).map_err(BadBundle::Syntax)?;
    let mut sorted = manifest.clone();
    sorted.sort();
    if sorted.to_toml() == text { Ok(manifest) } else { Err(BadBundle::NotCanonical) }
}

/// What must hold between the parts of a manifest, whoever wrote it.
fn check(manifest: &Manifest) -> Result<(), BadBundle> {
    check_objects(manifest)?;
    check_paths(manifest)?;
    check_checks(manifest)?;
    let units = manifest.units.iter().map(|unit| unit.name.to_string());
    unique("unit", units)?;
    unique("drop-in", manifest.drop_ins.iter().map(DropIn::file_name))?;
    unique("user", manifest.users.iter().map(|user| user.name.to_string()))?;
    unique("group", manifest.groups.iter().map(|group| group.name.to_string()))?;
    unique("directory", manifest.directories.iter().map(|directory| directory.path.to_string()))?;
    unique("venv", manifest.venvs.iter().map(|venv| venv.name.to_string()))?;
    for venv in &manifest.venvs {
        unique("build", venv.builds.iter().map(|build| build.package.to_string()))?;
    }
    check_secrets(manifest)?;
    unique("check", manifest.checks.iter().map(|check| check.name.to_string()))
}

/// A secret is a unit's of the bundle, under a name that systemd takes.
fn check_secrets(manifest: &Manifest) -> Result<(), BadBundle> {
    for secret in &manifest.secrets {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if !matches!(secret.name.len(), 1..=255) || !secret.name.bytes().all(plain) {
            let text = format!("`{}` cannot name a secret", secret.name.escape_debug());
            return Err(BadBundle::Inconsistent(text));
        }
        let decrypted = secret.object.as_ref().map(|object| format!("{}/{object}", layout::SECRETS));
        if decrypted
            .map_or_else(|| secret.path.is_below(layout::SECRETS), |path| secret.path.as_str() != path)
        {
            let text = format!("the secret `{}` cannot be at `{}`", secret.name, secret.path);
            return Err(BadBundle::Inconsistent(text));
        }
        let drop_ins = manifest.drop_ins.iter().map(|drop_in| &drop_in.unit);
        if !manifest.units.iter().map(|unit| &unit.name).chain(drop_ins).any(|unit| *unit == secret.unit) {
            let text = format!("the secret `{}` is of `{}`, which is not there", secret.name, secret.unit);
            return Err(BadBundle::Inconsistent(text));
        }
    }
    unique("secret", manifest.secrets.iter().map(|secret| format!("{}/{}", secret.unit, secret.name)))
}

fn unique(what: &str, names: impl Iterator<Item = String>) -> Result<(), BadBundle> {
    let mut seen = BTreeSet::new();
    for name in names {
        if seen.contains(&name) {
            return Err(BadBundle::Inconsistent(format!("{what} `{name}` is there twice")));
        }
        seen.insert(name);
    }
    Ok(())
}

fn check_objects(manifest: &Manifest) -> Result<(), BadBundle> {
    let mut objects = BTreeMap::new();
    for object in &manifest.objects {
        let label = Label::new(object.name.label()).map_err(|e| BadBundle::Inconsistent(e.to_string()))?;
        if object.digest.name(&label) != object.name {
            let text = format!("`{}` is not the name of its hash", object.name);
            return Err(BadBundle::Inconsistent(text));
        }
        objects.insert(&object.name, object.digest);
    }
    unique("object", manifest.objects.iter().map(|object| object.name.to_string()))?;
    let files = manifest.paths.iter().filter_map(ManagedPath::object);
    let files = files.chain(manifest.units.iter().map(|unit| &unit.object));
    let files = files.chain(manifest.drop_ins.iter().map(|drop_in| &drop_in.object));
    let files = files.chain(manifest.venvs.iter().map(|venv| &venv.lock));
    let files = files.chain(manifest.secrets.iter().filter_map(|secret| secret.object.as_ref()));
    let trees = manifest.venvs.iter().map(|venv| &venv.object);
    for (name, is_file) in files.map(|name| (name, true)).chain(trees.map(|name| (name, false))) {
        match (objects.get(name), is_file) {
            (Some(ObjectDigest::File(_)), true) | (Some(ObjectDigest::Tree(_)), false) => {}
            (Some(_), _) => {
                return Err(BadBundle::Inconsistent(format!("`{name}` is of the wrong kind for its use")));
            }
            (None, _) => {
                return Err(BadBundle::Inconsistent(format!("`{name}` is not in the closure")));
            }
        }
    }
    Ok(())
}

/// Managed paths lie under `/etc`, where only root can write, and none is or holds another.
fn check_paths(manifest: &Manifest) -> Result<(), BadBundle> {
    unique("path", manifest.paths.iter().map(|path| path.path.to_string()))?;
    let paths: BTreeSet<&str> = manifest.paths.iter().map(|managed| managed.path.as_str()).collect();
    for managed in &manifest.paths {
        let path = &managed.path;
        if !may_be_managed(path) {
            return Err(BadBundle::Inconsistent(format!("`{path}` is no path that can be managed")));
        }
        if let Some(above) = path.above().find(|above| paths.contains(above)) {
            return Err(BadBundle::Inconsistent(format!("`{above}` is a file and a folder at once")));
        }
        if let Place::Straight(to) = &managed.place
            && !may_be_led_to(path, to)
        {
            return Err(BadBundle::Inconsistent(format!("`{path}` must not lead to `{to}`")));
        }
    }
    Ok(())
}

/// Whether a link straight from `path` may lead to `to`: what is in our own folder moves and goes, and a link that leads
/// to itself leads nowhere.
#[must_use]
pub fn may_be_led_to(path: &TargetPath, to: &TargetPath) -> bool {
    !to.is_below(layout::STATE) && !to.is_below(path.as_str()) && !path.is_below(to.as_str())
}

/// Whether a module may place a file here: below `/etc`, apart from units, which the generator gives to systemd, and
/// the files that the system's own tools rewrite.
#[must_use]
pub fn may_be_managed(path: &TargetPath) -> bool {
    const NEVER: [&str; 12] = [
        "/etc/systemd/system",
        "/etc/systemd/system-generators",
        "/etc/passwd",
        "/etc/shadow",
        "/etc/group",
        "/etc/gshadow",
        "/etc/subuid",
        "/etc/subgid",
        "/etc/fstab",
        "/etc/machine-id",
        "/etc/sudoers",
        "/etc/ld.so.cache",
    ];
    path.is_below("/etc") && path.as_str() != "/etc" && !NEVER.iter().any(|never| path.is_below(never))
}

fn check_checks(manifest: &Manifest) -> Result<(), BadBundle> {
    use crate::store::manifest::check::CheckKind::{Command, FileNewer, Http, Tcp, UnitActive, Vtp, VtpNak};
    for check in &manifest.checks {
        let has = (check.port.is_some(), check.path.is_some(), !check.command.is_empty());
        let absolute = check.command.first().is_none_or(|program| TargetPath::new(program).is_ok());
        let good = match check.kind {
            UnitActive => check.unit.is_some() && has == (false, false, false),
            Vtp | VtpNak | Tcp => has == (true, false, false),
            Http => has == (true, false, false) && check.http().is_some(),
            FileNewer => has == (false, true, false),
            Command => has == (false, false, true) && absolute,
        };
        let good = good && (check.kind == Command || check.user.is_none());
        let asks = check.url_path.is_some() || check.status.is_some() || check.contains.is_some();
        let good = good && (check.kind == Http || !asks);
        if !good {
            let text = format!("check `{}` lacks what its kind needs", check.name);
            return Err(BadBundle::Inconsistent(text));
        }
        if let Some(unit) = &check.unit
            && !manifest.units.iter().any(|known| known.name == *unit)
        {
            let text = format!("check `{}` is about `{unit}`, which is not in the bundle", check.name);
            return Err(BadBundle::Inconsistent(text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::HostName;
    use crate::store::manifest::{ClosureObject, Target};
    use crate::store::object::file_digest;

    fn manifest() -> Manifest {
        let digest = ObjectDigest::File(file_digest(false, b"x\n"));
        let object = digest.name(&Label::new("motd").unwrap());
        let target = Target { arch: "x86_64".into(), python: "3.11".into(), system: "debian-12".into() };
        let empty = Manifest::empty(HostName::new("node1").unwrap(), target);
        Manifest {
            objects: vec![ClosureObject { name: object.clone(), digest, size: 2 }],
            paths: vec![ManagedPath {
                path: TargetPath::new("/etc/motd").unwrap(),
                place: Place::Link(object),
                adopt: false,
            }],
            ..empty
        }
    }

    #[test]
    fn a_sealed_manifest_is_read_back() {
        let bundle = Bundle::seal(manifest()).unwrap();
        let text = bundle.manifest.to_toml();
        assert_eq!(Bundle::read(&bundle.name, text.as_bytes()), Ok(bundle.clone()));
        assert_eq!(bundle.root().keys().collect::<Vec<_>>(), ["etc/motd"]);
    }

    /// Every flipped bit is another name; every other form with a right name is refused.
    #[test]
    fn no_other_bytes_are_taken() {
        let bundle = Bundle::seal(manifest()).unwrap();
        let text = bundle.manifest.to_toml();
        for at in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at / 8] ^= 1 << (at % 8);
            assert!(Bundle::read(&bundle.name, &bytes).is_err(), "bit {at}");
        }
        for other in [text.replace(" = ", "="), text.clone() + "\n", text.replace("size = 2", "size = 0x2")] {
            let name = Bundle::name_of(&bundle.manifest, &other).unwrap();
            assert_eq!(Bundle::read(&name, other.as_bytes()), Err(BadBundle::NotCanonical));
        }
    }

    #[test]
    fn an_error_is_one_plain_line() {
        let text = manifest().to_toml().replace("\"node1\"", "\"no\\n\u{9b}de\"");
        let name = ObjectName::of_bundle(bundle_digest(&text), &Label::new("node1").unwrap());
        let error = Bundle::read(&name, text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("the manifest cannot be read: `no??de` is no host name"), "{error}");
    }

    #[test]
    fn contradictions_are_refused() {
        let bad = |change: fn(&mut Manifest)| {
            let mut manifest = manifest();
            change(&mut manifest);
            Bundle::seal(manifest).unwrap_err().to_string()
        };
        assert!(bad(|m| m.objects.clear()).contains("is not in the closure"));
        assert!(bad(|m| m.objects.push(m.objects[0].clone())).contains("is there twice"));
        assert!(bad(|m| m.paths[0].path = TargetPath::new("/home/x/y").unwrap()).contains("can be managed"));
        assert!(
            bad(|m| m.paths[0].path = TargetPath::new("/etc/passwd").unwrap()).contains("can be managed")
        );
        assert!(
            bad(|m| {
                let inner = TargetPath::new("/etc/motd/x").unwrap();
                m.paths.push(ManagedPath { path: inner, ..m.paths[0].clone() });
            })
            .contains("a file and a folder")
        );
        for to in ["/etc/motd", "/etc/motd/x", "/etc", "/var/lib/voevent/store/x"] {
            let mut manifest = manifest();
            manifest.paths[0].place = Place::Straight(TargetPath::new(to).unwrap());
            assert!(Bundle::seal(manifest).unwrap_err().to_string().contains("must not lead to"), "{to}");
        }
    }
}
