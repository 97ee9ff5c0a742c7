//! Text in which each value is one line, whatever the language: the reader splits it at line breaks and at no other
//! character that a value can have.

use super::source::Filling;
use super::{Filled, Refusal};

/// Fills each hole with its value as it is: a boolean, a number, or a text without line breaks, NUL and control
/// characters other than tab.
pub(super) fn fill(mut filling: Filling<'_>) -> Result<Filled, Vec<Refusal>> {
    for hole in 0..filling.holes.len() {
        if let Some(text) = filling.one_line(hole) {
            filling.set(hole, text);
        }
    }
    filling.finish()
}
