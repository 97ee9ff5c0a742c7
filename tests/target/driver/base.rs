//! Base roots: what every machine of a suite starts from, made once by debootstrap and kept in the cache.

use super::{Call, Explain, Failure, Result};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Raised when what is done to a root after debootstrap changes.
const RECIPE: u32 = 1;
/// What is in a root besides the essential packages: no more than a bare host would have.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,python3,iproute2,openssh-server";
const MAKING: Duration = Duration::from_mins(20);

/// A release that machines can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Suite {
    /// Debian 12: systemd 252, Python 3.11.
    #[default]
    Bookworm,
    /// Debian 13: systemd 257, Python 3.13.
    Trixie,
}

impl Suite {
    /// Its name, as debootstrap knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
        }
    }

    /// The folder of its base root, which is made now if it is not there: about a minute, once.
    ///
    /// The folder's name has a digest of the recipe, so that a changed recipe makes a new root.
    pub fn base(self) -> Result<PathBuf> {
        let (cache, key) = (cache()?, self.key());
        let base = cache.join(&key);
        fs::create_dir_all(&cache).explain(|| format!("make `{}`", cache.display()))?;
        let _lock = locked(&cache.join(format!("{key}.lock")))?;
        if !base.exists() {
            let partial = cache.join(format!("{key}.partial"));
            self.make(&partial)?;
            fs::rename(&partial, &base).explain(|| format!("rename `{}`", partial.display()))?;
        }
        Ok(base)
    }

    fn key(self) -> String {
        let recipe = format!("{RECIPE} {PACKAGES} {}", self.name());
        format!("{}-{}", self.name(), &blake3::hash(recipe.as_bytes()).to_hex()[..8])
    }

    fn make(self, dir: &Path) -> Result<()> {
        eprintln!("making the base root of {} in `{}`", self.name(), dir.display());
        if dir.exists() {
            fs::remove_dir_all(dir).explain(|| format!("remove `{}`", dir.display()))?;
        }
        let include = format!("--include={PACKAGES}");
        let words = ["debootstrap", "--variant=minbase", &include, self.name()];
        let argv = words.iter().map(Path::new).chain([dir]);
        Call::here(argv).timeout(MAKING).ok()?;
        Call::here(["chroot".as_ref(), dir.as_os_str(), "apt-get".as_ref(), "clean".as_ref()]).ok().map(drop)
    }
}

/// Where base roots and the folders of running tests are: `$VOEVENT_TEST_CACHE`, or a folder in `/var/cache`.
pub(super) fn cache() -> Result<PathBuf> {
    let given = env::var_os("VOEVENT_TEST_CACHE").filter(|path| !path.is_empty());
    let cache = given.map_or_else(|| PathBuf::from("/var/cache/voevent-node-tests"), PathBuf::from);
    if !cache.is_absolute() || cache.to_string_lossy().contains([':', ',', ' ', '\\']) {
        let cache = cache.display();
        return Err(Failure::new(format!(
            "VOEVENT_TEST_CACHE is `{cache}`: an absolute path without `:`, `,`, space and backslash is needed"
        )));
    }
    Ok(cache)
}

/// A lock file, held until it is dropped (or its process ends, however that happens).
pub(super) fn locked(path: &Path) -> Result<File> {
    let file = File::create(path).explain(|| format!("make `{}`", path.display()))?;
    file.lock().explain(|| format!("lock `{}`", path.display()))?;
    Ok(file)
}
