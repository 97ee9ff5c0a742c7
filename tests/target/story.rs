//! The main job on a real Debian 12: a bare machine becomes a node, is changed, rolled back, rebooted.

use std::time::{Duration, Instant};

use crate::driver::{Lab, Machine, Result};
use crate::node::{Node, SHIPPED, Workstation, example};

crate::tests![a_bare_machine_becomes_a_node, an_offline_root_is_switched];

const SOON: Duration = Duration::from_secs(30);

/// The generations as the target lists them, a line each.
fn generations(node: &Machine) -> Result<Vec<String>> {
    Ok(node.switch(["generations"])?.checked()?.stdout.lines().map(str::to_owned).collect())
}

fn a_bare_machine_becomes_a_node() -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "workstation")?;
    let first = workstation.build(&example()?)?;
    let other = example()?
        .replace("local_ivo = \"ivo://org.example/node1\"", "local_ivo = \"ivo://org.example/other\"");
    assert_ne!(other, example()?);
    let second = workstation.build(&other)?;
    let mut node = lab.boot("node1")?;
    node.ship(&workstation)?;

    plan_does_nothing(&node, &first)?;
    let began = Instant::now();
    let said = node.switch_to(&first)?;
    println!("first switch: {:?}", began.elapsed());
    assert!(said.contains("generation 1 is committed"), "{said}");
    users_and_code_are_as_they_should_be(&node)?;
    let unknown = node.switch(["why", "comet.service"])?;
    // What lies beside the store is where the lines of the second bundle come from.
    assert!(said.contains("is of a newer build of `node1`"), "{said}");
    assert!(
        unknown.stderr.contains("it is not known where the lines of generation 1 come from"),
        "{unknown:?}"
    );
    events_pass_through(&lab, &node, &workstation)?;
    again_nothing_happens(&node, &first)?;
    one_option_restarts_one_unit(&node, &second)?;
    every_line_has_an_origin(&node)?;
    rollbacks(&node)?;

    node.reboot()?;
    node.wait(SOON, || node.greets(8099))?;
    let greeting = node.switch(["probe", "vtp", "--port", "8099"])?.checked()?.stdout;
    assert_eq!(greeting, "greeting from ivo://org.example/node1\n");
    assert_eq!(node.show("comet.service", "User")?, "voeventserve");
    assert_eq!(node.run(["systemctl", "--failed", "--plain", "--no-legend"])?, "");
    Ok(())
}

fn plan_does_nothing(node: &Machine, bundle: &str) -> Result<()> {
    let plan = node.switch(["plan", &format!("{SHIPPED}/store/{bundle}")])?.checked()?.stdout;
    for step in ["flip current to generation 1", "start comet.service: it is new", "daemon-reload"] {
        assert!(plan.contains(step), "{plan}");
    }
    assert_eq!(
        node.sh("ls /var/lib/voevent 2>&1 || true")?,
        "ls: cannot access '/var/lib/voevent': No such file or directory"
    );
    Ok(())
}

fn users_and_code_are_as_they_should_be(node: &Machine) -> Result<()> {
    assert_eq!(node.run(["id", "voeventserve"])?.split(' ').count(), 3);
    assert_eq!(
        node.sh("getent passwd voeventserve | cut -d: -f6-; stat -c '%a %U %G' /home/voeventserve")?,
        "/home/voeventserve:/usr/sbin/nologin\n750 voeventserve voevent"
    );
    let main = node.show("comet.service", "MainPID")?;
    assert_eq!(node.sh(&format!("stat -c %U /proc/{main}"))?, "voeventserve");
    // Nothing that the broker runs can be written by anybody but root.
    let writable = "find /var/lib/voevent \\( ! -user root -o -perm /022 \\) ! -type l | head -3";
    assert_eq!(node.sh(writable)?, "");
    let score = node.sh("systemd-analyze security comet.service --no-pager | tail -1")?;
    let exposure: f64 = score.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or(10.0);
    assert!(exposure <= 1.5, "{score}");
    Ok(())
}

/// A line of a unit, where systemd has it, leads to the line of the host file because of which it is there.
fn every_line_has_an_origin(node: &Machine) -> Result<()> {
    let unit = node.show("comet.service", "FragmentPath")?;
    let line = node.sh(&format!("grep -n ExecStartPost= {unit} | cut -d: -f1"))?;
    let host = example()?;
    let setting = host.lines().position(|line| line == "[comet.broadcast]").map_or(0, |at| at + 2);
    for path in [unit.as_str(), "/etc/systemd/system/comet.service"] {
        let said = node.switch(["why", &format!("{path}:{line}")])?.checked()?.stdout;
        for part in
            ["ExecStartPost=", "modules/comet/comet.service.j2:", &format!("hosts/node1.toml:{setting} ")]
        {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    let said = node.switch(["why", "comet.broadcast.enable"])?.checked()?.stdout;
    assert!(said.starts_with("comet.broadcast.enable = true\n  > host"), "{said}");
    assert!(said.contains("overridden"), "{said}");
    let unknown = node.switch(["why", "comet.servce"])?;
    assert!(unknown.stderr.contains("did you mean `comet.service`?"), "{unknown:?}");
    Ok(())
}

/// An event that Comet's own tool sends is acknowledged, and arrives at a second Comet on another machine.
fn events_pass_through(lab: &Lab, node: &Machine, workstation: &Workstation) -> Result<()> {
    let subscriber = lab.boot("subscriber")?;
    subscriber.ship(workstation)?;
    let venv = node.sh("readlink -f /var/lib/voevent/derived/*-comet")?;
    let venv = venv.replace("/var/lib/voevent/derived", &format!("{SHIPPED}/store"));
    let mut comet = subscriber
        .call([
            format!("{venv}/bin/twistd").as_str(),
            "--nodaemon",
            "--pidfile=",
            "comet",
            "--local-ivo=ivo://org.example/subscriber",
            &format!("--remote={}:8099", node.address()),
            "--eventdb=/tmp/db",
            "--save-event",
            "--save-event-directory=/tmp/events",
        ])?
        .spawn()?;
    node.wait(SOON, || Ok(node.sh("ss -Htn state established sport = :8099 | wc -l")? != "0"))?;
    let event = include_str!("test-event.xml");
    let venv = node.sh("readlink -f /var/lib/voevent/derived/*-comet")?;
    let sent = node.call([
        format!("{venv}/bin/comet-sendvo"),
        "-h".into(),
        "127.0.0.1".into(),
        "-f".into(),
        "-".into(),
    ])?;
    let sent = sent.stdin(event).output()?;
    assert!(sent.success(), "{sent:?}");
    subscriber.wait(SOON, || Ok(!subscriber.sh("ls /tmp/events 2>/dev/null || true")?.is_empty()))?;
    let arrived = subscriber.sh("cat /tmp/events/*")?;
    assert!(arrived.contains("ivo://org.example/tests#story"), "{arrived}");
    assert!(!comet.is_over()?, "{:?}", comet.wait(Duration::from_secs(1)));
    Ok(())
}

fn again_nothing_happens(node: &Machine, bundle: &str) -> Result<()> {
    let before = (node.show("comet.service", "MainPID")?, node.sh("journalctl -u init.scope | wc -l")?);
    let reloads = "journalctl -b -o cat _PID=1 | grep -c Reloading || true";
    let reloaded = node.sh(reloads)?;
    let began = Instant::now();
    let said = node.switch_to(bundle)?;
    println!("nothing changed: {:?}", began.elapsed());
    assert!(said.contains("nothing to do"), "{said}");
    let after = (node.show("comet.service", "MainPID")?, node.sh("journalctl -u init.scope | wc -l")?);
    assert_eq!(before, after, "{}", node.sh("journalctl -o short-precise | tail -40")?);
    assert_eq!(node.sh(reloads)?, reloaded);
    assert_eq!(generations(node)?.len(), 1);
    Ok(())
}

fn one_option_restarts_one_unit(node: &Machine, bundle: &str) -> Result<()> {
    node.write_file("/run/systemd/system/bystander.service", "[Service]\nExecStart=/bin/sleep 1000\n")?;
    node.sh("systemctl daemon-reload; systemctl start bystander")?;
    let before = (node.show("comet.service", "MainPID")?, node.show("bystander", "MainPID")?);
    let target = node.show("voevent.target", "ActiveEnterTimestampMonotonic")?;
    let began = Instant::now();
    let said = node.switch_to(bundle)?;
    println!("one option changed: {:?}", began.elapsed());
    assert!(said.contains("restart comet.service: another definition of it runs"), "{said}");
    let after = (node.show("comet.service", "MainPID")?, node.show("bystander", "MainPID")?);
    assert_ne!(before.0, after.0);
    assert_eq!(before.1, after.1);
    assert_eq!(target, node.show("voevent.target", "ActiveEnterTimestampMonotonic")?);
    let greeting = node.switch(["probe", "vtp", "--port", "8099"])?.checked()?.stdout;
    assert_eq!(greeting, "greeting from ivo://org.example/other\n");
    Ok(())
}

fn rollbacks(node: &Machine) -> Result<()> {
    let greeting = || Ok(node.switch(["probe", "vtp", "--port", "8099"])?.checked()?.stdout);
    let began = Instant::now();
    node.switch(["rollback"])?.checked()?;
    println!("rollback: {:?}", began.elapsed());
    assert_eq!(greeting()?, "greeting from ivo://org.example/node1\n");
    let refused = node.switch(["rollback"])?;
    assert_eq!(refused.code(), Some(3), "{refused:?}");
    assert!(refused.stderr.contains("there is no generation before"), "{refused:?}");
    node.switch(["rollback", "2"])?.checked()?;
    assert_eq!(greeting()?, "greeting from ivo://org.example/other\n");
    node.switch(["rollback", "1"])?.checked()?;
    assert_eq!(greeting()?, "greeting from ivo://org.example/node1\n");
    let listed = generations(node)?;
    assert_eq!(listed.len(), 5, "{listed:?}");
    assert!(listed[4].ends_with("current, committed") && listed[4].contains("committed"), "{listed:?}");
    let refused = node.switch(["rollback", "9"])?;
    assert_eq!((refused.code(), refused.stderr.contains("there is no generation 9")), (Some(3), true));
    Ok(())
}

/// `--root` does all file work on a root that does not run; booted, that root is the node.
fn an_offline_root_is_switched() -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "workstation")?;
    let bundle = workstation.build(&example()?)?;
    let mut node = lab.boot("node1")?;
    node.ship(&workstation)?;
    // The machine's own root, bound elsewhere, is a root that does not run: no systemd is asked there.
    node.sh("mkdir -p /mnt/root && mount --bind / /mnt/root && mount --bind /var /mnt/root/var")?;
    // From its parent folder, by somebody who lets nobody read his files.
    let said = node.sh(&format!(
        "umask 077; cd /mnt; /usr/local/sbin/voevent-switch --root root {SHIPPED}/store/{bundle} 2>&1"
    ))?;
    assert!(said.contains("generation 1 is committed, unproven"), "{said}");
    let refused = node.switch(["--root", "/mnt/..", "generations"])?;
    assert_eq!(refused.code(), Some(2), "{refused:?}");
    assert_ne!(node.show("comet.service", "ActiveState")?, "active");
    assert!(generations(&node)?[0].contains("unproven"));
    node.sh("test -d /var/lib/voevent/live/venvs/comet/lib")?;
    node.reboot()?;
    node.wait(SOON, || node.greets(8099))?;
    Ok(())
}
