//! What is taken for a provenance, and what questions name.

use proptest::prelude::*;

use super::*;
use crate::store::provenance::ask::Asked;

pub(crate) fn sample() -> Provenance {
    let definition = Definition {
        at: Spot { source: 0, line: 3 },
        strength: "host".into(),
        counts: "wins".into(),
        given: "8098".into(),
        entry: None,
        conditions: vec![0],
        settings: vec![],
    };
    let setting = |name: &str| Setting {
        name: name.into(),
        value: "8098".into(),
        definitions: vec![definition.clone()],
    };
    let condition = Condition {
        kind: "if".into(),
        text: "m.on".into(),
        at: Spot { source: 0, line: 1 },
        settings: vec![1],
    };
    let run = |line, count, steps, cause| Run { from: Spot { source: 1, line }, count, steps, cause };
    let artifact = |kind: &str, name: &str, path: Option<&str>| Artifact {
        kind: kind.into(),
        name: name.into(),
        module: "m".into(),
        at: Some(Spot { source: 0, line: 9 }),
        template: Some(1),
        path: path.map(str::to_owned),
        object: Some(ObjectName::parse(&format!("{}-{name}", "a".repeat(32))).unwrap()),
        settings: vec![0],
        conditions: vec![0],
        uses: vec![],
        lines: Lines(vec![run(1, 3, true, 0), run(7, 2, false, 1), run(0, 1, false, 0)]),
    };
    Provenance {
        format: FORMAT,
        bundle: "0".repeat(64),
        host: HostName::new("node1").unwrap(),
        sources: vec!["hosts/node1.toml".into(), "modules/m/x.j2".into()],
        settings: ["m.port", "m.receive.a", "m.receive.b", "m.receivers"].map(setting).into(),
        conditions: vec![condition],
        causes: vec![Cause::default(), Cause { settings: vec![0], conditions: vec![0], note: String::new() }],
        artifacts: vec![
            artifact("unit", "x.service", Some("/etc/systemd/system/x.service")),
            artifact("script", "run", None),
            artifact("venv", "run", None),
        ],
    }
}

#[test]
fn what_was_written_is_read_back() {
    assert_eq!(Provenance::read(sample().to_toml().as_bytes()), Ok(sample()));
}

#[test]
fn of_another_bundle_it_is_none() {
    let bytes = sample().to_toml().into_bytes();
    let digest = |digit: &str| Digest::from_hex(&digit.repeat(64)).unwrap();
    assert!(Provenance::read_of(&bytes, digest("0")).is_ok());
    assert_eq!(Provenance::read_of(&bytes, digest("1")), Err(BadProvenance::Other));
}

#[test]
fn what_leads_nowhere_is_refused() {
    type Spoil = fn(&mut Provenance);
    let cases: [(&str, Spoil); 11] = [
        ("digest", |p| p.bundle = "x".into()),
        ("source 2", |p| p.settings[0].definitions[0].at.source = 2),
        ("setting 4", |p| p.settings[0].definitions[0].settings.push(4)),
        ("condition 1", |p| p.settings[0].definitions[0].conditions.push(1)),
        ("setting 9", |p| p.conditions[0].settings.push(9)),
        ("condition 7", |p| p.causes[0].conditions.push(7)),
        ("setting 8", |p| p.causes[0].settings.push(8)),
        ("artifact 3", |p| p.artifacts[0].uses.push(3)),
        ("cause 2", |p| p.artifacts[0].lines.0[0].cause = 2),
        ("source 5", |p| p.artifacts[0].template = Some(5)),
        ("source 6", |p| p.artifacts[0].lines.0[0].from.source = 6),
    ];
    for (expected, spoil) in cases {
        let mut spoilt = sample();
        spoil(&mut spoilt);
        let error = Provenance::read(spoilt.to_toml().as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn another_form_or_format_is_refused() {
    let text = sample().to_toml();
    let read = |text: &str| Provenance::read(text.as_bytes());
    assert_eq!(read(&text.replace(" = ", "=")), Err(BadProvenance::NotCanonical));
    assert_eq!(read(&text.replace("format = 1", "format = 2")), Err(BadProvenance::Format(2)));
    assert!(matches!(read(&text.replace("[1, 1, 3, 1, 0,", "[1, 3, 1, 0,")), Err(BadProvenance::Syntax(_))));
    assert!(matches!(
        read(&text.replace("[1, 1, 3, 1, 0,", "[1, 1, 3, 2, 0,")),
        Err(BadProvenance::Syntax(_))
    ));
    assert!(matches!(Provenance::read(&[0xff]), Err(BadProvenance::Syntax(_))));
    assert!(matches!(Provenance::read(&vec![b' '; 17 << 20]), Err(BadProvenance::Syntax(_))));
}

#[test]
fn questions_name_paths_names_and_settings() {
    let provenance = sample();
    let asked = |question: &str| provenance.find(question).map_err(|error| error.help);
    for path in [
        "x.service",
        "unit:x.service",
        "m/x.service",
        "/etc/systemd/system/x.service",
        "/run/systemd/generator/x.service",
        "/var/lib/voevent/current/bundle/root/etc/systemd/system/x.service",
        "/var/lib/voevent/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-x.service",
    ] {
        assert_eq!(asked(path), Ok(Asked::Artifact(0)), "{path}");
        assert_eq!(asked(&format!("{path}:6")), Ok(Asked::Line(0, 6)), "{path}");
    }
    assert_eq!(
        asked("/var/lib/voevent/derived/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-run/bin/x"),
        Ok(Asked::Artifact(1))
    );
    assert_eq!(asked("m.port"), Ok(Asked::Settings(0..1)));
    assert_eq!(asked("m.receive"), Ok(Asked::Settings(1..3)), "no name that only starts so");
    assert_eq!(asked("m"), Ok(Asked::Settings(0..4)));
    assert_eq!(asked("run"), Err("name one of them: `script:run`, `venv:run`".to_owned()));
    assert_eq!(asked("venv:run"), Ok(Asked::Artifact(2)));
    assert_eq!(asked("x.service:7"), Err("it has 6 lines".to_owned()));
    assert_eq!(asked("x.servce:7"), Err("did you mean `x.service`?".to_owned()));
    assert_eq!(asked("m.prt"), Err("did you mean `m.port`?".to_owned()));
    assert!(
        asked("").is_err() && asked(":").is_err() && asked(":1").is_err() && asked("x.service:0").is_err()
    );
}

#[test]
fn lines_step_or_stay() {
    let provenance = sample();
    let line = |line| {
        provenance.origin(0, line).map(|(spot, cause)| (spot.map(|spot| spot.line), cause.settings.len()))
    };
    let found: Vec<_> = (0..8).map(line).collect();
    let known = |line, settings| Some((Some(line), settings));
    assert_eq!(
        found,
        [None, known(1, 0), known(2, 0), known(3, 0), known(7, 1), known(7, 1), Some((None, 0)), None]
    );
}

proptest! {
    /// Whatever is changed in a provenance: it is refused, or all that can be asked of it has an answer.
    #[test]
    fn no_bytes_make_it_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), number in 0..u64::MAX) {
        let text = sample().to_toml();
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let huge = text.replace(", 3, 1, 0,", &format!(", {number}, 1, 0,"));
        for bytes in [bytes, huge.into_bytes()] {
            let Ok(provenance) = Provenance::read(&bytes) else { continue };
            let texts = answer::Texts { object: &|_| Some(b"a\nb\n".to_vec()), source: &|_, _| None };
            for question in ["x.service", "x.service:2", "x.service:9223372036854775807", "m.port", "m"] {
                if let Ok(answer) = provenance.answer(question, &texts) {
                    assert!(show::shown(&answer).ends_with('\n'));
                }
            }
        }
    }
}
