//! What went wrong, in words: every message names the command or the path, and has the cause.

use std::fmt;

/// A failure of the driver, or of something that a test asked of a machine.
///
/// A test returns it with `?`; shown with `{:?}`, as `unwrap` does, it is the same text.
#[derive(Clone)]
pub struct Failure(String);

/// What nearly every function here returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// What a failure said; a failure itself if there was none.
pub fn must_fail<T>(outcome: Result<T>) -> Result<String> {
    match outcome {
        Ok(_) => Err(Failure::new("it did not fail, as it should have")),
        Err(failure) => Ok(failure.to_string()),
    }
}

/// Says what was being done when an error came up.
pub trait Explain<T> {
    /// `cannot <doing>: <error>`.
    fn explain(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Explain<T> for Result<T, E> {
    fn explain(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure(format!("cannot {}: {error}", doing())))
    }
}
