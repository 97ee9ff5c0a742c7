//! Building a host, as its user sees it.

#![expect(clippy::disallowed_methods, reason = "a test")]

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::sandbox::Sandbox;

/// The bundle of `hosts/node1.toml`. It changes with the host, its modules and its lock, with what the compiler makes
/// of them, and with nothing else: not with the folder, the user, the time, the machine.
const NODE1: &str = "ffjpuad2lclkhmih6rw6ta7o5i2lat27-node1";

const HOST: &str = "hosts/node1.toml";

#[test]
fn the_example_host_is_this_bundle() {
    assert_eq!(Sandbox::example().build().0, NODE1);
}

#[test]
fn a_first_build_a_second_and_a_changed_one() {
    let project = Sandbox::example();
    insta::assert_snapshot!(project.shown(&[HOST]), @"
    exit 0
    ---- stdout
    generated/store/[HASH]-node1
    ---- stderr
    node1: 2 modules: users, comet
    23 artifacts, 14 objects with [SIZE] bytes in all, 14 of them new
    first build
    ");
    insta::assert_snapshot!(project.shown(&[HOST]), @r"
    exit 0
    ---- stdout
    generated/store/[HASH]-node1
    ---- stderr
    nothing changed: `[HASH]-node1`
    ");
    project.edit(HOST, "node1\"     #", "other\"     #");
    insta::assert_snapshot!(project.shown(&[HOST]), @"
    exit 0
    ---- stdout
    generated/store/[HASH]-node1
    ---- stderr
    node1: 2 modules: users, comet
    23 artifacts, 14 objects with [SIZE] bytes in all, 2 of them new
    changed unit comet.service
    ");
    project.append(HOST, "# a comment\n");
    insta::assert_snapshot!(project.shown(&[HOST]), @"
    exit 0
    ---- stdout
    generated/store/[HASH]-node1
    ---- stderr
    node1: 2 modules: users, comet
    23 artifacts, 14 objects with [SIZE] bytes in all, 0 of them new
    the bundle is the same
    ");
    project.edit(HOST, "enable = true\ntest", "enable = false\ntest");
    insta::assert_snapshot!(project.shown(&[HOST]), @"
    exit 0
    ---- stdout
    generated/store/[HASH]-node1
    ---- stderr
    node1: 2 modules: users, comet
    22 artifacts, 14 objects with [SIZE] bytes in all, 2 of them new
    changed unit comet.service
    removed check broadcast
    ");
}

#[test]
fn the_bundle_can_be_browsed() {
    let project = Sandbox::example();
    let (name, _) = project.build();
    let link = fs::read_link(project.path("generated/node1")).unwrap();
    assert_eq!(link, Path::new("store").join(&name));
    let root = project.path("generated/node1/root");
    let mut links = 0;
    for entry in walkdir::WalkDir::new(&root) {
        let entry = entry.unwrap();
        if entry.path_is_symlink() {
            let target = fs::read_link(entry.path()).unwrap();
            assert!(target.is_relative(), "{target:?}");
            let store = fs::canonicalize(project.path("generated/store")).unwrap();
            let object = fs::canonicalize(entry.path()).unwrap();
            assert_eq!(object.parent(), Some(store.as_path()), "{target:?}");
            links += 1;
        }
    }
    assert_eq!(links, 6, "comet.service, comet-eventdb.service and .timer, voevent.target, users, folders");
    let unit = fs::read_to_string(root.join("etc/systemd/system/comet.service")).unwrap();
    assert!(unit.contains("\nExecStart=/var/lib/voevent/store/"), "{unit}");
}

#[test]
fn nothing_changed_nothing_written() {
    let project = Sandbox::example();
    let (name, _) = project.build();
    let before = project.written();
    assert!(before.len() > 1000, "a venv is listed too: {}", before.len());
    let unchanged = format!("nothing changed: `{name}`\n");
    assert_eq!(project.build(), (name.clone(), unchanged.clone()));
    // Another time of an input is no other input.
    let host = File::options().write(true).open(project.path(HOST)).unwrap();
    host.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
    assert_eq!(project.build(), (name.clone(), unchanged));
    // Notes are no input: without them the same comes out, and is there already.
    project.remove("generated/.cache");
    let (again, said) = project.build();
    assert_eq!(again, name);
    assert!(said.contains(" 0 of them new\n") && said.ends_with("the bundle is the same\n"), "{said}");
    assert_eq!(before, project.written());
}

#[test]
fn what_was_lost_is_made_again() {
    let project = Sandbox::example();
    let (name, _) = project.build();
    let before = project.written().len();
    fs::remove_file(project.path("generated/node1")).unwrap();
    assert_eq!(project.build().0, name);
    project.remove("generated/store");
    assert_eq!(project.build().0, name);
    assert_eq!(project.written().len(), before);
}

#[test]
fn comments_and_blanks_are_no_input() {
    let project = Sandbox::example();
    let (name, _) = project.build();
    let (comet, unit) = ("modules/comet/module.toml", "modules/comet/comet.service.j2");
    project.edit(HOST, "# A broker node.", "# Another comment, and a longer one.\n\n# A broker node.");
    project.edit(HOST, "[comet]\nlocal_ivo = ", "  [ comet ]\n\n\tlocal_ivo   =   ");
    project.edit(
        comet,
        "[[venv]]\nname = \"comet\"",
        "# moved down\n\n\n[[venv]]\n  name='comet' # by a comment",
    );
    project.edit(unit, "[Unit]\n", "{# Not written. #}\n[Unit]\n");
    let (again, said) = project.build();
    assert_eq!(again, name, "{said}");
    assert!(said.ends_with("the bundle is the same\n"), "{said}");
}

#[test]
fn paths_are_shown_from_the_current_folder() {
    let project = Sandbox::example();
    let (name, _) = project.build();
    let hosts = project.path("hosts");
    let run = |folder: &Path, host: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_voevent-build"));
        let output = command.arg(host).current_dir(folder).env_clear().output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run(&hosts, "node1.toml"), format!("../generated/store/{name}\n"));
    assert_eq!(run(&hosts, "../hosts/node1.toml"), format!("../generated/store/{name}\n"));
    assert_eq!(run(&project.path("."), "./hosts/node1.toml"), format!("generated/store/{name}\n"));
    let absolute = project.path(HOST);
    assert_eq!(run(&project.path("."), absolute.to_str().unwrap()), format!("generated/store/{name}\n"));
}

#[test]
fn an_unchanged_host_keeps_its_lock() {
    let project = Sandbox::example();
    let lock = project.read("hosts/locks/pylock.comet-a29b3a37.toml");
    insta::assert_snapshot!(project.shown(&["lock", HOST]), @r"
    exit 0
    ---- stdout
    ---- stderr
    hosts/locks/pylock.comet-a29b3a37.toml: kept
    ");
    assert_eq!(project.read("hosts/locks/pylock.comet-a29b3a37.toml"), lock);
    assert_eq!(project.written(), Vec::<String>::new(), "a lock is no build");
}

#[test]
fn usage_errors_are_told_from_errors_of_the_configuration() {
    let project = Sandbox::example();
    insta::assert_snapshot!(project.shown(&[]), @"
    exit 2
    ---- stdout
    ---- stderr
    Compiles a host file into a bundle, and prints the bundle's path

    Usage: voevent-build [OPTIONS] <HOST>
           voevent-build <COMMAND>

    Commands:
      check    Check hosts, each by itself and all together, and write nothing
      lock     Resolve the host's Python environments and write their locks
      docs     Write the reference: Markdown, and one HTML page with a search
      new      Write the start of a host or a module: commented, and ready to be built
      options  List the options of modules: name, type, default, description; or describe one of them
      schema   Print the JSON Schema of host files, for editors
      graph    Draw the modules of a host, its artifacts, or the events of a fleet
      why      Say where a line, an artifact or a setting of a host comes from
      secret   Encrypt a secret for a host, so that it can lie beside the host file
      diff     Say what a build would change on the host: settings, units, files, packages, and what restarts
      help     Print this message or the help of the given subcommand(s)

    Arguments:
      <HOST>  The host file, or the name of a host in `hosts`

    Options:
          --json           Print one JSON document: the same data, with all errors and warnings in `diagnostics`
          --modules <DIR>  A folder of modules, besides `modules` beside the host file's folder; may be repeated
          --out <DIR>      Where bundles go; by default `generated` beside the host file's folder
      -h, --help           Print help
      -V, --version        Print version
    ");
    insta::assert_snapshot!(project.shown(&["--frobnicate"]), @r"
    exit 2
    ---- stdout
    ---- stderr
    error: unexpected argument '--frobnicate' found

      tip: to pass '--frobnicate' as a value, use '-- --frobnicate'

    Usage: voevent-build [OPTIONS] <HOST>
           voevent-build <COMMAND>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(project.shown(&["lock"]), @r"
    exit 2
    ---- stdout
    ---- stderr
    error: the following required arguments were not provided:
      <HOST>

    Usage: voevent-build lock <HOST>

    For more information, try '--help'.
    ");
    assert_eq!(project.run(&[HOST, "hosts/node2.toml"]).status.code(), Some(2));
    assert_eq!(project.run(&["--version"]).status.code(), Some(0));
}

#[test]
fn errors_as_data() {
    let project = Sandbox::example();
    project.edit("hosts/node1.toml", "whitelist =", "whitelst =");
    insta::assert_snapshot!(project.shown(&["hosts/node1.toml", "--json"]), @r#"
    exit 1
    ---- stdout
    {
      "diagnostics": [
        {
          "help": [
            "did you mean `whitelist`?"
          ],
          "message": "`comet.receive` has no field `whitelst`",
          "places": [
            {
              "column": 1,
              "end_column": 9,
              "end_line": 19,
              "file": "hosts/node1.toml",
              "label": "",
              "line": 19
            }
          ],
          "severity": "error"
        }
      ]
    }
    ---- stderr
    "#);
}
