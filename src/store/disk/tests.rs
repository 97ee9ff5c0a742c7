//! Tests of a store's folder.

use super::*;
use crate::base::name::Label;
use crate::store::object::File;
use std::os::unix::fs::MetadataExt as _;

fn tree(files: &[(&str, &str)]) -> Object {
    let mut tree = Tree::default();
    for (path, content) in files {
        let file = File { exec: path.starts_with("bin/"), content: (*content).into() };
        tree.insert(path, Entry::File(file)).unwrap();
    }
    tree.insert("lib64", Entry::Link("lib".into())).unwrap();
    Object::Tree(tree)
}

fn add(store: &Store, label: &str, object: &Object) -> (ObjectName, usize) {
    let name = object.digest().name(&Label::new(label).unwrap());
    let mut batch = store.batch().unwrap();
    batch.add(&name, object).unwrap();
    (name, batch.finish().unwrap())
}

#[test]
fn objects_have_no_time_and_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path().join("store"));
    let (name, new) = add(&store, "venv", &tree(&[("bin/x", "#!/bin/sh\n"), ("lib/y", "y")]));
    assert_eq!(new, 1);
    for (path, mode) in [("", 0o40555), ("bin/x", 0o100_555), ("lib/y", 0o100_444)] {
        let found = store.path(&name).join(path).symlink_metadata().unwrap();
        assert_eq!((found.mode(), found.mtime()), (mode, 1), "{path:?}");
    }
    remove(&store.path(&name)).unwrap();
    assert!(!store.has(&name));
}

#[test]
fn equal_files_of_different_trees_are_one_inode() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path());
    let (one, _) = add(&store, "one", &tree(&[("a", "same"), ("b", "same"), ("c", "1")]));
    let (two, _) = add(&store, "two", &tree(&[("a", "same"), ("c", "2")]));
    let inode = |name: &ObjectName, file: &str| store.path(name).join(file).metadata().unwrap().ino();
    assert_eq!(inode(&one, "a"), inode(&one, "b"));
    assert_eq!(inode(&one, "a"), inode(&two, "a"));
    assert_ne!(inode(&one, "c"), inode(&two, "c"));
}

#[test]
fn what_is_there_is_not_written_again_and_leftovers_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path());
    std::fs::create_dir_all(dir.path().join(".tmp-1-1/x")).unwrap();
    let object = tree(&[("a", "1")]);
    assert_eq!(add(&store, "one", &object).1, 1);
    assert_eq!(add(&store, "one", &object).1, 0);
    assert!(!dir.path().join(".tmp-1-1").exists());
}

#[test]
fn an_unfinished_batch_leaves_no_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path());
    let object = tree(&[("a", "1")]);
    let name = object.digest().name(&Label::new("x").unwrap());
    let mut batch = store.batch().unwrap();
    batch.add(&name, &object).unwrap();
    drop(batch);
    assert!(!store.has(&name));
    assert_eq!(std::fs::read_dir(store.pool()).unwrap().count(), 0);
}
