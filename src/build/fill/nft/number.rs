//! What stands outside of strings: integers, addresses, networks, and lists of them.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Lexer;
use crate::base::value::Value;

/// Characters that end a token, besides blanks.
const ENDS: &str = "{}()[],;=\"<>|&^!#";
const JOINS: &str = "the value would become one word with the text beside it";

/// A value that nft has a notation for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Int(i64),
    Address(IpAddr),
    Network(IpNet),
}

impl Number {
    /// The value; otherwise why it is none.
    fn of(value: &Value) -> Result<Self, String> {
        let text = match value {
            Value::Int(value) => return Ok(Self::Int(*value)),
            Value::Str(text) => text,
            _ => return Err(format!("{} is neither an integer nor an address", value.kind())),
        };
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        match text.parse::<IpNet>() {
            Ok(network) if network.addr() == network.network() => Ok(Self::Network(network)),
            Ok(network) => Err(format!("nft would read `{network}` as `{}`", network.trunc())),
            Err(_) => Err(format!("`{}` is neither an address nor a network", text.escape_debug())),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Int(value) => value.to_string(),
            Self::Address(address) => address.to_string(),
            Self::Network(network) => network.to_string(),
        }
    }

    /// Values of different families are in no set together.
    const fn family(self) -> u8 {
        match self {
            Self::Int(_) => 0,
            Self::Address(IpAddr::V4(_)) | Self::Network(IpNet::V4(_)) => 4,
            Self::Address(IpAddr::V6(_)) | Self::Network(IpNet::V6(_)) => 6,
        }
    }
}

/// What stands directly before a hole.
struct Left<'a> {
    /// Characters of the same word.
    run: &'a str,
    /// The hole before those, where nothing is between.
    hole: Option<usize>,
    /// The character before those, or nothing at a hole or the start.
    end: Option<char>,
}

impl Lexer<'_> {
    /// A hole outside of strings.
    pub(super) fn hole(&mut self, hole: usize) {
        self.cursor.bump();
        let filled = match self.cursor.value(hole) {
            Value::List(values) => self.set(hole, values),
            value => self.number(hole, value),
        };
        match filled {
            Ok(text) => self.cursor.filling.set(hole, text),
            Err((reason, help)) => self.cursor.refuse(hole, &reason, help),
        }
        self.hole = Some(hole);
    }

    fn number(&self, hole: usize, value: &Value) -> Result<String, (String, &'static str)> {
        let number = Number::of(value).map_err(|reason| (reason, "text can stand within `\"…\"` only"))?;
        let before = self.before(hole);
        let left = self.left(hole);
        if !self.left_fits(&left, number) || !self.right_fits(number) {
            return Err((JOINS.to_owned(), "write blanks between"));
        }
        if let (Number::Int(..0), false) = (number, before.trim_end().ends_with("priority")) {
            return Err(("a negative number can stand behind `priority` only".to_owned(), ""));
        }
        self.masked(&left, number)?;
        Ok(number.text())
    }

    /// The text before a hole, back to the hole before that.
    fn before(&self, hole: usize) -> &str {
        let start = self.hole.map_or(0, |hole| self.cursor.filling.holes[hole].offset);
        self.cursor.filling.text.get(start..self.cursor.filling.holes[hole].offset).unwrap_or_default()
    }

    fn left(&self, hole: usize) -> Left<'_> {
        let before = self.before(hole);
        let run = before.rfind(|c: char| c.is_whitespace() || ENDS.contains(c));
        let start = run.map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
        let (outer, run) = before.split_at(start);
        Left { run, hole: self.hole.filter(|_| outer.is_empty()), end: outer.chars().next_back() }
    }

    /// The number of the hole directly before.
    fn previous(&self, left: &Left<'_>) -> Option<Number> {
        Number::of(self.cursor.value(left.hole?)).ok()
    }

    fn left_fits(&self, left: &Left<'_>, number: Number) -> bool {
        let Some(last) = left.run.chars().next_back() else {
            return match left.end {
                Some('}' | ')' | ']' | '"') => false,
                Some('[') => matches!(number, Number::Address(IpAddr::V6(_))),
                _ => left.hole.is_none(),
            };
        };
        let base = left.run.get(..left.run.len() - last.len_utf8()).unwrap_or_default();
        let base = match base {
            "" => self.previous(left),
            _ if left.hole.is_some() => return false,
            base => base.parse().map(Number::Int).ok().or_else(|| base.parse().map(Number::Address).ok()),
        };
        match (base, last, number) {
            (Some(from @ Number::Address(_)), '-', to @ Number::Address(_)) => from.family() == to.family(),
            (Some(Number::Int(_)), '-', Number::Int(_))
            | (Some(Number::Address(IpAddr::V4(_))), ':', Number::Int(_)) => true,
            (Some(Number::Address(address)), '/', Number::Int(bits)) => prefix(address, bits).is_some(),
            (None, ':', Number::Int(_)) => left.run == ":" && left.end == Some(']'),
            _ => false,
        }
    }

    fn right_fits(&self, number: Number) -> bool {
        let rest = self.cursor.rest();
        let mut chars = rest.chars();
        let Some(next) = chars.next() else {
            // The end, or another hole, which looks to its left.
            return true;
        };
        let after = chars.next();
        match (next, number) {
            ('-', Number::Int(_) | Number::Address(_)) => {
                after.is_none_or(|c| c.is_ascii_hexdigit() || c == ':')
            }
            (':', Number::Address(IpAddr::V4(_))) => after.is_none_or(|c| c.is_ascii_digit()),
            ('/', Number::Int(_)) => after.is_some_and(|c| c.is_ascii_alphabetic()),
            ('/', Number::Address(address)) => match rest.get(1..).map(digits) {
                Some("") => after.is_none(),
                Some(bits) => bits.parse().is_ok_and(|bits| prefix(address, bits).is_some()),
                None => false,
            },
            _ => next.is_whitespace() || "}),;]|&^#".contains(next),
        }
    }

    /// Refuses an address that is cut to a network by what stands beside it.
    fn masked(&self, left: &Left<'_>, number: Number) -> Result<(), (String, &'static str)> {
        let network = match (number, self.previous(left)) {
            (Number::Int(bits), Some(Number::Address(address))) if left.run == "/" => prefix(address, bits),
            (Number::Address(address), _) => {
                let bits =
                    self.cursor.rest().strip_prefix('/').map(digits).and_then(|bits| bits.parse().ok());
                bits.and_then(|bits| prefix(address, bits))
            }
            _ => None,
        };
        match network {
            Some(network) if network.addr() != network.network() => {
                Err((format!("nft would read `{network}` as `{}`", network.trunc()), ""))
            }
            _ => Ok(()),
        }
    }

    /// A list: a set of its own, or entries of the one that is written round it.
    fn set(&self, hole: usize, values: &[Value]) -> Result<String, (String, &'static str)> {
        let mut numbers = Vec::with_capacity(values.len());
        for value in values {
            numbers.push(Number::of(value).map_err(|reason| (format!("in the list: {reason}"), ""))?);
        }
        let Some(first) = numbers.first() else {
            return Err((
                "the list is empty, and nft has no empty sets".to_owned(),
                "put it into `{% if … %}`",
            ));
        };
        if numbers.iter().any(|number| number.family() != first.family()) {
            return Err((
                "nft has no sets of values of different kinds".to_owned(),
                "write one list for each",
            ));
        }
        if numbers.iter().any(|number| matches!(number, Number::Int(..0))) {
            return Err(("nft takes no negative numbers here".to_owned(), ""));
        }
        let left = self.left(hole);
        let alone = left.run.is_empty()
            && left.hole.is_none()
            && !left.end.is_some_and(|c| "})]\"([".contains(c))
            && self.cursor.rest().chars().next().is_none_or(|c| c.is_whitespace() || "},;".contains(c));
        if !alone {
            return Err((JOINS.to_owned(), "write blanks between"));
        }
        let texts = numbers.iter().map(|number| number.text()).collect::<Vec<_>>().join(", ");
        let within = self.before(hole).trim_end().ends_with(['{', ',']);
        Ok(if within { texts } else { format!("{{ {texts} }}") })
    }
}

fn digits(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()
}

/// The network of an address and the length of a prefix.
fn prefix(address: IpAddr, bits: i64) -> Option<IpNet> {
    IpNet::new(address, u8::try_from(bits).ok()?).ok()
}
