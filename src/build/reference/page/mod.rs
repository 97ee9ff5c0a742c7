//! The pages of the reference, as Markdown.

mod commands;
mod language;
mod module;

use std::fmt::Write as _;

use clap::Command;

use super::library::Library;
use super::markdown::{MARKER, code, words};

/// A program, and what its exit codes mean.
#[derive(Debug)]
pub struct Program {
    /// Its command line.
    pub command: Command,
    /// Its exit codes.
    pub exits: Vec<(u8, &'static str)>,
}

/// What the reference is about.
#[derive(Debug)]
pub struct Book<'a> {
    /// The modules.
    pub modules: &'a Library,
    /// The programs.
    pub programs: &'a [Program],
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its file, from the folder of the pages: `modules/comet.md`.
    pub path: String,
    /// Its first heading.
    pub title: String,
    /// Its text, the first heading too.
    pub text: String,
}

impl Page {
    fn new(path: &str, title: &str, text: &str) -> Self {
        let text = format!("{MARKER}\n\n# {}\n\n{}\n", words(title), text.trim());
        Self { path: path.to_owned(), title: title.to_owned(), text }
    }
}

/// The tutorial, as it is written; its first line is its title.
pub const TUTORIAL: &str = include_str!("../tutorial.md");

/// All pages: the index first.
#[must_use]
pub fn pages(book: &Book<'_>) -> Vec<Page> {
    let (title, tutorial) = TUTORIAL.split_once('\n').unwrap_or_default();
    let mut pages = vec![
        index(book),
        Page::new("tutorial.md", title.trim_start_matches(['#', ' ']), tutorial),
        Page::new("language.md", "The language", &language::text()),
        Page::new("commands.md", "Commands", &commands::text(book.programs)),
    ];
    for module in book.modules.values() {
        let path = format!("modules/{}.md", module.name);
        pages.push(Page::new(&path, module.name.as_str(), &module::text(module, book.modules)));
    }
    pages
}

fn index(book: &Book<'_>) -> Page {
    let mut text = "One short TOML file describes a VOEvent broker node. `voevent-build` compiles it into a bundle, and \
                    `voevent-switch` activates that on the node. These pages are made of the definitions of the modules \
                    and of the compiler's own tables.\n\n\
                    - [Tutorial](tutorial.md): from nothing to a module of your own.\n\
                    - [The language](language.md): types, artifacts, grammars, expressions.\n\
                    - [Commands](commands.md): both programs, and their exit codes.\n\n\
                    ## Modules\n\n"
        .to_owned();
    for module in book.modules.values() {
        let (name, description) = (&module.name, words(&module.description));
        let _ = writeln!(text, "- [{}](modules/{name}.md): {description}", code(name.as_str()));
    }
    Page::new("index.md", "voevent-node", &text)
}
