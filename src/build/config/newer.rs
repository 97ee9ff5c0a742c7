//! What the parser reads, as TOML 1.1 has it, and editors and other tools refuse, which know TOML 1.0: worth a warning.

use std::ops::Range;
use std::sync::Arc;

use toml_parser::lexer::TokenKind;

use crate::base::report::{Diagnostic, Place, Source};

/// The most warnings of a text: who has more reads none.
const MAX_WARNINGS: usize = 1000;

/// Each use of TOML 1.1 in a text, in its order; of an inline table on several lines the first line break.
pub fn newer(source: &Arc<Source>, found: &mut Vec<Diagnostic>) {
    let text = source.text.as_str();
    if !text.contains(['{', '\\']) {
        return;
    }
    let most = found.len() + MAX_WARNINGS;
    let mut warn = |span: Range<usize>, what: &str, help: &str| {
        if found.len() == most {
            return;
        }
        let place = Place { source: Arc::clone(source), span };
        let warning =
            Diagnostic::warning(format!("{what}: TOML 1.0 does not have that, and editors refuse it"));
        found.push(warning.at(place, "").help(help));
    };
    // The open brackets: whether each is that of an inline table, and whether a line break in it was seen.
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut comma = None;
    for token in toml_parser::Source::new(text).lex() {
        let span = token.span().start()..token.span().end();
        match token.kind() {
            TokenKind::Newline | TokenKind::Comment => {
                if let Some((true, seen)) = open.last_mut()
                    && !std::mem::replace(seen, true)
                {
                    warn(span, "an inline table on several lines", "write it on one line, or as `[table]`");
                }
                continue;
            }
            TokenKind::Whitespace => continue,
            TokenKind::LeftCurlyBracket => open.push((true, false)),
            TokenKind::LeftSquareBracket => open.push((false, false)),
            TokenKind::RightCurlyBracket => {
                if let Some(comma) = comma.take() {
                    warn(comma, "a comma behind the last entry of an inline table", "leave it out");
                }
                open.pop();
            }
            TokenKind::RightSquareBracket => drop(open.pop()),
            TokenKind::BasicString | TokenKind::MlBasicString => {
                for (at, escape) in escapes(&text[span.clone()]) {
                    let help =
                        if escape == 'e' { "write `\\u001b`" } else { "write `\\u00` and the two digits" };
                    let at = span.start + at..span.start + at + 2;
                    warn(at, &format!("the escape `\\{escape}`"), help);
                }
            }
            _ => {}
        }
        comma = (token.kind() == TokenKind::Comma).then_some(span);
    }
}

/// The escapes in a string that TOML 1.0 does not have.
fn escapes(raw: &str) -> Vec<(usize, char)> {
    let mut found = Vec::new();
    let mut chars = raw.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == '\\'
            && let Some((_, escape)) = chars.next()
            && matches!(escape, 'e' | 'x')
        {
            found.push((at, escape));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::report::{RenderStyle, render};

    #[test]
    fn of_very_many_the_first_are_told() {
        let text = format!("a = \"{}\"\nb = [{}]\n", "\\e".repeat(800), "{ b = 1, },".repeat(800));
        let source = Arc::new(Source { name: "a.toml".to_owned(), text });
        let mut found = Vec::new();
        newer(&source, &mut found);
        assert_eq!(found.len(), MAX_WARNINGS);
    }

    #[test]
    fn what_is_newer_is_found() {
        let text = "a = { b = 1,\n  c = [\n1, ], d = \"\"\"\n\"\"\" # x\n }\nb = { c = 1, }\nc = \"\\e \\\\e \\x41\"\n\
            # { \\e\nd = '\\e { ,}'\ne = [1,\n2, # y\n]\n[f]\ng = { h = [\n1] }\n";
        let source = Arc::new(Source { name: "a.toml".to_owned(), text: text.to_owned() });
        let mut found = Vec::new();
        newer(&source, &mut found);
        insta::assert_snapshot!(render(&found, RenderStyle::default()), @r#"
        warning: an inline table on several lines: TOML 1.0 does not have that, and editors refuse it
         --> a.toml:1:13
          |
        1 | a = { b = 1,
          |             ^
          |
          = help: write it on one line, or as `[table]`

        warning: a comma behind the last entry of an inline table: TOML 1.0 does not have that, and editors refuse it
         --> a.toml:6:12
          |
        6 | b = { c = 1, }
          |            ^
          |
          = help: leave it out

        warning: the escape `\e`: TOML 1.0 does not have that, and editors refuse it
         --> a.toml:7:6
          |
        7 | c = "\e \\e \x41"
          |      ^^
          |
          = help: write `\u001b`

        warning: the escape `\x`: TOML 1.0 does not have that, and editors refuse it
         --> a.toml:7:13
          |
        7 | c = "\e \\e \x41"
          |             ^^
          |
          = help: write `\u00` and the two digits
        "#);
    }
}
