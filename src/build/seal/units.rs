//! Units, with what the compiler adds: the target that they hang on, and the field by which a running service tells its
//! definition.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::base::layout;
use crate::base::name::{Label, UnitName};
use crate::base::report::{Diagnostic, enough};
use crate::base::value::SecretSource;
use crate::build::artifact::{Artifact, Part, RenderedWhat, Text, UnitArtifact};
use crate::build::seal::Sealer;
use crate::build::seal::text::Written;
use crate::build::unit::{BadLine, Finding, MAX_FINDINGS, UnitFile, check, needs, triggered};
use crate::store::manifest::{DropIn, Secret, Unit};
use crate::store::object::{File, Object};

/// The longest label of an object.
const MAX_LABEL: usize = 128;

/// A unit or drop-in whose text is known, but not yet what the compiler adds.
pub(super) struct FilledUnit<'a> {
    artifact: &'a UnitArtifact,
    of: &'a Artifact,
    text: String,
    parsed: UnitFile,
}

impl<'a> Sealer<'a> {
    /// Fills a unit and notes it.
    pub(super) fn unit(&mut self, artifact: &'a Artifact, unit: &'a UnitArtifact) {
        let before = self.errors.len();
        self.refer(artifact, unit.unit.to_string());
        self.secrets(unit);
        if let Some(written) = self.written(artifact, &unit.text) {
            self.written_unit(artifact, unit, &written);
        }
        if self.errors.len() > before {
            self.flawed.insert(&unit.unit);
        }
    }

    fn written_unit(&mut self, artifact: &'a Artifact, unit: &'a UnitArtifact, written: &Written) {
        let Ok(text) = String::from_utf8(written.content.clone()) else {
            let error = Diagnostic::error(format!("unit `{}` is no UTF-8", unit.unit));
            self.errors.push(error.at(artifact.place.clone(), "").help("a unit is plain UTF-8 text"));
            return;
        };
        let findings = match UnitFile::parse(&text) {
            Ok(parsed) => {
                if parsed.sections().any(|section| section == "Install") {
                    let error = Diagnostic::error(format!("unit `{}` has an `[Install]`", unit.unit));
                    let help = "say `wanted_by = [\"voevent.target\"]` in the `[[unit]]`";
                    self.errors.push(error.at(artifact.place.clone(), "").help(help));
                }
                let system = &self.manifest.target.system;
                let findings = if enough(&self.errors) {
                    Vec::new()
                } else {
                    check(&unit.unit, &text, system, MAX_FINDINGS)
                };
                self.units.push(FilledUnit { artifact: unit, of: artifact, text, parsed });
                findings
            }
            Err(lines) => {
                let finding = |BadLine { line, bytes, message }| {
                    let message = format!("unit `{}`: {message}", unit.unit);
                    let help = "a line of a unit is `[Section]`, `Key=value` or a comment".to_owned();
                    Finding { line, bytes, message, help }
                };
                lines.into_iter().map(finding).collect()
            }
        };
        if findings.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&written.content);
        let lines: Vec<&str> = text.lines().collect();
        self.errors.extend(
            findings.into_iter().map(|finding| pointed((artifact, unit), (written, &lines), finding)),
        );
    }

    /// Notes the secrets that a unit loads.
    fn secrets(&mut self, unit: &UnitArtifact) {
        let Text::Template { pieces, .. } = &unit.text else { return };
        for piece in pieces {
            let RenderedWhat::Hole(parts) = &piece.what else { continue };
            for part in parts {
                let Part::Credential(secret) = part else { continue };
                let object = match &secret.source {
                    SecretSource::File(_) => None,
                    SecretSource::Age { file, .. } => Some(self.named_object(file)),
                };
                let (name, path) = (secret.name.clone(), secret.source.path().clone());
                let secret = Secret { unit: unit.unit.clone(), name, path, object };
                let is_same_name =
                    |other: &&Secret| (&other.unit, &other.name) == (&secret.unit, &secret.name);
                match self.manifest.secrets.iter().find(is_same_name) {
                    Some(other) if *other == secret => {}
                    Some(_) => {
                        let message =
                            format!("two secrets of `{}` would be called `{}`", unit.unit, secret.name);
                        let error = Diagnostic::error(message).at(piece.place.clone(), "");
                        let help = "the name is that of the setting; give one of the keys another name";
                        self.errors.push(error.help(help));
                    }
                    None => self.manifest.secrets.push(secret),
                }
            }
        }
    }

    /// Units, with what the compiler adds: the target that they hang on, and the field by which a running service tells
    /// its definition.
    pub(super) fn add_units(&mut self) {
        let target = format!(
            "[Unit]\nDescription=VOEvent node: all units of voevent-node\n\
             Documentation=file:{}/current/bundle/manifest.toml\n",
            layout::STATE
        );
        if let (Ok(name), Ok(parsed)) = (UnitName::new(layout::TARGET_UNIT), UnitFile::parse(&target)) {
            self.add_unit((name, Vec::new(), false), target, &parsed);
        }
        let units = std::mem::take(&mut self.units);
        let mut seen: BTreeMap<(&UnitName, Option<&Label>), &FilledUnit<'_>> = BTreeMap::new();
        for unit in &units {
            let key = (&unit.artifact.unit, unit.artifact.drop_in.as_ref());
            match seen.get(&key) {
                Some(first) if unit.artifact.same && first.text == unit.text => {}
                Some(first) => self.errors.push(two(unit, first)),
                None => {
                    seen.insert(key, unit);
                }
            }
        }
        for ((name, drop_in), unit) in &seen {
            if let Some(label) = drop_in {
                let object = File { exec: false, content: unit.text.clone().into_bytes() };
                let object = self.object(label, Object::File(object));
                let (unit, name) = ((*name).clone(), (*label).clone());
                self.manifest.drop_ins.push(DropIn { unit, name, object });
                continue;
            }
            let mut whole = unit.parsed.clone();
            // In the order of their names, as systemd reads them.
            let mine = seen.iter().filter(|((other, label), _)| other == name && label.is_some());
            mine.for_each(|(_, drop_in)| whole.extend(&drop_in.parsed));
            self.judge(name, unit.of, &whole, |other| {
                seen.keys().any(|(name, label)| label.is_none() && name.as_str() == other)
            });
            let UnitArtifact { wanted_by, adopt, .. } = unit.artifact;
            self.add_unit(((*name).clone(), wanted_by.clone(), *adopt), unit.text.clone(), &whole);
        }
    }

    /// Looks at a unit with its drop-ins.
    fn judge(&mut self, name: &UnitName, of: &Artifact, whole: &UnitFile, is_unit: impl Fn(&str) -> bool) {
        let place = &of.place;
        // What is missing may be what was told.
        if self.flawed.contains(name) {
            return;
        }
        if let Some((message, help)) = needs(name, whole) {
            self.errors.push(Diagnostic::error(message).at(place.clone(), "").of(&of.module).help(help));
        }
        if let Some((key, unit, template)) = triggered(name, whole)
            && !is_unit(&unit)
            && !template.is_some_and(|template| is_unit(&template))
        {
            let warning =
                Diagnostic::warning(format!("unit `{name}` starts `{unit}`, which no module emits"));
            let help = format!(
                "emit a `[[unit]]` of that name, or say by `{key}=` which of the host's units it starts"
            );
            self.warnings.push(warning.at(place.clone(), "").of(&of.module).help(help));
        }
    }

    fn add_unit(
        &mut self,
        (name, wanted_by, adopt): (UnitName, Vec<UnitName>, bool),
        mut text: String,
        whole: &UnitFile,
    ) {
        let digest = whole.digest();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        if wanted_by.iter().any(|unit| unit.as_str() == layout::TARGET_UNIT) {
            let _ = write!(text, "\n# added by voevent-build\n[Unit]\nPartOf={}\n", layout::TARGET_UNIT);
        }
        if name.as_str().ends_with(".service") {
            let _ = write!(text, "\n# added by voevent-build: which definition runs\n[Service]\n");
            let _ = writeln!(text, "LogExtraFields=VOEVENT_UNIT={}", digest.hex());
        }
        let rules = whole.rules();
        let Some(label) = label(&name) else {
            self.errors.push(Diagnostic::error(format!("unit `{name}` has a name that no object can have")));
            return;
        };
        let object = self.object(&label, Object::File(File { exec: false, content: text.into_bytes() }));
        self.manifest.units.push(Unit {
            name,
            object,
            digest,
            reload: rules.reload,
            restart_if_changed: rules.restart_if_changed,
            reload_if_changed: rules.reload_if_changed,
            stop_if_changed: rules.stop_if_changed,
            stop_on_removal: rules.stop_on_removal,
            start_timeout: rules.start_timeout,
            stop_timeout: rules.stop_timeout,
            wanted_by,
            adopt,
        });
    }
}

/// The label of a unit's object: the end of its name, from a letter or digit on, without what labels do not have.
fn label(name: &UnitName) -> Option<Label> {
    let text = name.as_str().replace(['\\', ':'], "_");
    let end = &text[text.len().saturating_sub(MAX_LABEL)..];
    Label::new(end.trim_start_matches(|c: char| !c.is_ascii_alphanumeric())).ok()
}

/// An error at some bytes of a unit.
fn pointed(
    (artifact, unit): (&Artifact, &UnitArtifact),
    (written, lines): (&Written, &[&str]),
    finding: Finding,
) -> Diagnostic {
    let error = Diagnostic::error(finding.message);
    let error = if let Some(place) = written.place(&unit.text, finding.bytes) {
        error.at(place, "")
    } else {
        let line = lines.get(finding.line - 1).unwrap_or(&"").trim();
        error.at(artifact.place.clone(), format!("its line {} is `{line}`", finding.line))
    };
    error.of(&artifact.module).help(finding.help)
}

fn two(second: &FilledUnit<'_>, first: &FilledUnit<'_>) -> Diagnostic {
    let error = Diagnostic::error(format!("two artifacts for unit `{}`", second.artifact.unit));
    let help = "to change another module's unit, write a drop-in: `NAME.service.d/x.conf`";
    second.of.against(first.of, error, ["the second", "the first"], help)
}
