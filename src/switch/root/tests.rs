//! Tests of the door to managed paths, on folders of their own.

#![expect(clippy::disallowed_methods, reason = "tests look at what was changed")]

use super::*;

fn path(text: &str) -> TargetPath {
    TargetPath::new(text).unwrap()
}

fn root() -> (tempfile::TempDir, Root) {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::open(dir.path()).unwrap();
    (dir, root)
}

#[test]
fn links_come_and_go_with_their_folders() {
    let (_dir, mut root) = root();
    let managed = path("/etc/voevent/keys/ann");
    assert_eq!(root.look(&managed).unwrap(), Found::Absent);
    let missing = root.missing_folders(&managed);
    assert_eq!(missing, [path("/etc"), path("/etc/voevent"), path("/etc/voevent/keys")]);
    for folder in &missing {
        root.make_folder(folder).unwrap();
        root.make_folder(folder).unwrap();
    }
    root.place_link(&managed, "/var/lib/voevent/x", 1).unwrap();
    root.place_link(&managed, "/var/lib/voevent/y", 1).unwrap();
    assert_eq!(root.look(&managed).unwrap(), Found::Link("/var/lib/voevent/y".into()));
    root.remove_folder(&missing[2]).unwrap();
    root.remove(&managed).unwrap();
    root.remove(&managed).unwrap();
    for folder in missing.iter().rev() {
        root.remove_folder(folder).unwrap();
    }
    assert!(!root.is_folder("/etc"));
    root.sync().unwrap();
}

#[test]
fn a_link_to_the_root_of_the_machine_stays_in_the_offline_root() {
    let (dir, mut root) = root();
    std::fs::create_dir_all(dir.path().join("etc/real")).unwrap();
    std::os::unix::fs::symlink("/etc/real", dir.path().join("etc/alias")).unwrap();
    std::os::unix::fs::symlink("../../../../../../etc/real", dir.path().join("etc/up")).unwrap();
    root.place_link(&path("/etc/alias/a"), "x", 1).unwrap();
    root.place_link(&path("/etc/up/b"), "x", 1).unwrap();
    assert!(dir.path().join("etc/real/a").symlink_metadata().is_ok());
    assert!(dir.path().join("etc/real/b").symlink_metadata().is_ok());
}

#[test]
fn folders_are_found_in_the_root_and_nowhere_else() {
    let (dir, root) = root();
    let real = std::fs::canonicalize(dir.path()).unwrap();
    assert_eq!(root.real("/var/lib/voevent").unwrap(), real.join("var/lib/voevent"));
    std::fs::create_dir_all(dir.path().join("srv/var")).unwrap();
    std::os::unix::fs::symlink("/srv/var", dir.path().join("var")).unwrap();
    assert_eq!(root.real("/var/lib/voevent").unwrap(), real.join("srv/var/lib/voevent"));
    assert!(Root::open(Path::new(".")).unwrap().dir().is_absolute());
    assert!(!Root::open(Path::new("/tmp/..")).unwrap().is_offline());
}

#[test]
fn what_a_lesser_user_can_write_is_found() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, root) = root();
    std::fs::create_dir_all(dir.path().join("etc/open")).unwrap();
    let mode = std::fs::Permissions::from_mode;
    std::fs::set_permissions(dir.path(), mode(0o755)).unwrap();
    std::fs::set_permissions(dir.path().join("etc/open"), mode(0o777)).unwrap();
    let found = root.writable_by_others(&path("/etc/open/x")).unwrap();
    if rustix::process::getuid().is_root() {
        assert_eq!(found, Some("/etc/open".to_owned()));
        assert_eq!(root.writable_by_others(&path("/etc/x")).unwrap(), None);
    } else {
        assert_eq!(found, Some("/".to_owned()));
    }
}
