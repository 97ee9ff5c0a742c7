//! What the hosts of one run share: each file is read once, each text checked once, each module and template parsed once.
//!
//! What is shared is never older than the run, and a text stands for what was parsed from that very text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::name::ModuleName;
use crate::base::report::{Diagnostic, Source};

use super::config::module::{self, ModuleFile};
use super::scan::{Found, Locals, Stand, template};
use super::sources::{BadText, Disk, ReadFault, Tree, text};

/// Files, texts and what was parsed from them, for all threads of a run.
#[derive(Debug, Default)]
pub struct Library {
    /// Files that were read, and paths where there is none.
    files: Mutex<BTreeMap<PathBuf, Option<Arc<[u8]>>>>,
    sources: Mutex<BTreeMap<PathBuf, Arc<Source>>>,
    modules: Mutex<BTreeMap<String, Parsed<ModuleFile>>>,
    templates: Mutex<BTreeMap<String, Parsed<Found>>>,
}

/// What came of a text.
#[derive(Debug)]
struct Parsed<T> {
    source: Arc<Source>,
    result: Option<Arc<T>>,
    faults: Vec<Diagnostic>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Library {
    /// The text of a file, the same one where it is equal.
    ///
    /// # Errors
    /// Where the bytes are no text.
    pub fn source(&self, path: &Path, bytes: Vec<u8>) -> Result<Arc<Source>, BadText> {
        if let Some(known) = lock(&self.sources).get(path)
            && known.text.as_bytes() == bytes
        {
            return Ok(Arc::clone(known));
        }
        let source = text(&path.to_string_lossy(), bytes)?;
        lock(&self.sources).insert(path.to_owned(), Arc::clone(&source));
        Ok(source)
    }

    /// The module that a text describes.
    pub fn module(
        &self,
        name: &ModuleName,
        source: &Arc<Source>,
        faults: &mut Vec<Diagnostic>,
    ) -> Option<Arc<ModuleFile>> {
        parsed(&self.modules, source, faults, |faults| module::read(name, source, faults))
    }

    /// What is in a template that no other has included.
    pub fn template(&self, source: &Arc<Source>, faults: &mut Vec<Diagnostic>) -> Option<Arc<Found>> {
        let read = |faults: &mut Vec<Diagnostic>| {
            template(&source.text, Stand::File(source), &Locals::new(), faults)
        };
        parsed(&self.templates, source, faults, read)
    }
}

/// What was parsed from a text before, or is now.
fn parsed<T>(
    shelf: &Mutex<BTreeMap<String, Parsed<T>>>,
    source: &Arc<Source>,
    faults: &mut Vec<Diagnostic>,
    read: impl FnOnce(&mut Vec<Diagnostic>) -> Option<T>,
) -> Option<Arc<T>> {
    if let Some(known) = lock(shelf).get(&source.name)
        && known.source == *source
    {
        faults.extend(known.faults.iter().cloned());
        return known.result.clone();
    }
    // Without the lock: who parses the same meanwhile comes to the same.
    let mut own = Vec::new();
    let result = read(&mut own).map(Arc::new);
    faults.extend(own.iter().cloned());
    let entry = Parsed { source: Arc::clone(source), result: result.clone(), faults: own };
    lock(shelf).insert(source.name.clone(), entry);
    result
}

/// The file system, seen through a library: a file that changes meanwhile is the same for all hosts of the run.
#[derive(Debug)]
pub struct Reader<'a> {
    library: &'a Library,
    disk: Disk,
}

impl<'a> Reader<'a> {
    /// A reader; each thread has one of its own.
    #[must_use]
    pub fn new(library: &'a Library) -> Self {
        Self { library, disk: Disk::default() }
    }
}

impl Tree for Reader<'_> {
    fn read(&mut self, path: &Path) -> Result<Vec<u8>, ReadFault> {
        match lock(&self.library.files).get(path) {
            Some(Some(bytes)) => return Ok(bytes.to_vec()),
            Some(None) => return Err(ReadFault::Missing(path.to_owned())),
            None => {}
        }
        let read = self.disk.read(path);
        let known = match &read {
            Ok(bytes) => Some(Arc::from(bytes.as_slice())),
            Err(ReadFault::Missing(_)) => None,
            Err(_) => return read,
        };
        lock(&self.library.files).insert(path.to_owned(), known);
        read
    }

    fn list(&mut self, folder: &Path) -> Vec<String> {
        self.disk.list(folder)
    }

    fn leads_out(&self, path: &Path, within: &Path, folders: &[&Path]) -> bool {
        self.disk.leads_out(path, within, folders)
    }

    fn library(&self) -> Option<&Library> {
        Some(self.library)
    }
}
