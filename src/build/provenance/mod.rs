//! The provenance of a bundle, from what the stages know: settings and their definitions, what code reads where, and
//! where the pieces of templates went.

mod bounds;
pub mod depends;
mod lines;
pub mod reads;
mod settings;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::base::name::{InstanceName, UnitName};
use crate::base::report::{Diagnostic, Place, Source};
use crate::build::artifact::{Artifact, Reference, What};
use crate::build::artifact_graph::Key;
use crate::build::front::Compiled;
use crate::build::options::history::cut;
use crate::build::scan::BlockKind;
use crate::build::seal::Sealed;
use crate::store::bundle::bundle_digest;
use crate::store::provenance::{self as stored, Cause, Condition, FORMAT, Provenance, Spot};
use bounds::{LeftOut, MAX_RUNS};
use reads::{Decl, Read};

/// A provenance, and the sources that it names.
#[derive(Debug)]
pub struct Made {
    /// The provenance.
    pub provenance: Provenance,
    /// The one form in which it is written.
    pub text: String,
    /// Its sources, where they were read as text.
    pub sources: Vec<Option<Arc<Source>>>,
    /// That something is left out of it, if it is.
    pub warnings: Vec<Diagnostic>,
}

impl Made {
    /// A line of a source, counted from 0.
    #[must_use]
    pub fn line(&self, source: usize, line: usize) -> Option<String> {
        self.sources.get(source)?.as_ref()?.text.lines().nth(line).map(str::to_owned)
    }
}

/// The provenance of a sealed host. `shown` gives the name of a source from that under which it was read.
#[must_use]
pub fn provenance(compiled: &Compiled, sealed: &Sealed, shown: &dyn Fn(&str) -> String) -> Made {
    let mut builder = Builder::new(compiled, sealed, shown);
    builder.settings();
    builder.artifacts();
    builder.added();
    let Builder { mut out, sources, mut left_out, .. } = builder;
    let text = bounds::written(&mut out, &mut left_out);
    let warnings = left_out.warning(&out).into_iter().collect();
    Made { provenance: out, text, sources: sources.into_iter().map(|(_, source)| source).collect(), warnings }
}

/// Where the lines of a source start.
type Starts = Vec<usize>;

struct Builder<'a> {
    compiled: &'a Compiled,
    sealed: &'a Sealed,
    shown: &'a dyn Fn(&str) -> String,
    out: Provenance,
    sources: Vec<(Starts, Option<Arc<Source>>)>,
    /// By the name under which a source was read.
    source_indices: BTreeMap<String, usize>,
    /// By name.
    setting_indices: BTreeMap<String, usize>,
    /// By kind, place and what they read: for another entry of `for_each` that is something else.
    condition_indices: BTreeMap<(&'static str, Spot, Vec<usize>), usize>,
    cause_indices: BTreeMap<Cause, usize>,
    left_out: LeftOut,
}

/// Whose code it is, and for which entry of which table.
#[derive(Clone, Copy)]
struct Scope<'a> {
    module: &'a InstanceName,
    each: Option<&'a str>,
    decl: Option<&'a Decl>,
}

impl<'a> Builder<'a> {
    fn new(compiled: &'a Compiled, sealed: &'a Sealed, shown: &'a dyn Fn(&str) -> String) -> Self {
        let out = Provenance {
            format: FORMAT,
            bundle: bundle_digest(&sealed.bundle.manifest.to_toml()).hex(),
            host: compiled.rendered.host.clone(),
            sources: Vec::new(),
            settings: Vec::new(),
            conditions: Vec::new(),
            causes: Vec::new(),
            artifacts: Vec::new(),
        };
        Self {
            compiled,
            sealed,
            shown,
            out,
            sources: Vec::new(),
            source_indices: BTreeMap::new(),
            setting_indices: BTreeMap::new(),
            condition_indices: BTreeMap::new(),
            cause_indices: BTreeMap::new(),
            left_out: LeftOut::default(),
        }
    }

    fn source_of(&mut self, name: &str, source: Option<&Arc<Source>>) -> usize {
        if let Some(index) = self.source_indices.get(name) {
            return *index;
        }
        let index = self.sources.len();
        let text = source.map_or("", |source| source.text.as_str());
        let starts = [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.sources.push((starts, source.cloned()));
        self.out.sources.push((self.shown)(name));
        self.source_indices.insert(name.to_owned(), index);
        index
    }

    fn source(&mut self, source: &Arc<Source>) -> usize {
        self.source_of(&source.name, Some(source))
    }

    fn spot(&mut self, place: &Place) -> Spot {
        let source = self.source(&place.source);
        let line = self.sources[source].0.partition_point(|start| *start <= place.span.start);
        Spot { source, line: line as u64 }
    }

    /// The settings that code reads within a place.
    fn read(&self, scope: Scope<'_>, place: &Place) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        for read in self.compiled.code.within(scope.module, place) {
            for index in self.settings_read(scope, read) {
                if !found.contains(&index) {
                    found.push(index);
                }
            }
        }
        found
    }

    fn settings_read(&self, scope: Scope<'_>, read: &Read) -> Vec<usize> {
        match read {
            Read::Host(name) => self.setting(&format!("host.{name}")).into_iter().collect(),
            Read::Option(leaf, rest) => self.below(leaf.to_string(), rest),
            Read::Each(rest) => {
                let Some(decl) = scope.decl else { return Vec::new() };
                let Some(over) = &decl.over else {
                    let code = decl.guard.for_each.as_ref();
                    return code
                        .map(|code| self.read(Scope { decl: None, ..scope }, &code.place))
                        .unwrap_or_default();
                };
                let rest: Vec<String> =
                    scope.each.iter().map(|key| (*key).to_owned()).chain(rest.iter().cloned()).collect();
                self.below(over.to_string(), &rest)
            }
        }
    }

    fn setting(&self, name: &str) -> Option<usize> {
        self.setting_indices.get(name).copied()
    }

    /// The part of a setting, as far down as it is known; the fields of a table of options.
    fn below(&self, name: String, rest: &[String]) -> Vec<usize> {
        let Some(whole) = self.setting(&name) else {
            let table = format!("{name}.");
            let fields = self.setting_indices.range(table.clone()..);
            let fields = fields.take_while(|(name, _)| name.starts_with(&table));
            return fields.map(|(_, index)| *index).take(MAX_FIELDS).collect();
        };
        let (mut name, mut found) = (name, whole);
        for key in rest {
            let parts = [settings::part_of_map(&name, key), format!("{name}[{key}]")];
            let part = parts.into_iter().find_map(|part| Some((self.setting(&part)?, part)));
            let Some((index, part)) = part else { break };
            (found, name) = (index, part);
        }
        vec![found]
    }

    fn condition(&mut self, kind: &'static str, scope: Scope<'_>, place: &Place) -> usize {
        let at = self.spot(place);
        let text = place.source.text.get(place.span.clone()).unwrap_or_default();
        let text = if matches!(kind, "when" | "for_each") { text.trim_matches(['"', '\'']) } else { text };
        let text = cut(text.split_whitespace().collect::<Vec<_>>().join(" "));
        let settings = self.read(scope, place);
        let key = (kind, at, settings.clone());
        if let Some(index) = self.condition_indices.get(&key) {
            return *index;
        }
        self.out.conditions.push(Condition { kind: kind.to_owned(), text, at, settings });
        self.condition_indices.insert(key, self.out.conditions.len() - 1);
        self.out.conditions.len() - 1
    }

    fn cause(&mut self, cause: Cause) -> usize {
        if let Some(index) = self.cause_indices.get(&cause) {
            return *index;
        }
        self.out.causes.push(cause.clone());
        self.cause_indices.insert(cause, self.out.causes.len() - 1);
        self.out.causes.len() - 1
    }

    fn artifacts(&mut self) {
        let artifacts = &self.compiled.rendered.artifacts;
        let known = Known::of(artifacts);
        let mut left = MAX_RUNS;
        for (index, artifact) in artifacts.iter().enumerate() {
            let uses = known.used_by(artifact);
            let made = self.artifact(index, artifact, (uses, &mut left));
            self.out.artifacts.push(made);
        }
    }

    fn artifact(
        &mut self,
        index: usize,
        artifact: &'a Artifact,
        (uses, left): (Vec<usize>, &mut usize),
    ) -> stored::Artifact {
        let compiled = self.compiled;
        let decl = compiled.code.decls.get(&(artifact.module.clone(), artifact.place.span.start));
        let scope = Scope { module: &artifact.module, each: artifact.each.as_deref(), decl };
        let mut settings = Vec::new();
        let mut conditions = Vec::new();
        if let Some(decl) = decl {
            for place in &decl.keys {
                settings.extend(self.read(scope, place));
            }
            let guard = [("for_each", &decl.guard.for_each), ("when", &decl.guard.when)];
            for (kind, code) in guard {
                conditions.extend(code.iter().map(|code| self.condition(kind, scope, &code.place)));
            }
        }
        settings.sort_unstable();
        settings.dedup();
        let (kind, name, path) = lines::called(&artifact.what);
        let trace = self.trace(index, &artifact.what);
        let (template, lines) = self.lines(scope, artifact, (trace.as_ref(), left));
        stored::Artifact {
            kind: kind.to_owned(),
            name,
            module: artifact.module.to_string(),
            at: Some(self.spot(&artifact.place)),
            template,
            path,
            object: trace.map(|trace| trace.object),
            settings,
            conditions,
            uses,
            lines: stored::Lines(lines),
        }
    }
}

/// The most settings that a table of options stands for.
const MAX_FIELDS: usize = 50;

/// Artifacts by what others name them by.
struct Known<'a> {
    keys: BTreeMap<Key, usize>,
    units: BTreeMap<&'a UnitName, usize>,
    drop_ins: BTreeMap<&'a UnitName, Vec<usize>>,
}

impl<'a> Known<'a> {
    fn of(artifacts: &'a [Artifact]) -> Self {
        let mut known = Self { keys: BTreeMap::new(), units: BTreeMap::new(), drop_ins: BTreeMap::new() };
        for (index, artifact) in artifacts.iter().enumerate() {
            if let Some(key) = artifact.key() {
                known.keys.entry(key).or_insert(index);
            }
            match &artifact.what {
                What::Unit(unit) if unit.drop_in.is_some() => {
                    known.drop_ins.entry(&unit.unit).or_default().push(index);
                }
                What::Unit(unit) => drop(known.units.insert(&unit.unit, index)),
                _ => {}
            }
        }
        known
    }

    /// What an artifact depends on: what its text names, a unit on its drop-ins, a check on the unit that it is about.
    fn used_by(&self, artifact: &Artifact) -> Vec<usize> {
        let key = |to: &Reference| (to.kind, to.module.clone(), to.name.clone());
        let references = artifact.references();
        let mut uses: Vec<usize> =
            references.iter().filter_map(|(to, _)| self.keys.get(&key(to)).copied()).collect();
        match &artifact.what {
            What::Unit(unit) if unit.drop_in.is_none() => {
                uses.extend(self.drop_ins.get(&unit.unit).into_iter().flatten());
            }
            What::Check(check) => {
                uses.extend(check.unit.as_ref().and_then(|unit| self.units.get(unit)));
            }
            _ => {}
        }
        uses.sort_unstable();
        uses.dedup();
        uses
    }
}

const fn word(kind: BlockKind) -> &'static str {
    match kind {
        BlockKind::If => "if",
        BlockKind::Else => "else",
        BlockKind::For => "for",
    }
}

/// Whether a range has a byte.
fn has(range: &Range<usize>, at: usize) -> bool {
    range.start <= at && at < range.end.max(range.start + 1)
}
