//! `voevent-build new`: the start of a host or a module.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use voevent_node::base::name::{HostName, ModuleName};
use voevent_node::base::report::Diagnostic;
use voevent_node::build::artifact::Target;
use voevent_node::build::compile::{BuildError, Project};
use voevent_node::build::config::host::{python_of, text_fault};
use voevent_node::build::module_folders::ModuleFolder;
use voevent_node::build::reference::library::{self, unknown};
use voevent_node::build::reference::start::{self, NewHost};
use voevent_node::build::reference::write;
use voevent_node::build::sources::Disk;

use crate::outcome::Outcome;
use crate::project::{ModuleArguments, shown};

/// The arguments of `new`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A host file with the options of its modules, each as a comment that says what is so without it.
    Host(HostArguments),
    /// A module with an option, a script, a hardened service and its timer.
    Module {
        /// Its name.
        name: String,
        /// The folder of modules that it is made in.
        #[arg(long = "in", value_name = "DIR", default_value = "modules")]
        folder: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct HostArguments {
    /// Its name.
    name: String,
    /// The folder of hosts that it is made in.
    #[arg(long = "in", value_name = "DIR", default_value = "hosts")]
    folder: PathBuf,
    /// The distribution and release of the target.
    #[arg(long, default_value = "debian-12")]
    system: String,
    /// The machine of the target.
    #[arg(long, default_value = "x86_64")]
    arch: String,
    /// The minor version of the target's python3; by default that of the system.
    #[arg(long, value_name = "3.X")]
    python: Option<String>,
    /// A module that the host turns on; may be repeated.
    #[arg(long = "module", value_name = "NAME", default_value = "comet")]
    on: Vec<String>,
    #[command(flatten)]
    modules: ModuleArguments,
}

impl Arguments {
    /// Writes the start.
    pub(crate) fn run(self) -> Result<Outcome, BuildError> {
        match self.what {
            What::Host(host) => host.write(),
            What::Module { name, folder } => {
                let help = "choose another name";
                let name = ModuleName::new(name).map_err(|error| wrong(error, help))?;
                let paths = write::module(&folder.join(name.as_str()), &start::module(&name))?;
                let mut outcome = written(&paths);
                outcome.summary = vec![format!("turn it on with `modules = [\"{name}\"]` in a host file")];
                Ok(outcome)
            }
        }
    }
}

impl HostArguments {
    fn write(self) -> Result<Outcome, BuildError> {
        let name = HostName::new(self.name).map_err(|error| wrong(error, "choose another name"))?;
        let known = python_of(&self.system).map(str::to_owned);
        let python = self.python.or(known).unwrap_or_default();
        let target = Target { system: self.system, arch: self.arch, python };
        let texts = [("system", &target.system), ("arch", &target.arch), ("python", &target.python)];
        let mut faults: Vec<Diagnostic> = Vec::new();
        for (key, value) in texts {
            if key == "python" && value.is_empty() {
                let message = format!("which python3 `{}` has is not known", target.system);
                faults.push(Diagnostic::error(message).help("say it by `--python 3.X`"));
            } else {
                faults.extend(text_fault(key, value));
            }
        }
        let path = self.folder.join(format!("{name}.toml"));
        let default = Project::around(&path).modules.into_iter().next();
        let default = default.unwrap_or_else(|| ModuleFolder::default_at("modules"));
        let folders = self.modules.beside(default);
        let modules = library::modules(&mut Disk::default(), folders.clone())?;
        let mut on = Vec::new();
        for name in self.on {
            match modules.keys().find(|known| known.as_str() == name) {
                Some(name) => on.push(name.clone()),
                None => faults.push(unknown(&name, &modules)),
            }
        }
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let host = NewHost { name: &name, target: &target, on: &on, modules: &modules };
        let left = write::host((&host, &path), &folders, &mut Disk::default())?;
        let mut outcome = written(std::slice::from_ref(&path));
        outcome.summary = vec![next(&path, left.is_empty())];
        outcome.diagnostics = left;
        Ok(outcome)
    }
}

fn next(path: &Path, whole: bool) -> String {
    let path = shown(path);
    let before = if whole { "" } else { "complete it, then " };
    format!("{before}build it with `voevent-build {}`", path.display())
}

fn wrong(error: impl std::fmt::Display, help: &str) -> Vec<Diagnostic> {
    vec![Diagnostic::error(error.to_string()).help(help)]
}

fn written(paths: &[PathBuf]) -> Outcome {
    let paths: Vec<String> = paths.iter().map(|path| shown(path).display().to_string()).collect();
    let text = paths.iter().flat_map(|path| [path, "\n"]).collect();
    let data = Map::from_iter([("written".to_owned(), Value::from(paths))]);
    Outcome { text, data, ..Outcome::default() }
}
