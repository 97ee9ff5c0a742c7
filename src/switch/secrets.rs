//! Secrets of a bundle, decrypted where units load them from: memory that is never swapped out, root's alone.
//!
//! ```text
//! /run/voevent/secrets/        a ramfs, 0700
//!   <hash>-<name>              0400: what the object of this name is the age file of
//! ```
//!
//! The name of a text is that of its age file. So a unit that loads another secret has another definition, the secrets
//! of two generations lie side by side, and one that is there is whole: nothing is ever written over.

#![expect(clippy::disallowed_methods, reason = "the door to the host's keys and to decrypted secrets")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use age::x25519;
use age::{Identity, ssh};
use rustix::fs::{OFlags, statfs};
use rustix::mount::{MountFlags, mount};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use zeroize::Zeroizing;

use crate::base::io::{IoError, OnPath as _};
use crate::base::layout;
use crate::base::path::TargetPath;
use crate::store::bundle::Bundle;
use crate::store::manifest::Secret;
use crate::store::object::ObjectName;
use crate::store::sealed;
use crate::switch::failure::Failure;
use crate::switch::machine::Machine;

/// The keys of SSH that a host has, in the order in which they are tried.
const SSH_KEYS: [&str; 2] = ["/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key"];
/// A key of age, for hosts that have none of SSH.
const AGE_KEY: &str = "/etc/voevent/age.key";
/// An RSA key of 16,384 bits has about 13,000 characters.
const LONGEST_KEY: u32 = 64 << 10;
/// ramfs, as statfs(2) tells it (linux/magic.h).
const RAMFS: u32 = 0x8584_58f6;
/// The name under which a text is written before it is whole.
const NEW: &str = ".new";

/// Whether the decrypted secrets that the units of a bundle load are there.
#[must_use]
pub fn are_there(machine: &Machine, bundle: &Bundle) -> bool {
    let (folder, wanted) = (folder(), wanted(bundle));
    let there = || wanted.keys().all(|name| folder.join(name.as_str()).exists());
    // In a folder of somebody else's they may be anything.
    machine.root.is_offline()
        || wanted.is_empty()
        || (there() && writable_by(machine).is_ok_and(|by| by.is_none()))
}

/// The folder on the way to secrets that others than root can write.
fn writable_by(machine: &Machine) -> Result<Option<String>, Failure> {
    let inside = TargetPath::new(format!("{}/x", layout::SECRETS))?;
    Ok(machine.root.writable_by_others(&inside)?)
}

/// Decrypts the secrets of a bundle that are not there yet. An offline root has no memory to decrypt them to.
///
/// # Errors
/// Where one cannot be decrypted, or there is no such memory.
pub fn unseal(machine: &Machine, bundle: &Bundle) -> Result<(), Failure> {
    if are_there(machine, bundle) {
        return Ok(());
    }
    // A dump of this process would have the keys in it.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let folder = prepared(machine)?;
    let keys = Keys::read()?;
    let store = machine.state.store();
    let mut problems = Vec::new();
    for (name, secrets) in wanted(bundle) {
        let path = folder.join(name.as_str());
        if path.symlink_metadata().is_ok() {
            continue;
        }
        match keys.open(&store.read(name)?) {
            Ok(text) => write(&folder, &path, &text)?,
            Err(reason) => problems.extend(secrets.iter().map(|secret| {
                format!("the secret `{}` of `{}` cannot be decrypted: {reason}", secret.name, secret.unit)
            })),
        }
    }
    match problems.as_slice() {
        [] => return Ok(()),
        [only] => Err(Failure::refused(only)),
        _ => Err(Failure::refused("secrets cannot be decrypted").details(&problems)),
    }
    .map_err(|failure: Failure| failure.help(keys.help()))
}

/// Removes what no generation that is live, committed or pending loads.
///
/// # Errors
/// Where the system says no.
pub fn sweep(machine: &Machine) -> Result<(), Failure> {
    let folder = folder();
    // A folder that is no memory of ours is somebody else's.
    if machine.root.is_offline() || folder.symlink_metadata().is_err() || !is_ramfs(&folder)? {
        return Ok(());
    }
    let generations = machine.state.generations()?;
    let used: BTreeSet<&str> =
        generations.bundles().flat_map(|bundle| wanted(bundle).into_keys().map(ObjectName::as_str)).collect();
    for entry in std::fs::read_dir(&folder).on("list", &folder)? {
        let name = entry.on("list", &folder)?.file_name();
        if !name.to_str().is_some_and(|name| used.contains(name)) {
            let path = folder.join(name);
            std::fs::remove_file(&path).on("remove", &path)?;
        }
    }
    Ok(())
}

fn folder() -> PathBuf {
    PathBuf::from(layout::SECRETS)
}

/// The age files of a bundle, each with the secrets that it is.
fn wanted(bundle: &Bundle) -> BTreeMap<&ObjectName, Vec<&Secret>> {
    let mut wanted: BTreeMap<&ObjectName, Vec<&Secret>> = BTreeMap::new();
    for secret in &bundle.manifest.secrets {
        if let Some(object) = &secret.object {
            wanted.entry(object).or_default().push(secret);
        }
    }
    wanted
}

/// The folder, made where it is not there.
fn prepared(machine: &Machine) -> Result<PathBuf, Failure> {
    let folder = folder();
    if let Some(found) = writable_by(machine)? {
        return Err(Failure::refused(format!(
            "`{}` lies in `{found}`, which others than root can write",
            layout::SECRETS
        ))
        .help("make it root's, with mode 0755; is a service's `RuntimeDirectory=` there?"));
    }
    if let Some(parent) = folder.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(parent).on("make folder", parent)?;
    }
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made.on("make folder", &folder)?,
    }
    if !is_ramfs(&folder)? {
        // A tmpfs would do but for swap: what is in it may be written to disk.
        let flags = MountFlags::NODEV | MountFlags::NOSUID | MountFlags::NOEXEC;
        mount("voevent-secrets", &folder, "ramfs", flags, Some(c"mode=0700"))
            .on("mount a ramfs at", &folder)?;
    }
    Ok(folder)
}

fn is_ramfs(folder: &Path) -> Result<bool, IoError> {
    let kind = statfs(folder).on("look at", folder)?.f_type;
    Ok(u32::try_from(kind).ok() == Some(RAMFS))
}

/// Writes a text under a name that is there only when it is whole.
fn write(folder: &Path, path: &Path, text: &[u8]) -> Result<(), IoError> {
    let new = folder.join(NEW);
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        removed => removed.on("remove", &new)?,
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o400).open(&new).on("create", &new)?;
    file.write_all(text).on("write", &new)?;
    std::fs::rename(&new, path).on("rename to", path)
}

/// The private keys of this host.
struct Keys {
    private: Vec<Box<dyn Identity>>,
    /// Their public halves, as a host file names them.
    public: Vec<String>,
    /// What is wrong with those that cannot be used.
    faults: Vec<String>,
}

impl Keys {
    fn read() -> Result<Self, IoError> {
        let mut keys = Self { private: Vec::new(), public: Vec::new(), faults: Vec::new() };
        for path in SSH_KEYS {
            match private(path)? {
                Some(Ok(text)) => keys.ssh(path, &text),
                Some(Err(fault)) => keys.faults.push(fault),
                None => {}
            }
        }
        match private(AGE_KEY)? {
            Some(Ok(text)) => keys.age(&text),
            Some(Err(fault)) => keys.faults.push(fault),
            None => {}
        }
        Ok(keys)
    }

    fn ssh(&mut self, path: &str, text: &str) {
        match ssh::Identity::from_buffer(text.as_bytes(), None) {
            Ok(key @ ssh::Identity::Unencrypted(_)) => {
                let public = ssh::Recipient::try_from(key.clone()).map(|public| public.to_string());
                self.public.extend(public.ok());
                self.private.push(Box::new(key));
            }
            Ok(ssh::Identity::Encrypted(_)) => self.faults.push(format!("`{path}` has a passphrase")),
            Ok(ssh::Identity::Unsupported(_)) | Err(_) => {
                self.faults.push(format!("`{path}` is no private key of SSH that can be read"));
            }
        }
    }

    fn age(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.parse::<x25519::Identity>() {
                Ok(key) => self.private.push(Box::new(key)),
                Err(_) => self.faults.push(format!("`{AGE_KEY}` has a line that is no private key of age")),
            }
        }
    }

    /// The text of a secret.
    fn open(&self, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let decryptor = sealed::open(bytes).map_err(|error| error.to_string())?;
        let keys = self.private.iter().map(|key| &**key as &dyn Identity);
        let reader = decryptor.decrypt(keys).map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => {
                let recipients = sealed::recipients(bytes).unwrap_or_default();
                format!(
                    "it is encrypted for {}, whose private key this host has not",
                    sealed::words(&recipients)
                )
            }
            _ => "it was altered".to_owned(),
        })?;
        // As long as what it is the text of: it never grows, which would leave a copy behind.
        let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
        reader.take(bytes.len() as u64).read_to_end(&mut text).map_err(|_| "it was altered".to_owned())?;
        Ok(text)
    }

    fn help(&self) -> String {
        let keys: Vec<String> = self.public.iter().map(|key| format!("`ssh_host_key = \"{key}\"`")).collect();
        let mut help = match keys.as_slice() {
            [] => format!("this host has neither of {} and {}", SSH_KEYS[0], SSH_KEYS[1]),
            _ => format!(
                "say {} in its `[host]`, encrypt again with `voevent-build secret`, and build",
                keys.join(" or ")
            ),
        };
        for fault in &self.faults {
            help.push_str("; ");
            help.push_str(fault);
        }
        help
    }
}

/// The text of a file that only root can read, or why it cannot be used; `None` where it is not there.
fn private(path: &str) -> Result<Option<Result<Zeroizing<String>, String>>, IoError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file: File = match file {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Ok(Some(Err(format!("`{path}` cannot be read: {error}")))),
    };
    let found = file.metadata().on("look at", path)?;
    if !found.is_file()
        || found.uid() != 0
        || found.mode() & 0o077 != 0
        || found.len() > u64::from(LONGEST_KEY)
    {
        return Ok(Some(Err(format!("`{path}` is no file that only root can read"))));
    }
    let mut text = Zeroizing::new(String::with_capacity(LONGEST_KEY as usize));
    let read = file.take(LONGEST_KEY.into()).read_to_string(&mut text);
    Ok(Some(read.map(|_| text).map_err(|_| format!("`{path}` is no private key"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::Encryptor;

    fn sealed(text: &[u8], to: &x25519::Identity) -> Vec<u8> {
        let to = to.to_public();
        let mut bytes = Vec::new();
        let encryptor = Encryptor::with_recipients(std::iter::once(&to as &dyn age::Recipient)).unwrap();
        let mut writer = encryptor.wrap_output(&mut bytes).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap();
        bytes
    }

    fn keys(key: &x25519::Identity) -> Keys {
        Keys { private: vec![Box::new(key.clone())], public: Vec::new(), faults: Vec::new() }
    }

    #[test]
    fn only_its_key_opens_a_file_that_was_not_altered() {
        let (key, other) = (x25519::Identity::generate(), x25519::Identity::generate());
        for text in [Vec::new(), b"hunter2".to_vec(), vec![b'x'; 200_000]] {
            let bytes = sealed(&text, &key);
            assert_eq!(keys(&key).open(&bytes).unwrap().as_slice(), text);
            let error = keys(&other).open(&bytes).unwrap_err();
            assert_eq!(error, "it is encrypted for a key of age, whose private key this host has not");
            let mut altered = bytes.clone();
            *altered.last_mut().unwrap() ^= 1;
            assert_eq!(keys(&key).open(&altered).unwrap_err(), "it was altered");
            // The end that is missing is missed.
            assert_eq!(keys(&key).open(&bytes[..bytes.len() - 1]).unwrap_err(), "it was altered");
        }
        assert_eq!(keys(&key).open(b"x").unwrap_err(), "it is no age file");
    }

    #[test]
    fn a_key_is_a_file_of_roots_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let path = path.to_str().unwrap();
        assert!(private(path).unwrap().is_none());
        std::fs::write(path, "x").unwrap();
        let fault = private(path).unwrap().unwrap().unwrap_err();
        assert_eq!(fault, format!("`{path}` is no file that only root can read"));
        std::os::unix::fs::symlink(path, folder.path().join("link")).unwrap();
        let linked = private(folder.path().join("link").to_str().unwrap()).unwrap().unwrap().unwrap_err();
        assert!(linked.contains("cannot be read: "), "{linked}");
    }
}
