//! `voevent-switch`: activates a bundle on the machine it runs on.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use voevent_node::switch::arguments::{Cli, Command};
use voevent_node::switch::commands::Call;
use voevent_node::switch::failure::{Exit, Failure, harmless};
use voevent_node::switch::generator::generate;

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
        install_packages: cli.install_packages,
        now: jiff::Timestamp::now().to_string(),
        tell: &mut |line: &str| say(line),
    };
    match cli.command {
        None => call.switch(cli.bundle.as_deref()),
        Some(Command::Plan { bundle }) => Ok(print_all(&call.plan(&bundle)?)),
        Some(Command::Rollback { number }) => call.rollback(number),
        Some(Command::Generations) => Ok(print_all(&call.generations()?)),
        Some(Command::Why { question }) => Ok(print_all(&call.why(&question)?)),
        Some(Command::Probe(probe)) => Ok(print_all(&call.probe(probe)?)),
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
