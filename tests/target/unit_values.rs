//! Values that went through a unit come back byte for byte: units are filled, and started by real systemd.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use crate::driver::{Lab, Result, Setup, Suite};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use voevent_node::base::value::Value;
use voevent_node::build::artifact::Grammar;
use voevent_node::build::fill::{Piece, fill};

crate::tests![bookworm_reads_every_value_back, trixie_reads_every_value_back];

/// Units of a run.
const COUNT: usize = 100;

/// Writes its arguments and its environment.
const DUMP: &str = "#!/bin/sh\nout=$1; shift\n\
    { printf '%s\\0' \"$@\"; printf '\\0'; cat /proc/self/environ; } >\"$out\"\n";

/// Shows which folders and files it was given, by what lies in them.
const LOOK: &str = "#!/bin/sh\n\
    { cat id; cat /mnt/id; cat \"$2/marker\"; : >\"$3/new\" && echo written; cat \"$CREDENTIALS_DIRECTORY/c\"; echo \"$FILE\"; } >\"$1\"\n";

fn bookworm_reads_every_value_back() -> Result<()> {
    every_value_comes_back(Suite::Bookworm)
}

fn trixie_reads_every_value_back() -> Result<()> {
    every_value_comes_back(Suite::Trixie)
}

fn every_value_comes_back(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let host = lab.boot_with("node1", Setup { suite, ..Setup::default() })?;
    let given = lab.dir().join("given");
    write(&given.join("opt/marker/marker"), "marker\n");
    let cases: Vec<Case> =
        values().into_iter().enumerate().map(|(number, value)| Case::new(number, &value)).collect();
    for case in &cases {
        write(&given.join("units").join(&case.name), &case.unit);
        for folder in &case.folders {
            for name in ["a", "b", "c", "d"] {
                write(&given.join(&folder[1..]).join(name).join("id"), name);
            }
            write(&given.join(&folder[1..]).join("e"), "FILE=e\n");
        }
    }
    host.put(&given, "/")?;
    host.write_file("/opt/dump", DUMP)?;
    host.write_file("/opt/look", LOOK)?;
    host.sh("chmod 755 /opt/dump /opt/look; mkdir /var/out; cp /units/* /etc/systemd/system; systemctl daemon-reload")?;
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    for names in names.chunks(50) {
        let started = host.exec(["systemctl", "start"].iter().chain(names))?;
        if !started.success() {
            let failed =
                cases.iter().filter(|case| started.stderr.contains(&format!("Job for {} ", case.name)));
            let units: String = failed.map(|case| case.unit.as_str()).collect();
            let journal = host.sh("journalctl -p warning -o cat --no-pager | tail -n 50")?;
            panic!("{units}\n{journal}");
        }
    }
    for case in &cases {
        case.check(
            &host.read_file(format!("/var/out/{}", case.name))?,
            &host.read_file(format!("/var/out/{}.colon", case.name))?,
        );
        if let Some(description) = &case.description {
            let shown = host.exec(["systemctl", "show", "-p", "Description", "--value", &case.name])?.stdout;
            assert_eq!(shown.strip_suffix('\n'), Some(description.as_str()));
        }
        if !case.folders.is_empty() {
            let seen = host.read_file(format!("/var/out/{}.look", case.name))?;
            assert_eq!(String::from_utf8_lossy(&seen), "abmarker\nwritten\nFILE=e\ne\n", "{}", case.unit);
        }
    }
    let refused: usize = cases.iter().map(|case| case.refused).sum();
    let described = cases.iter().filter(|case| case.description.is_some()).count();
    let paths: usize = cases.iter().map(|case| case.strange_paths).sum();
    println!("{COUNT} units: {described} descriptions, {paths} paths, {refused} lines refused");
    assert!(described > COUNT / 4 && paths > COUNT);
    Ok(())
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// One of the texts that `¦` divides.
fn tokens(all: &'static str) -> impl Strategy<Value = &'static str> {
    prop::sample::select(all.split('¦').collect::<Vec<_>>())
}

fn values() -> Vec<String> {
    let token = tokens(
        "%¦%%¦%n¦%h¦$¦$$¦$HOME¦${HOME}¦{HOME}¦\\¦\\\\¦\\n¦\\x41¦\\s¦\"¦'¦;¦; /bin/false¦ ¦  ¦\t¦\n¦\r¦#¦\
         # x¦=¦A=b¦-¦--x¦@¦+¦!¦:¦a:b¦,¦[Unit]¦\nUser=nobody\n¦é¦ÁÂ¦日本¦🔭¦\u{85}¦\u{2028}¦\u{1}¦\u{1b}¦\
         \u{7f}¦\u{fffe}¦\u{fdd0}¦\u{feff}¦/¦/etc¦..¦~¦*¦?¦[a]¦|¦&¦<¦`x`¦{{¦x¦0¦8099¦true",
    );
    let value = prop_oneof![
        6 => prop::collection::vec(token, 0..7).prop_map(|tokens| tokens.concat()),
        2 => any::<String>().prop_map(|text| text.replace('\0', "")),
        1 => "[a-zA-Z0-9 ._%$'-]{1,30}",
        1 => (prop::sample::select(vec!["x", "\\", "%", "\n"]), 1..5000_usize).prop_map(|(text, n)| text.repeat(n)),
    ];
    let mut runner = TestRunner::deterministic();
    (0..COUNT).map(|_| value.new_tree(&mut runner).unwrap().current()).collect()
}

/// A unit that has a value in many places.
struct Case {
    name: String,
    unit: String,
    arguments: Option<Vec<String>>,
    colon: Option<Vec<String>>,
    environment: Vec<String>,
    description: Option<String>,
    folders: Vec<String>,
    strange_paths: usize,
    refused: usize,
}

impl Case {
    fn new(number: usize, value: &str) -> Self {
        let name = format!("value-{number}.service");
        let mut case = Self {
            unit: "[Unit]\n".to_owned(),
            arguments: None,
            colon: None,
            environment: Vec::new(),
            description: None,
            folders: Vec::new(),
            strange_paths: 0,
            refused: 0,
            name,
        };
        if case.line("Description=§", &[value]) {
            case.description = Some(value.to_owned());
        }
        case.unit.push_str("[Service]\nType=oneshot\nProtectSystem=strict\nReadWritePaths=/var/out\n");
        let out = format!("/var/out/{}", case.name);
        if case
            .line(&format!("ExecStart=/opt/dump {out} § --x=§ \"a §\" 'b §' c§§ \\\n # §\n §"), &[value; 8])
        {
            case.arguments = Some(vec![
                value.to_owned(),
                format!("--x={value}"),
                format!("a {value}"),
                format!("b {value}"),
                format!("c{value}{value}"),
                value.to_owned(),
            ]);
        } else if case.line(&format!("ExecStart=/opt/dump {out} § --x=§ \"a §\" 'b §' c§§"), &[value; 6])
        {
            let texts = ["", "--x=", "a ", "b "].map(|before| format!("{before}{value}"));
            case.arguments = Some(texts.into_iter().chain([format!("c{value}{value}")]).collect());
        } else {
            let _ = writeln!(case.unit, "ExecStart=/opt/dump {out}");
        }
        if case.line(&format!("ExecStart=:/opt/dump {out}.colon § x§"), &[value; 2]) {
            case.colon = Some(vec![value.to_owned(), format!("x{value}")]);
        } else {
            let _ = writeln!(case.unit, "ExecStart=/opt/dump {out}.colon");
        }
        if case.line("Environment=\"A=<§>\" B=§ 'C=§'", &[value; 3]) {
            case.environment = vec![format!("A=<{value}>"), format!("B={value}"), format!("C={value}")];
        }
        let whole = format!("D={value}");
        if case.line("Environment=§", &[&whole]) {
            case.environment.push(whole);
        }
        case.paths(number, value);
        case
    }

    /// Lines whose values are paths, where the value can be the name of a folder.
    fn paths(&mut self, number: usize, value: &str) {
        let name = value.replace('/', "");
        if name.is_empty() || name == "." || name == ".." || name.len() > 250 {
            return;
        }
        let strange = format!("/var/d/{number}/{name}");
        let lines = [
            ("WorkingDirectory=§", "a"),
            ("BindReadOnlyPaths=§:/mnt", "b"),
            ("BindReadOnlyPaths=/opt/marker:\"§\"", "c"),
            ("ReadWritePaths=§", "d"),
            ("LoadCredential=c:§", "e"),
            ("EnvironmentFile=§", "e"),
        ];
        let mut used = Vec::new();
        for (line, name) in lines {
            let mut path = format!("{strange}/{name}");
            if self.line(line, &[&path]) {
                self.strange_paths += 1;
            } else {
                path = format!("/var/d/{number}/plain/{name}");
                assert!(self.line(line, &[&path]));
            }
            used.push(path);
        }
        let look = format!("ExecStart=/opt/look /var/out/{}.look § §", self.name);
        assert!(self.line(&look, &[&used[2], &used[3]]));
        self.folders = vec![strange, format!("/var/d/{number}/plain")];
    }

    /// Adds a line, where it is not refused.
    fn line(&mut self, template: &str, values: &[&str]) -> bool {
        let mut pieces = vec![Piece::Text("[Service]\n".to_owned())];
        let mut values = values.iter();
        for (index, text) in template.split('§').enumerate() {
            if index > 0 {
                pieces.push(Piece::Hole(Value::Str((*values.next().unwrap()).to_owned())));
            }
            pieces.push(Piece::Text(text.to_owned()));
        }
        let Ok(filled) = fill(Grammar::Unit, &pieces) else {
            self.refused += 1;
            return false;
        };
        writeln!(self.unit, "{}", &filled.text["[Service]\n".len()..]).unwrap();
        true
    }

    fn check(&self, dump: &[u8], colon: &[u8]) {
        let expected = |arguments: &Option<Vec<String>>| {
            arguments.as_ref().map_or_else(|| "\0".to_owned(), |arguments| arguments.join("\0") + "\0") + "\0"
        };
        let environment = dump.strip_prefix(expected(&self.arguments).as_bytes());
        let environment =
            environment.unwrap_or_else(|| panic!("{}\n{}", self.unit, String::from_utf8_lossy(dump)));
        assert!(colon.starts_with(expected(&self.colon).as_bytes()), "{}", self.unit);
        let variables: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
        for variable in &self.environment {
            assert!(variables.contains(&variable.as_bytes()), "{variable:?} {}", self.unit);
        }
    }
}
