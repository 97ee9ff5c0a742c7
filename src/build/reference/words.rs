//! How types and values are written for people: as in `module.toml` and host files.

use serde_json::Value;

use crate::build::config::option::OptionDecl;
use crate::build::config::tree::{Data, Node};
use crate::build::types::{Scalar, Type};
use crate::store::toml_writer::quoted;

/// The name of a type, as `type = "…"` takes it.
#[must_use]
pub fn type_name(kind: &Type) -> String {
    match kind {
        Type::Scalar(scalar) => scalar.name().to_owned(),
        Type::List { item, .. } => format!("list of {}", type_name(item)),
        Type::Map(item) => format!("map of {}", type_name(item)),
        Type::Table(_) => "table".to_owned(),
    }
}

/// A type with what else must hold of its values: `port, from 1024 to 65535`.
#[must_use]
pub fn described(kind: &Type) -> String {
    let name = type_name(kind);
    match (innermost(kind), limits(kind)) {
        (_, None) => name,
        (Type::Scalar(Scalar::OneOf(_)), Some(known)) => format!("{name} {known}"),
        (_, Some(limits)) => format!("{name}, {limits}"),
    }
}

/// The type within all lists and maps.
#[must_use]
pub fn innermost(kind: &Type) -> &Type {
    match kind {
        Type::List { item, .. } | Type::Map(item) => innermost(item),
        Type::Scalar(_) | Type::Table(_) => kind,
    }
}

/// What else must hold of a value of this type, as `from 1024 to 65535`; nothing where nothing must.
#[must_use]
pub fn limits(kind: &Type) -> Option<String> {
    let Type::Scalar(scalar) = innermost(kind) else { return None };
    match scalar {
        Scalar::Int(min, max) => {
            range((*min != i64::MIN).then_some(min), (*max != i64::MAX).then_some(max), "")
        }
        Scalar::Port(min, max) => {
            range((*min != 1).then_some(min), (*min != 1 || *max != 65_535).then_some(max), "")
        }
        Scalar::Float(min, max) => {
            let shown = |bound: &f64| format!("{bound:?}");
            let (least, most) = (shown(min), shown(max));
            range((*min > f64::MIN).then_some(&least), (*max < f64::MAX).then_some(&most), "")
        }
        Scalar::Text { min, max, pattern } => {
            // Who gives no bounds gets these.
            let most = i64::try_from(*max).is_ok_and(|max| max != i64::MAX).then_some(max);
            let unit = if most.unwrap_or(min) == &1 { " character" } else { " characters" };
            let length = range((*min != 0).then_some(min), most, unit);
            let pattern = pattern.as_ref().map(|(written, _)| format!("matches `{written}`"));
            match (length, pattern) {
                (Some(length), Some(pattern)) => Some(format!("{length}, {pattern}")),
                (length, pattern) => length.or(pattern),
            }
        }
        Scalar::OneOf(known) => {
            let known: Vec<String> = known.iter().map(|known| format!("`\"{known}\"`")).collect();
            Some(known.join(", "))
        }
        Scalar::Bool
        | Scalar::Path
        | Scalar::HostPort
        | Scalar::Cidr
        | Scalar::Duration
        | Scalar::Size
        | Scalar::Mode
        | Scalar::Ivoid
        | Scalar::Xpath
        | Scalar::SshKey
        | Scalar::Secret
        | Scalar::UserName => None,
        Scalar::File { exec } => exec.then(|| "executable".to_owned()),
    }
}

fn range<T: std::fmt::Display>(min: Option<T>, max: Option<T>, unit: &str) -> Option<String> {
    match (min, max) {
        (Some(min), Some(max)) => Some(format!("from {min} to {max}{unit}")),
        (Some(min), None) => Some(format!("at least {min}{unit}")),
        (None, Some(max)) => Some(format!("at most {max}{unit}")),
        (None, None) => None,
    }
}

/// A written value as JSON.
#[must_use]
pub fn json(node: &Node) -> Value {
    match &node.data {
        Data::None | Data::Secret(_) => Value::Null,
        Data::Bool(value) => Value::Bool(*value),
        Data::Int(value) => Value::from(*value),
        Data::Float(value) => Value::from(*value),
        Data::Str(value) => Value::from(value.as_str()),
        // What is written is the name of a file.
        Data::File(file) => Value::from(file.path.as_str()),
        Data::List(items) => items.iter().map(json).collect(),
        Data::Table(table) => {
            let entries = table.entries.iter().map(|(key, entry)| (key.clone(), json(&entry.value)));
            Value::Object(entries.collect())
        }
    }
}

/// A written value as TOML on one line.
#[must_use]
pub fn toml(node: &Node) -> String {
    toml::Value::try_from(json(node)).map(|value| one_line(&value)).unwrap_or_default()
}

/// A value on one line: a text with line breaks in it would be written on several.
fn one_line(value: &toml::Value) -> String {
    let text = value.to_string();
    if !text.contains('\n') {
        return text;
    }
    match value {
        toml::Value::String(text) => quoted(text),
        toml::Value::Array(items) => {
            format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", "))
        }
        toml::Value::Table(entries) => {
            let pairs = entries.iter().map(|(key, value)| format!("{} = {}", quoted(key), one_line(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        _ => text,
    }
}

/// Whether an expression is anywhere in a written value: then what it gives is known for a host only.
#[must_use]
pub fn is_computed(node: &Node) -> bool {
    match &node.data {
        Data::Str(text) => text.contains("{{"),
        Data::List(items) => items.iter().any(is_computed),
        Data::Table(table) => {
            table.entries.iter().any(|(key, entry)| key.contains("{{") || is_computed(&entry.value))
        }
        Data::None | Data::Bool(_) | Data::Int(_) | Data::Float(_) | Data::Secret(_) | Data::File(_) => false,
    }
}

/// What becomes of an option that nobody sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// It has its default.
    Default,
    /// It is none.
    None,
    /// It is empty, or its fields have their own.
    Parts,
    /// The build is refused.
    Refused,
}

/// What becomes of an option that nobody sets.
#[must_use]
pub fn unset(decl: &OptionDecl) -> Unset {
    match &decl.kind {
        Type::Table(_) => Unset::Parts,
        _ if decl.default.is_some() => Unset::Default,
        _ if decl.optional => Unset::None,
        Type::Map(item) | Type::List { item, .. } if matches!(**item, Type::Table(_)) => Unset::Parts,
        Type::Scalar(_) | Type::List { .. } | Type::Map(_) => Unset::Refused,
    }
}
