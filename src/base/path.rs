//! Absolute paths on a target, and paths as people write them.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Deserializer};

/// An absolute, normal path on a target: no `.`, no `..`, no empty component, no control character.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetPath(String);

/// Why a text is no [`TargetPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no path: {rule}", text.escape_debug())]
pub struct BadPath {
    text: String,
    rule: &'static str,
}

impl TargetPath {
    /// Checks a text.
    ///
    /// # Errors
    /// Where it is not absolute and normal.
    pub fn new(text: impl Into<String>) -> Result<Self, BadPath> {
        let text = text.into();
        match Self::fault(&text) {
            None => Ok(Self(text)),
            Some(rule) => Err(BadPath { text, rule }),
        }
    }

    fn fault(text: &str) -> Option<&'static str> {
        let Some(rest) = text.strip_prefix('/') else {
            return Some("it must be absolute");
        };
        if text.len() > 4095 || rest.split('/').any(|part| part.len() > 255) {
            return Some("it is too long");
        }
        if text.chars().any(char::is_control) {
            return Some("it has a control character");
        }
        if rest.split('/').any(|part| part == "." || part == "..") {
            return Some("it has a `.` or `..` component");
        }
        if rest.split('/').any(str::is_empty) {
            return Some("it has an empty component or ends in `/`");
        }
        None
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components, first to last.
    #[must_use]
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.trim_start_matches('/').split('/')
    }

    /// Whether this is `folder` or lies below it.
    #[must_use]
    pub fn is_below(&self, folder: &str) -> bool {
        self.0
            .strip_prefix(folder.trim_end_matches('/'))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The folder it lies in; `/` for a path of one component.
    #[must_use]
    pub fn parent(&self) -> &str {
        match self.0.rsplit_once('/') {
            Some(("", _)) | None => "/",
            Some((parent, _)) => parent,
        }
    }

    /// The folders that it lies in, the nearest first, without `/`.
    pub fn above(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(self.0.rsplit_once('/'), |(above, _)| above.rsplit_once('/'))
            .map(|(above, _)| above)
            .filter(|above| !above.is_empty())
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(_, name)| name)
    }
}

impl fmt::Debug for TargetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Display for TargetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for TargetPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// An absolute path as it is written in the folder `here`, whose own path is absolute and has no links.
#[must_use]
pub fn relative(path: &Path, here: &Path) -> PathBuf {
    let shared = here.components().zip(path.components()).take_while(|(one, other)| one == other).count();
    let up = here.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_from_a_folder() {
        for (path, here, want) in [
            ("/a/generated/x", "/a", "generated/x"),
            ("/a/generated/x", "/a/hosts", "../generated/x"),
            ("/a/x", "/b/c", "../../a/x"),
            ("/a/hosts/../x", "/a/hosts", "../x"),
        ] {
            assert_eq!(relative(Path::new(path), Path::new(here)), Path::new(want));
        }
    }

    #[test]
    fn only_absolute_normal_paths() {
        for bad in ["", "/", "a", "a/b", "/a/../b", "/a/./b", "/a//b", "/a/", "/a\n", "/\u{0}"] {
            assert!(TargetPath::new(bad).is_err(), "{bad:?}");
        }
        let path = TargetPath::new("/etc/voevent/x y").unwrap();
        assert_eq!((path.parent(), path.file_name()), ("/etc/voevent", "x y"));
        assert_eq!(path.components().collect::<Vec<_>>(), ["etc", "voevent", "x y"]);
    }

    #[test]
    fn what_a_path_lies_in() {
        let path = TargetPath::new("/a/b/c").unwrap();
        assert_eq!(path.above().collect::<Vec<_>>(), ["/a/b", "/a"]);
        assert_eq!(TargetPath::new("/a").unwrap().above().count(), 0);
    }

    #[test]
    fn below_means_whole_components() {
        let path = TargetPath::new("/home/ann/x").unwrap();
        assert!(path.is_below("/home") && path.is_below("/home/ann/x") && path.is_below("/"));
        assert!(!path.is_below("/home/an"));
    }
}
