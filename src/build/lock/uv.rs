//! uv, which resolves requirements: the pinned version, found or fetched.

#![expect(clippy::disallowed_methods, reason = "a door: runs uv")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::fetch::{FetchError, Folders};
use super::file::Sha256Sum;
use super::index::PipSettings;
use super::inputs::{LockInputs, Pin};
use super::python::Wanted;
use super::resolution::{BadResolution, Choice, choose};
use super::run::{Failed, Say, run};
use super::shelf::ShelfError;
use super::workshop::Workshop;
use crate::wheel::tags::Arch;
use crate::wheel::{Wheel, WheelFault, single_file};

/// The version whose resolutions are trusted.
pub const VERSION: &str = "0.13.9";
/// Its wheels (PyPI), for machines with glibc and, where those differ, with musl.
const WHEELS: [(Arch, &str, u64, &str); 3] = [
    (
        Arch::X86_64,
        "uv-0.13.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        17_606_939,
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    (
        Arch::X86_64,
        "uv-0.13.9-py3-none-musllinux_1_1_x86_64.whl",
        19_295_638,
        "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
    ),
    (
        Arch::Aarch64,
        "uv-0.13.9-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
        18_026_789,
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
];
/// The versions of glibc 2 that uv knows platforms of: a host's is the newest that is not newer.
const PLATFORMS: [u16; 12] = [17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40];
/// How long a resolution may take.
const RESOLVE: Duration = Duration::from_mins(30);
const ASK: Duration = Duration::from_mins(1);

/// uv's program.
#[derive(Debug)]
pub(super) struct Uv {
    program: PathBuf,
}

/// Why nothing was resolved.
#[derive(Debug, thiserror::Error)]
pub enum UvError {
    /// No uv for this machine.
    #[error("uv {VERSION} is not here, and there is none for this machine")]
    Missing,
    /// It could not be had.
    #[error("uv {VERSION} is not here and could not be fetched: {0}")]
    Fetch(#[from] FetchError),
    /// Its wheel.
    #[error("uv {VERSION} cannot be unpacked: {0}")]
    Unpack(#[from] WheelFault),
    /// It found no set of wheels, or could not look.
    #[error("the requirements could not be resolved: {0}")]
    Resolve(#[from] Failed),
    /// What it found.
    #[error(transparent)]
    Resolution(#[from] BadResolution),
    /// A file of ours.
    #[error(transparent)]
    File(#[from] ShelfError),
}

impl UvError {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Missing => "put uv of this very version on the path",
            Self::Fetch(error) => error.help(),
            Self::Unpack(_) => "delete the folder `tools` of the cache",
            Self::Resolve(_) => "see the module's requirements, and where pip looks (`pip config list`)",
            Self::Resolution(_) => "ask for another version, or put a wheel for the host where pip looks",
            Self::File(error) => error.help(),
        }
    }
}

/// The program of the pinned uv, fetched where it is not here.
///
/// # Errors
/// Where it is neither here nor can be fetched.
pub fn program(folders: &Folders, say: Say<'_>) -> Result<PathBuf, UvError> {
    Ok(Uv::get(folders, &Workshop::open(folders)?, say)?.program)
}

impl Uv {
    /// The uv on the path where it is the pinned version, else the one in the cache, else the one from PyPI.
    pub(super) fn get(folders: &Folders, workshop: &Workshop, say: Say<'_>) -> Result<Self, UvError> {
        if is_pinned(Path::new("uv")) {
            return Ok(Self { program: PathBuf::from("uv") });
        }
        // It is started in another folder, where a relative path would lead elsewhere.
        let tools = std::path::absolute(&folders.tools).map_err(io("find", &folders.tools))?;
        let program = tools.join(format!("uv-{VERSION}")).join("uv");
        if is_pinned(&program) {
            return Ok(Self { program });
        }
        let mut last = UvError::Missing;
        for (_, file, size, sha256) in
            WHEELS.iter().filter(|(arch, ..)| arch.as_str() == std::env::consts::ARCH)
        {
            let Some(sha256) = Sha256Sum::from_hex(sha256) else { continue };
            let wanted = Wanted { name: "uv", version: VERSION, file, sha256 };
            match workshop.get_tool(wanted, *size, say) {
                Ok(bytes) => {
                    let wheel = Wheel { file_name: (*file).to_owned(), bytes };
                    let bytes = single_file(&wheel, &format!("uv-{VERSION}.data/scripts/uv"))?;
                    place(&program, &bytes)?;
                    return Ok(Self { program });
                }
                Err(error) => last = error.into(),
            }
        }
        Err(last)
    }

    /// Resolves requirements for a host. Versions of the lock text `before` are kept where they still will do.
    pub(super) fn resolve(
        &self,
        workshop: &Workshop,
        inputs: &LockInputs,
        before: Option<&str>,
    ) -> Result<Vec<Choice>, UvError> {
        let folder = tempfile::tempdir().map_err(io("make", &std::env::temp_dir()))?;
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| fs::write(path(name), text).map_err(io("write", &path(name)));
        let mut requirements = inputs.requirements.join("\n");
        if let Some(fork) = &inputs.source {
            let file = workshop.source(fork)?;
            fs::copy(&file, path(&fork.sdist.name)).map_err(io("copy", &file))?;
            // Writing to a string cannot fail.
            let _ = write!(requirements, "\n{} @ ./{}", fork.name, fork.sdist.name);
        }
        write("requirements.in", &format!("{requirements}\n"))?;
        write("build.txt", &inputs.pins.iter().map(pin_line).collect::<String>())?;
        if let Some(before) = before {
            write("pylock.toml", before)?;
        }
        let mut command = self.compile(workshop, folder.path())?;
        command.args(["requirements.in", "--output-file", "pylock.toml"]);
        command.args([
            "--quiet",
            "--no-header",
            "--no-annotate",
            "--no-sources",
            "--build-constraints",
            "build.txt",
        ]);
        command.args(["--python-version", &inputs.python.version(), "--python-platform", &platform(inputs)]);
        command.arg("--python").arg(workshop.python.executable());
        run("uv pip compile", &mut command, RESOLVE)?;
        let written = fs::read_to_string(path("pylock.toml")).map_err(io("read", &path("pylock.toml")))?;
        Ok(choose(&written, &inputs.python, &inputs.build_on_target)?)
    }

    /// `uv pip compile` with pip's configuration, where the user gave uv none of its own.
    fn compile(&self, workshop: &Workshop, folder: &Path) -> Result<Command, UvError> {
        let list = workshop.python.pip_configuration(folder).map_err(FetchError::from)?;
        let settings = PipSettings::parse(&list);
        let mut command = Command::new(&self.program);
        command.current_dir(folder).args(["pip", "compile"]);
        for (name, value) in settings.for_uv(|path| Path::new(path).is_dir()) {
            if std::env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
        if settings.no_index() {
            command.arg("--no-index");
        }
        command.env("UV_PYTHON_DOWNLOADS", "never").env("UV_NO_PROGRESS", "1").env("NO_COLOR", "1");
        command.env_remove("VIRTUAL_ENV").env("LC_ALL", "C.UTF-8");
        Ok(command)
    }
}

/// A line of a requirements file that one wheel alone will do for.
fn pin_line(pin: &Pin) -> String {
    format!("{}=={} --hash=sha256:{}\n", pin.name, pin.version, pin.wheel.sha256)
}

/// uv's name of the host's platform.
fn platform(inputs: &LockInputs) -> String {
    let glibc = PLATFORMS.iter().rev().find(|minor| **minor <= inputs.python.glibc).unwrap_or(&PLATFORMS[0]);
    format!("{}-manylinux_2_{glibc}", inputs.python.arch.as_str())
}

/// Whether a program is uv of the pinned version.
fn is_pinned(program: &Path) -> bool {
    let said = run("uv --version", Command::new(program).arg("--version"), ASK);
    said.is_ok_and(|said| said.split_whitespace().take(2).eq(["uv", VERSION]))
}

/// Puts a program in its place in one step, so that a build beside this one finds all of it or nothing.
fn place(program: &Path, bytes: &[u8]) -> Result<(), UvError> {
    let folder = program.parent().unwrap_or(program);
    fs::create_dir_all(folder).map_err(io("make", folder))?;
    let mut file = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o755))
        .tempfile_in(folder)
        .map_err(io("write", folder))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(io("write", program))?;
    // A program that is open for writing cannot be run.
    let path = file.into_temp_path();
    path.persist(program).map_err(|error| io("write", program)(error.error))?;
    Ok(())
}

fn io(verb: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> UvError {
    let path = path.to_owned();
    move |cause| UvError::File(ShelfError::Io { verb, path, cause })
}
