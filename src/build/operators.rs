//! What operators take: `a ~ b` joins texts, where minijinja would write `None` and `[]`, and `a * b` takes no list, which
//! minijinja would repeat a hundred million times.
//!
//! The operators themselves cannot be changed, so each operand gets a filter before the code is compiled:
//! `(a)|string ~ (b)|string`, `(a)|factor * (b)|factor`. That filter refuses what the operator does not take. Errors are
//! mapped back to what was written.
//!
//! minijinja's spans do not tell where an operand begins, so operands are found among the tokens. Whether that came out
//! right is not left to chance: both texts are parsed, and must differ in these filters only.

mod operands;

use std::ops::Range;

use minijinja::machinery::ast::Stmt;
use minijinja::machinery::{parse, parse_expr};
use serde::Serialize;
use serde_json::Value as Json;

use super::scan::syntax;
use operands::{has_operator, operands};

/// Code as it is compiled, and how to find back what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What is compiled.
    pub text: String,
    /// What was added, in its order.
    added: Vec<Added>,
}

/// A piece of the compiled code that was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Added {
    /// Where it stands in the compiled code.
    at: Range<usize>,
    /// How much was added up to its end, in bytes.
    shift: usize,
    /// The operand that it is around, in the written code.
    operand: Range<usize>,
}

impl Checked {
    /// The stretch of the written code that a stretch of the compiled one comes from.
    #[must_use]
    pub fn written(&self, compiled: Range<usize>) -> Range<usize> {
        self.offset(compiled.start, true)..self.offset(compiled.end, false)
    }

    fn offset(&self, compiled: usize, is_start: bool) -> usize {
        let before = |added: &Added| added.at.start < compiled || (added.at.start == compiled && is_start);
        match self.added[..self.added.partition_point(before)].last() {
            None => compiled,
            // Within what was added: it is about the whole operand.
            Some(added) if compiled < added.at.end => {
                if is_start {
                    added.operand.start
                } else {
                    added.operand.end
                }
            }
            Some(added) => compiled - added.shift,
        }
    }
}

/// The code with a filter at all operands of `~` and of `*` and its like: a bare expression, or a template. `None` where
/// its operands cannot be told apart.
#[must_use]
pub fn checked(code: &str, bare: bool) -> Option<Checked> {
    let operands = operands(code, bare)?;
    // No operand at an operator is another reading than minijinja's: that is looked at below.
    if operands.is_empty() && !has_operator(code, bare) {
        return Some(Checked { text: code.to_owned(), added: Vec::new() });
    }
    let opened = operands.iter().map(|(operand, _)| (operand.start, "(", operand.clone()));
    let closed = operands.iter().map(|(operand, filter)| (operand.end, *filter, operand.clone()));
    let mut pieces: Vec<(usize, &str, Range<usize>)> = opened.chain(closed).collect();
    // Of two that begin at one place the longer is opened first, of two that end there it is closed last.
    pieces.sort_by_key(|(at, piece, operand)| {
        let opens = *piece == "(";
        (*at, opens, if opens { usize::MAX - operand.len() } else { operand.len() })
    });
    let (mut text, mut added, mut done) = (String::new(), Vec::with_capacity(pieces.len()), 0);
    for (at, piece, operand) in pieces {
        text.push_str(code.get(done..at)?);
        let start = text.len();
        text.push_str(piece);
        done = at;
        added.push(Added { at: start..text.len(), shift: text.len() - done, operand });
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

/// Leaves out all spans, and the filters at operands. Whether all operands had theirs, or need none.
fn bare_tree(tree: &mut Json) -> bool {
    let mut all = true;
    match tree {
        Json::Array(items) => items.iter_mut().for_each(|item| all &= bare_tree(item)),
        Json::Object(map) => {
            if let Some(Json::Array(pair)) = map.get_mut("inner") {
                pair.truncate(1);
            }
            map.values_mut().for_each(|value| all &= bare_tree(value));
            let filter = match map.get("op").and_then(Json::as_str) {
                Some("Concat") => "string",
                Some("Mul" | "Div" | "FloorDiv" | "Rem") => "factor",
                _ => return all,
            };
            for side in ["left", "right"] {
                let Some(operand) = map.get_mut(side) else { continue };
                let node = &operand["inner"][0];
                if operand["expr"] == "Filter"
                    && node["name"] == filter
                    && node["args"] == Json::Array(vec![])
                {
                    *operand = node["expr"].clone();
                } else {
                    all &= needs_none(filter, node);
                }
            }
        }
        _ => {}
    }
    all
}

/// Whether what stands at an operand is of its kind in any case.
fn needs_none(filter: &str, node: &Json) -> bool {
    match filter {
        "string" => node["op"] == "Concat" || node["value"].is_string(),
        _ => {
            matches!(node["op"].as_str(), Some("Mul" | "Div" | "FloorDiv" | "Rem"))
                || node["value"].is_number()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_are_found() {
        for (code, want) in [
            ("a ~ b", "(a)|string ~ (b)|string"),
            ("a.b[c ~ 1] ~ 'x' ~ d", "(a.b[(c)|string ~ (1)|string])|string ~ 'x' ~ (d)|string"),
            (
                "a | f(x ~ y) ~ b * -c + d",
                "(a | f((x)|string ~ (y)|string))|string ~ ((b)|factor * (-c)|factor)|string + d",
            ),
            ("a * 2 / b % c", "(a)|factor * 2 / (b)|factor % (c)|factor"),
            ("2 ** a * 3 - 'x' * 4", "(2 ** a)|factor * 3 - ('x')|factor * 4"),
            ("f(*a, b=c * d)", "f(*a, b=(c)|factor * (d)|factor)"),
            ("a ~ 'x' * 3 ~ b", "(a)|string ~ (('x')|factor * 3)|string ~ (b)|string"),
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
        let nested = checked("a * bb ~ c", true).unwrap();
        assert_eq!(nested.text, "((a)|factor * (bb)|factor)|string ~ (c)|string");
        for (compiled, written) in
            [(2..11, 0..1), (15..25, 4..6), (18..20, 4..6), (26..30, 0..6), (0..33, 0..6)]
        {
            assert_eq!(nested.written(compiled.clone()), written, "{compiled:?}");
        }
        let at = nested.text.find("bb").unwrap();
        assert_eq!(nested.written(at..at + 2), 4..6);
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
