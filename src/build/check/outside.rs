//! What outside tools say of a host's texts, as errors at the lines of templates.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::name::Label;
use crate::base::report::{Diagnostic, Place};
use crate::build::artifact::{Artifact, Grammar, Rendered, Text, What};
use crate::build::check::shape;
use crate::build::check::tools::{Complaint, Job, Toolbox, Work};
use crate::build::seal::Sealed;
use crate::store::object::{Object, ObjectName};

/// Lets the tools judge all texts that they know, and all units together.
pub(super) fn judge(rendered: &Rendered, sealed: &Sealed, toolbox: &Toolbox) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, object) in &sealed.contents {
        let (Some(artifact), Some(content)) = (rendered.artifacts.get(*index), content(sealed, object))
        else {
            continue;
        };
        let Some(work) = work(artifact, content, &rendered.target.python) else { continue };
        let mut hasher = blake3::Hasher::new();
        if let Some(text) = artifact.text() {
            shape::add(&mut hasher, &work, (text, sealed.maps.get(index), content));
        }
        let job =
            Job { work, files: vec![(object.to_string(), content)], key: *hasher.finalize().as_bytes() };
        let complaints = toolbox.judge(&job);
        found.extend(complaints.iter().map(|complaint| shown(complaint, &job, (*index, artifact), sealed)));
    }
    found.extend(units(rendered, sealed, toolbox));
    found
}

fn content<'a>(sealed: &'a Sealed, object: &ObjectName) -> Option<&'a [u8]> {
    match sealed.objects.get(object) {
        Some(Object::File(file)) => Some(&file.content),
        _ => None,
    }
}

/// Which tool knows a text: that of its first line, or else of its grammar, or of its name.
fn work(artifact: &Artifact, content: &[u8], python: &str) -> Option<Work> {
    let (name, text) = match &artifact.what {
        What::File(file) => (&file.name, &file.text),
        What::Script { name, text } => (name, text),
        _ => return None,
    };
    let first = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if let Some(line) = first.strip_prefix(b"#!") {
        let line = String::from_utf8_lossy(line);
        let words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
        return match words.filter(|word| !word.starts_with('-')).find(|word| *word != "env")? {
            "sh" | "dash" => Some(Work::Sh),
            "nft" => Some(Work::Nft),
            program if program == "python3" || program == format!("python{python}") => {
                Some(Work::Python(python.to_owned()))
            }
            _ => None,
        };
    }
    match text {
        Text::Template { grammar, .. } => of_grammar(*grammar, python),
        Text::Source(_) => of_grammar(Grammar::of_extension(extension(name))?, python),
    }
}

fn extension(name: &Label) -> &str {
    name.as_str().rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn of_grammar(grammar: Grammar, python: &str) -> Option<Work> {
    match grammar {
        Grammar::Sh => Some(Work::Sh),
        Grammar::Nft => Some(Work::Nft),
        Grammar::Python => Some(Work::Python(python.to_owned())),
        _ => None,
    }
}

/// All units and drop-ins of a host, by one call.
fn units(rendered: &Rendered, sealed: &Sealed, toolbox: &Toolbox) -> Vec<Diagnostic> {
    let manifest = &sealed.bundle.manifest;
    let whole = manifest.units.iter().map(|unit| (unit.name.to_string(), &unit.object));
    let drop_ins = manifest.drop_ins.iter().map(|drop_in| (drop_in.file_name(), &drop_in.object));
    let files: Vec<(String, &[u8])> =
        whole.chain(drop_ins).filter_map(|(name, object)| Some((name, content(sealed, object)?))).collect();
    // Of two with the same bytes the first is meant.
    let artifacts: BTreeMap<String, (usize, &Artifact)> = rendered
        .artifacts
        .iter()
        .enumerate()
        .rev()
        .filter_map(|(index, artifact)| match &artifact.what {
            What::Unit(unit) => Some((unit.file_name(), (index, artifact))),
            _ => None,
        })
        .collect();
    let mut hasher = blake3::Hasher::new();
    let mut own = false;
    for (name, content) in &files {
        // The compiler's own target is always there, and right.
        let Some((index, artifact)) = artifacts.get(name) else { continue };
        let Some(text) = artifact.text() else { continue };
        own = true;
        shape::framed(&mut hasher, b"unit", name.as_bytes());
        shape::add(&mut hasher, &Work::Units, (text, sealed.maps.get(index), content));
    }
    if !own {
        return Vec::new();
    }
    let job = Job { work: Work::Units, files, key: *hasher.finalize().as_bytes() };
    let complaints = toolbox.judge(&job);
    let found = complaints.iter().filter_map(|complaint| {
        let found = *artifacts.get(&job.files.get(complaint.file)?.0)?;
        Some(shown(complaint, &job, found, sealed))
    });
    found.collect()
}

/// A complaint at the line of the template that gave the line that it is about.
fn shown(
    complaint: &Complaint,
    job: &Job<'_>,
    (index, artifact): (usize, &Artifact),
    sealed: &Sealed,
) -> Diagnostic {
    let tool = job.work.tool();
    let message = format!("`{tool}`: {}", complaint.message);
    let diagnostic =
        if complaint.doubtful { Diagnostic::warning(message) } else { Diagnostic::error(message) };
    let content = job.files.get(complaint.file).map(|(_, content)| *content).unwrap_or_default();
    let line = complaint.line.map(|line| line_of(content, line));
    let place = line
        .clone()
        .and_then(|(_, bytes)| sealed.maps.get(&index)?.place(artifact.text()?, bytes).map(whole_line));
    let label = match (&place, line) {
        (None, Some((number, bytes))) => {
            format!("its line {number} is `{}`", String::from_utf8_lossy(&content[bytes]).trim())
        }
        _ => String::new(),
    };
    let help = match complaint.line {
        Some(_) => format!("write this line so that `{tool}` takes it"),
        None => format!("write it so that `{tool}` takes it"),
    };
    diagnostic.at(place.unwrap_or_else(|| artifact.place.clone()), label).help(help)
}

/// The bytes of a line, counted from 1, without blanks around them, and its number; of a line that is empty, or behind
/// the end, those of the last before it that has any.
fn line_of(content: &[u8], number: usize) -> (usize, Range<usize>) {
    let mut start = 0;
    let mut last = (1, 0..0);
    for (index, line) in content.split_inclusive(|byte| *byte == b'\n').enumerate().take(number.max(1)) {
        let blanks = line.len() - line.trim_ascii_start().len();
        if !line.trim_ascii().is_empty() {
            last = (index + 1, start + blanks..start + blanks + line.trim_ascii().len());
        }
        start += line.len();
    }
    last
}

/// A place to the end of its line: all holes in the line have a say.
fn whole_line(mut place: Place) -> Place {
    let rest = &place.source.text[place.source.text.floor_char_boundary(place.span.start)..];
    let line = rest.split('\n').next().unwrap_or_default().trim_end();
    place.span.end = place.span.end.max(place.span.start + line.len());
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_bytes() {
        let text = b"a\n  b c \n\n";
        assert_eq!(line_of(text, 1), (1, 0..1));
        assert_eq!(line_of(text, 2), (2, 4..7));
        for behind in [3, 4, 99] {
            assert_eq!(line_of(text, behind), (2, 4..7));
        }
        assert_eq!(line_of(b"", 3), (1, 0..0));
    }
}
