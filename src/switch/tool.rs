//! Programs of the target, run to their end or to the end of their time, with nothing of our environment.
#![expect(clippy::disallowed_methods, reason = "a door: it starts programs")]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The last bytes of an output that are kept.
const KEPT: usize = 256 << 10;
/// How often we look whether a program ended whose output somebody else still holds open.
const LOOK: Duration = Duration::from_millis(20);

/// Why a program gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It cannot be started.
    #[error("`{program}` cannot be run: {source}")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// Its output cannot be read.
    #[error("the output of `{program}` cannot be read: {source}")]
    NotRead {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It took too long and was killed.
    #[error("`{program}` did not end within {}s: {said}", within.as_secs_f32())]
    TooSlow {
        /// The program.
        program: String,
        /// How long it could take.
        within: Duration,
        /// What it had written by then.
        said: String,
    },
    /// It ended badly.
    #[error("`{program}` {how}: {said}")]
    Failed {
        /// The program.
        program: String,
        /// Its exit code or signal.
        how: String,
        /// What it wrote.
        said: String,
    },
}

/// A program to run.
#[derive(Debug)]
pub struct Tool {
    program: String,
    arguments: Vec<OsString>,
    settings: Vec<(String, OsString)>,
    input: Option<File>,
    stdout: Option<File>,
    within: Duration,
}

/// What a program that ended left.
#[derive(Debug)]
pub struct Output {
    program: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output; the end of it, where it is long.
    pub stdout: String,
    /// What it wrote to its standard error; the end of it, where it is long.
    pub stderr: String,
}

impl Output {
    /// Its exit code; that of a shell where a signal ended it.
    #[must_use]
    pub fn code(&self) -> i32 {
        code(self.status)
    }

    /// The output, where it ended well.
    ///
    /// # Errors
    /// Where it did not.
    pub fn good(self) -> Result<Self, ToolError> {
        if self.status.success() { Ok(self) } else { Err(self.failed()) }
    }

    /// That it ended as it did, as an error.
    #[must_use]
    pub fn failed(&self) -> ToolError {
        let how = match self.status.code() {
            Some(code) => format!("ended with {code}"),
            None => format!("was ended by signal {}", self.status.signal().unwrap_or_default()),
        };
        let said = said(&self.stderr, &self.stdout);
        ToolError::Failed { program: self.program.clone(), how, said }
    }
}

/// The exit code of a program; that of a shell (128 + its number) where a signal ended it.
#[must_use]
pub fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// What a program said, for a message: at most the last 20 lines of what it wrote.
fn said(stderr: &str, stdout: &str) -> String {
    let text = if stderr.trim().is_empty() { stdout } else { stderr };
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let last = lines[lines.len().saturating_sub(20)..].join("\n");
    if last.is_empty() { "it wrote nothing".to_owned() } else { last }
}

impl Tool {
    /// A program by its name or path, which may take so long.
    #[must_use]
    pub fn new(program: impl Into<String>, within: Duration) -> Self {
        let (arguments, settings) = (Vec::new(), Vec::new());
        Self { program: program.into(), arguments, settings, input: None, stdout: None, within }
    }

    /// With a file as its standard input, which is empty else.
    #[must_use]
    pub fn input(mut self, file: File) -> Self {
        self.input = Some(file);
        self
    }

    /// With a file as its standard output, which is kept as text else.
    #[must_use]
    pub fn stdout(mut self, file: Option<File>) -> Self {
        self.stdout = file;
        self
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// With more arguments.
    #[must_use]
    pub fn args<T: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// With a variable of the environment, which is empty else but for `PATH`, `HOME` and `LC_ALL`.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.settings.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// The same with another root: by chroot(8), where `root` is none of this system.
    #[must_use]
    pub fn in_root(mut self, root: &Path) -> Self {
        if root != Path::new("/") {
            let program = std::mem::replace(&mut self.program, "chroot".to_owned());
            self.arguments.splice(0..0, [root.as_os_str().to_owned(), OsString::from(program)]);
        }
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/")
            .env("LC_ALL", "C.UTF-8")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .current_dir("/");
        command
    }

    /// Runs it in a process group of its own, and waits.
    ///
    /// # Errors
    /// Where it cannot be started, or takes too long. A bad end is no error here ([`Output::good`]).
    pub fn run(mut self) -> Result<Output, ToolError> {
        let until = Instant::now() + self.within;
        let mut command = self.command();
        let input = self.input.take().map_or_else(Stdio::null, Stdio::from);
        let stdout = self.stdout.take().map_or_else(Stdio::piped, Stdio::from);
        command.process_group(0).stdin(input).stdout(stdout).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|source| self.not_started(source))?;
        let result = self.follow(&mut child, until);
        if result.is_err() {
            end(&mut child);
        }
        result
    }

    /// Runs it with our own input, output and terminal, however long it takes.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn run_attached(self) -> Result<ExitStatus, ToolError> {
        self.command().status().map_err(|source| self.not_started(source))
    }

    fn not_started(&self, source: std::io::Error) -> ToolError {
        ToolError::NotStarted { program: self.program.clone(), source }
    }

    fn follow(&self, child: &mut Child, until: Instant) -> Result<Output, ToolError> {
        let not_read = |source| ToolError::NotRead { program: self.program.clone(), source };
        let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut status = None;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let open = out.is_some() || err.is_some();
            let read =
                pull(&mut out, &mut stdout, &mut err, &mut stderr, left.min(LOOK)).map_err(not_read)?;
            if let Some(status) = status
                && !read
            {
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                let (stdout, stderr) = (text(stdout), text(stderr));
                return Ok(Output { program: self.program.clone(), status, stdout, stderr });
            }
            if left.is_zero() {
                let said = said(&String::from_utf8_lossy(&stderr), &String::from_utf8_lossy(&stdout));
                return Err(ToolError::TooSlow { program: self.program.clone(), within: self.within, said });
            }
            if !read {
                status = child.try_wait().map_err(not_read)?;
                if status.is_none() && !open {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }
}

/// Reads what is there in either output, or waits for it; whether there was something, if only its end.
fn pull(
    out: &mut Option<impl Read + AsFd>,
    stdout: &mut Vec<u8>,
    err: &mut Option<impl Read + AsFd>,
    stderr: &mut Vec<u8>,
    wait: Duration,
) -> std::io::Result<bool> {
    let (first, second) = {
        let mut watched = Vec::with_capacity(2);
        watched.extend(out.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let second = watched.len();
        watched.extend(err.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        if watched.is_empty() {
            return Ok(false);
        }
        let wait = Timespec { tv_sec: 0, tv_nsec: wait.as_nanos().try_into().unwrap_or(0) };
        match poll(&mut watched, Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = |at: usize| watched.get(at).is_some_and(|one| !one.revents().is_empty());
        (second == 1 && ready(0), ready(second))
    };
    let first = first && take(out, stdout)?;
    let second = second && take(err, stderr)?;
    Ok(first || second)
}

/// Reads once; forgets the pipe at its end.
fn take(pipe: &mut Option<impl Read>, text: &mut Vec<u8>) -> std::io::Result<bool> {
    let Some(open) = pipe else { return Ok(false) };
    let mut chunk = [0_u8; 16 << 10];
    match open.read(&mut chunk) {
        Ok(0) => *pipe = None,
        Ok(read) => {
            text.extend_from_slice(&chunk[..read]);
            if text.len() > 2 * KEPT {
                text.drain(..text.len() - KEPT);
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
        Err(error) => return Err(error),
    }
    Ok(true)
}

/// Kills a program and whatever it started in its group.
fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // Gone already is as good.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, within: u64) -> Tool {
        Tool::new("sh", Duration::from_millis(within)).args(["-c", script])
    }

    #[test]
    fn both_outputs_and_the_code() {
        let output = sh("echo out; echo err >&2; exit 3", 5000).run().unwrap();
        assert_eq!((output.code(), output.stdout.as_str(), output.stderr.as_str()), (3, "out\n", "err\n"));
        assert_eq!(output.good().unwrap_err().to_string(), "`sh` ended with 3: err");
        let file = File::open("/proc/self/comm").unwrap();
        assert!(!sh("cat", 5000).input(file).run().unwrap().stdout.is_empty());
        let output = sh("kill -9 $$", 5000).run().unwrap();
        assert_eq!(output.failed().to_string(), "`sh` was ended by signal 9: it wrote nothing");
        assert_eq!(output.code(), 137);
    }

    #[test]
    fn the_environment_is_empty() {
        let output = sh("env | sort; pwd", 5000).env("A", "b").run().unwrap();
        let names: Vec<&str> = output.stdout.lines().filter_map(|line| line.split('=').next()).collect();
        assert_eq!(names, ["A", "HOME", "LC_ALL", "PATH", "PWD", "/"]);
    }

    #[test]
    fn a_slow_one_is_killed_with_its_children() {
        let before = Instant::now();
        let error = sh("echo begun; sleep 60 & sleep 60", 200).run().unwrap_err();
        assert!(error.to_string().ends_with("did not end within 0.2s: begun"), "{error}");
        assert!(before.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_child_that_stays_does_not_hold_us() {
        let before = Instant::now();
        let output = sh("sleep 3 & echo done", 10_000).run().unwrap();
        assert_eq!(output.stdout, "done\n");
        assert!(before.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn much_output_is_cut() {
        let output = sh("head -c 3000000 /dev/zero | tr '\\0' x; echo end", 20_000).run().unwrap();
        assert!(output.stdout.ends_with("xend\n") && output.stdout.len() <= 3 * KEPT);
    }

    #[test]
    fn no_such_program() {
        let error = Tool::new("/nowhere/x", LOOK).run().unwrap_err().to_string();
        assert!(error.starts_with("`/nowhere/x` cannot be run: "), "{error}");
    }
}
