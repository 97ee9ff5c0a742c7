//! Transient units: the guard, the switch's own unit, the proof of imports (systemd.service(5), systemd-run(1)).

use std::fs::File;
use std::time::{Duration, Instant};

use zbus::{OwnedObjectPath, Variant};

use crate::base::name::UnitName;
use crate::switch::bus::CALL_TIME;
use crate::switch::failure::Exit;
use crate::switch::jobs::JobResult;
use crate::switch::systemd::{Load, Systemd, SystemdError, manager};
use crate::switch::tool::{self, Output, Tool, ToolError};

/// The D-Bus error for a transient unit whose name is taken.
const TAKEN: &str = "org.freedesktop.systemd1.UnitExists";

/// Why a program did not run in a unit of its own.
#[derive(Debug, thiserror::Error)]
pub enum TransientError {
    /// systemd does not want it.
    #[error(transparent)]
    Systemd(#[from] SystemdError),
    /// `systemd-run` does not run.
    #[error(transparent)]
    Tool(#[from] ToolError),
}

/// A program in a transient service.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// The service.
    pub unit: &'a UnitName,
    /// Its `Description=`.
    pub description: &'a str,
    /// The program by its absolute path, and its arguments.
    pub command: &'a [String],
}

impl Systemd {
    /// Starts the guard: a service that is started again whenever it dies, but not where it says that a person is
    /// needed; that the kernel spares when memory runs out, and that is forgotten when it has ended. Waits until it is
    /// executed, and not for its end.
    ///
    /// # Errors
    /// [`SystemdError::Exists`] where the name is taken; else where systemd refuses.
    pub fn start_guard(&mut self, guard: Program<'_>, within: Duration) -> Result<JobResult, SystemdError> {
        let path = guard.command.first().map_or("", String::as_str);
        let arguments: Vec<String> = guard.command.iter().map(|argument| literal(argument)).collect();
        let command = Variant::from(vec![(path, arguments, false)]);
        // Exit codes, signals. Again and again it would hold the lock, and no new switch could mend anything.
        let stuck = vec![i32::from(Exit::Stuck.code())];
        let properties = vec![
            ("Description", Variant::from(guard.description)),
            ("Type", Variant::from("exec")),
            ("ExecStart", command),
            ("Restart", Variant::from("on-failure")),
            ("RestartPreventExitStatus", Variant::from((stuck, Vec::<i32>::new()))),
            ("RestartUSec", Variant::from(50_000_u64)),
            ("StartLimitIntervalUSec", Variant::from(0_u64)),
            ("OOMScoreAdjust", Variant::from(-900_i32)),
            ("CollectMode", Variant::from("inactive-or-failed")),
        ];
        let result = self.start_transient(guard.unit, properties, within)?;
        if !result.is_done() {
            // Else it would be tried for ever.
            self.stop_no_block(guard.unit)?;
        }
        Ok(result)
    }

    fn start_transient(
        &mut self,
        unit: &UnitName,
        properties: Vec<(&str, Variant<'_>)>,
        within: Duration,
    ) -> Result<JobResult, SystemdError> {
        let until = Instant::now() + within;
        self.watch()?;
        let others: Vec<(&str, Vec<(&str, Variant<'_>)>)> = Vec::new();
        let body = (unit.as_str(), "fail", properties, others);
        let job = self.bus.call(manager("StartTransientUnit"), &body, within.min(CALL_TIME));
        let (job,): (OwnedObjectPath,) = job.map_err(|source| {
            if source.is(TAKEN) {
                SystemdError::Exists(unit.clone())
            } else {
                SystemdError::Unit { unit: unit.to_string(), source }
            }
        })?;
        self.wait_for_job(unit, &job, until)
    }

    /// Runs a program in a transient service with our own input, output and terminal, and waits for its end: its
    /// exit code. `properties` are settings of units, as in a unit file.
    ///
    /// # Errors
    /// [`SystemdError::Exists`] where the name is taken: looked up before, since `systemd-run` has only words for it.
    pub fn run_attached(
        &mut self,
        program: Program<'_>,
        properties: &[(&str, &str)],
    ) -> Result<i32, TransientError> {
        let states = self.units(&[program.unit])?;
        if states.values().any(|state| state.load != Load::NotFound) {
            return Err(SystemdError::Exists(program.unit.clone()).into());
        }
        let ended = systemd_run(program, properties, Duration::MAX).run_attached()?;
        Ok(tool::code(ended))
    }
}

/// Runs a program in a transient service without input, waits for its end and gives what it wrote; its standard output
/// goes into a file where there is one.
///
/// # Errors
/// Where `systemd-run` cannot be started or the time is over. A bad end is no error here.
pub fn run_captured(
    program: Program<'_>,
    (properties, stdout): (&[(&str, &str)], Option<File>),
    within: Duration,
) -> Result<Output, ToolError> {
    systemd_run(program, properties, within).stdout(stdout).run()
}

fn systemd_run(program: Program<'_>, properties: &[(&str, &str)], within: Duration) -> Tool {
    Tool::new("systemd-run", within)
        .args(["--quiet", "--pipe", "--wait", "--collect", "--service-type=exec"])
        .arg(format!("--unit={}", program.unit))
        .arg(format!("--description={}", program.description))
        .args(properties.iter().map(|(key, value)| format!("--property={key}={value}")))
        .arg("--")
        .args(program.command.iter().map(|argument| literal(argument)))
}

/// An argument as it must be written so that systemd gives it unchanged to the program: it puts variables of the
/// environment in the place of `$X`, in transient units too (systemd.service(5), "Command lines"; tried).
fn literal(argument: &str) -> String {
    argument.replace('$', "$$")
}
