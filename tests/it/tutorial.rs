//! The tutorial does what it shows: its files are written, its commands run, and what they say compared.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::sandbox::{Sandbox, without_hashes};

const TUTORIAL: &str = include_str!("../../src/build/reference/tutorial.md");

/// Runs commands one after another in one shell, so that `cd` works; gives them with what they said.
struct Shell {
    sandbox: Sandbox,
    folder: String,
}

impl Shell {
    fn run(&mut self, command: &str) -> String {
        if let Some(folder) = command.strip_prefix("cd ") {
            self.folder = format!("{}/{folder}", self.folder);
            assert!(self.sandbox.path(&self.folder).is_dir(), "{command}");
            return String::new();
        }
        let program = Path::new(env!("CARGO_BIN_EXE_voevent-build")).parent().unwrap();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("exec 2>&1; {command}")]).current_dir(self.sandbox.path(&self.folder));
        shell.env_clear().env("PATH", format!("{}:/usr/bin:/bin", program.display()));
        String::from_utf8(shell.output().unwrap().stdout).unwrap()
    }
}

/// The tutorial as it should be: after each command what it says now.
fn replayed(tutorial: &str) -> String {
    let mut shell = Shell { sandbox: Sandbox::example(), folder: ".".to_owned() };
    let mut out = String::new();
    let mut lines = tutorial.lines();
    while let Some(line) = lines.next() {
        writeln!(out, "{line}").unwrap();
        let Some(info) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some((_, file)) = info.split_once(" file=") {
            shell.sandbox.write(file, &(block.join("\n") + "\n"));
        }
        for line in block {
            match line.strip_prefix("$ ") {
                Some(command) => write!(out, "{line}\n{}", shell.run(command)).unwrap(),
                None if info == "console" => {}
                None => writeln!(out, "{line}").unwrap(),
            }
        }
        out.push_str("```\n");
    }
    out
}

/// `VOEVENT_WRITE_TUTORIAL=FILE` writes what it should show.
#[test]
fn it_does_what_it_shows() {
    let now = replayed(TUTORIAL);
    if let Some(path) = std::env::var_os("VOEVENT_WRITE_TUTORIAL") {
        std::fs::write(path, &now).unwrap();
    }
    assert_eq!(without_hashes(TUTORIAL), without_hashes(&now));
}

/// A tutorial that shows nothing would pass, too.
#[test]
fn it_shows_enough() {
    let count = |what: &str| TUTORIAL.matches(what).count();
    assert!(count("\n$ voevent-build ") > 7 && count(" file=") > 3 && count("\nerror: ") > 2);
}
