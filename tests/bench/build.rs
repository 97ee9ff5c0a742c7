//! Builds of the example host, beside unpacking its wheels.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::driver::{Explain, Result};
use crate::fleet::fleet;
use crate::measure::{Took, here};
use crate::sandbox::Sandbox;
use crate::table::Table;

const HOST: &str = "hosts/node1.toml";
const PROCESS: &str = "/bin/true";
const BSDTAR: &str = "bsdtar -x of the wheels, sync";

/// Ways to unpack all wheels of a folder, `$1`, into a new one, `$2`; each then waits for the disk, as the builder does.
const UNPACKERS: [(&str, &str, &str); 3] = [
    (
        BSDTAR,
        "bsdtar",
        r#"for wheel in "$1"/*.whl; do bsdtar -x -f "$wheel" -C "$2" || exit 1; done; sync -f "$2""#,
    ),
    (
        "unzip of the wheels, sync",
        "unzip",
        r#"for wheel in "$1"/*.whl; do unzip -q -o "$wheel" -d "$2" || exit 1; done; sync -f "$2""#,
    ),
    (
        "python3 zipfile of the wheels, sync",
        "python3",
        r#"python3 -c 'import glob, sys, zipfile
for wheel in glob.glob(sys.argv[1] + "/*.whl"): zipfile.ZipFile(wheel).extractall(sys.argv[2])' "$1" "$2"; sync -f "$2""#,
    ),
];

pub(crate) fn rows(table: &mut Table) -> Result<()> {
    let project = Sandbox::example();
    let build = |words: &[&str]| {
        let words = [env!("CARGO_BIN_EXE_voevent-build"), HOST].into_iter().chain(words.iter().copied());
        here(&project.path("."), &words.map(OsStr::new).collect::<Vec<_>>())
    };
    table.add((PROCESS, &[]), 50, |_| here(Path::new("/"), &["/bin/true".as_ref()]))?;
    build(&[])?;
    // Inputs that changed within the last tick of the clock are read again.
    std::thread::sleep(Duration::from_millis(100));
    build(&[])?;
    table.add(("build, nothing changed", &[PROCESS]), 50, |_| build(&[]))?;
    let original = project.read(HOST);
    table.add(("build, one option changed", &[PROCESS]), 20, |run| {
        project.write(HOST, &original.replace("example/node1\"", &format!("example/run{run}\"")));
        build(&[])
    })?;
    project.write(HOST, &original);
    table.add(("build, all notes but the venv's gone", &[PROCESS]), 20, |_| {
        project.remove("generated/.cache/node1.toml");
        build(&[])
    })?;
    checked(table)?;
    unpacked(table, &project)?;
    table
        .add(("build, store and notes empty", &[BSDTAR]), 7, |run| build(&["--out", &format!("out{run}")]))?;
    // A folder of objects cannot be written, not even by its owner: the sandbox's end would fail over it.
    (0..7).for_each(|run| project.remove(&format!("out{run}")));
    Ok(())
}

/// All hosts of a fleet in one run; without tools, whose time is theirs, and with those that are here.
fn checked(table: &mut Table) -> Result<()> {
    let project = fleet(200);
    let check = |path: &str| {
        let path = format!("PATH={path}");
        let words = ["/usr/bin/env", &path, env!("CARGO_BIN_EXE_voevent-build"), "check"];
        here(&project.path("."), &words.map(OsStr::new))
    };
    table.add(("check of 200 hosts of 30 modules", &[]), 5, |_| check("/nowhere"))?;
    let here = std::env::var("PATH").unwrap_or_default();
    table.add(("the same with outside tools", &[]), 3, |_| check(&here))
}

fn unpacked(table: &mut Table, project: &Sandbox) -> Result<()> {
    let wheels = project.path("hosts/locks/wheels");
    for (work, program, script) in UNPACKERS {
        if here(Path::new("/"), &["sh".as_ref(), "-c".as_ref(), format!("command -v {program}").as_ref()])
            .is_err()
        {
            eprintln!("left out: `{work}`: no `{program}` here");
            continue;
        }
        table.add((work, &[]), 7, |run| {
            let folder = project.path(&format!("{program}{run}"));
            fs::create_dir(&folder).explain(|| "make a folder".to_owned())?;
            let words = [
                "sh".as_ref(),
                "-c".as_ref(),
                script.as_ref(),
                "sh".as_ref(),
                wheels.as_os_str(),
                folder.as_os_str(),
            ];
            let Took { seconds, .. } = here(Path::new("/"), &words)?;
            Ok(Took { seconds, peak_kib: 0 })
        })?;
    }
    Ok(())
}
