//! BLAKE3 digests, one type for each kind of thing that has one.
//!
//! Every kind hashes in a domain of its own (BLAKE3's `derive_key` mode), so that a file whose bytes happen to be
//! those of a tree's canonical form has another digest, and a digest of one kind cannot be passed for another's.

use std::fmt;
use std::marker::PhantomData;

use data_encoding::{BASE32_NOPAD, HEXLOWER};

/// What a digest is of: gives the hash its domain.
pub trait Kind {
    /// The context string of BLAKE3's `derive_key` mode. Never changes within a format version.
    const CONTEXT: &'static str;
}

/// A file: its execute bit and its bytes.
#[derive(Debug)]
pub enum OfFile {}
/// The target of a symbolic link.
#[derive(Debug)]
pub enum OfLink {}
/// A folder: its sorted entries.
#[derive(Debug)]
pub enum OfTree {}
/// A bundle: the bytes of its `manifest.toml`.
#[derive(Debug)]
pub enum OfBundle {}
/// What of a unit matters to the process that it runs.
#[derive(Debug)]
pub enum OfUnit {}
/// The inputs of a lock.
#[derive(Debug)]
pub enum OfLockInputs {}

impl Kind for OfFile {
    const CONTEXT: &'static str = "voevent-node format 1: file";
}
impl Kind for OfLink {
    const CONTEXT: &'static str = "voevent-node format 1: link";
}
impl Kind for OfTree {
    const CONTEXT: &'static str = "voevent-node format 1: tree";
}
impl Kind for OfBundle {
    const CONTEXT: &'static str = "voevent-node format 1: bundle";
}
impl Kind for OfUnit {
    const CONTEXT: &'static str = "voevent-node format 1: unit";
}
impl Kind for OfLockInputs {
    const CONTEXT: &'static str = "voevent-node format 1: lock inputs";
}

/// The 256-bit BLAKE3 digest of a thing of kind `K`.
pub struct Digest<K> {
    bytes: [u8; 32],
    kind: PhantomData<fn() -> K>,
}

/// A digest in the making.
pub struct Hasher<K> {
    inner: blake3::Hasher,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Default for Hasher<K> {
    fn default() -> Self {
        Self { inner: blake3::Hasher::new_derive_key(K::CONTEXT), kind: PhantomData }
    }
}

impl<K: Kind> Hasher<K> {
    /// Adds bytes as they are: the caller frames them where a boundary could be moved.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.inner.update(bytes);
        self
    }

    /// Adds a byte string behind its length, so that `("ab", "cd")` and `("a", "bcd")` differ.
    pub fn framed(&mut self, bytes: &[u8]) -> &mut Self {
        self.inner.update(&(bytes.len() as u64).to_le_bytes());
        self.inner.update(bytes);
        self
    }

    /// The digest of all that was added.
    #[must_use]
    pub fn finish(&self) -> Digest<K> {
        Digest::from_bytes(*self.inner.finalize().as_bytes())
    }
}

impl<K> Digest<K> {
    /// The digest with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes, kind: PhantomData }
    }

    /// All 256 bits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Reads 64 lower-case hexadecimal digits, as manifests have them; `None` for anything else.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(hex.as_bytes()).ok()?;
        Some(Self::from_bytes(bytes.try_into().ok()?))
    }

    /// 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.bytes)
    }

    /// The first 160 bits in lower-case base32 (RFC 4648, no padding): 32 characters, as names of objects show them.
    #[must_use]
    pub fn short(&self) -> String {
        BASE32_NOPAD.encode(&self.bytes[..20]).to_ascii_lowercase()
    }
}

impl<K> Clone for Digest<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Digest<K> {}
impl<K> PartialEq for Digest<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}
impl<K> Eq for Digest<K> {}
impl<K> PartialOrd for Digest<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Digest<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }
}
impl<K> fmt::Debug for Digest<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}
impl<K> fmt::Display for Digest<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<K: Kind>(parts: &[&str]) -> Digest<K> {
        let mut hasher = Hasher::<K>::default();
        for part in parts {
            hasher.framed(part.as_bytes());
        }
        hasher.finish()
    }

    #[test]
    fn a_moved_boundary_is_another_digest() {
        assert_ne!(of::<OfFile>(&["ab", "cd"]), of::<OfFile>(&["a", "bcd"]));
        assert_ne!(of::<OfFile>(&["ab", ""]), of::<OfFile>(&["ab"]));
    }

    #[test]
    fn kinds_are_domains() {
        assert_ne!(of::<OfFile>(&["x"]).as_bytes(), of::<OfTree>(&["x"]).as_bytes());
    }

    #[test]
    fn hex_comes_back_and_nothing_else_does() {
        let digest = of::<OfFile>(&["x"]);
        assert_eq!(Digest::from_hex(&digest.hex()), Some(digest));
        assert_eq!(Digest::<OfFile>::from_hex(&digest.hex().to_uppercase()), None);
        assert_eq!(Digest::<OfFile>::from_hex("00"), None);
        assert_eq!(digest.short().len(), 32);
    }
}
