//! Zone and clock: a time daemon synchronises with a server of the test, and a clock that is not synchronised is told.
//!
//! No machine of the tests may set the clock, which is that of the host: systemd-timesyncd runs without the capability, and
//! chrony with `-x`. That they measure and report is proven here; that the clock then moves is not.

use std::time::Duration;

use crate::driver::{Failure, Lab, Machine, Result, Running, Setup, Suite};
use crate::node::{Node, SHIPPED, Workstation, host_of};

crate::tests![time_on_debian_12, time_on_debian_13];

const SERVER: &str = include_str!("time/server.py");
/// Debian starts no time daemon in a container.
const RUNS_HERE: &str = r"
for daemon in systemd-timesyncd chrony; do
    mkdir -p /etc/systemd/system/$daemon.service.d
    printf '[Unit]\nConditionVirtualization=\nConditionCapability=\n[Service]\nAmbientCapabilities=\n' \
        >/etc/systemd/system/$daemon.service.d/test.conf
done
systemctl daemon-reload";

fn time_on_debian_12() -> Result<()> {
    story(Suite::Bookworm)
}

fn time_on_debian_13() -> Result<()> {
    story(Suite::Trixie)
}

fn server(lab: &Lab) -> Result<Running> {
    let server = lab.control(["python3", "-c", SERVER, Lab::ADDRESS]).spawn()?;
    for _ in 0..200 {
        if server.stdout()?.contains("ready") {
            return Ok(server);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(Failure::new(format!("no time server: {}", server.stderr()?)))
}

fn story(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let build = |settings: &str| {
        let settings = format!("servers = [\"{}\"]\n{settings}", Lab::ADDRESS);
        workstation.build(&host_of(suite, "time", &settings))
    };
    let lenient = build("timezone = \"Atlantic/Canary\"")?;
    let strict = build("require_sync = true\nsync_within = \"8s\"")?;
    let elsewhere = build("timezone = \"Mars/Jezero\"")?;
    let chrony = build("ntp = \"chrony\"\nrequire_sync = true")?;
    let node = lab.boot_with("node1", Setup::of_modules(suite))?;
    node.ship(&workstation)?;
    node.sh(RUNS_HERE)?;
    let before = node.sh("readlink /etc/localtime; cat /etc/timezone 2>/dev/null || true")?;

    // Nobody answers: told, or refused.
    node.switch_to(&lenient)?;
    node.logs("-t voevent-time -p warning", "timesyncd has not heard from a server")?;
    assert_eq!(
        node.sh("readlink -f /etc/localtime; cat /etc/timezone")?,
        "/usr/share/zoneinfo/Atlantic/Canary\nAtlantic/Canary"
    );
    assert_eq!(node.sh("date -d @1790000000 +%Z")?, "WEST");
    refused(&node, &strict, 4, "the clock was not synchronised within 8s")?;
    assert_eq!(node.sh("date -d @1790000000 +%Z")?, "WEST", "put back");
    refused(&node, &elsewhere, 3, "/usr/share/zoneinfo/Mars/Jezero")?;

    let _server = server(&lab)?;
    // else it would ask again when half a minute has gone
    node.sh("systemctl restart systemd-timesyncd")?;
    node.switch_to(&strict)?;
    let status = node.run(["timedatectl", "show-timesync", "-p", "ServerName", "-p", "NTPMessage"])?;
    assert!(status.contains(&format!("ServerName={}", Lab::ADDRESS)), "{status}");
    assert!(status.contains("Stratum=2,") && status.contains("Reference=54455354"), "{status}");
    assert_eq!(node.sh("date -d @1790000000 +%Z; cat /etc/timezone")?, "UTC\nUTC");
    let said = node.sh("systemd-analyze security --no-pager voevent-time.service | tail -1")?;
    let score = said.split_whitespace().find_map(|word| word.parse::<f32>().ok());
    assert!(score.is_some_and(|score| score <= 1.5), "{said}");
    one_daemon(&node)?;

    by_chrony(&node, (&strict, &chrony))?;
    let users = workstation.build(&host_of(suite, "users", ""))?;
    node.ship(&workstation)?;
    node.switch_to(&users)?;
    assert_eq!(
        node.sh("readlink /etc/localtime; cat /etc/timezone 2>/dev/null || true")?,
        before,
        "given back"
    );
    Ok(())
}

fn refused(node: &Machine, bundle: &str, code: i32, said: &str) -> Result<()> {
    let output = node.switch([format!("{SHIPPED}/store/{bundle}").as_str()])?;
    assert_eq!(output.code(), Some(code), "{output:?}");
    assert!(output.stderr.contains(said), "{said}: {output:?}");
    Ok(())
}

/// A second daemon is found, whoever runs it.
fn one_daemon(node: &Machine) -> Result<()> {
    node.sh(
        "systemd-run -q --unit=ntpsec sleep 1000; systemctl stop voevent-time; echo >>/etc/timezone || true",
    )?;
    let check = node.sh("sed -n 's/^command = \\[\"\\(.*time-check\\)\"\\]$/\\1/p' /var/lib/voevent/committed/bundle/manifest.toml")?;
    let output = node.exec([&check])?;
    assert!(
        output.code() == Some(1) && output.stderr.contains("ntpsec.service keeps the clock too"),
        "{output:?}"
    );
    node.sh("systemctl stop ntpsec; systemctl start voevent-time")?;
    let output = node.exec([&check])?;
    assert!(output.success(), "{output:?}");
    Ok(())
}

/// Debian's packages of time daemons exclude each other: apt-get is told not to remove any, so a person does it.
fn by_chrony(node: &Machine, (strict, chrony): (&str, &str)) -> Result<()> {
    let path = format!("{SHIPPED}/store/{chrony}");
    let output = node.switch(["--install-packages", path.as_str()])?;
    assert_eq!(output.code(), Some(3), "{output:?}");
    assert!(output.stderr.contains("remove"), "{output:?}");
    assert_eq!(node.sh("systemctl is-active systemd-timesyncd")?, "active");

    node.sh("echo 'DAEMON_OPTS=\"-F 1 -x\"' >/etc/default/chrony; \
             DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends -oDpkg::Options::=--force-confold chrony")?;
    node.switch_to(chrony)?;
    let tracking = node.run(["chronyc", "-c", "tracking"])?;
    assert!(tracking.contains(Lab::ADDRESS) && tracking.ends_with("Normal"), "{tracking}");
    refused(node, strict, 3, "systemd-timesyncd")
}
