//! The files that settings of the types `file` and `secret` name: read in the place of their names, before anything is evaluated.
//!
//! A name is relative to the folder of the file that says it, be that a host file, a fragment or a module, and leads to
//! no other folder than that one and those in it.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

use crate::base::name::Label;
use crate::base::report::{Diagnostic, Place};
use crate::base::value::NamedFile;
use crate::store::sealed::{HostKey, Recipient, recipients, words};

use super::config::module::ModuleFile;
use super::config::option::OptionDecl;
use super::config::tree::{Data, Entry, Node, Placed};
use super::graph::Modules;
use super::host::HostFiles;
use super::load::Loader;
use super::renames::{is_replacement, rewrite};
use super::types::{Scalar, Type};

/// Reads all files that host files, `[[set]]` and defaults name.
pub fn read(loader: &mut Loader<'_>, files: &mut HostFiles, modules: &mut Modules) {
    if !modules.values().any(|module| module.file.options.values().any(|decl| decl.any(&names_files))) {
        return;
    }
    let key = files.text("ssh_host_key", &mut Vec::new());
    let mut reader = Reader { loader, code: false, key };
    for (name, entry) in files.files.iter_mut().flat_map(|file| &mut file.sections) {
        if let Some(module) = modules.values().find(|module| module.name.to_string() == *name) {
            reader.section(&module.file, &mut entry.value);
        }
    }
    reader.code = true;
    rewrite(modules, |module, all| {
        for (name, entry) in module.sets.iter_mut().flat_map(|set| &mut set.targets.entries) {
            if let Some(target) = all.get(name.as_str()) {
                reader.section(target, &mut entry.value);
            }
        }
        reader.defaults(&mut module.options);
    });
}

fn names_files(decl: &OptionDecl) -> bool {
    let mut kind = &decl.kind;
    while let Type::Map(item) | Type::List { item, .. } = kind {
        kind = item;
    }
    matches!(kind, Type::Scalar(Scalar::File { .. } | Scalar::Secret))
}

struct Reader<'a, 'b> {
    loader: &'a mut Loader<'b>,
    /// Whether strings may be expressions.
    code: bool,
    /// The public key of the host.
    key: Option<Placed<String>>,
}

impl Reader<'_, '_> {
    fn section(&mut self, module: &ModuleFile, node: &mut Node) {
        if let Data::Table(table) = &mut node.data {
            self.table(&module.options, &mut table.entries);
        }
    }

    fn table(&mut self, options: &BTreeMap<String, OptionDecl>, entries: &mut BTreeMap<String, Entry>) {
        for (name, entry) in entries {
            if let Some(decl) = options.get(name) {
                self.value(&decl.kind, &mut entry.value);
            }
        }
    }

    fn defaults(&mut self, options: &mut BTreeMap<String, OptionDecl>) {
        for decl in options.values_mut() {
            if let Some(node) = &mut decl.default {
                self.value(&decl.kind, node);
            }
            let mut kind = &mut decl.kind;
            while let Type::Map(item) | Type::List { item, .. } = kind {
                kind = item;
            }
            if let Type::Table(fields) = kind {
                self.defaults(fields);
            }
        }
    }

    fn value(&mut self, kind: &Type, node: &mut Node) {
        match (kind, &mut node.data) {
            (Type::Scalar(Scalar::File { exec }), Data::Str(name)) if !(self.code && name.contains("{{")) => {
                // Where it cannot be read that is said, and the host is given up.
                if let Some(file) = self.file(node, *exec) {
                    node.data = Data::File(Arc::new(file));
                }
            }
            (_, Data::Table(table)) if is_replacement(table) => {
                table.entries.values_mut().for_each(|entry| self.value(kind, &mut entry.value));
            }
            (Type::Scalar(Scalar::Secret), Data::Table(table)) => {
                if let Some(entry) = table.entries.get_mut("age") {
                    self.secret(&mut entry.value);
                }
            }
            (Type::List { item, .. }, Data::List(nodes)) => {
                for node in nodes {
                    self.value(item, node);
                }
            }
            (Type::Map(item), Data::Table(table)) => {
                table.entries.values_mut().for_each(|entry| self.value(item, &mut entry.value));
            }
            (Type::Table(fields), Data::Table(table)) => self.table(fields, &mut table.entries),
            _ => {}
        }
    }

    fn secret(&mut self, node: &mut Node) {
        if matches!(&node.data, Data::Str(name) if self.code && name.contains("{{")) {
            return;
        }
        let Some(file) = self.file(node, false) else { return };
        match self.is_for_the_host(&file, &node.place) {
            Ok(()) => node.data = Data::File(Arc::new(file)),
            Err(error) => self.loader.faults.push(error),
        }
    }

    /// Refuses a file that the host could not decrypt, as far as is known.
    fn is_for_the_host(&self, file: &NamedFile, at: &Place) -> Result<(), Diagnostic> {
        let path = &file.path;
        let help = "encrypt the secret by `voevent-build secret HOST FILE`, with `ssh_host_key` in `[host]`";
        let recipients = recipients(&file.bytes).map_err(|error| {
            let message = format!("`{path}` is no secret that a host can decrypt: {error}");
            Diagnostic::error(message).at(at.clone(), "").help(help)
        })?;
        let Some(written) = &self.key else { return Ok(()) };
        match HostKey::parse(&written.value) {
            Ok(key) if !key.is_among(&recipients) && !recipients.contains(&Recipient::Age) => {
                let message = format!(
                    "`{path}` is not encrypted for this host, which has {}, but for {}",
                    key.tag(),
                    words(&recipients)
                );
                let error = Diagnostic::error(message).at(at.clone(), "");
                Err(error.at(written.place.clone(), "its key").help(help))
            }
            // A key that is none was found to be so before.
            _ => Ok(()),
        }
    }

    fn file(&mut self, node: &Node, exec: bool) -> Option<NamedFile> {
        let Data::Str(name) = &node.data else { return None };
        let mut fault = |message: String, help: &str| {
            self.loader.faults.push(Diagnostic::error(message).at(node.place.clone(), "").help(help));
        };
        let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || name.is_empty() || name.ends_with('/') {
            let message = format!("`{}` is no file in the folder of this one", name.escape_debug());
            fault(message, "write it relative to the folder of the file that names it, without `..`");
            return None;
        }
        let last = name.rsplit('/').next().unwrap_or(name);
        let label = match Label::new(last) {
            Ok(label) => label,
            Err(error) => {
                fault(format!("no object can be called so: {error}"), "give the file another name");
                return None;
            }
        };
        let folder = Path::new(&node.place.source.name).parent().unwrap_or(Path::new(""));
        let path = folder.join(name);
        let bytes = self.loader.bytes(&path, &node.place)?;
        Some(NamedFile { label, path: path.to_string_lossy().into_owned(), exec, bytes })
    }
}
