//! The monitor on a node where things really fail: each is told once, by mail, webhook and command, and once when it is
//! over; the dead-man's ping comes while all is well, and only then.

mod told;

use std::time::Duration;

use self::told::{Receivers, Told};
use crate::driver::{Lab, Machine, Result, Setup, Suite};
use crate::node::{Node, Prepared, Workstation, example};

crate::tests![what_fails_is_told_once_on_bookworm, what_fails_is_told_once_on_trixie];

const SOON: Duration = Duration::from_secs(40);
/// What `systemd-analyze security` may say of its services at most.
const EXPOSURE: f32 = 1.5;

/// A part of the node that fails where the test wants it.
const PATIENT: &str = r#"
[module]
description = "Fails"
requires = ["users"]
uses = ["monitor"]

[[unit]]
name = "patient.service"
template = "patient.service.j2"

[[set]]
[set.monitor.watch.patient]
unit = "patient.service"
probe = "unit"

[[set]]
[set.monitor.watch.patient-queue]
unit = "patient.service"
probe = "queue"
path = "/srv/patient/in"
older_than = "1m"

[[set]]
[set.monitor.watch.patient-own]
probe = "queue"
path = "/srv/patient/own"
older_than = "1m"

[[set]]
[set.monitor.watch.patient-late]
probe = "queue"
path = "/srv/patient/late"
older_than = "1m"

[[set]]
[set.monitor.watch.patient-failed]
probe = "count"
path = "/srv/patient/failed"
older_than = "3s"

[[set]]
[set.monitor.watch.patient-beat]
probe = "fresh"
path = "/srv/patient/beat"
older_than = "4m"

[[set]]
[set.monitor.watch.patient-disk]
probe = "disk"
path = "/srv/patient/disk"
min_free = "1M"

[[set]]
[set.monitor]
counts_kinds = true
[set.monitor.metrics.patient]
path = "/srv/patient/metrics.prom"

[[set]]
[set.monitor.watch.broker]
unit = "comet.service"
probe = "vtp"
port = 8099

[[set]]
[set.monitor.upstreams."UPSTREAM:8099"]
unit = "comet.service"
"#;

const UNIT: &str = "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'test ! -e /srv/patient/ill'\n";

const HOST: &str = r#"
[monitor]
interval = "1s"
fail_after = 2
restart_after = 2
upstream_down = "2s"
heartbeat_url = { file = "/etc/voevent/secrets/heartbeat" }
silence = { "ivo://pulse/*" = "5s", any = "1d" }

[metrics]
listen = "0.0.0.0:9754"
textfile.every = "1s"

[monitor.alarm.mail]
kind = "mail"
to = ["ops@example.org"]
server = "CONTROL:2525"
username = "node"
password = { file = "/etc/voevent/secrets/mail" }
ca = "/etc/voevent-test-ca.pem"

[monitor.alarm.hook]
kind = "webhook"
url = { file = "/etc/voevent/secrets/hook" }

[monitor.alarm.own]
kind = "command"
command = ["/bin/sh", "-c", "cat >> ~/text; printf '%s\\n' \"$VOEVENT_MESSAGE\" >> ~/log"]
"#;

/// What is made on the machine before the first switch; the pulse is an event of its kind each half second.
const READY: &str = r#"
mkdir -p /srv/patient/in /srv/patient/late /srv/patient/own /srv/patient/failed /srv/patient/disk /etc/voevent/secrets
chmod 700 /etc/voevent/secrets
mount -t tmpfs -o size=2M tmpfs /srv/patient/disk
touch /srv/patient/beat
echo http://CONTROL:8080/beat > /etc/voevent/secrets/heartbeat
echo http://CONTROL:8080/T0K3N > /etc/voevent/secrets/hook
echo secret > /etc/voevent/secrets/mail
chmod 600 /etc/voevent/secrets/*
systemd-run -q --unit=pulse sh -c 'n=0; while sleep 0.5; do n=$((n+1))
    [ -e /srv/quiet ] && continue
    echo "voevent_patient_events_total{kind=\"ivo://pulse/*\"} $n" > /srv/patient/new; mv /srv/patient/new /srv/patient/metrics.prom; done'
"#;

/// What fails at once, and how it is made well again, by the key under which it is told.
const ILLS: [(&str, &str, &str); 6] = [
    (
        "unit patient.service",
        "touch /srv/patient/ill; ! systemctl start patient",
        "rm /srv/patient/ill; systemctl start patient",
    ),
    ("watch patient-queue", "touch -d '-5min' /srv/patient/in/1.xml", "rm /srv/patient/in/1.xml"),
    ("watch patient-failed", "touch /srv/patient/failed/1 /srv/patient/failed/2", "true"),
    ("watch patient-beat", "touch -d '-5min' /srv/patient/beat", "touch /srv/patient/beat"),
    ("watch patient-disk", "head -c 1500K /dev/zero > /srv/patient/disk/full", "rm /srv/patient/disk/full"),
    ("silence ivo://pulse/*", "touch /srv/quiet", "rm /srv/quiet"),
];

fn what_fails_is_told_once_on_bookworm() -> Result<()> {
    what_fails_is_told_once(Suite::Bookworm)
}

fn what_fails_is_told_once_on_trixie() -> Result<()> {
    what_fails_is_told_once(Suite::Trixie)
}

/// A machine with the monitor, and with all that is to fail.
fn watched(lab: &Lab, suite: Suite, upstream: &Machine, receivers: &Receivers) -> Result<Machine> {
    let node = lab.boot_with("watched", Setup::of_modules(suite))?;
    node.sh(&READY.replace("CONTROL", Lab::ADDRESS))?;
    node.put(receivers.certificate(), "/etc/voevent-test-ca.pem")?;
    let module = PATIENT.replace("UPSTREAM", &upstream.address());
    let files = [("module.toml", module.as_str()), ("patient.service.j2", UNIT)];
    let workstation = Workstation::new(lab, "w")?.with_module("patient", &files)?;
    let remotes = format!("remotes = [\"{}:8099\"]\nlocal_ivo", upstream.address());
    let mut host = example()?
        .replace("[\"comet\"]", "[\"comet\", \"metrics\", \"patient\"]")
        .replace("local_ivo", &remotes)
        + &HOST.replace("CONTROL", Lab::ADDRESS);
    if suite == Suite::Trixie {
        host = host.replace("debian-12", "debian-13").replace("\"3.11\"", "\"3.13\"");
    }
    let bundle = workstation.build_as("watched", &host)?;
    node.ship(&workstation)?;
    node.switch_to(&bundle)?;
    Ok(node)
}

fn what_fails_is_told_once(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let mut receivers = Receivers::start(&lab)?;
    let mut upstream = Prepared::get()?.boot(&lab)?;
    let node = watched(&lab, suite, &upstream, &receivers)?;
    let told = Told::new(&lab, &node);

    told.until("a ping", || Ok(told.pings()? > 0))?;
    node.run(["/etc/voevent/bin/voevent-monitor", "test"])?;
    told.wait("test test")?;

    // All of it at once; no ping comes meanwhile.
    for (_, ill, _) in ILLS {
        node.sh(ill)?;
    }
    for (key, ..) in ILLS {
        told.wait(&format!("raised {key}"))?;
    }
    let pings = told.pings()?;
    for (_, _, well) in ILLS {
        node.sh(well)?;
    }
    for (key, ..) in ILLS {
        told.wait(&format!("cleared {key}"))?;
    }
    told.until("pings again", || Ok(told.pings()? > pings + 1))?;

    // It comes again within the hour, and nobody is told: `once` sees to that.
    node.sh(ILLS[0].1)?;
    let numbers = "cat /var/lib/voevent-monitor/metrics.prom";
    let raised = "voevent_problem{key=\"unit patient.service\"} 1";
    told.until("the problem in the metrics", || Ok(node.sh(numbers)?.contains(raised)))?;
    let status = node.call(["/etc/voevent/bin/voevent-monitor", "status"])?.output()?;
    assert_eq!(status.code(), Some(1));
    assert!(status.stdout.starts_with("PROBLEM: patient.service: failed (exit-code) (since "), "{status:?}");
    node.sh(ILLS[0].2)?;

    broker_freezes(&node, &told)?;
    let lost = format!("upstream {}:8099", upstream.address());
    upstream.power_off()?;
    told.wait(&format!("raised {lost}"))?;
    upstream.start()?;
    told.wait(&format!("cleared {lost}"))?;

    undeliverable(&node, &told, &mut receivers)?;
    its_own_disk_is_full(&node, &told)?;
    monitor_hangs(&node, &told)?;
    metrics(&lab, &node, &told)?;
    exposure(&node)?;
    told.once()
}

/// A broker that systemd takes for running, and that accepts connections: only that it does not answer shows it.
fn broker_freezes(node: &Machine, told: &Told<'_>) -> Result<()> {
    let frozen = node.show("comet.service", "MainPID")?;
    node.run(["kill", "-STOP", frozen.as_str()])?;
    told.wait("raised unit comet.service")?;
    told.until("another process", || Ok(node.show("comet.service", "MainPID")? != frozen))?;
    told.wait("cleared unit comet.service")
}

/// What could not be delivered is told later, and counted.
fn undeliverable(node: &Machine, told: &Told<'_>, receivers: &mut Receivers) -> Result<()> {
    // What is being told now is told by all before they stop.
    node.run(["systemctl", "start", "voevent-monitor.service"])?;
    receivers.stop()?;
    node.sh("touch -d '-5min' /srv/patient/late/1.xml")?;
    let failed = "grep 'undelivered_total{' /var/lib/voevent-monitor/metrics.prom | grep -vc ' 0.0$' || true";
    told.until("deliveries that fail", || Ok(node.sh(failed)? == "2"))?;
    receivers.start_again(told.lab())?;
    told.wait("raised watch patient-late")?;
    node.sh("rm /srv/patient/late/1.xml")?;
    told.wait("cleared watch patient-late")
}

/// The disk on which it keeps its state takes nothing: what is wrong is told nevertheless, once.
fn its_own_disk_is_full(node: &Machine, told: &Told<'_>) -> Result<()> {
    node.sh(
        "systemctl stop voevent-monitor.timer; systemctl start voevent-monitor.service; d=/var/lib/voevent-monitor; cp -a $d /run/kept
         mount -t tmpfs -o size=1M,mode=0750 tmpfs $d; cp -a /run/kept/. $d; chown --reference=/run/kept $d
         ! head -c 2M /dev/zero > $d/full; touch -d '-5min' /srv/patient/own/1.xml
         systemctl start voevent-monitor.timer",
    )?;
    told.wait("raised watch patient-own")?;
    told.until("a state in memory", || Ok(node.sh("ls /run/voevent-monitor")?.contains("state.json")))?;
    node.sh("rm /srv/patient/own/1.xml")?;
    told.wait("cleared watch patient-own")?;
    node.sh("rm /var/lib/voevent-monitor/full")?;
    told.until("a state on the disk", || Ok(!node.sh("ls /run/voevent-monitor")?.contains("state.json")))
}

/// A look that does not end is ended, and told: here it waits for a lock.
fn monitor_hangs(node: &Machine, told: &Told<'_>) -> Result<()> {
    let drop_in = "/run/systemd/system/voevent-monitor.service.d";
    node.sh(&format!(
        "mkdir -p {drop_in}; printf '[Service]\\nTimeoutStartSec=10s\\n' > {drop_in}/test.conf; systemctl daemon-reload
         systemd-run -q --unit=lock flock /run/voevent-monitor/lock sleep 300"
    ))?;
    told.until("a look that is ended", || {
        Ok(node.sh("journalctl -u voevent-monitor | grep -c 'timed out' || true")? != "0")
    })?;
    node.sh(&format!("systemctl stop lock; rm -r {drop_in}; systemctl daemon-reload"))?;
    told.wait("raised unit voevent-monitor.service")
}

/// Prometheus gets the numbers from afar, and a collector of files one that anybody may read.
fn metrics(lab: &Lab, node: &Machine, told: &Told<'_>) -> Result<()> {
    let program = "import sys,urllib.request as u\nprint(u.urlopen(sys.argv[1],timeout=5).read().decode())";
    let url = format!("http://{}:9754/metrics", node.address());
    let expected = [
        "voevent_generation 1.0",
        "voevent_up{probe=\"vtp\",unit=\"comet.service\",watch=\"broker\"} 1.0",
        "voevent_monitor_restarts_total{unit=\"comet.service\"} ",
        "voevent_patient_events_total{kind=\"ivo://pulse/*\"} ",
        "voevent_metrics_file_ok{file=\"monitor\"} 1",
        "voevent_metrics_file_ok{file=\"patient\"} 1",
    ];
    let file = "runuser -u nobody -- cat /var/lib/voevent-textfile/voevent.prom";
    told.until("the numbers", || {
        let fetched = lab.control(["python3", "-c", program, &url]).ok()?;
        let written = node.sh(file)?;
        Ok(expected.iter().all(|line| fetched.contains(line) && written.contains(line)))
    })
}

fn exposure(node: &Machine) -> Result<()> {
    let units = [
        "voevent-monitor.service",
        "voevent-alarm@comet.service.service",
        "voevent-alarm-test.service",
        "voevent-restart@comet.service.service",
        "voevent-alarm-command-own@1.service",
        "voevent-metrics.service",
        "voevent-metrics@1.service",
    ];
    for unit in units {
        let said = node.sh(&format!("systemd-analyze security --no-pager {unit} | tail -1"))?;
        let score = said.split_whitespace().find_map(|word| word.parse::<f32>().ok());
        assert!(score.is_some_and(|score| score <= EXPOSURE), "{unit}: {said}");
    }
    Ok(())
}
