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
fn what_cannot_be_placed_leaves_nothing() {
    let ((from_dir, from), (dir, mut root)) = (root(), root());
    std::fs::create_dir_all(dir.path().join("etc/x")).unwrap();
    std::fs::create_dir(from_dir.path().join("etc")).unwrap();
    std::fs::write(from_dir.path().join("etc/x"), "theirs").unwrap();
    assert!(root.place_link(&path("/etc/x"), "y", 1).is_err());
    assert!(root.copy_from(&from, &path("/etc/x"), 1).is_err());
    if rustix::process::geteuid().is_root() {
        assert!(root.place_copy(&path("/etc/x"), (b"ours", 0o644), 1).is_err());
    }
    assert_eq!(std::fs::read_dir(dir.path().join("etc")).unwrap().count(), 1);
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
    // A folder of root's in one that others can write, by a link of root's: they can put another in its place.
    std::fs::create_dir(dir.path().join("etc/open/inner")).unwrap();
    std::fs::set_permissions(dir.path().join("etc/open/inner"), mode(0o755)).unwrap();
    std::os::unix::fs::symlink("open/inner", dir.path().join("etc/linked")).unwrap();
    let found = root.writable_by_others(&path("/etc/open/x")).unwrap();
    if rustix::process::getuid().is_root() {
        assert_eq!(found, Some("/etc/open".to_owned()));
        assert_eq!(root.writable_by_others(&path("/etc/linked/x")).unwrap(), Some("/etc/open".to_owned()));
        assert_eq!(root.writable_by_others(&path("/etc/x")).unwrap(), None);
    } else {
        assert_eq!(found, Some("/".to_owned()));
    }
}

#[test]
fn a_copy_has_all_that_belongs_to_the_file() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    let ((from_dir, from), (to_dir, mut to)) = (root(), root());
    for dir in [&from_dir, &to_dir] {
        std::fs::create_dir(dir.path().join("etc")).unwrap();
    }
    let (source, copy) = (from_dir.path().join("etc/x"), to_dir.path().join("etc/x"));
    std::fs::write(&source, b"theirs\n").unwrap();
    std::fs::set_permissions(&source, std::fs::Permissions::from_mode(0o640)).unwrap();
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        std::os::unix::fs::chown(&source, Some(12), Some(34)).unwrap();
    }
    setxattr(&source, "user.note", b"\0\xff", XattrFlags::empty()).unwrap();
    let then = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000_000, 5);
    File::options().write(true).open(&source).unwrap().set_modified(then).unwrap();
    std::fs::write(&copy, b"ours\n").unwrap();
    to.copy_from(&from, &path("/etc/x"), 3).unwrap();
    let [theirs, given] = [&source, &copy].map(|file| file.symlink_metadata().unwrap());
    let all = |found: &std::fs::Metadata| {
        (found.mode(), found.uid(), found.gid(), found.mtime(), found.mtime_nsec())
    };
    assert_eq!(all(&given), all(&theirs));
    assert_eq!(std::fs::read(&copy).unwrap(), b"theirs\n");
    let mut value = [0_u8; 8];
    assert_eq!(getxattr(&copy, "user.note", &mut value[..]).unwrap(), 2);
    assert_eq!(&value[..2], b"\0\xff");

    std::os::unix::fs::symlink("../y", from_dir.path().join("etc/l")).unwrap();
    to.copy_from(&from, &path("/etc/l"), 3).unwrap();
    assert_eq!(to.look(&path("/etc/l")).unwrap(), Found::Link("../y".into()));
    assert_eq!(std::fs::read_dir(to_dir.path().join("etc")).unwrap().count(), 2);
    to.sync().unwrap();
}
