//! `voevent-switch`.
fn main() {}
