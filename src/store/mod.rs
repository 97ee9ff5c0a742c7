//! Immutable objects in a folder, each named by the hash of its canonical bytes.
//!
//! The same format on the workstation (`generated/store`), on the target (`/var/lib/voevent/store`) and in between:
//!
//! ```text
//! store/
//!   <32 of base32>-<label>       a file object (0444 or 0555), or the folder of a tree or a bundle (0555)
//!   <32 of base32>-<host>/       a bundle: manifest.toml, root/
//!   .files/<32 of base32>        files of trees, hard-linked into every tree that has them
//!   .tmp-<random>                being written; swept by the next writer
//! ```
//!
//! Format 1. Nothing has an owner's meaning, a time or a mode but 0444 and 0555; all mtimes are 1.

pub mod bundle;
pub mod disk;
pub mod import;
pub mod manifest;
pub mod object;
pub mod provenance;
pub mod sealed;
pub mod toml_writer;
