//! What is found in code without running it.

use crate::base::report::Place;

use super::Locals;

/// A name that code reads: `comet.receive.port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Its parts; what is computed is not among them: of `users.accounts[x].home` the first two.
    pub path: Vec<String>,
    /// What is taken of that, from the first computed name on: `None` for what is computed, here `[None, home]`.
    pub beyond: Vec<Option<String>>,
    /// Whether something is made of its text: it is written, joined or compared.
    pub as_text: bool,
    /// Where.
    pub place: Place,
}

/// What code has in it.
#[derive(Debug, Default, Clone)]
pub struct Found {
    /// What it reads, in the order of the text.
    pub reads: Vec<Read>,
    /// What the names of its own that it reads were made of, each where such a name is read.
    pub through: Vec<Read>,
    /// The names that it gives to values of its own.
    pub locals: Vec<(String, Place)>,
    /// The holes whose value is taken for code: `{{ x | safe }}`.
    pub safe: Vec<Place>,
    /// What it includes, and the names that the included may use.
    pub includes: Vec<(String, Place, Locals)>,
}
