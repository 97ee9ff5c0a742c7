//! The reference of all modules, made of their own definitions and of the compiler's own tables, so that it cannot
//! say anything else than what is built.
//!
//! [`library`] reads the modules, [`entry`] makes one flat list of their options; all that is shown comes from there.

pub mod library;

pub mod entry;
pub mod words;

pub mod options;
pub mod search;

pub mod schema;

pub mod html;
pub mod markdown;
pub mod page;

pub mod start;
pub mod write;
