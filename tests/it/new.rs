//! What a new host and a new module begin with can be built.

#![expect(clippy::disallowed_methods, clippy::panic, reason = "a test")]

use std::process::Command;

use voevent_node::base::report::{RenderStyle, render};
use voevent_node::build::front::{Compiled, compile};
use voevent_node::build::module_folders::ModuleFolder;

use crate::sandbox::Sandbox;

fn compiled(sandbox: &Sandbox, host: &str) -> Compiled {
    let modules = [ModuleFolder::default_at(sandbox.path("modules"))];
    compile(&sandbox.path(host), &modules)
        .unwrap_or_else(|faults| panic!("{}", render(&faults, RenderStyle::default())))
}

#[test]
fn a_new_host_builds() {
    let sandbox = Sandbox::example();
    sandbox.remove("hosts/node1.toml");
    insta::assert_snapshot!(sandbox.shown(&["new", "host", "node1"]), @"
    exit 0
    ---- stdout
    hosts/node1.toml
    ---- stderr
    build it with `voevent-build hosts/node1.toml`
    ");
    sandbox.build();
    for (name, system, python) in [("a", "debian-13", "3.13"), ("b", "ubuntu-24.04", "3.12")] {
        assert!(sandbox.run(&["new", "host", name, "--system", system]).status.success());
        let target = compiled(&sandbox, &format!("hosts/{name}.toml")).rendered.target;
        assert_eq!((target.system.as_str(), target.python.as_str()), (system, python));
    }
}

/// What a comment says is so without it is so.
#[test]
fn the_comments_of_a_new_host_are_true() {
    let sandbox = Sandbox::example();
    assert!(sandbox.run(&["new", "host", "a"]).status.success());
    let text = sandbox.read("hosts/a.toml");
    let comment = regex::Regex::new("(?m)^# ([a-z_]+ = [^…])").unwrap();
    let (head, options) = text.split_once("\n\n#").unwrap();
    assert!(comment.find_iter(options).count() > 10);
    // The examples of maps are none that are so.
    let options = comment
        .replace_all(options, "$1")
        .replace("\naccounts", "\n# accounts")
        .replace("\nplugins", "\n# plugins");
    sandbox.write("hosts/b.toml", &format!("{head}\n\n#{options}"));
    let settings = |host: &str| -> Vec<(String, String)> {
        let all = compiled(&sandbox, host).settings.values;
        all.iter().map(|(leaf, setting)| (leaf.to_string(), setting.value.to_string())).collect()
    };
    assert_eq!(settings("hosts/a.toml"), settings("hosts/b.toml"));
}

#[test]
fn a_new_host_that_lacks_something_says_so() {
    let sandbox = Sandbox::example();
    let needed = "[module]\ndescription = \"x\"\n[options.a]\ntype = \"int\"\ndescription = \"A.\"\n\
                  [options.b]\ntype = \"int\"\ndescription = \"B.\"\nexample = 7\n";
    sandbox.write("modules/needs/module.toml", needed);
    insta::assert_snapshot!(sandbox.shown(&["new", "host", "a", "--module", "needs"]), @"
    exit 0
    ---- stdout
    hosts/a.toml
    ---- stderr
    warning: `needs.a` must be set
      --> hosts/a.toml:14:2
       |
    14 | [needs]
       |  ^^^^^ needed here
       |
      ::: modules/needs/module.toml:3:10
       |
     3 | [options.a]
       |          - declared here, without a default
       |
       = help: A.
    complete it, then build it with `voevent-build hosts/a.toml`
    ");
    let text = sandbox.read("hosts/a.toml");
    insta::assert_snapshot!(text.split_once("# needs").unwrap().1, @"
    : x.
    [needs]

    # A. (int)
    # a = …  (this must be set)

    # B. (int)
    b = 7  # an example: write your own
    ");
}

#[test]
fn a_new_module_builds_and_runs() {
    let sandbox = Sandbox::example();
    insta::assert_snapshot!(sandbox.shown(&["new", "module", "good_night"]), @r#"
    exit 0
    ---- stdout
    modules/good_night/module.toml
    modules/good_night/good_night.sh.j2
    modules/good_night/good_night.service.j2
    modules/good_night/good_night.timer.j2
    ---- stderr
    turn it on with `modules = ["good_night"]` in a host file
    "#);
    sandbox.edit("hosts/node1.toml", "[\"comet\"]", "[\"comet\", \"good_night\"]");
    sandbox.append("hosts/node1.toml", "[good_night]\ngreeting = \"$(id) 'x'\"\n");
    sandbox.build();
    let unit = sandbox.read("generated/node1/root/etc/systemd/system/good_night.service");
    let (_, script) = unit.split_once("ExecStart=/var/lib/voevent/store/").unwrap();
    let script = sandbox.path("generated/store").join(script.lines().next().unwrap());
    let output = Command::new(script).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "$(id) 'x'\n");
}

#[test]
fn nothing_is_written_over() {
    let sandbox = Sandbox::example();
    let before = (sandbox.read("hosts/node1.toml"), sandbox.read("modules/comet/module.toml"));
    insta::assert_snapshot!(sandbox.shown(&["new", "host", "node1"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: `hosts/node1.toml` is there already
     |
     = help: choose another name, or move it away: nothing is written over it
    ");
    insta::assert_snapshot!(sandbox.shown(&["new", "module", "comet"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: `modules/comet` is there already
     |
     = help: choose another name, or move it away: nothing is written over it
    ");
    assert_eq!(before, (sandbox.read("hosts/node1.toml"), sandbox.read("modules/comet/module.toml")));
    insta::assert_snapshot!(sandbox.shown(&["new", "module", "a-b"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: `a-b` is no module name: lower-case letters, digits and `_`, the first a letter, at most 63, and not `host`, `each`, `instance`, `on` or `set`
     |
     = help: choose another name
    ");
    let words = ["new", "host", "A", "--system", "fedora-40"];
    insta::assert_snapshot!(sandbox.shown(&words), @"
    exit 1
    ---- stdout
    ---- stderr
    error: `A` is no host name: lower-case letters, digits and `-`, at most 63, the first no `-`
     |
     = help: choose another name
    ");
    let words = ["new", "host", "a", "--system", "debian-11", "--arch", "amd64", "--module", "commet"];
    insta::assert_snapshot!(sandbox.shown(&words), @"
    exit 1
    ---- stdout
    ---- stderr
    error: `amd64` is no `arch` that is known
     |
     = help: known are `x86_64` and `aarch64`

    error: which python3 `debian-11` has is not known
     |
     = help: say it by `--python 3.X`

    error: there is no module `commet`
     |
     = help: did you mean `comet`?
    ");
    assert!(!sandbox.path("hosts/a.toml").exists());
}

#[test]
fn a_text_of_several_lines_is_a_comment_of_one() {
    let text = "default = \"a\\nb \\u001b[31m\"\ndescription = \"T \\u001b[31m.\"\n";
    let list =
        "type = \"map of list of string\"\ndefault = { \"k\" = [\"a\\nb\", \"c\"] }\ndescription = \"L.\"\n";
    let module = format!("[options.t]\ntype = \"string\"\n{text}[options.l]\n{list}");
    let sandbox = Sandbox::module(&[("module.toml", &module)]);
    assert!(sandbox.run(&["new", "host", "a", "--module", "m"]).status.success());
    compiled(&sandbox, "hosts/a.toml");
    let text = sandbox.read("hosts/a.toml");
    assert!(text.contains("\n# t = \"a\\nb \\u001B[31m\"\n"), "{text}");
    assert!(text.contains("\n# l = { \"k\" = [\"a\\nb\", \"c\"] }\n"), "{text}");
    for words in [&["options", "m"][..], &["options", "m.t"]] {
        let shown = sandbox.shown(words);
        assert!(!shown.contains('\u{1b}') && shown.contains("T ?[31m."), "{shown}");
    }
}
