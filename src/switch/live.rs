//! Links for people to what is live: `live/venvs/comet`, `live/scripts/comet-run`, `live/files/broker.json`.
//!
//! They are made with each generation, in its own folder, and `/var/lib/voevent/live` leads there through `current`: one
//! rename changes them with all else, on the way back too.

#![expect(clippy::disallowed_methods, reason = "the door to links for people")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use crate::base::io::{IoError, OnPath as _};
use crate::store::disk::Store;
use crate::store::manifest::{ManagedPath, Manifest};
use crate::store::object::ObjectName;
use crate::switch::state::sync;

/// The link in the activator's folder that leads to those of the live generation, and its target.
pub const LINK: (&str, &str) = ("live", "current/live");

/// The folders of links: by name, what each leads to below the activator's folder.
type Links = BTreeMap<&'static str, BTreeMap<String, String>>;

/// Makes the links of a generation in its folder, which is `generations/<n>` or will be.
///
/// # Errors
/// Where the system says no.
pub fn make(generation: &Path, manifest: &Manifest, store: &Store) -> Result<(), IoError> {
    let live = generation.join(LINK.0);
    make_folder(&live)?;
    for (folder, links) in links(manifest, |object| is_program(&store.path(object))) {
        let folder = live.join(folder);
        make_folder(&folder)?;
        for (name, to) in links {
            symlink(format!("../../../../{to}"), folder.join(name)).on("make link", &folder)?;
        }
        sync(&folder)?;
    }
    sync(&live)
}

fn make_folder(path: &Path) -> Result<(), IoError> {
    DirBuilder::new().mode(0o755).create(path).on("make folder", path)
}

fn is_program(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

/// Venvs, and scripts and files that lie nowhere else. Two of one name, as instances have, keep the names of their objects.
fn links(manifest: &Manifest, is_program: impl Fn(&ObjectName) -> bool) -> Links {
    let Manifest { paths, units, drop_ins, venvs, secrets, .. } = manifest;
    let elsewhere: BTreeSet<&ObjectName> = (paths.iter().filter_map(ManagedPath::object))
        .chain(units.iter().map(|unit| &unit.object))
        .chain(drop_ins.iter().map(|drop_in| &drop_in.object))
        .chain(venvs.iter().flat_map(|venv| [&venv.object, &venv.lock]))
        .chain(secrets.iter().filter_map(|secret| secret.object.as_ref()))
        .collect();
    let objects =
        || manifest.objects.iter().map(|object| &object.name).filter(|name| !elsewhere.contains(name));
    let mut labels: BTreeMap<&str, usize> = BTreeMap::new();
    objects().for_each(|object| *labels.entry(object.label()).or_default() += 1);

    let mut links = Links::new();
    for venv in venvs {
        let to = format!("derived/{}", venv.object);
        links.entry("venvs").or_default().insert(venv.name.to_string(), to);
    }
    for object in objects() {
        let folder = if is_program(object) { "scripts" } else { "files" };
        let name = if labels[object.label()] == 1 { object.label() } else { object.as_str() };
        links.entry(folder).or_default().insert(name.to_owned(), format!("store/{object}"));
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::{HostName, Label};
    use crate::store::manifest::{ClosureObject, Target, Venv};
    use crate::store::object::{File, Object};
    use crate::switch::state::{Pointer, State};

    fn object(exec: bool, content: &str, label: &str) -> (Label, Object) {
        (Label::new(label).unwrap(), Object::File(File { exec, content: content.into() }))
    }

    #[test]
    fn people_find_what_is_live() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::below(dir.path());
        state.prepare().unwrap();
        let target = Target { arch: "x86_64".into(), python: "3.11".into(), system: "debian-12".into() };
        let mut manifest = Manifest::empty(HostName::new("node1").unwrap(), target);
        let store = state.store();
        let mut batch = store.batch().unwrap();
        for (label, object) in [
            object(false, "lock", "comet.lock"),
            object(true, "run", "run"),
            object(true, "first", "twice"),
            object(true, "second", "twice"),
            object(false, "data", "data.json"),
        ] {
            let digest = object.digest();
            let name = digest.name(&label);
            batch.add(&name, &object).unwrap();
            manifest.objects.push(ClosureObject { name, digest, size: 1 });
        }
        batch.finish().unwrap();
        let names: Vec<ObjectName> = manifest.objects.iter().map(|object| object.name.clone()).collect();
        let venv = names[0].clone();
        std::fs::create_dir(state.derived().join(venv.as_str())).unwrap();
        let name = Label::new("comet").unwrap();
        manifest.venvs.push(Venv {
            name,
            object: venv.clone(),
            lock: venv,
            imports: Vec::new(),
            builds: Vec::new(),
        });

        std::fs::create_dir(state.dir().join("generations/7")).unwrap();
        make(&state.dir().join("generations/7"), &manifest, &store).unwrap();
        state.set_link(LINK.0, Some(LINK.1)).unwrap();
        state.point(Pointer::Current, Some(7)).unwrap();
        let live = state.dir().join("live");
        assert_eq!(std::fs::read_to_string(live.join("scripts/run")).unwrap(), "run");
        assert_eq!(std::fs::read_to_string(live.join("files/data.json")).unwrap(), "data");
        assert!(live.join("venvs/comet").is_dir());
        let listed = |folder: &str| std::fs::read_dir(live.join(folder)).unwrap().count();
        assert_eq!((listed("scripts"), listed("files"), listed("venvs")), (3, 1, 1));
        assert_eq!(std::fs::read_to_string(live.join("scripts").join(names[3].as_str())).unwrap(), "second");
    }
}
