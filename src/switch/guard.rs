//! Who reverts when the switch cannot: a transient service of its own that outlives the switch.
//!
//! It waits until the switch's lock is free, because the switch ended or died, or until the deadline, because it hangs.
//! A guard names its generation: if that is not pending any more, it does nothing.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::base::layout::RUN_UNIT;
use crate::base::name::UnitName;
use crate::store::object::ObjectName;
use crate::switch::failure::Failure;
use crate::switch::machine::Machine;
use crate::switch::perform::Part;
use crate::switch::recover::{Recovered, recover};
use crate::switch::state::{Lock, Pointer};
use crate::switch::systemd::Load;
use crate::switch::transient::Program;

/// How long the kernel may take to end a killed switch.
const DYING: Duration = Duration::from_secs(30);

/// The time since boot, suspensions included (`CLOCK_BOOTTIME`): no clock change moves it.
#[must_use]
pub fn boot_time() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Starts the guard of generation `number`, by the activator's own object, and waits until it is executed.
///
/// # Errors
/// Where it does not start: then nothing may be changed.
pub fn start_guard(
    machine: &mut Machine,
    number: u64,
    (activator, deadline): (&ObjectName, Duration),
) -> Result<(), Failure> {
    let program = machine.state.store().path(activator).to_string_lossy().into_owned();
    let Some(systemd) = &mut machine.systemd else {
        return Ok(());
    };
    let unit = unit(number)?;
    let command = [program, "guard".to_owned(), number.to_string(), deadline.as_millis().to_string()];
    let description = format!("VOEvent node: reverts generation {number} if its switch does not end");
    let result =
        systemd.start_guard(Program { unit: &unit, description: &description, command: &command }, DYING)?;
    if result.is_done() {
        Ok(())
    } else {
        Err(Failure::refused(format!("the guard `{unit}` {}", result.words())))
    }
}

/// Whether the guard of a generation has not ended.
///
/// # Errors
/// Where systemd does not say.
pub fn is_guarded(machine: &mut Machine, number: u64) -> Result<bool, Failure> {
    let unit = unit(number)?;
    match &mut machine.systemd {
        Some(systemd) => Ok(systemd.units(&[&unit])?.values().any(|state| state.load != Load::NotFound)),
        None => Ok(false),
    }
}

fn unit(number: u64) -> Result<UnitName, Failure> {
    Ok(UnitName::new(format!("voevent-guard-{number}.service"))?)
}

/// Guards the activation of generation `number` until it ends, or until `deadline` (since boot).
///
/// # Errors
/// Where the committed generation could not be put back. Where a person is needed the service ends with that; else it is
/// started again.
pub fn guard(machine: &mut Machine, number: u64, deadline: Duration) -> Result<Recovered, Failure> {
    let Some((_lock, cause)) = lock(machine, number, deadline)? else {
        return Ok(Recovered::Nothing);
    };
    if machine.state.pointer(Pointer::Pending)? != Some(number) {
        return Ok(Recovered::Nothing);
    }
    recover(machine, Part::Whole, cause)
}

/// Takes the lock when it is free. At the deadline its holder is killed first, unless the generation is not pending any
/// more: then the holder is a later switch, and none of this guard's business.
fn lock(
    machine: &mut Machine,
    number: u64,
    deadline: Duration,
) -> Result<Option<(Lock, &'static str)>, Failure> {
    let (sender, receiver) = channel();
    let state = machine.state.clone();
    // Only waits; what changes the machine is this thread.
    std::thread::spawn(move || sender.send(state.lock()));
    match receiver.recv_timeout(deadline.saturating_sub(boot_time())) {
        Ok(lock) => return Ok(Some((lock?, "the switch ended before it was done"))),
        Err(RecvTimeoutError::Disconnected) => return Err(Failure::refused("the lock cannot be taken")),
        Err(RecvTimeoutError::Timeout) => {}
    }
    if machine.state.pointer(Pointer::Pending)? != Some(number) {
        return Ok(None);
    }
    if let Some(systemd) = &mut machine.systemd {
        // It may have ended by itself in this moment.
        let _ = systemd.kill(&UnitName::new(RUN_UNIT)?, rustix::process::Signal::KILL.as_raw());
    }
    let lock = receiver
        .recv_timeout(DYING)
        .map_err(|_| Failure::refused("the switch was killed at its deadline and still holds the lock"))?;
    Ok(Some((lock?, "the switch took longer than it may")))
}
