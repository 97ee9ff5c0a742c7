//! `voevent-build why HOST QUESTION`: where a line, an artifact or a setting comes from.

use std::path::PathBuf;

use voevent_node::base::report::Diagnostic;
use voevent_node::build::compile::BuildError;
use voevent_node::store::provenance::ask::NoAnswer;
use voevent_node::store::provenance::show::shown;

use crate::outcome::{Outcome, data};
use crate::project::{FolderArguments, host_path};

/// The arguments of `why`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The host file, or the name of a host in `hosts`.
    host: PathBuf,
    /// A path of the host, an artifact or a setting: `comet.service:12`, `/etc/motd`, `comet.remotes`.
    #[arg(value_name = "QUESTION")]
    question: String,
    /// Show what it depends on, and what changes with it.
    #[arg(long)]
    depends: bool,
    #[command(flatten)]
    folders: FolderArguments,
}

impl Arguments {
    /// Compiles the host in memory and answers.
    pub(crate) fn run(self) -> Result<Outcome, BuildError> {
        let dry = self.folders.around(&host_path(&self.host)).dry()?;
        let unknown = |error: NoAnswer| vec![Diagnostic::error(error.message).help(error.help)];
        let (text, data) = if self.depends {
            let answer = dry.depends(&self.question).map_err(unknown)?;
            (answer.shown(), data(&answer))
        } else {
            let answer = dry.why(&self.question).map_err(unknown)?;
            (shown(&answer), data(&answer))
        };
        Ok(Outcome { text, data, diagnostics: dry.made.warnings, ..Outcome::default() })
    }
}
