//! From a bundle to a running machine.
//!
//! Read in this order: what was seen ([`observed`]), what is to be done ([`plan`], [`unit_rules`]), how it is done
//! ([`perform`]) within an activation ([`activate`]), and who ends it when that cannot ([`recover`], [`guard`],
//! [`boot`]). The rest are doors: [`root`] to managed paths, [`state`] to the activator's own folder, [`systemd`] to
//! units, [`probe`] to the broker.

pub mod observed;
pub mod plan;
mod unit_rules;

#[cfg(test)]
mod model;

#[cfg(any())]
pub mod activate;
#[cfg(any())]
pub mod boot;
pub mod bundle_path;
#[cfg(any())]
pub mod commands;
pub mod failure;
pub mod generator;
#[cfg(any())]
pub mod guard;
pub mod history;
pub mod install;
pub mod machine;
#[cfg(any())]
pub mod perform;
pub mod prove;
pub mod record;
#[cfg(any())]
pub mod recover;
pub mod root;
pub mod state;
pub mod who;

pub mod accounts;
pub mod bus;
pub mod check;
pub mod dbus;
pub mod jobs;
pub mod observed;
pub mod peek;
pub mod plan;
pub mod probe;
pub mod systemd;
pub mod tool;
pub mod traces;
pub mod transient;
pub mod users;
pub mod vtp;
