//! What a build remembers in `generated/.cache`: which inputs led to which bundle, which locks to which venvs.
//!
//! May be deleted at any time and is never an input: where it does not hold to the last stamp, the build is done again.

#![expect(clippy::disallowed_methods, reason = "the door to the compiler's own notes")]

use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::base::digest::{Digest, OfTree};
use crate::base::io::{IoError, OnPath as _};
use crate::base::nesting::read;
use crate::build::sources::{Disk, Input, InputLog, Stamp, Tree as _};
use crate::store::object::{ObjectDigest, ObjectName};
use crate::store::toml_writer::TomlWriter;

/// An input that changed less than this long before the notes were written may have changed again within one tick of the
/// file system's clock: it is read again (as git does with a racy index).
const RACY: i128 = 20_000_000;

/// The notes of one build.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notes {
    program: String,
    arguments: Vec<String>,
    bundle: ObjectName,
    #[serde(default, rename = "input")]
    inputs: Vec<NotedInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NotedInput {
    path: PathBuf,
    kind: String,
    hash: Option<String>,
    stamp: Option<[i64; 7]>,
}

/// The folder of the notes.
#[derive(Debug, Clone)]
pub struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// The notes in a folder, which need not be there.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    fn notes(&self, host: &str) -> PathBuf {
        self.dir.join(format!("{host}.toml"))
    }

    /// The bundle that this host's inputs led to, where none of them changed since.
    #[must_use]
    pub fn bundle(&self, host: &str, arguments: &[String]) -> Option<ObjectName> {
        let path = self.notes(host);
        let written = Stamp::of(&path.metadata().ok()?);
        let notes: Notes = read(&std::fs::read_to_string(&path).ok()?).ok()?;
        let same = notes.program == program()? && notes.arguments == arguments;
        (same && notes.inputs.iter().all(|input| input.holds(&written))).then_some(notes.bundle)
    }

    /// Notes what a build has looked at, and what came of it.
    ///
    /// # Errors
    /// Where the system says no; the build is done all the same.
    pub fn note(
        &self,
        host: &str,
        arguments: &[String],
        (log, bundle): (&InputLog, &ObjectName),
    ) -> Result<(), IoError> {
        let Some(program) = program() else {
            return Ok(());
        };
        let mut out = TomlWriter::default();
        out.text("program", &program);
        out.texts("arguments", arguments.iter().map(String::as_str));
        out.text("bundle", bundle.as_str());
        for (path, input) in &log.paths {
            let Some(path) = path.to_str() else {
                return Ok(());
            };
            out.element("input");
            out.text("path", path);
            match input {
                Input::File { stamp, hash } => note_input(&mut out, "file", stamp, hash),
                Input::Folder { stamp, hash } => note_input(&mut out, "folder", stamp, hash),
                Input::Missing => out.text("kind", "missing"),
            }
        }
        self.replace(&self.notes(host), &out.finish())
    }

    /// The venv that these inputs led to: its digest and size.
    #[must_use]
    pub fn venv(&self, inputs: &str) -> Option<(ObjectDigest, u64)> {
        #[derive(Deserialize)]
        struct Noted {
            program: String,
            hash: String,
            size: u64,
        }
        let text = std::fs::read_to_string(self.dir.join(format!("venv-{inputs}.toml"))).ok()?;
        let noted: Noted = read(&text).ok()?;
        let digest = Digest::<OfTree>::from_hex(&noted.hash).map(ObjectDigest::Tree)?;
        (Some(noted.program) == program()).then_some((digest, noted.size))
    }

    /// Notes the venv that these inputs led to.
    ///
    /// # Errors
    /// Where the system says no; the build is done all the same.
    pub fn note_venv(&self, inputs: &str, digest: ObjectDigest, size: u64) -> Result<(), IoError> {
        let mut out = TomlWriter::default();
        out.text("program", &program().unwrap_or_default());
        out.text("hash", &digest.hex());
        out.number("size", size);
        self.replace(&self.dir.join(format!("venv-{inputs}.toml")), &out.finish())
    }

    fn replace(&self, path: &Path, text: &str) -> Result<(), IoError> {
        std::fs::create_dir_all(&self.dir).on("make folder", &self.dir)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)
            .map_err(|error| io::Error::from(error.kind()))
            .on("create a file in", &self.dir)?;
        file.write_all(text.as_bytes()).on("write", path)?;
        file.persist(path).map_err(|error| error.error).on("rename to", path)?;
        Ok(())
    }
}

/// Which compiler this is: another build of it may give other bundles.
fn program() -> Option<String> {
    let found = std::env::current_exe().ok()?.metadata().ok()?;
    Some(format!("{} {} {} {}", env!("CARGO_PKG_VERSION"), found.size(), found.mtime(), found.mtime_nsec()))
}

fn note_input(out: &mut TomlWriter, kind: &str, stamp: &Stamp, hash: &[u8; 32]) {
    out.text("kind", kind);
    out.text("hash", &data_encoding::HEXLOWER.encode(hash));
    out.numbers("stamp", numbers(stamp));
}

fn numbers(stamp: &Stamp) -> [i64; 7] {
    [
        stamp.device.cast_signed(),
        stamp.inode.cast_signed(),
        stamp.size.cast_signed(),
        stamp.modified.0,
        stamp.modified.1,
        stamp.changed.0,
        stamp.changed.1,
    ]
}

const fn nanoseconds((seconds, nanoseconds): (i64, i64)) -> i128 {
    seconds as i128 * 1_000_000_000 + nanoseconds as i128
}

impl NotedInput {
    /// Whether the input is as it was: by its stamp, or where that may lie, by its bytes.
    fn holds(&self, written: &Stamp) -> bool {
        let found = self.path.metadata();
        if self.kind == "missing" {
            return found.is_err();
        }
        let (Ok(found), Some(noted)) = (found, self.stamp) else {
            return false;
        };
        let stamp = Stamp::of(&found);
        let settled = nanoseconds(stamp.modified).max(nanoseconds(stamp.changed)) + RACY
            < nanoseconds(written.modified);
        if numbers(&stamp) == noted && settled {
            return true;
        }
        self.is_same()
    }

    fn is_same(&self) -> bool {
        let mut disk = Disk::default();
        if self.kind == "folder" {
            let _ = disk.list(&self.path);
        } else {
            let _ = disk.read(&self.path);
        }
        let hash = match disk.log.paths.get(&self.path) {
            Some(Input::File { hash, .. } | Input::Folder { hash, .. }) => hash,
            Some(Input::Missing) | None => return false,
        };
        self.hash.as_deref() == Some(data_encoding::HEXLOWER.encode(hash).as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::*;

    /// What may happen to inputs between two builds.
    type Change = fn(&World);

    /// A folder with inputs, and notes of a build that looked at them.
    struct World {
        folder: tempfile::TempDir,
        cache: Cache,
        log: InputLog,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let cache = Cache::new(folder.path().join("cache"));
            let world = Self { folder, cache, log: InputLog::default() };
            fs::write(world.path("a"), "one").unwrap();
            fs::create_dir(world.path("d")).unwrap();
            world
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// Looks at everything, as a build does.
        fn look(mut self) -> Self {
            let mut disk = Disk::default();
            disk.read(&self.path("a")).unwrap();
            assert!(disk.read(&self.path("missing")).is_err());
            disk.list(&self.path("d"));
            self.log = disk.log;
            self
        }

        fn note(&self) {
            self.cache.note("h", &arguments(), (&self.log, &bundle())).unwrap();
        }

        /// Makes the notes an hour older, or an hour younger, than what is done now.
        fn age(&self, later: bool) {
            let hour = Duration::from_hours(1);
            let time = if later { SystemTime::now() + hour } else { SystemTime::now() - hour };
            File::options().write(true).open(self.path("cache/h.toml")).unwrap().set_modified(time).unwrap();
        }

        fn holds(&self) -> bool {
            let found = self.cache.bundle("h", &arguments());
            assert!(found.is_none() || found == Some(bundle()));
            found.is_some()
        }
    }

    fn arguments() -> Vec<String> {
        vec!["hosts/h.toml".to_owned(), "modules".to_owned()]
    }

    fn bundle() -> ObjectName {
        ObjectName::parse(&format!("{}-h", "a".repeat(32))).unwrap()
    }

    #[test]
    fn notes_hold_until_an_input_changes() {
        let world = World::new().look();
        assert!(!world.holds(), "there are none");
        world.note();
        let changes: [(&str, Change); 6] = [
            ("nothing", |_| {}),
            ("only its time", |w| fs::write(w.path("a"), "one").unwrap()),
            ("other bytes", |w| fs::write(w.path("a"), "two").unwrap()),
            ("what was missing is there", |w| fs::write(w.path("missing"), "").unwrap()),
            ("a name more in a folder", |w| fs::write(w.path("d/x"), "").unwrap()),
            ("what was there is missing", |w| fs::remove_file(w.path("a")).unwrap()),
        ];
        for (what, change) in changes {
            for later in [false, true] {
                let world = World::new().look();
                world.note();
                world.age(later);
                change(&world);
                assert_eq!(world.holds(), matches!(what, "nothing" | "only its time"), "{what}");
            }
        }
    }

    /// Two changes within one tick of the clock leave one stamp: the stamp alone is believed only where it is older.
    #[test]
    fn what_changed_just_now_is_read_again() {
        let mut world = World::new().look();
        let path = world.path("a");
        let Some(Input::File { stamp, .. }) = world.log.paths.remove(&path) else { panic!("not read") };
        let hash = *blake3::hash(b"two").as_bytes();
        world.log.paths.insert(path, Input::File { stamp, hash });
        world.note();
        assert!(!world.holds(), "written within the tick: its bytes count");
        world.age(true);
        assert!(world.holds(), "long before: its stamp counts");
        world.age(false);
        assert!(!world.holds(), "a clock that was put back");
    }

    #[test]
    fn notes_of_another_build_are_none() {
        let world = World::new().look();
        world.note();
        let notes = world.path("cache/h.toml");
        let text = fs::read_to_string(&notes).unwrap();
        assert!(world.cache.bundle("h", &["hosts/h.toml".to_owned()]).is_none());
        assert!(world.cache.bundle("other", &arguments()).is_none());
        let changes = [
            text.replacen("program = \"", "program = \"0", 1),
            text.replacen("bundle = \"", "bundle = \"../", 1),
            text.replacen("kind = \"missing\"", "kind = \"file\"", 1),
            text.clone() + "more = 1\n",
            text[..text.len() / 2].to_owned(),
            String::new(),
        ];
        for changed in changes {
            fs::write(&notes, &changed).unwrap();
            assert!(!world.holds(), "{changed}");
        }
        fs::write(&notes, &text).unwrap();
        assert!(world.holds());
    }

    #[test]
    fn venvs_are_remembered_by_their_inputs() {
        let world = World::new();
        let digest = ObjectDigest::Tree(Digest::from_bytes([7; 32]));
        assert_eq!(world.cache.venv("x"), None);
        world.cache.note_venv("x", digest, 12).unwrap();
        assert_eq!(world.cache.venv("x"), Some((digest, 12)));
        assert_eq!(world.cache.venv("y"), None);
    }
}
