//! The folders in which modules are looked for.
//!
//! A module is found by its name alone: in all folders, which have no order of strength. One that two of them have is an
//! error, so that no folder can change what another one's module means.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::name::ModuleName;
use crate::base::nearest::advice;
use crate::base::report::{Diagnostic, Place, Source};

use super::config::tree::Placed;
use super::sources::{Tree, normal};

/// A folder of modules.
#[derive(Debug, Clone)]
pub struct ModuleFolder {
    /// Where it is.
    pub path: PathBuf,
    /// Who says that modules are there.
    pub named: NamedBy,
}

/// Who names a folder of modules.
#[derive(Debug, Clone)]
pub enum NamedBy {
    /// Nobody: it is `modules` beside the host file's folder, and need not be there.
    Default,
    /// `--modules`.
    CommandLine,
    /// `module_paths` of a host file or a fragment.
    File(Place),
}

impl ModuleFolder {
    /// The default folder.
    #[must_use]
    pub fn default_at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), named: NamedBy::Default }
    }

    /// A folder that the command line names.
    #[must_use]
    pub fn of_command_line(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), named: NamedBy::CommandLine }
    }

    /// The folder that a `module_paths` of this file names, relative to that.
    #[must_use]
    pub fn of_file(file: &Path, written: &Placed<String>) -> Self {
        let path = file.parent().unwrap_or(Path::new("")).join(&written.value);
        Self { path, named: NamedBy::File(written.place.clone()) }
    }

    fn named(&self) -> String {
        let path = self.path.display();
        match self.named {
            NamedBy::Default => format!("in `{path}`, the default folder"),
            NamedBy::CommandLine => format!("in `{path}`, which `--modules` names"),
            NamedBy::File(_) => format!("in `{path}`, which `module_paths` names"),
        }
    }

    /// The description of a module that would lie here.
    #[must_use]
    pub fn module_file(&self, module: &ModuleName) -> PathBuf {
        self.path.join(module.as_str()).join("module.toml")
    }
}

/// The same folders, each once and under one name: the first to name a folder counts.
#[must_use]
pub fn each_once(folders: Vec<ModuleFolder>) -> Vec<ModuleFolder> {
    let mut kept: Vec<ModuleFolder> = Vec::new();
    for folder in folders {
        let path = normal(&folder.path);
        if kept.iter().all(|other| other.path != path) {
            kept.push(ModuleFolder { path, ..folder });
        }
    }
    kept
}

/// The error that a folder that somebody names has nothing in it.
pub fn nothing_in(folder: &ModuleFolder, tree: &mut dyn Tree) -> Option<Diagnostic> {
    let help = match &folder.named {
        NamedBy::Default => return None,
        NamedBy::CommandLine => "name a folder with modules by `--modules`, or leave it out",
        NamedBy::File(_) => "write the folder relative to this file, or leave it out",
    };
    if !names(tree, &folder.path).is_empty() {
        return None;
    }
    let error = Diagnostic::error(format!("`{}` is empty or not there", folder.path.display())).help(help);
    Some(match &folder.named {
        NamedBy::File(place) => error.at(place.clone(), "modules are looked for there"),
        _ => error,
    })
}

fn names(tree: &mut dyn Tree, folder: &Path) -> Vec<String> {
    tree.list(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

/// The error that no folder has a module.
pub fn none_has(module: &Placed<ModuleName>, folders: &[ModuleFolder], tree: &mut dyn Tree) -> Diagnostic {
    let known: Vec<String> = folders.iter().flat_map(|folder| names(tree, &folder.path)).collect();
    let shown: Vec<String> = folders.iter().map(|folder| format!("`{}`", folder.path.display())).collect();
    let help = if known.is_empty() {
        let are = if shown.len() == 1 { "is" } else { "are" };
        let shown = shown.join(" and ");
        format!("{shown} {are} empty or not there: name one with modules by `--modules` or `module_paths`")
    } else {
        advice(module.value.as_str(), known.iter().map(String::as_str))
    };
    let looked: Vec<String> =
        folders.iter().map(|folder| format!("`{}`", folder.module_file(&module.value).display())).collect();
    Diagnostic::error(format!("there is no module `{}`", module.value))
        .at(module.place.clone(), format!("there is no {}", looked.join(", nor ")))
        .help(help)
}

/// The error that two folders have a module: both files, and where the folders are named.
#[must_use]
pub fn two_have(
    module: &Placed<ModuleName>,
    (first, first_source): (&ModuleFolder, &Arc<Source>),
    (second, second_source): (&ModuleFolder, &Arc<Source>),
) -> Diagnostic {
    let name = &module.value;
    let mut error = Diagnostic::error(format!("there are two modules `{name}`"))
        .at(module.place.clone(), "")
        .at(head(first_source), format!("one {}", first.named()))
        .at(head(second_source), format!("and one {}", second.named()));
    for folder in [first, second] {
        if let NamedBy::File(place) = &folder.named {
            error = error.at(place.clone(), "its folder is named here");
        }
    }
    error.help(format!(
        "give the folder `{name}` of one of them another name, or name only one of the folders"
    ))
}

/// Where a module begins.
fn head(source: &Arc<Source>) -> Place {
    let found = source.text.find("[module]").map(|start| start..start + "[module]".len());
    Place { source: Arc::clone(source), span: found.unwrap_or(0..0) }
}
