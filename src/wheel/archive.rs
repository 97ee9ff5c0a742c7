//! A wheel's zip archive, bounded.
//!
//! What an entry may be: a file or a folder whose name is a relative, normal path in UTF-8 without backslashes,
//! stored or deflated, not encrypted. The list at the archive's end and the headers before the files must agree, no
//! entry may overlap another, and no name may be there twice: so every reader of this archive sees the same files.
//! Sizes are those of the list, checked while unpacking; together they are bounded before anything is unpacked.

use std::io::{Cursor, Read};

use zip::read::ZipReadOptions;
use zip::{CompressionMethod, System, ZipArchive};

use super::fault::Problem;
use super::{MAX_BYTES, MAX_ENTRIES};

/// Longest path of an entry, and most components in one.
const MAX_PATH: usize = 1024;
const MAX_DEPTH: usize = 40;
/// Deflate makes a byte of at most this many (RFC 1951: 258 bytes of two bits).
const MAX_RATIO: u64 = 1032;

/// An archive whose list of contents is good.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    files: Vec<Listed>,
    bytes: u64,
}

/// A file of an archive.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// Its path.
    pub(super) path: String,
    /// Whether anyone may execute it, where the archive was made on a system that knows of this.
    pub(super) exec: bool,
    index: usize,
    size: u64,
    packed: u64,
}

impl<'a> Archive<'a> {
    /// Reads the list of contents.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Vec<Problem>> {
        let unreadable = |error: zip::result::ZipError| vec![Problem::Archive(error.to_string())];
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
        if zip.len() > MAX_ENTRIES {
            return Err(vec![Problem::TooMuch]);
        }
        zip.validate_header_consistency().map_err(unreadable)?;
        let mut archive = Self { zip, files: Vec::new(), bytes: 0 };
        archive.list()?;
        if archive.bytes > MAX_BYTES { Err(vec![Problem::TooMuch]) } else { Ok(archive) }
    }

    fn list(&mut self) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        for index in 0..self.zip.len() {
            let entry =
                self.zip.by_index_data(index).map_err(|error| vec![Problem::Archive(error.to_string())])?;
            // The file type of stat(2), where a Unix wrote the archive; 0 is written by makers that know no better.
            let mode = if entry.system() == System::Unix { entry.external_attributes() >> 16 } else { 0 };
            let folder = entry.name_raw().ends_with(b"/");
            let kind = mode & 0o170_000;
            let why = match std::str::from_utf8(entry.name_raw()) {
                Err(_) => Some("has no name in UTF-8"),
                Ok(name) => path_fault(name.strip_suffix('/').unwrap_or(name)),
            };
            let why = why.or(match kind {
                0 => None,
                0o040_000 if folder => None,
                0o100_000 if !folder => None,
                0o120_000 => Some("is a symbolic link"),
                _ => Some("is neither a file nor a folder"),
            });
            let why = why.or((entry.encrypted()).then_some("is encrypted"));
            let plain =
                matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated);
            let why = why.or((!plain).then_some("is compressed in a way that is not for wheels"));
            let why = why.or((folder && entry.size() > 0).then_some("is a folder with content"));
            let path = String::from_utf8_lossy(entry.name_raw()).into_owned();
            if let Some(why) = why {
                problems.push(Problem::Entry { path, why });
            } else if !folder {
                self.bytes = self.bytes.saturating_add(entry.size());
                let (size, packed) = (entry.size(), entry.compressed_size());
                self.files.push(Listed { path, exec: mode & 0o111 != 0, index, size, packed });
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// The files, in the archive's order.
    pub(super) fn files(&self) -> &[Listed] {
        &self.files
    }

    /// What the files have together, as the list says.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Unpacks a file. Its checksum is looked at where no hash of `RECORD` will be.
    pub(super) fn read(&mut self, file: &Listed, checksum: bool) -> Result<Vec<u8>, Problem> {
        let entry = |why| Problem::Entry { path: file.path.clone(), why };
        let options = ZipReadOptions::new().ignore_crc32(!checksum);
        let reader = self.zip.by_index_with_options(file.index, options);
        let reader = reader.map_err(|error| Problem::Archive(error.to_string()))?;
        let room = file.size.min(file.packed.saturating_mul(MAX_RATIO));
        let mut content = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        let unpacked = reader.take(file.size.saturating_add(1)).read_to_end(&mut content);
        unpacked.map_err(|_| entry("cannot be unpacked"))?;
        if content.len() as u64 != file.size {
            return Err(entry("has another size than the archive says"));
        }
        Ok(content)
    }
}

/// What is wrong with the path of an entry or of a file that is to be made.
pub(super) fn path_fault(path: &str) -> Option<&'static str> {
    if path.starts_with('/') {
        return Some("is an absolute path");
    }
    if path.contains('\\') {
        return Some("has a backslash");
    }
    if path.chars().any(char::is_control) {
        return Some("has a control character");
    }
    let mut depth = 0;
    for part in path.split('/') {
        depth += 1;
        match part {
            "" => return Some("has an empty component"),
            "." | ".." => return Some("has a `.` or `..` component"),
            _ if part.len() > 255 => return Some("is too long"),
            _ => {}
        }
    }
    (path.len() > MAX_PATH || depth > MAX_DEPTH).then_some("is too long")
}
