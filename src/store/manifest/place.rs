//! Managed paths: where, what, and how it is made.

use std::fmt;

use serde::Deserialize;

use crate::base::path::TargetPath;
use crate::store::object::ObjectName;

/// How a managed path is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A link through `current` to a file object.
    Link(ObjectName),
    /// A copy of a file object's bytes, root's, with this mode.
    Copy(ObjectName, Mode),
    /// A link straight to a path of the target, for what programs read as a link.
    Straight(TargetPath),
}

impl Place {
    /// As manifests write it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Link(_) => "link",
            Self::Copy(..) => "copy",
            Self::Straight(_) => "straight",
        }
    }
}

/// A managed path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "RawPath")]
pub struct ManagedPath {
    /// Where.
    pub path: TargetPath,
    /// What, and how.
    pub place: Place,
    /// Whether somebody else's file that lies there is set aside, and given back when the path goes.
    pub adopt: bool,
}

impl ManagedPath {
    /// Its file object, where it has one.
    #[must_use]
    pub const fn object(&self) -> Option<&ObjectName> {
        match &self.place {
            Place::Link(object) | Place::Copy(object, _) => Some(object),
            Place::Straight(_) => None,
        }
    }

    /// The mode of a copy.
    #[must_use]
    pub const fn mode(&self) -> Option<Mode> {
        match self.place {
            Place::Copy(_, mode) => Some(mode),
            Place::Link(_) | Place::Straight(_) => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPath {
    path: TargetPath,
    place: String,
    object: Option<ObjectName>,
    mode: Option<Mode>,
    to: Option<TargetPath>,
    #[serde(default)]
    adopt: bool,
}

impl TryFrom<RawPath> for ManagedPath {
    type Error = String;
    fn try_from(raw: RawPath) -> Result<Self, String> {
        let place = match (raw.place.as_str(), raw.object, raw.mode, raw.to) {
            ("link", Some(object), None, None) => Place::Link(object),
            ("copy", Some(object), Some(mode), None) => Place::Copy(object, mode),
            ("straight", None, None, Some(to)) => Place::Straight(to),
            _ => {
                return Err(format!(
                    "`{}`: a link has an object, a copy an object and a mode, a straight link has `to`",
                    raw.path
                ));
            }
        };
        Ok(Self { path: raw.path, place, adopt: raw.adopt })
    }
}

/// Permission bits, written as four octal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Mode(u32);

impl Mode {
    /// A mode of at most twelve bits.
    #[must_use]
    pub fn new(bits: u32) -> Option<Self> {
        (bits <= 0o7777).then_some(Self(bits))
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl TryFrom<String> for Mode {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let bits = u32::from_str_radix(&text, 8).ok().and_then(Self::new);
        bits.filter(|mode| mode.to_string() == text).ok_or_else(|| format!("`{text}` is no mode"))
    }
}
impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}
impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
