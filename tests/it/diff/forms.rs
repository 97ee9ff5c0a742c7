//! What else there is to compare with, and the answer as data.

use std::fs::File;
use std::process::Command;

use super::{HOST, compared, template};
use crate::sandbox::{Sandbox, without_hashes};

#[test]
fn a_manifest_of_a_target_on_stdin() {
    let (project, elsewhere) = (template(), template());
    project.append(HOST, "[m]\nword = \"b\"\n");
    // The other one's store is not at hand; this one's has the same texts.
    let manifest = File::open(elsewhere.path("generated/node1/manifest.toml")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_voevent-build"));
    command.args(["diff", "node1", "-"]).current_dir(project.path("")).env_clear().stdin(manifest);
    let output = command.output().unwrap();
    assert!(output.status.success());
    insta::assert_snapshot!(without_hashes(&String::from_utf8(output.stdout).unwrap()), @r#"
    node1, compared with the manifest on stdin

    settings
      m.word: "a" → "b"  hosts/node1.toml:7

    changed file /etc/x
      because of m.word
      @@ -1,3 +1,3 @@
       one
      -a
      +b
       three
    "#);

    // Where no store has them, only what differs is known.
    elsewhere.write("modules/m/x.txt.j2", "another\n");
    elsewhere.build();
    std::fs::copy(elsewhere.path("generated/node1/manifest.toml"), project.path("m.toml")).unwrap();
    insta::assert_snapshot!(compared(&project, &["m.toml"]), @"
    exit 0
    ---- stdout
    node1, compared with `m.toml`

    settings: those of then are not at hand

    changed file /etc/x
      its old text is not at hand
    ---- stderr
    ");
    // A bundle lies beside its store.
    let bundle = elsewhere.path("generated/node1");
    let shown = compared(&project, &[bundle.to_str().unwrap()]);
    assert!(shown.contains("\n  -another\n"), "{shown}");
}

#[test]
fn the_same_as_data() {
    let project = template();
    project.append(HOST, "[m]\nword = \"b\"\n");
    insta::assert_snapshot!(project.shown(&["diff", "node1", "--json"]), @r#"
    exit 0
    ---- stdout
    {
      "against": "its last build",
      "changes": [
        {
          "because": [
            "m.word"
          ],
          "change": "changed",
          "kind": "file",
          "lines": "@@ -1,3 +1,3 @@\n one\n-a\n+b\n three\n",
          "name": "/etc/x"
        }
      ],
      "diagnostics": [],
      "effects": [],
      "host": "node1",
      "same": false,
      "settings": [
        {
          "at": "hosts/node1.toml:7",
          "name": "m.word",
          "new": "\"b\"",
          "old": "\"a\""
        }
      ],
      "settings_known": true
    }
    ---- stderr
    "#);
}

#[test]
fn nothing_to_compare_with() {
    let project = Sandbox::module(&[("module.toml", "")]);
    insta::assert_snapshot!(compared(&project, &[]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: host `node1` was not built yet
     |
     = help: build it, or name a bundle or a manifest to compare with
    ");
    insta::assert_snapshot!(compared(&project, &["gone"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: there is no `gone` to compare with
     |
     = help: name a bundle's folder, or its `manifest.toml`
    ");
    insta::assert_snapshot!(compared(&project, &[HOST]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: `hosts/node1.toml` cannot be compared: the manifest cannot be read: missing field `format`
     |
     = help: name a bundle's folder, or its `manifest.toml`
    ");
}
