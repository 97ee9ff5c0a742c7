//! `voevent-build`.
fn main() {}
