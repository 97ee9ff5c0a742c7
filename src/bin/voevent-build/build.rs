//! `voevent-build HOST`: one bundle.

use serde_json::Map;
use voevent_node::build::compile::BuildError;

use crate::outcome::{Outcome, say};
use crate::project::{ProjectArguments, shown};

/// The arguments of a build.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    project: ProjectArguments,
}

impl Arguments {
    /// Builds the host.
    pub(crate) fn run(self) -> Result<Outcome, BuildError> {
        let built = self.project.project().build(&mut |line: &str| say(line))?;
        let path = shown(&built.path).display().to_string();
        Ok(Outcome {
            text: format!("{path}\n"),
            data: Map::from_iter([("bundle".to_owned(), path.into())]),
            diagnostics: built.warnings,
            summary: built.summary,
        })
    }
}
