//! Where code stands: in a file of its own, or in a string of a `module.toml`.

use std::ops::Range;
use std::sync::Arc;

use crate::base::report::{Place, Source};
use crate::build::config::tree::within;

/// Where a piece of code stands.
#[derive(Debug, Clone, Copy)]
pub enum Stand<'a> {
    /// It is a whole file.
    File(&'a Arc<Source>),
    /// It is a TOML string that is written at this place.
    String(&'a Place),
    /// It is the part of a TOML string behind this offset.
    Part(&'a Place, usize),
}

impl Stand<'_> {
    /// The place of a part of the code.
    #[must_use]
    pub fn place(self, part: Range<usize>) -> Place {
        match self {
            // minijinja points at a single byte of what it does not know.
            Self::File(source) => Place::whole(source, part),
            Self::String(place) => within(place, part),
            Self::Part(place, shift) => within(place, part.start + shift..part.end + shift),
        }
    }
}
