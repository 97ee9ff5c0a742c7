//! The lines of texts: each found in its template by the pieces that it is made of.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::base::layout;
use crate::base::report::{Place, Source};
use crate::build::artifact::{Artifact, RenderedPiece, RenderedWhat, Text, What};
use crate::build::seal::TextMap;
use crate::store::manifest::ManagedPath;
use crate::store::object::{Object, ObjectName};
use crate::store::provenance::{self as stored, Cause, Run, Spot};

use super::{Builder, Scope, has, word};

/// Of a line that the compiler adds to a unit.
const PART_OF: &str = "added by voevent-build: it hangs on the target that wants it";
const WHICH: &str = "added by voevent-build: says which definition a process runs";
const TARGET: &str = "added by voevent-build: the target that all units hang on";
const HEADER: &str = "added by voevent-build";

/// The kind and the name of an artifact, and its path on the host.
pub(super) fn called(what: &What) -> (&'static str, String, Option<String>) {
    match what {
        What::File(file) => ("file", file.name.to_string(), file.path.as_ref().map(ToString::to_string)),
        What::Link(link) => ("link", link.path.to_string(), Some(link.path.to_string())),
        What::Script { name, .. } => ("script", name.to_string(), None),
        What::Unit(unit) => {
            let name = unit.file_name();
            let path = format!("{}/{name}", layout::UNITS);
            ("unit", name, Some(path))
        }
        What::Venv(venv) => ("venv", venv.name.to_string(), None),
        What::User(user) => ("user", user.name.to_string(), None),
        What::Group { name } => ("group", name.to_string(), None),
        What::Directory { path, .. } => ("directory", path.to_string(), Some(path.to_string())),
        What::Package { name } => ("package", name.to_string(), None),
        What::Check(check) => ("check", check.name.to_string(), None),
    }
}

/// What became of an artifact that is an object.
pub(super) struct Trace<'a> {
    /// The object.
    pub(super) object: ObjectName,
    /// Where in its bytes each piece of its template lies; what is behind the last one was added by the compiler.
    ranges: &'a [Range<usize>],
}

/// Runs that grow line by line.
#[derive(Default)]
struct Runs {
    all: Vec<Run>,
}

impl Runs {
    fn add(&mut self, from: Spot, cause: usize) {
        if let Some(run) =
            self.all.last_mut().filter(|run| run.cause == cause && run.from.source == from.source)
        {
            let next = run.from.line + run.count;
            if from.line > 0 && from.line == next && (run.steps || run.count == 1) {
                (run.count, run.steps) = (run.count + 1, true);
                return;
            }
            if from.line == run.from.line && !run.steps {
                run.count += 1;
                return;
            }
        }
        self.all.push(Run { from, count: 1, steps: false, cause });
    }
}

/// The lines of a text, as ranges of its bytes with their ends.
fn lines(content: &[u8]) -> impl Iterator<Item = Range<usize>> {
    content.split_inclusive(|byte| *byte == b'\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some(start..*at)
    })
}

impl<'a> Builder<'a> {
    /// What became of an artifact.
    pub(super) fn trace(&self, index: usize, what: &What) -> Option<Trace<'a>> {
        let manifest = &self.sealed.bundle.manifest;
        let object = match what {
            What::Unit(unit) => match &unit.drop_in {
                None => {
                    let found = manifest.units.binary_search_by(|other| other.name.cmp(&unit.unit)).ok()?;
                    &manifest.units[found].object
                }
                Some(name) => {
                    let wanted = (&unit.unit, name);
                    let found =
                        manifest.drop_ins.binary_search_by(|other| (&other.unit, &other.name).cmp(&wanted));
                    &manifest.drop_ins[found.ok()?].object
                }
            },
            What::Venv(venv) => &manifest.venvs.iter().find(|other| other.name == venv.name)?.object,
            _ => self.sealed.contents.get(&index)?,
        };
        let ranges = self.sealed.maps.get(&index).map_or(&[][..], TextMap::ranges);
        Some(Trace { object: object.clone(), ranges })
    }

    fn content(&self, object: &ObjectName) -> Option<&[u8]> {
        match self.sealed.objects.get(object)? {
            Object::File(file) => Some(&file.content),
            Object::Tree(_) => None,
        }
    }

    /// The source of an artifact's text, and the origins of its lines.
    pub(super) fn lines(
        &mut self,
        scope: Scope<'_>,
        artifact: &Artifact,
        (trace, left): (Option<&Trace<'_>>, &mut usize),
    ) -> (Option<usize>, Vec<Run>) {
        let (Some(text), Some(trace)) = (artifact.text(), trace) else { return (None, Vec::new()) };
        let file = scope.decl.and_then(|decl| decl.file.as_ref());
        let (template, runs) = match text {
            Text::Template { pieces, .. } => {
                let runs = self.templated(scope, artifact, (pieces, trace));
                (file.map(|file| self.file(artifact, file)), runs)
            }
            Text::Source(_) => {
                let template = file.map(|file| self.file(artifact, file));
                let bytes = self.sealed.objects.get(&trace.object).map_or(0, Object::size);
                let count = self.content(&trace.object).map_or(0, |content| lines(content).count());
                let cause = self.cause(Cause::default());
                let from =
                    Spot { source: template.unwrap_or(0), line: u64::from(template.is_some() && bytes > 0) };
                let run = Run { from, count: count as u64, steps: count > 1, cause };
                (template, if count > 0 { vec![run] } else { Vec::new() })
            }
        };
        if let Some(rest) = left.checked_sub(runs.len()) {
            *left = rest;
            return (template, runs);
        }
        self.left_out.artifacts += 1;
        (template, Vec::new())
    }

    /// A file of the module's folder.
    fn file(&mut self, artifact: &Artifact, file: &str) -> usize {
        let module = &artifact.place.source.name;
        let name = module.rsplit_once('/').map_or(file.to_owned(), |(folder, _)| format!("{folder}/{file}"));
        self.source_of(&name, None)
    }

    fn templated(
        &mut self,
        scope: Scope<'_>,
        artifact: &Artifact,
        (pieces, trace): (&[RenderedPiece], &Trace<'_>),
    ) -> Vec<Run> {
        for piece in pieces {
            self.source(&piece.place.source);
        }
        let Some(content) = self.content(&trace.object).map(<[u8]>::to_vec) else { return Vec::new() };
        let own = trace.ranges.last().map_or(0, |range| range.end);
        let part_of = content.windows(PART.len()).rposition(|window| window == PART);
        let part_of = part_of.filter(|at| *at >= own).unwrap_or(0);
        let mut memo = Memo::default();
        let mut runs = Runs::default();
        let mut first = 0;
        for line in lines(&content) {
            if line.start >= own {
                let note = if line.start <= part_of + 1 { PART_OF } else { WHICH };
                let cause = self.cause(Cause { note: note.to_owned(), ..Cause::default() });
                let from = self.spot(&artifact.place);
                runs.add(from, cause);
                continue;
            }
            while trace.ranges.get(first).is_some_and(|range| range.end <= line.start) {
                first += 1;
            }
            let within = first..first + trace.ranges[first..].partition_point(|range| range.start < line.end);
            let (from, cause) =
                self.line(scope, (&line, &content), (pieces, trace.ranges, within), &mut memo);
            runs.add(from, cause);
        }
        runs.all
    }

    /// The origin of a line that is made of some pieces, and its cause.
    fn line(
        &mut self,
        scope: Scope<'_>,
        (line, content): (&Range<usize>, &[u8]),
        (pieces, ranges, within): (&[RenderedPiece], &[Range<usize>], Range<usize>),
        memo: &mut Memo,
    ) -> (Spot, usize) {
        let mut origin: Option<Place> = None;
        let mut cause = Cause::default();
        for (piece, range) in pieces[within.clone()].iter().zip(&ranges[within]) {
            let (start, end) = (range.start.max(line.start), range.end.min(line.end));
            let bytes = content.get(start..end).unwrap_or_default();
            let seen = bytes.iter().any(|byte| *byte != b'\n');
            let mut place = piece.place.clone();
            match &piece.what {
                RenderedWhat::Hole(_) | RenderedWhat::Safe(_) => {
                    add(&mut cause.settings, memo.settings(self, scope, &place));
                }
                RenderedWhat::Text(_) => {
                    let from = place.span.start + (start - range.start);
                    place.span = from..(from + bytes.len()).min(place.span.end.max(from));
                    if !seen && start > line.start {
                        continue;
                    }
                }
            }
            add(&mut cause.conditions, memo.conditions(self, scope, &place));
            if origin.is_none() {
                origin = Some(place);
            }
        }
        let spot = origin.map_or(Spot { source: 0, line: 0 }, |place| self.spot(&place));
        (spot, self.cause(cause))
    }

    /// What the compiler adds by itself: the target, and the files of users and folders.
    pub(super) fn added(&mut self) {
        let manifest = &self.sealed.bundle.manifest;
        let find = |kind: &str, name: &str| {
            self.out.artifacts.iter().position(|artifact| artifact.kind == kind && artifact.name == name)
        };
        let groups = manifest.groups.iter().map(|group| find("group", group.name.as_str()));
        let users = manifest.users.iter().map(|user| find("user", user.name.as_str()));
        let accounts: Vec<Option<usize>> = groups.chain(users).collect();
        let folders =
            manifest.directories.iter().map(|folder| find("directory", folder.path.as_str())).collect();
        for (path, of) in [(layout::SYSUSERS, accounts), (layout::TMPFILES, folders)] {
            let managed = manifest.paths.iter().find(|managed| managed.path.as_str() == path);
            if let Some(object) = managed.and_then(ManagedPath::object) {
                self.account_file(path, object, of);
            }
        }
        let target = manifest.units.iter().find(|unit| unit.name.as_str() == layout::TARGET_UNIT);
        if let Some(unit) = target {
            let count = self.content(&unit.object).map_or(0, |content| lines(content).count());
            let cause = self.cause(Cause { note: TARGET.to_owned(), ..Cause::default() });
            let run = Run { from: Spot { source: 0, line: 0 }, count: count as u64, steps: false, cause };
            let path = format!("{}/{}", layout::UNITS, layout::TARGET_UNIT);
            self.add("unit", (layout::TARGET_UNIT.to_owned(), path), (&unit.object, Vec::new(), vec![run]));
        }
    }

    /// A file with a header and a line for each of these artifacts.
    fn account_file(&mut self, path: &str, object: &ObjectName, of: Vec<Option<usize>>) {
        let mut runs = Runs::default();
        let header = self.cause(Cause { note: HEADER.to_owned(), ..Cause::default() });
        runs.add(Spot { source: 0, line: 0 }, header);
        for index in &of {
            let Some(artifact) = index.and_then(|index| self.out.artifacts.get(index)) else {
                runs.add(Spot { source: 0, line: 0 }, header);
                continue;
            };
            let note = format!("made of the {} `{}`", artifact.kind, artifact.name);
            let (settings, conditions) = (artifact.settings.clone(), artifact.conditions.clone());
            let at = artifact.at.unwrap_or(Spot { source: 0, line: 0 });
            let cause = self.cause(Cause { settings, conditions, note });
            runs.add(at, cause);
        }
        let name = object.label().to_owned();
        self.add("file", (name, path.to_owned()), (object, of.into_iter().flatten().collect(), runs.all));
    }

    fn add(
        &mut self,
        kind: &str,
        (name, path): (String, String),
        (object, uses, runs): (&ObjectName, Vec<usize>, Vec<Run>),
    ) {
        self.out.artifacts.push(stored::Artifact {
            kind: kind.to_owned(),
            name,
            module: String::new(),
            at: None,
            template: None,
            path: Some(path),
            object: Some(object.clone()),
            settings: Vec::new(),
            conditions: Vec::new(),
            uses,
            lines: stored::Lines(runs),
        });
    }
}

const PART: &[u8] = b"\nPartOf=";

fn add(all: &mut Vec<usize>, more: Vec<usize>) {
    for index in more {
        if !all.contains(&index) {
            all.push(index);
        }
    }
}

/// What was found out about places of a template: a loop writes them many times.
#[derive(Default)]
struct Memo {
    settings: BTreeMap<(String, usize), Vec<usize>>,
    conditions: BTreeMap<(String, usize), Vec<usize>>,
}

impl Memo {
    fn settings(&mut self, builder: &Builder<'_>, scope: Scope<'_>, place: &Place) -> Vec<usize> {
        let key = (place.source.name.clone(), place.span.start);
        self.settings.entry(key).or_insert_with(|| builder.read(scope, place)).clone()
    }

    fn conditions(&mut self, builder: &mut Builder<'_>, scope: Scope<'_>, place: &Place) -> Vec<usize> {
        let key = (place.source.name.clone(), place.span.start);
        if let Some(known) = self.conditions.get(&key) {
            return known.clone();
        }
        let mut found = Vec::new();
        enclosing(builder, scope, (&place.source, place.span.start), &mut found, 0);
        self.conditions.insert(key, found.clone());
        found
    }
}

/// The deepest includes that are followed.
const MAX_INCLUDES: usize = 8;

/// The conditions of a place, outermost first: of the includes that lead to it, if there is one way only, and its own.
fn enclosing(
    builder: &mut Builder<'_>,
    scope: Scope<'_>,
    (source, at): (&Arc<Source>, usize),
    found: &mut Vec<usize>,
    depth: usize,
) {
    let Some(decl) = scope.decl else { return };
    let mut ways = decl.includes.iter().filter(|(_, included)| included.name == source.name);
    if let (Some((place, _)), None, true) = (ways.next(), ways.next(), depth < MAX_INCLUDES) {
        enclosing(builder, scope, (&place.source, place.span.start), found, depth + 1);
    }
    for block in &decl.blocks {
        if block.condition.source.name == source.name && has(&block.body, at) {
            let condition = builder.condition(word(block.kind), scope, &block.condition);
            add(found, vec![condition]);
        }
    }
}
