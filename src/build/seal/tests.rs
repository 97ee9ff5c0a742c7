//! Hosts made by hand, sealed.

use super::*;
use crate::build::artifact::{CheckArtifact, CheckKind, Grammar, Program, Text, UnitArtifact};
use crate::build::samples::{
    artifact, directory, drop_in, file, label, of, rendered, script, shown, template, unit, user, venv,
};
use crate::build::unit::UnitFile;
use crate::store::object::Entry;

fn sealed(artifacts: Vec<Artifact>) -> Sealed {
    seal(&rendered(artifacts), &laid()).unwrap_or_else(|errors| panic!("{}", shown(&errors)))
}

fn refused(artifacts: Vec<Artifact>) -> String {
    shown(&seal(&rendered(artifacts), &laid()).unwrap_err())
}

/// The venv `v`, which is there; others are not.
fn laid() -> BTreeMap<Label, LaidVenv> {
    let mut tree = Tree::default();
    tree.insert("bin/x", Entry::File(File { exec: true, content: b"x".to_vec() })).unwrap();
    let (digest, size) = (ObjectDigest::Tree(tree.digest()), tree.size());
    let lock = "lock\n".to_owned();
    BTreeMap::from([(label("v"), LaidVenv { digest, size, tree: Some(tree), lock, builds: Vec::new() })])
}

fn service(name: &str, text: &str) -> Artifact {
    artifact(What::Unit(unit(name, text)))
}

/// The text of the only object of this label.
fn text(sealed: &Sealed, label: &str) -> String {
    let mut found = sealed.objects.iter().filter(|(name, _)| name.label() == label);
    let (Some((_, Object::File(file))), None) = (found.next(), found.next()) else { panic!("`{label}`") };
    String::from_utf8(file.content.clone()).unwrap()
}

fn name(sealed: &Sealed, label: &str) -> String {
    sealed.objects.keys().find(|name| name.label() == label).unwrap().to_string()
}

fn digest(sealed: &Sealed, unit: &str) -> String {
    sealed.bundle.manifest.units.iter().find(|found| found.name.as_str() == unit).unwrap().digest.hex()
}

#[test]
fn references_become_paths_on_the_target() {
    let conf = FileArtifact { path: None, name: label("conf"), ..file("/etc/unused", b"c") };
    let sealed = sealed(vec![
        artifact(script("a", "exec ⟨script m/b⟩ ⟨venv m/v~/bin/x⟩ ⟨file m/conf⟩ ⟨a b⟩\n")),
        artifact(script("b", "true\n")),
        artifact(What::File(conf)),
        artifact(venv("v")),
        service("a.service", "[Unit]\nAfter=⟨unit m/b.service⟩\n[Service]\nExecStart=⟨script m/a⟩\n"),
        service("b.service", "[Service]\nExecStart=/bin/true\n"),
    ]);
    let (store, derived) = (layout::STORE, layout::DERIVED);
    let name = |label| name(&sealed, label);
    let (b, v, conf) = (name("b"), name("v"), name("conf"));
    assert_eq!(
        text(&sealed, "a"),
        format!("exec '{store}/{b}' '{derived}/{v}/bin/x' '{store}/{conf}' 'a b'\n")
    );
    let unit = text(&sealed, "a.service");
    assert!(
        unit.starts_with(&format!("[Unit]\nAfter=b.service\n[Service]\nExecStart={store}/{}\n", name("a")))
    );
    assert!(sealed.bundle.manifest.paths.is_empty());
    assert_eq!(sealed.bundle.manifest.venvs[0].lock.to_string(), name("pylock.v.toml"));
}

#[test]
fn a_unit_changes_with_what_it_uses_and_no_other_does() {
    let with = |command: &str| {
        sealed(vec![
            service("a.service", "[Service]\nExecStart=⟨script m/a⟩\n"),
            service("b.service", "[Service]\nExecStart=/bin/true\n"),
            artifact(script("a", command)),
        ])
    };
    let (one, other) = (with("true\n"), with("false\n"));
    assert_ne!(digest(&one, "a.service"), digest(&other, "a.service"));
    assert_eq!(digest(&one, "b.service"), digest(&other, "b.service"));
    assert_ne!(one.bundle.name, other.bundle.name);
}

#[test]
fn what_the_compiler_adds_to_units() {
    let other = UnitArtifact { wanted_by: Vec::new(), ..unit("b.timer", "[Timer]\nOnBootSec=1min") };
    let sealed = sealed(vec![
        service("a.service", "[Service]\nExecStart=/bin/true"),
        artifact(What::Unit(other)),
        service("c.socket", "[Socket]\nListenStream=1"),
    ]);
    insta::assert_snapshot!(text(&sealed, "a.service"), @r"
        [Service]
        ExecStart=/bin/true

        # added by voevent-build
        [Unit]
        PartOf=voevent.target

        # added by voevent-build: which definition runs
        [Service]
        LogExtraFields=VOEVENT_UNIT=7f7d359cd3866d4c09953763319c1b5d3f8d387b6f2e8e9f554402193c9658d2
        ");
    insta::assert_snapshot!(text(&sealed, "b.timer"), @r"
    [Timer]
    OnBootSec=1min
    ");
    insta::assert_snapshot!(text(&sealed, "c.socket"), @r"
    [Socket]
    ListenStream=1

    # added by voevent-build
    [Unit]
    PartOf=voevent.target
    ");
    insta::assert_snapshot!(text(&sealed, "voevent.target"), @r"
    [Unit]
    Description=VOEvent node: all units of voevent-node
    Documentation=file:/var/lib/voevent/current/bundle/manifest.toml
    ");
    // What is added is no difference: the digest is of the unit as it was written.
    assert_eq!(
        digest(&sealed, "a.service"),
        UnitFile::parse("[Service]\nExecStart=/bin/true").unwrap().digest().hex()
    );
}

#[test]
fn drop_ins_count_in_the_digest_of_their_unit() {
    let base = "[Service]\nExecStart=/bin/true\n";
    let of = |drop_ins: &[(&str, &str)]| {
        let drop_ins = drop_ins.iter().map(|(name, text)| artifact(drop_in("a.service", name, text)));
        sealed(drop_ins.chain([service("a.service", base)]).collect())
    };
    let (without, with) = (of(&[]), of(&[("x.conf", "[Service]\nNice=1\n")]));
    assert_ne!(digest(&without, "a.service"), digest(&with, "a.service"));
    let written = |sealed: &Sealed| text(sealed, "a.service").lines().next_back().unwrap().to_owned();
    assert_eq!(written(&with), format!("LogExtraFields=VOEVENT_UNIT={}", digest(&with, "a.service")));
    assert_eq!(text(&with, "x.conf"), "[Service]\nNice=1\n");
    let placed = &with.bundle.manifest.drop_ins[0];
    assert_eq!((placed.unit.as_str(), placed.name.as_str()), ("a.service", "x.conf"));
    // As systemd reads them: by name, whatever the order in which they were written; words for people do not matter.
    let (one, two) = (("1.conf", "[Service]\nNice=1\n"), ("2.conf", "[Service]\nNice=2\n"));
    let both = of(&[one, two]);
    assert_eq!(digest(&both, "a.service"), digest(&of(&[two, one]), "a.service"));
    let swapped = of(&[("1.conf", two.1), ("2.conf", one.1)]);
    assert_ne!(digest(&both, "a.service"), digest(&swapped, "a.service"));
    assert_eq!(
        digest(&without, "a.service"),
        digest(&of(&[("x.conf", "[Unit]\nDescription=x\n")]), "a.service")
    );
}

#[test]
fn a_drop_in_of_a_unit_that_is_not_ours() {
    let sealed = sealed(vec![artifact(drop_in("ssh.service", "x.conf", "[Service]\nNice=1\n"))]);
    let manifest = &sealed.bundle.manifest;
    assert_eq!(manifest.units.iter().map(|unit| unit.name.as_str()).collect::<Vec<_>>(), ["voevent.target"]);
    assert_eq!(manifest.drop_ins[0].unit.as_str(), "ssh.service");
}

#[test]
fn no_unit_is_left_out_for_its_name() {
    let long = format!("{}-end.slice", "-x".repeat(90));
    let names = ["-.slice", &long, r"dev-disk\x2da.swap", "a:b@.path"];
    let texts = ["[Unit]\n", "[Unit]\n", "[Unit]\n", "[Path]\nPathExists=/x\n"];
    let sealed = sealed(names.iter().zip(texts).map(|(name, text)| service(name, text)).collect());
    let units = sealed.bundle.manifest.units.iter();
    let labels: Vec<_> = units.map(|unit| (unit.name.as_str(), unit.object.label())).collect();
    let expected = [
        ("-.slice", "slice"),
        (long.as_str(), &long[long.len() - 127..]),
        ("a:b@.path", "a_b@.path"),
        (r"dev-disk\x2da.swap", "dev-disk_x2da.swap"),
        ("voevent.target", "voevent.target"),
    ];
    for (unit, label) in expected {
        assert!(labels.contains(&(unit, label)), "{unit}: {labels:?}");
    }
}

#[test]
fn a_path_has_one_owner() {
    let at = |path: &str, bytes: &[u8], same| {
        of(path.split('/').nth(2).unwrap(), What::File(FileArtifact { same, ..file(path, bytes) }))
    };
    let placed = |artifacts| sealed(artifacts).bundle.manifest.paths.len();
    assert_eq!(placed(vec![at("/etc/a/x", b"1", false), at("/etc/b/x", b"1", false)]), 2);
    let other =
        |bytes: &[u8], same| of("other", What::File(FileArtifact { same, ..file("/etc/a/x", bytes) }));
    assert_eq!(placed(vec![at("/etc/a/x", b"1", true), other(b"1", true)]), 1);
    // Only one of them knows of it; other bytes; another mode.
    let modes = |mode| What::File(FileArtifact { same: true, mode, ..file("/etc/a/x", b"1") });
    for artifacts in [
        vec![at("/etc/a/x", b"1", true), other(b"1", false)],
        vec![at("/etc/a/x", b"1", true), other(b"2", true)],
        vec![of("a", modes(None)), of("other", modes(Some(0o600)))],
    ] {
        assert!(refused(artifacts).starts_with("error: two artifacts for `/etc/a/x`\n"));
    }
    insta::assert_snapshot!(refused(vec![at("/etc/a/x", b"1", false), other(b"1", false)]), @r"
    error: two artifacts for `/etc/a/x`
     --> modules/other/module.toml:1:1
      |
    1 | [[file]] # x
      | ^^^^^^^^^^^^ the second
      |
     ::: modules/a/module.toml:1:1
      |
    1 | [[file]] # x
      | ------------ the first
      |
      = help: a path has one owner: give one of them another path, or place it by one module
    ");
}

#[test]
fn a_unit_has_one_owner() {
    let at = |module, text, same| of(module, What::Unit(UnitArtifact { same, ..unit("a.service", text) }));
    let (text, more) = ("[Service]\nExecStart=/x\n", "[Service]\nExecStart=/x\n[Unit]\n");
    let units = |artifacts| sealed(artifacts).bundle.manifest.units.len();
    assert_eq!(units(vec![at("a", text, true), at("b", text, true)]), 2);
    assert!(refused(vec![at("a", text, true), at("b", more, true)]).contains("two artifacts for unit"));
    insta::assert_snapshot!(refused(vec![at("a", text, true), at("b", text, false)]), @r"
        error: two artifacts for unit `a.service`
         --> modules/b/module.toml:1:1
          |
        1 | [[unit]] # a.service
          | ^^^^^^^^^^^^^^^^^^^^ the second
          |
         ::: modules/a/module.toml:1:1
          |
        1 | [[unit]] # a.service
          | -------------------- the first
          |
          = help: to change another module's unit, write a drop-in: `NAME.service.d/x.conf`
        ");
}

#[test]
fn copies_are_executable_where_their_mode_says_so() {
    let cases = [
        ("/etc/a", None, false, (false, "link", None)),
        ("/etc/a", None, true, (true, "link", None)),
        ("/etc/a", Some(0o640), false, (false, "copy", Some(0o640))),
        ("/etc/a", Some(0o750), false, (true, "copy", Some(0o750))),
        ("/etc/a", Some(0o640), true, (false, "copy", Some(0o640))),
        ("/etc/sudoers.d/a", None, false, (false, "copy", Some(0o440))),
        ("/etc/udev/a", None, true, (true, "copy", Some(0o555))),
    ];
    for (path, mode, exec, expected) in cases {
        let sealed = sealed(vec![artifact(What::File(FileArtifact { exec, mode, ..file(path, b"") }))]);
        let placed = &sealed.bundle.manifest.paths[0];
        let Object::File(object) = &sealed.objects[placed.object().unwrap()] else { panic!("no file") };
        assert_eq!(
            (object.exec, placed.place.as_str(), placed.mode().map(Mode::bits)),
            expected,
            "{path} {mode:?} {exec}"
        );
    }
}

#[test]
fn users_and_folders_have_files_where_there_are_any() {
    let paths = |artifacts| {
        let sealed = sealed(artifacts);
        sealed.bundle.manifest.paths.iter().map(|path| path.path.to_string()).collect::<Vec<_>>()
    };
    let group = || artifact(What::Group { name: crate::build::samples::user_name("g") });
    assert_eq!(paths(vec![]), Vec::<String>::new());
    assert_eq!(paths(vec![group()]), [layout::SYSUSERS]);
    assert_eq!(paths(vec![artifact(directory("/srv/x", "root", "root"))]), [layout::TMPFILES]);
    let all = vec![group(), artifact(user("u", "g")), artifact(directory("/home/u", "u", "g"))];
    assert_eq!(paths(all), [layout::SYSUSERS, layout::TMPFILES]);
}

#[test]
fn all_that_stands_in_the_way_is_shown_once() {
    let bad = Text::Source(b"[Service]\n  Type exec\n".to_vec());
    let binary = Text::Source(b"[Service]\n\xff\n".to_vec());
    let said = refused(vec![
        // What uses it has no error of its own.
        artifact(script("a", "x ⟨two\nlines~\0⟩\n")),
        artifact(script("b", "⟨script m/a⟩\n")),
        service("a.service", "[Unit]\nDescription=⟨two\nlines⟩\n"),
        service("b.service", "[Service]\nNice=⟨1⟩\n  Type exec\nKey=1\n"),
        artifact(What::Unit(UnitArtifact { text: bad, ..unit("c.service", "") })),
        artifact(What::Unit(UnitArtifact { text: binary, ..unit("d.service", "") })),
        artifact(venv("w")),
    ]);
    insta::assert_snapshot!(said, @r"
    error: the value has a NUL character
     --> modules/m/x.j2:1:4
      |
    1 | x ⟨two
      |    ^^^
      |
      = help: no reader of the file takes it: leave it out

    error: the value has a line break or a control character
     --> modules/m/x.j2:2:14
      |
    2 | Description=⟨two
      |              ^^^
      |
      = help: it must be one line here

    error: unit `b.service`: this is neither `[Section]` nor `Key=`
     --> modules/m/x.j2:3:3
      |
    3 |   Type exec
      |   ^^^^^^^^^
      |
      = help: a line of a unit is `[Section]`, `Key=value` or a comment

    error: unit `c.service`: this is neither `[Section]` nor `Key=`
     --> modules/m/module.toml:1:1
      |
    1 | [[unit]] # c.service
      | ^^^^^^^^^^^^^^^^^^^^ its line 2 is `Type exec`
      |
      = help: a line of a unit is `[Section]`, `Key=value` or a comment

    error: unit `d.service` is no UTF-8
     --> modules/m/module.toml:1:1
      |
    1 | [[unit]] # d.service
      | ^^^^^^^^^^^^^^^^^^^^
      |
      = help: a unit is plain UTF-8 text

    error: venv `w` was not laid out, or its name is too long
     --> modules/m/module.toml:1:1
      |
    1 | [[venv]] # w
      | ^^^^^^^^^^^^
      |
      = help: give it another `name`
    ");
}

#[test]
fn doubts_are_passed_on() {
    let sealed = sealed(vec![artifact(script("a", "sed ⟨s/x/y/⟩ file\nssh h <<E\n⟨x⟩\nE\n"))]);
    insta::assert_snapshot!(shown(&sealed.warnings), @"
    warning: `sed` reads the value in a language of its own
     --> modules/m/x.j2:1:6
      |
    1 | sed ⟨s/x/y/⟩ file
      |      ^^^^^^
      |
      = help: pass the value as an argument of its own

    warning: `ssh` reads this here-document in a language of its own
     --> modules/m/x.j2:3:2
      |
    3 | ⟨x⟩
      |  ^
      |
      = help: pass the value as an argument of its own
    ");
}

#[test]
fn a_refused_character_is_shown_whole() {
    let text = template(Grammar::Toml, "日 = 1\n");
    let file = FileArtifact { text, ..file("/etc/x", b"") };
    let errors = seal(&rendered(vec![artifact(What::File(file))]), &laid()).unwrap_err();
    let (place, _) = &errors[0].places[0];
    assert_eq!(place.source.text.get(place.span.clone()), Some("日"));
}

#[test]
fn what_only_a_filled_unit_shows() {
    let install = service("a.service", "[⟨Install⟩]\nWantedBy=b.target\n");
    let kind = CheckKind::Command { program: Program::Script(label("run")), user: None };
    let check = CheckArtifact { name: label("x"), kind, unit: None, within: std::time::Duration::ZERO };
    insta::assert_snapshot!(refused(vec![install, artifact(What::Check(check))]), @r#"
    error: unit `a.service` has an `[Install]`
     --> modules/m/module.toml:1:1
      |
    1 | [[unit]] # a.service
      | ^^^^^^^^^^^^^^^^^^^^
      |
      = help: say `wanted_by = ["voevent.target"]` in the `[[unit]]`

    error: check `x` runs the script `run`, which its module has not
     --> modules/m/module.toml:1:1
      |
    1 | [[…]]
      | ^^^^^
      |
      = help: add a `[[script]]` of the name `run` to module `m`
    "#);
}
