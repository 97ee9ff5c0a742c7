//! The module `backup` on real hosts: what one host saved, an empty one has after `voevent-restore`.

use std::time::Duration;

use crate::driver::{Explain, Failure, Lab, Machine, Result, Setup, Suite};
use crate::node::{Node, Workstation, example};

crate::tests![an_empty_host_gets_all_back_on_debian_12, an_empty_host_gets_all_back_on_debian_13];

const LONG: Duration = Duration::from_mins(2);
const EXPOSURE: f32 = 1.5;
const ARCHIVE: &str = "/etc/voevent/bin/voevent-archive";
const RESTORE: &str = "/etc/voevent/bin/voevent-restore";
const BACKUP: &str = "
[backup]
password = { file = \"/etc/voevent/secrets/backup\" }
read_data = \"100%\"
[backup.include]
files = { path = \"/home/voeventserve/working_dir/files\" }
index = { path = \"/home/voeventserve/working_dir/index.db\", kind = \"sqlite\" }
";

const AFAR: &str = "repository = \"sftp:keeper@ADDRESS:/srv/backups/node\"
ssh_key = { file = \"/etc/voevent/secrets/backup-key\" }
ssh_host_keys = [\"ADDRESS KEY\"]
";

fn an_empty_host_gets_all_back_on_debian_12() -> Result<()> {
    an_empty_host_gets_all_back(Suite::Bookworm)
}

fn an_empty_host_gets_all_back_on_debian_13() -> Result<()> {
    an_empty_host_gets_all_back(Suite::Trixie)
}

fn node(
    lab: &Lab,
    workstation: &Workstation,
    name: &str,
    keeper: Option<&Store>,
    (debian, bundle): (Suite, &str),
) -> Result<Machine> {
    let node = lab.boot_with(name, Setup::of_modules(debian))?;
    node.sh("umask 077; mkdir -p /etc/voevent/secrets; echo a-planted-secret > /etc/voevent/secrets/backup")?;
    if let Some(keeper) = keeper {
        node.write_file("/etc/voevent/secrets/backup-key", &keeper.key)?;
        node.sh("chmod 600 /etc/voevent/secrets/backup-key")?;
    }
    node.ship(workstation)?;
    node.switch_to(bundle)?;
    Ok(node)
}

/// Sends events to the broker; those that it did not take.
fn send(node: &Machine, names: &[&str]) -> Result<Vec<String>> {
    let program = node.sh("readlink -f /var/lib/voevent/derived/*-comet")? + "/bin/comet-sendvo";
    let mut refused = Vec::new();
    for &name in names {
        let event = include_str!("test-event.xml").replace("#story", &format!("#{name}"));
        let event = event.replace("role=\"test\"", "role=\"observation\"");
        let sent = node.call([program.as_str(), "-h", "127.0.0.1", "-f", "-"])?.stdin(event).output()?;
        if !sent.success() {
            refused.push(name.to_owned());
        }
    }
    Ok(refused)
}

fn save(node: &Machine) -> Result<()> {
    let done = node.call(["systemctl", "start", "voevent-backup"])?.timeout(LONG).output()?;
    done.checked().map(drop).map_err(|failure| {
        let journal = node.sh("journalctl --no-pager -u voevent-backup | tail -30");
        Failure::new(format!("{failure}\n{}", journal.unwrap_or_default()))
    })
}

fn host(debian: Suite) -> Result<String> {
    let host = example()?.replace("modules = [\"comet\"]", "modules = [\"comet\", \"archive\", \"backup\"]")
        + BACKUP;
    Ok(match debian {
        Suite::Bookworm => host,
        Suite::Trixie => host.replace("debian-12", "debian-13").replace("\"3.11\"", "\"3.13\""),
    })
}

fn an_empty_host_gets_all_back(debian: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let host = host(debian)?;
    let keeper = match debian {
        Suite::Bookworm => None,
        Suite::Trixie => Some(Store::new(&lab)?),
    };
    let settings = keeper.as_ref().map_or("", |keeper| keeper.settings.as_str());
    let bundle = workstation.build(&host.replace("read_data", &format!("{settings}read_data")))?;
    let first = node(&lab, &workstation, "first", keeper.as_ref(), (debian, &bundle))?;
    assert_eq!(send(&first, &["a", "b"])?, Vec::<String>::new());
    first.sh(
        "cd /home/voeventserve/working_dir; mkdir -p files/deep; echo one > files/deep/one; echo two > files/two
         python3 -c 'import sqlite3; d = sqlite3.connect(\"index.db\"); d.execute(\"create table t (x)\"); \
         d.execute(\"insert into t values (42)\"); d.commit()'
         chown -R voeventserve:voevent files index.db; chmod 0640 index.db",
    )?;
    first.sh(&format!("{ARCHIVE} verify; {ARCHIVE} list"))?;
    // Twice: the first makes the repository. Events come meanwhile.
    save(&first)?;
    assert_eq!(send(&first, &["c"])?, Vec::<String>::new());
    first.wait(LONG, || Ok(first.sh(&format!("{ARCHIVE} list"))?.contains("#c")))?;
    save(&first)?;
    first.sh("test -e /var/lib/voevent-backup/good; grep -q '^voevent_backup_timestamp' /var/lib/voevent-backup/metrics.prom")?;
    for unit in ["voevent-backup.service", "voevent-backup-fetch@latest.service"] {
        let said = first.sh(&format!("systemd-analyze security --no-pager {unit} | tail -1"))?;
        let score = said.split_whitespace().find_map(|word| word.parse::<f32>().ok());
        assert!(score.is_some_and(|score| score <= EXPOSURE), "{unit}: {said}");
    }
    assert!(!first.sh("journalctl --no-pager")?.contains("a-planted-secret"));
    a_damaged_stream_is_told(&first)?;

    // Another host, of the same bundle, with nothing but the repository.
    let second = node(&lab, &workstation, "second", keeper.as_ref(), (debian, &bundle))?;
    if keeper.is_none() {
        let saved = lab.dir().join("saved.tar");
        let tar = first.call(["tar", "-C", "/var/backups/voevent", "-cf", "-", "."])?.bytes()?;
        std::fs::write(&saved, tar).explain(|| "keep the repository".to_owned())?;
        second.put(&saved, "/root/saved.tar")?;
        second.sh("tar -C /var/backups/voevent -xf /root/saved.tar; chown -R voeventbackup:voevent /var/backups/voevent")?;
    }
    second.sh(
        "cd /home/voeventserve/working_dir; install -d -o voeventserve -g voevent files; echo mine > files/two
         chown voeventserve:voevent files/two",
    )?;
    // An event that is not in the copy stays, and is in the index of the copy soon.
    assert_eq!(send(&second, &["new"])?, Vec::<String>::new());
    second.wait(LONG, || Ok(second.sh(&format!("{ARCHIVE} list"))?.contains("#new")))?;
    second.sh("find /var/lib/voevent-archive/events/2* -name '*.xml' -exec touch -d '-5min' {} +")?;
    restored(&second)?;
    let listed = || Ok(second.sh(&format!("{ARCHIVE} list --source found"))?.contains("#new"));
    second.wait(LONG, listed)?;
    second.sh(&format!("{ARCHIVE} verify >&2"))?;
    keeper.map_or(Ok(()), |keeper| keeper.has_another_key(&second))
}

/// A host far away, which keeps copies for whoever has the key: sshd's own, by sftp.
struct Store {
    machine: Machine,
    settings: String,
    key: String,
}

impl Store {
    fn new(lab: &Lab) -> Result<Self> {
        let machine = lab.boot("store")?;
        let key = machine.sh(
            "useradd -m keeper; install -d -o keeper /srv/backups; install -d -o keeper -m 700 /home/keeper/.ssh
             ssh-keygen -q -t ed25519 -N '' -f /root/key; install -o keeper -m 600 /root/key.pub /home/keeper/.ssh/authorized_keys
             cat /root/key",
        )?;
        let known = machine.sh("cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub")?;
        let address = machine.address();
        let settings = AFAR.replace("ADDRESS", &address).replace("KEY", &known);
        Ok(Self { machine, settings, key: key + "\n" })
    }

    /// Another host has the address, or says so: it gets nothing, not even where the node's own files know its key.
    fn has_another_key(&self, node: &Machine) -> Result<()> {
        let key = self
            .machine
            .sh("rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
             systemctl restart ssh; cat /etc/ssh/ssh_host_ed25519_key.pub")?;
        node.write_file("/etc/ssh/ssh_known_hosts", format!("{} {key}\n", self.machine.address()))?;
        let failed = node.call(["systemctl", "start", "voevent-backup"])?.timeout(LONG).output()?;
        assert!(!failed.success());
        node.logs("-u voevent-backup", "REMOTE HOST IDENTIFICATION HAS CHANGED")?;
        assert!(!node.sh("journalctl --no-pager")?.contains("BEGIN OPENSSH"));
        Ok(())
    }
}

/// What cannot be read is told, and all the rest is saved.
fn a_damaged_stream_is_told(node: &Machine) -> Result<()> {
    node.sh(
        "rm /var/lib/voevent-backup/good; cd /home/voeventserve/working_dir/db
         head -c 5000 /dev/urandom > _broken.db; cp _broken.db _broken; chown voeventserve:voevent _broken*",
    )?;
    let failed = node.call(["systemctl", "start", "voevent-backup"])?.timeout(LONG).output()?;
    assert!(!failed.success());
    node.logs("-u voevent-backup", "comet: `/home/voeventserve/working_dir/db/_broken` cannot be copied")?;
    node.sh("test ! -e /var/lib/voevent-backup/good")?;
    node.sh("rm /home/voeventserve/working_dir/db/_broken*").map(drop)
}

fn restored(node: &Machine) -> Result<()> {
    let done = node.call([RESTORE])?.timeout(LONG).output()?;
    if !done.success() {
        let journal = node.sh("journalctl --no-pager | grep -v systemd | tail -30")?;
        return Err(Failure::new(format!("{done:?}\n{journal}")));
    }
    assert!(node.greets(8099)?, "the broker is up again");
    assert_eq!(send(node, &["a", "b", "c"])?, ["a", "b", "c"], "they are known");
    let known = "journalctl -q -u comet | grep -c 'Previously seen by this broker' || true";
    node.wait(LONG, || Ok(node.sh(known)? == "3"))?;
    assert_eq!(send(node, &["e"])?, Vec::<String>::new());
    assert_eq!(
        node.sh(
            "cd /home/voeventserve/working_dir; cat files/deep/one files/two; stat -c '%U:%G' files/deep/one index.db
             python3 -c 'import sqlite3; print(sqlite3.connect(\"index.db\").execute(\"select x from t\").fetchone())'
             cat /var/lib/voevent-before/*/files/two"
        )?,
        "one\ntwo\nvoeventserve:voevent\nvoeventserve:voevent\n(42,)\nmine"
    );
    for name in ["a", "b", "c", "e"] {
        let listed = || Ok(node.sh(&format!("{ARCHIVE} list"))?.contains(&format!("#{name}")));
        node.wait(LONG, listed)?;
    }
    // A copy that there is none of: nothing is stopped.
    let process = node.show("comet", "MainPID")?;
    assert!(!node.call([RESTORE, "abcdef12"])?.timeout(LONG).output()?.success());
    assert_eq!(node.show("comet", "MainPID")?, process);
    Ok(())
}
