//! From a bundle to a running machine.
//!
//! Read in this order: what was seen ([`observed`]), what is to be done ([`mod@plan`], `file_rules`, `unit_rules`), how it is done
//! ([`mod@perform`]) within an activation ([`mod@activate`]), and who ends it when that cannot ([`mod@recover`],
//! [`mod@guard`], [`mod@boot`]).
//!
//! Doors, each named by what it opens on: [`root`] managed paths, [`state`] the activator's own folder,
//! [`aside`] what others had where ours is, [`derived`] venvs
//! with bytecode, [`install`] the activator itself, [`live`] links for people, [`systemd`] units, [`tool`] the target's programs, [`probe`] the
//! broker, [`http`] other services, [`users`] accounts and folders.

pub mod observed;
pub mod origin;
pub mod plan;

mod file_rules;
mod unit_rules;

#[cfg(test)]
mod model;

pub mod activate;
pub mod arguments;
pub mod boot;
pub mod commands;
pub mod downtime;
pub mod failure;
pub mod guard;
pub mod perform;
pub mod prepare;
pub mod prove;
pub mod record;
pub mod recorded;
pub mod recover;

pub mod aside;
pub mod beneath;
pub mod build_wheel;
pub mod bundle_path;
pub mod derive;
pub mod derived;
pub mod generator;
pub mod history;
pub mod install;
pub mod live;
pub mod machine;
pub mod root;
pub mod secrets;
pub mod state;
pub mod who;

pub mod accounts;
pub mod apt;
pub mod check;
pub mod facts;
pub mod http;
pub mod listeners;
pub mod peek;
pub mod preflight;
pub mod probe;
pub mod sandbox;
pub mod users;
pub mod vtp;

pub mod bus;
pub mod dbus;
pub mod jobs;
pub mod systemd;
pub mod tool;
pub mod traces;
pub mod transient;
