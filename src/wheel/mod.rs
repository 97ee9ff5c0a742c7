//! Wheels become a Python environment: the tree that an installer would make, with no interpreter and no installer.
//!
//! What is made, for python 3.11 (the binary distribution format, "Installing a wheel", and the `venv` scheme of
//! sysconfig):
//!
//! ```text
//! bin/python -> /usr/bin/python3.11, bin/python3 -> python, bin/python3.11 -> python
//! bin/<script>                        entry points and `.data/scripts`, with a shebang that finds its own folder
//! lib/python3.11/site-packages/…      purelib and platlib
//! include/site/python3.11/<name>/…    `.data/headers`
//! …                                   `.data/data`
//! pyvenv.cfg
//! ```
//!
//! Byte for byte what `uv venv --relocatable` and `uv pip install` make, without what differs between two of their
//! runs or is for people at a prompt: `RECORD` is the wheel's own, there is no `INSTALLER`, `REQUESTED`,
//! `uv_cache.json`, `.lock`, activate script, `lib64` or bytecode, and `pyvenv.cfg` names no patch version.
//!
//! A wheel is hostile until it is proven: see `archive.rs` for what its zip may hold and `record.rs` for its hashes.

mod archive;
mod cores;
mod fault;
mod metadata;
pub mod name;
mod place;
mod record;
mod script;
pub mod tags;
mod unpack;

#[cfg(test)]
mod made;

use std::collections::BTreeMap;

use crate::store::object::{Entry, File, Tree};
pub use cores::on_all_cores;
pub use fault::{Problem, WheelFault};
use tags::Interpreter;

/// A wheel as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wheel {
    /// Its file name, which says what it is and for which interpreters (PEP 427).
    pub file_name: String,
    /// The zip archive.
    pub bytes: Vec<u8>,
}

/// The time that files of a built wheel have (reproducible-builds.org, `SOURCE_DATE_EPOCH`): 19 January 2019, when
/// Comet 3.1.0 was made. Zip archives know no time before 1980.
pub const SOURCE_DATE_EPOCH: u64 = 1_547_913_600;
/// Most bytes that the files of an environment may have together.
pub const MAX_BYTES: u64 = 1 << 30;
/// Most entries that the wheels of an environment may have together.
pub const MAX_ENTRIES: usize = 100_000;

/// A file and its path in the environment.
type Placed = (String, File);

/// Makes the tree of an environment from its wheels.
///
/// # Errors
/// All faults of all wheels, in the order of the wheels.
pub fn lay_out(python: &Interpreter, wheels: &[Wheel]) -> Result<Tree, Vec<WheelFault>> {
    let archives = open(python, wheels)?;
    let mut merged = Merged::new(python, wheels);
    let mut faults = Vec::new();
    for (index, result) in unpack_all(python, archives).into_iter().enumerate() {
        let problems = match result {
            Ok(placed) => {
                placed.into_iter().filter_map(|(path, file)| merged.add(index, path, file).err()).collect()
            }
            Err(problems) => problems,
        };
        let wheel = &wheels[index].file_name;
        faults.extend(problems.into_iter().map(|problem| WheelFault { wheel: wheel.clone(), problem }));
    }
    if faults.is_empty() { merged.into_tree() } else { Err(faults) }
}

/// The files of a wheel that was built by the very interpreter that will use it, each with its path in the environment.
///
/// # Errors
/// All that is wrong with it.
pub fn unpack_built(python: &Interpreter, wheel: &Wheel) -> Result<Vec<(String, File)>, Vec<WheelFault>> {
    let unpacked = unpack::open_any(wheel).and_then(|(name, archive)| unpack::unpack(python, &name, archive));
    let fault = |problem| WheelFault { wheel: wheel.file_name.clone(), problem };
    unpacked.map_err(|problems| problems.into_iter().map(fault).collect())
}

/// Opens every archive: what can be said from the names and the lists of contents, before anything is unpacked.
fn open<'a>(
    python: &Interpreter,
    wheels: &'a [Wheel],
) -> Result<Vec<(name::WheelName, archive::Archive<'a>)>, Vec<WheelFault>> {
    let mut archives = Vec::with_capacity(wheels.len());
    let mut faults = Vec::new();
    let (mut bytes, mut entries) = (0_u64, 0_usize);
    for wheel in wheels {
        let opened = unpack::open(python, wheel);
        let fault = |problem| WheelFault { wheel: wheel.file_name.clone(), problem };
        match opened {
            Ok((name, archive)) => {
                bytes = bytes.saturating_add(archive.bytes());
                entries = entries.saturating_add(archive.files().len());
                if bytes > MAX_BYTES || entries > MAX_ENTRIES {
                    faults.push(fault(Problem::TooMuch));
                    break;
                }
                archives.push((name, archive));
            }
            Err(problems) => faults.extend(problems.into_iter().map(fault)),
        }
    }
    if faults.is_empty() { Ok(archives) } else { Err(faults) }
}

/// Unpacks wheels on all cores and gives the results in the order of the wheels.
fn unpack_all(
    python: &Interpreter,
    archives: Vec<(name::WheelName, archive::Archive<'_>)>,
) -> Vec<Result<Vec<Placed>, Vec<Problem>>> {
    let jobs = archives.into_iter().map(|job| (job.1.bytes(), job)).collect();
    on_all_cores(jobs, |(name, archive)| unpack::unpack(python, &name, archive))
}

/// One file of a wheel whose bytes are known to be good.
///
/// # Errors
/// Where the wheel is none, or has no such file.
pub fn single_file(wheel: &Wheel, path: &str) -> Result<Vec<u8>, WheelFault> {
    let fault = |problem| WheelFault { wheel: wheel.file_name.clone(), problem };
    let first =
        |problems: Vec<Problem>| fault(problems.into_iter().next().unwrap_or(Problem::NoFile("RECORD")));
    let mut archive = archive::Archive::open(&wheel.bytes).map_err(first)?;
    let file = archive.files().iter().find(|file| file.path == path).cloned();
    let file = file.ok_or_else(|| fault(Problem::Missing(path.to_owned())))?;
    archive.read(&file, true).map_err(fault)
}

/// The files of all wheels, each with the index of the wheel that it is of.
struct Merged<'a> {
    wheels: &'a [Wheel],
    entries: BTreeMap<String, (usize, Entry)>,
}

impl<'a> Merged<'a> {
    /// The files of an environment that come from no wheel.
    fn new(python: &Interpreter, wheels: &'a [Wheel]) -> Self {
        let version = python.version();
        let config = format!(
            "home = /usr/bin\nimplementation = CPython\nversion_info = {version}\n\
             include-system-site-packages = false\nrelocatable = true\n"
        );
        let own = [
            ("bin/python".to_owned(), Entry::Link(format!("/usr/bin/python{version}"))),
            ("bin/python3".to_owned(), Entry::Link("python".to_owned())),
            (format!("bin/python{version}"), Entry::Link("python".to_owned())),
            ("pyvenv.cfg".to_owned(), Entry::File(File { exec: false, content: config.into_bytes() })),
        ];
        Self { wheels, entries: own.map(|(path, entry)| (path, (wheels.len(), entry))).into() }
    }

    /// Adds a file. Two wheels may bring the same one, as old namespace packages do.
    fn add(&mut self, wheel: usize, path: String, file: File) -> Result<(), Problem> {
        match self.entries.get(&path) {
            None => {
                self.entries.insert(path, (wheel, Entry::File(file)));
                Ok(())
            }
            Some((_, Entry::File(other))) if *other == file => Ok(()),
            Some((other, _)) => Err(Problem::Clash { other: owner(self.wheels, *other), path }),
        }
    }

    /// Puts the files into folders.
    fn into_tree(self) -> Result<Tree, Vec<WheelFault>> {
        let mut tree = Tree::default();
        let mut faults = Vec::new();
        // Who was first with a path or a folder of one, by its lower-case form: the file system of a workstation may
        // not tell `A` from `a`. A path is a file's where that is `true`.
        let mut folded: BTreeMap<String, (String, usize, bool)> = BTreeMap::new();
        for (path, (wheel, entry)) in self.entries {
            let mut clash = None;
            for end in path.match_indices('/').map(|(end, _)| end).chain([path.len()]) {
                let (part, whole) = (&path[..end], end == path.len());
                let first =
                    folded.entry(part.to_lowercase()).or_insert_with(|| (part.to_owned(), wheel, whole));
                // Paths come in order, so that a file is there before what would lie in it.
                if first.0 != part || first.2 != whole {
                    clash.get_or_insert_with(|| first.clone());
                }
            }
            if let Some((first, of, _)) = clash {
                let problem = Problem::Alike { path, first, other: owner(self.wheels, of) };
                let wheel = self.wheels.get(wheel).map(|wheel| wheel.file_name.clone()).unwrap_or_default();
                faults.push(WheelFault { wheel, problem });
            } else if let Err(error) = tree.insert(&path, entry) {
                let wheel = self.wheels.get(wheel).map(|wheel| wheel.file_name.clone()).unwrap_or_default();
                faults.push(WheelFault { wheel, problem: Problem::Path(error) });
            }
        }
        if faults.is_empty() { Ok(tree) } else { Err(faults) }
    }
}

/// Whose an entry is, for messages.
fn owner(wheels: &[Wheel], index: usize) -> String {
    wheels
        .get(index)
        .map_or_else(|| "the environment itself".to_owned(), |wheel| format!("`{}`", wheel.file_name))
}

#[cfg(test)]
mod tests;
