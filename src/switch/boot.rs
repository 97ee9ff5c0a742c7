//! What happens at boot: files of what is not committed are put back before anything reads them, the secrets of what is
//! live are decrypted, then our units start;
//! when the machine is up, what was put back is proven.

use crate::base::layout;
use crate::base::name::UnitName;
use crate::switch::failure::{Failure, both};
use crate::switch::machine::Machine;
use crate::switch::perform::Part;
use crate::switch::recover::{Recovered, recover};
use crate::switch::secrets;
use crate::switch::state::Pointer;
use crate::switch::systemd::Load;

/// Why what is pending at boot is put back.
const CAUSE: &str = "the machine went down before it was done";

/// Before `sysinit.target`: puts files back where an activation is pending, decrypts secrets, and starts our units, not
/// waiting for them.
///
/// # Errors
/// Where something could not be put back.
pub fn boot(machine: &mut Machine) -> Result<Recovered, Failure> {
    let recovered = put_back(machine);
    // What could not be put back is no reason not to start what is live.
    both(recovered, start(machine))
}

fn put_back(machine: &mut Machine) -> Result<Recovered, Failure> {
    machine.state.prepare()?;
    let _lock = machine.state.lock()?;
    let recovered = recover(machine, Part::Files, CAUSE);
    // Memory was lost with the power. What has no secrets is started all the same.
    both(recovered, unseal_live(machine))
}

fn unseal_live(machine: &Machine) -> Result<(), Failure> {
    match machine.state.generations()?.live {
        Some(live) => secrets::unseal(machine, &live.bundle),
        None => Ok(()),
    }
}

/// Starts our units where there are any and the administrator did not mask them all.
fn start(machine: &mut Machine) -> Result<(), Failure> {
    let target = UnitName::new(layout::TARGET_UNIT)?;
    let Some(systemd) = &mut machine.systemd else {
        return Ok(());
    };
    if machine.state.pointer(Pointer::Current)?.is_none() {
        return Ok(());
    }
    match systemd.units(&[&target])?.get(&target).map(|state| state.load) {
        Some(Load::Masked) => return Ok(()),
        Some(Load::Loaded) => {}
        // The generator saw nothing where /var was not mounted yet.
        _ => systemd.reload()?,
    }
    // Blocking would wait for units that wait for this one.
    Ok(systemd.start_no_block(&target)?)
}

/// When the machine is up: proves what was put back, and writes the outcome.
///
/// # Errors
/// Where the committed generation does not work either.
pub fn boot_check(machine: &mut Machine) -> Result<Recovered, Failure> {
    let _lock = machine.state.lock()?;
    recover(machine, Part::Whole, CAUSE)
}
