//! Checks, with the paths of the scripts that they run.

use crate::base::report::Diagnostic;
use crate::build::artifact::{Artifact, CheckArtifact, CheckKind, Program, ReferenceKind};
use crate::store::manifest::check::{self as manifest, Check};

use super::Sealer;

impl Sealer<'_> {
    /// Notes a check.
    pub(super) fn check(&mut self, artifact: &Artifact, check: &CheckArtifact) {
        let within_ms = u64::try_from(check.within.as_millis()).unwrap_or(u64::MAX);
        let mut sealed = Check {
            name: check.name.clone(),
            kind: manifest::CheckKind::UnitActive,
            port: None,
            path: None,
            url_path: None,
            status: None,
            contains: None,
            command: Vec::new(),
            user: None,
            unit: check.unit.clone(),
            within_ms,
        };
        let mut at_port = |kind, port| (sealed.kind, sealed.port) = (kind, Some(port));
        match &check.kind {
            CheckKind::UnitActive(unit) => sealed.unit = Some(unit.clone()),
            CheckKind::Vtp(port) => at_port(manifest::CheckKind::Vtp, *port),
            CheckKind::VtpNak(port) => at_port(manifest::CheckKind::VtpNak, *port),
            CheckKind::Tcp(port) => at_port(manifest::CheckKind::Tcp, *port),
            CheckKind::Http(question) => {
                (sealed.kind, sealed.port) = (manifest::CheckKind::Http, Some(question.port));
                (sealed.url_path, sealed.status) = (Some(question.path.clone()), Some(question.status));
                sealed.contains.clone_from(&question.contains);
            }
            CheckKind::FileNewer(path) => {
                (sealed.kind, sealed.path) = (manifest::CheckKind::FileNewer, Some(path.clone()));
            }
            CheckKind::Command { program, user } => {
                (sealed.kind, sealed.user) = (manifest::CheckKind::Command, user.clone());
                sealed.command = match program {
                    Program::Command(command) => command.clone(),
                    Program::Script(script) => {
                        let key = (ReferenceKind::Script, artifact.module.clone(), script.to_string());
                        let Some(path) = self.paths.get(&key) else {
                            self.errors.push(no_script(artifact, check, &key.2));
                            return;
                        };
                        vec![path.clone()]
                    }
                };
            }
        }
        self.manifest.checks.push(sealed);
    }
}

fn no_script(artifact: &Artifact, check: &CheckArtifact, script: &str) -> Diagnostic {
    Diagnostic::error(format!("check `{}` runs the script `{script}`, which its module has not", check.name))
        .at(artifact.place.clone(), "")
        .help(format!("add a `[[script]]` of the name `{script}` to module `{}`", artifact.module))
}
