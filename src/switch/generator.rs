//! The systemd generator: gives systemd the units of `current` at boot and at each daemon-reload (systemd.generator(7)).
//!
//! It reads only, and fails soft: what cannot be read is said on standard error, which systemd logs, and the rest goes
//! on. The administrator's files in `/etc` and `/run` stand before what it writes.

#![expect(clippy::disallowed_methods, reason = "the door by which systemd gets its units")]

use std::path::Path;

use crate::base::io::{IoError, OnPath as _};
use crate::switch::failure::Failure;
use crate::switch::state::{Pointer, State};

/// Writes the live generation's units, drop-ins and `.wants` links into systemd's folder. Returns what went wrong.
#[must_use]
pub fn generate(root: &Path, out: &Path) -> Vec<String> {
    match try_generate(&State::below(root), out) {
        Ok(problems) => problems,
        Err(failure) => vec![failure.message],
    }
}

fn try_generate(state: &State, out: &Path) -> Result<Vec<String>, Failure> {
    let Some(number) = state.pointer(Pointer::Current)? else {
        return Ok(Vec::new());
    };
    let generation = state.generation(number)?;
    let manifest = &generation.bundle.manifest;
    let store = state.store();
    let mut problems = Vec::new();
    let mut note = |result: Result<(), IoError>| problems.extend(result.err().map(|error| error.to_string()));
    for unit in &manifest.units {
        let to = out.join(unit.name.as_str());
        note(store.read(&unit.object).and_then(|text| std::fs::write(&to, text).on("write", &to)));
        for wanting in &unit.wanted_by {
            note(want(out, wanting.as_str(), unit.name.as_str()));
        }
    }
    for drop_in in &manifest.drop_ins {
        let folder = out.join(format!("{}.d", drop_in.unit));
        let to = folder.join(drop_in.name.as_str());
        let made = std::fs::create_dir_all(&folder).on("make folder", &folder);
        let text = made.and_then(|()| store.read(&drop_in.object));
        note(text.and_then(|text| std::fs::write(&to, text).on("write", &to)));
    }
    Ok(problems)
}

fn want(out: &Path, wanting: &str, unit: &str) -> Result<(), IoError> {
    let folder = out.join(format!("{wanting}.wants"));
    std::fs::create_dir_all(&folder).on("make folder", &folder)?;
    let link = folder.join(unit);
    std::os::unix::fs::symlink(format!("../{unit}"), &link).on("make link", &link)
}
