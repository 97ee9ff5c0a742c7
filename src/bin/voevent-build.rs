//! `voevent-build`: compiles a host's TOML into a bundle.

#![expect(
    clippy::disallowed_methods,
    reason = "the edge: how output looks depends on terminal and current folder"
)]

use std::io::{IsTerminal as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use voevent_node::base::io::OnPath as _;
use voevent_node::base::path::relative;
use voevent_node::base::report::{Diagnostic, RenderStyle, render};
use voevent_node::build::compile::{BuildError, Project};

/// Compiles a host file into a bundle, and prints the bundle's path.
#[derive(Debug, Parser)]
#[command(
    name = "voevent-build",
    version,
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(flatten)]
    project: ProjectArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Resolve the host's Python environments and write their locks.
    Lock {
        #[command(flatten)]
        project: ProjectArguments,
        /// Take the newest versions instead of those of the lock that is there.
        #[arg(long)]
        upgrade: bool,
    },
}

#[derive(Debug, clap::Args)]
struct ProjectArguments {
    /// The host file, as `hosts/node1.toml`.
    #[arg(required = true)]
    host: Option<PathBuf>,
    /// The folder of the modules; by default `modules` beside the host file's folder.
    #[arg(long, value_name = "DIR")]
    modules: Option<PathBuf>,
    /// Where bundles go; by default `generated` beside the host file's folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl ProjectArguments {
    fn project(self) -> Project {
        let mut project = Project::around(&self.host.unwrap_or_default());
        if let Some(modules) = self.modules {
            project.modules = modules;
        }
        if let Some(out) = self.out {
            project.out = out;
        }
        project
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        None => build(&cli.project.project()),
        Some(Command::Lock { project, upgrade }) => lock(&project.project(), upgrade),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(BuildError::Configuration(diagnostics)) => {
            show(&diagnostics);
            ExitCode::FAILURE
        }
        Err(BuildError::Io(error)) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// A line for people.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn show(diagnostics: &[Diagnostic]) {
    let terminal = std::io::stderr().is_terminal();
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let style = RenderStyle { colour: terminal && !no_color, ..RenderStyle::default() };
    let _ = write!(std::io::stderr(), "{}", render(diagnostics, style));
}

fn build(project: &Project) -> Result<(), BuildError> {
    let built = project.build(&mut |line: &str| say(line))?;
    show(&built.warnings);
    built.summary.iter().for_each(|line| say(line));
    writeln!(std::io::stdout(), "{}", shown(&built.path).display()).on("write to", "stdout")?;
    Ok(())
}

fn lock(project: &Project, upgrade: bool) -> Result<(), BuildError> {
    for outcome in project.lock(upgrade, &mut |line: &str| say(line))? {
        say(&format!("{}: {}", outcome.path.display(), if outcome.kept { "kept" } else { "written" }));
        outcome.changed.iter().for_each(|change| say(&format!("  {change}")));
    }
    Ok(())
}

/// A path as the user would write it from the current folder.
fn shown(path: &Path) -> PathBuf {
    match std::env::current_dir() {
        Ok(here) if path.is_absolute() => relative(path, &here),
        _ => path.components().filter(|part| *part != Component::CurDir).collect(),
    }
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
