//! What is said about options, and how their secrets are called.

use crate::base::report::{Diagnostic, Place};
use crate::build::config::option::OptionDecl;
use crate::build::config::tree::{Data, within};
use crate::build::expression::CREDENTIAL;
use crate::build::types::{Misfit, Scalar};

use super::given::{Given, Layer};

/// The name that the secret of a setting has for units, who read it as `$CREDENTIALS_DIRECTORY/NAME`.
pub(super) fn credential(setting: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' };
    setting.replace('[', ".").replace(']', "").chars().map(plain).collect()
}

/// The error that a host file sets what only modules may set.
pub(super) fn not_for_hosts(name: &str, place: Place, decl: &OptionDecl) -> Diagnostic {
    Diagnostic::error(format!("`{name}` is set by modules, not by hosts"))
        .at(place, "")
        .at(decl.place.clone(), "declared `internal` here")
        .help("leave it out")
}

/// What is said about an option that must be set.
pub(super) fn advice_for(mut error: Diagnostic, decl: &OptionDecl) -> Diagnostic {
    let example = decl.example.as_ref();
    let example = example.and_then(|node| node.place.source.text.get(node.place.span.clone()));
    let example = example.filter(|text| !text.contains('\n')).map(|text| format!("for example `{text}`"));
    if !decl.description.is_empty() {
        error = error.help(decl.description.as_str());
    } else if example.is_none() {
        error = error.help("the host's file says what it is");
    }
    example.into_iter().fold(error, Diagnostic::help)
}

/// What is said about a value that is none of the type.
pub(super) fn unfit(misfit: Misfit, scalar: &Scalar, given: &Given) -> Diagnostic {
    let (whole, data) = (&given.node.place, &given.node.data);
    // No filter makes one of these of anything else, or anything else of one of these.
    let other = matches!(scalar, Scalar::Secret | Scalar::File { .. });
    let code = !other && !matches!(given.layer, Layer::File(_)) && is_code(whole);
    let help = match data {
        Data::Secret(_) if !other => CREDENTIAL.to_owned(),
        _ if code && misfit.message.starts_with("expected ") => {
            format!("this expression gives {}; a filter could change that", data.kind())
        }
        _ => misfit.help,
    };
    let place = match misfit.part {
        Some(part) if !is_code(whole) => within(whole, part),
        _ => whole.clone(),
    };
    Diagnostic::error(misfit.message).at(place, "").help(help)
}

/// Whether a value comes from an expression, going by what is written at its place.
fn is_code(place: &Place) -> bool {
    place.source.text.get(place.span.clone()).is_some_and(|text| text.contains("{{"))
}
