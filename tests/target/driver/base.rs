//! Base roots: what every machine of a suite starts from, made once and kept in the cache. The bare one is made by
//! debootstrap, in about a minute; the other is a copy of it with more packages, by apt, in half a minute.

use super::{Call, Explain, Failure, Result};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Raised when what is done to a root after debootstrap changes.
const RECIPE: u32 = 1;
/// What is in a root besides the essential packages: no more than a bare host would have.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,python3,iproute2,openssh-server";
/// Raised when what is done to a root with more packages changes.
const MORE_RECIPE: u32 = 1;
/// What the modules ask for, one list for all of them: each more root would cost everybody its making.
const MORE_PACKAGES: [&str; 11] = [
    "btrfs-progs",
    "ca-certificates",
    "e2fsprogs",
    "logrotate",
    "nftables",
    "restic",
    "rsync",
    "sudo",
    "systemd-timesyncd",
    "unattended-upgrades",
    "xfsprogs",
];
/// What apt can install on a machine, though that has no network: it lies in apt's cache.
const FETCHED_PACKAGES: [&str; 3] = ["chrony", "gcc", "python3-dev"];
/// Packages come once, and are kept for those that are only fetched; no daemon is started while a root is made.
const APT: &str = r"set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get -q update
apt-get -q install -y --no-install-recommends $1
apt-get clean
apt-get -q install -y --no-install-recommends --download-only $2
rm /usr/sbin/policy-rc.d";
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

    /// The folder of its base root, which is made now if it is not there.
    ///
    /// The folder's name has a digest of the recipe, so that a changed recipe makes a new root.
    pub(super) fn base(self, packages: Packages) -> Result<PathBuf> {
        let bare = format!("{RECIPE} {PACKAGES} {}", self.name());
        if packages == Packages::Bare {
            return made(&self.key("", &bare), |dir| self.make(dir));
        }
        let (more, fetched) = (MORE_PACKAGES.join(" "), FETCHED_PACKAGES.join(" "));
        let recipe = format!("{bare}\n{MORE_RECIPE} {more} {fetched} {APT}");
        made(&self.key("-more", &recipe), |dir| {
            let from = self.base(Packages::Bare)?;
            let copy = ["cp", "--archive", "--no-target-directory", "--"].map(Path::new);
            Call::here(copy.into_iter().chain([from.as_path(), dir])).timeout(MAKING).ok()?;
            let resolver = ["cp", "--dereference", "--", "/etc/resolv.conf"].map(PathBuf::from);
            Call::here(resolver.into_iter().chain([dir.join("etc/resolv.conf")])).ok()?;
            let script = ["sh", "-c", APT, "sh", &more, &fetched].map(Path::new);
            Call::here([Path::new("chroot"), dir].into_iter().chain(script)).timeout(MAKING).ok().map(drop)
        })
    }

    fn key(self, kind: &str, recipe: &str) -> String {
        format!("{}{kind}-{}", self.name(), &blake3::hash(recipe.as_bytes()).to_hex()[..8])
    }

    fn make(self, dir: &Path) -> Result<()> {
        let include = format!("--include={PACKAGES}");
        let words = ["debootstrap", "--variant=minbase", &include, self.name()];
        let argv = words.iter().map(Path::new).chain([dir]);
        Call::here(argv).timeout(MAKING).ok()?;
        Call::here(["chroot".as_ref(), dir.as_os_str(), "apt-get".as_ref(), "clean".as_ref()]).ok().map(drop)
    }
}

/// What a machine has installed at its first boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packages {
    /// What a bare host would have: systemd, Python, OpenSSH.
    #[default]
    Bare,
    /// Also what modules of the project ask for, and in apt's cache what a test may install without network.
    More,
}

/// The folder of this name in the cache, which is made now if it is not there.
fn made(key: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let cache = cache()?;
    let (dir, partial) = (cache.join(key), cache.join(format!("{key}.partial")));
    fs::create_dir_all(&cache).explain(|| format!("make `{}`", cache.display()))?;
    let _lock = locked(&cache.join(format!("{key}.lock")))?;
    if !dir.exists() {
        eprintln!("making the root `{}`", dir.display());
        if partial.exists() {
            fs::remove_dir_all(&partial).explain(|| format!("remove `{}`", partial.display()))?;
        }
        make(&partial)?;
        fs::rename(&partial, &dir).explain(|| format!("rename `{}`", partial.display()))?;
    }
    Ok(dir)
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
