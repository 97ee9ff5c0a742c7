//! Packages of the distribution, installed by apt-get(8): additive, as users are. Nothing is removed or configured anew.

use std::path::Path;
use std::time::Duration;

use crate::switch::failure::Failure;
use crate::switch::tool::{Output, Tool, ToolError};

/// A link of 64 kbit/s brings 14 MB in this time. A dpkg(1) that is killed must be helped by a person.
const INSTALL_TIME: Duration = Duration::from_mins(30);
/// Lists of packages are 10 to 20 MB.
const UPDATE_TIME: Duration = Duration::from_mins(15);

/// What holds for every call: no questions, no suggestions, files of the administrator stay, a mirror that does not
/// answer is given up, and another apt-get that runs just now is waited for.
const OPTIONS: [&str; 8] = [
    "-q",
    "-oDpkg::Options::=--force-confdef",
    "-oDpkg::Options::=--force-confold",
    "-oDpkg::Use-Pty=0",
    "-oDPkg::Lock::Timeout=120",
    "-oAcquire::Retries=2",
    "-oAcquire::http::Timeout=30",
    "-oAPT::Update::Error-Mode=any",
];

/// Installs packages on a root, by the lists of packages that it has; where those do not do, they are fetched anew.
///
/// # Errors
/// The last lines of apt-get. Other packages are never removed: where that were needed it is an error.
pub fn install(root: &Path, packages: &[String]) -> Result<(), Failure> {
    let words = ["install", "-y", "--no-install-recommends", "--no-remove", "--"];
    let install = || {
        let words = words.into_iter().chain(packages.iter().map(String::as_str));
        apt_get(root, words, INSTALL_TIME)
    };
    let Err(first) = install().and_then(Output::good) else { return Ok(()) };
    if matches!(first, ToolError::TooSlow { .. }) {
        return Err(failure(packages, &first));
    }
    if let Err(second) = apt_get(root, ["update"], UPDATE_TIME).and_then(Output::good) {
        return Err(failure(packages, &first).details(second.to_string().lines()));
    }
    install().and_then(Output::good).map(drop).map_err(|error| failure(packages, &error))
}

fn apt_get<'a>(
    root: &Path,
    words: impl IntoIterator<Item = &'a str>,
    within: Duration,
) -> Result<Output, ToolError> {
    Tool::new("apt-get", within)
        .args(OPTIONS)
        .args(words)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // needrestart(1) would restart services.
        .env("NEEDRESTART_SUSPEND", "1")
        .in_root(root)
        .run()
}

fn failure(packages: &[String], error: &ToolError) -> Failure {
    Failure::refused("packages could not be installed")
        .details(error.to_string().lines())
        .help(format!("see what `apt-get install --no-install-recommends {}` says", packages.join(" ")))
}
