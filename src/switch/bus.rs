//! A blocking D-Bus connection of one thread, whose every wait has an end.
//!
//! To PID 1 itself by `/run/systemd/private`: a peer, so there is no `Hello` and no name to send to; root only, and
//! there before any bus is, so also at boot. Else to the system bus, where others than root may ask too.
#![expect(clippy::disallowed_methods, reason = "a door: it speaks to PID 1")]

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde::Serialize;
use zbus::Type;

use crate::switch::dbus::{self, Kind, Message, Method, WireError};

/// The socket of PID 1 (systemd, `bus_setup_private`).
const PRIVATE: &str = "/run/systemd/private";
/// The system bus (D-Bus specification, "System message bus").
const SYSTEM: &str = "/run/dbus/system_bus_socket";
/// The name of PID 1 on the bus, org.freedesktop.systemd1(5).
const NAME: &str = "org.freedesktop.systemd1";
const DAEMON: Method<'_> =
    Method { path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "Hello" };
/// The signal that is kept when it comes while an answer is waited for.
pub const KEPT_SIGNAL: &str = "JobRemoved";
/// How long a call may take that waits for nothing: sd-bus's own default.
pub const CALL_TIME: Duration = Duration::from_secs(25);

/// Why systemd could not be asked, or what it said.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// Neither socket can be used.
    #[error("systemd cannot be reached: `{PRIVATE}`: {private}; `{SYSTEM}`: {system}")]
    NotReached {
        /// Why not the private socket.
        private: String,
        /// Why not the bus.
        system: String,
    },
    /// The connection broke.
    #[error("the connection to systemd broke while waiting for `{what}`: {source}")]
    Broken {
        /// What was under way.
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// No answer in time.
    #[error("systemd did not answer `{what}` within {}s", within.as_secs())]
    Silent {
        /// What was under way.
        what: String,
        /// How long it could take.
        within: Duration,
    },
    /// The other side is no D-Bus server, or did not let us in.
    #[error("systemd did not accept us on D-Bus: {0:?}")]
    NotAccepted(String),
    /// An answer that we cannot read.
    #[error("the answer of systemd to `{what}` cannot be read: {source}")]
    Unreadable {
        /// What was under way.
        what: String,
        /// Why.
        source: WireError,
    },
    /// systemd says no.
    #[error("systemd refused `{what}`: {message} ({name})")]
    Refused {
        /// What was asked for, and of which unit.
        what: String,
        /// The D-Bus error name, such as `org.freedesktop.systemd1.NoSuchUnit`.
        name: String,
        /// Its words.
        message: String,
    },
}

impl BusError {
    /// Whether this is a refusal with this D-Bus error name.
    #[must_use]
    pub fn is(&self, error: &str) -> bool {
        matches!(self, Self::Refused { name, .. } if name == error)
    }
}

/// A connection.
#[derive(Debug)]
pub struct Bus {
    stream: UnixStream,
    input: Vec<u8>,
    output: Vec<u8>,
    serial: u32,
    private: bool,
    signals: VecDeque<Message>,
}

impl Bus {
    /// Connects: to PID 1 itself where we may, else through the system bus.
    ///
    /// # Errors
    /// Where both fail.
    pub fn open() -> Result<Self, BusError> {
        let private = match Self::connect(PRIVATE, true) {
            Ok(bus) => return Ok(bus),
            Err(error) => error.to_string(),
        };
        let system = match Self::connect(SYSTEM, false) {
            Ok(bus) => return Ok(bus),
            Err(error) => error.to_string(),
        };
        Err(BusError::NotReached { private, system })
    }

    /// Whether this is a connection to PID 1 itself: it sends all signals unasked.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        self.private
    }

    fn connect(path: &str, private: bool) -> Result<Self, BusError> {
        let stream = UnixStream::connect(path).map_err(|source| broken("connect", source))?;
        Self::over(stream, private)
    }

    /// Speaks D-Bus over a stream that is connected.
    pub(crate) fn over(stream: UnixStream, private: bool) -> Result<Self, BusError> {
        let mut bus = Self {
            stream,
            input: Vec::new(),
            output: Vec::new(),
            serial: 0,
            private,
            signals: VecDeque::new(),
        };
        bus.authenticate()?;
        if !private {
            let (_unique,): (String,) = bus.call_to("org.freedesktop.DBus", DAEMON, &(), CALL_TIME)?;
        }
        Ok(bus)
    }

    /// SASL's EXTERNAL: the kernel tells the other side who we are (D-Bus specification, "Authentication Protocol").
    ///
    /// `BEGIN` goes in the same write, as sd-bus has it. Sent after the `OK`, PID 1 sometimes reads it together with
    /// the first call, and then does not look at that call before more bytes come (tried: one call in three hung).
    fn authenticate(&mut self) -> Result<(), BusError> {
        const WHAT: &str = "AUTH EXTERNAL";
        let uid = rustix::process::geteuid().as_raw().to_string();
        let hex = data_encoding::HEXLOWER.encode(uid.as_bytes());
        self.write(WHAT, format!("\0AUTH EXTERNAL {hex}\r\nBEGIN\r\n").as_bytes())?;
        let until = Instant::now() + CALL_TIME;
        let end = loop {
            if let Some(end) = self.input.windows(2).position(|two| two == b"\r\n") {
                break end;
            }
            if self.input.len() > 4096 {
                return Err(BusError::NotAccepted("a very long line".to_owned()));
            }
            self.fill(WHAT, until, CALL_TIME)?;
        };
        let line: Vec<u8> = self.input.drain(..end + 2).collect();
        if line.starts_with(b"OK ") {
            Ok(())
        } else {
            Err(BusError::NotAccepted(String::from_utf8_lossy(&line).trim_end().to_owned()))
        }
    }

    /// Calls a method of systemd and waits for its answer.
    ///
    /// # Errors
    /// Where it says no, or nothing in time, or something else.
    pub fn call<B, R>(&mut self, method: Method<'_>, body: &B, within: Duration) -> Result<R, BusError>
    where
        B: Serialize + Type,
        R: serde::de::DeserializeOwned + Type,
    {
        self.call_to(NAME, method, body, within)
    }

    /// Calls a method of the bus itself; nothing on a private connection.
    ///
    /// # Errors
    /// As [`Bus::call`].
    pub fn call_daemon<B: Serialize + Type>(&mut self, member: &str, body: &B) -> Result<(), BusError> {
        if self.private {
            return Ok(());
        }
        self.call_to("org.freedesktop.DBus", Method { member, ..DAEMON }, body, CALL_TIME)
    }

    fn call_to<B, R>(
        &mut self,
        destination: &str,
        method: Method<'_>,
        body: &B,
        within: Duration,
    ) -> Result<R, BusError>
    where
        B: Serialize + Type,
        R: serde::de::DeserializeOwned + Type,
    {
        let until = Instant::now() + within;
        let serial = self.queue_to(destination, method, body)?;
        self.flush(method.member)?;
        loop {
            let Some(message) = self.receive(method.member, until)? else {
                return Err(BusError::Silent { what: method.member.to_owned(), within });
            };
            match &message.kind {
                Kind::Return(answers) if *answers == serial => {
                    return message.body().map_err(|source| unreadable(method.member, source));
                }
                Kind::Error(answers, name) if *answers == serial => {
                    return Err(refused(method.member, name, &message));
                }
                // systemd sends a peer every signal of every unit: only what is waited for is kept.
                Kind::Signal(_, member) if member == KEPT_SIGNAL => self.signals.push_back(message),
                _ => {}
            }
        }
    }

    /// Forgets the signals that came so far.
    pub fn forget_signals(&mut self) {
        self.signals.clear();
    }

    /// Puts a call to systemd to those that [`Bus::flush`] sends; gives the serial that its answer will have.
    ///
    /// # Errors
    /// Where an argument has no form on the wire.
    pub fn queue<B: Serialize + Type>(&mut self, method: Method<'_>, body: &B) -> Result<u32, BusError> {
        self.queue_to(NAME, method, body)
    }

    fn queue_to<B: Serialize + Type>(
        &mut self,
        destination: &str,
        method: Method<'_>,
        body: &B,
    ) -> Result<u32, BusError> {
        self.serial += 1;
        let to = if self.private { None } else { Some(destination) };
        let bytes = dbus::encode(self.serial, to, method, body)
            .map_err(|source| unreadable(method.member, source))?;
        self.output.extend_from_slice(&bytes);
        Ok(self.serial)
    }

    /// Sends all that is queued, in one write.
    ///
    /// # Errors
    /// Where it cannot be sent.
    pub fn flush(&mut self, what: &str) -> Result<(), BusError> {
        let bytes = std::mem::take(&mut self.output);
        self.write(what, &bytes)
    }

    /// The next [`KEPT_SIGNAL`] that came while an answer was waited for, else message of any kind; `None`: none in time.
    ///
    /// # Errors
    /// Where the connection broke or has no messages.
    pub fn next(&mut self, what: &str, until: Instant) -> Result<Option<Message>, BusError> {
        match self.signals.pop_front() {
            Some(signal) => Ok(Some(signal)),
            None => self.receive(what, until),
        }
    }

    fn receive(&mut self, what: &str, until: Instant) -> Result<Option<Message>, BusError> {
        loop {
            if let Some(total) = dbus::length(&self.input).map_err(|source| unreadable(what, source))?
                && self.input.len() >= total
            {
                let bytes: Vec<u8> = self.input.drain(..total).collect();
                return dbus::decode(&bytes).map(Some).map_err(|source| unreadable(what, source));
            }
            match self.fill(what, until, Duration::ZERO) {
                Err(BusError::Silent { .. }) => return Ok(None),
                other => other?,
            }
        }
    }

    /// Reads what there is, or waits for it.
    fn fill(&mut self, what: &str, until: Instant, within: Duration) -> Result<(), BusError> {
        let mut chunk = [0_u8; 16 << 10];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(BusError::Silent { what: what.to_owned(), within });
            }
            self.stream.set_read_timeout(Some(left)).map_err(|source| broken(what, source))?;
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(broken(what, ErrorKind::UnexpectedEof.into())),
                Ok(read) => {
                    self.input.extend_from_slice(&chunk[..read]);
                    return Ok(());
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(broken(what, source)),
            }
        }
    }

    fn write(&mut self, what: &str, bytes: &[u8]) -> Result<(), BusError> {
        // A peer that reads nothing for that long will not.
        self.stream
            .set_write_timeout(Some(CALL_TIME))
            .and_then(|()| self.stream.write_all(bytes))
            .map_err(|source| broken(what, source))
    }
}

fn broken(what: &str, source: std::io::Error) -> BusError {
    BusError::Broken { what: what.to_owned(), source }
}

fn unreadable(what: &str, source: WireError) -> BusError {
    BusError::Unreadable { what: what.to_owned(), source }
}

/// The refusal that a message of the kind `Error` is.
#[must_use]
pub fn refused(what: &str, name: &str, message: &Message) -> BusError {
    let text = message.body::<(String,)>().map(|(text,)| text).unwrap_or_default();
    BusError::Refused { what: what.to_owned(), name: name.to_owned(), message: text }
}
