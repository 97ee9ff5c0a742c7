//! The arguments that say where a project lies, common to all commands.

use std::path::{Component, Path, PathBuf};

use voevent_node::base::path::relative;
use voevent_node::build::compile::{BuildError, Project};
use voevent_node::build::module_folders::ModuleFolder;
use voevent_node::build::reference::library::{self, Library};
use voevent_node::build::sources::Disk;

/// A host, and the folders around it.
#[derive(Debug, clap::Args)]
pub(crate) struct ProjectArguments {
    /// The host file, or the name of a host in `hosts`.
    #[arg(required = true)]
    host: Option<PathBuf>,
    #[command(flatten)]
    folders: FolderArguments,
}

/// The folders around hosts.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct FolderArguments {
    /// A folder of modules, besides `modules` beside the host file's folder; may be repeated.
    #[arg(long, value_name = "DIR")]
    modules: Vec<PathBuf>,
    /// Where bundles go; by default `generated` beside the host file's folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The folders of modules, where there is no host.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ModuleArguments {
    /// A folder of modules, besides `modules` here; may be repeated.
    #[arg(long, value_name = "DIR")]
    modules: Vec<PathBuf>,
}

impl ModuleArguments {
    /// All modules that are there.
    pub(crate) fn read(&self) -> Result<Library, BuildError> {
        Ok(library::modules(&mut Disk::default(), self.beside(ModuleFolder::default_at("modules")))?)
    }

    /// The folders, with the default one.
    pub(crate) fn beside(&self, default: ModuleFolder) -> Vec<ModuleFolder> {
        let named = self.modules.iter().map(ModuleFolder::of_command_line);
        std::iter::once(default).chain(named).collect()
    }
}

impl ProjectArguments {
    /// The project that they name.
    pub(crate) fn project(self) -> Project {
        self.folders.around(&host_path(&self.host.unwrap_or_default()))
    }
}

impl FolderArguments {
    /// The project around a host file.
    pub(crate) fn around(self, host: &Path) -> Project {
        let mut project = Project::around(host);
        project.modules.extend(self.modules.into_iter().map(ModuleFolder::of_command_line));
        if let Some(out) = self.out {
            project.out = out;
        }
        project
    }
}

/// The host file that is meant: a bare name is that of a host in `hosts`.
pub(crate) fn host_path(given: &Path) -> PathBuf {
    let bare = given.extension().is_none() && given.components().count() == 1;
    if bare { Path::new("hosts").join(given).with_extension("toml") } else { given.to_owned() }
}

/// A path as the user would write it from the current folder.
pub(crate) fn shown(path: &Path) -> PathBuf {
    match std::env::current_dir() {
        Ok(here) if path.is_absolute() => relative(path, &here),
        _ => path.components().filter(|part| *part != Component::CurDir).collect(),
    }
}
