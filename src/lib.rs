//! voevent-node: a reproducible configuration compiler and activator for VOEvent broker nodes.

pub mod base;
pub mod build;
pub mod store;
pub mod switch;
