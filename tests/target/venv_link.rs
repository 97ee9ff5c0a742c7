//! People find the environment of the broker where they want it: by a link that follows what is live, and goes when it
//! is not wanted.

use std::time::Duration;

use crate::driver::{Lab, Machine, Result, Setup, Suite};
use crate::node::{Node, SHIPPED, Workstation, host_of};

crate::tests![venv_link_on_debian_12, venv_link_on_debian_13];

const SOON: Duration = Duration::from_secs(30);
const UNIT: &str = "comet-venv-link.service";

fn venv_link_on_debian_12() -> Result<()> {
    venv_link(Suite::Bookworm, "/home/voeventdeploy")
}

fn venv_link_on_debian_13() -> Result<()> {
    venv_link(Suite::Trixie, "/srv/homes/voeventdeploy")
}

/// The version of Comet that he who runs the broker finds behind the link.
fn version(node: &Machine, link: &str) -> Result<String> {
    let code = "import comet, importlib.metadata; print(importlib.metadata.version('comet'))";
    node.run(["runuser", "-u", "voeventserve", "--", &format!("{link}/bin/python"), "-I", "-B", "-c", code])
}

fn venv_link(suite: Suite, home: &str) -> Result<()> {
    let link = format!("{home}/comet_venv");
    let host = |settings: &str| {
        let settings = format!("local_ivo = \"ivo://org.example/node1\"\n{settings}\n");
        let accounts = format!("[users.accounts.voeventdeploy]\nhome = \"{home}\"\n");
        host_of(suite, "comet", &(settings + &accounts))
    };
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let with = workstation.build(&host(&format!("venv_link = \"{link}\"")))?;
    let moved = workstation.build(&host(&format!("venv_link = \"{home}/other\"")))?;
    let without = workstation.build(&host(""))?;
    let later = Workstation::new(&lab, "later")?;
    later.beside_hosts("comet-3.2.0rc0.tar.gz", include_bytes!("comet-3.2.0rc0.tar.gz"))?;
    let source = "version = \"3.2.0-pre\"\nsource = \"comet-3.2.0rc0.tar.gz\"";
    let newer = host(&format!("venv_link = \"{link}\"\n{source}"));
    later.lock(&newer)?;
    let newer = later.build(&newer)?;

    let mut node = lab.boot_with("node1", Setup { suite, ..Setup::default() })?;
    node.sh("mkdir -p /srv/homes")?;
    node.ship(&workstation)?;
    node.switch_to(&with)?;
    let made = node.sh(&format!("readlink {link}; stat -c %U {link}"))?;
    assert_eq!(made, "/var/lib/voevent/live/venvs/comet\nvoeventdeploy");
    assert_eq!(version(&node, &link)?, "3.1.0");
    let score = node.sh(&format!("systemd-analyze security {UNIT} --no-pager | tail -1"))?;
    let exposure: f64 = score.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or(10.0);
    assert!(exposure <= 1.5, "{score}");
    node.sh("cd /var/lib/voevent/live && test -x scripts/comet-run && test -r files/broker.json")?;

    // It follows what is live, with nothing done to it.
    let since = node.show(UNIT, "ActiveEnterTimestampMonotonic")?;
    node.ship(&later)?;
    node.switch_to(&newer)?;
    assert_eq!(version(&node, &link)?, "3.2.0rc0");
    node.switch(["rollback"])?.checked()?;
    assert_eq!(version(&node, &link)?, "3.1.0");
    assert_eq!(node.show(UNIT, "ActiveEnterTimestampMonotonic")?, since);
    node.reboot()?;
    node.wait(SOON, || node.greets(8099))?;
    node.wait(SOON, || Ok(node.show(UNIT, "ActiveState")? == "active"))?;
    assert_eq!(version(&node, &link)?, "3.1.0");

    node.ship(&workstation)?;
    node.switch_to(&moved)?;
    what_is_theirs_stays(&node, home, &with)?;
    node.sh(&format!("rm -r {link}"))?;
    node.switch_to(&with)?;
    assert_eq!(links(&node, home)?, link);
    what_became_theirs_stays(&node, &link, &without)
}

/// The links in a home.
fn links(node: &Machine, home: &str) -> Result<String> {
    node.sh(&format!("find {home} -type l"))
}

/// A switch that would put the link where somebody has a folder fails: the link is where it was, and the broker did not
/// notice.
fn what_is_theirs_stays(node: &Machine, home: &str, with: &str) -> Result<()> {
    let (link, other) = (format!("{home}/comet_venv"), format!("{home}/other"));
    assert_eq!(links(node, home)?, other);
    node.sh(&format!("runuser -u voeventdeploy -- sh -c 'mkdir {link}; echo theirs > {link}/file'"))?;
    let broker = node.show("comet.service", "MainPID")?;
    let failed = node.switch([format!("{SHIPPED}/store/{with}").as_str()])?;
    assert_eq!(failed.code(), Some(4), "{failed:?}");
    let told = format!("{link} is not ours: move away what is there, or set comet.venv_link");
    assert!(failed.stderr.contains(&told), "{failed:?}");
    assert_eq!(node.sh(&format!("ls {link}; cat {link}/file"))?, "file\ntheirs");
    assert_eq!((links(node, home)?, node.show("comet.service", "MainPID")?), (other, broker));
    assert_eq!(node.run(["systemctl", "--failed", "--plain", "--no-legend"])?, "");
    Ok(())
}

/// What takes the place of the link later on keeps nothing from starting, and no switch from going on.
fn what_became_theirs_stays(node: &Machine, link: &str, without: &str) -> Result<()> {
    node.sh(&format!("rm {link} && mkdir {link} && touch {link}/file"))?;
    node.run(["systemctl", "restart", UNIT])?;
    assert_eq!(node.show(UNIT, "ActiveState")?, "active");
    node.logs(&format!("-p 3 -u {UNIT}"), "is not ours")?;
    node.switch_to(without)?;
    assert_eq!(node.sh(&format!("ls {link}"))?, "file");
    // Whoever wants no link finds what is live all the same.
    node.sh("/var/lib/voevent/live/venvs/comet/bin/python -I -B -c 'import comet'").map(drop)
}
