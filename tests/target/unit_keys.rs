//! What the compiler refuses in a unit, real systemd does not know either: keys, values, what a unit must have.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod given;

use crate::driver::{Lab, Machine, Result, Setup, Suite};
use given::{calendars, generate, pool, sizes, spans};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use voevent_node::base::name::UnitName;
use voevent_node::build::unit::{UnitFile, check, needs};

crate::tests![the_table_is_what_systemd_says, bookworm_takes_what_passes, trixie_takes_what_passes];

const TABLE: &str = include_str!("../../src/build/unit/keys.txt");

/// The sections of the table, in their order.
const SECTIONS: [&str; 8] = ["Unit", "Service", "Socket", "Mount", "Swap", "Timer", "Path", "Slice"];

/// Keys whose bad values end the unit.
const FATAL: [&str; 10] = [
    "DynamicUser",
    "WorkingDirectory",
    "RootImagePolicy",
    "MountImagePolicy",
    "ExtensionImagePolicy",
    "User",
    "Group",
    "SupplementaryGroups",
    "SocketUser",
    "SocketGroup",
];

/// Section and key, with what the table says of the key.
type Keys = BTreeSet<(usize, String, String)>;

fn boot(lab: &Lab, suite: Suite) -> Result<Machine> {
    let name = if suite == Suite::Bookworm { "bookworm" } else { "trixie" };
    lab.boot_with(name, Setup { suite, ..Setup::default() })
}

fn the_table_is_what_systemd_says() -> Result<()> {
    let lab = Lab::new()?;
    let dump = |suite| boot(&lab, suite)?.sh("/usr/lib/systemd/systemd --dump-configuration-items");
    let [old, new] = [dumped(&dump(Suite::Bookworm)?), dumped(&dump(Suite::Trixie)?)];
    let mut said = Keys::new();
    for place in old.keys().chain(new.keys()) {
        let (section, key) = place;
        let line = match (old.get(place), new.get(place)) {
            (Some(old), Some(new)) if old == new => format!("{key} {old}"),
            (Some(old), Some(new)) => format!("{key} {old}/{new}"),
            (Some(old), None) => format!("-{key} {old}"),
            (None, new) => format!("+{key} {}", new.unwrap()),
        };
        said.insert((*section, key.clone(), line));
    }
    let mut committed = table();
    committed.retain(|(_, _, line)| !line.starts_with('!'));
    assert!(committed == said, "the lines of the table should be:\n{}", written(&said));
    Ok(())
}

/// What a dump says: kinds by section and key.
fn dumped(dump: &str) -> BTreeMap<(usize, String), String> {
    let mut kinds = BTreeMap::new();
    let mut section = None;
    for line in dump.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = SECTIONS.iter().position(|section| name.strip_suffix(']') == Some(section));
        } else if let (Some(section), Some((key, kind))) = (section, line.split_once('=')) {
            kinds.insert((section, key.to_owned()), kind.to_owned());
        }
    }
    kinds
}

/// The committed table.
fn table() -> Keys {
    let mut keys = Keys::new();
    let mut sections = Vec::new();
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') {
            let among = |section: &&str| line.contains(&format!("[{section}]"));
            sections = (0..SECTIONS.len()).filter(|index| among(&SECTIONS[*index])).collect();
            continue;
        }
        let key = line.trim_start_matches(['+', '-', '!']).split(' ').next().unwrap();
        keys.extend(sections.iter().map(|section| (*section, key.to_owned(), line.to_owned())));
    }
    keys
}

/// Keys as the table has them: those of the same sections together.
fn written(keys: &Keys) -> String {
    let mut sections: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (section, key, line) in keys {
        sections.entry((key, line)).or_default().push(*section);
    }
    let mut groups: BTreeMap<Vec<usize>, Vec<&str>> = BTreeMap::new();
    for ((_, line), sections) in sections {
        groups.entry(sections).or_default().push(line);
    }
    let mut text = String::new();
    for (sections, lines) in groups {
        let names: Vec<String> = sections.iter().map(|section| format!("[{}]", SECTIONS[*section])).collect();
        writeln!(text, "{}\n{}", names.join(" "), lines.join("\n")).unwrap();
    }
    text
}

fn bookworm_takes_what_passes() -> Result<()> {
    takes_what_passes(Suite::Bookworm, "debian-12")
}

fn trixie_takes_what_passes() -> Result<()> {
    takes_what_passes(Suite::Trixie, "debian-13")
}

fn takes_what_passes(suite: Suite, system: &str) -> Result<()> {
    let lab = Lab::new()?;
    let host = boot(&lab, suite)?;
    keys(&host, system)?;
    values(&host, system)?;
    whole_units(&host)
}

/// Systemd's words about each line of a unit that it ignores, by number.
fn ignored(host: &Machine, unit: &str, text: &str) -> Result<BTreeMap<usize, String>> {
    // A value that is no error but the end of the unit would hide what follows.
    let text = format!("{text}[Last]\n");
    host.write_file(format!("/srv/{unit}"), &text)?;
    host.sh(&format!("cd /srv; systemd-analyze verify --man=no ./{unit} >/srv/said 2>&1 || true"))?;
    let said = String::from_utf8_lossy(&host.read_file("/srv/said")?).into_owned();
    let lines = said.lines().filter(|line| line.to_ascii_lowercase().contains("ignor"));
    let words = lines.filter_map(|line| line.strip_prefix(&format!("/srv/{unit}:"))?.split_once(": "));
    let mut words: BTreeMap<usize, String> =
        words.map(|(line, words)| (line.parse().unwrap(), words.to_owned())).collect();
    assert!(
        words.remove(&text.lines().count()).is_some(),
        "the end was not read: {:?}",
        text.lines().nth(words.last_key_value().map_or(0, |(line, _)| *line))
    );
    Ok(words)
}

/// The lines that the compiler refuses.
fn refused(unit: &str, text: &str, system: &str) -> BTreeMap<usize, String> {
    let findings = check(&UnitName::new(unit).unwrap(), text, system, usize::MAX);
    findings.into_iter().map(|finding| (finding.line, finding.message)).collect()
}

/// Each key in each section: both know it, or neither.
fn keys(host: &Machine, system: &str) -> Result<()> {
    let all: BTreeSet<String> = table().into_iter().map(|(_, key, _)| key).collect();
    let line = |(index, key): (usize, &String)| {
        let value = if key == "DynamicUser" { "yes" } else { "" };
        let near = if index % 20 == 0 { format!("X{key}=\n{key}s=\nX-{key}=\n") } else { String::new() };
        format!("{key}={value}\n{near}")
    };
    let lines: String = all.iter().enumerate().map(line).collect();
    for section in SECTIONS {
        let unit =
            format!("a.{}", if section == "Unit" { "target".into() } else { section.to_ascii_lowercase() });
        let text: String = [section, "Unit", "X-A", "B", "Install", "Timer"]
            .map(|section| format!("[{section}]\n{}", if section == "Install" { "" } else { &lines }))
            .concat();
        let (ours, theirs) = (refused(&unit, &text, system), ignored(host, &unit, &text)?);
        // An empty value is another matter.
        let theirs: BTreeMap<_, _> = theirs
            .into_iter()
            .filter(|(_, words)| ["Unknown", "removed"].iter().any(|word| words.contains(word)))
            .collect();
        let unlike =
            |(line, words): (&usize, &String)| format!("{}: {words}", text.lines().nth(line - 1).unwrap());
        let wrong: Vec<String> =
            ours.iter().filter(|(line, _)| !theirs.contains_key(line)).map(unlike).collect();
        let missed: Vec<String> =
            theirs.iter().filter(|(line, _)| !ours.contains_key(line)).map(unlike).collect();
        assert!(wrong.is_empty() && missed.is_empty(), "{unit}: refused {wrong:#?}, not refused {missed:#?}");
        assert!(theirs.len() > all.len());
    }
    Ok(())
}

/// What kinds of keys may be judged by their values.
fn is_judged(kind: &str) -> bool {
    !kind.contains(['[', ' ']) && !["UNIT", "PATH", "SLICE", "SOCKETS", "STATUS", "ENVIRON"].contains(&kind)
}

/// Each key with many values: none is refused that systemd takes.
fn values(host: &Machine, system: &str) -> Result<()> {
    let pool = pool();
    let generated = |key: &str| match key {
        "OnCalendar" => generate(&calendars()),
        "RestartSec" | "OnBootSec" | "TimeoutStopSec" => generate(&spans()),
        "MemoryMax" | "ReceiveBuffer" | "TasksMax" | "CPUQuota" => generate(&sizes()),
        _ => Vec::new(),
    };
    let (mut count, mut both, mut missed) = (0, 0, 0);
    let mut seen = BTreeSet::new();
    for (index, section) in SECTIONS.iter().enumerate() {
        let unit = format!("v.{}", if index == 0 { "target".into() } else { section.to_ascii_lowercase() });
        let mut text = format!("[{section}]\n");
        for (_, key, line) in table().into_iter().filter(|(in_section, _, _)| *in_section == index) {
            let kinds = line.split_once(' ').map_or("", |(_, kinds)| kinds);
            if kinds.is_empty()
                || FATAL.contains(&key.as_str())
                || !kinds.split('/').all(is_judged)
                || !seen.insert(line.clone())
            {
                continue;
            }
            for value in pool.iter().cloned().chain(generated(&key)) {
                writeln!(text, "{key}={value}").unwrap();
            }
        }
        let (ours, theirs) = (refused(&unit, &text, system), ignored(host, &unit, &text)?);
        let lines: Vec<&str> = text.lines().collect();
        let wrong: Vec<String> = (ours.iter().filter(|(line, _)| !theirs.contains_key(line)))
            .map(|(line, words)| format!("{}: {words}", lines[line - 1]))
            .collect();
        assert!(
            wrong.is_empty(),
            "systemd takes {} lines of `{unit}` that are refused: {wrong:#?}",
            wrong.len()
        );
        count += lines.len() - 1;
        both += ours.len();
        missed += theirs.keys().filter(|line| !ours.contains_key(line)).count();
    }
    println!("{system}: {count} lines, {both} refused by both, {missed} by systemd alone");
    assert!(both > count / 4);
    Ok(())
}

/// Units of lines that are there or not: what lacks something, systemd does not load.
fn whole_units(host: &Machine) -> Result<()> {
    let lines = "ExecStart=/bin/true¦ExecStart=/bin/true¦ExecStart=¦ExecStop=/bin/true¦Type=oneshot¦Type=exec¦Type=dbus¦\
                 BusName=a.b¦RemainAfterExit=yes¦RemainAfterExit=no¦Restart=always¦[Unit]\nSuccessAction=reboot\n[Service]";
    let service = prop::sample::subsequence(lines.split('¦').collect::<Vec<_>>(), 0..8).prop_shuffle();
    let service = service.prop_map(|lines| format!("[Service]\n{}\n", lines.join("\n")));
    let mut runner = TestRunner::deterministic();
    let mut units: Vec<(String, String)> = (0..300)
        .map(|number| (number, service.new_tree(&mut runner).unwrap().current()))
        .map(|(number, text)| (format!("u{number}.service"), text.replace("a.b", &format!("a.b{number}"))))
        .collect();
    let others = [
        (
            "timer",
            "[Timer]\nUnit=u0.service\n¦OnClockChange=yes¦OnClockChange=no¦OnTimezoneChange=1¦OnBootSec=5¦OnCalendar=daily¦OnCalendar=¦Persistent=yes",
        ),
        (
            "path",
            "[Path]\nUnit=u0.service\n¦PathExists=/x¦PathExistsGlob=/x*¦PathChanged=/x¦PathModified=/x¦DirectoryNotEmpty=/x¦MakeDirectory=yes¦PathChanged=",
        ),
        (
            "socket",
            "[Socket]\nService=u0.service\n¦ListenStream=1¦ListenDatagram=1¦ListenSequentialPacket=/x¦ListenFIFO=/x¦ListenNetlink=audit 1¦ListenSpecial=/x¦ListenMessageQueue=/x¦Accept=no¦ListenStream=",
        ),
    ];
    for (kind, lines) in others {
        let (head, lines) = lines.split_once('¦').unwrap();
        let lines: Vec<&str> = lines.split('¦').chain([""]).collect();
        for (one, first) in lines.iter().enumerate() {
            for (two, second) in lines.iter().enumerate() {
                units.push((format!("u{one}-{two}.{kind}"), format!("{head}{first}\n{second}\n")));
            }
        }
    }
    let mut make = "mkdir /srv/whole; cd /srv/whole\n".to_owned();
    for (name, text) in &units {
        writeln!(make, "cat >{name} <<'E'\n{text}E").unwrap();
    }
    host.write_file("/srv/make", make)?;
    let said = host.sh("sh /srv/make; cd /srv/whole; systemd-analyze verify --man=no ./u* 2>&1 || true")?;
    let (mut refused, mut missed) = (0, Vec::new());
    for (name, text) in &units {
        let told = needs(&UnitName::new(name.as_str()).unwrap(), &UnitFile::parse(text).unwrap());
        let words =
            said.lines().find(|line| line.starts_with(&format!("{name}: ")) && line.contains("Refusing"));
        match (told, words) {
            (Some((message, _)), None) => panic!("systemd loads it, but {message}:\n{text}\n{said}"),
            (Some(_), Some(_)) => refused += 1,
            (None, Some(words)) => missed.push(words),
            (None, None) => {}
        }
    }
    println!("{} whole units: {refused} refused by both, {} by systemd alone", units.len(), missed.len());
    assert!(refused > units.len() / 4, "{said}");
    assert!(missed.len() < units.len() / 10, "{missed:#?}");
    Ok(())
}
