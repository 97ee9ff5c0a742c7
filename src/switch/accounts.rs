//! Users and groups as passwd(5) and group(5) have them, and what differs from those that a bundle wants.
//!
//! systemd-sysusers ends with 0 when a user of that name is there already, whatever it is: so its work is compared.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::manifest::{Group, User};

/// Groups of Debian whose members can become root, or read what only root should (base-passwd, "users-and-groups").
const POWERFUL: [&str; 12] = [
    "adm",
    "disk",
    "docker",
    "incus-admin",
    "kmem",
    "libvirt",
    "lxd",
    "root",
    "shadow",
    "staff",
    "sudo",
    "wheel",
];

/// A line of passwd(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user's number.
    pub uid: u32,
    /// The number of the primary group.
    pub gid: u32,
    /// The home folder.
    pub home: String,
    /// The login shell.
    pub shell: String,
}

/// A line of group(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    /// The group's number.
    pub gid: u32,
    /// The users for whom it is not the primary group.
    pub members: BTreeSet<String>,
}

/// What a machine has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// By login.
    pub users: BTreeMap<String, Account>,
    /// By name.
    pub groups: BTreeMap<String, Members>,
}

/// Something that is not as a bundle wants it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// There is no such user.
    #[error("user `{0}` is not there")]
    NoUser(String),
    /// There is no such group.
    #[error("group `{0}` is not there")]
    NoGroup(String),
    /// The user is root by another name.
    #[error("user `{0}` has the number 0: it is root by another name")]
    IsRoot(String),
    /// Its group is root's.
    #[error("group `{0}` has the number 0: it is root's by another name")]
    IsRootGroup(String),
    /// Two names of one user.
    #[error("user `{user}` has the same number as `{other}`: what one may do, the other may")]
    SameNumber {
        /// Ours.
        user: String,
        /// Another.
        other: String,
    },
    /// Another home folder.
    #[error("user `{user}` has the home `{found}`, not `{wanted}`")]
    Home {
        /// The user.
        user: String,
        /// The one it should have.
        wanted: String,
        /// The one it has.
        found: String,
    },
    /// Another shell.
    #[error("user `{user}` has the shell `{found}`, not `{wanted}`")]
    Shell {
        /// The user.
        user: String,
        /// The one it should have.
        wanted: String,
        /// The one it has.
        found: String,
    },
    /// Another primary group.
    #[error("user `{user}` has the primary group `{found}`, not `{wanted}`")]
    PrimaryGroup {
        /// The user.
        user: String,
        /// The one it should have.
        wanted: String,
        /// The one it has.
        found: String,
    },
    /// It may do much more than it should.
    #[error("user `{user}` is in the group `{group}`, which gives power over the machine")]
    Powerful {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
}

/// What differs from what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What must not be.
    pub wrong: Vec<Difference>,
    /// What users are like that are taken as they are.
    pub taken: Vec<Difference>,
}

impl Difference {
    /// The user who could be taken as he is, where that is all that is the matter.
    #[must_use]
    pub fn adopted(&self) -> Option<&str> {
        match self {
            Self::Home { user, .. } | Self::Shell { user, .. } | Self::PrimaryGroup { user, .. } => {
                Some(user)
            }
            _ => None,
        }
    }

    /// Whether it will be made.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::NoUser(_) | Self::NoGroup(_))
    }
}

impl Accounts {
    /// Reads both files. As for the C library, a line that is none is passed over, and of two with one name the first
    /// counts.
    #[must_use]
    pub fn parse(passwd: &str, group: &str) -> Self {
        let mut accounts = Self::default();
        accounts.add(passwd, group);
        accounts
    }

    /// Adds those of other sources that are not known yet.
    pub fn add(&mut self, passwd: &str, group: &str) {
        for (name, account) in passwd.lines().filter_map(account) {
            self.users.entry(name).or_insert(account);
        }
        for (name, members) in group.lines().filter_map(members) {
            self.groups.entry(name).or_insert(members);
        }
    }

    /// The name of a group, else its number.
    #[must_use]
    pub fn group_name(&self, gid: u32) -> String {
        let named = self.groups.iter().find(|(_, group)| group.gid == gid);
        named.map_or_else(|| gid.to_string(), |(name, _)| name.clone())
    }

    /// The name of a user, else its number.
    #[must_use]
    pub fn user_name(&self, uid: u32) -> String {
        let named = self.users.iter().find(|(_, user)| user.uid == uid);
        named.map_or_else(|| uid.to_string(), |(name, _)| name.clone())
    }

    /// What differs from what is wanted, groups first.
    #[must_use]
    pub fn compare(&self, users: &[User], groups: &[Group]) -> Compared {
        let differences = self.differences(users, groups);
        let adopts = |name: &str| users.iter().any(|user| user.adopt && user.name.as_str() == name);
        let (taken, wrong) = differences.into_iter().partition(|one| one.adopted().is_some_and(adopts));
        Compared { wrong, taken }
    }

    fn differences(&self, users: &[User], groups: &[Group]) -> Vec<Difference> {
        let mut differences = Vec::new();
        for group in groups {
            let name = group.name.as_str();
            match self.groups.get(name) {
                None => differences.push(Difference::NoGroup(name.to_owned())),
                Some(found) if found.gid == 0 => differences.push(Difference::IsRootGroup(name.to_owned())),
                Some(_) => {}
            }
        }
        for user in users {
            match self.users.get(user.name.as_str()) {
                None => differences.push(Difference::NoUser(user.name.to_string())),
                Some(found) => self.compare_user(user, found, &mut differences),
            }
        }
        differences
    }

    fn compare_user(&self, wanted: &User, found: &Account, differences: &mut Vec<Difference>) {
        let user = wanted.name.to_string();
        if found.uid == 0 {
            differences.push(Difference::IsRoot(user.clone()));
        }
        let twins = self.users.iter().filter(|(name, other)| **name != user && other.uid == found.uid);
        for (other, _) in twins.filter(|_| found.uid != 0) {
            differences.push(Difference::SameNumber { user: user.clone(), other: other.clone() });
        }
        if found.home != wanted.home.as_str() {
            let (wanted, found) = (wanted.home.to_string(), found.home.clone());
            differences.push(Difference::Home { user: user.clone(), wanted, found });
        }
        if merged(&found.shell) != merged(wanted.shell.as_str()) {
            let (wanted, found) = (wanted.shell.to_string(), found.shell.clone());
            differences.push(Difference::Shell { user: user.clone(), wanted, found });
        }
        let group = self.groups.get(wanted.group.as_str());
        if group.is_none_or(|group| group.gid != found.gid) {
            let (wanted, found) = (wanted.group.to_string(), self.group_name(found.gid));
            differences.push(Difference::PrimaryGroup { user: user.clone(), wanted, found });
        }
        let powerful = self.groups.iter().filter(|(name, _)| POWERFUL.contains(&name.as_str()));
        for (name, group) in powerful {
            if group.members.contains(&user) || group.gid == found.gid {
                differences.push(Difference::Powerful { user: user.clone(), group: name.clone() });
            }
        }
    }
}

/// A shell's path where `/bin` is `/usr/bin`; none is `/bin/sh` (passwd(5)).
fn merged(shell: &str) -> &str {
    let path = if shell.is_empty() { "/bin/sh" } else { shell };
    path.strip_prefix("/usr")
        .filter(|rest| rest.starts_with("/bin/") || rest.starts_with("/sbin/"))
        .unwrap_or(path)
}

fn account(line: &str) -> Option<(String, Account)> {
    let fields: Vec<&str> = line.split(':').collect();
    let &[name, _, uid, gid, _, home, shell] = fields.as_slice() else { return None };
    let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
    let account = Account { uid, gid, home: home.to_owned(), shell: shell.to_owned() };
    named(name).map(|name| (name, account))
}

fn members(line: &str) -> Option<(String, Members)> {
    let fields: Vec<&str> = line.split(':').collect();
    let &[name, _, gid, members] = fields.as_slice() else { return None };
    let members = members.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
    Some((named(name)?, Members { gid: gid.parse().ok()?, members }))
}

/// No name: none at all, a comment, and what nis(5) adds.
fn named(name: &str) -> Option<String> {
    (!name.is_empty() && !name.starts_with(['#', '+', '-'])).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::UserName;
    use crate::base::path::TargetPath;
    use proptest::prelude::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        # a comment\n+::::::\nbroken:x:1\n\
        serve:x:996:997:VOEvent:/home/serve:/usr/sbin/nologin\n\
        serve:x:1:1::/:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nsudo:x:27:ann,bob\nvoevent:x:997:serve,other\n";

    fn user(name: &str, home: &str, shell: &str) -> User {
        User {
            name: UserName::new(name).unwrap(),
            group: UserName::new("voevent").unwrap(),
            home: TargetPath::new(home).unwrap(),
            shell: TargetPath::new(shell).unwrap(),
            adopt: false,
        }
    }

    fn told(passwd: &str, group: &str, user: User) -> Vec<String> {
        let groups = [Group { name: UserName::new("voevent").unwrap() }];
        let compared = Accounts::parse(passwd, group).compare(&[user], &groups);
        compared.wrong.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn files_are_read_as_the_c_library_reads_them() {
        let accounts = Accounts::parse(PASSWD, GROUP);
        assert_eq!(accounts.users.keys().collect::<Vec<_>>(), ["root", "serve"]);
        assert_eq!(accounts.users["serve"].uid, 996);
        assert_eq!(accounts.groups["sudo"].members.len(), 2);
        assert_eq!((accounts.group_name(27), accounts.user_name(5)), ("sudo".into(), "5".into()));
    }

    #[test]
    fn the_same_is_no_difference() {
        assert_eq!(told(PASSWD, GROUP, user("serve", "/home/serve", "/usr/sbin/nologin")), [""; 0]);
        assert_eq!(told(PASSWD, GROUP, user("serve", "/home/serve", "/sbin/nologin")), [""; 0]);
    }

    #[test]
    fn every_difference_is_told() {
        let group = "root:x:0:\nsudo:x:27:serve\nvoevent:x:0:\nadm:x:997:\n";
        let passwd = format!("{PASSWD}twin:x:996:1::/:/bin/sh\n");
        assert_eq!(
            told(&passwd, group, user("serve", "/srv", "/bin/bash")),
            [
                "group `voevent` has the number 0: it is root's by another name",
                "user `serve` has the same number as `twin`: what one may do, the other may",
                "user `serve` has the home `/home/serve`, not `/srv`",
                "user `serve` has the shell `/usr/sbin/nologin`, not `/bin/bash`",
                "user `serve` has the primary group `adm`, not `voevent`",
                "user `serve` is in the group `adm`, which gives power over the machine",
                "user `serve` is in the group `sudo`, which gives power over the machine",
            ]
        );
        let missing = told("", "", user("serve", "/srv", "/bin/bash"));
        assert_eq!(missing, ["group `voevent` is not there", "user `serve` is not there"]);
        let root = told("serve:x:0:997::/srv:/bin/bash", GROUP, user("serve", "/srv", "/bin/bash"));
        assert_eq!(root, ["user `serve` has the number 0: it is root by another name"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(passwd in "[a-z0-9:,\n+#-]{0,200}", group in "[a-z0-9:,\n]{0,200}") {
            let _ = Accounts::parse(&passwd, &group);
        }
    }
}
