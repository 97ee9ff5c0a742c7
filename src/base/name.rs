//! Names, checked once: who holds one need not look at it again.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer};

/// What a name of one kind may look like.
pub trait Rule {
    /// What it is the name of, for messages: `host name`.
    const WHAT: &'static str;
    /// The rule in words, for messages.
    const RULE: &'static str;
    /// Whether this is such a name.
    fn holds(name: &str) -> bool;
}

/// A name that follows the rule `R`.
pub struct Name<R> {
    text: String,
    rule: PhantomData<fn() -> R>,
}

/// A text that is no name of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: {rule}")]
pub struct BadName {
    text: String,
    what: &'static str,
    rule: &'static str,
}

impl BadName {
    /// The rule that was broken, in words.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}

impl<R: Rule> Name<R> {
    /// Checks a text.
    ///
    /// # Errors
    /// Where it does not follow the rule.
    pub fn new(text: impl Into<String>) -> Result<Self, BadName> {
        let text = text.into();
        if R::holds(&text) {
            Ok(Self { text, rule: PhantomData })
        } else {
            Err(BadName { text, what: R::WHAT, rule: R::RULE })
        }
    }
}

impl<R> Name<R> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<R> Clone for Name<R> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), rule: PhantomData }
    }
}
impl<R> PartialEq for Name<R> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl<R> Eq for Name<R> {}
impl<R> PartialOrd for Name<R> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<R> Ord for Name<R> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
/// Names are ordered as their texts: a map of names can be asked for a text.
impl<R> std::borrow::Borrow<str> for Name<R> {
    fn borrow(&self) -> &str {
        &self.text
    }
}
impl<R> fmt::Debug for Name<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl<R> fmt::Display for Name<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl<'de, R: Rule> Deserialize<'de> for Name<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Whether a text is a first character followed by others, at most `max` bytes in all.
fn shaped(text: &str, max: usize, first: fn(u8) -> bool, other: fn(u8) -> bool) -> bool {
    match text.as_bytes() {
        [head, tail @ ..] => text.len() <= max && first(*head) && tail.iter().all(|b| other(*b)),
        [] => false,
    }
}

/// Rule of [`HostName`].
#[derive(Debug)]
pub enum Host {}
impl Rule for Host {
    const WHAT: &'static str = "host name";
    const RULE: &'static str = "lower-case letters, digits and `-`, at most 63, the first no `-`";
    fn holds(name: &str) -> bool {
        let first = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        shaped(name, 63, first, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }
}
/// The name of a host: the stem of its file.
pub type HostName = Name<Host>;

/// Rule of [`ModuleName`].
#[derive(Debug)]
pub enum Module {}
impl Rule for Module {
    const WHAT: &'static str = "module name";
    const RULE: &'static str = "lower-case letters, digits and `_`, the first a letter, at most 63, and not `host`, `each`, `instance`, `on` or `set`";
    fn holds(name: &str) -> bool {
        !matches!(name, "host" | "each" | "instance" | "on" | "set")
            && shaped(
                name,
                63,
                |b| b.is_ascii_lowercase(),
                |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_',
            )
    }
}
/// The name of a module: that of its folder. Options and their fields follow the same rule.
pub type ModuleName = Name<Module>;

/// Rule of the second part of an [`InstanceName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfInstance {}
impl Rule for OfInstance {
    const WHAT: &'static str = "name of an instance";
    const RULE: &'static str =
        "lower-case letters, digits, `_` and `-`, the first a letter or digit, at most 31";
    fn holds(name: &str) -> bool {
        let first = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        shaped(name, 31, first, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
    }
}

/// A module as a host has it: plainly, as `comet`, or as one of several instances, as `comet:backup`.
///
/// They are ordered by module, the plain one first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceName {
    module: ModuleName,
    name: Option<Name<OfInstance>>,
}

impl InstanceName {
    /// The plain instance of a module.
    #[must_use]
    pub const fn plain(module: ModuleName) -> Self {
        Self { module, name: None }
    }

    /// Reads `comet` or `comet:backup`.
    ///
    /// # Errors
    /// Where one of the parts is no such name.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let (module, name) = match text.split_once(':') {
            None => (text, None),
            Some((module, name)) => (module, Some(Name::new(name)?)),
        };
        Ok(Self { module: ModuleName::new(module)?, name })
    }

    /// The module.
    #[must_use]
    pub const fn module(&self) -> &ModuleName {
        &self.module
    }

    /// What it is called among the instances of its module; the plain one has no name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(Name::as_str)
    }

    /// What tells its things on a host from those of other instances: `-backup`; nothing for the plain one.
    #[must_use]
    pub fn suffix(&self) -> String {
        self.name.as_ref().map(|name| format!("-{name}")).unwrap_or_default()
    }
}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => write!(f, "{}", self.module),
            Some(name) => write!(f, "{}:{name}", self.module),
        }
    }
}
impl fmt::Debug for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Rule of [`Label`].
#[derive(Debug)]
pub enum ArtifactLabel {}
impl Rule for ArtifactLabel {
    const WHAT: &'static str = "name of an artifact";
    const RULE: &'static str = "letters, digits and `_ . @ + -`, at most 128, the first a letter or digit";
    fn holds(name: &str) -> bool {
        shaped(
            name,
            128,
            |b| b.is_ascii_alphanumeric(),
            |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'@' | b'+' | b'-'),
        )
    }
}
/// The part of an object's name that is for people, and the name of an artifact.
pub type Label = Name<ArtifactLabel>;

/// Rule of [`UserName`].
#[derive(Debug)]
pub enum User {}
impl Rule for User {
    const WHAT: &'static str = "name of a user or group";
    const RULE: &'static str =
        "lower-case letters, digits, `_` and `-`, the first a letter or `_`, at most 31";
    fn holds(name: &str) -> bool {
        shaped(
            name,
            31,
            |b| b.is_ascii_lowercase() || b == b'_',
            |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-',
        )
    }
}
/// The name of a user or a group, in systemd's strict form (sysusers.d(5), "User/Group Name Syntax").
pub type UserName = Name<User>;

/// Rule of [`UnitName`].
#[derive(Debug)]
pub enum Unit {}
impl Rule for Unit {
    const WHAT: &'static str = "unit name";
    const RULE: &'static str = "letters, digits and `: - _ . @ \\` before one of systemd's unit types, as `comet.service` (systemd.unit(5))";
    fn holds(name: &str) -> bool {
        const TYPES: [&str; 8] = ["service", "socket", "timer", "path", "target", "mount", "swap", "slice"];
        name.rsplit_once('.').is_some_and(|(stem, kind)| {
            TYPES.contains(&kind)
                && shaped(
                    stem,
                    200,
                    |b| b.is_ascii_alphanumeric() || b == b'-',
                    |b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_' | b'.' | b'@' | b'\\'),
                )
        })
    }
}
/// The name of a systemd unit (systemd.unit(5)).
pub type UnitName = Name<Unit>;

/// Rule of [`Package`].
#[derive(Debug)]
pub enum Package {}
impl Rule for Package {
    const WHAT: &'static str = "name of a Debian package";
    const RULE: &'static str =
        "at least two of lower-case letters, digits and `+ - .`, the first a letter or digit";
    fn holds(name: &str) -> bool {
        name.len() >= 2
            && shaped(
                name,
                128,
                |b| b.is_ascii_lowercase() || b.is_ascii_digit(),
                |b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'),
            )
    }
}
/// The name of a Debian package (Debian policy, 5.6.7).
pub type PackageName = Name<Package>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names() {
        assert!(HostName::new("node1").is_ok());
        assert!(ModuleName::new("comet").is_ok());
        assert!(UserName::new("voeventserve").is_ok());
        assert!(UnitName::new("voevent-alarm@.service").is_ok());
        assert!(Label::new("pylock.comet.toml").is_ok());
    }

    #[test]
    fn instances_stand_behind_their_module() {
        let texts = ["comet", "comet:2", "comet:site-b", "comet_x", "users"];
        let names: Vec<InstanceName> = texts.iter().map(|text| InstanceName::parse(text).unwrap()).collect();
        assert!(names.is_sorted());
        assert_eq!(names.iter().map(ToString::to_string).collect::<Vec<_>>(), texts);
        assert_eq!(names[0].suffix() + &names[2].suffix(), "-site-b");
    }

    #[test]
    fn bad_names_say_the_rule() {
        for bad in ["", "-a", "A", "a/b", "..", "a\n"] {
            assert!(HostName::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["host", "each", "Comet", "a-b", ""] {
            assert!(ModuleName::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["comet", "comet.exe", "../x.service", ".service", "a b.service"] {
            assert!(UnitName::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["", ".", "..", ".x", "a/b", "a b"] {
            assert!(Label::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["comet:", ":x", "comet:A", "comet:a:b", "comet:-a", "a-b:c", "instance"] {
            assert!(InstanceName::parse(bad).is_err(), "{bad:?}");
        }
        let error = HostName::new("A").unwrap_err();
        assert!(error.to_string().starts_with("`A` is no host name: lower-case letters"));
    }
}
