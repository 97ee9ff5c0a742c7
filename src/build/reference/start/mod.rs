//! What a new host file and a new module begin with: commented, and fit to be built as they are.

mod host;

pub use host::{Live, NewHost};

use crate::base::name::ModuleName;

/// The files of a new module, each with its text.
#[must_use]
pub fn module(name: &ModuleName) -> Vec<(String, String)> {
    let name = name.as_str();
    [
        ("module.toml".to_owned(), include_str!("module.toml")),
        (format!("{name}.sh.j2"), include_str!("script.sh.j2")),
        (format!("{name}.service.j2"), include_str!("service.j2")),
        (format!("{name}.timer.j2"), include_str!("timer.j2")),
    ]
    .map(|(file, text)| (file, text.replace("NAME", name)))
    .into()
}
