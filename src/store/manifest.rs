//! `manifest.toml`: all that a bundle is. Its bytes are the bundle's canonical bytes.
//!
//! Written by [`Manifest::to_toml`] in one form only; [`crate::store::bundle`] reads it and refuses another.

use serde::Deserialize;

use crate::base::digest::{Digest, Kind, OfUnit};
use crate::base::name::{HostName, Label, PackageName, UnitName, UserName};
use crate::base::path::TargetPath;
use crate::store::manifest::check::Check;
use crate::store::object::{ObjectDigest, ObjectName};

pub mod check;
mod place;
pub mod treatment;
mod write;

pub use place::{ManagedPath, Mode, Place};

/// The version of the format that this program writes, and the only one that it reads.
pub const FORMAT: u64 = 1;

/// What a host is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u64,
    /// The host's name.
    pub host: HostName,
    /// What it is compiled for.
    pub target: Target,
    /// Packages of the distribution that must be there, sorted.
    pub packages: Vec<PackageName>,
    /// The closure, sorted by name.
    #[serde(default, rename = "object")]
    pub objects: Vec<ClosureObject>,
    /// Managed paths, sorted.
    #[serde(default, rename = "path")]
    pub paths: Vec<ManagedPath>,
    /// Units, sorted by name.
    #[serde(default, rename = "unit")]
    pub units: Vec<Unit>,
    /// Drop-ins, sorted by unit and name.
    #[serde(default, rename = "drop_in")]
    pub drop_ins: Vec<DropIn>,
    /// Groups, sorted.
    #[serde(default, rename = "group")]
    pub groups: Vec<Group>,
    /// Users, sorted by name.
    #[serde(default, rename = "user")]
    pub users: Vec<User>,
    /// Folders outside the store, sorted by path.
    #[serde(default, rename = "directory")]
    pub directories: Vec<Directory>,
    /// Python environments, sorted by name.
    #[serde(default, rename = "venv")]
    pub venvs: Vec<Venv>,
    /// Secrets that must lie on the target, sorted by unit and name.
    #[serde(default, rename = "secret")]
    pub secrets: Vec<Secret>,
    /// Proofs that the node works, sorted by name.
    #[serde(default, rename = "check")]
    pub checks: Vec<Check>,
}

/// The target that a bundle is compiled for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Machine, as uname(2) says.
    pub arch: String,
    /// Minor version of the interpreter, as `3.11`.
    pub python: String,
    /// `ID` and `VERSION_ID` of os-release(5), as `debian-12`.
    pub system: String,
}

/// An object of the closure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "RawObject")]
pub struct ClosureObject {
    /// Its name.
    pub name: ObjectName,
    /// Its full digest.
    pub digest: ObjectDigest,
    /// Bytes of its files and links.
    pub size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawObject {
    hash: String,
    kind: String,
    name: ObjectName,
    size: u64,
}

impl TryFrom<RawObject> for ClosureObject {
    type Error = String;
    fn try_from(raw: RawObject) -> Result<Self, String> {
        let digest = ObjectDigest::parse(&raw.kind, &raw.hash)
            .ok_or_else(|| format!("`{}` has no kind or hash that is known", raw.name))?;
        Ok(Self { name: raw.name, digest, size: raw.size })
    }
}

/// A unit and the rules by which a switch treats it (the `X-` keys are those of NixOS).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the unit with that name")]
pub struct Unit {
    /// Its name.
    pub name: UnitName,
    /// Its text: a file object.
    pub object: ObjectName,
    /// Over all that matters of it and of our drop-ins; a running service carries it as `VOEVENT_UNIT`.
    #[serde(deserialize_with = "hex")]
    pub digest: Digest<OfUnit>,
    /// `X-Reload-Triggers=`: another value of it alone is a reload.
    #[serde(default, deserialize_with = "some_hex")]
    pub reload: Option<Digest<OfUnit>>,
    /// `X-RestartIfChanged=`
    pub restart_if_changed: bool,
    /// `X-ReloadIfChanged=`
    pub reload_if_changed: bool,
    /// `X-StopIfChanged=`: stop before the flip and start after it, instead of a restart after it.
    pub stop_if_changed: bool,
    /// `X-StopOnRemoval=`
    pub stop_on_removal: bool,
    /// Seconds that starting may take.
    pub start_timeout: u64,
    /// Seconds that stopping may take.
    pub stop_timeout: u64,
    /// Who wants it.
    pub wanted_by: Vec<UnitName>,
    /// Whether somebody else's unit of its name is set aside, and given back when it goes.
    #[serde(default)]
    pub adopt: bool,
}

/// A drop-in of a unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropIn {
    /// The unit, ours or not.
    pub unit: UnitName,
    /// The file's name in `<unit>.d/`.
    pub name: Label,
    /// Its text: a file object.
    pub object: ObjectName,
}

impl DropIn {
    /// Its file below the folder of units: `comet.service.d/x.conf`.
    #[must_use]
    pub fn file_name(&self) -> String {
        drop_in_file(&self.unit, &self.name)
    }
}

/// The file of a drop-in below the folder of units (systemd.unit(5)): `comet.service.d/x.conf`.
#[must_use]
pub fn drop_in_file(unit: &UnitName, name: &Label) -> String {
    format!("{unit}.d/{name}")
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: UserName,
}

/// A user: no password, no group but the primary one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The login.
    pub name: UserName,
    /// The primary group.
    pub group: UserName,
    /// The home folder.
    pub home: TargetPath,
    /// The login shell.
    pub shell: TargetPath,
    /// Whether one of its name that is there already is taken as it is.
    #[serde(default)]
    pub adopt: bool,
}

/// A folder that systemd-tmpfiles makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Where.
    pub path: TargetPath,
    /// Its mode.
    pub mode: Mode,
    /// Its owner.
    pub owner: UserName,
    /// Its group.
    pub group: UserName,
}

/// A Python environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Venv {
    /// Its name.
    pub name: Label,
    /// The tree that was laid out from its wheels.
    pub object: ObjectName,
    /// The lock that it was laid out by.
    pub lock: ObjectName,
    /// Modules whose import proves that it works.
    pub imports: Vec<String>,
    /// Packages of it that the target builds, by name.
    #[serde(default, rename = "build")]
    pub builds: Vec<Build>,
}

/// A package that becomes a wheel on the target. What its build takes lies in the venv's object, in
/// `build-on-target/<package>`: the source distribution, and `environment` with what builds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Its name in normal form.
    pub package: Label,
    /// Its version.
    pub version: String,
    /// The file name of its source distribution.
    pub source: Label,
    /// What builds it, as `setuptools.build_meta` (PEP 517, `build-backend`).
    pub backend: String,
    /// Folders of the source in which that is looked for first (PEP 517, `backend-path`).
    pub backend_path: Vec<String>,
}

/// The folder of a venv's object that has what [`Build`]s take.
pub const BUILDS: &str = "build-on-target";

/// A secret that a unit loads: a file of root's alone, that lies on the target or comes encrypted. Its text is nowhere in
/// a bundle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The unit.
    pub unit: UnitName,
    /// The credential's name in it.
    pub name: String,
    /// The file.
    pub path: TargetPath,
    /// The age file that it is the text of, where it comes with the bundle.
    pub object: Option<ObjectName>,
}

fn hex<'de, K: Kind, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Digest<K>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Digest::from_hex(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no digest")))
}

fn some_hex<'de, K: Kind, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Digest<K>>, D::Error> {
    hex(deserializer).map(Some)
}

impl Manifest {
    /// A host with nothing on it.
    #[must_use]
    pub const fn empty(host: HostName, target: Target) -> Self {
        Self {
            format: FORMAT,
            host,
            target,
            packages: Vec::new(),
            objects: Vec::new(),
            paths: Vec::new(),
            units: Vec::new(),
            drop_ins: Vec::new(),
            groups: Vec::new(),
            users: Vec::new(),
            directories: Vec::new(),
            venvs: Vec::new(),
            secrets: Vec::new(),
            checks: Vec::new(),
        }
    }

    /// Puts all lists into the order in which they are written.
    pub fn sort(&mut self) {
        self.packages.sort();
        self.objects.sort();
        self.paths.sort();
        self.units.sort();
        self.drop_ins.sort();
        self.groups.sort();
        self.users.sort();
        self.directories.sort();
        self.venvs.iter_mut().for_each(|venv| venv.builds.sort());
        self.venvs.sort();
        self.secrets.sort();
        self.checks.sort();
    }
}
