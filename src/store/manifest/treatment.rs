//! What a unit says about how it is treated when it changes.

use crate::base::name::UnitName;
use crate::store::manifest::Unit;

/// What is done with a running unit that has another definition now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfChanged {
    /// It is a target, or has `X-RestartIfChanged=no`.
    Nothing,
    /// `X-ReloadIfChanged=`
    Reload,
    /// `X-StopIfChanged=`: stopped before the flip, started after it.
    StopAndStart,
    /// Restarted after the flip.
    Restart,
}

impl Unit {
    /// What is done with it where it runs with another definition.
    #[must_use]
    pub fn if_changed(&self) -> IfChanged {
        if has_type(&self.name, "target") || !self.restart_if_changed {
            IfChanged::Nothing
        } else if self.reload_if_changed {
            IfChanged::Reload
        } else if self.stop_if_changed {
            IfChanged::StopAndStart
        } else {
            IfChanged::Restart
        }
    }
}

/// Whether a unit is a template, which never runs itself.
#[must_use]
pub fn is_template(name: &UnitName) -> bool {
    name.as_str().rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with('@'))
}

/// Whether a unit is of a type, as `service`.
#[must_use]
pub fn has_type(name: &UnitName, kind: &str) -> bool {
    name.as_str().rsplit_once('.').is_some_and(|(_, found)| found == kind)
}
