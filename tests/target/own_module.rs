//! A module outside the tree, as a user would write it: a Python handler with a requirement of its own, an option that is
//! a table, and a timer. It is locked, built, switched on, and does its work (`tests/own_module`).

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::driver::{Call, Explain, Failure, Lab, Machine, Result};
use crate::node::{Node, Prepared, SHIPPED, example};

crate::tests![events_are_archived_by_a_module_of_ones_own];

const SOON: Duration = Duration::from_secs(30);
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");
/// What `systemd-analyze security` may say of its services at most.
const EXPOSURE: f32 = 1.5;

/// A project of its own: a host file, the locks, and beside them a folder with the module.
fn project(lab: &Lab) -> Result<PathBuf> {
    let dir = lab.dir().join("own");
    fs::create_dir_all(dir.join("hosts")).explain(|| "make the project".to_owned())?;
    for (from, to) in [("hosts/locks", "hosts/"), ("tests/own_module", "mine")] {
        let (from, to) = (Path::new(PROJECT).join(from), dir.join(to));
        Call::here([OsStr::new("cp"), OsStr::new("-r"), from.as_ref(), to.as_ref()]).ok()?;
    }
    let host = example()?
        .replace("modules = [\"comet\"]", "module_paths = [\"../mine\"]\nmodules = [\"comet\", \"cabinet\"]")
        + "\n[cabinet.tidy]\nkeep = \"30d\"\n";
    fs::write(dir.join("hosts/node1.toml"), host).explain(|| "write the host".to_owned())?;
    Ok(dir)
}

/// Runs `voevent-build` in the project's folder, as people do; what it printed.
fn build(dir: &Path, words: &[&str]) -> Result<String> {
    let modules = Path::new(PROJECT).join("modules");
    let program = OsStr::new(env!("CARGO_BIN_EXE_voevent-build"));
    let mut argv = vec![OsStr::new("env"), OsStr::new("-C"), dir.as_ref(), program];
    argv.extend(words.iter().map(OsStr::new));
    argv.extend([OsStr::new("hosts/node1.toml"), OsStr::new("--modules"), modules.as_ref()]);
    Call::here(argv).timeout(Duration::from_mins(5)).ok()
}

fn events_are_archived_by_a_module_of_ones_own() -> Result<()> {
    let lab = Lab::new()?;
    let dir = project(&lab)?;
    build(&dir, &["lock"])?;
    let bundle = build(&dir, &[])?;
    let node = Prepared::get()?.boot(&lab)?;
    node.sh(&format!("rm -rf {SHIPPED}"))?;
    node.put(dir.join("generated"), SHIPPED)?;
    let bundle = bundle.trim().rsplit('/').next().unwrap_or_default();
    node.switch_to(bundle)?;

    let archived = "cat /srv/voevent-cabinet/*/*.xml 2>/dev/null || true";
    let event = include_str!("test-event.xml").replace("role=\"test\"", "role=\"observation\"");
    send(&node, &event)?;
    node.wait(SOON, || Ok(!node.sh(archived)?.is_empty()))?;
    assert_eq!(node.sh(archived)?, event.trim_end(), "byte for byte");

    // Old events go, new ones stay; the timer waits for its next time.
    node.sh("f=$(ls /srv/voevent-cabinet/*/*.xml) && cp -p $f ${f%.xml}0.xml && touch -d '31 days ago' ${f%.xml}0.xml")?;
    node.run(["systemctl", "start", "cabinet-tidy.service"])?;
    assert_eq!(node.sh("ls /srv/voevent-cabinet/*/*.xml | wc -l")?, "1");
    assert_ne!(node.show("cabinet-tidy.timer", "NextElapseUSecRealtime")?, "");

    for unit in ["cabinet.service", "cabinet-tidy.service"] {
        let said = node.sh(&format!("systemd-analyze security --no-pager {unit} | tail -1"))?;
        let score = said.split_whitespace().find_map(|word| word.parse::<f32>().ok());
        let score = score.ok_or_else(|| Failure::new(format!("no score: {said}")))?;
        assert!(score <= EXPOSURE, "{unit}: {score}");
    }
    let why = node.switch(["why", "/etc/systemd/system/cabinet-tidy.timer:5"])?.checked()?.stdout;
    assert!(why.contains("cabinet.tidy.at") && why.contains("cabinet/module.toml"), "{why}");
    // A switch lets the timer's job do its work, be it of another definition, and wants nothing of it when it has ended.
    let host = dir.join("hosts/node1.toml");
    let text = fs::read_to_string(&host).explain(|| "read the host".to_owned())?;
    fs::write(&host, text.replace("\"30d\"", "\"60d\"")).explain(|| "write the host".to_owned())?;
    let other = build(&dir, &[])?;
    node.sh(&format!("rm -rf {SHIPPED}"))?;
    node.put(dir.join("generated"), SHIPPED)?;
    node.sh(
        "mkdir -p /run/systemd/system/cabinet-tidy.service.d && cd /run/systemd/system/cabinet-tidy.service.d && \
         printf '[Service]\\nExecStartPre=/bin/sleep 2\\n' >slow.conf && systemctl daemon-reload && \
         systemctl start --no-block cabinet-tidy.service",
    )?;
    node.switch_to(other.trim().rsplit('/').next().unwrap_or_default())?;
    node.wait(SOON, || Ok(node.show("cabinet-tidy.service", "ActiveState")? == "inactive"))?;
    assert_eq!(node.show("cabinet-tidy.service", "Result")?, "success");
    node.switch(["rollback"])?.checked()?;
    node.switch(["rollback"])?.checked()?;
    assert_eq!(node.show("cabinet.service", "LoadState")?, "not-found");
    node.sh("test -e /srv/voevent-cabinet/*/*.xml").map(drop)
}

fn send(node: &Machine, event: &str) -> Result<()> {
    let venv = node.sh("readlink -f /var/lib/voevent/derived/*-comet")?;
    let command =
        [format!("{venv}/bin/comet-sendvo"), "-h".into(), "127.0.0.1".into(), "-f".into(), "-".into()];
    let sent = node.call(command)?.stdin(event).output()?;
    assert!(sent.success(), "{sent:?}");
    Ok(())
}
