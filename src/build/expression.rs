//! Evaluating expressions, and strings of modules that have expressions in them.
//!
//! Strings of host files are data and never come here; nor is a value looked at twice. What an expression gives is
//! checked, not converted: minijinja's strict mode lets undefined values through in places.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

use crate::base::report::{Diagnostic, Place};
use crate::base::value::Value;

use super::config::tree::{Data, Entry, MAX_ENTRIES, Node, Placed, Table};
use super::filters::{self, Text};
use super::forms::{bytes, seconds};
use super::list_filters;
use super::opaque::Opaque;
use super::operators::{Checked, checked};
use super::scan::{Stand, only_hole, syntax};

/// The most values in a value, however deep.
const MAX_VALUES: usize = 10 * MAX_ENTRIES;

/// The longest texts in a value, together, in bytes: one may be in it many times.
const MAX_BYTES: usize = 8 << 20;

/// What one evaluation may cost, in minijinja's units.
pub const FUEL: u64 = 100_000;

/// The environment that expressions and templates have in common; `text` gives the text of what is joined.
#[must_use]
pub fn environment(text: Text) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_debug(true);
    env.set_syntax(syntax());
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    // `Custom` would call the formatter on intermediate values of `~` and `join`.
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(100);
    // Hidden ways out of a hole, and ways to make or show what is no setting.
    for filter in ["e", "escape", "safe", "pprint", "attr", "indent"] {
        env.remove_filter(filter);
    }
    for function in ["debug", "dict", "namespace"] {
        env.remove_global(function);
    }
    filters::add(&mut env, text);
    list_filters::add(&mut env);
    env.add_filter("seconds", |value: &minijinja::Value| {
        let text = filters::text(value)?;
        measure(&text, seconds(&text), "duration")
    });
    env.add_filter("bytes", |value: &minijinja::Value| {
        let text = filters::text(value)?;
        measure(&text, bytes(&text), "size")
    });
    env
}

fn measure(text: &str, number: Option<u64>, what: &str) -> Result<i64, minijinja::Error> {
    number.and_then(|number| i64::try_from(number).ok()).ok_or_else(|| {
        minijinja::Error::new(ErrorKind::InvalidOperation, format!("`{}` is no {what}", text.escape_debug()))
    })
}

/// Evaluates code that stands alone.
#[derive(Debug)]
pub struct Evaluator {
    env: Environment<'static>,
}

impl Default for Evaluator {
    fn default() -> Self {
        let mut env = environment(|_, value| filters::text(value));
        env.set_formatter(|out, _, value| match from_jinja(value).ok().and_then(|value| value.text()) {
            Some(text) => Ok(out.write_str(&text)?),
            None => Err(no_text(value)),
        });
        Self { env }
    }
}

/// The error that a value cannot be part of a text.
#[must_use]
pub fn no_text(value: &minijinja::Value) -> minijinja::Error {
    let what = match value.kind() {
        ValueKind::Undefined => "nothing that is defined",
        ValueKind::None => "none",
        ValueKind::Map => "a table",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        _ => match from_jinja(value) {
            Ok(Value::Secret(_)) => {
                let error = format!("this is a secret, which has no text: {CREDENTIAL}");
                return minijinja::Error::new(ErrorKind::InvalidOperation, error);
            }
            Ok(Value::File(_)) => "a file",
            Ok(_) => "something",
            // What else is no value is a reference, which has its text where all is known.
            Err(_) if value.kind() == ValueKind::Plain => {
                return minijinja::Error::new(ErrorKind::InvalidOperation, filters::REFERENCE);
            }
            Err(what) => what,
        },
    };
    minijinja::Error::new(ErrorKind::InvalidOperation, format!("this is {what}, which has no text"))
}

/// What can be done with a secret.
pub const CREDENTIAL: &str = "a unit gets it by `LoadCredential={{ credential(…) }}`";

/// The values that code sees, by name.
pub type Context = BTreeMap<String, Value>;

impl Evaluator {
    /// The value of an expression; `None` stands for minijinja's none.
    ///
    /// # Errors
    /// Where it has none, with its place.
    pub fn expression(&self, code: &str, stand: Stand<'_>, context: &Context) -> Result<Value, Diagnostic> {
        let checked = compiled(code, stand, true)?;
        let value = self.env.compile_expression(&checked.text);
        let value = value.and_then(|expr| expr.eval(to_jinja_map(context)));
        let value = value.map_err(|error| fault(&error, stand, &checked))?;
        from_jinja(&value).map_err(|what| {
            if value.is_undefined() {
                return undefined(stand.place(0..code.len()));
            }
            Diagnostic::error(format!("this expression gives {what}"))
                .at(stand.place(0..code.len()), "")
                .help("an expression gives a value that TOML could have")
        })
    }

    /// The text of a string that has expressions in it.
    fn template(&self, text: &str, place: &Place, context: &Context) -> Result<String, Diagnostic> {
        let stand = Stand::String(place);
        let checked = compiled(text, stand, false)?;
        let rendered = self.env.template_from_named_str("string", &checked.text);
        let rendered = rendered.and_then(|template| template.render(to_jinja_map(context)));
        rendered.map_err(|error| fault(&error, stand, &checked))
    }

    /// A string of a module: evaluated where it has `{{` in it.
    ///
    /// # Errors
    /// Where that cannot be.
    pub fn string(&self, text: &str, place: &Place, context: &Context) -> Result<Value, Diagnostic> {
        if !text.contains("{{") {
            return Ok(Value::Str(text.to_owned()));
        }
        match only_hole(text) {
            Some((code, shift)) => self.expression(code, Stand::Part(place, shift), context),
            None => self.template(text, place, context).map(Value::Str),
        }
    }

    /// A value of a module with all strings in it evaluated, keys too.
    ///
    /// # Errors
    /// Where that cannot be.
    pub fn node(&self, node: &Node, context: &Context) -> Result<Node, Diagnostic> {
        let data = match &node.data {
            Data::Str(text) if text.contains("{{") => {
                return self.string(text, &node.place, context).map(|value| to_node(&value, &node.place));
            }
            Data::List(items) => {
                Data::List(items.iter().map(|item| self.node(item, context)).collect::<Result<_, _>>()?)
            }
            Data::Table(table) => Data::Table(self.table(table, context)?),
            data => data.clone(),
        };
        Ok(Node { place: node.place.clone(), data })
    }

    fn table(&self, table: &Table, context: &Context) -> Result<Table, Diagnostic> {
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        for (key, entry) in &table.entries {
            let name = match self.string(key, &entry.key, context)? {
                Value::Str(name) => name,
                other => {
                    return Err(Diagnostic::error(format!("a key is a string, this is {}", other.kind()))
                        .at(entry.key.clone(), "")
                        .help("add the filter `string`"));
                }
            };
            let value = self.node(&entry.value, context)?;
            if let Some(other) = entries.get(&name) {
                return Err(Diagnostic::error(format!("two keys are `{}`", name.escape_debug()))
                    .at(entry.key.clone(), "this")
                    .at(other.key.clone(), "and this")
                    .help("write them as one, or in two `[[set]]`"));
            }
            entries.insert(name, Entry { key: entry.key.clone(), value });
        }
        Ok(Table { entries })
    }

    /// Whether a condition holds.
    ///
    /// # Errors
    /// Where it cannot be evaluated.
    pub fn condition(&self, code: &Placed<String>, context: &Context) -> Result<bool, Diagnostic> {
        self.expression(&code.value, Stand::String(&code.place), context).map(|value| value.is_true())
    }

    /// The entries of a list or a map, each with its key.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn entries(
        &self,
        code: &Placed<String>,
        context: &Context,
    ) -> Result<Vec<(Value, Value)>, Diagnostic> {
        match self.expression(&code.value, Stand::String(&code.place), context)? {
            Value::List(items) => {
                Ok(items.into_iter().zip(0..).map(|(item, index)| (Value::Int(index), item)).collect())
            }
            Value::Map(items) => Ok(items.into_iter().map(|(key, item)| (Value::Str(key), item)).collect()),
            other => Err(Diagnostic::error(format!("expected a list or a map, found {}", other.kind()))
                .at(code.place.clone(), "")
                .help("`for_each` goes through a list or a map")),
        }
    }
}

/// Code as it is compiled.
///
/// # Errors
/// Where it is not clear what the operators in it take.
pub fn compiled(code: &str, stand: Stand<'_>, bare: bool) -> Result<Checked, Diagnostic> {
    checked(code, bare).ok_or_else(|| {
        let at = code.find(['~', '*', '/']).map_or(0..code.len(), |at| at..at + 1);
        let error = Diagnostic::error("it is not clear what the operators take here").at(stand.place(at), "");
        error.help("put what stands before and behind each `~`, `*`, `/` and `%` into brackets")
    })
}

/// An error of minijinja while evaluating, at the innermost place that it names.
fn fault(error: &minijinja::Error, stand: Stand<'_>, code: &Checked) -> Diagnostic {
    let range = named(error, code.text.len()).unwrap_or(0..code.text.len());
    let (message, help) = words(error);
    Diagnostic::error(message).at(stand.place(code.written(range)), "").help(help)
}

/// The place that an error of minijinja names in a text of `len` bytes.
///
/// Its ranges can be reversed or beyond the text, as that of `{% for in x %}`.
#[must_use]
pub fn named(error: &minijinja::Error, len: usize) -> Option<Range<usize>> {
    error.range().filter(|range| range.start <= range.end && range.end <= len)
}

const UNDEFINED: (&str, &str) = (
    "this is not defined",
    "ask `x.on` before reading options of a module that may be off, and `key in map` before reading an entry",
);

fn undefined(place: Place) -> Diagnostic {
    Diagnostic::error(UNDEFINED.0).at(place, "").help(UNDEFINED.1)
}

/// What minijinja means, in words for people who do not know it.
#[must_use]
pub fn words(error: &minijinja::Error) -> (String, &'static str) {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.kind() {
        ErrorKind::UndefinedError => (UNDEFINED.0.to_owned(), UNDEFINED.1),
        ErrorKind::OutOfFuel => ("this takes too long to evaluate".to_owned(), "do less"),
        ErrorKind::InvalidOperation if error.detail().is_none() => {
            ("these values do not go together here".to_owned(), "see the types of what it reads")
        }
        _ => (detail, "see the types of what it reads"),
    }
}

/// A value as minijinja sees it.
#[must_use]
pub fn to_jinja(value: &Value) -> minijinja::Value {
    match value {
        Value::None => minijinja::Value::from(()),
        Value::Bool(value) => minijinja::Value::from(*value),
        Value::Int(value) => minijinja::Value::from(*value),
        Value::Float(value) => minijinja::Value::from(*value),
        Value::Str(value) => minijinja::Value::from(value.as_str()),
        Value::List(values) => values.iter().map(to_jinja).collect(),
        Value::Map(values) => to_jinja_map(values),
        Value::Secret(_) | Value::File(_) => Opaque::of(value),
    }
}

fn to_jinja_map(values: &BTreeMap<String, Value>) -> minijinja::Value {
    minijinja::Value::from_pairs(values.iter().map(|(key, value)| (key.as_str(), to_jinja(value))))
}

/// A value that minijinja gave.
///
/// # Errors
/// What it is, where no setting could be that.
pub fn from_jinja(value: &minijinja::Value) -> Result<Value, &'static str> {
    read(value, &mut (MAX_VALUES, MAX_BYTES))
}

/// A value, while there may be `left` more of them, and bytes of text, in all.
fn read(value: &minijinja::Value, left: &mut (usize, usize)) -> Result<Value, &'static str> {
    left.0 = left.0.checked_sub(1).ok_or("a list that is too long")?;
    left.1 = left.1.checked_sub(value.as_str().map_or(0, str::len)).ok_or("a text that is too long")?;
    if let Some(opaque) = value.downcast_object_ref::<Opaque>() {
        return Ok(opaque.value().clone());
    }
    match value.kind() {
        ValueKind::Undefined => Err("nothing that is defined"),
        ValueKind::None => Ok(Value::None),
        ValueKind::Bool => Ok(Value::Bool(value.is_true())),
        ValueKind::Number if value.is_integer() => {
            value.as_i64().map(Value::Int).ok_or("a number that is too large")
        }
        ValueKind::Number => {
            let number = f64::try_from(value.clone()).ok().filter(|number| number.is_finite());
            number.map(Value::Float).ok_or("a number that is not finite")
        }
        ValueKind::String => {
            value.as_str().map(|text| Value::Str(text.to_owned())).ok_or("a text that is none")
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|_| "a list that cannot be read")?;
            let items: Result<Vec<Value>, _> =
                items.take(MAX_ENTRIES + 1).map(|item| read(&item, left)).collect();
            items.and_then(|items| {
                if items.len() > MAX_ENTRIES {
                    Err("a list that is too long")
                } else {
                    Ok(Value::List(items))
                }
            })
        }
        ValueKind::Map => {
            let keys = value.try_iter().map_err(|_| "a map that cannot be read")?;
            let mut map = BTreeMap::new();
            for key in keys.take(MAX_ENTRIES + 1) {
                let name = key.as_str().ok_or("a map with keys that are no strings")?;
                left.1 = left.1.checked_sub(name.len()).ok_or("a text that is too long")?;
                let item = value.get_item(&key).map_err(|_| "a map that cannot be read")?;
                map.insert(name.to_owned(), read(&item, left)?);
            }
            if map.len() > MAX_ENTRIES { Err("a map that is too long") } else { Ok(Value::Map(map)) }
        }
        _ => Err("something that is no value"),
    }
}

/// A value as if it were written at a place.
#[must_use]
pub fn to_node(value: &Value, place: &Place) -> Node {
    let data = match value {
        Value::None => Data::None,
        Value::Bool(value) => Data::Bool(*value),
        Value::Int(value) => Data::Int(*value),
        Value::Float(value) => Data::Float(*value),
        Value::Str(value) => Data::Str(value.clone()),
        Value::Secret(secret) => Data::Secret(secret.clone()),
        Value::File(file) => Data::File(Arc::clone(file)),
        Value::List(values) => Data::List(values.iter().map(|value| to_node(value, place)).collect()),
        Value::Map(values) => {
            let entry = |value| Entry { key: place.clone(), value: to_node(value, place) };
            Data::Table(Table {
                entries: values.iter().map(|(key, value)| (key.clone(), entry(value))).collect(),
            })
        }
    };
    Node { place: place.clone(), data }
}
