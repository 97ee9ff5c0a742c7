//! The page of commands, from the definitions that read the command line.

use std::fmt::Write as _;

use clap::{Arg, Command};

use super::Program;
use crate::build::reference::markdown::{anchor, code, table, words};

/// The text below the first heading.
pub(super) fn text(programs: &[Program]) -> String {
    let mut text = String::new();
    for program in programs {
        let mut command = program.command.clone();
        command.build();
        describe(&command, &mut text);
        let exits = program.exits.iter().map(|(code, meaning)| [code.to_string(), words(meaning)]);
        let name = command.get_name();
        let _ = writeln!(text, "### Exit codes of {}\n", code(name));
        text.push_str(&table(["Code", "Meaning"], exits));
    }
    text
}

fn describe(command: &Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let level = if name.contains(' ') { "###" } else { "##" };
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(text, "{level} {}{}\n\n{}\n", anchor(&id(name)), code(name), words(&about));
    let usage = command.clone().render_usage().to_string();
    let usage: Vec<&str> = usage.trim_start_matches("Usage:").lines().map(str::trim).collect();
    let _ = writeln!(text, "```text\n{}\n```\n", usage.join("\n"));
    let own = |arg: &&Arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version");
    // What all commands have stands with the program.
    let arguments = command.get_arguments().filter(own).filter(|arg| level == "##" || !arg.is_global_set());
    let rows: Vec<[String; 2]> = arguments.map(argument).collect();
    if !rows.is_empty() {
        text.push_str(&table(["Argument", "Meaning"], rows));
    }
    for command in command.get_subcommands() {
        if !command.is_hide_set() && command.get_name() != "help" {
            describe(command, text);
        }
    }
}

/// What links to a command lead to.
pub(super) fn id(name: &str) -> String {
    format!("command-{}", name.replace(' ', "-"))
}

fn argument(arg: &Arg) -> [String; 2] {
    let values: Vec<&str> =
        arg.get_value_names().unwrap_or_default().iter().map(clap::builder::Str::as_str).collect();
    let takes = arg.get_action().takes_values();
    let value = if takes { values.join(" ") } else { String::new() };
    let name = match arg.get_long() {
        Some(long) if value.is_empty() => format!("--{long}"),
        Some(long) => format!("--{long} <{value}>"),
        None => format!("<{value}>"),
    };
    let mut meaning = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<&str> = arg.get_default_values().iter().filter_map(|value| value.to_str()).collect();
    if takes && !defaults.is_empty() {
        let _ = write!(meaning, " (by default `{}`)", defaults.join(" "));
    }
    let mut meaning = words(&meaning);
    for value in arg.get_possible_values().iter().filter(|value| takes && !value.is_hide_set()) {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = write!(meaning, " {}: {}.", code(value.get_name()), words(help.trim_end_matches('.')));
    }
    [code(&name), meaning]
}
