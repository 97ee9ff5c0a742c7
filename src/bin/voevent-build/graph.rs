//! `voevent-build graph HOST`: a configuration as a picture.

#![expect(clippy::disallowed_methods, reason = "the edge: a picture goes to the file that the user names")]

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Map, Value, json};
use voevent_node::base::io::OnPath as _;
use voevent_node::base::report::Diagnostic;
use voevent_node::build::compile::BuildError;
use voevent_node::build::fleet::Member;
use voevent_node::build::picture::{Format, Picture, artifacts, flow, modules};

use crate::outcome::Outcome;
use crate::project::{FolderArguments, host_path};

/// The arguments of `graph`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The host file, or the name of a host in `hosts`; for `--flow` all hosts of the fleet, as `hosts/*.toml`.
    #[arg(required = true)]
    hosts: Vec<PathBuf>,
    #[command(flatten)]
    folders: FolderArguments,
    /// Show the artifacts of the host, and not its modules.
    #[arg(long)]
    artifacts: bool,
    /// Show the flow of events through the hosts, and not the modules of one.
    #[arg(long, conflicts_with = "artifacts")]
    flow: bool,
    /// The language of the picture; by default that of FILE's name, else Mermaid's.
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// Write the picture to this file, and not to stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A language of pictures, by its name.
#[derive(Debug, Clone, Copy)]
struct FormatName(Format);

impl ValueEnum for FormatName {
    fn value_variants<'a>() -> &'a [Self] {
        const { &[Self(Format::ALL[0].1), Self(Format::ALL[1].1), Self(Format::ALL[2].1)] }
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        let (name, _) = Format::ALL.into_iter().find(|(_, format)| *format == self.0)?;
        Some(name.into())
    }
}

impl Arguments {
    /// Draws the picture.
    pub(crate) fn run(self) -> Result<Outcome, BuildError> {
        let format = self.format()?;
        let (picture, diagnostics) = self.picture()?;
        let text = picture.write(format).map_err(|error| vec![error])?;
        let (nodes, edges) = (picture.nodes().len(), picture.edges().len());
        let data = data(&picture);
        let Some(path) = self.output else {
            return Ok(Outcome { text, data, diagnostics, ..Outcome::default() });
        };
        std::fs::write(&path, text).on("write", &path)?;
        let summary = vec![format!("{}: {nodes} nodes, {edges} arrows", path.display())];
        Ok(Outcome { data, diagnostics, summary, ..Outcome::default() })
    }

    fn format(&self) -> Result<Format, BuildError> {
        let of_file = |path: &Path| {
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            Format::of_extension(&extension).ok_or_else(|| {
                let message = format!("the name `{}` tells no language of pictures", path.display());
                let help = "end it in `.svg`, `.dot` or `.mmd`, or give `--format`";
                BuildError::Configuration(vec![Diagnostic::error(message).help(help)])
            })
        };
        match (self.format, &self.output) {
            (Some(format), _) => Ok(format.0),
            (None, Some(path)) => of_file(path),
            (None, None) => Ok(Format::Mermaid),
        }
    }

    fn picture(&self) -> Result<(Picture, Vec<Diagnostic>), BuildError> {
        if let ([_, second, ..], false) = (self.hosts.as_slice(), self.flow) {
            let message = format!("there is a second host, `{}`", second.display());
            let help = "name one host, or show the events of all by `--flow`";
            return Err(vec![Diagnostic::error(message).help(help)].into());
        }
        let (mut members, mut warnings) = (Vec::new(), Vec::new());
        for host in &self.hosts {
            let mut compiled = self.folders.clone().around(&host_path(host)).compile()?;
            warnings.append(&mut compiled.warnings);
            if self.flow {
                members.push(Member::of(&mut compiled));
            } else if self.artifacts {
                return Ok((artifacts::picture(&compiled.rendered), warnings));
            } else {
                return Ok((modules::picture(&compiled), warnings));
            }
        }
        Ok((flow::picture(&members), warnings))
    }
}

/// The picture for programs.
fn data(picture: &Picture) -> Map<String, Value> {
    let node = |index: usize| picture.nodes().get(index).map(|node| node.id.as_str());
    let nodes = picture.nodes().iter().map(|node| {
        json!({ "id": node.id, "kind": node.kind.look().title, "label": node.label, "note": node.note })
    });
    let edges = picture.edges().iter().map(|edge| {
        json!({ "from": node(edge.from), "to": node(edge.to), "kind": edge.kind.verb(), "labels": edge.labels })
    });
    Map::from_iter([
        ("title".to_owned(), picture.title().into()),
        ("nodes".to_owned(), nodes.collect()),
        ("edges".to_owned(), edges.collect()),
    ])
}
