//! A new host file: the options of its modules, as their definitions have them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::base::name::{HostName, ModuleName};
use crate::build::artifact::Target;
use crate::build::config::module::ModuleFile;
use crate::build::config::option::OptionDecl;
use crate::build::reference::library::Library;
use crate::build::reference::words::{Unset, described, is_computed, toml, unset};
use crate::build::types::Type;

/// The columns that comments fill.
const WIDTH: usize = 110;

/// Which of the examples are more than comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    /// Those of options that must be set.
    Required,
    /// Those of options that have no default.
    Undefaulted,
}

/// A host that is to be.
#[derive(Debug)]
pub struct NewHost<'a> {
    /// Its name.
    pub name: &'a HostName,
    /// For what it is compiled.
    pub target: &'a Target,
    /// The modules that it turns on.
    pub on: &'a [ModuleName],
    /// All modules that there are.
    pub modules: &'a Library,
}

impl NewHost<'_> {
    /// The text of its file.
    #[must_use]
    pub fn text(&self, live: Live) -> String {
        let Target { system, arch, python } = self.target;
        let (name, names) = (self.name, toml_list(self.on));
        let along = self.along();
        let mut text = format!(
            "# The host `{name}`: the stem of this file is its name.\n\
             # Lines behind `#` show what is so without them. Values are plain data: nothing in here is evaluated.\n\n\
             [host]\n"
        );
        for (line, comment) in [
            ("# description = \"Broker at the summit\"".to_owned(), ""),
            (format!("# address = \"{name}.example.org\""), "where bundles are sent"),
            ("# imports = [\"site.toml\"]".to_owned(), "what several hosts share; what is here is stronger"),
            (format!("system = \"{system}\""), "what the bundle is compiled for; the target must match"),
            (format!("arch = \"{arch}\""), ""),
            (format!("python = \"{python}\""), ""),
            (format!("modules = {names}"), "what these require comes along"),
        ] {
            if comment.is_empty() {
                let _ = writeln!(text, "{line}");
            } else {
                let _ = writeln!(text, "{line:<40}  # {comment}");
            }
        }
        for module in &along {
            let mut section = Section { text: &mut text, live };
            section.write(module);
        }
        text
    }

    /// The modules that are on: those that it names, and behind each what that requires.
    fn along(&self) -> Vec<&ModuleFile> {
        let mut wanted: Vec<&ModuleName> = self.on.iter().rev().collect();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        while let Some(name) = wanted.pop() {
            if let Some(module) = self.modules.get(name)
                && seen.insert(name)
            {
                found.push(module);
                wanted.extend(module.requires.iter().rev().map(|required| &required.value));
            }
        }
        found
    }
}

fn toml_list(names: &[ModuleName]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", names.join(", "))
}

/// Writes the options of a module, or the fields of a table.
struct Section<'a> {
    text: &'a mut String,
    live: Live,
}

impl Section<'_> {
    fn write(&mut self, module: &ModuleFile) {
        self.text.push('\n');
        self.comment(&format!("{}: {}.", module.name, module.description.trim_end_matches('.')));
        self.table(module.name.as_str(), module.options.iter());
    }

    /// The values of a table first, as TOML has it, then the tables in it.
    fn table<'d>(&mut self, name: &str, options: impl Iterator<Item = (&'d String, &'d OptionDecl)>) {
        let public = options.filter(|(_, decl)| !decl.internal);
        let (tables, values): (Vec<_>, Vec<_>) =
            public.partition(|(_, decl)| matches!(decl.kind, Type::Table(_)));
        let _ = writeln!(self.text, "[{name}]");
        for (key, decl) in values {
            self.value(key, decl);
        }
        for (key, decl) in tables {
            let Type::Table(fields) = &decl.kind else { continue };
            self.text.push('\n');
            self.comment(&decl.description);
            self.table(&format!("{name}.{key}"), fields.iter());
        }
    }

    fn value(&mut self, key: &str, decl: &OptionDecl) {
        self.text.push('\n');
        self.comment(&format!("{} ({})", decl.description, described(&decl.kind)));
        let default = decl.default.as_ref().filter(|node| !is_computed(node));
        let (unset, example) = (unset(decl), decl.example.as_ref().or(default));
        let live = match unset {
            Unset::Refused => example.is_some(),
            Unset::None => self.live == Live::Undefaulted && example.is_some(),
            Unset::Default | Unset::Parts => false,
        };
        let value = default.or(example).map(toml);
        let _ = match (value, unset) {
            (Some(value), _) if live => writeln!(self.text, "{key} = {value}  # an example: write your own"),
            (Some(value), _) => writeln!(self.text, "# {key} = {value}"),
            (None, Unset::Refused) => writeln!(self.text, "# {key} = …  (this must be set)"),
            (None, _) => match &decl.default {
                Some(node) => writeln!(self.text, "# {key}: {} where it is not set", toml(node)),
                None => writeln!(self.text, "# {key} = …"),
            },
        };
    }

    fn comment(&mut self, words: &str) {
        let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        for line in textwrap::wrap(&words, WIDTH) {
            let _ = writeln!(self.text, "# {line}");
        }
    }
}
