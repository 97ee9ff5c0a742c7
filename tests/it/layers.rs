//! The rules of the tree that no compiler checks: who imports whom, and how long a file or a function may be.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::Path;

/// The most lines of a file, and of a function from its `fn` to its closing bracket.
const MAX_FILE: usize = 400;
const MAX_FUNCTION: usize = 60;

/// All sources below a folder of the project: name and text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(top.join(folder)).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let name = entry.path().strip_prefix(top).unwrap().display().to_string();
            found.push((name, fs::read_to_string(entry.path()).unwrap()));
        }
    }
    assert!(!found.is_empty(), "`{folder}` has no sources");
    found
}

/// Lines of code: no comments, no documentation.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn imports_run_one_way() {
    let rules: [(&str, &[&str]); 6] = [
        ("src/base", &["store", "wheel", "build", "switch"]),
        ("src/store", &["wheel", "build", "switch"]),
        ("src/wheel", &["build", "switch"]),
        ("src/build", &["switch"]),
        ("src/switch", &["build"]),
        ("src/bin/voevent-switch.rs", &["build"]),
    ];
    let mut wrong = Vec::new();
    for (folder, others) in rules {
        for (name, text) in sources(folder) {
            for other in others {
                let paths = [format!("crate::{other}"), format!("voevent_node::{other}")];
                // `use crate::{base::x, build::y}` would hide it.
                assert!(!text.contains("crate::{"), "`{name}` imports by a group of the whole crate");
                if code(&text).any(|line| paths.iter().any(|path| line.contains(path))) {
                    wrong.push(format!("`{name}` imports `{other}`"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn files_and_functions_are_short() {
    let mut long = Vec::new();
    for (name, text) in ["src", "tests"].into_iter().flat_map(sources) {
        let lines = text.lines().count();
        if lines > MAX_FILE {
            long.push(format!("{name}: {lines} lines"));
        }
        for (function, lines) in functions(&text) {
            // A test of words is as long as its words.
            if lines > MAX_FUNCTION && !function.contains("_snapshot!") {
                long.push(format!(
                    "{name}: `{}` has {lines} lines",
                    function.lines().next().unwrap_or_default().trim()
                ));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let files = ["src", "tests"].into_iter().flat_map(sources);
    let silent: Vec<String> =
        files.filter(|(_, text)| !text.starts_with("//! ")).map(|(name, _)| name).collect();
    assert_eq!(silent, Vec::<String>::new());
}

/// The functions of a source, each with its lines: from `fn` to the bracket that stands as far in as it does, which is
/// how the sources are formatted.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let words = line.trim_start();
        let head = ["pub ", "pub(crate) ", "pub(super) ", "const "]
            .iter()
            .fold(words, |words, word| words.strip_prefix(word).unwrap_or(words));
        if !head.starts_with("fn ") || line.ends_with(['}', ';']) {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - words.len()]);
        let Some(length) = lines[start..].iter().position(|line| *line == end) else { continue };
        found.push((lines[start..=start + length].join("\n"), length + 1));
    }
    found
}

#[test]
fn functions_are_found() {
    let text = "fn a() {}\nimpl X {\n    pub(crate) const fn b(\n        x: u8,\n    ) -> u8 {\n        if x {\n        }\n    }\n}\n";
    let found: Vec<usize> = functions(text).into_iter().map(|(_, lines)| lines).collect();
    assert_eq!(found, [6]);
}
