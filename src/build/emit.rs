//! The artifacts of all modules: their tables evaluated and checked, key by key, and their texts rendered.

mod check;

pub use check::KINDS;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::layout;
use crate::base::name::{BadName, Label, Name, Rule, UnitName};
use crate::base::path::TargetPath;
use crate::base::report::{Diagnostic, Place};
use crate::base::value::Value;
use crate::store::bundle::may_be_led_to;
use crate::wheel::name::{is_package, normal};

use super::artifact::{
    Artifact, FileArtifact, Grammar, LinkArtifact, RenderedWhat, Text, UnitArtifact, UserArtifact,
    VenvArtifact, What, lock_label,
};
use super::config::artifact::{ArtifactDecl, Holds, Kind};
use super::config::tree::{Data, Node};
use super::names::Names;
use super::options::Settings;
use super::options::evaluate::{EachEntry, Machine, Nothing, Site};
use super::paths::{no_directory, no_file, no_link};
use super::render::{Renderer, memory, too_much};
use super::types::{Misfit, Scalar, check};

/// The most artifacts of a host.
const MAX_ARTIFACTS: usize = 100_000;

/// All artifacts, by module order, then as written, then by entry.
pub fn artifacts(
    machine: &Machine<'_>,
    renderer: &Renderer<'_>,
    settings: &Settings,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Artifact> {
    let (mut artifacts, mut taken): (Vec<Artifact>, usize) = (Vec::new(), 0);
    for module in machine.world.order.iter().filter_map(|name| machine.world.modules.get(name)) {
        for decl in &module.file.artifacts {
            let entries = match machine.entries(module, &decl.guard, settings) {
                Ok(entries) => entries,
                Err(nothing) => {
                    faults.push(nothing.reported(&decl.place).of(&module.name));
                    continue;
                }
            };
            if artifacts.len() + entries.len() > MAX_ARTIFACTS {
                let error = Diagnostic::error(format!("more than {MAX_ARTIFACTS} artifacts"));
                faults.push(error.at(decl.place.clone(), "").help("go through fewer entries"));
                return artifacts;
            }
            for each in &entries {
                let site = Site { module, each: each.as_ref() };
                match artifact((machine, renderer), decl, site, settings) {
                    Ok(what) => {
                        let artifact = Artifact {
                            module: module.name.clone(),
                            place: decl.place.clone(),
                            each: each.as_ref().and_then(|each| each.key.text()),
                            what,
                        };
                        taken += artifact.text().map_or(0, memory);
                        artifacts.push(artifact);
                    }
                    Err(nothing) => {
                        let fault = nothing.reported(&decl.place).of(&module.name);
                        faults.push(written(machine, (decl, site), settings, fault));
                    }
                }
                if let Some(error) = too_much(taken, &decl.place) {
                    faults.push(error);
                    return artifacts;
                }
            }
        }
    }
    artifacts
}

/// Adds where the host sets what the culprit reads.
fn written(
    machine: &Machine<'_>,
    (decl, site): (&ArtifactDecl, Site<'_>),
    settings: &Settings,
    mut fault: Diagnostic,
) -> Diagnostic {
    let Some((culprit, _)) = fault.places.first() else { return fault };
    let node = decl.keys.values().find(|node| node.place == *culprit);
    let mut names = Names { world: machine.world, module: site.module, faults: &mut Vec::new() };
    let mut meanings = names.guard(&decl.guard);
    meanings.extend(node.iter().flat_map(|node| names.node(node, machine.world.entries(&decl.guard))));
    for (place, option) in settings.written(&meanings) {
        fault = fault.at(place, format!("`{option}` is set here"));
    }
    fault
}

fn artifact(
    (machine, renderer): (&Machine<'_>, &Renderer<'_>),
    decl: &ArtifactDecl,
    site: Site<'_>,
    settings: &Settings,
) -> Result<What, Nothing> {
    let mut values = BTreeMap::new();
    for (key, holds, _) in decl.kind.keys() {
        if let Some(node) = decl.keys.get(key) {
            let node = machine.node(node, site, settings)?;
            // What an expression gives none for is left out.
            if node.data != Data::None {
                values.insert(*key, (value(*holds, &node)?, node.place));
            }
        }
    }
    let fields = Fields { decl, each: site.each, values };
    let text = match &decl.body {
        Some(body) => Some(renderer.text(body, site)?.ok_or(Nothing::Known)?),
        None => None,
    };
    Ok(fields.what(text)?)
}

/// The value of a key, of the type that it holds.
pub(super) fn value(holds: Holds, node: &Node) -> Result<Value, Diagnostic> {
    let at = |node: &Node, misfit: Misfit| {
        Diagnostic::error(misfit.message).at(node.place.clone(), "").help(misfit.help)
    };
    let text = || Scalar::Text { min: 1, max: 4096, pattern: None };
    let scalar = match holds {
        Holds::Text => text(),
        Holds::Bool => Scalar::Bool,
        Holds::Path => Scalar::Path,
        Holds::Mode => Scalar::Mode,
        Holds::User => Scalar::UserName,
        Holds::Port => Scalar::Port(1, 65_535),
        Holds::Status => Scalar::Int(100, 599),
        Holds::Duration => Scalar::Duration,
        Holds::HostPort => Scalar::HostPort,
        Holds::Ivoid => Scalar::Ivoid,
        Holds::File => Scalar::File { exec: false },
        Holds::Texts | Holds::Networks => {
            let Data::List(nodes) = &node.data else {
                let message = format!("expected a list of strings, found {}", node.data.kind());
                return Err(Diagnostic::error(message).at(node.place.clone(), "").help("write it in `[ ]`"));
            };
            let item = if holds == Holds::Texts { text() } else { Scalar::Cidr };
            let items = nodes.iter().map(|node| check(&item, &node.data).map_err(|misfit| at(node, misfit)));
            return Ok(Value::List(items.collect::<Result<_, _>>()?));
        }
    };
    check(&scalar, &node.data).map_err(|misfit| at(node, misfit))
}

/// The evaluated keys of an artifact.
struct Fields<'a> {
    decl: &'a ArtifactDecl,
    each: Option<&'a EachEntry>,
    values: BTreeMap<&'static str, (Value, Place)>,
}

impl Fields<'_> {
    fn place(&self, key: &str) -> Place {
        self.values.get(key).map_or_else(|| self.decl.place.clone(), |(_, place)| place.clone())
    }

    fn fault(&self, key: &str, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        let entry = match self.each.map(|each| &each.key) {
            Some(Value::Str(key)) => format!("in the entry `{key}`"),
            Some(Value::Int(index)) => format!("in entry {}", index + 1),
            _ => String::new(),
        };
        Diagnostic::error(message).at(self.place(key), entry).help(help)
    }

    fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some((Value::Str(text), _)) => Some(text),
            _ => None,
        }
    }

    fn needed(&self, key: &str) -> Result<&str, Diagnostic> {
        self.text(key).ok_or_else(|| self.fault(key, format!("`{key}` is needed"), "give it a value"))
    }

    fn flag(&self, key: &str) -> bool {
        matches!(self.values.get(key), Some((Value::Bool(true), _)))
    }

    fn texts(&self, key: &str) -> Vec<String> {
        match self.values.get(key) {
            Some((Value::List(items), _)) => items.iter().filter_map(Value::text).collect(),
            _ => Vec::new(),
        }
    }

    fn name<R: Rule>(&self, key: &str) -> Result<Name<R>, Diagnostic> {
        self.named(key, self.needed(key)?)
    }

    fn named<R: Rule>(&self, key: &str, text: &str) -> Result<Name<R>, Diagnostic> {
        Name::new(text).map_err(|error: BadName| self.fault(key, error.to_string(), "choose another name"))
    }

    fn path(&self, key: &str) -> Result<TargetPath, Diagnostic> {
        let fault =
            |error: crate::base::path::BadPath| self.fault(key, error.to_string(), "write another path");
        TargetPath::new(self.needed(key)?).map_err(fault)
    }

    fn mode(&self) -> Option<u32> {
        self.text("mode").and_then(|mode| u32::from_str_radix(mode, 8).ok())
    }

    fn what(&self, text: Option<Text>) -> Result<What, Diagnostic> {
        let text = text.unwrap_or(Text::Template { grammar: Grammar::Lines, pieces: Vec::new() });
        Ok(match self.decl.kind {
            Kind::File => What::File(self.file(text)?),
            Kind::Link => What::Link(self.link()?),
            Kind::Script => What::Script { name: self.name("name")?, text },
            Kind::Unit => What::Unit(self.unit(text)?),
            Kind::Venv => What::Venv(self.venv()?),
            Kind::User => What::User(UserArtifact {
                name: self.name("name")?,
                group: self.name("group")?,
                home: self.account_path("home")?,
                shell: self.account_path("shell")?,
                adopt: self.flag("adopt"),
            }),
            Kind::Group => What::Group { name: self.name("name")? },
            Kind::Directory => {
                let path = self.path("path")?;
                if let Some((reason, help)) = no_directory(&path) {
                    let message = format!("no folder can be made at `{path}`: {reason}");
                    return Err(self.fault("path", message, help));
                }
                let mode = self.mode().unwrap_or(0o755);
                let (owner, group) = (self.name("owner")?, self.name("group")?);
                What::Directory { path, mode, owner, group, sole: self.flag("sole") }
            }
            Kind::Package => What::Package { name: self.name("name")? },
            Kind::Check => What::Check(self.check()?),
        })
    }

    /// A path in `/etc/passwd`, whose fields end at a colon.
    fn account_path(&self, key: &str) -> Result<TargetPath, Diagnostic> {
        let path = self.path(key)?;
        if path.as_str().contains(':') {
            let message = format!("`{path}` is no `{key}` that a user can have: passwd(5) divides at `:`");
            return Err(self.fault(key, message, "write another path"));
        }
        Ok(path)
    }

    fn venv(&self) -> Result<VenvArtifact, Diagnostic> {
        let name: Label = self.name("name")?;
        if lock_label(&name).is_err() {
            return Err(self.fault(
                "name",
                format!("`{name}` is too long for a venv"),
                "choose another name",
            ));
        }
        let imports = self.texts("imports");
        if let Some(other) = imports.iter().find(|import| !is_module(import)) {
            let message = format!("`{}` is no module of Python", other.escape_debug());
            return Err(self.fault("imports", message, "write it as `import` takes it, as `lxml.etree`"));
        }
        let source = match self.values.get("source") {
            Some((Value::File(file), _)) => Some(Arc::clone(file)),
            _ => None,
        };
        let mut build_on_target = self.texts("build_on_target");
        if let Some(other) = build_on_target.iter().find(|name| !is_package(name)) {
            let message = format!("`{}` is no name of a Python package", other.escape_debug());
            return Err(self.fault("build_on_target", message, "write the name alone, as `lxml`"));
        }
        build_on_target = build_on_target.iter().map(|name| normal(name)).collect();
        build_on_target.sort();
        build_on_target.dedup();
        let requirements = self.texts("requirements");
        Ok(VenvArtifact { name, requirements, imports, source, build_on_target })
    }

    fn file(&self, text: Text) -> Result<FileArtifact, Diagnostic> {
        let path = if self.text("path").is_some() { Some(self.path("path")?) } else { None };
        if let Some(path) = &path
            && let Some((reason, help)) = no_file(path)
        {
            return Err(self.fault("path", format!("no file can be placed at `{path}`: {reason}"), help));
        }
        let name = match (self.text("name"), &path) {
            (Some(name), _) => self.named("name", name)?,
            (None, Some(path)) => self.named("path", path.file_name())?,
            (None, None) => return Err(self.fault("name", "a file needs a name or a path", "give it one")),
        };
        let exec = self.flag("exec");
        let usual = if exec { 0o555 } else { 0o444 };
        let mode = self.mode().filter(|mode| *mode != usual);
        if let Some(mode) = mode.filter(|mode| mode & 0o7022 != 0) {
            let message =
                format!("a file of mode {mode:04o} would be for others to change, or to run as its owner");
            return Err(self.fault("mode", message, "leave out these bits"));
        }
        let (same, adopt) = (self.flag("same"), self.flag("adopt"));
        if adopt && path.is_none() {
            let message = "a file without a `path` takes nobody's place";
            return Err(self.fault("adopt", message, "leave `adopt` out, or say where the file is placed"));
        }
        Ok(FileArtifact { name, text, path, exec, mode, same, adopt })
    }

    fn link(&self) -> Result<LinkArtifact, Diagnostic> {
        let (path, to) = (self.path("path")?, self.path("to")?);
        if let Some((reason, help)) = no_link(&path) {
            return Err(self.fault("path", format!("no link can be placed at `{path}`: {reason}"), help));
        }
        if !may_be_led_to(&path, &to) {
            let message = format!("`{path}` must not lead to `{to}`");
            let help =
                "choose a path outside of it and of `/var/lib/voevent`; a file of a module is a `[[file]]`";
            return Err(self.fault("to", message, help));
        }
        Ok(LinkArtifact { path, to, adopt: self.flag("adopt") })
    }

    fn unit(&self, text: Text) -> Result<UnitArtifact, Diagnostic> {
        let name = self.needed("name")?;
        let (unit, drop_in) = match name.split_once('/') {
            None => (self.named("name", name)?, None),
            Some((folder, file)) => {
                let unit = folder.strip_suffix(".d").filter(|_| file.strip_suffix(".conf").is_some());
                let unit = unit.ok_or_else(|| {
                    let message = format!("`{}` is no name of a drop-in", name.escape_debug());
                    self.fault("name", message, "write it like `x.service.d/y.conf`")
                })?;
                (
                    self.named("name", unit)?,
                    Some(self.named::<crate::base::name::ArtifactLabel>("name", file)?),
                )
            }
        };
        if is_reserved(&unit) {
            let message = format!("`{unit}` belongs to voevent-node itself");
            return Err(self.fault("name", message, "choose another name"));
        }
        if let Some(place) = install_section(&text, &self.place("name")) {
            let error = Diagnostic::error("units have no `[Install]`").at(place, "");
            return Err(error.help("say `wanted_by = [\"voevent.target\"]` in the `[[unit]]`"));
        }
        let wanted_by = self.texts("wanted_by");
        let wanted_by: Result<Vec<UnitName>, _> =
            wanted_by.iter().map(|unit| self.named("wanted_by", unit)).collect();
        let wanted_by = wanted_by?;
        if drop_in.is_some() && !wanted_by.is_empty() {
            return Err(self.fault("wanted_by", "a drop-in is wanted by nobody", "leave it out"));
        }
        let (same, adopt) = (self.flag("same"), self.flag("adopt"));
        if drop_in.is_some() && adopt {
            return Err(self.fault("adopt", "a drop-in takes nobody's place", "leave it out"));
        }
        Ok(UnitArtifact { unit, drop_in, text, wanted_by, same, adopt })
    }
}

/// Whether a unit is the compiler's or the activator's own.
fn is_reserved(unit: &UnitName) -> bool {
    let own = ["voevent-switch", "voevent-boot", "voevent-guard", "voevent-proof"];
    unit.as_str() == layout::TARGET_UNIT || own.iter().any(|own| unit.as_str().starts_with(own))
}

/// Whether `import` takes this name.
fn is_module(name: &str) -> bool {
    let identifier = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part.chars().all(|other| other.is_ascii_alphanumeric() || other == '_')
    };
    name.split('.').all(identifier)
}

/// The place of `[Install]` in a unit; of a source, which has no places, `asked`.
fn install_section(text: &Text, asked: &Place) -> Option<Place> {
    const INSTALL: &str = "[Install]";
    match text {
        Text::Source(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            text.lines().any(|line| line.trim() == INSTALL).then(|| asked.clone())
        }
        Text::Template { pieces, .. } => pieces.iter().find_map(|piece| {
            let RenderedWhat::Text(text) = &piece.what else { return None };
            let at = text.find(INSTALL).filter(|at| text[..*at].is_empty() || text[..*at].ends_with('\n'))?;
            let start = piece.place.span.start + at;
            Some(Place { source: piece.place.source.clone(), span: start..start + INSTALL.len() })
        }),
    }
}
