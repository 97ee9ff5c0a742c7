//! A package that the target builds: a wheel of its source, made in a sandbox of systemd's by a user that nobody is.
//!
//! The build writes its wheel into a file of ours that has no name, and nothing else of it stays. When its unit has
//! ended, none of its processes is left; what is read then is taken apart as any wheel is, each file against `RECORD`.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use crate::base::io::{IoError, OnPath as _};
use crate::base::layout;
use crate::base::name::UnitName;
use crate::store::manifest::{BUILDS, Build, Venv};
use crate::switch::sandbox::{Ended, ProofError, make, nobodys, proof_unit};
use crate::switch::tool::ToolError;
use crate::switch::transient::Program;
use crate::wheel::name::WheelName;
use crate::wheel::{SOURCE_DATE_EPOCH, Wheel, WheelFault};

/// What runs in the sandbox.
const BUILD: &str = include_str!("build_wheel.py");
/// lxml takes a minute on a fast core; small machines swap.
const BUILD_TIME: Duration = Duration::from_hours(3);
/// The largest wheel. A build cannot write a larger file.
const LARGEST: u64 = 256 << 20;
/// Everything known to change a wheel's bytes is fixed (reproducible-builds.org); the time is that of all wheels.
const SETTINGS: &str = "HOME=/var/tmp TMPDIR=/var/tmp LC_ALL=C.UTF-8 TZ=UTC PYTHONHASHSEED=0";

/// Why there is no wheel.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file of ours.
    #[error(transparent)]
    Io(#[from] IoError),
    /// There is no unit for it, or it cannot be run.
    #[error("`{package}` could not be built: {source}")]
    NotRun {
        /// The package.
        package: String,
        /// Why.
        source: ProofError,
    },
    /// It took too long.
    #[error("`{package}` was not built within {within}")]
    TooSlow {
        /// The package.
        package: String,
        /// How long it could take, in words.
        within: String,
    },
    /// It failed.
    #[error("`{package}` could not be built: {source}")]
    Failed {
        /// The package.
        package: String,
        /// How it ended, and its last lines.
        source: ToolError,
    },
    /// What came is no wheel of the package.
    #[error("building `{package}` gave no wheel of it: {why}")]
    NoWheel {
        /// The package.
        package: String,
        /// What it is.
        why: String,
    },
}

/// Builds the wheel of a package, from what the venv's object in the target's store has. With a `switch` it ends when
/// that unit does.
///
/// # Errors
/// Where the build fails, with the last lines that it wrote, takes too long, or gives something else.
pub fn build_wheel(
    (venv, build): (&Venv, &Build),
    switch: Option<&UnitName>,
    scratch: &Path,
) -> Result<Wheel, BuildError> {
    let package = format!("{} {}", build.package, build.version);
    let folder = format!("{}/{}/{BUILDS}/{}", layout::STORE, venv.object, build.package);
    let (python, source) = (format!("{folder}/environment/bin/python"), format!("{folder}/{}", build.source));
    let words = [python.as_str(), "-I", "-B", "-c", BUILD, &source, &build.backend];
    let words = words.into_iter().chain(build.backend_path.iter().map(String::as_str));
    let command: Vec<String> = words.map(str::to_owned).collect();
    let not_run = |source| BuildError::NotRun { package: package.clone(), source };
    let unit = proof_unit().map_err(not_run)?;
    let description = format!("Build of {package}");
    let program = Program { unit: &unit, description: &description, command: &command };
    let largest = LARGEST.to_string();
    let settings = format!("{SETTINGS} SOURCE_DATE_EPOCH={SOURCE_DATE_EPOCH}");
    let mut properties = nobodys(switch);
    properties.extend([
        ("WorkingDirectory", "/var/tmp"),
        ("Environment", settings.as_str()),
        ("LimitFSIZE", largest.as_str()),
        ("Nice", "10"),
    ]);
    let file = tempfile::tempfile_in(scratch).on("make a file in", scratch)?;
    let out = file.try_clone().on("make a file in", scratch)?;
    match make(program, &properties, BUILD_TIME, out).map_err(|error| not_run(error.into()))? {
        // Whether it came to its end shows in the wheel.
        Ended::Well | Ended::Early => {}
        Ended::Late => {
            let within = humantime::format_duration(BUILD_TIME).to_string();
            return Err(BuildError::TooSlow { package, within });
        }
        Ended::Badly(source) => return Err(BuildError::Failed { package, source }),
    }
    let bytes = read(file).on("read a file in", scratch)?;
    wheel(build, bytes).map_err(|why| BuildError::NoWheel { package, why })
}

fn read(mut file: File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Takes what a build wrote apart: the file name, a line feed, the archive.
fn wheel(build: &Build, mut bytes: Vec<u8>) -> Result<Wheel, String> {
    let line = bytes.iter().take(256).position(|byte| *byte == b'\n');
    let rest = bytes.split_off(line.map_or(0, |line| line + 1));
    let name = line.and_then(|line| std::str::from_utf8(&bytes[..line]).ok());
    let name = name.ok_or("it does not say its name")?;
    let parsed = WheelName::parse(name).map_err(|why| format!("`{}`: {why}", name.escape_debug()))?;
    if !parsed.is_of(build.package.as_str(), &build.version) {
        return Err(format!("`{name}` is of another package or version"));
    }
    Ok(Wheel { file_name: name.to_owned(), bytes: rest })
}

/// All that is wrong with a wheel, as one error.
#[must_use]
pub fn unusable(build: &Build, faults: &[WheelFault]) -> BuildError {
    let why: Vec<String> = faults.iter().map(ToString::to_string).collect();
    BuildError::NoWheel { package: format!("{} {}", build.package, build.version), why: why.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::Label;

    #[test]
    fn a_wheel_says_its_name() {
        let build = Build {
            package: Label::new("a-b").unwrap(),
            version: "1.0".to_owned(),
            source: Label::new("a_b-1.0.tar.gz").unwrap(),
            backend: "x".to_owned(),
            backend_path: Vec::new(),
        };
        let file = "a_b-1.0-cp311-cp311-linux_x86_64.whl";
        let made = wheel(&build, format!("{file}\nPK\n\nx").into_bytes()).unwrap();
        assert_eq!((made.file_name.as_str(), made.bytes.as_slice()), (file, &b"PK\n\nx"[..]));
        for (bad, why) in [
            ("", "it does not say its name"),
            ("PK", "it does not say its name"),
            (&"x".repeat(300), "it does not say its name"),
            ("a_b-2.0-py3-none-any.whl\n", "`a_b-2.0-py3-none-any.whl` is of another package or version"),
        ] {
            assert_eq!(wheel(&build, bad.as_bytes().to_vec()).unwrap_err(), why);
        }
        assert!(wheel(&build, b"../x\n".to_vec()).unwrap_err().starts_with("`../x`: "));
    }
}
