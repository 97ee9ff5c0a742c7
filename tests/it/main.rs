//! Tests of the two programs that need no root.

mod fill_sh;
mod locks;
mod packages;
mod venv_like_uv;
