//! Where code stands: in a file of its own, or in a string of a `module.toml`.

use std::ops::Range;
use std::sync::Arc;

use crate::base::report::{Place, Source};
use crate::build::config::tree::{starts, within, written};

/// Where a piece of code stands.
#[derive(Debug, Clone, Copy)]
pub enum Stand<'a> {
    /// It is a whole file.
    File(&'a Arc<Source>),
    /// It is a TOML string that is written at this place.
    String(&'a Place),
    /// It is the part of a TOML string behind this offset.
    Part(&'a Place, usize),
    /// The same, with what [`starts`] says of the string.
    Lexed(&'a Place, usize, &'a [usize]),
}

impl<'a> Stand<'a> {
    /// Where each byte is written of the string that it stands in.
    pub(super) fn starts(self) -> Vec<usize> {
        match self {
            Self::File(_) | Self::Lexed(..) => Vec::new(),
            Self::String(place) | Self::Part(place, _) => starts(place),
        }
    }

    /// The same, for many places: the string is not lexed again for each.
    pub(super) const fn lexed(self, starts: &'a [usize]) -> Self {
        match self {
            Self::File(_) | Self::Lexed(..) => self,
            Self::String(place) => Self::Lexed(place, 0, starts),
            Self::Part(place, shift) => Self::Lexed(place, shift, starts),
        }
    }

    /// The place of a part of the code.
    #[must_use]
    pub fn place(self, part: Range<usize>) -> Place {
        match self {
            // minijinja points at a single byte of what it does not know.
            Self::File(source) => Place::whole(source, part),
            Self::String(place) => within(place, part),
            Self::Part(place, shift) => within(place, part.start + shift..part.end + shift),
            Self::Lexed(place, shift, starts) => written(place, starts, part.start + shift..part.end + shift),
        }
    }
}
