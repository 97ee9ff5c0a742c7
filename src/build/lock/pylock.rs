//! Our lock files: PEP 751, with `path` instead of any URL, and what it takes to make and check them under
//! `tool.voevent`. One canonical text for each lock.

use std::fmt::{self, Write as _};

use super::file::LockedFile;
use super::inputs::{Fork, LockInputs, Pin};
use crate::build::wheel::tags::Interpreter;

/// A lock: the wheels that requirements resolved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pylock {
    /// What it was made from.
    pub inputs: LockInputs,
    /// The packages, by name.
    pub packages: Vec<LockedPackage>,
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

/// The folder of wheels, beside the locks.
pub const WHEELS: &str = "wheels";

impl Pylock {
    /// The canonical text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let LockInputs { requirements, python, pins, epoch, source } = &self.inputs;
        let Interpreter { minor, arch, glibc } = python;
        let arch = arch.as_str();
        writeln!(out, "# Made by `voevent-build lock`.")?;
        writeln!(out, "lock-version = \"1.0\"")?;
        let environment = format!("sys_platform == 'linux' and platform_machine == '{arch}'");
        writeln!(out, "environments = [{}]", quoted(&environment))?;
        writeln!(out, "requires-python = \"==3.{minor}.*\"")?;
        writeln!(out, "created-by = \"voevent-build\"")?;
        for LockedPackage { name, version, wheel, sdist } in &self.packages {
            writeln!(out, "\n[[packages]]\nname = {}\nversion = {}", quoted(name), quoted(version))?;
            writeln!(out, "\n[[packages.wheels]]\npath = {}", quoted(&format!("{WHEELS}/{}", wheel.name)))?;
            writeln!(out, "size = {}\nhashes = {{ sha256 = \"{}\" }}", wheel.size, wheel.sha256)?;
            if let Some(sdist) = sdist {
                writeln!(out, "\n[packages.tool.voevent.sdist]")?;
                file(out, sdist)?;
            }
        }
        writeln!(out, "\n[tool.voevent]\nrequirements = [")?;
        for requirement in requirements {
            writeln!(out, "    {},", quoted(requirement))?;
        }
        writeln!(out, "]\npython = \"3.{minor}\"\narch = \"{arch}\"\nglibc = \"2.{glibc}\"")?;
        writeln!(out, "source-date-epoch = {epoch}")?;
        if let Some(Fork { name, sdist }) = source {
            writeln!(out, "\n[tool.voevent.source]\nname = {}", quoted(name))?;
            file(out, sdist)?;
        }
        for Pin { name, version, wheel } in pins {
            writeln!(
                out,
                "\n[[tool.voevent.build]]\nname = {}\nversion = {}",
                quoted(name),
                quoted(version)
            )?;
            file(out, wheel)?;
        }
        Ok(())
    }
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
