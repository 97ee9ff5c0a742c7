//! Somebody else's files, set aside while ours are in their places: `aside/<n>/` is a root of its own, in which each
//! lies below the path that it had. Root's alone: what is kept there may be a secret.
#![expect(clippy::disallowed_methods, reason = "the door to what is set aside")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::base::io::{IoError, OnPath as _};
use crate::base::path::TargetPath;
use crate::switch::failure::Failure;
use crate::switch::machine::Machine;
use crate::switch::observed::{Aside, Found};
use crate::switch::record::Record;
use crate::switch::root::Root;
use crate::switch::state::{Pointer, State, sync};

/// Copies somebody else's file to where generation `number` keeps it; durable when this returns.
///
/// # Errors
/// Where the system says no, or the file changed meanwhile.
pub fn set_aside(machine: &mut Machine, path: &TargetPath, number: u64) -> Result<(), Failure> {
    let dir = folder(&machine.state);
    for (folder, parent) in [(dir.clone(), machine.state.dir()), (dir.join(number.to_string()), &dir)] {
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => {
                result.on("make folder", &folder)?;
                sync(parent)?;
            }
        }
    }
    let mut aside = open(&machine.state, number)?;
    for folder in aside.missing_folders(path) {
        aside.make_folder(&folder)?;
    }
    aside.copy_from(&machine.root, path, number)?;
    aside.sync()?;
    refuse_changed(machine, path, number)
}

/// Refuses to go on where a file is not what generation `number` has set aside of it: it is somebody else's until ours
/// is in its place.
///
/// # Errors
/// Where it is not, or cannot be looked at.
pub fn refuse_changed(machine: &Machine, path: &TargetPath, number: u64) -> Result<(), Failure> {
    if open(&machine.state, number)?.look(path)? == machine.root.look(path)? {
        return Ok(());
    }
    Err(Failure::refused(format!("`{path}` changed after it was set aside")).help("switch again"))
}

/// Puts a copy of what generation `from` has set aside into its place again.
///
/// # Errors
/// Where the system says no; the path is then as it was.
pub fn give_back(
    machine: &mut Machine,
    path: &TargetPath,
    (from, number): (u64, u64),
) -> Result<(), IoError> {
    for folder in machine.root.missing_folders(path) {
        machine.root.make_folder(&folder)?;
    }
    let aside = open(&machine.state, from)?;
    machine.root.copy_from(&aside, path, number)
}

/// What was set aside, by the records that hold it, each with whether it is that of the committed generation.
///
/// # Errors
/// Where a copy cannot be looked at.
pub fn observe<'a>(
    state: &State,
    held: impl Iterator<Item = (&'a Record, bool)>,
) -> Result<BTreeMap<TargetPath, Aside>, IoError> {
    let mut found = BTreeMap::new();
    for (record, committed) in held {
        for entry in &record.aside {
            let copy = match open(state, entry.generation) {
                Ok(aside) => aside.look(&entry.path)?,
                Err(error) if error.source.kind() == io::ErrorKind::NotFound => Found::Absent,
                Err(error) => return Err(error),
            };
            let aside = Aside { generation: entry.generation, found: copy, committed };
            found.insert(entry.path.clone(), aside);
        }
    }
    Ok(found)
}

/// Removes the copies that nothing needs any more: those that the committed generation does not hold, and whose file is
/// in its place. Others stay, whoever's they are.
///
/// # Errors
/// Where the system says no.
pub fn sweep(machine: &Machine) -> Result<(), Failure> {
    let state = &machine.state;
    let committed = state.pointer(Pointer::Committed)?.map(|number| state.record(number)).transpose()?;
    let held: BTreeSet<(u64, TargetPath)> = committed
        .map(|record| record.aside)
        .unwrap_or_default()
        .into_iter()
        .map(|e| (e.generation, e.path))
        .collect();
    for dir in entries(&folder(state))? {
        let Some(number) = dir.file_name().and_then(|name| name.to_str()?.parse::<u64>().ok()) else {
            continue;
        };
        let mut aside = open(state, number)?;
        for path in files(&dir)? {
            let Ok(path) = TargetPath::new(&path) else { continue };
            let name = path.file_name();
            let half = name.starts_with('.') && name.ends_with(&format!(".voevent-{number}"));
            let held = held.contains(&(number, path.clone()));
            if half || (!held && aside.look(&path)? == machine.root.look(&path)?) {
                aside.remove(&path)?;
                for above in path.above().filter(|above| *above != "/") {
                    aside.remove_folder(&TargetPath::new(above)?)?;
                }
            }
        }
        aside.sync()?;
        if entries(&dir)?.is_empty() {
            std::fs::remove_dir(&dir).on("remove folder", &dir)?;
        }
    }
    Ok(())
}

/// The folder of all that is set aside.
fn folder(state: &State) -> PathBuf {
    state.dir().join("aside")
}

fn open(state: &State, number: u64) -> Result<Root, IoError> {
    Root::open(&folder(state).join(number.to_string()))
}

/// The files and links below a folder, each by its path in it.
fn files(folder: &Path) -> Result<Vec<String>, IoError> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for path in entries(&next)? {
            if path.symlink_metadata().on("look at", &path)?.is_dir() {
                folders.push(path);
            } else if let Some(inner) = path.strip_prefix(folder).ok().and_then(Path::to_str) {
                files.push(format!("/{inner}"));
            }
        }
    }
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, IoError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).on("list", folder),
    };
    entries.map(|entry| entry.map(|entry| entry.path()).on("list", folder)).collect()
}
