//! voevent-node compiles the description of a VOEvent broker node into an immutable, hashed bundle, and activates it on
//! a Debian machine: all of it, proven, or nothing.
//!
//! # The life of a configuration
//!
//! ```text
//! hosts/node1.toml ─┐  build::sources      text of host, imports, modules, templates
//! modules/*/        ├─ build::config       that text as tables, names checked, places kept
//! hosts/locks/      ┘  build::graph        which modules are on, and their one order
//!                      build::options      every option with its origin, in the order of a graph
//!                      build::render       templates become text with holes; references become edges
//!                      build::venvs        locks → wheels → trees ([`wheel`])
//!                      build::seal         references get paths, holes get text (build::fill), all get hashes
//!                      build::provenance   every line, with the template, the settings and the conditions behind it
//!                        │
//! generated/store/     store::disk         objects named by the BLAKE3 of their canonical bytes
//! generated/node1 ──►  store::bundle       manifest.toml: all that a host is
//!                        │  (copied to the target)
//! /var/lib/voevent/    store::import       copied and hashed; nothing is believed
//!                      switch::observed    what is
//!                      switch::plan        the steps to what should be, each with its reason: data
//!                      switch::perform     one thread does them; one rename is the switch
//!                      switch::prove       the broker answers: only then `committed` moves
//! ```
//!
//! # What holds everywhere
//!
//! - **Same inputs, same bundle.** Nothing but the declared inputs reaches a hash: no time, user, folder, locale, order of
//!   a folder. [`build::cache`] is never an input.
//! - **Rendering cannot inject.** No template writes the text of a value. It leaves a hole, and [`build::fill`] fills it
//!   for the place where it stands, or the build is refused.
//! - **Errors point.** Every error of a configuration is a [`base::report::Diagnostic`] with its places; all errors of a
//!   stage come together.
//! - **One rename is the switch.** Every managed link goes through `current`. Before the rename the old generation is
//!   whole, after it the new one is.
//! - **Commit after proof, kill it anywhere.** [`switch::recover`] has the one rule by which the next run, the guard and
//!   the boot end what did not end. There is no undo code: the way back is a plan like any other.
//!
//! # Where things are
//!
//! Imports run one way: [`base`] ← [`store`] ← [`wheel`] ← [`build`], and [`wheel`] ← [`switch`]; the two halves never
//! import each other, and `bin` is on top. A file that touches the world says so in its first lines by one `#![expect]` of
//! the lint that forbids it (`.clippy.toml`); every other file is pure.
//!
//! What is deliberately absent: an agent on the target, a network connection of it, an undo log, process-wide state, a
//! clock in anything that is hashed.

pub mod base;
pub mod store;
pub mod wheel;

pub mod build;
pub mod switch;
