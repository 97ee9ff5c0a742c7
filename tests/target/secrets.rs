//! Secrets on a node: what a unit loads is found nowhere else, neither in a process nor on the disk, not even in what
//! was deleted from it.

use std::fs;

use crate::driver::{Call, Disk, Explain, Failure, Lab, Machine, Output, Result, Setup, Suite};
use crate::node::{Node, SHIPPED, Workstation};

crate::tests![a_secret_is_where_it_is_loaded_alone, a_secret_for_another_host_is_refused];

const MODULE: &str = r#"
[module]
description = "Something with secrets"

[options.token]
type = "secret"
description = "It comes with the bundle."

[options.placed]
type = "secret"
optional = true
description = "It lies on the target."

[options.port]
type = "port"
optional = true
description = "Where something should listen."

[[unit]]
name = "vault.service"
template = "vault.service.j2"
wanted_by = ["voevent.target"]

[[check]]
name = "vault"
kind = "unit-active"
unit = "vault.service"

[[check]]
name = "nobody"
kind = "tcp"
when = "vault.port is not none"
port = "{{ vault.port }}"
within = "1s"
"#;

/// It shows what it got: the sums, and who can read it.
const UNIT: &str = "[Service]\nDynamicUser=yes\nRuntimeDirectory=vault\nLoadCredential={{ credential(vault.token) }}\n\
    {% if vault.placed is not none %}\nLoadCredential={{ credential(vault.placed) }}\n{% endif %}\n\
    ExecStart=/bin/sh -c 'cd \"$$CREDENTIALS_DIRECTORY\" && sha256sum * >/run/vault/new && mv /run/vault/new /run/vault/sums && exec sleep infinity'\n";

/// A machine, and who builds for it.
struct Site {
    node: Machine,
    workstation: Workstation,
    suite: &'static str,
    key: String,
}

impl Site {
    fn new(lab: &Lab, suite: Suite, disk: Disk) -> Result<Self> {
        let files = [("module.toml", MODULE), ("vault.service.j2", UNIT)];
        let workstation = Workstation::new(lab, "w")?.with_module("vault", &files)?;
        let node = lab.boot_with("node1", Setup { suite, disk, ..Setup::default() })?;
        let key = node.run(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"])?;
        let suite = match suite {
            Suite::Bookworm => "system = \"debian-12\"\npython = \"3.11\"",
            Suite::Trixie => "system = \"debian-13\"\npython = \"3.13\"",
        };
        Ok(Self { node, workstation, suite, key })
    }

    /// The host, for the machine's key or another one.
    fn host(&self, key: &str, settings: &str) -> String {
        let suite = self.suite;
        format!(
            "[host]\n{suite}\narch = \"x86_64\"\nmodules = [\"vault\"]\nssh_host_key = \"{key}\"\n[vault]\n\
             token = {{ age = \"secrets/token.age\" }}\n{settings}"
        )
    }

    /// A bundle whose token is this text, encrypted for that key.
    fn bundle(&self, (key, token): (&str, &str), settings: &str) -> Result<String> {
        let host = self.host(key, settings);
        self.workstation.encrypt("node1", &host, ("secrets/token.age", token))?;
        self.workstation.build(&host)
    }

    /// The sums of what the unit got, by the names of its credentials.
    fn loaded(&self) -> Result<String> {
        self.node.wait(std::time::Duration::from_secs(10), || {
            Ok(self.node.sh("ls /run/vault")?.contains("sums"))
        })?;
        self.node.sh("cat /run/vault/sums | while read sum name; do echo \"$name ${sum:0:8}\"; done")
    }

    /// What is decrypted.
    fn decrypted(&self) -> Result<String> {
        self.node
            .sh("cd /run/voevent/secrets && stat -c '%a %u' . && findmnt -no FSTYPE . && stat -c '%a %u' *; \
             ls -A | wc -l")
    }

    fn switch(&self, bundle: &str, code: i32) -> Result<Output> {
        let output = self.node.switch([format!("{SHIPPED}/store/{bundle}").as_str()])?;
        if output.code() == Some(code) {
            return Ok(output);
        }
        Err(Failure::new(format!("expected {code}: {output:?}")))
    }

    /// Every file and process of the machine in which one of these texts is, but those that are there to have it.
    fn found(&self, secrets: &[&str]) -> Result<String> {
        let search = "
            cat >/dev/shm/patterns
            { grep -rlaF -f /dev/shm/patterns --devices=skip $(ls -d /* | grep -vE '^/(proc|sys)$')
              grep -laF -f /dev/shm/patterns /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null
              journalctl --no-pager -o export | grep -qaF -f /dev/shm/patterns && echo journal
            } | grep -vE '^/(dev/shm/patterns|run/credentials/vault.service/|run/voevent/secrets/|etc/placed$)' | sort
            rm /dev/shm/patterns";
        let search = ["bash", "-c", search];
        self.node.call(search)?.stdin(secrets.join("\n") + "\n").ok()
    }
}

fn sum(text: &str) -> Result<String> {
    let sum = Call::here(["sha256sum"]).stdin(text).ok()?;
    Ok(sum[..8].to_owned())
}

/// A text that nothing else has.
fn fresh() -> Result<String> {
    Call::here(["sh", "-c", "od -An -tx1 -N24 /dev/urandom | tr -d ' \\n'"]).ok()
}

fn a_secret_is_where_it_is_loaded_alone() -> Result<()> {
    let lab = Lab::new()?;
    let mut site = Site::new(&lab, Suite::Bookworm, Disk::Image)?;
    let (first, second, placed) = (fresh()?, fresh()?, fresh()?);
    let all = [first.as_str(), second.as_str(), placed.as_str()];
    let (one, two) = (sum(&first)?, sum(&second)?);
    let both = format!("vault.placed {}\nvault.token {one}", sum(&placed)?);
    let key = site.key.clone();
    let with_placed = "placed = { file = \"/etc/placed\" }\n";
    let bundles = [
        site.bundle((&key, &first), with_placed)?,
        site.bundle((&key, &second), "")?,
        site.bundle((&key, &second), "port = 8998\n")?,
    ];
    site.node.ship(&site.workstation)?;
    site.node.call(["sh", "-c", "umask 077; cat >/etc/placed"])?.stdin(&placed).ok()?;
    // The search finds what is there.
    let leak = fresh()?;
    site.node.write_file("/var/tmp/leak", format!("x{leak}y"))?;
    assert_eq!(site.found(&[&first, &leak])?, "/var/tmp/leak");
    site.node.sh("sync; rm /var/tmp/leak; sync")?;

    site.switch(&bundles[0], 0)?;
    assert_eq!(site.loaded()?, both);
    assert_eq!(site.decrypted()?, "700 0\nramfs\n400 0\n1");
    assert_eq!(site.found(&all)?, "");
    site.node.reboot()?;
    site.node.wait(std::time::Duration::from_secs(20), || Ok(site.loaded()? == both))?;
    assert_eq!(site.decrypted()?, "700 0\nramfs\n400 0\n1");
    // What reverts leaves nothing of it behind.
    let process = site.node.show("vault.service", "MainPID")?;
    site.switch(&bundles[2], 4)?;
    assert_eq!((site.loaded()?, site.decrypted()?.lines().last()), (both.clone(), Some("1")));
    // Another secret is another unit.
    site.switch(&bundles[1], 0)?;
    assert_eq!(site.loaded()?, format!("vault.token {two}"));
    assert!(site.node.show("vault.service", "MainPID")? != process);
    assert_eq!(site.decrypted()?, "700 0\nramfs\n400 0\n1");
    assert_eq!(site.found(&all)?, "");
    // What was lost is decrypted again, by the same bundle and by a rollback.
    site.node.sh("rm /run/voevent/secrets/*")?;
    site.switch(&bundles[1], 0)?;
    assert_eq!(site.decrypted()?.lines().last(), Some("1"));
    site.node.switch(["rollback"])?.checked()?;
    assert_eq!(site.loaded()?, both);
    assert_eq!(site.found(&all)?, "");
    // Nor was it ever on the disk.
    site.node.power_off()?;
    let disk = lab.dir().display().to_string();
    let held = |texts: &[&str]| {
        let words = ["grep", "-rlaF", "-f", "-", disk.as_str()];
        Call::here(words).stdin(texts.join("\n") + "\n").output()
    };
    assert!(held(&[&leak])?.success(), "what was deleted is found");
    let found = held(&[&first, &second])?;
    assert_eq!((found.code(), found.stdout.as_str()), (Some(1), ""), "{found:?}");
    Ok(())
}

fn a_secret_for_another_host_is_refused() -> Result<()> {
    let lab = Lab::new()?;
    let site = Site::new(&lab, Suite::Trixie, Disk::Folder)?;
    let (token, other) = (fresh()?, lab.dir().join("other"));
    let other = other.display().to_string();
    Call::here(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other.as_str()]).ok()?;
    let other = fs::read_to_string(format!("{other}.pub")).explain(|| "read the key".to_owned())?;
    let rsa = site.node.run(["cat", "/etc/ssh/ssh_host_rsa_key.pub"])?;
    let good = site.bundle((&rsa, &token), "")?;
    let wrong = site.bundle((other.trim_end(), &token), "")?;
    site.node.ship(&site.workstation)?;
    site.switch(&good, 0)?;
    assert_eq!(site.loaded()?, format!("vault.token {}", sum(&token)?));
    let state = || {
        site.node.sh("cd /; systemctl show -P MainPID vault.service; ls -A run/voevent/secrets; \
             find etc var/lib/voevent -path var/lib/voevent/store -prune -o -printf '%p %l %s\\n' | sort")
    };
    let before = state()?;
    let output = site.switch(&wrong, 3)?;
    assert!(
        output.stderr.contains("the secret `vault.token` of `vault.service` cannot be decrypted"),
        "{output:?}"
    );
    // It says which key the host file should have.
    let key = site.key.split(' ').nth(1).unwrap_or_default();
    assert!(output.stderr.contains(key), "{output:?}");
    assert_eq!(state()?.replace(&wrong, &good), before.replace(&wrong, &good));
    Ok(())
}
