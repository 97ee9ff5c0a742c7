//! Where the operands of `~`, and of `*` and its like, begin and end.

use std::ops::Range;

use minijinja::machinery::{Token, tokenize};

use crate::build::scan::syntax;

/// What is written behind an operand of `~`.
const TEXT: &str = ")|string";
/// What is written behind an operand of `*`, `/`, `//` and `%`.
const FACTOR: &str = ")|factor";

/// An operand that is being read.
#[derive(Default)]
struct Operand {
    /// Where it begins and ends.
    at: Option<Range<usize>>,
    /// Whether an operator stands before it.
    joined: bool,
    /// Whether it is a constant of the operator's kind, and nothing more.
    constant: bool,
}

impl Operand {
    fn add(&mut self, at: &Range<usize>, constant: bool) {
        self.constant = constant && self.at.is_none();
        let start = self.at.as_ref().map_or(at.start, |operand| operand.start);
        self.at = Some(start..at.end);
    }

    /// Ends it, at an operator of its kind or at another; where it is, if it is one that needs a filter.
    fn close(&mut self, by_operator: bool) -> Option<Range<usize>> {
        let is_operand = std::mem::replace(&mut self.joined, by_operator) || by_operator;
        self.at.take().filter(|_| is_operand && !self.constant)
    }
}

/// What stands at one level of brackets. What `*` and its like join may itself be joined by `~`.
#[derive(Default)]
struct Level {
    text: Operand,
    factor: Operand,
}

/// What ends an operand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Tilde,
    Times,
    Other,
}

impl Level {
    fn close(&mut self, by: By, found: &mut Vec<(Range<usize>, &'static str)>) {
        found.extend(self.factor.close(by == By::Times).map(|at| (at, FACTOR)));
        if by != By::Times {
            found.extend(self.text.close(by == By::Tilde).map(|at| (at, TEXT)));
        }
    }

    fn add(&mut self, at: &Range<usize>, token: Option<&Token<'_>>) {
        self.text.add(at, matches!(token, Some(Token::Str(_) | Token::String(_))));
        self.factor.add(at, matches!(token, Some(Token::Int(_) | Token::Int128(_) | Token::Float(_))));
    }
}

/// The operands of all `~`, `*`, `/`, `//` and `%`, each with what is written behind it: what binds stronger belongs to
/// them.
pub(super) fn operands(code: &str, bare: bool) -> Option<Vec<(Range<usize>, &'static str)>> {
    let mut found = Vec::new();
    let mut levels = vec![Level::default()];
    // Whether a `-` would be a sign, and whether a word would be a name, not an operator.
    let (mut sign, mut name) = (true, false);
    let mut test = false;
    for token in tokenize(code, bare, syntax()) {
        let (token, span) = token.ok()?;
        let at = span.start_offset as usize..span.end_offset as usize;
        let level = levels.last_mut()?;
        let (was_name, was_test) = (std::mem::take(&mut name), std::mem::take(&mut test));
        let by = ends(&token, sign, was_name, was_test);
        match token {
            Token::TemplateData(_) => {}
            Token::VariableStart | Token::VariableEnd | Token::BlockStart | Token::BlockEnd => {
                level.close(By::Other, &mut found);
                (levels, sign) = (vec![Level::default()], true);
            }
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                level.add(&at, None);
                levels.push(Level::default());
                sign = true;
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                level.close(By::Other, &mut found);
                levels.pop();
                levels.last_mut()?.add(&at, None);
                sign = false;
            }
            _ if let Some(by) = by => {
                level.close(by, &mut found);
                if by == By::Times {
                    level.text.add(&at, false);
                }
                sign = true;
            }
            Token::Ident(word) => {
                // What is behind `is` is the name of a test, and behind that a sign again.
                test = (!was_name && word == "is") || (was_test && word == "not");
                (name, sign) = (test, test || was_test);
                level.add(&at, None);
            }
            Token::Dot | Token::Pipe => {
                level.add(&at, None);
                (name, sign) = (true, false);
            }
            other => {
                sign = !matches!(
                    other,
                    Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_)
                );
                level.add(&at, Some(&other));
            }
        }
    }
    levels.last_mut()?.close(By::Other, &mut found);
    Some(found)
}

/// Whether code has a `~` or a `*`, beside those of a template's text.
pub(super) fn has_operator(code: &str, bare: bool) -> bool {
    let mut tokens = tokenize(code, bare, syntax()).flatten();
    tokens.any(|(token, _)| matches!(token, Token::Tilde | Token::Mul))
}

/// What a token ends, if it is no part of an operand: `sign` where a value should be, `name` where a word is one, `test`
/// behind `is`.
fn ends(token: &Token<'_>, sign: bool, name: bool, test: bool) -> Option<By> {
    match token {
        Token::Ident(word) => (!name && is_operator(word) && !(test && *word == "not")).then_some(By::Other),
        Token::Tilde => Some(By::Tilde),
        // A `*` where a value should be spreads the arguments of a call.
        Token::Mul | Token::Div | Token::FloorDiv | Token::Mod if !sign => Some(By::Times),
        Token::Minus | Token::Plus if sign => None,
        Token::Minus
        | Token::Plus
        | Token::Mul
        | Token::Eq
        | Token::Ne
        | Token::Gt
        | Token::Gte
        | Token::Lt
        | Token::Lte
        | Token::Comma
        | Token::Colon
        | Token::Assign => Some(By::Other),
        _ => None,
    }
}

/// Words that bind weaker than `~`, and those that begin a statement.
fn is_operator(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "in" | "if" | "else" | "elif" | "for" | "set" | "include")
}
