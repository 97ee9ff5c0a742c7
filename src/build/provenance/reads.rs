//! Who reads which setting where: all code of the modules of a host, found by its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::name::InstanceName;
use crate::base::report::{Place, Source};
use crate::build::config::artifact::{ArtifactDecl, Kind};
use crate::build::config::module::Guard;
use crate::build::config::tree::{Data, Node};
use crate::build::instance::Instance;
use crate::build::names::{Meanings, Names};
use crate::build::scan::{Block, Found};
use crate::build::templates::{Templates, included, name_of};
use crate::build::world::{Each, Leaf, Meaning, World, leaves};

/// What code reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// An option or a table of them, and what is taken of its value by name.
    Option(Leaf, Vec<String>),
    /// A text of `[host]`.
    Host(&'static str),
    /// The entry of `for_each`, and what is taken of it by name.
    Each(Vec<String>),
}

/// Where something is read: from where to where in a source, and what.
type At = (usize, usize, Read);

/// What is read within the code of modules.
#[derive(Debug, Default)]
pub struct Reads {
    /// By the module whose code it is and the source; sorted by where they start.
    places: BTreeMap<(InstanceName, String), Vec<At>>,
    /// The tables of artifacts, by module and header.
    pub decls: BTreeMap<(InstanceName, usize), Decl>,
}

/// What is known of the table that an artifact comes from.
#[derive(Debug)]
pub struct Decl {
    /// As the table is called.
    pub kind: &'static str,
    /// When and how often.
    pub guard: Guard,
    /// What `for_each` goes through, where that is one option.
    pub over: Option<Leaf>,
    /// Where its keys are written.
    pub keys: Vec<Place>,
    /// The file of the module's folder that its text is made of.
    pub file: Option<String>,
    /// The `if`s and `for`s of its template and of what that includes.
    pub blocks: Vec<Block>,
    /// Where its template includes which source.
    pub includes: Vec<(Place, Arc<Source>)>,
}

impl Reads {
    /// All that the modules of a host read.
    #[must_use]
    pub fn of(world: &World, templates: &Templates) -> Self {
        let mut reads = Self::default();
        for module in world.modules.values() {
            let mut faults = Vec::new();
            let mut names = Names { world, module, faults: &mut faults };
            let mut meanings = Meanings::new();
            for (_, decl) in leaves(module) {
                meanings.extend(names.option(decl, Each::No));
            }
            for set in &module.file.sets {
                let source = Arc::new(Source { name: String::new(), text: String::new() });
                let place = Place { source, span: 0..0 };
                let whole = Node { place, data: Data::Table(set.targets.clone()) };
                meanings.extend(names.guard(&set.guard));
                meanings.extend(names.node(&whole, world.entries(&set.guard)));
            }
            for decl in &module.file.artifacts {
                meanings.extend(names.guard(&decl.guard));
                for node in decl.keys.values() {
                    meanings.extend(names.node(node, world.entries(&decl.guard)));
                }
                let (decl, more) = read_decl(world, (module, decl), templates);
                meanings.extend(more);
                let (key, decl) = decl;
                reads.decls.insert((module.name.clone(), key), decl);
            }
            reads.note(&module.name, meanings);
        }
        reads.places.values_mut().for_each(|all| {
            all.sort_by_key(|(start, end, _)| (*start, *end));
            all.dedup();
        });
        reads
    }

    fn note(&mut self, module: &InstanceName, meanings: Meanings) {
        for (meaning, place) in meanings {
            let read = match meaning {
                Meaning::Options(leaf) => {
                    let rest = taken(&place, 1 + leaf.path.len());
                    Read::Option(leaf, rest)
                }
                Meaning::Host(name) => Read::Host(name),
                Meaning::Each => Read::Each(taken(&place, 2)),
                Meaning::On(..) | Meaning::Off(_) | Meaning::Instance(_) => continue,
            };
            let key = (module.clone(), place.source.name.clone());
            self.places.entry(key).or_default().push((place.span.start, place.span.end, read));
        }
    }

    /// What the code of a module reads within a place.
    pub fn within<'a>(&'a self, module: &InstanceName, place: &Place) -> impl Iterator<Item = &'a Read> {
        let all = self.places.get(&(module.clone(), place.source.name.clone()));
        let all = all.map_or(&[][..], Vec::as_slice);
        let span = place.span.clone();
        all[all.partition_point(|(start, ..)| *start < span.start)..]
            .iter()
            .take_while(move |(start, ..)| *start < span.end)
            .map(|(_, _, read)| read)
    }
}

/// What is taken by name of what the first parts of a name mean: `home` of `users.accounts.ann.home` behind three.
fn taken(place: &Place, parts: usize) -> Vec<String> {
    let text = place.source.text.get(place.span.clone()).unwrap_or_default();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    if !text.chars().all(plain) {
        return Vec::new();
    }
    text.split('.').skip(parts).map(str::to_owned).collect()
}

type Noted = ((usize, Decl), Meanings);

fn read_decl(world: &World, (module, artifact): (&Instance, &ArtifactDecl), templates: &Templates) -> Noted {
    let each = world.entries(&artifact.guard);
    let body = artifact.body.as_ref();
    let found = body.and_then(|body| templates.found.get(&name_of(&module.file.name, &body.file.value)));
    let mut meanings = Meanings::new();
    let (mut blocks, mut includes) = (Vec::new(), Vec::new());
    for (owner, found) in found.into_iter().flatten() {
        meanings.extend(world.meanings(module, found, each, &mut Vec::new()));
        let through = Found { reads: found.through.clone(), ..Found::default() };
        meanings.extend(world.meanings(module, &through, each, &mut Vec::new()));
        blocks.extend(found.blocks.iter().cloned());
        for (file, place, _) in &found.includes {
            let source = templates.texts.get(&included(owner.as_str(), file));
            includes.extend(source.map(|source| (place.clone(), Arc::clone(source))));
        }
    }
    let mut names = Names { world, module, faults: &mut Vec::new() };
    let for_each = artifact.guard.for_each.as_ref();
    let over = for_each.and_then(|code| match names.bare(code, Each::No).as_slice() {
        [(Meaning::Options(leaf), _)] if code.value.trim().ends_with(&leaf.path.join(".")) => {
            Some(leaf.clone())
        }
        _ => None,
    });
    let decl = Decl {
        kind: Kind::ALL.iter().find(|(_, kind)| *kind == artifact.kind).map_or("", |(name, _)| name),
        guard: artifact.guard.clone(),
        over,
        keys: artifact.keys.values().map(|node| node.place.clone()).collect(),
        file: body.map(|body| body.file.value.clone()),
        blocks,
        includes,
    };
    ((artifact.place.span.start, decl), meanings)
}
