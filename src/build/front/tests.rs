//! What users see of errors, and what comes out where there are none.

mod bounded;
mod checks;
mod code;
mod declarations;
mod declared;
mod errors;
mod evaluated;
mod histories;
mod instances;
mod language;
mod module_folders;
mod robust;
mod templates;
mod together;
mod types;
mod values;

use std::path::Path;

use crate::base::report::{Diagnostic, RenderStyle, render};
use crate::build::artifact::{Artifact, Part, RenderedWhat, Text, What};
use crate::build::module_folders::ModuleFolder;
use crate::build::sources::Memory;

use super::{Compiled, compile, compile_from};

/// What every host needs.
const HEAD: &str = "[host]\nsystem = 'debian-12'\narch = 'x86_64'\npython = '3.11'\n";

/// Compiles a host of these files; the head comes before the host's text.
fn try_compile(host: &str, files: &[(&str, &str)]) -> Result<Compiled, Vec<Diagnostic>> {
    let mut tree = Memory::default();
    tree.0.insert("hosts/h.toml".into(), format!("{HEAD}{host}").into());
    for (path, text) in files {
        tree.0.insert(path.into(), (*text).into());
    }
    compile_from(&mut tree, Path::new("hosts/h.toml"), &[ModuleFolder::default_at("modules")])
}

/// The errors of a host that cannot be compiled: each has a place and a hint.
fn errors(host: &str, files: &[(&str, &str)]) -> String {
    match try_compile(host, files) {
        Ok(compiled) => panic!("it compiles: {:#?}", compiled.rendered),
        Err(diagnostics) => {
            for diagnostic in &diagnostics {
                assert!(!diagnostic.help.is_empty(), "no help: {}", diagnostic.message);
                assert!(!diagnostic.places.is_empty(), "no place: {}", diagnostic.message);
                assert!(!diagnostic.message.ends_with('.'), "{}", diagnostic.message);
            }
            render(&diagnostics, RenderStyle::default())
        }
    }
}

/// The errors of a host with the one module `m` on.
fn errors_of(module: &str) -> String {
    errors("modules = ['m']\n", &[("modules/m/module.toml", module)])
}

/// A host without errors.
fn good(host: &str, files: &[(&str, &str)]) -> Compiled {
    match try_compile(host, files) {
        Ok(compiled) => compiled,
        Err(diagnostics) => panic!("{}", render(&diagnostics, RenderStyle::default())),
    }
}

/// The module `m` with these options, each a name and its lines, and more lines behind them.
fn module(options: &[(&str, &str)], rest: &str) -> String {
    let option =
        |(name, lines): &(&str, &str)| format!("[options.{name}]\ndescription = 'A {name}.'\n{lines}\n");
    let options: Vec<String> = options.iter().map(option).collect();
    format!("[module]\ndescription = 'x'\n{}{rest}", options.concat())
}

/// The value of a setting, as TOML would write it.
fn setting(compiled: &Compiled, name: &str) -> String {
    let found = compiled.settings.values.iter().find(|(leaf, _)| leaf.to_string() == name);
    found.map_or_else(|| panic!("no `{name}`"), |(_, setting)| setting.value.to_string())
}

/// A rendered text with its holes in `⟨⟩`.
fn shown(artifact: &Artifact) -> String {
    let text = match &artifact.what {
        What::File(file) => &file.text,
        What::Script { text, .. } => text,
        What::Unit(unit) => &unit.text,
        other => panic!("{other:?} has no text"),
    };
    let Text::Template { pieces, .. } = text else { panic!("no template") };
    let part = |part: &Part| match part {
        Part::Value(value) => value.to_string(),
        Part::File(file) => format!("file {}", file.path),
        Part::Credential(secret) => format!("credential {}", secret.name),
        Part::Reference(to) => format!("{:?} {}/{}", to.kind, to.module, to.name),
    };
    let piece = |what: &RenderedWhat| match what {
        RenderedWhat::Text(text) => text.clone(),
        RenderedWhat::Safe(text) => format!("⟨safe {text}⟩"),
        RenderedWhat::Hole(parts) => format!("⟨{}⟩", parts.iter().map(part).collect::<Vec<_>>().join(" ~ ")),
    };
    pieces.iter().map(|rendered| piece(&rendered.what)).collect()
}

#[test]
fn the_example_host_compiles() {
    let compiled = match compile(Path::new("hosts/node1.toml"), &[ModuleFolder::default_at("modules")]) {
        Ok(compiled) => compiled,
        Err(failed) => panic!("{}", render(&failed, RenderStyle::default())),
    };
    assert_eq!(compiled.rendered.artifacts.len(), 23);
    assert_eq!(compiled.warnings, []);
    let inputs: Vec<_> = compiled.inputs.paths.keys().map(|path| path.display().to_string()).collect();
    insta::assert_snapshot!(inputs.join("\n"), @"
    hosts/node1.toml
    modules/comet/broker.json.j2
    modules/comet/comet-eventdb.service.j2
    modules/comet/comet-eventdb.timer.j2
    modules/comet/comet-run.sh.j2
    modules/comet/comet-venv-link.service.j2
    modules/comet/comet-venv-link.sh.j2
    modules/comet/comet.service.j2
    modules/comet/eventdb.py
    modules/comet/launch.py
    modules/comet/module.toml
    modules/comet/spools.py
    modules/comet/working_dir.j2
    modules/users/authorized_keys.j2
    modules/users/hardened.j2
    modules/users/module.toml
    modules/users/users-check.sh.j2
    ");
    assert_eq!(compiled.venvs[0].options[0].0, "comet.version");
    let is_run = |what: &What| matches!(what, What::Script { name, .. } if name.as_str() == "comet-run");
    let script = compiled.rendered.artifacts.iter().find(|artifact| is_run(&artifact.what));
    insta::assert_snapshot!(shown(script.unwrap()), @r#"
    #!/bin/sh
    # Comet in the foreground, without a pid file: systemd keeps the process, the journal its log.
    exec ⟨Venv comet/comet⟩/bin/python ⟨File comet/launch.py⟩ ⟨File comet/broker.json⟩ --nodaemon --pidfile= comet \
        --voevent-node \
        --local-ivo=⟨"ivo://org.example/node1"⟩ \
        --receive \
        --receive-port=⟨8098⟩ \
        --author-whitelist=127.0.0.0/8 \
        --author-whitelist=⟨"192.0.2.0/24"⟩ \
        --broadcast \
        --broadcast-port=⟨8099⟩ \
        --broadcast-test-interval=⟨3600⟩ \
        --subscriber-whitelist=127.0.0.0/8 \
        --subscriber-whitelist=⟨"0.0.0.0/0"⟩ \
        --eventdb=⟨"/home/voeventserve/working_dir/db"⟩
    "#);
}
