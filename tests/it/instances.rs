//! Two brokers on one host.

use crate::sandbox::Sandbox;

const HOST: &str = "hosts/node1.toml";

/// The example host with a second broker, which subscribes to the first.
const SECOND: &str = "
['comet:backup']
local_ivo = 'ivo://org.example/node1-backup'
remotes = ['127.0.0.1:8099']
[\"comet:backup\".broadcast]
port = 8199
";

fn two() -> Sandbox {
    let project = Sandbox::example();
    project.edit(HOST, "modules = [\"comet\"]", "modules = [\"comet\", \"comet:backup\"]");
    project.append(HOST, SECOND);
    project
}

#[test]
fn a_second_broker_is_added_to_the_first() {
    let project = Sandbox::example();
    project.build();
    project.edit(HOST, "modules = [\"comet\"]", "modules = [\"comet\", \"comet:backup\"]");
    project.append(HOST, SECOND);
    // All that the first one has is as it was; the environment is one.
    insta::assert_snapshot!(project.shown(&[HOST]), @"
    exit 0
    ---- stdout
    generated/store/[HASH]-node1
    ---- stderr
    node1: 3 modules: users, comet, comet:backup
    37 artifacts, 19 objects with [SIZE] bytes in all, 6 of them new
    new check broadcast-backup
    new check running-backup
    new directory /home/voeventserve/working_dir-backup
    new directory /home/voeventserve/working_dir-backup/db
    new directory /home/voeventserve/working_dir-backup/db.bad
    changed file /etc/tmpfiles.d/voevent.conf
    new unit comet-backup.service
    new unit comet-eventdb-backup.service
    new unit comet-eventdb-backup.timer
    ");
    let unit = project.read("generated/node1/root/etc/systemd/system/comet-backup.service");
    assert!(unit.contains("Description=Comet VOEvent broker-backup\n"), "{unit}");
    let checks = project.read("generated/node1/manifest.toml");
    let checks: Vec<&str> =
        checks.lines().filter(|line| line.contains("broadcast") || line.contains("running")).collect();
    insta::assert_snapshot!(checks.join("\n"), @r#"
    name = "broadcast"
    name = "broadcast-backup"
    name = "running"
    name = "running-backup"
    "#);
}

#[test]
fn one_lock_is_for_both() {
    let project = two();
    insta::assert_snapshot!(project.shown(&["lock", HOST]), @"
    exit 0
    ---- stdout
    ---- stderr
    hosts/locks/pylock.comet-a29b3a37.toml: kept
    ");
    project.edit(HOST, "['comet:backup']\n", "['comet:backup']\nversion = '3.1.1'\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: venv `comet` is one for `comet` and `comet:backup`, and they ask for different packages
       --> modules/comet/module.toml:394:16
        |
     11 | default = "3.1.0"
        |           ------- `comet.version` is set here
    ...
    394 | requirements = ["comet=={{ comet.version }}"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its requirements
        |
       ::: hosts/node1.toml:27:11
        |
     27 | version = '3.1.1'
        |           ------- `comet:backup.version` is set here
        |
        = help: give both the same requirements, or write `{{ instance.suffix }}` in the venv's name
    "#);
}

#[test]
fn links_to_the_environment_do_not_meet() {
    let project = two();
    project.edit(HOST, "[comet]\n", "[comet]\nvenv_link = '/srv/comet_venv'\n");
    project.edit(
        HOST,
        "['comet:backup']\n",
        "['comet:backup']\nvenv_link = '/home/voeventdeploy/comet_venv'\n",
    );
    insta::assert_snapshot!(project.refused(), @r#"
    error: `comet.venv_link` must lie below `/home/voeventdeploy`: `voeventdeploy` makes it
       --> hosts/node1.toml:14:13
        |
     14 | venv_link = '/srv/comet_venv'
        |             ^^^^^^^^^^^^^^^^^
        |
       ::: modules/comet/module.toml:338:8
        |
    338 | ... = "comet.venv_link is startingwith(users.accounts[users.deploy_user].home ~ '/')"
        |       ------------------------------------------------------------------------------- this must hold
        |
        = help: module `comet` demands it

    error: `comet:backup`: `comet.venv_link` must end in `-backup`: each broker has a link of its own
       --> hosts/node1.toml:28:13
        |
     28 | venv_link = '/home/voeventdeploy/comet_venv'
        |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        |
       ::: modules/comet/module.toml:343:8
        |
    343 | that = "comet.venv_link is endingwith(instance.suffix)"
        |        ------------------------------------------------ this must hold
        |
        = help: module `comet:backup` demands it
    "#);
}

#[test]
fn brokers_do_not_share_a_folder() {
    let project = two();
    let own = "['comet:backup']\n";
    project.edit(HOST, own, &format!("{own}working_dir = '/home/voeventserve/working_dir'\n"));
    insta::assert_snapshot!(project.refused(), @"
    error: the folder `/home/voeventserve/working_dir` is made twice, and is for one alone
       --> modules/comet/module.toml:404:1
        |
    404 | [[directory]]
        | ^^^^^^^^^^^^^ of `comet` and of `comet:backup`
        |
       ::: hosts/node1.toml:27:15
        |
     27 | working_dir = '/home/voeventserve/working_dir'
        |               -------------------------------- `comet:backup.working_dir` is set here
        |
        = help: set another path for one of them
    ");
}
