//! The environments that the compiler lays out are those that uv makes.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use voevent_node::build::lock::read_wheels;
use voevent_node::store::object::{Entry, File, Tree};
use voevent_node::wheel::tags::{Arch, Interpreter};
use voevent_node::wheel::{Wheel, lay_out};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::packages::{NO_PYTHON, fetched, uv_program};

const PYTHON: Interpreter = Interpreter { minor: 11, arch: Arch::X86_64, glibc: 36 };

/// What uv makes and the compiler does not, or otherwise (see `wheel`).
fn is_uvs_own(path: &str) -> bool {
    let info = path.split('/').any(|part| part.ends_with(".dist-info"));
    let name = path.rsplit('/').next().unwrap_or_default();
    let top = matches!(path, ".gitignore" | ".lock" | "CACHEDIR.TAG" | "lib64" | "pyvenv.cfg" | "bin/python");
    let prompt = path.starts_with("bin/activate") || matches!(path, "bin/deactivate.bat" | "bin/pydoc.bat");
    top || prompt
        || (info
            && matches!(name, "RECORD" | "INSTALLER" | "REQUESTED" | "uv_cache.json" | "direct_url.json"))
}

/// A wheel with something for every place there is.
fn every_place() -> Wheel {
    let entry_points =
        "[console_scripts]\nCase = a.b:C.main\nextra = a:f [x]\n\n[gui_scripts]\ngui = a : g\n";
    let files = [
        ("Every_Place/__init__.py", 0o644, "x = 1\n"),
        ("Every_Place/tool.sh", 0o755, "#!/bin/sh\n"),
        ("Every_Place/group", 0o654, ""),
        ("Every_Place-1.0.data/scripts/plain", 0o644, "#!python\nprint(1)\n"),
        ("Every_Place-1.0.data/scripts/window", 0o755, "#!pythonw\nprint(1)\n"),
        ("Every_Place-1.0.data/scripts/shell", 0o644, "#!/bin/sh\n"),
        ("Every_Place-1.0.data/scripts/tiny", 0o755, "#"),
        ("Every_Place-1.0.data/scripts/gui-script.py", 0o755, "never"),
        ("Every_Place-1.0.data/data/share/x y/z", 0o600, "data"),
        ("Every_Place-1.0.data/headers/sub/x.h", 0o644, "h"),
        ("Every_Place-1.0.data/purelib/p.py", 0o644, "p"),
        ("Every_Place-1.0.data/platlib/q.py", 0o644, "q"),
        (
            "Every_Place-1.0.dist-info/METADATA",
            0o644,
            "Metadata-Version: 2.1\nName: Every.Place\nVersion: 1.0\n",
        ),
        (
            "Every_Place-1.0.dist-info/WHEEL",
            0o644,
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        ("Every_Place-1.0.dist-info/entry_points.txt", 0o644, entry_points),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut record = String::new();
    for (path, mode, content) in files {
        let hash = BASE64URL_NOPAD.encode(&Sha256::digest(content));
        writeln!(record, "{path},sha256={hash},{}", content.len()).unwrap();
        zip.start_file(path, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    record.push_str("Every_Place-1.0.dist-info/RECORD,,\n");
    zip.start_file("Every_Place-1.0.dist-info/RECORD", SimpleFileOptions::default()).unwrap();
    zip.write_all(record.as_bytes()).unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    Wheel { file_name: "Every_Place-1.0-py3-none-any.whl".to_owned(), bytes }
}

/// Every file and link below a folder, by path.
fn on_disk(root: &Path) -> BTreeMap<String, Entry> {
    let mut entries = BTreeMap::new();
    for item in walkdir::WalkDir::new(root).min_depth(1) {
        let item = item.unwrap();
        let path = item.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let entry = if item.file_type().is_symlink() {
            Entry::Link(fs::read_link(item.path()).unwrap().to_str().unwrap().to_owned())
        } else if item.file_type().is_file() {
            let exec = item.metadata().unwrap().permissions().mode() & 0o111 == 0o111;
            Entry::File(File { exec, content: fs::read(item.path()).unwrap() })
        } else {
            continue;
        };
        entries.insert(path, entry);
    }
    entries
}

/// Every file and link of a tree, by path.
fn flat(tree: &Tree, prefix: &str, into: &mut BTreeMap<String, Entry>) {
    for (name, entry) in &tree.entries {
        let path = format!("{prefix}{name}");
        match entry {
            Entry::Folder(tree) => flat(tree, &format!("{path}/"), into),
            other => {
                into.insert(path, other.clone());
            }
        }
    }
}

/// Makes the environment with uv.
fn made_by_uv(wheels: &[Wheel], folder: &Path) -> BTreeMap<String, Entry> {
    let venv = folder.join("venv");
    let files = folder.join("wheels");
    fs::create_dir(&files).unwrap();
    for wheel in wheels {
        fs::write(files.join(&wheel.file_name), &wheel.bytes).unwrap();
    }
    let uv = || {
        let mut uv = Command::new(uv_program());
        uv.env("UV_CACHE_DIR", folder.join("cache"))
            .env("VIRTUAL_ENV", &venv)
            .env("UV_PYTHON_DOWNLOADS", "never");
        uv.env_remove("UV_COMPILE_BYTECODE").arg("--no-config").stderr(Stdio::inherit());
        uv
    };
    let made = uv().args(["venv", "--quiet", "--relocatable", "--python", "3.11"]).arg(&venv).status();
    assert!(made.unwrap().success(), "{NO_PYTHON}");
    let mut install = uv();
    install.args(["pip", "install", "--quiet", "--offline", "--no-index", "--no-deps"]);
    install.args(wheels.iter().map(|wheel| files.join(&wheel.file_name)));
    assert!(install.status().unwrap().success());
    on_disk(&venv)
}

#[test]
fn files_and_scripts_are_those_that_uv_makes() {
    let (lock, folders) = fetched();
    let mut wheels = read_wheels(lock, folders).unwrap();
    wheels.push(every_place());
    let folder = tempfile::tempdir().unwrap();
    let mut theirs = made_by_uv(&wheels, folder.path());
    let config = match &theirs["pyvenv.cfg"] {
        Entry::File(file) => String::from_utf8(file.content.clone()).unwrap(),
        other => panic!("{other:?}"),
    };
    let tree = lay_out(&PYTHON, &wheels).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let mut ours = BTreeMap::new();
    flat(&tree, "", &mut ours);
    assert_eq!(ours["bin/python"], Entry::Link("/usr/bin/python3.11".to_owned()));
    for key in ["implementation = CPython", "include-system-site-packages = false", "relocatable = true"] {
        let Entry::File(own) = &ours["pyvenv.cfg"] else { panic!("no file") };
        assert!(config.lines().any(|line| line == key), "{config}");
        assert!(String::from_utf8_lossy(&own.content).lines().any(|line| line == key));
    }
    for entries in [&mut ours, &mut theirs] {
        entries.retain(|path, _| !is_uvs_own(path));
    }
    assert!(ours.len() > 1300, "{}", ours.len());
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (path, entry) in &ours {
        assert!(*entry == theirs[path], "`{path}` differs");
    }
}

#[test]
fn record_is_that_of_the_wheel() {
    let tree = lay_out(&PYTHON, &[every_place()]).unwrap();
    let record = tree.get("lib/python3.11/site-packages/Every_Place-1.0.dist-info/RECORD");
    let Some(Entry::File(record)) = record else { panic!("{record:?}") };
    let record = String::from_utf8_lossy(&record.content);
    assert!(record.contains("Every_Place-1.0.data/scripts/plain,sha256=") && record.ends_with("RECORD,,\n"));
}

/// Writes a tree as it will lie on a target, but with modes that let it be removed.
fn write(tree: &Tree, folder: &Path) {
    fs::create_dir(folder).unwrap();
    for (name, entry) in &tree.entries {
        let path = folder.join(name);
        match entry {
            Entry::Folder(tree) => write(tree, &path),
            Entry::Link(to) => symlink(to, &path).unwrap(),
            Entry::File(file) => {
                fs::write(&path, &file.content).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(if file.exec { 0o755 } else { 0o644 }))
                    .unwrap();
            }
        }
    }
}

#[test]
fn it_runs_from_anywhere() {
    // An environment names its host's interpreter by path.
    assert!(Path::new("/usr/bin/python3.11").exists(), "{NO_PYTHON}");
    let (lock, folders) = fetched();
    let tree = lay_out(&PYTHON, &read_wheels(lock, folders).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let venv = folder.path().join("a venv");
    write(&tree, &venv);
    symlink(venv.join("bin/twist"), folder.path().join("twist")).unwrap();
    let output = Command::new(folder.path().join("twist"))
        .arg("--help")
        .env_clear()
        .env("PATH", "/bin")
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("comet"), "twist knows no comet: {said}");
    let imports = ["-c", "import comet, lxml.etree, sys; print(sys.prefix)"];
    let output = Command::new(venv.join("bin/python")).args(imports).env_clear().output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), venv.to_str().unwrap());
}
