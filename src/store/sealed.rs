//! Secrets as age files (age-encryption.org/v1): what can be known of one without its key, and the keys of hosts.
//!
//! The crate `age` parses; what it is given is bounded.

use std::cell::RefCell;
use std::fmt;
use std::io::{BufRead, Read as _};
use std::str::FromStr as _;

use age::armor::ArmoredReader;
use age::ssh::ParseRecipientKeyError;
use age::{DecryptError, Decryptor, Identity};
use age_core::format::{FileKey, Stanza};
use data_encoding::{BASE64, BASE64_NOPAD};
use sha2::{Digest as _, Sha256};

use crate::base::ssh_wire::string;

/// The largest age file that is read. What systemd passes to a unit as credentials has 1 MiB at most.
pub const LONGEST: usize = 1 << 20;
/// The longest header: it has two lines and about 110 bytes for an ed25519 key, and 12 lines and 720 bytes for RSA with
/// 4096 bits. The crate's time for one grows with the product.
const LONGEST_HEADER: u64 = 32 << 10;
const MOST_LINES: usize = 500;
/// The longest public key that is read: that of RSA with 16,384 bits has about 2,800 characters.
const LONGEST_KEY: usize = 4096;

/// For whom a secret is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recipient {
    /// A key of SSH, known by the beginning of its hash alone.
    Ssh(Tag),
    /// A key of age (`age1…`): an age file does not say which.
    Age,
    /// What this program cannot decrypt, by its name in the file: a plugin's, say.
    Other(String),
}

/// By what an age file tells which key of SSH it is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// `ssh-ed25519` or `ssh-rsa`.
    kind: String,
    /// The first four bytes of the key's SHA-256, in Base64.
    hash: String,
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ssh(tag) => write!(f, "{tag}"),
            Self::Age => f.write_str("a key of age"),
            Self::Other(name) => write!(f, "`{}`", name.escape_debug()),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} key `{}`", self.kind, self.hash)
    }
}

/// Recipients as people read them.
#[must_use]
pub fn words(recipients: &[Recipient]) -> String {
    let words: Vec<String> = recipients.iter().map(ToString::to_string).collect();
    if words.is_empty() { "nobody".to_owned() } else { words.join(", ") }
}

/// Why bytes are no secret that a host could decrypt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSealed {
    /// Too many.
    #[error("it has more than {LONGEST} bytes")]
    TooLong,
    /// Another format.
    #[error("it is no age file")]
    NoAge,
    /// Broken.
    #[error("its header is broken")]
    Header,
    /// Nobody is there to type the passphrase.
    #[error("it is encrypted with a passphrase, which nobody types on the target")]
    Passphrase,
    /// For others alone.
    #[error("no key of SSH or of age can decrypt it, only {0}")]
    Others(String),
}

/// Opens an age file, with or without armor, up to what only a key opens.
///
/// # Errors
/// Where it is none that a host could decrypt.
pub fn open(bytes: &[u8]) -> Result<Decryptor<impl BufRead + '_>, BadSealed> {
    if bytes.len() > LONGEST {
        return Err(BadSealed::TooLong);
    }
    // A file that does not even begin as one is no broken one.
    let begins = bytes.starts_with(b"age-encryption.org/v1\n") || bytes.starts_with(b"-----BEGIN AGE ");
    let broken = if begins { BadSealed::Header } else { BadSealed::NoAge };
    let (mut start, mut reader) = (Vec::new(), ArmoredReader::new(bytes).take(LONGEST_HEADER));
    // What is wrong with the armor further on is found when that is decrypted.
    let mut line = || reader.read_until(b'\n', &mut start).is_ok_and(|read| read > 0);
    (0..MOST_LINES).all(|_| line());
    let header = Decryptor::new_buffered(start.as_slice()).map(drop);
    match header.and_then(|()| Decryptor::new_buffered(ArmoredReader::new(bytes))) {
        Ok(decryptor) if decryptor.is_scrypt() => Err(BadSealed::Passphrase),
        Ok(decryptor) => Ok(decryptor),
        Err(_) => Err(broken),
    }
}

/// For whom an age file is encrypted, in the order in which it says so.
///
/// # Errors
/// Where it is none that a host could decrypt.
pub fn recipients(bytes: &[u8]) -> Result<Vec<Recipient>, BadSealed> {
    let looker = Looker::default();
    // It opens nothing, so that this is an error each time.
    let _ = open(bytes)?.decrypt(std::iter::once(&looker as &dyn Identity));
    let found = looker.found.into_inner();
    if found.iter().any(|recipient| !matches!(recipient, Recipient::Other(_))) {
        return Ok(found);
    }
    Err(BadSealed::Others(words(&found)))
}

/// A key that opens nothing and notes what it is shown.
#[derive(Default)]
struct Looker {
    found: RefCell<Vec<Recipient>>,
}

impl Identity for Looker {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let recipient = match (stanza.tag.as_str(), stanza.args.first()) {
            // Noise that keeps readers from assuming too much.
            (tag, _) if tag.ends_with("-grease") => return None,
            (kind @ ("ssh-ed25519" | "ssh-rsa"), Some(hash)) => {
                Recipient::Ssh(Tag { kind: kind.to_owned(), hash: hash.clone() })
            }
            ("X25519", _) => Recipient::Age,
            (tag, _) => Recipient::Other(tag.to_owned()),
        };
        self.found.borrow_mut().push(recipient);
        None
    }
}

/// The public key of a host: a line of `/etc/ssh/ssh_host_ed25519_key.pub`, or of the RSA one.
#[derive(Debug, Clone)]
pub struct HostKey {
    recipient: age::ssh::Recipient,
    tag: Tag,
}

/// Why a text is no [`HostKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadHostKey(&'static str);

impl HostKey {
    /// Reads a public key as `ssh-keyscan` and the files have it, with or without a comment.
    ///
    /// # Errors
    /// Where it is none, or one of a kind that age cannot encrypt for.
    pub fn parse(text: &str) -> Result<Self, BadHostKey> {
        const SHAPE: BadHostKey = BadHostKey("it is no public key of SSH, as `ssh-ed25519 AAAA…`");
        let mut words = text.split(' ');
        let (Some(kind), Some(key)) = (words.next(), words.next()) else { return Err(SHAPE) };
        if text.len() > LONGEST_KEY {
            return Err(SHAPE);
        }
        let wire = BASE64.decode(key.as_bytes()).map_err(|_| SHAPE)?;
        if has_zeros(&wire) {
            return Err(SHAPE);
        }
        let recipient = age::ssh::Recipient::from_str(text).map_err(|error| match error {
            ParseRecipientKeyError::RsaModulusTooLarge => BadHostKey("its RSA key has too many bits"),
            ParseRecipientKeyError::RsaModulusTooSmall => BadHostKey("its RSA key has fewer than 2048 bits"),
            ParseRecipientKeyError::Unsupported(_) => {
                BadHostKey("age encrypts for keys of the kinds `ssh-ed25519` and `ssh-rsa` only")
            }
            _ => SHAPE,
        })?;
        // The crate takes what begins like a key.
        if recipient.to_string() != format!("{kind} {key}") {
            return Err(SHAPE);
        }
        let hash = BASE64_NOPAD.encode(&Sha256::digest(&wire)[..4]);
        Ok(Self { recipient, tag: Tag { kind: kind.to_owned(), hash } })
    }

    /// The key, as age encrypts for it.
    #[must_use]
    pub const fn recipient(&self) -> &age::ssh::Recipient {
        &self.recipient
    }

    /// Whether it can decrypt what is encrypted for these.
    #[must_use]
    pub fn is_among(&self, recipients: &[Recipient]) -> bool {
        recipients.contains(&Recipient::Ssh(self.tag.clone()))
    }

    /// By what an age file tells that it is for this key.
    #[must_use]
    pub const fn tag(&self) -> &Tag {
        &self.tag
    }
}

/// Whether a part of a key has zeros only: no part of any has, and the crate's reader of numbers falls over it.
fn has_zeros(mut wire: &[u8]) -> bool {
    std::iter::from_fn(|| string(&mut wire))
        .any(|part| !part.is_empty() && part.iter().all(|byte| *byte == 0))
}

/// The key, without its comment.
impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.recipient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGAiceB/cUlHg4HUsBy10QDoqP/nnDcpR8JtjMJpMg/3 root@node1";
    /// For [`KEY`] and a key of age.
    const SEALED: &[u8] = include_bytes!("../../tests/fuzz/seeds/x.age");
    const BINARY: &[u8] = include_bytes!("../../tests/fuzz/seeds/binary.age");

    #[test]
    fn a_file_says_for_whom_it_is() {
        let key = HostKey::parse(KEY).unwrap();
        for bytes in [SEALED, BINARY] {
            let found = recipients(bytes).unwrap();
            assert_eq!(words(&found), "the ssh-ed25519 key `3jy1+Q`, a key of age");
            assert!(key.is_among(&found));
        }
        let file = |stanza: &str| {
            format!("age-encryption.org/v1\n{stanza}\n--- {}\n0123456789abcdef", "A".repeat(43))
        };
        let told = |bytes: &[u8]| recipients(bytes).unwrap_err().to_string();
        let plugin = told(file("-> piv-p256 x\n").as_bytes());
        assert_eq!(plugin, "no key of SSH or of age can decrypt it, only `piv-p256`");
        assert_eq!(told(b""), "it is no age file");
        assert_eq!(told(b"age-encryption.org/v2\n"), "it is no age file");
        assert_eq!(told(b"age-encryption.org/v1\n-> "), "its header is broken");
        let long = format!("-> piv-p256 {}\n", "x ".repeat(30)).repeat(1000);
        assert_eq!(told(file(&long).as_bytes()), "its header is broken");
        assert_eq!(told(&vec![b'-'; LONGEST + 1]), "it has more than 1048576 bytes");
    }

    #[test]
    fn keys_of_hosts() {
        let key = HostKey::parse(KEY).unwrap();
        assert_eq!(format!("{key} root@node1"), KEY);
        let (kind, rest) = KEY.split_once(' ').unwrap();
        for bad in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            rest,
            &KEY[..40],
            &format!("{kind} x{rest}"),
            &format!(" {KEY}"),
        ] {
            assert_eq!(
                HostKey::parse(bad).unwrap_err().to_string(),
                "it is no public key of SSH, as `ssh-ed25519 AAAA…`",
                "{bad}"
            );
        }
        let error = HostKey::parse("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBCKqGvF+a5jKDHdrHg8GIionagQTfaSaYpPYqOpPFXMAmlvcEFAHzFjfU+D+6HKRYX7mJzh3aviZxycKrptKmGY= x").unwrap_err();
        assert_eq!(error.to_string(), "age encrypts for keys of the kinds `ssh-ed25519` and `ssh-rsa` only");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..400) {
            let _ = recipients(&bytes);
            for sealed in [SEALED, BINARY] {
                let mut altered = sealed.to_vec();
                let at = at.min(altered.len());
                let end = (at + bytes.len()).min(altered.len());
                altered.splice(at..end, bytes.iter().copied());
                let _ = recipients(&altered);
            }
            let _ = HostKey::parse(&String::from_utf8_lossy(&bytes));
        }
    }
}
