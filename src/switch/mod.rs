//! From a bundle to a running machine.

pub mod bus;
pub mod check;
pub mod dbus;
pub mod jobs;
pub mod observed;
pub mod plan;
pub mod probe;
pub mod record;
pub mod root;
pub mod state;
pub mod systemd;
pub mod tool;
pub mod traces;
pub mod transient;
pub mod vtp;
mod unit_rules;
