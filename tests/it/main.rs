//! Tests of the two programs that need no root.

mod fill_sh;
mod build;
mod locks;
mod packages;
mod refused;
mod sandbox;
mod venv_like_uv;
