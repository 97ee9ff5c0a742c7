//! How systemd splits a value into words (`extract_first_word`; systemd.syntax(7), "Quoting").

use super::super::source::Filling;
use super::escape::Style;
use super::{Symbol, What};

/// What a word is made of, without quotes and escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Char(char),
    Hole(Place),
}

impl Item {
    /// A symbol of a value without words.
    pub(super) const fn plain(symbol: Symbol) -> Self {
        match symbol.what {
            What::Char(c) => Self::Char(c),
            What::Hole(hole) => Self::Hole(Place { hole, quoted: false, alone: false }),
        }
    }
}

/// A hole in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) hole: usize,
    pub(super) quoted: bool,
    /// Nothing else is in the word, and it has no quotes.
    pub(super) alone: bool,
}

/// A word of a value.
#[derive(Debug, Default)]
pub(super) struct Word {
    pub(super) items: Vec<Item>,
    /// Without any quote or escape.
    pub(super) bare: bool,
    /// A `:` that divides stands before it.
    pub(super) after_colon: bool,
    /// A `:` that divides stands after it.
    before_colon: bool,
}

impl Word {
    /// The holes, first to last.
    pub(super) fn holes(&self) -> Vec<usize> {
        self.items
            .iter()
            .filter_map(|item| if let Item::Hole(place) = item { Some(place.hole) } else { None })
            .collect()
    }

    /// The list hole that is the whole word.
    pub(super) fn alone(&self) -> Option<usize> {
        match self.items.as_slice() {
            [Item::Hole(Place { hole, alone: true, .. })] if !self.after_colon && !self.before_colon => {
                Some(*hole)
            }
            _ => None,
        }
    }
}

/// Splits a value that has holes.
pub(super) fn split(filling: &mut Filling<'_>, value: &[Symbol], style: Style) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    let mut quote: Option<Symbol> = None;
    let mut symbols = value.iter().copied().peekable();
    let mut last = None;
    while let Some(symbol) = symbols.next() {
        let before = last.replace(symbol);
        let divides = quote.is_none() && (symbol.is_blank() || (style.colon && symbol.is(':')));
        if divides {
            if symbol.is(':') {
                if !open {
                    let after_colon = follows_colon(&words, before);
                    words.push(Word { bare: true, after_colon, ..Word::default() });
                }
                if let Some(word) = words.last_mut() {
                    word.before_colon = true;
                }
            }
            open = false;
            continue;
        }
        if !open {
            let after_colon = follows_colon(&words, before);
            words.push(Word { bare: true, after_colon, ..Word::default() });
            open = true;
        }
        let Some(word) = words.last_mut() else { continue };
        match symbol.what {
            What::Hole(hole) => {
                let ends = symbols.peek().is_none_or(|next| next.is_blank() || (style.colon && next.is(':')));
                let alone = word.bare && word.items.is_empty() && ends;
                word.items.push(Item::Hole(Place { hole, quoted: quote.is_some(), alone }));
            }
            What::Char(c @ ('"' | '\'')) if quote.is_none_or(|open| open.is(c)) => {
                word.bare = false;
                quote = if quote.is_some() { None } else { Some(symbol) };
            }
            What::Char('\\') => {
                word.bare = false;
                if symbols.peek().is_some_and(|next| next.hole().is_some()) {
                    // The value was refused when the line was read.
                    return Vec::new();
                }
                let rest = &mut symbols;
                let taken = unescape(style, || rest.next_if(|next| next.hole().is_none()));
                let Some(c) = taken else {
                    filling.refuse_text(symbol.offset, "this escape is unknown, or broken off", None);
                    return Vec::new();
                };
                word.items.push(Item::Char(c));
            }
            What::Char(c) => word.items.push(Item::Char(c)),
        }
    }
    if let Some(open) = quote {
        filling.refuse_text(open.offset, "this quote has no end on its line", None);
    }
    words
}

/// Whether the word before ends here, with a `:` that divides.
fn follows_colon(words: &[Word], before: Option<Symbol>) -> bool {
    words.last().is_some_and(|word| word.before_colon) && before.is_some_and(|before| !before.is_blank())
}

/// What follows a `\`. Bytes above 127 count as Latin-1 here: all that matters is that they are no special characters.
fn unescape(style: Style, mut next: impl FnMut() -> Option<Symbol>) -> Option<char> {
    let mut next = || match next()?.what {
        What::Char(c) => Some(c),
        What::Hole(_) => None,
    };
    let first = next()?;
    if !style.c {
        return Some(first);
    }
    let mut number = |first: u32, digits: usize, radix: u32| -> Option<char> {
        let mut value = first;
        for _ in 0..digits {
            value = value * radix + next()?.to_digit(radix)?;
        }
        char::from_u32(value).filter(|c| *c != '\0')
    };
    Some(match first {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        's' => ' ',
        '\\' | '"' | '\'' => first,
        'x' => return number(0, 2, 16),
        'u' => return number(0, 4, 16),
        'U' => return number(0, 8, 16),
        '0'..='3' => return number(first.to_digit(8)?, 2, 8),
        _ => return None,
    })
}
