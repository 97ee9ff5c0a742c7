//! All modules of some folders, without a host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::name::ModuleName;
use crate::base::nearest::advice;
use crate::base::report::{Diagnostic, Severity};
use crate::build::config::module::{self, ModuleFile};
use crate::build::load::Loader;
use crate::build::module_folders::{ModuleFolder, each_once, nothing_in};
use crate::build::sources::Tree;

/// Modules by name, without a host that has them on.
pub type Library = BTreeMap<ModuleName, ModuleFile>;

/// The file that makes a folder a module.
const FILE: &str = "module.toml";

/// The modules of all folders; what is no module, such as a `README.md`, is passed over.
///
/// # Errors
/// Where a definition is wrong, two folders have a module of one name, or there is none: all that is wrong.
pub fn modules(tree: &mut dyn Tree, folders: Vec<ModuleFolder>) -> Result<Library, Vec<Diagnostic>> {
    let mut found: Vec<(ModuleName, PathBuf)> = Vec::new();
    let mut faults = Vec::new();
    let folders = each_once(folders);
    for folder in &folders {
        faults.extend(nothing_in(folder, tree));
        for name in tree.list(&folder.path) {
            let path = folder.path.join(&name);
            let Ok(name) = ModuleName::new(name) else { continue };
            if !tree.list(&path).iter().any(|file| file == FILE) {
                continue;
            }
            match found.iter().find(|(known, _)| *known == name) {
                Some((_, other)) => faults.push(twice(&name, other, &path)),
                None => found.push((name, path)),
            }
        }
    }
    if found.is_empty() {
        faults.push(none(&folders));
    }
    let mut loader = Loader { faults, ..Loader::new(tree, &[]) };
    let mut modules = Library::new();
    for (name, path) in found {
        if let Some(source) = loader.text(&path.join(FILE), None)
            && let Some(file) = module::read(&name, &source, &mut loader.faults)
        {
            modules.insert(name, file);
        }
    }
    let failed = loader.faults.iter().any(|fault| fault.severity == Severity::Error);
    if failed { Err(loader.faults) } else { Ok(modules) }
}

fn twice(name: &ModuleName, one: &Path, other: &Path) -> Diagnostic {
    let message = format!("two modules are called `{name}`: `{}` and `{}`", one.display(), other.display());
    Diagnostic::error(message).help("give one of the folders another name")
}

fn none(folders: &[ModuleFolder]) -> Diagnostic {
    let names: Vec<String> = folders.iter().map(|folder| format!("`{}`", folder.path.display())).collect();
    Diagnostic::error(format!("there is no module in {}", names.join(" or ")))
        .help("name the folder of the modules by `--modules`, or go to the folder that has it")
}

/// The error that a module is not there.
#[must_use]
pub fn unknown(name: &str, modules: &Library) -> Diagnostic {
    let help = advice(name, modules.keys().map(ModuleName::as_str));
    Diagnostic::error(format!("there is no module `{}`", name.escape_debug())).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::report::{RenderStyle, render};
    use crate::build::sources::Memory;

    fn read(files: &[(&str, &str)], folders: &[&str]) -> Result<Vec<String>, String> {
        let mut tree = Memory::default();
        tree.0.extend(files.iter().map(|(path, text)| (path.into(), (*text).into())));
        let folders = folders.iter().map(ModuleFolder::default_at).collect();
        match modules(&mut tree, folders) {
            Ok(modules) => Ok(modules.keys().map(ToString::to_string).collect()),
            Err(faults) => Err(render(&faults, RenderStyle::default())),
        }
    }

    const MODULE: &str = "[module]\ndescription = 'x'\n";

    #[test]
    fn what_is_no_module_is_passed_over() {
        let files = [
            ("a/b/module.toml", MODULE),
            ("a/README.md", "?"),
            ("a/No-Name/module.toml", "?"),
            ("c/d/x", "?"),
        ];
        assert_eq!(read(&files, &["a", "c"]), Ok(vec!["b".to_owned()]));
    }

    #[test]
    fn all_that_is_wrong_is_said() {
        let files =
            [("a/b/module.toml", MODULE), ("c/b/module.toml", MODULE), ("c/d/module.toml", "[modul]\n")];
        insta::assert_snapshot!(read(&files, &["a", "c"]).unwrap_err(), @r#"
        error: two modules are called `b`: `a/b` and `c/b`
         |
         = help: give one of the folders another name

        error: module `d` has no `[module]`
         --> c/d/module.toml:1:1
          |
        1 | [modul]
          | ^
          |
          = help: begin with `[module]` and a line `description = "…"`

        error: a module has no key `modul`
         --> c/d/module.toml:1:2
          |
        1 | [modul]
          |  ^^^^^
          |
          = help: did you mean `module`?
        "#);
        insta::assert_snapshot!(read(&[], &["a", "c"]).unwrap_err(), @"
        error: there is no module in `a` or `c`
         |
         = help: name the folder of the modules by `--modules`, or go to the folder that has it
        ");
    }
}
