//! Users, groups and folders, made by systemd-sysusers(8) and systemd-tmpfiles(8), and read back: the tools say little
//! of what they found there already.
//!
//! Both take their lines from standard input, so what is run is what was opened, with an offline root too. Users come
//! from the files and from `getent`; the C library's own lookup is not linked in.
#![expect(clippy::disallowed_methods, reason = "a door: it has users and folders made")]

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use crate::base::io::{IoError, OnPath as _};
use crate::base::name::UserName;
use crate::store::manifest::Directory;
use crate::switch::accounts::Accounts;
use crate::switch::peek::Peek;
use crate::switch::tool::{Tool, ToolError};

/// Larger files of users are no node's.
const MOST: u64 = 16 << 20;
/// How long each tool may take.
const TOOL_TIME: Duration = Duration::from_mins(1);
/// How long a name service may take to say that it does not know somebody.
const LOOKUP_TIME: Duration = Duration::from_secs(15);
/// What getent(1) ends with where one of the keys was not found.
const NOT_FOUND: i32 = 2;

/// Why users or folders could not be made, or read.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// A tool failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A file cannot be read.
    #[error(transparent)]
    Io(#[from] IoError),
}

/// A folder that is not as a bundle wants it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderDifference {
    /// It is not there.
    #[error("folder `{0}` is not there")]
    Missing(String),
    /// It is something else.
    #[error("`{0}` is no folder")]
    NoFolder(String),
    /// Another mode.
    #[error("folder `{path}` has the mode {found:04o}, not {wanted:04o}")]
    Mode {
        /// The folder.
        path: String,
        /// The one it should have.
        wanted: u32,
        /// The one it has.
        found: u32,
    },
    /// Another owner or group.
    #[error("folder `{path}` belongs to `{found}`, not `{wanted}`")]
    Owner {
        /// The folder.
        path: String,
        /// Those it should belong to, `user:group`.
        wanted: String,
        /// Those it does.
        found: String,
    },
}

/// The users and groups of a root. On the running system (`/`) those of `names` that its files do not have are asked
/// of the name services.
///
/// # Errors
/// Where they cannot be read; a name service that fails is one that knows nobody.
pub fn read<'a>(peek: &Peek, names: impl IntoIterator<Item = &'a UserName>) -> Result<Accounts, UsersError> {
    let passwd = peek.text("/etc/passwd", MOST)?.unwrap_or_default();
    let group = peek.text("/etc/group", MOST)?.unwrap_or_default();
    let mut accounts = Accounts::parse(&passwd, &group);
    if peek.dir() == Path::new("/") {
        for name in names {
            let name = name.as_str();
            if !accounts.users.contains_key(name) {
                accounts.add(&getent("passwd", name)?, "");
            }
            if !accounts.groups.contains_key(name) {
                accounts.add("", &getent("group", name)?);
            }
        }
    }
    Ok(accounts)
}

fn getent(database: &str, name: &str) -> Result<String, ToolError> {
    let output = Tool::new("getent", LOOKUP_TIME).args([database, "--", name]).run()?;
    match output.code() {
        0 => Ok(output.stdout),
        NOT_FOUND => Ok(String::new()),
        _ => Err(output.failed()),
    }
}

/// Has the users and groups of a sysusers.d(5) file made: those that are missing.
///
/// # Errors
/// Where the tool fails. That all are then as the file says is for [`Accounts::compare`] to tell.
pub fn make_users(root: &Path, file: &Path) -> Result<(), UsersError> {
    run("systemd-sysusers", root, file, &[])
}

/// Has the folders of a tmpfiles.d(5) file made, and their mode and owner set.
///
/// # Errors
/// Where the tool fails, or refuses a line. That all are then as the file says is for [`folders`] to tell.
pub fn make_folders(root: &Path, file: &Path) -> Result<(), UsersError> {
    run("systemd-tmpfiles", root, file, &["--create"])
}

fn run(tool: &str, root: &Path, file: &Path, arguments: &[&str]) -> Result<(), UsersError> {
    let input = File::open(file).on("open", file)?;
    let mut tool = Tool::new(tool, TOOL_TIME).args(arguments).input(input);
    if root != Path::new("/") {
        tool = tool.arg(format!("--root={}", root.display()));
    }
    tool.arg("-").run()?.good()?;
    Ok(())
}

/// What differs from the folders that are wanted.
///
/// # Errors
/// Where they cannot be looked at.
pub fn folders(
    peek: &Peek,
    wanted: &[Directory],
    accounts: &Accounts,
) -> Result<Vec<FolderDifference>, UsersError> {
    let mut differences = Vec::new();
    for folder in wanted {
        let path = folder.path.to_string();
        let Some(found) = peek.stat(&path)? else {
            differences.push(FolderDifference::Missing(path));
            continue;
        };
        if found.st_mode & 0o170_000 != 0o040_000 {
            differences.push(FolderDifference::NoFolder(path));
            continue;
        }
        let mode = found.st_mode & 0o7777;
        if mode != folder.mode.bits() {
            let wanted = folder.mode.bits();
            differences.push(FolderDifference::Mode { path: path.clone(), wanted, found: mode });
        }
        let uid = accounts.users.get(folder.owner.as_str()).map(|user| user.uid);
        let gid = accounts.groups.get(folder.group.as_str()).map(|group| group.gid);
        if uid != Some(found.st_uid) || gid != Some(found.st_gid) {
            let wanted = format!("{}:{}", folder.owner, folder.group);
            let found = format!("{}:{}", accounts.user_name(found.st_uid), accounts.group_name(found.st_gid));
            differences.push(FolderDifference::Owner { path, wanted, found });
        }
    }
    Ok(differences)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::path::TargetPath;
    use crate::store::manifest::Mode;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn folders_are_compared() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("etc")).unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        std::fs::set_permissions(dir.path().join("a"), PermissionsExt::from_mode(0o2750)).unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let lines = format!("me:x:{uid}:{gid}::/:/bin/sh\nyou:x:12345:{gid}::/:/bin/sh\n");
        std::fs::write(dir.path().join("etc/passwd"), lines).unwrap();
        std::fs::write(dir.path().join("etc/group"), format!("we:x:{gid}:\n")).unwrap();

        let peek = Peek::open(dir.path()).unwrap();
        let accounts = read(&peek, [&UserName::new("nobody-has-this-name").unwrap()]).unwrap();
        let folder = |path: &str, mode, owner: &str| Directory {
            path: TargetPath::new(path).unwrap(),
            mode: Mode::new(mode).unwrap(),
            owner: UserName::new(owner).unwrap(),
            group: UserName::new("we").unwrap(),
        };
        let wanted = [
            folder("/a", 0o2750, "me"),
            folder("/a", 0o755, "you"),
            folder("/b", 0o755, "me"),
            folder("/file", 0, "me"),
        ];
        let told: Vec<String> =
            folders(&peek, &wanted, &accounts).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "folder `/a` has the mode 2750, not 0755",
                "folder `/a` belongs to `me:we`, not `you:we`",
                "folder `/b` is not there",
                "`/file` is no folder",
            ]
        );
    }

    #[test]
    fn a_name_that_no_service_knows() {
        assert_eq!(getent("passwd", "nobody-has-this-name").unwrap(), "");
        assert!(getent("passwd", "root").unwrap().starts_with("root:"));
    }
}
