//! What a question names: a line, an artifact, a setting.

use std::ops::Range;

use super::{Artifact, Cause, Provenance, Spot};
use crate::base::layout;
use crate::base::nearest::nearest;

/// What a question names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A line of an artifact's text, counted from 1.
    Line(usize, u64),
    /// An artifact.
    Artifact(usize),
    /// Settings, by index: one and its parts, or all of a table.
    Settings(Range<usize>),
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Where systemd finds the units that the generator gives it.
const GENERATED: [&str; 4] =
    [layout::UNITS, "/run/systemd/generator", "/run/systemd/generator.early", "/run/systemd/generator.late"];

impl Provenance {
    /// What a question names: a path of the host, of its store or of a unit where systemd has it; the name of an
    /// artifact, `module/name` or `kind:name`; a setting or a table of them. Paths and names may end in `:LINE`.
    ///
    /// # Errors
    /// Where it names nothing, or several.
    pub fn find(&self, question: &str) -> Result<Asked, NoAnswer> {
        let settings = self.settings_of(question);
        if !settings.is_empty() {
            return Ok(Asked::Settings(settings));
        }
        if let Ok(index) = self.artifact(question) {
            return Ok(Asked::Artifact(index));
        }
        let Some((name, line)) = question.rsplit_once(':').and_then(|(name, line)| {
            let line = line.parse::<u64>().ok().filter(|line| *line > 0)?;
            Some((name, line))
        }) else {
            return self.artifact(question).map(Asked::Artifact);
        };
        let index = self.artifact(name)?;
        let artifact = &self.artifacts[index];
        let count: u64 = artifact.lines.0.iter().fold(0, |all, run| all.saturating_add(run.count));
        if line <= count {
            return Ok(Asked::Line(index, line));
        }
        let name = &artifact.name;
        Err(NoAnswer {
            message: match count {
                0 => format!("the lines of `{name}` have no origins here"),
                _ => format!("`{name}` has no line {line}"),
            },
            help: match count {
                0 => "ask without the line".to_owned(),
                1 => "it has one line".to_owned(),
                _ => format!("it has {count} lines"),
            },
        })
    }

    /// The settings of a name: itself with its parts, or the fields of a table, or the options of a module.
    fn settings_of(&self, name: &str) -> Range<usize> {
        let is_of = |setting: &str| {
            setting.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let found = |index: &usize| is_of(&self.settings[*index].name);
        // Parts come behind their whole, fields and options behind each other.
        match (0..self.settings.len()).find(found) {
            Some(first) if !name.is_empty() => {
                let last = (first..self.settings.len()).take_while(found).last().unwrap_or(first);
                first..last + 1
            }
            _ => 0..0,
        }
    }

    /// The artifact of a path or a name.
    fn artifact(&self, name: &str) -> Result<usize, NoAnswer> {
        let name = name.strip_prefix(layout::LIVE_ROOT).unwrap_or(name);
        let unit = GENERATED.iter().find_map(|folder| name.strip_prefix(folder)?.strip_prefix('/'));
        let path = unit.map(|unit| format!("{}/{unit}", layout::UNITS));
        let path = path.as_deref().unwrap_or(name);
        let object = [layout::STORE, layout::DERIVED]
            .iter()
            .find_map(|folder| name.strip_prefix(folder)?.strip_prefix('/'))
            .map(|rest| rest.split_once('/').map_or(rest, |(object, _)| object));
        let is_path = |artifact: &Artifact| artifact.path.as_deref() == Some(path);
        let is_object = |artifact: &Artifact| {
            let own = artifact.object.as_ref().map(crate::store::object::ObjectName::as_str);
            own.is_some() && own == Some(object.unwrap_or(name))
        };
        let is_name = |artifact: &Artifact| match (name.split_once(':'), name.split_once('/')) {
            _ if artifact.name == name => true,
            (Some((kind, name)), _) if artifact.kind == kind => artifact.name == name,
            (_, Some((module, name))) if artifact.module == module => artifact.name == name,
            _ => false,
        };
        let by = |test: &dyn Fn(&Artifact) -> bool| -> Vec<usize> {
            (0..self.artifacts.len()).filter(|index| test(&self.artifacts[*index])).collect()
        };
        for found in [by(&is_path), by(&is_object)] {
            // Several that say the same are one on the host.
            if let Some(first) = found.first() {
                return Ok(*first);
            }
        }
        match by(&is_name).as_slice() {
            [] => Err(self.unknown(name)),
            [one] => Ok(*one),
            several => {
                let called = |index: &usize| {
                    let artifact = &self.artifacts[*index];
                    format!("`{}:{}`", artifact.kind, artifact.name)
                };
                let names: Vec<String> = several.iter().map(called).collect();
                Err(NoAnswer {
                    message: format!("`{name}` is the name of several artifacts"),
                    help: format!("name one of them: {}", names.join(", ")),
                })
            }
        }
    }

    fn unknown(&self, name: &str) -> NoAnswer {
        let artifacts = self.artifacts.iter();
        let names = artifacts.flat_map(|artifact| artifact.path.iter().chain([&artifact.name]));
        let names = names.chain(self.settings.iter().map(|setting| &setting.name));
        let help = nearest(name, names.map(String::as_str)).map_or_else(
            || "name a path of the host, an artifact, or a setting, as `comet.remotes`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        NoAnswer { message: format!("host `{}` has no path, artifact or setting `{name}`", self.host), help }
    }

    /// The origin of a line of an artifact's text, counted from 1, and its cause.
    #[must_use]
    pub fn origin(&self, artifact: usize, line: u64) -> Option<(Option<Spot>, &Cause)> {
        let mut before = 0_u64;
        for run in &self.artifacts.get(artifact)?.lines.0 {
            let behind = before.saturating_add(run.count);
            if line > before && line <= behind {
                let step = if run.steps { line - before - 1 } else { 0 };
                let spot = Spot { line: run.from.line.saturating_add(step), ..run.from };
                return Some(((run.from.line > 0).then_some(spot), self.causes.get(run.cause)?));
            }
            before = behind;
        }
        None
    }
}
