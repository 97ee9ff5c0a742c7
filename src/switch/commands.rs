//! What each command of `voevent-switch` does.

use std::path::Path;
use std::time::Duration;

use crate::base::http::HttpAsk;
use crate::base::layout::RUN_UNIT;
use crate::base::name::UnitName;
use crate::store::bundle::Bundle;
use crate::switch::activate::{Ending, Request, To, activate, planned, refuse_collisions};
use crate::switch::arguments::Probe;
use crate::switch::boot;
use crate::switch::bundle_path::BundlePath;
use crate::switch::failure::{Exit, Failure};
use crate::switch::guard::{guard, is_guarded};
use crate::switch::history::{history, table};
use crate::switch::http;
use crate::switch::install::{executable, is_installed};
use crate::switch::machine::Machine;
use crate::switch::origin;
use crate::switch::perform::Part;
use crate::switch::plan::Plan;
use crate::switch::probe::{ProbeKind, probe};
use crate::switch::record::Outcome;
use crate::switch::recover::{Recovered, recover};
use crate::switch::secrets;
use crate::switch::state::{Pointer, State};
use crate::switch::systemd::SystemdError;
use crate::switch::transient::{Program, TransientError};
use crate::switch::who::who;

/// One call of the program.
pub struct Call<'a> {
    /// An offline root; `None` for the machine that the program runs on.
    pub root: Option<&'a Path>,
    /// How long an activation may take, where the sum of its parts is not to count.
    pub allowance: Option<Duration>,
    /// Whether missing packages are installed.
    pub install_packages: bool,
    /// The time, as RFC 3339 in UTC.
    pub now: String,
    /// Takes a line for people.
    pub tell: &'a mut dyn FnMut(&str),
}

/// How long a killed switch's guard may take to put back what was committed.
const REVERTING: Duration = Duration::from_mins(5);

impl Call<'_> {
    fn machine(&self) -> Result<Machine, Failure> {
        if !rustix::process::geteuid().is_root() {
            return Err(
                Failure::refused("only root may change a machine").help("try `sudo voevent-switch …`")
            );
        }
        // Whatever the caller's is: the broker must be able to read what root makes.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        match self.root {
            Some(dir) => offline(dir),
            None => Ok(Machine::live()?),
        }
    }

    fn request(&self, to: To, by: String) -> Request {
        let (now, allowance, install_packages) = (self.now.clone(), self.allowance, self.install_packages);
        Request { to, by, now, allowance, install_packages }
    }

    /// `voevent-switch [BUNDLE]`
    ///
    /// # Errors
    /// With the exit code that says what state the machine is in.
    pub fn switch(self, bundle: Option<&Path>) -> Result<Exit, Failure> {
        let mut machine = self.machine()?;
        let path = match bundle {
            Some(path) => bundle_path(path)?,
            None => received(&machine)?,
        };
        let bundle = path.read()?;
        let argument = ["--bundle".to_owned(), path.to_string()];
        self.to(&mut machine, (To::Path(path), &bundle), &argument)
    }

    /// `voevent-switch rollback [N]`
    ///
    /// # Errors
    /// With the exit code that says what state the machine is in.
    pub fn rollback(self, number: Option<u64>) -> Result<Exit, Failure> {
        let mut machine = self.machine()?;
        let (to, argument) = match number {
            Some(number) => (To::Generation(number), vec!["--generation".to_owned(), number.to_string()]),
            None => (To::Predecessor, vec!["--predecessor".to_owned()]),
        };
        let number = number.map_or_else(|| machine.previous(), Ok)?;
        let bundle = machine.generation_bundle(number)?;
        self.to(&mut machine, (to, &bundle), &argument)
    }

    /// Looks whether anything is to be done, and does it: on an offline root here, else in a unit of its own.
    fn to(
        self,
        machine: &mut Machine,
        (to, bundle): (To, &Bundle),
        argument: &[String],
    ) -> Result<Exit, Failure> {
        if machine.root.is_offline() {
            let request = self.request(to, who());
            let ending = activate(machine, &request, self.tell)?;
            return Ok(tell_ending(&ending, bundle, self.tell));
        }
        let plan = next_plan(machine, bundle)?;
        refuse_collisions(&plan)?;
        let whole = plan.is_empty() && secrets::are_there(machine, bundle) && is_installed(machine)?;
        if whole && !self.install_packages {
            plan.notes.iter().for_each(|note| (self.tell)(&format!("note: {note}")));
            if let (To::Path(path), Some(_lock)) = (&to, machine.state.try_lock()?) {
                origin::renew(machine, bundle, path.store(), self.tell)?;
            }
            return Ok(tell_ending(&Ending::Nothing, bundle, self.tell));
        }
        self.launch(machine, bundle, argument)
    }

    /// Runs the activation in [`RUN_UNIT`]: a lost terminal changes nothing, and a second one at once is refused.
    ///
    /// Its exit code is believed where it says that nothing was done or something failed. `systemd-run` says 0 of a
    /// service that was stopped, too, and 1 of much: there the machine tells.
    fn launch(self, machine: &mut Machine, bundle: &Bundle, argument: &[String]) -> Result<Exit, Failure> {
        let program = executable()?.to_string_lossy().into_owned();
        let mut command = vec![program, "run".to_owned(), "--by".to_owned(), who()];
        command.extend(argument.iter().cloned());
        if let Some(allowance) = self.allowance {
            command.extend(["--deadline".to_owned(), format!("{}ms", allowance.as_millis())]);
        }
        if self.install_packages {
            command.push("--install-packages".to_owned());
        }
        let before = machine.state.numbers()?.pop();
        let unit = UnitName::new(RUN_UNIT)?;
        let program = Program { unit: &unit, description: "VOEvent node: a switch", command: &command };
        let systemd = machine.systemd.as_mut().ok_or_else(|| Failure::refused("there is no systemd"))?;
        let code = systemd.run_attached(program, &[("KillMode", "mixed")]).map_err(|error| match error {
            TransientError::Systemd(SystemdError::Exists(_)) => {
                Failure::refused("another activation is under way")
                    .help(format!("wait until it has ended: `systemctl status {RUN_UNIT}` shows it"))
            }
            other => Failure::from(other),
        })?;
        match Exit::from_code(code) {
            Some(Exit::Done) if is_committed(machine, bundle)? => Ok(Exit::Done),
            Some(exit @ (Exit::Usage | Exit::Refused | Exit::Reverted | Exit::Stuck)) => Ok(exit),
            Some(Exit::Done | Exit::Wrong) | None => self.killed(machine, bundle, before),
        }
    }

    /// The switch was killed: waits for its guard, and tells how that ended. One that was killed before it had a guard
    /// had changed nothing: that is ended here, by the same rule.
    fn killed(self, machine: &mut Machine, bundle: &Bundle, before: Option<u64>) -> Result<Exit, Failure> {
        (self.tell)("the switch did not end by itself: what was committed is put back");
        let pause = Duration::from_millis(50);
        for _ in 0..REVERTING.as_millis() / pause.as_millis() {
            if let Some(_lock) = machine.state.try_lock()? {
                let pending = machine.state.pointer(Pointer::Pending)?;
                let guarded = pending.map(|number| is_guarded(machine, number)).transpose()?;
                if guarded != Some(true) {
                    recover(machine, Part::Whole, "the switch ended before it was done")?;
                    return self.tell_killed(machine, bundle, before);
                }
            }
            std::thread::sleep(pause);
        }
        Err(Failure::refused("what was committed is not back yet")
            .exit(Exit::Stuck)
            .help("see `journalctl -u 'voevent-guard-*'`"))
    }

    /// How the generation that the killed switch made has ended, if it made one.
    fn tell_killed(self, machine: &Machine, bundle: &Bundle, before: Option<u64>) -> Result<Exit, Failure> {
        let last = machine.state.numbers()?.pop().filter(|last| Some(*last) != before);
        let last = last.map(|last| machine.state.record(last)).transpose()?;
        // With another bundle it is somebody else's.
        let last = last.filter(|record| record.bundle == bundle.name);
        match last.map(|record| (record.number, record.outcome)) {
            Some((number, Outcome::Committed)) => {
                (self.tell)(&format!("generation {number} had been proven: it is committed"));
                Ok(Exit::Done)
            }
            Some((number, Outcome::Reverted)) => {
                Err(Failure::refused(format!("generation {number} was put back")).exit(Exit::Reverted))
            }
            _ => Err(Failure::refused("it had changed nothing yet")),
        }
    }

    /// `voevent-switch plan BUNDLE`
    ///
    /// # Errors
    /// Where the bundle or the machine cannot be looked at.
    pub fn plan(self, bundle: &Path) -> Result<String, Failure> {
        let mut machine = self.machine()?;
        let bundle = bundle_path(bundle)?.read()?;
        let plan = next_plan(&mut machine, &bundle)?;
        let mut lines: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
        lines.extend(plan.collisions.iter().map(|collision| format!("refused: {collision}")));
        lines.extend(plan.notes.iter().map(|note| format!("note: {note}")));
        if plan.is_empty() {
            lines.push(format!("nothing to do: `{}` is live", bundle.name));
        }
        Ok(lines.join("\n") + "\n")
    }

    /// `voevent-switch generations`
    ///
    /// # Errors
    /// Where the folder of generations cannot be read.
    pub fn generations(self) -> Result<String, Failure> {
        let state = match self.root {
            Some(dir) => offline(dir)?.state,
            None => State::below(Path::new("/")),
        };
        Ok(table(&history(&state)?))
    }

    /// `voevent-switch why QUESTION`
    ///
    /// # Errors
    /// Where it is not known, or the question names nothing.
    pub fn why(self, question: &str) -> Result<String, Failure> {
        let state = match self.root {
            Some(dir) => offline(dir)?.state,
            None => State::below(Path::new("/")),
        };
        origin::why(&state, question)
    }

    /// `voevent-switch probe KIND`
    ///
    /// # Errors
    /// Where nobody answers well in time.
    pub fn probe(self, question: Probe) -> Result<String, Failure> {
        let answer = match question {
            Probe::Vtp(at) => probe(ProbeKind::Vtp, at.port, at.wait)?.to_string(),
            Probe::VtpNak(at) => probe(ProbeKind::VtpNak, at.port, at.wait)?.to_string(),
            Probe::Http { at, path, status, contains } => {
                http::ask(&HttpAsk { port: at.port, path, status, contains }, at.wait)?.to_string()
            }
        };
        Ok(answer + "\n")
    }

    /// The switch itself, in its unit.
    ///
    /// # Errors
    /// With the exit code that says what state the machine is in.
    pub fn run(self, by: String, bundle: Option<&Path>, number: Option<u64>) -> Result<Exit, Failure> {
        let mut machine = self.machine()?;
        let to = match (bundle, number) {
            (Some(path), _) => To::Path(bundle_path(path).map_err(gone)?),
            (None, Some(number)) => To::Generation(number),
            (None, None) => To::Predecessor,
        };
        let bundle = match &to {
            To::Path(path) => path.read().map_err(gone)?,
            To::Generation(number) => machine.generation_bundle(*number)?,
            To::Predecessor => machine.previous().and_then(|number| machine.generation_bundle(number))?,
        };
        let request = self.request(to, by);
        let ending = activate(&mut machine, &request, self.tell)?;
        Ok(tell_ending(&ending, &bundle, self.tell))
    }

    /// The guard of a generation.
    ///
    /// # Errors
    /// Where the committed generation could not be put back.
    pub fn guard(self, number: u64, deadline: Duration) -> Result<Exit, Failure> {
        let recovered = guard(&mut self.machine()?, number, deadline)?;
        Ok(tell_recovered(recovered, self.tell))
    }

    /// What runs first at boot.
    ///
    /// # Errors
    /// Where something could not be put back.
    pub fn boot(self) -> Result<Exit, Failure> {
        let recovered = boot::boot(&mut self.machine()?)?;
        Ok(tell_recovered(recovered, self.tell))
    }

    /// What runs when the machine is up.
    ///
    /// # Errors
    /// Where the committed generation does not work.
    pub fn boot_check(self) -> Result<Exit, Failure> {
        let recovered = boot::boot_check(&mut self.machine()?)?;
        Ok(tell_recovered(recovered, self.tell))
    }
}

fn offline(dir: &Path) -> Result<Machine, Failure> {
    let machine = Machine::offline(dir)?;
    if machine.root.is_offline() {
        return Ok(machine);
    }
    Err(Failure::refused("`--root` names the root of this machine, which runs")
        .exit(Exit::Usage)
        .help("leave it out"))
}

/// A bundle's path has a `/` in it, so that a mistyped command is not taken for one.
fn bundle_path(path: &Path) -> Result<BundlePath, Failure> {
    if !path.as_os_str().as_encoded_bytes().contains(&b'/') {
        return Err(Failure::refused(format!("there is no command `{}`", path.display()))
            .exit(Exit::Usage)
            .help(format!("if it is a bundle, write `./{}`", path.display())));
    }
    BundlePath::resolve(path)
}

fn received(machine: &Machine) -> Result<BundlePath, Failure> {
    let path = machine.state.received().ok_or_else(|| {
        Failure::refused("no bundle has arrived yet")
            .exit(Exit::Usage)
            .help("name one: `voevent-switch BUNDLE`")
    })?;
    BundlePath::resolve(&path)
}

/// A bundle that was there when its path was given is not a wrong one: it was changed since.
fn gone(failure: Failure) -> Failure {
    failure.exit(Exit::Refused)
}

/// Whether this bundle is the committed one, and nothing is under way.
fn is_committed(machine: &Machine, bundle: &Bundle) -> Result<bool, Failure> {
    let generations = machine.state.generations()?;
    let committed = generations.committed.is_some_and(|committed| committed.bundle.name == bundle.name);
    Ok(committed && generations.pending.is_none())
}

/// The plan for the next generation, with nothing done.
fn next_plan(machine: &mut Machine, bundle: &Bundle) -> Result<Plan, Failure> {
    let number = machine.state.next_number()?;
    Ok(planned(machine, (number, bundle))?.1)
}

fn tell_ending(ending: &Ending, bundle: &Bundle, tell: &mut dyn FnMut(&str)) -> Exit {
    tell(&match ending {
        Ending::Nothing => format!("nothing to do: `{}` is live", bundle.name),
        Ending::Committed(number) => format!("generation {number} is committed: `{}`", bundle.name),
        Ending::Unproven(number) => {
            format!("generation {number} is committed, unproven: `{}`", bundle.name)
        }
    });
    Exit::Done
}

fn tell_recovered(recovered: Recovered, tell: &mut dyn FnMut(&str)) -> Exit {
    match recovered {
        Recovered::Nothing => {}
        Recovered::Finished(number) => tell(&format!("generation {number} had been proven: it is committed")),
        Recovered::Reverted(number) => tell(&format!("generation {number} was put back")),
        Recovered::FilesBack(number) => tell(&format!("the files of generation {number} were put back")),
    }
    Exit::Done
}
