//! What only the target's interpreter can make of a venv, and the proof that it works.
//!
//! Bytecode is compiled by root, by the interpreter's own `compileall`, which reads source and runs none of it. Imports
//! run the packages' code: in a sandbox of systemd's, as a user that nobody is (systemd.exec(5)).
#![expect(clippy::disallowed_methods, reason = "a door: it completes bytecode files")]

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use walkdir::WalkDir;

use crate::base::io::{IoError, OnPath as _};
use crate::base::name::UnitName;
use crate::switch::sandbox::{Ended, ProofError, nobodys, proof_unit, prove};
use crate::switch::tool::{Output, Tool, ToolError};
use crate::switch::transient::Program;

/// Comet's 1,100 files take a second on two slow cores.
const COMPILE_TIME: Duration = Duration::from_mins(10);

/// Why a venv could not be completed or does not work.
#[derive(Debug, thiserror::Error)]
pub enum DeriveError {
    /// A program failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A file cannot be completed.
    #[error(transparent)]
    Io(#[from] IoError),
    /// Bytecode could not be written.
    #[error("bytecode of `{folder}` could not be written: {said}")]
    NotWritten {
        /// The folder.
        folder: String,
        /// What the compiler said.
        said: String,
    },
    /// Not the name of a module.
    #[error("`{0}` is no name of a Python module")]
    NoModule(String),
    /// There is no unit for the proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The imports took too long.
    #[error("the modules of `{venv}` were not imported within {within}s")]
    TooSlow {
        /// The venv.
        venv: String,
        /// How long it could take.
        within: f32,
    },
    /// The interpreter ended well, but early: a module ended it, or somebody stopped the unit.
    #[error("the interpreter of `{0}` ended before all modules were imported")]
    NotFinished(String),
    /// The imports failed.
    #[error("the modules of `{venv}` cannot be imported: {source}")]
    NotImported {
        /// The venv.
        venv: String,
        /// How it ended.
        source: ToolError,
    },
}

/// A tree whose bytecode is to be compiled. All paths are absolute, and those of the target.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// `/`, or an offline root.
    pub root: &'a Path,
    /// The interpreter, as `/usr/bin/python3.11`.
    pub python: &'a str,
    /// The tree as it lies now.
    pub staged: &'a str,
    /// The tree as it will lie: what the code objects have as the names of their files.
    pub finally: &'a str,
}

/// What became of a tree's sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// Bytecode files.
    pub files: usize,
    /// Sources that do not compile, such as tests of a package for other versions. They are not needed, or the proof
    /// of imports fails.
    pub refused: usize,
}

/// Compiles the sources below `lib` of a staged tree, beside them in `__pycache__`, and gives the new files and all
/// folders below `lib` the modes and the time that objects have. Bytecode is never checked against its source, which
/// nobody changes.
///
/// # Errors
/// Where the interpreter fails, or cannot write. A source that does not compile is none.
pub fn compile_bytecode(sources: Sources<'_>) -> Result<Compiled, DeriveError> {
    let folder = format!("{}/lib", sources.staged);
    let tool = Tool::new(sources.python, COMPILE_TIME)
        .args(["-I", "-S", "-m", "compileall", "-q", "-j", "0"])
        .args(["--invalidation-mode", "unchecked-hash"])
        .args(["-s", sources.staged, "-p", sources.finally, &folder])
        .in_root(sources.root);
    let refused = refused(&folder, &tool.run()?)?;
    let files = complete(&sources.root.join(folder.trim_start_matches('/')))?;
    Ok(Compiled { files, refused })
}

/// How many sources did not compile, where nothing worse happened. compileall ends with 1 for both, and tells an error
/// of the system by a line such as `OSError: [Errno 28] No space left on device`.
fn refused(folder: &str, output: &Output) -> Result<usize, DeriveError> {
    let worse = |line: &&str| {
        line.split_once(": [Errno ").is_some_and(|(name, _)| name.chars().all(char::is_alphanumeric))
    };
    let refused = output.stdout.lines().filter(|line| line.starts_with("*** Error compiling ")).count();
    if let Some(line) = output.stdout.lines().find(worse) {
        return Err(DeriveError::NotWritten { folder: folder.to_owned(), said: line.to_owned() });
    }
    match output.code() {
        0 => Ok(0),
        1 if refused > 0 => Ok(refused),
        _ => Err(output.failed().into()),
    }
}

/// Gives bytecode and folders the modes and the time that objects have; how many bytecode files there are.
fn complete(folder: &Path) -> Result<usize, DeriveError> {
    let mut files = 0;
    // What a folder has comes before it, for to change that changes the folder's time.
    for entry in WalkDir::new(folder).contents_first(true) {
        let entry = entry.map_err(std::io::Error::from).on("walk", folder)?;
        let path = entry.path();
        let bytecode = path.extension().is_some_and(|end| end == "pyc") && entry.file_type().is_file();
        if bytecode {
            files += 1;
        } else if !entry.file_type().is_dir() {
            continue;
        }
        let mode = if bytecode { 0o444 } else { 0o555 };
        set_permissions(path, Permissions::from_mode(mode)).on("set the mode of", path)?;
        let one = Timespec { tv_sec: 1, tv_nsec: 0 };
        let times = Timestamps { last_access: one, last_modification: one };
        utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).on("set the time of", path)?;
    }
    Ok(files)
}

/// Imports modules with a venv's interpreter, in a transient unit that can write nothing and reach nobody. With a
/// `switch` it ends when that unit does.
///
/// # Errors
/// Where an import fails, takes too long or ends the interpreter: with the last lines that it wrote. That the unit ended
/// well is not enough: systemd says so of one that was stopped, too.
pub fn prove_imports(
    venv: &str,
    imports: &[String],
    switch: Option<&UnitName>,
    within: Duration,
) -> Result<(), DeriveError> {
    let mut code = String::new();
    for module in imports {
        if !is_module(module) {
            return Err(DeriveError::NoModule(module.clone()));
        }
        code.push_str("import ");
        code.push_str(module);
        code.push('\n');
    }
    let unit = proof_unit()?;
    let end = format!("imported in {unit}");
    code.push_str("print(end='\\n");
    code.push_str(&end);
    code.push_str("\\n', flush=True)\n");
    let command = [format!("{venv}/bin/python"), "-I".to_owned(), "-B".to_owned(), "-c".to_owned(), code];
    let description = format!("Proof that the modules of {venv} can be imported");
    let program = Program { unit: &unit, description: &description, command: &command };
    let venv = venv.to_owned();
    match prove(program, &end, &nobodys(switch), within)? {
        Ended::Well => Ok(()),
        Ended::Early => Err(DeriveError::NotFinished(venv)),
        Ended::Late => Err(DeriveError::TooSlow { venv, within: within.as_secs_f32() }),
        Ended::Badly(source) => Err(DeriveError::NotImported { venv, source }),
    }
}

/// Dotted identifiers (The Python Language Reference, "Identifiers"; those of ASCII).
fn is_module(name: &str) -> bool {
    let identifier = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part.chars().all(|other| other.is_ascii_alphanumeric() || other == '_')
    };
    name.split('.').all(identifier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn modules() {
        assert!(is_module("lxml.etree") && is_module("_a1"));
        for bad in ["", "a.", ".a", "a b", "a;b", "1a", "a\n", "a-b"] {
            assert!(!is_module(bad), "{bad:?}");
        }
        let error = prove_imports("/v", &["os; x".to_owned()], None, Duration::ZERO).unwrap_err();
        assert_eq!(error.to_string(), "`os; x` is no name of a Python module");
    }

    fn said(text: &str, code: i32) -> Output {
        Tool::new("sh", Duration::from_secs(9))
            .args(["-c", "printf %s \"$1\"; exit $2", "sh", text, &code.to_string()])
            .run()
            .unwrap()
    }

    #[test]
    fn a_source_that_does_not_compile_is_counted() {
        let text = "*** Error compiling '/x/a.py'...\n  File \"/x/a.py\", line 1\n    raise OSError: [Errno 1]\nSyntaxError: invalid\n";
        assert_eq!(refused("/x", &said("", 0)).unwrap(), 0);
        assert_eq!(refused("/x", &said(text, 1)).unwrap(), 1);
        assert!(refused("/x", &said("", 1)).is_err() && refused("/x", &said(text, 2)).is_err());
        let full = "*** Error compiling '/x/a.py'...\nOSError: [Errno 28] No space left on device\n";
        let error = refused("/x", &said(full, 1)).unwrap_err().to_string();
        assert_eq!(
            error,
            "bytecode of `/x` could not be written: OSError: [Errno 28] No space left on device"
        );
    }

    #[test]
    fn files_and_folders_are_completed() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("lib/p/__pycache__");
        fs::create_dir_all(&cache).unwrap();
        fs::write(cache.join("a.pyc"), "").unwrap();
        fs::write(dir.path().join("lib/p/a.py"), "").unwrap();
        assert_eq!(complete(&dir.path().join("lib")).unwrap(), 1);
        let of = |path: &str| {
            let found = fs::metadata(dir.path().join(path)).unwrap();
            (found.mode() & 0o7777, found.mtime())
        };
        assert_eq!(of("lib/p/__pycache__/a.pyc"), (0o444, 1));
        assert_eq!((of("lib/p/__pycache__"), of("lib")), ((0o555, 1), (0o555, 1)));
        assert_ne!(of("lib/p/a.py").1, 1);
        for folder in ["lib", "lib/p", "lib/p/__pycache__"] {
            set_permissions(dir.path().join(folder), Permissions::from_mode(0o755)).unwrap();
        }
    }
}
