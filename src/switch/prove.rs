//! The proof of a generation: its checks, all of them fatal.

use std::time::Duration;

use crate::store::bundle::Bundle;
use crate::store::manifest::check::{self as manifest, CheckKind};
use crate::switch::check::{self, Check, What};
use crate::switch::failure::Failure;
use crate::switch::machine::Machine;
use crate::switch::plan::Plan;
use crate::switch::probe::ProbeKind;
use crate::switch::traces::log_tail;

/// Lines of a failing unit's log that are shown.
const LOG_LINES: u16 = 10;

/// Runs the checks of a bundle, but for those about units that the administrator stopped or masked.
///
/// # Errors
/// Where one of them does not hold, with the last lines of its unit's log.
pub fn prove(
    machine: &mut Machine,
    (bundle, plan): (&Bundle, &Plan),
    tell: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    let tail = (machine.begun, LOG_LINES);
    let Some(systemd) = &mut machine.systemd else {
        return Ok(());
    };
    let of_left = |check: &&manifest::Check| check.unit.as_ref().is_some_and(|unit| plan.left.contains(unit));
    let (left, run): (Vec<_>, Vec<_>) = bundle.manifest.checks.iter().partition(of_left);
    for check in &left {
        tell(&format!("note: check `{}` is left out", check.name));
    }
    let checks: Vec<Check> = run.iter().filter_map(|check| adapted(check)).collect();
    let failed = check::run(systemd, &checks, Duration::ZERO)?;
    let Some(first) = failed.first() else {
        for check in &run {
            tell(&format!("check {}: ok", check.name));
        }
        return Ok(());
    };
    let mut failure = Failure::refused(first.to_string());
    failure = failure.details(failed.iter().skip(1));
    for check in run.iter().filter(|check| failed.iter().any(|failed| failed.name == check.name.as_str())) {
        if let Some(unit) = &check.unit {
            let log = log_tail(systemd, unit, tail).unwrap_or_else(|error| vec![error.to_string()]);
            failure =
                failure.details([format!("{unit}:")]).details(log.iter().map(|line| format!("  {line}")));
        }
    }
    Err(failure)
}

fn adapted(check: &manifest::Check) -> Option<Check> {
    let what = match (check.kind, check.port, &check.unit) {
        (CheckKind::UnitActive, _, Some(unit)) => What::Active(unit.clone()),
        (CheckKind::Vtp, Some(port), _) => What::Answers(ProbeKind::Vtp, port),
        (CheckKind::VtpNak, Some(port), _) => What::Answers(ProbeKind::VtpNak, port),
        (CheckKind::Tcp, Some(port), _) => What::Accepts(port),
        (CheckKind::Http, ..) => What::Serves(check.http()?),
        (CheckKind::FileNewer, ..) => What::Newer(check.path.clone()?),
        (CheckKind::Command, ..) => What::Command(check.command.clone(), check.user.clone()),
        // A manifest with such a check is none.
        _ => return None,
    };
    Some(Check { name: check.name.to_string(), what, within: check.within() })
}
