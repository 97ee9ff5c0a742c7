//! Whether an HTTP service on this machine answers as it should.
//!
//! What answers is hostile: its header, its body and its time are bounded, redirects are not followed, and the proxies
//! that the environment names are not asked.

use std::fmt;
use std::io::{ErrorKind, Read as _};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ureq::Agent;

use crate::base::http::HttpAsk;

/// The longest that one attempt takes.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The pause after a refused connection, which costs nobody anything.
const SOON: Duration = Duration::from_millis(10);
/// The pause after another answer: each attempt may be a line in the service's log.
const LATER: Duration = Duration::from_millis(250);
/// The longest header that is read.
const HEADER: usize = 64 << 10;
/// The most of a body that is read.
const BODY: u64 = 1 << 20;

/// A good answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
}

impl fmt::Display for HttpAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)
    }
}

/// Why there was no good answer: the last attempt's reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url} {reason}")]
pub struct HttpError {
    /// What was asked.
    pub url: String,
    /// What came instead.
    pub reason: HttpFault,
}

/// What came instead of a good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFault {
    /// Nothing listens.
    #[error("refused the connection for {within}: nothing listens there")]
    Refused {
        /// How long was tried, in words.
        within: String,
    },
    /// It hangs.
    #[error("accepts connections, but no whole answer came within {within}")]
    Silent {
        /// How long, in words.
        within: String,
    },
    /// Another status.
    #[error("answered with the status {status} where {wanted} was expected{}", redirected(.location.as_ref()))]
    Status {
        /// The status that came.
        status: u16,
        /// The one that was expected.
        wanted: u16,
        /// Where it redirects to.
        location: Option<String>,
    },
    /// Another body.
    #[error("answered, but `{}` is not in {}", .text.escape_debug(), if *.whole { "the answer" } else { "the first MiB of the answer" })]
    Without {
        /// What was looked for.
        text: String,
        /// Whether all of the body was read.
        whole: bool,
    },
    /// No HTTP, a header without end, a connection that broke.
    #[error("cannot be asked: {0}")]
    Other(String),
}

fn redirected(location: Option<&String>) -> String {
    location.map(|location| format!("; it redirects to `{location}`")).unwrap_or_default()
}

/// Asks until the answer is good, or the time is over.
///
/// # Errors
/// Where it is not: the reason of the last attempt that had one.
pub fn ask(ask: &HttpAsk, within: Duration) -> Result<HttpAnswer, HttpError> {
    let until = Instant::now() + within;
    let mut last = None;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        // What is cut short by the end of the time says less than a whole attempt.
        let whole = left >= ATTEMPT || last.is_none();
        let fault = match attempt(ask, left.min(ATTEMPT).max(Duration::from_millis(1))) {
            Ok(answer) => return Ok(answer),
            Err(fault) => fault.unwrap_or_else(|| HttpFault::Silent { within: words(within) }),
        };
        let refused = matches!(fault, HttpFault::Refused { .. });
        let pause = if refused { SOON } else { LATER };
        if whole || !matches!(fault, HttpFault::Silent { .. }) {
            last = Some(if refused { HttpFault::Refused { within: words(within) } } else { fault });
        }
        if Instant::now() + pause >= until {
            let reason = last.unwrap_or_else(|| HttpFault::Silent { within: words(within) });
            return Err(HttpError { url: ask.to_string(), reason });
        }
        sleep(pause);
    }
}

fn words(within: Duration) -> String {
    humantime::format_duration(within).to_string()
}

/// One question; without a fault where it took too long.
fn attempt(ask: &HttpAsk, within: Duration) -> Result<HttpAnswer, Option<HttpFault>> {
    let agent: Agent = Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(HEADER)
        .user_agent("voevent-switch")
        .timeout_global(Some(within))
        .build()
        .into();
    let mut response = agent.get(ask.to_string()).call().map_err(fault)?;
    let status = response.status().as_u16();
    if status != ask.status {
        let location = response.headers().get("location").and_then(|location| location.to_str().ok());
        let location = location.map(|location| location.escape_debug().take(200).collect());
        return Err(Some(HttpFault::Status { status, wanted: ask.status, location }));
    }
    if let Some(text) = &ask.contains {
        let mut body = Vec::new();
        let mut reader = response.body_mut().as_reader();
        reader.by_ref().take(BODY).read_to_end(&mut body).map_err(|error| fault(error.into()))?;
        if !body.windows(text.len().max(1)).any(|part| part == text.as_bytes()) {
            let whole = (body.len() as u64) < BODY;
            return Err(Some(HttpFault::Without { text: text.clone(), whole }));
        }
    }
    Ok(HttpAnswer { status })
}

fn fault(error: ureq::Error) -> Option<HttpFault> {
    let reason = match error {
        ureq::Error::Timeout(_) => return None,
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => return Some(HttpFault::Refused { within: String::new() }),
            ErrorKind::WouldBlock | ErrorKind::TimedOut => return None,
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                "it closed the connection before it had answered".to_owned()
            }
            _ => error.to_string(),
        },
        ureq::Error::Protocol(error) => format!("what it answers is not taken: {error}"),

        other => other.to_string(),
    };
    Some(HttpFault::Other(reason.escape_debug().to_string()))
}

#[cfg(test)]
mod tests;
