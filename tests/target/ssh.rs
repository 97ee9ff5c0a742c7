//! Who gets in by SSH: a key, and nothing else; and a switch after which nobody could is reverted.

use std::ffi::OsStr;
use std::fs;
use std::time::Duration;

use crate::driver::{Call, Explain, Failure, Lab, Machine, Output, Result, Setup, Suite};
use crate::node::{Node, SHIPPED, Workstation};

crate::tests![ssh_on_debian_12, ssh_on_debian_13];

const SOON: Duration = Duration::from_secs(20);
const OTHERS: &str = "/etc/ssh/sshd_config.d/00-others.conf";

fn host(suite: Suite, key: &str, ssh: &str) -> String {
    let (system, python) = match suite {
        Suite::Bookworm => ("debian-12", "3.11"),
        Suite::Trixie => ("debian-13", "3.13"),
    };
    let module = if ssh.is_empty() { "users" } else { "ssh" };
    format!(
        "[host]\nsystem = \"{system}\"\narch = \"x86_64\"\npython = \"{python}\"\nmodules = [\"{module}\"]\n\
         [users.accounts.voeventdeploy]\nkeys = [\"{}\"]\n{ssh}",
        key.trim()
    )
}

/// Logs in as a user with a key of the lab, at a port, and says who that is.
fn login(node: &Machine, (user, key, port): (&str, &str, &str)) -> Result<Output> {
    let lab = node.lab();
    let key = lab.dir().join(key).display().to_string();
    let options =
        ["ssh", "-F", "none", "-i", &key, "-p", port, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"];
    let quiet =
        ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];
    let to = format!("{user}@{}", node.address());
    lab.control(options.into_iter().chain(quiet).chain([to.as_str(), "id", "-un"])).output()
}

/// Whether the deploying user and root get in, and a strange key does not.
fn lets_in(node: &Machine, port: &str) -> Result<()> {
    for user in ["voeventdeploy", "root"] {
        let said = login(node, (user, "key", port))?.checked()?.stdout;
        assert_eq!(said.trim(), user);
    }
    let stranger = login(node, ("voeventdeploy", "strange", port))?;
    assert!(stranger.stderr.contains("Permission denied (publickey)"), "{stranger:?}");
    let unnamed = login(node, ("voeventserve", "key", port))?;
    assert!(!unnamed.success(), "{unnamed:?}");
    Ok(())
}

fn reverted(node: &Machine, bundle: &str, why: &str) -> Result<()> {
    let output = node.switch([format!("{SHIPPED}/store/{bundle}").as_str()])?;
    if output.code() == Some(4) && output.stderr.contains(why) {
        return Ok(());
    }
    Err(Failure::new(format!("expected 4 and `{why}`: {output:?}")))
}

fn ssh_on_debian_12() -> Result<()> {
    story(Suite::Bookworm)
}

fn ssh_on_debian_13() -> Result<()> {
    story(Suite::Trixie)
}

fn story(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let node = lab.boot_with("node1", Setup::of_modules(suite))?;
    let strange = lab.dir().join("strange");
    let words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"].map(OsStr::new);
    Call::here(words.into_iter().chain([strange.as_os_str()])).ok()?;
    let key = fs::read_to_string(lab.key().with_extension("pub")).explain(|| "read the key".to_owned())?;
    let workstation = Workstation::new(&lab, "w")?;
    let settings = "[ssh]\nallow_users = [\"root\", \"voeventdeploy\"]\n";
    let first = workstation.build(&host(suite, &key, settings))?;
    let second = format!("{settings}ports = [22, 2222]\nmax_auth_tries = 3\n");
    let second_bundle = workstation.build(&host(suite, &key, &second))?;
    let without = workstation.build(&host(suite, &key, ""))?;
    let wrong = include_str!("../../modules/ssh/sshd.conf.j2").to_owned() + "NoSuchSetting yes\n";
    let broken = workstation.with_module("ssh", &[("sshd.conf.j2", &wrong)])?;
    let wrong = broken.build(&host(suite, &key, &second))?;
    node.ship(&broken)?;

    // What another file says before ours counts for sshd: it is found, and what was there is back.
    node.write_file(OTHERS, "PasswordAuthentication yes\nPort 2200\n")?;
    reverted(&node, &first, "sshd has not `passwordauthentication no`")?;
    node.sh(&format!("rm {OTHERS} && test ! -e /etc/ssh/sshd_config.d/10-voevent.conf"))?;

    node.switch_to(&first)?;
    lets_in(&node, "22")?;
    listens_by_a_socket(&node, &second_bundle)?;
    let kept = node.ssh(["sleep", "1000"]).spawn()?;
    let sessions = "ss -Htn state established 'sport = :22' | wc -l";
    node.wait(SOON, || Ok(node.sh(sessions)? == "1"))?;
    node.switch_to(&second_bundle)?;
    lets_in(&node, "22")?;
    lets_in(&node, "2222")?;
    reverted(&node, &wrong, "voevent-ssh.service")?;
    lets_in(&node, "2222")?;
    nobody_has_privileges(&node)?;
    assert!(!kept.is_over()?, "who is logged in stays so");

    // Gone, sshd is as it was: it knows nothing of our keys and of the other port.
    node.switch_to(&without)?;
    let refused =
        |who: &str, port: &str, why: &str| Ok(login(&node, (who, "key", port))?.stderr.contains(why));
    node.wait(SOON, || refused("voeventdeploy", "22", "Permission denied"))?;
    node.wait(SOON, || refused("root", "2222", "refused"))?;
    node.wait(SOON, || Ok(login(&node, ("root", "key", "22"))?.success()))
}

/// Where systemd listens for sshd, its ports are those of a unit.
fn listens_by_a_socket(node: &Machine, two_ports: &str) -> Result<()> {
    node.sh("systemctl stop ssh.service && systemctl start ssh.socket")?;
    reverted(node, two_ports, "nothing listens at port 2222; if `ssh.socket` does for sshd")?;
    lets_in(node, "22")?;
    node.sh("systemctl stop ssh.socket && systemctl start ssh.service").map(drop)
}

/// The check of users finds what an administrator, or an attacker, changed.
fn nobody_has_privileges(node: &Machine) -> Result<()> {
    let check = "c=$(ls /var/lib/voevent/store/*-users-check); $c";
    node.sh(check)?;
    let sudoer =
        "echo 'voeventserve ALL=(root) NOPASSWD: /bin/true' >/etc/sudoers.d/x; chmod 440 /etc/sudoers.d/x";
    for (change, back, said) in [
        (
            "gpasswd -a voeventdeploy sudo",
            "gpasswd -d voeventdeploy sudo",
            "`voeventdeploy` is in the group `sudo`",
        ),
        (sudoer, "rm /etc/sudoers.d/x", "user `voeventserve` may use sudo"),
        (
            "chmod o+w /var/lib/voevent/store",
            "chmod o-w /var/lib/voevent/store",
            "can be changed by others than root",
        ),
    ] {
        let found = node.exec([
            "bash",
            "-c",
            &format!("({change}) >/dev/null; {check}; code=$?; ({back}) >/dev/null; exit $code"),
        ])?;
        assert!(found.code() == Some(1) && found.stderr.contains(said), "{found:?}");
    }
    node.sh(check).map(drop)
}
