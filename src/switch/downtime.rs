//! How long what a switch restarted was away, for the operator: by systemd's own times, from the end of its being
//! active to being active again, which for a service of ours is when it answers.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use zbus::Variant;

use crate::base::name::UnitName;
use crate::switch::machine::Machine;
use crate::switch::plan::{Action, Plan};
use crate::switch::systemd::Systemd;

/// The clock of systemd's times of units, since the boot (`CLOCK_MONOTONIC`).
#[must_use]
pub fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Tells of each unit that a plan, begun at `since` of [`now`], restarted how long it was away. Where systemd does not
/// say, nothing is told: it is no reason to fail.
pub fn tell(machine: &mut Machine, plan: &Plan, since: Duration, tell: &mut dyn FnMut(&str)) {
    let Some(systemd) = &mut machine.systemd else {
        return;
    };
    for step in &plan.steps {
        if let Action::Restart(unit) | Action::Reload(unit) = &step.action
            && let Some(left) = time(systemd, unit, "ActiveExitTimestampMonotonic")
            && let Some(back) = time(systemd, unit, "ActiveEnterTimestampMonotonic")
            && let Some(away) = away(since, left, back)
        {
            tell(&format!("{unit} was away for {:.2} s", away.as_secs_f64()));
        }
    }
}

/// A time of a unit since the boot.
fn time(systemd: &mut Systemd, unit: &UnitName, name: &str) -> Option<Duration> {
    match &*systemd.property(unit, "Unit", name).ok()? {
        Variant::U64(microseconds) => Some(Duration::from_micros(*microseconds)),
        _ => None,
    }
}

/// How long a unit was away that left and came back since a time; `None` where it did not do both.
fn away(since: Duration, left: Duration, back: Duration) -> Option<Duration> {
    if left < since { None } else { back.checked_sub(left) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_left_and_came_back_since() {
        let at = Duration::from_secs;
        assert_eq!(away(at(10), at(11), at(13)), Some(at(2)));
        // A restart long ago, one that is not over, and a unit that was never up before.
        assert_eq!(away(at(10), at(8), at(9)), None);
        assert_eq!(away(at(10), at(11), at(9)), None);
        assert_eq!(away(at(10), at(0), at(11)), None);
    }
}
