//! Which names code may use: those of its own module, of the modules that this names, of `host` and `each`.

use crate::base::name::{InstanceName, ModuleName};
use crate::base::nearest::advice;
use crate::base::report::{Diagnostic, Place, enough};

use super::config::host::HOST_TEXTS;
use super::config::module::Guard;
use super::config::option::OptionDecl;
use super::expression::CREDENTIAL;
use super::graph::Modules;
use super::host::Host;
use super::instance::{self, Instance};
use super::renames::gone;
use super::scan::{Found, Read, Stand, expression};
use super::types::{Scalar, Type};

/// The modules that are on, with their order, and the host.
#[derive(Debug)]
pub struct World {
    /// The modules, by name.
    pub modules: Modules,
    /// Their names, in order.
    pub order: Vec<InstanceName>,
    /// The host.
    pub host: Host,
}

/// An option that has a value of its own: of a table each field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf {
    /// Its module.
    pub module: InstanceName,
    /// Its name, behind the names of the tables that it is a field of.
    pub path: Vec<String>,
}

impl std::fmt::Display for Leaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.module, self.path.join("."))
    }
}

/// What `each` is where code stands.
#[derive(Debug, Clone, Copy)]
pub enum Each<'a> {
    /// There is none.
    No,
    /// Only `each.key`: in defaults of fields.
    Key,
    /// An entry of a list or map; its type where that is known.
    Entry(Option<&'a Type>),
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// `host.x`.
    Host(&'static str),
    /// `each.key` or `each.value`.
    Each,
    /// `instance.x`.
    Instance(&'static str),
    /// `x.on`.
    On(InstanceName, bool),
    /// Something of a module that is off.
    Off(InstanceName),
    /// An option, or a table with all of its fields.
    Options(Leaf),
}

/// All leaves of a module, each with its declaration.
#[must_use]
pub fn leaves(module: &Instance) -> Vec<(Leaf, &OptionDecl)> {
    let mut found = Vec::new();
    for (name, option) in &module.file.options {
        add_leaves(&module.name, vec![name.clone()], option, &mut found);
    }
    found
}

fn add_leaves<'a>(
    module: &InstanceName,
    path: Vec<String>,
    option: &'a OptionDecl,
    found: &mut Vec<(Leaf, &'a OptionDecl)>,
) {
    let Type::Table(fields) = &option.kind else {
        found.push((Leaf { module: module.clone(), path }, option));
        return;
    };
    for (name, field) in fields {
        let path = path.iter().chain([name]).cloned().collect();
        add_leaves(module, path, field, found);
    }
}

impl World {
    /// What a name means in a module, or why it means nothing.
    ///
    /// # Errors
    /// Where it is unknown.
    pub fn meaning(&self, module: &Instance, read: &Read, each: Each<'_>) -> Result<Meaning, Diagnostic> {
        let error =
            |message: String, help: String| Diagnostic::error(message).at(read.place.clone(), "").help(help);
        let (first, rest) = read.path.split_first().ok_or_else(|| error(String::new(), String::new()))?;
        match (first.as_str(), rest) {
            ("host", [field]) => match HOST_TEXTS.into_iter().chain(["name"]).find(|name| name == field) {
                Some(name) => Ok(Meaning::Host(name)),
                None => Err(error(
                    format!("`host` has no `{field}`"),
                    advice(field, HOST_TEXTS.into_iter().chain(["name"])),
                )),
            },
            ("host", _) => {
                Err(error("`host` is a table".to_owned(), "name a field of it, as `host.name`".to_owned()))
            }
            ("instance", [field]) => match instance::FIELDS.into_iter().find(|name| name == field) {
                Some(name) => Ok(Meaning::Instance(name)),
                None => Err(error(format!("`instance` has no `{field}`"), advice(field, instance::FIELDS))),
            },
            ("instance", _) => {
                let help = "write `instance.suffix` in names, or ask for `instance.name`";
                Err(error("`instance` is a table".to_owned(), help.to_owned()))
            }
            ("each", rest) => each_meaning(rest, read, each).map_err(|(message, help)| error(message, help)),
            (name, rest) => {
                let Some(meant) = module.means(name) else {
                    return Err(self.unseen(module, name, read));
                };
                let found = self.modules.get(meant);
                match (found, rest) {
                    (_, [field]) if field == "on" => Ok(Meaning::On(meant.clone(), found.is_some())),
                    (None, _) => Ok(Meaning::Off(meant.clone())),
                    (Some(other), rest) => {
                        option_meaning(other, rest, read).map_err(|(message, help)| error(message, help))
                    }
                }
            }
        }
    }

    fn unseen(&self, module: &Instance, name: &str, read: &Read) -> Diagnostic {
        let own = &module.file.name;
        let help = if self.modules.keys().any(|known| known.module().as_str() == name) {
            format!("name `{name}` in `requires` or `uses` of `{own}`")
        } else if module.file.options.contains_key(name) {
            format!("did you mean `{own}.{name}`?")
        } else {
            let seen = module.names.keys().map(ModuleName::as_str);
            advice(name, seen.chain(["host", "each", "instance"]))
        };
        Diagnostic::error(format!("`{own}` knows no `{name}`")).at(read.place.clone(), "").help(help)
    }

    /// What all names in code mean; those that mean nothing are reported.
    pub fn meanings(
        &self,
        module: &Instance,
        found: &Found,
        each: Each<'_>,
        faults: &mut Vec<Diagnostic>,
    ) -> Vec<(Meaning, Place)> {
        for (local, place) in &found.locals {
            if matches!(local.as_str(), "host" | "each" | "instance" | "on" | "set")
                || module.means(local).is_some()
            {
                let message = format!("`{local}` has a meaning already");
                faults.push(Diagnostic::error(message).at(place.clone(), "").help("choose another name"));
            }
        }
        let mut meanings = Vec::new();
        for read in &found.reads {
            if enough(faults) {
                break;
            }
            match self.meaning(module, read, each) {
                Ok(meaning) => meanings.push((meaning, read.place.clone())),
                Err(fault) => faults.push(fault),
            }
        }
        meanings
    }

    /// The type of the entries that a guard goes through, where its `for_each` is the plain name of an option.
    #[must_use]
    pub fn entries<'a>(&'a self, guard: &Guard) -> Each<'a> {
        let Some(for_each) = &guard.for_each else { return Each::No };
        let found = expression(&for_each.value, Stand::String(&for_each.place), &mut Vec::new());
        let plain = found.as_ref().and_then(|found| match found.reads.as_slice() {
            [read] if read.path.join(".") == for_each.value.trim() => Some(read),
            _ => None,
        });
        Each::Entry(plain.and_then(|read| self.entry_type(&read.path)))
    }

    fn entry_type(&self, path: &[String]) -> Option<&Type> {
        let (module, rest) = path.split_first()?;
        let module = self.modules.values().find(|known| known.file.name.as_str() == module)?;
        let (option, fields) = rest.split_first()?;
        let mut kind = &module.file.options.get(option)?.kind;
        for field in fields {
            let Type::Table(known) = kind else { return None };
            kind = &known.get(field)?.kind;
        }
        match kind {
            Type::List { item, .. } | Type::Map(item) => Some(item),
            Type::Scalar(_) | Type::Table(_) => None,
        }
    }
}

/// A message and its help.
type Fault = (String, String);

fn each_meaning(rest: &[String], read: &Read, each: Each<'_>) -> Result<Meaning, Fault> {
    let kind = match (each, rest.first().map(String::as_str)) {
        (Each::No, _) => {
            return Err((
                "there is no `each` here".to_owned(),
                "add `for_each = \"…\"` to the entry".to_owned(),
            ));
        }
        (Each::Key, Some("value")) => {
            let message = "`each.value` is not known yet while its fields get their defaults";
            return Err((message.to_owned(), "use `each.key`".to_owned()));
        }
        (_, Some("key")) if rest.len() == 1 => return Ok(Meaning::Each),
        (Each::Entry(kind), Some("value")) => kind,
        _ => {
            return Err((
                "`each` has `key` and `value`".to_owned(),
                "write `each.key` or `each.value`".to_owned(),
            ));
        }
    };
    match kind {
        Some(kind) => {
            taken(kind, "each.value", (&parts(&rest[1..], read), read.as_text)).map(|()| Meaning::Each)
        }
        None => Ok(Meaning::Each),
    }
}

/// What is taken of a value, one after the other; `None` for what is computed.
fn parts<'a>(plain: &'a [String], read: &'a Read) -> Vec<Option<&'a str>> {
    plain.iter().map(|name| Some(name.as_str())).chain(read.beyond.iter().map(Option::as_deref)).collect()
}

fn option_meaning(module: &Instance, rest: &[String], read: &Read) -> Result<Meaning, Fault> {
    // As code says it: it is the same for all instances.
    let own = &module.file.name;
    let Some((name, mut rest)) = rest.split_first() else {
        return Err((format!("`{own}` is a module"), format!("name an option of it, as `{own}.x`")));
    };
    let file = &module.file;
    let Some(mut option) = file.options.get(name) else {
        let known = || advice(name, file.options.keys().map(String::as_str));
        let help = gone(&file.options, &file.removed, name).unwrap_or_else(known);
        return Err((format!("module `{own}` has no option `{name}`"), help));
    };
    let mut path = vec![name.clone()];
    while let (Type::Table(fields), Some((field, inner))) = (&option.kind, rest.split_first()) {
        let whole = path.join(".");
        option = fields.get(field).ok_or_else(|| {
            let known = || advice(field, fields.keys().map(String::as_str));
            let help = gone(fields, &option.removed, field).unwrap_or_else(known);
            (format!("`{own}.{whole}` has no field `{field}`"), help)
        })?;
        path.push(field.clone());
        rest = inner;
    }
    taken(&option.kind, &format!("{own}.{}", path.join(".")), (&parts(rest, read), read.as_text))?;
    Ok(Meaning::Options(Leaf { module: module.name.clone(), path }))
}

/// Checks what is taken of a value of a type by name.
fn taken(kind: &Type, whole: &str, (rest, as_text): (&[Option<&str>], bool)) -> Result<(), Fault> {
    let Some((part, inner)) = rest.split_first() else {
        if as_text && matches!(kind, Type::Scalar(Scalar::Secret)) {
            let message = format!("`{whole}` is a secret: it has no text to be written, joined or compared");
            return Err((message, format!("{CREDENTIAL}; `is none` asks whether it is set")));
        }
        return Ok(());
    };
    let inner = (inner, as_text);
    let below = part.map_or_else(|| format!("{whole}[…]"), |part| format!("{whole}.{part}"));
    match (kind, part) {
        (Type::Map(item), _) | (Type::List { item, .. }, None) => taken(item, &below, inner),
        (Type::Table(fields), Some(field)) => {
            let option = fields.get(*field).ok_or_else(|| {
                let help = advice(field, fields.keys().map(String::as_str));
                (format!("`{whole}` has no field `{field}`"), help)
            })?;
            taken(&option.kind, &below, inner)
        }
        // Which field that is, or which character, is known later.
        (Type::Table(_) | Type::Scalar(_), None) => Ok(()),
        (Type::List { .. }, Some(_)) => {
            Err((format!("`{whole}` is a list"), "go through it with a loop".to_owned()))
        }
        (Type::Scalar(_), Some(field)) => {
            Err((format!("`{whole}` is one value: it has no `{field}`"), format!("write `{whole}`")))
        }
    }
}
