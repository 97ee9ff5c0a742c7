//! The JSON Schema of host files, read by a validator of JSON Schema, says what the compiler says.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;
use voevent_node::build::front::compile;
use voevent_node::build::module_folders::ModuleFolder;

use crate::sandbox::Sandbox;

const HOST: &str = "hosts/node1.toml";

/// A module with what those of the example have not: numbers, a map of lists, a required option.
const MORE: &str = r#"[module]
description = "x"
uses = ["comet"]
[options.factor]
type = "float"
min = 0.5
default = 1.0
description = "A float."
[options.names]
type = "map of list of string"
default = {}
description = "A map of lists."
[options.needed]
type = "int"
max = 9
description = "One that must be set."
renamed_from = "wanted"
[options.gone]
removed = "leave it out"
[options.rows]
type = "list of table"
description = "Rows."
[options.rows.fields.xpath]
type = "xpath"
description = "An XPath."
[options.rows.fields.key]
type = "secret"
optional = true
description = "A secret."
[options.rows.fields.old]
removed = "leave it out"
[options.script]
type = "file"
optional = true
description = "A file."
"#;

struct Project {
    sandbox: Sandbox,
    schema: Validator,
}

impl Project {
    fn new() -> Self {
        let sandbox = Sandbox::example();
        sandbox.write("modules/more/module.toml", MORE);
        sandbox.edit(HOST, "modules = [\"comet\"]", "modules = [\"comet\", \"more\"]");
        sandbox.append(HOST, "[more]\nneeded = 7\n");
        let output = sandbox.run(&["schema"]);
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(jsonschema::meta::is_valid(&schema));
        Self { sandbox, schema: jsonschema::validator_for(&schema).unwrap() }
    }

    /// Whether schema and compiler take the host file, changed in one place.
    fn taken(&self, old: &str, new: &str) -> (bool, bool) {
        let text = self.sandbox.read(HOST);
        assert!(text.contains(old), "`{old}` is not in `{HOST}`");
        self.sandbox.write("hosts/changed.toml", &text.replacen(old, new, 1));
        let host = self.sandbox.path("hosts/changed.toml");
        let read: toml::Table = fs::read_to_string(&host).unwrap().parse().unwrap();
        let compiled = compile(&host, &[ModuleFolder::default_at(self.sandbox.path("modules"))]);
        (self.schema.is_valid(&serde_json::to_value(read).unwrap()), compiled.is_ok())
    }
}

#[test]
fn the_hosts_are_right() {
    let project = Project::new();
    let mut hosts = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let host: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
            let host = serde_json::to_value(host).unwrap();
            let errors: Vec<_> = project.schema.iter_errors(&host).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{}", path.display());
            hosts += 1;
        }
    }
    assert!(hosts > 0);
}

#[test]
fn what_is_right_is_taken_by_both() {
    let project = Project::new();
    for (old, new) in [
        ("", ""),
        ("modules = [\"comet\", \"more\"]", "modules = { replace = [\"comet\", \"more\"] }"),
        ("whitelist = [\"192.0.2.0/24\"]", "whitelist = { replace = [\"2001:db8::/32\"] }"),
        ("needed = 7", "needed = -7\nfactor = 0.5"),
        ("needed = 7", "wanted = 7"),
        ("needed = 7", "needed = 7\nrows = [{ xpath = \"//a\", key = { file = \"/etc/x\" } }]"),
        ("needed = 7", "needed = 7\nrows = { replace = [{ xpath = \"//a\" }] }"),
        ("needed = 7", "needed = 7\nscript = \"node1.toml\""),
        ("needed = 7", "needed = 7\nnames.a = [\"x\"]\nnames.replace = [\"y\"]"),
        ("needed = 7", "needed = 7\nnames = { replace = { a = [\"x\"] } }"),
        ("needed = 7", "needed = 7\nnames.a = { replace = [\"x\"] }"),
        ("[more]", "[users.accounts.observer]\nshell = \"/bin/bash\"\n[more]"),
        ("[more]", "[users.accounts.observer.replace]\nshell = \"/bin/bash\"\n[more]"),
        ("[more]", "[users.accounts]\nreplace = { voeventserve = {}, voeventdeploy = {} }\n[more]"),
        ("python = \"3.11\"", "python = \"3.14\""),
        (
            "\"more\"]",
            "\"more\", \"comet:b\"]\nmodule_paths = [\"../modules\"]\n[\"comet:b\"]\nremotes = [\"a.b:8099\"]\nbroadcast.enable = false\nworking_dir = \"/srv/b\"",
        ),
        ("[more]", "[more]\nbind.comet = \"comet\""),
    ] {
        assert_eq!(project.taken(old, new), (true, true), "`{old}` → `{new}`");
    }
}

#[test]
fn what_is_wrong_is_refused_by_both() {
    let project = Project::new();
    for (old, new) in [
        ("address =", "adress ="),
        ("\"debian-12\"", "\"fedora-40\""),
        ("\"x86_64\"", "\"amd64\""),
        ("\"3.11\"", "\"3.8\""),
        ("\"3.11\"", "3.11"),
        ("\"node1.example.org\"", "\"-o x\""),
        ("\"Broker at the summit\"", "\"two\\nlines\""),
        ("# imports = [\"site.toml\"]", "imports = [\"/etc/site.toml\"]"),
        ("modules = [\"comet\", \"more\"]", "modules = [\"comet\", \"more\", \"tme\"]"),
        ("modules = [\"comet\", \"more\"]", "modules = { replac = [\"comet\", \"more\"] }"),
        ("[comet.receive]", "[comet.recieve]"),
        ("[comet]", "[commet]"),
        ("\"more\"]", "\"more\", \"more:b\"]"),
        ("\"more\"]", "\"more\", \"comet:B\"]"),
        ("[comet]", "[\"more:b\"]\nneeded = 1\n[comet]"),
        ("[more]", "[more]\nbind.commet = \"comet\""),
        ("[more]", "[more]\nbind.comet = \"users\""),
        ("whitelist =", "whitelst ="),
        ("[\"192.0.2.0/24\"]", "\"192.0.2.0/24\""),
        ("[\"192.0.2.0/24\"]", "[\"192.0.2\", \"example.org\"]"),
        ("[\"192.0.2.0/24\"]", "{ replace = \"192.0.2.0/24\" }"),
        ("enable = true", "enable = \"yes\""),
        ("enable = true", "enable = true\nport = 80"),
        ("enable = true", "enable = true\nport = 65536"),
        ("enable = true", "enable = true\nport = \"8098\""),
        ("\"1h\"", "\"1 hour\""),
        ("local_ivo =", "home = \"/home/x\"\nlocal_ivo ="),
        ("local_ivo =", "verbosity = \"loud\"\nlocal_ivo ="),
        ("local_ivo =", "memory_max = \"1 GB\"\nlocal_ivo ="),
        ("local_ivo =", "version = \"4.0.0\"\nlocal_ivo ="),
        ("local_ivo =", "user = \"Root\"\nlocal_ivo ="),
        ("local_ivo =", "working_dir = \"data\"\nlocal_ivo ="),
        ("local_ivo =", "remotes = [\"upstream.example.org\"]\nlocal_ivo ="),
        ("\"ivo://org.example/node1\"", "\"https://example.org\""),
        ("needed = 7", "needed = 10"),
        ("needed = 7", "wanted = 10"),
        ("needed = 7", "needed = 7\ngone = 1"),
        ("needed = 7", "needed = 7\nrows = [{ xpath = \"//a\", old = 1 }]"),
        ("needed = 7", "needed = 7\nrows = [{ xpath = \"//a\", key = \"secret\" }]"),
        ("needed = 7", "needed = 7\nrows = [{ xpath = \"//a\", key = { file = \"secret\" } }]"),
        ("needed = 7", "needed = 7\nrows = [{ xpath = \"\" }]"),
        ("needed = 7", "needed = 7\nscript = \"/etc/passwd\""),
        ("needed = 7", "needed = 7\nfactor = 0.25"),
        ("needed = 7", "needed = 7\nnames = [\"x\"]"),
        ("needed = 7", "needed = 7\nnames.a = \"x\""),
        ("[more]", "[users.accounts.observer]\nshel = \"/bin/bash\"\n[more]"),
        ("[more]", "[users.accounts.observer]\nshell = true\n[more]"),
    ] {
        assert_eq!(project.taken(old, new), (false, false), "`{old}` → `{new}`");
    }
}

/// A fragment need not have everything: what a host must set it may import.
#[test]
fn nothing_is_required() {
    let project = Project::new();
    assert!(project.schema.is_valid(&serde_json::json!({})));
    assert!(project.schema.is_valid(&serde_json::json!({ "host": {}, "more": {} })));
    assert_eq!(project.taken("needed = 7", ""), (true, false));
}
