//! D-Bus messages as bytes, and back (D-Bus specification, "Message Protocol").
//!
//! `zbus` gives the wire format only: its connections start threads, have no deadline for a signal, and stop the
//! program on the private socket of systemd, whose messages have a well-known name as their sender.

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use zbus::wire::serialized::{Context, Data};
use zbus::wire::{BE, Endian, LE, to_bytes};
use zbus::{ObjectPath, Signature, Type, Variant, as_variant};

/// The part of a header that has the same length in every message.
pub const FIXED: usize = 16;
/// More than any answer of systemd has; D-Bus itself allows 128 MiB.
const LARGEST: usize = 16 << 20;

const CALL: u8 = 1;
const RETURN: u8 = 2;
const ERROR: u8 = 3;
const SIGNAL: u8 = 4;

const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

/// Bytes that are no message that we can use.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The first bytes are no header.
    #[error("it is no message of version 1 of the D-Bus protocol")]
    NoHeader,
    /// It says that it is very long.
    #[error("a message of {0} bytes is more than we read")]
    TooLong(usize),
    /// What it has is not what was asked for.
    #[error("the message has a body of the type `{found}`, not `{wanted}`")]
    OtherBody {
        /// Its signature.
        found: String,
        /// Ours.
        wanted: String,
    },
    /// The codec refuses it.
    #[error(transparent)]
    Codec(#[from] zbus::Error),
}

/// A method of an object.
#[derive(Debug, Clone, Copy)]
pub struct Method<'a> {
    /// The object.
    pub path: &'a str,
    /// The interface that has the method.
    pub interface: &'a str,
    /// The method.
    pub member: &'a str,
}

/// What a message that came is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The answer to the call with this serial.
    Return(u32),
    /// The refusal of the call with this serial, and its D-Bus error name.
    Error(u32, String),
    /// A signal: its interface and its name.
    Signal(String, String),
    /// A call from the other side, which we do not serve.
    Call,
}

/// A message that came.
#[derive(Debug)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    signature: String,
    body: Data<'static, 'static>,
}

impl Message {
    /// The body, a tuple of the values it has.
    ///
    /// # Errors
    /// Where it has values of other types.
    pub fn body<T: DeserializeOwned + Type>(&self) -> Result<T, WireError> {
        let wanted = T::SIGNATURE.to_string_no_parens();
        if wanted == self.signature {
            Ok(self.body.deserialize()?.0)
        } else {
            Err(WireError::OtherBody { found: self.signature.clone(), wanted })
        }
    }
}

/// A field of a header.
enum Field<'a> {
    Path(ObjectPath<'a>),
    Text(&'a str),
    #[cfg(test)]
    Number(u32),
    Types(Types),
}
impl Type for Field<'_> {
    const SIGNATURE: &'static Signature = &Signature::Variant;
}
impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Path(path) => as_variant::serialize(path, serializer),
            Self::Text(text) => as_variant::serialize(text, serializer),
            #[cfg(test)]
            Self::Number(number) => as_variant::serialize(number, serializer),
            Self::Types(types) => as_variant::serialize(types, serializer),
        }
    }
}

/// Several types in a row: a signature on the wire, though no single type, which is all that [`Signature`] can be.
struct Types(String);
impl Type for Types {
    const SIGNATURE: &'static Signature = &Signature::Signature;
}
impl Serialize for Types {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The bytes of a call; `body` is a tuple of its arguments.
///
/// # Errors
/// Where an argument has no form on the wire, such as a text with a NUL.
pub fn encode<B: Serialize + Type>(
    serial: u32,
    destination: Option<&str>,
    method: Method<'_>,
    body: &B,
) -> Result<Vec<u8>, WireError> {
    let mut fields = vec![
        (PATH, Field::Path(ObjectPath::try_from(method.path)?)),
        (INTERFACE, Field::Text(method.interface)),
        (MEMBER, Field::Text(method.member)),
    ];
    if let Some(name) = destination {
        fields.push((DESTINATION, Field::Text(name)));
    }
    message(CALL, serial, fields, body)
}

fn message<B: Serialize + Type>(
    kind: u8,
    serial: u32,
    mut fields: Vec<(u8, Field<'_>)>,
    body: &B,
) -> Result<Vec<u8>, WireError> {
    let content = to_bytes(Context::new(LE, 0), body)?;
    if *B::SIGNATURE != Signature::Unit {
        fields.push((SIGNATURE, Field::Types(Types(B::SIGNATURE.to_string_no_parens()))));
    }
    let length = u32::try_from(content.len()).map_err(|_| WireError::TooLong(content.len()))?;
    let header = (b'l', kind, 0_u8, 1_u8, length, serial, fields);
    let mut bytes = to_bytes(Context::new(LE, 0), &header)?.to_vec();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend_from_slice(&content);
    Ok(bytes)
}

/// What the other side sends, for tests.
#[cfg(test)]
pub(crate) mod answers {
    use super::*;

    pub(crate) fn returns<B: Serialize + Type>(to: u32, body: &B) -> Vec<u8> {
        message(RETURN, 1, vec![(REPLY_SERIAL, Field::Number(to))], body).unwrap()
    }

    pub(crate) fn refuses(to: u32, name: &str, words: &str) -> Vec<u8> {
        message(ERROR, 1, vec![(REPLY_SERIAL, Field::Number(to)), (ERROR_NAME, Field::Text(name))], &(words,))
            .unwrap()
    }

    pub(crate) fn signals<B: Serialize + Type>(member: &str, body: &B) -> Vec<u8> {
        let path = Field::Path(ObjectPath::try_from("/org/freedesktop/systemd1").unwrap());
        let fields = vec![
            (PATH, path),
            (INTERFACE, Field::Text("org.freedesktop.systemd1.Manager")),
            (MEMBER, Field::Text(member)),
            (7, Field::Text("org.freedesktop.systemd1")),
        ];
        message(SIGNAL, 1, fields, body).unwrap()
    }
}

/// How long the message is that starts with these bytes; `None`: more of them are needed to know.
///
/// # Errors
/// Where they start no message, or one that is too long.
pub fn length(bytes: &[u8]) -> Result<Option<usize>, WireError> {
    let Some(fixed) = bytes.first_chunk::<FIXED>() else {
        return Ok(None);
    };
    endian(fixed[0])?;
    if fixed[3] != 1 {
        return Err(WireError::NoHeader);
    }
    let (body, fields) = (number(fixed, 4), number(fixed, 12));
    let total = (FIXED + fields).next_multiple_of(8) + body;
    if total > LARGEST { Err(WireError::TooLong(total)) } else { Ok(Some(total)) }
}

/// Reads one whole message.
///
/// # Errors
/// Where it is none.
pub fn decode(bytes: &[u8]) -> Result<Message, WireError> {
    type Header = (u8, u8, u8, u8, u32, u32, Vec<(u8, zbus::OwnedVariant)>);
    let fixed = bytes.first_chunk::<FIXED>().ok_or(WireError::NoHeader)?;
    let endian = endian(fixed[0])?;
    let start = (FIXED + number(fixed, 12)).next_multiple_of(8);
    if bytes.len() != start + number(fixed, 4) {
        return Err(WireError::NoHeader);
    }
    let (header, _): (Header, usize) =
        Data::new(bytes[..start].to_vec(), Context::new(endian, 0)).deserialize()?;
    let (mut interface, mut member, mut error) = (String::new(), String::new(), String::new());
    let (mut answers, mut signature) = (0, String::new());
    for (code, value) in &header.6 {
        match (code, &**value) {
            (&INTERFACE, Variant::Str(text)) => interface = text.to_string(),
            (&MEMBER, Variant::Str(text)) => member = text.to_string(),
            (&ERROR_NAME, Variant::Str(text)) => error = text.to_string(),
            (&REPLY_SERIAL, Variant::U32(serial)) => answers = *serial,
            (&SIGNATURE, Variant::Signature(text)) => signature = text.to_string_no_parens(),
            _ => {}
        }
    }
    let kind = match header.1 {
        CALL => Kind::Call,
        RETURN => Kind::Return(answers),
        ERROR => Kind::Error(answers, error),
        SIGNAL => Kind::Signal(interface, member),
        _ => return Err(WireError::NoHeader),
    };
    Ok(Message { kind, signature, body: Data::new(bytes[start..].to_vec(), Context::new(endian, 0)) })
}

fn endian(mark: u8) -> Result<Endian, WireError> {
    match mark {
        b'l' => Ok(LE),
        b'B' => Ok(BE),
        _ => Err(WireError::NoHeader),
    }
}

/// The number at `at`, which is no larger than what we read or stands for "too long".
fn number(fixed: &[u8; FIXED], at: usize) -> usize {
    let four = [fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]];
    let value = if fixed[0] == b'l' { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) };
    usize::try_from(value).unwrap_or(LARGEST)
}

/// The object of a unit: systemd's escaping of its name (systemd, `bus_label_escape`).
#[must_use]
pub fn unit_path(unit: &str) -> String {
    use std::fmt::Write as _;
    let mut path = String::from("/org/freedesktop/systemd1/unit/");
    for (at, byte) in unit.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()) {
            path.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(path, "_{byte:02x}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const METHOD: Method<'_> = Method { path: "/a/b", interface: "org.example.I", member: "Do" };

    #[test]
    fn a_call_reads_back() {
        let bytes = encode(7, Some("org.example"), METHOD, &("x", vec!["y", "z"], true)).unwrap();
        assert_eq!(length(&bytes).unwrap(), Some(bytes.len()));
        assert_eq!(length(&bytes[..15]).unwrap(), None);
        let types = b"\x08\x01g\0\x04sasb\0";
        assert!(bytes.windows(types.len()).any(|some| some == types), "{bytes:?}");
        let message = decode(&bytes).unwrap();
        assert_eq!(message.kind, Kind::Call);
        let body: (String, Vec<String>, bool) = message.body().unwrap();
        assert_eq!(body, ("x".into(), vec!["y".into(), "z".into()], true));
        let error = message.body::<(u32,)>().unwrap_err().to_string();
        assert_eq!(error, "the message has a body of the type `sasb`, not `u`");
    }

    #[test]
    fn a_call_without_arguments_is_as_the_specification_has_it() {
        let bytes = encode(1, None, METHOD, &()).unwrap();
        assert_eq!(&bytes[..16], b"l\x01\0\x01\0\0\0\0\x01\0\0\0\x33\0\0\0");
        assert_eq!(&bytes[16..32], b"\x01\x01o\0\x04\0\0\0/a/b\0\0\0\0");
        assert_eq!(bytes.len() % 8, 0);
        decode(&bytes).unwrap().body::<()>().unwrap();
    }

    #[test]
    fn units_have_paths() {
        assert_eq!(unit_path("ssh.service"), "/org/freedesktop/systemd1/unit/ssh_2eservice");
        assert_eq!(unit_path("1a@b.mount"), "/org/freedesktop/systemd1/unit/_31a_40b_2emount");
    }

    #[test]
    fn very_long_is_refused() {
        let mut bytes = encode(1, None, METHOD, &()).unwrap();
        bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(length(&bytes), Err(WireError::TooLong(_))));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_refused(mut noise in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..400) {
            let _ = length(&noise);
            let _ = decode(&noise);
            let mut bytes = encode(1, None, METHOD, &(vec!["a"], "b")).unwrap();
            let cut = at % bytes.len();
            noise.truncate(bytes.len() - cut);
            bytes[cut..cut + noise.len()].copy_from_slice(&noise);
            if let Ok(message) = decode(&bytes) {
                let _ = message.body::<(Vec<String>, String)>();
            }
        }
    }
}
