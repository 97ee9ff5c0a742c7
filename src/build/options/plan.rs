//! Who says something about which option, and which option depends on which: known before anything is evaluated.

use std::collections::BTreeMap;

use crate::base::name::Name;
use crate::base::nearest::{advice, nearest};
use crate::base::report::{Diagnostic, Place, enough};
use crate::build::config::host::replacement;
use crate::build::config::keys::mismatch;
use crate::build::config::module::SetDecl;
use crate::build::config::option::OptionDecl;
use crate::build::config::tree::{Data, Entry, Node};
use crate::build::graph::ring_error;
use crate::build::host::HostFiles;
use crate::build::instance::Instance;
use crate::build::names::{Meanings, Names};
use crate::build::options::words::not_for_hosts;
use crate::build::ring;
use crate::build::types::Type;
use crate::build::world::{Each, Leaf, Meaning, World, leaves};

/// What is known of an option before it is evaluated.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Its declaration.
    pub decl: &'a OptionDecl,
    /// The module that declares it.
    pub module: &'a Instance,
    /// What host files say: the file's number, and the value as written.
    pub files: Vec<(usize, &'a Node)>,
    /// The files that replace a table which this is a field of.
    pub replaced: Vec<usize>,
    /// What modules say, in module order.
    pub sets: Vec<SetPart<'a>>,
}

/// The part of a `[[set]]` that is about one option.
#[derive(Debug)]
pub struct SetPart<'a> {
    /// Whose it is.
    pub module: &'a Instance,
    /// The whole.
    pub set: &'a SetDecl,
    /// The value, as written.
    pub node: &'a Node,
}

/// All options, and the order in which they can be computed.
#[derive(Debug)]
pub struct Plans<'a> {
    /// By option.
    pub plans: BTreeMap<Leaf, Plan<'a>>,
    /// Dependencies first.
    pub order: Vec<Leaf>,
}

/// How often options may read each other, a table as often as it has fields.
const MAX_READS: usize = 200_000;

/// Plans the options of a host; all that is wrong with names is reported.
pub fn plans<'a>(world: &'a World, files: &'a HostFiles, faults: &mut Vec<Diagnostic>) -> Plans<'a> {
    let mut planner = Planner { world, plans: BTreeMap::new(), reads: Vec::new(), faults };
    for module in world.modules.values() {
        for (leaf, decl) in leaves(module) {
            let meanings = planner.names(module).option(decl, Each::No);
            planner.depends(&leaf, meanings);
            planner.plans.insert(
                leaf,
                Plan { decl, module, files: Vec::new(), replaced: Vec::new(), sets: Vec::new() },
            );
        }
    }
    for (index, file) in files.files.iter().enumerate() {
        for (name, entry) in &file.sections {
            planner.section(index, name, entry);
        }
    }
    for name in &world.order {
        if let Some(module) = world.modules.get(name) {
            module.file.sets.iter().for_each(|set| planner.set(module, set));
        }
    }
    let order = planner.order();
    Plans { plans: planner.plans, order }
}

struct Planner<'a, 'b> {
    world: &'a World,
    plans: BTreeMap<Leaf, Plan<'a>>,
    reads: Vec<(Leaf, Leaf, Place)>,
    faults: &'b mut Vec<Diagnostic>,
}

impl<'a> Planner<'a, '_> {
    fn names(&mut self, module: &'a Instance) -> Names<'_> {
        Names { world: self.world, module, faults: self.faults }
    }

    fn depends(&mut self, leaf: &Leaf, meanings: Meanings) {
        for (meaning, place) in meanings {
            if let Meaning::Options(read) = meaning
                && self.reads.len() <= MAX_READS
            {
                self.reads.push((leaf.clone(), read, place));
            }
        }
    }

    /// The options of one module in one host file.
    fn section(&mut self, file: usize, name: &str, entry: &'a Entry) {
        let Some(module) = self.world.modules.values().find(|known| known.name.to_string() == name) else {
            let on: Vec<String> = self.world.modules.keys().map(ToString::to_string).collect();
            let help = match nearest(name, on.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`? Else add `{name}` to `modules`"),
                None => match self.world.modules.keys().find(|known| known.module().as_str() == name) {
                    Some(named) => format!("the table of `{named}` is `[\"{named}\"]`"),
                    None => format!("add `{name}` to `modules`, or leave this out"),
                },
            };
            let message = format!("the host has no module `{name}` on");
            self.faults.push(Diagnostic::error(message).at(entry.key.clone(), "").help(help));
            return;
        };
        let Data::Table(table) = &entry.value.data else { return };
        for (key, entry) in &table.entries {
            let leaf = Leaf { module: module.name.clone(), path: vec![key.clone()] };
            match module.file.options.get(key) {
                Some(decl) => self.given(file, &leaf, decl, &entry.value),
                None => self.no_option(module, key, &entry.key),
            }
        }
    }

    fn no_option(&mut self, module: &Instance, key: &str, place: &Place) {
        if enough(self.faults) {
            return;
        }
        let message = format!("module `{}` has no option `{key}`", module.file.name);
        let help = advice(key, module.file.options.keys().map(String::as_str));
        self.faults.push(Diagnostic::error(message).at(place.clone(), "").help(help));
    }

    fn given(&mut self, file: usize, leaf: &Leaf, decl: &OptionDecl, node: &'a Node) {
        if decl.internal {
            self.faults.push(not_for_hosts(&leaf.to_string(), node.place.clone(), decl));
            return;
        }
        let inner = match (&decl.kind, replacement(node)) {
            (Type::Table(fields), Some(inner)) if !fields.contains_key("replace") => {
                let below = |other: &Leaf| other.module == leaf.module && other.path.starts_with(&leaf.path);
                for (_, plan) in self.plans.iter_mut().filter(|(other, _)| *other != leaf && below(other)) {
                    plan.replaced.push(file);
                }
                inner
            }
            _ => node,
        };
        let fields = self.fields(leaf, decl, inner);
        for (leaf, field, entry) in fields.into_iter().flatten() {
            self.given(file, &leaf, field, &entry.value);
        }
        if let Some(plan) = self.plans.get_mut(leaf) {
            plan.files.push((file, node));
        }
    }

    /// The fields of a table that a value sets; `None` where the option is none.
    fn fields<'d>(
        &mut self,
        leaf: &Leaf,
        decl: &'d OptionDecl,
        node: &'a Node,
    ) -> Option<Vec<(Leaf, &'d OptionDecl, &'a Entry)>> {
        let Type::Table(fields) = &decl.kind else { return None };
        let Data::Table(table) = &node.data else {
            let mut fault = mismatch(node, "a table");
            fault.message = format!("`{leaf}`: {}", fault.message);
            self.faults.push(fault.at(decl.place.clone(), "declared here"));
            return None;
        };
        let mut found = Vec::new();
        for (key, entry) in &table.entries {
            let path = leaf.path.iter().chain([key]).cloned().collect();
            if let Some(field) = fields.get(key) {
                found.push((Leaf { module: leaf.module.clone(), path }, field, entry));
            } else if !enough(self.faults) {
                let help = advice(key, fields.keys().map(String::as_str));
                let fault = Diagnostic::error(format!("`{leaf}` has no field `{key}`"));
                self.faults.push(fault.at(entry.key.clone(), "").help(help));
            }
        }
        Some(found)
    }

    fn set(&mut self, module: &'a Instance, set: &'a SetDecl) {
        let guard = self.names(module).guard(&set.guard);
        for (name, entry) in &set.targets.entries {
            let Some(meant) = module.means(name) else {
                let help = advice(name, module.names.keys().map(Name::as_str));
                let message =
                    format!("`{}` cannot set options of `{name}`: it does not name it", module.file.name);
                self.faults.push(Diagnostic::error(message).at(entry.key.clone(), "").help(help));
                continue;
            };
            // What a module says to one that is off is left out.
            let Some(target) = self.world.modules.get(meant) else { continue };
            let Data::Table(table) = &entry.value.data else { continue };
            for (key, entry) in &table.entries {
                let leaf = Leaf { module: meant.clone(), path: vec![key.clone()] };
                match target.file.options.get(key) {
                    Some(decl) => self.set_option((module, set), &leaf, (decl, &entry.value), &guard),
                    None => self.no_option(target, key, &entry.key),
                }
            }
        }
    }

    fn set_option(
        &mut self,
        (module, set): (&'a Instance, &'a SetDecl),
        leaf: &Leaf,
        (decl, node): (&OptionDecl, &'a Node),
        guard: &Meanings,
    ) {
        let fields = self.fields(leaf, decl, node);
        for (leaf, field, entry) in fields.into_iter().flatten() {
            self.set_option((module, set), &leaf, (field, &entry.value), guard);
        }
        if !self.plans.contains_key(leaf) {
            return;
        }
        let each = self.world.entries(&set.guard);
        let mut meanings = self.names(module).node(node, each);
        meanings.extend(guard.iter().cloned());
        self.depends(leaf, meanings);
        if let Some(plan) = self.plans.get_mut(leaf) {
            plan.sets.push(SetPart { module, set, node });
        }
    }

    /// The order of the options; rings are reported, and then there is none.
    fn order(&mut self) -> Vec<Leaf> {
        let leaves: Vec<&Leaf> = self.plans.keys().collect();
        let mut edges: Vec<ring::Edge<&Place>> = Vec::new();
        for (from, read, place) in &self.reads {
            let Ok(from) = leaves.binary_search(&from) else { continue };
            let first = leaves.partition_point(|leaf| *leaf < read);
            let below = |leaf: &Leaf| leaf.module == read.module && leaf.path.starts_with(&read.path);
            let all = leaves[first..].iter().take_while(|leaf| below(leaf));
            let room = MAX_READS.saturating_sub(edges.len()) + 1;
            edges.extend(all.enumerate().take(room).map(|(index, _)| (from, first + index, place)));
        }
        if let (true, Some((.., place))) = (edges.len().max(self.reads.len()) > MAX_READS, self.reads.last())
        {
            let error = Diagnostic::error("the options read each other too often").at(place.clone(), "");
            self.faults.push(error.help("let them read single fields in the place of whole tables"));
            return Vec::new();
        }
        match ring::order(leaves.len(), &edges) {
            Ok(order) => order.into_iter().map(|index| leaves[index].clone()).collect(),
            Err(rings) => {
                for ring in rings {
                    let names: Vec<String> = ring.iter().map(|(leaf, _)| leaves[*leaf].to_string()).collect();
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    let places = ring.iter().map(|(_, place)| *place);
                    let error = ring_error("options depend on each other in a ring", &names, places);
                    self.faults.push(error.help("give one of them a default that reads none of the others"));
                }
                Vec::new()
            }
        }
    }
}
