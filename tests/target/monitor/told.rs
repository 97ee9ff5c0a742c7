//! To whom the monitor tells what: a mail server and a webhook beside the machines, and a command on the node.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::SOON;
use crate::driver::{Call, Explain, Failure, Lab, Machine, Result, Running};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/monitor/receivers.py");
/// Each tells the same.
const CHANNELS: [&str; 3] = ["mail", "/T0K3N", "command"];

/// The mail server and the webhook.
pub(super) struct Receivers {
    dir: PathBuf,
    running: Option<Running>,
}

impl Receivers {
    pub(super) fn start(lab: &Lab) -> Result<Self> {
        let dir = lab.dir().join("receivers");
        fs::create_dir(&dir).explain(|| format!("make `{}`", dir.display()))?;
        let name = format!("subjectAltName=IP:{}", Lab::ADDRESS);
        let words = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=test"];
        let more = ["-addext", &name, "-keyout", "key.pem", "-out", "cert.pem"];
        Call::here(words.into_iter().chain(more)).current_dir(&dir).ok()?;
        let mut receivers = Self { dir, running: None };
        receivers.start_again(lab)?;
        Ok(receivers)
    }

    pub(super) fn start_again(&mut self, lab: &Lab) -> Result<()> {
        let file = |name: &str| self.dir.join(name).into_os_string();
        let words = ["python3", PROGRAM, Lab::ADDRESS, "2525", "8080"].map(OsStr::new);
        let files = [file("log"), file("cert.pem"), file("key.pem")];
        let argv = words.into_iter().chain(files.iter().map(OsString::as_os_str));
        self.running = Some(lab.control(argv).env("PYTHONDONTWRITEBYTECODE", "1").spawn()?);
        Ok(())
    }

    pub(super) fn stop(&mut self) -> Result<()> {
        self.running.take().map_or(Ok(()), Running::kill)
    }

    pub(super) fn certificate(&self) -> PathBuf {
        self.dir.join("cert.pem")
    }
}

/// What was told, and by which way.
pub(super) struct Told<'a> {
    lab: &'a Lab,
    node: &'a Machine,
}

impl<'a> Told<'a> {
    pub(super) fn new(lab: &'a Lab, node: &'a Machine) -> Self {
        Self { lab, node }
    }

    pub(super) fn lab(&self) -> &Lab {
        self.lab
    }

    /// All that the receivers beside the machines have written down.
    fn entries(&self) -> Result<Vec<Json>> {
        let path = self.lab.dir().join("receivers/log");
        lines(&if path.exists() { read(&path)? } else { String::new() })
    }

    /// How often the node said that all is well.
    pub(super) fn pings(&self) -> Result<usize> {
        Ok(self.entries()?.iter().filter(|entry| entry["by"] == "/beat").count())
    }

    /// How often each way told each change, such as `raised unit comet.service`.
    fn changes(&self) -> Result<BTreeMap<(&'static str, String), usize>> {
        let mut told = BTreeMap::new();
        let own = lines(&self.node.sh("cat /var/lib/voevent-alarm/log 2>/dev/null || true")?)?;
        let others = self.entries()?;
        let messages =
            own.iter().map(|message| ("command", message)).chain(others.iter().filter_map(|entry| {
                let by = CHANNELS.into_iter().find(|channel| entry["by"] == *channel)?;
                Some((by, if by == "mail" { entry } else { &entry["body"] }))
            }));
        for (by, message) in messages {
            for change in message["changes"].as_array().into_iter().flatten() {
                let text = |key: &str| change[key].as_str().unwrap_or_default();
                let words = change
                    .as_str()
                    .map_or_else(|| format!("{} {}", text("kind"), text("key")), str::to_owned);
                *told.entry((by, words)).or_insert(0) += 1;
            }
        }
        Ok(told)
    }

    /// Waits until every way has told this change.
    pub(super) fn wait(&self, change: &str) -> Result<()> {
        self.until(change, || {
            let told = self.changes()?;
            Ok(CHANNELS.iter().all(|channel| told.contains_key(&(*channel, change.to_owned()))))
        })
    }

    /// Waits; a failure says what the monitor did.
    pub(super) fn until(&self, what: &str, holds: impl FnMut() -> Result<bool>) -> Result<()> {
        self.node.wait(SOON, holds).map_err(|failure| {
            let script = "journalctl --no-pager -o short-precise -u 'voevent-*' -u comet | tail -60
                cat /var/lib/voevent-monitor/state.json; systemctl list-units --no-pager --failed";
            let node = self.node.sh(script).unwrap_or_else(|failure| failure.to_string());
            Failure::new(format!("waiting for {what}: {failure}\n{:#?}\n{node}", self.changes()))
        })
    }

    /// Nothing was told twice, all was told by all, and the mails came by TLS with a login.
    pub(super) fn once(&self) -> Result<()> {
        for ((by, change), times) in self.changes()? {
            assert_eq!(times, 1, "{by} told `{change}` {times} times");
        }
        for entry in self.entries()?.iter().filter(|entry| entry["by"] == "mail") {
            assert_eq!((&entry["tls"], &entry["login"]), (&true.into(), &"node".into()), "{entry}");
            let text = entry["text"].as_str().unwrap_or_default();
            assert!(text.contains("watched (node1.example.org), generation 1, "), "{text}");
        }
        let log = self.node.sh("journalctl --no-pager -o cat")?;
        assert!(!log.contains("T0K3N"), "a secret is in the log");
        Ok(())
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).explain(|| format!("read `{}`", path.display()))
}

fn lines(text: &str) -> Result<Vec<Json>> {
    text.lines().map(|line| serde_json::from_str(line).explain(|| format!("read `{line}`"))).collect()
}
