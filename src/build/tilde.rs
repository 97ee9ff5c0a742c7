//! `a ~ b` joins texts, and nothing else: minijinja would write `None` and `[]`.
//!
//! The operator itself cannot be changed, so each of its operands gets the filter `string` before the code is compiled:
//! `(a)|string ~ (b)|string`. That filter refuses what has no text. Errors are mapped back to what was written.
//!
//! minijinja's spans do not tell where an operand begins, so operands are found among the tokens. Whether that came out
//! right is not left to chance: both texts are parsed, and must differ in these filters only.

use std::ops::Range;

use minijinja::machinery::ast::Stmt;
use minijinja::machinery::{Token, parse, parse_expr, tokenize};
use serde::Serialize;
use serde_json::Value as Json;

use super::scan::syntax;

const BEHIND: &str = ")|string";

/// Code as it is compiled, and how to find back what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What is compiled.
    pub text: String,
    /// What was added: where in the written code, how many bytes, and around which operand.
    added: Vec<(usize, usize, Range<usize>)>,
}

impl Checked {
    /// The stretch of the written code that a stretch of the compiled one comes from.
    #[must_use]
    pub fn written(&self, compiled: Range<usize>) -> Range<usize> {
        self.offset(compiled.start, true)..self.offset(compiled.end, false)
    }

    fn offset(&self, compiled: usize, is_start: bool) -> usize {
        let mut shift = 0;
        for (at, len, operand) in &self.added {
            let start = at + shift;
            if compiled < start || (compiled == start && !is_start) {
                break;
            }
            if compiled < start + len {
                // Within what was added: it is about the whole operand.
                return if is_start { operand.start } else { operand.end };
            }
            shift += len;
        }
        compiled - shift
    }
}

/// The code with `string` at all operands of `~`: a bare expression, or a template. `None` where its operands cannot
/// be told apart.
#[must_use]
pub fn checked(code: &str, bare: bool) -> Option<Checked> {
    if !code.contains('~') {
        return Some(Checked { text: code.to_owned(), added: Vec::new() });
    }
    let operands = operands(code, bare)?;
    let opened = operands.iter().map(|operand| (operand.start, 1, operand.clone()));
    let closed = operands.iter().map(|operand| (operand.end, BEHIND.len(), operand.clone()));
    let mut added: Vec<(usize, usize, Range<usize>)> = opened.chain(closed).collect();
    added.sort_by_key(|(at, ..)| *at);
    let (mut text, mut done) = (String::new(), 0);
    for (at, len, _) in &added {
        text.push_str(code.get(done..*at)?);
        text.push_str(if *len == 1 { "(" } else { BEHIND });
        done = *at;
    }
    text.push_str(code.get(done..)?);
    let is_right = if bare {
        same(&parse_expr(code).ok()?, &parse_expr(&text).ok()?)
    } else {
        match (parse(code, "template", syntax()).ok()?, parse(&text, "template", syntax()).ok()?) {
            (Stmt::Template(before), Stmt::Template(after)) => alike(&before.children, &after.children),
            _ => false,
        }
    };
    is_right.then_some(Checked { text, added })
}

/// Whether statements differ in these filters only. Blocks are gone through: as a tree, a whole template would take
/// hundreds of times its size.
fn alike(before: &[Stmt<'_>], after: &[Stmt<'_>]) -> bool {
    before.len() == after.len()
        && before.iter().zip(after).all(|pair| match pair {
            (Stmt::ForLoop(before), Stmt::ForLoop(after)) => {
                same(&before.target, &after.target)
                    && same(&before.iter, &after.iter)
                    && same(&before.filter_expr, &after.filter_expr)
                    && before.recursive == after.recursive
                    && alike(&before.body, &after.body)
                    && alike(&before.else_body, &after.else_body)
            }
            (Stmt::IfCond(before), Stmt::IfCond(after)) => {
                same(&before.expr, &after.expr)
                    && alike(&before.true_body, &after.true_body)
                    && alike(&before.false_body, &after.false_body)
            }
            (before, after) => same(before, after),
        })
}

/// Whether expressions, or statements without a body, differ in these filters only.
fn same(before: &impl Serialize, after: &impl Serialize) -> bool {
    let (Ok(mut before), Ok(mut after)) = (serde_json::to_value(before), serde_json::to_value(after)) else {
        return false;
    };
    bare_tree(&mut before);
    bare_tree(&mut after) && before == after
}

/// Leaves out all spans, and the filter `string` at operands of `~`. Whether all of them had it, or need none.
fn bare_tree(tree: &mut Json) -> bool {
    let mut all = true;
    match tree {
        Json::Array(items) => items.iter_mut().for_each(|item| all &= bare_tree(item)),
        Json::Object(map) => {
            if let Some(Json::Array(pair)) = map.get_mut("inner") {
                pair.truncate(1);
            }
            map.values_mut().for_each(|value| all &= bare_tree(value));
            if map.get("op").is_some_and(|op| op == "Concat") {
                for side in ["left", "right"] {
                    let Some(operand) = map.get_mut(side) else { continue };
                    let node = &operand["inner"][0];
                    let is_text = node["op"] == "Concat" || node["value"].is_string();
                    if operand["expr"] == "Filter"
                        && node["name"] == "string"
                        && node["args"] == Json::Array(vec![])
                    {
                        *operand = node["expr"].clone();
                    } else {
                        all &= is_text;
                    }
                }
            }
        }
        _ => {}
    }
    all
}

/// What stands at one level of brackets.
#[derive(Default)]
struct Level {
    /// Where the operand that is being read begins and ends.
    operand: Option<Range<usize>>,
    /// Whether a `~` stands before it.
    joined: bool,
    /// Whether it is a text as written, and nothing more.
    text: bool,
}

impl Level {
    fn close(&mut self, by_tilde: bool, operands: &mut Vec<Range<usize>>) {
        if let Some(operand) = self.operand.take()
            && (self.joined || by_tilde)
            && !self.text
        {
            operands.push(operand);
        }
        self.joined = by_tilde;
    }

    fn add(&mut self, at: Range<usize>, text: bool) {
        self.text = text && self.operand.is_none();
        let start = self.operand.as_ref().map_or(at.start, |operand| operand.start);
        self.operand = Some(start..at.end);
    }
}

/// The operands of all `~`: what binds stronger than `~` belongs to them.
fn operands(code: &str, bare: bool) -> Option<Vec<Range<usize>>> {
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
        let weak = match token {
            Token::Ident(word) => !was_name && is_operator(word) && !(was_test && word == "not"),
            Token::Minus | Token::Plus => !sign,
            ref other => divides(other),
        };
        match token {
            Token::TemplateData(_) => {}
            Token::VariableStart | Token::VariableEnd | Token::BlockStart | Token::BlockEnd => {
                level.close(false, &mut found);
                (levels, sign) = (vec![Level::default()], true);
            }
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                level.add(at, false);
                levels.push(Level::default());
                sign = true;
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                level.close(false, &mut found);
                levels.pop();
                levels.last_mut()?.add(at, false);
                sign = false;
            }
            _ if weak || matches!(token, Token::Tilde) => {
                level.close(!weak, &mut found);
                sign = true;
            }
            Token::Ident(word) => {
                // What is behind `is` is the name of a test, and behind that a sign again.
                test = (!was_name && word == "is") || (was_test && word == "not");
                (name, sign) = (test, test || was_test);
                level.add(at, false);
            }
            Token::Dot | Token::Pipe => {
                level.add(at, false);
                (name, sign) = (true, false);
            }
            other => {
                let quoted = matches!(other, Token::Str(_) | Token::String(_));
                sign = !quoted && !matches!(other, Token::Int(_) | Token::Int128(_) | Token::Float(_));
                level.add(at, quoted);
            }
        }
    }
    levels.last_mut()?.close(false, &mut found);
    Some(found)
}

/// What stands between two operands, whatever they are.
fn divides(token: &Token<'_>) -> bool {
    matches!(
        token,
        Token::Eq
            | Token::Ne
            | Token::Gt
            | Token::Gte
            | Token::Lt
            | Token::Lte
            | Token::Comma
            | Token::Colon
            | Token::Assign
    )
}

/// Words that bind weaker than `~`, and those that begin a statement.
fn is_operator(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "in" | "if" | "else" | "elif" | "for" | "set" | "include")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_are_found() {
        for (code, want) in [
            ("a ~ b", "(a)|string ~ (b)|string"),
            ("a.b[c ~ 1] ~ 'x' ~ d", "(a.b[(c)|string ~ (1)|string])|string ~ 'x' ~ (d)|string"),
            ("a | f(x ~ y) ~ b * -c + d", "(a | f((x)|string ~ (y)|string))|string ~ (b * -c)|string + d"),
            (
                "not a ~ b if c ~ d else -e ~ f",
                "not (a)|string ~ (b)|string if (c)|string ~ (d)|string else (-e)|string ~ (f)|string",
            ),
            ("a is not none ~ b", "(a is not none)|string ~ (b)|string"),
            ("a is eq -1 ~ b", "(a is eq -1)|string ~ (b)|string"),
            ("a.if ~ a.not - b ~ c", "(a.if)|string ~ (a.not)|string - (b)|string ~ (c)|string"),
            ("(a ~ b) ~ c", "(((a)|string ~ (b)|string))|string ~ (c)|string"),
            ("a not in b ~ c", "a not in (b)|string ~ (c)|string"),
            ("{'k': a ~ b, 'l': [c ~ d]}", "{'k': (a)|string ~ (b)|string, 'l': [(c)|string ~ (d)|string]}"),
            ("f(k=a ~ b) ~ 'x' | g", "(f(k=(a)|string ~ (b)|string))|string ~ ('x' | g)|string"),
        ] {
            assert_eq!(checked(code, true).map(|checked| checked.text).as_deref(), Some(want), "{code}");
        }
        let template =
            "~{% if a ~ 1 %}{{ b ~c}}~{% endif %}{% set x = a ~ b %}{% raw %}{{ a ~ b }}{% endraw %}";
        let want = "~{% if (a)|string ~ (1)|string %}{{ (b)|string ~(c)|string}}~{% endif %}\
            {% set x = (a)|string ~ (b)|string %}{% raw %}{{ a ~ b }}{% endraw %}";
        assert_eq!(checked(template, false).unwrap().text, want);
    }

    #[test]
    fn blocks_are_gone_through() {
        for template in [
            "{% for x in a ~ b if c ~ d %}{{ x ~ 1 }}{% else %}{{ c ~ 2 }}{% endfor %}",
            "{% if a ~ b %}{{ a ~ 1 }}{% elif c ~ d %}{{ c ~ 2 }}{% else %}{{ d ~ 3 }}{% endif %}",
        ] {
            let filters = checked(template, false).unwrap().text.matches("|string").count();
            assert_eq!(filters, 2 * template.matches('~').count(), "{template}");
        }
        let parsed = |text| match parse(text, "template", syntax()) {
            Ok(Stmt::Template(root)) => root,
            _ => panic!("{text}"),
        };
        for [written, compiled] in [
            ["{% for x in a %}{{ x ~ 1 }}{% endfor %}", "{% for x in a %}{{ x ~ 1 }}{% endfor %}"],
            ["{% for x in a %}x{% endfor %}", "{% for x in b %}x{% endfor %}"],
            [
                "{% for x in a %}x{% else %}{{ x }}{% endfor %}",
                "{% for x in a %}x{% else %}{{ y }}{% endfor %}",
            ],
            ["{% for x in a if b %}x{% endfor %}", "{% for x in a %}x{% endfor %}"],
            ["{% if a %}x{% endif %}", "{% if (a)|string %}x{% endif %}"],
            ["{% if a %}{{ x }}{% endif %}", "{% if a %}{{ y }}{% endif %}"],
            ["{% if a %}{% else %}{{ x }}{% endif %}", "{% if a %}{% endif %}"],
        ] {
            assert!(!alike(&parsed(written).children, &parsed(compiled).children), "{written} {compiled}");
        }
    }

    #[test]
    fn places_are_found_back() {
        let checked = checked("x + aa ~ bb", true).unwrap();
        assert_eq!(checked.text, "x + (aa)|string ~ (bb)|string");
        for (compiled, written) in [("x", "x"), ("aa", "aa"), ("bb", "bb"), ("~", "~")] {
            let at = checked.text.find(compiled).unwrap();
            let range = checked.written(at..at + compiled.len());
            assert_eq!(&"x + aa ~ bb"[range], written);
        }
        let at = checked.text.find("string").unwrap();
        assert_eq!(checked.written(at..at + 6), 4..6);
        assert_eq!(checked.written(4..15), 4..6);
        assert_eq!(checked.written(0..checked.text.len()), 0..11);
    }
}
