//! Where the lines of the live generation come from: the provenance that arrived with its bundle.

use std::path::Path;

use crate::store::bundle::Bundle;
use crate::store::import::{import_provenance, provenance_beside};
use crate::store::object::ObjectName;
use crate::store::provenance::Provenance;
use crate::store::provenance::answer::Texts;
use crate::store::provenance::show::shown;
use crate::switch::failure::{Exit, Failure};
use crate::switch::machine::Machine;
use crate::switch::record::Record;
use crate::switch::state::{Pointer, State};

/// Takes the provenance that lies beside a bundle's store. One that cannot be used is said and left: a switch does not
/// depend on it.
pub fn receive(
    machine: &Machine,
    bundle: &Bundle,
    store: &Path,
    tell: &mut dyn FnMut(&str),
) -> Option<ObjectName> {
    import_provenance(bundle, store, &machine.state.store()).unwrap_or_else(|error| {
        tell(&format!("note: where lines come from will not be known: {error}"));
        None
    })
}

/// Notes another provenance of the bundle that is live already: a line of its sources moved, or none had come with it.
///
/// # Errors
/// Where the record cannot be read or written.
pub fn renew(
    machine: &Machine,
    bundle: &Bundle,
    store: &Path,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    let Some(live) = machine.state.pointer(Pointer::Current)? else { return Ok(()) };
    let beside = provenance_beside(bundle, store);
    if beside.is_none() {
        return Ok(());
    }
    let record = machine.state.record(live)?;
    if record.provenance == beside || record.bundle != bundle.name {
        return Ok(());
    }
    if let Some(new) = receive(machine, bundle, store, tell) {
        machine.state.update(&Record { provenance: Some(new), ..record })?;
        tell("where its lines come from is known anew");
    }
    Ok(())
}

/// The answer to a question about the live generation, as text.
///
/// # Errors
/// Where there is no generation, it has no provenance, or the question names nothing.
pub fn why(state: &State, question: &str) -> Result<String, Failure> {
    let wrong = |message: String| Failure::refused(message).exit(Exit::Usage);
    let live = state.pointer(Pointer::Current)?;
    let live = live
        .ok_or_else(|| wrong("nothing was activated here yet".to_owned()).help("switch to a bundle first"))?;
    let Some(name) = state.record(live)?.provenance else {
        return Err(wrong(format!("it is not known where the lines of generation {live} come from"))
            .help("copy `generated/.provenance` along with the bundle and its store, and switch to it again")
            .help("or ask where the host file is: `voevent-build why HOST QUESTION`"));
    };
    let store = state.store();
    let provenance = Provenance::read(&store.read(&name)?).map_err(|error| {
        Failure::refused(format!("`{name}`: {error}")).help("copy it again, and switch again")
    })?;
    let object = |name: &ObjectName| store.read(name).ok();
    let texts = Texts { object: &object, source: &|_, _| None };
    let answer = provenance.answer(question, &texts);
    answer.map(|answer| shown(&answer)).map_err(|error| wrong(error.message).help(error.help))
}
