//! Writing what is new, and never over what is there.

#![expect(
    clippy::disallowed_methods,
    reason = "the door to new hosts, new modules and the pages of the reference"
)]

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::base::io::OnPath as _;
use crate::base::report::{Diagnostic, Severity};
use crate::build::compile::BuildError;
use crate::build::front::compile_from;
use crate::build::module_folders::ModuleFolder;
use crate::build::sources::{ReadFault, Tree};

use super::markdown::MARKER;
use super::start::{Live, NewHost};

/// A tree in which one file is another text, or there at all.
struct With<'a> {
    tree: &'a mut dyn Tree,
    path: &'a Path,
    text: &'a str,
}

impl Tree for With<'_> {
    fn read(&mut self, path: &Path) -> Result<Vec<u8>, ReadFault> {
        if path == self.path { Ok(self.text.as_bytes().to_vec()) } else { self.tree.read(path) }
    }

    fn list(&mut self, folder: &Path) -> Vec<String> {
        self.tree.list(folder)
    }
}

/// Writes a new host file: one that can be built, if there is one. Gives what is still to be done.
///
/// # Errors
/// Where the file is there already, or cannot be written.
pub fn host(
    (host, path): (&NewHost<'_>, &Path),
    folders: &[ModuleFolder],
    tree: &mut dyn Tree,
) -> Result<Vec<Diagnostic>, BuildError> {
    let mut attempt = |live: Live| {
        let text = host.text(live);
        let mut with = With { tree: &mut *tree, path, text: &text };
        let left = compile_from(&mut with, path, folders).err().unwrap_or_default();
        (text, left)
    };
    let least = attempt(Live::Required);
    let more = if least.1.is_empty() { None } else { Some(attempt(Live::Undefaulted)) };
    let (text, left) = more.filter(|(_, left)| left.is_empty()).unwrap_or(least);
    fresh(path, &text)?;
    let warning = |fault| Diagnostic { severity: Severity::Warning, ..fault };
    Ok(left.into_iter().map(warning).collect())
}

/// Writes the files of a new module into a folder that is made for it.
///
/// # Errors
/// Where the folder is there already, or cannot be written.
pub fn module(folder: &Path, files: &[(String, String)]) -> Result<Vec<PathBuf>, BuildError> {
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above).on("make folder", above)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(vec![there(folder)].into()),
        made => made.on("make folder", folder)?,
    }
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        fresh(&path, text)?;
        paths.push(path);
    }
    Ok(paths)
}

/// Writes a file that is not there.
fn fresh(path: &Path, text: &str) -> Result<(), BuildError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).on("make folder", folder)?;
    }
    match File::create_new(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(vec![there(path)].into()),
        file => Ok(file.on("make", path)?.write_all(text.as_bytes()).on("write", path)?),
    }
}

/// Writes pages into a folder: those of before are written anew, and those that are no longer among them go.
///
/// # Errors
/// Where a file of another is in the way, all of them, and nothing is written then; or where one cannot be written.
pub fn pages(folder: &Path, files: &[(String, String)]) -> Result<(), BuildError> {
    let faults: Vec<Diagnostic> = files.iter().filter_map(|(name, _)| foreign(&folder.join(name))).collect();
    if !faults.is_empty() {
        return Err(faults.into());
    }
    for (name, text) in files {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|old| old == *text) {
            continue;
        }
        let above = path.parent().unwrap_or(folder);
        fs::create_dir_all(above).on("make folder", above)?;
        let mut file = tempfile::NamedTempFile::new_in(above).on("make a file in", above)?;
        file.write_all(text.as_bytes()).on("write", &path)?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        file.as_file().set_permissions(mode).on("set the mode of", &path)?;
        file.persist(&path).map_err(|error| error.error).on("write", &path)?;
    }
    let kept = |path: &Path| files.iter().any(|(name, _)| folder.join(name) == path);
    for entry in fs::read_dir(folder.join("modules")).into_iter().flatten().flatten() {
        let path = entry.path();
        if !kept(&path) && is_ours(&path) {
            fs::remove_file(&path).on("remove", &path)?;
        }
    }
    Ok(())
}

/// The error that what is at a path is none of our pages.
fn foreign(path: &Path) -> Option<Diagnostic> {
    (path.symlink_metadata().is_ok() && !is_ours(path)).then(|| {
        Diagnostic::error(format!("`{}` is none of our pages", path.display()))
            .help("move it away, or choose another folder: nothing is written over it")
    })
}

/// Whether a file is one of our pages: it has the mark in its first lines.
fn is_ours(path: &Path) -> bool {
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    is_file && fs::read_to_string(path).is_ok_and(|text| text.lines().take(2).any(|line| line == MARKER))
}

fn there(path: &Path) -> Diagnostic {
    Diagnostic::error(format!("`{}` is there already", path.display()))
        .help("choose another name, or move it away: nothing is written over it")
}
