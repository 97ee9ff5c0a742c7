//! `voevent-build schema`: the JSON Schema of host files.

use serde_json::Map;
use voevent_node::build::compile::BuildError;
use voevent_node::build::reference::schema::schema;

use crate::outcome::Outcome;
use crate::project::ModuleArguments;

/// The arguments of `schema`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    modules: ModuleArguments,
}

impl Arguments {
    /// Prints the schema.
    pub(crate) fn run(self) -> Result<Outcome, BuildError> {
        let schema = schema(&self.modules.read()?);
        let text = format!("{schema:#}\n");
        Ok(Outcome { text, data: Map::from_iter([("schema".to_owned(), schema)]), ..Outcome::default() })
    }
}
