//! Our lock files: PEP 751, with `path` instead of any URL, and what it takes to make and check them under
//! `tool.voevent`. One canonical text for each lock.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::file::LockedFile;
use super::inputs::{Fork, LockInputs, Pin};
use crate::wheel::tags::Interpreter;

/// A lock: the wheels that requirements resolved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pylock {
    /// What it was made from.
    pub inputs: LockInputs,
    /// The packages that have wheels, by name.
    pub packages: Vec<LockedPackage>,
    /// The packages that are built on the target, by name.
    pub sources: Vec<LockedSource>,
}

/// A package of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its name in normal form (PEP 503).
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its wheel, in the folder `wheels` beside the lock.
    pub wheel: LockedFile,
    /// What the wheel was built from, where no index has it.
    pub sdist: Option<LockedFile>,
}

/// A package that is built on the target, with all that its build takes but the target's own compilers and headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedSource {
    /// Its name in normal form.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its source distribution, in the folder `wheels` beside the lock.
    pub sdist: LockedFile,
    /// What builds it, as `setuptools.build_meta` (PEP 517, `build-backend`).
    pub backend: String,
    /// Folders of the source in which that is looked for first (PEP 517, `backend-path`).
    pub backend_path: Vec<String>,
    /// What that needs, by name (PEP 518, `requires`), each a wheel for the target in the folder `wheels`.
    pub requires: Vec<Pin>,
}

/// The folder of wheels, beside the locks.
pub const WHEELS: &str = "wheels";

impl Pylock {
    /// The version of each package.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<String, String> {
        let wheels = self.packages.iter().map(|package| (&package.name, &package.version));
        let sources = self.sources.iter().map(|source| (&source.name, &source.version));
        wheels.chain(sources).map(|(name, version)| (name.clone(), version.clone())).collect()
    }

    /// The canonical text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let LockInputs { requirements, python, pins, epoch, source, build_on_target } = &self.inputs;
        let Interpreter { minor, arch, glibc } = python;
        let arch = arch.as_str();
        writeln!(out, "# Made by `voevent-build lock`.")?;
        writeln!(out, "lock-version = \"1.0\"")?;
        let environment = format!("sys_platform == 'linux' and platform_machine == '{arch}'");
        writeln!(out, "environments = [{}]", quoted(&environment))?;
        writeln!(out, "requires-python = \"==3.{minor}.*\"")?;
        writeln!(out, "created-by = \"voevent-build\"")?;
        for LockedPackage { name, version, wheel, sdist } in &self.packages {
            package(out, (name, version), ("[[packages.wheels]]", wheel))?;
            if let Some(sdist) = sdist {
                writeln!(out, "\n[packages.tool.voevent.sdist]")?;
                file(out, sdist)?;
            }
        }
        for source in &self.sources {
            source.write(out)?;
        }
        writeln!(out, "\n[tool.voevent]\nrequirements = [")?;
        for requirement in requirements {
            writeln!(out, "    {},", quoted(requirement))?;
        }
        writeln!(out, "]\npython = \"3.{minor}\"\narch = \"{arch}\"\nglibc = \"2.{glibc}\"")?;
        writeln!(out, "source-date-epoch = {epoch}")?;
        if !build_on_target.is_empty() {
            writeln!(out, "build-on-target = {}", list(build_on_target))?;
        }
        if let Some(Fork { name, sdist }) = source {
            writeln!(out, "\n[tool.voevent.source]\nname = {}", quoted(name))?;
            file(out, sdist)?;
        }
        for pin in pins {
            writeln!(out, "\n[[tool.voevent.build]]")?;
            pin.write(out)?;
        }
        Ok(())
    }
}

impl LockedSource {
    fn write(&self, out: &mut String) -> fmt::Result {
        let Self { name, version, sdist, backend, backend_path, requires } = self;
        package(out, (name, version), ("[packages.sdist]", sdist))?;
        writeln!(out, "\n[packages.tool.voevent]\nbackend = {}", quoted(backend))?;
        writeln!(out, "backend-path = {}", list(backend_path))?;
        for pin in requires {
            writeln!(out, "\n[[packages.tool.voevent.requires]]")?;
            pin.write(out)?;
        }
        Ok(())
    }
}

impl Pin {
    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "name = {}\nversion = {}", quoted(&self.name), quoted(&self.version))?;
        file(out, &self.wheel)
    }
}

/// A TOML array of strings.
fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A package, and its file in the folder of wheels.
fn package(
    out: &mut String,
    (name, version): (&str, &str),
    (table, file): (&str, &LockedFile),
) -> fmt::Result {
    writeln!(out, "\n[[packages]]\nname = {}\nversion = {}", quoted(name), quoted(version))?;
    writeln!(out, "\n{table}\npath = {}", quoted(&format!("{WHEELS}/{}", file.name)))?;
    writeln!(out, "size = {}\nhashes = {{ sha256 = \"{}\" }}", file.size, file.sha256)
}

fn file(out: &mut String, file: &LockedFile) -> fmt::Result {
    writeln!(out, "file = {}\nsize = {}\nsha256 = \"{}\"", quoted(&file.name), file.size, file.sha256)
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
