//! Declarations of options: `[options.x]` of a module and `fields` of a table.

use std::collections::BTreeMap;

use regex::Regex;

use crate::base::name::ModuleName;
use crate::base::nearest::advice;
use crate::base::report::{Diagnostic, Place, enough};
use crate::build::types::{Scalar, Type, check};

use super::keys::{Keys, mismatch, string, table};
use super::pattern::Patterns;
use super::tree::{Data, Entry, Node, Placed, Table, within};

/// The names of the types of one value.
pub const SCALARS: [&str; 18] = [
    "bool",
    "int",
    "float",
    "string",
    "one of",
    "path",
    "port",
    "host-port",
    "cidr",
    "duration",
    "size",
    "mode",
    "ivoid",
    "user-name",
    "xpath",
    "ssh-key",
    "secret",
    "file",
];

/// The most lists and maps in each other.
const MAX_NESTED: usize = 8;

/// An option or a field, as declared.
#[derive(Debug, Clone)]
pub struct OptionDecl {
    /// Where its name is written.
    pub place: Place,
    /// Its type.
    pub kind: Type,
    /// What it is where nobody sets it; may have expressions in it.
    pub default: Option<Node>,
    /// Whether it may be left out, and is then `none`.
    pub optional: bool,
    /// Whether only modules may set it.
    pub internal: bool,
    /// What it is for.
    pub description: String,
    /// An example for people.
    pub example: Option<Node>,
    /// What it was called before: who still says so is understood, and warned.
    pub renamed_from: Option<Placed<String>>,
    /// The fields that its tables no longer have.
    pub removed: Removed,
}

impl OptionDecl {
    /// Whether something holds of it, or of a field of its tables.
    pub fn any(&self, test: &dyn Fn(&Self) -> bool) -> bool {
        let mut kind = &self.kind;
        while let Type::Map(item) | Type::List { item, .. } = kind {
            kind = item;
        }
        let fields = if let Type::Table(fields) = kind { Some(fields) } else { None };
        test(self) || fields.is_some_and(|fields| fields.values().any(|field| field.any(test)))
    }
}

/// Options that there are no longer: what to do instead, by the name that they had.
pub type Removed = BTreeMap<String, Placed<String>>;

/// Reads a table of options or fields: those that there are, and those that there are no longer.
pub fn options(
    table_: &Table,
    patterns: &mut Patterns,
    faults: &mut Vec<Diagnostic>,
) -> (BTreeMap<String, OptionDecl>, Removed) {
    let (mut options, mut removed) = (BTreeMap::new(), Removed::new());
    for (name, entry) in &table_.entries {
        if let Err(error) = ModuleName::new(name.as_str()) {
            let message = format!("`{name}` is no name for an option: {}", error.rule());
            faults.push(Diagnostic::error(message).at(entry.key.clone(), "").help("choose another name"));
        } else if matches!(&entry.value.data, Data::Table(table) if table.entries.contains_key("removed")) {
            removed.extend(removal(entry, faults).map(|message| (name.clone(), message)));
        } else if let Some(option) = option(entry, patterns, faults) {
            options.insert(name.clone(), option);
        }
    }
    old_names(&options, &table_.entries, faults);
    (options, removed)
}

fn removal(entry: &Entry, faults: &mut Vec<Diagnostic>) -> Option<Placed<String>> {
    let written = table(&entry.value, faults)?;
    let mut keys = Keys::new(written, entry.key.clone(), "an option that was removed");
    let message = keys.required("removed", faults);
    keys.finish(faults);
    message
}

/// An old name is nobody's: neither another option's nor what two options were called.
fn old_names(
    options: &BTreeMap<String, OptionDecl>,
    declared: &BTreeMap<String, Entry>,
    faults: &mut Vec<Diagnostic>,
) {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for old in options.values().filter_map(|option| option.renamed_from.as_ref()) {
        let other = declared.get(&old.value).map(|entry| &entry.key);
        if let Some(other) = other.or_else(|| seen.get(old.value.as_str()).copied()) {
            let error = Diagnostic::error(format!("`{}` has a meaning already", old.value));
            let error = error.at(old.place.clone(), "the old name").at(other.clone(), "the other");
            faults.push(error.help("leave one of them out: a name means one thing"));
        }
        seen.insert(&old.value, &old.place);
    }
}

fn option(entry: &Entry, patterns: &mut Patterns, faults: &mut Vec<Diagnostic>) -> Option<OptionDecl> {
    let written = table(&entry.value, faults)?;
    let mut keys = Keys::new(written, entry.key.clone(), "an option");
    let name = keys.required("type", faults);
    let description = keys.required("description", faults);
    let optional = written.entries.get("optional").map(|entry| entry.key.clone());
    let mut option = OptionDecl {
        place: entry.key.clone(),
        kind: Type::Scalar(Scalar::Bool),
        default: keys.take("default").map(|entry| entry.value.clone()),
        optional: keys.flag("optional", faults),
        internal: keys.flag("internal", faults),
        description: description.map(|text| text.value).unwrap_or_default(),
        example: keys.take("example").map(|entry| entry.value.clone()),
        renamed_from: keys.string("renamed_from", faults),
        removed: Removed::new(),
    };
    let mut reader = TypeReader { keys: &mut keys, removed: &mut option.removed, patterns, faults };
    let kind = name.and_then(|name| reader.read(&name));
    keys.finish(faults);
    option.kind = kind?;
    if let (Type::Table(_), Some(node)) = (&option.kind, &option.default) {
        let message = "a table has no default of its own";
        faults.push(
            Diagnostic::error(message).at(node.place.clone(), "").help("give its fields their defaults"),
        );
        return None;
    }
    contradictions(&option, optional.as_ref(), faults);
    if let Some(node) = &option.default {
        conform(&option, node, true, faults);
    }
    if let Some(node) = &option.example {
        conform(&option, node, false, faults);
    }
    Some(option)
}

/// Reports what an option says of itself that cannot both be.
fn contradictions(option: &OptionDecl, optional: Option<&Place>, faults: &mut Vec<Diagnostic>) {
    let Some(optional) = optional.filter(|_| option.optional) else { return };
    let error = |message: &str| Diagnostic::error(message).at(optional.clone(), "");
    match (&option.kind, &option.default) {
        (Type::Table(_), _) => {
            let error = error("a table is never none: it has its fields");
            faults.push(error.help("make its fields optional"));
        }
        // An expression can give none: then it says whether there is a value.
        (_, Some(node)) if !has_code(node) => {
            let error = error("an option with a default is never none").at(node.place.clone(), "its default");
            faults.push(error.help("leave out one of them"));
        }
        _ => {}
    }
}

fn has_code(node: &Node) -> bool {
    matches!(&node.data, Data::Str(text) if text.contains("{{"))
}

struct TypeReader<'a, 'b> {
    keys: &'a mut Keys<'b>,
    removed: &'a mut Removed,
    patterns: &'a mut Patterns,
    faults: &'a mut Vec<Diagnostic>,
}

impl TypeReader<'_, '_> {
    fn read(&mut self, name: &Placed<String>) -> Option<Type> {
        let mut inner = name.value.as_str();
        let mut outer = Vec::new();
        while let Some((around, rest)) = ["list of ", "map of "]
            .into_iter()
            .find_map(|around| inner.strip_prefix(around).map(|rest| (around, rest)))
        {
            outer.push(around);
            inner = rest;
        }
        if outer.len() > MAX_NESTED {
            let error = Diagnostic::error(format!("more than {MAX_NESTED} lists and maps in each other"));
            self.faults.push(error.at(name.place.clone(), "").help("use a table, with a name for each part"));
            return None;
        }
        let repeat = outer.contains(&"list of ") && self.keys.flag("repeat", self.faults);
        let mut kind = if inner == "table" { self.table(name)? } else { self.scalar(inner, name)? };
        for around in outer.into_iter().rev() {
            kind = if around == "map of " {
                Type::Map(Box::new(kind))
            } else {
                Type::List { item: Box::new(kind), repeat }
            };
        }
        Some(kind)
    }

    fn table(&mut self, name: &Placed<String>) -> Option<Type> {
        let Some(entry) = self.keys.take("fields") else {
            let error = Diagnostic::error("a table needs `fields`").at(name.place.clone(), "");
            self.faults.push(error.help("add `[options.x.fields.y]` for each of its fields"));
            return None;
        };
        let written = table(&entry.value, self.faults)?;
        if written.entries.is_empty() {
            let error = Diagnostic::error("a table without fields").at(entry.key.clone(), "");
            self.faults.push(error.help("add `[options.x.fields.y]` for each of its fields"));
        }
        let (fields, removed) = options(written, self.patterns, self.faults);
        *self.removed = removed;
        Some(Type::Table(fields))
    }

    fn scalar(&mut self, name: &str, whole: &Placed<String>) -> Option<Type> {
        Some(Type::Scalar(match name {
            "bool" => Scalar::Bool,
            "int" => {
                let (min, max) = self.bounds(i64::MIN, i64::MAX);
                Scalar::Int(min, max)
            }
            "port" => {
                let (min, max) = self.bounds(1, 65_535);
                Scalar::Port(min.max(1), max.min(65_535))
            }
            "float" => {
                let number = |data: &Data| if let Data::Float(bound) = data { Some(*bound) } else { None };
                let (min, max) = self.between((f64::MIN, f64::MAX), &number, "a float");
                Scalar::Float(min, max)
            }
            "string" => {
                let (min, max) = self.bounds(0, i64::MAX);
                let size = |bound: i64| usize::try_from(bound).unwrap_or(0);
                Scalar::Text { min: size(min), max: size(max), pattern: self.pattern() }
            }
            "one of" => self.one_of()?,
            "path" => Scalar::Path,
            "host-port" => Scalar::HostPort,
            "cidr" => Scalar::Cidr,
            "duration" => Scalar::Duration,
            "size" => Scalar::Size,
            "mode" => Scalar::Mode,
            "ivoid" => Scalar::Ivoid,
            "user-name" => Scalar::UserName,
            "xpath" => Scalar::Xpath,
            "ssh-key" => Scalar::SshKey,
            "secret" => Scalar::Secret,
            "file" => Scalar::File { exec: self.keys.flag("exec", self.faults) },
            _ => {
                let at = whole.value.len() - name.len();
                let place = within(&whole.place, at..whole.value.len());
                let known = SCALARS.into_iter().chain(["table", "list of …", "map of …"]);
                let message = format!("there is no type `{name}`");
                self.faults.push(Diagnostic::error(message).at(place, "").help(advice(name, known)));
                return None;
            }
        }))
    }

    fn bounds(&mut self, min: i64, max: i64) -> (i64, i64) {
        let number = |data: &Data| if let Data::Int(bound) = data { Some(*bound) } else { None };
        self.between((min, max), &number, "an integer")
    }

    /// The bounds that are written, within those of the type; nothing that lies between them is a mistake.
    fn between<T: PartialOrd + Copy>(
        &mut self,
        whole: (T, T),
        number: &dyn Fn(&Data) -> Option<T>,
        expected: &'static str,
    ) -> (T, T) {
        let mut places = Vec::new();
        let mut bound = |key, unbound| match self.keys.take(key).map(|entry| &entry.value) {
            None => unbound,
            Some(node) => number(&node.data).map_or_else(
                || {
                    self.faults.push(mismatch(node, expected));
                    unbound
                },
                |bound| {
                    places.push(node.place.clone());
                    bound
                },
            ),
        };
        let (min, max) = (bound("min", whole.0), bound("max", whole.1));
        if min <= max && min <= whole.1 && max >= whole.0 {
            return (min, max);
        }
        let error = Diagnostic::error("no value lies between these bounds");
        let error = places.into_iter().fold(error, |error, place| error.at(place, ""));
        self.faults.push(error.help("`min` is the least value, `max` the greatest"));
        whole
    }

    fn pattern(&mut self) -> Option<(String, Regex)> {
        let written = self.keys.string("pattern", self.faults)?;
        self.patterns.regex(written).map_err(|fault| self.faults.push(fault)).ok()
    }

    fn one_of(&mut self) -> Option<Scalar> {
        let Some(entry) = self.keys.take("of") else {
            self.keys.missing("of", self.faults);
            return None;
        };
        let Data::List(items) = &entry.value.data else {
            self.faults.push(mismatch(&entry.value, "a list of strings"));
            return None;
        };
        if items.is_empty() {
            let error =
                Diagnostic::error("there is nothing to choose from").at(entry.value.place.clone(), "");
            self.faults.push(error.help("list the texts that it may be"));
        }
        Some(Scalar::OneOf(
            items.iter().filter_map(|item| string(item, self.faults)).map(|text| text.value).collect(),
        ))
    }
}

/// Checks a default or an example as far as it can be without evaluating anything.
fn conform(option: &OptionDecl, node: &Node, code: bool, faults: &mut Vec<Diagnostic>) {
    conform_type(&option.kind, node, code, faults);
}

/// Whether a secret is an encrypted file beside the one that names it.
fn names_age_file(table: &Table) -> bool {
    let age = table.entries.get("age").map(|entry| &entry.value.data);
    table.entries.len() == 1 && matches!(age, Some(Data::Str(_)))
}

fn conform_type(kind: &Type, node: &Node, code: bool, faults: &mut Vec<Diagnostic>) {
    if enough(faults) || (code && matches!(&node.data, Data::Str(text) if text.contains("{{"))) {
        return;
    }
    match (kind, &node.data) {
        // Its bytes are read later.
        (Type::Scalar(Scalar::File { .. }), Data::Str(_)) => {}
        (Type::Scalar(Scalar::Secret), Data::Table(table)) if names_age_file(table) => {}
        (Type::Scalar(scalar), data) => {
            if let Err(misfit) = check(scalar, data) {
                let place = misfit.part.map_or_else(|| node.place.clone(), |part| within(&node.place, part));
                faults.push(Diagnostic::error(misfit.message).at(place, "").help(misfit.help));
            }
        }
        (Type::List { item, .. }, Data::List(nodes)) => {
            for node in nodes {
                conform_type(item, node, code, faults);
            }
        }
        (Type::Map(item), Data::Table(table)) => {
            for entry in table.entries.values() {
                conform_type(item, &entry.value, code, faults);
            }
        }
        (Type::Table(fields), Data::Table(table)) => {
            for (key, entry) in &table.entries {
                match fields.get(key) {
                    Some(field) => conform_type(&field.kind, &entry.value, code, faults),
                    None => faults.push(
                        Diagnostic::error(format!("there is no field `{key}`"))
                            .at(entry.key.clone(), "")
                            .help(advice(key, fields.keys().map(String::as_str))),
                    ),
                }
            }
        }
        (Type::List { .. }, _) => faults.push(mismatch(node, "a list")),
        (Type::Map(_) | Type::Table(_), _) => faults.push(mismatch(node, "a table")),
    }
}
