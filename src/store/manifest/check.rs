//! The proofs that a node works, as a manifest has them.

use std::time::Duration;

use serde::Deserialize;

use crate::base::http::{HttpAsk, UrlPath};
use crate::base::name::{Label, UnitName, UserName};
use crate::base::path::TargetPath;

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// The unit is active.
    UnitActive,
    /// A broker greets a subscriber at the port.
    Vtp,
    /// A broker refuses an event with an invalid IVOID at the port.
    VtpNak,
    /// Something accepts connections at the port.
    Tcp,
    /// An HTTP service at the port answers.
    Http,
    /// The file becomes newer than the beginning of the check.
    FileNewer,
    /// The command ends well.
    Command,
}

impl CheckKind {
    /// As modules and manifests write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnitActive => "unit-active",
            Self::Vtp => "vtp",
            Self::VtpNak => "vtp-nak",
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::FileNewer => "file-newer",
            Self::Command => "command",
        }
    }
}

/// A proof that the node works.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// For people.
    pub name: Label,
    /// What is looked at.
    pub kind: CheckKind,
    /// The port, where the kind has one.
    pub port: Option<u16>,
    /// The file, where the kind has one.
    pub path: Option<TargetPath>,
    /// The path of the URL that is asked for, where the kind has one.
    pub url_path: Option<UrlPath>,
    /// The status that the answer must have, where the kind has one.
    pub status: Option<u16>,
    /// What must be in the answer.
    pub contains: Option<String>,
    /// The program by its absolute path, and its arguments, where the kind has them.
    #[serde(default)]
    pub command: Vec<String>,
    /// Who runs the command; without it somebody without any privilege, who is made for that.
    pub user: Option<UserName>,
    /// The unit that it is about.
    pub unit: Option<UnitName>,
    /// Milliseconds until it must hold.
    pub within_ms: u64,
}

impl Check {
    /// What is asked of an HTTP service, where the check does so.
    #[must_use]
    pub fn http(&self) -> Option<HttpAsk> {
        Some(HttpAsk {
            port: self.port?,
            path: self.url_path.clone()?,
            status: self.status?,
            contains: self.contains.clone(),
        })
    }

    /// How long it may take until it holds.
    #[must_use]
    pub const fn within(&self) -> Duration {
        Duration::from_millis(self.within_ms)
    }
}
