//! A machine's life: boot, power, disk.

use super::boot::{Booted, Plan};
use super::disk::Layers;
use super::{Disk, Explain, Failure, Lab, Packages, Result, Snapshot, Suite, remains, session};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What a machine is made of; `Setup::default()` is a bare Debian 12.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Its release; `from` has its own.
    pub suite: Suite,
    /// What it has installed; `from` has its own.
    pub packages: Packages,
    /// What its writes go to; `from` has its own.
    pub disk: Disk,
    /// The disk it starts with, of whatever machine of this test program.
    pub from: Option<Snapshot>,
    /// More arguments for systemd-nspawn, such as `--system-call-filter=@swap`.
    pub nspawn: Vec<String>,
}

impl Setup {
    /// A machine of this release with the packages that modules ask for.
    pub fn of_modules(suite: Suite) -> Self {
        Self { suite, packages: Packages::More, ..Self::default() }
    }

    /// A machine that starts with this disk.
    pub fn from(snapshot: &Snapshot) -> Self {
        Self { from: Some(snapshot.clone()), ..Self::default() }
    }
}

/// A host with real systemd, users and network, in namespaces of its own. Dropped, it is gone.
pub struct Machine {
    lab: Lab,
    name: String,
    full_name: String,
    number: u8,
    dir: PathBuf,
    fresh: Snapshot,
    disk: Layers,
    nspawn: Vec<String>,
    booted: Option<Booted>,
}

impl Machine {
    pub(super) fn boot(lab: &Lab, name: &str, setup: Setup) -> Result<Self> {
        let fresh = match setup.from {
            Some(snapshot) => snapshot,
            None => Snapshot::bare(setup.disk, setup.suite.base(setup.packages)?),
        };
        let dir = lab.dir().join(name);
        fs::create_dir(&dir).explain(|| format!("make `{}`", dir.display()))?;
        let disk = Layers::new(session::current()?.dir(), &dir, &fresh)?;
        let mut machine = Self {
            lab: lab.clone(),
            name: name.to_owned(),
            full_name: lab.full_name(name),
            number: lab.take_number()?,
            dir,
            fresh,
            disk,
            nspawn: setup.nspawn,
            booted: None,
        };
        machine.start()?;
        Ok(machine)
    }

    /// Its name, which is its hostname too.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address, which every machine of the lab and the control namespace reach.
    pub fn address(&self) -> String {
        Lab::address_of(self.number)
    }

    /// Its lab.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// Its first process, as the host numbers it; a failure if it is down.
    pub fn init(&self) -> Result<i32> {
        let down = || Failure::new(format!("{} is off", self.name));
        self.booted.as_ref().ok_or_else(down)?.init().explain(|| format!("use {}", self.name))
    }

    /// Boots it; it was off.
    pub fn start(&mut self) -> Result<()> {
        if self.booted.is_some() {
            return Err(Failure::new(format!("{} is on already", self.name)));
        }
        self.disk.mount()?;
        self.prepare()?;
        self.lab.connect(&self.full_name, self.number)?;
        let plan = Plan {
            full_name: &self.full_name,
            hostname: &self.name,
            root: &self.disk.root(),
            console: self.dir.join("console"),
            extra: &self.nspawn,
        };
        self.booted = Some(Booted::new(plan).explain(|| format!("boot {}", self.name))?);
        Ok(())
    }

    /// Shuts it down as an administrator would.
    pub fn power_off(&mut self) -> Result<()> {
        let booted =
            self.booted.take().ok_or_else(|| Failure::new(format!("{} is off already", self.name)))?;
        booted.power_off().explain(|| format!("shut down {}", self.name))
    }

    /// Takes the power away: every process dies at once, and with [`Disk::Image`] what was not synced is lost.
    pub fn power_cut(&mut self) -> Result<()> {
        let mut booted =
            self.booted.take().ok_or_else(|| Failure::new(format!("{} is off already", self.name)))?;
        booted.cut()?;
        let cut = self.disk.cut();
        booted.reap()?;
        cut
    }

    /// Shuts it down and boots it again.
    pub fn reboot(&mut self) -> Result<()> {
        self.power_off()?;
        self.start()
    }

    /// Boots it again with the disk that it had at its first boot.
    pub fn reset(&mut self) -> Result<()> {
        let fresh = self.fresh.clone();
        self.restore(&fresh)
    }

    /// Its disk as it is now, to come back to or to boot other machines with. It is off, and off it stays.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        if self.booted.is_some() {
            return Err(Failure::new(format!(
                "{} is on: only the disk of one that is off is whole",
                self.name
            )));
        }
        self.disk.snapshot()
    }

    /// Boots it with the disk of that snapshot, from whatever state it is in.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.end()?;
        self.disk.renew(snapshot)?;
        self.start()
    }

    /// Writes what makes a fresh disk the disk of this host.
    fn prepare(&self) -> Result<()> {
        let root = self.disk.root();
        let ssh = root.join("root/.ssh");
        fs::create_dir_all(&ssh).explain(|| format!("make `{}`", ssh.display()))?;
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o700))
            .explain(|| format!("set the mode of `{}`", ssh.display()))?;
        write_if_other(&root.join("etc/hostname"), &format!("{}\n", self.name))?;
        write_if_other(&ssh.join("authorized_keys"), &self.lab.public_key()?)
    }

    /// Ends its processes and waits for them.
    fn end(&mut self) -> Result<()> {
        let Some(mut booted) = self.booted.take() else { return Ok(()) };
        booted.cut()?;
        booted.reap()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let ended = self.end();
        let cleared = remains::clear(|name| name == self.full_name, &self.dir);
        for failure in [ended, cleared].into_iter().filter_map(Result::err) {
            eprintln!("warning: clearing up {}: {failure}", self.name);
        }
    }
}

fn write_if_other(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::write(path, text).explain(|| format!("write `{}`", path.display()))
}
