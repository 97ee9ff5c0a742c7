//! Venvs with bytecode: `derived/<object>` is there if and only if it is whole and its imports were proven.
//!
//! A staged tree of hard links to the object's files gets the bytecode, is proven, synced, and renamed.

#![expect(clippy::disallowed_methods, reason = "the door to derived trees")]

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use walkdir::{DirEntry, WalkDir};

use crate::base::io::{IoError, OnPath as _};
use crate::base::layout;
use crate::base::name::UnitName;
use crate::store::disk::{remove, seal_folder, write_file};
use crate::store::manifest::{BUILDS, Target, Venv};
use crate::store::toml_writer::TomlWriter;
use crate::switch::build_wheel::{build_wheel, unusable};
use crate::switch::derive::{Sources, compile_bytecode, prove_imports};
use crate::switch::failure::Failure;
use crate::switch::machine::Machine;
use crate::switch::preflight::interpreter;
use crate::switch::state::sync;
use crate::wheel::tags::Interpreter;
use crate::wheel::unpack_built;

/// How long the imports of a venv may take.
const IMPORT_TIME: Duration = Duration::from_mins(1);
/// Trees that are being made; a killed switch may leave one, the next sweeps it.
const STAGED: &str = ".tmp-";
/// What a derived tree says of the wheels that were built for it.
const RECORD: &str = "built-on-target.toml";

/// Derives the tree of a venv where it is not there yet, and proves its imports unless the committed generation has
/// the same venv with the same imports. Returns whether anything was done.
///
/// # Errors
/// Where bytecode cannot be made, or an import fails: then nothing is kept.
pub fn derive(
    machine: &mut Machine,
    target: &Target,
    venv: &Venv,
    tell: &mut dyn FnMut(&str),
) -> Result<bool, Failure> {
    let derived = machine.state.derived();
    let path = derived.join(venv.object.as_str());
    if path.symlink_metadata().is_ok() {
        let committed = machine.state.generations()?.committed;
        let same = |known: &Venv| known.object == venv.object && known.imports == venv.imports;
        if committed.is_some_and(|committed| committed.bundle.manifest.venvs.iter().any(same)) {
            return Ok(false);
        }
        return prove(machine, venv, venv.object.as_str()).map(|()| true);
    }
    sweep(&derived)?;
    let name = format!("{STAGED}{}", venv.object);
    let staged = derived.join(&name);
    link_tree(&machine.state.store().path(&venv.object), &staged, !venv.builds.is_empty())?;
    let built = build(machine, target, (venv, &staged), tell);
    let result = built.and_then(|()| complete(machine, &target.python, (venv, &name)));
    if result.is_err() {
        // What cannot be removed is swept by the next switch.
        let _ = remove(&staged);
    }
    result?;
    let folder = std::fs::File::open(&staged).on("open", &staged)?;
    rustix::fs::syncfs(&folder).on("sync", &staged)?;
    std::fs::rename(&staged, &path).on("rename to", &path)?;
    sync(&derived)?;
    Ok(true)
}

/// Builds what the target builds of a venv, and adds it to a staged tree.
fn build(
    machine: &Machine,
    target: &Target,
    (venv, staged): (&Venv, &Path),
    tell: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    if venv.builds.is_empty() {
        return Ok(());
    }
    if machine.systemd.is_none() {
        let message =
            format!("the target builds packages of venv `{}`, which takes a running machine", venv.name);
        return Err(
            Failure::refused(message).help("switch to this bundle on the machine itself, when it runs")
        );
    }
    let python = Interpreter::of(target)?;
    let switch = UnitName::new(layout::RUN_UNIT)?;
    let mut record = TomlWriter::default();
    for build in &venv.builds {
        tell(&format!("building {} {} for venv `{}`", build.package, build.version, venv.name));
        let made = build_wheel((venv, build), Some(&switch), &machine.state.derived());
        let files = made.and_then(|wheel| {
            record.element("built");
            record.text("package", build.package.as_str());
            record.text("version", &build.version);
            record.text("wheel", &wheel.file_name);
            record.text("sha256", &HEXLOWER.encode(&Sha256::digest(&wheel.bytes)));
            unpack_built(&python, &wheel).map_err(|faults| unusable(build, &faults))
        });
        let files = files.map_err(|error| {
            Failure::from(error)
                .help("see that compiler and headers are among the packages of its module")
                .help("or take it out of `build_on_target`, and lock again: nothing was changed")
        })?;
        for (path, file) in files {
            write(&staged.join(path), file.exec, &file.content)?;
        }
    }
    Ok(write(&staged.join(RECORD), false, record.finish().as_bytes())?)
}

/// Writes a new file with an object's mode and time, and the folders above it.
fn write(path: &Path, exec: bool, content: &[u8]) -> Result<(), IoError> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(folder).on("make folder", folder)?;
    }
    write_file(path, exec, content)
}

/// Compiles and proves a staged tree.
fn complete(machine: &mut Machine, python: &str, (venv, name): (&Venv, &str)) -> Result<(), Failure> {
    let (staged, finally) =
        (format!("{}/{name}", layout::DERIVED), format!("{}/{}", layout::DERIVED, venv.object));
    let sources = Sources {
        root: machine.root.dir(),
        python: &interpreter(python),
        staged: &staged,
        finally: &finally,
    };
    compile_bytecode(sources)?;
    seal_folders(&machine.state.derived().join(name))?;
    prove(machine, venv, name)
}

/// Proves the imports of a tree below `derived/`; on an offline root nothing can be.
fn prove(machine: &Machine, venv: &Venv, name: &str) -> Result<(), Failure> {
    if machine.systemd.is_none() || venv.imports.is_empty() {
        return Ok(());
    }
    let switch = UnitName::new(layout::RUN_UNIT)?;
    let tree = format!("{}/{name}", layout::DERIVED);
    prove_imports(&tree, &venv.imports, Some(&switch), IMPORT_TIME).map_err(|error| {
        let help = "the lock or the `imports` of this venv are wrong: build the bundle again";
        Failure::from(error).help(help)
    })
}

fn sweep(derived: &Path) -> Result<(), IoError> {
    for entry in std::fs::read_dir(derived).on("list", derived)? {
        let entry = entry.on("list", derived)?;
        if entry.file_name().as_encoded_bytes().starts_with(STAGED.as_bytes()) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes a tree of folders with hard links to the files of another, but for what only builds need.
fn link_tree(from: &Path, to: &Path, builds: bool) -> Result<(), IoError> {
    let only_builds = |entry: &DirEntry| builds && entry.depth() == 1 && entry.file_name() == BUILDS;
    for entry in WalkDir::new(from).into_iter().filter_entry(|entry| !only_builds(entry)) {
        let entry = entry.map_err(std::io::Error::from).on("walk", from)?;
        let target = to.join(entry.path().strip_prefix(from).unwrap_or(entry.path()));
        if entry.file_type().is_dir() {
            std::fs::DirBuilder::new().mode(0o755).create(&target).on("make folder", &target)?;
        } else {
            linked(std::fs::hard_link(entry.path(), &target), entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Where a file has as many names as its file system allows (`EMLINK`), a copy does.
fn linked(result: io::Result<()>, from: &Path, to: &Path) -> Result<(), IoError> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::TooManyLinks => {
            std::fs::copy(from, to).map(drop).on("copy", to)
        }
        result => result.on("link", to),
    }
}

/// Gives all folders the mode and time that objects have.
fn seal_folders(tree: &Path) -> Result<(), IoError> {
    for entry in WalkDir::new(tree).contents_first(true) {
        let entry = entry.map_err(std::io::Error::from).on("walk", tree)?;
        if entry.file_type().is_dir() {
            seal_folder(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_too_many_names_is_copied() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("a"), dir.path().join("b"));
        std::fs::write(&from, "x").unwrap();
        linked(Err(io::ErrorKind::TooManyLinks.into()), &from, &to).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"x");
        assert!(linked(std::fs::hard_link(&from, &to), &from, &to).is_err());
    }
}
