//! The reference as files: what is written, what is left alone, and the search of its page.

#![expect(clippy::disallowed_methods, reason = "a test")]

use std::process::Command;

use crate::sandbox::Sandbox;

#[test]
fn pages_are_written_and_written_anew() {
    let project = Sandbox::example();
    let files = regex::Regex::new("[0-9]+ files").unwrap();
    let shown = project.shown(&["docs", "--out", "docs"]);
    insta::assert_snapshot!(files.replace(&shown, "[N] files"), @"
    exit 0
    ---- stdout
    docs/index.html
    ---- stderr
    [N] files in `docs`
    ");
    let page = project.read("docs/index.html");
    let modified = || project.path("docs/index.html").metadata().unwrap().modified().unwrap();
    let before = modified();
    assert!(project.run(&["docs", "--out", "docs"]).status.success());
    assert_eq!(
        (project.read("docs/index.html"), modified()),
        (page, before),
        "the same is not written again"
    );
    project.edit("modules/users/module.toml", "\"Login shell.\"", "\"Another shell.\"");
    project.write("docs/modules/gone.md", &project.read("docs/modules/comet.md"));
    project.write("docs/modules/mine.md", "mine\n");
    assert!(project.run(&["docs", "--out", "docs"]).status.success());
    for file in ["docs/index.html", "docs/modules/users.md"] {
        assert!(project.read(file).contains("Another shell."), "{file}");
    }
    assert!(!project.path("docs/modules/gone.md").exists(), "the page of a module that is gone goes");
    assert_eq!(project.read("docs/modules/mine.md"), "mine\n");
}

#[test]
fn what_is_not_ours_is_not_written_over() {
    let project = Sandbox::example();
    project.write("docs/index.md", "# My notes\n");
    project.write("docs/index.html/x", "a folder");
    insta::assert_snapshot!(project.shown(&["docs", "--out", "docs"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: `docs/index.html` is none of our pages
     |
     = help: move it away, or choose another folder: nothing is written over it

    error: `docs/index.md` is none of our pages
     |
     = help: move it away, or choose another folder: nothing is written over it
    ");
    assert_eq!(project.read("docs/index.md"), "# My notes\n");
    assert!(!project.path("docs/commands.md").exists());
}

/// Both programs, all commands, all exit codes.
#[test]
fn the_commands_are_those_of_the_programs() {
    let project = Sandbox::example();
    assert!(project.run(&["docs", "--out", "docs"]).status.success());
    let page = project.read("docs/commands.md");
    let heads: Vec<&str> = page.lines().filter(|line| line.starts_with("##")).collect();
    let help = project.run(&["--help"]).stdout;
    let help = String::from_utf8(help).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().next().unwrap());
    for command in commands.filter(|command| *command != "help") {
        let head = format!("`voevent-build {command}`");
        assert!(heads.iter().any(|line| line.ends_with(&head)), "{head} is not among {heads:#?}");
    }
    assert!(heads.iter().any(|line| line.ends_with("`voevent-switch rollback`")), "{heads:#?}");
    assert!(page.contains("| 4 | failed, and what was committed is back |"), "{page}");
    assert!(!page.contains("self-test"), "what is hidden is not shown");
}

/// The search of the page is that of `options --search`: the cases of its test, run by a JavaScript engine.
#[test]
fn the_page_searches_as_the_program_does() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("search.js");
    let cases = include_str!("../../src/build/reference/search_cases.json");
    let page = include_str!("../../src/build/reference/html/page.js");
    let run = format!(
        "{page}\nconst cases = {cases};\nconst wrong = cases.filter(([a, b, words, want]) => rank(a, b, words) !== want);\n\
         const found = search([['b.x', ''], ['a.port', ''], ['c.port', ''], ['port.b', '']], 'port').map((one) => one[0]);\n\
         console.log(JSON.stringify([cases.length > 10, wrong, found]));\n"
    );
    std::fs::write(&script, run).unwrap();
    let outputs = ["node", "nodejs", "qjs"].map(|engine| Command::new(engine).arg(&script).output());
    let Some(output) = outputs.into_iter().find_map(Result::ok) else {
        panic!("this test needs a JavaScript engine: `apt install nodejs`");
    };
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(shown.trim(), r#"[true,[],["a.port","c.port","port.b"]]"#, "{errors}");
}
