//! Checking the names in all code of a module, before any of it is evaluated.

use crate::base::report::{Diagnostic, Place};

use super::config::module::Guard;
use super::config::option::OptionDecl;
use super::config::tree::{Data, Node, Placed};
use super::instance::Instance;
use super::scan::{Found, Locals, Stand, expression, only_hole, template};
use super::types::Type;
use super::world::{Each, Meaning, World};

/// What code means, name by name.
pub type Meanings = Vec<(Meaning, Place)>;

/// Looks at the code of one module.
pub struct Names<'a> {
    /// All modules.
    pub world: &'a World,
    /// Whose code it is.
    pub module: &'a Instance,
    /// What is wrong so far.
    pub faults: &'a mut Vec<Diagnostic>,
}

impl Names<'_> {
    fn meanings(&mut self, found: Option<&Found>, each: Each<'_>) -> Meanings {
        let world = self.world;
        found.map(|found| world.meanings(self.module, found, each, self.faults)).unwrap_or_default()
    }

    /// The names in a bare expression.
    pub fn bare(&mut self, code: &Placed<String>, each: Each<'_>) -> Meanings {
        let found = expression(&code.value, Stand::String(&code.place), self.faults);
        self.meanings(found.as_ref(), each)
    }

    /// The names in `when` and `for_each`.
    pub fn guard(&mut self, guard: &Guard) -> Meanings {
        let mut meanings = guard.for_each.as_ref().map(|code| self.bare(code, Each::No)).unwrap_or_default();
        let world = self.world;
        meanings.extend(guard.when.iter().flat_map(|code| self.bare(code, world.entries(guard))));
        meanings
    }

    fn string(&mut self, text: &str, place: &Place, each: Each<'_>) -> Meanings {
        if !text.contains("{{") {
            return Meanings::new();
        }
        let found = match only_hole(text) {
            Some((code, shift)) => expression(code, Stand::Part(place, shift), self.faults),
            None => template(text, Stand::String(place), &Locals::new(), self.faults),
        };
        self.meanings(found.as_ref(), each)
    }

    /// The names in all strings of a value, keys too.
    pub fn node(&mut self, node: &Node, each: Each<'_>) -> Meanings {
        match &node.data {
            Data::Str(text) => self.string(text, &node.place, each),
            Data::List(items) => items.iter().flat_map(|item| self.node(item, each)).collect(),
            Data::Table(table) => {
                let mut meanings = Meanings::new();
                for (key, entry) in &table.entries {
                    meanings.extend(self.string(key, &entry.key, each));
                    meanings.extend(self.node(&entry.value, each));
                }
                meanings
            }
            _ => Meanings::new(),
        }
    }

    /// The names in the defaults of an option and of the fields of its entries.
    pub fn option(&mut self, option: &OptionDecl, each: Each<'_>) -> Meanings {
        let mut meanings = option.default.as_ref().map(|node| self.node(node, each)).unwrap_or_default();
        let mut kind = &option.kind;
        while let Type::Map(item) | Type::List { item, .. } = kind {
            kind = item;
        }
        if let Type::Table(fields) = kind {
            meanings.extend(fields.values().flat_map(|field| self.option(field, Each::Key)));
        }
        meanings
    }

    /// Checks what is neither an option nor a set: rules, artifacts and facts.
    pub fn rest(&mut self) {
        let (world, module) = (self.world, self.module);
        for rule in &module.file.rules {
            let each = world.entries(&rule.guard);
            self.guard(&rule.guard);
            rule.that.iter().for_each(|that| {
                self.bare(that, each);
            });
            self.node(&rule.message, each);
        }
        for artifact in &module.file.artifacts {
            let each = world.entries(&artifact.guard);
            self.guard(&artifact.guard);
            for node in artifact.keys.values() {
                self.node(node, each);
            }
        }
        for fact in &module.file.facts {
            let each = world.entries(&fact.guard);
            self.guard(&fact.guard);
            for node in fact.keys.values() {
                self.node(node, each);
            }
        }
    }
}
