//! Runs a program that a door set up to its end, within a time, and keeps what it says.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Most of a program's output that is kept.
const MAX_OUTPUT: u64 = 16 << 20;
/// Lines of its messages that are shown.
const MAX_LINES: usize = 25;

/// A program that did not do its work.
#[derive(Debug, thiserror::Error)]
#[error("`{program}` {cause}{}", shown(said))]
pub struct Failed {
    /// What was run, for people.
    pub program: String,
    /// How it ended.
    pub cause: Cause,
    /// The end of what it said.
    pub said: String,
}

/// How a program ended that did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// It is not there, or cannot be run.
    #[error("cannot be started: {0}")]
    Start(std::io::Error),
    /// Its end could not be waited for.
    #[error("cannot be watched: {0}")]
    Watch(std::io::Error),
    /// It took too long and was ended.
    #[error("was not done after {} s, and was ended", .0.as_secs())]
    Late(Duration),
    /// It says so itself.
    #[error("failed ({0})")]
    Status(ExitStatus),
}

/// Runs a command and gives what it wrote to stdout.
///
/// # Errors
/// Where it cannot be started, ends with another code than 0, or takes longer than `within`.
pub fn run(program: &str, command: &mut Command, within: Duration) -> Result<String, Failed> {
    let Ended { status, stdout, stderr } = ended(program, command.stdin(Stdio::null()), within)?;
    if status.success() {
        return Ok(stdout);
    }
    // pip writes some of its errors to stdout.
    let said = format!("{stdout}\n{stderr}");
    Err(Failed { program: program.to_owned(), cause: Cause::Status(status), said })
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code, or the signal that ended it.
    pub status: ExitStatus,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

/// Runs a command, whose stdin is set up, to its end.
///
/// # Errors
/// Where it cannot be started or watched, or takes longer than `within`; not where it fails.
pub fn ended(program: &str, command: &mut Command, within: Duration) -> Result<Ended, Failed> {
    let failed = |cause, said| Failed { program: program.to_owned(), cause, said };
    let files = tempfile::tempfile().and_then(|out| Ok((out, tempfile::tempfile()?)));
    let (mut stdout, mut stderr) = files.map_err(|error| failed(Cause::Start(error), String::new()))?;
    let streams = stdout.try_clone().and_then(|out| Ok((out, stderr.try_clone()?)));
    let (out, err) = streams.map_err(|error| failed(Cause::Start(error), String::new()))?;
    // Files and not pipes: whoever inherits a pipe can keep it open for ever.
    command.stdout(out).stderr(err);
    let mut child = command.spawn().map_err(|error| failed(Cause::Start(error), String::new()))?;
    let end = Instant::now() + within;
    let mut pause = Duration::from_millis(1);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Err(error) => break Err(Cause::Watch(error)),
            Ok(None) if Instant::now() >= end => {
                // Both fail only where it is gone already.
                let _ = child.kill();
                let _ = child.wait();
                break Err(Cause::Late(within));
            }
            Ok(None) => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    let (stdout, stderr) = (text(&mut stdout), text(&mut stderr));
    match status {
        Ok(status) => Ok(Ended { status, stdout, stderr }),
        Err(cause) => Err(failed(cause, format!("{stdout}\n{stderr}"))),
    }
}

/// What was written to a file, as text.
fn text(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(MAX_OUTPUT).read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(what it said cannot be read: {error})"),
    }
}

/// The end of what a program said, a line each, indented; nothing where it said nothing.
fn shown(said: &str) -> String {
    let line = |line: &str| -> String { line.chars().filter(|c| !c.is_control()).take(400).collect() };
    let lines: Vec<String> = said.lines().map(line).filter(|line| !line.trim().is_empty()).collect();
    let skipped = lines.len().saturating_sub(MAX_LINES);
    let mut shown = String::new();
    if skipped > 0 {
        shown.push_str("\n  | …");
    }
    for line in &lines[skipped..] {
        shown.push_str("\n  | ");
        shown.push_str(line);
    }
    shown
}

/// For people: a progress line at a time.
pub type Say<'a> = &'a mut dyn FnMut(&str);

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "starts programs")]

    use super::*;

    fn sh(script: &str, within: Duration) -> Result<String, String> {
        let mut command = Command::new("sh");
        run("sh", command.args(["-c", script]), within).map_err(|error| error.to_string())
    }

    #[test]
    fn keeps_what_is_said() {
        assert_eq!(sh("echo out; echo err >&2", Duration::from_mins(1)), Ok("out\n".to_owned()));
        let error = sh("seq 100; echo why >&2; exit 3", Duration::from_mins(1)).unwrap_err();
        assert!(error.starts_with("`sh` failed (exit status: 3)\n  | …\n  | 77\n"), "{error}");
        assert!(error.ends_with("\n  | 100\n  | why"));
        let error = run("x", &mut Command::new("/nowhere/x"), Duration::from_mins(1)).unwrap_err();
        assert!(error.to_string().starts_with("`x` cannot be started: No such file"));
    }

    #[test]
    fn ends_what_takes_too_long() {
        let begin = Instant::now();
        let error = sh("echo begun; sleep 60", Duration::from_millis(200)).unwrap_err();
        assert_eq!(error, "`sh` was not done after 0 s, and was ended\n  | begun");
        assert!(begin.elapsed() < Duration::from_secs(40));
    }
}
