//! Real hosts for tests: Debian with real systemd, users and network, booted in systemd-nspawn in a third of a
//! second, on a network of their own. Nothing of a host is faked.
//!
//! ```ignore
//! fn a_unit_is_installed_and_survives_a_power_cut() -> Result<()> {
//!     let lab = Lab::new()?;
//!     let mut host = lab.boot("node1")?;
//!     host.put(activator()?, "/usr/local/bin/voevent-switch")?;
//!     host.write_file("/etc/systemd/system/a.service", "[Service]\nExecStart=/bin/sleep 1000\n")?;
//!     host.sh("systemctl daemon-reload; systemctl start a")?;
//!     host.wait(Duration::from_secs(5), || Ok(host.exec(["systemctl", "is-active", "a"])?.success()))?;
//!     assert_eq!(host.run(["systemctl", "show", "-p", "Type", "a"])?, "Type=simple");
//!     host.power_cut()?;
//!     host.start()?;
//!     assert_eq!(host.exec(["systemctl", "is-active", "a"])?.code(), Some(3));
//!     Ok(())
//! }
//! ```
//!
//! Everything is bounded in time, and everything goes: with the value that stands for it, or with the process
//! (see [`mod@session`]). A [`Snapshot`] boots in the same time as a bare host does: what many tests need is made
//! once, kept in a `OnceLock`, and booted with [`Setup::from`].
//!
//! What a machine is not: there is no machined (`machinectl`), no way to the network of the host, `MemoryMax=`
//! and `TasksMax=` are not enforced where the host has control groups of version 1, and sysctl is refused.

#![expect(unreachable_pub, reason = "`pub` is what the driver offers to tests, the rest is its own")]

mod access;
mod activator;
mod base;
mod boot;
mod call;
mod disk;
mod failure;
mod lab;
mod machine;
mod process;
mod remains;
mod session;

pub use activator::activator;
pub use base::{Packages, Suite};
pub use call::{Call, Output, Running};
pub use disk::{Disk, Snapshot};
pub use failure::{Explain, Failure, Result, must_fail};
pub use lab::Lab;
pub use machine::{Machine, Setup};
pub use session::{finish, watch};

/// May this process boot machines?
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
