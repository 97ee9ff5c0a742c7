//! `voevent-build check [HOST…]`: everything that can be known at the desk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use voevent_node::build::check::hosts::hosts;
use voevent_node::build::check::{Report, check};
use voevent_node::build::compile::{BuildError, Project};
use voevent_node::build::module_folders::ModuleFolder;
use voevent_node::build::sources::{Disk, normal};

use crate::outcome::Outcome;
use crate::project::host_path;

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Host files, or names of hosts in `hosts`; without any, all of `hosts/` that no other file there imports.
    hosts: Vec<PathBuf>,
    /// A folder of modules, besides `modules` beside each host file's folder; may be repeated.
    #[arg(long, value_name = "DIR")]
    modules: Vec<PathBuf>,
}

impl Arguments {
    /// Checks the hosts.
    pub(crate) fn run(self) -> Result<Outcome, BuildError> {
        let hosts = if self.hosts.is_empty() {
            hosts(&mut Disk::default(), Path::new("hosts"))?
        } else {
            each_once(self.hosts.iter().map(|host| host_path(host)))
        };
        let project = |host: &PathBuf| {
            let mut project = Project::around(host);
            project.modules.extend(self.modules.iter().cloned().map(ModuleFolder::of_command_line));
            project
        };
        let report = check(&hosts.iter().map(project).collect::<Vec<_>>());
        let missing = report
            .tools
            .iter()
            .filter_map(|tool| Some(format!("not checked by `{}`: {}", tool.name, tool.missing.as_ref()?)));
        let safe = report.safe.iter().map(|place| {
            let (line, column) = place.line_column();
            format!("a value is taken for code at {}:{line}:{column}", place.source.name)
        });
        let summary = missing.chain(safe).chain([report.summary()]).collect();
        let data = data(&report);
        Ok(Outcome { data, diagnostics: report.diagnostics, summary, ..Outcome::default() })
    }
}

/// Files that are named twice are one host, and not two that are equal.
fn each_once(hosts: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    hosts
        .filter(|host| seen.insert(normal(&std::path::absolute(host).unwrap_or_else(|_| host.clone()))))
        .collect()
}

fn data(report: &Report) -> Map<String, Value> {
    let hosts = report.hosts.iter().map(|host| {
        json!({ "path": host.path.display().to_string(), "errors": host.errors, "warnings": host.warnings })
    });
    let tools = report
        .tools
        .iter()
        .map(|tool| json!({ "tool": tool.name, "calls": tool.calls, "not_run_because": tool.missing }));
    let safe = report.safe.iter().map(|place| {
        let (line, column) = place.line_column();
        json!({ "file": place.source.name, "line": line, "column": column })
    });
    let parts: [(&str, Value); 3] =
        [("hosts", hosts.collect()), ("tools", tools.collect()), ("safe", safe.collect())];
    parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
