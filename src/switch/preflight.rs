//! Whether a machine is the one that a bundle was compiled for, judged from facts ([`crate::switch::facts`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::name::{PackageName, UnitName};
use crate::base::path::TargetPath;
use crate::store::manifest::{Secret, Target};

/// What a machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// `ID-VERSION_ID` of os-release(5), as `debian-12`.
    pub system: String,
    /// The machine, as uname(2) says.
    pub machine: String,
    /// The interpreter, or why it is of no use.
    pub python: Result<Python, String>,
    /// The packages of the distribution that are installed.
    pub packages: BTreeSet<String>,
    /// Bytes that may still be written where the state lies.
    pub free: u64,
    /// Who listens, on the ports that were asked about.
    pub listeners: Vec<Listener>,
    /// What lies where secrets should, by path.
    pub secrets: BTreeMap<TargetPath, SecretFile>,
}

/// What lies where a secret should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretFile {
    /// Nothing.
    Missing,
    /// It, or a folder on the way, is a link.
    Linked,
    /// A folder, a device or the like.
    Other,
    /// A regular file.
    File {
        /// Its owner.
        owner: u32,
        /// Its permission bits.
        mode: u32,
    },
}

/// A Python interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// Its version, as `3.11.2`.
    pub version: String,
    /// The tag of the extension modules that it loads, as `cpython-311-x86_64-linux-gnu`.
    pub soabi: String,
    /// The library that new databases of `dbm` are written with: `sqlite3`, `gnu`, `ndbm`, `dumb`; `none` without `dbm`.
    pub dbm: String,
}

/// A process that listens on a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// The port.
    pub port: u16,
    /// The process, where it can be seen.
    pub pid: Option<u32>,
    /// Its name, as the kernel has it.
    pub command: String,
    /// The unit that it belongs to.
    pub unit: Option<String>,
}

/// What a bundle needs.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The target that it was compiled for.
    pub target: &'a Target,
    /// Packages of the distribution.
    pub packages: &'a [PackageName],
    /// Bytes that will be written.
    pub bytes: u64,
    /// Units whose processes may hold the ports.
    pub units: &'a BTreeSet<UnitName>,
    /// Secrets that units load.
    pub secrets: &'a [Secret],
}

/// A reason not to begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Another distribution, or another version of it.
    #[error("the bundle is for `{wanted}`, this is `{found}`: set `host.system` and build again")]
    System {
        /// What it was compiled for.
        wanted: String,
        /// What this is.
        found: String,
    },
    /// Another machine.
    #[error("the bundle is for `{wanted}`, this machine is `{found}`: set `host.arch` and build again")]
    Machine {
        /// What it was compiled for.
        wanted: String,
        /// What this is.
        found: String,
    },
    /// No interpreter that runs.
    #[error("`{path}` cannot be used: {reason}; install the distribution's `python{version}`")]
    NoPython {
        /// Where it should be.
        path: String,
        /// The minor version, as `3.11`.
        version: String,
        /// Why not.
        reason: String,
    },
    /// Another interpreter.
    #[error("`{path}` is {what} `{found}`, where the bundle needs `{wanted}`")]
    OtherPython {
        /// Where it is.
        path: String,
        /// What is compared.
        what: &'static str,
        /// What is needed.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// Packages that are not installed.
    #[error(
        "packages are missing: switch with `--install-packages`, or run `apt-get install --no-install-recommends {}`",
        .0.join(" ")
    )]
    Packages(Vec<String>),
    /// Not enough room.
    #[error("{needed} bytes are needed and {free} are free: make room")]
    Space {
        /// What will be written, and some to spare.
        needed: u64,
        /// What may be.
        free: u64,
    },
    /// A port that somebody else has.
    #[error("port {port} is taken by {who}: stop it, or choose another port")]
    Port {
        /// The port.
        port: u16,
        /// The process and its unit, in words.
        who: String,
    },
    /// A secret that is not there, or not root's alone.
    #[error("the secret `{name}` of `{unit}` is wanted at `{path}`: {reason}")]
    Secret {
        /// The credential's name.
        name: String,
        /// The unit that loads it.
        unit: UnitName,
        /// Where it should be.
        path: TargetPath,
        /// What is there instead, and what to do.
        reason: String,
    },
}

impl Problem {
    /// Whether the installation of packages may end it: an interpreter is one.
    #[must_use]
    pub const fn is_of_packages(&self) -> bool {
        matches!(self, Self::Packages(_) | Self::NoPython { .. })
    }
}

/// The path of the interpreter for a minor version.
#[must_use]
pub fn interpreter(version: &str) -> String {
    format!("/usr/bin/python{version}")
}

/// Every reason not to begin; none where the machine will do.
#[must_use]
pub fn judge(wanted: &Wanted<'_>, facts: &Facts) -> Vec<Problem> {
    // The system needs some room itself, to log that there is none left.
    const SPARE: u64 = 16 << 20;
    let mut problems = Vec::new();
    let target = wanted.target;
    if facts.system != target.system {
        problems.push(Problem::System { wanted: target.system.clone(), found: facts.system.clone() });
    }
    if facts.machine != target.arch {
        problems.push(Problem::Machine { wanted: target.arch.clone(), found: facts.machine.clone() });
    }
    judge_python(target, facts, &mut problems);
    let missing = missing(wanted.packages, facts);
    if !missing.is_empty() {
        problems.push(Problem::Packages(missing));
    }
    let needed = wanted.bytes.saturating_add(SPARE);
    if wanted.bytes > 0 && facts.free < needed {
        problems.push(Problem::Space { needed, free: facts.free });
    }
    judge_ports(wanted.units, &facts.listeners, &mut problems);
    // Those that come encrypted are made later.
    for secret in wanted.secrets.iter().filter(|secret| secret.object.is_none()) {
        let found = facts.secrets.get(&secret.path).copied().unwrap_or(SecretFile::Missing);
        problems.extend(judge_secret(found).map(|reason| Problem::Secret {
            name: secret.name.clone(),
            unit: secret.unit.clone(),
            path: secret.path.clone(),
            reason,
        }));
    }
    problems
}

/// The packages that are not installed.
#[must_use]
pub fn missing(wanted: &[PackageName], facts: &Facts) -> Vec<String> {
    let missing = wanted.iter().map(PackageName::as_str).filter(|name| !facts.packages.contains(*name));
    missing.map(str::to_owned).collect()
}

/// What is wrong with a secret; nothing where it is a file of root's that nobody else can read.
fn judge_secret(found: SecretFile) -> Option<String> {
    Some(match found {
        SecretFile::Missing => "nothing is there; put it there, root's, with mode 0400".to_owned(),
        SecretFile::Linked => "there is a link on the way; put the file itself there".to_owned(),
        SecretFile::Other => "it is no regular file; put the secret there as one".to_owned(),
        SecretFile::File { owner, .. } if owner != 0 => {
            format!("user {owner} owns it; its owner must be root")
        }
        SecretFile::File { mode, .. } if mode & 0o077 != 0 => {
            format!("others can read or write it (mode {mode:04o}); run `chmod 0400`")
        }
        SecretFile::File { .. } => return None,
    })
}

fn judge_python(target: &Target, facts: &Facts, problems: &mut Vec<Problem>) {
    let path = interpreter(&target.python);
    let python = match &facts.python {
        Ok(python) => python,
        Err(reason) => {
            let (version, reason) = (target.python.clone(), reason.clone());
            problems.push(Problem::NoPython { path, version, reason });
            return;
        }
    };
    let minor = python.version.rsplitn(2, '.').last().unwrap_or_default();
    if minor != target.python {
        let (wanted, found) = (target.python.clone(), python.version.clone());
        problems.push(Problem::OtherPython { path, what: "version", wanted, found });
        return;
    }
    let wanted = format!("cpython-{}-{}-linux-gnu", target.python.replace('.', ""), target.arch);
    if python.soabi != wanted {
        problems.push(Problem::OtherPython { path, what: "ABI", wanted, found: python.soabi.clone() });
    }
}

fn judge_ports(units: &BTreeSet<UnitName>, listeners: &[Listener], problems: &mut Vec<Problem>) {
    let mut ports: BTreeMap<u16, Vec<&Listener>> = BTreeMap::new();
    for listener in listeners {
        ports.entry(listener.port).or_default().push(listener);
    }
    for (port, holders) in ports {
        let ours = |holder: &&&Listener| {
            holder.unit.as_ref().is_some_and(|unit| units.iter().any(|name| name.as_str() == unit))
        };
        // A worker of ours that left its unit does not make the port a stranger's.
        if holders.iter().find(ours).is_none() {
            let who: BTreeSet<String> = holders.iter().map(|holder| holder.words()).collect();
            let who = who.into_iter().collect::<Vec<_>>().join(" and ");
            problems.push(Problem::Port { port, who });
        }
    }
}

impl Listener {
    fn words(&self) -> String {
        let process = match self.pid {
            Some(pid) => format!("`{}` (process {pid}", self.command.escape_debug()),
            None => return "a process that cannot be seen".to_owned(),
        };
        match &self.unit {
            Some(unit) => format!("{process} of `{unit}`)"),
            None => format!("{process})"),
        }
    }
}

#[cfg(test)]
mod tests;
