//! Values that a grammar does not take where they stand: a file a row, and what a user is told of each.

mod broken;
mod broken_code;
mod code;
mod data;
mod sh;
mod units;

use std::fmt::Write as _;

use crate::sandbox::Sandbox;

/// What is said of a module with a file of this grammar for each of these templates. Each is refused.
fn said(grammar: &str, templates: &[&str]) -> String {
    let mut entries = String::new();
    let names: Vec<String> = (1..=templates.len()).map(|row| format!("{row:02}.j2")).collect();
    for name in &names {
        let _ = writeln!(entries, "[[file]]\nname = '{name}'\ntemplate = '{name}'\ngrammar = '{grammar}'");
    }
    let mut files = vec![("module.toml", entries.as_str())];
    files.extend(names.iter().map(String::as_str).zip(templates.iter().copied()));
    let said = Sandbox::module(&files).refused();
    for (name, template) in names.iter().zip(templates) {
        assert!(said.contains(name), "nothing is said of {template:?}: {said}");
    }
    // The folder is the same in all rows.
    said.replace("modules/m/", "")
}
