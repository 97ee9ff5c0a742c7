//! The bundle that a host is compared with: its last build, a folder, a manifest.

#![expect(clippy::disallowed_methods, reason = "the door to the other bundle")]

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::base::io::{IoError, OnPath as _};
use crate::base::report::Diagnostic;
use crate::build::compile::{BuildError, Project};
use crate::store::bundle::{BadBundle, Bundle, MANIFEST, MAX_MANIFEST, bundle_digest};
use crate::store::disk::Store;
use crate::store::object::ObjectName;
use crate::store::provenance::{FOLDER, MAX_SIZE, Provenance};

/// What a host is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Other {
    /// Its last build.
    LastBuild,
    /// A bundle's folder, a link to one, or a manifest.
    Path(PathBuf),
    /// A manifest on standard input.
    Stdin,
}

/// The other bundle.
pub(super) struct Before {
    pub(super) bundle: Bundle,
    /// As people call it.
    pub(super) shown: String,
    pub(super) provenance: Option<Provenance>,
    stores: Vec<Store>,
}

impl Before {
    /// The bytes of a file object.
    pub(super) fn text(&self, name: &ObjectName) -> Option<Vec<u8>> {
        self.stores.iter().find_map(|store| store.read(name).ok())
    }
}

impl Project {
    /// Finds and reads the other bundle.
    pub(super) fn before(&self, other: &Other) -> Result<Before, BuildError> {
        let mut stores = vec![self.store()];
        let (bundle, shown) = match other {
            Other::Stdin => {
                let bytes = limited(std::io::stdin(), Path::new("stdin"))?;
                (read(None, &bytes, "stdin")?, "the manifest on stdin".to_owned())
            }
            Other::LastBuild => {
                let link = self.out.join(self.stem());
                if link.symlink_metadata().is_err() {
                    let message = format!("host `{}` was not built yet", self.stem());
                    let help = "build it, or name a bundle or a manifest to compare with";
                    return Err(vec![Diagnostic::error(message).help(help)].into());
                }
                (folder(&link, &mut stores)?, "its last build".to_owned())
            }
            Other::Path(path) => {
                let shown = format!("`{}`", path.display());
                if !path.exists() {
                    let error = Diagnostic::error(format!("there is no {shown} to compare with"));
                    return Err(vec![error.help("name a bundle's folder, or its `manifest.toml`")].into());
                }
                let bundle = if path.is_dir() {
                    folder(path, &mut stores)?
                } else {
                    let file = std::fs::File::open(path).on("read", path)?;
                    read(None, &limited(file, path)?, &shown)?
                };
                (bundle, shown)
            }
        };
        let digest = bundle_digest(&bundle.manifest.to_toml());
        let provenance = stores.iter().find_map(|store| {
            let folder = store.dir().parent()?.join(FOLDER);
            let names = [self.stem(), bundle.manifest.host.to_string()];
            names.iter().find_map(|name| {
                let file = std::fs::File::open(folder.join(name)).ok()?;
                let mut bytes = Vec::new();
                file.take(MAX_SIZE + 1).read_to_end(&mut bytes).ok()?;
                Provenance::read_of(&bytes, digest).ok()
            })
        });
        Ok(Before { bundle, shown, provenance, stores })
    }
}

/// The bundle in a folder; the store that it lies in is noted.
fn folder(path: &Path, stores: &mut Vec<Store>) -> Result<Bundle, BuildError> {
    let real = std::fs::canonicalize(path).on("find", path)?;
    let manifest = real.join(MANIFEST);
    let bytes = limited(std::fs::File::open(&manifest).on("read", &manifest)?, &manifest)?;
    let name = real.file_name().and_then(|name| ObjectName::parse(name.to_str()?).ok());
    if let (Some(_), Some(store)) = (&name, real.parent()) {
        stores.push(Store::new(store));
    }
    read(name.as_ref(), &bytes, &format!("`{}`", path.display()))
}

fn read(name: Option<&ObjectName>, bytes: &[u8], shown: &str) -> Result<Bundle, BuildError> {
    let bundle = match name {
        Some(name) => Bundle::read(name, bytes),
        None => Bundle::read_nameless(bytes),
    };
    bundle.map_err(|error: BadBundle| {
        let error = Diagnostic::error(format!("{shown} cannot be compared: {error}"));
        vec![error.help("name a bundle's folder, or its `manifest.toml`")].into()
    })
}

fn limited(file: impl Read, path: &Path) -> Result<Vec<u8>, IoError> {
    let mut bytes = Vec::new();
    file.take(MAX_MANIFEST + 1).read_to_end(&mut bytes).on("read", path)?;
    Ok(bytes)
}
