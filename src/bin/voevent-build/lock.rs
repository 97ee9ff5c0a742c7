//! `voevent-build lock HOST`: the locks of its Python environments.

use serde_json::{Map, Value, json};
use voevent_node::build::compile::BuildError;

use crate::outcome::{Outcome, say};
use crate::project::ProjectArguments;

/// The arguments of `lock`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    project: ProjectArguments,
    /// Take the newest versions instead of those of the lock that is there.
    #[arg(long)]
    upgrade: bool,
}

impl Arguments {
    /// Writes the locks.
    pub(crate) fn run(self) -> Result<Outcome, BuildError> {
        let locks = self.project.project().lock(self.upgrade, &mut |line: &str| say(line))?;
        let mut summary = Vec::new();
        let mut data = Vec::new();
        for lock in locks {
            let path = lock.path.display().to_string();
            summary.push(format!("{path}: {}", if lock.kept { "kept" } else { "written" }));
            summary.extend(lock.changed.iter().map(|change| format!("  {change}")));
            let changed: Vec<String> = lock.changed.iter().map(ToString::to_string).collect();
            data.push(json!({ "path": path, "kept": lock.kept, "changed": changed }));
        }
        let data = Map::from_iter([("locks".to_owned(), Value::Array(data))]);
        Ok(Outcome { data, summary, ..Outcome::default() })
    }
}
