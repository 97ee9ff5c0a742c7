//! Secrets as they are written: a file on the target, or an encrypted one beside the file that names it.

use std::sync::Arc;

use crate::base::layout;
use crate::base::path::TargetPath;
use crate::base::value::{Secret, SecretSource, Value};
use crate::build::config::tree::{Data, Table};
use crate::store::object::{ObjectDigest, file_digest};

use super::{Misfit, misfit};

/// How a secret is written.
pub(super) const SECRET: &str = "write `{ age = \"secrets/x.age\" }`, a file beside this one that `voevent-build secret` \
    encrypted, or `{ file = \"/etc/voevent/secrets/x\" }`, one that lies on the target";

/// A secret as it is written. It gets its name from its setting.
pub(super) fn secret(table: &Table) -> Result<Value, Misfit> {
    let mut entries = table.entries.iter();
    let file = match (entries.next(), entries.next()) {
        (Some((key, entry)), None) if key == "file" => &entry.value.data,
        (Some((key, entry)), None) if key == "age" => return age_file(&entry.value.data),
        _ => return misfit("a secret has one key: `age` or `file`", SECRET),
    };
    let Data::Str(path) = file else {
        return misfit(format!("the `file` of a secret is a path, found {}", file.kind()), SECRET);
    };
    let path = TargetPath::new(path.as_str());
    let path = path.or_else(|error| misfit(error.to_string(), SECRET))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_.,@+=-".contains(c);
    if let Some(c) = path.as_str().chars().find(|c| !plain(*c)) {
        let message = format!("`{}` cannot be in the path of a secret", c.escape_debug());
        return misfit(message, "a path of letters, digits and `/_.,@+=-` means the same to all who read it");
    }
    Ok(Value::Secret(Secret { name: String::new(), source: SecretSource::File(path) }))
}

/// A secret that is encrypted: its file was read where it is named.
fn age_file(data: &Data) -> Result<Value, Misfit> {
    match data {
        Data::File(file) => {
            let name = ObjectDigest::File(file_digest(false, &file.bytes)).name(&file.label);
            let path = TargetPath::new(format!("{}/{name}", layout::SECRETS));
            let path = path.or_else(|error| misfit(error.to_string(), SECRET))?;
            let source = SecretSource::Age { file: Arc::clone(file), path };
            Ok(Value::Secret(Secret { name: String::new(), source }))
        }
        Data::Str(_) => misfit(
            "the `age` of a secret is made by an expression",
            "only the file that sets it can name it; an expression passes a secret on, or none",
        ),
        other => {
            misfit(format!("the `age` of a secret is the name of a file, found {}", other.kind()), SECRET)
        }
    }
}
