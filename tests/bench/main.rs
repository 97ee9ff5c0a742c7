//! The main job, measured: builds here, switches on a real target, each beside what cannot be had faster, in one run.
//!
//!     cargo bench --bench main_job                 both; switches only as root
//!     cargo bench --bench main_job -- build        or `target`
//!
//! Every figure is the median of its runs. Ratios are of this run and this machine; figures of two machines, or of two
//! days, are not comparable.

#![expect(clippy::disallowed_methods, reason = "measures the world")]

mod build;
#[path = "../target/driver/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use all of it")]
mod driver;
#[path = "../it/fleet.rs"]
mod fleet;
mod measure;
#[path = "../target/node.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod node;
#[path = "../it/packages.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod packages;
#[path = "../it/sandbox.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod sandbox;
mod table;
mod target;

use std::env;
use std::process::ExitCode;

use table::Table;

fn main() -> ExitCode {
    if let Some(code) = measure::helper() {
        return code;
    }
    if let Some(watched) = driver::watch() {
        return watched.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let words: Vec<String> = env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        eprintln!("measurements are made by `cargo bench`");
        return ExitCode::SUCCESS;
    }
    let asked =
        |part: &str| words.iter().all(|word| word.starts_with('-')) || words.iter().any(|word| word == part);
    let mut table = Table::default();
    let built = if asked("build") { build::rows(&mut table) } else { Ok(()) };
    let switched = if !asked("target") {
        Ok(())
    } else if driver::is_root() {
        target::rows(&mut table)
    } else {
        eprintln!("left out: switches on a real target, which need root");
        Ok(())
    };
    driver::finish();
    println!("{table}");
    let failures = [built.err(), switched.err()];
    failures.iter().flatten().for_each(|failure| eprintln!("error: {failure}"));
    if failures.iter().all(Option::is_none) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
