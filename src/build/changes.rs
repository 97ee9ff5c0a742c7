//! What changed between two bundles of a host, in a line each.

use std::collections::BTreeMap;

use crate::store::manifest::Manifest;

/// Lines such as `changed unit comet.service`, by kind, then name; none where the bundles are the same.
#[must_use]
pub fn changes(old: &Manifest, new: &Manifest) -> Vec<String> {
    let (old, new) = (parts(old), parts(new));
    let mut lines = Vec::new();
    for (part, content) in &new {
        match old.get(part) {
            None => lines.push(format!("new {part}")),
            Some(before) if before != content => lines.push(format!("changed {part}")),
            Some(_) => {}
        }
    }
    lines.extend(old.keys().filter(|part| !new.contains_key(*part)).map(|part| format!("removed {part}")));
    lines
}

/// What a bundle has, by kind and name, each with all that matters of it.
fn parts(manifest: &Manifest) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::new();
    let mut add = |kind: &str, name: &dyn ToString, content: &dyn std::fmt::Debug| {
        parts.insert(format!("{kind} {}", name.to_string()), format!("{content:?}"));
    };
    let target = &manifest.target;
    add("target", &format!("{}, {}, python {}", target.system, target.arch, target.python), &());
    manifest.packages.iter().for_each(|package| add("package", package, &()));
    manifest.paths.iter().for_each(|path| add("file", &path.path, path));
    manifest.units.iter().for_each(|unit| add("unit", &unit.name, unit));
    for drop_in in &manifest.drop_ins {
        add("drop-in", &format!("{}.d/{}", drop_in.unit, drop_in.name), drop_in);
    }
    manifest.groups.iter().for_each(|group| add("group", &group.name, group));
    manifest.users.iter().for_each(|user| add("user", &user.name, user));
    manifest.directories.iter().for_each(|directory| add("directory", &directory.path, directory));
    manifest.venvs.iter().for_each(|venv| add("venv", &venv.name, venv));
    for secret in &manifest.secrets {
        add("secret", &format!("{} of {}", secret.name, secret.unit), secret);
    }
    manifest.checks.iter().for_each(|check| add("check", &check.name, check));
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::build::artifact::{Artifact, FileArtifact, What};
    use crate::build::samples::{artifact, directory, drop_in, file, rendered, unit, user, user_name};
    use crate::build::seal::seal;

    fn manifest(whats: Vec<What>) -> Manifest {
        let artifacts: Vec<Artifact> = whats.into_iter().map(artifact).collect();
        seal(&rendered(artifacts), &BTreeMap::new()).unwrap().bundle.manifest
    }

    #[test]
    fn a_line_for_each_thing() {
        let service = |name, text| What::Unit(unit(name, text));
        let group = || What::Group { name: user_name("g") };
        let one =
            || vec![service("a.service", "[Service]\nExecStart=/x\n"), What::File(file("/etc/x", b"1"))];
        let with = |more: Vec<What>| one().into_iter().chain(more).collect::<Vec<_>>();
        let cases: [(Vec<What>, Vec<What>, &[&str]); 8] = [
            (one(), one(), &[]),
            (one(), vec![], &["removed file /etc/x", "removed unit a.service"]),
            (vec![], one(), &["new file /etc/x", "new unit a.service"]),
            (
                one(),
                with(vec![drop_in("a.service", "x.conf", "[Service]\nNice=2\n")]),
                &["new drop-in a.service.d/x.conf", "changed unit a.service"],
            ),
            (
                vec![What::File(file("/etc/x", b"1"))],
                vec![What::File(FileArtifact { mode: Some(0o600), ..file("/etc/x", b"1") })],
                &["changed file /etc/x"],
            ),
            (
                vec![service("a.target", "[Unit]\nDescription=a\n")],
                vec![service("a.target", "[Unit]\nDescription=b\n")],
                &["changed unit a.target"],
            ),
            (
                vec![],
                vec![group(), user("u", "g"), directory("/home/u", "u", "g")],
                &[
                    "new directory /home/u",
                    "new file /etc/sysusers.d/voevent.conf",
                    "new file /etc/tmpfiles.d/voevent.conf",
                    "new group g",
                    "new user u",
                ],
            ),
            (
                vec![directory("/srv/a", "root", "root")],
                vec![directory("/srv/b", "root", "root")],
                &[
                    "new directory /srv/b",
                    "changed file /etc/tmpfiles.d/voevent.conf",
                    "removed directory /srv/a",
                ],
            ),
        ];
        for (old, new, expected) in cases {
            assert_eq!(changes(&manifest(old), &manifest(new)), expected);
        }
    }

    #[test]
    fn another_target_is_a_change() {
        let old = manifest(vec![]);
        let mut new = old.clone();
        new.target.python = "3.13".to_owned();
        assert_eq!(
            changes(&old, &new),
            ["new target debian-12, x86_64, python 3.13", "removed target debian-12, x86_64, python 3.11",]
        );
    }
}
