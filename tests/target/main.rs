//! Tests on real targets: hosts with real systemd, users and network (see [`driver`]).
//!
//! They need root and some packages: `tests/run` sees to both and sets `VOEVENT_TARGET_TESTS`. Without that
//! variable, or without root, they are reported as ignored; one that is not run never counts as passed.

#![expect(clippy::disallowed_methods, reason = "a driver of machines acts on the world")]

mod activator_is_static;
mod backup;
mod build_on_target;
mod checks;
mod comet;
mod crashes;
mod driver;
mod driver_clears_up;
mod driver_works;
mod firewall;
mod gcn;
mod handlers;
mod hardened;
mod instances;
mod logging;
mod monitor;
mod nft_values;
mod node;
mod own_module;
mod packages;
mod recovery;
mod refusals;
mod same_bundle;
mod secrets;
mod ssh;
mod story;
mod swap;
mod take_over;
mod time;
mod two_nodes;
mod unit_keys;
mod unit_values;
mod venv_link;

use libtest_mimic::{Arguments, Failed, Trial};
use std::env;
use std::process::ExitCode;

/// A test: where it stands, its name, and what it does.
#[derive(Clone, Copy)]
struct Test {
    module: &'static str,
    name: &'static str,
    run: fn() -> driver::Result<()>,
}

/// Lists the tests of a file, as `const TESTS`.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        pub(crate) const TESTS: &[crate::Test] =
            &[$(crate::Test { module: module_path!(), name: stringify!($name), run: $name }),*];
    };
}
pub(crate) use tests;

/// Every file's tests.
const ALL: &[&[Test]] = &[
    story::TESTS,
    take_over::TESTS,
    same_bundle::TESTS,
    refusals::TESTS,
    crashes::TESTS,
    checks::TESTS,
    secrets::TESTS,
    comet::TESTS,
    own_module::TESTS,
    build_on_target::TESTS,
    recovery::TESTS,
    backup::TESTS,
    hardened::TESTS,
    gcn::TESTS,
    instances::TESTS,
    venv_link::TESTS,
    monitor::TESTS,
    unit_values::TESTS,
    unit_keys::TESTS,
    nft_values::TESTS,
    two_nodes::TESTS,
    handlers::TESTS,
    packages::TESTS,
    time::TESTS,
    swap::TESTS,
    firewall::TESTS,
    ssh::TESTS,
    logging::TESTS,
    driver_works::TESTS,
    driver_clears_up::TESTS,
    activator_is_static::TESTS,
];

/// Machines are light, but the processors of the host are few.
const AT_ONCE: usize = 2;

fn main() -> ExitCode {
    if let Some(watched) = driver::watch() {
        return watched.map_or_else(
            |failure| {
                eprintln!("warning: clearing up after the tests: {failure}");
                ExitCode::FAILURE
            },
            |()| ExitCode::SUCCESS,
        );
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let asked = env::var_os("VOEVENT_TARGET_TESTS").is_some_and(|value| !value.is_empty() && value != "0");
    let enabled = asked && driver::is_root();
    let trials: Vec<Trial> = ALL.iter().copied().flatten().map(|&test| trial(test, enabled)).collect();
    if !(enabled || arguments.list || arguments.ignored || arguments.include_ignored) {
        eprintln!("the tests on real targets are left out; `tests/run`, started by root, runs them");
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    driver::finish();
    conclusion.exit_code()
}

fn trial(test: Test, enabled: bool) -> Trial {
    let module = test.module.rsplit("::").next().unwrap_or_default();
    let name = format!("{module}::{}", test.name);
    Trial::test(name, move || (test.run)().map_err(Failed::from)).with_ignored_flag(!enabled)
}
