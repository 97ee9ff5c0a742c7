//! The files around the one that is fuzzed, and the way from them to a bundle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use voevent_node::base::digest::Digest;
use voevent_node::build::artifact::What;
use voevent_node::build::front::{Compiled, compile_from};
use voevent_node::build::module_folders::ModuleFolder;
use voevent_node::build::seal::{LaidVenv, Sealed, seal};
use voevent_node::build::sources::Memory;
use voevent_node::store::bundle::Bundle;
use voevent_node::store::object::ObjectDigest;

use super::laws;

/// The file of the host.
pub(super) const HOST: &str = "hosts/node1.toml";
/// The module with everything.
pub(super) const ALL: &str = include_str!("../seeds/module.toml");

/// A file of the project, by its path.
macro_rules! own {
    ($path:literal) => {
        ($path, include_str!(concat!("../../../", $path)))
    };
}

/// The project's own host and modules, and the module with everything.
const FILES: &[(&str, &str)] = &[
    own!("hosts/node1.toml"),
    ("hosts/site.toml", "[users]\ngroup = \"site\"\n"),
    own!("modules/users/module.toml"),
    own!("modules/users/authorized_keys.j2"),
    own!("modules/users/hardened.j2"),
    own!("modules/users/users-check.sh.j2"),
    own!("modules/comet/module.toml"),
    own!("modules/comet/broker.json.j2"),
    own!("modules/comet/comet-eventdb.service.j2"),
    own!("modules/comet/comet-eventdb.timer.j2"),
    own!("modules/comet/comet-run.sh.j2"),
    own!("modules/comet/comet.service.j2"),
    own!("modules/comet/eventdb.py"),
    own!("modules/comet/launch.py"),
    own!("modules/comet/spools.py"),
    own!("modules/comet/working_dir.j2"),
    ("modules/all/module.toml", ALL),
    ("modules/all/x.json.j2", "{\"a\": {{ all.s }}, \"b\": {{ all.mt }}}\n"),
    ("modules/all/x.toml.j2", "a = {{ all.s }}\nb = {{ all.l }}\n"),
    ("modules/all/x.lines", "{{ all.w }}\n{{ all.i }}\n"),
    ("modules/all/x.sh.j2", "#!/bin/sh\nexec {{ venv('env') }}/bin/python {{ all.s }}\n"),
    ("modules/all/x.service.j2", "[Service]\nExecStart={{ script('run') }} {{ all.p }}\n"),
    ("modules/all/x.conf.j2", "[Service]\nUser={{ all.u }}\n"),
    ("modules/all/each.txt.j2", "{{ each.key }} {{ each.value.r }}\n"),
    ("modules/all/raw", "raw\n"),
];

/// The project with these files in the place of, or beside, its own.
pub(super) fn with(files: &[(&str, &[u8])], others: Vec<(String, &[u8])>) -> Memory {
    let mut tree = BTreeMap::new();
    for (path, text) in FILES {
        tree.insert(PathBuf::from(path), text.as_bytes().to_vec());
    }
    for (path, text) in files {
        tree.insert(PathBuf::from(path), text.to_vec());
    }
    for (path, text) in others {
        tree.insert(path.into(), text.to_vec());
    }
    Memory(tree)
}

/// A host that was taken.
pub(super) struct Taken {
    /// Its artifacts.
    pub(super) compiled: Compiled,
    /// Its bundle.
    pub(super) sealed: Sealed,
}

/// Compiles and seals the host of a tree; what is refused is refused in good form.
pub(super) fn build(tree: &mut Memory) -> Option<Taken> {
    let compiled = match compile_from(tree, Path::new(HOST), &[ModuleFolder::default_at("modules")]) {
        Ok(compiled) => compiled,
        Err(errors) => {
            laws::refused(&errors);
            return None;
        }
    };
    laws::warned(&compiled.warnings);
    let mut venvs = BTreeMap::new();
    for artifact in &compiled.rendered.artifacts {
        if let What::Venv(venv) = &artifact.what {
            let digest = ObjectDigest::Tree(Digest::from_bytes([7; 32]));
            let lock = format!("# {}\n", venv.requirements.len());
            venvs.insert(
                venv.name.clone(),
                LaidVenv { digest, size: 1, tree: None, lock, builds: Vec::new() },
            );
        }
    }
    match seal(&compiled.rendered, &venvs) {
        Ok(sealed) => {
            laws::warned(&sealed.warnings);
            let read = Bundle::read(&sealed.bundle.name, sealed.bundle.manifest.to_toml().as_bytes());
            assert_eq!(read.as_ref(), Ok(&sealed.bundle), "a bundle is read as it was written");
            Some(Taken { compiled, sealed })
        }
        Err(errors) => {
            laws::refused(&compiled.explained(errors));
            None
        }
    }
}

/// The same, and now and then once more: with the same outcome.
pub(super) fn build_alike(mut tree: Memory, input: &[u8]) -> Option<Taken> {
    let taken = build(&mut tree);
    if input.len().is_multiple_of(64) {
        let name = |taken: &Option<Taken>| taken.as_ref().map(|taken| taken.sealed.bundle.name.clone());
        assert_eq!(name(&taken), name(&build(&mut tree)), "the same inputs make the same bundle");
    }
    taken
}
