//! Locks: which wheels a venv has, resolved once, then fetched, built and compared by hash.
//!
//! ```text
//! hosts/locks/
//!   pylock.<venv>-<8 hex of the inputs>.toml    PEP 751; in version control
//!   wheels/<file>                               wheels, and sources that a target builds; not in version control
//! generated/.cache/tools/                       may be deleted at any time
//!   uv-<version>/uv                             where the path has no such uv
//!   files/<file>                                source distributions, build requirements, uv's wheel
//! ```
//!
//! [`lock`] alone resolves, with uv; a build finds its lock ([`find::find_lock`]), has missing wheels fetched or built
//! ([`fetch::fetch`]) and reads them ([`find::read_wheels`]). Which index serves the bytes is the configuration of pip,
//! and no lock has an address: the hash decides.

pub mod build_system;
pub mod fetch;
pub mod file;
pub mod find;
pub mod index;
pub mod inputs;
pub mod pylock;
pub mod python;
pub mod read;
pub mod resolution;
pub mod run;
pub mod shelf;
pub mod uv;
mod workshop;

mod resolve;
mod sources;

pub use fetch::{FetchError, Folders, fetch};
pub use find::{Found, LockFileError, find_lock, read_lock, read_sources, read_wheels};
pub use inputs::{BadRequest, Change, LockInputs, LockRequest};
pub use pylock::{LockedPackage, LockedSource, Pylock};
pub use resolve::{LockError, Outcome, VersionChange, lock};
