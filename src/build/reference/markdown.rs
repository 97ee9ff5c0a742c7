//! Markdown that says exactly what it is given: descriptions are data, and cannot become markup.

use std::fmt::Write as _;

/// The first line of every page: who finds it there may write the page anew.
pub const MARKER: &str = "<!-- Written by `voevent-build docs`, and written anew by it: do not edit. -->";

/// Plain text, in which parts between backticks are code, as in descriptions of modules; on one line.
#[must_use]
pub fn words(text: &str) -> String {
    let text = one_line(text);
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick that is never closed is one.
    let closed = if parts.len().is_multiple_of(2) { parts.len() - 1 } else { parts.len() };
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index >= closed {
            out.push_str("\\`");
        }
        if index % 2 == 1 && index < closed {
            out.push_str(&code(part));
        } else {
            out.push_str(&plain(part));
        }
    }
    out
}

fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '#' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Text as it is, as code on one line.
#[must_use]
pub fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// A place that links can lead to.
#[must_use]
pub fn anchor(id: &str) -> String {
    format!("<a id=\"{id}\"></a>")
}

/// A table; cells are Markdown.
#[must_use]
pub fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), " --- |".repeat(N));
    for row in rows {
        let cells = row.map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;

    /// What a reader of the Markdown sees: text, and code in `⟨⟩`.
    fn seen(markdown: &str) -> String {
        let mut out = String::new();
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
            match event {
                Event::Text(text) => out.push_str(&text),
                Event::Code(code) => {
                    out.push('⟨');
                    out.push_str(&code);
                    out.push('⟩');
                }
                Event::Start(
                    Tag::Paragraph | Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::TableCell,
                )
                | Event::End(_) => {}
                other => panic!("{markdown:?} has {other:?}"),
            }
        }
        out
    }

    #[test]
    fn data_is_no_markup() {
        for (text, want) in [
            ("a <b>&amp; *c* _d_ [e](f) ~~g~~ # h | i \\", "a <b>&amp; *c* _d_ [e](f) ~~g~~ # h | i \\"),
            ("`a|b` and `` c", "⟨a|b⟩ and  c"),
            ("a ` b", "a ` b"),
            ("two\n  lines\u{7}", "two lines"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ] {
            let row = table(["x"], [[words(text)]]);
            assert_eq!(seen(&row).strip_prefix('x'), Some(want), "{row}");
        }
        for text in ["a", "`", "``", "a`b``c", " a ", "{{ a | b }}", "\\|", "<b>"] {
            let row = table(["x"], [[code(text)]]);
            assert_eq!(seen(&row).strip_prefix('x'), Some(format!("⟨{text}⟩").as_str()), "{row}");
        }
    }
}
