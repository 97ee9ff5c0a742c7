//! Facts about a machine, for [`crate::switch::preflight`] to judge: read from its files, its kernel and its interpreter.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::fs::FileType;

use crate::base::io::IoError;
use crate::base::path::TargetPath;
use crate::store::manifest::Secret;
use crate::switch::listeners;
use crate::switch::peek::Peek;
use crate::switch::preflight::{Facts, Python, SecretFile, interpreter};
use crate::switch::tool::Tool;

/// Larger files are no os-release(5).
const MOST_RELEASE: u64 = 64 << 10;
/// A machine with everything that Debian has would have a status file of about this size.
const MOST_STATUS: u64 = 128 << 20;
/// An interpreter starts in 10 to 50 ms.
const PYTHON_TIME: Duration = Duration::from_secs(20);

/// What an interpreter is asked to say of itself. `dbm` takes the first of its backends that can be imported.
const QUESTION: &str = "\
import sys, importlib.machinery
print('version', '%d.%d.%d' % sys.version_info[:3])
print('suffix', importlib.machinery.EXTENSION_SUFFIXES[0])
backend = 'none'
try:
    import dbm
    for name in getattr(dbm, '_names', ['dbm.gnu', 'dbm.ndbm', 'dbm.dumb']):
        try:
            __import__(name)
        except ImportError:
            continue
        backend = name.rpartition('.')[2]
        break
except ImportError:
    pass
print('dbm', backend)
";

/// Looks at a machine, or at the root of one: for an interpreter of this minor version, and for who listens on these
/// ports. An offline root has no listeners.
///
/// # Errors
/// Where its files cannot be read.
pub fn gather(
    peek: &Peek,
    version: &str,
    (ports, secrets): (&BTreeSet<u16>, &[Secret]),
) -> Result<Facts, IoError> {
    let live = peek.dir() == std::path::Path::new("/");
    Ok(Facts {
        system: system(peek)?,
        machine: rustix::system::uname().machine().to_string_lossy().into_owned(),
        python: python(peek, version),
        packages: installed(&peek.text("/var/lib/dpkg/status", MOST_STATUS)?.unwrap_or_default()),
        free: peek.free(crate::base::layout::STATE)?,
        listeners: if live { listeners::on(ports) } else { Vec::new() },
        secrets: secrets
            .iter()
            .filter(|secret| secret.object.is_none())
            .map(|secret| Ok((secret.path.clone(), secret_file(peek, &secret.path)?)))
            .collect::<Result<_, IoError>>()?,
    })
}

/// What lies at the path of a secret.
fn secret_file(peek: &Peek, path: &TargetPath) -> Result<SecretFile, IoError> {
    let Some(found) = peek.stat_plain(path.as_str())? else { return Ok(SecretFile::Linked) };
    let Some(found) = found else { return Ok(SecretFile::Missing) };
    Ok(match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => SecretFile::File { owner: found.st_uid, mode: found.st_mode & 0o7777 },
        _ => SecretFile::Other,
    })
}

/// `ID-VERSION_ID`.
fn system(peek: &Peek) -> Result<String, IoError> {
    let text = match peek.text("/etc/os-release", MOST_RELEASE)? {
        Some(text) => text,
        None => peek.text("/usr/lib/os-release", MOST_RELEASE)?.unwrap_or_default(),
    };
    Ok(release(&text))
}

/// `ID-VERSION_ID` of an os-release(5) text: `NAME=value` lines, the value in the quotes of a shell where it has any.
/// Without an `ID` it is `linux`, and a distribution that rolls has no version.
#[must_use]
pub fn release(text: &str) -> String {
    let value = |name: &str| {
        let line = text.lines().rev().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
        let bare = line.map(|value| value.trim().trim_matches(['"', '\'']));
        bare.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let id = value("ID").unwrap_or_else(|| "linux".to_owned());
    match value("VERSION_ID") {
        Some(version) => format!("{id}-{version}"),
        None => id,
    }
}

/// The packages that dpkg(1) has installed: those whose `Status:` ends in `installed`, also where they are on hold.
#[must_use]
pub fn installed(status: &str) -> BTreeSet<String> {
    let mut packages = BTreeSet::new();
    let mut package = "";
    for line in status.lines() {
        if let Some(name) = line.strip_prefix("Package: ") {
            package = name.trim();
        } else if line.is_empty() {
            package = "";
        } else if let Some(state) = line.strip_prefix("Status: ")
            && state.split_ascii_whitespace().nth(2) == Some("installed")
            && !package.is_empty()
        {
            packages.insert(package.to_owned());
        }
    }
    packages
}

/// Asks the interpreter of this minor version about itself, or says why not.
///
/// # Errors
/// In words, where it is not there or does not run.
pub fn python(peek: &Peek, version: &str) -> Result<Python, String> {
    let path = interpreter(version);
    if peek.stat(&path).map_err(|error| error.to_string())?.is_none() {
        return Err("it is not there".to_owned());
    }
    let output = Tool::new(path, PYTHON_TIME)
        .args(["-I", "-S", "-c", QUESTION])
        .in_root(peek.dir())
        .run()
        .and_then(crate::switch::tool::Output::good)
        .map_err(|error| error.to_string())?;
    answer(&output.stdout).ok_or_else(|| format!("it says of itself: {}", output.stdout.escape_debug()))
}

/// What an interpreter said of itself.
fn answer(text: &str) -> Option<Python> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let soabi = value("suffix")?.strip_prefix('.')?.strip_suffix(".so")?;
    let (version, dbm) = (value("version")?.to_owned(), value("dbm")?.to_owned());
    Some(Python { version, soabi: soabi.to_owned(), dbm })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        assert_eq!(release("NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n"), "debian-12");
        assert_eq!(release("ID='ubuntu'\nVERSION_ID='24.04'\n#ID=x\nID_LIKE=debian"), "ubuntu-24.04");
        assert_eq!((release("ID=arch"), release("")), ("arch".into(), "linux".into()));
    }

    #[test]
    fn packages_that_are_installed() {
        let status = "Package: python3.11-minimal\nStatus: install ok installed\nDescription: x\n Package: no\n\n\
            Package: gone\nStatus: deinstall ok config-files\n\n\
            Package: half\nStatus: install ok half-installed\n\n\
            Package: held\nStatus: hold ok installed\n\nStatus: install ok installed\n";
        assert_eq!(installed(status).iter().collect::<Vec<_>>(), ["held", "python3.11-minimal"]);
    }

    #[test]
    fn an_interpreter_says_what_it_is() {
        let said = "version 3.13.5\nsuffix .cpython-313-aarch64-linux-gnu.so\ndbm sqlite3\n";
        let python = answer(said).unwrap();
        assert_eq!((python.version.as_str(), python.dbm.as_str()), ("3.13.5", "sqlite3"));
        assert_eq!(python.soabi, "cpython-313-aarch64-linux-gnu");
        assert_eq!(answer("Traceback"), None);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "it makes the files to look at")]
    fn secrets_are_looked_at_without_links() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("s")).unwrap();
        std::fs::write(dir.path().join("s/x"), "x").unwrap();
        std::fs::set_permissions(dir.path().join("s/x"), PermissionsExt::from_mode(0o640)).unwrap();
        symlink("s", dir.path().join("t")).unwrap();
        symlink("x", dir.path().join("s/y")).unwrap();
        let peek = Peek::open(dir.path()).unwrap();
        let found = |path: &str| secret_file(&peek, &TargetPath::new(path).unwrap()).unwrap();
        assert!(matches!(found("/s/x"), SecretFile::File { mode: 0o640, .. }));
        assert_eq!(found("/s/z"), SecretFile::Missing);
        assert_eq!(found("/s/x/y"), SecretFile::Missing);
        assert_eq!(found("/s"), SecretFile::Other);
        assert_eq!((found("/t/x"), found("/s/y")), (SecretFile::Linked, SecretFile::Linked));
    }

    #[test]
    fn an_interpreter_that_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let peek = Peek::open(dir.path()).unwrap();
        assert_eq!(python(&peek, "3.11"), Err("it is not there".to_owned()));
    }
}
