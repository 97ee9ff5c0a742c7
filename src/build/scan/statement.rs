//! The statements of minijinja by name, for messages about those that are not allowed.

use minijinja::machinery::Span;
use minijinja::machinery::ast::Stmt;

/// The name of a statement, and where it stands.
pub(super) fn name(stmt: &Stmt<'_>) -> (&'static str, Span) {
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
