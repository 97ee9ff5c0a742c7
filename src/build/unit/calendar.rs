//! Calendar expressions (systemd.time(7), "Calendar Events"), as systemd's `calendar_spec_from_string` reads them.

/// What stands for a whole expression. Two are not in the manual.
pub(super) const SHORTHANDS: [&str; 13] = [
    "minutely",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "semiannually",
    "semi-annually",
    "biannually",
    "bi-annually",
    "yearly",
    "annually",
    "anually",
];

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Microseconds.
const SECOND: u64 = 1_000_000;

/// Whether systemd takes a text. A last word that may be a time zone counts as one: which there are is known on the
/// host only.
pub(super) fn is_valid(text: &str) -> bool {
    let last = text.rsplit_once(' ').filter(|(_, last)| may_be_zone(last));
    is_expression(text) || last.is_some_and(|(before, _)| is_expression(before))
}

/// Names as `Europe/Berlin` and `CEST`, or as `-03` where the zone of the host has no letters.
fn may_be_zone(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let day = DAYS.iter().any(|day| lower == *day || lower == day[..3]);
    let signed = word.strip_prefix(['+', '-']).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    let named = word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+/".contains(&b));
    signed || (named && !day)
}

fn is_expression(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    SHORTHANDS.contains(&lower.as_str())
        || (!text.is_empty() && after_weekdays(&lower).and_then(dated).is_some())
}

/// What follows the days of the week: lists, and ranges by `..` or, as of old, `-`. A comma may end them.
fn after_weekdays(text: &str) -> Option<&str> {
    let (mut rest, mut from, mut first) = (text, None, true);
    loop {
        let day = DAYS.iter().position(|day| rest.starts_with(&day[..3]));
        let Some(day) = day else {
            return first.then_some(rest);
        };
        let short = &rest[3..];
        rest = rest.strip_prefix(DAYS[day]).unwrap_or(short);
        if from.is_some_and(|from| from > day) {
            return None;
        }
        match (rest.strip_prefix("..").or_else(|| rest.strip_prefix('-')), rest.strip_prefix(',')) {
            (Some(_), _) if from.is_some() => return None,
            (Some(after), _) => (rest, from) = (after, Some(day)),
            (None, Some(after)) => (rest, from) = (after, None),
            (None, None) if rest.is_empty() || rest.starts_with(' ') => {
                return Some(rest.trim_start_matches(' '));
            }
            (None, None) => return None,
        }
        if rest.is_empty() || rest.starts_with(' ') {
            return from.is_none().then_some(rest.trim_start_matches(' '));
        }
        first = false;
    }
}

/// Reads a date and a time, each may be left out.
fn dated(text: &str) -> Option<()> {
    if let Some(seconds) = text.strip_prefix('@') {
        let seconds = seconds.trim_start().trim_start_matches(['+', '-']);
        return (!seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit())).then_some(());
    }
    if text.is_empty() {
        return Some(());
    }
    let (first, rest) = chain(text, false)?;
    if rest.is_empty() || rest.starts_with(':') {
        return timed(text);
    }
    let (second, after) = chain(rest.strip_prefix(['-', '~'])?, false)?;
    let backward = rest.starts_with('~');
    if let Some(time) = date_end(after) {
        return (within(&first, 1, 12, false) && within(&second, 1, 31, backward)).then(|| timed(time))?;
    }
    let (third, end) = chain(after.strip_prefix(['-', '~']).filter(|_| !backward)?, false)?;
    let years: Vec<Component> = first.into_iter().map(Component::year).collect();
    let good = within(&years, 1970, 2199, false)
        && within(&second, 1, 12, false)
        && within(&third, 1, 31, after.starts_with('~'));
    good.then(|| timed(date_end(end)?))?
}

/// What follows a date that ends here.
fn date_end(text: &str) -> Option<&str> {
    (text.is_empty() || text.starts_with(' ')).then(|| text.trim_start_matches(' '))
}

/// `hours:minutes`, `hours:minutes:seconds`, or nothing.
fn timed(text: &str) -> Option<()> {
    if text.is_empty() {
        return Some(());
    }
    let (hours, rest) = chain(text, false)?;
    let (minutes, rest) = chain(rest.strip_prefix(':')?, false)?;
    let seconds = match rest.strip_prefix(':') {
        Some(rest) => chain(rest, true).filter(|(_, end)| end.is_empty())?.0,
        None if rest.is_empty() => Vec::new(),
        None => return None,
    };
    let good = within(&hours, 0, 23, false)
        && within(&minutes, 0, 59, false)
        && within(&seconds, 0, 60 * SECOND - 1, false);
    good.then_some(())
}

/// `start`, `start..stop`, `start/repeat` or `start..stop/repeat`.
#[derive(Debug, Clone, Copy)]
struct Component {
    start: u64,
    stop: Option<u64>,
    repeat: u64,
}

impl Component {
    /// 12 is 2012, 89 is 1989.
    fn year(self) -> Self {
        let year = |year| match year {
            0..70 => year + 2000,
            70..100 => year + 1900,
            _ => year,
        };
        Self { start: year(self.start), stop: self.stop.map(year), repeat: self.repeat }
    }
}

/// A list of components, and what follows it; `*` is the empty list. Seconds are given in microseconds.
fn chain(text: &str, seconds: bool) -> Option<(Vec<Component>, &str)> {
    if let Some(rest) = text.strip_prefix('*') {
        return Some((Vec::new(), rest));
    }
    let mut components = Vec::new();
    let mut rest = text;
    loop {
        let (start, after) = number(rest, seconds)?;
        let (stop, after) = match after.strip_prefix("..") {
            Some(after) => number(after, seconds).map(|(stop, after)| (Some(stop), after))?,
            None => (None, after),
        };
        let (repeat, after) = match after.strip_prefix('/') {
            Some(after) => number(after, seconds).filter(|(repeat, _)| *repeat > 0)?,
            // Whole seconds are what it would repeat.
            None if seconds && stop.is_some_and(|stop| start + SECOND > stop) => return None,
            None if stop.is_some() => (if seconds { SECOND } else { 1 }, after),
            None => (0, after),
        };
        components.push(Component { start, stop, repeat });
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() || after.starts_with([' ', '-', '~', ':']) => {
                return Some((components, after));
            }
            None => return None,
        }
    }
}

/// Whether all components lie in a range, each with room for one repetition; a range without room is its start. The
/// last days of a month are counted back from its end, as far as all months have them.
fn within(chain: &[Component], from: u64, to: u64, backward: bool) -> bool {
    let to = if backward { to - 3 } else { to };
    chain.iter().all(|Component { start, stop, repeat }| {
        let room = match stop {
            Some(stop) => return (from..=to).contains(start) && (start..=&to).contains(&stop),
            None if backward => *start >= from + repeat,
            None => start + repeat <= to,
        };
        (from..=to).contains(start) && *repeat <= to - from && room
    })
}

fn number(text: &str, seconds: bool) -> Option<(u64, &str)> {
    let (digits, rest) = split(text);
    let number = digits.parse::<u32>().ok()?.into();
    if !seconds {
        return Some((number, rest));
    }
    let Some(fraction) = rest.strip_prefix('.').filter(|fraction| !fraction.starts_with('.')) else {
        return Some((number * SECOND, rest));
    };
    let (digits, rest) = split(fraction);
    let padded: u64 = format!("{digits:0<6}").get(..6)?.parse().ok()?;
    // The seventh digit rounds.
    let up = u64::from(digits.as_bytes().get(6).is_some_and(|digit| *digit >= b'5'));
    (!digits.is_empty()).then_some((number * SECOND + padded + up, rest))
}

/// The digits that a text starts with, and what follows.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        for good in [
            "daily",
            "Weekly UTC",
            "Mon..Fri 03:00",
            "Sat,Sun",
            "monday-wed,Fri, 12:0",
            "*-*-* 03:00:00 Europe/Berlin",
            "2024-02~03",
            "*-*~1..7",
            "*:0/5",
            "*-1,4-1 0:0:0.5",
            "*:*:0/2.5",
            "@1700000000",
            "12-31",
            "2..8-1-1",
            "1..5/2:3",
            "5..5:48..49/2",
            "10:00 CEST",
            "10:00 -03",
        ] {
            assert!(is_valid(good), "{good}");
        }
        for bad in [
            "",
            "dayly",
            "daily at 3",
            "Mon..",
            "Fri..Mon",
            "Mon..Wed..Fri",
            "Mond",
            "25:00",
            "10:60",
            "10:00 pm 3",
            "*-13-1",
            "*-*-32",
            "*~*-1",
            "*-*~30",
            "0:0:5..5",
            "6..5:0",
            "*:0/0",
            "*:0/90",
            "3",
            "*/5",
            "1.5:00",
            "0:0:1.",
            "99-1-1-1",
            "UTC",
            "Sat Sun",
        ] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
