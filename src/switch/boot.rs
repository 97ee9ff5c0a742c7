//! What happens at boot: files of what is not committed are put back before anything reads them, then our units start;
//! when the machine is up, what was put back is proven.

use crate::base::layout;
use crate::base::name::UnitName;
use crate::switch::failure::Failure;
use crate::switch::machine::Machine;
use crate::switch::perform::Part;
use crate::switch::recover::{Recovered, recover};
use crate::switch::state::Pointer;
use crate::switch::systemd::Load;

/// Before `sysinit.target`: puts files back where an activation is pending, and starts our units, not waiting for them.
///
/// # Errors
/// Where something could not be put back.
pub fn boot(machine: &mut Machine) -> Result<Recovered, Failure> {
    machine.state.prepare()?;
    let _lock = machine.state.lock()?;
    let recovered = recover(machine, Part::Files, "the machine went down before it was done");
    let live = machine.state.pointer(Pointer::Current)?.is_some();
    let target = UnitName::new(layout::TARGET_UNIT)?;
    let Some(systemd) = &mut machine.systemd else {
        return recovered;
    };
    // The generator saw nothing where /var was not mounted yet.
    let loaded = systemd.units(&[&target])?.get(&target).is_some_and(|state| state.load == Load::Loaded);
    if live && !loaded {
        systemd.reload()?;
    }
    if live {
        // Blocking would wait for units that wait for this one.
        systemd.start_no_block(&target)?;
    }
    recovered
}

/// When the machine is up: proves what was put back, and writes the outcome.
///
/// # Errors
/// Where the committed generation does not work either.
pub fn boot_check(machine: &mut Machine) -> Result<Recovered, Failure> {
    let _lock = machine.state.lock()?;
    recover(machine, Part::Whole, "the machine went down before it was done")
}
