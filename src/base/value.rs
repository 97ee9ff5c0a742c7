//! Values of options.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::name::Label;
use super::path::TargetPath;

/// A secret: it has no text here, only where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The credential that a unit gets it as: the path of its setting, without what such a name cannot have.
    pub name: String,
    /// Where it comes from.
    pub source: SecretSource,
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A file that lies on the target already, root's alone.
    File(TargetPath),
    /// A file that is encrypted with age, and that comes with the bundle.
    Age {
        /// The file.
        file: Arc<NamedFile>,
        /// Where its text is on the target, as long as a generation needs it: the name is that of its object.
        path: TargetPath,
    },
}

impl SecretSource {
    /// Where a unit finds it on the target.
    #[must_use]
    pub const fn path(&self) -> &TargetPath {
        match self {
            Self::File(path) | Self::Age { path, .. } => path,
        }
    }
}

/// As people write it in TOML.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{{ file = {:?} }}", path.as_str()),
            Self::Age { file, .. } => write!(f, "{{ age = {:?} }}", file.path),
        }
    }
}

/// A file that a setting names: its bytes become an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// What the object is called.
    pub label: Label,
    /// The file, as the compiler was told to find it: for people.
    pub path: String,
    /// Whether the object is executable.
    pub exec: bool,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A value that an option has or an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An optional setting that was left out.
    None,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// A text.
    Str(String),
    /// Values in the order in which they were given.
    List(Vec<Value>),
    /// Values by key, or the fields of a table.
    Map(BTreeMap<String, Value>),
    /// A secret.
    Secret(Secret),
    /// A file.
    File(Arc<NamedFile>),
}

impl Value {
    /// What kind of value this is, for messages: `a string`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Str(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a table",
            Self::Secret(_) => "a secret",
            Self::File(_) => "a file",
        }
    }

    /// Whether a condition that gives this value holds: not where it is none, false, zero or empty.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(value) => !value.is_empty(),
            Self::List(value) => !value.is_empty(),
            Self::Map(value) => !value.is_empty(),
            Self::Secret(_) | Self::File(_) => true,
        }
    }

    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let inside = match self {
            Self::None | Self::Bool(_) | Self::Int(_) | Self::Float(_) => 0,
            Self::Str(text) => text.len(),
            Self::List(values) => values.iter().map(Self::size).sum(),
            Self::Map(values) => values.iter().map(|(key, value)| key.len() + value.size()).sum(),
            Self::Secret(secret) => secret.name.len(),
            Self::File(file) => file.bytes.len(),
        };
        size_of::<Self>() + inside
    }

    /// The text of a value that has one: booleans, numbers and strings.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Int(value) => Some(value.to_string()),
            Self::Float(value) => Some(format!("{value:?}")),
            Self::Str(value) => Some(value.clone()),
            Self::None | Self::List(_) | Self::Map(_) | Self::Secret(_) | Self::File(_) => None,
        }
    }
}

/// As people would write it in TOML.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Str(value) => write!(f, "{value:?}"),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Map(values) => {
                f.write_str("{")?;
                for (index, (key, value)) in values.iter().enumerate() {
                    write!(f, "{} {key:?} = {value}", if index > 0 { "," } else { "" })?;
                }
                f.write_str(" }")
            }
            Self::Secret(secret) => write!(f, "{}", secret.source),
            Self::File(file) => write!(f, "{:?}", file.path),
        }
    }
}
