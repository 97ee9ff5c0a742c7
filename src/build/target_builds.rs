//! What a target builds: how it travels in the object of its venv.
//!
//! ```text
//! build-on-target/<package>/<source distribution>
//! build-on-target/<package>/environment/…          a venv with the wheels that build it
//! ```

use crate::base::name::{BadName, Label};
use crate::base::report::Diagnostic;
use crate::build::lock::find::{SourceFiles, read_sources};
use crate::build::lock::{Folders, Pylock};
use crate::store::manifest::{BUILDS, Build};
use crate::store::object::{Entry, File, Tree};
use crate::wheel::lay_out;

/// The builds of a venv, as its lock has them.
///
/// # Errors
/// Where a file name is longer than one of a bundle may be.
pub fn builds(lock: &Pylock) -> Result<Vec<Build>, BadName> {
    let build = |source: &crate::build::lock::LockedSource| {
        Ok(Build {
            package: Label::new(&source.name)?,
            version: source.version.clone(),
            source: Label::new(&source.sdist.name)?,
            backend: source.backend.clone(),
            backend_path: source.backend_path.clone(),
        })
    };
    lock.sources.iter().map(build).collect()
}

/// Adds what the target builds to the tree of a venv.
///
/// # Errors
/// Where a file is missing or other than locked, or a wheel of what builds is none for the target.
pub fn add(tree: &mut Tree, lock: &Pylock, folders: &Folders) -> Result<(), Vec<Diagnostic>> {
    let files = read_sources(lock, folders)
        .map_err(|error| vec![Diagnostic::error(error.to_string()).help(error.help())])?;
    for (source, SourceFiles { sdist, requires }) in lock.sources.iter().zip(files) {
        let environment = lay_out(&lock.inputs.python, &requires).map_err(|faults| {
            let help = format!("take `{}` out of `build_on_target`, or another version of it", source.name);
            let fault = |fault: &_| Diagnostic::error(format!("{fault}")).help(help.clone());
            faults.iter().map(fault).collect::<Vec<_>>()
        })?;
        let place = format!("{BUILDS}/{}", source.name);
        let archive = Entry::File(File { exec: false, content: sdist });
        tree.insert(&format!("{place}/{}", source.sdist.name), archive)
            .and_then(|()| tree.insert(&format!("{place}/environment"), Entry::Folder(environment)))
            .map_err(|error| {
                vec![Diagnostic::error(error.to_string()).help("no wheel may have a folder of this name")]
            })?;
    }
    Ok(())
}
