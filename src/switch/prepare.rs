//! What is made ready before the change: the target is the one that the bundle is for, its users are there. Additive:
//! nothing that runs is touched.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::base::layout;
use crate::base::name::{UnitName, UserName};
use crate::base::path::TargetPath;
use crate::store::bundle::Bundle;
use crate::store::manifest::{ManagedPath, Manifest, Place};
use crate::switch::accounts::Difference;
use crate::switch::apt;
use crate::switch::facts::gather;
use crate::switch::failure::Failure;
use crate::switch::machine::Machine;
use crate::switch::peek::Peek;
use crate::switch::preflight::{Facts, Problem, Wanted, judge, missing};
use crate::switch::state::Pointer;
use crate::switch::users::{self, UsersError};

/// Refuses a target that the bundle cannot work on: system, arch, interpreter, packages, room, ports, folders.
///
/// Where that is asked for, packages that are missing are installed before, if nothing else is wrong.
///
/// # Errors
/// All that is wrong, at once; or why packages could not be installed.
pub fn preflight(
    machine: &Machine,
    bundle: &Bundle,
    (install_packages, tell): (bool, &mut dyn FnMut(&str)),
) -> Result<Facts, Failure> {
    let mut seen = look(machine, bundle)?;
    let missing = missing(&bundle.manifest.packages, &seen.facts);
    if install_packages && !missing.is_empty() {
        refuse(seen.others)?;
        tell(&format!("installing packages: {}", missing.join(" ")));
        apt::install(machine.root.dir(), &missing)?;
        tell("packages are installed, and stay whatever becomes of this switch");
        seen = look(machine, bundle)?;
    }
    refuse(seen.others.into_iter().chain(seen.of_packages).collect())?;
    Ok(seen.facts)
}

/// What a machine is, and what is wrong with it, in words.
struct Seen {
    facts: Facts,
    /// What packages may mend: they bring interpreters, and files that links lead to.
    of_packages: Vec<String>,
    others: Vec<String>,
}

fn look(machine: &Machine, bundle: &Bundle) -> Result<Seen, Failure> {
    let manifest = &bundle.manifest;
    let peek = Peek::open(machine.root.dir())?;
    let ports: BTreeSet<u16> = manifest.checks.iter().filter_map(|check| check.port).collect();
    let facts = gather(&peek, &manifest.target.python, (&ports, &manifest.secrets))?;
    let units: BTreeSet<UnitName> = machine
        .state
        .generations()?
        .bundles()
        .chain([bundle])
        .flat_map(|bundle| bundle.manifest.units.iter().map(|unit| unit.name.clone()))
        .collect();
    let wanted = Wanted {
        target: &manifest.target,
        packages: &manifest.packages,
        bytes: missing_bytes(machine, manifest),
        units: &units,
        secrets: &manifest.secrets,
    };
    let (of_packages, others): (Vec<_>, Vec<_>) =
        judge(&wanted, &facts).into_iter().partition(Problem::is_of_packages);
    let words = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (mut of_packages, mut others) = (words(of_packages), words(others));
    others.extend(dbm_changed(machine, &facts)?);
    of_packages.extend(leads_nowhere(&peek, manifest)?);
    let secrets: BTreeSet<&TargetPath> =
        manifest.secrets.iter().filter(|secret| secret.object.is_none()).map(|secret| &secret.path).collect();
    for path in manifest.paths.iter().map(|managed| &managed.path).chain(secrets) {
        if let Some(folder) = machine.root.writable_by_others(path)? {
            others.push(format!("`{path}` lies below `{folder}`, which others than root can write"));
        }
    }
    Ok(Seen { facts, of_packages, others })
}

fn refuse(problems: Vec<String>) -> Result<(), Failure> {
    match problems.as_slice() {
        [] => Ok(()),
        [only] => Err(Failure::refused(only)),
        _ => Err(Failure::refused("this machine is not what the bundle needs").details(problems)),
    }
}

/// Links straight to what is not there, and comes with nothing of the bundle.
fn leads_nowhere(peek: &Peek, manifest: &Manifest) -> Result<Vec<String>, Failure> {
    let mut problems = Vec::new();
    for managed in &manifest.paths {
        let Place::Straight(to) = &managed.place else { continue };
        let is_ours = manifest.paths.iter().any(|other| other.path == *to)
            || manifest.directories.iter().any(|directory| directory.path == *to);
        if !is_ours && peek.stat(to.as_str())?.is_none() {
            problems.push(format!(
                "`{}` is to lead to `{to}`, which is not there: install the package that it is of",
                managed.path
            ));
        }
    }
    Ok(problems)
}

/// Bytes that objects and derived trees will take: what the store has not, and as much again for bytecode.
fn missing_bytes(machine: &Machine, manifest: &Manifest) -> u64 {
    let store = machine.state.store();
    let missing = manifest.objects.iter().filter(|object| !store.has(&object.name));
    missing.map(|object| object.size).fold(0, u64::saturating_add).saturating_mul(2)
}

/// Comet's event database depends on what the interpreter's `dbm` writes: with another module it would be empty.
fn dbm_changed(machine: &Machine, facts: &Facts) -> Result<Option<String>, Failure> {
    let Some(committed) = machine.state.pointer(Pointer::Committed)? else {
        return Ok(None);
    };
    let before = machine.state.record(committed)?.dbm;
    let now = facts.python.as_ref().map_or("", |python| python.dbm.as_str());
    let changed = !before.is_empty() && !now.is_empty() && before != now;
    Ok(changed.then(|| {
        format!(
            "the interpreter writes new databases with `dbm.{now}`, generation {committed} wrote them with \
             `dbm.{before}`: the broker would not find the events that it has seen"
        )
    }))
}

/// Makes users and groups, and reads them back: systemd-sysusers ends well where a name is taken by somebody else.
///
/// # Errors
/// Where one of them is not as the bundle says, and is not taken as it is.
pub fn make_users(machine: &Machine, bundle: &Bundle) -> Result<(), Failure> {
    let manifest = &bundle.manifest;
    let peek = Peek::open(machine.root.dir())?;
    let wrong = || -> Result<Vec<Difference>, UsersError> {
        Ok(users::read(&peek, names(manifest))?.compare(&manifest.users, &manifest.groups).wrong)
    };
    if wrong()?.is_empty() {
        return Ok(());
    }
    if let Some(file) = file_at(machine, manifest, layout::SYSUSERS)? {
        users::make_users(machine.root.dir(), &file)?;
    }
    let differences = wrong()?;
    if differences.is_empty() {
        return Ok(());
    }
    Err(Failure::refused("the users of this machine are not what the bundle wants")
        .details(differences)
        .help("choose other names in the host file, or change these users yourself"))
}

fn names(manifest: &Manifest) -> Vec<&UserName> {
    let users = manifest.users.iter().map(|user| &user.name);
    users.chain(manifest.groups.iter().map(|group| &group.name)).collect()
}

/// Makes the folders of the bundle, and looks whether they are as it says.
///
/// # Errors
/// Where one of them is not.
pub fn make_directories(machine: &Machine, manifest: &Manifest) -> Result<(), Failure> {
    let Some(file) = file_at(machine, manifest, layout::TMPFILES)? else {
        return Ok(());
    };
    users::make_folders(machine.root.dir(), &file)?;
    let peek = Peek::open(machine.root.dir())?;
    let accounts = users::read(&peek, names(manifest))?;
    let differences = users::folders(&peek, &manifest.directories, &accounts)?;
    if differences.is_empty() {
        return Ok(());
    }
    Err(Failure::refused("folders are not what the bundle wants").details(differences))
}

/// The object that a manifest places at a path.
fn file_at(machine: &Machine, manifest: &Manifest, path: &str) -> Result<Option<PathBuf>, Failure> {
    let path = TargetPath::new(path)?;
    let managed = manifest.paths.iter().find(|managed| managed.path == path);
    let object = managed.and_then(ManagedPath::object);
    Ok(object.map(|object| machine.state.store().path(object)))
}
