//! From a host's TOML to a sealed bundle.
//!
//! The modules are in the order in which a configuration goes through them: [`front`] leads it from text to artifacts
//! with holes, [`venvs`] lays its Python environments out, [`mod@seal`] makes a bundle of all, [`compile`] reads and
//! writes around that.

pub mod sources;

pub mod config;
pub mod forms;
pub mod ssh_key;
pub mod types;
pub mod xpath;

pub mod bounds;
pub mod scan;

pub mod graph;
pub mod host;
pub mod instance;
pub mod library;
pub mod load;
pub mod module_folders;
pub mod private_key;
pub mod ring;
pub mod templates;

pub mod named_files;
pub mod names;
pub mod renames;
pub mod world;

pub mod expression;
pub mod filters;
pub mod list_filters;
pub mod operators;
pub mod options;
pub mod rules;

pub mod holes;
pub mod opaque;
pub mod render;

pub mod adopt;
pub mod emit;
pub mod folders;
pub mod paths;
pub mod whole;

pub mod facts;
pub mod fleet;

pub mod artifact;
pub mod front;

pub mod lock;
pub mod target_builds;
pub mod venvs;

#[cfg(test)]
mod samples;

pub mod accounts;
pub mod artifact_graph;
pub mod fill;
pub mod placing;
pub mod seal;
pub mod unit;

pub mod provenance;

pub mod cache;
pub mod changes;
pub mod check;
pub mod compile;
pub mod diff;
pub mod secret;

pub mod picture;
pub mod reference;
