//! What uv resolved: reads the PEP 751 lock that it wrote, and chooses of every package the file that a host gets.

use serde::Deserialize;

use super::file::Sha256Sum;
use super::read::{sdist_file, tarball};
use crate::base::nesting::read;
use crate::wheel::name::{WheelName, normal};
use crate::wheel::tags::Interpreter;

/// A package and the file that it is to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The package's name in normal form.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file's name.
    pub file: String,
    /// Its hash.
    pub sha256: Sha256Sum,
    /// Whether the file is a source distribution, as no wheel fits.
    pub source: bool,
}

/// What of a resolution cannot be locked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadResolution {
    /// Not the format.
    #[error("what uv wrote cannot be read: {0}")]
    Format(String),
    /// Not from an index.
    #[error("package `{0}` does not come from an index or a folder of wheels")]
    NoIndex(String),
    /// No file.
    #[error("package `{name}` {version} has no wheel for {host}, and no source distribution")]
    NoFile {
        /// The package.
        name: String,
        /// Its version.
        version: String,
        /// The host's interpreter.
        host: String,
    },
    /// No package.
    #[error("`build_on_target` names `{0}`, which is no package of this venv")]
    NotThere(String),
    /// No source.
    #[error("package `{name}` {version} is to be built on the target, and has no source distribution")]
    NoSource {
        /// The package.
        name: String,
        /// Its version.
        version: String,
    },
    /// No hash.
    #[error("`{0}` has no sha256 where it comes from")]
    NoHash(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Written {
    lock_version: String,
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
    #[serde(default)]
    wheels: Vec<Source>,
    sdist: Option<Source>,
    /// Where a requirement names a file.
    archive: Option<Source>,
}

#[derive(Deserialize)]
struct Source {
    name: Option<String>,
    url: Option<String>,
    path: Option<String>,
    #[serde(default)]
    hashes: Hashes,
}

#[derive(Deserialize, Default)]
struct Hashes {
    sha256: Option<String>,
}

impl Source {
    /// The file's name: given, or the last part of where it lies (PEP 751, `packages.wheels.name`).
    fn file(&self) -> Option<String> {
        let place = self.name.as_deref().or(self.path.as_deref()).or(self.url.as_deref())?;
        let place = place.split(['#', '?']).next()?;
        Some(place.rsplit('/').next()?.replace("%2B", "+").replace("%2b", "+").replace("%21", "!"))
    }
}

/// Reads what uv wrote and chooses files for a host: of the packages `build_on_target` always the source.
///
/// # Errors
/// Where a package cannot be had as a file with a hash.
pub fn choose(
    text: &str,
    python: &Interpreter,
    build_on_target: &[String],
) -> Result<Vec<Choice>, BadResolution> {
    let written: Written = read(text).map_err(BadResolution::Format)?;
    if written.lock_version != "1.0" {
        return Err(BadResolution::Format(format!(
            "its version is `{}`",
            written.lock_version.escape_debug()
        )));
    }
    let choice = |mut package: Package| {
        let name = normal(&package.name);
        if build_on_target.contains(&name) {
            package.wheels.clear();
            let version = package.version.clone().unwrap_or_default();
            let tarball = |source: &Source| tarball(&source.file()?).ok();
            package.sdist.as_ref().and_then(tarball).ok_or(BadResolution::NoSource { name, version })?;
        }
        package.choice(python)
    };
    let mut choices = written.packages.into_iter().map(choice).collect::<Result<Vec<_>, _>>()?;
    if let Some(other) = build_on_target.iter().find(|name| choices.iter().all(|one| one.name != **name)) {
        return Err(BadResolution::NotThere(other.clone()));
    }
    choices.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(choices)
}

impl Package {
    fn choice(self, python: &Interpreter) -> Result<Choice, BadResolution> {
        let name = normal(&self.name);
        let version = self.version.ok_or_else(|| BadResolution::NoIndex(name.clone()))?;
        let wheels = self.wheels.iter().filter_map(|source| {
            let file = source.file()?;
            let wheel = WheelName::parse(&file).ok().filter(|wheel| wheel.is_of(&name, &version))?;
            // The best rank, then the newest build, then the name, so that the order of the list does not matter.
            Some((python.rank(&wheel)?, std::cmp::Reverse(wheel.build), file, source))
        });
        let best = wheels.min_by(|one, other| (&one.0, &one.1, &one.2).cmp(&(&other.0, &other.1, &other.2)));
        let sdist = || {
            let source = self.sdist.as_ref().or(self.archive.as_ref())?;
            Some((sdist_file(&source.file()?).ok()?, source))
        };
        let (file, source, from_source) = match best {
            Some((_, _, file, source)) => (file, source, false),
            None => match sdist() {
                Some((file, source)) => (file, source, true),
                None => return Err(BadResolution::NoFile { name, version, host: python.to_string() }),
            },
        };
        let sha256 = source.hashes.sha256.as_deref().and_then(Sha256Sum::from_hex);
        let sha256 = sha256.ok_or_else(|| BadResolution::NoHash(file.clone()))?;
        Ok(Choice { name, version, file, sha256, source: from_source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wheel::tags::Arch;

    const PYTHON: Interpreter = Interpreter { minor: 11, arch: Arch::X86_64, glibc: 36 };

    fn chosen(packages: &str) -> Result<Vec<(String, bool)>, String> {
        let text =
            format!("lock-version = \"1.0\"\ncreated-by = \"uv\"\n{packages}").replace('@', &"0".repeat(64));
        let choices = choose(&text, &PYTHON, &[]).map_err(|error| error.to_string())?;
        Ok(choices.into_iter().map(|choice| (choice.file, choice.source)).collect())
    }

    #[test]
    fn the_best_wheel_or_else_the_source() {
        let text = r#"
            [[packages]]
            name = "lxml"
            version = "6"
            wheels = [
                { url = "x://h/lxml-6-cp311-cp311-manylinux2014_x86_64.whl", size = 1, hashes = { sha256 = "@" } },
                { url = "x://h/lxml-6-cp311-cp311-manylinux_2_28_x86_64.whl#x", hashes = { sha256 = "@" } },
                { url = "x://h/lxml-6-cp311-cp311-manylinux_2_39_x86_64.whl", hashes = { sha256 = "@" } },
            ]
            [[packages]]
            name = "Comet"
            version = "3.1.0"
            sdist = { url = "x://h/Comet-3.1.0.tar.gz", hashes = { sha256 = "@" } }
            [[packages]]
            name = "local"
            version = "1+a"
            wheels = [{ path = "w/local-1%2Ba-1-py3-none-any.whl", hashes = { sha256 = "@" } },
                      { path = "w/local-1%2Ba-2-py3-none-any.whl", hashes = { sha256 = "@" } }]
        "#;
        let expected = [
            ("Comet-3.1.0.tar.gz".to_owned(), true),
            ("local-1+a-2-py3-none-any.whl".to_owned(), false),
            ("lxml-6-cp311-cp311-manylinux_2_28_x86_64.whl".to_owned(), false),
        ];
        assert_eq!(chosen(text).unwrap(), expected);
    }

    #[test]
    fn what_the_target_builds_is_source() {
        let text = format!(
            "lock-version = '1.0'\n[[packages]]\nname = 'LXML'\nversion = '6'\n\
             sdist = {{ url = 'x://h/lxml-6.tar.gz', hashes = {{ sha256 = '{0}' }} }}\n\
             wheels = [{{ url = 'x://h/lxml-6-py3-none-any.whl', hashes = {{ sha256 = '{0}' }} }}]\n",
            "0".repeat(64)
        );
        let chosen = |names: &[&str], text: &str| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            choose(text, &PYTHON, &names).map_err(|error| error.to_string())
        };
        assert!(!chosen(&[], &text).unwrap()[0].source);
        let [one] = &chosen(&["lxml"], &text).unwrap()[..] else { panic!("not one") };
        assert!(one.source && one.file == "lxml-6.tar.gz");
        let error = chosen(&["a", "lxml"], &text).unwrap_err();
        assert_eq!(error, "`build_on_target` names `a`, which is no package of this venv");
        let error = chosen(&["lxml"], &text.replace("tar.gz", "zip")).unwrap_err();
        assert_eq!(error, "package `lxml` 6 is to be built on the target, and has no source distribution");
    }

    #[test]
    fn what_cannot_be_locked() {
        let none = "[[packages]]\nname='a'\nversion='1'\nwheels=[{url='a-1-cp312-cp312-win32.whl',hashes={sha256='@'}}]";
        let host = "python 3.11 on x86_64 with glibc 2.36";
        assert_eq!(
            chosen(none).unwrap_err(),
            format!("package `a` 1 has no wheel for {host}, and no source distribution")
        );
        let place = "[[packages]]\nname='a'\ndirectory={path='.'}";
        assert_eq!(
            chosen(place).unwrap_err(),
            "package `a` does not come from an index or a folder of wheels"
        );
        let hash = "[[packages]]\nname='a'\nversion='1'\nsdist={url='h/a-1.tar.gz',hashes={md5='x'}}";
        assert_eq!(chosen(hash).unwrap_err(), "`a-1.tar.gz` has no sha256 where it comes from");
        let name = "[[packages]]\nname='a'\nversion='1'\nsdist={url='h/-x.tar.gz',hashes={sha256='@'}}";
        assert!(chosen(name).is_err());
        assert!(chosen("packages = 1").unwrap_err().starts_with("what uv wrote cannot be read"));
    }
}
