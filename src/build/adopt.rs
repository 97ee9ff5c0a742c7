//! What a host takes over from whoever had it before: `adopt` of `[host]` names paths, units and users.

use crate::base::nearest::advice;
use crate::base::report::Diagnostic;

use super::artifact::{Artifact, What};
use super::config::tree::Placed;

/// Marks the artifacts that are named as ones that take the place of somebody else's.
pub fn apply(
    named: &[Placed<String>],
    mut artifacts: Vec<Artifact>,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Artifact> {
    for name in named {
        let mut known = false;
        for artifact in &mut artifacts {
            if let Some((called, adopt)) = called(&mut artifact.what)
                && called == name.value
            {
                (*adopt, known) = (true, true);
            }
        }
        if !known {
            let all: Vec<String> =
                artifacts.iter_mut().filter_map(|a| Some(called(&mut a.what)?.0)).collect();
            let message = format!("`{}` is no path, unit or user of this host", name.value.escape_debug());
            let help = advice(&name.value, all.iter().map(String::as_str));
            faults.push(Diagnostic::error(message).at(name.place.clone(), "").help(help));
        }
    }
    artifacts
}

/// What can take somebody's place: its name on the host, and whether it does.
fn called(what: &mut What) -> Option<(String, &mut bool)> {
    match what {
        What::File(file) => Some((file.path.as_ref()?.to_string(), &mut file.adopt)),
        What::Link(link) => Some((link.path.to_string(), &mut link.adopt)),
        What::Unit(unit) if unit.drop_in.is_none() => Some((unit.unit.to_string(), &mut unit.adopt)),
        What::User(user) => Some((user.name.to_string(), &mut user.adopt)),
        _ => None,
    }
}
