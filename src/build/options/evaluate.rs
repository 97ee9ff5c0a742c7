//! Computing options in their order, each once.

use std::cell::Cell;
use std::sync::Arc;

use crate::base::report::{Diagnostic, Place};
use crate::base::value::Value;
use crate::build::config::module::Guard;
use crate::build::config::tree::{Node, Placed};
use crate::build::expression::{Context, Evaluator};
use crate::build::host::HostFiles;
use crate::build::instance::Instance;
use crate::build::names::{Meanings, Names};
use crate::build::world::{Each, Leaf, Meaning, World};

use super::given::{Given, Layer};
use super::history::SetBy;
use super::merge::{MAX_PARTS, Merger};
use super::plan::{Plan, Plans};
use super::{Setting, Settings, insert};

/// An entry that `for_each` goes through.
#[derive(Debug, Clone)]
pub struct EachEntry {
    /// The key of a map's entry, the index of a list's.
    pub key: Value,
    /// The entry; `None` while it is in the making.
    pub value: Option<Value>,
}

/// Evaluates the code of modules with the settings that are known.
pub struct Machine<'a> {
    /// The modules and the host.
    pub world: &'a World,
    /// What evaluates.
    pub evaluator: Evaluator,
    /// What all evaluations have cost so far, see [`MAX_COST`].
    cost: Cell<usize>,
}

/// The most that all evaluations for a host may cost together. Each costs [`ONE`], [`LETTER`] for each byte of the code,
/// and the size of the values that it reads.
const MAX_COST: usize = 224 << 20;
const ONE: usize = 2 << 10;
const LETTER: usize = 16;

/// An evaluation that came to nothing: because of an error, or of one that was reported before.
#[derive(Debug)]
pub enum Nothing {
    /// It is to be reported.
    Fault(Box<Diagnostic>),
    /// It was reported: what is read has no value.
    Known,
}

impl Nothing {
    /// What is to be reported. Once all options have values there is nothing that could have been reported before:
    /// then this is said, so that nothing is left out in silence.
    #[must_use]
    pub fn reported(self, place: &Place) -> Diagnostic {
        match self {
            Self::Fault(fault) => *fault,
            Self::Known => Diagnostic::error("this reads something that has no value")
                .at(place.clone(), "")
                .help("look at the options that it reads"),
        }
    }
}

impl From<Diagnostic> for Nothing {
    fn from(fault: Diagnostic) -> Self {
        Self::Fault(Box::new(fault))
    }
}

/// Where code stands: in which module, and in which entry.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The module.
    pub module: &'a Instance,
    /// The entry, if there is one.
    pub each: Option<&'a EachEntry>,
}

impl<'a> Machine<'a> {
    /// A machine for the code of these modules.
    #[must_use]
    pub fn new(world: &'a World) -> Self {
        Self { world, evaluator: Evaluator::default(), cost: Cell::new(0) }
    }

    /// The values of all that the code at a place reads.
    fn context(
        &self,
        (meanings, place): (&Meanings, &Place),
        site: Site<'_>,
        settings: &Settings,
    ) -> Result<Context, Nothing> {
        let mut context = Context::new();
        let mut cost = self.cost.get().saturating_add(ONE + LETTER * place.span.len());
        let mut put = |path: &[&str], value: Value| {
            cost = cost.saturating_add(value.size());
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            insert(&mut context, &path, value);
        };
        if let Some(each) = site.each {
            put(&["each", "key"], each.key.clone());
            each.value.iter().for_each(|value| put(&["each", "value"], value.clone()));
        }
        for (meaning, _) in meanings {
            match meaning {
                Meaning::Each => {}
                Meaning::Host(name) => put(&["host", name], self.world.host.text(name)),
                Meaning::Instance(field) => put(&["instance", field], site.module.field(field)),
                Meaning::On(other, on) => put(&[other.module().as_str(), "on"], Value::Bool(*on)),
                Meaning::Off(other) => put(&[other.module().as_str(), "on"], Value::Bool(false)),
                Meaning::Options(leaf) => {
                    let value = settings.value(leaf).ok_or(Nothing::Known)?;
                    // In code, the name of a module means one of its instances.
                    let mut path = vec![leaf.module.module().as_str()];
                    path.extend(leaf.path.iter().map(String::as_str));
                    put(&path, value);
                }
            }
        }
        self.cost.set(cost);
        if cost > MAX_COST {
            let error = Diagnostic::error("all code of the modules together takes too long to evaluate");
            let help = "look for a `for_each` that goes through too many entries, or reads too much for each";
            return Err(error.at(place.clone(), "too much from here on").help(help).into());
        }
        Ok(context)
    }

    fn names<T>(&self, site: Site<'_>, look: impl FnOnce(&mut Names<'_>) -> T) -> T {
        // All names were checked and reported before; here only their meanings count.
        look(&mut Names { world: self.world, module: site.module, faults: &mut Vec::new() })
    }

    const fn each(site: Site<'_>) -> Each<'static> {
        if site.each.is_some() { Each::Entry(None) } else { Each::No }
    }

    /// Whether a condition holds.
    ///
    /// # Errors
    /// Where that cannot be known.
    pub fn condition(
        &self,
        code: &Placed<String>,
        site: Site<'_>,
        settings: &Settings,
    ) -> Result<bool, Nothing> {
        let meanings = self.names(site, |names| names.bare(code, Self::each(site)));
        let context = self.context((&meanings, &code.place), site, settings)?;
        Ok(self.evaluator.condition(code, &context).map_err(|fault| fault.of(&site.module.name))?)
    }

    /// A value with all code in it evaluated.
    ///
    /// # Errors
    /// Where that cannot be.
    pub fn node(&self, node: &Node, site: Site<'_>, settings: &Settings) -> Result<Node, Nothing> {
        let meanings = self.names(site, |names| names.node(node, Self::each(site)));
        let context = self.context((&meanings, &node.place), site, settings)?;
        Ok(self.evaluator.node(node, &context).map_err(|fault| fault.of(&site.module.name))?)
    }

    /// The entries for which something counts: one without an `each` where there is no `for_each`.
    ///
    /// # Errors
    /// Where they cannot be known.
    pub fn entries(
        &self,
        module: &Instance,
        guard: &Guard,
        settings: &Settings,
    ) -> Result<Vec<Option<EachEntry>>, Nothing> {
        let site = Site { module, each: None };
        let all = match &guard.for_each {
            None => vec![None],
            Some(code) => {
                let meanings = self.names(site, |names| names.bare(code, Each::No));
                let context = self.context((&meanings, &code.place), site, settings)?;
                let entries = self.evaluator.entries(code, &context);
                let entries = entries.map_err(|fault| fault.of(&module.name))?;
                entries.into_iter().map(|(key, value)| Some(EachEntry { key, value: Some(value) })).collect()
            }
        };
        let Some(when) = &guard.when else { return Ok(all) };
        let mut kept = Vec::new();
        for each in all {
            if self.condition(when, Site { module, each: each.as_ref() }, settings)? {
                kept.push(each);
            }
        }
        Ok(kept)
    }
}

/// The most memory that all settings may take together.
const MAX_SIZE: usize = 64 << 20;

/// Computes all options.
pub fn settings(
    machine: &Machine<'_>,
    plans: &Plans<'_>,
    files: &HostFiles,
    faults: &mut Vec<Diagnostic>,
) -> Settings {
    let mut settings = Settings::default();
    let mut size = 0;
    for leaf in &plans.order {
        let Some(plan) = plans.plans.get(leaf) else { continue };
        match setting(machine, (leaf, plan), (files, &settings), faults) {
            Some(setting) => {
                size += setting.value.size();
                settings.values.insert(leaf.clone(), setting);
            }
            None => drop(settings.failed.insert(leaf.clone())),
        }
        if size > MAX_SIZE {
            let error = Diagnostic::error("the settings take more than 64 MiB together");
            let help = "look for options that repeat the values of others";
            faults.push(error.at(plan.decl.place.clone(), "too much from here on").help(help));
            break;
        }
    }
    settings
}

fn setting(
    machine: &Machine<'_>,
    (leaf, plan): (&Leaf, &Plan<'_>),
    (files, settings): (&HostFiles, &Settings),
    faults: &mut Vec<Diagnostic>,
) -> Option<Setting> {
    let mut given = match from_sets(machine, plan, settings) {
        Ok(given) => given,
        Err(Nothing::Known) => return None,
        Err(Nothing::Fault(fault)) => {
            faults.push(*fault);
            return None;
        }
    };
    given.extend(plan.files.iter().map(|(file, node)| Given::of(Layer::File(*file), (*node).clone())));
    let defaults = |node: &Node, key: Option<&Value>| {
        let each = key.map(|key| EachEntry { key: key.clone(), value: None });
        let site = Site { module: plan.module, each: each.as_ref() };
        match machine.node(node, site, settings) {
            Ok(node) => Ok(Some(node)),
            Err(Nothing::Known) => Ok(None),
            Err(Nothing::Fault(fault)) => Err(*fault),
        }
    };
    let at = turned_on(machine.world, files, leaf);
    let replaced = plan.replaced.iter().map(|file| Layer::File(*file)).collect();
    let mut merger = Merger { files, defaults: &defaults, faults, parts: MAX_PARTS, replaced };
    merger.option((&leaf.to_string(), plan.decl), given, None, &at.unwrap_or_else(|| plan.decl.place.clone()))
}

fn from_sets(machine: &Machine<'_>, plan: &Plan<'_>, settings: &Settings) -> Result<Vec<Given>, Nothing> {
    let mut given = Vec::new();
    for part in &plan.sets {
        for each in machine.entries(part.module, &part.set.guard, settings)? {
            let site = Site { module: part.module, each: each.as_ref() };
            let by = SetBy {
                module: part.module.name.clone(),
                when: part.set.guard.when.as_ref().map(|when| when.place.clone()),
                for_each: part
                    .set
                    .guard
                    .for_each
                    .as_ref()
                    .zip(each.as_ref())
                    .map(|(code, each)| (code.place.clone(), each.key.to_string())),
            };
            let node = machine.node(part.node, site, settings)?;
            given.push(Given { by: Some(Arc::new(by)), ..Given::of(Layer::Set, node) });
        }
    }
    Ok(given)
}

/// Where the module of an option is turned on, or has its table, by the strongest file that says so.
fn turned_on(world: &World, files: &HostFiles, leaf: &Leaf) -> Option<Place> {
    let name = leaf.module.to_string();
    let table = files.files.iter().rev().find_map(|file| file.sections.get(&name));
    let named = || world.host.modules.iter().find(|module| module.value == leaf.module);
    let mut required = world.modules.values().flat_map(Instance::required);
    let required = required.find(|(needed, _)| **needed == leaf.module).map(|(_, place)| place);
    let place = table.map(|entry| &entry.key).or_else(|| named().map(|module| &module.place)).or(required);
    place.cloned()
}
