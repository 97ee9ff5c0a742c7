//! Texts as configuration: what is written, with its places; nothing is evaluated here.

pub mod artifact;
pub mod fact;
pub mod host;
pub mod keys;
pub mod module;
pub mod newer;
pub mod option;
pub mod pattern;
mod syntax;
pub mod tree;
