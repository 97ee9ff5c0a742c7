//! Answers: what a provenance says about what was asked, as data.

use serde::Serialize;

use super::ask::{Asked, NoAnswer};
use super::{Provenance, Spot};
use crate::store::object::ObjectName;

/// The most definitions and parts that an answer has of one setting.
const MAX_SHOWN: usize = 100;

/// Where the texts are that a provenance is about; what is not at hand is left out of answers.
pub struct Texts<'a> {
    /// The bytes of an object.
    pub object: &'a dyn Fn(&ObjectName) -> Option<Vec<u8>>,
    /// A line of a source: its index, and the line counted from 0.
    pub source: &'a dyn Fn(usize, usize) -> Option<String>,
}

/// A line of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct At {
    /// The file, relative to the project.
    pub file: String,
    /// Counted from 1.
    pub line: u64,
    /// What is written there, where that is at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Answer {
    /// About one line.
    Line(Box<LineAnswer>),
    /// About an artifact, with all its lines.
    Artifact(Box<ArtifactAnswer>),
    /// About a setting and its parts, or several settings.
    Settings {
        /// They.
        settings: Vec<SettingAnswer>,
    },
}

/// Why a line is as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineAnswer {
    /// Counted from 1.
    pub line: u64,
    /// The line.
    pub text: Option<String>,
    /// Where it comes from.
    pub from: Option<At>,
    /// What the compiler has to say of a line that it added.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What it is a line of.
    pub artifact: Head,
    /// What is written into it.
    pub settings: Vec<SettingAnswer>,
    /// Because of what it is there.
    pub because: Vec<ConditionAnswer>,
}

/// What an artifact is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// As modules call it: `unit`, `file` …
    pub artifact: String,
    /// Its name.
    pub name: String,
    /// Who emits it; empty where the compiler adds it.
    pub module: String,
    /// Its header.
    pub at: Option<At>,
    /// The file that its text is made of.
    pub template: Option<String>,
    /// Where it is on the host.
    pub path: Option<String>,
    /// Its bytes.
    pub object: Option<String>,
}

/// An artifact, and where its lines come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtifactAnswer {
    /// What it is.
    #[serde(flatten)]
    pub head: Head,
    /// What is in its keys.
    pub settings: Vec<SettingAnswer>,
    /// Because of what it is there.
    pub because: Vec<ConditionAnswer>,
    /// Its lines, those that follow each other and have one cause together.
    pub groups: Vec<Group>,
}

/// Lines with one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The first one, counted from 1.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// Where they come from: the first of the source's lines.
    pub from: Option<At>,
    /// The last of those.
    pub to: Option<u64>,
    /// What the compiler has to say of lines that it added.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What is written into them.
    pub settings: Vec<SettingAnswer>,
    /// Because of what they are there.
    pub because: Vec<ConditionAnswer>,
    /// The lines, where they are at hand.
    pub lines: Vec<String>,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingAnswer {
    /// Its name.
    pub name: String,
    /// Its value, as people would write it.
    pub value: String,
    /// Who said what about it, strongest first.
    pub definitions: Vec<DefinitionAnswer>,
}

/// That somebody says something about a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefinitionAnswer {
    /// Where.
    #[serde(flatten)]
    pub at: At,
    /// `default`, `set`, `import` or `host`.
    pub strength: String,
    /// `wins`, `adds`, `overridden` or `replaced`.
    pub counts: String,
    /// What is said.
    pub given: String,
    /// The entry that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Because of what it is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<ConditionAnswer>,
    /// What it is computed from: names of settings, each with its value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<(String, String)>,
}

/// What decides whether, or how often, something is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConditionAnswer {
    /// `if`, `else`, `for`, `when` or `for_each`.
    pub kind: String,
    /// The expression.
    pub expression: String,
    /// Where it is written.
    #[serde(flatten)]
    pub at: At,
    /// What it reads.
    pub settings: Vec<SettingAnswer>,
}

impl Provenance {
    /// The answer to a question ([`Self::find`] says what can be asked).
    ///
    /// # Errors
    /// Where it names nothing, or several.
    pub fn answer(&self, question: &str, texts: &Texts<'_>) -> Result<Answer, NoAnswer> {
        let asked = self.find(question)?;
        let answers = Answers { provenance: self, texts };
        Ok(match asked {
            Asked::Line(artifact, line) => Answer::Line(Box::new(answers.line(artifact, line))),
            Asked::Artifact(artifact) => Answer::Artifact(Box::new(answers.artifact(artifact))),
            Asked::Settings(range) => {
                Answer::Settings { settings: answers.settings(&range.collect::<Vec<_>>()) }
            }
        })
    }
}

struct Answers<'a> {
    provenance: &'a Provenance,
    texts: &'a Texts<'a>,
}

impl Answers<'_> {
    fn at(&self, spot: Spot) -> At {
        let file = self.provenance.sources.get(spot.source).cloned().unwrap_or_default();
        let line = usize::try_from(spot.line).unwrap_or(usize::MAX).saturating_sub(1);
        At { file, line: spot.line, text: (self.texts.source)(spot.source, line) }
    }

    fn settings(&self, indices: &[usize]) -> Vec<SettingAnswer> {
        indices.iter().filter_map(|index| self.setting(*index)).collect()
    }

    fn setting(&self, index: usize) -> Option<SettingAnswer> {
        let setting = self.provenance.settings.get(index)?;
        let strongest = setting.definitions.iter().rev().take(MAX_SHOWN);
        let definitions = strongest.map(|definition| DefinitionAnswer {
            at: self.at(definition.at),
            strength: definition.strength.clone(),
            counts: definition.counts.clone(),
            given: definition.given.clone(),
            entry: definition.entry.clone(),
            because: self.conditions(&definition.conditions, false),
            reads: self.read(&definition.settings),
        });
        let (name, value) = (setting.name.clone(), setting.value.clone());
        Some(SettingAnswer { name, value, definitions: definitions.collect() })
    }

    fn read(&self, indices: &[usize]) -> Vec<(String, String)> {
        let settings = indices.iter().filter_map(|index| self.provenance.settings.get(*index));
        settings.map(|setting| (setting.name.clone(), setting.value.clone())).collect()
    }

    fn conditions(&self, indices: &[usize], deep: bool) -> Vec<ConditionAnswer> {
        let conditions = indices.iter().filter_map(|index| self.provenance.conditions.get(*index));
        let answer = |condition: &super::Condition| ConditionAnswer {
            kind: condition.kind.clone(),
            expression: condition.text.clone(),
            at: self.at(condition.at),
            settings: if deep { self.settings(&condition.settings) } else { Vec::new() },
        };
        conditions.map(answer).collect()
    }

    fn head(&self, index: usize) -> Head {
        let artifact = &self.provenance.artifacts[index];
        let source = |index: usize| self.provenance.sources.get(index).cloned();
        Head {
            artifact: artifact.kind.clone(),
            name: artifact.name.clone(),
            module: artifact.module.clone(),
            at: artifact.at.map(|spot| self.at(spot)),
            template: artifact.template.and_then(source),
            path: artifact.path.clone(),
            object: artifact.object.as_ref().map(ToString::to_string),
        }
    }

    /// The lines of an artifact's text; none where it is not at hand.
    fn lines(&self, index: usize) -> Vec<String> {
        let artifact = &self.provenance.artifacts[index];
        // The files of a tree have no lines here.
        let object = artifact.object.as_ref().filter(|_| !artifact.lines.0.is_empty());
        let bytes = object.and_then(|object| (self.texts.object)(object)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    fn line(&self, index: usize, line: u64) -> LineAnswer {
        let artifact = &self.provenance.artifacts[index];
        let (spot, cause) = self.provenance.origin(index, line).unzip();
        let cause = cause.cloned().unwrap_or_default();
        let at = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
        let conditions: Vec<usize> = artifact.conditions.iter().chain(&cause.conditions).copied().collect();
        LineAnswer {
            line,
            text: self.lines(index).get(at).cloned(),
            from: spot.flatten().map(|spot| self.at(spot)),
            note: cause.note,
            artifact: self.head(index),
            settings: self.settings(&cause.settings),
            because: self.conditions(&conditions, true),
        }
    }

    fn artifact(&self, index: usize) -> ArtifactAnswer {
        let artifact = &self.provenance.artifacts[index];
        let lines = self.lines(index);
        let mut groups: Vec<Group> = Vec::new();
        let mut before = 0_u64;
        let mut last = None;
        for run in &artifact.lines.0 {
            let behind = before.saturating_add(run.count);
            let to = run.from.line.saturating_add(if run.steps { run.count.saturating_sub(1) } else { 0 });
            let at = |line: u64| usize::try_from(line).unwrap_or(usize::MAX).min(lines.len());
            let text = lines[at(before)..at(behind)].to_vec();
            let known = (run.from.line > 0).then_some(run.from);
            match groups.last_mut() {
                Some(group) if last == Some((run.cause, run.from.source, known.is_some())) => {
                    group.last = behind;
                    group.to = known.map(|_| group.to.unwrap_or(to).max(to));
                    group.lines.extend(text);
                }
                _ => {
                    let cause = self.provenance.causes.get(run.cause).cloned().unwrap_or_default();
                    groups.push(Group {
                        first: before.saturating_add(1),
                        last: behind,
                        from: known.map(|spot| self.at(spot)),
                        to: known.map(|_| to),
                        note: cause.note,
                        settings: self.settings(&cause.settings),
                        because: self.conditions(&cause.conditions, false),
                        lines: text,
                    });
                }
            }
            last = Some((run.cause, run.from.source, known.is_some()));
            before = behind;
        }
        ArtifactAnswer {
            head: self.head(index),
            settings: self.settings(&artifact.settings),
            because: self.conditions(&artifact.conditions, true),
            groups,
        }
    }
}
