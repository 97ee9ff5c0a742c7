//! Merging what several say about one option: default < `[[set]]` < import < host.
//!
//! Of one value the strongest wins; lists add up, maps merge by key and tables by field; a default counts only where
//! there is nothing else. A host file may say `{ replace = … }` to drop all that is weaker.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::nearest::{advice, nearest};
use crate::base::report::{Diagnostic, Place, enough};
use crate::base::value::{Secret, Value};
use crate::build::config::host::replacement;
use crate::build::config::keys::mismatch;
use crate::build::config::option::OptionDecl;
use crate::build::config::tree::{Data, MAX_ENTRIES, Node};
use crate::build::host::HostFiles;
use crate::build::types::{Scalar, Type, check};

use super::given::{Given, Layer};
use super::history::{Counts, Definition, History, given as shown, unused};
use super::words::{advice_for, credential, not_for_hosts, unfit};
use super::{Origin, Setting, Strength};

/// The most entries of one option whose definitions are kept.
pub const MAX_PARTS: usize = 1000;

/// Gives the default of an option; of a field, for the entry with this key. `None` where its evaluation failed.
pub type Defaults<'a> = dyn Fn(&Node, Option<&Value>) -> Result<Option<Node>, Diagnostic> + 'a;

/// Merges.
pub struct Merger<'a> {
    /// Which file is stronger than which.
    pub files: &'a HostFiles,
    /// The defaults.
    pub defaults: &'a Defaults<'a>,
    /// What is wrong so far.
    pub faults: &'a mut Vec<Diagnostic>,
    /// Of how many entries the definitions can still be kept.
    pub parts: usize,
    /// Who replaces the table that the option is a field of.
    pub replaced: Vec<Layer>,
}

/// The option or the part of it that is being merged.
#[derive(Clone, Copy)]
struct Part<'a> {
    /// Its name, for messages.
    name: &'a str,
    /// The option, or field, that declares it.
    decl: &'a OptionDecl,
    /// Its type.
    kind: &'a Type,
}

impl Merger<'_> {
    /// The setting of an option, or of a field of the entry with the key `each`; `at` is shown where it is missing.
    pub fn option(
        &mut self,
        (name, decl): (&str, &OptionDecl),
        given: Vec<Given>,
        each: Option<&Value>,
        at: &Place,
    ) -> Option<Setting> {
        let part = Part { name, decl, kind: &decl.kind };
        let above = std::mem::take(&mut self.replaced);
        let (given, mut unheard) = self.kept(above, given);
        let (given, weak) = if decl.optional { self.without_weak_none(given) } else { (given, Vec::new()) };
        unheard.extend(weak);
        if let Some(nothing) = self.nothing(decl, &given) {
            unheard.extend(decl.default.as_ref().map(unused));
            return Some(Setting { history: nothing.history.and(unheard), ..nothing });
        }
        if !given.is_empty() || matches!(decl.kind, Type::Table(_)) {
            let setting = self.part(part, &given, each)?;
            unheard.extend(decl.default.as_ref().map(unused));
            return Some(Setting { history: setting.history.and(unheard), ..setting });
        }
        if let Some(node) = &decl.default {
            let node = (self.defaults)(node, each).map_err(|fault| self.faults.push(fault)).ok()??;
            let given = [Given::of(Layer::Default, node)];
            let setting = self.nothing(decl, &given).or_else(|| self.part(part, &given, each))?;
            return Some(Setting { history: setting.history.and(unheard), ..setting });
        }
        let nothing = match &decl.kind {
            _ if decl.optional => Value::None,
            Type::Map(item) if matches!(**item, Type::Table(_)) => Value::Map(BTreeMap::new()),
            Type::List { item, .. } if matches!(**item, Type::Table(_)) => Value::List(Vec::new()),
            _ => {
                let error = Diagnostic::error(format!("`{name}` must be set"))
                    .at(at.clone(), "needed here")
                    .at(decl.place.clone(), "declared here, without a default");
                self.faults.push(advice_for(error, decl));
                return None;
            }
        };
        Some(Setting { value: nothing, history: History::default() })
    }

    /// Drops each none that something stronger overrides; that is said too.
    fn without_weak_none(&self, given: Vec<Given>) -> (Vec<Given>, Vec<Definition>) {
        let weak = self.weak(&given);
        let (weak, kept): (Vec<Given>, Vec<Given>) =
            given.into_iter().partition(|given| given.node.data == Data::None && weak.contains(&given.layer));
        (kept, self.definitions(&weak, Counts::Overridden))
    }

    /// The setting of an optional option for which expressions give none.
    fn nothing(&self, decl: &OptionDecl, given: &[Given]) -> Option<Setting> {
        let none = !given.is_empty() && given.iter().all(|given| given.node.data == Data::None);
        let history = || History::new(self.definitions(given, Counts::Wins));
        (decl.optional && none).then(|| Setting { value: Value::None, history: history() })
    }

    /// Drops what is replaced by something stronger, here or above; that is said too.
    fn kept(&self, mut replacing: Vec<Layer>, given: Vec<Given>) -> (Vec<Given>, Vec<Definition>) {
        let is_file = |given: &&Given| matches!(given.layer, Layer::File(_));
        let here = given.iter().filter(is_file).filter(|given| replacement(&given.node).is_some());
        replacing.extend(here.map(|given| given.layer));
        let dropped = |given: &Given| replacing.iter().any(|layer| self.stronger(*layer, given.layer));
        let (replaced, kept): (Vec<Given>, Vec<Given>) = given.into_iter().partition(dropped);
        let kept = kept.into_iter().map(|given| match (given.layer, replacement(&given.node)) {
            (Layer::File(_), Some(node)) => given.part(node),
            _ => given,
        });
        (kept.collect(), self.definitions(&replaced, Counts::Replaced))
    }

    /// The layers of what is given that another of them overrides.
    fn weak(&self, given: &[Given]) -> BTreeSet<Layer> {
        let layers: BTreeSet<Layer> = given.iter().map(|given| given.layer).collect();
        let weak = |one: &&Layer| layers.iter().any(|other| self.stronger(*other, **one));
        layers.iter().filter(weak).copied().collect()
    }

    fn stronger(&self, one: Layer, other: Layer) -> bool {
        match (one, other) {
            (Layer::File(one), Layer::File(other)) => self.files.below[one].contains(&other),
            (one, other) => one > other,
        }
    }

    fn origin(&self, given: &Given) -> Origin {
        let strength = match given.layer {
            Layer::Default => Strength::Default,
            Layer::Set => Strength::Set,
            Layer::File(file) if file + 1 == self.files.files.len() => Strength::Host,
            Layer::File(_) => Strength::Import,
        };
        Origin { place: given.node.place.clone(), strength }
    }

    fn definitions(&self, given: &[Given], counts: Counts) -> Vec<Definition> {
        given.iter().map(|given| self.definition(given, counts)).collect()
    }

    fn definition(&self, given: &Given, counts: Counts) -> Definition {
        let by = given.by.clone();
        Definition { origin: self.origin(given), given: shown(&given.node.data), counts, by }
    }

    /// The history of a value to which all that is given adds; `parts` are its entries.
    fn history(&mut self, given: &[Given], mut parts: Vec<(String, History)>) -> History {
        parts.truncate(self.parts);
        self.parts -= parts.len();
        History { parts, ..History::new(self.definitions(given, Counts::Adds)) }
    }

    fn part(&mut self, part: Part<'_>, given: &[Given], each: Option<&Value>) -> Option<Setting> {
        if enough(self.faults) {
            return None;
        }
        match part.kind {
            Type::Scalar(_) => self.scalar(part, given),
            Type::List { item, repeat } => self.list(part, (item, *repeat), given),
            Type::Map(item) => self.map(part, item, given),
            Type::Table(fields) => self.table(part.name, fields, given, each),
        }
    }

    fn fault(&mut self, part: Part<'_>, diagnostic: Diagnostic) {
        let mut diagnostic = diagnostic;
        diagnostic.message = format!("`{}`: {}", part.name, diagnostic.message);
        self.faults.push(diagnostic.at(part.decl.place.clone(), "declared here"));
    }

    fn scalar(&mut self, part: Part<'_>, given: &[Given]) -> Option<Setting> {
        let Type::Scalar(scalar) = part.kind else { return None };
        let mut values = Vec::new();
        for given in given {
            match check(scalar, &given.node.data) {
                Ok(Value::Secret(secret)) => {
                    let secret = Secret { name: credential(part.name), ..secret };
                    values.push((given, Value::Secret(secret)));
                }
                Ok(value) => values.push((given, value)),
                Err(misfit) => self.fault(part, unfit(misfit, scalar, given)),
            }
        }
        if values.len() < given.len() {
            return None;
        }
        let weak = self.weak(given);
        let is_weak = |one: &Given| weak.contains(&one.layer);
        let strongest: Vec<&(&Given, Value)> = values.iter().filter(|(one, _)| !is_weak(one)).collect();
        let (first, value) = strongest.first()?;
        if let Some((other, _)) = strongest.iter().find(|(_, other)| other != value) {
            self.faults.push(
                Diagnostic::error(format!("`{}` has two values of equal strength", part.name))
                    .at(other.node.place.clone(), "this")
                    .at(first.node.place.clone(), "and this")
                    .help("keep one of them, or set it in the host file, which is the strongest"),
            );
            return None;
        }
        let definitions = values.iter().map(|(one, _)| {
            self.definition(one, if is_weak(one) { Counts::Overridden } else { Counts::Wins })
        });
        Some(Setting { value: value.clone(), history: History::new(definitions.collect()) })
    }

    fn list(&mut self, part: Part<'_>, (item, repeat): (&Type, bool), given: &[Given]) -> Option<Setting> {
        let before = self.faults.len();
        let (mut values, mut parts) = (Vec::new(), Vec::<(String, History)>::new());
        let mut seen = BTreeMap::new();
        let (mut whole, mut index) = (true, 0);
        for given in given {
            let Data::List(nodes) = &given.node.data else {
                self.fault(part, mismatch(&given.node, "a list"));
                continue;
            };
            for node in nodes {
                let name = format!("{}[{index}]", part.name);
                let is_one = matches!(item, Type::Scalar(scalar) if !matches!(scalar, Scalar::Secret));
                let name = if is_one { part.name } else { &name };
                let inner = Part { name, kind: item, ..part };
                let Some(setting) = self.part(inner, &[given.part(node)], Some(&Value::Int(index))) else {
                    (whole, index) = (false, index + 1);
                    continue;
                };
                let first = if repeat {
                    values.len()
                } else {
                    *seen.entry(setting.value.to_string()).or_insert(values.len())
                };
                if first < values.len() {
                    // Said again: one entry with two definitions.
                    let again = setting.history.definitions;
                    parts
                        .get_mut(first)
                        .iter_mut()
                        .for_each(|(_, part)| part.definitions.extend(again.clone()));
                    continue;
                }
                if parts.len() < MAX_PARTS {
                    parts.push((values.len().to_string(), setting.history));
                }
                values.push(setting.value);
                index += 1;
            }
        }
        self.bounded(part, values.len(), given);
        let history = self.history(given, parts);
        (whole && self.faults.len() == before).then_some(Setting { value: Value::List(values), history })
    }

    fn map(&mut self, part: Part<'_>, item: &Type, given: &[Given]) -> Option<Setting> {
        let before = self.faults.len();
        let mut entries: BTreeMap<&str, (&Place, Vec<Given>)> = BTreeMap::new();
        for given in given {
            let Data::Table(table) = &given.node.data else {
                self.fault(part, mismatch(&given.node, "a table"));
                continue;
            };
            for (key, entry) in &table.entries {
                if key.is_empty() || key.chars().any(char::is_control) {
                    let fault = Diagnostic::error("a key is a text of one line").at(entry.key.clone(), "");
                    self.fault(part, fault.help("choose another name"));
                }
                let (_, all) = entries.entry(key).or_insert_with(|| (&entry.key, Vec::new()));
                all.push(given.part(&entry.value));
            }
        }
        self.bounded(part, entries.len(), given);
        let (mut values, mut parts) = (BTreeMap::new(), Vec::new());
        let mut whole = true;
        for (key, (_, all)) in entries {
            let name = format!("{}.{key}", part.name);
            let inner = Part { name: &name, kind: item, ..part };
            let (all, replaced) = self.kept(Vec::new(), all);
            match self.part(inner, &all, Some(&Value::Str(key.to_owned()))) {
                Some(setting) => {
                    values.insert(key.to_owned(), setting.value);
                    parts.push((key.to_owned(), setting.history.and(replaced)));
                }
                None => whole = false,
            }
        }
        let history = self.history(given, parts);
        (whole && self.faults.len() == before).then_some(Setting { value: Value::Map(values), history })
    }

    fn table(
        &mut self,
        name: &str,
        fields: &BTreeMap<String, OptionDecl>,
        given: &[Given],
        each: Option<&Value>,
    ) -> Option<Setting> {
        let before = self.faults.len();
        let mut by_field: BTreeMap<&str, Vec<Given>> = BTreeMap::new();
        let mut misspelt = BTreeSet::new();
        for given in given {
            let Data::Table(table) = &given.node.data else {
                let mut fault = mismatch(&given.node, "a table");
                fault.message = format!("`{name}`: {}", fault.message);
                self.faults.push(fault);
                return None;
            };
            for (key, entry) in &table.entries {
                if let Some(field) = fields.get(key) {
                    if field.internal && matches!(given.layer, Layer::File(_)) {
                        let name = format!("{name}.{key}");
                        self.faults.push(not_for_hosts(&name, entry.value.place.clone(), field));
                    }
                    by_field.entry(key).or_default().push(given.part(&entry.value));
                } else if !enough(self.faults) {
                    misspelt.extend(nearest(key, fields.keys().map(String::as_str)));
                    let help = advice(key, fields.keys().map(String::as_str));
                    let error = Diagnostic::error(format!("`{name}` has no field `{key}`"));
                    self.faults.push(error.at(entry.key.clone(), "").help(help));
                }
            }
        }
        let (mut values, mut parts) = (BTreeMap::new(), Vec::new());
        let mut whole = true;
        for (field, decl) in fields {
            let name = format!("{name}.{field}");
            let at = given.first().map_or(&decl.place, |given| &given.node.place).clone();
            let given = by_field.remove(field.as_str()).unwrap_or_default();
            // That it is not set follows from what was said.
            if given.is_empty() && misspelt.contains(field.as_str()) {
                continue;
            }
            match self.option((&name, decl), given, each, &at) {
                Some(setting) => {
                    values.insert(field.clone(), setting.value);
                    parts.push((field.clone(), setting.history));
                }
                None => whole = false,
            }
        }
        let history = self.history(given, parts);
        (whole && self.faults.len() == before).then_some(Setting { value: Value::Map(values), history })
    }

    fn bounded(&mut self, part: Part<'_>, len: usize, given: &[Given]) {
        if let (true, Some(given)) = (len > MAX_ENTRIES, given.last()) {
            let fault = Diagnostic::error(format!("{len} entries")).at(given.node.place.clone(), "");
            self.fault(part, fault.help("10,000 are the most"));
        }
    }
}
