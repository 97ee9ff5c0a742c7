//! The vocabulary that the compiler and the activator share. Everything here is pure.

pub mod digest;
pub mod http;
pub mod io;
pub mod layout;
pub mod name;
pub mod nearest;
pub mod nesting;
pub mod path;
pub mod report;
pub mod ssh_wire;
pub mod value;
