//! Time spans (systemd.time(7), "Parsing Time Spans"), as systemd's `parse_sec` reads them.

/// Microseconds of `infinity`.
pub(super) const INFINITY: u64 = u64::MAX;

const SECOND: u64 = 1_000_000;
const DAY: u64 = 86_400 * SECOND;

/// In this order: the first that the text starts with is it.
const UNITS: [(&str, u64); 30] = [
    ("seconds", SECOND),
    ("second", SECOND),
    ("sec", SECOND),
    ("s", SECOND),
    ("minutes", 60 * SECOND),
    ("minute", 60 * SECOND),
    ("min", 60 * SECOND),
    ("months", 2_629_800 * SECOND),
    ("month", 2_629_800 * SECOND),
    ("M", 2_629_800 * SECOND),
    ("msec", 1_000),
    ("ms", 1_000),
    ("m", 60 * SECOND),
    ("hours", 3_600 * SECOND),
    ("hour", 3_600 * SECOND),
    ("hr", 3_600 * SECOND),
    ("h", 3_600 * SECOND),
    ("days", DAY),
    ("day", DAY),
    ("d", DAY),
    ("weeks", 7 * DAY),
    ("week", 7 * DAY),
    ("w", 7 * DAY),
    ("years", 31_557_600 * SECOND),
    ("year", 31_557_600 * SECOND),
    ("y", 31_557_600 * SECOND),
    ("usec", 1),
    ("us", 1),
    ("\u{3bc}s", 1),
    ("\u{b5}s", 1),
];

/// A time span in microseconds; `None` for what is none.
pub(super) fn parse(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    if rest == "infinity" {
        return Some(INFINITY);
    }
    let mut sum: u64 = 0;
    let mut something = false;
    while !rest.is_empty() {
        let (number, after) = digits(rest.strip_prefix('+').unwrap_or(rest));
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        // Neither `.` nor `1.` are numbers.
        if fraction.is_empty() && (number.is_empty() || rest[..rest.len() - after.len()].ends_with('.')) {
            return None;
        }
        let blank = after.trim_start();
        let unit = UNITS.iter().find_map(|(name, unit)| Some((blank.strip_prefix(name)?, *unit)));
        let (next, unit) = unit.unwrap_or((blank, SECOND));
        // A number ends at a unit, a blank or the end.
        if next.len() == after.len() && !next.is_empty() {
            return None;
        }
        sum = sum.checked_add(product(number, fraction, unit)?).filter(|sum| *sum < INFINITY)?;
        something = true;
        rest = next.trim_start();
    }
    something.then_some(sum)
}

/// The digits that a text starts with, and what follows.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len())
}

fn product(number: &str, fraction: &str, unit: u64) -> Option<u64> {
    let number = if number.is_empty() { 0 } else { number.parse::<i64>().ok()?.unsigned_abs() };
    let mut product = number.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.bytes() {
        place /= 10;
        product = product.checked_add(u64::from(digit - b'0') * place)?;
    }
    Some(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, expected) in [
            ("0", Some(0)),
            ("90", Some(90 * SECOND)),
            ("1min 30s", Some(90 * SECOND)),
            ("1min30", Some(90 * SECOND)),
            ("2.5 h", Some(9_000 * SECOND)),
            ("1.5", Some(1_500_000)),
            (".5s", Some(500_000)),
            ("500ms 3 us", Some(500_003)),
            ("5m", Some(300 * SECOND)),
            ("1M", Some(2_629_800 * SECOND)),
            ("+1d", Some(DAY)),
            ("5 5", Some(10 * SECOND)),
            ("3\u{b5}s", Some(3)),
            ("infinity", Some(INFINITY)),
            ("", None),
            ("-1", None),
            ("1.", None),
            ("1. s", None),
            ("1.2.3", None),
            ("5 parsecs", None),
            ("5x", None),
            ("s", None),
            ("1,5s", None),
            ("infinity s", None),
            ("99999999999999999999", None),
            ("9000000000000y", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
