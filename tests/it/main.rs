//! Tests of the two programs that need no root.

mod locks;
mod packages;
mod venv_like_uv;
mod fill_sh;
