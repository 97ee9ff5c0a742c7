//! Text that nobody takes apart: a value is what it is, line breaks and all.

use super::source::Filling;
use super::{Filled, Refusal};
use crate::base::value::Value;

/// Fills each hole with its value as it is: a boolean, an integer or a text without NUL.
pub(super) fn fill(mut filling: Filling<'_>) -> Result<Filled, Vec<Refusal>> {
    for hole in 0..filling.holes.len() {
        if let Value::Float(_) = filling.holes[hole].value {
            filling.refuse(hole, "a float has no text of its own", "make it a text that looks as it should");
        } else if let Some(text) = filling.scalar(hole) {
            filling.set(hole, text);
        }
    }
    filling.finish()
}
