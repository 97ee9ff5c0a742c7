//! How managed paths are made, and what must hold between folders and their owners.

use crate::base::path::TargetPath;
use crate::base::report::Diagnostic;
use crate::build::artifact::{Rendered, What};
use crate::store::manifest::{Manifest, Mode};

/// Folders whose files are read before local file systems are mounted, or by programs that refuse links.
const COPIES: [(&str, u32); 6] = [
    ("/etc/sudoers.d", 0o440),
    ("/etc/udev", 0o444),
    ("/etc/modules-load.d", 0o444),
    ("/etc/modprobe.d", 0o444),
    ("/etc/systemd", 0o444),
    ("/etc/initramfs-tools", 0o444),
];

/// The mode of a copy, where a path must be one: its folder asks for it, or the artifact for another mode than an object
/// has. `None` for a link.
#[must_use]
pub fn copy_mode(path: &TargetPath, mode: Option<u32>, exec: bool) -> Option<Mode> {
    let object = if exec { 0o555 } else { 0o444 };
    let folder = COPIES.iter().find(|(folder, _)| path.is_below(folder)).map(|(_, mode)| *mode);
    match (mode, folder) {
        (Some(mode), _) if mode != object => Mode::new(mode),
        (None, Some(mode)) => Mode::new(mode | (object & 0o111)),
        (Some(mode), Some(_)) => Mode::new(mode),
        (_, None) => None,
    }
}

/// What is wrong between users, groups and folders.
#[must_use]
pub fn judge(manifest: &Manifest, rendered: &Rendered) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for artifact in &rendered.artifacts {
        let known_group =
            |name: &str| name == "root" || manifest.groups.iter().any(|g| g.name.as_str() == name);
        let known_user =
            |name: &str| name == "root" || manifest.users.iter().any(|u| u.name.as_str() == name);
        let mut unknown = |what: &str, name: &str| {
            errors.push(
                Diagnostic::error(format!("{what} `{name}` is not one of this host"))
                    .at(artifact.place.clone(), "needed here")
                    .of(&artifact.module)
                    .help(format!("have a module emit `[[{what}]]` with this name")),
            );
        };
        match &artifact.what {
            What::User(user) if !known_group(user.group.as_str()) => unknown("group", user.group.as_str()),
            What::Directory { owner, group, .. } => {
                if !known_user(owner.as_str()) {
                    unknown("user", owner.as_str());
                }
                if !known_group(group.as_str()) {
                    unknown("group", group.as_str());
                }
            }
            _ => {}
        }
        if let What::Directory { path, .. } = &artifact.what {
            errors.extend(missing_level(path, manifest).map(|level| {
                Diagnostic::error(format!("`{level}` has no `[[directory]]` of its own"))
                    .at(artifact.place.clone(), format!("`{path}` lies in it"))
                    .of(&artifact.module)
                    .help("systemd-tmpfiles makes no folder in a user's home whose parent it did not make: add it")
            }));
        }
    }
    errors
}

/// The first level between a home and a folder in it that is no directory of the bundle.
fn missing_level(path: &TargetPath, manifest: &Manifest) -> Option<String> {
    let user = manifest.users.iter().find(|user| path.is_below(user.home.as_str()))?;
    let mut level = path.parent();
    while level.len() > user.home.as_str().len() {
        if !manifest.directories.iter().any(|directory| directory.path.as_str() == level) {
            return Some(level.to_owned());
        }
        level = level.rsplit_once('/').map_or("", |(up, _)| up);
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::build::samples::{artifact, directory, rendered, user, user_name};
    use crate::build::seal::seal;

    #[test]
    fn copies_are_chosen_by_path_and_mode() {
        let mode =
            |path: &str, mode, exec| copy_mode(&TargetPath::new(path).unwrap(), mode, exec).map(Mode::bits);
        assert_eq!(mode("/etc/motd", None, false), None);
        assert_eq!(mode("/etc/motd", Some(0o444), false), None);
        assert_eq!(mode("/etc/motd", Some(0o600), false), Some(0o600));
        assert_eq!(mode("/etc/sudoers.d/x", None, false), Some(0o440));
        assert_eq!(mode("/etc/systemd/journald.conf.d/x.conf", Some(0o444), false), Some(0o444));
        assert_eq!(mode("/etc/cron.daily/x", Some(0o755), true), Some(0o755));
    }

    #[test]
    fn folders_and_users_hang_together() {
        let group = |name| What::Group { name: user_name(name) };
        let home = |more: Vec<What>| {
            let mut whats = vec![user("u", "g"), group("g"), directory("/home/u", "u", "g")];
            whats.extend(more);
            whats
        };
        let cases: [(Vec<What>, &[&str]); 8] = [
            (home(vec![]), &[]),
            (vec![directory("/srv/x/y", "root", "root")], &[]),
            (vec![directory("/srv/x", "nobody", "root")], &["user `nobody` is not one of this host"]),
            (
                vec![directory("/srv/x", "a", "b")],
                &["user `a` is not one of this host", "group `b` is not one of this host"],
            ),
            (vec![user("u", "h")], &["group `h` is not one of this host"]),
            (home(vec![directory("/home/u/a", "u", "g"), directory("/home/u/a/b", "u", "g")]), &[]),
            (
                home(vec![directory("/home/u/a/b/c", "u", "g")]),
                &["`/home/u/a/b` has no `[[directory]]` of its own"],
            ),
            // Another's home only begins with the same letters.
            (home(vec![directory("/home/user/a", "root", "root")]), &[]),
        ];
        for (whats, expected) in cases {
            let rendered = rendered(whats.into_iter().map(artifact).collect());
            let messages = match seal(&rendered, &BTreeMap::new()) {
                Ok(_) => Vec::new(),
                Err(errors) => errors.into_iter().map(|error| error.message).collect(),
            };
            assert_eq!(messages, expected);
        }
    }
}
