//! The sections and keys that systemd knows, version by version (`keys.txt`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A systemd whose keys are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Of Debian 12.
    V252,
    /// Of Debian 13.
    V257,
}

impl Version {
    /// What a host may run: one where that is known, else any.
    pub(super) fn of(system: &str) -> &'static [Self] {
        match system {
            "debian-12" => &[Self::V252],
            "debian-13" => &[Self::V257],
            _ => &[Self::V252, Self::V257],
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V252 => "systemd 252",
            Self::V257 => "systemd 257",
        }
    }

    /// The distribution that has it.
    pub(super) const fn system(self) -> &'static str {
        match self {
            Self::V252 => "debian-12",
            Self::V257 => "debian-13",
        }
    }
}

/// What is known of a key in a section: the kind of its value, for each version that has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known {
    old: Option<&'static str>,
    new: Option<&'static str>,
}

impl Known {
    pub(super) const fn kind(self, version: Version) -> Option<&'static str> {
        match version {
            Version::V252 => self.old,
            Version::V257 => self.new,
        }
    }

    /// No version has it any more.
    pub(super) const fn gone(self) -> bool {
        self.old.is_none() && self.new.is_none()
    }
}

/// Keys by section and name.
type Table = BTreeMap<&'static str, BTreeMap<&'static str, Known>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| table(include_str!("keys.txt")));

/// The keys of a section, by name.
pub(super) fn of(section: &str) -> Option<&'static BTreeMap<&'static str, Known>> {
    TABLE.get(section)
}

/// The sections that have a key.
pub(super) fn sections_with(key: &str) -> impl Iterator<Item = &'static str> {
    TABLE
        .iter()
        .filter(move |(_, keys)| keys.get(key).is_some_and(|known| !known.gone()))
        .map(|(name, _)| *name)
}

fn table(text: &'static str) -> Table {
    let mut table = Table::new();
    let mut sections: Vec<&str> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(names) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections = names.split("] [").collect();
            continue;
        }
        let key = line.trim_start_matches(['+', '-', '!']);
        let (key, kinds) = key.split_once(' ').unwrap_or((key, ""));
        let (old, new) = kinds.split_once('/').unwrap_or((kinds, kinds));
        let known = match line.as_bytes().first() {
            Some(b'+') => Known { old: None, new: Some(new) },
            Some(b'-') => Known { old: Some(old), new: None },
            Some(b'!') => Known::default(),
            _ => Known { old: Some(old), new: Some(new) },
        };
        for section in &sections {
            table.entry(section).or_default().insert(key, known);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        let known = |section, key| of(section).and_then(|keys| keys.get(key)).copied();
        let kinds = |section, key| known(section, key).map(|known| (known.old, known.new));
        assert_eq!(kinds("Service", "Type"), Some((Some("SERVICETYPE"), Some("SERVICETYPE"))));
        assert_eq!(kinds("Service", "PrivateTmp"), Some((Some("BOOLEAN"), Some("OTHER"))));
        assert_eq!(kinds("Service", "RestartSteps"), Some((None, Some("UNSIGNED"))));
        assert!(known("Mount", "NetClass").is_some_and(Known::gone));
        assert_eq!(known("Timer", "ExecStart"), None);
        assert_eq!(sections_with("OnCalendar").collect::<Vec<_>>(), ["Timer"]);
        assert_eq!(sections_with("NetClass").count(), 0);
    }
}
