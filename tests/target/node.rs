//! A node as a user would have it: a host file, its bundles, a machine that it is switched on.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::driver::{
    Call, Disk, Explain, Failure, Lab, Machine, Output, Result, Setup, Snapshot, Suite, activator,
};

/// Where a workstation's `generated/` is copied to on a machine.
pub(crate) const SHIPPED: &str = "/srv/generated";
/// How long a build or a switch may take on a busy machine.
const LONG: Duration = Duration::from_mins(5);
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// The example host of the project.
pub(crate) fn example() -> Result<String> {
    let path = Path::new(PROJECT).join("hosts/node1.toml");
    fs::read_to_string(&path).explain(|| format!("read `{}`", path.display()))
}

/// A host of this release with one module on, and its settings.
pub(crate) fn host_of(suite: Suite, module: &str, settings: &str) -> String {
    let (system, python) = match suite {
        Suite::Bookworm => ("debian-12", "3.11"),
        Suite::Trixie => ("debian-13", "3.13"),
    };
    format!(
        "[host]\nsystem = \"{system}\"\narch = \"x86_64\"\npython = \"{python}\"\nmodules = [\"{module}\"]\n\
         [{module}]\n{settings}\n"
    )
}

/// A workstation: a folder with `hosts/` and `generated/`, the project's modules and locks.
pub(crate) struct Workstation {
    dir: PathBuf,
    modules: PathBuf,
}

impl Workstation {
    pub(crate) fn new(lab: &Lab, name: &str) -> Result<Self> {
        let dir = lab.dir().join(format!("workstation-{name}"));
        let hosts = dir.join("hosts");
        fs::create_dir_all(&hosts).explain(|| format!("make `{}`", hosts.display()))?;
        std::os::unix::fs::symlink(Path::new(PROJECT).join("hosts/locks"), hosts.join("locks"))
            .explain(|| "link the locks".to_owned())?;
        // Programs that hosts name lie beside them.
        let project = Path::new(PROJECT).join("hosts");
        for entry in fs::read_dir(&project).explain(|| format!("read `{}`", project.display()))?.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "py") {
                let to = hosts.join(entry.file_name());
                fs::copy(entry.path(), &to).explain(|| format!("make `{}`", to.display()))?;
            }
        }
        Ok(Self { dir, modules: Path::new(PROJECT).join("modules") })
    }

    /// The same with a module more: its `module.toml`, and its other files by name.
    pub(crate) fn with_module(mut self, name: &str, files: &[(&str, &str)]) -> Result<Self> {
        let modules = self.dir.join("modules");
        if self.modules != modules {
            Call::here([OsStr::new("cp"), OsStr::new("-r"), self.modules.as_ref(), modules.as_ref()]).ok()?;
            self.modules = modules;
        }
        let folder = self.modules.join(name);
        fs::create_dir_all(&folder).explain(|| format!("make `{}`", folder.display()))?;
        for (file, text) in files {
            fs::write(folder.join(file), text).explain(|| format!("write `{file}`"))?;
        }
        Ok(self)
    }

    /// Writes a file beside the host files, which they can name.
    pub(crate) fn beside_hosts(&self, name: &str, text: impl AsRef<[u8]>) -> Result<()> {
        let path = self.dir.join("hosts").join(name);
        fs::write(&path, text).explain(|| format!("write `{}`", path.display()))
    }

    pub(crate) fn generated(&self) -> PathBuf {
        self.dir.join("generated")
    }

    /// Builds a host from this text; the bundle's name.
    pub(crate) fn build(&self, text: &str) -> Result<String> {
        self.build_as("node1", text)
    }

    /// Encrypts a secret for a host of this text, into a file beside it.
    pub(crate) fn encrypt(&self, host: &str, text: &str, (file, secret): (&str, &str)) -> Result<()> {
        let hosts = self.dir.join("hosts");
        let path = hosts.join(format!("{host}.toml"));
        fs::write(&path, text).explain(|| format!("write `{}`", path.display()))?;
        let file = hosts.join(file);
        let build = OsStr::new(env!("CARGO_BIN_EXE_voevent-build"));
        let argv = [build, OsStr::new("secret"), path.as_ref(), file.as_ref(), OsStr::new("--force")];
        Call::here(argv).stdin(secret).ok().map(drop)
    }

    /// Locks a host of this text, into locks of this workstation alone.
    pub(crate) fn lock(&self, text: &str) -> Result<()> {
        let locks = self.dir.join("hosts/locks");
        fs::remove_file(&locks).explain(|| "remove the link to the locks".to_owned())?;
        fs::create_dir(&locks).explain(|| format!("make `{}`", locks.display()))?;
        let cache = self.generated().join(".cache");
        fs::create_dir_all(&cache).explain(|| format!("make `{}`", cache.display()))?;
        let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools");
        for (to, link) in [
            (Path::new(PROJECT).join("hosts/locks/wheels"), locks.join("wheels")),
            (tools, cache.join("tools")),
        ] {
            fs::create_dir_all(&to).explain(|| format!("make `{}`", to.display()))?;
            std::os::unix::fs::symlink(to, &link).explain(|| format!("link `{}`", link.display()))?;
        }
        let path = self.dir.join("hosts/node1.toml");
        fs::write(&path, text).explain(|| format!("write `{}`", path.display()))?;
        let build = OsStr::new(env!("CARGO_BIN_EXE_voevent-build"));
        let argv = [build, OsStr::new("lock"), path.as_ref(), OsStr::new("--modules"), self.modules.as_ref()];
        Call::here(argv).timeout(LONG).ok().map(drop)
    }

    pub(crate) fn build_as(&self, host: &str, text: &str) -> Result<String> {
        let path = self.dir.join(format!("hosts/{host}.toml"));
        fs::write(&path, text).explain(|| format!("write `{}`", path.display()))?;
        let build = OsStr::new(env!("CARGO_BIN_EXE_voevent-build"));
        let argv = [build, path.as_ref(), OsStr::new("--modules"), self.modules.as_ref()];
        let output = Call::here(argv).timeout(LONG).ok()?;
        let name = Path::new(&output).file_name().and_then(|name| name.to_str());
        name.map(str::to_owned).ok_or_else(|| Failure::new(format!("no bundle's path: {output}")))
    }
}

/// What tests do with a machine that is to be a node.
pub(crate) trait Node {
    /// Copies the activator and a workstation's bundles to it.
    fn ship(&self, workstation: &Workstation) -> Result<()>;
    /// Runs `voevent-switch` with these words.
    fn switch<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Result<Output>;
    /// Switches to a bundle that was shipped; it must end well. What it said.
    fn switch_to(&self, bundle: &str) -> Result<String>;
    /// A property of a unit.
    fn show(&self, unit: &str, property: &str) -> Result<String>;
    /// Whether the broker greets at this port.
    fn greets(&self, port: u16) -> Result<bool>;
}

impl Node for Machine {
    fn ship(&self, workstation: &Workstation) -> Result<()> {
        self.put(activator()?, "/usr/local/sbin/voevent-switch")?;
        self.sh(&format!("rm -rf {SHIPPED}"))?;
        self.put(workstation.generated(), SHIPPED)
    }

    fn switch<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Result<Output> {
        let argv = std::iter::once("/usr/local/sbin/voevent-switch").chain(words);
        self.call(argv)?.timeout(LONG).output()
    }

    fn switch_to(&self, bundle: &str) -> Result<String> {
        let output = self.switch([format!("{SHIPPED}/store/{bundle}").as_str()])?;
        output.checked().map(|output| output.stderr).map_err(|failure| {
            let journal = self.sh("journalctl --no-pager -o short-precise | tail -50");
            Failure::new(format!("{failure}\n{}", journal.unwrap_or_else(|failure| failure.to_string())))
        })
    }

    fn show(&self, unit: &str, property: &str) -> Result<String> {
        self.run(["systemctl", "show", "--value", "-p", property, unit])
    }

    fn greets(&self, port: u16) -> Result<bool> {
        let port = port.to_string();
        Ok(self.switch(["probe", "vtp", "--port", port.as_str(), "--wait", "5s"])?.success())
    }
}

/// The example host with another IVOID, by which tests see which generation serves.
pub(crate) fn with_ivo(ivo: &str) -> Result<String> {
    let example = example()?;
    let changed = example.replace("\"ivo://org.example/node1\"", &format!("\"{ivo}\""));
    if changed == example { Err(Failure::new("the example host has another IVOID")) } else { Ok(changed) }
}

/// What a machine was made by [`Prepared::boot`] with.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    snapshot: Snapshot,
    /// The bundle of the committed generation 1.
    pub(crate) first: String,
}

impl Prepared {
    /// A node that serves generation 1, the example host; made once, for all tests.
    pub(crate) fn get() -> Result<Self> {
        static MADE: OnceLock<Result<Prepared>> = OnceLock::new();
        MADE.get_or_init(|| Self::make(Disk::Folder)).clone()
    }

    /// The same on a disk that loses what was not synced when the power goes.
    pub(crate) fn on_image() -> Result<Self> {
        Self::make(Disk::Image)
    }

    fn make(disk: Disk) -> Result<Self> {
        let lab = Lab::new()?;
        let workstation = Workstation::new(&lab, "w")?;
        let first = workstation.build(&example()?)?;
        let mut node = lab.boot_with("first", Setup { disk, ..Setup::default() })?;
        node.ship(&workstation)?;
        node.switch_to(&first)?;
        node.power_off()?;
        Ok(Self { snapshot: node.snapshot()?, first })
    }

    pub(crate) fn boot(&self, lab: &Lab) -> Result<Machine> {
        let node = lab.boot_with("node1", Setup::from(&self.snapshot))?;
        node.wait(Duration::from_mins(1), || node.greets(8099))?;
        Ok(node)
    }
}

/// The IVOID that the broker greets with.
pub(crate) fn serves(node: &Machine) -> Result<String> {
    let greeting = node.switch(["probe", "vtp", "--port", "8099", "--wait", "10s"])?.checked()?.stdout;
    Ok(greeting.trim_start_matches("greeting from ").trim_end().to_owned())
}

/// Waits until no activation is under way, with no further command; `current` is then `committed`.
pub(crate) fn settled(node: &Machine) -> Result<String> {
    let state = "/var/lib/voevent";
    node.wait(Duration::from_secs(90), || {
        let script = format!("test ! -L {state}/pending && systemctl list-units --plain --no-legend 'voevent-guard-*' 'voevent-switch-run*' | wc -l");
        Ok(node.sh(&script)? == "0")
    })?;
    let pointers = node.sh(&format!("readlink {state}/current {state}/committed"))?;
    match pointers.split_once('\n') {
        Some((current, committed)) if current == committed => {
            Ok(node.sh(&format!("basename $(readlink {state}/{current}/bundle)"))?)
        }
        _ => Err(Failure::new(format!("current and committed differ: {pointers}"))),
    }
}
