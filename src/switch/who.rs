//! Who asks: the login behind a root shell.

#![expect(clippy::disallowed_methods, reason = "the door by which the login is found, for the record only")]

/// The login of the session (`/proc/self/loginuid`, or what sudo says), or `root` where none is known.
#[must_use]
pub fn who() -> String {
    let from_audit = || {
        let uid: u32 = std::fs::read_to_string("/proc/self/loginuid").ok()?.trim().parse().ok()?;
        let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
        let login = passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
            (id.parse() == Ok(uid)).then(|| name.to_owned())
        });
        login.filter(|_| uid != u32::MAX)
    };
    let from_sudo = || std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
    from_audit().or_else(from_sudo).unwrap_or_else(|| "root".to_owned())
}
