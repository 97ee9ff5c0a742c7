//! `[[check]]`: each kind has its own keys, and no others.

use std::time::Duration;

use crate::base::http::{HttpAsk, OK, UrlPath};
use crate::base::name::{Label, UnitName, UserName};
use crate::base::nearest::advice;
use crate::base::path::TargetPath;
use crate::base::report::Diagnostic;
use crate::base::value::Value;
use crate::build::artifact::{CheckArtifact, CheckKind, Program};
use crate::build::forms::seconds;

use super::Fields;

/// How long a check may take where it does not say.
const WITHIN: Duration = Duration::from_secs(15);

/// The kinds, each with the keys that only some kinds have.
pub const KINDS: [(&str, &[&str]); 7] = [
    ("unit-active", &[]),
    ("vtp", &["port"]),
    ("vtp-nak", &["port"]),
    ("tcp", &["port"]),
    ("http", &["port", "path", "status", "contains"]),
    ("file-newer", &["path"]),
    ("command", &["command", "script", "user"]),
];

impl Fields<'_> {
    /// The check.
    pub(super) fn check(&self) -> Result<CheckArtifact, Diagnostic> {
        let name: Label = self.name("name")?;
        let kind = self.needed("kind")?;
        let Some((kind, own)) = KINDS.iter().find(|(known, _)| *known == kind) else {
            let help = advice(kind, KINDS.iter().map(|(known, _)| *known));
            return Err(self.fault("kind", format!("there is no kind of check `{kind}`"), help));
        };
        for key in KINDS.iter().flat_map(|(_, keys)| *keys) {
            if self.values.contains_key(key) && !own.contains(key) {
                let help = "leave it out, or choose another kind";
                return Err(self.fault(key, format!("a check of kind `{kind}` has no `{key}`"), help));
            }
        }
        let unit: Option<UnitName> = self.text("unit").map(|unit| self.named("unit", unit)).transpose()?;
        let kind = match *kind {
            "unit-active" => CheckKind::UnitActive(unit.clone().ok_or_else(|| self.lacks(kind, "unit"))?),
            "vtp" => CheckKind::Vtp(self.port(kind)?),
            "vtp-nak" => CheckKind::VtpNak(self.port(kind)?),
            "tcp" => CheckKind::Tcp(self.port(kind)?),
            "http" => self.http(kind)?,
            "file-newer" if self.text("path").is_none() => return Err(self.lacks(kind, "path")),
            "file-newer" => CheckKind::FileNewer(self.path("path")?),
            _ => self.command(kind)?,
        };
        let within = self.text("within").and_then(seconds).map_or(WITHIN, Duration::from_secs);
        Ok(CheckArtifact { name, kind, unit, within })
    }

    fn lacks(&self, kind: &str, key: &str) -> Diagnostic {
        self.fault(
            "kind",
            format!("a check of kind `{kind}` needs `{key}`"),
            format!("add a line `{key} = …`"),
        )
    }

    fn port(&self, kind: &str) -> Result<u16, Diagnostic> {
        let port = match self.values.get("port") {
            Some((Value::Int(port), _)) => u16::try_from(*port).ok(),
            _ => None,
        };
        port.ok_or_else(|| self.lacks(kind, "port"))
    }

    fn http(&self, kind: &str) -> Result<CheckKind, Diagnostic> {
        let path = self.text("path").ok_or_else(|| self.lacks(kind, "path"))?;
        let help = "write it like `/health`; the host is this one";
        let path = UrlPath::new(path).map_err(|error| self.fault("path", error.to_string(), help))?;
        let status = match self.values.get("status") {
            Some((Value::Int(status), _)) => u16::try_from(*status).unwrap_or(OK),
            _ => OK,
        };
        let contains = self.text("contains").map(str::to_owned);
        Ok(CheckKind::Http(HttpAsk { port: self.port(kind)?, path, status, contains }))
    }

    fn command(&self, kind: &str) -> Result<CheckKind, Diagnostic> {
        let user: Option<UserName> = self.text("user").map(|user| self.named("user", user)).transpose()?;
        let command = self.texts("command");
        let program = match (command.first(), self.text("script")) {
            (Some(_), Some(_)) => {
                let help = "name the script alone: what it needs is written into it";
                return Err(self.fault("script", "both a `command` and a `script`", help));
            }
            (None, Some(script)) => Program::Script(self.named("script", script)?),
            (None, None) => return Err(self.lacks(kind, "command")),
            (Some(program), None) if TargetPath::new(program.as_str()).is_err() => {
                let message = format!("`{}` is no absolute path of a program", program.escape_debug());
                return Err(self.fault("command", message, "write it like `/usr/bin/true`, arguments apart"));
            }
            (Some(_), None) => Program::Command(command),
        };
        Ok(CheckKind::Command { program, user })
    }
}
