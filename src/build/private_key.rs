//! Private keys in sources: none may be there, since what is in a project is in its history, and in every copy.

use std::ops::Range;
use std::sync::Arc;

use crate::base::report::{Diagnostic, Place, Source};

const AGE: &str = "AGE-SECRET-KEY-1";
const BEGIN: &str = "-----BEGIN ";
const END: &str = "PRIVATE KEY-----";

/// The first private key in a text: PEM's first line (RFC 7468, OpenSSH, PGP), or an identity of age.
#[must_use]
pub fn find(text: &str) -> Option<Range<usize>> {
    let mut end = 0;
    let pem = text.split_inclusive('\n').find_map(|line| {
        let begin = end;
        end += line.len();
        // What ends behind any beginning of the line ends behind its first.
        let start = line.find(BEGIN)?;
        let length = line[start..].find(END)? + END.len();
        Some(begin + start..begin + start + length)
    });
    let age = text.find(AGE).map(|start| {
        let rest = &text[start..];
        let key = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        start..start + key
    });
    pem.into_iter().chain(age).min_by_key(|range| range.start)
}

/// The error that a source has one: shown without the key.
#[must_use]
pub fn fault(source: &Source, key: Range<usize>) -> Diagnostic {
    let hidden = source.text[key.clone()].strip_prefix(AGE).map_or(0, str::len);
    let mut text = source.text.clone();
    text.replace_range(key.end - hidden..key.end, &"*".repeat(hidden));
    let source = Arc::new(Source { name: source.name.clone(), text });
    let error = Diagnostic::error("this is a private key: it would be in every copy of the project");
    error.at(Place { source, span: key }, "").help(HELP)
}

/// What to do about a private key.
pub const HELP: &str = "name it by an option of the type `secret`, and encrypt it by `voevent-build secret` or put it on the target, \
    root's with mode 0400; if it was ever committed, make a new one";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found() {
        for (text, want) in [
            ("x\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3\n", Some("-----BEGIN OPENSSH PRIVATE KEY-----")),
            ("-----BEGIN PRIVATE KEY-----", Some("-----BEGIN PRIVATE KEY-----")),
            ("k = 'AGE-SECRET-KEY-1QQ' # x", Some("AGE-SECRET-KEY-1QQ")),
            ("-----BEGIN CERTIFICATE-----\n-----END PRIVATE KEY-----", None),
            ("-----BEGIN PUBLIC KEY-----", None),
            ("a\n-----BEGIN -----BEGIN X PRIVATE KEY-----", Some("-----BEGIN -----BEGIN X PRIVATE KEY-----")),
        ] {
            assert_eq!(find(text).map(|range| &text[range]), want, "{text}");
        }
    }
}
