//! From a bundle to a running machine.

pub mod observed;
pub mod plan;
pub mod record;
pub mod root;
pub mod state;
mod unit_rules;
