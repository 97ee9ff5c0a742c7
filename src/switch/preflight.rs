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
    #[error("{needed} bytes are needed and {free} are free: make room, or collect garbage")]
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
mod tests {
    use super::*;

    fn facts() -> Facts {
        let python = Python {
            version: "3.11.2".into(),
            soabi: "cpython-311-x86_64-linux-gnu".into(),
            dbm: "ndbm".into(),
        };
        Facts {
            system: "debian-12".into(),
            machine: "x86_64".into(),
            python: Ok(python),
            packages: ["python3.11".to_owned()].into(),
            free: 1 << 30,
            listeners: Vec::new(),
            secrets: BTreeMap::new(),
        }
    }

    fn told(change: impl FnOnce(&mut Facts)) -> Vec<String> {
        let target = Target { arch: "x86_64".into(), python: "3.11".into(), system: "debian-12".into() };
        let packages = [PackageName::new("python3.11").unwrap()];
        let units = [UnitName::new("comet.service").unwrap()].into();
        let secret = |name: &str| Secret {
            unit: UnitName::new("gcn.service").unwrap(),
            name: name.to_owned(),
            path: TargetPath::new(format!("/etc/s/{name}")).unwrap(),
            object: None,
        };
        let mut facts = facts();
        change(&mut facts);
        let secrets: Vec<Secret> = facts.secrets.keys().map(|path| secret(path.file_name())).collect();
        let wanted =
            Wanted { target: &target, packages: &packages, bytes: 1 << 20, units: &units, secrets: &secrets };
        judge(&wanted, &facts).iter().map(ToString::to_string).collect()
    }

    fn listener(port: u16, pid: u32, unit: Option<&str>) -> Listener {
        Listener { port, pid: Some(pid), command: "twistd".into(), unit: unit.map(str::to_owned) }
    }

    #[test]
    fn the_right_machine() {
        assert_eq!(told(|_| {}), [""; 0]);
        assert_eq!(told(|facts| facts.listeners = vec![listener(8099, 5, Some("comet.service"))]), [""; 0]);
        let both = vec![listener(8099, 5, Some("comet.service")), listener(8099, 6, None)];
        assert_eq!(told(|facts| facts.listeners = both), [""; 0]);
    }

    #[test]
    fn all_reasons_are_told() {
        let problems = told(|facts| {
            facts.system = "ubuntu-24.04".into();
            facts.machine = "aarch64".into();
            facts.python = Err("it is not there".into());
            facts.packages.clear();
            facts.free = 1 << 20;
            facts.listeners = vec![
                listener(8098, 7, Some("old-comet.service")),
                listener(8099, 7, None),
                Listener { port: 8100, pid: None, command: String::new(), unit: None },
            ];
        });
        assert_eq!(
            problems,
            [
                "the bundle is for `debian-12`, this is `ubuntu-24.04`: set `host.system` and build again",
                "the bundle is for `x86_64`, this machine is `aarch64`: set `host.arch` and build again",
                "`/usr/bin/python3.11` cannot be used: it is not there; install the distribution's `python3.11`",
                "packages are missing: switch with `--install-packages`, or run \
                 `apt-get install --no-install-recommends python3.11`",
                "17825792 bytes are needed and 1048576 are free: make room, or collect garbage",
                "port 8098 is taken by `twistd` (process 7 of `old-comet.service`): stop it, or choose another port",
                "port 8099 is taken by `twistd` (process 7): stop it, or choose another port",
                "port 8100 is taken by a process that cannot be seen: stop it, or choose another port",
            ]
        );
    }

    #[test]
    fn secrets_are_roots_alone() {
        let told = |found: SecretFile| {
            let path = TargetPath::new("/etc/s/x").unwrap();
            told(|facts| facts.secrets = [(path, found)].into()).join("")
        };
        let file = |owner, mode| SecretFile::File { owner, mode };
        assert_eq!(told(file(0, 0o400)), "");
        assert_eq!(told(file(0, 0o600)), "");
        for (found, reason) in [
            (SecretFile::Missing, "nothing is there; put it there, root's, with mode 0400"),
            (SecretFile::Linked, "there is a link on the way; put the file itself there"),
            (SecretFile::Other, "it is no regular file; put the secret there as one"),
            (file(1000, 0o400), "user 1000 owns it; its owner must be root"),
            (file(0, 0o440), "others can read or write it (mode 0440); run `chmod 0400`"),
            (file(0, 0o602), "others can read or write it (mode 0602); run `chmod 0400`"),
        ] {
            assert_eq!(
                told(found),
                format!("the secret `x` of `gcn.service` is wanted at `/etc/s/x`: {reason}")
            );
        }
    }

    #[test]
    fn another_interpreter() {
        let python = |version: &str, soabi: &str| {
            let (version, soabi) = (version.to_owned(), soabi.to_owned());
            told(|facts| facts.python = Ok(Python { version, soabi, dbm: "ndbm".into() }))
        };
        assert_eq!(
            python("3.12.1", "cpython-312-x86_64-linux-gnu"),
            ["`/usr/bin/python3.11` is version `3.12.1`, where the bundle needs `3.11`"]
        );
        assert_eq!(
            python("3.11.9", "cpython-311d-x86_64-linux-gnu"),
            ["`/usr/bin/python3.11` is ABI `cpython-311d-x86_64-linux-gnu`, where the bundle needs \
                 `cpython-311-x86_64-linux-gnu`"]
        );
    }
}
