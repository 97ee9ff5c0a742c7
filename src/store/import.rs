//! Objects come into the target's store: copied from a folder that anybody may have written, hashed while they are
//! copied, and kept only where the hash is the manifest's.
//!
//! Nothing is believed: no link is followed, no folder is left (`openat2` beneath held descriptors), sizes are bounded
//! by the manifest, which was read once and checked against its name.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags};

use crate::base::io::{IoError, OnPath as _};
use crate::base::name::{HostName, Label};
use crate::store::bundle::{Bundle, bundle_digest};
use crate::store::disk::{Batch, Store, link};
use crate::store::manifest::ClosureObject;
use crate::store::object::{
    EntryDigest, File, Object, ObjectDigest, ObjectName, file_digest, is_component, link_digest, tree_digest,
};
use crate::store::provenance::{BadProvenance, FOLDER, MAX_SIZE, Provenance};

/// Deeper folders are no object's.
const MAX_DEPTH: usize = 64;
/// More entries are no object's.
const MAX_ENTRIES: u64 = 200_000;

/// Why an object is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The system said no.
    #[error(transparent)]
    Io(#[from] IoError),
    /// It is not in the folder that it should come from.
    #[error("object `{name}` is missing in `{}`: copy the whole store, or build again", from.display())]
    Missing {
        /// The object.
        name: ObjectName,
        /// The store that was looked into.
        from: PathBuf,
    },
    /// It tells where the lines of another bundle come from.
    #[error("the provenance beside the store is of a newer build of `{host}`: build this one again to know")]
    OtherBuild {
        /// The host of both.
        host: HostName,
    },
    /// Its bytes are not those that the manifest names.
    #[error("object `{name}` is corrupt: {why}: copy it again")]
    Corrupt {
        /// The object.
        name: ObjectName,
        /// What is wrong with it.
        why: String,
    },
}

/// Copies what the closure of a bundle has and `to` has not, then the bundle. Returns how many objects are new.
///
/// # Errors
/// At the first object that is missing or corrupt. Objects that were whole until then may stay: they are what their
/// names say.
pub fn import(bundle: &Bundle, from: &Path, to: &Store) -> Result<usize, ImportError> {
    let source =
        rustix::fs::openat(CWD, from, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).on("open", from)?;
    let mut batch = to.batch()?;
    for object in &bundle.manifest.objects {
        if !to.has(&object.name) {
            Copy { from, source: &source, object, left: object.size, entries: 0 }.run(&mut batch)?;
        }
    }
    let new = batch.finish()?;
    let mut batch = to.batch()?;
    batch.add_bundle(bundle)?;
    Ok(new + batch.finish()?)
}

/// Copies the provenance of a bundle that lies beside its store, if it is there: `.provenance/<host>` names the object.
///
/// # Errors
/// Where it is corrupt, no provenance, or that of another bundle. Nothing stays then.
pub fn import_provenance(
    bundle: &Bundle,
    from: &Path,
    to: &Store,
) -> Result<Option<ObjectName>, ImportError> {
    let Some(name) = provenance_beside(bundle, from) else { return Ok(None) };
    if to.has(&name) {
        // It was checked when it came; whether it is this bundle's, its bytes say.
        return read_provenance(bundle, &name, &to.read(&name)?).map(|()| Some(name));
    }
    let source =
        rustix::fs::openat(CWD, from, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).on("open", from)?;
    let digest = ObjectDigest::File(file_digest(false, b""));
    let object = ClosureObject { name: name.clone(), digest, size: MAX_SIZE };
    let mut copy = Copy { from, source: &source, object: &object, left: MAX_SIZE, entries: 0 };
    let (exec, content) = copy.read_file(&source, name.as_str(), Path::new(""))?;
    let object = Object::File(File { exec, content });
    let label = Label::new(name.label()).map_err(|error| copy.corrupt(&error.to_string()))?;
    if object.digest().name(&label) != name {
        return Err(copy.corrupt("its bytes are not those of its name"));
    }
    let Object::File(File { content, .. }) = &object else { return Ok(None) };
    read_provenance(bundle, &name, content)?;
    let mut batch = to.batch()?;
    batch.add(&name, &object)?;
    batch.finish()?;
    Ok(Some(name))
}

fn read_provenance(bundle: &Bundle, name: &ObjectName, bytes: &[u8]) -> Result<(), ImportError> {
    let digest = bundle_digest(&bundle.manifest.to_toml());
    let read = Provenance::read_of(bytes, digest).map(|_| ());
    read.map_err(|error| match error {
        BadProvenance::Other => ImportError::OtherBuild { host: bundle.manifest.host.clone() },
        error => ImportError::Corrupt { name: name.clone(), why: error.to_string() },
    })
}

/// The object that the link beside a store names as the provenance of a bundle's host.
#[must_use]
pub fn provenance_beside(bundle: &Bundle, store: &Path) -> Option<ObjectName> {
    let link = store.parent()?.join(FOLDER).join(bundle.manifest.host.as_str());
    let target = rustix::fs::readlinkat(CWD, &link, Vec::new()).ok()?.into_string().ok()?;
    ObjectName::parse(target.rsplit('/').next()?).ok()
}

/// The copying of one object.
struct Copy<'a> {
    from: &'a Path,
    source: &'a OwnedFd,
    object: &'a ClosureObject,
    /// Bytes that the manifest still allows.
    left: u64,
    entries: u64,
}

impl Copy<'_> {
    fn run(mut self, batch: &mut Batch<'_>) -> Result<(), ImportError> {
        let name = &self.object.name;
        let to = batch.temporary();
        let found = match self.object.digest {
            ObjectDigest::File(_) => {
                let (exec, content) = self.read_file(self.source, name.as_str(), Path::new(""))?;
                batch.write(&to, exec, &content)?;
                ObjectDigest::File(file_digest(exec, &content))
            }
            ObjectDigest::Tree(_) => {
                let folder = self.open(self.source, name.as_str(), OFlags::DIRECTORY, Path::new(""))?;
                match self.folder(&folder, &to, (Path::new(""), 0), batch)? {
                    EntryDigest::Folder(digest) => ObjectDigest::Tree(digest),
                    EntryDigest::File(_) | EntryDigest::Link(_) => return Err(self.corrupt("no folder")),
                }
            }
        };
        if found != self.object.digest {
            return Err(self.corrupt(&format!("its bytes make {}", found.hex())));
        }
        batch.stage(to, name.clone());
        Ok(())
    }

    fn corrupt(&self, why: &str) -> ImportError {
        ImportError::Corrupt { name: self.object.name.clone(), why: why.to_owned() }
    }

    fn open(&self, at: &OwnedFd, name: &str, flags: OFlags, below: &Path) -> Result<OwnedFd, ImportError> {
        let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let top = below.as_os_str().is_empty() && name == self.object.name.as_str();
        match rustix::fs::openat2(at, name, flags, Mode::empty(), beneath) {
            Ok(file) => Ok(file),
            Err(rustix::io::Errno::NOENT) if top => {
                Err(ImportError::Missing { name: self.object.name.clone(), from: self.from.to_owned() })
            }
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
                Err(self.corrupt(&format!("`{}` is of another kind", below.join(name).display())))
            }
            Err(error) => Err(error)
                .on("open", self.from.join(self.object.name.as_str()).join(below).join(name))
                .map_err(ImportError::from),
        }
    }

    /// Reads a regular file, no more of it than the manifest allows.
    fn read_file(&mut self, at: &OwnedFd, name: &str, below: &Path) -> Result<(bool, Vec<u8>), ImportError> {
        let file = self.open(at, name, OFlags::empty(), below)?;
        let path = || self.from.join(self.object.name.as_str()).join(below).join(name);
        let found = rustix::fs::fstat(&file).on("look at", path())?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return Err(self.corrupt(&format!("`{}` is no regular file", below.join(name).display())));
        }
        let mut content = Vec::new();
        let mut file = std::fs::File::from(file);
        (&mut file).take(self.left + 1).read_to_end(&mut content).on("read", path())?;
        self.left = self
            .left
            .checked_sub(content.len() as u64)
            .ok_or_else(|| self.corrupt("it is larger than the manifest says"))?;
        Ok((found.st_mode & 0o111 != 0, content))
    }

    /// Copies a folder to a new one at `to`, and gives the digest of what was copied.
    fn folder(
        &mut self,
        folder: &OwnedFd,
        to: &Path,
        (below, depth): (&Path, usize),
        batch: &mut Batch<'_>,
    ) -> Result<EntryDigest, ImportError> {
        if depth > MAX_DEPTH {
            return Err(self.corrupt("its folders are too deep"));
        }
        rustix::fs::mkdirat(CWD, to, Mode::RWXU).on("make folder", to)?;
        let mut digests = BTreeMap::new();
        for (name, kind) in self.list(folder, below)? {
            let to = to.join(&name);
            let digest = match kind {
                FileType::RegularFile => {
                    let (exec, content) = self.read_file(folder, &name, below)?;
                    EntryDigest::File(batch.pooled(&to, exec, &content)?)
                }
                FileType::Symlink => self.link(folder, &name, &to)?,
                FileType::Directory => {
                    let inner = self.open(folder, &name, OFlags::DIRECTORY, below)?;
                    self.folder(&inner, &to, (&below.join(&name), depth + 1), batch)?
                }
                _ => {
                    let text = format!("`{}` is neither file, link nor folder", below.join(&name).display());
                    return Err(self.corrupt(&text));
                }
            };
            digests.insert(name, digest);
        }
        batch.seal_folder(to)?;
        Ok(EntryDigest::Folder(tree_digest(&digests)))
    }

    fn link(&mut self, folder: &OwnedFd, name: &str, to: &Path) -> Result<EntryDigest, ImportError> {
        let target = rustix::fs::readlinkat(folder, name, Vec::new()).on("read link", to)?;
        let target = target.into_string().map_err(|_| self.corrupt("a link is no UTF-8"))?;
        self.left = self
            .left
            .checked_sub(target.len() as u64)
            .ok_or_else(|| self.corrupt("it is larger than the manifest says"))?;
        link(&target, to)?;
        Ok(EntryDigest::Link(link_digest(target.as_bytes())))
    }

    fn list(&mut self, folder: &OwnedFd, below: &Path) -> Result<BTreeMap<String, FileType>, ImportError> {
        let path = self.from.join(self.object.name.as_str()).join(below);
        let mut found = BTreeMap::new();
        for entry in Dir::read_from(folder).on("list", &path)? {
            let entry = entry.on("list", &path)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            self.entries += 1;
            let name = std::str::from_utf8(name).ok().filter(|name| is_component(name));
            let (Some(name), true) = (name, self.entries <= MAX_ENTRIES) else {
                return Err(self.corrupt("a name is no UTF-8, or there are too many"));
            };
            let stat = rustix::fs::statat(folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW);
            let kind = FileType::from_raw_mode(stat.on("look at", path.join(name))?.st_mode);
            found.insert(name.to_owned(), kind);
        }
        Ok(found)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the folders that are imported")]
mod tests {
    use super::*;
    use crate::base::name::HostName;
    use crate::store::manifest::{Manifest, Target};
    use crate::store::object::{Entry, Tree};
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    fn objects() -> Vec<(ObjectName, Object)> {
        let mut tree = Tree::default();
        for (path, content) in [("lib/a.py", "a = 1\n"), ("lib/b.py", ""), ("bin/run", "#!/bin/sh\n")] {
            let exec = path.starts_with("bin");
            tree.insert(path, Entry::File(File { exec, content: content.into() })).unwrap();
        }
        tree.insert("lib64", Entry::Link("lib".into())).unwrap();
        let script = Object::File(File { exec: true, content: b"#!/bin/sh\nexit 0\n".to_vec() });
        [("venv", Object::Tree(tree)), ("script", script)]
            .map(|(label, object)| (object.digest().name(&Label::new(label).unwrap()), object))
            .into()
    }

    fn bundle(objects: &[(ObjectName, Object)]) -> Bundle {
        let closure = objects.iter().map(|(name, object)| ClosureObject {
            name: name.clone(),
            digest: object.digest(),
            size: object.size(),
        });
        let target = Target { arch: "x86_64".into(), python: "3.11".into(), system: "debian-12".into() };
        let empty = Manifest::empty(HostName::new("node1").unwrap(), target);
        Bundle::seal(Manifest { objects: closure.collect(), ..empty }).unwrap()
    }

    #[test]
    fn provenance_of_a_newer_build_is_not_corrupt() {
        let [old, new] = [&objects()[..1], &objects()].map(bundle);
        let provenance = Provenance {
            format: crate::store::provenance::FORMAT,
            bundle: bundle_digest(&new.manifest.to_toml()).hex(),
            host: new.manifest.host.clone(),
            sources: Vec::new(),
            settings: Vec::new(),
            conditions: Vec::new(),
            causes: vec![crate::store::provenance::Cause::default()],
            artifacts: Vec::new(),
        };
        let name = objects()[0].0.clone();
        let read = |bundle| read_provenance(bundle, &name, provenance.to_toml().as_bytes());
        read(&new).unwrap();
        let error = read(&old).unwrap_err();
        assert!(matches!(error, ImportError::OtherBuild { .. }), "{error}");
    }

    /// A store with two objects and their bundle, imported after `spoil` changed it.
    fn imported(spoil: impl FnOnce(&Path)) -> (tempfile::TempDir, Result<usize, String>) {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (Store::new(dir.path().join("from")), Store::new(dir.path().join("to")));
        let objects = objects();
        let mut batch = from.batch().unwrap();
        for (name, object) in &objects {
            batch.add(name, object).unwrap();
        }
        batch.finish().unwrap();
        spoil(from.dir());
        let result = import(&bundle(&objects), from.dir(), &to).map_err(|error| error.to_string());
        (dir, result)
    }

    fn at(store: &Path, label: &str, path: &str) -> PathBuf {
        let objects = objects();
        let (name, _) = objects.iter().find(|(name, _)| name.label() == label).unwrap();
        store.join(name.as_str()).join(path)
    }

    fn thaw(folder: &Path) {
        std::fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn what_is_whole_comes_in() {
        let (dir, result) = imported(|_| ());
        assert_eq!(result, Ok(3));
        let to = dir.path().join("to");
        assert_eq!(std::fs::read_to_string(at(&to, "venv", "lib64/a.py")).unwrap(), "a = 1\n");
    }

    #[test]
    fn whatever_is_spoilt_is_refused() {
        type Spoil = fn(&Path);
        let cases: [(&str, Spoil); 7] = [
            ("its bytes make", |s| spoil_file(&at(s, "venv", "lib/a.py"), b"a = 2\n")),
            ("larger than", |s| spoil_file(&at(s, "venv", "lib/a.py"), &vec![b'x'; 100_000])),
            ("its bytes make", |s| {
                std::fs::set_permissions(at(s, "venv", "lib/b.py"), Permissions::from_mode(0o755)).unwrap();
            }),
            ("is missing in", |s| {
                std::fs::remove_file(at(s, "script", "").as_path().components().as_path()).unwrap();
            }),
            ("its bytes make", |s| {
                thaw(&at(s, "venv", "lib"));
                std::fs::write(at(s, "venv", "lib/new.py"), "").unwrap();
            }),
            ("neither file, link nor folder", |s| {
                thaw(&at(s, "venv", "lib"));
                let fifo = at(s, "venv", "lib/fifo");
                rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
            }),
            ("is of another kind", |s| {
                let venv = at(s, "venv", "");
                std::fs::rename(venv.components().as_path(), s.join("moved")).unwrap();
                std::os::unix::fs::symlink("moved", venv.components().as_path()).unwrap();
            }),
        ];
        for (expected, spoil) in cases {
            let (dir, result) = imported(spoil);
            let error = result.unwrap_err();
            assert!(error.contains(expected), "{expected}: {error}");
            let left: Vec<_> = std::fs::read_dir(dir.path().join("to")).unwrap().collect();
            assert!(left.iter().all(|e| e.as_ref().unwrap().file_name().as_encoded_bytes()[0] == b'.'));
        }
    }

    fn spoil_file(path: &Path, content: &[u8]) {
        std::fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        std::fs::write(path, content).unwrap();
    }
}
