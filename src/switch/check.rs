//! The proofs that a node works: its units are up and stay up, its broker answers.

mod looks;

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::base::http::HttpAsk;
use crate::base::io::IoError;
use crate::base::name::{UnitName, UserName};
use crate::base::path::TargetPath;
use crate::switch::http::{self, HttpError};
use crate::switch::probe::{ProbeError, ProbeKind, probe};
use crate::switch::sandbox::ProofError;
use crate::switch::systemd::{Active, Load, Systemd, SystemdError, UnitState};

/// How often the units are looked at: one call for all of them.
const LOOK: Duration = Duration::from_millis(50);
/// How long a probe may take when a unit has failed, so that the switch has failed already.
const BRIEF: Duration = Duration::from_secs(1);

/// A check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name, for people.
    pub name: String,
    /// What must hold.
    pub what: What,
    /// By when, from the moment that the checks begin (of units) or that it is its turn (of probes).
    pub within: Duration,
}

/// What a check wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The unit becomes active, and is so when all checks are over, without having been started again meanwhile.
    Active(UnitName),
    /// The broker on this port answers.
    Answers(ProbeKind, u16),
    /// The HTTP service answers well.
    Serves(HttpAsk),
    /// Something accepts connections at this port.
    Accepts(u16),
    /// The file becomes newer than the beginning of the check.
    Newer(TargetPath),
    /// The command ends well, run as this user or as one without any privilege.
    Command(Vec<String>, Option<UserName>),
}

/// A check that does not hold.
#[derive(Debug, thiserror::Error)]
#[error("check `{name}`: {source}")]
pub struct Failed {
    /// Its name.
    pub name: String,
    /// The unit that it is about.
    pub unit: Option<UnitName>,
    /// Why.
    pub source: CheckError,
}

/// Why a check does not hold.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The unit failed, or cannot run.
    #[error("`{unit}` is {state}")]
    Bad {
        /// The unit.
        unit: UnitName,
        /// Its state, in words.
        state: String,
    },
    /// The unit is not up by now.
    #[error("`{unit}` is still {state} after {within}")]
    NotUp {
        /// The unit.
        unit: UnitName,
        /// Its state, in words.
        state: String,
        /// How long it had, in words.
        within: String,
    },
    /// The unit was up, and is not.
    #[error("`{unit}` was active, and is {state} now")]
    NotStable {
        /// The unit.
        unit: UnitName,
        /// Its state, in words.
        state: String,
    },
    /// systemd started the unit again.
    #[error("`{unit}` was active and died, systemd started it again {times} times since")]
    Restarted {
        /// The unit.
        unit: UnitName,
        /// How often.
        times: u32,
    },
    /// The broker did not answer well.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The HTTP service did not answer well.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Nothing listens.
    #[error("nothing accepts connections at port {port} within {within}")]
    NotOpen {
        /// The port.
        port: u16,
        /// How long was tried, in words.
        within: String,
    },
    /// The file is not there, or old.
    #[error("`{path}` {was}, and did not become newer within {within}")]
    NotNewer {
        /// The file.
        path: TargetPath,
        /// How it was.
        was: &'static str,
        /// How long was waited, in words.
        within: String,
    },
    /// The command did not end well.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The file cannot be looked at.
    #[error(transparent)]
    Io(#[from] IoError),
    /// systemd does not say.
    #[error(transparent)]
    Systemd(#[from] SystemdError),
}

/// A unit that is being waited for, or watched.
struct Watch<'a> {
    check: &'a Check,
    unit: &'a UnitName,
    /// How often systemd had started it again when it was first seen active.
    up: Option<u32>,
}

/// Runs all checks; gives those that do not hold, and none where all do.
///
/// `settle` is the least time for which the units are watched: a service that dies right after it was started is
/// active for a moment.
///
/// # Errors
/// Where systemd does not say how the units are.
pub fn run(systemd: &mut Systemd, checks: &[Check], settle: Duration) -> Result<Vec<Failed>, SystemdError> {
    let begun = Instant::now();
    let mut failed = Vec::new();
    let mut watched: Vec<Watch<'_>> = checks
        .iter()
        .filter_map(|check| match &check.what {
            What::Active(unit) => Some(Watch { check, unit, up: None }),
            _ => None,
        })
        .collect();
    wait_for_units(systemd, &mut watched, &mut failed)?;
    for check in checks {
        let within = if failed.is_empty() { check.within } else { check.within.min(BRIEF) };
        let done = match &check.what {
            What::Active(_) => Ok(()),
            What::Answers(kind, port) => probe(*kind, *port, within).map(drop).map_err(CheckError::from),
            What::Serves(question) => http::ask(question, within).map(drop).map_err(CheckError::from),
            What::Accepts(port) => looks::accepts(*port, within),
            What::Newer(path) => looks::newer(path, within),
            What::Command(command, user) => looks::command(command, user.as_ref(), within),
        };
        if let Err(source) = done {
            failed.push(Failed { name: check.name.clone(), unit: None, source });
        }
    }
    if failed.is_empty() && !watched.is_empty() {
        sleep(settle.saturating_sub(begun.elapsed()));
    }
    still_up(systemd, &watched, &mut failed)?;
    Ok(failed)
}

/// Waits until each unit is up, or has failed, or its time is over; those that are not up leave `watched`.
fn wait_for_units(
    systemd: &mut Systemd,
    watched: &mut Vec<Watch<'_>>,
    failed: &mut Vec<Failed>,
) -> Result<(), SystemdError> {
    let begun = Instant::now();
    while watched.iter().any(|watch| watch.up.is_none()) {
        let states = look(systemd, watched)?;
        let mut kept = Vec::with_capacity(watched.len());
        for mut watch in watched.drain(..) {
            match states.get(watch.unit) {
                _ if watch.up.is_some() => kept.push(watch),
                Some(state) if state.active == Active::Active => {
                    watch.up = Some(restarts(systemd, watch.unit)?);
                    kept.push(watch);
                }
                state => match verdict(&watch, state, begun.elapsed()) {
                    Some(error) => failed.push(watch.failed(error)),
                    None => kept.push(watch),
                },
            }
        }
        *watched = kept;
        if watched.iter().any(|watch| watch.up.is_none()) {
            sleep(LOOK);
        }
    }
    Ok(())
}

/// Looks at the units that were up once more.
fn still_up(
    systemd: &mut Systemd,
    watched: &[Watch<'_>],
    failed: &mut Vec<Failed>,
) -> Result<(), SystemdError> {
    let states = look(systemd, watched)?;
    for watch in watched {
        let state = states.get(watch.unit);
        let unit = watch.unit.clone();
        // A reload of the unit's own configuration is no fall.
        if !state.is_some_and(|state| matches!(state.active, Active::Active | Active::Reloading)) {
            failed.push(watch.failed(CheckError::NotStable { unit, state: words(state) }));
            continue;
        }
        let times = restarts(systemd, watch.unit)?.saturating_sub(watch.up.unwrap_or_default());
        if times > 0 {
            failed.push(watch.failed(CheckError::Restarted { unit, times }));
        }
    }
    Ok(())
}

fn look(systemd: &mut Systemd, watched: &[Watch<'_>]) -> Result<BTreeMap<UnitName, UnitState>, SystemdError> {
    let units: Vec<&UnitName> = watched.iter().map(|watch| watch.unit).collect();
    systemd.units(&units)
}

fn restarts(systemd: &mut Systemd, unit: &UnitName) -> Result<u32, SystemdError> {
    if unit.as_str().ends_with(".service") { systemd.restarts(unit) } else { Ok(0) }
}

impl Watch<'_> {
    fn failed(&self, source: CheckError) -> Failed {
        Failed { name: self.check.name.clone(), unit: Some(self.unit.clone()), source }
    }
}

/// What is wrong with a unit that is not active after such a time; `None`: it may still become so.
fn verdict(watch: &Watch<'_>, state: Option<&UnitState>, after: Duration) -> Option<CheckError> {
    let (unit, words) = (watch.unit.clone(), words(state));
    let hopeless = state.is_none_or(|state| state.active == Active::Failed || state.load != Load::Loaded);
    if hopeless {
        Some(CheckError::Bad { unit, state: words })
    } else if after >= watch.check.within {
        let within = humantime::format_duration(watch.check.within).to_string();
        Some(CheckError::NotUp { unit, state: words, within })
    } else {
        None
    }
}

/// A state as `systemctl` shows it.
fn words(state: Option<&UnitState>) -> String {
    let Some(state) = state else { return "a template, which cannot run".to_owned() };
    let word = match (state.load, state.active) {
        (Load::NotFound, _) => return "not there".to_owned(),
        (Load::Masked, _) => return "masked by the administrator".to_owned(),
        (Load::Bad, _) => return "not as systemd can read it".to_owned(),
        (_, Active::Active) => "active",
        (_, Active::Reloading) => "reloading",
        (_, Active::Inactive) => "inactive",
        (_, Active::Failed) => "failed",
        (_, Active::Activating) => "activating",
        (_, Active::Deactivating) => "deactivating",
        (_, Active::Other) => "in maintenance",
    };
    format!("{word} ({})", state.sub)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(load: Load, active: Active, after: u64) -> Option<String> {
        let unit = UnitName::new("x.service").unwrap();
        let what = What::Active(unit.clone());
        let check = Check { name: "up".into(), what, within: Duration::from_secs(5) };
        let watch = Watch { check: &check, unit: &unit, up: None };
        let state = UnitState { load, active, sub: "sub".into(), job: None };
        verdict(&watch, Some(&state), Duration::from_secs(after)).map(|error| watch.failed(error).to_string())
    }

    #[test]
    fn a_failed_unit_is_not_waited_for() {
        let said = told(Load::Loaded, Active::Failed, 0).unwrap();
        assert_eq!(said, "check `up`: `x.service` is failed (sub)");
        let said = told(Load::NotFound, Active::Inactive, 0).unwrap();
        assert_eq!(said, "check `up`: `x.service` is not there");
        let said = told(Load::Masked, Active::Inactive, 0).unwrap();
        assert_eq!(said, "check `up`: `x.service` is masked by the administrator");
    }

    #[test]
    fn a_slow_unit_has_its_time() {
        assert_eq!(told(Load::Loaded, Active::Activating, 4), None);
        assert_eq!(told(Load::Loaded, Active::Inactive, 4), None);
        let said = told(Load::Loaded, Active::Activating, 5).unwrap();
        assert_eq!(said, "check `up`: `x.service` is still activating (sub) after 5s");
    }
}
