//! A static look at expressions and templates: what they read, with places, and what they may not do.
//!
//! minijinja's own `undeclared_variables` gives no places and overlooks what a slice is taken of, so the parsed
//! syntax is walked here. Everything that a template could use to measure or compare captured text is refused:
//! the statements are `if`, `for`, `set`, `include` and `raw`, and no others.

mod found;
mod local;
mod stand;
mod statement;

use std::ops::Range;

use minijinja::machinery::ast::{self, CallArg, CallType, Expr, Stmt};
use minijinja::machinery::{Span, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use crate::base::nearest::advice;
use crate::base::report::Diagnostic;

use super::bounds;
use super::expression;
use super::sources::is_forbidden;
pub use found::{Block, BlockKind, Found, Read};
pub use local::{Local, Locals};
pub use stand::Stand;

/// The filters that there are. `map("x")` and its like look theirs up while running: what is missing here is removed
/// from the environment too.
pub const FILTERS: &str = "abs batch bool bytes capitalize chain count d default dictsort first float format groupby int \
    items join last length lines list lower map max min reject rejectattr replace reverse round seconds select \
    selectattr slice sort split string sum title trim unique upper zip";
/// The tests that there are.
pub const TESTS: &str = "boolean defined divisibleby endingwith eq equalto even false float ge gt in integer iterable le \
    lt mapping ne none number odd sequence startingwith string true undefined";

/// The functions of templates that refer to artifacts, and to secrets.
pub const REFERENCES: [&str; 5] = ["script", "venv", "file", "unit", "credential"];

/// The most values that a name may hold together.
const MAX_WEIGHT: u32 = 256;

/// The most levels of lists, tables and filters that a name may hold, with those of the names that it was made of.
const MAX_NEST: u32 = 100;

/// The most names that are shown as what another was made of.
const MAX_SHOWN: usize = 8;

/// The syntax of templates.
#[must_use]
pub fn syntax() -> SyntaxConfig {
    let mut builder = SyntaxConfig::builder();
    builder.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    builder.build().unwrap_or_default()
}

/// Looks at a bare expression, as `when` has.
pub fn expression(text: &str, stand: Stand<'_>, faults: &mut Vec<Diagnostic>) -> Option<Found> {
    let before = faults.len();
    if let Some((inner, _)) = only_hole(text.trim()) {
        let error = Diagnostic::error("an expression that stands for itself has no `{{ }}`");
        let help = format!("write `{}`", inner.trim());
        faults.push(error.at(stand.place(0..text.len()), "").help(help));
        return None;
    }
    if !bounds::hold(text, stand, true, faults) {
        return None;
    }
    let starts = stand.starts();
    let stand = stand.lexed(&starts);
    let mut walk = Walk::new(stand, Locals::new(), faults);
    match parse_expr(text) {
        Ok(expr) => walk.expr(&expr),
        Err(error) => walk.faults.push(syntax_error(&error, stand, text.len())),
    }
    let found = walk.found;
    (faults.len() == before).then_some(found)
}

/// Looks at a template: a file, or a string of a module that has `{{` in it.
pub fn template(
    text: &str,
    stand: Stand<'_>,
    locals: &Locals,
    faults: &mut Vec<Diagnostic>,
) -> Option<Found> {
    let before = faults.len();
    if !bounds::hold(text, stand, false, faults) {
        return None;
    }
    let starts = stand.starts();
    let stand = stand.lexed(&starts);
    let mut walk = Walk::new(stand, locals.clone(), faults);
    match parse(text, "template", syntax()) {
        Ok(Stmt::Template(root)) => walk.block(&root.children),
        Ok(_) => {}
        Err(error) => walk.faults.push(syntax_error(&error, stand, text.len())),
    }
    let found = walk.found;
    (faults.len() == before).then_some(found)
}

/// The expression in a string that is exactly one `{{ }}`, and its offset.
#[must_use]
pub fn only_hole(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    if inner.contains("{{")
        || inner.contains("}}")
        || inner.starts_with(['-', '+'])
        || inner.ends_with(['-', '+'])
    {
        return None;
    }
    Some((inner, 2))
}

/// An error of minijinja at the place where it stands.
#[must_use]
pub fn syntax_error(error: &minijinja::Error, stand: Stand<'_>, len: usize) -> Diagnostic {
    let range = expression::named(error, len).unwrap_or(0..len);
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let unknown = detail.starts_with("unknown statement");
    let help = if unknown { statement::KNOWN } else { "the syntax is that of Jinja" };
    Diagnostic::error(format!("this is no expression or template: {detail}"))
        .at(stand.place(range), "")
        .help(help)
}

fn range(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

struct Walk<'a> {
    stand: Stand<'a>,
    faults: &'a mut Vec<Diagnostic>,
    found: Found,
    scopes: Vec<Locals>,
    /// Of the names in the expression so far.
    weight: u32,
    /// The levels around what is looked at, and the most that were found in the expression so far.
    nest: (u32, u32),
    files: bool,
}

impl<'a> Walk<'a> {
    /// A walk of a template's file, or of other code that knows these names; an expression alone is no file.
    fn new(stand: Stand<'a>, names: Locals, faults: &'a mut Vec<Diagnostic>) -> Self {
        let files = matches!(stand, Stand::File(_));
        Self { stand, faults, found: Found::default(), scopes: vec![names], weight: 0, nest: (0, 0), files }
    }
}

impl Walk<'_> {
    fn fault(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.faults.push(Diagnostic::error(message).at(self.stand.place(range(span)), "").help(help));
    }

    fn local(&self, name: &str) -> Option<&Local> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    /// Looks at an expression whose value gets a name.
    fn weigh(&mut self, expr: &Expr<'_>) -> Local {
        (self.weight, self.nest) = (0, (0, 0));
        let (reads, through) = (self.found.reads.len(), self.found.through.len());
        self.expr(expr);
        if self.weight > MAX_WEIGHT {
            let help = format!("{MAX_WEIGHT} values are the most: join names that hold less");
            self.fault(expr.span(), "this holds the same values over and over", help);
            return Local::default();
        }
        if self.nest.1 > MAX_NEST {
            let help = format!("{MAX_NEST} levels are the most: hold less in a name");
            self.fault(expr.span(), "this is nested too deep", help);
            return Local::default();
        }
        let made_of = self.found.reads[reads..].iter().chain(&self.found.through[through..]);
        let made_of = made_of.map(|read| read.path.clone()).take(MAX_SHOWN).collect();
        Local { weight: self.weight.max(1), nest: self.nest.1, made_of }
    }

    fn expr(&mut self, expr: &Expr<'_>) {
        let level = u32::from(matches!(
            expr,
            Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) | Expr::Slice(_) | Expr::Filter(_)
        ));
        self.nest = (self.nest.0 + level, self.nest.1.max(self.nest.0 + level));
        self.inner(expr);
        self.nest.0 -= level;
    }

    fn inner(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => self.path(expr),
            Expr::Const(value) => {
                if value.value.as_str().is_some_and(|text| text.chars().any(is_forbidden)) {
                    self.fault(value.span(), "this text has a character that is not allowed", "leave it out");
                }
            }
            Expr::UnaryOp(op) => self.expr(&op.expr),
            Expr::BinOp(op) if matches!(op.op, ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr) => {
                self.both(&op.left, &op.right);
            }
            Expr::BinOp(op) => {
                self.as_text(&op.left);
                self.as_text(&op.right);
            }
            Expr::Compare(compare) => {
                self.as_text(&compare.expr);
                compare.ops.iter().for_each(|op| self.as_text(&op.expr));
            }
            Expr::IfExpr(cond) => {
                self.both(&cond.test_expr, &cond.true_expr);
                cond.false_expr.iter().for_each(|other| self.expr(other));
            }
            Expr::Slice(slice) => {
                self.expr(&slice.expr);
                [&slice.start, &slice.stop, &slice.step]
                    .into_iter()
                    .flatten()
                    .for_each(|part| self.expr(part));
            }
            Expr::Filter(filter) if filter.name == "safe" => {
                let help = "write `{{ … | safe }}` where the code is to stand";
                self.fault(filter.span(), "`safe` is the last filter of a hole in a template file", help);
            }
            Expr::Filter(filter) => {
                self.known(("filter", FILTERS), filter.name, filter.span());
                filter.expr.iter().for_each(|inner| self.expr(inner));
                self.args(&filter.args);
            }
            Expr::Test(test) => {
                self.known(("test", TESTS), test.name, test.span());
                self.expr(&test.expr);
                self.args(&test.args);
            }
            Expr::Call(call) => self.call(call),
            Expr::List(list) => list.items.iter().for_each(|item| self.expr(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.expr(item)),
            Expr::Map(map) => {
                map.keys.iter().zip(&map.values).for_each(|(key, value)| self.both(key, value));
            }
        }
    }

    /// An expression of whose value something is made: a secret has no text to make it of.
    fn as_text(&mut self, expr: &Expr<'_>) {
        let before = self.found.reads.len();
        self.expr(expr);
        if let (Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_), Some(read)) =
            (expr, self.found.reads[before..].last_mut())
        {
            read.as_text = true;
        }
    }

    fn both(&mut self, left: &Expr<'_>, right: &Expr<'_>) {
        self.expr(left);
        self.expr(right);
    }

    fn args(&mut self, args: &[CallArg<'_>]) {
        for arg in args {
            match arg {
                CallArg::Pos(expr)
                | CallArg::Kwarg(_, expr)
                | CallArg::PosSplat(expr)
                | CallArg::KwargSplat(expr) => self.expr(expr),
            }
        }
    }

    /// A name with what is taken of it, as far as that is plain.
    fn path(&mut self, expr: &Expr<'_>) {
        let mut parts = Vec::new();
        let mut inner = expr;
        loop {
            match inner {
                Expr::Var(var) => {
                    let place = self.stand.place(var.span().start_offset as usize..range(expr.span()).end);
                    if let Some(local) = self.local(var.id).cloned() {
                        self.weight = self.weight.saturating_add(local.weight);
                        self.nest.1 = self.nest.1.max(self.nest.0 + local.nest);
                        let read =
                            |path| Read { path, beyond: Vec::new(), as_text: false, place: place.clone() };
                        self.found.through.extend(local.made_of.into_iter().map(read));
                    } else {
                        self.weight = self.weight.saturating_add(1);
                        parts.push(Some(var.id.to_owned()));
                        parts.reverse();
                        let plain = parts.iter().position(Option::is_none).unwrap_or(parts.len());
                        let beyond = parts.split_off(plain);
                        let path = parts.into_iter().flatten().collect();
                        self.found.reads.push(Read { path, beyond, as_text: false, place });
                    }
                    return;
                }
                Expr::GetAttr(attr) => {
                    parts.push(Some(attr.name.to_owned()));
                    inner = &attr.expr;
                }
                Expr::GetItem(item) => {
                    let key = plain_key(&item.subscript_expr);
                    if key.is_none() {
                        self.expr(&item.subscript_expr);
                    }
                    parts.push(key);
                    inner = &item.expr;
                }
                other => return self.expr(other),
            }
        }
    }

    fn call(&mut self, call: &ast::Spanned<ast::Call<'_>>) {
        let CallType::Function(name) = call.identify_call() else {
            return self.fault(call.span(), "only functions can be called", "use a filter");
        };
        let references: &[&str] = if self.files { &REFERENCES } else { &[] };
        match call.args.as_slice() {
            args if name == "range" => self.args(args),
            [CallArg::Pos(arg)] if references.contains(&name) => self.expr(arg),
            _ if name == "credential" && self.files => {
                self.fault(call.span(), "`credential` takes one secret", "write `credential(m.x)`");
            }
            _ if references.contains(&name) => {
                self.fault(call.span(), "a reference has one name", "write `script(\"x\")`");
            }
            _ => {
                let message = format!("there is no function `{name}` here");
                let help = advice(name, ["range"].into_iter().chain(references.iter().copied()));
                self.fault(call.span(), message, help);
            }
        }
    }

    fn known(&mut self, (what, known): (&str, &str), name: &str, span: Span) {
        if known.split_whitespace().all(|known| known != name) {
            self.fault(span, format!("there is no {what} `{name}`"), advice(name, known.split_whitespace()));
        }
    }
}

fn plain_key(expr: &Expr<'_>) -> Option<String> {
    match expr {
        Expr::Const(key) => key.value.as_str().map(str::to_owned),
        _ => None,
    }
}
