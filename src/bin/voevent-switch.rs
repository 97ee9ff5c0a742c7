//! `voevent-switch`: activates a bundle on the machine it runs on.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use voevent_node::switch::commands::Call;
use voevent_node::switch::failure::{Exit, Failure, harmless};
use voevent_node::switch::generator::generate;
use voevent_node::switch::probe::ProbeKind;

/// Activates a bundle on this machine: all of it, proven, or nothing.
#[derive(Debug, Parser)]
#[command(name = "voevent-switch", version, args_conflicts_with_subcommands = true)]
struct Cli {
    /// The bundle: its folder in a store, or a link to it; by default the one that arrived last.
    bundle: Option<PathBuf>,
    /// Work on the files of this root, which does not run, instead of on this machine.
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Put back what was committed after this long, as `2min`; by default the sum of what units and checks may take.
    #[arg(long, global = true, value_name = "T", value_parser = duration)]
    deadline: Option<Duration>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
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
    /// Ask whether a broker on this machine works.
    Probe {
        /// What is asked.
        kind: Probe,
        /// The port.
        #[arg(long)]
        port: u16,
        /// How long it may take until it does.
        #[arg(long, value_name = "T", value_parser = duration, default_value = "5s")]
        wait: Duration,
    },
    /// The switch itself, in a unit of its own.
    #[command(hide = true)]
    Run {
        #[arg(long)]
        by: String,
        #[command(flatten)]
        to: RunTo,
    },
    /// The guard of a generation, until so many milliseconds since boot.
    #[command(hide = true)]
    Guard { number: u64, until: u64 },
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

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct RunTo {
    #[arg(long)]
    bundle: Option<PathBuf>,
    #[arg(long)]
    generation: Option<u64>,
    #[arg(long)]
    predecessor: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Probe {
    /// A broker greets subscribers at the port.
    Vtp,
    /// A broker refuses an event with an invalid IVOID at the port.
    VtpNak,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let name = arguments.next().map(PathBuf::from).unwrap_or_default();
    if name.file_name().is_some_and(|name| name == "voevent-generator") {
        return run_generator(arguments.next().map(PathBuf::from));
    }
    let exit = run(Cli::parse()).unwrap_or_else(|failure| {
        say(&failure.to_string());
        failure.exit
    });
    ExitCode::from(exit.code())
}

/// A time as `2min`; more than a year is a slip of the hand.
fn duration(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let year = Duration::from_hours(24 * 365);
    if time <= year { Ok(time) } else { Err("it is longer than a year".to_owned()) }
}

/// A line for people. Where nobody reads any more, the work goes on.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", harmless(line));
}

fn print(text: &str) {
    let _ = write!(std::io::stdout(), "{}", harmless(text));
}

fn run_generator(out: Option<PathBuf>) -> ExitCode {
    let Some(out) = out else {
        say("error: a generator is called by systemd, with its folders");
        return ExitCode::from(Exit::Usage.code());
    };
    for problem in generate(Path::new("/"), &out) {
        say(&format!("voevent-generator: {problem}"));
    }
    ExitCode::SUCCESS
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let offline = cli.root.as_deref();
    let call = Call {
        root: offline,
        allowance: cli.deadline,
        now: jiff::Timestamp::now().to_string(),
        tell: &mut |line: &str| say(line),
    };
    match cli.command {
        None => call.switch(cli.bundle.as_deref()),
        Some(Command::Plan { bundle }) => Ok(print_all(&call.plan(&bundle)?)),
        Some(Command::Rollback { number }) => call.rollback(number),
        Some(Command::Generations) => Ok(print_all(&call.generations()?)),
        Some(Command::Probe { kind, port, wait }) => {
            let kind = match kind {
                Probe::Vtp => ProbeKind::Vtp,
                Probe::VtpNak => ProbeKind::VtpNak,
            };
            Ok(print_all(&call.probe(kind, port, wait)?))
        }
        Some(Command::Run { by, to }) => call.run(by, to.bundle.as_deref(), to.generation),
        Some(Command::Guard { number, until }) => call.guard(number, Duration::from_millis(until)),
        Some(Command::Boot) => call.boot(),
        Some(Command::BootCheck) => call.boot_check(),
        Some(Command::SelfTest) => Ok(print_all("ok\n")),
    }
}

fn print_all(text: &str) -> Exit {
    print(text);
    Exit::Done
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
