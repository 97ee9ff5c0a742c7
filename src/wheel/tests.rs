//! Environments from wheels made by hand, good and hostile.

use proptest::prelude::*;

use super::made::Made;
use super::tags::Arch;
use super::*;

const PYTHON: Interpreter = Interpreter { minor: 11, arch: Arch::X86_64, glibc: 36 };

fn laid(wheels: &[Made]) -> Result<Tree, Vec<String>> {
    let wheels: Vec<_> = wheels.iter().map(Made::wheel).collect();
    lay_out(&PYTHON, &wheels).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn faults(made: Made) -> String {
    laid(&[made]).unwrap_err().join("\n")
}

fn file<'a>(tree: &'a Tree, path: &str) -> &'a File {
    match tree.get(path) {
        Some(Entry::File(file)) => file,
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn every_part_of_a_wheel_has_its_place() {
    let tree = laid(&[Made::new("A_b", "1.0")
        .with("a/__init__.py", "")
        .with_mode("a/native.so", 0o100_755, "x")
        .with_mode("a/", 0o040_755, "")
        .with("A_b-1.0.data/scripts/run", "#!python\nprint(1)\n")
        .with("A_b-1.0.data/scripts/main", "never")
        .with("A_b-1.0.data/data/share/x", "data")
        .with("A_b-1.0.data/headers/x.h", "h")
        .with("A_b-1.0.data/platlib/b.py", "b")
        .with_info("entry_points.txt", "[console_scripts]\nmain = a:f\n")
        .with_info("RECORD.jws", "{}")])
    .unwrap();
    let site = "lib/python3.11/site-packages";
    assert_eq!(tree.get("bin/python"), Some(&Entry::Link("/usr/bin/python3.11".to_owned())));
    assert_eq!(tree.get("bin/python3.11"), Some(&Entry::Link("python".to_owned())));
    assert!(file(&tree, &format!("{site}/a/native.so")).exec);
    assert!(!file(&tree, &format!("{site}/a/__init__.py")).exec);
    assert!(file(&tree, "bin/run").exec && file(&tree, "bin/run").content.ends_with(b"' '''\nprint(1)\n"));
    assert!(file(&tree, "bin/main").exec && file(&tree, "bin/main").content.ends_with(b"sys.exit(f())\n"));
    assert_eq!(file(&tree, "share/x").content, b"data");
    assert_eq!(file(&tree, "include/site/python3.11/a-b/x.h").content, b"h");
    assert_eq!(file(&tree, &format!("{site}/b.py")).content, b"b");
    assert!(tree.get(&format!("{site}/A_b-1.0.data")).is_none());
    assert!(tree.get(&format!("{site}/A_b-1.0.dist-info/RECORD")).is_some());
    assert!(tree.get(&format!("{site}/A_b-1.0.dist-info/INSTALLER")).is_none());
    let config = String::from_utf8(file(&tree, "pyvenv.cfg").content.clone()).unwrap();
    assert!(config.contains("\nversion_info = 3.11\n"));
}

#[test]
fn the_order_of_wheels_does_not_matter() {
    let [a, b] = ["a", "b"].map(|name| Made::new(name, "1").with(&format!("{name}.py"), name));
    assert_eq!(laid(&[a.clone(), b.clone()]), laid(&[b, a]));
}

#[test]
fn wheels_may_share_only_equal_files() {
    let [a, b] = ["a", "b"].map(|name| Made::new(name, "1").with("ns/__init__.py", ""));
    assert!(laid(&[a.clone(), b.clone()]).is_ok());
    let b = b.with("ns/__init__.py", "x");
    assert_eq!(
        laid(&[a.clone(), b]).unwrap_err(),
        [
            "wheel `b-1-py3-none-any.whl`: its `lib/python3.11/site-packages/ns/__init__.py` has other bytes than that \
          of `a-1-py3-none-any.whl`; the two cannot be in one environment"
        ]
    );
    let under = Made::new("b", "1").with("ns/__init__.py/x", "");
    assert!(laid(&[a.clone(), under]).unwrap_err()[0].contains("cannot both be there"));
    let case = Made::new("b", "1").with("NS/other.py", "");
    assert!(laid(&[a, case]).unwrap_err()[0].contains("`lib/python3.11/site-packages/NS` of `b-1"));
    for own in ["pyvenv.cfg", "bin/python", "bin/python3/x"] {
        let own = Made::new("c", "1").with(&format!("c-1.data/data/{own}"), "x");
        assert!(faults(own).contains("the environment itself"));
    }
}

#[test]
fn record_is_believed_in_nothing() {
    let made = Made::new("a", "1").with("a.py", "a").with("b.py", "b");
    let record = made.record();
    let without = record.lines().filter(|line| !line.starts_with("a.py")).collect::<Vec<_>>().join("\n");
    assert!(faults(made.clone().with_record(&without)).contains("its `RECORD` has no hash of `a.py`"));
    let more = format!("{record}c.py,sha256=abc,1\n");
    assert!(
        faults(made.clone().with_record(&more)).contains("its `RECORD` names `c.py`, which is not there")
    );
    let swapped = record.replace("a.py", "@").replace("b.py", "a.py").replace('@', "b.py");
    let both = faults(made.clone().with_record(&swapped));
    assert!(both.contains("its `a.py` is not what") && both.contains("its `b.py` is not what"));
    assert!(faults(made.with_record("")).contains("has no hash of `a.py`"));
}

#[test]
fn metadata_must_be_of_the_wheel() {
    let made = || Made::new("a", "1");
    assert!(faults(made().with_info("WHEEL", "Wheel-Version: 2.0\n")).contains("its format is `2.0`"));
    assert!(faults(made().with_info("METADATA", "Name: b\nVersion: 1\n")).contains("is of `b` `1`"));
    assert!(faults(made().with("b-1.dist-info/x", "")).contains("more than one `.dist-info`"));
    let mut other = made();
    other.stem = "b-1".to_owned();
    assert!(faults(other).contains("dist-info"));
    let mut unfit = made();
    unfit.tags = "cp312-cp312-manylinux_2_17_x86_64".to_owned();
    assert_eq!(
        faults(unfit),
        "wheel `a-1-cp312-cp312-manylinux_2_17_x86_64.whl`: it is for `cp312-cp312-manylinux_2_17_x86_64`, and the \
         host has python 3.11 on x86_64 with glibc 2.36"
    );
    let mut files = made();
    files.files.retain(|(path, ..)| !path.ends_with("WHEEL"));
    assert!(faults(files).contains("it has no `WHEEL`"));
}

#[test]
fn entries_that_no_wheel_has() {
    for (path, mode, why) in [
        ("../x", 0o100_644, "`.` or `..`"),
        ("a/../../x", 0o100_644, "`.` or `..`"),
        ("/etc/x", 0o100_644, "absolute"),
        ("a//x", 0o100_644, "empty component"),
        ("./x", 0o100_644, "`.` or `..`"),
        ("a\\x", 0o100_644, "backslash"),
        ("a\nx", 0o100_644, "control character"),
        ("link", 0o120_777, "symbolic link"),
        (&"d/".repeat(60), 0o040_755, "too long"),
        (&"n".repeat(300), 0o100_644, "too long"),
        ("a-1.data/other/x", 0o100_644, "no known part"),
    ] {
        let fault = faults(Made::new("a", "1").with_mode(path, mode, "x"));
        assert!(fault.contains(why), "{path:?}: {fault}");
    }
}

/// The byte of a field of every entry: in the list at the end (`PK\1\2`) and before each file (`PK\3\4`).
fn patch(wheel: &mut Wheel, list: usize, local: usize, value: &[u8]) {
    for (magic, offset) in [(b"PK\x01\x02", list), (b"PK\x03\x04", local)] {
        let at: Vec<usize> =
            wheel.bytes.windows(4).enumerate().filter(|(_, w)| w == magic).map(|(at, _)| at).collect();
        for at in at {
            wheel.bytes[at + offset..at + offset + value.len()].copy_from_slice(value);
        }
    }
}

#[test]
fn sizes_that_lie_do_not_fill_memory() {
    let good = Made::new("a", "1").with("a.py", &"a".repeat(1000)).wheel();
    for size in [0_u32, 10, 5000, 0x3fff_ffff, 0xffff_fffe] {
        let mut wheel = good.clone();
        patch(&mut wheel, 24, 22, &size.to_le_bytes());
        assert!(lay_out(&PYTHON, &[wheel]).is_err(), "{size}");
    }
    let mut encrypted = good.clone();
    patch(&mut encrypted, 8, 6, &[1, 0]);
    assert!(lay_out(&PYTHON, &[encrypted]).is_err());
    let mut method = good;
    patch(&mut method, 10, 8, &[9, 0]);
    assert!(lay_out(&PYTHON, &[method]).is_err());
}

#[test]
fn a_list_that_differs_from_the_headers_is_refused() {
    let good = Made::new("a", "1").with("a.py", "a").wheel();
    let mut wheel = good.clone();
    let at = wheel.bytes.windows(4).position(|w| w == b"a.py").unwrap();
    wheel.bytes[at..at + 4].copy_from_slice(b"b.py");
    assert!(lay_out(&PYTHON, &[wheel]).is_err());
    let mut short = good;
    short.bytes.truncate(short.bytes.len() - 10);
    assert!(lay_out(&PYTHON, &[short]).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let wheel = Wheel { file_name: "a-1-py3-none-any.whl".to_owned(), bytes };
        prop_assert!(lay_out(&PYTHON, &[wheel]).is_err());
    }

    #[test]
    fn no_change_of_a_wheel_makes_it_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut wheel = Made::new("a", "1")
            .with("a.py", "text text text text")
            .with_info("entry_points.txt", "[console_scripts]\nx = a:f\n")
            .wheel();
        for (at, byte) in changes {
            let at = at.index(wheel.bytes.len());
            wheel.bytes[at] = byte;
        }
        let _ = lay_out(&PYTHON, &[wheel]);
    }

    #[test]
    fn no_metadata_makes_it_panic(text in "\\PC{0,200}", lines in proptest::collection::vec("[\\[\\]a-z=:;#\\\\ \\t\"',.-]{0,20}", 0..10)) {
        let _ = laid(&[Made::new("a", "1").with_info("entry_points.txt", &format!("[console_scripts]\n{}", lines.join("\n")))]);
        let _ = laid(&[Made::new("a", "1").with_info("METADATA", &text)]);
        let _ = laid(&[Made::new("a", "1").with_record(&lines.join("\n"))]);
        let _ = name::WheelName::parse(&format!("{text}.whl"));
    }
}
