//! Venvs of hosts made by hand, with locks of no packages.

#![expect(clippy::disallowed_methods, reason = "a test")]

use std::fs;

use super::*;
use crate::base::name::HostName;
use crate::build::config::tree::Placed;
use crate::build::lock::LockInputs;
use crate::build::samples::{artifact, label, of, place, rendered, shown, venv};

/// A folder for locks, notes and objects, and the host of all tests.
struct World {
    dir: tempfile::TempDir,
    folders: Folders,
    cache: Cache,
    store: Store,
    host: Host,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folders = Folders { locks: dir.path().join("locks"), tools: dir.path().join("tools") };
        let (cache, store) = (Cache::new(dir.path().join("cache")), Store::new(dir.path().join("store")));
        let Rendered { target, .. } = rendered(Vec::new());
        let text = |key: &'static str, value: &str| {
            let line = format!("{key} = \"{value}\"");
            (key, Placed { value: value.to_owned(), place: place("hosts/h.toml", &line) })
        };
        let texts =
            [text("system", &target.system), text("arch", &target.arch), text("python", &target.python)];
        let host = Host {
            name: HostName::new("h").unwrap(),
            target,
            texts: texts.into(),
            histories: BTreeMap::new(),
            adopt: Vec::new(),
            modules: Vec::new(),
        };
        fs::create_dir(&folders.locks).unwrap();
        Self { dir, folders, cache, store, host }
    }

    fn workshop(&self) -> Workshop<'_> {
        let Self { folders, cache, store, host, .. } = self;
        Workshop { folders, cache, store, path: Path::new("hosts/h.toml"), host }
    }

    /// Writes a lock without packages, of these inputs.
    fn lock(&self, request: &LockRequest, change: impl FnOnce(&mut LockInputs)) -> PathBuf {
        let mut inputs = request.inputs().unwrap();
        change(&mut inputs);
        let path = self.folders.locks.join(inputs.file_name(&request.venv));
        fs::write(&path, Pylock { inputs, packages: Vec::new(), sources: Vec::new() }.text()).unwrap();
        path
    }

    fn lay_out(&self, artifacts: Vec<Artifact>) -> Result<Laid, Vec<Diagnostic>> {
        let rendered = rendered(artifacts);
        let places: Vec<VenvPlace> =
            venvs(&rendered).map(|(artifact, venv)| requirements(artifact, venv)).collect();
        self.workshop().lay_out(&rendered, &places, &mut |line| panic!("{line}"))
    }

    fn refused(&self, artifacts: Vec<Artifact>) -> String {
        let said = shown(&self.lay_out(artifacts).unwrap_err());
        said.replace(self.dir.path().to_str().unwrap(), "[DIR]")
    }
}

fn requirements(artifact: &Artifact, venv: &VenvArtifact) -> VenvPlace {
    let line = format!("requirements = {:?}", venv.requirements);
    VenvPlace {
        module: artifact.module.clone(),
        name: venv.name.to_string(),
        requirements: place(&artifact.place.source.name, &line),
        options: Vec::new(),
    }
}

fn asked(name: &str) -> LockRequest {
    let Rendered { target, .. } = rendered(Vec::new());
    LockRequest {
        venv: label(name),
        requirements: vec![format!("{name}==1")],
        target,
        source: None,
        build_on_target: Vec::new(),
    }
}

#[test]
fn a_layout_is_remembered() {
    let world = World::new();
    let path = world.lock(&asked("a"), |_| {});
    let first = world.lay_out(vec![artifact(venv("a"))]).unwrap();
    assert_eq!(first.locks.iter().map(|(read, _)| read).collect::<Vec<_>>(), [&path]);
    let laid = &first.venvs[&label("a")];
    let tree = laid.tree.clone().unwrap();
    assert!(tree.get("pyvenv.cfg").is_some() && laid.lock.contains("a==1"));
    // Not from the notes alone: its object must be there too.
    assert!(world.lay_out(vec![artifact(venv("a"))]).unwrap().venvs[&label("a")].tree.is_some());
    let mut batch = world.store.batch().unwrap();
    batch.add(&laid.digest.name(&label("a")), &crate::store::object::Object::Tree(tree)).unwrap();
    batch.finish().unwrap();
    let again = world.lay_out(vec![artifact(venv("a"))]).unwrap();
    let again = &again.venvs[&label("a")];
    assert_eq!((again.digest, again.size, again.tree.is_none()), (laid.digest, laid.size, true));
}

#[test]
fn all_venvs_without_a_lock_are_named() {
    let world = World::new();
    world.lock(&asked("b"), |_| {});
    insta::assert_snapshot!(world.refused(vec![artifact(venv("a")), artifact(venv("b")), artifact(venv("c"))]), @r#"
    error: venv `a` has no lock
     --> modules/m/module.toml:1:1
      |
    1 | requirements = ["a==1"]
      | ^^^^^^^^^^^^^^^^^^^^^^^ its requirements
      |
      = help: run `voevent-build lock hosts/h.toml`

    error: venv `c` has no lock
     --> modules/m/module.toml:1:1
      |
    1 | requirements = ["c==1"]
      | ^^^^^^^^^^^^^^^^^^^^^^^ its requirements
      |
      = help: run `voevent-build lock hosts/h.toml`
    "#);
}

#[test]
fn a_stale_lock_points_at_what_changed() {
    let world = World::new();
    world.lock(&asked("a"), |inputs| inputs.python.minor = 9);
    insta::assert_snapshot!(world.refused(vec![artifact(venv("a"))]), @r#"
    error: the lock of venv `a` is stale: python `3.9` is now `3.11`
     --> hosts/h.toml:1:1
      |
    1 | python = "3.11"
      | ^^^^^^^^^^^^^^^ changed here
      |
     ::: modules/m/module.toml:1:1
      |
    1 | requirements = ["a==1"]
      | ----------------------- its requirements
      |
      = help: run `voevent-build lock hosts/h.toml`
      = help: `[DIR]/locks/pylock.a-4cdbfe0c.toml` is the lock of the inputs before
    "#);
    let world = World::new();
    world.lock(&asked("a"), |inputs| inputs.requirements = vec!["a==0".to_owned()]);
    insta::assert_snapshot!(world.refused(vec![artifact(venv("a"))]), @r#"
    error: the lock of venv `a` is stale: requirement `a==0` is now `a==1`
     --> modules/m/module.toml:1:1
      |
    1 | requirements = ["a==1"]
      | ^^^^^^^^^^^^^^^^^^^^^^^ its requirements
      |
      = help: run `voevent-build lock hosts/h.toml`
      = help: `[DIR]/locks/pylock.a-9cb399b4.toml` is the lock of the inputs before
    "#);
}

#[test]
fn a_damaged_lock_shows_its_lines() {
    let world = World::new();
    let path = world.lock(&asked("a"), |_| {});
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("lock-version = \"1.0\"", "lock-version = \"2.0\"", 1)).unwrap();
    insta::assert_snapshot!(world.refused(vec![artifact(venv("a"))]), @r#"
    error: the lock `[DIR]/locks/pylock.a-b901a2ca.toml` is damaged
     --> [DIR]/locks/pylock.a-b901a2ca.toml:2:1
      |
    2 | lock-version = "2.0"
      | ^^^^^^^^^^^^^^^^^^^^ `lock-version` must be `1.0`
      |
     ::: modules/m/module.toml:1:1
      |
    1 | requirements = ["a==1"]
      | ----------------------- its requirements
      |
      = help: take the file from version control again, or remove it and lock again
    "#);
    fs::write(&path, b"\xff").unwrap();
    insta::assert_snapshot!(world.refused(vec![artifact(venv("a"))]), @r#"
    error: the lock `[DIR]/locks/pylock.a-b901a2ca.toml` is damaged
     --> [DIR]/locks/pylock.a-b901a2ca.toml:1:1
      |
    1 |
      | ^ it is no UTF-8
      |
     ::: modules/m/module.toml:1:1
      |
    1 | requirements = ["a==1"]
      | ----------------------- its requirements
      |
      = help: take the file from version control again, or remove it and lock again
    "#);
}

#[test]
fn a_name_has_one_venv() {
    let world = World::new();
    insta::assert_snapshot!(world.refused(vec![of("m", venv("a")), of("n", venv("a"))]), @r#"
    error: two venvs `a`, of modules `m` and `n`
     --> modules/n/module.toml:1:1
      |
    1 | requirements = ["a==1"]
      | ^^^^^^^^^^^^^^^^^^^^^^^ the second
      |
     ::: modules/m/module.toml:1:1
      |
    1 | requirements = ["a==1"]
      | ----------------------- the first
      |
      = help: give one of them another `name`
    "#);
}

#[test]
fn instances_of_a_module_share_a_venv() {
    let world = World::new();
    world.lock(&asked("a"), |_| {});
    let laid = world.lay_out(vec![of("m", venv("a")), of("m:two", venv("a"))]).unwrap();
    assert_eq!((laid.venvs.len(), laid.locks.len()), (1, 1));
    let other = VenvArtifact {
        name: label("a"),
        requirements: vec!["a==2".to_owned()],
        imports: Vec::new(),
        source: None,
        build_on_target: Vec::new(),
    };
    insta::assert_snapshot!(world.refused(vec![of("m", venv("a")), of("m:two", What::Venv(other))]), @r#"
    error: venv `a` is one for `m` and `m:two`, and they ask for different packages
     --> modules/m/module.toml:1:1
      |
    1 | requirements = ["a==1"]
      | ^^^^^^^^^^^^^^^^^^^^^^^ its requirements
      |
     ::: modules/m/module.toml:1:1
      |
    1 | requirements = ["a==2"]
      | ----------------------- its requirements
      |
      = help: give both the same requirements, or write `{{ instance.suffix }}` in the venv's name
    "#);
}

#[test]
fn requirements_that_are_none() {
    let world = World::new();
    let bad = VenvArtifact {
        name: label("a"),
        requirements: vec!["./a".to_owned()],
        imports: Vec::new(),
        source: None,
        build_on_target: Vec::new(),
    };
    insta::assert_snapshot!(world.refused(vec![artifact(What::Venv(bad))]), @r#"
    error: requirement `./a` must begin with the name of a package
     --> modules/m/module.toml:1:1
      |
    1 | requirements = ["./a"]
      | ^^^^^^^^^^^^^^^^^^^^^^ its requirements
      |
      = help: write it as a package and its versions, as `comet==3.1.0`
    "#);
}
