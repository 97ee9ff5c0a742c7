//! Checks that look at one thing until it is as it should be, or their time is over.
#![expect(
    clippy::disallowed_methods,
    reason = "a door: it connects to a port of this machine, and reads the clock"
)]

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::base::name::UserName;
use crate::base::path::TargetPath;
use crate::switch::peek::Peek;
use crate::switch::sandbox::{ProofError, run};

use super::CheckError;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// The pause after a command that failed: it may cost more than a look.
const LATER: Duration = Duration::from_millis(500);
/// The longest that one attempt to connect takes.
const ATTEMPT: Duration = Duration::from_secs(5);

fn words(within: Duration) -> String {
    humantime::format_duration(within).to_string()
}

/// Waits until something accepts connections at a port of 127.0.0.1.
pub(super) fn accepts(port: u16, within: Duration) -> Result<(), CheckError> {
    let until = Instant::now() + within;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    while TcpStream::connect_timeout(&address, ATTEMPT.min(within)).is_err() {
        if Instant::now() + PAUSE >= until {
            return Err(CheckError::NotOpen { port, within: words(within) });
        }
        sleep(PAUSE);
    }
    Ok(())
}

/// Waits until a file was changed after now, by the clock of its file system.
pub(super) fn newer(path: &TargetPath, within: Duration) -> Result<(), CheckError> {
    let begun = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let until = Instant::now() + within;
    let peek = Peek::open(Path::new("/"))?;
    let mut was = "is not there";
    loop {
        if let Some(found) = peek.stat(path.as_str())? {
            let seconds = u64::try_from(found.st_mtime).unwrap_or_default();
            let nanoseconds = u32::try_from(found.st_mtime_nsec).unwrap_or_default();
            if Duration::new(seconds, nanoseconds) > begun {
                return Ok(());
            }
            was = "is old";
        }
        if Instant::now() + PAUSE >= until {
            return Err(CheckError::NotNewer { path: path.clone(), was, within: words(within) });
        }
        sleep(PAUSE);
    }
}

/// Runs a command until it ends well; the error is that of the last time that it had the time to say one.
pub(super) fn command(
    command: &[String],
    user: Option<&UserName>,
    within: Duration,
) -> Result<(), CheckError> {
    let until = Instant::now() + within;
    let mut said = None;
    loop {
        let left = until.saturating_duration_since(Instant::now()).max(PAUSE);
        let Err(error) = run(command, user, left) else { return Ok(()) };
        let error = match (said, error) {
            (Some(said), ProofError::TooSlow { .. }) => said,
            (_, error) => error,
        };
        if Instant::now() + LATER >= until {
            return Err(error.into());
        }
        said = Some(error);
        sleep(LATER);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_is_open_or_not() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(accepts(port, Duration::from_secs(5)).is_ok());
        drop(listener);
        let error = accepts(port, Duration::ZERO).unwrap_err().to_string();
        assert_eq!(error, format!("nothing accepts connections at port {port} within 0s"));
    }

    #[test]
    fn a_file_becomes_newer_or_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("beat");
        let path = TargetPath::new(file.to_str().unwrap()).unwrap();
        let error = newer(&path, Duration::ZERO).unwrap_err().to_string();
        assert!(error.contains("is not there, and did not become newer within 0s"), "{error}");
        std::fs::write(&file, "").unwrap();
        let error = newer(&path, Duration::ZERO).unwrap_err().to_string();
        assert!(error.contains("is old"), "{error}");
        let writer = std::thread::spawn(move || {
            sleep(Duration::from_millis(300));
            std::fs::write(file, "x").unwrap();
        });
        assert!(newer(&path, Duration::from_secs(20)).is_ok());
        writer.join().unwrap();
    }
}
