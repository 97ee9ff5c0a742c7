//! One host, as far as it can be compiled without writing or fetching anything.

use crate::base::report::{Diagnostic, Place, Severity};
use crate::build::check::outside;
use crate::build::check::tools::Toolbox;
use crate::build::compile::Project;
use crate::build::fleet::Member;
use crate::build::front;
use crate::build::library::{Library, Reader};
use crate::build::seal::seal;
use crate::build::venvs::Locks;

/// What was found of a host.
#[derive(Debug)]
pub(super) struct Checked {
    /// Errors and warnings.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What it states; `None` where it does not come so far.
    pub(super) member: Option<Member>,
    /// Where its templates take a value for code.
    pub(super) safe: Vec<Place>,
}

/// Compiles a host in memory, and lets outside tools judge what it gives.
pub(super) fn check(project: &Project, (library, toolbox): (&Library, &Toolbox)) -> Checked {
    let mut compiled = match front::compile_from(&mut Reader::new(library), &project.host, &project.modules) {
        Ok(compiled) => compiled,
        Err(diagnostics) => return Checked { diagnostics, member: None, safe: Vec::new() },
    };
    let member = Member::of(&mut compiled);
    let mut diagnostics = std::mem::take(&mut compiled.warnings);
    let folders = project.folders();
    let locks = Locks { folders: &folders, path: &project.host, host: &compiled.host };
    let (venvs, missing) = locks.look(&compiled.rendered, &compiled.venvs);
    diagnostics.extend(missing);
    match seal(&compiled.rendered, &venvs) {
        Ok(sealed) => {
            diagnostics.extend(sealed.warnings.iter().cloned());
            let found = outside::judge(&compiled.rendered, &sealed, toolbox);
            diagnostics.extend(compiled.explained(found));
        }
        Err(errors) => diagnostics.extend(compiled.explained(errors)),
    }
    // Errors first: a stage is shown whole, and the warnings of the one before it are the lesser thing.
    diagnostics.sort_by_key(|diagnostic| diagnostic.severity != Severity::Error);
    Checked { diagnostics, member: Some(member), safe: compiled.safe }
}
