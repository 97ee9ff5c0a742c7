//! Tests on real targets.
fn main() {}
