//! The folders of generations: their numbers, their bundles, their records.

#![expect(clippy::disallowed_methods, reason = "a part of the door to the activator's own folder")]

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::PathBuf;

use crate::base::io::{IoError, OnPath as _};
use crate::store::disk::remove;
use crate::store::manifest::Manifest;
use crate::store::object::ObjectName;
use crate::switch::live;
use crate::switch::observed::{Generation, Generations};
use crate::switch::record::Record;

use super::{Pointer, State, StateError, file_name, sync, write_synced};

impl State {
    /// The numbers of all generations, ascending.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn numbers(&self) -> Result<Vec<u64>, IoError> {
        let dir = self.dir.join("generations");
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).on("list", &dir),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry.on("list", &dir)?.file_name();
            numbers.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The number of the next generation.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn next_number(&self) -> Result<u64, IoError> {
        Ok(self.numbers()?.last().map_or(1, |last| last.saturating_add(1)))
    }

    /// The generation of a number.
    ///
    /// # Errors
    /// Where there is none, or its bundle cannot be read.
    pub fn generation(&self, number: u64) -> Result<Generation, StateError> {
        let name = self.bundle_name(number)?;
        let bundle = self.store().bundle(&name).map_err(|error| StateError::Bundle { number, error })?;
        Ok(Generation { number, bundle })
    }

    fn bundle_name(&self, number: u64) -> Result<ObjectName, StateError> {
        let path = self.dir.join(format!("generations/{number}/bundle"));
        let target = std::fs::read_link(&path).on("read link", &path)?;
        ObjectName::parse(&file_name(&target))
            .map_err(|_| StateError::Pointer { path, target: target.to_string_lossy().into_owned() })
    }

    /// The generations that the three links name, and those that the record of the pending one names.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub fn generations(&self) -> Result<Generations, StateError> {
        let read = |pointer| match self.pointer(pointer)? {
            Some(number) => self.generation(number).map(Some),
            None => Ok(None),
        };
        let live = read(Pointer::Current)?;
        let again = |pointer| match (self.pointer(pointer)?, &live) {
            (Some(number), Some(live)) if live.number == number => Ok(Some(live.clone())),
            _ => read(pointer),
        };
        let (committed, pending) = (again(Pointer::Committed)?, again(Pointer::Pending)?);
        let mut generations = Generations { live, committed, pending, unended: Vec::new() };
        let Some(pending) = &generations.pending else { return Ok(generations) };
        for number in self.record(pending.number)?.unended {
            let name = self.bundle_name(number)?;
            if generations.bundles().all(|bundle| bundle.name != name) {
                generations.unended.push(self.generation(number)?);
            }
        }
        Ok(generations)
    }

    /// The record of a generation.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn record(&self, number: u64) -> Result<Record, StateError> {
        let path = self.record_path(number);
        let text = std::fs::read_to_string(&path).on("read", &path)?;
        Record::parse(&text).map_err(|error| StateError::Record { number, error })
    }

    fn record_path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("generations/{number}/record.toml"))
    }

    /// Makes the folder of a new generation, whole and durable, then gives it its number; `manifest` is its bundle's.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn create(&self, record: &Record, manifest: &Manifest) -> Result<(), IoError> {
        let generations = self.dir.join("generations");
        let temporary = generations.join(".new");
        remove(&temporary)?;
        DirBuilder::new().mode(0o755).create(&temporary).on("make folder", &temporary)?;
        symlink(format!("../../store/{}", record.bundle), temporary.join("bundle"))
            .on("make link", &temporary)?;
        if let Some(provenance) = &record.provenance {
            symlink(format!("../../store/{provenance}"), temporary.join("provenance"))
                .on("make link", &temporary)?;
        }
        live::make(&temporary, manifest, &self.store())?;
        write_synced(&temporary.join("record.toml"), &record.to_toml())?;
        sync(&temporary)?;
        let path = generations.join(record.number.to_string());
        std::fs::rename(&temporary, &path).on("rename to", &path)?;
        sync(&generations)
    }

    /// Replaces the record of a generation.
    ///
    /// # Errors
    /// Where the system says no.
    pub fn update(&self, record: &Record) -> Result<(), IoError> {
        let path = self.record_path(record.number);
        let temporary = path.with_file_name(".record.toml.new");
        remove(&temporary)?;
        write_synced(&temporary, &record.to_toml())?;
        std::fs::rename(&temporary, &path).on("rename to", &path)?;
        sync(path.parent().unwrap_or(&self.dir))
    }
}
