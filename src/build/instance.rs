//! Modules as a host has them: instances.
//!
//! A module that is on is on plainly, as `comet`. One that says `instances = true` in its `[module]` can be on more
//! than once: `modules = ["comet", "comet:backup"]`. Then
//!
//! - each instance has settings of its own, `[comet]` and `["comet:backup"]`, and artifacts of its own. Nothing is
//!   inherited from one by another;
//! - the code is written once and does not know how many there are: in it the name of the module, `comet`, means the
//!   instance itself: in expressions, in `[set.comet.x]`, in `script("comet/x")`;
//! - names that others must not have (of units, checks, paths) have `{{ instance.suffix }}` in them, which is nothing in
//!   the plain instance and `-backup` in `comet:backup`. `instance.name` is none in the plain one and else `backup`. Names
//!   of scripts, venvs and files without a path are looked for in the instance alone. A venv of one name and the same
//!   requirements is one;
//! - the name of another module, in `requires`, `uses` and all that follows from them, means its plain instance, or that
//!   which the host binds to it: `bind.comet = "comet:backup"` in the table of the one who names it;
//! - only `modules` of host files turn named instances on. What is required comes along plainly; but where the host has
//!   only named instances of it, it must say which is meant.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::name::{InstanceName, ModuleName};
use crate::base::nearest::{advice, nearest};
use crate::base::report::{Diagnostic, Place};
use crate::base::value::Value;

use super::config::host::Binding;
use super::config::module::ModuleFile;
use super::config::tree::Placed;

/// What code reads of its own instance: `instance.name`, `instance.suffix`.
pub const FIELDS: [&str; 2] = ["name", "suffix"];

/// A module as a host has it.
#[derive(Debug)]
pub struct Instance {
    /// By which name.
    pub name: InstanceName,
    /// The module, shared by its instances.
    pub file: Arc<ModuleFile>,
    /// What the names of modules mean in its code: of itself, and of those that it requires or uses.
    pub names: BTreeMap<ModuleName, InstanceName>,
}

impl Instance {
    /// What the name of a module means here; `None` where it is not seen.
    #[must_use]
    pub fn means(&self, module: &str) -> Option<&InstanceName> {
        self.names.get(module)
    }

    /// What it requires and uses, each with the place where it says so.
    pub fn needs(&self) -> impl Iterator<Item = (&InstanceName, &Place)> {
        self.meant(self.file.requires.iter().chain(&self.file.uses))
    }

    /// What comes along with it.
    pub fn required(&self) -> impl Iterator<Item = (&InstanceName, &Place)> {
        self.meant(self.file.requires.iter())
    }

    fn meant<'a>(
        &'a self,
        named: impl Iterator<Item = &'a Placed<ModuleName>>,
    ) -> impl Iterator<Item = (&'a InstanceName, &'a Place)> {
        named.filter_map(|named| Some((self.names.get(&named.value)?, &named.place)))
    }

    /// What its code sees as `instance.<field>`.
    #[must_use]
    pub fn field(&self, field: &str) -> Value {
        match (field, self.name.name()) {
            ("suffix", _) => Value::Str(self.name.suffix()),
            (_, Some(name)) => Value::Str(name.to_owned()),
            (_, None) => Value::None,
        }
    }
}

/// Makes instances of the modules that a host turns on.
#[derive(Debug)]
pub struct Maker<'a> {
    /// What the host turns on by name.
    pub on: &'a [Placed<InstanceName>],
}

impl Maker<'_> {
    /// An instance of a module, and what is wrong with how it is named and bound; `None` where it cannot be.
    pub fn instance(
        &self,
        (name, file): (&Placed<InstanceName>, &Arc<ModuleFile>),
        bindings: &BTreeMap<ModuleName, Binding>,
        faults: &mut Vec<Diagnostic>,
    ) -> Option<Instance> {
        if name.value.name().is_some() && !file.instances {
            faults.push(
                Diagnostic::error(format!("module `{}` has no instances", file.name))
                    .at(name.place.clone(), "")
                    .at(file.place.clone(), "it does not say `instances = true`")
                    .help(format!(
                        "write `{}`, or make the module one that can be on more than once",
                        file.name
                    )),
            );
            return None;
        }
        let mut names = BTreeMap::from([(file.name.clone(), name.value.clone())]);
        for named in file.requires.iter().chain(&file.uses) {
            let required = file.requires.iter().any(|other| other.value == named.value);
            let meant = match bindings.get(&named.value) {
                Some(binding) => self.bound(binding, faults),
                None if required => self.plain((&name.value, named), faults),
                None => InstanceName::plain(named.value.clone()),
            };
            names.insert(named.value.clone(), meant);
        }
        for (module, binding) in bindings {
            if *module == file.name || !names.contains_key(module) {
                let known = names.keys().filter(|known| **known != file.name).map(ModuleName::as_str);
                let message = format!("`{}` does not name `{module}`: there is nothing to bind", file.name);
                let error = Diagnostic::error(message).at(binding.key.clone(), "");
                faults.push(error.help(advice(module.as_str(), known)));
            }
        }
        Some(Instance { name: name.value.clone(), file: Arc::clone(file), names })
    }

    /// What the host has of a module, by name.
    fn of<'a>(&'a self, module: &'a ModuleName) -> impl Iterator<Item = &'a Placed<InstanceName>> {
        self.on.iter().filter(move |on| on.value.module() == module)
    }

    fn bound(&self, binding: &Binding, faults: &mut Vec<Diagnostic>) -> InstanceName {
        let to = &binding.to.value;
        if to.name().is_some() && self.of(to.module()).all(|on| on.value != *to) {
            let known: Vec<String> = self.of(to.module()).map(|on| on.value.to_string()).collect();
            let help = match nearest(&to.to_string(), known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `{to}` to `modules`"),
            };
            let error = Diagnostic::error(format!("the host has no `{to}` on"));
            faults.push(error.at(binding.to.place.clone(), "").help(help));
        }
        to.clone()
    }

    /// The plain instance; where the host has only named ones, that would be one that nobody asked for.
    fn plain(
        &self,
        (own, named): (&InstanceName, &Placed<ModuleName>),
        faults: &mut Vec<Diagnostic>,
    ) -> InstanceName {
        let plain = InstanceName::plain(named.value.clone());
        let all: Vec<_> = self.of(&named.value).collect();
        if let Some(first) = all.first()
            && all.iter().all(|on| on.value != plain)
        {
            let has: Vec<String> = all.iter().map(|on| format!("`{}`", on.value)).collect();
            let message = format!("which `{plain}` does `{own}` mean? the host has {}", has.join(", "));
            let bind = format!("add a line `bind.{plain} = \"{}\"` to `{}`", first.value, header(own));
            faults.push(
                Diagnostic::error(message)
                    .at(named.place.clone(), "required here")
                    .at(first.place.clone(), "turned on here")
                    .help(format!("{bind}, or add `{plain}` to `modules`")),
            );
        }
        plain
    }
}

/// The header of an instance's table in a host file.
fn header(of: &InstanceName) -> String {
    if of.name().is_some() { format!("[\"{of}\"]") } else { format!("[{of}]") }
}
