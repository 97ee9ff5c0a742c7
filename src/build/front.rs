//! The compiler's front half: from the path of a host file to artifacts with holes.
//!
//! Stages: the syntax of all files; names and types; the graph of options; values and what must hold; artifacts and
//! templates; references. All errors of a stage are reported together, and a later stage runs only on what the
//! earlier ones left whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::base::name::{HostName, InstanceName};
use crate::base::report::{Diagnostic, Place, Severity};

use super::adopt;
use super::artifact::{Rendered, What};
use super::config::artifact::{ArtifactDecl, Kind};
use super::emit::artifacts;
use super::facts::{Facts, facts};
use super::graph::{Modules, module_order};
use super::host::{Host, HostFiles};
use super::instance::Instance;
use super::load::Loader;
use super::module_folders::ModuleFolder;
use super::names::{Meanings, Names};
use super::options::evaluate::{Machine, settings};
use super::options::plan::{Plans, plans};
use super::options::{Origin, Settings, Strength};
use super::provenance::reads::Reads;
use super::render::Renderer;
use super::scan::Found;
use super::sources::{Disk, InputLog, Tree};
use super::templates::{Templates, name_of};
use super::world::{Leaf, Meaning, World};
use super::{named_files, renames, rules, whole};

/// A host, compiled as far as the settings go.
#[derive(Debug)]
pub struct Compiled {
    /// What it has.
    pub rendered: Rendered,
    /// What is worth a warning.
    pub warnings: Vec<Diagnostic>,
    /// All that was looked at on the way.
    pub inputs: InputLog,
    /// The settings of all modules that are on.
    pub settings: Settings,
    /// Where each venv's requirements come from.
    pub venvs: Vec<VenvPlace>,
    /// The host, as its files describe it together.
    pub host: Host,
    /// The modules that are on, as written.
    pub modules: Modules,
    /// What its modules state about their services.
    pub facts: Facts,
    /// The options that templates and artifacts read.
    pub reads: Vec<Reading>,
    /// Where templates take a value for code: each `{{ … | safe }}`, in the order of the files.
    pub safe: Vec<Place>,
    /// The same of all code, by its place.
    pub code: Reads,
}

impl Compiled {
    /// Errors, each with the settings that stand behind it.
    #[must_use]
    pub fn explained(&self, errors: Vec<Diagnostic>) -> Vec<Diagnostic> {
        cut(errors).into_iter().map(|error| explained(error, &self.reads, &self.settings)).collect()
    }
}

/// That a part of a template, or an artifact, depends on an option.
#[derive(Debug)]
pub struct Reading {
    /// The part of the template, or the artifact's header.
    place: Place,
    /// Whose it is there: instances share their places.
    of: InstanceName,
    leaf: Leaf,
    /// The weakest origin that says anything to who reads an error there.
    from: Strength,
}

/// Adds to an error where the settings that stand behind its first place are set.
fn explained(error: Diagnostic, reads: &[Reading], settings: &Settings) -> Diagnostic {
    let Some((place, _)) = error.places.first().cloned() else { return error };
    let of = error.of.clone();
    let inside = |reading: &&Reading| {
        let (read, whole) = (&reading.place, &place);
        of.as_ref().is_none_or(|of| **of == reading.of)
            && read.source == whole.source
            && read.span.start >= whole.span.start
            && read.span.end <= whole.span.end
    };
    let mut shown = BTreeSet::new();
    let mut error = reads.iter().filter(inside).filter(|read| shown.insert((&read.leaf, read.from))).fold(
        error,
        |error, read| {
            let origins =
                settings.origins(&read.leaf).into_iter().filter(|origin| origin.strength >= read.from);
            origins
                .fold(error, |error, origin| error.at(origin.place, format!("`{}` is set here", read.leaf)))
        },
    );
    error.places.truncate(MAX_SHOWN);
    error
}

/// Where the requirements of a venv come from: for errors about its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenvPlace {
    /// The module that emits it.
    pub module: InstanceName,
    /// Its name.
    pub name: String,
    /// Where its requirements are written.
    pub requirements: Place,
    /// The options that they read, each with its origins.
    pub options: Vec<(String, Vec<Origin>)>,
}

/// Compiles a host file with the modules of some folders, and of those that it names itself.
///
/// # Errors
/// Where anything of it is wrong: all that is wrong at the stage that fails.
pub fn compile(host: &Path, modules: &[ModuleFolder]) -> Result<Compiled, Vec<Diagnostic>> {
    let mut disk = Disk::default();
    let compiled = compile_from(&mut disk, host, modules)?;
    Ok(Compiled { inputs: disk.log, ..compiled })
}

/// Compiles a host file of any tree; the log of inputs is the tree's.
///
/// # Errors
/// As [`compile`].
pub fn compile_from(
    tree: &mut dyn Tree,
    host: &Path,
    modules: &[ModuleFolder],
) -> Result<Compiled, Vec<Diagnostic>> {
    let read = read(tree, host, modules)?;
    let (world, files, templates) = (&read.world, &read.files, &read.templates);
    let mut found = read.warnings.clone();
    let Named { plans, reads } = names(world, files, templates)
        .map_err(|errors| found.iter().cloned().chain(errors).collect::<Vec<_>>())?;
    let machine = Machine::new(world);
    let settings = settings(&machine, &plans, files, &mut found);
    found.extend(rules::check(&machine, &settings));
    let mut found = errors(found)?;
    let facts = facts(&machine, (files, &settings), &mut found);
    let artifacts = {
        let renderer = Renderer::new(world, &settings, templates).map_err(|fault| vec![fault])?;
        let artifacts = artifacts(&machine, &renderer, &settings, &mut found);
        found = errors(found)?;
        let mut faults = Vec::new();
        let artifacts = whole::check(world, artifacts, &mut faults);
        let artifacts = adopt::apply(&world.host.adopt, artifacts, &mut faults);
        found.extend(cut(faults).into_iter().map(|fault| explained(fault, &reads, &settings)));
        artifacts
    };
    let warnings = errors(found)?;
    let venvs = venv_places(world, &artifacts, &settings);
    let rendered = Rendered {
        host: world.host.name.clone(),
        target: world.host.target.clone(),
        modules: world.order.clone(),
        artifacts,
    };
    let (safe, code) = (templates.safe(), Reads::of(world, templates));
    let (inputs, World { modules, host, .. }) = (InputLog::default(), read.world);
    Ok(Compiled { rendered, warnings, inputs, settings, venvs, host, modules, facts, reads, safe, code })
}

/// The most errors that are shown, and places of one: more come of one cause.
const MAX_SHOWN: usize = 100;

/// What was found, if there is no error among it: by file, in the order of the text, each once.
fn errors(found: Vec<Diagnostic>) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let failed = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let mut files: Vec<String> = Vec::new();
    let mut sorted: BTreeMap<(usize, usize, String, _), Diagnostic> = BTreeMap::new();
    for diagnostic in found {
        let (name, start) = match diagnostic.places.first() {
            Some((place, _)) => (place.source.name.as_str(), place.span.start),
            None => ("", 0),
        };
        let file = files.iter().position(|file| file == name).unwrap_or_else(|| {
            files.push(name.to_owned());
            files.len() - 1
        });
        // One fault can be met in two ways: two artifacts of one template, two sets of one guard.
        let key = (file, start, diagnostic.message.clone(), diagnostic.of.clone());
        sorted.entry(key).or_insert(diagnostic);
    }
    let sorted = cut(sorted.into_values().collect());
    if failed { Err(sorted) } else { Ok(sorted) }
}

/// The first of many, and how many more there are. What is not shown need not be explained either, which takes long.
fn cut(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if found.len() > MAX_SHOWN {
        // No warning takes the place of an error.
        found.sort_by_key(|diagnostic| diagnostic.severity != Severity::Error);
        let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
        let severity = if found.iter().any(is_error) { Severity::Error } else { Severity::Warning };
        let more = format!("{} more are not shown", found.len() - MAX_SHOWN);
        found.truncate(MAX_SHOWN);
        found.push(Diagnostic { severity, ..Diagnostic::error(more) }.help("correct those above first"));
    }
    found
}

struct Sources {
    world: World,
    files: HostFiles,
    templates: Templates,
    warnings: Vec<Diagnostic>,
}

fn read(tree: &mut dyn Tree, path: &Path, folders: &[ModuleFolder]) -> Result<Sources, Vec<Diagnostic>> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = HostName::new(stem).map_err(|error| {
        vec![
            Diagnostic::error(error.to_string())
                .help("the name of a host is that of its file, without `.toml`"),
        ]
    })?;
    if path.extension().is_none_or(|extension| extension != "toml") {
        let message = format!("`{}` is no host file", path.display());
        return Err(vec![
            Diagnostic::error(message).help(format!("host files end in `.toml`: `{name}.toml`")),
        ]);
    }
    let mut loader = Loader::new(tree, folders);
    let mut files = loader.host(path);
    let mut modules = loader.modules(&files);
    let templates = Templates::read(&mut loader, &modules);
    let mut faults = errors(std::mem::take(&mut loader.faults))?;
    renames::apply(&mut files, &mut modules, &mut faults);
    named_files::read(&mut loader, &mut files, &mut modules);
    faults.extend(loader.faults);
    if files.modules().is_empty() {
        let mut error = Diagnostic::error(format!("host `{name}` turns no module on"));
        error.places.extend(files.head().map(|place| (place, String::new())));
        faults.push(error.help("add `modules = [\"comet\"]` to `[host]`"));
    }
    let host = files.host(name, &mut faults);
    let order = order(&modules, &mut faults);
    let warnings = errors(faults)?;
    let host: Host = host.ok_or_else(Vec::new)?;
    Ok(Sources { world: World { modules, order, host }, files, templates, warnings })
}

fn order(modules: &Modules, faults: &mut Vec<Diagnostic>) -> Vec<InstanceName> {
    module_order(modules).unwrap_or_else(|rings| {
        faults.extend(rings);
        Vec::new()
    })
}

/// How often all artifacts may read options in their templates, each time that a name is written.
const MAX_READS: usize = 200_000;

struct Named<'a> {
    plans: Plans<'a>,
    reads: Vec<Reading>,
}

fn names<'a>(
    world: &'a World,
    files: &'a HostFiles,
    templates: &Templates,
) -> Result<Named<'a>, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let mut reads = Vec::new();
    let plans = plans(world, files, &mut faults);
    for module in world.modules.values() {
        Names { world, module, faults: &mut faults }.rest();
        for artifact in &module.file.artifacts {
            let meanings = template_names(world, (module, artifact), templates, &mut faults);
            let keys = key_names(world, module, artifact);
            let reading = |place: &Place, meaning: &Meaning, from: Strength| match meaning {
                Meaning::Options(leaf) => {
                    let (place, of) = (place.clone(), module.name.clone());
                    Some(Reading { place, of, leaf: leaf.clone(), from })
                }
                _ => None,
            };
            reads.extend(
                keys.iter().filter_map(|(meaning, _)| reading(&artifact.place, meaning, Strength::Import)),
            );
            let entries = Names { world, module, faults: &mut Vec::new() }.guard(&artifact.guard);
            for (meaning, place) in &meanings {
                // What `each` is comes from what `for_each` goes through.
                let each = if *meaning == Meaning::Each { entries.as_slice() } else { &[] };
                reads.extend(reading(place, meaning, Strength::Default));
                reads.extend(each.iter().filter_map(|(meaning, _)| reading(place, meaning, Strength::Set)));
            }
            if reads.len() > MAX_READS {
                let error = Diagnostic::error("the artifacts read options too often");
                let help = "make those of one template by one `for_each`";
                faults.push(error.at(artifact.place.clone(), "too much from here on").help(help));
                return Err(faults);
            }
        }
    }
    errors(faults)?;
    Ok(Named { plans, reads })
}

fn template_names(
    world: &World,
    (module, artifact): (&Instance, &ArtifactDecl),
    templates: &Templates,
    faults: &mut Vec<Diagnostic>,
) -> Meanings {
    let mut meanings = Meanings::new();
    let body = artifact.body.as_ref();
    let found = body.and_then(|body| templates.found.get(&name_of(&module.file.name, &body.file.value)));
    for (_, found) in found.into_iter().flatten() {
        let each = world.entries(&artifact.guard);
        meanings.extend(world.meanings(module, found, each, faults));
        let through = Found { reads: found.through.clone(), ..Found::default() };
        // What is wrong with these was said where the name was set.
        meanings.extend(world.meanings(module, &through, each, &mut Vec::new()));
    }
    meanings
}

/// The names in the keys of an artifact, and in what says when and how often there is one.
fn key_names(world: &World, module: &Instance, artifact: &ArtifactDecl) -> Meanings {
    let mut names = Names { world, module, faults: &mut Vec::new() };
    let mut meanings = names.guard(&artifact.guard);
    for node in artifact.keys.values() {
        meanings.extend(names.node(node, world.entries(&artifact.guard)));
    }
    meanings
}

/// Where the requirements of venvs are written, and what they read.
fn venv_places(
    world: &World,
    artifacts: &[super::artifact::Artifact],
    settings: &Settings,
) -> Vec<VenvPlace> {
    let mut places = Vec::new();
    for artifact in artifacts {
        let What::Venv(venv) = &artifact.what else { continue };
        let Some(module) = world.modules.get(&artifact.module) else { continue };
        let decl =
            module.file.artifacts.iter().find(|decl| decl.kind == Kind::Venv && decl.place == artifact.place);
        let Some((decl, node)) = decl.and_then(|decl| Some((decl, decl.keys.get("requirements")?))) else {
            continue;
        };
        let mut names = Names { world, module, faults: &mut Vec::new() };
        let meanings = names.node(node, world.entries(&decl.guard));
        let options = meanings.into_iter().filter_map(|(meaning, _)| match meaning {
            Meaning::Options(leaf) => Some((leaf.to_string(), settings.origins(&leaf))),
            _ => None,
        });
        places.push(VenvPlace {
            module: artifact.module.clone(),
            name: venv.name.as_str().to_owned(),
            requirements: node.place.clone(),
            options: options.collect(),
        });
    }
    places
}

#[cfg(test)]
mod tests;
