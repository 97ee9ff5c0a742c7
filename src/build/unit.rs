//! Units as systemd reads them: sections, keys, values; what of them matters, and the rules they carry.
//!
//! Syntax: systemd.syntax(7). The `X-` keys mean what they mean to NixOS's `switch-to-configuration`; they are read from
//! any section.

mod calendar;
mod check;
mod keys;
mod lines;
mod needs;
mod timespan;
mod values;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::digest::{Digest, Hasher, OfUnit};
use lines::{What, lines};

pub use check::{Finding, MAX_FINDINGS, check};
pub use needs::{needs, triggered};

/// Keys that change nothing for the processes of a unit.
const INSIGNIFICANT: [&str; 2] = ["Description", "Documentation"];
/// What systemd allows where a unit says nothing (`DefaultTimeoutStartSec=`).
const DEFAULT_TIMEOUT: u64 = 90;
/// What is taken for `infinity`: a switch waits no longer than this for one unit.
const INFINITY: u64 = 600;

/// A unit's assignments, in order, by section and key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitFile {
    sections: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// A line that is no part of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    /// Its bytes.
    pub bytes: Range<usize>,
    /// What is wrong.
    pub message: String,
}

/// How a switch treats a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the unit with that name")]
pub struct Rules {
    /// `X-RestartIfChanged=`, by default yes.
    pub restart_if_changed: bool,
    /// `X-ReloadIfChanged=`, by default no.
    pub reload_if_changed: bool,
    /// `X-StopIfChanged=`, by default no.
    pub stop_if_changed: bool,
    /// `X-StopOnRemoval=`, by default yes.
    pub stop_on_removal: bool,
    /// Of `X-Reload-Triggers=`, where it is there.
    pub reload: Option<Digest<OfUnit>>,
    /// Seconds.
    pub start_timeout: u64,
    /// Seconds.
    pub stop_timeout: u64,
}

impl UnitFile {
    /// Reads a unit or a drop-in.
    ///
    /// # Errors
    /// All lines that are neither section, assignment, comment nor empty.
    pub fn parse(text: &str) -> Result<Self, Vec<BadLine>> {
        let mut unit = Self::default();
        let mut errors = Vec::new();
        let mut section: Option<String> = None;
        for line in lines(text) {
            let message = match (line.what, &section) {
                (What::Section(name), _) => {
                    unit.sections.entry(name.clone()).or_default();
                    section = Some(name);
                    continue;
                }
                (What::Assignment { key, value, .. }, Some(section)) => {
                    let keys = unit.sections.entry(section.clone()).or_default();
                    keys.entry(key).or_default().push(value);
                    continue;
                }
                (What::Assignment { .. }, None) => "this stands before any `[Section]`",
                (What::Neither, _) => "this is neither `[Section]` nor `Key=`",
            };
            errors.push(BadLine { line: line.number, bytes: line.bytes, message: message.to_owned() });
        }
        if errors.is_empty() { Ok(unit) } else { Err(errors) }
    }

    /// Adds what a drop-in assigns, after all that is there.
    pub fn extend(&mut self, drop_in: &Self) {
        for (section, keys) in &drop_in.sections {
            let mine = self.sections.entry(section.clone()).or_default();
            for (key, values) in keys {
                mine.entry(key.clone()).or_default().extend(values.iter().cloned());
            }
        }
    }

    /// The last value of a key.
    #[must_use]
    pub fn last(&self, section: &str, key: &str) -> Option<&str> {
        self.sections.get(section)?.get(key)?.last().map(String::as_str)
    }

    /// The values of a key that hold: those after the last empty one.
    fn set(&self, section: &str, key: &str) -> &[String] {
        let values = self.sections.get(section).and_then(|keys| keys.get(key)).map_or(&[][..], Vec::as_slice);
        let empty = values.iter().rposition(String::is_empty);
        empty.map_or(values, |empty| &values[empty + 1..])
    }

    /// The names of the sections.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str)
    }

    /// Over all that matters to the processes of the unit: not names and documentation, not `X-` keys, not the order of
    /// different keys.
    #[must_use]
    pub fn digest(&self) -> Digest<OfUnit> {
        let mut hasher = Hasher::default();
        for (section, keys) in self.sections.iter().filter(|(section, _)| *section != "Install") {
            for (key, values) in keys {
                if INSIGNIFICANT.contains(&key.as_str()) || key.starts_with("X-") {
                    continue;
                }
                hasher.framed(section.as_bytes()).framed(key.as_bytes());
                hasher.framed(&(values.len() as u64).to_le_bytes());
                for value in values {
                    hasher.framed(value.as_bytes());
                }
            }
        }
        hasher.finish()
    }

    /// The values of a key, whatever section they are in.
    fn anywhere<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a String> {
        self.sections.values().filter_map(move |keys| keys.get(key)).flatten()
    }

    /// The rules that it carries.
    #[must_use]
    pub fn rules(&self) -> Rules {
        let flag = |key: &str, default: bool| {
            self.anywhere(key).last().map_or(default, |value| {
                matches!(value.to_ascii_lowercase().as_str(), "1" | "yes" | "y" | "true" | "t" | "on")
            })
        };
        let mut triggers = Hasher::default();
        for value in self.anywhere("X-Reload-Triggers") {
            triggers.framed(value.as_bytes());
        }
        let timeout = |key: &str| {
            let value = self.last("Service", key).or_else(|| self.last("Service", "TimeoutSec"));
            value.map_or(DEFAULT_TIMEOUT, seconds)
        };
        Rules {
            restart_if_changed: flag("X-RestartIfChanged", true),
            reload_if_changed: flag("X-ReloadIfChanged", false),
            stop_if_changed: flag("X-StopIfChanged", false),
            stop_on_removal: flag("X-StopOnRemoval", true),
            reload: self.anywhere("X-Reload-Triggers").next().map(|_| triggers.finish()),
            start_timeout: timeout("TimeoutStartSec"),
            stop_timeout: timeout("TimeoutStopSec"),
        }
    }
}

/// A time span in seconds, rounded up; what cannot be read counts as the default.
fn seconds(text: &str) -> u64 {
    match timespan::parse(text) {
        Some(0 | timespan::INFINITY) => INFINITY,
        Some(span) => span.div_ceil(1_000_000).min(INFINITY),
        None => DEFAULT_TIMEOUT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest<OfUnit> {
        UnitFile::parse(text).unwrap().digest()
    }

    const UNIT: &str = "[Unit]\nDescription=a\nAfter=x\n[Service]\nExecStart=/bin/a \\\n  b\nUser=u\n";

    #[test]
    fn what_does_not_matter_changes_nothing() {
        for same in [
            "[Unit]\nDescription=b\nAfter=x\n[Service]\nExecStart=/bin/a \\\n  b\nUser=u\n",
            "[Service]\nUser = u\n# comment\nExecStart=/bin/a \\\n; comment\n  b\n[Unit]\nAfter=x\n[Install]\nWantedBy=y\n",
            "[Unit]\nAfter=x\nX-Foo=1\n[Service]\nExecStart=/bin/a   b\nUser=u",
        ] {
            if same.contains("a   b") {
                assert_ne!(digest(UNIT), digest(same), "blanks inside a value are kept");
            } else {
                assert_eq!(digest(UNIT), digest(same), "{same}");
            }
        }
        for other in [
            UNIT.replace("User=u", "User=v"),
            UNIT.replace("User=u", "User=u\nUser=u"),
            UNIT.replace("[Service]", "[Socket]"),
            UNIT.replace("After=x", "After="),
        ] {
            assert_ne!(digest(UNIT), digest(&other), "{other}");
        }
    }

    #[test]
    fn the_order_within_a_key_matters() {
        let one = "[Service]\nExecStartPre=/bin/a\nExecStartPre=/bin/b\n";
        let two = "[Service]\nExecStartPre=/bin/b\nExecStartPre=/bin/a\n";
        assert_ne!(digest(one), digest(two));
    }

    #[test]
    fn rules_and_time_outs() {
        let rules = UnitFile::parse(UNIT).unwrap().rules();
        assert!(rules.restart_if_changed && rules.stop_on_removal);
        assert!(!rules.reload_if_changed && !rules.stop_if_changed);
        assert_eq!((rules.start_timeout, rules.stop_timeout, rules.reload), (90, 90, None));
        let text = "[Service]\nX-RestartIfChanged=false\nTimeoutStartSec=1min 30s\nTimeoutStopSec=20\n\
                    X-Reload-Triggers=/x\n[Unit]\nX-StopOnRemoval=no\n";
        let rules = UnitFile::parse(text).unwrap().rules();
        assert!(!rules.restart_if_changed && !rules.stop_on_removal && rules.reload.is_some());
        assert_eq!((rules.start_timeout, rules.stop_timeout), (90, 20));
        assert_eq!((seconds("infinity"), seconds("500ms"), seconds("??")), (INFINITY, 1, 90));
    }

    #[test]
    fn drop_ins_count() {
        let mut unit = UnitFile::parse(UNIT).unwrap();
        unit.extend(&UnitFile::parse("[Service]\nUser=v\n").unwrap());
        assert_ne!(unit.digest(), digest(UNIT));
        assert_eq!(unit.last("Service", "User"), Some("v"));
    }

    #[test]
    fn lines_that_are_nothing_are_all_told() {
        let errors = UnitFile::parse("A=b\n[Unit]\nnonsense\n=x\n").unwrap_err();
        assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [1, 3, 4]);
    }
}
