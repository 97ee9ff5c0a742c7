//! The host that its file and the fragments describe together: `[host]`, merged.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::name::{HostName, InstanceName, ModuleName};
use crate::base::report::{Diagnostic, Place};
use crate::base::value::Value;

use super::artifact::Target;
use super::config::host::{Binding, HOST_TEXTS, HostFile, python_of};
use super::config::tree::Placed;
use super::options::history::{Counts, Definition, History};
use super::options::{Origin, Strength};

/// A host file and all that it imports: a file comes behind what it imports, the host's own is the last.
#[derive(Debug)]
pub struct HostFiles {
    /// The files.
    pub files: Vec<HostFile>,
    /// For each file those that it imports, directly or not: it is stronger than they are.
    pub below: Vec<BTreeSet<usize>>,
}

/// What `[host]` says.
#[derive(Debug)]
pub struct Host {
    /// The stem of the host file.
    pub name: HostName,
    /// For what it is compiled.
    pub target: Target,
    /// The texts of `[host]`, by name.
    pub texts: BTreeMap<&'static str, Placed<String>>,
    /// Who said what about them.
    pub histories: BTreeMap<&'static str, History>,
    /// The paths, units and users of which those of somebody else are taken over.
    pub adopt: Vec<Placed<String>>,
    /// The modules that it turns on, as written.
    pub modules: Vec<Placed<InstanceName>>,
}

impl Host {
    /// What expressions see as `host.<name>`: a text, or none.
    #[must_use]
    pub fn text(&self, name: &str) -> Value {
        if name == "name" {
            return Value::Str(self.name.as_str().to_owned());
        }
        self.texts.get(name).map_or(Value::None, |text| Value::Str(text.value.clone()))
    }
}

impl HostFiles {
    /// Of some files those that no other of them is stronger than.
    #[must_use]
    pub fn strongest(&self, files: &BTreeSet<usize>) -> BTreeSet<usize> {
        let weaker = |file: &usize| files.iter().any(|other| self.below[*other].contains(file));
        files.iter().copied().filter(|file| !weaker(file)).collect()
    }

    /// The modules that are on by name, weakest file first, each once.
    #[must_use]
    pub fn modules(&self) -> Vec<Placed<InstanceName>> {
        let mut dropped: BTreeSet<usize> = BTreeSet::new();
        for (index, file) in self.files.iter().enumerate() {
            if file.replace_modules {
                dropped.extend(&self.below[index]);
            }
        }
        let mut found: Vec<Placed<InstanceName>> = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            for module in &file.modules {
                if !dropped.contains(&index) && found.iter().all(|other| other.value != module.value) {
                    found.push(module.clone());
                }
            }
        }
        found
    }

    /// The host, merged.
    pub fn host(&self, name: HostName, faults: &mut Vec<Diagnostic>) -> Option<Host> {
        let mut texts = BTreeMap::new();
        for key in HOST_TEXTS {
            if let Some(text) = self.text(key, faults) {
                texts.insert(key, text);
            }
        }
        let histories = HOST_TEXTS.into_iter().map(|key| (key, self.history(key))).collect();
        let mut needed = |key: &str| {
            let text = texts.get(key).map(|text: &Placed<String>| text.value.clone());
            if text.is_none() {
                faults.push(self.missing(key));
            }
            text
        };
        let (system, arch, python) = (needed("system"), needed("arch"), needed("python"));
        let target = Target { system: system?, arch: arch?, python: python? };
        faults.extend(other_python(&target, &texts));
        let adopt = self.files.iter().flat_map(|file| file.adopt.iter().cloned()).collect();
        Some(Host { name, target, texts, histories, adopt, modules: self.modules() })
    }

    /// What the host says of a text of `[host]`.
    pub fn text(&self, key: &'static str, faults: &mut Vec<Diagnostic>) -> Option<Placed<String>> {
        let said = self.files.iter().map(|file| file.texts.get(key)).collect();
        self.one((&format!("host.{key}"), said), |text| text, faults).cloned()
    }

    /// Of what each file says, or does not, that of the strongest, which must agree.
    fn one<'a, T, V: PartialEq + 'a>(
        &self,
        (name, said): (&str, Vec<Option<&'a T>>),
        value: impl Fn(&'a T) -> &'a Placed<V>,
        faults: &mut Vec<Diagnostic>,
    ) -> Option<&'a T> {
        let having = (0..said.len()).filter(|file| said[*file].is_some()).collect();
        let strongest = self.strongest(&having);
        let mut all = strongest.iter().filter_map(|file| said[*file]);
        let first = all.next()?;
        if let Some(other) = all.map(&value).find(|other| other.value != value(first).value) {
            faults.push(
                Diagnostic::error(format!("`{name}` has two values of equal strength"))
                    .at(other.place.clone(), "this")
                    .at(value(first).place.clone(), "and this")
                    .help("set it in the host file, which is stronger than what it imports"),
            );
        }
        Some(first)
    }

    /// Which instances the names of modules mean in an instance, where that is said.
    pub fn bindings(&self, of: &InstanceName, faults: &mut Vec<Diagnostic>) -> BTreeMap<ModuleName, Binding> {
        let of = of.to_string();
        let tables: Vec<_> = self.files.iter().map(|file| file.binds.get(&of)).collect();
        let names: BTreeSet<&ModuleName> = tables.iter().flatten().flat_map(|table| table.keys()).collect();
        let mut found = BTreeMap::new();
        for name in names {
            let said = tables.iter().map(|table| table.and_then(|table| table.get(name))).collect();
            let one = self.one((&format!("{of}.bind.{name}"), said), |binding| &binding.to, faults);
            found.extend(one.map(|binding| (name.clone(), binding.clone())));
        }
        found
    }

    fn history(&self, key: &str) -> History {
        let having: BTreeSet<usize> =
            (0..self.files.len()).filter(|file| self.files[*file].texts.contains_key(key)).collect();
        let strongest = self.strongest(&having);
        let definitions = having.iter().filter_map(|file| {
            let text = self.files[*file].texts.get(key)?;
            let strength = if file + 1 == self.files.len() { Strength::Host } else { Strength::Import };
            Some(Definition {
                origin: Origin { place: text.place.clone(), strength },
                given: format!("{:?}", text.value),
                counts: if strongest.contains(file) { Counts::Wins } else { Counts::Overridden },
                by: None,
            })
        });
        History::new(definitions.collect())
    }

    fn missing(&self, key: &str) -> Diagnostic {
        let mut error = Diagnostic::error(format!("`host.{key}` is not set"));
        let example = match key {
            "system" => "debian-12",
            "arch" => "x86_64",
            _ => "3.11",
        };
        error.places.extend(self.head().map(|place| (place, String::new())));
        error.help(format!(
            "add a line `{key} = \"{example}\"` to `[host]`: it is part of what the bundle is compiled for"
        ))
    }

    /// Where the host file has its `[host]`, or would have it.
    #[must_use]
    pub fn head(&self) -> Option<Place> {
        let source = &self.files.last()?.source;
        let found = source.text.find("[host]").map(|start| start..start + "[host]".len());
        Some(Place { source: source.clone(), span: found.unwrap_or(0..0) })
    }
}
/// An interpreter that the release does not have: a switch would refuse it, unless people put it there.
fn other_python(target: &Target, texts: &BTreeMap<&'static str, Placed<String>>) -> Option<Diagnostic> {
    let Target { system, python, .. } = target;
    let own = python_of(system).filter(|own| own != python)?;
    let message = format!("`{system}` has python {own}, and this is compiled for {python}");
    let warning = Diagnostic::warning(message).at(texts.get("python")?.place.clone(), "");
    let help = format!("write `python = \"{own}\"`, unless another `python3` is put there");
    Some(warning.at(texts.get("system")?.place.clone(), "its system").help(help))
}
