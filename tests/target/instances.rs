//! Two brokers on one machine: instances of one module, each a unit of its own.

use std::time::Duration;

use crate::driver::{Lab, Machine, Result};
use crate::node::{Node, Prepared, Workstation, example, serves};

crate::tests![a_second_broker_comes_and_goes];

const SOON: Duration = Duration::from_secs(30);

/// The second broker: it subscribes to the first.
const SECOND: &str = "
[\"comet:backup\"]
local_ivo = \"ivo://org.example/node1-backup\"
remotes = [\"127.0.0.1:8099\"]
broadcast = { port = 8199 }
";

fn a_second_broker_comes_and_goes() -> Result<()> {
    let prepared = Prepared::get()?;
    let lab = Lab::new()?;
    let node = prepared.boot(&lab)?;
    let workstation = Workstation::new(&lab, "w")?;
    let both =
        example()?.replace("modules = [\"comet\"]", "modules = [\"comet\", \"comet:backup\"]") + SECOND;
    let both = workstation.build(&both)?;
    workstation.build(&example()?)?;
    node.ship(&workstation)?;

    let first = node.show("comet.service", "MainPID")?;
    let said = node.switch_to(&both)?;
    assert!(said.contains("generation 2 is committed"), "{said}");
    assert_eq!(node.show("comet.service", "MainPID")?, first, "it has nothing to do with the second");
    assert_eq!(greetings(&node)?, ["ivo://org.example/node1", "ivo://org.example/node1-backup"]);
    // Both run one environment, and each writes into a folder of its own.
    assert_eq!(node.sh("ls -d /var/lib/voevent/derived/*-comet* | wc -l")?, "1");
    node.sh("test -d /home/voeventserve/working_dir/db && test -d /home/voeventserve/working_dir-backup/db")?;
    let subscribed = "ss -Htn state established dport = :8099 | wc -l";
    node.wait(SOON, || Ok(node.sh(subscribed)? == "1"))?;

    // Stopping one leaves the other.
    for (stopped, port, other, other_port) in
        [("comet", 8099, "comet-backup", 8199), ("comet-backup", 8199, "comet", 8099)]
    {
        let before = node.show(&format!("{other}.service"), "MainPID")?;
        node.run(["systemctl", "stop", stopped])?;
        assert!(
            !node.switch(["probe", "vtp", "--port", &port.to_string()])?.success(),
            "{stopped} is stopped"
        );
        assert!(node.greets(other_port)?, "{other} answers");
        node.run(["systemctl", "start", stopped])?;
        assert_eq!(node.show(&format!("{other}.service"), "MainPID")?, before);
    }
    node.wait(SOON, || Ok(node.sh(subscribed)? == "1"))?;

    let first = node.show("comet.service", "MainPID")?;
    node.switch_to(&prepared.first)?;
    assert_eq!(node.show("comet-backup.service", "LoadState")?, "not-found");
    assert_eq!(
        (serves(&node)?.as_str(), node.show("comet.service", "MainPID")?),
        ("ivo://org.example/node1", first)
    );
    Ok(())
}

/// Who answers at the ports of the two.
fn greetings(node: &Machine) -> Result<Vec<String>> {
    let greeting = |port: &str| -> Result<String> {
        let said = node.switch(["probe", "vtp", "--port", port, "--wait", "5s"])?.checked()?.stdout;
        Ok(said.trim().trim_start_matches("greeting from ").to_owned())
    };
    Ok(vec![greeting("8099")?, greeting("8199")?])
}
