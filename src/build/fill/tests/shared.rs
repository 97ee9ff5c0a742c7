//! What no template can give, since its own text is checked before: whoever calls is told all the same.

use std::sync::Arc;

use super::*;
use crate::base::name::Label;
use crate::base::path::TargetPath;
use crate::base::value::{NamedFile, Secret, SecretSource};

#[test]
fn characters_that_no_source_has() {
    for (grammar, text, reason) in [
        (Grammar::Text, "a\0", "the text has a NUL character"),
        (Grammar::Xml, "\u{feff}<a/>", "the text starts with a byte order mark"),
        (Grammar::Unit, "[Unit]\r\n", "the text has a carriage return"),
        (Grammar::Unit, "[Unit]\u{feff}\n", "the text has a byte order mark"),
        (Grammar::Unit, "# \u{fffe}\n", "the text has a noncharacter, and systemd ignores such a line"),
    ] {
        assert_eq!(outcome(grammar, text, &[]), Err(reason.to_owned()));
    }
    let reason = "a carriage return stands alone".to_owned();
    assert_eq!(outcome(Grammar::Ini, "[a]\rb = §", &[string("c")]), Err(reason));
    let reason = "the value has a NUL character".to_owned();
    assert_eq!(outcome(Grammar::Text, "§", &[string("\0")]), Err(reason));
}

#[test]
fn values_without_a_text() {
    let (label, path) = (Label::new("x").unwrap(), "modules/m/x".to_owned());
    let file = NamedFile { label, path, exec: false, bytes: Vec::new() };
    for (value, reason) in [
        (Value::None, "the value is none"),
        (list(&["a"]), "a list cannot stand here"),
        (table(&[("a", Value::Int(1))]), "a table cannot stand here"),
        (Value::File(Arc::new(file)), "a file has no text"),
    ] {
        assert_eq!(outcome(Grammar::Text, "§", &[value]), Err(reason.to_owned()));
    }
}

#[test]
fn a_credential_of_a_long_name() {
    let name = "a".repeat(256);
    let reason = format!("a credential called `{name}` has a name longer than 255 bytes");
    let source = SecretSource::File(TargetPath::new("/etc/x").unwrap());
    let secret = Value::Secret(Secret { name, source });
    assert_eq!(outcome(Grammar::Unit, "[Service]\nLoadCredential=§\n", &[secret]), Err(reason));
}
