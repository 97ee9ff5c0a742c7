//! Keys that take the value as it is, to the end of the line.

use super::super::source::Filling;
use super::escape;
use super::keys::PathRule;
use super::split::Item;
use super::words::as_path;
use super::{Symbol, What};
use crate::base::path::TargetPath;
use crate::base::value::{Secret, Value};

/// The longest name of a file, and so of a credential.
const MAX_NAME: usize = 255;

/// Text keys: `%` is doubled; blanks at the ends and a `\` at the end would be lost.
pub(super) fn text(filling: &mut Filling<'_>, value: &[Symbol]) {
    specifiers(filling, value);
    for hole in holes(value) {
        let Some(text) = filling.scalar(hole) else { continue };
        if text.chars().any(char::is_control) {
            filling.refuse(
                hole,
                "the value has a line break or a control character",
                "it must be one line here",
            );
        } else if text.starts_with(' ') || text.ends_with(' ') {
            filling.refuse(
                hole,
                "the value starts or ends with a blank, which systemd takes away",
                "add the filter `trim`, or leave the blank out",
            );
        } else if text.ends_with('\\') {
            filling.refuse(
                hole,
                "the value ends in `\\`, which would join the next line",
                "leave the last `\\` out",
            );
        }
        filling.set(hole, text.replace('%', "%%"));
    }
}

/// An absolute path, which systemd takes as it is where it is normal.
pub(super) fn path(filling: &mut Filling<'_>, value: &[Symbol], rule: PathRule) {
    text(filling, value);
    let prefix = value.iter().take_while(|symbol| rule.prefixes.chars().any(|c| symbol.is(c))).count();
    let (assembled, holes) = read(filling, &value[prefix..]);
    if let Some(hole) = holes.first() {
        check_path(filling, *hole, &assembled);
        if rule.glob && assembled.contains(['*', '?', '[', '\\']) {
            filling.refuse(
                *hole,
                "systemd would read the path as a pattern for file names",
                "name the file without `*`, `?`, `[` and `\\`",
            );
        }
    }
}

/// Refuses what is no path that systemd gives back as it is.
pub(super) fn check_path(filling: &mut Filling<'_>, hole: usize, path: &str) {
    if path == "/" || filling.is_refused(hole) {
        return;
    }
    if path.ends_with(' ') {
        filling.refuse(hole, "the path ends in a blank, which systemd takes away", "leave the blank out");
    }
    if let Err(error) = TargetPath::new(path.strip_suffix('/').unwrap_or(path)) {
        filling.refuse(hole, &error.to_string(), "systemd takes absolute, normal paths here");
    }
}

/// A secret, as the whole value of `LoadCredential=`; `false` where the value is no such.
pub(super) fn secret(filling: &mut Filling<'_>, key: &str, value: &[Symbol]) -> bool {
    let [Symbol { what: What::Hole(hole), .. }] = value else { return false };
    let Value::Secret(Secret { name, source }) = filling.holes[*hole].value else {
        return false;
    };
    if key != "LoadCredential" {
        return false;
    }
    if name.len() > MAX_NAME {
        let reason = format!("a credential called `{name}` has a name longer than {MAX_NAME} bytes");
        filling.refuse(*hole, &reason, "give the entries of the map shorter keys");
    }
    filling.set(*hole, format!("{name}:{}", source.path()));
    true
}

/// `NAME:path`, as text of the template or as one value.
pub(super) fn credential(filling: &mut Filling<'_>, value: &[Symbol]) {
    let colon = value.iter().position(|symbol| symbol.is(':'));
    text(filling, value);
    let (name, path) = match (colon, value) {
        (Some(colon), _) => (read(filling, &value[..colon]).0, Some(read(filling, &value[colon + 1..]))),
        (None, [Symbol { what: What::Hole(hole), .. }]) => {
            let text = filling.scalar(*hole).unwrap_or_default();
            match text.split_once(':') {
                Some((name, path)) => (name.to_owned(), Some((path.to_owned(), vec![*hole]))),
                None => (text, None),
            }
        }
        (None, _) => (read(filling, value).0, None),
    };
    let named =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if let (false, Some(hole)) = (named, holes(value).first()) {
        let reason = format!("`{}` cannot name a credential", name.escape_debug());
        filling.refuse(*hole, &reason, "a name has letters, digits, `_`, `.` and `-`");
    }
    if let Some((path, holes)) = path
        && let Some(hole) = holes.first()
    {
        check_path(filling, *hole, &path);
        handed_on(filling, *hole, &path, &[' ', '"', '\'', '\\']);
    }
}

/// Refuses what systemd 257 loses when it hands its settings on to the process that starts the program: it splits
/// them again there, and quotes too little for that ("Failed to deserialize"). Tried on 252 and 257.
pub(super) fn handed_on(filling: &mut Filling<'_>, hole: usize, text: &str, lost: &[char]) {
    if text.contains(lost) {
        let reason =
            format!("`{}` has a character that some versions of systemd lose here", text.escape_debug());
        filling.refuse(hole, &reason, "name the file without blanks, quotes, `\\` and `:`");
    }
}

/// Any other key: only characters to which none gives a meaning.
pub(super) fn plain(filling: &mut Filling<'_>, value: &[Symbol]) {
    specifiers(filling, value);
    for hole in holes(value) {
        let Some(text) = filling.scalar(hole) else { continue };
        if !escape::plain(&text) {
            let help = "only letters, digits and `_@.,:/+=-` can stand here";
            filling.refuse(hole, "the value has a character that could have a meaning for this key", help);
        }
        filling.set(hole, text);
    }
}

/// The holes of a value.
pub(super) fn holes(value: &[Symbol]) -> Vec<usize> {
    value.iter().filter_map(|symbol| symbol.hole()).collect()
}

/// Refuses a hole after a `%`, which would start a specifier.
pub(super) fn specifiers(filling: &mut Filling<'_>, value: &[Symbol]) {
    let mut percent = false;
    for symbol in value {
        if let (true, Some(hole)) = (percent, symbol.hole()) {
            filling.refuse(hole, "a value cannot stand after `%`", "write `%%` for a percent sign");
        }
        percent = !percent && symbol.is('%');
    }
}

/// What systemd makes of a value that it takes as it is, and its holes.
fn read(filling: &mut Filling<'_>, value: &[Symbol]) -> (String, Vec<usize>) {
    let items: Vec<Item> = value.iter().map(|symbol| Item::plain(*symbol)).collect();
    (as_path(filling, &items), holes(value))
}
