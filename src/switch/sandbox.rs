//! Programs that prove something, each in a transient service that can write nothing that stays.

use std::time::{Duration, Instant};

use crate::base::name::{UnitName, UserName};
use crate::switch::tool::{Output, ToolError};
use crate::switch::transient::{Program, run_captured};

/// What every such program is kept from, whoever it runs as.
pub const READ_ONLY: [(&str, &str); 11] = [
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
pub const UNPRIVILEGED: [(&str, &str); 11] = [
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

/// Says that the program before it ended well: systemd would say so of a unit that was stopped, too.
const SAY_END: &str = "\"$@\" || exit; echo \"$0\"";

/// Runs a command as a user, or as one that nobody else is, until it ends.
///
/// # Errors
/// Where it does not end well in time, with the last lines that it wrote.
pub fn run(command: &[String], user: Option<&UserName>, within: Duration) -> Result<Output, ProofError> {
    let unit = proof_unit()?;
    let shown = command.join(" ");
    let end = format!("ended in {unit}");
    let mut shell = vec!["/bin/sh".to_owned(), "-c".to_owned(), SAY_END.to_owned(), end.clone()];
    shell.extend(command.iter().cloned());
    let description = format!("Check of voevent-node: {shown}");
    let limit = format!("{}ms", within.as_millis());
    let mut properties = vec![("RuntimeMaxSec", limit.as_str())];
    properties.extend(READ_ONLY);
    match user.map(UserName::as_str) {
        // What root may do is why a check asks for it.
        Some("root") => {}
        Some(user) => properties.extend(UNPRIVILEGED.into_iter().chain([("User", user)])),
        None => properties.extend(UNPRIVILEGED.into_iter().chain([("DynamicUser", "yes")])),
    }
    let begun = Instant::now();
    let program = Program { unit: &unit, description: &description, command: &shell };
    let output = run_captured(program, &properties, within + Duration::from_secs(30))?;
    match output.good() {
        Ok(output) if output.stdout.lines().any(|line| line == end) => Ok(output),
        Ok(_) => Err(ProofError::Stopped(shown)),
        Err(_) if begun.elapsed() >= within => Err(ProofError::TooSlow {
            program: shown,
            within: humantime::format_duration(within).to_string(),
        }),
        Err(error) => Err(error.into()),
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
