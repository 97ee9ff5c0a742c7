//! A machine's disk: a base root, a layer over it that is written to, and the copies kept of it.
//!
//! ```text
//! <machine>/root          what the machine sees: the newest layer over the base root
//! <machine>/layer-<n>     one layer; on it up/ (what was written) and work/ (the kernel's)
//! <machine>/image-<n>     the file with the ext4 file system mounted on layer-<n>, where power cuts are real
//! ```
//!
//! A layer that is given up stays where it is until all tests are done: deleting makes ext4 slow for a while.
//! Snapshots are copies, not lower layers: a hard link to a file of a lower layer is not the same file as that.

use super::{Call, Explain, Result, remains};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Kept small: it is a sparse file, and what matters is that mkfs and the copies are quick.
const IMAGE_BYTES: u64 = 4 << 30;
/// Not until asked: what no one synced is still in memory when the power goes, however long the test takes.
const IMAGE_OPTIONS: &str = "loop,commit=3600";
/// A folder of the base root can be renamed, as on a real disk.
const OVERLAY_OPTIONS: &str = "redirect_dir=on,index=off,metacopy=off";
const BUSY: Duration = Duration::from_secs(10);

/// What a machine's writes go to, and so what a power cut does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Disk {
    /// A folder of the host: the fastest. A power cut ends all processes; every write stays.
    #[default]
    Folder,
    /// An ext4 file system of its own: a power cut loses what was not synced.
    Image,
}

/// A disk as it was when [`super::Machine::snapshot`] was called; good until the end of the test program.
#[derive(Debug, Clone)]
pub struct Snapshot {
    kind: Disk,
    base: PathBuf,
    /// What was written: the upper folder of a layer, or an image.
    written: Option<PathBuf>,
}

/// The disk of one machine.
pub(super) struct Layers {
    /// The session's folder: every path below is relative to it, for mount options must be short.
    session: PathBuf,
    machine: PathBuf,
    state: Snapshot,
    /// The layer in use, counted from 1.
    number: usize,
    mounted: bool,
}

impl Snapshot {
    /// A disk with nothing on it but the base root.
    pub(super) fn bare(kind: Disk, base: PathBuf) -> Self {
        Self { kind, base, written: None }
    }
}

impl Layers {
    /// A new disk in the machine's folder that starts as this one is.
    pub(super) fn new(session: &Path, machine: &Path, from: &Snapshot) -> Result<Self> {
        let machine =
            machine.strip_prefix(session).explain(|| format!("use the folder `{}`", machine.display()))?;
        let mut layers = Self {
            session: session.to_owned(),
            machine: machine.to_owned(),
            state: from.clone(),
            number: 0,
            mounted: false,
        };
        make_dir(&layers.root())?;
        layers.renew(from)?;
        Ok(layers)
    }

    /// Where the whole disk is seen, while it is mounted.
    pub(super) fn root(&self) -> PathBuf {
        self.session.join(&self.machine).join("root")
    }

    /// Gives up the layer in use and starts with a new one over this snapshot. The machine is off.
    pub(super) fn renew(&mut self, from: &Snapshot) -> Result<()> {
        self.unmount()?;
        self.number += 1;
        self.state = from.clone();
        let layer = self.session.join(self.layer());
        make_dir(&layer)?;
        match (from.kind, &from.written) {
            (Disk::Folder, None) => Ok(()),
            (Disk::Folder, Some(up)) => copy(up, &layer.join("up")),
            (Disk::Image, None) => self.make_image(),
            (Disk::Image, Some(image)) => copy(image, &self.image()),
        }
    }

    /// Mounts it, if it is not mounted.
    pub(super) fn mount(&mut self) -> Result<()> {
        if self.mounted {
            return Ok(());
        }
        let layer = self.layer();
        if self.state.kind == Disk::Image {
            let image = self.image();
            let words = ["-t", "ext4", "-o", IMAGE_OPTIONS].map(Path::new);
            self.mount_call(words.into_iter().chain([image.as_path(), &layer]))?;
        }
        for folder in ["up", "work"] {
            make_dir(&self.session.join(&layer).join(folder))?;
        }
        let options = format!(
            "lowerdir={base},upperdir={layer}/up,workdir={layer}/work,{OVERLAY_OPTIONS}",
            base = self.state.base.display(),
            layer = layer.display()
        );
        let root = self.machine.join("root");
        let words = ["-t", "overlay", "overlay", "-o", &options].map(Path::new);
        self.mount_call(words.into_iter().chain([root.as_path()]))?;
        self.mounted = true;
        Ok(())
    }

    /// Takes the disk as it would be found after losing power now: call it when the processes are dead.
    pub(super) fn cut(&mut self) -> Result<()> {
        if self.state.kind == Disk::Folder {
            return Ok(());
        }
        // the copy has what reached the disk; what the old file system still writes at its unmounting is lost
        let next = self.session.join(&self.machine).join(format!("image-{}", self.number + 1));
        copy(&self.image(), &next)?;
        self.unmount()?;
        self.number += 1;
        make_dir(&self.session.join(self.layer()))
    }

    /// The disk as it is now; the machine is off, and goes on with a copy.
    pub(super) fn snapshot(&mut self) -> Result<Snapshot> {
        self.mount()?;
        let layer = self.session.join(self.layer());
        Call::here([Path::new("sync"), Path::new("--file-system"), &layer]).ok()?;
        let written = if self.state.kind == Disk::Folder { layer.join("up") } else { self.image() };
        let taken = Snapshot { written: Some(written), ..self.state.clone() };
        self.renew(&taken)?;
        Ok(taken)
    }

    fn unmount(&mut self) -> Result<()> {
        let machine = self.session.join(&self.machine);
        self.mounted = false;
        remains::unmount_below(&machine)
    }

    fn layer(&self) -> PathBuf {
        self.machine.join(format!("layer-{}", self.number))
    }

    fn image(&self) -> PathBuf {
        self.session.join(&self.machine).join(format!("image-{}", self.number))
    }

    fn make_image(&self) -> Result<()> {
        let image = self.image();
        let file = File::create(&image).explain(|| format!("make `{}`", image.display()))?;
        file.set_len(IMAGE_BYTES).explain(|| format!("size `{}`", image.display()))?;
        let words =
            ["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard"];
        Call::here(words.iter().map(Path::new).chain([image.as_path()])).ok().map(drop)
    }

    /// A mount that may have to wait: a machine that boots just now holds a copy of every mount for an instant.
    fn mount_call<'a>(&self, words: impl Iterator<Item = &'a Path>) -> Result<()> {
        let words: Vec<&Path> = [Path::new("mount")].into_iter().chain(words).collect();
        let mut last = None;
        remains::until(BUSY, || {
            let outcome = Call::here(&words).current_dir(&self.session).ok();
            let busy = outcome.as_ref().is_err_and(|failure| failure.to_string().contains("busy"));
            last = Some(outcome);
            Ok(!busy)
        })
        .or_else(|late| last.unwrap_or(Err(late)).map(drop))
    }
}

/// A copy of a folder with all that an overlay keeps in it, or of the blocks in use of an image.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let words = ["cp", "--archive", "--no-target-directory", "--sparse=always", "--"].map(Path::new);
    Call::here(words.into_iter().chain([from, to])).ok().map(drop)
}

fn make_dir(dir: &Path) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(dir).explain(|| format!("make `{}`", dir.display()))
}
