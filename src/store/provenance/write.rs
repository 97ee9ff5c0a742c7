//! The one form in which a provenance is written.

use super::{Artifact, Provenance, Setting, Spot};
use crate::store::object::ObjectName;
use crate::store::toml_writer::TomlWriter;

impl Provenance {
    /// The one form of this provenance.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = TomlWriter::default();
        out.number("format", self.format);
        out.text("bundle", &self.bundle);
        out.text("host", self.host.as_str());
        out.texts("sources", self.sources.iter().map(String::as_str));
        self.settings.iter().for_each(|setting| write_setting(setting, &mut out));
        for condition in &self.conditions {
            out.element("condition");
            out.text("kind", &condition.kind);
            out.text("text", &condition.text);
            spot(&mut out, condition.at);
            indices(&mut out, "settings", &condition.settings);
        }
        for cause in &self.causes {
            out.element("cause");
            indices(&mut out, "settings", &cause.settings);
            indices(&mut out, "conditions", &cause.conditions);
            text(&mut out, "note", &cause.note);
        }
        self.artifacts.iter().for_each(|artifact| write_artifact(artifact, &mut out));
        out.finish()
    }
}

fn write_setting(setting: &Setting, out: &mut TomlWriter) {
    out.element("setting");
    out.text("name", &setting.name);
    out.text("value", &setting.value);
    for definition in &setting.definitions {
        out.element("setting.definition");
        spot(out, definition.at);
        out.text("strength", &definition.strength);
        out.text("counts", &definition.counts);
        out.text("given", &definition.given);
        out.text_if("entry", definition.entry.as_deref());
        indices(out, "conditions", &definition.conditions);
        indices(out, "settings", &definition.settings);
    }
}

fn write_artifact(artifact: &Artifact, out: &mut TomlWriter) {
    out.element("artifact");
    out.text("kind", &artifact.kind);
    out.text("name", &artifact.name);
    text(out, "module", &artifact.module);
    artifact.at.iter().for_each(|at| spot(out, *at));
    artifact.template.iter().for_each(|template| out.number("template", *template as u64));
    out.text_if("path", artifact.path.as_deref());
    out.text_if("object", artifact.object.as_ref().map(ObjectName::as_str));
    indices(out, "settings", &artifact.settings);
    indices(out, "conditions", &artifact.conditions);
    indices(out, "uses", &artifact.uses);
    let runs = artifact.lines.0.iter().flat_map(|run| {
        let (source, cause) = (run.from.source as u64, run.cause as u64);
        [source, run.from.line, run.count, u64::from(run.steps), cause].map(u64::cast_signed)
    });
    if !artifact.lines.0.is_empty() {
        out.numbers("lines", runs);
    }
}

fn spot(out: &mut TomlWriter, spot: Spot) {
    out.numbers("at", [spot.source as u64, spot.line].map(u64::cast_signed));
}

fn indices(out: &mut TomlWriter, key: &str, indices: &[usize]) {
    if !indices.is_empty() {
        out.numbers(key, indices.iter().map(|index| (*index as u64).cast_signed()));
    }
}

fn text(out: &mut TomlWriter, key: &str, text: &str) {
    if !text.is_empty() {
        out.text(key, text);
    }
}
