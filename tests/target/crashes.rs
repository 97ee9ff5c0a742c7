//! A switch that dies, hangs or loses power: the machine ends wholly old or wholly new, its broker serving, with no
//! further command.

use std::time::{Duration, Instant};

use crate::driver::{Lab, Machine, Result};
use crate::node::{Node, Prepared, SHIPPED, Workstation, example, serves, settled, with_ivo};

crate::tests![
    killed_at_thirty_moments,
    a_power_cut_in_the_checks,
    power_cuts_that_lose_what_was_not_synced,
    a_stopped_switch_is_ended_by_its_guard,
    a_switch_that_was_told_to_stop_is_no_success,
    what_cannot_be_put_back_is_mended_by_the_next_switch,
];

const OLD: &str = "ivo://org.example/node1";
const NEW: &str = "ivo://org.example/other";
const MOMENTS: u32 = 30;

/// Which IVOID the bundle that is committed has, and that the broker serves just that.
fn whole(node: &Machine, bundles: &[(&str, &str)]) -> Result<String> {
    let bundle = settled(node)?;
    let ivo = bundles
        .iter()
        .find(|(name, _)| *name == bundle)
        .map(|(_, ivo)| (*ivo).to_owned())
        .unwrap_or_default();
    assert_eq!(serves(node)?, ivo, "{bundle} is committed");
    assert_eq!(node.run(["systemctl", "--failed", "--plain", "--no-legend"])?, "");
    // No link of ours dangles, nothing is left beside them.
    assert_eq!(
        node.sh("find /etc -xtype l -lname '/var/lib/voevent/*'; find /etc -name '.*.voevent-*'")?,
        ""
    );
    // People find what is live.
    let live = "cd /var/lib/voevent && find -L live/ -maxdepth 2 -type l; ls live/";
    assert_eq!(node.sh(live)?, "files\nscripts\nvenvs");
    Ok(ivo)
}

fn killed_at_thirty_moments() -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let (old, new) = (Prepared::get()?.first, workstation.build(&with_ivo(NEW)?)?);
    workstation.build(&example()?)?;
    let node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    let bundles = [(old.as_str(), OLD), (new.as_str(), NEW)];
    let began = Instant::now();
    node.switch_to(&new)?;
    let whole_time = began.elapsed();
    let (mut olds, mut news) = (0, 0);
    let mut live = NEW.to_owned();
    for moment in 0..MOMENTS {
        let to = if live == NEW { &old } else { &new };
        let path = format!("{SHIPPED}/store/{to}");
        let mut switch = node.spawn(["/usr/local/sbin/voevent-switch", &path])?;
        std::thread::sleep(whole_time * moment / MOMENTS);
        // It may not have begun, or have ended already: both are moments.
        node.exec(["systemctl", "kill", "--signal=KILL", "voevent-switch-run.service"])?;
        let output = switch.wait(Duration::from_mins(2))?;
        let after = whole(&node, &bundles)?;
        let expected = if after == live { [Some(3), Some(4)] } else { [Some(0), Some(0)] };
        assert!(expected.contains(&output.code()), "moment {moment}: {live} then {after}: {output:?}");
        if after == live {
            olds += 1;
        } else {
            news += 1;
        }
        live = after;
    }
    println!("of {MOMENTS} kills in {whole_time:?}: {olds} ended old, {news} new");
    assert!(olds > 0);
    Ok(())
}

/// A bundle whose checks take long and then fail.
fn slow_bundle(lab: &Lab) -> Result<(Workstation, String)> {
    let module = "[module]\ndescription = \"A test\"\n[[check]]\nname = \"nobody\"\nkind = \"vtp\"\nport = 8999\nwithin = \"60s\"\n";
    let workstation = Workstation::new(lab, "w")?.with_module("nobody", &[("module.toml", module)])?;
    let text = with_ivo(NEW)?.replace("modules = [\"comet\"]", "modules = [\"comet\", \"nobody\"]");
    let slow = workstation.build(&text)?;
    Ok((workstation, slow))
}

/// Waits until a switch is in its checks: the new broker serves, and it is not committed.
fn in_checks(node: &Machine) -> Result<()> {
    node.wait(Duration::from_mins(1), || Ok(serves(node)? == NEW))
}

fn a_power_cut_in_the_checks() -> Result<()> {
    let lab = Lab::new()?;
    let (workstation, slow) = slow_bundle(&lab)?;
    let mut node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    let switch = node.spawn(["/usr/local/sbin/voevent-switch", &format!("{SHIPPED}/store/{slow}")])?;
    in_checks(&node)?;
    node.power_cut()?;
    drop(switch);
    node.start()?;
    let first = Prepared::get()?.first;
    assert_eq!(whole(&node, &[(&first, OLD), (&slow, NEW)])?, OLD);
    let listed = node.switch(["generations"])?.checked()?.stdout;
    assert!(listed.lines().last().unwrap_or_default().contains("reverted"), "{listed}");
    Ok(())
}

fn power_cuts_that_lose_what_was_not_synced() -> Result<()> {
    let lab = Lab::new()?;
    let prepared = Prepared::on_image()?;
    let workstation = Workstation::new(&lab, "w")?;
    let new = workstation.build(&with_ivo(NEW)?)?;
    let mut node = prepared.boot(&lab)?;
    node.ship(&workstation)?;
    node.run(["sync"])?;
    for moment in 0..6_u32 {
        let back = moment > 0;
        if back {
            // Whatever it was, begin at the old one.
            let output = node.switch(["rollback", "1"])?.checked()?;
            assert!(output.success());
        }
        let switch = node.spawn(["/usr/local/sbin/voevent-switch", &format!("{SHIPPED}/store/{new}")])?;
        std::thread::sleep(Duration::from_millis(u64::from(moment) * 300));
        node.power_cut()?;
        drop(switch);
        node.start()?;
        node.wait(Duration::from_mins(1), || node.greets(8099))?;
        let ended = whole(&node, &[(&prepared.first, OLD), (&new, NEW)])?;
        println!("power cut after {} ms: {ended}", moment * 300);
    }
    Ok(())
}

fn a_stopped_switch_is_ended_by_its_guard() -> Result<()> {
    let lab = Lab::new()?;
    let (workstation, slow) = slow_bundle(&lab)?;
    let node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    let path = format!("{SHIPPED}/store/{slow}");
    let mut switch = node.spawn(["/usr/local/sbin/voevent-switch", "--deadline", "30s", &path])?;
    in_checks(&node)?;
    node.run(["systemctl", "kill", "--signal=STOP", "voevent-switch-run.service"])?;
    let output = switch.wait(Duration::from_mins(2))?;
    assert_eq!(output.code(), Some(4), "{output:?}");
    let first = Prepared::get()?.first;
    assert_eq!(whole(&node, &[(&first, OLD), (&slow, NEW)])?, OLD);
    let cause = node.sh("grep ^cause /var/lib/voevent/generations/2/record.toml")?;
    assert!(cause.contains("longer than it may"), "{cause}");
    Ok(())
}

/// systemd-run(1) ends with 0 where the service was stopped.
fn a_switch_that_was_told_to_stop_is_no_success() -> Result<()> {
    let lab = Lab::new()?;
    let (workstation, slow) = slow_bundle(&lab)?;
    let node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    let mut switch = node.spawn(["/usr/local/sbin/voevent-switch", &format!("{SHIPPED}/store/{slow}")])?;
    in_checks(&node)?;
    node.run(["systemctl", "stop", "voevent-switch-run.service"])?;
    let output = switch.wait(Duration::from_mins(2))?;
    assert_eq!(output.code(), Some(4), "{output:?}");
    let first = Prepared::get()?.first;
    assert_eq!(whole(&node, &[(&first, OLD), (&slow, NEW)])?, OLD);
    Ok(())
}

/// Where what was committed does not work either, the guard tries once, and then leaves the lock to a person.
fn what_cannot_be_put_back_is_mended_by_the_next_switch() -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let new = workstation.build(&with_ivo(NEW)?)?;
    let node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    let drop_in = "/etc/systemd/system/comet.service.d/broken.conf";
    node.sh(&format!("mkdir -p {}", drop_in.trim_end_matches("/broken.conf")))?;
    node.write_file(drop_in, "[Service]\nExecStartPre=/bin/false\n")?;
    let output = node.switch([format!("{SHIPPED}/store/{new}").as_str()])?;
    assert_eq!(output.code(), Some(5), "{output:?}");
    let unguarded = || Ok(node.sh("systemctl list-units --plain --no-legend 'voevent-guard-*'")?.is_empty());
    node.wait(Duration::from_mins(1), unguarded)?;
    assert_eq!(node.sh("readlink /var/lib/voevent/pending")?, "generations/2");
    // The next one is stuck too, and knows of the first.
    let output = node.switch([format!("{SHIPPED}/store/{new}").as_str()])?;
    assert_eq!(output.code(), Some(5), "{output:?}");
    node.wait(Duration::from_mins(1), unguarded)?;
    let said = node.sh("grep ^unended /var/lib/voevent/generations/*/record.toml")?;
    assert_eq!(said, "/var/lib/voevent/generations/3/record.toml:unended = [2]");
    node.sh(&format!("rm {drop_in}"))?;
    node.switch_to(&new)?;
    assert_eq!(whole(&node, &[(&new, NEW)])?, NEW);
    let listed = node.switch(["generations"])?.checked()?.stdout;
    assert!(listed.lines().nth(1).unwrap_or_default().contains("reverted"), "{listed}");
    Ok(())
}
