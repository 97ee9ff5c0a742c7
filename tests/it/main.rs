//! Tests of the two programs that need no root.

mod build;
mod check;
mod check_tools;
mod docs;
mod fill_data;
mod fill_sh;
mod fleet;
mod fleet_rules;
mod fuzz;
mod graph;
mod instances;
mod layers;
mod locks;
mod module_folders;
mod new;
mod own_module;
mod packages;
mod provenance;
mod readme;
mod refused;
mod sandbox;
mod schema;
mod tutorial;
mod venv_like_uv;
mod why;
mod why_settings;
