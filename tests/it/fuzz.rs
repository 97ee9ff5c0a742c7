//! The fuzzer's targets, fed with what they begin with and with what was found by them.

#![expect(clippy::disallowed_methods, reason = "a test")]

use std::path::Path;

#[path = "../fuzz/targets/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the fuzzer uses more of it")]
mod targets;

#[test]
fn the_seeds_break_no_law() {
    for target in &targets::ALL {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "`{}` has no seeds", target.name);
        for seed in seeds {
            (target.run)(&seed);
        }
    }
}

/// What was found once is not found again.
#[test]
fn no_fault_comes_back() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/regressions");
    for target in &targets::ALL {
        let folder = top.join(target.name);
        if !folder.exists() {
            continue;
        }
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            (target.run)(&std::fs::read(&path).unwrap());
        }
    }
}
