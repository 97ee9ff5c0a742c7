//! What systemd would not know in a unit or a drop-in: sections, keys, values.

use std::ops::Range;

use crate::base::name::UnitName;
use crate::base::nearest::{advice, nearest};
use crate::build::unit::keys::{self, Known, Version};
use crate::build::unit::lines::{What, lines};
use crate::build::unit::values::refuse;

/// The most characters of a value that are shown.
const SHOWN: usize = 60;

/// The most findings of a unit that are told: more come of one cause.
pub const MAX_FINDINGS: usize = 500;

/// What is wrong at a place of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line, counted from 1.
    pub line: usize,
    /// The bytes that are wrong.
    pub bytes: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// What a host's systemd would not know in a unit or a drop-in of it; it would ignore the line, and go on. What starts
/// with `X-` it ignores in silence, which is what that is for; an `[Install]` is not judged here. The first `most` are given.
#[must_use]
pub fn check(unit: &UnitName, text: &str, system: &str, most: usize) -> Vec<Finding> {
    let kind = unit.as_str().rsplit('.').next().unwrap_or_default();
    let checker = Checker { kind, own: own_section(kind), versions: Version::of(system) };
    let mut section: Option<String> = None;
    let mut findings = Vec::new();
    for line in lines(text) {
        let (bytes, told) = match line.what {
            What::Section(name) => {
                let told = checker.section(&name);
                section = (told.is_none() && keys::of(&name).is_some()).then_some(name);
                (line.bytes, told)
            }
            What::Assignment { key, value, at } => {
                let Some(section) = &section else { continue };
                let start = line.bytes.start;
                match checker.key(section, &key) {
                    Ok(Some(known)) => (at..line.bytes.end, checker.value(known, &key, &value)),
                    Ok(None) => continue,
                    Err(told) => (start..start + key.len(), Some(told)),
                }
            }
            What::Neither => continue,
        };
        if findings.len() == most {
            break;
        }
        findings.extend(told.map(|(message, help)| Finding { line: line.number, bytes, message, help }));
    }
    findings
}

/// The section that a kind of units has besides `[Unit]`.
fn own_section(kind: &str) -> Option<&'static str> {
    match kind {
        "service" => Some("Service"),
        "socket" => Some("Socket"),
        "timer" => Some("Timer"),
        "path" => Some("Path"),
        "mount" => Some("Mount"),
        "swap" => Some("Swap"),
        "slice" => Some("Slice"),
        _ => None,
    }
}

/// What is wrong, and what to do.
type Told = (String, String);

struct Checker<'a> {
    /// Of the unit, as `service`.
    kind: &'a str,
    own: Option<&'static str>,
    versions: &'static [Version],
}

impl Checker<'_> {
    fn sections(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once("Unit").chain(self.own)
    }

    fn section(&self, name: &str) -> Option<Told> {
        if self.sections().any(|section| section == name) || name == "Install" || name.starts_with("X-") {
            return None;
        }
        let help = nearest(name, self.sections()).map(|near| format!("did you mean `[{near}]`?"));
        let help = help.unwrap_or_else(|| {
            let sections: Vec<String> = self.sections().map(|section| format!("`[{section}]`")).collect();
            format!("such a unit has {}", sections.join(" and "))
        });
        Some((format!("systemd knows no `[{name}]` in a `.{}`", self.kind), help))
    }

    /// What is known of a key; `None` where it is nobody's business.
    fn key(&self, section: &str, key: &str) -> Result<Option<Known>, Told> {
        if key.starts_with("X-") {
            return Ok(None);
        }
        let keys = keys::of(section);
        let Some(known) = keys.and_then(|keys| keys.get(key)).copied() else {
            let names =
                keys.into_iter().flatten().filter(|(_, known)| self.has(**known)).map(|(name, _)| *name);
            return Err((format!("systemd knows no `{key}=` in `[{section}]`"), self.advice(key, names)));
        };
        if known.gone() {
            let message = format!("`{key}=` was taken out of systemd: the line does nothing");
            return Err((message, "take the line out".to_owned()));
        }
        match (self.versions, self.has(known)) {
            ([version], false) => Err(newer(&format!("{key}="), *version)),
            _ => Ok(Some(known)),
        }
    }

    fn has(&self, known: Known) -> bool {
        self.versions.iter().any(|version| known.kind(*version).is_some())
    }

    fn advice(&self, key: &str, names: impl Iterator<Item = &'static str>) -> String {
        let elsewhere: Vec<&str> = keys::sections_with(key).collect();
        if let Some(section) = self.sections().find(|section| elsewhere.contains(section)) {
            return format!("it is a key of `[{section}]`: move it there");
        }
        let names: Vec<&str> = names.collect();
        match (nearest(key, names.iter().copied()), elsewhere.first()) {
            (Some(near), _) => format!("did you mean `{near}=`?"),
            (None, Some(section)) => {
                format!("it is a key of `[{section}]`, in a unit `NAME.{}`", section.to_ascii_lowercase())
            }
            (None, None) => format!("{}; a key of your own starts with `X-`", advice(key, names)),
        }
    }

    /// What is wrong with a value, where it is certain for all that the host may run.
    fn value(&self, known: Known, key: &str, value: &str) -> Option<Told> {
        let judge = |version: Version| refuse(version, key, known.kind(version)?, value);
        let mut helps = Vec::new();
        for version in self.versions.iter().filter(|version| known.kind(**version).is_some()) {
            helps.push(judge(*version)?);
        }
        if let [Version::V252] = self.versions
            && known.kind(Version::V257).is_some()
            && judge(Version::V257).is_none()
        {
            return Some(newer(&format!("{key}={value}"), Version::V252));
        }
        let shown: String = value.chars().take(SHOWN).collect();
        let dots = if shown.len() < value.len() { "…" } else { "" };
        Some((format!("`{key}=` does not take `{shown}{dots}`"), helps.pop()?))
    }
}

/// That only the other version knows something.
fn newer(what: &str, version: Version) -> Told {
    let other = if version == Version::V252 { Version::V257 } else { Version::V252 };
    let message = format!("{} of `{}` does not know `{what}`", version.name(), version.system());
    let (name, system) = (other.name(), other.system());
    let help =
        format!("{name} does: take the line out, or put it into `{{% if host.system == \"{system}\" %}}`");
    (message, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(unit: &str, text: &str, system: &str) -> Vec<String> {
        let findings = check(&UnitName::new(unit).unwrap(), text, system, MAX_FINDINGS);
        let line = |finding: &Finding| {
            let at = &text[finding.bytes.clone()];
            format!("{}: {at}: {}; {}", finding.line, finding.message, finding.help)
        };
        findings.iter().map(line).collect()
    }

    #[test]
    fn what_is_known_is_not_told() {
        let text = "[Unit]\nDescription=x\nX-A=b\n[X-Foo]\nBar=1\n[Service]\nType=exec\nExecStart=/x \\\n y\n\
                    Restart=on-failure\nRestartSec=\n[Install]\nWantedBy=x\nNonsense=1\n";
        for system in ["debian-12", "debian-13", "ubuntu-24.04"] {
            assert_eq!(told("a.service", text, system), [""; 0]);
        }
    }

    #[test]
    fn all_is_told_with_its_place() {
        let text = "[Unit]\nDescripton=x\nRestart=no\nOnCalendar=daily\nFooBar=1\n[Servce]\nA=b\n[Timer]\nOnBootSec=x\n\
                    [Service]\nNetClass=1\nRestartSteps=3\nType=notify-reload\nType= \\\n  exce\n";
        let old = told("a.service", text, "debian-12");
        insta::assert_snapshot!(old.join("\n"), @r#"
        2: Descripton: systemd knows no `Descripton=` in `[Unit]`; did you mean `Description=`?
        3: Restart: systemd knows no `Restart=` in `[Unit]`; it is a key of `[Service]`: move it there
        4: OnCalendar: systemd knows no `OnCalendar=` in `[Unit]`; it is a key of `[Timer]`, in a unit `NAME.timer`
        5: FooBar: systemd knows no `FooBar=` in `[Unit]`; it is none of the 113 that there are; a key of your own starts with `X-`
        6: [Servce]: systemd knows no `[Servce]` in a `.service`; did you mean `[Service]`?
        8: [Timer]: systemd knows no `[Timer]` in a `.service`; such a unit has `[Unit]` and `[Service]`
        11: NetClass: `NetClass=` was taken out of systemd: the line does nothing; take the line out
        12: RestartSteps: systemd 252 of `debian-12` does not know `RestartSteps=`; systemd 257 does: take the line out, or put it into `{% if host.system == "debian-13" %}`
        13: notify-reload: systemd 252 of `debian-12` does not know `Type=notify-reload`; systemd 257 does: take the line out, or put it into `{% if host.system == "debian-13" %}`
        14: exce: `Type=` does not take `exce`; did you mean `exec`?
        "#);
        let new = told("a.service", text, "debian-13");
        assert_eq!(new.len(), old.len() - 2);
        assert_eq!((&new[..2], &new[7..]), (&old[..2], &old[9..]));
    }

    #[test]
    fn of_very_many_the_first_are_told() {
        let found = told("a.service", &format!("[Service]\n{}", "A=\n".repeat(2000)), "debian-13");
        assert_eq!(
            (found.len(), found[499].split_once(':').map(|found| found.0)),
            (MAX_FINDINGS, Some("501"))
        );
    }

    #[test]
    fn what_one_version_takes_passes_where_the_version_is_not_known() {
        let text = "[Service]\nRestartSteps=3\nType=notify-reload\nPrivateTmp=disconnected\n";
        assert_eq!(told("a.service", text, "ubuntu-24.04"), [""; 0]);
        assert_eq!(told("a.service", text, "debian-13"), [""; 0]);
        assert_eq!(told("a.service", text, "debian-12").len(), 3);
    }
}
