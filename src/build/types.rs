//! The types of options, and which values they have.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use regex::Regex;

use crate::base::name::UserName;
use crate::base::nearest::advice;
use crate::base::path::TargetPath;
use crate::base::value::{NamedFile, Value};

use super::config::option::OptionDecl;
use super::config::tree::Data;
use super::forms::{bytes, cidr, host_port, is_ivoid, seconds, units};
use super::{ssh_key, xpath};

mod secret;

use secret::{SECRET, secret};

/// The type of an option, of a field of a table, or of an entry of a list or a map.
#[derive(Debug, Clone)]
pub enum Type {
    /// One value.
    Scalar(Scalar),
    /// `list of T`.
    List {
        /// The type of its entries.
        item: Box<Type>,
        /// Whether equal entries stay.
        repeat: bool,
    },
    /// `map of T`, with keys of the host's choice.
    Map(Box<Type>),
    /// `table`, with these fields.
    Table(BTreeMap<String, OptionDecl>),
}

/// The types of one value.
#[derive(Debug, Clone)]
pub enum Scalar {
    /// `true` or `false`.
    Bool,
    /// A whole number within bounds.
    Int(i64, i64),
    /// A number within bounds.
    Float(f64, f64),
    /// A text.
    Text {
        /// The fewest characters.
        min: usize,
        /// The most characters.
        max: usize,
        /// What the whole of it must match: the expression as written, and compiled.
        pattern: Option<(String, Regex)>,
    },
    /// One of these texts.
    OneOf(Vec<String>),
    /// An absolute path.
    Path,
    /// A TCP or UDP port within bounds.
    Port(i64, i64),
    /// `host:port`.
    HostPort,
    /// A network.
    Cidr,
    /// A length of time.
    Duration,
    /// A number of bytes.
    Size,
    /// Permission bits.
    Mode,
    /// An IVOA identifier.
    Ivoid,
    /// An expression of XPath 1.0.
    Xpath,
    /// A line of `authorized_keys`.
    SshKey,
    /// The name of a user or a group.
    UserName,
    /// A secret.
    Secret,
    /// A file beside the one that names it.
    File {
        /// Whether it is to be executable.
        exec: bool,
    },
}

impl Scalar {
    /// Its name, as `type = "…"` takes it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int(..) => "int",
            Self::Float(..) => "float",
            Self::Text { .. } => "string",
            Self::OneOf(_) => "one of",
            Self::Path => "path",
            Self::Port(..) => "port",
            Self::HostPort => "host-port",
            Self::Cidr => "cidr",
            Self::Duration => "duration",
            Self::Size => "size",
            Self::Mode => "mode",
            Self::Ivoid => "ivoid",
            Self::UserName => "user-name",
            Self::Xpath => "xpath",
            Self::SshKey => "ssh-key",
            Self::Secret => "secret",
            Self::File { .. } => "file",
        }
    }

    /// What is expected, for messages.
    #[must_use]
    pub fn wanted(&self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Int(..) => "an integer",
            Self::Float(..) => "a float",
            Self::Text { .. } => "a string",
            Self::OneOf(_) => "one of some strings",
            Self::Path => "a path, as a string",
            Self::Port(..) => "a port, as an integer",
            Self::HostPort => "a `host:port`, as a string",
            Self::Cidr => "a network, as a string",
            Self::Duration => "a duration, as a string",
            Self::Size => "a size, as a string",
            Self::Mode => "a mode, as a string",
            Self::Ivoid => "an IVOID, as a string",
            Self::Xpath => "an XPath, as a string",
            Self::SshKey => "the public key of somebody, as a string",
            Self::UserName => "the name of a user or group, as a string",
            Self::Secret => "a secret, as a table",
            Self::File { .. } => "a file, by its name",
        }
    }
}

/// Why a value is none of a type, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Which part of a text is wrong, where it is not the whole.
    pub part: Option<Range<usize>>,
}

pub(super) fn misfit<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Misfit> {
    Err(Misfit { message: message.into(), help: help.into(), part: None })
}

/// The value that is written, in its normal form; nothing is converted.
///
/// # Errors
/// Where it is of another type.
pub fn check(scalar: &Scalar, data: &Data) -> Result<Value, Misfit> {
    match (scalar, data) {
        (Scalar::Bool, Data::Bool(value)) => Ok(Value::Bool(*value)),
        (Scalar::Int(min, max) | Scalar::Port(min, max), Data::Int(value)) => within(*value, *min, *max),
        (Scalar::Float(min, max), Data::Float(value)) => match value {
            _ if !value.is_finite() => misfit("the number is not finite", "give a finite number"),
            _ if value < min => misfit(format!("{value:?} is too small"), format!("{min:?} is the least")),
            _ if value > max => misfit(format!("{value:?} is too large"), format!("{max:?} is the most")),
            _ => Ok(Value::Float(*value)),
        },
        (Scalar::Float(..), Data::Int(value)) => {
            misfit("expected a float, found an integer", format!("write `{value}.0`"))
        }
        (Scalar::Secret, Data::Secret(secret)) => Ok(Value::Secret(secret.clone())),
        (Scalar::Secret, Data::Table(table)) => secret(table),
        (Scalar::Secret, data) => misfit(
            format!("expected {}, found {}", scalar.wanted(), data.kind()),
            format!("{SECRET}; the secret itself is in no file of the project"),
        ),
        (Scalar::File { exec }, Data::File(file)) if file.exec == *exec => Ok(Value::File(Arc::clone(file))),
        (Scalar::File { exec }, Data::File(file)) => {
            Ok(Value::File(Arc::new(NamedFile { exec: *exec, ..NamedFile::clone(file) })))
        }
        (Scalar::File { .. }, Data::Str(_)) => misfit(
            "expected a file, found a string",
            "only the file that sets it can name it; an expression passes a file on, or none",
        ),
        (Scalar::Bool | Scalar::Int(..) | Scalar::Port(..) | Scalar::Float(..), data) => wrong(scalar, data),
        (_, Data::Str(text)) => check_text(scalar, text).map(Value::Str),
        (_, data) => wrong(scalar, data),
    }
}

fn wrong(scalar: &Scalar, data: &Data) -> Result<Value, Misfit> {
    let help = match data {
        Data::Str(text) if !matches!(scalar, Scalar::Bool) || matches!(text.as_str(), "true" | "false") => {
            format!("write `{text}` without quotes, if that is what is meant")
        }
        Data::Str(_) | Data::Int(_) | Data::Float(_) if matches!(scalar, Scalar::Bool) => {
            "write `true` or `false`".to_owned()
        }
        Data::Int(number) if matches!(scalar, Scalar::Duration) => {
            format!("write it in quotes and with its unit, as `\"{number}s\"`")
        }
        Data::Int(number) if matches!(scalar, Scalar::Size) => {
            format!("write it in quotes and with its unit, as `\"{number}M\"`")
        }
        Data::Bool(_) | Data::Int(_) | Data::Float(_) => "write it in quotes".to_owned(),
        Data::None => "give it a value; this expression gives none".to_owned(),
        _ => format!("give {}", scalar.wanted()),
    };
    misfit(format!("expected {}, found {}", scalar.wanted(), data.kind()), help)
}

fn within(value: i64, min: i64, max: i64) -> Result<Value, Misfit> {
    if value < min {
        return misfit(format!("{value} is too small"), format!("{min} is the least"));
    }
    if value > max {
        return misfit(format!("{value} is too large"), format!("{max} is the most"));
    }
    Ok(Value::Int(value))
}

fn check_text(scalar: &Scalar, text: &str) -> Result<String, Misfit> {
    let shown = text.escape_debug();
    match scalar {
        Scalar::Text { min, max, pattern } => string(text, (*min, *max), pattern.as_ref()),
        Scalar::OneOf(known) if known.iter().any(|known| known == text) => Ok(text.to_owned()),
        Scalar::OneOf(known) => {
            let help = advice(text, known.iter().map(String::as_str));
            misfit(format!("`{shown}` is none of the values that this may have"), help)
        }
        Scalar::Path => match TargetPath::new(text) {
            Ok(path) => Ok(path.as_str().to_owned()),
            Err(error) => misfit(error.to_string(), "write it like `/srv/data`"),
        },
        Scalar::UserName => match UserName::new(text) {
            Ok(name) => Ok(name.as_str().to_owned()),
            Err(error) => misfit(error.to_string(), "write it like `voeventserve`"),
        },
        Scalar::HostPort => host_port(text),
        Scalar::Cidr => cidr(text),
        Scalar::Duration => match seconds(text) {
            Some(seconds) => Ok(units(seconds, &[(86400, "d"), (3600, "h"), (60, "m"), (1, "s")])),
            None => {
                misfit(format!("`{shown}` is no duration"), "write it like `90s`, `15m`, `1h30m` or `2d`")
            }
        },
        Scalar::Size => match bytes(text) {
            Some(0) => Ok("0".to_owned()),
            Some(bytes) => {
                Ok(units(bytes, &[(1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K"), (1, "")]))
            }
            None => misfit(format!("`{shown}` is no size"), "write it like `256M` or `2G` (powers of 1024)"),
        },
        Scalar::Mode => match u32::from_str_radix(text, 8) {
            Ok(mode) if matches!(text.len(), 3 | 4) && text.bytes().all(|b| b.is_ascii_digit()) => {
                Ok(format!("{mode:04o}"))
            }
            _ => misfit(format!("`{shown}` is no mode"), "write three or four octal digits, as `0750`"),
        },
        Scalar::Xpath => match xpath::fault(text) {
            None => Ok(text.to_owned()),
            Some(fault) => Err(Misfit { message: fault.message, help: fault.help, part: Some(fault.at) }),
        },
        Scalar::SshKey => ssh_key::judge(text).map(|()| text.to_owned()),
        Scalar::Ivoid if is_ivoid(text) => Ok(text.to_owned()),
        Scalar::Ivoid => misfit(
            format!("`{shown}` is no IVOID"),
            "write it like `ivo://org.example/node1`: an authority of three characters or more, then a path",
        ),
        Scalar::Bool
        | Scalar::Int(..)
        | Scalar::Float(..)
        | Scalar::Port(..)
        | Scalar::Secret
        | Scalar::File { .. } => {
            misfit(format!("expected {}, found a string", scalar.wanted()), "write it without quotes")
        }
    }
}

fn string(text: &str, bounds: (usize, usize), pattern: Option<&(String, Regex)>) -> Result<String, Misfit> {
    let length = text.chars().count();
    if length < bounds.0 || length > bounds.1 {
        let bound = if length < bounds.0 {
            format!("{} is the least", bounds.0)
        } else {
            format!("{} is the most", bounds.1)
        };
        let many = if length == 1 { "" } else { "s" };
        return misfit(format!("the string has {length} character{many}"), bound);
    }
    match pattern {
        Some((written, regex)) if !regex.is_match(text) => {
            let message = format!("`{}` does not match the pattern of this option", text.escape_debug());
            misfit(message, format!("the whole of it must match `{written}`"))
        }
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(scalar: &Scalar, text: &str) -> Option<String> {
        check(scalar, &Data::Str(text.to_owned())).ok().and_then(|value| value.text())
    }

    #[test]
    fn values_have_one_form() {
        for (scalar, written, want) in [
            (Scalar::Duration, "90s", Some("90s")),
            (Scalar::Duration, "3600s", Some("1h")),
            (Scalar::Duration, "1h30m", Some("90m")),
            (Scalar::Duration, "0s", Some("0s")),
            (Scalar::Duration, "", None),
            (Scalar::Duration, "5", None),
            (Scalar::Duration, "h", None),
            (Scalar::Duration, "99999999999999999999w", None),
            (Scalar::Size, "1024M", Some("1G")),
            (Scalar::Size, "1000", Some("1000")),
            (Scalar::Size, "0K", Some("0")),
            (Scalar::Size, "M", None),
            (Scalar::Size, "1 M", None),
            (Scalar::Mode, "750", Some("0750")),
            (Scalar::Mode, "2770", Some("2770")),
            (Scalar::Mode, "0780", None),
            (Scalar::Mode, "+75", None),
            (Scalar::Cidr, "192.0.2.0/24", Some("192.0.2.0/24")),
            (Scalar::Cidr, "192.0.2.7", Some("192.0.2.7/32")),
            (Scalar::Cidr, "192.0.2.7/24", None),
            (Scalar::Cidr, "2001:DB8::/32", Some("2001:db8::/32")),
            (Scalar::HostPort, "Up.Example.org:8099", Some("up.example.org:8099")),
            (Scalar::HostPort, "[2001:db8:0::7]:1", Some("[2001:db8::7]:1")),
            (Scalar::HostPort, "up.example.org", None),
            (Scalar::HostPort, "up:99999", None),
            (Scalar::HostPort, "1.2.3.999:1", None),
            (Scalar::HostPort, "a b:1", None),
            (Scalar::Path, "/a/b", Some("/a/b")),
            (Scalar::Path, "/a/../b", None),
            (Scalar::UserName, "Root", None),
            (Scalar::Ivoid, "ivo://org.example/node1", Some("ivo://org.example/node1")),
            (Scalar::Ivoid, "ivo://org.example/a/b#x", Some("ivo://org.example/a/b#x")),
            (Scalar::Ivoid, "ivo://or", None),
            (Scalar::Ivoid, "ivo://org.example/", None),
            (Scalar::Ivoid, "ivo://org.example/a//b", None),
            (Scalar::Ivoid, "http://x", None),
        ] {
            assert_eq!(text(&scalar, written).as_deref(), want, "{scalar:?} {written:?}");
        }
    }

    #[test]
    fn nothing_is_converted() {
        let port = Scalar::Port(1024, 65_535);
        assert_eq!(check(&port, &Data::Int(8098)), Ok(Value::Int(8098)));
        assert_eq!(check(&port, &Data::Int(80)).unwrap_err().help, "1024 is the least");
        assert_eq!(check(&port, &Data::Int(70_000)).unwrap_err().help, "65535 is the most");
        let error = check(&port, &Data::Str("8098".to_owned())).unwrap_err();
        assert_eq!(error.message, "expected a port, as an integer, found a string");
        assert!(check(&Scalar::Float(0.0, 1.0), &Data::Int(1)).is_err());
        assert!(check(&Scalar::Path, &Data::Bool(true)).is_err());
        assert!(check(&Scalar::Bool, &Data::Int(1)).is_err());
    }
}
