//! Objects, their canonical bytes and their names.
//!
//! What is hashed, exactly (integers little-endian):
//! - a file: one byte, 1 where it is executable, else 0; then its content;
//! - a link: its target's bytes;
//! - a tree: for each entry in the order of its name's bytes: one byte (`f`, `l`, `d`), the name's length as u64, the
//!   name, the 32 bytes of the entry's own digest (a folder in a tree is a tree).
//!
//! Each in its own domain ([`crate::base::digest`]). An object's name is the short digest, `-` and a label for people;
//! the label is not hashed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::base::digest::{Digest, Hasher, OfBundle, OfFile, OfLink, OfTree};
use crate::base::name::Label;

/// A file of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// Whether it is executable: mode 0555, else 0444.
    pub exec: bool,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// A folder of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// By name; names are single components (see [`Tree::insert`]).
    pub entries: BTreeMap<String, Entry>,
}

/// What a folder of an object has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File(File),
    /// A symbolic link with its target.
    Link(String),
    /// A folder.
    Folder(Tree),
}

/// An object's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// One file.
    File(File),
    /// A folder.
    Tree(Tree),
}

/// Why something cannot be an entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEntry {
    /// Not a relative, normal path.
    #[error("`{}` is no path inside a tree", .0.escape_debug())]
    Path(String),
    /// Already there.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// A file stands where a folder would have to be.
    #[error("`{0}` is a file and a folder at once")]
    NotAFolder(String),
}

/// Whether a name may be an entry's.
#[must_use]
pub fn is_component(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && name != "." && name != ".." && !name.contains(['/', '\0'])
}

impl Tree {
    /// Adds an entry at a relative path, making the folders on the way.
    ///
    /// # Errors
    /// Where the path is not relative and normal, is taken, or leads through a file.
    pub fn insert(&mut self, path: &str, entry: Entry) -> Result<(), BadEntry> {
        let mut folder = self;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            if !is_component(part) {
                return Err(BadEntry::Path(path.to_owned()));
            }
            if parts.peek().is_none() {
                if folder.entries.contains_key(part) {
                    return Err(BadEntry::Twice(path.to_owned()));
                }
                folder.entries.insert(part.to_owned(), entry);
                return Ok(());
            }
            let next =
                folder.entries.entry(part.to_owned()).or_insert_with(|| Entry::Folder(Self::default()));
            let Entry::Folder(next) = next else {
                return Err(BadEntry::NotAFolder(path.to_owned()));
            };
            folder = next;
        }
        Err(BadEntry::Path(path.to_owned()))
    }

    /// The entry at a relative path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Entry> {
        match path.split_once('/') {
            None => self.entries.get(path),
            Some((first, rest)) => match self.entries.get(first)? {
                Entry::Folder(tree) => tree.get(rest),
                Entry::File(_) | Entry::Link(_) => None,
            },
        }
    }
}

/// The digest of a file.
#[must_use]
pub fn file_digest(exec: bool, content: &[u8]) -> Digest<OfFile> {
    Hasher::default().bytes(&[u8::from(exec)]).bytes(content).finish()
}

/// The digest of a link.
#[must_use]
pub fn link_digest(target: &[u8]) -> Digest<OfLink> {
    Hasher::default().bytes(target).finish()
}

/// The digest of an entry, of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryDigest {
    /// Of a file.
    File(Digest<OfFile>),
    /// Of a link.
    Link(Digest<OfLink>),
    /// Of a folder.
    Folder(Digest<OfTree>),
}

/// The digest of a folder from those of its entries.
#[must_use]
pub fn tree_digest(entries: &BTreeMap<String, EntryDigest>) -> Digest<OfTree> {
    let mut hasher = Hasher::default();
    for (name, digest) in entries {
        let (kind, bytes) = match digest {
            EntryDigest::File(digest) => (b'f', digest.as_bytes()),
            EntryDigest::Link(digest) => (b'l', digest.as_bytes()),
            EntryDigest::Folder(digest) => (b'd', digest.as_bytes()),
        };
        hasher.bytes(&[kind]).framed(name.as_bytes()).bytes(bytes);
    }
    hasher.finish()
}

impl File {
    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> Digest<OfFile> {
        file_digest(self.exec, &self.content)
    }
}

impl Tree {
    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> Digest<OfTree> {
        let digests = self.entries.iter().map(|(name, entry)| {
            let digest = match entry {
                Entry::File(file) => EntryDigest::File(file.digest()),
                Entry::Link(target) => EntryDigest::Link(link_digest(target.as_bytes())),
                Entry::Folder(tree) => EntryDigest::Folder(tree.digest()),
            };
            (name.clone(), digest)
        });
        tree_digest(&digests.collect())
    }

    /// Bytes of all its files and links.
    #[must_use]
    pub fn size(&self) -> u64 {
        let size = |entry: &Entry| match entry {
            Entry::File(file) => file.content.len() as u64,
            Entry::Link(target) => target.len() as u64,
            Entry::Folder(tree) => tree.size(),
        };
        self.entries.values().map(size).sum()
    }
}

/// The full digest of an object: what decides whether bytes are the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectDigest {
    /// Of one file.
    File(Digest<OfFile>),
    /// Of a folder.
    Tree(Digest<OfTree>),
}

impl ObjectDigest {
    /// The kind as manifests write it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Tree(_) => "tree",
        }
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn hex(self) -> String {
        match self {
            Self::File(digest) => digest.hex(),
            Self::Tree(digest) => digest.hex(),
        }
    }

    /// Reads what [`Self::kind`] and [`Self::hex`] give.
    #[must_use]
    pub fn parse(kind: &str, hex: &str) -> Option<Self> {
        match kind {
            "file" => Digest::from_hex(hex).map(Self::File),
            "tree" => Digest::from_hex(hex).map(Self::Tree),
            _ => None,
        }
    }

    /// The name of the object with this digest and label.
    #[must_use]
    pub fn name(self, label: &Label) -> ObjectName {
        match self {
            Self::File(digest) => ObjectName::new(&digest.short(), label),
            Self::Tree(digest) => ObjectName::new(&digest.short(), label),
        }
    }
}

impl Object {
    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> ObjectDigest {
        match self {
            Self::File(file) => ObjectDigest::File(file.digest()),
            Self::Tree(tree) => ObjectDigest::Tree(tree.digest()),
        }
    }

    /// Bytes of all its files and links.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::File(file) => file.content.len() as u64,
            Self::Tree(tree) => tree.size(),
        }
    }
}

/// The name of an object in a store: `<short digest>-<label>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName(String);

/// A text that is no [`ObjectName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no name of an object: 32 characters of base32, `-` and a label", .0.escape_debug())]
pub struct BadObjectName(String);

impl ObjectName {
    fn new(short: &str, label: &Label) -> Self {
        Self(format!("{short}-{label}"))
    }

    /// The name of a bundle.
    #[must_use]
    pub fn of_bundle(digest: Digest<OfBundle>, host: &Label) -> Self {
        Self::new(&digest.short(), host)
    }

    /// Reads a name.
    ///
    /// # Errors
    /// Where the text has another form.
    pub fn parse(text: &str) -> Result<Self, BadObjectName> {
        let good = text.split_at_checked(32).is_some_and(|(short, rest)| {
            short.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
                && rest.strip_prefix('-').is_some_and(|label| Label::new(label).is_ok())
        });
        if good { Ok(Self(text.to_owned())) } else { Err(BadObjectName(text.to_owned())) }
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The short digest.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..32]
    }

    /// The part for people.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.0[33..]
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for ObjectName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(exec: bool, content: &str) -> Entry {
        Entry::File(File { exec, content: content.into() })
    }

    fn tree(entries: &[(&str, Entry)]) -> Tree {
        let mut tree = Tree::default();
        for (path, entry) in entries {
            tree.insert(path, entry.clone()).unwrap();
        }
        tree
    }

    #[test]
    fn nothing_collides() {
        let all = [
            tree(&[]),
            tree(&[("a", file(false, "b"))]),
            tree(&[("a", file(true, "b"))]),
            tree(&[("a", Entry::Link("b".into()))]),
            tree(&[("a/b", file(false, ""))]),
            tree(&[("a", file(false, "")), ("b", file(false, ""))]),
            tree(&[("ab", file(false, ""))]),
            tree(&[("a", Entry::Folder(Tree::default()))]),
        ];
        for (i, one) in all.iter().enumerate() {
            for other in &all[i + 1..] {
                assert_ne!(one.digest(), other.digest());
            }
        }
        assert_ne!(file_digest(true, b"").as_bytes(), file_digest(false, b"").as_bytes());
        assert_ne!(file_digest(false, b"x").as_bytes(), link_digest(b"x").as_bytes());
    }

    /// The format: whoever changes one of these makes another format, with another number.
    #[test]
    fn pinned_digests() {
        let hello = file_digest(false, b"hello\n");
        assert_eq!(hello.short(), "tmoq7x3tpy3drrb2u4llfw52yovtkjte");
        let tree = tree(&[("bin/x", file(true, "#!/bin/sh\n")), ("link", Entry::Link("bin/x".into()))]);
        assert_eq!(tree.digest().short(), "p77nfl263lmlrtuwh4575gp5aqff6vet");
    }

    #[test]
    fn a_tree_refuses_paths_that_leave_it() {
        for bad in ["", "/a", "a/", "a//b", ".", "..", "a/../b", "a\0b"] {
            let mut tree = Tree::default();
            assert_eq!(tree.insert(bad, file(false, "")), Err(BadEntry::Path(bad.into())), "{bad:?}");
        }
        let mut tree = tree(&[("a", file(false, ""))]);
        assert_eq!(tree.insert("a", file(false, "")), Err(BadEntry::Twice("a".into())));
        assert_eq!(tree.insert("a/b", file(false, "")), Err(BadEntry::NotAFolder("a/b".into())));
    }

    #[test]
    fn names_come_back_and_nothing_else_does() {
        let label = Label::new("comet-run").unwrap();
        let name = ObjectDigest::File(file_digest(true, b"x")).name(&label);
        assert_eq!(ObjectName::parse(name.as_str()), Ok(name.clone()));
        assert_eq!(name.label(), "comet-run");
        for bad in
            ["", "x", "../../../../../../../../../../etc-x", "é".repeat(20).as_str(), &name.as_str()[..33]]
        {
            assert!(ObjectName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
