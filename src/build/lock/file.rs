//! A file by its name, size and SHA-256: how a lock names bytes that lie elsewhere.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// A file that a lock names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedFile {
    /// Its name, one component.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its hash: this decides.
    pub sha256: Sha256Sum,
}

/// A SHA-256 hash (FIPS 180-4), which is what Python's tools know files by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sha256Sum([u8; 32]);

impl Sha256Sum {
    /// The hash of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        Some(Self(HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()?))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// 64 lower-case hexadecimal digits.
impl fmt::Display for Sha256Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}
impl fmt::Debug for Sha256Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Bytes that are not those of the lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not the file of the lock: expected {expected}, found {found}")]
pub struct OtherFile {
    /// The file.
    pub name: String,
    /// What the lock says.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl LockedFile {
    /// The name, size and hash of these bytes.
    #[must_use]
    pub fn of(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), size: bytes.len() as u64, sha256: Sha256Sum::of(bytes) }
    }

    /// Compares bytes with the lock.
    ///
    /// # Errors
    /// Where they are others.
    pub fn check(&self, bytes: &[u8]) -> Result<(), OtherFile> {
        let other = |expected, found| Err(OtherFile { name: self.name.clone(), expected, found });
        if bytes.len() as u64 != self.size {
            return other(format!("{} bytes", self.size), format!("{} bytes", bytes.len()));
        }
        let found = Sha256Sum::of(bytes);
        if found == self.sha256 {
            Ok(())
        } else {
            other(format!("sha256 {}", self.sha256), format!("sha256 {found}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_pass() {
        let file = LockedFile::of("x", b"abc");
        assert_eq!(
            file.sha256.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(Sha256Sum::from_hex(&file.sha256.to_string()), Some(file.sha256));
        assert_eq!(file.check(b"abc"), Ok(()));
        assert!(file.check(b"abd").unwrap_err().to_string().contains("expected sha256 ba78"));
        assert!(file.check(b"ab").unwrap_err().to_string().ends_with("expected 3 bytes, found 2 bytes"));
    }
}
