//! A host that the Ansible role set up becomes a node: its users, its event database and its unit are taken over, and the
//! unit is given back.

use std::time::Duration;

use crate::driver::{Failure, Lab, Machine, Result, Setup, Suite};
use crate::node::{Node, SHIPPED, Workstation, example, serves, settled};

crate::tests![
    a_host_of_the_role_is_taken_over,
    the_same_on_debian_13_with_a_broker_that_does_not_start,
    killed_while_it_takes_over,
];

const SOON: Duration = Duration::from_secs(30);
const OURS: &str = "ivo://org.example/node1";
const THEIRS: &str = "ivo://org.example/role";
const UNIT: &str = "/etc/systemd/system/comet.service";
const WORK: &str = "/home/voeventserve/working_dir";

/// The users, the venv, the broker's folder and the unit, as the role leaves them: nothing starts it at boot.
const ROLE: &str = r#"set -e
useradd --create-home --uid 1507 --shell /bin/bash voeventdeploy
useradd --create-home --uid 1508 --shell /bin/bash voeventserve
cp -r "$1" /home/voeventdeploy/deploy_venv
chown -R voeventdeploy: /home/voeventdeploy
chmod 755 /home/voeventdeploy
cd /home/voeventserve
mkdir -p working_dir/db
cat >comet_invoke.sh <<'END'
#!/bin/bash
exec /home/voeventdeploy/deploy_venv/bin/twistd -n -l comet.log comet \
    --local-ivo=ivo://org.example/role --receive --broadcast --eventdb=db
END
chmod 755 comet_invoke.sh
chown -R voeventserve: .
cat >/etc/systemd/system/comet.service <<'END'
[Unit]
Description=Comet VOEvent broker
After=network-online.target

[Service]
User=voeventserve
WorkingDirectory=/home/voeventserve/working_dir
ExecStart=/home/voeventserve/comet_invoke.sh
END
chmod 664 /etc/systemd/system/comet.service
touch -d '2019-01-19 12:00' /etc/systemd/system/comet.service
systemctl daemon-reload
systemctl start comet
"#;

/// A workstation, and the example host of a release with a line more in `[host]`, with these modules.
fn host(suite: Suite, line: &str, modules: &str) -> Result<String> {
    let text = example()?.replace("modules = [\"comet\"]", &format!("{line}\nmodules = {modules}"));
    let text = match suite {
        Suite::Bookworm => text,
        Suite::Trixie => text.replace("\"debian-12\"", "\"debian-13\"").replace("\"3.11\"", "\"3.13\""),
    };
    if modules.contains("comet") {
        Ok(text)
    } else {
        Ok(text.split("[comet]").next().unwrap_or_default().into())
    }
}

/// A machine that the role set up, whose broker has seen the event.
fn made_by_the_role(lab: &Lab, workstation: &Workstation, suite: Suite) -> Result<Machine> {
    let node = lab.boot_with("node1", Setup { suite, ..Setup::default() })?;
    node.ship(workstation)?;
    let venv = node.sh(&format!("ls -d {SHIPPED}/store/*-comet"))?;
    node.write_file("/root/role", ROLE)?;
    node.run(["bash", "/root/role", &venv])?;
    node.wait(SOON, || node.greets(8099))?;
    assert_eq!(send(&node)?, "accepted");
    Ok(node)
}

/// What the broker says to an event.
fn send(node: &Machine) -> Result<String> {
    let sendvo = "/home/voeventdeploy/deploy_venv/bin/comet-sendvo";
    let call = node.call([sendvo, "-h", "127.0.0.1", "-f", "-"])?.stdin(include_str!("test-event.xml"));
    let output = call.output()?;
    match (output.success(), output.stdout.contains("Previously seen")) {
        (true, _) => Ok("accepted".into()),
        (false, true) => Ok("seen".into()),
        _ => Err(Failure::new(format!("{output:?}"))),
    }
}

/// A module with nothing on the host: what was there before is given back.
const NOTHING: &str = "[module]\ndescription = \"Nothing\"\n[[package]]\nname = \"python3\"\n";

/// All that the role left and we must not lose.
fn left(node: &Machine) -> Result<String> {
    node.sh(&format!(
        "cat {UNIT}; stat -c '%a %U:%G %Y' {UNIT}; getent passwd voeventdeploy voeventserve; \
         cat /home/voeventserve/comet_invoke.sh; stat -c '%a %U:%G' /home/* {WORK} {WORK}/db"
    ))
}

/// The line for `[host]` that the refusal of a bundle tells.
fn told(node: &Machine, bundle: &str) -> Result<String> {
    let refused = node.switch([format!("{SHIPPED}/store/{bundle}").as_str()])?;
    assert_eq!(refused.code(), Some(3), "{refused:?}");
    for what in [
        &format!("`{UNIT}` stands before our `comet.service`"),
        "user `voeventserve` has the shell `/bin/bash`, not `/usr/sbin/nologin`",
        "user `voeventdeploy` has the primary group `voeventdeploy`, not `voevent`",
    ] {
        assert!(refused.stderr.contains(what), "{what}: {refused:?}");
    }
    assert_eq!(node.sh("ls -d /var/lib/voevent/generations/* 2>/dev/null || true")?, "");
    let line = refused.stderr.split('`').find(|part| part.starts_with("adopt = ["));
    line.map(str::to_owned).ok_or_else(|| Failure::new(format!("{refused:?}")))
}

fn a_host_of_the_role_is_taken_over() -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let plain = workstation.build(&host(Suite::Bookworm, "", "[\"comet\"]")?)?;
    let mut node = made_by_the_role(&lab, &workstation, Suite::Bookworm)?;
    let (before, pid) = (left(&node)?, node.show("comet.service", "MainPID")?);
    let line = told(&node, &plain)?;
    assert_eq!(line, "adopt = [\"comet.service\", \"voeventdeploy\", \"voeventserve\"]");
    assert_eq!((left(&node)?, node.show("comet.service", "MainPID")?), (before.clone(), pid));

    // One that does not work, and one that wants the place of their venv: their broker is back, by their unit.
    let module = "[module]\ndescription = \"A test\"\n[[check]]\nname = \"nobody\"\nkind = \"vtp\"\nport = 8999\nwithin = \"1s\"\n";
    let workstation = workstation.with_module("nobody", &[("module.toml", module)])?;
    let workstation = workstation.with_module("nothing", &[("module.toml", NOTHING)])?;
    let fails = workstation.build(&host(Suite::Bookworm, &line, "[\"comet\", \"nobody\"]")?)?;
    let nothing = workstation.build(&host(Suite::Bookworm, "", "[\"nothing\"]")?)?;
    let ours = host(Suite::Bookworm, &line, "[\"comet\"]")?;
    let wants = "[comet]\nvenv_link = \"/home/voeventdeploy/deploy_venv\"\n";
    let in_the_way = workstation.build(&ours.replace("[comet]\n", wants))?;
    let bundle = workstation.build(&ours)?;
    node.ship(&workstation)?;
    for (bundle, why) in [(fails, "check `nobody`"), (in_the_way, "deploy_venv is not ours: move away")] {
        let output = node.switch([format!("{SHIPPED}/store/{bundle}").as_str()])?;
        assert_eq!(output.code(), Some(4), "{output:?}");
        assert!(output.stderr.contains(why), "{output:?}");
        node.wait(SOON, || node.greets(8099))?;
        assert_eq!((left(&node)?, serves(&node)?.as_str()), (before.clone(), THEIRS));
    }
    assert_eq!(node.sh("find /var/lib/voevent/aside -type f")?, "");

    let said = node.switch_to(&bundle)?;
    assert!(said.contains("`voeventserve` has the shell `/bin/bash`"), "{said}");
    is_ours(&node, &before)?;
    assert!(node.switch_to(&bundle)?.contains("nothing to do"));
    node.reboot()?;
    node.wait(SOON, || node.greets(8099))?;
    is_ours(&node, &before)?;

    node.switch_to(&nothing)?;
    assert_eq!(left(&node)?, before);
    assert_eq!(node.show("comet.service", "ActiveState")?, "inactive");
    node.run(["systemctl", "start", "comet"])?;
    node.wait(SOON, || node.greets(8099))?;
    assert_eq!((serves(&node)?.as_str(), send(&node)?.as_str()), (THEIRS, "seen"));
    assert_eq!(node.sh("find /var/lib/voevent/aside -type f")?, "");
    node.switch(["rollback"])?.checked()?;
    is_ours(&node, &before)
}

/// Our broker runs, as their user, on their event database; their unit is set aside.
fn is_ours(node: &Machine, before: &str) -> Result<()> {
    assert_eq!((serves(node)?.as_str(), send(node)?.as_str()), (OURS, "seen"));
    let main = node.show("comet.service", "MainPID")?;
    assert_eq!(node.sh(&format!("stat -c %u /proc/{main}"))?, "1508");
    assert!(node.show("comet.service", "FragmentPath")?.starts_with("/run/systemd/generator"));
    let kept = node.sh(&format!("test ! -e {UNIT}; cat /var/lib/voevent/aside/*{UNIT}"))?;
    assert!(before.starts_with(&kept), "{kept}");
    assert_eq!(node.run(["systemctl", "--failed", "--plain", "--no-legend"])?, "");
    Ok(())
}

/// After a reboot the process of the pid file is another, and the role's broker refuses to start.
fn the_same_on_debian_13_with_a_broker_that_does_not_start() -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let adopt = "adopt = [\"comet.service\", \"voeventdeploy\", \"voeventserve\"]";
    let bundle = workstation.build(&host(Suite::Trixie, adopt, "[\"comet\"]")?)?;
    let mut node = made_by_the_role(&lab, &workstation, Suite::Trixie)?;
    let before = left(&node)?;
    let failed = || Ok(node.show("comet.service", "ActiveState")? == "failed");
    node.sh("systemctl kill -s KILL comet")?;
    node.wait(SOON, failed)?;
    node.sh(&format!("echo 1 >{WORK}/twistd.pid; systemctl start comet"))?;
    node.wait(SOON, failed)?;
    node.switch_to(&bundle)?;
    is_ours(&node, &before)?;
    assert_eq!(node.sh(&format!("cat {WORK}/twistd.pid; ls {WORK}"))?.lines().next(), Some("1"));
    node.reboot()?;
    node.wait(SOON, || node.greets(8099))?;
    is_ours(&node, &before)
}

/// Wholly theirs or wholly ours, at whatever moment the switch dies.
fn killed_while_it_takes_over() -> Result<()> {
    const MOMENTS: u32 = 8;
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?.with_module("nothing", &[("module.toml", NOTHING)])?;
    let adopt = "adopt = [\"comet.service\", \"voeventdeploy\", \"voeventserve\"]";
    let bundle = workstation.build(&host(Suite::Bookworm, adopt, "[\"comet\"]")?)?;
    let nothing = workstation.build(&host(Suite::Bookworm, "", "[\"nothing\"]")?)?;
    let node = made_by_the_role(&lab, &workstation, Suite::Bookworm)?;
    let before = left(&node)?;
    node.switch_to(&nothing)?;
    let began = std::time::Instant::now();
    node.switch_to(&bundle)?;
    let whole = began.elapsed();
    let mut theirs = 0;
    for moment in 0..MOMENTS {
        if node.sh(&format!("test -e {UNIT} || echo ours"))? == "ours" {
            node.switch_to(&nothing)?;
            assert_eq!(left(&node)?, before);
            node.run(["systemctl", "start", "comet"])?;
            node.wait(SOON, || node.greets(8099))?;
        }
        let path = format!("{SHIPPED}/store/{bundle}");
        let mut switch = node.spawn(["/usr/local/sbin/voevent-switch", &path])?;
        std::thread::sleep(whole * moment / MOMENTS);
        node.exec(["systemctl", "kill", "--signal=KILL", "voevent-switch-run.service"])?;
        switch.wait(Duration::from_mins(2))?;
        let ended = settled(&node)?;
        node.wait(SOON, || node.greets(8099))?;
        if ended == bundle {
            is_ours(&node, &before)?;
        } else {
            theirs += 1;
            assert_eq!((left(&node)?, serves(&node)?.as_str()), (before.clone(), THEIRS), "moment {moment}");
            assert_eq!(node.sh("find /var/lib/voevent/aside -type f; find /etc -name '.*.voevent-*'")?, "");
        }
    }
    println!("of {MOMENTS} kills in {whole:?} {theirs} ended with their broker");
    assert!(theirs > 0);
    Ok(())
}
