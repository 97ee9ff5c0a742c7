//! voevent-node.
