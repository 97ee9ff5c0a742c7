//! The firewall: who may reach what, in both families; changed without a gap, put back by a revert, never locking out.

use std::time::Duration;

use crate::driver::{Call, Failure, Lab, Machine, Output, Result, Running, Setup, Suite};
use crate::node::{Node, SHIPPED, Workstation};

crate::tests![the_firewall_on_debian_12, the_firewall_on_debian_13];

const LISTENER: &str = include_str!("firewall/listener.py");
/// Connects to an address and a port, and is greeted.
const CONNECT: &str = "import socket,sys\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])),0.5)\nsys.exit(s.recv(1)!=b'x')";
/// Keeps a connection, and says each second tenth whether it still gives back what is sent.
const KEEP: &str = "import socket,sys,time\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])),2)\ns.recv(1)\n\
     while True:\n s.sendall(b'y'); assert s.recv(1)==b'y'; print('y',flush=True); time.sleep(0.1)";
/// Sends datagrams with a pause between them, for ten minutes at most.
const SHOUT: &str = "import socket,sys,time\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\nend=time.monotonic()+600\n\
     while time.monotonic()<end: s.sendto(b'z',(sys.argv[1],7005)); time.sleep(float(sys.argv[2]))";
/// Connects as often as it is told, all at once, and says how many were greeted before TCP tried again.
const CROWD: &str = "import socket,sys,time\nall=[socket.socket() for _ in range(int(sys.argv[3]))]\ngreeted=0\n\
     for s in all: s.setblocking(False); s.connect_ex((sys.argv[1],int(sys.argv[2])))\ntime.sleep(0.6)\n\
     for s in all:\n  try: greeted+=s.recv(1)==b'x'\n  except OSError: pass\nprint(greeted)";
/// How long a client may take.
const SOON: Duration = Duration::from_secs(20);
const NODE6: &str = "fd00:213::11";

fn host(suite: Suite, ssh_from: &str, friends: &str) -> String {
    let (system, python) = match suite {
        Suite::Bookworm => ("debian-12", "3.11"),
        Suite::Trixie => ("debian-13", "3.13"),
    };
    format!(
        "[host]\nsystem = \"{system}\"\narch = \"x86_64\"\npython = \"{python}\"\nmodules = [\"firewall\"]\n\
         [firewall]\nssh_from = [{ssh_from}]\n\
         [firewall.open.friends]\nport = 7001\nfrom = [{friends}]\n\
         [firewall.open.few]\nport = 7003\nfrom = [\"0.0.0.0/0\"]\nat_once = 3\nnew_per_second = 0\n\
         [firewall.open.slow]\nport = 7004\nfrom = [\"0.0.0.0/0\"]\nat_once = 0\nnew_per_second = 2\n\
         [firewall.open.each]\nport = 7006\nfrom = [\"0.0.0.0/0\"]\nat_once_each = 2\nat_once = 3\nnew_per_second = 0\n"
    )
}

/// The node, and another machine; the control namespace is the third.
struct Network {
    lab: Lab,
    node: Machine,
    friend: Machine,
}

impl Network {
    fn new(suite: Suite) -> Result<Self> {
        let lab = Lab::new()?;
        let setup = Setup::of_modules(suite);
        let node = lab.boot_with("node1", setup)?;
        let friend = lab.boot("friend")?;
        lab.control(["ip", "addr", "add", "fd00:213::1/64", "dev", "br0", "nodad"]).ok()?;
        for (machine, address) in [(&node, NODE6), (&friend, "fd00:213::12")] {
            machine.sh(&format!("ip addr add {address}/64 dev host0 nodad"))?;
        }
        node.write_file("/opt/listener.py", LISTENER)?;
        node.sh("systemd-run -q --unit=listener python3 /opt/listener.py")?;
        let network = Self { lab, node, friend };
        network.node.wait(SOON, || network.can(true, 7002))?;
        Ok(network)
    }

    /// A program on the other machine, or on the workstation, with the node's address and a port.
    fn client(&self, friend: bool, program: &str, address: &str, rest: &[&str]) -> Result<Call> {
        let words = ["python3", "-c", program, address].into_iter().chain(rest.iter().copied());
        if friend { self.friend.call(words) } else { Ok(self.lab.control(words)) }
    }

    /// Whether one can connect to a port of the node; the same in both families.
    fn can(&self, friend: bool, port: u16) -> Result<bool> {
        let try_one = |address: &str| -> Result<bool> {
            Ok(self.client(friend, CONNECT, address, &[&port.to_string()])?.output()?.success())
        };
        let (v4, v6) = (try_one(&self.node.address())?, try_one(NODE6)?);
        if v4 == v6 { Ok(v4) } else { Err(Failure::new(format!("port {port}: {v4} by IPv4, {v6} by IPv6"))) }
    }

    /// Who can connect to port 7001, which is open to some, and to 7002, which is open to nobody.
    fn reach(&self) -> Result<[bool; 4]> {
        Ok([self.can(true, 7001)?, self.can(false, 7001)?, self.can(true, 7002)?, self.can(false, 7002)?])
    }

    /// How many of a crowd are greeted.
    fn crowd(&self, port: &str, size: &str) -> Result<String> {
        self.client(true, CROWD, &self.node.address(), &[port, size])?.ok()
    }

    /// Switches to a bundle that cannot be; what it said.
    fn reverted(&self, bundle: &str) -> Result<Output> {
        let output = self.node.switch([format!("{SHIPPED}/store/{bundle}").as_str()])?;
        if output.code() == Some(4) {
            Ok(output)
        } else {
            Err(Failure::new(format!("expected 4: {output:?}")))
        }
    }

    fn table(&self) -> Result<String> {
        self.node.sh("nft --stateless --terse list ruleset")
    }
}

fn the_firewall_on_debian_12() -> Result<()> {
    story(Suite::Bookworm)
}

fn the_firewall_on_debian_13() -> Result<()> {
    story(Suite::Trixie)
}

fn story(suite: Suite) -> Result<()> {
    let mut network = Network::new(suite)?;
    let workstation = Workstation::new(&network.lab, "w")?;
    let (ssh, friend) =
        ("\"10.213.7.1\", \"fd00:213::1\"", "\"10.213.7.12\", \"10.213.7.12/30\", \"fd00:213::12\"");
    let first = workstation.build(&host(suite, ssh, friend))?;
    let other = workstation.build(&host(suite, ssh, "\"10.213.7.1\", \"fd00:213::/124\""))?;
    let out = workstation.build(&host(suite, "\"192.0.2.0/24\"", friend))?;
    let without = workstation.build(
        &host(suite, ssh, friend).split("[firewall]").next().unwrap_or_default().replace("firewall", "users"),
    )?;
    let template = include_str!("../../modules/firewall/firewall.nft.j2");
    let wrong = template.replace("    ct state invalid drop\n", "    ip saddr @nobody drop\n");
    let broken = workstation.with_module("firewall", &[("firewall.nft.j2", &wrong)])?;
    let wrong = broken.build(&host(suite, ssh, "\"10.213.7.1\""))?;
    network.node.ship(&broken)?;
    network.node.sh("nft 'add table ip others; add chain ip others c'")?;

    keeps_sshd_reachable(&network, &first)?;
    let kept = network.client(true, KEEP, &network.node.address(), &["7001"])?.spawn()?;
    let session = network.node.ssh(["sleep", "1000"]).spawn()?;
    network.node.switch_to(&first)?;
    allows_whom_it_names(&network)?;
    still_talks(&network, &kept)?;

    changes_without_a_gap(&network, &other, &kept)?;
    let table = network.table()?;
    let said = network.reverted(&wrong)?.stderr;
    assert!(said.contains("voevent-firewall.service"), "{said}");
    assert_eq!(network.table()?, table, "the kernel refused the rules");
    let said = network.reverted(&out)?.stderr;
    assert!(said.contains("`firewall.ssh_from` would lock out all who are logged in: 10.213.7.1"), "{said}");
    assert_eq!(network.table()?, table, "nobody could have logged in");
    still_talks(&network, &kept)?;
    drop((session, kept));

    survives_debians_own(&network, &table)?;
    boots(&mut network)?;
    network.node.switch_to(&without)?;
    assert_eq!(network.node.sh("nft list tables | grep -c inet || true")?, "0", "it takes its table away");
    assert!(network.can(true, 7002)?);
    Ok(())
}

/// sshd at a port that the rules do not know: they go again.
fn keeps_sshd_reachable(network: &Network, bundle: &str) -> Result<()> {
    let config = "/etc/ssh/sshd_config.d/port.conf";
    network.node.sh(&format!("echo Port 2222 >{config}; systemctl restart ssh"))?;
    let said = network.reverted(bundle)?.stderr;
    assert!(said.contains("sshd listens at port 2222, which is not in `firewall.ssh_ports`"), "{said}");
    assert!(!network.table()?.contains("voevent") && network.can(true, 7002)?);
    network.node.sh(&format!("rm {config}; systemctl restart ssh")).map(drop)
}

fn allows_whom_it_names(network: &Network) -> Result<()> {
    assert_eq!(network.reach()?, [true, false, false, false]);
    network.node.ssh(["true"]).ok()?;
    let words = ["ssh", "-o", "ConnectTimeout=1", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"];
    let stranger = network.friend.exec(words.into_iter().chain([network.node.address().as_str(), "true"]))?;
    assert!(stranger.stderr.contains("timed out"), "{stranger:?}");
    network.friend.sh(&format!("ping -c1 -W1 {NODE6} && ping -c1 -W1 10.213.7.11")).ok();
    assert_eq!(network.crowd("7003", "8")?, "3", "at once");
    assert_eq!(network.crowd("7004", "12")?, "4", "a second, with a burst of twice as many");
    assert_eq!(network.crowd("7006", "8")?, "2", "of one; a third may come from elsewhere");
    assert!(network.table()?.contains("table ip others"), "another's table stays");
    Ok(())
}

/// Whether what was sent lately came back.
fn still_talks(network: &Network, kept: &Running) -> Result<()> {
    let before = kept.stdout()?.len();
    network.node.wait(SOON, || Ok(kept.stdout()?.len() > before + 6 && !kept.is_over()?))
}

/// Another one may come now; who is connected stays so, and meanwhile nothing gets through that never may.
fn changes_without_a_gap(network: &Network, other: &str, kept: &Running) -> Result<()> {
    let shout = network.client(false, SHOUT, &network.node.address(), &["0.001"])?.spawn()?;
    let pid = network.node.show("voevent-firewall.service", "InvocationID")?;
    network.node.switch_to(other)?;
    assert_eq!(network.reach()?, [false, true, false, false]);
    let loud = network.client(false, SHOUT, &network.node.address(), &["0"])?.spawn()?;
    let again = "for _ in $(seq 50); do systemctl reload voevent-firewall.service; done";
    network.node.sh(again)?;
    for shout in [shout, loud] {
        assert!(!shout.is_over()?, "{}", shout.stderr()?);
        shout.kill()?;
    }
    network.node.sh("test ! -e /run/heard")?;
    assert_eq!(network.node.show("voevent-firewall.service", "InvocationID")?, pid, "it was reloaded");
    still_talks(network, kept)?;
    network.node.ssh(["true"]).ok().map(drop)
}

/// Debian's own service removes all rules at its start, reload and end.
fn survives_debians_own(network: &Network, table: &str) -> Result<()> {
    let ours = |table: &str| table.split("table inet voevent").nth(1).map(str::to_owned);
    for verb in ["start", "reload", "restart", "stop"] {
        network.node.run(["systemctl", verb, "nftables.service"])?;
        network.node.wait(SOON, || Ok(ours(&network.table()?) == ours(table)))?;
    }
    let gone = network.table()?.contains("table ip others");
    assert!(!gone, "Debian's own removed the rest");
    Ok(())
}

fn boots(network: &mut Network) -> Result<()> {
    network.node.reboot()?;
    let node = &network.node;
    node.sh(&format!("ip addr add {NODE6}/64 dev host0 nodad"))?;
    node.sh("systemd-run -q --unit=listener python3 /opt/listener.py")?;
    node.wait(SOON, || network.can(false, 7001))?;
    assert_eq!(network.reach()?, [false, true, false, false]);
    let at = |unit: &str| -> Result<u64> {
        let at = node.show(unit, "ActiveEnterTimestampMonotonic")?;
        at.parse().map_err(|_| Failure::new(format!("{unit} is active since `{at}`")))
    };
    assert!(at("voevent-firewall.service")? <= at("network-pre.target")?, "before the network");
    Ok(())
}
