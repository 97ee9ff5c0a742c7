//! The artifacts of a host: who refers to whom, what wants, changes and checks which unit, and who owns what.

use std::collections::BTreeMap;

use crate::base::layout;
use crate::base::name::UnitName;
use crate::build::artifact::{Artifact, CheckKind, Program, Rendered, UnitArtifact, What};
use crate::build::artifact_graph::Key;

use super::Picture;
use super::kinds::{Kind, Link};

/// The graph of the artifacts.
#[must_use]
pub fn picture(rendered: &Rendered) -> Picture {
    let mut picture = Picture::new(&format!("{}: artifacts", rendered.host));
    let nodes: Vec<usize> = rendered.artifacts.iter().map(|artifact| node(&mut picture, artifact)).collect();
    // Of two of one key the first is meant.
    let keys = rendered.artifacts.iter().zip(&nodes).rev();
    let known: BTreeMap<Key, usize> =
        keys.filter_map(|(artifact, node)| Some((artifact.key()?, *node))).collect();
    for (artifact, from) in rendered.artifacts.iter().zip(&nodes) {
        for (reference, _) in artifact.references() {
            if let Some(to) = known.get(&reference.key()) {
                picture.edge(*from, *to, Link::Refers, "");
            }
        }
        links(&mut picture, artifact, *from);
    }
    picture
}

/// The node of an artifact; two that are the same on the target are one.
fn node(picture: &mut Picture, artifact: &Artifact) -> usize {
    let module = &artifact.module;
    let mut add = |id: String, kind: Kind, label: &str, note: String| picture.node(&id, kind, label, &note);
    match &artifact.what {
        What::Unit(unit) if unit.drop_in.is_some() => {
            let path = unit.file_name();
            add(format!("drop-in {path}"), Kind::DropIn, &path, format!("drop-in from {module}"))
        }
        What::Unit(unit) => {
            add(unit_id(&unit.unit), Kind::Unit, unit.unit.as_str(), format!("unit from {module}"))
        }
        What::Script { name, .. } => add(
            format!("script {module}/{name}"),
            Kind::Script,
            name.as_str(),
            format!("script from {module}"),
        ),
        What::Venv(venv) => {
            let note = format!("venv from {module}: {}", venv.requirements.join(", "));
            add(format!("venv {module}/{}", venv.name), Kind::Venv, venv.name.as_str(), note)
        }
        What::File(file) => {
            let note = format!("file from {module}");
            if let Some(path) = &file.path {
                add(format!("file {path}"), Kind::File, path.as_str(), note)
            } else {
                add(format!("file {module}/{}", file.name), Kind::File, file.name.as_str(), note)
            }
        }
        What::Link(link) => {
            let note = format!("link from {module} to {}", link.to);
            add(format!("file {}", link.path), Kind::File, link.path.as_str(), note)
        }
        What::Directory { path, mode, .. } => {
            let note = format!("directory from {module}, {mode:04o}");
            add(format!("directory {path}"), Kind::Directory, path.as_str(), note)
        }
        What::User(user) => {
            add(format!("user {}", user.name), Kind::User, user.name.as_str(), format!("user from {module}"))
        }
        What::Group { name } => {
            add(format!("group {name}"), Kind::Group, name.as_str(), format!("group from {module}"))
        }
        What::Package { name } => {
            add(format!("package {name}"), Kind::Package, name.as_str(), format!("package for {module}"))
        }
        What::Check(check) => {
            let what = looks_at(&check.kind);
            let id = format!("check {module}/{}", check.name);
            add(id, Kind::Check, check.name.as_str(), format!("check from {module}: {what}"))
        }
    }
}

/// What a check looks at, in a few words.
fn looks_at(kind: &CheckKind) -> String {
    match kind {
        CheckKind::UnitActive(_) => "unit is active".to_owned(),
        CheckKind::Vtp(port) => format!("vtp at port {port}"),
        CheckKind::VtpNak(port) => format!("vtp-nak at port {port}"),
        CheckKind::Tcp(port) => format!("tcp at port {port}"),
        CheckKind::Http(question) => format!("http {} at port {}", question.path, question.port),
        CheckKind::FileNewer(path) => format!("newer {path}"),
        CheckKind::Command { program: Program::Command(words), .. } => {
            format!("command {}", words.first().map_or("", String::as_str))
        }
        CheckKind::Command { program: Program::Script(_), .. } => "script".to_owned(),
    }
}

fn links(picture: &mut Picture, artifact: &Artifact, node: usize) {
    match &artifact.what {
        What::Unit(UnitArtifact { unit, drop_in, wanted_by, .. }) => {
            if drop_in.is_some() {
                let to = unit_node(picture, unit);
                picture.edge(node, to, Link::Changes, "");
            }
            for wants in wanted_by {
                let from = unit_node(picture, wants);
                picture.edge(from, node, Link::Wants, "");
            }
        }
        What::Check(check) => {
            if let CheckKind::Command { program: Program::Script(script), .. } = &check.kind
                && let Some(to) = picture.find(&format!("script {}/{script}", artifact.module))
            {
                picture.edge(node, to, Link::Refers, "");
            }
            if let Some(unit) = &check.unit {
                let to = unit_node(picture, unit);
                picture.edge(node, to, Link::Checks, "");
            }
        }
        What::Directory { owner, group, .. } => {
            let account = picture.find(&format!("user {owner}"));
            // Most folders have the group that their owner has.
            let group = match account {
                Some(_) => None,
                None => picture.find(&format!("group {group}")),
            };
            for to in account.into_iter().chain(group) {
                picture.edge(node, to, Link::Belongs, "");
            }
        }
        What::User(user) => {
            if let Some(to) = picture.find(&format!("group {}", user.group)) {
                picture.edge(node, to, Link::Member, "");
            }
        }
        _ => {}
    }
}

fn unit_id(unit: &UnitName) -> String {
    format!("unit {unit}")
}

/// The node of a unit: one of the host's modules, our target, or one of the distribution.
fn unit_node(picture: &mut Picture, unit: &UnitName) -> usize {
    let (kind, note) = match unit.as_str() {
        layout::TARGET_UNIT => (Kind::Unit, "target of all our units"),
        _ => (Kind::Outside, "unit of the system"),
    };
    picture.node(&unit_id(unit), kind, unit.as_str(), note)
}
