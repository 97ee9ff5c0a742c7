//! Where the files of a wheel go (the binary distribution format, "Spread"; sysconfig's scheme `venv`).

use super::fault::Problem;
use super::name::normal;
use super::tags::Interpreter;

/// A wheel's own folders, and the environment's.
#[derive(Debug)]
pub(super) struct Places {
    data: String,
    site: String,
    headers: String,
}

/// Where a file goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To this path.
    File(String),
    /// Into `bin`, under this name.
    Script(String),
}

impl Places {
    /// For the wheel whose metadata lies in `<stem>.dist-info` and says this name.
    pub(super) fn new(python: &Interpreter, stem: &str, package: &str) -> Self {
        let version = python.version();
        Self {
            data: format!("{stem}.data/"),
            site: format!("lib/python{version}/site-packages/"),
            headers: format!("include/site/python{version}/{}/", normal(package)),
        }
    }

    /// The place of a file.
    pub(super) fn of(&self, path: &str) -> Result<Place, Problem> {
        let Some(rest) = path.strip_prefix(&self.data) else {
            return Ok(Place::File(format!("{}{path}", self.site)));
        };
        let fault = |why| Problem::Entry { path: path.to_owned(), why };
        let (scheme, rest) = rest.split_once('/').ok_or_else(|| fault("lies in no known part of `.data`"))?;
        match scheme {
            "purelib" | "platlib" => Ok(Place::File(format!("{}{rest}", self.site))),
            "headers" => Ok(Place::File(format!("{}{rest}", self.headers))),
            "data" => Ok(Place::File(rest.to_owned())),
            "scripts" if rest.contains('/') => Err(fault("is a folder of scripts")),
            "scripts" => Ok(Place::Script(rest.to_owned())),
            _ => Err(fault("lies in no known part of `.data`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wheel::tags::Arch;

    #[test]
    fn places() {
        let python = Interpreter { minor: 11, arch: Arch::X86_64, glibc: 36 };
        let places = Places::new(&python, "A_b-1", "A.b");
        let file = |path: &str| Place::File(path.to_owned());
        assert_eq!(places.of("a/x.py"), Ok(file("lib/python3.11/site-packages/a/x.py")));
        assert_eq!(places.of("A_b-1.data/platlib/x"), Ok(file("lib/python3.11/site-packages/x")));
        assert_eq!(places.of("A_b-1.data/headers/x.h"), Ok(file("include/site/python3.11/a-b/x.h")));
        assert_eq!(places.of("A_b-1.data/data/share/x"), Ok(file("share/x")));
        assert_eq!(places.of("A_b-1.data/scripts/x"), Ok(Place::Script("x".to_owned())));
        for bad in ["A_b-1.data/x", "A_b-1.data/other/x", "A_b-1.data/scripts/a/x"] {
            assert!(places.of(bad).is_err(), "{bad}");
        }
    }
}
