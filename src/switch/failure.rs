//! How an activation ends other than well, and the exit codes.

use std::fmt;

/// How a call of `voevent-switch` ended, as its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or nothing was to be done.
    Done,
    /// 1: the configuration, here the bundle, is wrong.
    Wrong,
    /// 2: the command line is wrong.
    Usage,
    /// 3: refused or failed before the first change to anything that runs or to a managed path.
    Refused,
    /// 4: failed, and the committed generation is back.
    Reverted,
    /// 5: failed, and a person is needed.
    Stuck,
}

impl Exit {
    /// All of them, by their codes.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Wrong, Self::Usage, Self::Refused, Self::Reverted, Self::Stuck];

    /// What it means, for the reference.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or nothing was to be done",
            Self::Wrong => "the bundle is wrong",
            Self::Usage => "the command line is wrong",
            Self::Refused => "refused or failed before the first change to anything that runs",
            Self::Reverted => "failed, and what was committed is back",
            Self::Stuck => "failed, and a person is needed",
        }
    }

    /// The ending that has this code.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// The code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Wrong => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Reverted => 4,
            Self::Stuck => 5,
        }
    }
}

/// Why an activation did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How it ended.
    pub exit: Exit,
    /// What is wrong: lower case, no final period.
    pub message: String,
    /// What else is to be known, a line each: collisions, log lines.
    pub details: Vec<String>,
    /// What to do.
    pub help: Vec<String>,
}

impl Failure {
    /// A failure before the first change.
    #[must_use]
    pub fn refused(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Refused, message: message.to_string(), details: Vec::new(), help: Vec::new() }
    }

    /// The same failure with another ending.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Adds lines to be known.
    #[must_use]
    pub fn details(mut self, details: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        self.details.extend(details.into_iter().map(|line| line.to_string()));
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

/// Both results: of two failures the first, with what is known of the second.
///
/// # Errors
/// Where one of them is one.
pub fn both<T>(
    first: Result<T, impl Into<Failure>>,
    second: Result<(), impl Into<Failure>>,
) -> Result<T, Failure> {
    match (first.map_err(Into::into), second.map_err(Into::into)) {
        (Err(first), Err(second)) => Err(first.details([second.message]).details(second.details)),
        (Err(failure), Ok(())) | (Ok(_), Err(failure)) => Err(failure),
        (Ok(value), Ok(())) => Ok(value),
    }
}

/// As people see it: the error, what is to be known, what to do.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        for line in &self.details {
            write!(f, "\n  {line}")?;
        }
        for line in &self.help {
            write!(f, "\nhelp: {line}")?;
        }
        Ok(())
    }
}

/// Any error of a door is a refusal, until the activation knows better.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::refused(error)
    }
}

/// Logs of units have what strangers sent: no character of theirs moves the cursor of root's terminal.
#[must_use]
pub fn harmless(text: &str) -> String {
    let shown = |char: char| match char {
        '\n' | '\t' => char.to_string(),
        char if char.is_control() => char.escape_default().to_string(),
        char => char.to_string(),
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cause_is_lost() {
        let (one, two) = (Failure::refused("a").exit(Exit::Stuck), Failure::refused("b").details(["c"]));
        let told = both::<()>(Err(one), Err(two.clone())).unwrap_err();
        assert_eq!((told.exit, told.to_string().as_str()), (Exit::Stuck, "error: a\n  b\n  c"));
        assert_eq!(both(Ok::<_, Failure>(1), Err(two.clone())), Err(two));
        assert_eq!(both(Ok::<_, Failure>(1), Ok::<_, Failure>(())), Ok(1));
    }

    #[test]
    fn terminals_are_not_told_what_to_do() {
        assert_eq!(harmless("a\tb\n\u{1b}[2Jc\r\u{9b}é"), "a\tb\n\\u{1b}[2Jc\\r\\u{9b}é");
    }
}
