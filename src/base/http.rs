//! What is asked of an HTTP service of this machine, and which answer is good.

use std::fmt;

use serde::Deserialize;

/// The most bytes of a path, and of the text that must be in an answer.
const LONGEST: usize = 2000;
/// What a service answers that is well.
pub const OK: u16 = 200;

/// The path of a URL as it is sent, with its query where it has one: `/health?all`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct UrlPath(String);

/// Why a text is no [`UrlPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no path of a URL: {rule}", text.escape_debug())]
pub struct BadUrlPath {
    text: String,
    rule: &'static str,
}

impl UrlPath {
    /// Checks a text.
    ///
    /// # Errors
    /// Where a request could not have it as it is (RFC 3986, section 3.3 and 3.4).
    pub fn new(text: impl Into<String>) -> Result<Self, BadUrlPath> {
        let text = text.into();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
        let rule = match text.bytes().find(|byte| !plain(*byte)) {
            _ if !text.starts_with('/') => "it begins with `/`",
            _ if text.len() > LONGEST => "it is too long",
            Some(b'#') => "what follows `#` is never sent",
            Some(_) => "write other characters as `%20`",
            None => return Ok(Self(text)),
        };
        Err(BadUrlPath { text, rule })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UrlPath {
    type Error = BadUrlPath;
    fn try_from(text: String) -> Result<Self, BadUrlPath> {
        Self::new(text)
    }
}

impl fmt::Display for UrlPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for UrlPath {
    type Err = BadUrlPath;
    fn from_str(text: &str) -> Result<Self, BadUrlPath> {
        Self::new(text)
    }
}

/// A question to an HTTP service at a port of 127.0.0.1: a GET, and the answer that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAsk {
    /// The port.
    pub port: u16,
    /// The path.
    pub path: UrlPath,
    /// The status of the answer. A redirect is an answer like another, and not followed.
    pub status: u16,
    /// What must be in its body.
    pub contains: Option<String>,
}

impl fmt::Display for HttpAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://127.0.0.1:{}{}", self.port, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_urls() {
        for good in ["/", "/health", "/a/../b//", "/x?y=%20&z=[1]".replace(['[', ']'], "").as_str()] {
            assert_eq!(UrlPath::new(good).map(|path| path.to_string()), Ok(good.to_owned()));
        }
        for (bad, rule) in [
            ("", "it begins with `/`"),
            ("health", "it begins with `/`"),
            ("http://x/", "it begins with `/`"),
            ("/a b", "write other characters as `%20`"),
            ("/a\r\nHost: x", "write other characters as `%20`"),
            ("/é", "write other characters as `%20`"),
            ("/a#b", "what follows `#` is never sent"),
        ] {
            assert!(UrlPath::new(bad).unwrap_err().to_string().ends_with(rule), "{bad:?}");
        }
        assert!(UrlPath::new("/".repeat(LONGEST + 1)).is_err());
    }
}
