//! One command: built, run with a bound on its time, and what came of it.
//!
//! What it prints goes to files in memory, not to pipes: nothing here ever blocks on a process that a command
//! left behind holding its output.

use super::process::{self, Watched};
use super::{Explain, Failure, Result};
use rustix::fs::{MemfdFlags, memfd_create};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long a command may take where the test does not say.
pub const USUAL_TIME: Duration = Duration::from_mins(2);

/// A command to be run, on a machine or beside it.
#[must_use = "a call does nothing until it is run"]
pub struct Call {
    command: Command,
    argv: Vec<OsString>,
    place: String,
    input: Option<Result<File>>,
    time: Duration,
}

impl Call {
    /// A command on the machine that runs the tests, in its own environment.
    pub fn here<A: AsRef<OsStr>>(argv: impl IntoIterator<Item = A>) -> Self {
        Self::behind::<&str>("", &[], argv)
    }

    /// A command behind another one that brings it to its place, as `nsenter` does.
    pub(super) fn behind<P: AsRef<OsStr>>(
        place: &str,
        prefix: &[P],
        argv: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Self {
        let argv: Vec<OsString> = argv.into_iter().map(|word| word.as_ref().to_owned()).collect();
        let mut words = prefix.iter().map(|word| word.as_ref().to_owned()).chain(argv.iter().cloned());
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        Self { command, argv, place: place.to_owned(), input: None, time: USUAL_TIME }
    }

    /// Forgets the environment of the tests: what the command sees is what [`Call::env`] gives it.
    pub fn clear_env(mut self) -> Self {
        self.command.env_clear();
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// The folder it starts in, where it is a command beside the machines.
    pub fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// What it reads from its standard input; otherwise that is empty.
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.input = Some(memory().and_then(|mut file| {
            file.write_all(bytes.as_ref()).explain(|| "write to memory".to_owned())?;
            file.rewind().explain(|| "rewind a file in memory".to_owned())?;
            Ok(file)
        }));
        self
    }

    /// The same from an open file, from where it stands.
    pub fn stdin_file(mut self, file: File) -> Self {
        self.input = Some(Ok(file));
        self
    }

    /// How long it may take; it is killed then, with all that it started, and the call is a failure.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Runs it; any exit status will do.
    pub fn output(self) -> Result<Output> {
        let time = self.time;
        self.spawn()?.wait(time)
    }

    /// Runs it; it must exit with 0. What it printed to standard output, without the last line's end.
    pub fn ok(self) -> Result<String> {
        let mut output = self.output()?.checked()?;
        output.stdout.truncate(output.stdout.trim_end().len());
        Ok(output.stdout)
    }

    /// The same, byte for byte.
    pub fn bytes(self) -> Result<Vec<u8>> {
        let time = self.time;
        let mut running = self.spawn()?;
        running.wait(time)?.checked()?;
        contents(&running.stdout)
    }

    /// Starts it in the background.
    pub fn spawn(mut self) -> Result<Running> {
        let shown = self.shown();
        let (stdout, stderr) = (memory()?, memory()?);
        self.command.stdout(twin(&stdout)?).stderr(twin(&stderr)?);
        self.command.stdin(self.input.transpose()?.map_or_else(Stdio::null, Stdio::from));
        let mut child = self.command.spawn().explain(|| format!("start {shown}"))?;
        let watched = Watched::new(child.id().cast_signed()).or_else(|failure| {
            child.kill().and_then(|()| child.wait()).explain(|| format!("end {shown}"))?;
            Err(failure)
        })?;
        Ok(Running { child, watched, stdout, stderr, shown, ended: None })
    }

    /// The command as messages show it.
    fn shown(&self) -> String {
        let words: Vec<String> = self.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        if self.place.is_empty() {
            format!("`{}`", words.join(" "))
        } else {
            format!("`{}` on {}", words.join(" "), self.place)
        }
    }
}

/// A command in the background. Dropped, it is killed with all that it started.
pub struct Running {
    child: Child,
    watched: Watched,
    stdout: File,
    stderr: File,
    shown: String,
    ended: Option<ExitStatus>,
}

impl Running {
    /// Its process here (on a machine: that of the `nsenter` around it).
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Has it ended?
    pub fn is_over(&self) -> Result<bool> {
        self.ended_within(Duration::ZERO)
    }

    /// What it printed to standard output so far.
    pub fn stdout(&self) -> Result<String> {
        text(&self.stdout)
    }

    /// What it printed to standard error so far.
    pub fn stderr(&self) -> Result<String> {
        text(&self.stderr)
    }

    /// Waits for its end; after that time it is killed and the call is a failure.
    pub fn wait(&mut self, time: Duration) -> Result<Output> {
        if !self.ended_within(time)? {
            self.end()?;
            let (stdout, stderr) = (self.stdout()?, self.stderr()?);
            let shown = &self.shown;
            return Err(Failure::new(format!("{shown} did not end within {time:?}\n{stdout}{stderr}")));
        }
        let status = self.reap()?;
        Ok(Output { status, stdout: self.stdout()?, stderr: self.stderr()?, shown: self.shown.clone() })
    }

    /// Kills it and all that it started.
    pub fn kill(mut self) -> Result<()> {
        self.end()
    }

    fn ended_within(&self, time: Duration) -> Result<bool> {
        if self.ended.is_some() { Ok(true) } else { self.watched.ended_within(time) }
    }

    fn reap(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait().explain(|| format!("wait for {}", self.shown))?;
        self.ended = Some(status);
        Ok(status)
    }

    fn end(&mut self) -> Result<()> {
        if self.ended.is_none() {
            process::kill_tree(self.pid())?;
            self.reap()?;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(failure) = self.end() {
            eprintln!("warning: {failure}");
        }
    }
}

/// What came of a command.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed to standard output (what is not UTF-8 is replaced).
    pub stdout: String,
    /// What it printed to standard error.
    pub stderr: String,
    shown: String,
}

impl Output {
    /// Its exit code; none if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Did it exit with 0?
    pub fn success(&self) -> bool {
        self.status.success()
    }

    /// Itself if it exited with 0; otherwise a failure with all that it printed.
    pub fn checked(self) -> Result<Self> {
        if self.success() {
            return Ok(self);
        }
        let Self { status, stdout, stderr, shown } = self;
        Err(Failure::new(format!("{shown} failed: {status}\n{stdout}{stderr}")))
    }
}

/// A new file in memory.
fn memory() -> Result<File> {
    memfd_create("voevent-test", MemfdFlags::CLOEXEC)
        .map(File::from)
        .explain(|| "make a file in memory".to_owned())
}

fn twin(file: &File) -> Result<File> {
    file.try_clone().explain(|| "duplicate a file in memory".to_owned())
}

/// All of a file in memory, without moving the place where its writers stand.
fn contents(file: &File) -> Result<Vec<u8>> {
    let read = || {
        let size = usize::try_from(file.metadata()?.len()).map_err(std::io::Error::other)?;
        let mut bytes = vec![0; size];
        file.read_exact_at(&mut bytes, 0)?;
        Ok::<_, std::io::Error>(bytes)
    };
    read().explain(|| "read a file in memory".to_owned())
}

fn text(file: &File) -> Result<String> {
    Ok(String::from_utf8_lossy(&contents(file)?).into_owned())
}
