//! Builds that are refused: exit code 1, nothing written, every error with its place and what to do.

mod artifacts;
mod fills;
mod hosts;
mod links;
mod secrets;
mod sources;
mod types;
mod units;
mod venvs;

use crate::sandbox::Sandbox;

const HOST: &str = "hosts/node1.toml";
const COMET: &str = "modules/comet/module.toml";

/// A project whose module `m` has these entries, and a script `run` to refer to.
fn module(entries: &str, more: &[(&str, &str)]) -> Sandbox {
    let mut files = vec![("module.toml", entries), ("text", "text\n"), ("run.sh.j2", "#!/bin/sh\n")];
    files.extend(more);
    Sandbox::module(&files)
}
