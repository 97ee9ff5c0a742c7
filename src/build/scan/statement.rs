//! The statements of templates: those that are allowed are walked, the others named.

use std::ops::Range;

use minijinja::machinery::Span;
use minijinja::machinery::ast::{self, Expr, Stmt};

use super::{Block, BlockKind, Local, Locals, Stand, Walk, range};

/// What is said of a statement that is none of them.
pub(super) const KNOWN: &str = "templates have `if`, `for`, `set`, `include` and `raw`";

/// The name of a statement, and where it stands.
fn name(stmt: &Stmt<'_>) -> (&'static str, Span) {
    match stmt {
        Stmt::Template(s) => ("template", s.span()),
        Stmt::EmitExpr(s) => ("{{ }}", s.span()),
        Stmt::EmitRaw(s) => ("raw", s.span()),
        Stmt::ForLoop(s) => ("for", s.span()),
        Stmt::IfCond(s) => ("if", s.span()),
        Stmt::WithBlock(s) => ("with", s.span()),
        Stmt::Set(s) => ("set", s.span()),
        Stmt::SetBlock(s) => ("set … endset", s.span()),
        Stmt::AutoEscape(s) => ("autoescape", s.span()),
        Stmt::FilterBlock(s) => ("filter", s.span()),
        Stmt::Block(s) => ("block", s.span()),
        Stmt::Import(s) => ("import", s.span()),
        Stmt::FromImport(s) => ("from … import", s.span()),
        Stmt::Extends(s) => ("extends", s.span()),
        Stmt::Include(s) => ("include", s.span()),
        Stmt::Do(s) => ("do", s.span()),
    }
}

impl Walk<'_> {
    pub(super) fn block(&mut self, body: &[Stmt<'_>]) {
        for stmt in body {
            self.stmt(stmt);
        }
    }

    /// Statements that an expression decides about.
    fn guarded(&mut self, kind: BlockKind, by: &Expr<'_>, body: &[Stmt<'_>]) {
        if let (Some(first), Some(last)) = (body.first(), body.last()) {
            let body = range(name(first).1).start..range(name(last).1).end;
            let condition = self.stand.place(self.tag(kind, range(by.span())));
            self.found.blocks.push(Block { kind, condition, body });
        }
        self.block(body);
    }

    /// What a tag says behind its keyword; the parser knows only the end of some expressions, as of tests.
    fn tag(&self, kind: BlockKind, expr: Range<usize>) -> Range<usize> {
        let Stand::File(source) = self.stand else { return expr };
        let text = source.text.as_str();
        let (before, after) = (text.get(..expr.start), text.get(expr.end..));
        let start = before.and_then(|before| before.rfind("{%")).map(|at| at + 2);
        let end = after.and_then(|after| after.find("%}")).map(|at| expr.end + at);
        let (Some(start), Some(end)) = (start, end) else { return expr };
        let inner = text[start..end].trim_start_matches(['-', '+', ' ', '\t', '\n']);
        let keywords: &[&str] = if kind == BlockKind::For { &["for"] } else { &["if", "elif", "for"] };
        let inner = keywords.iter().find_map(|keyword| inner.strip_prefix(keyword)).unwrap_or(inner);
        let start = end - inner.trim_start().len();
        let end = start + inner.trim_start().trim_end_matches(['-', '+', ' ', '\t', '\n']).len();
        start..end
    }

    fn stmt(&mut self, stmt: &Stmt<'_>) {
        match stmt {
            Stmt::EmitRaw(_) => {}
            Stmt::EmitExpr(emit) => match &emit.expr {
                // Code is code in the template's own files only, and seen there by whoever reads the hole.
                Expr::Filter(filter) if self.files && filter.name == "safe" && filter.args.is_empty() => {
                    self.found.safe.push(self.stand.place(range(emit.span())));
                    filter.expr.iter().for_each(|inner| self.as_text(inner));
                }
                expr => self.as_text(expr),
            },
            Stmt::IfCond(cond) if self.files => {
                self.expr(&cond.expr);
                self.guarded(BlockKind::If, &cond.expr, &cond.true_body);
                self.guarded(BlockKind::Else, &cond.expr, &cond.false_body);
            }
            Stmt::ForLoop(each) if self.files => self.for_loop(each),
            Stmt::Set(set) if self.files => {
                let local = self.weigh(&set.expr);
                self.assign(&set.target, &local);
            }
            Stmt::Include(include) if self.files => self.include(include),
            other => {
                let (name, span) = name(other);
                if self.files {
                    let help = KNOWN;
                    self.fault(span, format!("`{name}` is not allowed in a template"), help);
                } else {
                    let help = "a string may have `{{ … }}` in it; statements are for template files";
                    self.fault(span, format!("`{name}` is not allowed in a string"), help);
                }
            }
        }
    }

    fn for_loop(&mut self, each: &ast::Spanned<ast::ForLoop<'_>>) {
        if each.recursive {
            self.fault(each.span(), "recursive loops are not allowed", "write a loop in a loop");
        }
        let local = self.weigh(&each.iter);
        self.scopes.push(Locals::from([("loop".to_owned(), Local::default())]));
        self.assign(&each.target, &local);
        each.filter_expr.iter().for_each(|filter| self.expr(filter));
        self.guarded(BlockKind::For, &each.iter, &each.body);
        self.scopes.pop();
        self.guarded(BlockKind::Else, &each.iter, &each.else_body);
    }

    fn assign(&mut self, target: &Expr<'_>, local: &Local) {
        match target {
            Expr::Var(var) => {
                self.found.locals.push((var.id.to_owned(), self.stand.place(range(var.span()))));
                if let Some(scope) = self.scopes.last_mut() {
                    scope.insert(var.id.to_owned(), local.clone());
                }
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.assign(item, local)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.assign(item, local)),
            other => self.fault(other.span(), "only a plain name can be set", "choose a name"),
        }
    }

    fn include(&mut self, include: &ast::Spanned<ast::Include<'_>>) {
        let name = include.name.as_const().and_then(|name| name.as_str().map(str::to_owned));
        match name {
            Some(name) if !include.ignore_missing => {
                let place = self.stand.place(range(include.name.span()));
                let locals =
                    self.scopes.iter().flatten().map(|(name, local)| (name.clone(), local.clone())).collect();
                self.found.includes.push((name, place, locals));
            }
            _ => self.fault(include.span(), "an include names one file", "write `{% include \"x\" %}`"),
        }
    }
}
