//! How a value is written so that the shell reads it back (XCU 2.2).

/// As a word of its own or part of one: `'…'`. Within single quotes every character is itself, save `'`.
pub(super) fn bare(text: &str) -> String {
    format!("'{}'", in_single(text))
}

/// Within `'…'`.
pub(super) fn in_single(text: &str) -> String {
    text.replace('\'', r"'\''")
}

/// Within `"…"`: `\` is an escape before `$`, `` ` ``, `"`, `\` and a line break, and itself elsewhere.
pub(super) fn in_double(text: &str) -> String {
    escaped(text, &['\\', '$', '`', '"'])
}

/// Within a here-document whose delimiter is not quoted: as in `"…"`, but `"` is itself.
pub(super) fn in_here_doc(text: &str) -> String {
    escaped(text, &['\\', '$', '`'])
}

fn escaped(text: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if special.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Whether this is the name of a variable (XBD 3.235).
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
