//! A project in a folder of its own, and `voevent-build` run there as a user would, in a world that has nothing else.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::packages::{LOCK, fetched};

/// The project: `hosts/`, `modules/` and what the compiler makes of them.
pub(crate) struct Sandbox {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Sandbox {
    /// The example of this project, its lock and its wheels; nothing was built yet.
    pub(crate) fn example() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy(&project.join("modules"), &folder.path().join("modules"));
        fs::create_dir_all(folder.path().join("hosts/locks")).unwrap();
        for file in ["hosts/node1.toml".to_owned(), format!("hosts/locks/{LOCK}")] {
            fs::copy(project.join(&file), folder.path().join(&file)).unwrap();
        }
        symlink(fetched().1.locks.join("wheels"), folder.path().join("hosts/locks/wheels")).unwrap();
        Self { folder, environment: BTreeMap::new() }
    }

    /// A host `node1` with the one module `m`, given by its files.
    pub(crate) fn module(files: &[(&str, &str)]) -> Self {
        let sandbox = Self { folder: tempfile::tempdir().unwrap(), environment: BTreeMap::new() };
        let head = "[host]\nsystem = \"debian-12\"\narch = \"x86_64\"\npython = \"3.11\"\n";
        sandbox.write("hosts/node1.toml", &format!("{head}modules = [\"m\"]\n"));
        for (name, text) in files {
            let text = if *name == "module.toml" {
                format!("[module]\ndescription = \"x\"\n{text}")
            } else {
                (*text).to_owned()
            };
            sandbox.write(&format!("modules/m/{name}"), &text);
        }
        sandbox
    }

    /// The same with a variable in the environment of what is run.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same with wheels of its own, to do with as it likes.
    pub(crate) fn with_own_wheels(self) -> Self {
        let folder = self.path("hosts/locks/wheels");
        fs::remove_file(&folder).unwrap();
        copy(&fetched().1.locks.join("wheels"), &folder);
        self
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    /// Replaces a text of a file, which must be in it.
    pub(crate) fn edit(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "`{old}` is not in `{path}`");
        self.write(path, &text.replace(old, new));
    }

    /// Adds lines to the end of a file.
    pub(crate) fn append(&self, path: &str, lines: &str) {
        self.write(path, &(self.read(path) + lines));
    }

    /// Removes a file or a folder.
    pub(crate) fn remove(&self, path: &str) {
        let path = self.path(path);
        if path.is_dir() { make_writable_and_remove(&path) } else { fs::remove_file(path).unwrap() }
    }

    /// `voevent-build` with these words, in the project's folder; the environment has nothing but what was given.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_voevent-build"));
        command.args(words).current_dir(self.folder.path()).env_clear().envs(&self.environment);
        command.output().unwrap()
    }

    /// Builds the host, which must succeed, and gives the bundle's name and what was said.
    pub(crate) fn build(&self) -> (String, String) {
        let output = self.run(&["hosts/node1.toml"]);
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(output.status.success(), "{stderr}");
        let name = stdout.strip_prefix("generated/store/").and_then(|name| name.strip_suffix('\n')).unwrap();
        assert!(!name.contains(['/', '\n']), "one line, one object: {stdout}");
        (name.to_owned(), stderr)
    }

    /// Runs it and shows all that a user sees: exit code, stdout, stderr. Hashes and the folder are left out.
    pub(crate) fn shown(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let mut shown = format!("exit {}\n", output.status.code().unwrap());
        for (name, bytes) in [("stdout", output.stdout), ("stderr", output.stderr)] {
            write!(shown, "---- {name}\n{}", String::from_utf8(bytes).unwrap()).unwrap();
        }
        without_hashes(&shown.replace(self.folder.path().to_str().unwrap(), "[DIR]"))
    }

    /// Builds the host, which must be refused with exit code 1 and nothing written, and gives what was said.
    pub(crate) fn refused(&self) -> String {
        let before = self.written();
        let shown = self.shown(&["hosts/node1.toml"]);
        assert_eq!(before, self.written());
        shown
            .strip_prefix("exit 1\n---- stdout\n---- stderr\n")
            .unwrap_or_else(|| panic!("{shown}"))
            .to_owned()
    }

    /// Everything below `generated/` but the compiler's own notes.
    pub(crate) fn written(&self) -> Vec<String> {
        let mut lines = listing(&self.path("generated"));
        lines.retain(|line| !line.starts_with(".cache"));
        lines
    }
}

/// Everything below a folder, a line each: path, inode, mode, size, times, and the target of a link.
pub(crate) fn listing(folder: &Path) -> Vec<String> {
    if !folder.exists() {
        return Vec::new();
    }
    let entries = walkdir::WalkDir::new(folder).min_depth(1).sort_by_file_name();
    let line = |entry: walkdir::DirEntry| {
        let (path, found) = (entry.path(), entry.metadata().unwrap());
        let target = if entry.path_is_symlink() { fs::read_link(path).unwrap() } else { PathBuf::new() };
        let target = target.display();
        let times = [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()];
        let path = path.strip_prefix(folder).unwrap().display();
        format!("{path} {} {:o} {} {times:?} {target}", found.ino(), found.mode(), found.size())
    };
    entries.into_iter().map(|entry| line(entry.unwrap())).collect()
}

/// Copies a folder's files and folders, without links and hidden files.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() && entry.file_name() != "wheels" {
            copy(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Removes a folder; those of objects cannot be written, not even by their owner.
fn make_writable_and_remove(folder: &Path) {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        if entry.file_type().is_dir() {
            fs::set_permissions(entry.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
    }
    fs::remove_dir_all(folder).unwrap();
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if self.path("generated").exists() {
            make_writable_and_remove(&self.path("generated"));
        }
    }
}

/// The text without what depends on the bytes of objects: `[HASH]-node1`, `[SIZE] bytes`.
pub(crate) fn without_hashes(text: &str) -> String {
    let hash = regex::Regex::new("[a-z2-7]{32}-").unwrap();
    let size = regex::Regex::new("with [0-9]+ bytes").unwrap();
    size.replace_all(&hash.replace_all(text, "[HASH]-"), "with [SIZE] bytes").into_owned()
}
