//! `voevent-build docs`: the reference of all modules, the language and both programs, as pages.

use std::path::PathBuf;

use clap::CommandFactory as _;
use serde_json::{Map, Value};
use voevent_node::build::compile::BuildError;
use voevent_node::build::reference::html::html;
use voevent_node::build::reference::page::{Book, Program, pages};
use voevent_node::build::reference::write;
use voevent_node::switch::arguments::Cli as SwitchCli;
use voevent_node::switch::failure::Exit;

use crate::outcome::Outcome;
use crate::project::{ModuleArguments, shown};

/// The arguments of `docs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder that gets the pages; other people's files in it stay as they are.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    modules: ModuleArguments,
}

/// What the exit codes of `voevent-build` mean.
const EXITS: [(u8, &str); 3] = [
    (0, "done"),
    (1, "the configuration is wrong, or a file cannot be read or written"),
    (2, "the command line is wrong"),
];

impl Arguments {
    /// Writes the pages.
    pub(crate) fn run(self) -> Result<Outcome, BuildError> {
        let modules = self.modules.read()?;
        let programs = [
            Program { command: crate::Cli::command(), exits: EXITS.to_vec() },
            Program {
                command: SwitchCli::command(),
                exits: Exit::ALL.into_iter().map(|exit| (exit.code(), exit.meaning())).collect(),
            },
        ];
        let book = Book { modules: &modules, programs: &programs };
        let pages = pages(&book);
        let mut files: Vec<(String, String)> = vec![("index.html".to_owned(), html(&book, &pages))];
        files.extend(pages.into_iter().map(|page| (page.path, page.text)));
        write::pages(&self.out, &files)?;
        let first = shown(&self.out.join("index.html")).display().to_string();
        let data = Map::from_iter([("page".to_owned(), Value::from(first.clone()))]);
        let summary = vec![format!("{} files in `{}`", files.len(), shown(&self.out).display())];
        Ok(Outcome { text: format!("{first}\n"), data, summary, ..Outcome::default() })
    }
}
