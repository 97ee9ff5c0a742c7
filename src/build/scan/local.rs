//! The names that a template gives to values of its own.

use std::collections::{BTreeMap, BTreeSet};

/// What is known of such a name before the template runs.
#[derive(Debug, Default, Clone)]
pub struct Local {
    /// How many values it holds at the most: one that holds another twice, and so on, would soon fill the memory.
    pub weight: u32,
    /// How many levels of lists and tables it holds at the most.
    pub nest: u32,
    /// The names that its value was made of, as they are read.
    pub made_of: BTreeSet<Vec<String>>,
}

/// Such names.
pub type Locals = BTreeMap<String, Local>;
