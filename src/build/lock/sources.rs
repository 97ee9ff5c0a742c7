//! Locks what a target builds: its source, and the wheels of what builds it.

use super::fetch::FetchError;
use super::inputs::{LockInputs, Pin};
use super::pylock::LockedSource;
use super::resolution::Choice;
use super::resolve::LockError;
use super::run::Say;
use super::uv::Uv;
use super::workshop::Workshop;

/// Gets the source of a package that the target builds, and the wheels of its build requirements for the target. Nothing
/// of the package is run here.
pub(super) fn lock_source(
    (uv, workshop): (&Uv, &Workshop),
    inputs: &LockInputs,
    choice: &Choice,
    say: Say<'_>,
) -> Result<LockedSource, LockError> {
    let sdist = workshop.get_tarball(choice.wanted(), say)?;
    let system = workshop.build_system(&sdist)?;
    say(&format!("resolving {}, which build {}", system.requires.join(", "), choice.name));
    let asked = LockInputs {
        requirements: system.requires.iter().map(|text| text.trim().to_owned()).collect(),
        source: None,
        build_on_target: Vec::new(),
        ..inputs.clone()
    };
    let choices =
        if asked.requirements.is_empty() { Vec::new() } else { uv.resolve(workshop, &asked, None)? };
    if let Some(other) = choices.iter().find(|choice| choice.source) {
        let (package, host) = (format!("{} {}", other.name, other.version), inputs.python.to_string());
        return Err(FetchError::BuildRequires { sdist: sdist.name, package, host }.into());
    }
    let wanted: Vec<_> = choices.iter().map(Choice::wanted).collect();
    let files = workshop.get_wheels(&wanted, &inputs.python, say)?;
    let pin = |(choice, wheel): (&Choice, _)| {
        let Choice { name, version, .. } = choice;
        Pin { name: name.clone(), version: version.clone(), wheel }
    };
    Ok(LockedSource {
        name: choice.name.clone(),
        version: choice.version.clone(),
        sdist,
        backend: system.build_backend,
        backend_path: system.backend_path,
        requires: choices.iter().zip(files).map(pin).collect(),
    })
}
