//! New inputs of old ones: by words and lines of the language sooner than by bytes.

use libfuzzer_sys::fuzzer_mutate;

use crate::targets::{END, REPEAT, Target};

/// One in so many inputs is made to grow.
const GROWING: usize = 500;

/// What the inputs of a target are made of.
pub(crate) struct Mutator {
    words: Vec<&'static str>,
    /// The lines of the inputs to begin with.
    lines: Vec<Vec<u8>>,
}

/// Numbers that look random: `SplitMix64`.
struct Random(u64);

impl Random {
    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 1).unwrap_or(0) % end.max(1)
    }

    fn one<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }
}

impl Mutator {
    pub(crate) fn new(target: &Target) -> Self {
        let seeds = (target.seeds)();
        let lines = seeds.iter().flat_map(|seed| seed.split_inclusive(|byte| *byte == b'\n'));
        Self { words: target.words.split('¦').collect(), lines: lines.map(Into::into).collect() }
    }

    /// Changes the first `size` bytes of `data`, which then are as many as it returns.
    pub(crate) fn mutate(&self, data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
        let mut random = Random(u64::from(seed));
        if random.below(3) == 0 {
            return fuzzer_mutate(data, size, max_size);
        }
        let mut text = data.get(..size).unwrap_or_default().to_vec();
        for _ in 0..=random.below(3) {
            self.step(&mut text, &mut random);
        }
        if random.below(GROWING) == 0 {
            grow(&mut text, &mut random);
        }
        text.truncate(max_size.min(data.len()));
        data[..text.len()].copy_from_slice(&text);
        text.len()
    }

    fn step(&self, text: &mut Vec<u8>, random: &mut Random) {
        let word = random.one(&self.words).map_or(&[][..], |word| word.as_bytes());
        match random.below(9) {
            0 | 1 => {
                let at = edge(text, random);
                text.splice(at..at, word.iter().copied());
            }
            2 => {
                let range = stretch(text, random);
                text.splice(range, word.iter().copied());
            }
            3 => drop(text.drain(stretch(text, random))),
            4 => drop(text.drain(lines(text, random))),
            5 => {
                let copied = text[lines(text, random)].to_vec();
                let at = lines(text, random).start;
                text.splice(at..at, copied);
            }
            6 => {
                let copied = text[stretch(text, random)].to_vec();
                let at = edge(text, random);
                text.splice(at..at, copied);
            }
            7 => {
                let line = random.one(&self.lines).cloned().unwrap_or_default();
                let at = lines(text, random).start;
                text.splice(at..at, line);
            }
            _ => {
                let line = random.one(&self.lines).cloned().unwrap_or_default();
                let range = lines(text, random);
                text.splice(range, line);
            }
        }
    }
}

/// Repeats a part of a text, or a word of it, very often.
fn grow(text: &mut Vec<u8>, random: &mut Random) {
    let range = if random.below(2) == 0 { stretch(text, random) } else { lines(text, random) };
    let digit = b'0' + u8::try_from(2 + random.below(8)).unwrap_or(2);
    text.insert(range.end, END);
    text.splice(range.start..range.start, [REPEAT, digit]);
}

/// A place between two words.
fn edge(text: &[u8], random: &mut Random) -> usize {
    let start = random.below(text.len() + 1);
    let is_word = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    (start..text.len()).find(|at| *at == 0 || is_word(*at) != is_word(at - 1)).unwrap_or(text.len())
}

/// Some words in a row.
fn stretch(text: &[u8], random: &mut Random) -> std::ops::Range<usize> {
    let start = edge(text, random);
    let mut end = start;
    for _ in 0..=random.below(4) {
        let rest = text.get(end..).unwrap_or_default();
        let first = rest.first().is_some_and(u8::is_ascii_alphanumeric);
        end += rest.iter().position(|byte| byte.is_ascii_alphanumeric() != first).unwrap_or(rest.len());
    }
    start..end
}

/// Some lines in a row.
fn lines(text: &[u8], random: &mut Random) -> std::ops::Range<usize> {
    let at = random.below(text.len() + 1);
    let start = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut end = start;
    for _ in 0..=random.below(4) {
        let rest = text.get(end..).unwrap_or_default();
        end += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
    }
    start..end
}
