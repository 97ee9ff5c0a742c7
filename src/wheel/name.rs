//! File names of wheels (the binary distribution format, "File name convention"; PEP 440, PEP 503).

/// The parts of a wheel's file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelName {
    /// The package's name as written there.
    pub name: String,
    /// Its version as written there.
    pub version: String,
    /// The build number, 0 where there is none, and what follows it.
    pub build: (u64, String),
    /// Python tags.
    pub python: Vec<String>,
    /// ABI tags.
    pub abi: Vec<String>,
    /// Platform tags.
    pub platform: Vec<String>,
}

impl WheelName {
    /// Reads a file name.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(file_name: &str) -> Result<Self, &'static str> {
        let stem = file_name.strip_suffix(".whl").ok_or("it must end in `.whl`")?;
        if file_name.len() > 255 {
            return Err("it is too long");
        }
        if !stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+!".contains(&b)) {
            return Err("only letters, digits and `. _ - + !` may be in it");
        }
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, build, tags) = match parts[..] {
            [name, version, python, abi, platform] => (name, version, "", [python, abi, platform]),
            [name, version, build, python, abi, platform] => (name, version, build, [python, abi, platform]),
            _ => return Err("it must have five or six parts between `-`"),
        };
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric())
            || !version.contains(|c: char| c.is_ascii_digit())
        {
            return Err("it must begin with the package's name and version");
        }
        let digits = build.len() - build.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = if build.is_empty() {
            0
        } else {
            build[..digits].parse().map_err(|_| "its build tag must begin with a number")?
        };
        let [python, abi, platform] = tags.map(|set| set.split('.').map(str::to_owned).collect::<Vec<_>>());
        if [&python, &abi, &platform].into_iter().flatten().any(String::is_empty) {
            return Err("one of its tags is empty");
        }
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            build: (number, build[digits..].to_owned()),
            python,
            abi,
            platform,
        })
    }

    /// The tags, as the file name has them.
    #[must_use]
    pub fn tags(&self) -> String {
        [&self.python, &self.abi, &self.platform].map(|set| set.join(".")).join("-")
    }

    /// Whether this is a wheel of that package and version.
    #[must_use]
    pub fn is_of(&self, name: &str, version: &str) -> bool {
        normal(&self.name) == normal(name) && same_version(&self.version, version)
    }

    /// Whether it runs everywhere: no ABI and no platform.
    #[must_use]
    pub fn is_pure(&self) -> bool {
        self.abi.iter().any(|tag| tag == "none") && self.platform.iter().any(|tag| tag == "any")
    }
}

/// Whether a text is the name of a package (PEP 508, "Names").
#[must_use]
pub fn is_package(name: &str) -> bool {
    let alphanumeric = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    alphanumeric(name.bytes().next())
        && alphanumeric(name.bytes().next_back())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The normal form of a package's name (PEP 503): lower case, runs of `- _ .` as one `-`.
#[must_use]
pub fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.push(c.to_ascii_lowercase());
        }
    }
    normal
}

/// Whether two texts are the same version (PEP 440): zeros at the end, case and separators do not matter.
#[must_use]
pub fn same_version(one: &str, other: &str) -> bool {
    let key = |text: &str| {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_prefix('v').unwrap_or(&text).to_owned();
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (release, rest) = text.split_at(end);
        let mut numbers: Vec<String> = release
            .trim_end_matches('.')
            .split('.')
            .map(|part| part.trim_start_matches('0').to_owned())
            .collect();
        while numbers.last().is_some_and(String::is_empty) {
            numbers.pop();
        }
        let rest: String = rest.chars().filter(|c| !matches!(c, '.' | '-' | '_')).collect();
        (numbers, rest)
    };
    key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_wheels() {
        let name = WheelName::parse("lxml-6.1.3-cp311-cp311-manylinux_2_26_x86_64.manylinux_2_28_x86_64.whl")
            .unwrap();
        assert_eq!((name.name.as_str(), name.version.as_str()), ("lxml", "6.1.3"));
        assert_eq!(name.platform, ["manylinux_2_26_x86_64", "manylinux_2_28_x86_64"]);
        assert_eq!(name.tags(), "cp311-cp311-manylinux_2_26_x86_64.manylinux_2_28_x86_64");
        assert!(!name.is_pure());
        let name = WheelName::parse("a_b-1.0-2b-py2.py3-none-any.whl").unwrap();
        assert_eq!(name.build, (2, "b".to_owned()));
        assert!(name.is_pure() && name.is_of("A.b", "1") && !name.is_of("a-b", "1.1"));
    }

    #[test]
    fn no_names_of_wheels() {
        for bad in [
            "",
            ".whl",
            "a-1-py3-none.whl",
            "a-1-py3-none-any.zip",
            "a-1-x-py3-none-any.whl",
            "../a-1-py3-none-any.whl",
            "a-1-py3--any.whl",
            "a-1-py3..py2-none-any.whl",
            "a-x-py3-none-any.whl",
            "a-1-99999999999999999999999-py3-none-any.whl",
            "é-1-py3-none-any.whl",
        ] {
            assert!(WheelName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_by_meaning() {
        assert!(
            same_version("1.0", "1")
                && same_version("1.0-post1", "1.0.post1")
                && same_version("V1.01", "1.1")
        );
        assert!(
            !same_version("1.10", "1.1") && !same_version("1.0rc1", "1.0") && !same_version("1", "1+deb")
        );
        assert!(same_version("1+a_b", "1+a.b"));
    }
}
