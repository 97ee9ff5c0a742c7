//! The settings of a host and their parts, each with what was said about it.

use crate::base::name::InstanceName;
use crate::base::value::Value;
use crate::build::options::Strength;
use crate::build::options::history::{Definition, History, cut};
use crate::store::provenance::{self as stored, Setting};

use super::{Builder, Scope};

/// The most parts of settings of a host.
const MAX_PARTS: usize = 20_000;

/// The name of an entry of a map or a field of a table.
pub(super) fn part_of_map(name: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if plain { format!("{name}.{key}") } else { format!("{name}.{key:?}") }
}

impl<'a> Builder<'a> {
    /// Notes all settings; then what was said about them, which may have been computed from any of them.
    pub(super) fn settings(&mut self) {
        let compiled = self.compiled;
        let mut told: Vec<(usize, Option<&'a InstanceName>, &'a History)> = Vec::new();
        let host = &compiled.host;
        let name = Value::Str(host.name.to_string());
        self.name("host.name".to_owned(), &name);
        for (key, text) in &host.texts {
            let index = self.name(format!("host.{key}"), &Value::Str(text.value.clone()));
            told.extend(host.histories.get(key).map(|history| (index, None, history)));
        }
        for (leaf, setting) in &compiled.settings.values {
            let whole = (leaf.to_string(), &setting.value, &setting.history);
            self.with_parts(&leaf.module, whole, &mut told);
        }
        for (index, module, history) in told {
            let definitions: Vec<stored::Definition> =
                history.definitions.iter().map(|definition| self.definition(module, definition)).collect();
            self.out.settings[index].definitions = definitions;
        }
    }

    fn name(&mut self, name: String, value: &Value) -> usize {
        let index = self.out.settings.len();
        self.setting_indices.insert(name.clone(), index);
        let value = cut(self.portable(value));
        self.out.settings.push(Setting { name, value, definitions: Vec::new() });
        index
    }

    /// A value in which files are named as sources are: the same wherever it is compiled.
    fn portable(&self, value: &Value) -> Value {
        match value {
            Value::File(file) => Value::Str((self.shown)(&file.path)),
            Value::List(items) => Value::List(items.iter().map(|item| self.portable(item)).collect()),
            Value::Map(items) => {
                Value::Map(items.iter().map(|(key, item)| (key.clone(), self.portable(item))).collect())
            }
            other => other.clone(),
        }
    }

    fn with_parts(
        &mut self,
        module: &'a InstanceName,
        (name, value, history): (String, &Value, &'a History),
        told: &mut Vec<(usize, Option<&'a InstanceName>, &'a History)>,
    ) {
        let index = self.name(name.clone(), value);
        told.push((index, Some(module), history));
        for (key, part) in &history.parts {
            if self.out.settings.len() >= MAX_PARTS {
                self.left_out.parts = true;
                return;
            }
            let (name, value) = match value {
                Value::List(items) => {
                    let item = key.parse::<usize>().ok().and_then(|index| items.get(index));
                    (format!("{name}[{key}]"), item)
                }
                Value::Map(items) => (part_of_map(&name, key), items.get(key)),
                _ => continue,
            };
            if let Some(value) = value {
                self.with_parts(module, (name, value, part), told);
            }
        }
    }

    fn definition(&mut self, module: Option<&InstanceName>, definition: &Definition) -> stored::Definition {
        let by = definition.by.as_deref();
        let place = &definition.origin.place;
        let (mut conditions, mut settings) = (Vec::new(), Vec::new());
        // The code of a default is its module's, that of a set the setter's; hosts and imports have none.
        let code = match definition.origin.strength {
            Strength::Default => module,
            Strength::Set => by.map(|by| &by.module),
            Strength::Import | Strength::Host => None,
        };
        if let Some(module) = code {
            let scope = Scope { module, each: None, decl: None };
            settings = self.read(scope, place);
            let for_each = by.and_then(|by| by.for_each.as_ref()).map(|(place, _)| place);
            let when = by.and_then(|by| by.when.as_ref());
            for (kind, place) in [("for_each", for_each), ("when", when)] {
                conditions.extend(place.map(|place| self.condition(kind, scope, place)));
            }
        }
        stored::Definition {
            at: self.spot(place),
            strength: definition.origin.strength.as_str().to_owned(),
            counts: definition.counts.as_str().to_owned(),
            given: definition.given.clone(),
            entry: by.and_then(|by| by.for_each.as_ref()).map(|(_, key)| cut(key)),
            conditions,
            settings,
        }
    }
}
