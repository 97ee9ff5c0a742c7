//! Orders and rings of artifacts made by hand.

use super::*;
use crate::build::samples::{artifact, file, of, script, shown, unit, venv};

fn sh(name: &str, text: &str) -> Artifact {
    artifact(script(name, text))
}

fn service(name: &str, text: &str) -> Artifact {
    artifact(What::Unit(unit(name, text)))
}

#[test]
fn what_is_referred_to_comes_before() {
    let cases: [(Vec<Artifact>, &[usize]); 5] = [
        (vec![], &[]),
        (vec![sh("a", ""), sh("b", ""), sh("c", "")], &[0, 1, 2]),
        (vec![sh("a", "⟨script m/c⟩"), sh("b", ""), sh("c", "⟨script m/b⟩")], &[1, 2, 0]),
        // Part of a joined text, twice, and of another kind.
        (
            vec![sh("a", "⟨venv m/v~/bin/x⟩ ⟨script m/b⟩ ⟨script m/b⟩"), sh("b", ""), artifact(venv("v"))],
            &[1, 2, 0],
        ),
        // A unit's name is known before its text is, so that units can name each other, and themselves.
        (
            vec![
                service("a.service", "[Unit]\nAfter=⟨unit m/b.service⟩\n"),
                service("b.service", "[Unit]\nBefore=⟨unit m/a.service⟩ ⟨unit m/b.service⟩\n"),
            ],
            &[0, 1],
        ),
    ];
    for (artifacts, expected) in cases {
        assert_eq!(order(&artifacts).unwrap(), expected);
    }
}

#[test]
fn modules_have_names_of_their_own() {
    let artifacts = [of("n", script("x", "⟨script m/x⟩")), of("m", script("x", ""))];
    assert_eq!(order(&artifacts).unwrap(), [1, 0]);
}

#[test]
fn each_ring_is_shown_once() {
    let artifacts = [
        sh("a", "x ⟨script m/b⟩"),
        sh("b", "⟨script m/c⟩"),
        sh("c", "⟨script m/d⟩\ny ⟨script m/a⟩"),
        sh("d", ""),
        sh("own", "⟨script m/own⟩"),
        sh("outside", "⟨script m/a⟩"),
    ];
    insta::assert_snapshot!(shown(&order(&artifacts).unwrap_err()), @r"
    error: artifacts refer to each other in a ring: `a` → `b` → `c` → `a`
     --> modules/m/x.j2:1:4
      |
    1 | x ⟨script m/b⟩
      |    ^^^^^^^^^^ `a` needs `b`
      |
     ::: modules/m/x.j2:1:2
      |
    1 | ⟨script m/c⟩
      |  ---------- `b` needs `c`
      |
     ::: modules/m/x.j2:2:4
      |
    2 | y ⟨script m/a⟩
      |    ---------- `c` needs `a`
      |
      = help: a path is known only when its file is whole: pass one of them the other as an argument

    error: artifacts refer to each other in a ring: `own` → `own`
     --> modules/m/x.j2:1:2
      |
    1 | ⟨script m/own⟩
      |  ^^^^^^^^^^^^ `own` needs `own`
      |
      = help: a path is known only when its file is whole: pass one of them the other as an argument
    ");
}

#[test]
fn names_are_there_and_once() {
    let twin = |same| What::Unit(crate::build::artifact::UnitArtifact { same, ..unit("t.service", "") });
    let same =
        |same| artifact(What::File(crate::build::artifact::FileArtifact { same, ..file("/etc/x", b"") }));
    assert!(order(&[artifact(twin(true)), artifact(twin(true)), same(true), same(true)]).is_ok());
    let artifacts = [
        artifact(twin(true)),
        artifact(twin(false)),
        same(false),
        same(true),
        sh("a", "⟨script m/b⟩ ⟨file m/x⟩ ⟨venv n/x⟩"),
    ];
    insta::assert_snapshot!(shown(&order(&artifacts).unwrap_err()), @"
    error: two artifacts for unit `t.service` of module `m`
     --> modules/m/module.toml:1:1
      |
    1 | [[unit]] # t.service
      | ^^^^^^^^^^^^^^^^^^^^
      | |
      | the second
      | the first
      |
      = help: to change a unit, write a drop-in: `NAME.service.d/x.conf`

    error: two artifacts for `/etc/x`
     --> modules/m/module.toml:1:1
      |
    1 | [[file]] # x
      | ^^^^^^^^^^^^
      | |
      | the second
      | the first
      |
      = help: a path has one owner: give one of them another path, or leave one out

    error: there is no script `b` in module `m`
     --> modules/m/x.j2:1:2
      |
    1 | ⟨script m/b⟩ ⟨file m/x⟩ ⟨venv n/x⟩
      |  ^^^^^^^^^^ referred to here
      |
      = help: module `m` has on this host: `a`

    error: there is no venv `x` in module `n`
     --> modules/m/x.j2:1:26
      |
    1 | ⟨script m/b⟩ ⟨file m/x⟩ ⟨venv n/x⟩
      |                          ^^^^^^^^ referred to here
      |
      = help: module `n` has no venv on this host
    ");
}
