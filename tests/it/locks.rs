//! Locks with the real uv, pip and packages.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use voevent_node::base::name::Label;
use voevent_node::base::value::NamedFile;
use voevent_node::build::artifact::Target;
use voevent_node::build::lock::{Folders, LockRequest, Outcome, fetch, lock, read_lock, read_wheels};

use crate::packages::{LOCK, NO_PYTHON, fetched, folder, tools, uv_program};

fn request(venv: &str, requirement: &str) -> LockRequest {
    let [system, arch, python] = ["debian-12", "x86_64", "3.11"].map(str::to_owned);
    let target = Target { system, arch, python };
    LockRequest {
        venv: Label::new(venv).unwrap(),
        requirements: vec![requirement.to_owned()],
        target,
        source: None,
        build_on_target: Vec::new(),
    }
}

fn locked(request: LockRequest, folders: &Folders, upgrade: bool) -> Outcome {
    let outcomes = lock(&[request.clone(), request], folders, upgrade, &mut |_| {});
    let outcomes = outcomes.unwrap_or_else(|error| panic!("{error}\nhelp: {}", error.help()));
    let [outcome] = &outcomes[..] else { panic!("{outcomes:?}") };
    outcome.clone()
}

/// A copy of the fetched wheels, without those that begin with `without`.
fn copy(without: &str) -> tempfile::TempDir {
    let (lock, folders) = fetched();
    let folder = folder();
    fs::create_dir(folder.path().join("wheels")).unwrap();
    for package in &lock.packages {
        if !package.wheel.name.starts_with(without) {
            let path = Path::new("wheels").join(&package.wheel.name);
            fs::copy(folders.locks.join(&path), folder.path().join(&path)).unwrap();
        }
    }
    folder
}

#[test]
fn the_example_is_up_to_date_and_is_kept() {
    let folder = copy("nothing");
    let folders = Folders { locks: folder.path().to_owned(), tools: folder.path().join("unused") };
    let outcome = locked(request("comet", "comet==3.1.0"), &folders, false);
    assert_eq!((outcome.path, outcome.kept), (folder.path().join(LOCK), true));
    assert!(!folders.tools.exists(), "nothing was to be fetched");
}

#[test]
fn every_wheel_comes_into_an_empty_folder() {
    let folder = folder();
    let (_, lock) = read_lock(&folder.path().join(LOCK)).unwrap();
    let folders = Folders { locks: folder.path().to_owned(), tools: tools() };
    let mut said = Vec::new();
    let count = fetch(&lock, None, &folders, &mut |line| said.push(line.to_owned()));
    assert_eq!(count.unwrap_or_else(|error| panic!("{error}\nhelp: {}", error.help())), 12);
    assert!(said.contains(&"fetching idna-3.20-py3-none-any.whl".to_owned()), "{said:?}");
    assert!(
        said.contains(&"building comet-3.1.0-py3-none-any.whl from Comet-3.1.0.tar.gz".to_owned()),
        "{said:?}"
    );
    read_wheels(&lock, &folders).unwrap();
    let names = fs::read_dir(folder.path().join("wheels")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.count(), 12, "nothing else is left there");
    assert_eq!(fetch(&lock, None, &folders, &mut |line| panic!("{line}")).unwrap(), 0);
}

#[test]
fn wheels_are_compared_with_the_lock() {
    let (lock, folders) = fetched();
    assert_eq!(read_wheels(lock, folders).unwrap().len(), 12);
    let folder = copy("comet-");
    let idna = folder.path().join("wheels/idna-3.20-py3-none-any.whl");
    let mut bytes = fs::read(&idna).unwrap();
    bytes[100] ^= 1;
    fs::write(&idna, bytes).unwrap();
    let folders = Folders { locks: folder.path().to_owned(), tools: tools() };
    let errors: Vec<_> = read_wheels(lock, &folders).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 2);
    assert!(errors[0].starts_with("cannot read `") && errors[0].contains("comet-3.1.0"), "{errors:?}");
    assert!(
        errors[1].contains("`idna-3.20-py3-none-any.whl` is not the file of the lock: expected sha256 ab7ae")
    );
    let mut lock = lock.clone();
    lock.packages.retain(|package| package.name != "comet");
    assert_eq!(fetch(&lock, None, &folders, &mut |_| {}).unwrap_or_else(|error| panic!("{error}")), 1);
    assert_eq!(read_wheels(&lock, &folders).unwrap().len(), 11);
}

/// The folder of a test that runs in a process of its own, as umask and environment are a process's.
fn given_folder() -> PathBuf {
    std::env::var_os("VOEVENT_TEST_FOLDER").unwrap().into()
}

/// Runs a test of these in a process of its own, set up by a shell's commands.
fn in_a_process(test: &str, setup: &str, folder: &Path, environment: &[(&str, &OsStr)]) -> String {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{setup}; exec \"$@\"")).arg("sh").arg(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env("VOEVENT_TEST_FOLDER", folder);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

#[test]
#[ignore = "a part of `a_rebuild_elsewhere_gives_the_locked_wheel`"]
fn rebuild() {
    let folder = given_folder();
    let (_, lock) = read_lock(&folder.join(LOCK)).unwrap();
    let folders = Folders { locks: folder.clone(), tools: folder.join("tools") };
    let count = fetch(&lock, None, &folders, &mut |line| println!("{line}"));
    assert_eq!(count.unwrap_or_else(|error| panic!("{error}")), 1);
    read_wheels(&lock, &folders).unwrap();
}

#[test]
fn a_rebuild_elsewhere_gives_the_locked_wheel() {
    let folder = copy("comet-");
    let elsewhere = folder.path().join("a folder, elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let environment = [
        ("TZ", OsStr::new("Pacific/Kiritimati")),
        ("LC_ALL", OsStr::new("C")),
        ("SOURCE_DATE_EPOCH", OsStr::new("1")),
        ("TMPDIR", elsewhere.as_os_str()),
    ];
    let said = in_a_process("locks::rebuild", "umask 077", folder.path(), &environment);
    assert!(
        said.contains("fetching Comet-3.1.0.tar.gz\nbuilding comet-3.1.0-py3-none-any.whl from"),
        "{said}"
    );
}

#[test]
#[ignore = "a part of `pips_configuration_says_where_packages_come_from`"]
fn lock_here() {
    let folders = Folders { locks: given_folder(), tools: given_folder().join("tools") };
    locked(request("comet", "comet==3.1.0"), &folders, false);
}

/// Without an index: all that there is lies in a folder that pip is told of, and uv only through pip.
#[test]
fn pips_configuration_says_where_packages_come_from() {
    let (_, folders) = fetched();
    let folder = tempfile::tempdir().unwrap();
    let links = folder.path().join("links");
    fs::create_dir(&links).unwrap();
    uv_program();
    for from in [folders.locks.join("wheels"), tools().join("files")] {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            // As source only, as where it comes from.
            if entry.file_type().unwrap().is_file()
                && !entry.file_name().to_string_lossy().starts_with("comet-")
            {
                fs::copy(entry.path(), links.join(entry.file_name())).unwrap();
            }
        }
    }
    let config = folder.path().join("pip.conf");
    fs::write(&config, format!("[global]\nno-index = true\nfind-links = {}\n", links.display())).unwrap();
    let setup = "unset PIP_FIND_LINKS UV_FIND_LINKS UV_DEFAULT_INDEX";
    let cache = folder.path().join("cache");
    let environment = [("PIP_CONFIG_FILE", config.as_os_str()), ("UV_CACHE_DIR", cache.as_os_str())];
    in_a_process("locks::lock_here", setup, folder.path(), &environment);
    let example = fs::read_to_string(folders.locks.join(LOCK)).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join(LOCK)).unwrap(), example);
}

/// Comet 3.1.0's source distribution with another version in it.
fn fork(folder: &Path) -> NamedFile {
    let (lock, _) = fetched();
    let sdist = lock.packages.iter().find_map(|package| package.sdist.as_ref()).unwrap();
    let archive = tools().join("files").join(&sdist.name);
    if !archive.exists() {
        let locks = copy("comet-");
        let folders = Folders { locks: locks.path().to_owned(), tools: tools() };
        fetch(lock, None, &folders, &mut |_| {}).unwrap();
    }
    let repack = "tar xf \"$1\" && mv Comet-3.1.0 x && sed -i s/3.1.0/3.1.1/ x/comet/__init__.py x/PKG-INFO && \
                  tar czf comet-3.1.1.tar.gz x";
    let mut shell = Command::new("sh");
    let status = shell.current_dir(folder).args(["-ec", repack, "sh"]).arg(&archive).status();
    assert!(status.unwrap().success());
    NamedFile {
        label: Label::new("comet-3.1.1.tar.gz").unwrap(),
        path: "hosts/comet-3.1.1.tar.gz".to_owned(),
        exec: false,
        bytes: fs::read(folder.join("comet-3.1.1.tar.gz")).unwrap(),
    }
}

/// No index has it, and none is asked: neither for the lock nor where the wheel is built again.
#[test]
fn a_fork_is_built_from_its_own_source() {
    let folder = copy("nothing");
    let folders = Folders { locks: folder.path().to_owned(), tools: tools() };
    let fork = Arc::new(fork(folder.path()));
    let request =
        |requirement| LockRequest { source: Some(Arc::clone(&fork)), ..request("comet", requirement) };
    let outcome = locked(request("comet==3.1.1"), &folders, false);
    assert_eq!(
        outcome.changed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["comet 3.1.0 -> 3.1.1"],
        "the versions of the others stay"
    );
    let (text, lock) = read_lock(&outcome.path).unwrap();
    assert!(
        text.contains("[tool.voevent.source]\nname = \"comet\"\nfile = \"comet-3.1.1.tar.gz\"\n"),
        "{text}"
    );
    read_wheels(&lock, &folders).unwrap();

    fs::remove_file(folder.path().join("wheels/comet-3.1.1-py3-none-any.whl")).unwrap();
    fs::remove_file(tools().join("files/comet-3.1.1.tar.gz")).unwrap();
    let mut said = Vec::new();
    assert_eq!(fetch(&lock, Some(&fork), &folders, &mut |line| said.push(line.to_owned())).unwrap(), 1);
    assert_eq!(said, ["building comet-3.1.1-py3-none-any.whl from comet-3.1.1.tar.gz"]);

    // Another source is another lock, and one of another version than is required is none.
    let inputs = request("comet==3.1.1").inputs().unwrap();
    let other = NamedFile { bytes: b"other".to_vec(), ..NamedFile::clone(&fork) };
    let other = LockRequest { source: Some(Arc::new(other)), ..request("comet==3.1.1") }.inputs().unwrap();
    let changes: Vec<_> = inputs.changes(&other).iter().map(ToString::to_string).collect();
    assert_eq!(changes.len(), 1);
    assert!(changes[0].starts_with("source `comet-3.1.1.tar.gz "), "{changes:?}");
    assert_ne!(inputs.hex(), other.hex());
    let error = lock_error(&request("comet==3.1.0"), &folders);
    assert!(error.starts_with("the requirements could not be resolved"), "{error}");
    let error = lock_error(&request("twisted==26.10.0"), &folders);
    let expected = "venv `comet`: `hosts/comet-3.1.1.tar.gz` is the source of no package that is required";
    assert_eq!(error, expected);
}

fn lock_error(request: &LockRequest, folders: &Folders) -> String {
    lock(std::slice::from_ref(request), folders, false, &mut |_| {}).unwrap_err().to_string()
}

#[test]
fn a_build_that_differs_is_refused() {
    let (lock, _) = fetched();
    let folder = copy("comet-");
    let folders = Folders { locks: folder.path().to_owned(), tools: tools() };
    let mut lock = lock.clone();
    lock.inputs.epoch += 2;
    let error = fetch(&lock, None, &folders, &mut |_| {}).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "building `Comet-3.1.0.tar.gz` again gives another wheel: expected `comet-3.1.0-py3"
        )
    );
    let left: Vec<_> = fs::read_dir(folder.path().join("wheels")).unwrap().collect();
    assert_eq!(left.len(), 11, "nothing half-made stays");
}

#[test]
fn versions_stay_until_they_are_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders { locks: folder.path().to_owned(), tools: tools() };
    let first = locked(request("x", "idna<3.11"), &folders, false);
    assert_eq!(first.changed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["idna 3.10"]);
    let (text, lock) = read_lock(&first.path).unwrap();
    assert!(!text.contains("://"), "no address is in a lock");
    read_wheels(&lock, &folders).unwrap();
    assert!(locked(request("x", "idna<3.11"), &folders, false).kept);
    // Other inputs, and the version of the lock before will do.
    let wider = locked(request("x", "idna"), &folders, false);
    assert_ne!(wider.path, first.path);
    assert_eq!((wider.kept, wider.changed), (false, vec![]));
    let newest = locked(request("x", "idna"), &folders, true);
    assert_eq!(newest.path, wider.path);
    assert_eq!(newest.changed[0].old.as_deref(), Some("3.10"));
}

#[test]
fn what_cannot_be_resolved_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders { locks: folder.path().to_owned(), tools: tools() };
    let error = lock(&[request("x", "idna==0.0.1")], &folders, false, &mut |_| {}).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the requirements could not be resolved: `uv pip compile` failed (exit status: 1)"),
        "{text}"
    );
    assert!(text.contains("idna==0.0.1"), "{text}");
    let error = lock(&[request("x", "-r /etc/passwd")], &folders, false, &mut |_| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        "venv `x`: requirement `-r /etc/passwd` must begin with the name of a package"
    );
}

#[test]
fn uv_takes_the_lock_offline() {
    let (_, folders) = fetched();
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(uv_program());
        command.args(arguments).arg("--no-config").current_dir(folder.path());
        command
            .env("UV_CACHE_DIR", folder.path().join("cache"))
            .env("VIRTUAL_ENV", folder.path().join("venv"));
        command.env("UV_PYTHON_DOWNLOADS", "never");
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (made, said) = run(&["venv", "--python", "3.11", "venv"]);
    assert!(made, "{NO_PYTHON}\n{said}");
    let lock = folders.locks.join(LOCK);
    let (done, said) = run(&["pip", "sync", "--offline", "--no-index", lock.to_str().unwrap()]);
    assert!(done && said.contains("comet==3.1.0"), "{said}");
}
