//! `voevent-build diff HOST [OTHER]`: what a build would change.

use std::path::PathBuf;

use voevent_node::build::compile::BuildError;
use voevent_node::build::diff::Other;

use crate::outcome::{Outcome, data};
use crate::project::{FolderArguments, host_path};

/// The arguments of `diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The host file, or the name of a host in `hosts`.
    host: PathBuf,
    /// A bundle's folder, a link to one, or a manifest; `-` reads one from stdin. By default the host's last build.
    other: Option<PathBuf>,
    #[command(flatten)]
    folders: FolderArguments,
}

impl Arguments {
    /// Compiles the host in memory and compares it.
    pub(crate) fn run(self) -> Result<Outcome, BuildError> {
        let other = match self.other {
            None => Other::LastBuild,
            Some(path) if path.as_os_str() == "-" => Other::Stdin,
            Some(path) => Other::Path(path),
        };
        let (diff, diagnostics) = self.folders.around(&host_path(&self.host)).diff(&other)?;
        Ok(Outcome { text: diff.shown(), data: data(&diff), diagnostics, ..Outcome::default() })
    }
}
