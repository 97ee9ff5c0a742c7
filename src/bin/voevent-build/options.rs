//! `voevent-build options [NAME]`: what modules let a host set.

use voevent_node::base::report::tame;
use voevent_node::build::compile::BuildError;
use voevent_node::build::reference::options::{asked, found};

use crate::outcome::{Outcome, width};
use crate::project::ModuleArguments;

/// The arguments of `options`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A module, or one option with all that is known of it, as `comet.receive.port`; by default all options.
    #[arg(value_name = "MODULE[.OPTION]")]
    name: Option<String>,
    /// List the options that have all of these words in their name or description, the best first.
    #[arg(long, value_name = "WORDS", conflicts_with = "name")]
    search: Option<String>,
    #[command(flatten)]
    modules: ModuleArguments,
}

impl Arguments {
    /// Lists or describes.
    pub(crate) fn run(self) -> Result<Outcome, BuildError> {
        let modules = self.modules.read()?;
        let answer = match &self.search {
            Some(words) => found(&modules, words),
            None => asked(&modules, self.name.as_deref()),
        };
        let answer = answer.map_err(|error| vec![error])?;
        Ok(Outcome {
            text: tame(&answer.text(&modules, width())).into_owned(),
            data: answer.data(&modules),
            ..Outcome::default()
        })
    }
}
