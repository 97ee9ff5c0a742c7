//! The only file of the compiler's front-end that reads: host files, modules, templates.
//!
//! Whoever needs a file asks a [`Tree`] for it, so that everything else can be tested on texts. Each read leaves a
//! line in the [`InputLog`]: what was read, what was looked for and not found, what was listed. A build whose log
//! still holds has nothing to do.
#![expect(clippy::disallowed_methods, reason = "the door through which input files are read")]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::base::report::Source;

use super::library::Library;

/// The largest source file.
pub const MAX_SOURCE: u64 = 1 << 20;

/// What a build has looked at: each path once.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct InputLog {
    /// By path, as it was opened.
    pub paths: BTreeMap<PathBuf, Input>,
}

/// What a build found at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file that was read.
    File {
        /// Its state before it was read.
        stamp: Stamp,
        /// BLAKE3 of its bytes.
        hash: [u8; 32],
    },
    /// A folder that was listed.
    Folder {
        /// Its state before it was listed.
        stamp: Stamp,
        /// BLAKE3 of its sorted names, each behind its length.
        hash: [u8; 32],
    },
    /// Looked for, and not there.
    Missing,
}

/// What a file system says of a file or folder: equal stamps mean equal content, but for changes within one tick.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The device that it is on.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// Its length in bytes.
    pub size: u64,
    /// When its content changed: seconds and nanoseconds.
    pub modified: (i64, i64),
    /// When anything of it changed: seconds and nanoseconds.
    pub changed: (i64, i64),
}

impl Stamp {
    /// The stamp that metadata hold.
    #[must_use]
    pub fn of(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Why a source cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// There is none.
    #[error("there is no `{}`", .0.display())]
    Missing(PathBuf),
    /// It is something else than a file.
    #[error("`{}` is no regular file", .0.display())]
    NoFile(PathBuf),
    /// It is longer than a source may be.
    #[error("`{}` is longer than 1 MiB, the most that a source may have", .0.display())]
    TooLong(PathBuf),
    /// The file system says no.
    #[error("cannot read `{}`: {}", .0.display(), .1)]
    Io(PathBuf, io::Error),
}

/// Where source files come from.
pub trait Tree {
    /// The bytes of a file of at most [`MAX_SOURCE`] bytes.
    ///
    /// # Errors
    /// Where there is none that can be read.
    fn read(&mut self, path: &Path) -> Result<Vec<u8>, ReadFault>;

    /// The sorted names in a folder, for suggestions; none where it cannot be listed.
    fn list(&mut self, folder: &Path) -> Vec<String>;

    /// Whether links take a path, which has `within` before it, to somewhere out of all these folders.
    fn leads_out(&self, _path: &Path, _within: &Path, _folders: &[&Path]) -> bool {
        false
    }

    /// What is parsed from its files once for several hosts; by default there is nothing of that kind.
    fn library(&self) -> Option<&Library> {
        None
    }
}

/// The file system, with a log.
#[derive(Debug, Default)]
pub struct Disk {
    /// What was looked at so far.
    pub log: InputLog,
}

impl Tree for Disk {
    fn read(&mut self, path: &Path) -> Result<Vec<u8>, ReadFault> {
        match read_bounded(path) {
            Ok((stamp, bytes)) => {
                let hash = *blake3::hash(&bytes).as_bytes();
                self.log.paths.insert(path.to_owned(), Input::File { stamp, hash });
                Ok(bytes)
            }
            Err(fault) => {
                if matches!(fault, ReadFault::Missing(_)) {
                    self.log.paths.insert(path.to_owned(), Input::Missing);
                }
                Err(fault)
            }
        }
    }

    fn list(&mut self, folder: &Path) -> Vec<String> {
        let stamp = fs::metadata(folder).map(|metadata| Stamp::of(&metadata)).unwrap_or_default();
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        let mut hasher = blake3::Hasher::new();
        for name in &names {
            hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        }
        let hash = *hasher.finalize().as_bytes();
        self.log.paths.insert(folder.to_owned(), Input::Folder { stamp, hash });
        names
    }

    fn leads_out(&self, path: &Path, within: &Path, folders: &[&Path]) -> bool {
        let links = path.ancestors().take_while(|part| *part != within).any(Path::is_symlink);
        // What is not there is said where it is read.
        let Some(real) = links.then(|| path.canonicalize().ok()).flatten() else { return false };
        let mut folders = folders.iter().filter_map(|folder| folder.canonicalize().ok());
        !folders.any(|folder| real.starts_with(folder))
    }
}

/// Reads a regular file; a FIFO or a device is refused and never waited for.
fn read_bounded(path: &Path) -> Result<(Stamp, Vec<u8>), ReadFault> {
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadFault::Missing(path.to_owned()),
        _ => ReadFault::Io(path.to_owned(), error),
    };
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file: File = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(ReadFault::NoFile(path.to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(MAX_SOURCE + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MAX_SOURCE {
        return Err(ReadFault::TooLong(path.to_owned()));
    }
    Ok((Stamp::of(&metadata), bytes))
}

/// Why bytes are no source text, with the offset of the culprit where it can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadText {
    /// What is wrong.
    pub message: String,
    /// The text, as far as it is one, and the culprit's offset.
    pub shown: (Arc<Source>, usize),
}

/// Bytes as the text of a source: UTF-8 without a byte order mark, NUL and the characters that mark holes.
///
/// # Errors
/// Where they are anything else.
pub fn text(name: &str, bytes: Vec<u8>) -> Result<Arc<Source>, BadText> {
    let source = |text| Arc::new(Source { name: name.to_owned(), text });
    let text = String::from_utf8(bytes).map_err(|error| BadText {
        message: "from here on this is no UTF-8".to_owned(),
        shown: (
            source(String::from_utf8_lossy(error.as_bytes()).into_owned()),
            error.utf8_error().valid_up_to(),
        ),
    })?;
    let source = source(text);
    let found = source.text.char_indices().find(|(at, c)| is_forbidden(*c) || (*at == 0 && *c == '\u{FEFF}'));
    match found {
        None => Ok(source),
        Some((at, c)) => Err(BadText {
            message: format!("U+{:04X} is not allowed in a source", u32::from(c)),
            shown: (source, at),
        }),
    }
}

/// NUL, and the private-use characters that mark holes in rendered templates.
#[must_use]
pub const fn is_forbidden(c: char) -> bool {
    matches!(c, '\0' | '\u{F0000}'..='\u{F001F}')
}

/// A path without `.` and, where a name stands before it, `..`: by its text alone, so that one file has one name.
#[must_use]
pub fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

/// Sources that are only texts: for whoever has them from elsewhere than a disk, as the tests do.
#[derive(Debug, Default, Clone)]
pub struct Memory(pub BTreeMap<PathBuf, Vec<u8>>);

impl Tree for Memory {
    fn read(&mut self, path: &Path) -> Result<Vec<u8>, ReadFault> {
        self.0.get(path).cloned().ok_or_else(|| ReadFault::Missing(path.to_owned()))
    }

    fn list(&mut self, folder: &Path) -> Vec<String> {
        let inside = self.0.keys().filter_map(|path| path.strip_prefix(folder).ok()?.components().next());
        let names: std::collections::BTreeSet<String> =
            inside.map(|name| name.as_os_str().to_string_lossy().into_owned()).collect();
        names.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_has_one_name() {
        for (path, want) in [
            ("hosts/../site.toml", "site.toml"),
            ("./hosts/./a.toml", "hosts/a.toml"),
            ("../a/../b", "../b"),
            ("/a/../b", "/b"),
        ] {
            assert_eq!(normal(Path::new(path)), Path::new(want));
        }
    }

    #[test]
    fn only_clean_text_is_a_source() {
        assert!(text("a", "é\n".into()).is_ok());
        assert_eq!(text("a", vec![b'x', 0xff]).unwrap_err().shown.1, 1);
        for bad in ["\u{FEFF}x", "a\0", "a\u{F0000}", "\u{F001F}"] {
            assert!(text("a", bad.into()).is_err(), "{bad:?}");
        }
        assert!(text("a", "x\u{FEFF}\u{F0020}".into()).is_ok());
    }

    #[test]
    fn the_disk_is_bounded_and_logged() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a"), "x").unwrap();
        fs::write(path("big"), vec![b' '; 1 + (1 << 20)]).unwrap();
        let mut disk = Disk::default();
        assert_eq!(disk.read(&path("a")).unwrap(), b"x");
        assert!(matches!(disk.read(&path("b")), Err(ReadFault::Missing(_))));
        assert!(matches!(disk.read(&path("big")), Err(ReadFault::TooLong(_))));
        assert!(matches!(disk.read(folder.path()), Err(ReadFault::NoFile(_))));
        assert_eq!(disk.list(folder.path()), ["a", "big"]);
        assert!(matches!(disk.log.paths[&path("a")], Input::File { stamp: Stamp { size: 1, .. }, .. }));
        assert_eq!(disk.log.paths[&path("b")], Input::Missing);
        assert!(matches!(disk.log.paths[folder.path()], Input::Folder { .. }));
    }
}
