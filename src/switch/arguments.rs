//! The command line of `voevent-switch`: here, and not in the program, so that the reference can be made of it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::base::http::{OK, UrlPath};

/// Activates a bundle on this machine: all of it, proven, or nothing.
#[derive(Debug, Parser)]
#[command(name = "voevent-switch", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// The bundle: its folder in a store, or a link to it; by default the one that arrived last.
    pub bundle: Option<PathBuf>,
    /// Work on the files of this root, which does not run, instead of on this machine.
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Put back what was committed after this long, as `2min`; by default the sum of what units and checks may take.
    #[arg(long, global = true, value_name = "T", value_parser = duration)]
    pub deadline: Option<Duration>,
    /// Install packages that the bundle needs and this machine has not, by `apt-get`, before anything is changed.
    #[arg(long, global = true)]
    pub install_packages: bool,
    /// What else than a switch is wanted.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What else than a switch is wanted.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the steps of a switch, each with its reason, and do nothing.
    Plan {
        /// The bundle: its folder in a store, or a link to it.
        bundle: PathBuf,
    },
    /// Go back to the generation before, or to any.
    Rollback {
        /// The generation.
        number: Option<u64>,
    },
    /// List the generations: number, time, outcome, who, bundle.
    Generations,
    /// Say where a line of this machine comes from, or what a setting is: `/etc/motd:3`, `comet.service`, `comet.user`.
    Why {
        /// A path, with or without a line, an artifact or a setting.
        question: String,
    },
    /// Ask whether a broker on this machine works, or another service.
    #[command(subcommand)]
    Probe(Probe),
    /// The switch itself, in a unit of its own.
    #[command(hide = true)]
    Run {
        /// Who asked for it.
        #[arg(long)]
        by: String,
        /// To what.
        #[command(flatten)]
        to: RunTo,
    },
    /// The guard of a generation, until so many milliseconds since boot.
    #[command(hide = true)]
    Guard {
        /// The generation.
        number: u64,
        /// Until when.
        until: u64,
    },
    /// What runs before anything else at boot.
    #[command(hide = true)]
    Boot,
    /// What runs when the machine is up.
    #[command(hide = true)]
    BootCheck,
    /// Whether this program works here.
    #[command(hide = true)]
    SelfTest,
}

/// To what the switch of its own unit goes.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct RunTo {
    /// A bundle.
    #[arg(long)]
    pub bundle: Option<PathBuf>,
    /// A generation.
    #[arg(long)]
    pub generation: Option<u64>,
    /// The generation before.
    #[arg(long)]
    pub predecessor: bool,
}

/// What `probe` asks.
#[derive(Debug, Subcommand)]
pub enum Probe {
    /// Ask whether a broker greets subscribers at the port.
    Vtp(At),
    /// Ask whether a broker refuses an event with an invalid IVOID at the port.
    VtpNak(At),
    /// Ask an HTTP service by GET.
    Http {
        /// Where.
        #[command(flatten)]
        at: At,
        /// The path of the URL.
        #[arg(long)]
        path: UrlPath,
        /// The status that it must answer with.
        #[arg(long, default_value_t = OK)]
        status: u16,
        /// What must be in its answer.
        #[arg(long, value_name = "TEXT")]
        contains: Option<String>,
    },
}

/// Where is asked, and for how long.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct At {
    /// The port.
    #[arg(long)]
    pub port: u16,
    /// How long it may take until the answer is good.
    #[arg(long, value_name = "T", value_parser = duration, default_value = "5s")]
    pub wait: Duration,
}

/// A time as `2min`; more than a year is a slip of the hand.
fn duration(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let year = Duration::from_hours(24 * 365);
    if time <= year { Ok(time) } else { Err("it is longer than a year".to_owned()) }
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
