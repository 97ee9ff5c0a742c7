//! The JSON Schema of a host file with some modules: for editors that complete, explain and check while one types.
//!
//! It is written in what drafts 4 to 2020-12 have in common and without references, as editors of TOML know best:
//! taplo, which is in most of them, reads draft 4. It never refuses what the compiler takes, but for `{ replace = … }`
//! of one value, which is never needed; it takes some of what the compiler refuses. Nothing is required, as any
//! file can be a fragment that others import.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::base::name::ModuleName;
use crate::build::config::host::{ARCHS, HOST_TEXTS};
use crate::build::config::module::ModuleFile;
use crate::build::config::option::{OptionDecl, Removed};
use crate::build::types::{Scalar, Type};

use super::library::Library;
use super::words::{is_computed, json as written, toml};

/// The schema of host files with these modules.
#[must_use]
pub fn schema(modules: &Library) -> Value {
    let mut properties = Map::from_iter([("host".to_owned(), host(modules))]);
    let mut instances = Map::new();
    for (name, module) in modules {
        let section = section(module, modules);
        if module.instances {
            instances.insert(format!("^{name}:{INSTANCE}$"), section.clone());
        }
        properties.insert(name.as_str().to_owned(), section);
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A host of voevent-node, or a fragment that hosts import",
        "type": "object",
        "properties": properties,
        "patternProperties": instances,
        "additionalProperties": false,
    })
}

/// What an instance is called, behind the name of its module and `:`.
const INSTANCE: &str = "[a-z0-9][a-z0-9_-]{0,30}";

fn host(modules: &Library) -> Value {
    let mut properties: Map<String, Value> =
        HOST_TEXTS.into_iter().map(|key| (key.to_owned(), host_text(key))).collect();
    properties.insert(
        "imports".to_owned(),
        json!({
            "description": "Fragments whose settings count where this file has none, relative to this file.",
            "type": "array",
            "items": { "type": "string", "pattern": "^[^/]" },
            "examples": [["site.toml"]],
        }),
    );
    properties.insert(
        "module_paths".to_owned(),
        json!({
            "description": "Folders with more modules, relative to this file.",
            "type": "array",
            "items": { "type": "string", "pattern": "^[^/]" },
            "examples": [["../../our-modules"]],
        }),
    );
    properties.insert(
        "adopt".to_owned(),
        json!({
            "description": "Paths, units and users that may be there already: files are set aside and given back, \
                            users are taken as they are.",
            "type": "array",
            "items": { "type": "string", "minLength": 1 },
            "examples": [["comet.service", "/etc/motd", "voeventserve"]],
        }),
    );
    let names: Vec<&str> = modules.keys().map(ModuleName::as_str).collect();
    let several = modules.values().filter(|module| module.instances).map(|module| module.name.as_str());
    let several: Vec<&str> = several.collect();
    let item = if several.is_empty() {
        json!({ "type": "string", "enum": names })
    } else {
        let pattern = format!("^({}):{INSTANCE}$", several.join("|"));
        json!({ "type": "string", "anyOf": [{ "enum": names }, { "pattern": pattern }] })
    };
    let list = json!({ "type": "array", "items": item });
    let described = "The modules that are on; what they require comes along.";
    properties.insert("modules".to_owned(), with_description(replaceable(list), described));
    json!({
        "description": "What the host is, and which modules it has.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn host_text(key: &str) -> Value {
    let (description, pattern) = match key {
        "address" => {
            ("Where bundles are sent: a host name or an address.", "^[A-Za-z0-9._:][A-Za-z0-9._:-]*$")
        }
        "system" => (
            "The distribution and release that the bundle is compiled for, as `debian-12`.",
            r"^(debian|ubuntu)-[0-9]+(\.[0-9]+)*$",
        ),
        "arch" => {
            return json!({
                "description": "The machine that the bundle is compiled for.",
                "type": "string",
                "enum": ARCHS,
            });
        }
        "python" => (
            "The minor version of the target's interpreter, as `3.11`.",
            r"^3\.(9|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$",
        ),
        "ssh_host_key" => (
            "The public key of the host's sshd, for which secrets are encrypted: a line of \
             `/etc/ssh/ssh_host_ed25519_key.pub`.",
            "^ssh-(ed25519|rsa) [A-Za-z0-9+/]+=*( .*)?$",
        ),
        _ => ("What the host is, on one line.", r"^[^\x00-\x1f\x7f-\x9f]*$"),
    };
    json!({ "description": description, "type": "string", "pattern": pattern })
}

fn section(module: &ModuleFile, modules: &Library) -> Value {
    let mut table = fields(&module.options, &module.removed);
    if let Some(Value::Object(properties)) = table.get_mut("properties") {
        properties.extend(bind(module, modules).map(|bind| ("bind".to_owned(), bind)));
    }
    table.insert("description".to_owned(), module.description.as_str().into());
    Value::Object(table)
}

/// Which instances the names of other modules mean, where it names modules that can have several.
fn bind(module: &ModuleFile, modules: &Library) -> Option<Value> {
    let named = module.requires.iter().chain(&module.uses);
    let named = named.filter_map(|named| modules.get(&named.value));
    let meant = |named: &ModuleFile| {
        let instance = if named.instances { format!("(:{INSTANCE})?") } else { String::new() };
        text(&format!("^{}{instance}$", named.name))
    };
    let properties: Map<String, Value> =
        named.map(|named| (named.name.as_str().to_owned(), meant(named))).collect();
    let described = "Which instance the name of a module means here, as `comet:backup`.";
    (!properties.is_empty()).then(|| {
        json!({
            "description": described,
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        })
    })
}

fn fields(options: &BTreeMap<String, OptionDecl>, removed: &Removed) -> Map<String, Value> {
    let mut properties: Map<String, Value> = Map::new();
    for (name, decl) in options.iter().filter(|(_, decl)| !decl.internal) {
        properties.insert(name.clone(), option(decl));
        if let Some(old) = &decl.renamed_from {
            let description = format!("Renamed to `{name}`. {}", decl.description);
            let mut schema = with_description(option(decl), &description);
            schema["deprecated"] = true.into();
            properties.insert(old.value.clone(), schema);
        }
    }
    for (name, message) in removed {
        let description = format!("There is no such option any more: {}", message.value);
        properties.insert(name.clone(), json!({ "description": description, "deprecated": true, "not": {} }));
    }
    Map::from_iter([
        ("type".to_owned(), "object".into()),
        ("properties".to_owned(), Value::Object(properties)),
        ("additionalProperties".to_owned(), false.into()),
    ])
}

fn option(decl: &OptionDecl) -> Value {
    let mut description = decl.description.clone();
    let kind = match &decl.kind {
        Type::Scalar(_) | Type::Table(_) => of_type(&decl.kind, &decl.removed),
        Type::List { .. } | Type::Map(_) => replaceable(of_type(&decl.kind, &decl.removed)),
    };
    let Value::Object(mut schema) = kind else { return kind };
    match &decl.default {
        Some(node) if is_computed(node) => {
            let _ = write!(description, "\n\nDefault: `{}`", toml(node));
        }
        Some(node) => drop(schema.insert("default".to_owned(), written(node))),
        None => {}
    }
    if let Some(node) = &decl.example {
        schema.insert("examples".to_owned(), json!([written(node)]));
    }
    with_description(Value::Object(schema), &description)
}

fn with_description(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

/// A list, a map, or `{ replace = … }` with one in it.
fn replaceable(schema: Value) -> Value {
    let replace = json!({
        "description": "Drops all that is weaker: defaults, and what modules and imported files say.",
        "allOf": [schema.clone()],
    });
    let Value::Object(mut whole) = schema else { return schema };
    if whole.get("type") == Some(&"array".into()) {
        whole.insert("type".to_owned(), json!(["array", "object"]));
        whole.insert("properties".to_owned(), json!({ "replace": replace }));
        whole.insert("required".to_owned(), json!(["replace"]));
        whole.insert("additionalProperties".to_owned(), false.into());
        return Value::Object(whole);
    }
    // A map may have an entry of this name, where it has others too.
    let entry = whole.get("additionalProperties").cloned().unwrap_or_default();
    whole.insert("properties".to_owned(), json!({ "replace": { "anyOf": [replace, entry] } }));
    Value::Object(whole)
}

fn of_type(kind: &Type, removed: &Removed) -> Value {
    match kind {
        Type::Scalar(scalar) => of_scalar(scalar),
        Type::List { item, .. } => json!({ "type": "array", "items": of_type(item, removed) }),
        Type::Map(item) => json!({ "type": "object", "additionalProperties": entry(item, removed) }),
        Type::Table(options) => Value::Object(fields(options, removed)),
    }
}

/// An entry of a map: it may replace what is weaker.
fn entry(kind: &Type, removed: &Removed) -> Value {
    match kind {
        Type::Scalar(_) => of_type(kind, removed),
        Type::List { .. } | Type::Map(_) => replaceable(of_type(kind, removed)),
        Type::Table(options) => {
            let Value::Object(mut schema) = of_type(kind, removed) else { return Value::Null };
            if !options.contains_key("replace") {
                let replace = json!({
                    "description": "Drops all that is weaker of this entry.",
                    "allOf": [of_type(kind, removed)],
                });
                if let Some(Value::Object(properties)) = schema.get_mut("properties") {
                    properties.insert("replace".to_owned(), replace);
                }
            }
            Value::Object(schema)
        }
    }
}

fn of_scalar(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool => json!({ "type": "boolean" }),
        Scalar::Int(min, max) | Scalar::Port(min, max) => {
            let mut schema = Map::from_iter([("type".to_owned(), "integer".into())]);
            schema.extend((*min != i64::MIN).then(|| ("minimum".to_owned(), (*min).into())));
            schema.extend((*max != i64::MAX).then(|| ("maximum".to_owned(), (*max).into())));
            Value::Object(schema)
        }
        Scalar::Float(min, max) => {
            let mut schema = Map::from_iter([("type".to_owned(), "number".into())]);
            schema.extend((*min > f64::MIN).then(|| ("minimum".to_owned(), (*min).into())));
            schema.extend((*max < f64::MAX).then(|| ("maximum".to_owned(), (*max).into())));
            Value::Object(schema)
        }
        Scalar::Text { min, max, pattern } => {
            let mut schema = Map::from_iter([("type".to_owned(), "string".into())]);
            schema.extend((*min != 0).then(|| ("minLength".to_owned(), (*min).into())));
            let most = i64::try_from(*max).ok().filter(|max| *max != i64::MAX);
            schema.extend(most.map(|max| ("maxLength".to_owned(), max.into())));
            let pattern = pattern.as_ref().map(|(written, _)| format!("^(?:{written})$"));
            schema.extend(pattern.map(|pattern| ("pattern".to_owned(), pattern.into())));
            Value::Object(schema)
        }
        Scalar::OneOf(known) => json!({ "type": "string", "enum": known }),
        Scalar::Path => text(r"^/[^\x00-\x1f\x7f-\x9f]*$"),
        Scalar::HostPort => text(r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[1-9][0-9]{0,4}$"),
        Scalar::Cidr => text("^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"),
        Scalar::Duration => text("^([0-9]+[smhdw])+$"),
        Scalar::Size => text("^[0-9]+[KMGT]?$"),
        Scalar::Mode => text("^[0-7]{3,4}$"),
        Scalar::Ivoid => text(IVOID),
        Scalar::UserName => text("^[a-z_][a-z0-9_-]{0,30}$"),
        Scalar::Xpath | Scalar::SshKey => json!({ "type": "string", "minLength": 1 }),
        Scalar::Secret => json!({
            "type": "object",
            "properties": { "age": text("^[^/]"), "file": text("^/[A-Za-z0-9/_.,@+=-]*$") },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
        }),
        Scalar::File { .. } => text("^[^/]"),
    }
}

/// `ivo://`, an authority of three characters or more, a path, a local part.
const IVOID: &str =
    r"^ivo://[A-Za-z0-9][A-Za-z0-9_.~*'()-]{2,}(/[A-Za-z0-9_.~*'()-]+)*(#[A-Za-z0-9_.~*'()+=/:-]+)?$";

fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::build::config::tree::Data;
    use crate::build::types::check;

    /// Values of each type that is a text, as they are written.
    fn texts() -> Vec<(Scalar, &'static [&'static str])> {
        let any = Scalar::Text { min: 2, max: 9, pattern: None };
        vec![
            (any, &["ab", "äöü €"]),
            (Scalar::OneOf(vec!["a".to_owned(), "b".to_owned()]), &["a", "b"]),
            (Scalar::Path, &["/a", "/srv/da ta/x-1", "/ä"]),
            (Scalar::HostPort, &["up.example.org:8099", "192.0.2.7:1", "[2001:db8::7]:65535", "a_b:80"]),
            (Scalar::Cidr, &["192.0.2.0/24", "2001:db8::/32", "192.0.2.7", "::", "::ffff:192.0.2.7"]),
            (Scalar::Duration, &["90s", "1h30m", "0s", "2w"]),
            (Scalar::Size, &["0", "256M", "2G", "1024"]),
            (Scalar::Mode, &["750", "0750", "2770"]),
            (Scalar::Ivoid, &["ivo://org.example/node1", "ivo://abc", "ivo://a.b/c/d#e/f"]),
            (Scalar::UserName, &["voeventserve", "_a-1"]),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// An editor must not mark what the compiler takes.
        #[test]
        fn what_the_compiler_takes_is_not_refused(
            which in 0..10_usize,
            sample in any::<prop::sample::Index>(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), "[-a-zA-Z0-9/:.#_%~*'()+=\\[\\] äKMGTsmhdw]?"), 0..4),
        ) {
            let mut all = texts();
            let (scalar, samples) = all.swap_remove(which);
            let mut text: Vec<char> = sample.get(samples).chars().collect();
            for (at, new) in edits {
                let at = at.index(text.len() + 1);
                match new.chars().next() {
                    Some(new) => text.insert(at, new),
                    None if at < text.len() => drop(text.remove(at)),
                    None => {}
                }
            }
            let text: String = text.into_iter().collect();
            let taken = check(&scalar, &Data::Str(text.clone())).is_ok();
            let schema = of_scalar(&scalar);
            prop_assert!(!taken || jsonschema::is_valid(&schema, &text.clone().into()), "{schema} {text:?}");
        }
    }

    #[test]
    fn every_sample_is_taken_and_something_is_refused() {
        for (scalar, samples) in texts() {
            for sample in samples {
                assert!(check(&scalar, &Data::Str((*sample).to_owned())).is_ok(), "{scalar:?} {sample}");
            }
            assert!(!jsonschema::is_valid(&of_scalar(&scalar), &"?".into()), "{scalar:?}");
            assert!(!jsonschema::is_valid(&of_scalar(&scalar), &1.into()), "{scalar:?}");
        }
    }
}
