//! Programs that prove or make something, each in a transient service that can write nothing else that stays.

use std::fs::File;
use std::time::{Duration, Instant};

use crate::base::name::{UnitName, UserName};
use crate::switch::tool::{Output, ToolError};
use crate::switch::transient::{Program, run_captured};

/// What every such program is kept from, whoever it runs as.
const READ_ONLY: [(&str, &str); 11] = [
    ("KillMode", "control-group"),
    ("PrivateTmp", "yes"),
    ("PrivateIPC", "yes"),
    ("InaccessiblePaths", "-/dev/shm"),
    ("ProtectSystem", "strict"),
    ("ProtectClock", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectControlGroups", "yes"),
    ("NoNewPrivileges", "yes"),
    ("UMask", "0077"),
];

/// What one is kept from besides that runs as somebody without any privilege.
const UNPRIVILEGED: [(&str, &str); 11] = [
    ("PrivateDevices", "yes"),
    ("ProtectHome", "yes"),
    ("ProtectProc", "invisible"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("CapabilityBoundingSet", ""),
    ("LockPersonality", "yes"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
    ("SystemCallFilter", "@system-service"),
];

/// The settings of a program that runs as a user that nobody is, reaches nobody, and ends when the unit `switch` does.
#[must_use]
pub fn nobodys(switch: Option<&UnitName>) -> Vec<(&'static str, &str)> {
    let mut properties = vec![("DynamicUser", "yes"), ("PrivateNetwork", "yes")];
    properties.extend(UNPRIVILEGED);
    if let Some(switch) = switch {
        properties.extend([("BindsTo", switch.as_str()), ("After", switch.as_str())]);
    }
    properties
}

/// Why a program did not prove anything.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The kernel gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    NoRandom(rustix::io::Errno),
    /// It could not be run, or failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// It took too long.
    #[error("`{program}` did not end within {within}")]
    TooSlow {
        /// The program.
        program: String,
        /// How long it could take, in words.
        within: String,
    },
    /// systemd says that the unit ended well, but the program did not come to its end.
    #[error("`{0}` was stopped")]
    Stopped(String),
}

/// A name that nobody can take before us: `voevent-proof-<16 hex>.service`.
///
/// # Errors
/// Where the kernel gives no random bytes.
pub fn proof_unit() -> Result<UnitName, ProofError> {
    let mut bytes = [0_u8; 8];
    let flags = rustix::rand::GetRandomFlags::empty();
    rustix::rand::getrandom(&mut bytes, flags).map_err(ProofError::NoRandom)?;
    let name = format!("voevent-proof-{}.service", data_encoding::HEXLOWER.encode(&bytes));
    UnitName::new(name).map_err(|_| ProofError::NoRandom(rustix::io::Errno::INVAL))
}

/// How a program ended that should say a line when it comes to its end.
#[derive(Debug)]
pub enum Ended {
    /// It said so.
    Well,
    /// It, or its unit, ended well without that: systemd says so of a unit that was stopped, too.
    Early,
    /// Its time was over.
    Late,
    /// It failed.
    Badly(ToolError),
}

/// Runs a program in a transient service until it ends, or its time is over; `end` is the line that it says last.
///
/// # Errors
/// Where it cannot be run.
pub fn prove(
    program: Program<'_>,
    end: &str,
    properties: &[(&str, &str)],
    within: Duration,
) -> Result<Ended, ToolError> {
    let said = |output: &Output| output.stdout.lines().any(|line| line == end);
    confined(program, (properties, None), within, said)
}

/// Runs a program that makes something, likewise: it is what the program writes to standard output, whose end tells
/// whether it came to its own.
///
/// # Errors
/// Where it cannot be run.
pub fn make(
    program: Program<'_>,
    properties: &[(&str, &str)],
    within: Duration,
    made: File,
) -> Result<Ended, ToolError> {
    confined(program, (properties, Some(made)), within, |_| true)
}

fn confined(
    program: Program<'_>,
    (properties, stdout): (&[(&str, &str)], Option<File>),
    within: Duration,
    came_to_its_end: impl FnOnce(&Output) -> bool,
) -> Result<Ended, ToolError> {
    let limit = format!("{}ms", within.as_millis());
    let mut all = vec![("RuntimeMaxSec", limit.as_str())];
    all.extend(READ_ONLY);
    all.extend(properties);
    // systemd ends it in time; our own limit is for a systemd that does not.
    let begun = Instant::now();
    let output = run_captured(program, (&all, stdout), within + Duration::from_secs(30))?;
    Ok(match output.good() {
        Ok(output) if came_to_its_end(&output) => Ended::Well,
        Ok(_) => Ended::Early,
        Err(_) if begun.elapsed() >= within => Ended::Late,
        Err(error) => Ended::Badly(error),
    })
}

/// Says that the program before it ended well.
const SAY_END: &str = "\"$@\" || exit; echo \"$0\"";

/// Runs a command as a user, or as one that nobody else is, until it ends.
///
/// # Errors
/// Where it does not end well in time, with the last lines that it wrote.
pub fn run(command: &[String], user: Option<&UserName>, within: Duration) -> Result<(), ProofError> {
    let unit = proof_unit()?;
    let shown = command.join(" ");
    let end = format!("ended in {unit}");
    let mut shell = vec!["/bin/sh".to_owned(), "-c".to_owned(), SAY_END.to_owned(), end.clone()];
    shell.extend(command.iter().cloned());
    let description = format!("Check of voevent-node: {shown}");
    let properties: Vec<(&str, &str)> = match user.map(UserName::as_str) {
        // What root may do is why a check asks for it.
        Some("root") => Vec::new(),
        Some(user) => UNPRIVILEGED.into_iter().chain([("User", user)]).collect(),
        None => UNPRIVILEGED.into_iter().chain([("DynamicUser", "yes")]).collect(),
    };
    let program = Program { unit: &unit, description: &description, command: &shell };
    match prove(program, &end, &properties, within)? {
        Ended::Well => Ok(()),
        Ended::Early => Err(ProofError::Stopped(shown)),
        Ended::Late => Err(ProofError::TooSlow {
            program: shown,
            within: humantime::format_duration(within).to_string(),
        }),
        Ended::Badly(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_proofs_differ() {
        assert_ne!(proof_unit().unwrap(), proof_unit().unwrap());
    }
}
