//! The bounds of expressions and templates, counted on tokens: minijinja's parser recurses, and a hostile text must
//! not exhaust the stack before there is anything to look at.

use std::ops::Range;

use minijinja::machinery::{Token, tokenize};

use crate::base::report::{Diagnostic, Place};

use super::scan::{Stand, syntax, syntax_error};

/// The longest expression, in bytes.
pub const MAX_EXPRESSION: usize = 1000;
/// The longest string with expressions in it: finding the place of each takes as long as the string.
const MAX_STRING: usize = 10_000;
/// The longest line of a template, in bytes: minijinja counts columns in 16 bits.
const MAX_LINE: usize = 65_000;
/// The most operators in a template that its operands are looked up for.
const MAX_OPERATORS: usize = 4000;
/// The deepest nesting of brackets, signs and blocks.
const MAX_LEVELS: usize = 64;

/// Whether a text, a bare expression or a template, may be parsed.
pub fn hold(text: &str, stand: Stand<'_>, bare: bool, faults: &mut Vec<Diagnostic>) -> bool {
    if bare && text.len() > MAX_EXPRESSION {
        faults.push(too_long(stand.place(0..text.len()), text.len()));
        return false;
    }
    if !matches!(stand, Stand::File(_)) && text.len() > MAX_STRING {
        let error = Diagnostic::error(format!("a string of {} bytes with expressions in it", text.len()));
        let help = format!("{MAX_STRING} bytes are the most: write a template file");
        faults.push(error.at(stand.place(0..text.len()), "").help(help));
        return false;
    }
    if let Some(line) = text.split('\n').find(|line| line.len() > MAX_LINE) {
        let error = Diagnostic::error(format!("a template has a line of {} bytes", line.len()));
        let start = line.as_ptr().addr() - text.as_ptr().addr();
        let help = format!("{MAX_LINE} bytes are the most: break it, or place a `source` as it is");
        faults.push(error.at(stand.place(start..start + line.len()), "").help(help));
        return false;
    }
    let before = faults.len();
    let mut bounds =
        Bounds { stand, faults, levels: 0, run: 0, blocks: Vec::new(), open: None, operators: 0 };
    bounds.tokens(text, bare);
    faults.len() == before
}

fn too_long(place: Place, len: usize) -> Diagnostic {
    Diagnostic::error(format!("an expression of {len} bytes")).at(place, "").help(format!(
        "{MAX_EXPRESSION} bytes are the most: split it, or let an internal option hold a part of it"
    ))
}

struct Bounds<'a> {
    stand: Stand<'a>,
    faults: &'a mut Vec<Diagnostic>,
    /// Open brackets.
    levels: usize,
    /// Signs in a row.
    run: usize,
    /// Open blocks, each with its branches: minijinja nests those.
    blocks: Vec<usize>,
    /// Where the open expression or statement of a template starts.
    open: Option<usize>,
    /// `~`, `*` and its like.
    operators: usize,
}

impl Bounds<'_> {
    fn tokens(&mut self, text: &str, in_expr: bool) {
        let mut opened = false;
        for token in tokenize(text, in_expr, syntax()) {
            let (token, span) = match token {
                Ok(token) => token,
                Err(error) => {
                    self.faults.push(syntax_error(&error, self.stand, text.len()));
                    return;
                }
            };
            if opened {
                self.statement(&token);
            }
            opened = matches!(token, Token::BlockStart);
            let at = span.start_offset as usize..span.end_offset as usize;
            self.token(&token, at.clone());
            if self.levels.max(self.run).max(self.blocks.iter().sum()) > MAX_LEVELS {
                let place = self.stand.place(at);
                let message = format!("more than {MAX_LEVELS} levels");
                self.faults.push(Diagnostic::error(message).at(place, "").help("split it"));
                return;
            }
        }
        self.close(text.len());
    }

    fn statement(&mut self, token: &Token<'_>) {
        match token {
            Token::Ident("if" | "for") => self.blocks.push(1),
            Token::Ident("elif") => self.blocks.last_mut().into_iter().for_each(|branches| *branches += 1),
            Token::Ident("endif" | "endfor") => {
                self.blocks.pop();
            }
            _ => {}
        }
    }

    fn token(&mut self, token: &Token<'_>, at: Range<usize>) {
        match token {
            Token::VariableStart | Token::BlockStart => {
                self.open = Some(at.end);
                self.levels = 0;
            }
            Token::VariableEnd | Token::BlockEnd => self.close(at.start),
            Token::Int(number) if i64::try_from(*number).is_err() => self.too_large(at),
            Token::Int128(_) => self.too_large(at),
            Token::Tilde | Token::Mul | Token::Div | Token::FloorDiv | Token::Mod => {
                self.operators += 1;
                if self.operators == MAX_OPERATORS + 1 {
                    let error = Diagnostic::error(format!("more than {MAX_OPERATORS} operators"));
                    self.faults.push(error.at(self.stand.place(at), "").help("write a loop"));
                }
            }
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => self.levels += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                self.levels = self.levels.saturating_sub(1);
            }
            _ => {}
        }
        let prefix = matches!(token, Token::Minus | Token::Pow | Token::Ident("not"));
        self.run = if prefix { self.run + 1 } else { 0 };
    }

    /// What is open ends here.
    fn close(&mut self, end: usize) {
        if let Some(start) = self.open.take()
            && end.saturating_sub(start) > MAX_EXPRESSION
        {
            self.faults.push(too_long(self.stand.place(start..end), end - start));
        }
    }

    fn too_large(&mut self, at: Range<usize>) {
        let error = Diagnostic::error("a number that is too large").at(self.stand.place(at), "");
        self.faults.push(error.help(format!("{} is the largest, as in TOML", i64::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::report::Source;

    #[test]
    fn a_line_has_no_more_columns_than_are_counted() {
        let text = format!("a\n{} }}}}\n", "{{ x".repeat(20_000));
        let source = Arc::new(Source { name: "x.j2".to_owned(), text });
        let mut faults = Vec::new();
        assert!(!hold(&source.text, Stand::File(&source), false, &mut faults));
        assert_eq!(faults[0].message, "a template has a line of 80003 bytes");
        assert_eq!(faults[0].places[0].0.line_column(), (2, 1));
    }
}
