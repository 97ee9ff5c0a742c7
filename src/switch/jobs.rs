//! Jobs of systemd: queue them all, then wait for all (org.freedesktop.systemd1(5), `JobRemoved`).
//!
//! All calls go in one write before any answer is read. PID 1 takes what is in the socket before it runs its queue, so
//! the order that the units ask for (`After=`) holds between them, which it does not for jobs queued one by one.
//!
//! `Done` is what systemd says of the job, and no proof: a service whose condition fails is never started and its job
//! is done, as is that of a service that dies right after it was executed. And a service that takes longer than its
//! `TimeoutStartSec=` has the result `Failed`; `Timeout` is that of the job itself (`JobTimeoutSec=`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use zbus::OwnedObjectPath;

use crate::base::name::UnitName;
use crate::switch::bus::{BusError, CALL_TIME, KEPT_SIGNAL, refused};
use crate::switch::dbus::{Kind, Message};
use crate::switch::systemd::{Active, Load, Systemd, SystemdError, UnitState, manager};

/// What to do with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobKind {
    /// Start it, where it does not run.
    Start,
    /// Stop it, where it runs.
    Stop,
    /// Stop it where it runs, then start it.
    Restart,
    /// Have it read its configuration again.
    Reload,
    /// The same where it can; else restart it.
    ReloadOrRestart,
}

impl JobKind {
    const fn member(self) -> &'static str {
        match self {
            Self::Start => "StartUnit",
            Self::Stop => "StopUnit",
            Self::Restart => "RestartUnit",
            Self::Reload => "ReloadUnit",
            Self::ReloadOrRestart => "ReloadOrRestartUnit",
        }
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobResult {
    /// It did what it should.
    Done,
    /// It failed.
    Failed,
    /// The unit took longer than its time-out.
    Timeout,
    /// Another job took its place, or somebody cancelled it.
    Canceled,
    /// A unit that it needs failed.
    Dependency,
    /// There was nothing to do for it in this state of the unit.
    Skipped,
    /// Another word of systemd's, such as `assert` or `unsupported`.
    Other(String),
    /// It was still under way when our time was over; it goes on.
    Unfinished,
    /// systemd did not queue it: the D-Bus error name and its words.
    Refused(String, String),
}

impl JobResult {
    fn new(word: &str) -> Self {
        match word {
            "done" => Self::Done,
            "failed" => Self::Failed,
            "timeout" => Self::Timeout,
            "canceled" => Self::Canceled,
            "dependency" => Self::Dependency,
            "skipped" => Self::Skipped,
            other => Self::Other(other.to_owned()),
        }
    }

    /// In words, behind the name of the unit.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Done => "is as it should be".to_owned(),
            Self::Failed => "failed".to_owned(),
            Self::Timeout => "took longer than its time-out".to_owned(),
            Self::Canceled => "was told otherwise meanwhile".to_owned(),
            Self::Dependency => "needs a unit that failed".to_owned(),
            Self::Skipped => "was passed over".to_owned(),
            Self::Other(word) => format!("ended with `{word}`"),
            Self::Unfinished => "is still not done".to_owned(),
            Self::Refused(_, message) => format!("was refused by systemd: {message}"),
        }
    }

    /// Whether the unit is now as the job was to make it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

/// What is known of one job.
#[derive(Debug)]
enum Stage {
    /// The call with this serial has no answer yet.
    Called(u32),
    /// It is queued as this object.
    Queued(String),
    /// It ended.
    Ended(JobResult),
}

impl Systemd {
    /// Queues all these jobs, each in place of what is queued for its unit, and waits until all have ended or the
    /// time is over. The results are in the order of the jobs. To stop a unit that systemd does not know is done.
    ///
    /// # Errors
    /// Where the connection breaks; a job that fails or is refused is a result.
    pub fn run_jobs(
        &mut self,
        jobs: &[(JobKind, UnitName)],
        within: Duration,
    ) -> Result<Vec<(UnitName, JobResult)>, SystemdError> {
        let until = Instant::now() + within;
        self.watch()?;
        let mut stages = Vec::with_capacity(jobs.len());
        for (kind, unit) in jobs {
            let serial = self.bus.queue(manager(kind.member()), &(unit.as_str(), "replace"))?;
            stages.push(Stage::Called(serial));
        }
        self.bus.flush("jobs")?;
        self.wait(jobs, &mut stages, until)?;
        let results = stages.into_iter().map(|stage| match stage {
            Stage::Ended(result) => result,
            Stage::Called(_) | Stage::Queued(_) => JobResult::Unfinished,
        });
        Ok(jobs.iter().map(|(_, unit)| unit.clone()).zip(results).collect())
    }

    fn wait(
        &mut self,
        jobs: &[(JobKind, UnitName)],
        stages: &mut [Stage],
        until: Instant,
    ) -> Result<(), SystemdError> {
        // A job may end before the answer that names it is read.
        let mut removed = BTreeMap::new();
        while stages.iter().any(|stage| !matches!(stage, Stage::Ended(_))) {
            let message = match self.bus.next(KEPT_SIGNAL, until) {
                Ok(Some(message)) => message,
                Ok(None) => break,
                // PID 1 executes itself anew, as when its package is upgraded; the jobs go on.
                Err(BusError::Broken { .. }) => {
                    self.poll(jobs, stages, until);
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            note(&message, stages, &mut removed)?;
            for (stage, (kind, _)) in stages.iter_mut().zip(jobs) {
                match stage {
                    Stage::Queued(job) => {
                        if let Some(result) = removed.remove(job) {
                            *stage = Stage::Ended(result);
                        }
                    }
                    Stage::Ended(JobResult::Refused(name, _))
                        if *kind == JobKind::Stop && name == "org.freedesktop.systemd1.NoSuchUnit" =>
                    {
                        *stage = Stage::Ended(JobResult::Done);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The way out where the signals are lost: connect anew and look until no unit has a job.
    fn poll(&mut self, jobs: &[(JobKind, UnitName)], stages: &mut [Stage], until: Instant) {
        const PAUSE: Duration = Duration::from_millis(50);
        let units: Vec<&UnitName> = jobs.iter().map(|(_, unit)| unit).collect();
        while Instant::now() < until {
            std::thread::sleep(PAUSE);
            let Ok(fresh) = Self::open() else { continue };
            *self = fresh;
            let Ok(found) = self.units(&units) else { continue };
            if found.values().any(|state| state.job.is_some()) {
                continue;
            }
            for (stage, (kind, unit)) in stages.iter_mut().zip(jobs) {
                if let (Stage::Called(_) | Stage::Queued(_), Some(state)) = (&*stage, found.get(unit)) {
                    let good = reached(*kind, state);
                    *stage = Stage::Ended(if good { JobResult::Done } else { JobResult::Failed });
                }
            }
            return;
        }
    }

    /// Has systemd send signals. A peer of PID 1 gets them unasked.
    pub(crate) fn watch(&mut self) -> Result<(), SystemdError> {
        self.bus.forget_signals();
        if !self.watching && !self.bus.is_private() {
            let rule = "type='signal',sender='org.freedesktop.systemd1',\
                        path='/org/freedesktop/systemd1',member='JobRemoved'";
            self.bus.call_daemon("AddMatch", &(rule,))?;
            self.bus.call::<_, ()>(manager("Subscribe"), &(), CALL_TIME)?;
        }
        self.watching = true;
        Ok(())
    }

    /// Waits for the end of a job that another call queued.
    pub(crate) fn wait_for_job(
        &mut self,
        unit: &UnitName,
        job: &OwnedObjectPath,
        until: Instant,
    ) -> Result<JobResult, SystemdError> {
        let jobs = [(JobKind::Start, unit.clone())];
        let mut stages = [Stage::Queued(job.to_string())];
        self.wait(&jobs, &mut stages, until)?;
        let [stage] = stages;
        Ok(match stage {
            Stage::Ended(result) => result,
            Stage::Called(_) | Stage::Queued(_) => JobResult::Unfinished,
        })
    }
}

/// Whether a unit without a job is as a job of this kind leaves it; a oneshot is inactive when it is done.
fn reached(kind: JobKind, state: &UnitState) -> bool {
    match kind {
        JobKind::Stop => matches!(state.active, Active::Inactive | Active::Failed),
        _ => state.active != Active::Failed && state.load == Load::Loaded,
    }
}

/// Takes note of what a message says about our jobs.
fn note(
    message: &Message,
    stages: &mut [Stage],
    removed: &mut BTreeMap<String, JobResult>,
) -> Result<(), SystemdError> {
    let unreadable = |source| BusError::Unreadable { what: KEPT_SIGNAL.to_owned(), source };
    match &message.kind {
        Kind::Return(answers) => {
            if let Some(stage) = called(stages, *answers) {
                let (job,): (OwnedObjectPath,) = message.body().map_err(unreadable)?;
                *stage = Stage::Queued(job.to_string());
            }
        }
        Kind::Error(answers, name) => {
            if let Some(stage) = called(stages, *answers)
                && let BusError::Refused { name, message, .. } = refused("job", name, message)
            {
                *stage = Stage::Ended(JobResult::Refused(name, message));
            }
        }
        Kind::Signal(_, member) if member == KEPT_SIGNAL => {
            let (_number, job, _unit, result): (u32, OwnedObjectPath, String, String) =
                message.body().map_err(unreadable)?;
            removed.insert(job.to_string(), JobResult::new(&result));
        }
        _ => {}
    }
    Ok(())
}

fn called(stages: &mut [Stage], answers: u32) -> Option<&mut Stage> {
    stages.iter_mut().find(|stage| matches!(stage, Stage::Called(serial) if *serial == answers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::switch::bus::Bus;
    use crate::switch::dbus::answers::{refuses, returns, signals};
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::thread;

    const SHORT: Duration = Duration::from_millis(400);

    /// A connection to a PID 1 that reads as many calls, whose serials are 1, 2, …, and then sends this.
    fn systemd(calls: u8, answers: Vec<Vec<u8>>) -> Systemd {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            let mut line = [0; 200];
            let read = theirs.read(&mut line).unwrap();
            assert!(
                line[..read].starts_with(b"\0AUTH EXTERNAL ") && line[..read].ends_with(b"\r\nBEGIN\r\n")
            );
            theirs.write_all(b"OK 0123\r\n").unwrap();
            // One write has them all.
            let mut bytes = vec![0; 4096];
            let read = theirs.read(&mut bytes).unwrap();
            let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
            assert_eq!(text.matches("replace").count(), usize::from(calls));
            for answer in answers {
                theirs.write_all(&answer).unwrap();
            }
            thread::sleep(SHORT * 2);
        });
        Systemd { bus: Bus::over(ours, true).unwrap(), watching: false }
    }

    fn job(number: u32) -> OwnedObjectPath {
        OwnedObjectPath::try_from(format!("/org/freedesktop/systemd1/job/{number}")).unwrap()
    }

    fn removed(number: u32, result: &str) -> Vec<u8> {
        signals("JobRemoved", &(number, job(number), "x.service", result))
    }

    fn start(units: &[&str]) -> Vec<(JobKind, UnitName)> {
        units.iter().map(|unit| (JobKind::Start, UnitName::new(*unit).unwrap())).collect()
    }

    fn results(systemd: &mut Systemd, jobs: &[(JobKind, UnitName)]) -> Vec<JobResult> {
        systemd.run_jobs(jobs, SHORT).unwrap().into_iter().map(|(_, result)| result).collect()
    }

    #[test]
    fn a_signal_may_come_before_the_answer_that_names_its_job() {
        let answers = vec![
            removed(9, "failed"),
            removed(1, "done"),
            signals("UnitNew", &("y.service",)),
            returns(1, &(job(1),)),
            returns(2, &(job(2),)),
            removed(2, "dependency"),
        ];
        let mut systemd = systemd(2, answers);
        let found = results(&mut systemd, &start(&["a.service", "b.service"]));
        assert_eq!(found, [JobResult::Done, JobResult::Dependency]);
    }

    #[test]
    fn a_refused_job_does_not_hide_the_others() {
        let none = "org.freedesktop.systemd1.NoSuchUnit";
        let answers = vec![
            refuses(1, none, "Unit a.service not found."),
            refuses(2, none, "Unit b.service not loaded."),
            returns(3, &(job(3),)),
            removed(3, "assert"),
        ];
        let mut jobs = start(&["a.service", "b.service", "c.service"]);
        jobs[1].0 = JobKind::Stop;
        let refused = JobResult::Refused(none.into(), "Unit a.service not found.".into());
        let found = results(&mut systemd(3, answers), &jobs);
        assert_eq!(found, [refused, JobResult::Done, JobResult::Other("assert".into())]);
    }

    #[test]
    fn what_does_not_end_is_not_waited_for() {
        let begun = Instant::now();
        let found =
            results(&mut systemd(2, vec![returns(1, &(job(1),))]), &start(&["a.service", "b.service"]));
        assert_eq!(found, [JobResult::Unfinished, JobResult::Unfinished]);
        assert!(begun.elapsed() < SHORT * 3);
    }

    #[test]
    fn an_answer_of_another_kind_is_an_error() {
        let error =
            systemd(1, vec![returns(1, &(7_u32,))]).run_jobs(&start(&["a.service"]), SHORT).unwrap_err();
        let words = "the answer of systemd to `JobRemoved` cannot be read: the message has a body of the type `u`, not `o`";
        assert_eq!(error.to_string(), words);
    }
}
