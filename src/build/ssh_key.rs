//! Lines of `authorized_keys` (sshd(8)): options, type, key in base64, comment. sshd passes over a line that it does not
//! understand, and then somebody cannot log in; so the key itself is read here.

use std::ops::Range;

use data_encoding::BASE64;

use crate::base::nearest::advice;
use crate::base::ssh_wire::string;

use super::types::Misfit;

/// The types of keys, each with what follows its name within the key.
const TYPES: [(&str, &[Field]); 7] = [
    ("ssh-ed25519", &[Field::Bytes(32)]),
    ("ssh-rsa", &[Field::Any, Field::Number(RSA)]),
    ("ecdsa-sha2-nistp256", &[Field::Is("nistp256"), Field::Bytes(65)]),
    ("ecdsa-sha2-nistp384", &[Field::Is("nistp384"), Field::Bytes(97)]),
    ("ecdsa-sha2-nistp521", &[Field::Is("nistp521"), Field::Bytes(133)]),
    ("sk-ssh-ed25519@openssh.com", &[Field::Bytes(32), Field::Any]),
    ("sk-ecdsa-sha2-nistp256@openssh.com", &[Field::Is("nistp256"), Field::Bytes(65), Field::Any]),
];
/// The fewest bits of an RSA key.
const RSA: usize = 2048;
/// The longest line, in bytes, as sshd reads it.
const LONGEST: usize = 8192;

/// The options that a line may have, and whether they have a value. What is not here would let a key do more than log in
/// (`environment`, `tunnel`), or stand for other keys (`cert-authority`, `principals`).
const OPTIONS: [(&str, bool); 18] = [
    ("restrict", false),
    ("from", true),
    ("command", true),
    ("expiry-time", true),
    ("permitopen", true),
    ("permitlisten", true),
    ("pty", false),
    ("no-pty", false),
    ("port-forwarding", false),
    ("no-port-forwarding", false),
    ("agent-forwarding", false),
    ("no-agent-forwarding", false),
    ("x11-forwarding", false),
    ("no-x11-forwarding", false),
    ("user-rc", false),
    ("no-user-rc", false),
    ("no-touch-required", false),
    ("verify-required", false),
];

const LINE: &str = "write the line of the `.pub` file, as `ssh-ed25519 AAAA… ann@desk`";

/// A part of a key.
#[derive(Debug, Clone, Copy)]
enum Field {
    /// Bytes of this number.
    Bytes(usize),
    /// This text.
    Is(&'static str),
    /// A number of at least so many bits.
    Number(usize),
    /// Anything that is not empty.
    Any,
}

type Fault = (Range<usize>, String, String);

/// The first thing that is wrong with a line.
///
/// # Errors
/// Where sshd would not take it for a key, or it has an option that nobody should need.
pub fn judge(text: &str) -> Result<(), Misfit> {
    find(text).map_err(|(part, message, help)| Misfit { message, help, part: Some(part) })
}

fn find(text: &str) -> Result<(), Fault> {
    let all = 0..text.len();
    if text.contains("PRIVATE KEY") {
        let help = "it is for nobody else: make a new one, and give the line of its `.pub` file";
        return Err((all, "this is a private key".to_owned(), help.to_owned()));
    }
    if text.len() > LONGEST {
        return Err((
            all,
            format!("a line of {} bytes", text.len()),
            format!("{LONGEST} bytes are the most"),
        ));
    }
    if let Some((at, c)) = text.char_indices().find(|(_, c)| c.is_control()) {
        let message = format!("a key has no `{}` in it", c.escape_debug());
        return Err((at..at + c.len_utf8(), message, "write one line for each entry of the list".to_owned()));
    }
    if text.trim().is_empty() {
        return Err((all, "there is no key".to_owned(), LINE.to_owned()));
    }
    let start = if is_type(word(text, 0)) { 0 } else { options(text)? };
    let kind = word(text, start.min(text.len()));
    let at = start..start + kind.len();
    let Some((_, fields)) = TYPES.iter().find(|(name, _)| *name == kind) else {
        let shown = kind.escape_debug();
        return Err(match kind {
            "" => (all, "there is no key".to_owned(), LINE.to_owned()),
            "ssh-dss" => (
                at,
                format!("keys of type `{shown}` are refused by sshd"),
                "make an `ssh-ed25519` key".to_owned(),
            ),
            _ => (
                at,
                format!("`{shown}` is no type of keys"),
                advice(kind, TYPES.iter().map(|(name, _)| *name)),
            ),
        });
    };
    let encoded = word(text, text.len().min(at.end + 1));
    let part = text.len().min(at.end + 1)..text.len().min(at.end + 1 + encoded.len());
    let told = |(message, help)| (if encoded.is_empty() { all } else { part.clone() }, message, help);
    key(kind, fields, encoded).map_err(told)
}

/// What stands from here to the next blank.
fn word(text: &str, start: usize) -> &str {
    text[start..].split([' ', '\t']).next().unwrap_or_default()
}

fn is_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| word.starts_with(prefix))
}

/// Judges the options at the beginning of a line; where they end, and the blank behind them.
fn options(text: &str) -> Result<usize, Fault> {
    let mut start = 0;
    loop {
        let end = option_end(text, start);
        option(&text[start..end]).map_err(|(message, help)| (start..end, message, help))?;
        match text.as_bytes().get(end) {
            Some(b',') => start = end + 1,
            Some(_) => return Ok(end + 1),
            None => return Err((0..text.len(), "there is no key".to_owned(), LINE.to_owned())),
        }
    }
}

/// Where an option ends: at a comma or a blank that is not between quotes.
fn option_end(text: &str, start: usize) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            b'"' if !escaped => quoted = !quoted,
            b',' | b' ' | b'\t' if !quoted => return at,
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
    }
    text.len()
}

fn option(option: &str) -> Result<(), (String, String)> {
    let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
    let lower = name.to_ascii_lowercase();
    let shown = name.escape_debug();
    let Some((_, has_value)) = OPTIONS.iter().find(|(known, _)| *known == lower) else {
        let help = advice(&lower, OPTIONS.iter().map(|(known, _)| *known));
        return Err((format!("`{shown}` is no option that a key may have here"), help));
    };
    let quoted = |value: &str| value.len() > 2 && value.starts_with('"') && value.ends_with('"');
    match (has_value, value) {
        (true, Some(value)) if quoted(value) => Ok(()),
        (true, _) => {
            Err((format!("the option `{shown}` has no value"), format!("write it as `{lower}=\"…\"`")))
        }
        (false, None) => Ok(()),
        (false, Some(_)) => {
            Err((format!("the option `{shown}` takes no value"), format!("write `{lower}` alone")))
        }
    }
}

/// Reads a key: its parts each have their length before them.
fn key(kind: &str, fields: &[Field], encoded: &str) -> Result<(), (String, String)> {
    let broken = |what: &str| Err((format!("the key {what}"), LINE.to_owned()));
    if encoded.is_empty() {
        return broken("itself is missing");
    }
    let Ok(bytes) = BASE64.decode(encoded.as_bytes()) else {
        return broken("is not whole: it is no base64");
    };
    let mut rest = bytes.as_slice();
    let Some(name) = string(&mut rest) else { return broken("is not whole") };
    if name != kind.as_bytes() {
        let name = String::from_utf8_lossy(name);
        let message = format!("this says `{kind}` and is a key of type `{}`", name.escape_debug());
        return Err((message, LINE.to_owned()));
    }
    for field in fields {
        let Some(found) = string(&mut rest) else { return broken("is not whole") };
        let fits = match field {
            Field::Bytes(length) => found.len() == *length,
            Field::Is(text) => found == text.as_bytes(),
            Field::Number(_) | Field::Any => !found.is_empty(),
        };
        if !fits {
            return broken("is damaged");
        }
        if let Field::Number(least) = field {
            let bits = bits(found);
            if bits < *least {
                let help = format!("{least} bits are the least; better make an `ssh-ed25519` key");
                return Err((format!("a key of {bits} bits can be broken"), help));
            }
        }
    }
    if rest.is_empty() { Ok(()) } else { broken("has more to it than it should") }
}

fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let first = number.get(zeros).map_or(8, |byte| byte.leading_zeros() as usize);
    (number.len() - zeros) * 8 - first.min((number.len() - zeros) * 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJuN+F5OeiHpuSmAC7i2gvNrGmsmOrKADNNuwDEVpHA/";
    const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBPmTkq1HXCbwNYhkZ5yLxu9FnNG/63UVIyEtnw3u5bVnhc8gCMmZmd6rfhmj9FpbTJSPOMmVaiS7Nnr5eAH2igs=";
    const SHORT_RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDSXrBMsvTu4LP227NZ2pbTeoSIKhMKQaLmpqW0AHL13WeekXmy1QiuUcbKEisSqqmhzo3focOdnmKH+96kv8vKlAGRb0kJNdVCzPnRW3JTPERQAWX4bmMmUa6rVhbWgQfuxYjl5ONi3eUaYHjlLk01SB6dvFfyumqeRRTksp9ZDw==";

    fn told(text: &str) -> String {
        find(text).err().map(|(at, message, _)| format!("{}: {message}", &text[at])).unwrap_or_default()
    }

    #[test]
    fn lines_of_keys() {
        for line in [
            KEY,
            ECDSA,
            &format!("{KEY} ann@desk, of the observatory"),
            &format!("restrict,pty {KEY}"),
            &format!("from=\"192.0.2.0/24,!192.0.2.7\",restrict,command=\"say \\\"a b\\\"\" {ECDSA} x"),
        ] {
            assert_eq!(told(line), "", "{line}");
        }
    }

    #[test]
    fn what_sshd_would_pass_over() {
        let key = KEY.split_once(' ').unwrap().1;
        for (line, expected) in [
            (String::new(), ": there is no key".to_owned()),
            ("ssh-ed25519".into(), "ssh-ed25519: the key itself is missing".into()),
            (key.into(), format!("{key}: `{key}` is no option that a key may have here")),
            (
                format!("ssh-rsa {key}"),
                format!("{key}: this says `ssh-rsa` and is a key of type `ssh-ed25519`"),
            ),
            (format!("ssh-ed2551 {key}"), "ssh-ed2551: `ssh-ed2551` is no type of keys".into()),
            ("ssh-dss AAAA".into(), "ssh-dss: keys of type `ssh-dss` are refused by sshd".into()),
            (
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJuN+F5O".into(),
                "AAAAC3NzaC1lZDI1NTE5AAAAIJuN+F5O: the key is not whole".into(),
            ),
            (
                KEY.replace('+', "-"),
                format!("{}: the key is not whole: it is no base64", key.replace('+', "-")),
            ),
            (
                format!("{}AAAA", KEY.replace('/', "A")),
                format!("{}AAAA: the key has more to it than it should", key.replace('/', "A")),
            ),
            (
                SHORT_RSA.into(),
                format!("{}: a key of 1024 bits can be broken", SHORT_RSA.split_once(' ').unwrap().1),
            ),
            (
                format!("environment=\"A=b\" {KEY}"),
                "environment=\"A=b\": `environment` is no option that a key may have here".into(),
            ),
            (format!("pty,from=192.0.2.1 {KEY}"), "from=192.0.2.1: the option `from` has no value".into()),
            (format!("restrict=1 {KEY}"), "restrict=1: the option `restrict` takes no value".into()),
            ("restrict,pty".into(), "restrict,pty: there is no key".into()),
            (format!("command=\"x {KEY}"), format!("command=\"x {KEY}: the option `command` has no value")),
            (format!("{KEY}\n{KEY}"), "\n: a key has no `\\n` in it".into()),
        ] {
            assert_eq!(told(&line), expected);
        }
        let private = "-----BEGIN OPENSSH PRIVATE KEY-----";
        assert_eq!(told(private), format!("{private}: this is a private key"));
    }
}
