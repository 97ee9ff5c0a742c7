//! No error of the system without what was tried and on which path.

use std::io;
use std::path::{Path, PathBuf};

/// An operation on a path that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} `{}`: {source}", path.display())]
pub struct IoError {
    /// What was tried: `read`, `rename`.
    pub verb: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Adds the verb and the path to an error of the system.
pub trait OnPath<T> {
    /// `result.on("read", path)?`
    ///
    /// # Errors
    /// The same error, with its verb and path.
    fn on(self, verb: &'static str, path: impl AsRef<Path>) -> Result<T, IoError>;
}

impl<T, E: Into<io::Error>> OnPath<T> for Result<T, E> {
    fn on(self, verb: &'static str, path: impl AsRef<Path>) -> Result<T, IoError> {
        self.map_err(|error| IoError { verb, path: path.as_ref().to_owned(), source: error.into() })
    }
}
