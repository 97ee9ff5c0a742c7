//! Every kind of error of the compiler is in a test: what no test has seen, no person has read either.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::Path;

use regex::Regex;
use walkdir::WalkDir;

/// What is behind a mistake of the compiler's own alone, and why nothing a person writes leads there.
const NEVER_SEEN: &[(&str, &str)] = &[
    (
        "it is not clear how a value is read here",
        "each grammar fills or refuses all holes, as far as is known",
    ),
    ("hosts subscribe in a ring", "a ring has a host"),
    (
        "this reads something that has no value",
        "an option without a value is reported before artifacts are made",
    ),
    ("the rendered text is too long", "what writes so much runs out of fuel before"),
    (
        "this expression left no hole",
        "each expression of a template writes by the formatter, which leaves one",
    ),
    (
        "unit `{name}` has a name that no object can have",
        "the end of each unit's name is a label: its type at least",
    ),
];

/// Calls whose first text is a message.
const CALLS: &str = r#"(?x)
    (?: Diagnostic::(?:error|warning)\( | misfit\( | Error::new\([A-Za-z:]+,
      | \.(?:refuse|refuse_text|warn|stop|fault)\(\s*(?:"[a-z_]+"|[^",;]+?),
      | let\ (?:reason|message)\ =
    )
    \s* (?: &?format!\(\s* )?
    "((?:[^"\\]|\\.|\\\n)*)"
"#;

/// The text of code as it is shown: without escapes, and with one blank where there are more, or a line break.
fn plain(code: &str) -> String {
    let code = code.replace("\\\n", " ").replace("\\\\", "\\").replace("\\\"", "\"");
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The code and the tests of the compiler's crate: the messages of the first, with their places, and the text of the second.
fn read() -> (Vec<(String, String)>, String) {
    let calls = Regex::new(CALLS).unwrap();
    let (mut messages, mut tests) = (Vec::new(), String::new());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in
        ["src", "tests"].iter().flat_map(|folder| WalkDir::new(root.join(folder)).sort_by_file_name())
    {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if entry.path().extension().is_none_or(|end| end != "rs") || name.ends_with("every_error.rs") {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        if name.starts_with("tests") || name.contains("/tests") {
            tests.push_str(&text);
            continue;
        }
        let (code, own) = text.split_at(text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len()));
        tests.push_str(own);
        if name.starts_with("src/build") {
            for found in calls.captures_iter(code) {
                let line = code[..found.get(1).unwrap().start()].matches('\n').count() + 1;
                messages.push((format!("{name}:{line}"), plain(&found[1])));
            }
        }
    }
    (messages, plain(&tests))
}

/// The parts of a message between what is filled in, which are in a text in this order and not far from each other.
fn is_in(message: &str, text: &str) -> bool {
    /// The longest that is filled in, in bytes.
    const FAR: usize = 240;
    let holes = Regex::new(r"\{[^}]*\}").unwrap();
    let mut parts = holes.split(message).filter(|part| !part.is_empty());
    let Some(first) = parts.next() else { return true };
    let rest: Vec<&str> = parts.collect();
    text.match_indices(first).any(|(start, _)| {
        let mut at = start + first.len();
        rest.iter().all(|part| {
            let end = text.floor_char_boundary(at + FAR + part.len());
            let found = text[at..end].find(part);
            at += found.map_or(0, |found| found + part.len());
            found.is_some()
        })
    })
}

#[test]
fn every_kind_of_error_is_in_a_test() {
    let (messages, tests) = read();
    assert!(messages.len() > 300, "the search finds only {} messages", messages.len());
    let known = |message: &str| NEVER_SEEN.iter().any(|(never, _)| *never == message);
    let missing: Vec<String> = messages
        .iter()
        .filter(|(_, message)| !known(message) && !is_in(message, &tests))
        .map(|(place, message)| format!("{place}: {message}"))
        .collect();
    assert!(missing.is_empty(), "no test shows\n{}", missing.join("\n"));
    for (never, why) in NEVER_SEEN {
        assert!(messages.iter().any(|(_, message)| message == never), "there is no `{never}`: {why}");
        assert!(!is_in(never, &tests), "`{never}` is in a test");
    }
}
