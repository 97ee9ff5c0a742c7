//! People find the environment of the broker where they want it: by a link that follows what is live, and goes when it
//! is not wanted.

use std::time::Duration;

use crate::driver::{Lab, Machine, Result, Setup, Suite};
use crate::node::{Node, SHIPPED, Workstation, host_of};

crate::tests![venv_link_on_debian_12, venv_link_on_debian_13];

const SOON: Duration = Duration::from_secs(30);
const HOME: &str = "/home/voeventdeploy";
const LINK: &str = "/home/voeventdeploy/comet_venv";
const UNIT: &str = "comet-venv-link.service";

fn venv_link_on_debian_12() -> Result<()> {
    venv_link(Suite::Bookworm)
}

fn venv_link_on_debian_13() -> Result<()> {
    venv_link(Suite::Trixie)
}

/// A host with a link at this place, and these settings.
fn host(suite: Suite, link: Option<&str>, more: &str) -> String {
    let link = link.map_or_else(String::new, |link| format!("venv_link = \"{link}\"\n"));
    host_of(suite, "comet", &format!("local_ivo = \"ivo://org.example/node1\"\n{link}{more}"))
}

/// The version of Comet that he who runs the broker finds behind the link.
fn version(node: &Machine) -> Result<String> {
    let code = "import comet, importlib.metadata; print(importlib.metadata.version('comet'))";
    node.run(["runuser", "-u", "voeventserve", "--", &format!("{LINK}/bin/python"), "-I", "-B", "-c", code])
}

fn venv_link(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let with = workstation.build(&host(suite, Some(LINK), ""))?;
    let moved = workstation.build(&host(suite, Some(&format!("{HOME}/other")), ""))?;
    let without = workstation.build(&host(suite, None, ""))?;
    let later = Workstation::new(&lab, "later")?;
    later.beside_hosts("comet-3.2.0rc0.tar.gz", include_bytes!("comet-3.2.0rc0.tar.gz"))?;
    let source = "version = \"3.2.0-pre\"\nsource = \"comet-3.2.0rc0.tar.gz\"\n";
    let newer = host(suite, Some(LINK), source);
    later.lock(&newer)?;
    let newer = later.build(&newer)?;

    let mut node = lab.boot_with("node1", Setup { suite, ..Setup::default() })?;
    node.ship(&workstation)?;
    node.switch_to(&with)?;
    let made = node.sh(&format!("readlink {LINK}; stat -c %U {LINK}"))?;
    assert_eq!(made, "/var/lib/voevent/live/venvs/comet\nvoeventdeploy");
    assert_eq!(version(&node)?, "3.1.0");
    let score = node.sh(&format!("systemd-analyze security {UNIT} --no-pager | tail -1"))?;
    let exposure: f64 = score.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or(10.0);
    assert!(exposure <= 1.5, "{score}");

    // It follows what is live, with nothing done to it.
    let since = node.show(UNIT, "ActiveEnterTimestampMonotonic")?;
    node.ship(&later)?;
    node.switch_to(&newer)?;
    assert_eq!(version(&node)?, "3.2.0rc0");
    node.switch(["rollback"])?.checked()?;
    assert_eq!(version(&node)?, "3.1.0");
    assert_eq!(node.show(UNIT, "ActiveEnterTimestampMonotonic")?, since);
    node.reboot()?;
    node.wait(SOON, || node.greets(8099))?;
    node.wait(SOON, || Ok(node.show(UNIT, "ActiveState")? == "active"))?;
    assert_eq!(version(&node)?, "3.1.0");

    // It goes when it is wanted elsewhere, or not at all; what is live can be found all the same.
    node.ship(&workstation)?;
    let links = format!("find {HOME} -type l");
    node.switch_to(&moved)?;
    assert_eq!(node.sh(&links)?, format!("{HOME}/other"));
    node.switch_to(&without)?;
    assert_eq!(node.sh(&links)?, "");
    node.sh("cd /var/lib/voevent/live && venvs/comet/bin/python -I -B -c 'import comet' && test -x scripts/comet-run && test -r files/broker.json")?;
    what_is_theirs_stays(&node, &with)?;
    what_became_theirs_stays(&node, (&with, &without))
}

/// A switch that would put the link where somebody has a folder fails, and the broker does not notice.
fn what_is_theirs_stays(node: &Machine, with: &str) -> Result<()> {
    node.sh(&format!("runuser -u voeventdeploy -- sh -c 'mkdir {LINK}; echo theirs > {LINK}/file'"))?;
    let broker = node.show("comet.service", "MainPID")?;
    let failed = node.switch([format!("{SHIPPED}/store/{with}").as_str()])?;
    assert_eq!(failed.code(), Some(4), "{failed:?}");
    let told = format!("{LINK} is not ours: move away what is there, or set comet.venv_link");
    assert!(failed.stderr.contains(&told), "{failed:?}");
    assert_eq!(node.sh(&format!("ls {LINK}; cat {LINK}/file"))?, "file\ntheirs");
    assert_eq!(node.show("comet.service", "MainPID")?, broker);
    assert_eq!(node.run(["systemctl", "--failed", "--plain", "--no-legend"])?, "");
    Ok(())
}

/// What takes the place of the link later on keeps nothing from starting, and no switch from going on.
fn what_became_theirs_stays(node: &Machine, (with, without): (&str, &str)) -> Result<()> {
    node.sh(&format!("rm -r {LINK}"))?;
    node.switch_to(with)?;
    node.sh(&format!("rm {LINK} && mkdir {LINK} && touch {LINK}/file"))?;
    node.run(["systemctl", "restart", UNIT])?;
    assert_eq!(node.show(UNIT, "ActiveState")?, "active");
    let said = node.sh(&format!("journalctl --sync; journalctl --no-pager -o cat -p 3 -u {UNIT}"))?;
    assert!(said.contains("is not ours"), "{said}");
    node.switch_to(without)?;
    assert_eq!(node.sh(&format!("ls {LINK}"))?, "file");
    Ok(())
}
