//! Where on a target a host may put files and folders.

use crate::base::layout;
use crate::base::path::TargetPath;

/// Files of `/etc` that decide who may log in or become root, and those that the compiler writes itself.
const NOT_OURS: [&str; 19] = [
    "/etc/passwd",
    "/etc/passwd-",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/group",
    "/etc/group-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/sudoers",
    "/etc/subuid",
    "/etc/subgid",
    "/etc/fstab",
    "/etc/crypttab",
    "/etc/machine-id",
    "/etc/os-release",
    "/etc/ld.so.preload",
    "/etc/ld.so.cache",
    layout::SYSUSERS,
    layout::TMPFILES,
];

/// Folders of `/etc` that are systemd's: units have a table of their own.
const SYSTEMD: [&str; 4] = [
    "/etc/systemd/system",
    "/etc/systemd/system-generators",
    "/etc/systemd/user",
    "/etc/systemd/user-generators",
];

/// Folders that are the system's as a whole, or that everybody may write to.
const WHOLE: [&str; 18] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/boot",
    "/efi",
    "/dev",
    "/proc",
    "/sys",
    "/root",
    "/tmp",
    "/var/tmp",
    "/var/lib/systemd",
    layout::STATE,
    layout::SECRETS,
];

/// Folders that are the system's, but not all that lies in them.
const SYSTEM: [&str; 17] = [
    "/etc",
    "/run",
    "/home",
    "/var",
    "/var/lib",
    "/var/log",
    "/var/cache",
    "/var/spool",
    "/var/mail",
    "/srv",
    "/opt",
    "/mnt",
    "/media",
    "/etc/systemd",
    "/etc/ssh",
    "/etc/pam.d",
    "/etc/sudoers.d",
];

/// Why no file may be placed at a path, and what to do, where none may.
#[must_use]
pub fn no_file(path: &TargetPath) -> Option<(&'static str, &'static str)> {
    if !path.is_below("/etc") || path.as_str() == "/etc" {
        return Some((
            "it is not below `/etc`",
            "leave `path` out, and name the file by `file(\"x\")` where it is read or run",
        ));
    }
    if SYSTEMD.iter().any(|folder| path.is_below(folder)) {
        return Some(("units are not files", "write a `[[unit]]`"));
    }
    let taken = NOT_OURS.contains(&path.as_str()) || SYSTEM.contains(&path.as_str());
    taken.then_some(("the system keeps it itself", "choose another path"))
}

/// Why no link straight to somewhere may be placed at a path, and what to do, where none may.
#[must_use]
pub fn no_link(path: &TargetPath) -> Option<(&'static str, &'static str)> {
    if path.is_below("/etc/sudoers.d") {
        return Some(("sudo takes no links", "write a `[[file]]`, which is a copy there"));
    }
    if !path.is_below("/etc") {
        return Some(("it is not below `/etc`", "choose another path"));
    }
    no_file(path)
}

/// Why no folder may be made at a path, and what to do, where none may.
#[must_use]
pub fn no_directory(path: &TargetPath) -> Option<(&'static str, &'static str)> {
    let inside = WHOLE.iter().chain(&SYSTEMD).any(|folder| path.is_below(folder));
    let parents = WHOLE.iter().chain(&SYSTEM).chain(&SYSTEMD).chain(&NOT_OURS);
    let above = |known: &str| TargetPath::new(known).is_ok_and(|known| known.is_below(path.as_str()));
    let taken = inside || parents.into_iter().any(|known| above(known));
    taken.then_some(("it is the system's", "choose a path below `/srv`, `/home`, `/var/lib` or `/etc`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_below_etc_and_leave_the_system_alone() {
        for (path, good) in [
            ("/etc/voevent/keys/ann", true),
            ("/etc/systemd/timesyncd.conf.d/voevent.conf", true),
            ("/etc/localtime", true),
            ("/etc", false),
            ("/etcetera/x", false),
            ("/usr/lib/x", false),
            ("/etc/shadow", false),
            ("/etc/sudoers", false),
            ("/etc/systemd/system/x.service", false),
            ("/etc/sysusers.d/voevent.conf", false),
        ] {
            assert_eq!(no_file(&TargetPath::new(path).unwrap()).is_none(), good, "{path}");
        }
    }

    #[test]
    fn folders_are_not_the_systems() {
        for (path, good) in [
            ("/home/voeventserve", true),
            ("/var/lib/voevent-queue/x", true),
            ("/srv/data", true),
            ("/etc/voevent", true),
            ("/run/voevent-queue", true),
            ("/run/voevent", false),
            ("/run/voevent/secrets/x", false),
            ("/home", false),
            ("/var", false),
            ("/var/lib", false),
            ("/var/lib/voevent", false),
            ("/var/lib/voevent/store", false),
            ("/usr/local/x", false),
            ("/root/x", false),
            ("/tmp/x", false),
            ("/proc/x", false),
            ("/etc/systemd/system/x.d", false),
        ] {
            assert_eq!(no_directory(&TargetPath::new(path).unwrap()).is_none(), good, "{path}");
        }
    }
}
