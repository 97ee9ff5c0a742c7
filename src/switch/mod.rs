//! From a bundle to a running machine.
