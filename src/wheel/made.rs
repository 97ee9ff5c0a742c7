//! Wheels made by hand, for tests.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Wheel;

/// A wheel in the making.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) stem: String,
    pub(super) tags: String,
    pub(super) files: Vec<(String, u32, Vec<u8>)>,
    pub(super) record: Option<String>,
}

impl Made {
    /// A good wheel of that name and version, with no files but its metadata.
    pub(super) fn new(name: &str, version: &str) -> Self {
        let stem = format!("{name}-{version}");
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        Self { stem: stem.clone(), tags: "py3-none-any".to_owned(), files: Vec::new(), record: None }
            .with(&format!("{stem}.dist-info/METADATA"), &metadata)
            .with(&format!("{stem}.dist-info/WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
    }

    pub(super) fn with(self, path: &str, content: &str) -> Self {
        self.with_mode(path, 0o100_644, content)
    }

    /// Adds a file, or replaces one.
    pub(super) fn with_mode(mut self, path: &str, mode: u32, content: &str) -> Self {
        self.files.retain(|(other, ..)| other != path);
        self.files.push((path.to_owned(), mode, content.into()));
        self
    }

    pub(super) fn with_info(self, file: &str, content: &str) -> Self {
        let path = format!("{}.dist-info/{file}", self.stem);
        self.with(&path, content)
    }

    pub(super) fn with_record(mut self, record: &str) -> Self {
        self.record = Some(record.to_owned());
        self
    }

    pub(super) fn record(&self) -> String {
        let mut record = String::new();
        for (path, mode, content) in &self.files {
            if mode & 0o170_000 != 0o040_000 {
                let hash = BASE64URL_NOPAD.encode(&Sha256::digest(content));
                writeln!(record, "{path},sha256={hash},{}", content.len()).unwrap();
            }
        }
        writeln!(record, "{}.dist-info/RECORD,,", self.stem).unwrap();
        record
    }

    pub(super) fn wheel(&self) -> Wheel {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let record = self.record.clone().unwrap_or_else(|| self.record());
        let record_path = format!("{}.dist-info/RECORD", self.stem);
        let record = (record_path, 0o100_644, record.into_bytes());
        for (path, mode, content) in self.files.iter().chain([&record]) {
            let options = SimpleFileOptions::default().unix_permissions(mode & 0o7777);
            match mode & 0o170_000 {
                0o120_000 => zip.add_symlink(path, String::from_utf8_lossy(content), options).unwrap(),
                0o040_000 => zip.add_directory(path, options).unwrap(),
                _ => {
                    zip.start_file(path, options).unwrap();
                    zip.write_all(content).unwrap();
                }
            }
        }
        let bytes = zip.finish().unwrap().into_inner();
        Wheel { file_name: format!("{}-{}.whl", self.stem, self.tags), bytes }
    }
}
