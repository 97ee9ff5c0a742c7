//! The provenance of a bundle: for every line on a host the line of the sources that caused it, the settings in it with
//! all that was said about them, and the conditions because of which it is there.
//!
//! An object of its own beside the bundle, which it names; the bundle does not name it: what moves a line of a source
//! and changes nothing else makes another provenance of the same bundle.
//!
//! ```text
//! generated/.provenance/<host> -> ../store/<hash>-provenance.<host>.toml
//! ```
//!
//! Written in one form only, with tables that refer to each other by index; [`Provenance::read`] refuses another form,
//! and every index that leads nowhere.

use serde::Deserialize;

use crate::base::digest::{Digest, OfBundle};
use crate::base::name::{BadName, HostName, Label};
use crate::base::nesting::read;
use crate::store::object::ObjectName;

pub mod answer;
pub mod ask;
pub mod show;
mod write;

/// The version of the format that this program writes, and the only one that it reads.
pub const FORMAT: u64 = 1;
/// The largest provenance that is written or read: 16 MiB.
pub const MAX_SIZE: u64 = 16 << 20;
/// The folder beside a store whose links name the provenance of each host.
pub const FOLDER: &str = ".provenance";

/// Where the lines of a bundle come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// [`FORMAT`].
    pub format: u64,
    /// The full hash of the bundle that it is about.
    pub bundle: String,
    /// The bundle's host.
    pub host: HostName,
    /// The source files, relative to the project's folder.
    pub sources: Vec<String>,
    /// The settings of the host, and the entries and fields of those that are lists, maps or tables.
    #[serde(default, rename = "setting")]
    pub settings: Vec<Setting>,
    /// What decides whether, or how often, something is there.
    #[serde(default, rename = "condition")]
    pub conditions: Vec<Condition>,
    /// Why a line is as it is: each once, however many lines have it.
    #[serde(default, rename = "cause")]
    pub causes: Vec<Cause>,
    /// What modules put on the host, and what the compiler adds.
    #[serde(default, rename = "artifact")]
    pub artifacts: Vec<Artifact>,
}

/// A line of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "(usize, u64)")]
pub struct Spot {
    /// Index of the source.
    pub source: usize,
    /// Counted from 1; 0 where there is none.
    pub line: u64,
}

impl From<(usize, u64)> for Spot {
    fn from((source, line): (usize, u64)) -> Self {
        Self { source, line }
    }
}

/// A setting, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// As `comet.receive.port`, `users.accounts.observer.shell`, `comet.remotes[0]`.
    pub name: String,
    /// As people would write it; cut where it is long.
    pub value: String,
    /// Who said what about it, weakest first.
    #[serde(default, rename = "definition")]
    pub definitions: Vec<Definition>,
}

/// That somebody says something about a setting.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Where.
    pub at: Spot,
    /// Who: `default`, `set`, `import` or `host`.
    pub strength: String,
    /// What that does: `wins`, `adds`, `overridden` or `replaced`.
    pub counts: String,
    /// What is said, evaluated; cut where it is long.
    pub given: String,
    /// The entry that it is for.
    pub entry: Option<String>,
    /// Because of what it is there: indices of conditions.
    #[serde(default)]
    pub conditions: Vec<usize>,
    /// What it is computed from: indices of settings.
    #[serde(default)]
    pub settings: Vec<usize>,
}

/// What decides whether, or how often, something is there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// `if`, `else` and `for` of a template, `when` and `for_each` of a module.
    pub kind: String,
    /// The expression; cut where it is long.
    pub text: String,
    /// Where it is written.
    pub at: Spot,
    /// What it reads: indices of settings.
    #[serde(default)]
    pub settings: Vec<usize>,
}

/// Why a line is as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// What is written into it: indices of settings.
    #[serde(default)]
    pub settings: Vec<usize>,
    /// Because of what it is there: indices of conditions.
    #[serde(default)]
    pub conditions: Vec<usize>,
    /// What the compiler has to say of a line that it added; else nothing.
    #[serde(default)]
    pub note: String,
}

/// What a module puts on a host, or what the compiler adds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// As the tables of modules are called: `unit`, `file`, `script` …
    pub kind: String,
    /// Its name; the path of a folder.
    pub name: String,
    /// Who emits it; nobody where the compiler adds it.
    #[serde(default)]
    pub module: String,
    /// Its header.
    pub at: Option<Spot>,
    /// The file that its text is made of.
    pub template: Option<usize>,
    /// Where it is on the host, if it has a path of its own.
    pub path: Option<String>,
    /// Its bytes.
    pub object: Option<ObjectName>,
    /// What is in its keys: indices of settings.
    #[serde(default)]
    pub settings: Vec<usize>,
    /// Because of what it is there: indices of conditions.
    #[serde(default)]
    pub conditions: Vec<usize>,
    /// What its text refers to: indices of artifacts.
    #[serde(default)]
    pub uses: Vec<usize>,
    /// The origins of its lines, in order.
    #[serde(default)]
    pub lines: Lines,
}

/// The origins of the lines of a text, in runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<u64>")]
pub struct Lines(pub Vec<Run>);

/// Lines that follow each other and have one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The origin of the first one; line 0 where they have none.
    pub from: Spot,
    /// How many they are.
    pub count: u64,
    /// Whether they come from lines that follow each other too, and not all from one.
    pub steps: bool,
    /// Index of the cause.
    pub cause: usize,
}

impl TryFrom<Vec<u64>> for Lines {
    type Error = String;
    fn try_from(numbers: Vec<u64>) -> Result<Self, String> {
        let runs = numbers.chunks(5).map(|numbers| match *numbers {
            [source, line, count, steps @ (0 | 1), cause] => Some(Run {
                from: Spot { source: usize::try_from(source).ok()?, line },
                count,
                steps: steps == 1,
                cause: usize::try_from(cause).ok()?,
            }),
            _ => None,
        });
        let runs: Option<Vec<Run>> = runs.collect();
        runs.map(Self).ok_or_else(|| "lines are no numbers in fives".to_owned())
    }
}

/// Why a provenance is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadProvenance {
    /// No UTF-8, no TOML, or other fields.
    #[error("the provenance cannot be read: {0}")]
    Syntax(String),
    /// Of another version of the format.
    #[error(
        "the provenance has format {0}; this program reads format {FORMAT}: use the programs of one version"
    )]
    Format(u64),
    /// Not written in the one form.
    #[error("the provenance is not in its canonical form: it was not written by `voevent-build`")]
    NotCanonical,
    /// It refers to something that it does not have.
    #[error("the provenance is inconsistent: {0}")]
    Inconsistent(String),
    /// It is of another bundle.
    #[error("the provenance is that of another bundle")]
    Other,
}

/// What the provenance of a host is called in a store.
///
/// # Errors
/// Where the host's name is too long for that.
pub fn label(host: &HostName) -> Result<Label, BadName> {
    Label::new(format!("provenance.{host}.toml"))
}

impl Provenance {
    /// Reads a provenance from its bytes, and checks it through.
    ///
    /// # Errors
    /// Where the bytes are none in canonical form.
    pub fn read(bytes: &[u8]) -> Result<Self, BadProvenance> {
        #[derive(Deserialize)]
        struct OnlyFormat {
            format: u64,
        }
        if bytes.len() as u64 > MAX_SIZE {
            return Err(BadProvenance::Syntax("it is larger than 16 MiB".to_owned()));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| BadProvenance::Syntax(error.to_string()))?;
        let only: OnlyFormat = read(text).map_err(BadProvenance::Syntax)?;
        if only.format != FORMAT {
            return Err(BadProvenance::Format(only.format));
        }
        let provenance: Self = read(text).map_err(BadProvenance::Syntax)?;
        if provenance.to_toml() != text {
            return Err(BadProvenance::NotCanonical);
        }
        provenance.check()?;
        Ok(provenance)
    }

    /// The same, where it is that of this bundle.
    ///
    /// # Errors
    /// As [`Self::read`], and where it is not.
    pub fn read_of(bytes: &[u8], bundle: Digest<OfBundle>) -> Result<Self, BadProvenance> {
        let provenance = Self::read(bytes)?;
        if provenance.bundle == bundle.hex() { Ok(provenance) } else { Err(BadProvenance::Other) }
    }

    /// Every index leads somewhere.
    fn check(&self) -> Result<(), BadProvenance> {
        let settings = |all: &[usize]| within("setting", all, self.settings.len());
        let conditions = |all: &[usize]| within("condition", all, self.conditions.len());
        let spot = |spot: Spot| within("source", &[spot.source], self.sources.len());
        if Digest::<OfBundle>::from_hex(&self.bundle).is_none() {
            return Err(BadProvenance::Inconsistent("`bundle` is no digest".to_owned()));
        }
        for definition in self.settings.iter().flat_map(|setting| &setting.definitions) {
            spot(definition.at)?;
            conditions(&definition.conditions)?;
            settings(&definition.settings)?;
        }
        for condition in &self.conditions {
            spot(condition.at)?;
            settings(&condition.settings)?;
        }
        for cause in &self.causes {
            settings(&cause.settings)?;
            conditions(&cause.conditions)?;
        }
        for artifact in &self.artifacts {
            artifact.at.map_or(Ok(()), spot)?;
            within("source", artifact.template.as_slice(), self.sources.len())?;
            settings(&artifact.settings)?;
            conditions(&artifact.conditions)?;
            within("artifact", &artifact.uses, self.artifacts.len())?;
            for run in &artifact.lines.0 {
                if run.from.line > 0 {
                    spot(run.from)?;
                }
                within("cause", &[run.cause], self.causes.len())?;
            }
        }
        Ok(())
    }
}

fn within(what: &str, indices: &[usize], count: usize) -> Result<(), BadProvenance> {
    match indices.iter().find(|index| **index >= count) {
        Some(index) => Err(BadProvenance::Inconsistent(format!("there is no {what} {index}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
