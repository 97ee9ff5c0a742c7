//! Keys whose value is words: what each may be, and how its holes are filled.

use super::super::source::Filling;
use super::Symbol;
use super::escape::{self, Style};
use super::keys::{Names, Rule};
use super::scalar::{check_path, handed_on};
use super::split::{Item, Place, Word, split};

/// Fills the holes of a word. What systemd makes of it: one text, or one an entry of a list.
pub(super) fn fill_word(filling: &mut Filling<'_>, word: &Word, style: Style) -> Vec<String> {
    if let Some(hole) = word.alone()
        && let Some(entries) = filling.list(hole)
    {
        let written: Option<Vec<String>> = entries.iter().map(|entry| escape::whole(entry, style)).collect();
        match written {
            Some(written) => filling.set(hole, written.join(" ")),
            None => filling.refuse(hole, CONTROL, "leave that character out"),
        }
        return entries;
    }
    let mut text = String::new();
    for item in &word.items {
        match item {
            Item::Char(c) => text.push(*c),
            Item::Hole(place) => text.push_str(&fill_place(filling, *place, style)),
        }
    }
    vec![text]
}

const CONTROL: &str = "the value has a control character, for which this key knows no escape";

fn fill_place(filling: &mut Filling<'_>, place: Place, style: Style) -> String {
    let Some(text) = filling.scalar(place.hole) else {
        return String::new();
    };
    let written = match place {
        Place { alone: true, .. } => escape::whole(&text, style),
        Place { quoted: true, .. } => escape::in_quotes(&text, style),
        _ => escape::in_word(&text, style),
    };
    match written {
        Some(written) => filling.set(place.hole, written),
        None if text.chars().any(|c| c.is_ascii_control()) => {
            filling.refuse(place.hole, CONTROL, "leave that character out");
        }
        None => {
            let reason = "this key knows no escape for a character of the value within a word without quotes";
            filling.refuse(place.hole, reason, "put the whole word into `\"…\"`");
        }
    }
    text
}

/// Refuses a hole after a `%`, which would start a specifier, and after or within a `$` that is expanded.
pub(super) fn guard(filling: &mut Filling<'_>, word: &Word, variables: bool) {
    let (mut percent, mut dollar, mut braces) = (false, false, false);
    let has_holes = !word.holes().is_empty();
    for item in &word.items {
        match item {
            Item::Hole(place) => {
                if percent {
                    filling.refuse(
                        place.hole,
                        "a value cannot stand after `%`",
                        "write `%%` for a percent sign",
                    );
                }
                if dollar || braces {
                    filling.refuse(
                        place.hole,
                        "a value cannot stand after `$` or in `${…}`",
                        "write `$$` for a dollar",
                    );
                }
            }
            // The character of a specifier, which is no `$`.
            Item::Char(c) if percent && *c != '%' => percent = false,
            Item::Char(c) => {
                percent = !percent && *c == '%';
                if !variables {
                    continue;
                }
                match (*c, dollar, braces) {
                    ('}', _, true) => braces = false,
                    (_, _, true) => {}
                    ('$', dollar_before, _) => dollar = !dollar_before,
                    ('{', true, _) => (dollar, braces) = (false, true),
                    (_, true, _) if has_holes => {
                        dollar = false;
                        let hole = word.holes()[0];
                        let reason = "`$name` is a variable only where it is the whole word";
                        filling.refuse(hole, reason, "write `${name}`, or `$$` for a dollar sign");
                    }
                    _ => dollar = false,
                }
            }
        }
    }
}

/// `Environment=` and `LogExtraFields=`: words with C escapes, each `NAME=value`.
pub(super) fn assignments(filling: &mut Filling<'_>, value: &[Symbol], names: Names) {
    let style = Style { c: true, variables: false, colon: false };
    for word in split(filling, value, style) {
        guard(filling, &word, false);
        let texts = fill_word(filling, &word, style);
        let Some(hole) = word.holes().first().copied() else { continue };
        // An `=` of the template ends the name: what stands before it must be one.
        let equals = word.items.iter().position(|item| *item == Item::Char('='));
        let before = equals.map(|at| &word.items[..at]);
        for text in texts {
            let name = match before {
                Some(before) => as_path(filling, before),
                None => text.split_once('=').map(|(name, _)| name.to_owned()).unwrap_or_default(),
            };
            if !is_name(&name, names) {
                let reason = format!("`{}` is no assignment that systemd takes", shortened(&text));
                filling.refuse(hole, &reason, "write `NAME=value`");
            }
            too_long(filling, hole, &text);
            // systemd 257 hands fields on in lines, as they are, to the process that starts the program.
            if names == Names::Field && text.chars().any(|c| c.is_control() && c != '\t') {
                filling.refuse(
                    hole,
                    "the value has a line break or a control character",
                    "it must be one line here",
                );
            }
        }
    }
}

/// The longest argument or variable that a program can get (execve(2)).
pub(super) fn too_long(filling: &mut Filling<'_>, hole: usize, text: &str) {
    if text.len() >= 128 * 1024 {
        filling.refuse(
            hole,
            "the word gets longer than the 128 KiB that a program can be given",
            "put the value into a file, and pass its path",
        );
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

fn is_name(name: &str, names: Names) -> bool {
    let first = name.bytes().next();
    let all = |allowed: fn(u8) -> bool| name.bytes().all(allowed);
    match names {
        Names::Variable => {
            all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && first.is_some_and(|byte| !byte.is_ascii_digit())
        }
        Names::Field => {
            all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
                && first.is_some_and(|byte| byte.is_ascii_uppercase())
                && name.len() <= 64
        }
    }
}

/// `ReadWritePaths=` and the like. They know `\` before any character, but no C escapes.
pub(super) fn paths(filling: &mut Filling<'_>, value: &[Symbol], prefixes: &str) {
    let style = Style { c: false, variables: false, colon: false };
    for word in split(filling, value, style) {
        path(filling, &word, style, prefixes);
    }
}

/// `BindPaths=`: `source:destination:options`.
pub(super) fn binds(filling: &mut Filling<'_>, value: &[Symbol]) {
    let style = Style { c: false, variables: false, colon: true };
    let mut field = 0;
    for word in split(filling, value, style) {
        field = if word.after_colon { field + 1 } else { 0 };
        for hole in word.holes() {
            let texts = filling.list(hole).unwrap_or_else(|| filling.scalar(hole).into_iter().collect());
            handed_on(filling, hole, &texts.concat(), &[':', '"', '\'', '\\']);
        }
        match field {
            0 => path(filling, &word, style, "-"),
            1 => path(filling, &word, style, ""),
            _ => {
                for hole in word.holes() {
                    filling.refuse(
                        hole,
                        "a value cannot be an option of a bind mount",
                        "write `rbind` or `norbind`",
                    );
                }
            }
        }
    }
}

fn path(filling: &mut Filling<'_>, word: &Word, style: Style, prefixes: &str) {
    guard(filling, word, false);
    let texts = fill_word(filling, word, style);
    let Some(hole) = word.holes().first().copied() else { return };
    if word.alone().is_some() {
        for text in texts {
            check_path(filling, hole, &text);
        }
        return;
    }
    let is_prefix = |item: &&Item| matches!(item, Item::Char(c) if prefixes.contains(*c));
    let prefix = word.items.iter().take_while(is_prefix).count();
    let text = as_path(filling, &word.items[prefix..]);
    check_path(filling, hole, &text);
}

/// The path that these items are: a specifier of the template stands for `/…` at the start and for some letters
/// elsewhere.
pub(super) fn as_path(filling: &mut Filling<'_>, items: &[Item]) -> String {
    let (mut text, mut percent) = (String::new(), false);
    for item in items {
        match item {
            Item::Hole(place) => text.push_str(&filling.scalar(place.hole).unwrap_or_default()),
            Item::Char(c) if percent => {
                percent = false;
                text.push_str(match (c, text.is_empty()) {
                    ('%', _) => "%",
                    (_, true) => "/specifier",
                    (_, false) => "specifier",
                });
            }
            Item::Char('%') => percent = true,
            Item::Char(c) => text.push(*c),
        }
    }
    text
}

/// Words without quotes and escapes.
pub(super) fn plain(filling: &mut Filling<'_>, value: &[Symbol], rule: Rule) {
    super::scalar::specifiers(filling, value);
    let allowed = |text: &str| match rule {
        Rule::Any => escape::plain(text),
        Rule::NoColon => escape::plain(text) && !text.contains(':'),
        Rule::Uri => text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\".contains(&byte)),
    };
    let help = match rule {
        Rule::Any => "only letters, digits and `_@.,:/+=-` can stand here",
        Rule::NoColon => "only letters, digits and `_@.,/+=-` can stand here",
        Rule::Uri => "write blanks and quotes as `%20` and the like",
    };
    for (index, symbol) in value.iter().enumerate() {
        let Some(hole) = symbol.hole() else { continue };
        let before = index.checked_sub(1).and_then(|index| value.get(index));
        let alone = before.is_none_or(|symbol| symbol.is_blank())
            && value.get(index + 1).is_none_or(|symbol| symbol.is_blank());
        let texts = match alone.then(|| filling.list(hole)).flatten() {
            Some(entries) => entries,
            None => filling.scalar(hole).into_iter().collect(),
        };
        if texts.iter().any(|text| !allowed(text) || (alone && text.is_empty())) {
            filling.refuse(hole, "the value has a character that could have a meaning for this key", help);
        }
        filling.set(hole, texts.join(" ").replace('%', "%%"));
    }
}
