//! Locks that come back, and faults of those that do not.

use proptest::prelude::*;

use super::*;
use crate::build::lock::inputs::{SOURCE_DATE_EPOCH, build_pins};

fn example() -> Pylock {
    let package = |name: &str, file: &str| LockedPackage {
        name: name.to_owned(),
        version: "3.1.0".to_owned(),
        wheel: LockedFile::of(file, file.as_bytes()),
        sdist: None,
    };
    let mut comet = package("comet", "comet-3.1.0-py3-none-any.whl");
    comet.sdist = Some(LockedFile::of("Comet-3.1.0.tar.gz", b"x"));
    let lxml = package("lxml", "lxml-3.1.0-cp311-cp311-manylinux_2_28_x86_64.whl");
    let python = Interpreter { minor: 11, arch: Arch::X86_64, glibc: 36 };
    let requirements = vec!["comet==3.1.0".to_owned(), "lxml; python_version > \"3\"".to_owned()];
    let inputs = LockInputs {
        requirements,
        python,
        pins: build_pins(),
        epoch: SOURCE_DATE_EPOCH,
        source: None,
        build_on_target: Vec::new(),
    };
    Pylock { inputs, packages: vec![comet, lxml], sources: Vec::new() }
}

/// The example, with a package that the target builds.
fn with_source() -> Pylock {
    let mut lock = example();
    lock.inputs.build_on_target = vec!["zlib-ng".to_owned()];
    lock.sources = vec![LockedSource {
        name: "zlib-ng".to_owned(),
        version: "1.0".to_owned(),
        sdist: LockedFile::of("zlib_ng-1.0.tar.gz", b"x"),
        backend: "setuptools.build_meta".to_owned(),
        backend_path: vec![".".to_owned()],
        requires: lock.inputs.pins[1..2].to_vec(),
    }];
    lock
}

#[test]
fn what_the_target_builds_is_read() {
    let (lock, text) = (with_source(), with_source().text());
    assert_eq!(Pylock::parse(&text), Ok(lock.clone()));
    let from = text.find("[[packages]]\nname = \"zlib-ng\"").unwrap();
    insta::assert_snapshot!(&text[from..text.find("\n[tool.voevent]").unwrap()], @r#"
    [[packages]]
    name = "zlib-ng"
    version = "1.0"

    [packages.sdist]
    path = "wheels/zlib_ng-1.0.tar.gz"
    size = 1
    hashes = { sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" }

    [packages.tool.voevent]
    backend = "setuptools.build_meta"
    backend-path = ["."]

    [[packages.tool.voevent.requires]]
    name = "setuptools"
    version = "84.2.1"
    file = "setuptools-84.2.1-py3-none-any.whl"
    size = 876263
    sha256 = "ca140b45d5325a9478f880e351484f62fef15f336462e449ca0c03c873d589c2"
    "#);
    let faults = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let faults = Pylock::parse(&text.replacen(from, to, 1)).unwrap_err();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let other = faults("build-on-target = [\"zlib-ng\"]", "build-on-target = [\"lxml\"]");
    assert_eq!(other, "line 1: the packages with source are not those of `build-on-target`");
    let zip = faults("zlib_ng-1.0.tar.gz", "zlib_ng-1.0.zip");
    assert!(zip.contains("`path` is no `.tar.gz`, as source distributions are"), "{zip}");
    let unfit = faults("setuptools-84.2.1-py3-none-any", "setuptools-84.2.1-py2-none-any");
    let file = "setuptools-84.2.1-py2-none-any.whl";
    assert_eq!(unfit, format!("line 43: `{file}` is no wheel for python 3.11 on x86_64 with glibc 2.36"));
    assert_ne!(lock.inputs.hex(), example().inputs.hex());
    let changes = example().inputs.changes(&lock.inputs);
    assert_eq!(changes[0].to_string(), "`build_on_target` `zlib-ng` is new");
}

fn faults(from: &str, to: &str) -> String {
    let text = example().text();
    assert!(text.contains(from), "{from}");
    let faults = Pylock::parse(&text.replacen(from, to, 1)).unwrap_err();
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_written_is_read() {
    let text = example().text();
    assert_eq!(Pylock::parse(&text), Ok(example()));
    insta::assert_snapshot!(&text[..text.find("\n[[tool.voevent.build]]").unwrap()], @r#"
    # Made by `voevent-build lock`.
    lock-version = "1.0"
    environments = ["sys_platform == 'linux' and platform_machine == 'x86_64'"]
    requires-python = "==3.11.*"
    created-by = "voevent-build"

    [[packages]]
    name = "comet"
    version = "3.1.0"

    [[packages.wheels]]
    path = "wheels/comet-3.1.0-py3-none-any.whl"
    size = 28
    hashes = { sha256 = "44e8754690df64e8f2e2eba342847b386bf3022461a19f0aa06bec7415880e8a" }

    [packages.tool.voevent.sdist]
    file = "Comet-3.1.0.tar.gz"
    size = 1
    sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

    [[packages]]
    name = "lxml"
    version = "3.1.0"

    [[packages.wheels]]
    path = "wheels/lxml-3.1.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    size = 48
    hashes = { sha256 = "10811e56ad4607b7b5f7497523191ca1a459cdea336ff7afd14fd077a3dcaa75" }

    [tool.voevent]
    requirements = [
        "comet==3.1.0",
        "lxml; python_version > \"3\"",
    ]
    python = "3.11"
    arch = "x86_64"
    glibc = "2.36"
    source-date-epoch = 1547913600
    "#);
}

#[test]
fn faults_have_lines_and_come_together() {
    for (from, to, expected) in [
        ("lock-version = \"1.0\"", "lock-version = \"2.0\"", "line 2: `lock-version` must be `1.0`"),
        ("size = ", "size = -", "line 13: `size` must be a number from 0 to 1073741824"),
        ("wheels/comet", "../comet", "line 12: `path` must begin with `wheels/`"),
        ("wheels/comet-3.1.0", "wheels/comet-3.1.1", "line 12: `path` is of another package or version"),
        ("Comet-3.1.0.tar.gz", "-Comet.tar.gz", "line 17: `file` is no file name of a source distribution"),
        ("name = \"lxml\"", "name = \"attrs\"", "line 26: `path` is of another package or version"),
        (
            "cp311-cp311",
            "cp312-cp312",
            "line 25: the wheel is for `cp312-cp312-manylinux_2_28_x86_64`, and the lock for python 3.11 on x86_64 with glibc 2.36",
        ),
        (
            "arch = \"x86_64\"",
            "arch = \"x86_64\"\nother = 1",
            "line 37: not as `voevent-build lock` writes it, which is `glibc = \"2.36\"`",
        ),
        (
            "    \"comet==3.1.0\",",
            "    \"-r x\",\n    7,",
            "line 32: requirement `-r x` must begin with the name of a package\nline 33: `requirements` must hold strings",
        ),
        ("created-by", "created by", "line 5: key with no value, expected `=`"),
        ("sha256 = \"44", "sha256 = \"4X", "line 14: `sha256` must be 64 lower-case hexadecimal digits"),
    ] {
        assert_eq!(faults(from, to), expected);
    }
    assert!(Pylock::parse(&" ".repeat(MAX_TEXT + 1)).is_err());
    let first = |text: &str| Pylock::parse(text).unwrap_err()[0].to_string();
    let lines = example().text().replace('\n', "\r\n");
    assert_eq!(first(&lines), "line 1: a line ends in CR LF, and every line of a lock in LF alone");
    let large = example().text().replace("\nsize = 28", "\nsize = 1073741824");
    assert_eq!(first(&large), "line 1: the wheels have more than 1 GiB together");
    assert!(Pylock::parse("").is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,300}") {
        let _ = Pylock::parse(&text);
    }

    #[test]
    fn no_change_of_a_lock_makes_it_panic(at in any::<prop::sample::Index>(), what in "[\"\\[\\]={}\\n.é0-9a]{0,4}") {
        let mut text = example().text();
        let at = text.floor_char_boundary(at.index(text.len()));
        text.insert_str(at, &what);
        if let Ok(lock) = Pylock::parse(&text) {
            prop_assert_eq!(lock.text(), text);
        }
    }
}

/// Brackets that close nothing made the parser call itself until the stack was exhausted.
#[test]
fn brackets_cannot_exhaust_the_stack() {
    let text = "default = [\"one\", \"{{ a = \"{{ each.key }}\"\ngroup = \"{{ owner =  }}\"\n".repeat(15_000);
    let faults = Pylock::parse(&text).unwrap_err();
    assert_eq!(faults[0].message, "more than 500 open brackets");
}

#[test]
fn tables_that_are_none() {
    let many = "[[packages]]\n".repeat(2001) + "name = \"comet\"";
    let said = [
        ("[[packages]]\nname = \"lxml\"", "[[packages]]\nname = \"attrs\""),
        ("[[packages.wheels]]", "[[packages.wheel]]"),
        ("[packages.tool.voevent.sdist]", "[packages.tool]\nvoevent = 1\n[packages.x]"),
        ("[[packages.wheels]]", "wheels = [1]\n[[packages.x]]"),
        ("[tool.voevent]", "[tool]\nvoevent = 1\n[other]"),
        ("requirements = [", "requirements = 1\nother = ["),
        ("[[packages]]\nname = \"comet\"", &many),
    ]
    .map(|(from, to)| faults(from, to));
    insta::assert_snapshot!(said.join("\n"), @"
    line 26: `path` is of another package or version
    line 7: package `comet` must have one wheel
    line 17: `voevent` must be a table
    line 7: package `comet` must have one wheel
    line 11: `wheels` must be tables
    line 42: cannot extend value of type integer with a dotted key
    line 49: cannot extend value of type integer with a dotted key
    line 56: cannot extend value of type integer with a dotted key
    line 31: `requirements` must be a list of at most 2000
    line 7: `packages` must be at most 2000 tables
    ");
    let mut twice = example();
    twice.packages.swap(0, 1);
    let twice = Pylock::parse(&twice.text()).unwrap_err();
    insta::assert_snapshot!(twice[0], @"line 16: package `comet` is out of order or there twice");
}

/// Many faults are read in one go, not once a fault; of a megabyte the first is enough.
#[test]
fn many_faults_are_few() {
    let faults = Pylock::parse(&"x y\n".repeat(30_000)).unwrap_err();
    assert_eq!(faults.len(), 101);
    assert!(faults.is_sorted_by_key(|fault| fault.line));
    assert!(faults[100].message.ends_with("more are not shown"), "{}", faults[100]);
    let faults = Pylock::parse(&"x y\n".repeat(200_000)).unwrap_err();
    assert_eq!((faults.len(), faults[0].line), (1, 1));
}
