//! Reads a lock, strictly: all that is wrong with it, each with its line. What gives another text when written again
//! was not written by us, and is refused too: so nothing in a lock goes unread.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{LockedFile, Sha256Sum};
use super::inputs::{Fork, LockInputs, Pin, requirement_fault};
use super::pylock::{LockedPackage, LockedSource, Pylock, WHEELS};
use crate::base::nesting::document;
use crate::wheel::name::{WheelName, normal};
use crate::wheel::tags::{Arch, Interpreter};
use crate::wheel::{MAX_BYTES, MAX_ENTRIES};

/// Longest text of a lock.
pub const MAX_TEXT: usize = 1 << 20;
/// Most packages in a lock, and most requirements.
pub(super) const MAX_PACKAGES: usize = 2000;
/// The most faults that are shown: more come of one cause.
const MAX_SHOWN: usize = 100;

/// Something wrong with a lock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct LockFault {
    /// From 1.
    pub line: usize,
    /// Lower case, no final period, backticks round names.
    pub message: String,
}

impl Pylock {
    /// Reads a lock's text.
    ///
    /// # Errors
    /// All that is wrong with it, by line.
    pub fn parse(text: &str) -> Result<Self, Vec<LockFault>> {
        if text.len() > MAX_TEXT {
            return Err(vec![LockFault { line: 1, message: "a lock has at most 1 MiB".to_owned() }]);
        }
        if text.contains('\r') {
            let message = "a line ends in CR LF, and every line of a lock in LF alone".to_owned();
            return Err(vec![LockFault { line: 1, message }]);
        }
        let ends = text.match_indices('\n').map(|(at, _)| at).collect();
        let mut walk = Walk { ends, faults: Vec::new() };
        let (root, errors) = match document(text) {
            Ok(read) => read,
            Err(error) => {
                walk.fault(error.at.clone(), error.to_string());
                return Err(walk.shown());
            }
        };
        for error in errors {
            walk.fault(error.span().unwrap_or(0..0), error.message().to_owned());
        }
        let lock = if walk.faults.is_empty() { walk.lock(root.get_ref()) } else { None };
        match lock {
            Some(lock) if walk.faults.is_empty() => {
                let written = lock.text();
                if written == text { Ok(lock) } else { Err(vec![first_difference(text, &written)]) }
            }
            _ => Err(walk.shown()),
        }
    }
}

fn first_difference(text: &str, written: &str) -> LockFault {
    let same = text.lines().zip(written.lines()).take_while(|(one, other)| one == other).count();
    let expected = written.lines().nth(same).unwrap_or_default();
    let message = format!("not as `voevent-build lock` writes it, which is `{expected}`");
    LockFault { line: same + 1, message }
}

/// The walk through the document.
struct Walk {
    /// Where the lines end.
    ends: Vec<usize>,
    faults: Vec<LockFault>,
}

/// A table and where it begins.
struct Fields<'d> {
    table: &'d DeTable<'d>,
    span: Range<usize>,
}

impl Walk {
    fn fault(&mut self, span: Range<usize>, message: String) {
        let line = self.ends.partition_point(|end| *end < span.start) + 1;
        self.faults.push(LockFault { line, message });
    }

    /// The faults by line, the first of them if they are many.
    fn shown(mut self) -> Vec<LockFault> {
        self.faults.sort();
        if self.faults.len() > MAX_SHOWN {
            let message = format!("{} more are not shown", self.faults.len() - MAX_SHOWN);
            self.faults.truncate(MAX_SHOWN);
            let line = self.faults.last().map_or(1, |last| last.line);
            self.faults.push(LockFault { line, message });
        }
        self.faults
    }

    fn get<'d>(&mut self, fields: &Fields<'d>, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        let value = fields.table.get(key);
        if value.is_none() {
            self.fault(fields.span.clone(), format!("`{key}` is missing"));
        }
        value
    }

    /// A string that passes a check, turned into what the check gives.
    fn text<'d, T>(
        &mut self,
        fields: &Fields<'d>,
        key: &str,
        check: impl FnOnce(&'d str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let value = self.get(fields, key)?;
        match value.get_ref().as_str().ok_or("must be a string").and_then(check) {
            Ok(value) => Some(value),
            Err(why) => {
                self.fault(value.span(), format!("`{key}` {why}"));
                None
            }
        }
    }

    fn number(&mut self, fields: &Fields<'_>, key: &str, max: u64) -> Option<u64> {
        let value = self.get(fields, key)?;
        let number = value.get_ref().as_integer().filter(|integer| integer.radix() == 10);
        let number = number.and_then(|integer| integer.as_str().parse().ok()).filter(|number| *number <= max);
        if number.is_none() {
            self.fault(value.span(), format!("`{key}` must be a number from 0 to {max}"));
        }
        number
    }

    fn table<'d>(&mut self, fields: &Fields<'d>, key: &str) -> Option<Fields<'d>> {
        let value = self.get(fields, key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.fault(value.span(), format!("`{key}` must be a table"));
        }
        Some(Fields { table: table?, span: value.span() })
    }

    fn tables<'d>(&mut self, fields: &Fields<'d>, key: &str) -> Vec<Fields<'d>> {
        let Some(value) = fields.table.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array().filter(|items| items.len() <= MAX_PACKAGES) else {
            self.fault(value.span(), format!("`{key}` must be at most {MAX_PACKAGES} tables"));
            return Vec::new();
        };
        let table = |item: &'d Spanned<DeValue<'d>>| {
            Some(Fields { table: item.get_ref().as_table()?, span: item.span() })
        };
        let tables: Vec<_> = items.iter().filter_map(table).collect();
        if tables.len() != items.len() {
            self.fault(value.span(), format!("`{key}` must be tables"));
        }
        tables
    }

    fn lock(&mut self, root: &DeTable<'_>) -> Option<Pylock> {
        let root = Fields { table: root, span: 0..0 };
        let known = |version: &str| if version == "1.0" { Ok(()) } else { Err("must be `1.0`") };
        self.text(&root, "lock-version", known)?;
        let ours = |by: &str| if by == "voevent-build" { Ok(()) } else { Err("must be `voevent-build`") };
        self.text(&root, "created-by", ours)?;
        let tool = self.table(&root, "tool")?;
        let tool = self.table(&tool, "voevent")?;
        let inputs = self.inputs(&tool);
        let mut packages: Vec<LockedPackage> = Vec::new();
        let mut sources: Vec<LockedSource> = Vec::new();
        let mut bytes = 0_u64;
        for fields in self.tables(&root, "packages") {
            let python = inputs.as_ref().map(|inputs| &inputs.python);
            if fields.table.contains_key("sdist") {
                sources.extend(self.source(&fields, python));
                continue;
            }
            let Some(package) = self.package(&fields, python) else { continue };
            bytes = bytes.saturating_add(package.wheel.size);
            if packages.last().is_some_and(|last| last.name >= package.name) {
                self.fault(
                    fields.span.clone(),
                    format!("package `{}` is out of order or there twice", package.name),
                );
            }
            packages.push(package);
        }
        if bytes > MAX_BYTES {
            self.fault(0..0, "the wheels have more than 1 GiB together".to_owned());
        }
        let inputs = inputs?;
        if !sources.iter().map(|source| &source.name).eq(&inputs.build_on_target) {
            self.fault(0..0, "the packages with source are not those of `build-on-target`".to_owned());
        }
        Some(Pylock { inputs, packages, sources })
    }

    fn source(&mut self, fields: &Fields<'_>, python: Option<&Interpreter>) -> Option<LockedSource> {
        let (name, version) = self.name_and_version(fields)?;
        let sdist = self.table(fields, "sdist")?;
        let file = self.text(&sdist, "path", |path| tarball(on_shelf(path)?));
        let size = self.number(&sdist, "size", MAX_BYTES);
        let hashes = self.table(&sdist, "hashes")?;
        let sha256 = self.text(&hashes, "sha256", sha256);
        let tool = self.table(fields, "tool")?;
        let tool = self.table(&tool, "voevent")?;
        let backend = self.text(&tool, "backend", |text| Ok(text.to_owned()));
        let backend_path = self.texts(&tool, "backend-path")?.into_iter().map(|(text, _)| text).collect();
        let mut requires = Vec::new();
        for fields in self.tables(&tool, "requires") {
            let Some(pin) = self.pin(&fields) else { continue };
            if let Some(python) = python.filter(|python| !python.takes(&pin.wheel.name)) {
                self.fault(fields.span, format!("`{}` is no wheel for {python}", pin.wheel.name));
            }
            requires.push(pin);
        }
        let sdist = LockedFile { name: file?, size: size?, sha256: sha256? };
        Some(LockedSource { name, version, sdist, backend: backend?, backend_path, requires })
    }

    /// A list of strings, each with its place.
    fn texts(&mut self, fields: &Fields<'_>, key: &str) -> Option<Vec<(String, Range<usize>)>> {
        let value = self.get(fields, key)?;
        let Some(items) = value.get_ref().as_array().filter(|items| items.len() <= MAX_PACKAGES) else {
            self.fault(value.span(), format!("`{key}` must be a list of at most {MAX_PACKAGES}"));
            return None;
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text.to_owned(), item.span())),
                None => self.fault(item.span(), format!("`{key}` must hold strings")),
            }
        }
        Some(texts)
    }

    fn package(&mut self, fields: &Fields<'_>, python: Option<&Interpreter>) -> Option<LockedPackage> {
        let (name, version) = self.name_and_version(fields)?;
        let [wheel] = &self.tables(fields, "wheels")[..] else {
            self.fault(fields.span.clone(), format!("package `{name}` must have one wheel"));
            return None;
        };
        let file = self.text(wheel, "path", |path| wheel_file(on_shelf(path)?, &name, &version))?;
        if let Some(python) = python.filter(|python| python.rank(&file.1).is_none()) {
            let message = format!("the wheel is for `{}`, and the lock for {python}", file.1.tags());
            self.fault(wheel.span.clone(), message);
        }
        let size = self.number(wheel, "size", MAX_BYTES);
        let hashes = self.table(wheel, "hashes")?;
        let sha256 = self.text(&hashes, "sha256", sha256)?;
        let wheel = LockedFile { name: file.0, size: size?, sha256 };
        let sdist = if fields.table.contains_key("tool") {
            let tool = self.table(fields, "tool")?;
            let tool = self.table(&tool, "voevent")?;
            let sdist = self.table(&tool, "sdist")?;
            Some(self.file(&sdist, sdist_file)?)
        } else {
            None
        };
        Some(LockedPackage { name, version, wheel, sdist })
    }

    fn inputs(&mut self, fields: &Fields<'_>) -> Option<LockInputs> {
        let requirements = self.requirements(fields);
        let minor = self.text(fields, "python", |text| {
            let minor = text.strip_prefix("3.").and_then(|minor| minor.parse().ok());
            minor.ok_or("must be as `3.11`")
        });
        let arch = self.text(fields, "arch", |text| Arch::parse(text).ok_or("must be `x86_64` or `aarch64`"));
        let glibc = self.text(fields, "glibc", |text| {
            let minor = text.strip_prefix("2.").and_then(|minor| minor.parse().ok());
            minor.ok_or("must be as `2.36`")
        });
        let epoch = self.number(fields, "source-date-epoch", u64::from(u32::MAX));
        let pins: Vec<_> =
            self.tables(fields, "build").iter().filter_map(|fields| self.pin(fields)).collect();
        let python = Interpreter { minor: minor?, arch: arch?, glibc: glibc? };
        let source = if fields.table.contains_key("source") { Some(self.fork(fields)?) } else { None };
        let build_on_target = if fields.table.contains_key("build-on-target") {
            self.texts(fields, "build-on-target")?.into_iter().map(|(text, _)| text).collect()
        } else {
            Vec::new()
        };
        let (requirements, epoch) = (requirements?, epoch?);
        Some(LockInputs { requirements, python, pins, epoch, source, build_on_target })
    }

    fn requirements(&mut self, fields: &Fields<'_>) -> Option<Vec<String>> {
        let requirements = self.texts(fields, "requirements")?;
        for (text, span) in &requirements {
            if let Some(why) = requirement_fault(text) {
                self.fault(span.clone(), format!("requirement `{}` {why}", text.escape_debug()));
            }
        }
        Some(requirements.into_iter().map(|(text, _)| text).collect())
    }

    fn fork(&mut self, fields: &Fields<'_>) -> Option<Fork> {
        let fork = self.table(fields, "source")?;
        let name = self.text(&fork, "name", package_name);
        let sdist = self.file(&fork, sdist_file);
        Some(Fork { name: name?, sdist: sdist? })
    }

    fn pin(&mut self, fields: &Fields<'_>) -> Option<Pin> {
        let (name, version) = self.name_and_version(fields)?;
        let wheel = self.file(fields, |file| wheel_file(file, &name, &version).map(|file| file.0))?;
        Some(Pin { name, version, wheel })
    }

    fn name_and_version(&mut self, fields: &Fields<'_>) -> Option<(String, String)> {
        let name = self.text(fields, "name", package_name);
        let version = self.text(fields, "version", |version| {
            let plain = version.bytes().all(|b| b.is_ascii_alphanumeric() || b".!+".contains(&b));
            let good = plain && version.len() <= 100 && version.starts_with(|c: char| c.is_ascii_digit());
            if good { Ok(version.to_owned()) } else { Err("is no version in normal form (PEP 440)") }
        });
        Some((name?, version?))
    }

    fn file<'d>(
        &mut self,
        fields: &Fields<'d>,
        name: impl FnOnce(&'d str) -> Result<String, &'static str>,
    ) -> Option<LockedFile> {
        let name = self.text(fields, "file", name);
        let size = self.number(fields, "size", MAX_BYTES);
        let sha256 = self.text(fields, "sha256", sha256);
        Some(LockedFile { name: name?, size: size?, sha256: sha256? })
    }
}

fn package_name(name: &str) -> Result<String, &'static str> {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let good = plain && name.len() <= 200 && normal(name) == name && !name.starts_with('-');
    if good && !name.is_empty() { Ok(name.to_owned()) } else { Err("is no name of a package in normal form") }
}

/// The name of a file in the folder beside the lock.
fn on_shelf(path: &str) -> Result<&str, &'static str> {
    path.strip_prefix(WHEELS).and_then(|rest| rest.strip_prefix('/')).ok_or("must begin with `wheels/`")
}

fn sha256(hex: &str) -> Result<Sha256Sum, &'static str> {
    Sha256Sum::from_hex(hex).ok_or("must be 64 lower-case hexadecimal digits")
}

fn wheel_file(file: &str, name: &str, version: &str) -> Result<(String, WheelName), &'static str> {
    let wheel = WheelName::parse(file).map_err(|_| "is no file name of a wheel")?;
    if wheel.is_of(name, version) {
        Ok((file.to_owned(), wheel))
    } else {
        Err("is of another package or version")
    }
}

/// The name of a source distribution (PEP 625, and older ones): it becomes a file's name and an argument.
pub(super) fn sdist_file(file: &str) -> Result<String, &'static str> {
    let plain = file.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+!".contains(&b));
    let kind = [".tar.gz", ".zip"].iter().any(|end| file.ends_with(end));
    let good = plain && kind && file.len() <= 255 && file.starts_with(|c: char| c.is_ascii_alphanumeric());
    if good { Ok(file.to_owned()) } else { Err("is no file name of a source distribution") }
}

/// The name of a source distribution that the target can unpack (PEP 625).
pub(super) fn tarball(file: &str) -> Result<String, &'static str> {
    sdist_file(file).and_then(|file| {
        if file.ends_with(".tar.gz") { Ok(file) } else { Err("is no `.tar.gz`, as source distributions are") }
    })
}

// One bound for what a wheel may hold and for what may hold wheels.
const _: () = assert!(MAX_PACKAGES <= MAX_ENTRIES);

#[cfg(test)]
mod tests;
