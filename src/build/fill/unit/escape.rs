//! How a value is written so that systemd reads it back (systemd.syntax(7), "Quoting").

/// How words are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// C escapes are known; else a `\` gives the next character, whatever it is.
    pub(super) c: bool,
    /// Variables are expanded: `$` is written `$$`.
    pub(super) variables: bool,
    /// `:` divides words.
    pub(super) colon: bool,
}

/// Whether no key gives this character a meaning.
pub(super) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_@.,:/+=-".contains(&byte)
}

/// Whether all characters are plain.
pub(super) fn plain(text: &str) -> bool {
    text.bytes().all(is_plain)
}

/// As a word of its own: `"…"`, or as it is where nothing in it could be special. `None` where it cannot be written.
pub(super) fn whole(text: &str, style: Style) -> Option<String> {
    if plain(text) && !text.is_empty() && !(style.colon && text.contains(':')) {
        return Some(text.to_owned());
    }
    in_quotes(text, style).map(|text| format!("\"{text}\""))
}

/// Within `"…"` or `'…'`.
pub(super) fn in_quotes(text: &str, style: Style) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' | '"' | '\'' => out.extend(['\\', c]),
            '\n' if style.c => out.push_str("\\n"),
            '\t' if style.c => out.push_str("\\t"),
            _ => other(&mut out, c, style)?,
        }
    }
    Some(out)
}

/// Within a word that has no quotes: systemd.syntax(7) knows quotes at the start of a word only.
pub(super) fn in_word(text: &str, style: Style) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_ascii() && !matches!(c, '%' | '$') && !c.is_ascii_control() {
            let special = !u8::try_from(c).is_ok_and(is_plain) || (style.colon && c == ':');
            if special && !style.c {
                return None;
            }
            if special {
                hexadecimal(&mut out, c);
                continue;
            }
        }
        other(&mut out, c, style)?;
    }
    Some(out)
}

/// What is written alike in both: `%` and `$`, which are read after the escapes, and control characters.
fn other(out: &mut String, c: char, style: Style) -> Option<()> {
    match c {
        '%' => out.push_str("%%"),
        '$' if style.variables => out.push_str("$$"),
        '\0' => return None,
        _ if c.is_ascii_control() && style.c => hexadecimal(out, c),
        _ if c.is_ascii_control() => return None,
        _ => out.push(c),
    }
    Some(())
}

/// `\x1f`, for a character of ASCII.
fn hexadecimal(out: &mut String, c: char) {
    let digit = |shift: u32| char::from_digit((u32::from(c) >> shift) & 0xf, 16).unwrap_or_default();
    out.extend(['\\', 'x', digit(4), digit(0)]);
}
