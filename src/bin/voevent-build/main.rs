//! `voevent-build`: compiles a host's TOML into a bundle, and explains what it does.
//!
//! Each command is a file with its arguments and `run`, which gives an [`Outcome`]; only this file prints one.

#![expect(
    clippy::disallowed_methods,
    reason = "the edge: how output looks depends on terminal and current folder"
)]

mod build;
mod check;
mod diff;
mod docs;
mod graph;
mod lock;
mod new;
mod options;
mod outcome;
mod project;
mod schema;
mod secret;
mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use voevent_node::build::compile::BuildError;

use outcome::Outcome;

/// Compiles a host file into a bundle, and prints the bundle's path.
#[derive(Debug, Parser)]
#[command(
    name = "voevent-build",
    version,
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true
)]
struct Cli {
    /// Print one JSON document: the same data, with all errors and warnings in `diagnostics`.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    build: build::Arguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check hosts, each by itself and all together, and write nothing.
    Check(check::Arguments),
    /// Resolve the host's Python environments and write their locks.
    Lock(lock::Arguments),
    /// Write the reference: Markdown, and one HTML page with a search.
    Docs(docs::Arguments),
    /// Write the start of a host or a module: commented, and ready to be built.
    New(new::Arguments),
    /// List the options of modules: name, type, default, description; or describe one of them.
    Options(options::Arguments),
    /// Print the JSON Schema of host files, for editors.
    Schema(schema::Arguments),
    /// Draw the modules of a host, its artifacts, or the events of a fleet.
    Graph(graph::Arguments),
    /// Say where a line, an artifact or a setting of a host comes from.
    Why(why::Arguments),
    /// Encrypt a secret for a host, so that it can lie beside the host file.
    Secret(secret::Arguments),
    /// Say what a build would change on the host: settings, units, files, packages, and what restarts.
    Diff(diff::Arguments),
}

impl Cli {
    fn run(self) -> Result<Outcome, BuildError> {
        match self.command {
            None => self.build.run(),
            Some(Command::Check(arguments)) => arguments.run(),
            Some(Command::Lock(arguments)) => arguments.run(),
            Some(Command::Docs(arguments)) => arguments.run(),
            Some(Command::New(arguments)) => arguments.run(),
            Some(Command::Options(arguments)) => arguments.run(),
            Some(Command::Schema(arguments)) => arguments.run(),
            Some(Command::Graph(arguments)) => arguments.run(),
            Some(Command::Why(arguments)) => arguments.run(),
            Some(Command::Secret(arguments)) => arguments.run(),
            Some(Command::Diff(arguments)) => arguments.run(),
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    let result = cli.run();
    outcome::print(result, json)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// clap finds arguments that contradict each other only when it is asked to.
    #[test]
    fn the_command_line_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
