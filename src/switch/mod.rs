//! From a bundle to a running machine.

pub mod bus;
pub mod dbus;
pub mod jobs;
pub mod observed;
pub mod plan;
pub mod record;
pub mod root;
pub mod state;
pub mod systemd;
pub mod tool;
pub mod traces;
pub mod transient;
mod unit_rules;
