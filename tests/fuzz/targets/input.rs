//! How the bytes of an input become files.

/// Repeats what follows, up to [`END`]: four to the power of the digit behind it. So a short input can be a long file.
pub(crate) const REPEAT: u8 = 1;
/// Ends what is repeated.
pub(crate) const END: u8 = 2;
/// What an input grows to at most: one byte more than a source may have.
const MAX: usize = (1 << 20) + 1;
/// The line that begins another file: its path follows.
const FILE: &[u8] = b"\n#=== ";

/// The input with its repetitions written out.
pub(super) fn grown(input: &[u8]) -> Vec<u8> {
    let mut grown = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some(start) = rest.iter().position(|byte| *byte == REPEAT) {
        let (before, marked) = rest.split_at(start);
        grown.extend_from_slice(before);
        let end = marked.iter().position(|byte| *byte == END);
        let (Some(end), Some(digit)) = (end, marked.get(1).filter(|digit| digit.is_ascii_digit())) else {
            grown.push(REPEAT);
            rest = &marked[1..];
            continue;
        };
        let body = marked.get(2..end).unwrap_or_default();
        let room = MAX.saturating_sub(grown.len()) / body.len().max(1);
        grown.extend(body.repeat(room.min(1 << (2 * (digit - b'0')))));
        rest = &marked[end + 1..];
    }
    grown.extend_from_slice(rest);
    grown.truncate(MAX);
    grown
}

/// Whether an input grows: such ones take long, and nothing is to be made of them.
pub(crate) fn grows(input: &[u8]) -> bool {
    input.contains(&REPEAT) && input.contains(&END)
}

/// The first file, and those that follow with their paths.
pub(super) fn files(input: &[u8]) -> (&[u8], Vec<(String, &[u8])>) {
    let (first, mut rest) = cut(input);
    let mut others = Vec::new();
    while let Some(file) = rest {
        let end = file.iter().position(|byte| *byte == b'\n').unwrap_or(file.len());
        let (path, text) = file.split_at(end);
        let (text, next) = cut(text);
        others.push((String::from_utf8_lossy(path).into_owned(), text.get(1..).unwrap_or_default()));
        rest = next;
    }
    (first, others)
}

/// The text before the line of the next file, and what follows its mark. The line feed belongs to the text.
fn cut(input: &[u8]) -> (&[u8], Option<&[u8]>) {
    match input.windows(FILE.len()).position(|window| window == FILE) {
        Some(at) => (&input[..=at], Some(&input[at + FILE.len()..])),
        None => (input, None),
    }
}
