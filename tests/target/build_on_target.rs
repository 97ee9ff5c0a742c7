//! A package that has no wheel: its source and what builds it are locked and travel in the bundle, and the target builds
//! it, in a sandbox, before anything changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::driver::{Call, Explain, Lab, Result, Setup, Suite, activator};
use crate::node::{Node as _, SHIPPED, host_of};

crate::tests![source_is_built_on_debian_12, source_is_built_on_debian_13];

const LONG: Duration = Duration::from_mins(5);
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");
const MODULE: &str = r#"
[module]
description = "A package in C"
[options.version]
type = "string"
description = "Its version."
[[package]]
name = "gcc"
[[package]]
name = "python3-dev"
[[venv]]
name = "tiny"
requirements = ["voevent-tiny=={{ tiny.version }}"]
imports = ["voevent_tiny"]
build_on_target = ["Voevent.Tiny"]
[[script]]
name = "tiny-check"
template = "check.sh.j2"
[[check]]
name = "tiny"
kind = "command"
script = "tiny-check"
"#;
const CHECK: &str = "#!/bin/sh
exec {{ venv('tiny') }}/bin/python -c 'import voevent_tiny; assert voevent_tiny.answer() == 42'
";

fn source_is_built_on_debian_12() -> Result<()> {
    story(Suite::Bookworm)
}

fn source_is_built_on_debian_13() -> Result<()> {
    story(Suite::Trixie)
}

/// A folder with a host and its module, and beside it one with the source of two versions: the second does not compile.
struct Project {
    dir: PathBuf,
    links: PathBuf,
    suite: Suite,
}

impl Project {
    fn new(lab: &Lab, suite: Suite) -> Result<Self> {
        let (dir, links) = (lab.dir().join("project"), lab.dir().join("links"));
        for folder in ["hosts", "modules/tiny"].map(|name| dir.join(name)).iter().chain([&links]) {
            fs::create_dir_all(folder).explain(|| format!("make `{}`", folder.display()))?;
        }
        write(&dir.join("modules/tiny/module.toml"), MODULE)?;
        write(&dir.join("modules/tiny/check.sh.j2"), CHECK)?;
        let project = Self { dir, links, suite };
        project.source("1.0", "42")?;
        project.source("2.0", "no_such_name")?;
        Ok(project)
    }

    /// Makes a source distribution (PEP 625).
    fn source(&self, version: &str, answer: &str) -> Result<()> {
        let name = format!("voevent_tiny-{version}");
        let folder = self.dir.join(&name);
        fs::create_dir_all(&folder).explain(|| "make the source".to_owned())?;
        let from = Path::new(PROJECT).join("tests/target/tiny");
        for file in ["pyproject.toml", "setup.py", "tiny.c"] {
            let text = fs::read_to_string(from.join(file)).explain(|| format!("read `{file}`"))?;
            write(&folder.join(file), &text.replace("VERSION", version).replace("ANSWER", answer))?;
        }
        write(
            &folder.join("PKG-INFO"),
            &format!("Metadata-Version: 2.2\nName: voevent-tiny\nVersion: {version}\n"),
        )?;
        let archive = self.links.join(format!("{name}.tar.gz"));
        let tar = ["tar", "--create", "--gzip", "--file"].map(PathBuf::from);
        Call::here(tar.into_iter().chain([archive, "-C".into(), self.dir.clone(), name.into()]))
            .ok()
            .map(drop)
    }

    /// Locks and builds the host with a version; the bundle's name.
    fn build(&self, version: &str) -> Result<String> {
        let host = self.dir.join("hosts/node1.toml");
        write(&host, &host_of(self.suite, "tiny", &format!("version = \"{version}\"")))?;
        self.run("lock")?;
        let said = self.run("build")?;
        Ok(said.trim().rsplit('/').next().unwrap_or_default().to_owned())
    }

    fn run(&self, command: &str) -> Result<String> {
        let links = format!("PIP_FIND_LINKS={}", self.links.display());
        let mut argv = vec!["env".to_owned(), "-C".to_owned(), self.dir.display().to_string(), links];
        argv.push(env!("CARGO_BIN_EXE_voevent-build").to_owned());
        argv.extend((command != "build").then(|| command.to_owned()));
        argv.push("hosts/node1.toml".to_owned());
        Call::here(argv).timeout(LONG).ok()
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).explain(|| format!("write `{}`", path.display()))
}

fn story(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let project = Project::new(&lab, suite)?;
    let (good, bad) = (project.build("1.0")?, project.build("2.0")?);
    let node = lab.boot_with("node1", Setup::of_modules(suite))?;
    node.put(activator()?, "/usr/local/sbin/voevent-switch")?;
    node.put(project.dir.join("generated"), SHIPPED)?;
    let switch = |bundle: &str| node.switch(["--install-packages", &format!("{SHIPPED}/store/{bundle}")]);

    // Without compiler: refused, with the packages' names.
    let refused = node.switch([format!("{SHIPPED}/store/{good}").as_str()])?;
    assert_eq!(refused.code(), Some(3), "{refused:?}");
    assert!(refused.stderr.contains("gcc python3-dev"), "{refused:?}");

    // It is built, by nobody, and works; the wheel is on record.
    let first = switch(&good)?.checked()?;
    assert!(first.stderr.contains("building voevent-tiny 1.0 for venv `tiny`"), "{first:?}");
    let venv = node.sh("readlink -f /var/lib/voevent/derived/*-tiny")?;
    let record = node.sh(&format!("cat {venv}/built-on-target.toml"))?;
    assert!(record.contains("package = \"voevent-tiny\"") && record.contains("linux_x86_64.whl"), "{record}");
    assert_eq!(
        node.sh(&format!("{venv}/bin/python -c 'import voevent_tiny as t; print(t.answer())'"))?,
        "42"
    );
    let kinds =
        node.sh(&format!("stat -c '%U %a %Y' {venv}/lib/python3.*/site-packages/voevent_tiny.*.so"))?;
    assert!(matches!(kinds.as_str(), "root 555 1" | "root 444 1"), "{kinds}");
    assert_eq!(node.sh(&format!("ls {venv}"))?, "bin\nbuilt-on-target.toml\nlib\npyvenv.cfg");

    // What is there is not built again.
    let again = switch(&good)?.checked()?;
    assert!(!again.stderr.contains("building"), "{again:?}");

    // One that does not compile is refused with the compiler's words, and nothing has changed.
    let before =
        node.sh("readlink /var/lib/voevent/current; ls /var/lib/voevent/derived /etc/systemd/system")?;
    let failed = switch(&bad)?;
    assert_eq!(failed.code(), Some(3), "{failed:?}");
    assert!(failed.stderr.contains("`voevent-tiny 2.0` could not be built"), "{failed:?}");
    assert!(failed.stderr.contains("no_such_name"), "the compiler's error: {failed:?}");
    let after =
        node.sh("readlink /var/lib/voevent/current; ls /var/lib/voevent/derived /etc/systemd/system")?;
    assert_eq!(before, after);
    let left =
        node.sh("ls -d /var/tmp/* /var/lib/voevent/derived/.tmp* /var/lib/private/* 2>/dev/null || true")?;
    assert!(!left.contains("proof") && !left.contains(".tmp"), "{left}");
    assert_eq!(node.sh("systemctl --failed --no-legend")?, "");
    Ok(())
}
