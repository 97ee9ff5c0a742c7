//! The text of a lock, and requirements to lock.

use voevent_node::base::name::Label;
use voevent_node::build::artifact::Target;
use voevent_node::build::lock::file::LockedFile;
use voevent_node::build::lock::{LockRequest, LockedPackage, LockedSource, Pylock};

use super::input::grown;
use super::laws::is_line;

const LOCK: &str = include_str!("../../../hosts/locks/pylock.comet-a29b3a37.toml");

pub(super) fn run(input: &[u8]) {
    let input = grown(input);
    // No UTF-8 is refused before a lock is parsed.
    let text = String::from_utf8_lossy(&input);
    match Pylock::parse(&text) {
        Ok(lock) => {
            assert_eq!(lock.text(), text, "a lock is written as it was read");
            assert_eq!(lock.inputs.changes(&lock.inputs), [], "nothing changed");
            assert_eq!(lock.inputs.hex().len(), 8);
            let known = Pylock::parse(LOCK).map(|known| known.inputs.changes(&lock.inputs));
            let changes = known.unwrap_or_default();
            assert!(changes.iter().all(|change| is_line(&change.to_string())), "{changes:?}");
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a fault");
            let lines = text.matches('\n').count() + 1;
            for fault in faults {
                assert!((1..=lines).contains(&fault.line), "{fault} of {lines}");
                assert!(!fault.message.is_empty() && is_line(&fault.message), "{:?}", fault.message);
            }
        }
    }
    if !text.starts_with('#') {
        request(&text);
    }
}

/// What can be asked for can be written and read.
fn request(text: &str) {
    let [system, arch, python] = ["debian-12", "x86_64", "3.11"].map(str::to_owned);
    let Ok(venv) = Label::new("x.y") else { return };
    for line in text.lines().take(10) {
        let requirements = line.split('¦').map(str::to_owned).collect();
        let target = Target { system: system.clone(), arch: arch.clone(), python: python.clone() };
        match (LockRequest {
            venv: venv.clone(),
            requirements,
            target,
            source: None,
            build_on_target: Vec::new(),
        })
        .inputs()
        {
            Ok(inputs) => {
                let lock = Pylock { inputs, packages: Vec::new(), sources: Vec::new() };
                assert_eq!(Pylock::parse(&lock.text()), Ok(lock), "a lock of this can be read");
            }
            Err(error) => assert!(is_line(&error.to_string()), "{error}"),
        }
    }
}

/// The real lock, one with two packages, and some requirements.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let parts: Vec<&str> = LOCK.split("\n[[packages]]\n").collect();
    let last = parts.last().and_then(|last| last.split_once("\n[tool.voevent]")).map_or("", |(_, last)| last);
    let tool = format!("\n[tool.voevent]{last}");
    let one = |from: usize, to: usize| {
        let packages = parts.get(from..to).unwrap_or_default().join("\n[[packages]]\n");
        let head = parts.first().copied().unwrap_or_default();
        format!("{head}\n[[packages]]\n{packages}{tool}").into_bytes()
    };
    let none = format!("{}{tool}", parts.first().copied().unwrap_or_default()).into_bytes();
    // One whose last package the target builds.
    let built = Pylock::parse(LOCK).ok().and_then(|mut lock| {
        let LockedPackage { name, version, .. } = lock.packages.pop()?;
        let sdist = LockedFile::of("x-1.tar.gz", b"");
        let (backend, backend_path) = ("a.b:c".to_owned(), vec!["d/e".to_owned()]);
        lock.inputs.build_on_target = vec![name.clone()];
        let requires = lock.inputs.pins.clone();
        lock.sources = vec![LockedSource { name, version, sdist, backend, backend_path, requires }];
        Some(lock.text().into_bytes())
    });
    let asked = b"comet==3.1.0\na[b,c]>=1,<2; python_version < '3.12'\xc2\xa6A.b_c ~= 1.0\n".to_vec();
    [LOCK.into(), one(3, 4), one(1, 3), none, asked].into_iter().chain(built).collect()
}

pub(super) const WORDS: &str = "\n[[packages]]\n¦\n[[packages.wheels]]\n¦name = \"a\"\nversion = \"1\"\n¦path = \"wheels/¦\
    a-1-py3-none-any.whl\"\n¦-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl¦-cp39-abi3-musllinux_1_1_aarch64¦\
    size = 1\n¦hashes = { sha256 = \"¦\n[packages.tool.voevent.sdist]\n¦\n[packages.sdist]\n¦backend-path = []\n¦[[packages.tool.voevent.requires]]\n¦build-on-target = [¦file = \"a-1.tar.gz\"\n¦\n[tool.voevent]\n¦\
    requirements = [\n¦    \"a\",\n¦]\n¦python = \"3.11\"\n¦arch = \"aarch64\"\n¦glibc = \"2.36\"\n¦\
    source-date-epoch = 1\n¦\n[[tool.voevent.build]]\n¦lock-version = \"1.0\"\n¦environments = [¦\
    requires-python = \"==3.11.*\"\n¦created-by = \"voevent-build\"\n¦# Made by\n¦\\u0041¦\\\"¦\"\"\"\n¦'¦[¦]¦{¦}¦=¦,¦.¦¦¦\
    1_0¦0x1¦9223372036854775807¦18446744073709551616¦-1¦1.0¦true¦\r¦é¦\u{1b}¦\u{85}¦>=1,<2¦; python_version < '3'¦[x]";
