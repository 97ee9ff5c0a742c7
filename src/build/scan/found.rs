//! What is found in code without running it.

use std::ops::Range;

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
    /// The parts that are there under a condition, or more than once.
    pub blocks: Vec<Block>,
}

/// A part of a template that stands in an `if` or a `for`.
#[derive(Debug, Clone)]
pub struct Block {
    /// Which of them.
    pub kind: BlockKind,
    /// The expression that decides.
    pub condition: Place,
    /// The bytes of the template that it decides about.
    pub body: Range<usize>,
}

/// How a part of a template depends on an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockKind {
    /// There where it holds.
    If,
    /// There where it does not hold, or where a loop has nothing to go through.
    Else,
    /// There for each of its entries.
    For,
}
