//! `manifest.toml`: all that a bundle is. Its bytes are the bundle's canonical bytes.
//!
//! Written by [`Manifest::to_toml`] in one form only; [`crate::store::bundle`] reads it and refuses another.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::base::digest::{Digest, Kind, OfUnit};
use crate::base::name::{HostName, Label, PackageName, UnitName, UserName};
use crate::base::path::TargetPath;
use crate::store::object::{ObjectDigest, ObjectName};
use crate::store::toml_writer::TomlWriter;

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

/// How a managed path is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A link through `current`.
    Link,
    /// A copy of the object's bytes, root's.
    Copy,
}

/// A managed path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedPath {
    /// Where.
    pub path: TargetPath,
    /// What: a file object.
    pub object: ObjectName,
    /// How.
    pub place: Place,
    /// The mode of a copy, in octal: `0440`; none for a link.
    pub mode: Option<Mode>,
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
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// The unit is active.
    UnitActive,
    /// A broker greets a subscriber at the port.
    Vtp,
    /// A broker refuses an event with an invalid IVOID at the port.
    VtpNak,
}

impl CheckKind {
    /// As modules and manifests write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnitActive => "unit-active",
            Self::Vtp => "vtp",
            Self::VtpNak => "vtp-nak",
        }
    }
}

/// A proof that the node works.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// For people.
    pub name: Label,
    /// What is looked at.
    pub kind: CheckKind,
    /// The port, where the kind has one.
    pub port: Option<u16>,
    /// The unit that it is about.
    pub unit: Option<UnitName>,
    /// Milliseconds until it must hold.
    pub within_ms: u64,
}

impl Check {
    /// How long it may take until it holds.
    #[must_use]
    pub const fn within(&self) -> Duration {
        Duration::from_millis(self.within_ms)
    }
}

/// Permission bits, written as four octal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Mode(u32);

impl Mode {
    /// A mode of at most twelve bits.
    #[must_use]
    pub fn new(bits: u32) -> Option<Self> {
        (bits <= 0o7777).then_some(Self(bits))
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl TryFrom<String> for Mode {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let bits = u32::from_str_radix(&text, 8).ok().and_then(Self::new);
        bits.filter(|mode| mode.to_string() == text).ok_or_else(|| format!("`{text}` is no mode"))
    }
}
impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}
impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
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
    /// The one form of this manifest. Lists must be sorted ([`Manifest::sort`]).
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = TomlWriter::default();
        out.number("format", self.format);
        out.text("host", self.host.as_str());
        out.texts("packages", self.packages.iter().map(PackageName::as_str));
        out.table("target");
        out.text("arch", &self.target.arch);
        out.text("python", &self.target.python);
        out.text("system", &self.target.system);
        self.write_files(&mut out);
        self.write_units(&mut out);
        self.write_users(&mut out);
        self.write_proofs(&mut out);
        out.finish()
    }

    fn write_files(&self, out: &mut TomlWriter) {
        for object in &self.objects {
            out.element("object");
            out.text("hash", &object.digest.hex());
            out.text("kind", object.digest.kind());
            out.text("name", object.name.as_str());
            out.number("size", object.size);
        }
        for path in &self.paths {
            out.element("path");
            out.text("path", path.path.as_str());
            out.text("object", path.object.as_str());
            out.text("place", if path.place == Place::Link { "link" } else { "copy" });
            out.text_if("mode", path.mode.map(|mode| mode.to_string()).as_deref());
        }
    }

    fn write_units(&self, out: &mut TomlWriter) {
        for unit in &self.units {
            out.element("unit");
            out.text("name", unit.name.as_str());
            out.text("object", unit.object.as_str());
            out.text("digest", &unit.digest.hex());
            out.text_if("reload", unit.reload.map(|digest| digest.hex()).as_deref());
            out.flag("restart_if_changed", unit.restart_if_changed);
            out.flag("reload_if_changed", unit.reload_if_changed);
            out.flag("stop_if_changed", unit.stop_if_changed);
            out.flag("stop_on_removal", unit.stop_on_removal);
            out.number("start_timeout", unit.start_timeout);
            out.number("stop_timeout", unit.stop_timeout);
            out.texts("wanted_by", unit.wanted_by.iter().map(UnitName::as_str));
        }
        for drop_in in &self.drop_ins {
            out.element("drop_in");
            out.text("unit", drop_in.unit.as_str());
            out.text("name", drop_in.name.as_str());
            out.text("object", drop_in.object.as_str());
        }
    }

    fn write_users(&self, out: &mut TomlWriter) {
        for group in &self.groups {
            out.element("group");
            out.text("name", group.name.as_str());
        }
        for user in &self.users {
            out.element("user");
            out.text("name", user.name.as_str());
            out.text("group", user.group.as_str());
            out.text("home", user.home.as_str());
            out.text("shell", user.shell.as_str());
        }
        for directory in &self.directories {
            out.element("directory");
            out.text("path", directory.path.as_str());
            out.text("mode", &directory.mode.to_string());
            out.text("owner", directory.owner.as_str());
            out.text("group", directory.group.as_str());
        }
    }

    fn write_proofs(&self, out: &mut TomlWriter) {
        for venv in &self.venvs {
            out.element("venv");
            out.text("name", venv.name.as_str());
            out.text("object", venv.object.as_str());
            out.text("lock", venv.lock.as_str());
            out.texts("imports", venv.imports.iter().map(String::as_str));
        }
        for check in &self.checks {
            out.element("check");
            out.text("name", check.name.as_str());
            out.text("kind", check.kind.as_str());
            if let Some(port) = check.port {
                out.number("port", u64::from(port));
            }
            out.text_if("unit", check.unit.as_ref().map(UnitName::as_str));
            out.number("within_ms", check.within_ms);
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
        self.venvs.sort();
        self.checks.sort();
    }
}
