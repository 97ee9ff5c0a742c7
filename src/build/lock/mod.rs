//! Locks.

pub mod file;
pub mod inputs;
pub mod pylock;
pub mod read;
