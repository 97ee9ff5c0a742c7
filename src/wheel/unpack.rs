//! One wheel: opened, checked against its `RECORD`, and its files given their places.

use super::archive::Archive;
use super::fault::Problem;
use super::metadata;
use super::name::{WheelName, normal, same_version};
use super::place::{Place, Places};
use super::record::Record;
use super::script::{self, EntryPoint};
use super::tags::Interpreter;
use super::{Placed, Wheel};
use crate::store::object::File;

/// Reads a wheel's name and list of contents.
pub(super) fn open<'a>(
    python: &Interpreter,
    wheel: &'a Wheel,
) -> Result<(WheelName, Archive<'a>), Vec<Problem>> {
    let (name, archive) = open_any(wheel)?;
    if python.rank(&name).is_none() {
        return Err(vec![Problem::Unfit { tags: name.tags(), host: python.to_string() }]);
    }
    Ok((name, archive))
}

/// The same, whoever can use it.
pub(super) fn open_any(wheel: &Wheel) -> Result<(WheelName, Archive<'_>), Vec<Problem>> {
    let name = WheelName::parse(&wheel.file_name).map_err(|why| vec![Problem::Name(why)])?;
    Ok((name, Archive::open(&wheel.bytes)?))
}

/// A wheel's files, unpacked and proven.
#[derive(Debug)]
struct Content {
    files: Vec<Placed>,
}

impl Content {
    fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.iter().find(|(name, _)| name == path).map(|(_, file)| file.content.as_slice())
    }
}

/// Unpacks a wheel and gives every file its place in the environment.
pub(super) fn unpack(
    python: &Interpreter,
    name: &WheelName,
    archive: Archive<'_>,
) -> Result<Vec<Placed>, Vec<Problem>> {
    let stem = dist_info(name, &archive)?;
    let info = |file: &str| format!("{stem}.dist-info/{file}");
    let content = read(archive, &info("RECORD"))?;
    let part = |file: &'static str| content.get(&info(file)).ok_or_else(|| vec![Problem::NoFile(file)]);
    metadata::check_format(part("WHEEL")?).map_err(|problem| vec![problem])?;
    let package = metadata::check_package(part("METADATA")?, name).map_err(|problem| vec![problem])?;
    let entry_points = match content.get(&info("entry_points.txt")) {
        Some(text) => script::entry_points(text, python.minor)?,
        None => Vec::new(),
    };
    spread(&Places::new(python, &stem, &package), content, &entry_points)
}

/// The one `<name>-<version>.dist-info` of a wheel, without that ending.
fn dist_info(name: &WheelName, archive: &Archive<'_>) -> Result<String, Vec<Problem>> {
    let mut stems: Vec<&str> = archive
        .files()
        .iter()
        .filter_map(|file| file.path.split_once('/')?.0.strip_suffix(".dist-info"))
        .collect();
    stems.sort_unstable();
    stems.dedup();
    match stems[..] {
        [stem] if is_stem_of(stem, name) => Ok(stem.to_owned()),
        [] | [_] => Err(vec![Problem::NoDistInfo(format!("{}-{}.dist-info", name.name, name.version))]),
        _ => Err(vec![Problem::TwoDistInfos]),
    }
}

fn is_stem_of(stem: &str, name: &WheelName) -> bool {
    stem.split_once('-').is_some_and(|(package, version)| {
        normal(package) == normal(&name.name) && same_version(version, &name.version)
    })
}

/// Unpacks every file and compares it with `RECORD`, which itself and whose signatures need no hash.
fn read(mut archive: Archive<'_>, record_path: &str) -> Result<Content, Vec<Problem>> {
    let exempt: Vec<String> = ["", ".jws", ".p7s"].iter().map(|end| format!("{record_path}{end}")).collect();
    let listed = archive.files().to_vec();
    let record = listed.iter().find(|file| file.path == record_path);
    let record = record.ok_or_else(|| vec![Problem::NoFile("RECORD")])?;
    let record = archive.read(record, true).map_err(|problem| vec![problem])?;
    let mut record = Record::parse(&record).map_err(|problem| vec![problem])?;
    let mut files = Vec::with_capacity(listed.len());
    let mut problems = Vec::new();
    for file in listed {
        let free = exempt.contains(&file.path);
        match archive.read(&file, free) {
            Err(problem) => problems.push(problem),
            Ok(content) => {
                if !free && let Err(problem) = record.check(&file.path, &content) {
                    problems.push(problem);
                }
                files.push((file.path, File { exec: file.exec, content }));
            }
        }
    }
    // Files that could not be unpacked are named once.
    if problems.is_empty() {
        problems = record.missing(&exempt);
    }
    if problems.is_empty() { Ok(Content { files }) } else { Err(problems) }
}

/// Gives files and scripts their places.
fn spread(places: &Places, content: Content, points: &[EntryPoint]) -> Result<Vec<Placed>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut done: Vec<Placed> = Vec::with_capacity(content.files.len() + points.len());
    for point in points {
        done.push((format!("bin/{}", point.name), File { exec: true, content: point.text().into_bytes() }));
    }
    for (path, file) in content.files {
        match places.of(&path) {
            Ok(Place::File(path)) => done.push((path, file)),
            Ok(Place::Script(name)) if points.iter().any(|point| point.is(&name)) => {}
            Ok(Place::Script(name)) => {
                let content = script::installed(file.content);
                done.push((format!("bin/{name}"), File { exec: true, content }));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(done) } else { Err(problems) }
}
