//! Everything that can be known of hosts at the desk, writing nothing.
//!
//! Each host goes through the compiler as in a build, but for its venvs, whose wheels are neither fetched nor laid out;
//! what was rendered goes through outside tools where they are installed, each text once; then the hosts are compared
//! with each other ([`super::fleet`]). Hosts are compiled on all cores, and of each nothing is kept but what was found.

mod host;
pub mod hosts;
mod outside;
mod shape;
pub mod tools;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::base::report::{Diagnostic, Place, Severity};
use crate::build::check::host::Checked;
use crate::build::check::tools::{Tool, Toolbox};
use crate::build::compile::Project;
use crate::build::fleet::{self, named};
use crate::build::library::Library;
use crate::wheel::on_all_cores;

/// What came of a check.
#[derive(Debug, Default)]
pub struct Report {
    /// The hosts, as they were named, each with how many errors and warnings are about it alone or it too.
    pub hosts: Vec<Count>,
    /// All errors and warnings: by host, then those between hosts; what many hosts share is there once.
    pub diagnostics: Vec<Diagnostic>,
    /// The outside tools that had anything to do.
    pub tools: Vec<Tool>,
    /// Where templates take a value for code, by `| safe`: nobody but people can judge it.
    pub safe: Vec<Place>,
}

/// How many errors and warnings a host has.
#[derive(Debug)]
pub struct Count {
    /// Its file.
    pub path: PathBuf,
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
}

impl Report {
    /// In a line: `200 hosts, 0 errors, 3 warnings`.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |severity| self.diagnostics.iter().filter(|found| found.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        [many(self.hosts.len(), "host"), many(errors, "error"), many(warnings, "warning")].join(", ")
    }
}

/// Checks hosts, each by itself and all together.
#[must_use]
pub fn check(projects: &[Project]) -> Report {
    let (library, toolbox) = (Library::default(), Toolbox::default());
    let jobs = projects.iter().map(|project| (0, project)).collect();
    let all = on_all_cores(jobs, |project| host::check(project, (&library, &toolbox)));
    let mut hosts = Vec::new();
    let mut members = Vec::new();
    let mut found = Vec::new();
    let mut safe = BTreeMap::new();
    for (project, Checked { diagnostics, member, safe: own }) in projects.iter().zip(all) {
        let count = |severity| diagnostics.iter().filter(|found| found.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        hosts.push(Count { path: project.host.clone(), errors, warnings });
        found.push((project, diagnostics));
        members.extend(member);
        for place in own {
            safe.insert((place.source.name.clone(), place.span.start), place);
        }
    }
    let mut diagnostics = shared(found);
    diagnostics.extend(fleet::judge(&members));
    Report { hosts, diagnostics, tools: toolbox.used(), safe: safe.into_values().collect() }
}

/// What was found of hosts, in their order: what one fault of a module or of a fragment brings to many is there once,
/// with the hosts that have it.
fn shared(found: Vec<(&Project, Vec<Diagnostic>)>) -> Vec<Diagnostic> {
    let alone = found.len() == 1;
    let mut kept: Vec<(Diagnostic, Vec<String>)> = Vec::new();
    let mut known: BTreeMap<(String, usize, String), usize> = BTreeMap::new();
    for (project, diagnostics) in found {
        let own = project.host.to_string_lossy();
        for diagnostic in diagnostics {
            let (source, start) = match diagnostic.places.first() {
                Some((place, _)) => (place.source.name.clone(), place.span.start),
                None => (own.clone().into_owned(), 0),
            };
            let index = *known.entry((source, start, diagnostic.message.clone())).or_insert_with(|| {
                kept.push((diagnostic, Vec::new()));
                kept.len() - 1
            });
            kept[index].1.push(project.stem());
        }
    }
    let told = |(diagnostic, names): (Diagnostic, Vec<String>)| {
        let says = |name: &String| {
            let file = format!("{name}.toml");
            diagnostic.places.iter().any(|(place, _)| place.source.name.rsplit('/').next() == Some(&file))
        };
        if alone || (names.len() == 1 && names.iter().all(says)) {
            return diagnostic;
        }
        let many = if names.len() == 1 { "on host" } else { "on hosts" };
        diagnostic.help(format!("{many} {}", named(&names)))
    };
    kept.into_iter().map(told).collect()
}
