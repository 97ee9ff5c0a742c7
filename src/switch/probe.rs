//! Whether a broker on this machine answers. That its port accepts proves nothing: so does a frozen broker's, and one
//! whose whitelist does not have us. Only an answer of VTP does (IVOA Note "VOEvent Transport Protocol").
#![expect(clippy::disallowed_methods, reason = "a door: it speaks to a broker")]

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::switch::vtp::{self, Transport, VtpError};

/// The longest that one attempt takes. A broker that is alive answers within milliseconds.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The pause after a refused connection, which costs nobody anything.
const SOON: Duration = Duration::from_millis(10);
/// The pause after an answer that was none: each attempt is a line in the broker's log.
const LATER: Duration = Duration::from_millis(250);

/// How to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    /// Connect to the port for subscribers, where the broker speaks first.
    Vtp,
    /// Send an event that cannot be accepted to the port for authors.
    VtpNak,
}

/// A good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// To [`ProbeKind::Vtp`].
    Greeting {
        /// The IVOID that the broker says is its own.
        origin: String,
    },
    /// To [`ProbeKind::VtpNak`].
    Nak {
        /// Why it refused the event.
        reason: String,
    },
}

/// Data of the answer, on one line.
impl fmt::Display for ProbeAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting { origin } => write!(f, "greeting from {origin}"),
            Self::Nak { reason } => write!(f, "nak: {reason}"),
        }
    }
}

/// Why there was no good answer: the last attempt's reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// Nothing listens.
    #[error("port {port} refused the connection for {within}: nothing listens there")]
    Refused {
        /// The port.
        port: u16,
        /// How long was tried, in words.
        within: String,
    },
    /// It hangs.
    #[error(
        "port {port} accepts connections, but no VTP {what} came within {within}: the broker hangs, or it is none"
    )]
    Silent {
        /// The port.
        port: u16,
        /// What was waited for.
        what: &'static str,
        /// How long, in words.
        within: String,
    },
    /// It does not want us.
    #[error("port {port} closed the connection at once: is 127.0.0.1 on its whitelist?")]
    Closed {
        /// The port.
        port: u16,
    },
    /// It speaks something else.
    #[error("port {port} does not speak VTP: {source}")]
    NotVtp {
        /// The port.
        port: u16,
        /// What came.
        source: VtpError,
    },
    /// It speaks VTP, but is another port than we took it for.
    #[error("port {port} answered with the role `{role}` where `{wanted}` was expected")]
    OtherRole {
        /// The port.
        port: u16,
        /// The role that came.
        role: String,
        /// The one that was expected.
        wanted: &'static str,
    },
    /// The connection cannot be used for another reason.
    #[error("port {port} cannot be asked: {reason}")]
    Other {
        /// The port.
        port: u16,
        /// Why.
        reason: String,
    },
}

/// Asks a broker on 127.0.0.1 until it answers well or the time is over.
///
/// # Errors
/// Where it does not: the reason of the last attempt that had one. An event that it takes instead of refusing it ends
/// the probe at once, for it is sent on.
pub fn probe(kind: ProbeKind, port: u16, within: Duration) -> Result<ProbeAnswer, ProbeError> {
    let begun = Instant::now();
    let until = begun + within;
    // What the last whole attempt found; one that is cut short by the end of the time says less.
    let mut last = None;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let whole = left >= ATTEMPT || last.is_none();
        let failure = match attempt(kind, port, left.min(ATTEMPT)) {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        if failure == (Failure::Role { role: "ack".to_owned() }) {
            return Err(failure.told(kind, port, within));
        }
        let pause = if failure == Failure::Refused { SOON } else { LATER };
        if whole || failure != Failure::Silent {
            last = Some(failure);
        }
        if Instant::now() + pause >= until {
            return Err(last.unwrap_or(Failure::Silent).told(kind, port, within));
        }
        sleep(pause);
    }
}

/// Why one attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Failure {
    Refused,
    Silent,
    Closed,
    NotVtp(VtpError),
    Role { role: String },
    Other(String),
}

impl Failure {
    fn told(self, kind: ProbeKind, port: u16, within: Duration) -> ProbeError {
        let (what, wanted) = match kind {
            ProbeKind::Vtp => ("greeting", "authenticate"),
            ProbeKind::VtpNak => ("answer", "nak"),
        };
        let within = humantime::format_duration(within).to_string();
        match self {
            Self::Refused => ProbeError::Refused { port, within },
            Self::Silent => ProbeError::Silent { port, what, within },
            Self::Closed => ProbeError::Closed { port },
            Self::NotVtp(source) => ProbeError::NotVtp { port, source },
            Self::Role { role } => ProbeError::OtherRole { port, role, wanted },
            Self::Other(reason) => ProbeError::Other { port, reason },
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Silent,
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Other(error.to_string()),
        }
    }
}

fn attempt(kind: ProbeKind, port: u16, within: Duration) -> Result<ProbeAnswer, Failure> {
    // A time-out of zero is an error to the socket.
    let within = within.max(Duration::from_millis(1));
    let until = Instant::now() + within;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, within)?;
    if kind == ProbeKind::VtpNak {
        stream.set_write_timeout(Some(within))?;
        stream.write_all(&vtp::frame(&vtp::invalid_event()))?;
    }
    let answer = read(&mut stream, until)?;
    match (kind, answer.role.as_str()) {
        (ProbeKind::Vtp, "authenticate") => Ok(ProbeAnswer::Greeting { origin: answer.origin }),
        (ProbeKind::VtpNak, "nak") => Ok(ProbeAnswer::Nak { reason: answer.reason.unwrap_or_default() }),
        _ => Err(Failure::Role { role: answer.role }),
    }
}

/// Reads one message.
fn read(stream: &mut TcpStream, until: Instant) -> Result<Transport, Failure> {
    let mut start = [0; 4];
    fill(stream, &mut start, until)?;
    let mut message = vec![0; vtp::length(start).map_err(Failure::NotVtp)?];
    fill(stream, &mut message, until)?;
    vtp::transport(&message).map_err(Failure::NotVtp)
}

/// Reads as many bytes as there is room for.
fn fill(stream: &mut TcpStream, mut room: &mut [u8], until: Instant) -> Result<(), Failure> {
    while !room.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::Silent);
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(room) {
            Ok(0) => return Err(Failure::Closed),
            Ok(read) => room = &mut room[read..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    const SHORT: Duration = Duration::from_millis(300);

    fn greeting(role: &str) -> Vec<u8> {
        vtp::frame(&format!(
            "<t:Transport xmlns:t='urn:t' role='{role}'><Origin>ivo://a.b/c</Origin><Meta><Result>no</Result></Meta></t:Transport>"
        ))
    }

    /// A listener that does this with each connection.
    fn serve(mut act: impl FnMut(TcpStream) + Send + 'static) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                act(stream.unwrap());
            }
        });
        port
    }

    /// What an author sent.
    fn received(stream: &mut TcpStream) -> String {
        let mut start = [0; 4];
        stream.read_exact(&mut start).unwrap();
        let mut event = vec![0; vtp::length(start).unwrap()];
        stream.read_exact(&mut event).unwrap();
        String::from_utf8(event).unwrap()
    }

    #[test]
    fn a_greeting() {
        let port = serve(|mut stream| {
            for byte in greeting("authenticate") {
                stream.write_all(&[byte]).unwrap();
            }
        });
        let answer = probe(ProbeKind::Vtp, port, SHORT).unwrap();
        assert_eq!(answer, ProbeAnswer::Greeting { origin: "ivo://a.b/c".into() });
    }

    #[test]
    fn a_nak() {
        let port = serve(|mut stream| {
            assert_eq!(received(&mut stream), vtp::invalid_event());
            stream.write_all(&greeting("nak")).unwrap();
        });
        let answer = probe(ProbeKind::VtpNak, port, SHORT).unwrap();
        assert_eq!(answer, ProbeAnswer::Nak { reason: "no".into() });
    }

    #[test]
    fn one_that_is_not_there_yet() {
        let spare = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = spare.local_addr().unwrap().port();
        drop(spare);
        let error = probe(ProbeKind::Vtp, port, Duration::ZERO).unwrap_err().to_string();
        assert_eq!(error, format!("port {port} refused the connection for 0s: nothing listens there"));
        thread::spawn(move || {
            sleep(Duration::from_millis(120));
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
            listener.accept().unwrap().0.write_all(&greeting("authenticate")).unwrap();
        });
        assert!(probe(ProbeKind::Vtp, port, Duration::from_secs(5)).is_ok());
    }

    #[test]
    fn one_that_hangs() {
        // The kernel accepts for a listener that never does, as for a frozen broker.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let begun = Instant::now();
        let error = probe(ProbeKind::Vtp, port, SHORT).unwrap_err().to_string();
        let wanted =
            "accepts connections, but no VTP greeting came within 300ms: the broker hangs, or it is none";
        assert_eq!(error, format!("port {port} {wanted}"));
        assert!(begun.elapsed() < SHORT * 3);
        let error = probe(ProbeKind::VtpNak, port, SHORT).unwrap_err();
        assert!(matches!(error, ProbeError::Silent { what: "answer", .. }));
    }

    #[test]
    fn one_that_gives_a_little_is_not_waited_for() {
        let port = serve(|mut stream| {
            thread::spawn(move || {
                while stream.write_all(b"\0").is_ok() {
                    sleep(Duration::from_millis(20));
                }
            });
        });
        // A length of zero, so no message.
        assert!(matches!(probe(ProbeKind::Vtp, port, SHORT), Err(ProbeError::NotVtp { .. })));
    }

    #[test]
    fn one_whose_whitelist_has_us_not() {
        let port = serve(drop);
        for kind in [ProbeKind::Vtp, ProbeKind::VtpNak] {
            assert_eq!(probe(kind, port, SHORT), Err(ProbeError::Closed { port }));
        }
    }

    #[test]
    fn something_else() {
        let port = serve(|mut stream| {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH\r\n");
        });
        let error = probe(ProbeKind::Vtp, port, SHORT).unwrap_err().to_string();
        let wanted = "does not speak VTP: the answer starts with `SSH-`, which is no length of a VTP message";
        assert_eq!(error, format!("port {port} {wanted}"));
        let port = serve(|mut stream| stream.write_all(&greeting("iamalive")).unwrap());
        let error = probe(ProbeKind::Vtp, port, SHORT).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("port {port} answered with the role `iamalive` where `authenticate` was expected")
        );
    }

    #[test]
    fn an_event_that_is_taken_is_sent_once() {
        let count = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let seen = count.clone();
        let port = serve(move |mut stream| {
            received(&mut stream);
            seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            stream.write_all(&greeting("ack")).unwrap();
        });
        let error = probe(ProbeKind::VtpNak, port, Duration::from_secs(5)).unwrap_err();
        assert!(matches!(error, ProbeError::OtherRole { wanted: "nak", .. }));
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
    }
}
