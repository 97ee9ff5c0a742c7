//! The units of the machine: ask and tell PID 1 (org.freedesktop.systemd1(5)).
//!
//! Open one, use it and drop it: systemd queues every signal for a peer that does not read.
//!
//! Jobs are in [`crate::switch::jobs`], transient units in [`crate::switch::transient`], what a unit left behind in
//! [`crate::switch::traces`].

use std::collections::BTreeMap;
use std::time::Duration;

use zbus::{OwnedObjectPath, OwnedVariant, Variant};

use crate::base::name::UnitName;
use crate::store::manifest::treatment::{has_type, is_template};
use crate::switch::bus::{Bus, BusError, CALL_TIME};
use crate::switch::dbus::{Method, unit_path};

/// `systemctl daemon-reload` waits twice the default time-out of a call to PID 1, which is 90 s.
const RELOAD_TIME: Duration = Duration::from_mins(3);

/// What went wrong between us and systemd.
#[derive(Debug, thiserror::Error)]
pub enum SystemdError {
    /// About a unit.
    #[error("`{unit}`: {source}")]
    Unit {
        /// The unit.
        unit: String,
        /// Why.
        source: BusError,
    },
    /// About no unit.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// An answer that makes no sense.
    #[error("`{unit}`: systemd gave no {what}")]
    Odd {
        /// The unit.
        unit: String,
        /// What was expected.
        what: &'static str,
    },
    /// The name of a transient unit is taken.
    #[error("`{0}` is there already: is the same under way?")]
    Exists(UnitName),
}

/// Whether a unit's files could be read (`LoadState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// They could.
    Loaded,
    /// There is no such unit.
    NotFound,
    /// The administrator masked it.
    Masked,
    /// They are wrong: `bad-setting` or `error`.
    Bad,
    /// Any other state.
    Other,
}

/// What a unit does (`ActiveState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Active {
    /// It runs, or it ended and remains.
    Active,
    /// It reads its configuration again.
    Reloading,
    /// It does nothing.
    Inactive,
    /// It ended badly.
    Failed,
    /// It is being started.
    Activating,
    /// It is being stopped.
    Deactivating,
    /// Any other state, such as `maintenance`.
    Other,
}

/// What systemd knows of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitState {
    /// Whether its files could be read.
    pub load: Load,
    /// What it does.
    pub active: Active,
    /// The same in finer words of its type, such as `auto-restart` (`SubState`).
    pub sub: String,
    /// The number of the job that is queued for it.
    pub job: Option<u32>,
}

impl UnitState {
    /// Whether the administrator masked it.
    #[must_use]
    pub fn masked(&self) -> bool {
        self.load == Load::Masked
    }
}

/// A connection to systemd.
#[derive(Debug)]
pub struct Systemd {
    pub(crate) bus: Bus,
    pub(crate) watching: bool,
}

/// A row of `ListUnitsByNames`: name, description, load, active and sub state, followed unit, object, job's number,
/// type and object.
type Row = (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

pub(crate) const fn manager(member: &str) -> Method<'_> {
    Method { path: "/org/freedesktop/systemd1", interface: "org.freedesktop.systemd1.Manager", member }
}

impl Systemd {
    /// Connects: to PID 1 itself where we may, else through the system bus.
    ///
    /// # Errors
    /// Where there is no systemd.
    pub fn open() -> Result<Self, SystemdError> {
        Ok(Self { bus: Bus::open()?, watching: false })
    }

    /// The states of these units, in one call. It loads those that are not loaded yet. Templates have none and are
    /// left out.
    ///
    /// # Errors
    /// Where systemd does not say.
    pub fn units(&mut self, units: &[&UnitName]) -> Result<BTreeMap<UnitName, UnitState>, SystemdError> {
        let asked: Vec<&UnitName> = units.iter().copied().filter(|unit| !is_template(unit)).collect();
        if asked.is_empty() {
            return Ok(BTreeMap::new());
        }
        let names: Vec<&str> = asked.iter().map(|unit| unit.as_str()).collect();
        let (rows,): (Vec<Row>,) = self.ask(manager("ListUnitsByNames"), &(names,))?;
        // In the order of the question; a row's own name may be another, where the one asked for is an alias.
        if rows.len() != asked.len() {
            return Err(SystemdError::Odd { unit: asked[0].to_string(), what: "state for each unit" });
        }
        Ok(asked.into_iter().cloned().zip(rows.iter().map(state)).collect())
    }

    /// Has systemd read all unit files again and run the generators; waits until it has.
    ///
    /// # Errors
    /// Where it does not.
    pub fn reload(&mut self) -> Result<(), SystemdError> {
        Ok(self.bus.call(manager("Reload"), &(), RELOAD_TIME)?)
    }

    /// Queues a start and does not wait for it.
    ///
    /// # Errors
    /// Where systemd refuses.
    pub fn start_no_block(&mut self, unit: &UnitName) -> Result<(), SystemdError> {
        let _job: (OwnedObjectPath,) = self.about(unit, manager("StartUnit"), &(unit.as_str(), "replace"))?;
        Ok(())
    }

    /// Queues a stop and does not wait for it.
    ///
    /// # Errors
    /// Where systemd refuses.
    pub fn stop_no_block(&mut self, unit: &UnitName) -> Result<(), SystemdError> {
        let _job: (OwnedObjectPath,) = self.about(unit, manager("StopUnit"), &(unit.as_str(), "replace"))?;
        Ok(())
    }

    /// Takes back the jobs that are queued for these units; what a job has begun by then stays begun.
    ///
    /// # Errors
    /// Where systemd does not say what is queued.
    pub fn cancel_jobs(&mut self, units: &[&UnitName]) -> Result<(), SystemdError> {
        for job in self.units(units)?.into_values().filter_map(|state| state.job) {
            let cancelled: Result<(), BusError> = self.bus.call(manager("CancelJob"), &(job,), CALL_TIME);
            // One that has ended meanwhile is as good.
            if let Err(error) = cancelled
                && !error.is("org.freedesktop.systemd1.NoSuchJob")
            {
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Sends a signal to all processes of a unit.
    ///
    /// # Errors
    /// Where systemd refuses, or the unit has no process.
    pub fn kill(&mut self, unit: &UnitName, signal: i32) -> Result<(), SystemdError> {
        self.about(unit, manager("KillUnit"), &(unit.as_str(), "all", signal))
    }

    /// Forgets that the unit failed, and how often it was started.
    ///
    /// # Errors
    /// Where systemd refuses, or does not know the unit.
    pub fn reset_failed(&mut self, unit: &UnitName) -> Result<(), SystemdError> {
        self.about(unit, manager("ResetFailedUnit"), &(unit.as_str(),))
    }

    /// A property of a unit; `interface` without `org.freedesktop.systemd1.`, such as `Unit` or `Service`.
    ///
    /// # Errors
    /// Where it has no such property.
    pub fn property(
        &mut self,
        unit: &UnitName,
        interface: &str,
        name: &str,
    ) -> Result<OwnedVariant, SystemdError> {
        let path = unit_path(unit.as_str());
        let get = Method { path: &path, interface: "org.freedesktop.DBus.Properties", member: "Get" };
        let interface = format!("org.freedesktop.systemd1.{interface}");
        let (value,): (OwnedVariant,) = self
            .ask(get, &(interface, name))
            .map_err(|source| SystemdError::Unit { unit: unit.to_string(), source })?;
        Ok(value)
    }

    /// How often systemd itself started a service again.
    ///
    /// # Errors
    /// Where systemd does not say, or the unit is no service.
    pub fn restarts(&mut self, unit: &UnitName) -> Result<u32, SystemdError> {
        self.number(unit, "NRestarts")
    }

    /// The id of the unit's latest start, in hex; `None` where it was never started.
    ///
    /// # Errors
    /// Where systemd does not say.
    pub fn invocation(&mut self, unit: &UnitName) -> Result<Option<String>, SystemdError> {
        let value = self.property(unit, "Unit", "InvocationID")?;
        let bytes: Vec<u8> = Vec::try_from(Variant::from(value))
            .map_err(|_| SystemdError::Odd { unit: unit.to_string(), what: "`InvocationID`" })?;
        Ok((!bytes.is_empty()).then(|| data_encoding::HEXLOWER.encode(&bytes)))
    }

    /// Whether a unit is a service that does its work and ends (systemd.service(5), `Type=oneshot` without
    /// `RemainAfterExit=`).
    ///
    /// # Errors
    /// Where systemd does not say.
    pub fn ends_by_itself(&mut self, unit: &UnitName) -> Result<bool, SystemdError> {
        if !has_type(unit, "service") {
            return Ok(false);
        }
        let oneshot =
            matches!(&*self.property(unit, "Service", "Type")?, Variant::Str(kind) if kind == "oneshot");
        Ok(oneshot && *self.property(unit, "Service", "RemainAfterExit")? == Variant::Bool(false))
    }

    fn number(&mut self, unit: &UnitName, name: &'static str) -> Result<u32, SystemdError> {
        match &*self.property(unit, "Service", name)? {
            Variant::U32(number) => Ok(*number),
            _ => Err(SystemdError::Odd { unit: unit.to_string(), what: name }),
        }
    }

    /// A call that changes nothing, so that it can be made again where PID 1 executed itself anew meanwhile.
    fn ask<B, R>(&mut self, method: Method<'_>, body: &B) -> Result<R, BusError>
    where
        B: serde::Serialize + zbus::Type,
        R: serde::de::DeserializeOwned + zbus::Type,
    {
        match self.bus.call(method, body, CALL_TIME) {
            Err(BusError::Broken { .. }) => {
                *self = Self { bus: Bus::open()?, watching: false };
                self.bus.call(method, body, CALL_TIME)
            }
            answer => answer,
        }
    }

    /// A call about a unit.
    pub(crate) fn about<B, R>(
        &mut self,
        unit: &UnitName,
        method: Method<'_>,
        body: &B,
    ) -> Result<R, SystemdError>
    where
        B: serde::Serialize + zbus::Type,
        R: serde::de::DeserializeOwned + zbus::Type,
    {
        self.bus
            .call(method, body, CALL_TIME)
            .map_err(|source| SystemdError::Unit { unit: unit.to_string(), source })
    }
}

fn state(row: &Row) -> UnitState {
    let load = match row.2.as_str() {
        "loaded" => Load::Loaded,
        "not-found" => Load::NotFound,
        "masked" => Load::Masked,
        "bad-setting" | "error" => Load::Bad,
        _ => Load::Other,
    };
    let active = match row.3.as_str() {
        "active" => Active::Active,
        "reloading" | "refreshing" => Active::Reloading,
        "inactive" => Active::Inactive,
        "failed" => Active::Failed,
        "activating" => Active::Activating,
        "deactivating" => Active::Deactivating,
        _ => Active::Other,
    };
    UnitState { load, active, sub: row.4.clone(), job: (row.7 != 0).then_some(row.7) }
}
