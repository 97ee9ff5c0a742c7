//! What a machine may be, and what is said of one that is not.

use super::*;

fn facts() -> Facts {
    let python =
        Python { version: "3.11.2".into(), soabi: "cpython-311-x86_64-linux-gnu".into(), dbm: "ndbm".into() };
    Facts {
        system: "debian-12".into(),
        machine: "x86_64".into(),
        python: Ok(python),
        packages: ["python3.11".to_owned()].into(),
        free: 1 << 30,
        listeners: Vec::new(),
        secrets: BTreeMap::new(),
    }
}

fn told(change: impl FnOnce(&mut Facts)) -> Vec<String> {
    let target = Target { arch: "x86_64".into(), python: "3.11".into(), system: "debian-12".into() };
    let packages = [PackageName::new("python3.11").unwrap()];
    let units = [UnitName::new("comet.service").unwrap()].into();
    let secret = |name: &str| Secret {
        unit: UnitName::new("gcn.service").unwrap(),
        name: name.to_owned(),
        path: TargetPath::new(format!("/etc/s/{name}")).unwrap(),
        object: None,
    };
    let mut facts = facts();
    change(&mut facts);
    let secrets: Vec<Secret> = facts.secrets.keys().map(|path| secret(path.file_name())).collect();
    let wanted =
        Wanted { target: &target, packages: &packages, bytes: 1 << 20, units: &units, secrets: &secrets };
    judge(&wanted, &facts).iter().map(ToString::to_string).collect()
}

fn listener(port: u16, pid: u32, unit: Option<&str>) -> Listener {
    Listener { port, pid: Some(pid), command: "twistd".into(), unit: unit.map(str::to_owned) }
}

#[test]
fn the_right_machine() {
    assert_eq!(told(|_| {}), [""; 0]);
    assert_eq!(told(|facts| facts.listeners = vec![listener(8099, 5, Some("comet.service"))]), [""; 0]);
    let both = vec![listener(8099, 5, Some("comet.service")), listener(8099, 6, None)];
    assert_eq!(told(|facts| facts.listeners = both), [""; 0]);
}

#[test]
fn all_reasons_are_told() {
    let problems = told(|facts| {
        facts.system = "ubuntu-24.04".into();
        facts.machine = "aarch64".into();
        facts.python = Err("it is not there".into());
        facts.packages.clear();
        facts.free = 1 << 20;
        facts.listeners = vec![
            listener(8098, 7, Some("old-comet.service")),
            listener(8099, 7, None),
            Listener { port: 8100, pid: None, command: String::new(), unit: None },
        ];
    });
    assert_eq!(
        problems,
        [
            "the bundle is for `debian-12`, this is `ubuntu-24.04`: set `host.system` and build again",
            "the bundle is for `x86_64`, this machine is `aarch64`: set `host.arch` and build again",
            "`/usr/bin/python3.11` cannot be used: it is not there; install the distribution's `python3.11`",
            "packages are missing: switch with `--install-packages`, or run \
             `apt-get install --no-install-recommends python3.11`",
            "17825792 bytes are needed and 1048576 are free: make room",
            "port 8098 is taken by `twistd` (process 7 of `old-comet.service`): stop it, or choose another port",
            "port 8099 is taken by `twistd` (process 7): stop it, or choose another port",
            "port 8100 is taken by a process that cannot be seen: stop it, or choose another port",
        ]
    );
}

#[test]
fn secrets_are_roots_alone() {
    let told = |found: SecretFile| {
        let path = TargetPath::new("/etc/s/x").unwrap();
        told(|facts| facts.secrets = [(path, found)].into()).join("")
    };
    let file = |owner, mode| SecretFile::File { owner, mode };
    assert_eq!(told(file(0, 0o400)), "");
    assert_eq!(told(file(0, 0o600)), "");
    for (found, reason) in [
        (SecretFile::Missing, "nothing is there; put it there, root's, with mode 0400"),
        (SecretFile::Linked, "there is a link on the way; put the file itself there"),
        (SecretFile::Other, "it is no regular file; put the secret there as one"),
        (file(1000, 0o400), "user 1000 owns it; its owner must be root"),
        (file(0, 0o440), "others can read or write it (mode 0440); run `chmod 0400`"),
        (file(0, 0o602), "others can read or write it (mode 0602); run `chmod 0400`"),
    ] {
        assert_eq!(told(found), format!("the secret `x` of `gcn.service` is wanted at `/etc/s/x`: {reason}"));
    }
}

#[test]
fn another_interpreter() {
    let python = |version: &str, soabi: &str| {
        let (version, soabi) = (version.to_owned(), soabi.to_owned());
        told(|facts| facts.python = Ok(Python { version, soabi, dbm: "ndbm".into() }))
    };
    assert_eq!(
        python("3.12.1", "cpython-312-x86_64-linux-gnu"),
        ["`/usr/bin/python3.11` is version `3.12.1`, where the bundle needs `3.11`"]
    );
    assert_eq!(
        python("3.11.9", "cpython-311d-x86_64-linux-gnu"),
        ["`/usr/bin/python3.11` is ABI `cpython-311d-x86_64-linux-gnu`, where the bundle needs \
             `cpython-311-x86_64-linux-gnu`"]
    );
}
