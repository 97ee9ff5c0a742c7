//! Every service of the full node is hardened, and none has failed: those that there are, not those that are named here.

use std::time::Duration;

use crate::driver::{Failure, Lab, Machine, Result};
use crate::recovery::full_node;

crate::tests![all_services_are_hardened_and_none_failed];

/// What `systemd-analyze security` may say of a service at most.
const EXPOSURE: f32 = 1.5;
const SOON: Duration = Duration::from_mins(1);

/// Our services, with an instance of each that is a template.
fn services(node: &Machine) -> Result<Vec<String>> {
    let units = node.sh("cd /var/lib/voevent/current/bundle/root/etc/systemd/system && ls -d *.service")?;
    Ok(units.lines().map(|unit| unit.replace("@.", "@x.")).collect())
}

fn exposure(node: &Machine, unit: &str) -> Result<f32> {
    let said = node.sh(&format!("systemd-analyze security --no-pager {unit} | tail -1"))?;
    let score = said.split_whitespace().find_map(|word| word.parse().ok());
    score.ok_or_else(|| Failure::new(format!("{unit} has no score: {said}")))
}

fn all_services_are_hardened_and_none_failed() -> Result<()> {
    let node = full_node(&Lab::new()?)?;
    let services = services(&node)?;
    let known =
        ["comet.service", "voevent-firewall.service", "voevent-logging.service", "voevent-ssh.service"];
    for unit in known {
        assert!(services.iter().any(|service| service == unit), "{unit}: {services:?}");
    }
    let mut open = Vec::new();
    for unit in &services {
        let score = exposure(&node, unit)?;
        println!("{unit} {score}");
        if score > EXPOSURE {
            open.push(format!("{unit} {score}"));
        }
    }
    assert!(open.is_empty(), "more exposed than {EXPOSURE}: {open:?}");
    // What a timer starts some day works too, as it is hardened.
    node.run(["systemctl", "start", "voevent-log-export.service"])?;
    let failed = "systemctl list-units --plain --no-legend --failed 'comet*' 'voevent-*'";
    node.wait(SOON, || Ok(node.sh("systemctl list-jobs --no-legend | wc -l")? == "0"))?;
    assert_eq!(node.sh(failed)?, "");
    Ok(())
}
