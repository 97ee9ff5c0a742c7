//! The same inputs give the same bundle, whoever builds it, wherever, and in whatever surroundings.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use crate::driver::{Call, Explain, Failure, Lab, Result};
use crate::node::{Workstation, example};

crate::tests![surroundings_do_not_matter];

/// Somebody who builds, and their surroundings.
struct Builder {
    /// Login and group; both are numbers that nothing on a target has.
    id: u32,
    umask: &'static str,
    /// What the compiler is run by: `taskset` takes processors away.
    runner: &'static str,
    environment: [(&'static str, &'static str); 4],
    /// Whether the project's files were made in the opposite order.
    backwards: bool,
}

const BUILDERS: [Builder; 2] = [
    Builder {
        id: 0,
        umask: "002",
        runner: "exec",
        environment: [
            ("TZ", "Pacific/Kiritimati"),
            ("LANG", "de_DE.UTF-8"),
            ("HOME", "/root"),
            ("COLUMNS", "40"),
        ],
        backwards: false,
    },
    Builder {
        id: 65534,
        umask: "077",
        runner: "exec taskset -c 0",
        environment: [
            ("TZ", "America/St_Johns"),
            ("LC_ALL", "C"),
            ("HOME", "/nonexistent"),
            ("NO_COLOR", "1"),
        ],
        backwards: true,
    },
];

fn surroundings_do_not_matter() -> Result<()> {
    let lab = Lab::new()?;
    // It has all wheels, from now on; and is a third one to compare.
    let workstation = Workstation::new(&lab, "workstation")?;
    let name = workstation.build(&example()?)?;
    let third = contents(&workstation.generated().join("store"))?;
    for builder in BUILDERS {
        let folder = tempfile::tempdir().explain(|| "make a folder".to_owned())?;
        let path = builder.build(folder.path())?;
        assert_eq!(path, format!("generated/store/{name}"), "as user {}", builder.id);
        let built = contents(&folder.path().join("generated/store"))?;
        assert!(built.len() > 1000, "the environment is compared too: {}", built.len());
        for (path, entry) in &built {
            assert_eq!(third.get(path), Some(entry), "`{path}` as user {}", builder.id);
        }
        assert_eq!(third.len(), built.len(), "as user {}", builder.id);
    }
    Ok(())
}

impl Builder {
    /// Builds the example in a project of its own; what was printed.
    fn build(&self, folder: &Path) -> Result<String> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        for part in ["hosts", "modules"] {
            self.copy(&here.join(part), &folder.join(part))?;
        }
        let program = folder.join("voevent-build");
        fs::copy(env!("CARGO_BIN_EXE_voevent-build"), &program).explain(|| "copy the compiler".to_owned())?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
            .explain(|| "open the folder".to_owned())?;
        let id = self.id.to_string();
        Call::here([OsStr::new("chown"), OsStr::new("-R"), format!("{id}:{id}").as_ref(), folder.as_ref()])
            .ok()?;
        let (user, group) = (format!("--reuid={id}"), format!("--regid={id}"));
        let script = format!("umask {}; {} ./voevent-build hosts/node1.toml", self.umask, self.runner);
        let words = ["setpriv", &user, &group, "--clear-groups", "--", "sh", "-c", &script];
        let mut call = Call::here(words).clear_env().env("PATH", "/usr/bin:/bin").current_dir(folder);
        for (key, value) in self.environment {
            call = call.env(key, value);
        }
        call.ok()
    }

    /// Copies a folder, entry by entry.
    fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        let failed = || format!("copy `{}`", from.display());
        fs::create_dir(to).explain(failed)?;
        let entries =
            fs::read_dir(from).and_then(Iterator::collect::<std::io::Result<Vec<_>>>).explain(failed)?;
        let mut names: Vec<_> = entries.iter().map(fs::DirEntry::file_name).collect();
        names.sort();
        if self.backwards {
            names.reverse();
        }
        for name in names {
            let (from, to) = (from.join(&name), to.join(&name));
            if from.is_dir() {
                self.copy(&from, &to)?;
            } else {
                fs::copy(&from, &to).explain(failed)?;
            }
        }
        Ok(())
    }
}

/// Type and mode, time, and bytes or the target of a link.
type Found = (u32, i64, Vec<u8>);

/// What is below a store's folder, by path: type and mode, time, and its bytes or the target of the link. The folders
/// that objects are added to, the store's own and that of shared files, have the mode and time of whoever adds.
fn contents(store: &Path) -> Result<BTreeMap<String, Found>> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(store).min_depth(1) {
        let entry = entry.map_err(|error| Failure::new(error.to_string()))?;
        let path = entry.path();
        let failed = || format!("read `{}`", path.display());
        let metadata = path.symlink_metadata().explain(failed)?;
        let bytes = if metadata.is_symlink() {
            fs::read_link(path).explain(failed)?.into_os_string().into_encoded_bytes()
        } else if metadata.is_file() {
            fs::read(path).explain(failed)?
        } else {
            Vec::new()
        };
        let name = path.strip_prefix(store).unwrap_or(path).display().to_string();
        if name != ".files" {
            found.insert(name, (metadata.mode(), metadata.mtime(), bytes));
        }
    }
    Ok(found)
}
