//! What somebody says about an option, on its way into the value.

use std::sync::Arc;

use crate::build::config::tree::Node;

use super::history::SetBy;

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The declaration of the option.
    Default,
    /// A `[[set]]`.
    Set,
    /// A host file or a fragment, by its number.
    File(usize),
}

/// What somebody says, evaluated.
#[derive(Debug, Clone)]
pub struct Given {
    /// Who.
    pub layer: Layer,
    /// What.
    pub node: Node,
    /// The `[[set]]` that it is in.
    pub by: Option<Arc<SetBy>>,
}

impl Given {
    /// What a layer says.
    #[must_use]
    pub const fn of(layer: Layer, node: Node) -> Self {
        Self { layer, node, by: None }
    }

    /// A part of what it says.
    #[must_use]
    pub fn part(&self, node: &Node) -> Self {
        Self { layer: self.layer, node: node.clone(), by: self.by.clone() }
    }
}
