//! `voevent-build secret`: encrypts a secret for a host, so that it can lie beside the host file.

#![expect(clippy::disallowed_methods, reason = "the door through which age files are written")]

use std::fs::Permissions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use age::armor::{ArmoredWriter, Format};
use age::{Encryptor, x25519};

use crate::base::io::{IoError, OnPath as _};
use crate::base::report::Diagnostic;
use crate::store::sealed::{self, HostKey};

use super::compile::BuildError;
use super::load::Loader;
use super::sources::Tree;

/// The longest secret: systemd gives a unit credentials of 1 MiB in all, and its age file must be no longer either.
pub const LONGEST: usize = sealed::LONGEST / 2;

/// The public key that a host file, or what it imports, says that the host has.
///
/// # Errors
/// Where the files are wrong, or say none.
pub fn host_key(tree: &mut dyn Tree, host: &Path) -> Result<HostKey, BuildError> {
    let mut loader = Loader::new(tree, &[]);
    let files = loader.host(host);
    let mut faults = loader.faults;
    let text = files.text("ssh_host_key", &mut faults);
    match text.and_then(|text| HostKey::parse(&text.value).ok()) {
        Some(key) if faults.is_empty() => Ok(key),
        _ => {
            if faults.is_empty() {
                let mut error =
                    Diagnostic::error("`host.ssh_host_key` is not set: for whom to encrypt is not known");
                error.places.extend(files.head().map(|place| (place, String::new())));
                faults.push(error.help(
                    "add `ssh_host_key = \"ssh-ed25519 AAAA…\"`: what `/etc/ssh/ssh_host_ed25519_key.pub` of the host has",
                ));
            }
            Err(faults.into())
        }
    }
}

/// The public keys of age (`age1…`) that can decrypt besides the host.
///
/// # Errors
/// Where one is none.
pub fn others(keys: &[String]) -> Result<Vec<x25519::Recipient>, BuildError> {
    let mut faults = Vec::new();
    let mut found = Vec::new();
    for key in keys {
        match key.parse::<x25519::Recipient>() {
            Ok(key) => found.push(key),
            Err(reason) => {
                let message = format!("`{}` is no public key of age: {reason}", key.escape_debug());
                faults.push(
                    Diagnostic::error(message).help("write what `age-keygen` calls the public key: `age1…`"),
                );
            }
        }
    }
    if faults.is_empty() { Ok(found) } else { Err(faults.into()) }
}

/// Encrypts a text for a host, and for whom else is to read it: an age file in its form for text. No two are equal.
///
/// # Errors
/// Where the text is empty or too long.
pub fn encrypt(text: &[u8], host: &HostKey, others: &[x25519::Recipient]) -> Result<Vec<u8>, BuildError> {
    let wrong = |message: String, help: &str| BuildError::from(vec![Diagnostic::error(message).help(help)]);
    if text.is_empty() {
        return Err(wrong(
            "the secret is empty".to_owned(),
            "give it on stdin: `printf %s SECRET | voevent-build secret …`",
        ));
    }
    if text.len() > LONGEST {
        let message = format!("the secret has more than {LONGEST} bytes");
        return Err(wrong(message, "encrypt a key, and with that what is long"));
    }
    let recipients = std::iter::once(host.recipient() as &dyn age::Recipient);
    let recipients = recipients.chain(others.iter().map(|other| other as &dyn age::Recipient));
    // Keys of SSH and of age can stand together, and one is there.
    let encryptor = Encryptor::with_recipients(recipients)
        .map_err(|error| wrong(error.to_string(), "give other keys"))?;
    let mut sealed = Vec::new();
    let written = ArmoredWriter::wrap_output(&mut sealed, Format::AsciiArmor)
        .and_then(|armored| encryptor.wrap_output(armored))
        .and_then(|mut writer| {
            writer.write_all(text)?;
            writer.finish()?.finish()
        });
    written.on("encrypt", "stdin")?;
    Ok(sealed)
}

/// Writes an age file, whole or not at all; over one that is there only by `force`.
///
/// # Errors
/// Where it is there, or the system says no.
pub fn write(path: &Path, sealed: &[u8], force: bool) -> Result<(), BuildError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    std::fs::create_dir_all(&folder).on("make folder", &folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".voevent-")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(&folder)
        .on("create a file in", &folder)?;
    file.write_all(sealed).on("write", file.path())?;
    let placed = if force { file.persist(path) } else { file.persist_noclobber(path) };
    match placed {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
            let message = format!("`{}` is there already", path.display());
            let help = "choose another name, or replace what it has by `--force`";
            Err(vec![Diagnostic::error(message).help(help)].into())
        }
        Err(error) => {
            let failed: Result<(), IoError> = Err(error.error).on("rename to", path);
            Ok(failed?)
        }
    }
}
