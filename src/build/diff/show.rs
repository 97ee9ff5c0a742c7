//! A comparison as text of 80 columns.

use std::fmt::Write as _;

use crate::base::report::WIDTH;
use crate::build::changes::Way;
use crate::store::provenance::show::clean;

use super::{Diff, Entry, Field, SettingChange};

impl Diff {
    /// As people read it: whole lines.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut page = Page::default();
        if self.same && self.settings.is_empty() {
            page.put(0, &format!("{}: nothing changed since {}", self.host, self.against));
            return page.0;
        }
        page.put(0, &format!("{}, compared with {}", self.host, self.against));
        if !self.settings.is_empty() {
            page.title("settings");
            self.settings.iter().for_each(|setting| page.setting(setting));
        }
        if !self.settings_known {
            page.title("settings: those of then are not at hand");
        }
        self.changes.iter().for_each(|entry| page.entry(entry));
        if self.same {
            page.title("the bundle is the same");
        }
        if !self.effects.is_empty() {
            page.title("a switch");
            for effect in &self.effects {
                let unit = &effect.unit;
                let line = match effect.action {
                    "nothing" => format!("leaves {unit} alone: {}", effect.reason),
                    "stop, then start" => format!("stops, then starts {unit}: {}", effect.reason),
                    action => format!("{action}s {unit}: {}", effect.reason),
                };
                page.put(2, &line);
            }
        }
        page.0
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    /// A line, with as many more as it needs.
    fn put(&mut self, indent: usize, line: &str) {
        let line = clean(line);
        let options = textwrap::Options::new(WIDTH.saturating_sub(indent)).subsequent_indent("    ");
        // Names have hyphens of their own.
        let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
        for part in textwrap::wrap(line.trim_end(), options) {
            let _ = writeln!(self.0, "{:indent$}{part}", "");
        }
    }

    fn title(&mut self, title: &str) {
        self.0.push('\n');
        self.put(0, title);
    }

    fn setting(&mut self, setting: &SettingChange) {
        let at = setting.at.as_ref().map(|at| format!("  {at}")).unwrap_or_default();
        let line = format!("{}{at}", change(&setting.name, setting.old.as_deref(), setting.new.as_deref()));
        if line.chars().count() <= WIDTH - 2 {
            return self.put(2, &line);
        }
        self.put(2, &format!("{}{at}", setting.name));
        setting.old.iter().for_each(|old| self.put(4, &format!("- {old}")));
        setting.new.iter().for_each(|new| self.put(4, &format!("+ {new}")));
    }

    fn entry(&mut self, entry: &Entry) {
        self.title(&format!("{} {} {}", entry.change.as_str(), entry.kind, entry.name));
        for (word, names) in [("because of", &entry.because), ("through", &entry.through)] {
            if !names.is_empty() {
                self.put(2, &format!("{word} {}", names.join(", ")));
            }
        }
        let packages: &[Field] = match (entry.change, entry.packages.len()) {
            (Way::Changed, _) | (_, 0) => &entry.packages,
            (_, count) => {
                self.put(2, &format!("{count} package{}", if count == 1 { "" } else { "s" }));
                &[]
            }
        };
        for Field { name, old, new } in entry.fields.iter().chain(packages) {
            self.put(2, &change(name, old.as_deref(), new.as_deref()));
        }
        if !entry.note.is_empty() {
            self.put(2, &entry.note);
        }
        entry.lines.lines().for_each(|line| self.compared(line));
    }

    /// A line of a unified diff: none of it is cut, for what differs may be at its end.
    fn compared(&mut self, line: &str) {
        let line: Vec<char> = clean(line).chars().collect();
        let (first, rest) = line.split_at(line.len().min(WIDTH - 2));
        let first: String = first.iter().collect();
        let _ = writeln!(self.0, "{}", format!("  {first}").trim_end());
        let sign = line.first().copied().unwrap_or(' ');
        for part in rest.chunks(WIDTH - 5) {
            let part: String = part.iter().collect();
            let _ = writeln!(self.0, "  {sign}… {part}");
        }
    }
}

/// `name: old → new`, or that it is new or gone.
fn change(name: &str, old: Option<&str>, new: Option<&str>) -> String {
    match (old, new) {
        (Some(old), Some(new)) => format!("{name}: {old} → {new}"),
        (None, Some(new)) => format!("{name}: {new}, new"),
        (Some(old), None) => format!("{name}: {old}, removed"),
        (None, None) => name.to_owned(),
    }
}
