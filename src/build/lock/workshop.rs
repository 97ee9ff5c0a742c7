//! Where wheels are fetched and built: python, the folder of wheels, and a stock of what building takes.

#![expect(clippy::disallowed_methods, reason = "a door: lays out the folders of a build")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::build_system::BuildSystem;
use super::fetch::{FetchError, Folders};
use super::file::LockedFile;
use super::inputs::{Fork, Pin};
use super::python::{Python, Wanted};
use super::run::Say;
use super::shelf::{Shelf, ShelfError};
use crate::base::value::NamedFile;
use crate::wheel::MAX_BYTES;
use crate::wheel::name::WheelName;
use crate::wheel::tags::Interpreter;

/// What it takes to get and build wheels.
#[derive(Debug)]
pub(super) struct Workshop {
    pub(super) python: Python,
    wheels: Shelf,
    stock: Shelf,
}

/// A wheel that was built, in a folder of its own.
#[derive(Debug)]
pub(super) struct Built {
    bench: TempDir,
    pub(super) wheel: LockedFile,
}

impl Workshop {
    pub(super) fn open(folders: &Folders) -> Result<Self, FetchError> {
        let stock = Shelf::open(&folders.tools.join("files"))?;
        Ok(Self { python: Python::find()?, wheels: folders.wheels()?, stock })
    }

    /// Gets wheels for a host into the folder of wheels.
    pub(super) fn get_wheels(
        &self,
        wanted: &[Wanted<'_>],
        target: &Interpreter,
        say: Say<'_>,
    ) -> Result<Vec<LockedFile>, FetchError> {
        self.get(wanted, Some(target), &self.wheels, say)
    }

    /// Gets the wheels of build requirements, for this machine.
    pub(super) fn get_pins(&self, pins: &[Pin], say: Say<'_>) -> Result<(), FetchError> {
        let missing: Vec<_> =
            pins.iter().filter(|pin| !self.stock.has(&pin.wheel)).map(Pin::wanted).collect();
        self.get(&missing, None, &self.stock, say)?;
        Ok(())
    }

    fn get(
        &self,
        wanted: &[Wanted<'_>],
        target: Option<&Interpreter>,
        to: &Shelf,
        say: Say<'_>,
    ) -> Result<Vec<LockedFile>, FetchError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        for wanted in wanted {
            say(&format!("fetching {}", wanted.file));
        }
        let inbox = to.inbox()?;
        self.python.wheels(wanted, target, inbox.path())?;
        wanted.iter().map(|wanted| Ok(to.take(inbox.path(), wanted.file, wanted.sha256)?)).collect()
    }

    /// Gets a wheel for this machine, and gives its bytes.
    pub(super) fn get_tool(
        &self,
        wanted: Wanted<'_>,
        size: u64,
        say: Say<'_>,
    ) -> Result<Vec<u8>, FetchError> {
        let file = LockedFile { name: wanted.file.to_owned(), size, sha256: wanted.sha256 };
        if !self.stock.has(&file) {
            self.get(&[wanted], None, &self.stock, say)?;
        }
        Ok(self.stock.read(&file)?)
    }

    /// Gets a source distribution that is built here.
    pub(super) fn get_sdist(&self, wanted: Wanted<'_>, say: Say<'_>) -> Result<LockedFile, FetchError> {
        self.get_source(wanted, &self.stock, say)
    }

    /// Gets a source distribution that the target builds, into the folder of wheels.
    pub(super) fn get_tarball(&self, wanted: Wanted<'_>, say: Say<'_>) -> Result<LockedFile, FetchError> {
        self.get_source(wanted, &self.wheels, say)
    }

    fn get_source(&self, wanted: Wanted<'_>, to: &Shelf, say: Say<'_>) -> Result<LockedFile, FetchError> {
        let at = to.path(&LockedFile { name: wanted.file.to_owned(), size: 0, sha256: wanted.sha256 });
        if let Ok(bytes) = fs::read(&at) {
            let file = LockedFile::of(wanted.file, &bytes);
            if file.sha256 == wanted.sha256 {
                return Ok(file);
            }
        }
        say(&format!("fetching {}", wanted.file));
        let inbox = to.inbox()?;
        self.python.sdist(wanted, inbox.path())?;
        Ok(to.take(inbox.path(), wanted.file, wanted.sha256)?)
    }

    /// How a source distribution in the folder of wheels is built.
    pub(super) fn build_system(&self, sdist: &LockedFile) -> Result<BuildSystem, FetchError> {
        let text = self.python.pyproject(&self.wheels.path(sdist))?;
        BuildSystem::parse(&text)
            .map_err(|cause| FetchError::BuildSystem { sdist: sdist.name.clone(), cause })
    }

    /// Puts the source distribution of a fork into stock.
    pub(super) fn take_source(&self, file: &NamedFile) -> Result<(), FetchError> {
        let inbox = self.stock.inbox()?;
        let path = inbox.path().join(file.label.as_str());
        fs::write(&path, &file.bytes).map_err(io_error("write", &path))?;
        let sha256 = LockedFile::of(file.label.as_str(), &file.bytes).sha256;
        self.stock.take(inbox.path(), file.label.as_str(), sha256)?;
        Ok(())
    }

    /// Where that of a fork lies, with the bytes that were locked.
    pub(super) fn source(&self, fork: &Fork) -> Result<PathBuf, FetchError> {
        self.stock.read(&fork.sdist)?;
        Ok(self.stock.path(&fork.sdist))
    }

    /// Builds a source distribution with its build requirements; both must be there.
    pub(super) fn build(&self, sdist: &LockedFile, pins: &[Pin], epoch: u64) -> Result<Built, FetchError> {
        let bench = self.wheels.inbox()?;
        let [own_pins, out] = ["pins", "out"].map(|name| bench.path().join(name));
        for folder in [&own_pins, &out] {
            fs::create_dir(folder).map_err(io_error("make", folder))?;
        }
        // Copies that were just compared with the lock, and no other wheels: what is there is what pip takes.
        let source = bench.path().join(&sdist.name);
        fs::write(&source, self.stock.read(sdist)?).map_err(io_error("write", &source))?;
        for pin in pins {
            let path = own_pins.join(&pin.wheel.name);
            fs::write(&path, self.stock.read(&pin.wheel)?).map_err(io_error("write", &path))?;
        }
        self.python.build(&source, bench.path(), epoch)?;
        let name = only_file(&out)?.ok_or_else(|| FetchError::NoWheel(sdist.name.clone()))?;
        let wheel = WheelName::parse(&name).map_err(|_| FetchError::NoWheel(sdist.name.clone()))?;
        if !wheel.is_pure() {
            return Err(FetchError::NotPure { sdist: sdist.name.clone(), wheel: name });
        }
        let path = out.join(&name);
        let bytes = fs::read(&path).map_err(io_error("read", &path))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(FetchError::NoWheel(sdist.name.clone()));
        }
        Ok(Built { wheel: LockedFile::of(&name, &bytes), bench })
    }

    /// Builds twice, and keeps the wheel where both are the same.
    pub(super) fn build_twice(
        &self,
        sdist: &LockedFile,
        pins: &[Pin],
        epoch: u64,
    ) -> Result<LockedFile, FetchError> {
        let [one, other] = [self.build(sdist, pins, epoch)?, self.build(sdist, pins, epoch)?];
        if one.wheel != other.wheel {
            let [first, second] = [&one, &other].map(|built| built.wheel.sha256.to_string());
            return Err(FetchError::Unlike { sdist: sdist.name.clone(), first, second });
        }
        self.keep(&one)?;
        Ok(one.wheel)
    }

    /// Puts a built wheel into the folder of wheels.
    pub(super) fn keep(&self, built: &Built) -> Result<(), FetchError> {
        let LockedFile { name, sha256, .. } = &built.wheel;
        self.wheels.take(&built.bench.path().join("out"), name, *sha256)?;
        Ok(())
    }
}

impl Pin {
    pub(super) fn wanted(&self) -> Wanted<'_> {
        let Self { name, version, wheel } = self;
        Wanted { name, version, file: &wheel.name, sha256: wheel.sha256 }
    }
}

/// The name of the one file in a folder, `None` where there is none or more.
fn only_file(folder: &Path) -> Result<Option<String>, FetchError> {
    let list = || -> io::Result<Vec<String>> {
        let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    };
    match &list().map_err(io_error("read", folder))?[..] {
        [name] => Ok(Some(name.clone())),
        _ => Ok(None),
    }
}

fn io_error(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FetchError {
    let path = path.to_owned();
    move |cause| FetchError::Shelf(ShelfError::Io { verb, path, cause })
}
