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
    manifest.checks.iter().for_each(|check| add("check", &check.name, check));
    parts
}
