//! From a host's TOML to a sealed bundle.

pub mod artifact;
pub mod fill;
