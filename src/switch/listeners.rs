//! Who listens on a TCP port: proc(5)'s `net/tcp`, `fd/` and `cgroup`.
#![expect(clippy::disallowed_methods, reason = "a door: it reads what the kernel says of processes")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::switch::preflight::Listener;

/// The state of a listening socket (`TCP_LISTEN` of the kernel).
const LISTEN: &str = "0A";

/// The processes that listen on these ports, of any address. A port that is held by a process which cannot be seen is
/// there without one. Sockets that systemd holds for a unit are those of PID 1.
#[must_use]
pub fn on(ports: &BTreeSet<u16>) -> Vec<Listener> {
    let mut sockets = BTreeMap::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        // A kernel without IPv6 has no second one.
        let text = fs::read_to_string(table).unwrap_or_default();
        sockets.extend(listening(&text).into_iter().filter(|(_, port)| ports.contains(port)));
    }
    let mut found: Vec<Listener> = Vec::new();
    let mut seen = BTreeSet::new();
    if !sockets.is_empty() {
        for pid in processes() {
            let held = held_by(pid);
            for (inode, port) in sockets.iter().filter(|(inode, _)| held.contains(*inode)) {
                seen.insert(*inode);
                found.push(listener(pid, *port));
            }
        }
    }
    for (_, port) in sockets.iter().filter(|(inode, _)| !seen.contains(*inode)) {
        found.push(Listener { port: *port, pid: None, command: String::new(), unit: None });
    }
    found.sort();
    found.dedup();
    found
}

/// The numbers in `/proc`.
fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The sockets of a process, by inode. One that has ended meanwhile, or that is another user's, shows none.
fn held_by(pid: u32) -> BTreeSet<u64> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let links = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    links
        .filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
        .collect()
}

fn listener(pid: u32, port: u16) -> Listener {
    let command = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    Listener { port, pid: Some(pid), command: command.trim_end().to_owned(), unit: unit(&cgroup) }
}

/// The sockets that listen, by inode, with their ports.
fn listening(table: &str) -> BTreeMap<u64, u16> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let port = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
        (*state == LISTEN).then_some(())?;
        Some((inode.parse().ok()?, port))
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// The unit of a process, from its control groups: of systemd's own hierarchy, or of the one of version 2. Slices nest,
/// and what is below the first unit is its own affair (of a user's manager, of a container).
fn unit(cgroup: &str) -> Option<String> {
    const TYPES: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];
    let path = |mark: &str| cgroup.lines().find_map(|line| line.split_once(':')?.1.strip_prefix(mark));
    let path = path("name=systemd:").filter(|path| *path != "/").or_else(|| path(":"))?;
    let name = path.split('/').find(|part| TYPES.iter().any(|kind| part.ends_with(kind)))?;
    // What a name of the kernel's own would be is marked by systemd.
    Some(name.strip_prefix('_').unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_the_kernel() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 00000000:1FA3 00000000:0000 0A 00000000:00000000 00:00000000 00000000   996        0 4711 1 x 100 0 0 10 0\n   \
            1: 0100007F:1FA2 0100007F:C0DE 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 x 20 4 30 10 -1\n\
            junk\n";
        assert_eq!(listening(table), [(4711, 8099)].into());
    }

    #[test]
    fn units_of_control_groups() {
        let v1 = "12:cpuacct:/x\n1:name=systemd:/system.slice/system-a.slice/a@1.service\n0::/";
        assert_eq!(unit(v1).as_deref(), Some("a@1.service"));
        assert_eq!(unit("0::/system.slice/comet.service").as_deref(), Some("comet.service"));
        let user = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service";
        assert_eq!(unit(user).as_deref(), Some("user@1000.service"));
        assert_eq!(unit("0::/init.scope").as_deref(), Some("init.scope"));
        assert_eq!(unit("0::/user.slice/user-0.slice/session-3.scope").as_deref(), Some("session-3.scope"));
        assert_eq!(unit("0::/system.slice/_cgroup.service").as_deref(), Some("cgroup.service"));
        assert_eq!((unit("0::/"), unit("")), (None, None));
        // Both hierarchies, and systemd's own has the unit.
        assert_eq!(unit("1:name=systemd:/\n0::/system.slice/b.service").as_deref(), Some("b.service"));
    }

    #[test]
    fn our_own_port() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let found = on(&[port].into());
        assert!(found.iter().any(|one| one.pid == Some(std::process::id()) && one.port == port), "{found:?}");
        drop(listener);
        assert_eq!(on(&[port].into()), []);
    }
}
