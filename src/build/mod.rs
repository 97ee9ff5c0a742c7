//! From a host's TOML to a sealed bundle.

pub mod accounts;
pub mod artifact;
pub mod fill;
pub mod unit;
