//! The inputs of a lock: what decides which wheels it has. Their hash is in the lock's file name, so that a lock whose
//! inputs changed is not found, and hosts with the same inputs share one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::file::{LockedFile, Sha256Sum};
use super::read::{MAX_PACKAGES, sdist_file};
use crate::base::digest::{Hasher, OfLockInputs};
use crate::base::name::Label;
use crate::base::value::NamedFile;
use crate::build::artifact::Target;
pub use crate::wheel::SOURCE_DATE_EPOCH;
use crate::wheel::name::normal;
use crate::wheel::tags::{Interpreter, UnknownTarget};

/// A package that takes part in building others, with its exact wheel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// The package's name in normal form.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its wheel.
    pub wheel: LockedFile,
}

/// What packages are built with that come as source only: setuptools, and what old setups ask for beside it.
#[must_use]
pub fn build_pins() -> Vec<Pin> {
    const PINS: [(&str, &str, u64, &str); 3] = [
        ("packaging", "26.3", 129_956, "d7193f7c8e4e93f444fde0262bf90af30e16fa0ad0ad44cb553c87339b23cd1c"),
        ("setuptools", "84.2.1", 876_263, "ca140b45d5325a9478f880e351484f62fef15f336462e449ca0c03c873d589c2"),
        ("wheel", "0.48.0", 33_320, "3217dcc807155e45db462d7ef2431f5ddda0d7273b700d05a67b271ceb1287ab"),
    ];
    let pin = |(name, version, size, sha256): (&str, &str, u64, &str)| {
        let file = format!("{name}-{version}-py3-none-any.whl");
        let sha256 = Sha256Sum::from_hex(sha256)?;
        let wheel = LockedFile { name: file, size, sha256 };
        Some(Pin { name: name.to_owned(), version: version.to_owned(), wheel })
    };
    PINS.into_iter().filter_map(pin).collect()
}

/// What is to be locked: a venv of a module on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRequest {
    /// The venv's name.
    pub venv: Label,
    /// Its requirements, as PEP 508 writes them.
    pub requirements: Vec<String>,
    /// The host.
    pub target: Target,
    /// The source distribution that one of the packages is built from, in place of what an index has.
    pub source: Option<Arc<NamedFile>>,
    /// Packages that are built on the target, in normal form, sorted.
    pub build_on_target: Vec<String>,
}

/// Everything that decides about a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockInputs {
    /// Requirements, sorted, each once.
    pub requirements: Vec<String>,
    /// The host's interpreter, arch and glibc.
    pub python: Interpreter,
    /// What packages that come as source only are built with.
    pub pins: Vec<Pin>,
    /// The time of their files.
    pub epoch: u64,
    /// The source distribution of a fork.
    pub source: Option<Fork>,
    /// Packages of which the source is locked, and no wheel, in normal form, sorted.
    pub build_on_target: Vec<String>,
}

/// A package that is built from a source distribution which the project has itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The package's name in normal form.
    pub name: String,
    /// Its source distribution.
    pub sdist: LockedFile,
}

/// Why nothing can be locked for a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The host.
    #[error(transparent)]
    Target(#[from] UnknownTarget),
    /// All requirements.
    #[error("{0} requirements: {MAX_PACKAGES} are the most")]
    TooMany(usize),
    /// A requirement.
    #[error("requirement `{}` {why}", requirement.escape_debug())]
    Requirement {
        /// Its text.
        requirement: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A source distribution.
    #[error("`{}` {why}", file.escape_debug())]
    Source {
        /// Its name.
        file: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl BadRequest {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Target(_) => "correct `system`, `arch` or `python` in the host's `[host]`",
            Self::Source { .. } => {
                "name it as `comet-3.1.1.tar.gz`, for the requirement `comet==3.1.1` (PEP 625)"
            }
            Self::TooMany(_) => "leave out those that others bring along",
            Self::Requirement { .. } => "write a package and its versions, as `comet==3.1.0` (PEP 508)",
        }
    }
}

impl LockRequest {
    /// The inputs of its lock.
    ///
    /// # Errors
    /// Where the target is not known, there are too many requirements, or one names a place instead of a package.
    pub fn inputs(&self) -> Result<LockInputs, BadRequest> {
        let mut requirements: Vec<String> =
            self.requirements.iter().map(|text| text.trim().to_owned()).collect();
        requirements.sort();
        requirements.dedup();
        if requirements.len() > MAX_PACKAGES {
            return Err(BadRequest::TooMany(requirements.len()));
        }
        for requirement in &requirements {
            if let Some(why) = requirement_fault(requirement) {
                return Err(BadRequest::Requirement { requirement: requirement.clone(), why });
            }
        }
        let python = Interpreter::of(&self.target)?;
        let source = self.source.as_deref().map(|file| fork(file, &requirements)).transpose()?;
        let build_on_target = self.build_on_target.clone();
        if let Some(fork) = source.as_ref().filter(|fork| build_on_target.contains(&fork.name)) {
            let why = "is built on this workstation, and `build_on_target` names its package too";
            return Err(BadRequest::Source { file: fork.sdist.name.clone(), why });
        }
        let (pins, epoch) = (build_pins(), SOURCE_DATE_EPOCH);
        Ok(LockInputs { requirements, python, pins, epoch, source, build_on_target })
    }
}

/// Of which required package a file is the source.
fn fork(file: &NamedFile, requirements: &[String]) -> Result<Fork, BadRequest> {
    let bad = |why| BadRequest::Source { file: file.path.clone(), why };
    let name = sdist_file(file.label.as_str()).map_err(bad)?;
    let stem = normal(&name);
    let of = |package: &String| stem.strip_prefix(package.as_str()).is_some_and(|rest| rest.starts_with('-'));
    // The longest name: `comet-tools` is no version of `comet`.
    let package = requirements.iter().map(|text| package(text)).filter(of).max_by_key(String::len);
    let package = package.ok_or_else(|| bad("is the source of no package that is required"))?;
    Ok(Fork { name: package, sdist: LockedFile::of(&name, &file.bytes) })
}

/// What is wrong with a requirement: it is a line of a file that uv reads, and must be nothing but a requirement.
#[must_use]
pub fn requirement_fault(text: &str) -> Option<&'static str> {
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Some("must begin with the name of a package");
    }
    if text.len() > 1000 || text.chars().any(|c| c.is_control() || matches!(c, '#' | '\\')) {
        return Some("is no requirement (PEP 508)");
    }
    // A URL would put the name of a host into the lock, and its bytes past every index and mirror.
    text.contains(['@', '/'])
        .then_some("must name a version, not a place: where wheels come from is pip's configuration")
}

/// The name of the package that a requirement asks for, in normal form.
fn package(requirement: &str) -> String {
    let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')));
    normal(&requirement[..end.unwrap_or(requirement.len())])
}

impl LockInputs {
    /// The first 8 hexadecimal digits of their hash.
    #[must_use]
    pub fn hex(&self) -> String {
        let mut hasher = Hasher::<OfLockInputs>::default();
        hasher.bytes(&(self.requirements.len() as u64).to_le_bytes());
        for requirement in &self.requirements {
            hasher.framed(requirement.as_bytes());
        }
        let Interpreter { minor, arch, glibc } = &self.python;
        hasher.bytes(&[*minor]).framed(arch.as_str().as_bytes()).bytes(&glibc.to_le_bytes());
        hasher.bytes(&self.epoch.to_le_bytes());
        hasher.bytes(&(self.pins.len() as u64).to_le_bytes());
        for Pin { name, version, wheel } in &self.pins {
            hasher.framed(name.as_bytes()).framed(version.as_bytes());
            hasher.framed(wheel.name.as_bytes()).bytes(wheel.sha256.as_bytes());
        }
        if let Some(Fork { name, sdist }) = &self.source {
            hasher.framed(name.as_bytes()).framed(sdist.name.as_bytes()).bytes(sdist.sha256.as_bytes());
        }
        if !self.build_on_target.is_empty() {
            hasher.framed(b"build on target").framed(self.build_on_target.join(" ").as_bytes());
        }
        hasher.finish().hex()[..8].to_owned()
    }

    /// The file name of the lock of a venv with these inputs. PEP 751: `pylock.<name>.toml`, no dot in the name.
    #[must_use]
    pub fn file_name(&self, venv: &Label) -> String {
        format!("{}{}.toml", prefix(venv), self.hex())
    }

    /// What is different in newer inputs.
    #[must_use]
    pub fn changes(&self, newer: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        let by_package = |inputs: &Self| -> BTreeMap<String, Vec<String>> {
            let mut map = BTreeMap::<_, Vec<_>>::new();
            for requirement in &inputs.requirements {
                map.entry(package(requirement)).or_default().push(requirement.clone());
            }
            map
        };
        let (old, new) = (by_package(self), by_package(newer));
        for package in old.keys().chain(new.keys().filter(|package| !old.contains_key(*package))) {
            let text = |map: &BTreeMap<String, Vec<String>>| map.get(package).map(|all| all.join(", "));
            changes.push(Change { what: "requirement", old: text(&old), new: text(&new) });
        }
        let mut both = |what, old: String, new: String| {
            changes.push(Change { what, old: Some(old), new: Some(new) });
        };
        both("python", self.python.version(), newer.python.version());
        both("arch", self.python.arch.as_str().to_owned(), newer.python.arch.as_str().to_owned());
        both("glibc", format!("2.{}", self.python.glibc), format!("2.{}", newer.python.glibc));
        both("build requirements", pin_list(&self.pins), pin_list(&newer.pins));
        both("`SOURCE_DATE_EPOCH`", self.epoch.to_string(), newer.epoch.to_string());
        let fork = |inputs: &Self| {
            inputs.source.as_ref().map(|Fork { sdist, .. }| format!("{} {}", sdist.name, sdist.sha256))
        };
        changes.push(Change { what: "source", old: fork(self), new: fork(newer) });
        let built =
            |inputs: &Self| (!inputs.build_on_target.is_empty()).then(|| inputs.build_on_target.join(", "));
        changes.push(Change { what: "`build_on_target`", old: built(self), new: built(newer) });
        changes.retain(|change| change.old != change.new);
        changes
    }
}

/// What the names of all locks of a venv begin with.
#[must_use]
pub fn prefix(venv: &Label) -> String {
    format!("pylock.{}-", venv.as_str().replace('.', "_"))
}

fn pin_list(pins: &[Pin]) -> String {
    pins.iter()
        .map(|pin| format!("{}=={} {}", pin.name, pin.version, pin.wheel.sha256))
        .collect::<Vec<_>>()
        .join(", ")
}

/// An input that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub what: &'static str,
    /// As it was; `None`: it was not there.
    pub old: Option<String>,
    /// As it is; `None`: it is gone.
    pub new: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "{} `{old}` is now `{new}`", self.what),
            (None, Some(new)) => write!(f, "{} `{new}` is new", self.what),
            (Some(old), None) => write!(f, "{} `{old}` is gone", self.what),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(requirements: &[&str], python: &str) -> LockRequest {
        let [system, arch, python] = ["debian-12", "x86_64", python].map(str::to_owned);
        LockRequest {
            venv: Label::new("a.b").unwrap(),
            requirements: requirements.iter().map(|text| (*text).to_owned()).collect(),
            target: Target { arch, python, system },
            source: None,
            build_on_target: Vec::new(),
        }
    }

    #[test]
    fn the_pins_are_all_there() {
        assert_eq!(build_pins().len(), 3);
        assert!(build_pins().iter().all(|pin| pin.wheel.size > 0));
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        let one = request(&["b==1", "a==1"], "3.11").inputs().unwrap();
        let other = request(&["a==1", " b==1 ", "a==1"], "3.11").inputs().unwrap();
        assert_eq!(one, other);
        assert_ne!(one.hex(), request(&["a==1", "b==2"], "3.11").inputs().unwrap().hex());
        assert_ne!(one.hex(), request(&["a==1", "b==1"], "3.13").inputs().unwrap().hex());
        let name = one.file_name(&Label::new("a.b").unwrap());
        assert_eq!(name, format!("pylock.a_b-{}.toml", one.hex()));
    }

    #[test]
    fn says_what_changed() {
        let old = request(&["Comet==3.1.0", "b"], "3.11").inputs().unwrap();
        let new = request(&["comet==3.2.0", "c"], "3.13").inputs().unwrap();
        let changes: Vec<_> = old.changes(&new).iter().map(ToString::to_string).collect();
        let expected = [
            "requirement `b` is gone",
            "requirement `Comet==3.1.0` is now `comet==3.2.0`",
            "requirement `c` is new",
            "python `3.11` is now `3.13`",
        ];
        assert_eq!(changes, expected);
        assert_eq!(old.changes(&old), []);
    }

    #[test]
    fn a_lock_has_room_for_so_many_requirements() {
        let all: Vec<String> = (0..=MAX_PACKAGES).map(|number| format!("a{number}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        assert!(request(&all[1..], "3.11").inputs().is_ok());
        let error = request(&all, "3.11").inputs().unwrap_err();
        assert_eq!(error.to_string(), "2001 requirements: 2000 are the most");
        assert_eq!(error.help(), "leave out those that others bring along");
    }

    #[test]
    fn a_requirement_is_no_place_and_no_option() {
        for bad in ["", "-r x", "--index-url x", "./x", "a @ file:x", "a\nb", "a # b", "a\\", "https://x"] {
            assert!(request(&[bad], "3.11").inputs().is_err(), "{bad}");
        }
        for good in ["a", "a==1", "a[b,c]>=1,<2; python_version < '3.12'", "A.b_c ~= 1.0"] {
            assert!(request(&[good], "3.11").inputs().is_ok(), "{good}");
        }
    }
}
