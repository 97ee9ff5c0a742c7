//! A lab: machines on a network of their own.
//!
//! The control namespace stands for the workstation: from it every machine is reached, and nothing is routed
//! from it to the network of the host. All labs have the same addresses, for they do not see each other.

use super::{Call, Explain, Failure, Machine, Result, Setup, remains, session};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const NETWORK: &str = "10.213.7";
/// Machines get the last byte of their address from here on.
const FIRST: u8 = 11;

/// A network and the machines on it.
///
/// Machines keep their lab: it goes when it and the last of them are dropped.
#[derive(Clone)]
pub struct Lab(Arc<Inner>);

struct Inner {
    prefix: String,
    dir: PathBuf,
    machines: AtomicU8,
}

impl Lab {
    /// The address of the control namespace.
    pub const ADDRESS: &str = "10.213.7.1";

    /// A new lab, with no machine yet.
    pub fn new() -> Result<Self> {
        let (prefix, dir) = session::current()?.lab()?;
        let lab = Self(Arc::new(Inner { prefix, dir, machines: AtomicU8::new(0) }));
        let control = lab.control_name();
        ip(&format!("netns add {control}"))?;
        let address = Self::ADDRESS;
        ip_in(
            &control,
            &format!(
                "link set lo up
                 link add br0 address 02:cb:00:00:ff:01 type bridge
                 addr add {address}/24 dev br0
                 link set br0 up"
            ),
        )?;
        let key = lab.key();
        Call::here(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f"]
                .map(OsStr::new)
                .into_iter()
                .chain([key.as_os_str()]),
        )
        .ok()?;
        Ok(lab)
    }

    /// Boots a new Debian 12 machine of that name; it is up and its units are started.
    pub fn boot(&self, name: &str) -> Result<Machine> {
        self.boot_with(name, Setup::default())
    }

    /// The same for a machine that differs in something.
    pub fn boot_with(&self, name: &str, setup: Setup) -> Result<Machine> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 30 || !name.chars().all(fits) || name == "control" {
            return Err(Failure::new(format!(
                "`{name}` is no name for a machine: `a-z`, `0-9` and `-`, at most 30"
            )));
        }
        Machine::boot(self, name, setup)
    }

    /// A command in the control namespace: beside the machines, with the files of the host.
    pub fn control<A: AsRef<OsStr>>(&self, argv: impl IntoIterator<Item = A>) -> Call {
        let prefix =
            ["nsenter".to_owned(), format!("--net=/run/netns/{}", self.control_name()), "--".to_owned()];
        Call::behind("the control namespace", &prefix, argv)
    }

    /// A folder for the files of a test, deleted after all tests.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// The private key that root of every machine of the lab lets in.
    pub fn key(&self) -> PathBuf {
        self.0.dir.join("key")
    }

    /// The words before a host that make an `ssh` (or `scp`) ask nothing and use the lab's key.
    pub fn ssh_options(&self) -> Vec<String> {
        let known = "UserKnownHostsFile=/dev/null";
        let key = self.key().display().to_string();
        let words = ["-F", "none", "-i", &key, "-o", "StrictHostKeyChecking=no", "-o", known];
        words.into_iter().chain(["-o", "LogLevel=ERROR", "-o", "BatchMode=yes"]).map(str::to_owned).collect()
    }

    /// The name of everything of a machine outside of it.
    pub(super) fn full_name(&self, machine: &str) -> String {
        format!("{}{machine}", self.0.prefix)
    }

    /// The number of a new machine; it is the last byte of its address.
    pub(super) fn take_number(&self) -> Result<u8> {
        let number = self.0.machines.fetch_add(1, Ordering::Relaxed);
        number.checked_add(FIRST).filter(|&byte| byte < 250).ok_or_else(|| Failure::new("the lab is full"))
    }

    /// The address that belongs to a number.
    pub(super) fn address_of(number: u8) -> String {
        format!("{NETWORK}.{number}")
    }

    /// The public key, as `authorized_keys` has it.
    pub(super) fn public_key(&self) -> Result<String> {
        let path = self.key().with_extension("pub");
        fs::read_to_string(&path).explain(|| format!("read `{}`", path.display()))
    }

    /// Gives a machine a new network namespace, without anything that an earlier one had: a boot does so.
    ///
    /// The hardware address is always the same one: a stale neighbour entry would cost a minute of lost packets.
    pub(super) fn connect(&self, namespace: &str, number: u8) -> Result<()> {
        let (control, address) = (self.control_name(), Self::address_of(number));
        self.disconnect(namespace, number)?;
        ip(&format!("netns add {namespace}"))?;
        ip_in(
            &control,
            &format!(
                "link add v{number} type veth peer name host0 netns {namespace}
                 link set v{number} master br0 up"
            ),
        )?;
        ip_in(
            namespace,
            &format!(
                "link set host0 address 02:cb:00:00:00:{number:02x}
                 addr add {address}/24 dev host0
                 link set host0 up
                 link set lo up"
            ),
        )
    }

    fn disconnect(&self, namespace: &str, number: u8) -> Result<()> {
        if !PathBuf::from("/run/netns").join(namespace).exists() {
            return Ok(());
        }
        // the link first: a namespace is taken apart later than its deletion returns
        ip_in(&self.control_name(), &format!("link delete v{number}"))?;
        ip(&format!("netns delete {namespace}"))
    }

    fn control_name(&self) -> String {
        self.full_name("control")
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Err(failure) = remains::clear(|name| name.starts_with(&self.prefix), &self.dir) {
            eprintln!("warning: clearing up a lab: {failure}");
        }
    }
}

fn ip(arguments: &str) -> Result<()> {
    Call::here(["ip"].into_iter().chain(arguments.split(' '))).ok().map(drop)
}

/// Runs a list of `ip` commands in a network namespace.
fn ip_in(namespace: &str, commands: &str) -> Result<()> {
    Call::here(["ip", "-n", namespace, "-batch", "-"]).stdin(commands).ok().map(drop)
}
