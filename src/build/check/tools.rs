//! Tools that are installed here and know the languages of files: each text goes through them once a run.
//!
//! They judge only; no byte of a bundle depends on one. A tool that is not installed, or cannot run here, is named.

#![expect(clippy::disallowed_methods, reason = "a door: runs tools that are installed here")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use regex::Regex;

use crate::build::lock::run::{Ended, Failed, ended};

/// How long a call may take.
const WITHIN: Duration = Duration::from_secs(10);
/// The most complaints of one call that are kept.
const MAX_COMPLAINTS: usize = 20;

/// What is to be judged, which says by which tool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// A script of POSIX shell.
    Sh,
    /// A program for this minor version of Python 3, as `3.11`.
    Python(String),
    /// Rules of nftables.
    Nft,
    /// All units of a host.
    Units,
}

impl Work {
    /// The tool's name, for people.
    #[must_use]
    pub fn tool(&self) -> String {
        match self {
            Self::Sh => "sh -n".to_owned(),
            Self::Python(version) => format!("python{version}"),
            Self::Nft => "nft -c".to_owned(),
            Self::Units => "systemd-analyze verify".to_owned(),
        }
    }

    /// The programs that do it, the best first. dash is the `sh` of Debian and Ubuntu.
    fn programs(&self) -> Vec<String> {
        match self {
            Self::Sh => vec!["dash".to_owned(), "sh".to_owned()],
            Self::Python(version) => vec![format!("python{version}")],
            Self::Nft => vec!["nft".to_owned()],
            Self::Units => vec!["systemd-analyze".to_owned()],
        }
    }

    /// A text that has nothing wrong: a tool that complains about it cannot run here.
    const fn sound(&self) -> (&'static str, &'static [u8]) {
        match self {
            Self::Sh => ("x", b"true\n"),
            Self::Python(_) => ("x", b"pass\n"),
            Self::Nft => ("x", b"table inet x {\n}\n"),
            Self::Units => ("x.target", b"[Unit]\nDescription=x\n"),
        }
    }
}

/// Texts that are judged by one call.
#[derive(Debug)]
pub struct Job<'a> {
    /// By which tool.
    pub work: Work,
    /// Their names, of units also the folder of a drop-in, and their bytes.
    pub files: Vec<(String, &'a [u8])>,
    /// Jobs of equal keys are judged alike: the tool is asked once.
    pub key: [u8; 32],
}

/// What a tool says against a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Which file of the job.
    pub file: usize,
    /// Which line of it, from 1.
    pub line: Option<usize>,
    /// What is wrong, in the tool's words.
    pub message: String,
    /// Whether the file may be right all the same.
    pub doubtful: bool,
}

/// A tool that had something to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Why it judged nothing; `None` where it did.
    pub missing: Option<String>,
    /// How many calls there were.
    pub calls: usize,
}

/// The tools of this machine, found when they are needed, and what they said so far.
#[derive(Debug, Default)]
pub struct Toolbox {
    tools: Mutex<BTreeMap<Work, Installed>>,
    said: Mutex<BTreeMap<(Work, [u8; 32]), Said>>,
}

/// Where a tool is, or why there is none.
type Installed = Arc<OnceLock<Result<PathBuf, String>>>;
type Said = Arc<OnceLock<Vec<Complaint>>>;

impl Toolbox {
    /// What the tool says, which is asked once for equal texts; nothing where there is none.
    pub fn judge(&self, job: &Job<'_>) -> Vec<Complaint> {
        let tool = lock(&self.tools).entry(job.work.clone()).or_default().clone();
        let Ok(program) = tool.get_or_init(|| find(&job.work)) else { return Vec::new() };
        let files: Vec<(&str, &[u8])> =
            job.files.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        let said = lock(&self.said).entry((job.work.clone(), job.key)).or_default().clone();
        said.get_or_init(|| call(&job.work, program, &files).unwrap_or_else(|why| why)).clone()
    }

    /// The tools that had something to judge, by name.
    #[must_use]
    pub fn used(&self) -> Vec<Tool> {
        let said = lock(&self.said);
        let tools = lock(&self.tools);
        let tools = tools.iter().map(|(work, found)| Tool {
            name: work.tool(),
            missing: found.get().and_then(|found| found.as_ref().err().cloned()),
            calls: said.keys().filter(|(other, _)| other == work).count(),
        });
        tools.collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The program that does a work here, or why there is none.
fn find(work: &Work) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // What only an administrator runs is in no other user's path.
    let folders: Vec<PathBuf> =
        std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from)).collect();
    let programs = work.programs();
    let there = |name: &String| folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    let Some(program) = programs.iter().find_map(there) else { return Err("it is not installed".to_owned()) };
    let (name, sound) = work.sound();
    match call(work, &program, &[(name, sound)]) {
        Ok(complaints) if complaints.is_empty() => Ok(program),
        Ok(complaints) | Err(complaints) => {
            let why = complaints.first().map(|complaint| complaint.message.as_str()).unwrap_or_default();
            Err(format!("it cannot run here ({why})"))
        }
    }
}

/// What a program says of texts; as an error, what keeps it from saying anything.
fn call(work: &Work, program: &Path, files: &[(&str, &[u8])]) -> Result<Vec<Complaint>, Vec<Complaint>> {
    let odd = |message: String| vec![Complaint { file: 0, line: None, message, doubtful: true }];
    let mut complaints = match (work, files.first()) {
        (Work::Units, _) => verify(program, files),
        (_, Some((_, content))) => single(work, program, content),
        (_, None) => Ok(Vec::new()),
    }
    .map_err(|error| odd(error.to_string().lines().next().unwrap_or_default().to_owned()))?;
    complaints.truncate(MAX_COMPLAINTS);
    Ok(complaints)
}

/// Why a tool could not be asked.
#[derive(Debug, thiserror::Error)]
enum NotAsked {
    #[error(transparent)]
    Failed(#[from] Failed),
    #[error("no temporary file: {0}")]
    File(#[from] io::Error),
}

/// Says the line and the message of the first error of a program, as Python's own messages are many lines.
const PYTHON: &str = "import sys
try:
    compile(sys.stdin.buffer.read(), '<stdin>', 'exec', dont_inherit=True)
except SyntaxError as error:
    sys.exit(f'{error.lineno or 1}: {error.msg}')
except ValueError as error:
    sys.exit(f'1: {error}')
";

/// One text by stdin.
fn single(work: &Work, program: &Path, content: &[u8]) -> Result<Vec<Complaint>, NotAsked> {
    let mut command = match work {
        Work::Python(_) => with(program, &["-I", "-S", "-W", "ignore", "-c", PYTHON]),
        // It asks the kernel, which lets an ordinary user do so only in a network of its own.
        Work::Nft => {
            let mut command = with(Path::new("unshare"), &["-rn", "--"]);
            command.arg(program).args(["-c", "-f", "-"]);
            command
        }
        Work::Sh | Work::Units => with(program, &["-n"]),
    };
    let said = ended(&work.tool(), command.stdin(stdin(content)?), WITHIN)?;
    Ok(match work {
        Work::Nft => of_nft(&said),
        _ => of_lines(&said),
    })
}

fn with(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C").current_dir("/");
    command
}

fn stdin(content: &[u8]) -> io::Result<Stdio> {
    let mut file: File = tempfile::tempfile()?;
    file.write_all(content)?;
    file.rewind()?;
    Ok(file.into())
}

/// The lines `NAME: 3: MESSAGE` of a shell, and `3: MESSAGE` of Python.
fn of_lines(said: &Ended) -> Vec<Complaint> {
    let found = matches(r"^(?:[^:]*: )?(?:line )?([0-9]+): (.*)$", &said.stderr);
    let complaint = |(line, message): (usize, String)| Complaint {
        file: 0,
        line: Some(line),
        message: message.strip_prefix("Syntax error: ").unwrap_or(&message).to_owned(),
        doubtful: false,
    };
    let found: Vec<Complaint> = found.into_iter().map(complaint).collect();
    if found.is_empty() && !said.status.success() {
        let message = said.stderr.lines().next().unwrap_or("it says nothing").to_owned();
        return vec![Complaint { file: 0, line: None, message, doubtful: false }];
    }
    found
}

/// What depends on the machine where rules are loaded: its kernel, users, interfaces, and what was loaded before.
const OF_MACHINE: [&str; 6] = [
    "Could not process rule",
    "Interface does not exist",
    "User does not exist",
    "Group does not exist",
    "Could not resolve",
    "File not found",
];

/// The lines `/dev/stdin:2:8-12: Error: MESSAGE`.
fn of_nft(said: &Ended) -> Vec<Complaint> {
    let found = matches(r"^[^:]*:([0-9]+):[0-9-]+: Error: (.*)$", &said.stderr);
    if found.is_empty() && !said.status.success() {
        let message = said.stderr.lines().next().unwrap_or("it says nothing").to_owned();
        return vec![Complaint { file: 0, line: None, message, doubtful: false }];
    }
    let sure = found.into_iter().filter(|(_, message)| !OF_MACHINE.iter().any(|odd| message.contains(odd)));
    let complaint = |(line, message)| Complaint { file: 0, line: Some(line), message, doubtful: false };
    sure.map(complaint).collect()
}

/// The number and the message of each line that is so.
fn matches(pattern: &str, text: &str) -> Vec<(usize, String)> {
    let Ok(pattern) = Regex::new(pattern) else { return Vec::new() };
    let found = text.lines().filter_map(|line| {
        let found = pattern.captures(line)?;
        Some((found[1].parse().ok()?, found[2].to_owned()))
    });
    found.collect()
}

/// Units together, in a folder that systemd takes for all that there is.
fn verify(program: &Path, files: &[(&str, &[u8])]) -> Result<Vec<Complaint>, NotAsked> {
    let folder = tempfile::tempdir()?;
    for (name, bytes) in files {
        let path = folder.path().join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)?;
    }
    let mut command = with(program, &["verify", "--man=no", "--generators=no"]);
    let units = files.iter().map(|(name, _)| *name).filter(|name| !name.contains('/'));
    command
        .args(units.map(OsStr::new))
        .env("SYSTEMD_UNIT_PATH", folder.path())
        .env("SYSTEMD_LOG_LEVEL", "warning");
    let said = ended("systemd-analyze", command.stdin(Stdio::null()), WITHIN)?;
    let root = folder.path().to_string_lossy();
    let found: Vec<Complaint> =
        said.stderr.lines().filter_map(|line| of_systemd(line, &root, files)).collect();
    // That a unit lacks something follows from a line of it that was not taken.
    let with_line: BTreeSet<usize> =
        found.iter().filter(|found| found.line.is_some()).map(|found| found.file).collect();
    let found: Vec<Complaint> =
        found.into_iter().filter(|found| found.line.is_some() || !with_line.contains(&found.file)).collect();
    if found.is_empty() && !said.status.success() && !files.iter().any(|(name, _)| said.stderr.contains(name))
    {
        let message = said.stderr.lines().next().unwrap_or("it says nothing").to_owned();
        return Ok(vec![Complaint { file: 0, line: None, message, doubtful: true }]);
    }
    Ok(found)
}

/// A line `FOLDER/x.service:3: MESSAGE` or `x.service: MESSAGE`. What is not there at the desk, as commands, is no fault;
/// nor is it known whether the target's systemd, of another version, knows a key that this one does not.
fn of_systemd(line: &str, root: &str, files: &[(&str, &[u8])]) -> Option<Complaint> {
    let file = |name: &str| files.iter().position(|(other, _)| *other == name);
    if let Some(rest) = line.strip_prefix(root) {
        let (place, message) = rest.trim_start_matches('/').split_once(": ")?;
        let (name, number) = place.rsplit_once(':')?;
        let doubtful = message.starts_with("Unknown key") || message.starts_with("Unknown section");
        let (file, line) = (file(name)?, number.parse().ok());
        // What it says behind that is the value, which is shown, or one's own wording of the error.
        let message = message.split(", ignoring").next().unwrap_or(message).trim_end_matches(". Ignoring.");
        return Some(Complaint { file, line, message: message.to_owned(), doubtful });
    }
    let (name, message) = line.split_once(": ")?;
    let absent = message.starts_with("Command ") && message.contains(" is not executable");
    let elsewhere = message.starts_with("Failed to create ") || message.contains(" not found");
    if absent || elsewhere {
        return None;
    }
    Some(Complaint { file: file(name)?, line: None, message: message.to_owned(), doubtful: false })
}
