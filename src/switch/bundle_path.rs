//! The path of a bundle, as it is given on the command line: an object's folder or a link to one, whose parent folder is
//! its store.

#![expect(clippy::disallowed_methods, reason = "the door by which a bundle's path is resolved")]

use std::fmt;
use std::path::{Path, PathBuf};

use crate::base::io::OnPath as _;
use crate::store::bundle::{Bundle, MANIFEST};
use crate::store::disk::{ReadError, Store};
use crate::store::object::ObjectName;
use crate::switch::failure::{Exit, Failure};

/// Where a bundle and its store are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundlePath {
    given: String,
    store: PathBuf,
    name: ObjectName,
}

impl BundlePath {
    /// Resolves a path.
    ///
    /// # Errors
    /// Where it does not lead to an object's folder.
    pub fn resolve(given: &Path) -> Result<Self, Failure> {
        let wrong = |message: String| Failure::refused(message).exit(Exit::Wrong);
        let real =
            std::fs::canonicalize(given).on("find", given).map_err(|error| wrong(error.to_string()))?;
        let name = real.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let parent = real.parent().map(Path::to_owned);
        // Whoever can write the store could lead a name, which is a promise of bytes, to another bundle.
        let named = given.file_name().and_then(|name| ObjectName::parse(name.to_str()?).ok());
        if let Some(named) = named.filter(|named| named.as_str() != name) {
            return Err(Failure::refused(format!(
                "`{}` leads to `{name}`, not to `{named}`",
                given.display()
            ))
            .help("copy the bundle and its store again"));
        }
        match (ObjectName::parse(name), parent) {
            (Ok(name), Some(store)) => Ok(Self { given: real.display().to_string(), store, name }),
            (Err(error), _) => {
                Err(wrong(format!("`{}` is no bundle: {error}", given.display())).help(format!(
                    "give the folder that has `{MANIFEST}`, as `generated/store/…-node1`, or a link to it"
                )))
            }
            (Ok(_), None) => Err(wrong(format!("`{}` has no store around it", given.display()))),
        }
    }

    /// The store that it lies in.
    #[must_use]
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// Reads its manifest, once, and checks it against the name.
    ///
    /// # Errors
    /// Where it is not there, was altered, or is no manifest.
    pub fn read(&self) -> Result<Bundle, Failure> {
        Store::new(&self.store).bundle(&self.name).map_err(|error| {
            let exit = if matches!(error, ReadError::Io(_)) { Exit::Wrong } else { Exit::Refused };
            Failure::from(error).exit(exit).help("copy the bundle and its store again")
        })
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_lead_to_another_bundle() {
        let dir = tempfile::tempdir().unwrap();
        let name = |char: &str| format!("{}-node1", char.repeat(32));
        std::fs::create_dir(dir.path().join(name("a"))).unwrap();
        for link in ["node1".to_owned(), name("b")] {
            std::os::unix::fs::symlink(name("a"), dir.path().join(link)).unwrap();
        }
        let resolve = |link: &str| BundlePath::resolve(&dir.path().join(link));
        assert_eq!(resolve("node1").unwrap(), resolve(&name("a")).unwrap());
        assert_eq!(resolve(&name("b")).unwrap_err().exit, Exit::Refused);
        assert_eq!(resolve(".").unwrap_err().exit, Exit::Wrong);
    }
}
