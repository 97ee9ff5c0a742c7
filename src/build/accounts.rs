//! Users, groups and folders, as systemd-sysusers and systemd-tmpfiles read them.

use std::fmt::Write as _;

use crate::base::path::TargetPath;
use crate::store::manifest::{Directory, Group, User};

/// A bundle's file for sysusers.d(5): locked users without a password, each with one group.
#[must_use]
pub fn sysusers(groups: &[Group], users: &[User]) -> String {
    let mut text = String::from("# Users and groups of this VOEvent node, from its host file.\n");
    for group in groups {
        let _ = writeln!(text, "g {} -", group.name);
    }
    for user in users {
        let (home, shell) = (word(&user.home), word(&user.shell));
        let _ = writeln!(text, "u {} -:{} \"VOEvent node\" {home} {shell}", user.name, user.group);
    }
    text
}

/// A bundle's file for tmpfiles.d(5): each folder is made where it is missing, its mode and owner put right.
#[must_use]
pub fn tmpfiles(directories: &[Directory]) -> String {
    let mut text = String::from("# Folders of this VOEvent node, from its host file.\n");
    for directory in directories {
        let path = word(&directory.path);
        let _ = writeln!(text, "d {path} {} {} {} - -", directory.mode, directory.owner, directory.group);
    }
    text
}

/// A path as one word: quoted where it must be, with specifiers and escapes taken literally.
fn word(path: &TargetPath) -> String {
    let text = path.as_str().replace('%', "%%");
    if text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\')) {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::UserName;
    use crate::store::manifest::Mode;

    fn name(text: &str) -> UserName {
        UserName::new(text).unwrap()
    }

    fn path(text: &str) -> TargetPath {
        TargetPath::new(text).unwrap()
    }

    #[test]
    fn a_line_each() {
        let users = [User {
            name: name("voeventserve"),
            group: name("voevent"),
            home: path("/home/voeventserve"),
            shell: path("/usr/sbin/nologin"),
            adopt: false,
        }];
        insta::assert_snapshot!(sysusers(&[Group { name: name("voevent") }], &users), @r#"
        # Users and groups of this VOEvent node, from its host file.
        g voevent -
        u voeventserve -:voevent "VOEvent node" /home/voeventserve /usr/sbin/nologin
        "#);
    }

    #[test]
    fn odd_paths_stay_one_word() {
        let directory = Directory {
            path: path("/srv/a b/%h\\\"x"),
            mode: Mode::new(0o750).unwrap(),
            owner: name("root"),
            group: name("root"),
        };
        insta::assert_snapshot!(tmpfiles(&[directory]), @r##"
        # Folders of this VOEvent node, from its host file.
        d "/srv/a b/%%h\\\"x" 0750 root root - -
        "##);
    }
}
