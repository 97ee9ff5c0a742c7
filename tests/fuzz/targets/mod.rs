//! What is fuzzed: each target takes any bytes, and panics where a law is broken.

mod expression;
mod host;
mod input;
mod laws;
mod lock;
mod manifest;
mod module;
mod reread;
mod sealed;
mod template;
mod tree;

pub(crate) use input::{END, REPEAT, grows};

/// A parser with all that is behind it.
pub(crate) struct Target {
    /// Its name, and that of the folder of its regressions.
    pub(crate) name: &'static str,
    /// Feeds it one input.
    pub(crate) run: fn(&[u8]),
    /// Inputs to begin with: the project's own files.
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Words of its language, divided by `¦`.
    pub(crate) words: &'static str,
}

/// All targets.
pub(crate) const ALL: [Target; 7] = [
    Target { name: "host", run: host::run, seeds: host::seeds, words: host::WORDS },
    Target { name: "module", run: module::run, seeds: module::seeds, words: module::WORDS },
    Target { name: "template", run: template::run, seeds: template::seeds, words: template::WORDS },
    Target { name: "expression", run: expression::run, seeds: expression::seeds, words: expression::WORDS },
    Target { name: "lock", run: lock::run, seeds: lock::seeds, words: lock::WORDS },
    Target { name: "sealed", run: sealed::run, seeds: sealed::seeds, words: sealed::WORDS },
    Target { name: "manifest", run: manifest::run, seeds: manifest::seeds, words: manifest::WORDS },
];
