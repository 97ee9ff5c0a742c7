//! How the files and folders of a host lie in each other: what systemd-tmpfiles would refuse to make, and what somebody
//! who is not root could change.

use std::collections::BTreeMap;

use crate::base::name::UserName;
use crate::base::path::TargetPath;
use crate::base::report::Diagnostic;

use super::artifact::{Artifact, What};

/// A folder of the host.
struct Folder<'a> {
    artifact: &'a Artifact,
    mode: u32,
    owner: &'a UserName,
    group: &'a UserName,
}

/// Checks all paths together.
pub fn check(artifacts: &[Artifact], faults: &mut Vec<Diagnostic>) {
    let mut folders: BTreeMap<&str, Folder<'_>> = BTreeMap::new();
    let mut files: BTreeMap<&str, &Artifact> = BTreeMap::new();
    let mut paths: Vec<(&TargetPath, &Artifact)> = Vec::new();
    for artifact in artifacts {
        let path = match &artifact.what {
            What::Directory { path, mode, owner, group, .. } => {
                folders.insert(path.as_str(), Folder { artifact, mode: *mode, owner, group });
                path
            }
            What::File(file) => {
                let Some(path) = &file.path else { continue };
                files.insert(path.as_str(), artifact);
                path
            }
            What::Link(link) => {
                files.insert(link.path.as_str(), artifact);
                &link.path
            }
            _ => continue,
        };
        paths.push((path, artifact));
    }
    for (path, artifact) in paths {
        faults.extend(in_file(path, artifact, &files));
        let above = path.above().find_map(|above| folders.get_key_value(above));
        match (folders.get(path.as_str()), above) {
            (Some(folder), Some((name, above))) => faults.extend(in_folder((path, folder), (name, above))),
            (None, _) => faults.extend(changed_by(path, artifact, &folders)),
            (Some(_), None) => {}
        }
    }
}

/// A file that is a folder too, or holds another path.
fn in_file(path: &TargetPath, artifact: &Artifact, files: &BTreeMap<&str, &Artifact>) -> Option<Diagnostic> {
    let same = matches!(artifact.what, What::Directory { .. }).then_some(path.as_str());
    let (name, file) = same.into_iter().chain(path.above()).find_map(|name| files.get_key_value(name))?;
    Some(
        Diagnostic::error(format!("`{name}` is a file and a folder at once"))
            .at(artifact.place.clone(), format!("`{path}` makes it a folder"))
            .at(file.place.clone(), "here it is a file")
            .help("give one of them another path"),
    )
}

/// systemd-tmpfiles goes from one folder into another only where root owns the outer one, or both have one owner; and a
/// level that has no entry it makes as root's.
fn in_folder(
    (path, folder): (&TargetPath, &Folder<'_>),
    (name, above): (&str, &Folder<'_>),
) -> Option<Diagnostic> {
    let place = folder.artifact.place.clone();
    if path.parent() != name {
        let message = format!("nobody makes `{}`, which lies between `{name}` and `{path}`", path.parent());
        let help = format!(
            "choose a path right below `{name}`, or have a module make each level by `[[directory]]`"
        );
        return Some(Diagnostic::error(message).at(place, "").help(help));
    }
    if above.owner.as_str() == "root" || above.owner == folder.owner {
        return None;
    }
    let message = format!("`{path}` of `{}` lies in a folder of `{}`", folder.owner, above.owner);
    Some(
        Diagnostic::error(message)
            .at(place, "this")
            .at(above.artifact.place.clone(), format!("makes `{name}`"))
            .help("systemd-tmpfiles makes nothing there: choose a path in a folder of its owner or of root"),
    )
}

/// A managed path is root's alone: no folder that it lies in may be changed by others.
fn changed_by(
    path: &TargetPath,
    artifact: &Artifact,
    folders: &BTreeMap<&str, Folder<'_>>,
) -> Option<Diagnostic> {
    let open = |folder: &Folder<'_>| {
        folder.owner.as_str() != "root"
            || folder.mode & 0o002 != 0
            || (folder.mode & 0o020 != 0 && folder.group.as_str() != "root")
    };
    let (name, folder) = path.above().find_map(|above| folders.get_key_value(above).filter(|f| open(f.1)))?;
    Some(
        Diagnostic::error(format!("`{path}` lies in a folder that others than root can change"))
            .at(artifact.place.clone(), "this file")
            .at(
                folder.artifact.place.clone(),
                format!("makes `{name}`, mode {:04o}, of `{}`", folder.mode, folder.owner),
            )
            .help("they could replace it: place it elsewhere, or give the folder to root"),
    )
}
