//! Answers as text of 80 columns: first what is asked about, then where it comes from, what is in it, and why.

use std::fmt::Write as _;

use super::answer::{
    Answer, ArtifactAnswer, At, ConditionAnswer, DefinitionAnswer, Group, Head, LineAnswer, SettingAnswer,
};
use crate::base::report::{WIDTH, drives};

/// The most parts of a setting that are shown.
const MAX_PARTS: usize = 60;

/// An answer, as people read it: whole lines.
#[must_use]
pub fn shown(answer: &Answer) -> String {
    let mut out = Page::default();
    match answer {
        Answer::Line(line) => out.line(line),
        Answer::Artifact(artifact) => out.artifact(artifact),
        Answer::Settings { settings } => out.settings(settings),
    }
    out.text
}

#[derive(Default)]
struct Page {
    text: String,
}

/// A text on one line without anything that a terminal obeys.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .map(|c| if c.is_control() || drives(c) { '\u{FFFD}' } else { c })
        .collect()
}

/// No more of a text than there is room for.
fn cut(text: &str, room: usize) -> String {
    let text = clean(text);
    if text.chars().count() <= room {
        return text;
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

fn place(at: &At) -> String {
    format!("{}:{}", at.file, at.line)
}

impl Page {
    fn put(&mut self, line: &str) {
        let _ = writeln!(self.text, "{}", cut(line.trim_end(), WIDTH));
    }

    /// A line of a text behind its number.
    fn numbered(&mut self, line: u64, text: &str) {
        self.put(&format!("{line:>5} | {text}"));
    }

    fn line(&mut self, answer: &LineAnswer) {
        let head = &answer.artifact;
        self.put(&format!("{}:{}", head.path.as_deref().unwrap_or(&head.name), answer.line));
        answer.text.iter().for_each(|text| self.numbered(answer.line, text));
        self.put("");
        if answer.note.is_empty() {
            answer.from.iter().for_each(|from| self.from(from));
        } else {
            self.put(&answer.note);
            answer.from.iter().for_each(|from| self.put(&format!("from {}", place(from))));
        }
        self.head(head);
        if !answer.settings.is_empty() {
            self.put("");
            self.put("with");
            self.indented(&answer.settings);
        }
        self.because(&answer.because);
    }

    fn from(&mut self, from: &At) {
        self.put(&format!("from {}", place(from)));
        from.text.iter().for_each(|text| self.numbered(from.line, text));
    }

    fn head(&mut self, head: &Head) {
        let mut line = format!("in {} `{}`", head.artifact, head.name);
        if !head.module.is_empty() {
            let _ = write!(line, " of module `{}`", head.module);
        }
        head.at.iter().for_each(|at| {
            let _ = write!(line, ", {}", place(at));
        });
        self.put(&line);
    }

    fn indented(&mut self, settings: &[SettingAnswer]) {
        for setting in settings {
            self.put(&format!("  {} = {}", setting.name, setting.value));
            self.definitions(&setting.definitions, 4);
        }
    }

    fn definitions(&mut self, definitions: &[DefinitionAnswer], indent: usize) {
        let width = definitions.iter().map(|definition| place(&definition.at).chars().count()).max();
        let width = width.unwrap_or(0).min(40);
        for definition in definitions {
            let mark = match definition.counts.as_str() {
                "wins" => '>',
                "adds" => '+',
                _ => '-',
            };
            let entry = definition.entry.as_ref().map(|key| format!(" for {key}")).unwrap_or_default();
            let said = match definition.counts.as_str() {
                "wins" | "adds" => String::new(),
                other => format!("  {other}"),
            };
            let start = format!(
                "{:indent$}{mark} {:<7}  {:<width$}  ",
                "",
                definition.strength,
                place(&definition.at)
            );
            let room =
                WIDTH.saturating_sub(start.chars().count() + entry.chars().count() + said.chars().count());
            let given = cut(&definition.given, room.max(8));
            self.put(&format!("{start}{given}{entry}{said}"));
            for (name, value) in &definition.reads {
                self.put(&format!("{:indent$}             of {name} = {value}", ""));
            }
            for condition in &definition.because {
                let line = format!("{} {}", condition.kind, condition.expression);
                self.put(&format!("{:indent$}             {line}  {}", "", place(&condition.at)));
            }
        }
    }

    fn because(&mut self, conditions: &[ConditionAnswer]) {
        if conditions.is_empty() {
            return;
        }
        self.put("");
        self.put("because of");
        for condition in conditions {
            let (said, at) = (format!("  {} {}", condition.kind, condition.expression), place(&condition.at));
            if said.chars().count() + 2 + at.chars().count() > WIDTH {
                self.put(&said);
                self.put(&format!("     {at}"));
            } else {
                self.put(&format!("{said}  {at}"));
            }
            for setting in &condition.settings {
                self.put(&format!("    {} = {}", setting.name, setting.value));
                self.definitions(&setting.definitions, 6);
            }
        }
    }

    fn artifact(&mut self, answer: &ArtifactAnswer) {
        let head = &answer.head;
        let mut line = format!("{} `{}`", head.artifact, head.name);
        if !head.module.is_empty() {
            let _ = write!(line, " of module `{}`", head.module);
        }
        self.put(&line);
        let path = head.path.as_ref().filter(|path| **path != head.name);
        let facts = [
            ("at", path.cloned()),
            ("declared", head.at.as_ref().map(place)),
            ("made of", head.template.clone()),
            ("object", head.object.clone()),
        ];
        for (name, fact) in facts {
            if let Some(fact) = fact {
                self.put(&format!("  {name:<8}  {fact}"));
            }
        }
        if !answer.settings.is_empty() {
            self.put("");
            self.put("with");
            self.indented(&answer.settings);
        }
        self.because(&answer.because);
        for group in &answer.groups {
            self.put("");
            self.group(group);
        }
    }

    fn group(&mut self, group: &Group) {
        let origin = group.from.as_ref().map(|from| match group.to {
            Some(to) if to > from.line => format!("{}:{}-{to}", from.file, from.line),
            _ => place(from),
        });
        match (origin, group.note.as_str()) {
            (Some(origin), "") => self.put(&origin),
            (Some(origin), note) => self.put(&format!("{origin}: {note}")),
            (None, note) => self.put(note),
        }
        for condition in &group.because {
            self.put(&format!("  {} {}", condition.kind, condition.expression));
        }
        for setting in &group.settings {
            let heard = setting.definitions.iter().find(|one| matches!(one.counts.as_str(), "wins" | "adds"));
            let at = heard.map(|one| format!("  {}", place(&one.at))).unwrap_or_default();
            let room = WIDTH.saturating_sub(2 + at.chars().count());
            self.put(&format!("  {}{at}", cut(&format!("{} = {}", setting.name, setting.value), room)));
        }
        for (number, line) in (group.first..).zip(&group.lines) {
            self.numbered(number, line);
        }
    }

    fn settings(&mut self, settings: &[SettingAnswer]) {
        for (index, setting) in settings.iter().take(MAX_PARTS).enumerate() {
            if index > 0 {
                self.put("");
            }
            self.put(&format!("{} = {}", setting.name, setting.value));
            if setting.definitions.is_empty() {
                self.put("  nobody sets it");
            }
            self.definitions(&setting.definitions, 2);
        }
        if settings.len() > MAX_PARTS {
            self.put("");
            self.put(&format!("{} more are not shown: name one of them", settings.len() - MAX_PARTS));
        }
    }
}
