//! The filters that read or make texts. minijinja's own take any value, and write `None`, `[]` and `True` for what has
//! no text: these refuse it.

use std::borrow::Cow;

use minijinja::value::{Rest, StringInput, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, filters, tests};

use super::expression::{from_jinja, no_text};
use super::sources::is_forbidden;

/// Gives the text of a value that has one. That of a reference is known to templates only.
pub type Text = fn(&State<'_, '_>, &minijinja::Value) -> Result<String, Error>;

/// minijinja's own filters that take texts, and how many of their arguments are texts.
const GUARDED: [(&str, usize); 9] = [
    ("capitalize", 1),
    ("format", usize::MAX),
    ("lines", 1),
    ("lower", 1),
    ("replace", 3),
    ("split", 2),
    ("title", 1),
    ("trim", 2),
    ("upper", 1),
];

/// The name under which minijinja's own filter is kept; no code can write it.
#[must_use]
pub fn own(name: &str) -> String {
    format!("\u{F0000}{name}")
}

/// The text of a boolean, a number or a string.
///
/// # Errors
/// Where it is anything else.
pub fn text(value: &minijinja::Value) -> Result<String, Error> {
    from_jinja(value).ok().and_then(|value| value.text()).ok_or_else(|| no_text(value))
}

/// What is wrong where anything else is done with a reference.
pub const REFERENCE: &str = "a reference is only written, joined with `~`, or passed on";

/// The text of what is looked into: a reference is only written, joined or passed on.
fn plain(value: &minijinja::Value) -> Result<String, Error> {
    let text = text(value)?;
    if text.contains(is_forbidden) {
        return Err(Error::new(ErrorKind::InvalidOperation, REFERENCE));
    }
    Ok(text)
}

/// The most characters that `format` may be asked to fill, and the longest text that `trim` takes away.
pub const MAX_ASKED: usize = 1000;

/// The longest text that a filter makes of many, in bytes.
const MAX_MADE: usize = 8 << 20;

/// minijinja's `format`, of values by their order: no map gets there to take them from by name, and it falls over some
/// names, and over numbers of 65536 places.
fn format(
    state: &mut State<'_, '_>,
    format: &minijinja::Value,
    values: Rest<ValueOrKwargs>,
) -> Result<minijinja::Value, Error> {
    let asked = format.as_str().unwrap_or_default().replace("%%", "");
    if asked.contains("%(") {
        let message =
            "`%(` takes a value by its name, and `format` has them by their order: write `%%(` for a bracket";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    if !asked.split('%').skip(1).all(is_asked) {
        let message =
            format!("`format` fills as many characters as are written there, {MAX_ASKED} at the most");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    let longest = values.iter().filter_map(|value| value.as_str().map(str::len)).max().unwrap_or(0);
    made("format", asked.split('%').count().saturating_mul(longest))?;
    let text = filters::format(state, format, values)?;
    if text.as_str().is_some_and(|text| text.contains(is_forbidden)) {
        let message = "`%c` makes a character that is not allowed";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(text)
}

/// Whether the width and the precision behind a `%` are written out and small.
fn is_asked(behind: &str) -> bool {
    let end = behind.find(|c: char| !c.is_ascii_digit() && !"#- +.*".contains(c)).unwrap_or(behind.len());
    let mut digits = behind[..end].split(['#', '-', ' ', '+', '.']).filter(|digits| !digits.is_empty());
    digits.all(|digits| digits.parse().is_ok_and(|n: usize| n <= MAX_ASKED))
}

/// Refuses to make a text that is too long.
fn made(by: &str, len: usize) -> Result<(), Error> {
    if len > MAX_MADE {
        let message = format!("`{by}` makes a text of 8 MiB at the most");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(())
}

fn trim(text: StringInput<'_>, what: Option<Cow<'_, str>>) -> Result<minijinja::Value, Error> {
    if what.as_ref().is_some_and(|what| what.len() > MAX_ASKED) {
        let message = format!("`trim` takes away {MAX_ASKED} characters at the most");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(filters::trim(text, what))
}

/// What `*` and its like take: numbers, and texts, which `*` repeats.
fn factor(value: &minijinja::Value) -> Result<minijinja::Value, Error> {
    match value.kind() {
        ValueKind::Number | ValueKind::Bool | ValueKind::String => Ok(value.clone()),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        _ => {
            let what = from_jinja(value).map_or_else(str::to_owned, |value| value.kind().to_owned());
            let message = format!("`*`, `/`, `//` and `%` do not take {what}");
            Err(Error::new(ErrorKind::InvalidOperation, message))
        }
    }
}

/// Replaces what would make a text of anything.
pub fn add(env: &mut Environment<'_>, text: Text) {
    env.add_filter("string", move |state: &State<'_, '_>, value: &minijinja::Value| text(state, value));
    env.add_filter("factor", factor);
    env.add_filter(own("join"), filters::join);
    env.add_filter(
        "join",
        move |state: &mut State<'_, '_>, list: &minijinja::Value, by: Rest<ValueOrKwargs>| {
            if !matches!(list.kind(), ValueKind::Seq | ValueKind::Iterable) {
                let message = "only a list can be joined".to_owned();
                return Err(Error::new(ErrorKind::InvalidOperation, message));
            }
            let mut len = 0;
            let texts = list.try_iter()?.map(|item| {
                state.consume_fuel(1)?;
                let text = text(state, &item)?;
                len += text.len();
                made("join", len).map(|()| text)
            });
            let texts = texts.collect::<Result<Vec<_>, _>>()?;
            if by.len() > 1 {
                let message = "a list is joined by one text; `map(attribute=…)` takes a field of its entries";
                return Err(Error::new(ErrorKind::TooManyArguments, message));
            }
            let by = by.into_values().iter().map(|by| text(state, by)).collect::<Result<Vec<_>, _>>()?;
            state.apply_filter(&own("join"), &[texts.into(), by.concat().into()])
        },
    );
    env.add_filter(own("capitalize"), filters::capitalize);
    env.add_filter(own("format"), format);
    env.add_filter(own("lines"), filters::lines);
    env.add_filter(own("lower"), filters::lower);
    env.add_filter(own("replace"), filters::replace);
    env.add_filter(own("split"), filters::split);
    env.add_filter(own("title"), filters::title);
    env.add_filter(own("trim"), trim);
    env.add_filter(own("upper"), filters::upper);
    for (name, texts) in GUARDED {
        env.add_filter(name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
            let mut args = args.into_values();
            for arg in args.iter_mut().take(texts).filter(|arg| arg.kind() != ValueKind::Number) {
                *arg = plain(arg)?.into();
            }
            state.apply_filter(&own(name), &args)
        });
    }
    let both = |value: &minijinja::Value, other: &minijinja::Value| {
        Ok::<_, Error>((Cow::Owned(plain(value)?), Cow::Owned(plain(other)?)))
    };
    env.add_test("startingwith", move |value: &minijinja::Value, other: &minijinja::Value| {
        both(value, other).map(|(value, other)| tests::is_startingwith(value, other))
    });
    env.add_test("endingwith", move |value: &minijinja::Value, other: &minijinja::Value| {
        both(value, other).map(|(value, other)| tests::is_endingwith(value, other))
    });
}
