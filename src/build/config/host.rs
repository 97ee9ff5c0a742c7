//! Host files and the fragments that they import, as written.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

use crate::base::name::{InstanceName, ModuleName};
use crate::base::nearest::advice;
use crate::base::report::{Diagnostic, Place, Source};
use crate::store::sealed::HostKey;

use super::keys::{Keys, mismatch, string, table};
use super::tree::{Data, Entry, Node, Placed, parse};

/// The settings of `[host]` that are one text each.
pub const HOST_TEXTS: [&str; 6] = ["description", "address", "system", "arch", "python", "ssh_host_key"];

/// The other keys of `[host]`.
const HOST_LISTS: [&str; 4] = ["imports", "module_paths", "adopt", "modules"];

/// The machines that bundles can be compiled for, as uname(2) calls them.
pub const ARCHS: [&str; 2] = ["x86_64", "aarch64"];

/// The interpreters of the releases that are known: `python3` there.
const PYTHONS: [(&str, &str); 4] =
    [("debian-12", "3.11"), ("debian-13", "3.13"), ("ubuntu-22.04", "3.10"), ("ubuntu-24.04", "3.12")];

/// The minor version of the interpreter that a release has, where that is known.
#[must_use]
pub fn python_of(system: &str) -> Option<&'static str> {
    PYTHONS.iter().find(|(known, _)| *known == system).map(|(_, python)| *python)
}

/// A host file or a fragment, as written.
#[derive(Debug)]
pub struct HostFile {
    /// Its text.
    pub source: Arc<Source>,
    /// What it imports, relative to itself.
    pub imports: Vec<Placed<String>>,
    /// Where more modules are, relative to itself.
    pub module_paths: Vec<Placed<String>>,
    /// The paths, units and users of which those of somebody else are taken over.
    pub adopt: Vec<Placed<String>>,
    /// The modules that it turns on.
    pub modules: Vec<Placed<InstanceName>>,
    /// Whether its `modules` replace those of what it imports.
    pub replace_modules: bool,
    /// The texts of `[host]`, by name.
    pub texts: BTreeMap<&'static str, Placed<String>>,
    /// The tables of modules, by their keys, without `bind`.
    pub sections: BTreeMap<String, Entry>,
    /// The `bind` of these tables, by their keys: which instances the names of modules mean.
    pub binds: BTreeMap<String, BTreeMap<ModuleName, Binding>>,
}

/// That the name of a module means this instance.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The name, where it is written.
    pub key: Place,
    /// The instance.
    pub to: Placed<InstanceName>,
}

/// Reads the text of a host file or a fragment.
pub fn read(source: &Arc<Source>, faults: &mut Vec<Diagnostic>) -> HostFile {
    let mut sections = parse(source, faults).unwrap_or_default().entries;
    let mut file = HostFile {
        source: Arc::clone(source),
        imports: Vec::new(),
        module_paths: Vec::new(),
        adopt: Vec::new(),
        modules: Vec::new(),
        replace_modules: false,
        texts: BTreeMap::new(),
        sections: BTreeMap::new(),
        binds: BTreeMap::new(),
    };
    if let Some(entry) = sections.remove("host") {
        head(&mut file, &entry, faults);
    }
    sections.retain(|name, entry| {
        let of_host = HOST_TEXTS.contains(&name.as_str()) || HOST_LISTS.contains(&name.as_str());
        let stray = of_host && !matches!(entry.value.data, Data::Table(_));
        if stray {
            let message = format!("`{name}` stands outside of `[host]`");
            let help = "write it below a line `[host]`, and before the next table";
            faults.push(Diagnostic::error(message).at(entry.key.clone(), "").help(help));
        }
        !stray
    });
    for (name, entry) in &mut sections {
        if table(&entry.value, faults).is_some() && InstanceName::parse(name).is_err() {
            let message = format!("`{name}` is no module");
            let help = "a table of a host file is `[host]` or named like a module that is on";
            faults.push(Diagnostic::error(message).at(entry.key.clone(), "").help(help));
        }
        if let Data::Table(table) = &mut entry.value.data
            && let Some(bind) = table.entries.remove("bind")
        {
            file.binds.insert(name.clone(), bindings(&bind.value, faults));
        }
    }
    file.sections = sections;
    file
}

fn head(file: &mut HostFile, entry: &Entry, faults: &mut Vec<Diagnostic>) {
    let Some(head) = table(&entry.value, faults) else { return };
    let mut keys = Keys::new(head, entry.key.clone(), "`[host]`");
    for key in HOST_TEXTS {
        if let Some(text) = keys.string(key, faults) {
            check_text(key, &text, faults);
            file.texts.insert(key, text);
        }
    }
    file.imports = keys.strings("imports", faults);
    file.module_paths = keys.strings("module_paths", faults);
    file.adopt = keys.strings("adopt", faults);
    file.imports.retain(|path| is_relative(path, faults));
    file.module_paths.retain(|path| is_relative(path, faults));
    if let Some(entry) = keys.take("modules") {
        modules(file, &entry.value, faults);
    }
    keys.finish(faults);
}

fn modules(file: &mut HostFile, node: &Node, faults: &mut Vec<Diagnostic>) {
    let node = replacement(node).inspect(|_| file.replace_modules = true).unwrap_or(node);
    let Data::List(items) = &node.data else {
        faults.push(mismatch(node, "a list of module names"));
        return;
    };
    for name in items.iter().filter_map(|item| string(item, faults)).collect::<Vec<_>>() {
        file.modules.extend(instance(name, faults));
    }
}

fn instance(name: Placed<String>, faults: &mut Vec<Diagnostic>) -> Option<Placed<InstanceName>> {
    match InstanceName::parse(&name.value) {
        Ok(value) => Some(Placed { value, place: name.place }),
        Err(error) => {
            let help = "name a folder of `modules/`, or an instance of such a module, as `comet:backup`";
            faults.push(Diagnostic::error(error.to_string()).at(name.place, "").help(help));
            None
        }
    }
}

/// What `bind` says.
fn bindings(node: &Node, faults: &mut Vec<Diagnostic>) -> BTreeMap<ModuleName, Binding> {
    let mut found = BTreeMap::new();
    for (key, entry) in table(node, faults).iter().flat_map(|table| &table.entries) {
        let to = string(&entry.value, faults).and_then(|to| instance(to, faults));
        let Some(to) = to else { continue };
        if to.value.module().as_str() == key {
            let name = to.value.module().clone();
            found.insert(name, Binding { key: entry.key.clone(), to });
        } else {
            let message = format!("`{}` is no instance of `{key}`", to.value);
            let help = format!("write it like `bind.{key} = \"{key}:backup\"`");
            let error = Diagnostic::error(message).at(to.place, "").at(entry.key.clone(), "bound here");
            faults.push(error.help(help));
        }
    }
    found
}

/// What `{ replace = … }` has in it, where that is what a node is.
#[must_use]
pub fn replacement(node: &Node) -> Option<&Node> {
    let Data::Table(table) = &node.data else { return None };
    let mut entries = table.entries.iter();
    match (entries.next(), entries.next()) {
        (Some((key, entry)), None) if key == "replace" => Some(&entry.value),
        _ => None,
    }
}

fn is_relative(written: &Placed<String>, faults: &mut Vec<Diagnostic>) -> bool {
    let path = Path::new(&written.value);
    let relative = path.components().all(|part| !matches!(part, Component::RootDir | Component::Prefix(_)));
    let good = relative && !written.value.is_empty();
    if !good {
        faults.push(
            Diagnostic::error(format!("`{}` is no relative path", written.value))
                .at(written.place.clone(), "")
                .help("write it relative to this file, so that the folder can move"),
        );
    }
    good
}

fn check_text(key: &str, text: &Placed<String>, faults: &mut Vec<Diagnostic>) {
    faults.extend(text_fault(key, &text.value).map(|fault| fault.at(text.place.clone(), "")));
}

/// Why a text of `[host]` cannot be this; nothing where it can.
#[must_use]
pub fn text_fault(key: &str, value: &str) -> Option<Diagnostic> {
    let numbers = |text: &str| {
        !text.is_empty()
            && text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let (good, help) = match key {
        "system" => {
            let known = value
                .split_once('-')
                .is_some_and(|(id, version)| matches!(id, "debian" | "ubuntu") && numbers(version));
            (known, "write `debian-12`, `debian-13` or `ubuntu-24.04`, say".to_owned())
        }
        "arch" => (ARCHS.contains(&value), advice(value, ARCHS)),
        "python" => {
            let minor = value.strip_prefix("3.").and_then(|minor| minor.parse::<u8>().ok());
            let plain = minor.is_some_and(|minor| value == format!("3.{minor}") && minor >= 9);
            (plain, "write the interpreter's minor version, as `3.11`; 3.9 is the oldest".to_owned())
        }
        "address" => {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
            let good = !value.is_empty() && value.chars().all(plain) && !value.starts_with('-');
            (good, "write a host name or an address".to_owned())
        }
        "ssh_host_key" => match HostKey::parse(value) {
            Ok(_) => (true, String::new()),
            Err(error) => {
                (false, format!("{error}: take the line of `/etc/ssh/ssh_host_ed25519_key.pub` on the host"))
            }
        },
        _ => (!value.chars().any(char::is_control), "write it on one line".to_owned()),
    };
    let message = format!("`{}` is no `{key}` that is known", value.escape_debug());
    (!good).then(|| Diagnostic::error(message).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::report::{RenderStyle, render};

    fn read_text(text: &str) -> (HostFile, String) {
        let source = Arc::new(Source { name: "hosts/a.toml".to_owned(), text: text.to_owned() });
        let mut faults = Vec::new();
        let file = read(&source, &mut faults);
        (file, render(&faults, RenderStyle::default()))
    }

    #[test]
    fn a_host_is_read_as_written() {
        let (file, faults) = read_text(
            "[host]\nsystem = 'debian-12'\narch = 'x86_64'\npython = '3.11'\nimports = ['site.toml']\n\
             modules = { replace = ['comet'] }\n[comet]\nx = '{{ y }}'\n",
        );
        assert_eq!(faults, "");
        assert!(file.replace_modules && file.sections.contains_key("comet"));
        assert_eq!(file.modules[0].value.to_string(), "comet");
    }

    #[test]
    fn all_that_is_wrong_is_said() {
        let (_, faults) = read_text(
            "[host]\nsytem = 'debian-12'\narch = 'x86-64'\npython = '2.7'\nimports = ['/etc/x']\nmodules = ['a-b', 1]\n\
             [a-b]\n",
        );
        insta::assert_snapshot!(faults, @"
        error: `x86-64` is no `arch` that is known
         --> hosts/a.toml:3:8
          |
        3 | arch = 'x86-64'
          |        ^^^^^^^^
          |
          = help: did you mean `x86_64`?

        error: `2.7` is no `python` that is known
         --> hosts/a.toml:4:10
          |
        4 | python = '2.7'
          |          ^^^^^
          |
          = help: write the interpreter's minor version, as `3.11`; 3.9 is the oldest

        error: `/etc/x` is no relative path
         --> hosts/a.toml:5:12
          |
        5 | imports = ['/etc/x']
          |            ^^^^^^^^
          |
          = help: write it relative to this file, so that the folder can move

        error: expected a string, found an integer
         --> hosts/a.toml:6:19
          |
        6 | modules = ['a-b', 1]
          |                   ^ this is an integer
          |
          = help: write it in quotes

        error: `a-b` is no module name: lower-case letters, digits and `_`, the first a letter, at most 63, and not `host`, `each`, `instance`, `on` or `set`
         --> hosts/a.toml:6:12
          |
        6 | modules = ['a-b', 1]
          |            ^^^^^
          |
          = help: name a folder of `modules/`, or an instance of such a module, as `comet:backup`

        error: `[host]` has no key `sytem`
         --> hosts/a.toml:2:1
          |
        2 | sytem = 'debian-12'
          | ^^^^^
          |
          = help: did you mean `system`?

        error: `a-b` is no module
         --> hosts/a.toml:7:2
          |
        7 | [a-b]
          |  ^^^
          |
          = help: a table of a host file is `[host]` or named like a module that is on
        ");
    }
}
