//! The whole reference as one HTML page that needs nothing else: no network, no server, no other file.

mod body;

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::entry::entries;
use super::markdown::MARKER;
use super::page::{Book, Page};
use super::words::type_name;

use body::{Body, escape, page_id};

/// The page, from the same model as the Markdown pages.
#[must_use]
pub fn html(book: &Book<'_>, pages: &[Page]) -> String {
    let bodies: Vec<Body> = pages.iter().map(Body::of).collect();
    let mut sections = String::new();
    for (page, body) in pages.iter().zip(&bodies) {
        let _ = writeln!(sections, "<section id=\"{}\">\n{}</section>", page_id(&page.path), body.html);
    }
    let parts = [
        ("MARKER", MARKER.to_owned()),
        ("STYLE", include_str!("page.css").to_owned()),
        ("SCRIPT", include_str!("page.js").to_owned()),
        ("CONTENTS", contents(pages)),
        ("INDEX", index(book, pages, &bodies)),
        ("SECTIONS", sections),
    ];
    // One pass: what looks like a part in a description is none.
    let mut page = String::new();
    for (index, piece) in include_str!("page.html").split('@').enumerate() {
        let part = parts.iter().find(|(name, _)| index % 2 == 1 && *name == piece);
        page.push_str(part.map_or(piece, |(_, text)| text));
    }
    page
}

fn contents(pages: &[Page]) -> String {
    let (modules, others): (Vec<_>, Vec<_>) =
        pages.iter().partition(|page| page.path.starts_with("modules/"));
    let list = |pages: &[&Page]| -> String {
        let item = |page: &&Page| {
            format!("<li><a href=\"#{}\">{}</a></li>\n", page_id(&page.path), escape(&page.title))
        };
        pages.iter().map(item).collect()
    };
    format!("<ul>\n{}</ul>\n<p>Modules</p>\n<ul>\n{}</ul>\n", list(&others), list(&modules))
}

/// What the search looks through: options, modules, and the headings of the other pages.
fn index(book: &Book<'_>, pages: &[Page], bodies: &[Body]) -> String {
    let mut all: Vec<Value> = Vec::new();
    for module in book.modules.values() {
        let (name, id) = (module.name.as_str(), page_id(&format!("modules/{}.md", module.name)));
        all.push(json!([name, module.description, "module", id]));
    }
    for entry in entries(book.modules) {
        let kind = type_name(&entry.decl.kind);
        all.push(json!([entry.name(), entry.decl.description, kind, entry.id()]));
    }
    for (page, body) in pages.iter().zip(bodies).filter(|(page, _)| !page.path.starts_with("modules/")) {
        all.extend(body.headings.iter().map(|(title, id)| json!([title, "", page.title, id])));
        all.extend(body.rows.iter().map(|[name, what, id]| json!([name, what, page.title, id])));
    }
    // Within a script, `</script>` would end it whatever it is part of.
    Value::Array(all).to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests;
