//! How a source distribution says that it is built: the table `[build-system]` of its `pyproject.toml` (PEP 518, PEP 517).

use serde::Deserialize;

use super::inputs::requirement_fault;
use crate::base::nesting::read;

/// The table, with what holds where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BuildSystem {
    /// Requirements of the build.
    pub requires: Vec<String>,
    /// What builds it: `module` or `module:object`.
    #[serde(default = "legacy")]
    pub build_backend: String,
    /// Folders of the source in which that is looked for first.
    #[serde(default)]
    pub backend_path: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Pyproject {
    build_system: Option<BuildSystem>,
}

/// PEP 517, "Source trees": as if `setup.py` were run.
fn legacy() -> String {
    "setuptools.build_meta:__legacy__".to_owned()
}

impl BuildSystem {
    /// Reads the text of a `pyproject.toml`; empty where there is none.
    ///
    /// # Errors
    /// Why it cannot be used, in words that follow those for the source distribution.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Pyproject =
            read(text).map_err(|error| format!("has a `pyproject.toml` that is none: {error}"))?;
        let default = || Self {
            requires: vec!["setuptools".to_owned()],
            build_backend: legacy(),
            backend_path: Vec::new(),
        };
        let system = read.build_system.unwrap_or_else(default);
        let name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:".contains(&byte);
        if system.build_backend.is_empty() || !system.build_backend.bytes().all(name) {
            return Err(format!(
                "has the backend `{}`, which is no name",
                system.build_backend.escape_debug()
            ));
        }
        let above = |path: &String| path.starts_with('/') || path.split('/').any(|part| part == "..");
        if let Some(path) = system.backend_path.iter().find(|path| above(path)) {
            return Err(format!("has the backend path `{}`, which is not in it", path.escape_debug()));
        }
        for text in &system.requires {
            if let Some(why) = requirement_fault(text.trim()) {
                return Err(format!("is built with `{}`, which {why}", text.escape_debug()));
            }
        }
        Ok(system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_and_what_holds_else() {
        let parse = |text: &str| BuildSystem::parse(text).unwrap();
        let nothing = parse("");
        assert_eq!((nothing.requires.join(" ").as_str(), nothing.build_backend), ("setuptools", legacy()));
        assert_eq!(parse("[tool.x]\na = 1\n"), parse(""));
        let lxml = parse("[build-system]\nrequires = [\"Cython>=3.2.9,<3.3\", \"setuptools\"]\n");
        assert_eq!((lxml.requires.len(), lxml.build_backend), (2, legacy()));
        let own =
            parse("[build-system]\nrequires = []\nbuild-backend = 'b.c:d'\nbackend-path = ['.', 'x/y']\n");
        assert_eq!((own.build_backend.as_str(), own.backend_path.len()), ("b.c:d", 2));
    }

    #[test]
    fn what_is_refused() {
        let refused = |rest: &str| BuildSystem::parse(&format!("[build-system]\n{rest}\n")).unwrap_err();
        assert!(refused("requires = 1").starts_with("has a `pyproject.toml` that is none: "));
        let above = refused("requires = []\nbackend-path = ['../x']");
        assert_eq!(above, "has the backend path `../x`, which is not in it");
        let name = refused("requires = []\nbuild-backend = 'a b'");
        assert_eq!(name, "has the backend `a b`, which is no name");
        let place = refused("requires = ['a @ https://x/a.whl']");
        assert!(
            place.starts_with("is built with `a @ https://x/a.whl`, which must name a version"),
            "{place}"
        );
    }
}
