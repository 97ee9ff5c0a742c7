//! Merging what several say about one option: default < `[[set]]` < import < host.
//!
//! Of one value the strongest wins; lists add up, maps merge by key and tables by field; a default counts only where
//! there is nothing else. A host file may say `{ replace = … }` to drop all that is weaker.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::nearest::advice;
use crate::base::report::{Diagnostic, Place};
use crate::base::value::Value;
use crate::build::config::host::replacement;
use crate::build::config::keys::mismatch;
use crate::build::config::option::OptionDecl;
use crate::build::config::tree::{Data, MAX_ENTRIES, Node};
use crate::build::host::HostFiles;
use crate::build::types::{Type, check};

use super::{Origin, Setting, Strength};

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The declaration of the option.
    Default,
    /// A `[[set]]`.
    Set,
    /// A host file or a fragment, by its number.
    File(usize),
}

/// What somebody says, evaluated.
#[derive(Debug, Clone)]
pub struct Given {
    /// Who.
    pub layer: Layer,
    /// What.
    pub node: Node,
}

/// Gives the default of an option; of a field, for the entry with this key. `None` where its evaluation failed.
pub type Defaults<'a> = dyn Fn(&Node, Option<&str>) -> Result<Option<Node>, Diagnostic> + 'a;

/// Merges.
pub struct Merger<'a> {
    /// Which file is stronger than which.
    pub files: &'a HostFiles,
    /// The defaults.
    pub defaults: &'a Defaults<'a>,
    /// What is wrong so far.
    pub faults: &'a mut Vec<Diagnostic>,
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
        each: Option<&str>,
        at: &Place,
    ) -> Option<Setting> {
        let part = Part { name, decl, kind: &decl.kind };
        let given = self.kept(given);
        if !given.is_empty() || matches!(decl.kind, Type::Table(_)) {
            return self.part(part, &given, each);
        }
        if let Some(node) = &decl.default {
            let node = (self.defaults)(node, each).map_err(|fault| self.faults.push(fault)).ok()??;
            return self.part(part, &[Given { layer: Layer::Default, node }], each);
        }
        let nothing = match &decl.kind {
            _ if decl.optional => Value::None,
            Type::Map(item) if matches!(**item, Type::Table(_)) => Value::Map(BTreeMap::new()),
            _ => {
                let error = Diagnostic::error(format!("`{name}` must be set"))
                    .at(at.clone(), "needed here")
                    .at(decl.place.clone(), "declared here, without a default");
                self.faults.push(advice_for(error, decl));
                return None;
            }
        };
        Some(Setting { value: nothing, origins: Vec::new() })
    }

    /// Drops what is replaced by something stronger.
    fn kept(&self, given: Vec<Given>) -> Vec<Given> {
        let replacing: Vec<Layer> = given
            .iter()
            .filter(|given| matches!(given.layer, Layer::File(_)) && replacement(&given.node).is_some())
            .map(|given| given.layer)
            .collect();
        let dropped = |given: &Given| replacing.iter().any(|layer| self.stronger(*layer, given.layer));
        let kept = given.into_iter().filter(|given| !dropped(given));
        kept.map(|given| match (given.layer, replacement(&given.node)) {
            (Layer::File(_), Some(node)) => Given { layer: given.layer, node: node.clone() },
            _ => given,
        })
        .collect()
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

    fn part(&mut self, part: Part<'_>, given: &[Given], each: Option<&str>) -> Option<Setting> {
        if part.decl.optional
            && let [only] = given
            && only.node.data == Data::None
        {
            return Some(Setting { value: Value::None, origins: vec![self.origin(only)] });
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
                Ok(value) => values.push((given, value)),
                Err(misfit) => {
                    let place = given.node.place.clone();
                    let code = !matches!(given.layer, Layer::File(_)) && is_code(&place);
                    let help = if code {
                        format!(
                            "this expression gives {}; a filter could change that",
                            given.node.data.kind()
                        )
                    } else {
                        misfit.help
                    };
                    self.fault(part, Diagnostic::error(misfit.message).at(place, "").help(help));
                }
            }
        }
        if values.len() < given.len() {
            return None;
        }
        let strongest: Vec<&(&Given, Value)> = values
            .iter()
            .filter(|(one, _)| !values.iter().any(|(other, _)| self.stronger(other.layer, one.layer)))
            .collect();
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
        let origins = strongest.iter().map(|(given, _)| self.origin(given)).collect();
        Some(Setting { value: value.clone(), origins })
    }

    fn list(&mut self, part: Part<'_>, (item, repeat): (&Type, bool), given: &[Given]) -> Option<Setting> {
        let before = self.faults.len();
        let (mut values, mut origins) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        let mut whole = true;
        for given in given {
            let Data::List(nodes) = &given.node.data else {
                self.fault(part, mismatch(&given.node, "a list"));
                continue;
            };
            origins.push(self.origin(given));
            for node in nodes {
                let given = Given { layer: given.layer, node: node.clone() };
                let inner = Part { kind: item, ..part };
                let Some(setting) = self.part(inner, &[given], None) else {
                    whole = false;
                    continue;
                };
                if repeat || seen.insert(setting.value.to_string()) {
                    values.push(setting.value);
                }
            }
        }
        self.bounded(part, values.len(), given);
        (whole && self.faults.len() == before).then_some(Setting { value: Value::List(values), origins })
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
                all.push(Given { layer: given.layer, node: entry.value.clone() });
            }
        }
        self.bounded(part, entries.len(), given);
        let mut values = BTreeMap::new();
        let mut whole = true;
        for (key, (_, all)) in entries {
            let name = format!("{}.{key}", part.name);
            let inner = Part { name: &name, kind: item, ..part };
            let all = self.kept(all);
            match self.part(inner, &all, Some(key)) {
                Some(setting) => drop(values.insert(key.to_owned(), setting.value)),
                None => whole = false,
            }
        }
        let origins = given.iter().map(|given| self.origin(given)).collect();
        (whole && self.faults.len() == before).then_some(Setting { value: Value::Map(values), origins })
    }

    fn table(
        &mut self,
        name: &str,
        fields: &BTreeMap<String, OptionDecl>,
        given: &[Given],
        each: Option<&str>,
    ) -> Option<Setting> {
        let before = self.faults.len();
        let mut by_field: BTreeMap<&str, Vec<Given>> = BTreeMap::new();
        for given in given {
            let Data::Table(table) = &given.node.data else {
                self.faults.push(mismatch(&given.node, "a table"));
                continue;
            };
            for (key, entry) in &table.entries {
                if fields.contains_key(key) {
                    let given = Given { layer: given.layer, node: entry.value.clone() };
                    by_field.entry(key).or_default().push(given);
                } else {
                    let help = advice(key, fields.keys().map(String::as_str));
                    let error = Diagnostic::error(format!("`{name}` has no field `{key}`"));
                    self.faults.push(error.at(entry.key.clone(), "").help(help));
                }
            }
        }
        let mut values = BTreeMap::new();
        let mut whole = true;
        for (field, decl) in fields {
            let name = format!("{name}.{field}");
            let at = given.first().map_or(&decl.place, |given| &given.node.place).clone();
            let given = by_field.remove(field.as_str()).unwrap_or_default();
            match self.option((&name, decl), given, each, &at) {
                Some(setting) => drop(values.insert(field.clone(), setting.value)),
                None => whole = false,
            }
        }
        let origins = given.iter().map(|given| self.origin(given)).collect();
        (whole && self.faults.len() == before).then_some(Setting { value: Value::Map(values), origins })
    }

    fn bounded(&mut self, part: Part<'_>, len: usize, given: &[Given]) {
        if let (true, Some(given)) = (len > MAX_ENTRIES, given.last()) {
            let fault = Diagnostic::error(format!("{len} entries")).at(given.node.place.clone(), "");
            self.fault(part, fault.help("10,000 are the most"));
        }
    }
}

/// What is said about an option that must be set.
fn advice_for(mut error: Diagnostic, decl: &OptionDecl) -> Diagnostic {
    if !decl.description.is_empty() {
        error = error.help(decl.description.as_str());
    }
    match decl.example.as_ref().and_then(|node| node.place.source.text.get(node.place.span.clone())) {
        Some(text) if !text.contains('\n') => error.help(format!("for example `{text}`")),
        _ => error,
    }
}

/// Whether a value comes from an expression, going by what is written at its place.
fn is_code(place: &Place) -> bool {
    place.source.text.get(place.span.clone()).is_some_and(|text| text.contains("{{"))
}
