//! Which files of a folder describe hosts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::base::report::Diagnostic;
use crate::build::config::host;
use crate::build::sources::{Tree, normal, text};

/// The hosts of a folder, by name: all its files `*.toml` that no other of them imports; those are fragments.
///
/// # Errors
/// Where there is none.
pub fn hosts(tree: &mut dyn Tree, folder: &Path) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    let names = tree.list(folder);
    let files: Vec<PathBuf> =
        names.iter().filter(|name| is_file_of_host(name)).map(|name| folder.join(name)).collect();
    let mut fragments = BTreeSet::new();
    for path in &files {
        // What is wrong with a file is said when it is compiled.
        let Ok(source) = tree
            .read(path)
            .map_err(drop)
            .and_then(|bytes| text(&path.to_string_lossy(), bytes).map_err(drop))
        else {
            continue;
        };
        let file = host::read(&source, &mut Vec::new());
        let imports = file.imports.iter().map(|import| normal(&folder.join(&import.value)));
        fragments.extend(imports.filter(|import| import != path));
    }
    let found: Vec<PathBuf> = files.into_iter().filter(|path| !fragments.contains(&normal(path))).collect();
    if found.is_empty() {
        let message = format!("there is no host in `{}`", folder.display());
        let help = "go to the folder that has `hosts/`, or name host files";
        return Err(vec![Diagnostic::error(message).help(help)]);
    }
    Ok(found)
}

fn is_file_of_host(name: &str) -> bool {
    !name.starts_with('.') && name.strip_suffix(".toml").is_some_and(|stem| !stem.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::sources::Memory;

    #[test]
    fn what_others_import_is_no_host() {
        let files = [
            ("hosts/b.toml", "[host]\nimports = ['site.toml', './deep.toml']\n"),
            ("hosts/a.toml", "[host]\nimports = ['../hosts/site.toml']\n"),
            ("hosts/deep.toml", "[host]\nimports = ['deepest.toml']\n"),
            ("hosts/deepest.toml", ""),
            ("hosts/site.toml", ""),
            ("hosts/broken.toml", "[host\nimports = ['a.toml']"),
            ("hosts/README.md", ""),
            ("hosts/.x.toml", ""),
            ("hosts/locks/pylock.x.toml", ""),
        ];
        let files = files.map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec()));
        let mut tree = Memory(files.into());
        let found = hosts(&mut tree, Path::new("hosts")).unwrap();
        assert_eq!(found, ["hosts/a.toml", "hosts/b.toml", "hosts/broken.toml"].map(PathBuf::from));
        let none = hosts(&mut tree, Path::new("nowhere")).unwrap_err();
        assert_eq!(none[0].message, "there is no host in `nowhere`");
    }
}
