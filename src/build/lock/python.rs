//! The workstation's python and its pip: gets files from an index by hash, and builds source distributions.
//!
//! Which index, mirror or folder of wheels serves the bytes is pip's configuration, and nothing of it goes into a lock.
//! Any python from 3.7 and any pip from 20.3 will do, and neither `venv` nor an install is needed: nothing is ever
//! installed, so that an externally managed python (PEP 668) is no hindrance.

#![expect(clippy::disallowed_methods, reason = "a door: runs python and pip")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::file::Sha256Sum;
use super::run::{Failed, run};
use crate::wheel::name::WheelName;
use crate::wheel::tags::Interpreter;

/// How long pip may take to get files: links of remote sites are thin.
const FETCH: Duration = Duration::from_hours(1);
/// How long a build may take.
const BUILD: Duration = Duration::from_mins(15);
/// How long a question may take.
const ASK: Duration = Duration::from_mins(1);
/// What answers for the backend of a source distribution that is only fetched.
const NO_BACKEND: &str = include_str!("no_backend.py");
/// Prints the `pyproject.toml` of a source distribution, which lies in its one folder (PEP 625).
const PYPROJECT: &str = "
import sys, tarfile
with tarfile.open(sys.argv[1]) as archive:
    for member in archive:
        parts = [part for part in member.name.split('/') if part != '.']
        if len(parts) == 2 and parts[1] == 'pyproject.toml' and member.isfile():
            sys.stdout.buffer.write(archive.extractfile(member).read(1 << 20))
            break
";

/// A python that has pip.
#[derive(Debug, Clone)]
pub struct Python {
    executable: PathBuf,
    user_base: String,
}

/// A file that is wanted from an index.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The package's name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The file's name.
    pub file: &'a str,
    /// The file's hash.
    pub sha256: Sha256Sum,
}

/// What pip could not do.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// No python with pip.
    #[error("no `python3` with pip is here: {0}")]
    Missing(Failed),
    /// No file with the hash.
    #[error("pip could not get {what}: {cause}")]
    Get {
        /// The files.
        what: String,
        /// What it said.
        cause: Failed,
    },
    /// The build failed.
    #[error("`{sdist}` could not be built: {cause}")]
    Build {
        /// The source.
        sdist: String,
        /// What was said.
        cause: Failed,
    },
    /// A file of ours.
    #[error("cannot write `{}`: {cause}", path.display())]
    Write {
        /// Its path.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

impl PythonError {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Missing(_) => "install python 3 with pip: on Debian and Ubuntu `apt install python3-pip`",
            Self::Get { .. } => {
                "see that pip reaches an index or a folder that has this very file (`pip config list`), or copy the \
                 file into the folder of wheels beside the lock"
            }
            Self::Build { .. } => {
                "only packages that build with the pinned setuptools and wheel, offline, can come as source: else put a \
                 wheel of it where pip looks (`find-links`) and lock again"
            }
            Self::Write { .. } => "see that the folder can be written and has room",
        }
    }
}

impl Python {
    /// The first of `python3` on the path and `/usr/bin/python3` that has pip.
    ///
    /// # Errors
    /// Where neither has.
    pub fn find() -> Result<Self, PythonError> {
        let ask = |name: &str| {
            let script = "import pip, site, sys; print(sys.executable); print(site.getuserbase())";
            // Not from the current folder: a `pip.py` there is none of ours.
            run(
                &format!("{name} -c 'import pip'"),
                Command::new(name).current_dir("/").args(["-c", script]),
                ASK,
            )
        };
        let said = ask("python3").or_else(|first| ask("/usr/bin/python3").map_err(|_| first));
        let said = said.map_err(PythonError::Missing)?;
        let mut lines = said.lines().map(str::to_owned);
        let executable = PathBuf::from(lines.next().unwrap_or_default());
        Ok(Self { executable, user_base: lines.next().unwrap_or_default() })
    }

    /// The interpreter's path.
    #[must_use]
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// `python -m pip`, with the user's configuration.
    fn pip(&self, within: &Path) -> Command {
        let mut command = Command::new(&self.executable);
        command.current_dir(within).args(["-m", "pip", "--no-input", "--disable-pip-version-check"]);
        command.env("PIP_REQUIRE_VIRTUALENV", "false").env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
        command
    }

    /// What pip's configuration says, from its files and the environment.
    ///
    /// # Errors
    /// Where pip fails.
    pub fn pip_configuration(&self, within: &Path) -> Result<String, PythonError> {
        run("pip config list", self.pip(within).args(["config", "list"]), ASK).map_err(PythonError::Missing)
    }

    /// Gets wheels by hash into a folder: for the host `target`, or for this machine.
    ///
    /// # Errors
    /// Where no index that pip knows has them all.
    pub fn wheels(
        &self,
        wanted: &[Wanted<'_>],
        target: Option<&Interpreter>,
        folder: &Path,
    ) -> Result<(), PythonError> {
        let mut command = self.pip(folder);
        command.args(["download", "--no-deps", "--require-hashes", "--only-binary", ":all:"]);
        if let Some(python) = target {
            command.args(["--implementation", "cp", "--python-version", &python.version()]);
            command.args(["--abi", &format!("cp3{}", python.minor)]);
            // pip takes tags as they are, and knows nothing of newer glibc running wheels for older ones.
            let names = wanted.iter().filter_map(|wanted| WheelName::parse(wanted.file).ok());
            let mut tags: BTreeSet<String> = names.flat_map(|name| name.platform).collect();
            tags.insert(format!("manylinux2014_{}", python.arch.as_str()));
            for tag in tags {
                command.args(["--platform", &tag]);
            }
        }
        get(command, wanted, folder)
    }

    /// Gets a source distribution by hash into a folder.
    ///
    /// pip asks a source distribution for its metadata before it hands it out, which would run its setup: a backend of
    /// ours answers instead, so that nothing of the package is run.
    ///
    /// # Errors
    /// Where no index that pip knows has it.
    pub fn sdist(&self, wanted: Wanted<'_>, folder: &Path) -> Result<(), PythonError> {
        let path = folder.join("sitecustomize.py");
        std::fs::write(&path, NO_BACKEND).map_err(|cause| PythonError::Write { path, cause })?;
        let mut command = self.pip(folder);
        command.args(["download", "--no-deps", "--require-hashes", "--no-build-isolation", "--use-pep517"]);
        command.args(["--no-binary", wanted.name]).env("PYTHONPATH", folder);
        get(command, &[wanted], folder)
    }

    /// The text of a source distribution's `pyproject.toml`, empty where it has none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn pyproject(&self, sdist: &Path) -> Result<String, PythonError> {
        let mut command = Command::new(&self.executable);
        command.current_dir("/").args(["-I", "-c", PYPROJECT]).arg(sdist);
        let name = || sdist.file_name().unwrap_or_default().to_string_lossy().into_owned();
        run("python3 -m tarfile", &mut command, ASK)
            .map_err(|cause| PythonError::Build { sdist: name(), cause })
    }

    /// Builds a source distribution to a wheel in `bench/out`, with the wheels in `bench/pins` and nothing else.
    ///
    /// Everything known to change a wheel's bytes is fixed: time of files, umask, environment, locale, time zone, order
    /// of hashes, and the versions of what builds.
    ///
    /// # Errors
    /// Where the build fails.
    pub fn build(&self, sdist: &Path, bench: &Path, epoch: u64) -> Result<(), PythonError> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "umask 022 && exec \"$@\"", "sh"]).arg(&self.executable);
        command.args(["-m", "pip", "--no-input", "--disable-pip-version-check", "wheel"]);
        command
            .args(["--no-deps", "--no-index", "--use-pep517", "--no-cache-dir", "--find-links"])
            .arg(bench.join("pins"));
        command.arg("--wheel-dir").arg(bench.join("out")).arg(sdist);
        command
            .current_dir(bench)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", bench)
            .env("TMPDIR", bench);
        command.env("PIP_CONFIG_FILE", "/dev/null").env("PYTHONUSERBASE", &self.user_base);
        command.env("SOURCE_DATE_EPOCH", epoch.to_string()).env("PYTHONHASHSEED", "0");
        command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        let name = || sdist.file_name().unwrap_or_default().to_string_lossy().into_owned();
        run("pip wheel", &mut command, BUILD).map_err(|cause| PythonError::Build { sdist: name(), cause })?;
        Ok(())
    }
}

/// Runs pip's `command` for a list of files.
fn get(mut command: Command, wanted: &[Wanted<'_>], folder: &Path) -> Result<(), PythonError> {
    let mut lines = String::new();
    for Wanted { name, version, sha256, .. } in wanted {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{name}=={version} --hash=sha256:{sha256}");
    }
    let list = folder.join("requirements.txt");
    std::fs::write(&list, lines).map_err(|cause| PythonError::Write { path: list.clone(), cause })?;
    command.args(["--quiet", "--progress-bar", "off", "--dest"]).arg(folder).arg("--requirement").arg(&list);
    let what = || wanted.iter().map(|wanted| format!("`{}`", wanted.file)).collect::<Vec<_>>().join(", ");
    run("pip download", &mut command, FETCH).map_err(|cause| PythonError::Get { what: what(), cause })?;
    Ok(())
}
