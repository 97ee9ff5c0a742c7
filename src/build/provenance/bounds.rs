//! A provenance that can be read: what would make it too large is left out, and that is said.

use crate::base::nesting::too_much;
use crate::base::report::Diagnostic;
use crate::store::provenance::{MAX_SIZE, Provenance};

/// The most runs of lines of a host.
pub(super) const MAX_RUNS: usize = 100_000;

/// What is left out of a provenance.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// The artifacts of which no line is known.
    pub(super) artifacts: usize,
    /// Whether parts of settings are missing.
    pub(super) parts: bool,
    /// The rest, in words.
    more: Vec<&'static str>,
}

/// What can be done without, and what leaves it out.
type Step = (&'static str, fn(&mut Provenance));

/// The steps, the least loss first.
const STEPS: [Step; 3] = [
    ("where lines come from", |out| {
        out.artifacts.iter_mut().for_each(|artifact| artifact.lines.0.clear());
        out.causes.clear();
    }),
    ("who said what about settings", |out| {
        out.settings.iter_mut().for_each(|setting| setting.definitions.clear());
    }),
    ("the settings and the artifacts", |out| {
        (out.sources, out.settings, out.conditions) = Default::default();
        out.artifacts = Vec::new();
    }),
];

/// Its one form, of which so much is left out that it can be read.
pub(super) fn written(out: &mut Provenance, left: &mut LeftOut) -> String {
    bounded(out, left, MAX_SIZE)
}

fn bounded(out: &mut Provenance, left: &mut LeftOut, most: u64) -> String {
    let mut text = out.to_toml();
    for (what, leave_out) in STEPS {
        if text.len() as u64 <= most && too_much(&text).is_none() {
            break;
        }
        leave_out(out);
        left.more.push(what);
        text = out.to_toml();
    }
    text
}

impl LeftOut {
    /// What is said of it, if there is anything to say.
    pub(super) fn warning(&self, out: &Provenance) -> Option<Diagnostic> {
        let mut missing: Vec<String> = self.more.iter().map(|what| (*what).to_owned()).collect();
        // Where all lines are missing, those are too.
        if self.artifacts > 0 && missing.is_empty() {
            missing.push(format!("where the lines of {} artifacts come from", self.artifacts));
        }
        if self.parts {
            missing.push("parts of settings".to_owned());
        }
        if missing.is_empty() {
            return None;
        }
        let message = format!(
            "the provenance of `{}` leaves out {}: it would be too large",
            out.host,
            missing.join(", ")
        );
        let help =
            "`why` cannot answer there; the bundle is whole: lists, maps and loops of fewer entries help";
        Some(Diagnostic::warning(message).help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::provenance::tests::sample;

    /// Each step makes it smaller, and what is left can be read.
    #[test]
    fn what_is_too_large_is_left_out_and_said() {
        let whole = sample();
        let size = whole.to_toml().len() as u64;
        for (most, expected) in [
            (size, None),
            (size - 1, Some("where lines come from")),
            (0, Some("where lines come from, who said what about settings, the settings and the artifacts")),
        ] {
            let (mut out, mut left) = (whole.clone(), LeftOut::default());
            let text = bounded(&mut out, &mut left, most);
            assert_eq!(Provenance::read(text.as_bytes()).unwrap(), out);
            let said = left.warning(&out).map(|warning| warning.message);
            assert_eq!(
                said,
                expected.map(|what| format!(
                    "the provenance of `node1` leaves out {what}: it would be too large"
                ))
            );
        }
    }
}
