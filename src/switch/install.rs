//! The activator places itself: its own object in the store, the link that units name, the generator, the boot units; and
//! the link by which people find what is live.
//!
//! Its bytes depend on a Rust toolchain, so it is no part of a bundle; the record of each generation names it.

#![expect(clippy::disallowed_methods, reason = "the door by which the activator reads and tries itself")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::base::io::{IoError, OnPath as _};
use crate::base::layout;
use crate::base::name::Label;
use crate::base::path::TargetPath;
use crate::store::object::{File, Object, ObjectName, file_digest};
use crate::switch::failure::Failure;
use crate::switch::live;
use crate::switch::machine::Machine;
use crate::switch::observed::Found;

const GENERATOR: &str = "/etc/systemd/system-generators/voevent-generator";
/// What runs at boot before anything reads what is not committed, and what proves afterwards that it works.
const UNITS: [(&str, &str, &str); 2] = [
    ("voevent-boot.service", "sysinit.target.wants", include_str!("voevent-boot.service")),
    ("voevent-boot-check.service", "multi-user.target.wants", include_str!("voevent-boot-check.service")),
];
/// The number in temporary names of what belongs to no generation.
const NO_GENERATION: u64 = 0;

/// Installs the running program where another one, or none, is installed. Returns its object's name.
///
/// # Errors
/// Where the new program does not even start, or the system says no. The one installed before stays.
pub fn install(machine: &mut Machine) -> Result<ObjectName, Failure> {
    let (content, object, name) = running()?;
    let store = machine.state.store();
    let mut batch = store.batch()?;
    batch.add(&name, &object)?;
    batch.finish()?;
    let path = store.path(&name);
    let target = format!("../store/{name}");
    let link = machine.state.dir().join("bin/voevent-switch");
    let installed = std::fs::read_link(&link).ok().map(|old| old.to_string_lossy().into_owned());
    if installed.as_deref() != Some(target.as_str()) {
        if !machine.root.is_offline() {
            self_test(&path)?;
        }
        let previous = installed.unwrap_or_else(|| target.clone());
        machine.state.set_link("bin/voevent-switch.previous", Some(&previous))?;
        machine.state.set_link("bin/voevent-switch", Some(&target))?;
    }
    if !is_live_linked(machine) {
        machine.state.set_link(live::LINK.0, Some(live::LINK.1))?;
    }
    let new = place(machine, GENERATOR, &content, 0o755)?;
    for (unit, wants, text) in UNITS {
        place(machine, &format!("{}/{unit}", layout::UNITS), text.as_bytes(), 0o644)?;
        let link = format!("{}/{wants}/{unit}", layout::UNITS);
        place_link(machine, &link, &format!("../{unit}"))?;
    }
    machine.root.sync()?;
    if let (true, Some(systemd)) = (new, &mut machine.systemd) {
        // Where it was missing, systemd may have forgotten the units that it gives.
        systemd.reload()?;
    }
    Ok(name)
}

/// Whether the running program is the one that is installed, with all that belongs to it. The generator is not read:
/// its length tells, as it changes with each build.
///
/// # Errors
/// Where either cannot be read.
pub fn is_installed(machine: &Machine) -> Result<bool, IoError> {
    let link = machine.state.dir().join("bin/voevent-switch");
    let exe = executable()?;
    let same = match std::fs::canonicalize(&link) {
        Ok(installed) if installed == exe => true,
        Ok(installed) => read(&installed)? == read(&exe)?,
        Err(_) => false,
    };
    let length = std::fs::metadata(&exe).on("look at", &exe)?.len();
    let generator = std::fs::symlink_metadata(GENERATOR);
    let generator = generator.is_ok_and(|found| found.is_file() && found.len() == length);
    if !same || !generator || !is_live_linked(machine) {
        return Ok(false);
    }
    for (unit, wants, text) in UNITS {
        let placed =
            |path: String| TargetPath::new(path).ok().map(|path| machine.root.look(&path)).transpose();
        let link = placed(format!("{}/{wants}/{unit}", layout::UNITS))?;
        if placed(format!("{}/{unit}", layout::UNITS))? != Some(file(text.as_bytes(), 0o644))
            || link != Some(Found::Link(format!("../{unit}")))
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether people find what is live.
fn is_live_linked(machine: &Machine) -> bool {
    let (name, target) = live::LINK;
    std::fs::read_link(machine.state.dir().join(name)).is_ok_and(|found| found == Path::new(target))
}

/// The path of the running program.
///
/// # Errors
/// Where the system does not say.
pub fn executable() -> Result<PathBuf, IoError> {
    std::env::current_exe().on("find", "/proc/self/exe")
}

fn read(path: &Path) -> Result<Vec<u8>, IoError> {
    std::fs::read(path).on("read", path)
}

/// The running program's bytes, as an object.
fn running() -> Result<(Vec<u8>, Object, ObjectName), Failure> {
    let content = read(Path::new("/proc/self/exe"))?;
    let object = Object::File(File { exec: true, content: content.clone() });
    let name = object.digest().name(&Label::new("voevent-switch")?);
    Ok((content, object, name))
}

fn self_test(path: &Path) -> Result<(), Failure> {
    let output = Command::new(path).arg("self-test").env_clear().output().on("run", path)?;
    if output.status.success() && output.stdout == b"ok\n" {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Failure::refused(format!("the activator `{}` does not work here", path.display())).details([said]))
}

/// A file of root's with these bytes and this mode.
fn file(content: &[u8], mode: u32) -> Found {
    Found::File { digest: file_digest(mode & 0o111 != 0, content), mode, root: true }
}

/// Places a file where it is not there yet; whether it was not.
fn place(machine: &mut Machine, path: &str, content: &[u8], mode: u32) -> Result<bool, Failure> {
    let path = TargetPath::new(path)?;
    let new = machine.root.look(&path)? != file(content, mode);
    if new {
        folders(machine, &path)?;
        machine.root.place_copy(&path, (content, mode), NO_GENERATION)?;
    }
    Ok(new)
}

fn place_link(machine: &mut Machine, path: &str, target: &str) -> Result<(), Failure> {
    let path = TargetPath::new(path)?;
    if machine.root.look(&path)? != Found::Link(target.to_owned()) {
        folders(machine, &path)?;
        machine.root.place_link(&path, target, NO_GENERATION)?;
    }
    Ok(())
}

fn folders(machine: &mut Machine, path: &TargetPath) -> Result<(), IoError> {
    for folder in machine.root.missing_folders(path) {
        machine.root.make_folder(&folder)?;
    }
    Ok(())
}
