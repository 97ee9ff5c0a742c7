//! The journal: its limits, what stays of it, and a file a day for people who are not root.

use std::time::Duration;

use crate::driver::{Lab, Result, Setup, Suite};
use crate::node::{Node, Workstation};

crate::tests![logging_on_debian_12, logging_on_debian_13];

const SOON: Duration = Duration::from_secs(30);
/// What journald said last of the room it takes.
const ROOM: &str = "journalctl -q -o cat -u systemd-journald -g 'System Journal' | tail -1";
/// A service that says much more at once than journald takes by default.
const TALKER: &str = "[Unit]\nDescription=Says much\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
     ExecStart=/bin/sh -c 'seq -f \"line %%.0f\" 12000'\n";
const MODULE: &str = "[module]\ndescription = \"Says much\"\n[[unit]]\nname = \"comet-talker.service\"\n\
     template = \"talker.service.j2\"\n";

fn host(suite: Suite, max_use: &str) -> String {
    let (system, python) = match suite {
        Suite::Bookworm => ("debian-12", "3.11"),
        Suite::Trixie => ("debian-13", "3.13"),
    };
    format!(
        "[host]\nsystem = \"{system}\"\narch = \"x86_64\"\npython = \"{python}\"\nmodules = [\"talker\", \"logging\"]\n\
         [logging]\nmax_use = \"{max_use}\"\nunlimited = [\"comet-talker.service\"]\nexport = {{ days = 2 }}\n"
    )
}

fn logging_on_debian_12() -> Result<()> {
    story(Suite::Bookworm)
}

fn logging_on_debian_13() -> Result<()> {
    story(Suite::Trixie)
}

fn story(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let mut node = lab.boot_with("node1", Setup::of_modules(suite))?;
    let workstation = Workstation::new(&lab, "w")?
        .with_module("talker", &[("module.toml", MODULE), ("talker.service.j2", TALKER)])?;
    let large = workstation.build(&host(suite, "64M"))?;
    let small = workstation.build(&host(suite, "32M"))?;
    let without = workstation.build(
        &host(suite, "64M").split("[logging]").next().unwrap_or_default().replace(", \"logging\"", ""),
    )?;
    node.ship(&workstation)?;
    node.switch_to(&large)?;

    // No line of a service is dropped that is not to be limited.
    node.sh("systemctl start comet-talker")?;
    let lines = "journalctl -q -o cat -u comet-talker | grep -c '^line' || true";
    node.wait(SOON, || Ok(node.sh(lines)? == "12000"))?;
    // Nor by a reboot; and the journal keeps to its room, once that is less than it has.
    node.reboot()?;
    assert_eq!(node.sh(lines)?, "12000");
    node.wait(SOON, || Ok(limit(&node.sh(ROOM)?, "64")))?;
    node.switch_to(&small)?;
    node.wait(SOON, || Ok(limit(&node.sh(ROOM)?, "32")))?;

    exports(&node)?;
    node.switch_to(&without)?;
    node.sh("test ! -e /etc/systemd/journald.conf.d/90-voevent.conf")?;
    assert_ne!(node.show("voevent-log-export.timer", "ActiveState")?, "active");
    node.wait(SOON, || Ok(!limit(&node.sh(ROOM)?, "32")))
}

/// What journald says of its room.
fn limit(said: &str, most: &str) -> bool {
    said.contains(&format!("max {most}M")) || said.contains(&format!("max {most}.0M"))
}

/// Yesterday's lines are in a file that members of the group can read, the oldest goes, and no other is written twice.
fn exports(node: &crate::driver::Machine) -> Result<()> {
    let folder = "/home/voeventserve/log";
    // The clock of a machine is that of everybody: the lines of today become those of yesterday by the script's own.
    node.sh(&format!(
        "sed 's/today 00:00 UTC/tomorrow 00:00 UTC/' $(ls /var/lib/voevent/store/*-log-export) >/run/export && chmod 755 /run/export
         touch {folder}/2020-01-01.log && chown voeventserve: {folder}/2020-01-01.log
         mkdir -p /run/systemd/system/voevent-log-export.service.d
         printf '[Service]\\nExecStart=\\nExecStart=/run/export\\n' >/run/systemd/system/voevent-log-export.service.d/x.conf
         systemctl daemon-reload && systemctl start voevent-log-export.service
         rm -r /run/systemd/system/voevent-log-export.service.d && systemctl daemon-reload"
    ))?;
    let today = node.sh("date -u +%F")?;
    assert_eq!(node.sh(&format!("ls {folder}"))?, format!("{today}.log"));
    assert_eq!(node.sh(&format!("grep -c ': line ' {folder}/{today}.log"))?, "12000");
    assert_eq!(node.sh(&format!("stat -c '%U %G %a' {folder}/{today}.log"))?, "voeventserve voevent 640");
    assert_eq!(node.show("voevent-log-export.timer", "ActiveState")?, "active");
    // As it is, it has nothing to do: nothing was logged the days before.
    node.sh("systemctl start voevent-log-export.service")?;
    assert_eq!(node.sh(&format!("ls {folder}"))?, format!("{today}.log"));
    Ok(())
}
