//! The fuzzer: libFuzzer with the targets behind it, started by `run` beside this file.
//!
//! `fuzz seeds TARGET FOLDER` writes inputs to begin with. `fuzz fuzz TARGET RECORDS …` feeds a target as libFuzzer's
//! options `…` say, and keeps in the file RECORDS how long an input took at most and how much memory; beside it, with
//! other endings, are the `slowest` input and the `current` one.

#![expect(clippy::disallowed_methods, reason = "a test: it reads its arguments and writes its records")]

mod mutate;
mod targets;
mod watch;

use std::ffi::{CString, c_char, c_int};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};

use mutate::Mutator;
use targets::Target;
use watch::Watch;

#[global_allocator]
static MEMORY: watch::Memory = watch::Memory;

/// What is fuzzed.
static FUZZED: OnceLock<Fuzzed> = OnceLock::new();

struct Fuzzed {
    target: &'static Target,
    mutator: Mutator,
    watch: Watch,
}

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some(fuzzed) = FUZZED.get() else { return Corpus::Reject };
    fuzzed.watch.run(fuzzed.target, input);
    // Those that grow are slow, and others are to be made of those that are not.
    if targets::grows(input) { Corpus::Reject } else { Corpus::Keep }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    match FUZZED.get() {
        Some(fuzzed) => fuzzed.mutator.mutate(data, size, max_size, seed),
        None => size,
    }
});

#[expect(unsafe_code, reason = "libFuzzer is C++")]
mod ffi {
    use super::{c_char, c_int};

    /// What libFuzzer calls with an input.
    type Callback = unsafe extern "C" fn(*const u8, usize) -> c_int;

    unsafe extern "C" {
        fn LLVMFuzzerRunDriver(argc: *mut c_int, argv: *mut *mut *mut c_char, callback: Callback) -> c_int;
        fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> c_int;
    }

    /// Runs libFuzzer, which ends the process.
    pub(super) fn drive(arguments: &mut [*mut c_char], mut count: c_int) -> c_int {
        let mut argv = arguments.as_mut_ptr();
        // SAFETY: as for C's `main`, there are `count` strings, and a null behind them; the caller keeps them.
        unsafe { LLVMFuzzerRunDriver(&raw mut count, &raw mut argv, LLVMFuzzerTestOneInput) }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(target) = arguments.get(2).and_then(|name| targets::ALL.iter().find(|t| t.name == name)) else {
        let names: Vec<&str> = targets::ALL.iter().map(|target| target.name).collect();
        println!("{}", names.join(" "));
        return ExitCode::FAILURE;
    };
    match (arguments[1].as_str(), arguments.get(3)) {
        ("seeds", Some(folder)) => write_seeds(target, Path::new(folder)),
        ("fuzz", Some(records)) => fuzz(target, records.into(), &arguments),
        _ => ExitCode::FAILURE,
    }
}

fn write_seeds(target: &Target, folder: &Path) -> ExitCode {
    for (number, seed) in (target.seeds)().iter().enumerate() {
        if let Err(error) = std::fs::write(folder.join(format!("seed-{number:03}")), seed) {
            eprintln!("cannot write to `{}`: {error}", folder.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn fuzz(target: &'static Target, records: PathBuf, arguments: &[String]) -> ExitCode {
    let fuzzed = Fuzzed { target, mutator: Mutator::new(target), watch: Watch::new(records) };
    if FUZZED.set(fuzzed).is_err() {
        return ExitCode::FAILURE;
    }
    let passed = arguments.iter().take(1).chain(arguments.iter().skip(4));
    let Ok(strings) = passed.map(|text| CString::new(text.as_str())).collect::<Result<Vec<_>, _>>() else {
        return ExitCode::FAILURE;
    };
    let mut pointers: Vec<*mut c_char> = strings.iter().map(|text| text.as_ptr().cast_mut()).collect();
    pointers.push(std::ptr::null_mut());
    let count = c_int::try_from(strings.len()).unwrap_or(0);
    if ffi::drive(&mut pointers, count) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
