//! The filters that read or make lists. minijinja's own make a value as often as they are told, and add and sort what
//! has no sum and no order: these refuse it.

use minijinja::value::{Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, filters, functions};

use super::filters::{MAX_ASKED, own};

/// The numbers that `range` counts between: it adds some before it looks at them.
const MAX_BOUND: usize = 1 << 40;

/// What is looked at before a filter gets its arguments.
type Look = fn(&State<'_, '_>, &[minijinja::Value]) -> Result<(), Error>;

/// minijinja's own filters that can put one value into a list many times.
const REPEATING: [&str; 3] = ["batch", "map", "slice"];

/// minijinja's own filters of lists that look at too little themselves.
const LOOKED_AT: [(&str, Look); 5] = [
    ("chain", are_lists),
    ("dictsort", are_sortable),
    ("groupby", are_sortable),
    ("sort", are_sortable),
    ("sum", starts_with_number),
];

/// Replaces what looks at too little.
pub fn add(env: &mut Environment<'_>) {
    env.add_filter(own("batch"), filters::batch);
    env.add_filter(own("chain"), filters::chain);
    env.add_filter(own("dictsort"), filters::dictsort);
    env.add_filter(own("groupby"), filters::groupby);
    env.add_filter(own("map"), filters::map);
    env.add_filter(own("slice"), filters::slice);
    env.add_filter(own("sort"), filters::sort);
    env.add_filter(own("sum"), filters::sum);
    for name in REPEATING {
        env.add_filter(name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
            let made = state.apply_filter(&own(name), &args.into_values())?;
            made.try_iter()?.try_for_each(|item| charge(state, &item))?;
            Ok::<_, Error>(made)
        });
    }
    for (name, look) in LOOKED_AT {
        env.add_filter(name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
            let args = args.into_values();
            look(state, &args)?;
            state.apply_filter(&own(name), &args)
        });
    }
    env.add_function("range", |lower: isize, upper: Option<isize>, step: Option<isize>| {
        if [Some(lower), upper, step].into_iter().flatten().any(|bound| bound.unsigned_abs() > MAX_BOUND) {
            let message = format!("`range` counts to {MAX_BOUND} at the most");
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        functions::range(lower, upper, step)
    });
}

/// Pays for what an entry holds, which a filter may have put there many times.
fn charge(state: &State<'_, '_>, value: &minijinja::Value) -> Result<(), Error> {
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        for item in value.try_iter()? {
            state.consume_fuel(1)?;
            charge(state, &item)?;
        }
    }
    if value.kind() == ValueKind::Map {
        for key in value.try_iter()? {
            state.consume_fuel(1)?;
            charge(state, &value.get_item(&key)?)?;
        }
    }
    Ok(())
}

/// Refuses numbers that are too large for TOML: minijinja takes some of them for equal to two that differ, and sorting
/// by an order that is none panics.
fn sortable(state: &State<'_, '_>, value: &minijinja::Value) -> Result<(), Error> {
    state.consume_fuel(1)?;
    match value.kind() {
        ValueKind::Number if value.is_integer() && value.as_i64().is_none() => {
            Err(Error::new(ErrorKind::InvalidOperation, "a number that is too large is not sorted"))
        }
        ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.try_for_each(|item| sortable(state, &item)),
        ValueKind::Map => value.try_iter()?.try_for_each(|key| sortable(state, &value.get_item(&key)?)),
        _ => Ok(()),
    }
}

/// What `chain` takes: it would only find out about others where they are compared, and panic.
fn are_lists(_: &State<'_, '_>, args: &[minijinja::Value]) -> Result<(), Error> {
    args.iter().try_for_each(|arg| arg.try_iter().map(drop))
}

/// What `sum` takes: sums of texts and of lists would grow unseen.
fn starts_with_number(_: &State<'_, '_>, args: &[minijinja::Value]) -> Result<(), Error> {
    let start = args.get(2).cloned().filter(|start| !start.is_kwargs()).or_else(|| named(args, "start"));
    if start.is_some_and(|start| start.kind() != ValueKind::Number) {
        return Err(Error::new(ErrorKind::InvalidOperation, "`sum` adds numbers"));
    }
    Ok(())
}

/// What `sort` and `groupby` take.
fn are_sortable(state: &State<'_, '_>, args: &[minijinja::Value]) -> Result<(), Error> {
    let by = named(args, "attribute").or_else(|| args.get(1).cloned());
    if by.is_some_and(|by| by.as_str().is_some_and(|by| by.len() > MAX_ASKED)) {
        let message = format!("the name of an attribute has {MAX_ASKED} characters at the most");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    args.iter().take(1).try_for_each(|list| sortable(state, list))
}

/// An argument that is given by its name.
fn named(args: &[minijinja::Value], name: &str) -> Option<minijinja::Value> {
    let value = args.get(1..)?.last().filter(|last| last.is_kwargs())?.get_attr(name).ok()?;
    (!value.is_undefined()).then_some(value)
}
