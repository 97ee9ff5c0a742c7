//! Bundles that cannot work: refused, or reverted, with the broker that was there still serving. Never half applied.

use std::time::Duration;

use crate::driver::{Failure, Lab, Machine, Output, Result};
use crate::node::{Node, Prepared, SHIPPED, Workstation, example, serves, settled};

crate::tests![
    a_bundle_for_another_machine_is_refused,
    a_broker_that_cannot_run_is_reverted,
    what_is_not_ours_is_not_touched,
    a_flipped_bit_is_refused,
    two_switches_at_once_are_one_too_many,
    what_the_administrator_wants_stays,
    what_changes_meanwhile_is_put_right,
    what_root_executes_is_roots_alone,
];

const IVO: &str = "ivo://org.example/node1";
const MODULE: &str = "[module]\ndescription = \"A test\"\n";

/// Switches to a bundle that cannot work; what it said.
fn refused(node: &Machine, bundle: &str, code: i32) -> Result<Output> {
    let output = node.switch([format!("{SHIPPED}/store/{bundle}").as_str()])?;
    if output.code() == Some(code) {
        return Ok(output);
    }
    Err(Failure::new(format!("expected {code}: {output:?}")))
}

/// The broker's process, and everything that a switch could have changed.
fn fingerprint(node: &Machine) -> Result<String> {
    let pid = node.show("comet.service", "MainPID")?;
    let files = node.sh(
        "cd /; find etc home var/lib/voevent -path var/lib/voevent/store -prune -o -path var/lib/voevent/derived -prune \
         -o -type f -printf '%p %s %m %u %T@\\n' -o -type l -printf '%p -> %l\\n' \
         | grep -vE 'working_dir/db|/lock$|/received|resolv.conf|machine-id' | sort",
    )?;
    Ok(format!("{pid}\n{files}"))
}

fn a_bundle_for_another_machine_is_refused() -> Result<()> {
    let lab = Lab::new()?;
    let users = |line: &str, other: &str| -> Result<String> {
        let text = example()?.replace("modules = [\"comet\"]", "modules = [\"users\"]").replace(line, other);
        Ok(text.split("[comet]").next().unwrap_or_default().to_owned())
    };
    let workstation = Workstation::new(&lab, "w")?;
    let system = workstation.build(&users("\"debian-12\"", "\"debian-13\"")?)?;
    let arch = workstation.build(&users("\"x86_64\"", "\"aarch64\"")?)?;
    let python = workstation.build(&users("\"3.11\"", "\"3.13\"")?)?;
    let module = include_str!("../../modules/comet/module.toml");
    let broken = module.replace("imports = [\"comet\"", "imports = [\"no_such_module\", \"comet\"");
    let package = module.replace("name = \"python3\"", "name = \"no-such-package\"");
    assert!(broken != module && package != module);
    let workstation = workstation.with_module("comet", &[("module.toml", &broken)])?;
    let broken = workstation.build(&example()?)?;
    let workstation = workstation.with_module("comet", &[("module.toml", &package)])?;
    let package = workstation.build(&example()?)?;
    let workstation = workstation.with_module("comet", &[("module.toml", module)])?;
    let port =
        workstation.build(&example()?.replace("[comet.broadcast]", "[comet.broadcast]\nport = 8197"))?;

    let node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    let _listener = node.spawn(["python3", "-m", "http.server", "8197"])?;
    node.wait(Duration::from_secs(20), || Ok(node.sh("ss -Htln sport = :8197 | wc -l")? == "1"))?;
    let before = fingerprint(&node)?;
    for (bundle, said) in [
        (&system, "the bundle is for `debian-13`, this is `debian-12`"),
        (&arch, "aarch64"),
        (&python, "3.13"),
        (&broken, "No module named 'no_such_module'"),
        (&package, "no-such-package"),
        (&port, "8197"),
    ] {
        let output = refused(&node, bundle, 3)?;
        assert!(output.stderr.contains(said), "{said}: {output:?}");
        let after = fingerprint(&node)?;
        let other = |one: &str, two: &str| one.lines().find(|line| !two.contains(line)).map(str::to_owned);
        assert_eq!((other(&before, &after), other(&after, &before)), (None, None), "{said}");
    }
    // An interpreter whose databases are others than those of the committed generation.
    node.sh("sed -i 's/^dbm = .*/dbm = \"sqlite3\"/' /var/lib/voevent/generations/1/record.toml")?;
    let output = refused(&node, &port, 3)?;
    assert!(output.stderr.contains("dbm.sqlite3"), "{output:?}");
    assert_eq!(serves(&node)?, IVO);
    Ok(())
}

fn a_broker_that_cannot_run_is_reverted() -> Result<()> {
    let lab = Lab::new()?;
    let check = format!(
        "{MODULE}[[check]]\nname = \"nobody\"\nkind = \"vtp\"\nport = 8999\nwithin = \"1s\"\n\
         [[file]]\npath = \"/etc/voevent/sub/new\"\ntemplate = \"new.j2\"\ngrammar = \"lines\"\n"
    );
    let workstation = Workstation::new(&lab, "w")?
        .with_module("nobody", &[("module.toml", &check), ("new.j2", "new\n")])?;
    let unanswered = workstation
        .build(&example()?.replace("modules = [\"comet\"]", "modules = [\"comet\", \"nobody\"]"))?;
    let script = "#!/bin/sh\nseq 30 >&2\necho the broker has last words >&2\nexit 7\n";
    let workstation = workstation.with_module("comet", &[("comet-run.sh.j2", script)])?;
    let dies = workstation.build(&example()?)?;

    let node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    let before = node.sh("cd /etc; find . -printf '%p %l\\n' | sort")?;
    let output = refused(&node, &dies, 4)?;
    assert!(output.stderr.contains("the broker has last words"), "{output:?}");
    assert_eq!(serves(&node)?, IVO);
    let output = refused(&node, &unanswered, 4)?;
    assert!(output.stderr.contains("nothing listens there"), "{output:?}");
    assert_eq!(serves(&node)?, IVO);
    assert_eq!(settled(&node)?, Prepared::get()?.first);
    assert_eq!(node.sh("cd /etc; find . -printf '%p %l\\n' | sort")?, before);
    let listed = node.switch(["generations"])?.checked()?.stdout;
    assert_eq!(listed.matches("reverted").count(), 2, "{listed}");
    assert_eq!(node.run(["systemctl", "--failed", "--plain", "--no-legend"])?, "");
    Ok(())
}

fn what_is_not_ours_is_not_touched() -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let bundle = workstation.build(&example()?)?;
    let node = lab.boot("node1")?;
    node.ship(&workstation)?;
    node.write_file("/etc/tmpfiles.d/voevent.conf", "# somebody's\n")?;
    node.write_file("/etc/systemd/system/comet.service", "[Service]\nExecStart=/bin/true\n")?;
    let output = refused(&node, &bundle, 3)?;
    for path in ["/etc/tmpfiles.d/voevent.conf", "/etc/systemd/system/comet.service"] {
        assert!(output.stderr.contains(path), "{output:?}");
        node.sh(&format!("rm {path}"))?;
    }
    assert_eq!(node.sh("id voeventserve 2>&1 || true")?, "id: ‘voeventserve’: no such user");
    node.sh("useradd -m -d /home/other voeventserve")?;
    let output = refused(&node, &bundle, 3)?;
    assert!(output.stderr.contains("/home/other"), "{output:?}");
    assert_eq!(node.sh("ls /var/lib/voevent/generations 2>/dev/null || true")?, "");
    node.sh("userdel voeventserve")?;
    node.switch_to(&bundle)?;
    Ok(())
}

/// Each object in turn, and the manifest, on a machine that has none of them yet.
fn a_flipped_bit_is_refused() -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let bundle = workstation.build(&example()?)?;
    let node = lab.boot("node1")?;
    node.ship(&workstation)?;
    let store = format!("{SHIPPED}/store");
    // Where lines come from is no part of the bundle: without it a node is switched all the same.
    let objects = node.sh(&format!("ls {store} | grep -v -- -provenance"))?;
    let before = node.sh("find /etc /home -printf '%p %s %m %u %T@ %l\\n' | sort")?;
    let mut flipped = 0;
    for object in objects.lines() {
        // A file of a tree in the middle of its listing; a manifest for a bundle.
        let files = node.sh(&format!("find {store}/{object} -type f -size +0 | sort"))?;
        let files: Vec<&str> = files.lines().collect();
        let file = files[files.len() / 2];
        let flip = format!(
            "import os,stat\np={file:?}\ns=os.stat(p)\nb=bytearray(open(p,'rb').read())\nb[len(b)//2]^=1\n\
             os.chmod(p,0o644)\nopen(p,'wb').write(b)\nos.chmod(p,stat.S_IMODE(s.st_mode))\n"
        );
        node.run(["python3", "-c", &flip])?;
        let output = refused(&node, &bundle, 3)?;
        assert!(output.stderr.contains(object), "{object}: {output:?}");
        assert_eq!(node.sh("ls /var/lib/voevent/generations; id voeventserve 2>/dev/null || true")?, "");
        node.run(["python3", "-c", &flip])?;
        flipped += 1;
    }
    assert_eq!(flipped, objects.lines().count());
    assert_eq!(node.sh("find /etc /home -printf '%p %s %m %u %T@ %l\\n' | sort")?, before);
    node.switch_to(&bundle)?;
    Ok(())
}

fn two_switches_at_once_are_one_too_many() -> Result<()> {
    let lab = Lab::new()?;
    let check =
        format!("{MODULE}[[check]]\nname = \"nobody\"\nkind = \"vtp\"\nport = 8999\nwithin = \"8s\"\n");
    let workstation = Workstation::new(&lab, "w")?.with_module("nobody", &[("module.toml", &check)])?;
    let slow = workstation
        .build(&example()?.replace("modules = [\"comet\"]", "modules = [\"comet\", \"nobody\"]"))?;
    let node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    let path = format!("{SHIPPED}/store/{slow}");
    let mut first = node.spawn(["/usr/local/sbin/voevent-switch", &path])?;
    node.wait(Duration::from_secs(20), || {
        Ok(node.sh("readlink /var/lib/voevent/pending")? == "generations/2")
    })?;
    let second = refused(&node, &slow, 3)?;
    assert!(second.stderr.contains("another activation is under way"), "{second:?}");
    assert_eq!(first.wait(Duration::from_mins(1))?.code(), Some(4));
    assert_eq!(settled(&node)?, Prepared::get()?.first);
    Ok(())
}

fn what_the_administrator_wants_stays() -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let other = workstation.build(&crate::node::with_ivo("ivo://org.example/other")?)?;
    let node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    node.run(["systemctl", "stop", "comet.service"])?;
    let said = node.switch_to(&other)?;
    assert!(said.contains("`comet.service` was stopped by hand: it stays stopped"), "{said}");
    assert_eq!(node.show("comet.service", "ActiveState")?, "inactive");
    node.run(["systemctl", "start", "comet.service"])?;
    assert_eq!(serves(&node)?, "ivo://org.example/other");
    node.sh("systemctl mask comet.service 2>&1")?;
    let said = node.switch(["rollback"])?.checked()?.stderr;
    assert!(said.contains("`comet.service` is masked: it is left alone"), "{said}");
    node.sh("systemctl unmask comet.service 2>&1; systemctl restart comet.service")?;
    assert_eq!(serves(&node)?, IVO);
    Ok(())
}

/// What is stopped by hand while a switch proves is no reason to put all back.
fn what_changes_meanwhile_is_put_right() -> Result<()> {
    let lab = Lab::new()?;
    let module = format!(
        "{MODULE}[[unit]]\nname = \"idle.service\"\ntemplate = \"idle.service.j2\"\nwanted_by = [\"voevent.target\"]\n\
         [[script]]\nname = \"slow\"\ntemplate = \"slow.sh.j2\"\n\
         [[check]]\nname = \"slow\"\nkind = \"command\"\nscript = \"slow\"\nwithin = \"20s\"\n"
    );
    let files = [
        ("module.toml", module.as_str()),
        ("idle.service.j2", "[Service]\nExecStart=/bin/sleep infinity\n"),
        ("slow.sh.j2", "#!/bin/sh\nsleep 5\n"),
    ];
    let workstation = Workstation::new(&lab, "w")?.with_module("idle", &files)?;
    let with_module = |host: String| host.replace("[\"comet\"]", "[\"comet\", \"idle\"]");
    let first = workstation.build(&with_module(example()?))?;
    let second = workstation.build(&with_module(crate::node::with_ivo("ivo://org.example/other")?))?;
    let node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    node.switch_to(&first)?;
    let mut switch = node.spawn(["/usr/local/sbin/voevent-switch", &format!("{SHIPPED}/store/{second}")])?;
    node.wait(Duration::from_mins(1), || Ok(serves(&node)? == "ivo://org.example/other"))?;
    node.run(["systemctl", "stop", "idle.service"])?;
    let output = switch.wait(Duration::from_mins(1))?;
    assert_eq!(output.code(), Some(0), "{output:?}");
    assert!(output.stderr.contains("something changed meanwhile"), "{output:?}");
    assert_eq!(node.show("idle.service", "ActiveState")?, "active");
    Ok(())
}

fn what_root_executes_is_roots_alone() -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let other = workstation.build(&crate::node::with_ivo("ivo://org.example/other")?)?;
    let node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    node.run(["chown", "voeventserve", "/var/lib/voevent"])?;
    let output = refused(&node, &other, 3)?;
    assert!(output.stderr.contains("`/var/lib/voevent`, which others than root can write"), "{output:?}");
    node.run(["chown", "root", "/var/lib/voevent"])?;
    // A name is a promise: whoever can write the folder cannot lead it to another bundle.
    let first = Prepared::get()?.first;
    node.sh(&format!(
        "cd {SHIPPED}/store; mv {other} ../away; ln -s /var/lib/voevent/store/{first} {other}"
    ))?;
    let output = refused(&node, &other, 3)?;
    assert!(output.stderr.contains("leads to"), "{output:?}");
    // The generator that is gone is put back, though nothing else is to be done.
    node.sh("rm /etc/systemd/system-generators/voevent-generator; systemctl daemon-reload")?;
    assert_eq!(node.show("comet.service", "LoadState")?, "not-found");
    let pid = node.show("comet.service", "MainPID")?;
    node.switch(["rollback", "1"])?.checked()?;
    assert_eq!(node.show("comet.service", "LoadState")?, "loaded");
    assert_eq!(node.show("comet.service", "MainPID")?, pid);
    assert_eq!(serves(&node)?, IVO);
    Ok(())
}
