//! What a build would change, as a user asks it.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

mod forms;

use crate::sandbox::Sandbox;

const HOST: &str = "hosts/node1.toml";

fn built() -> Sandbox {
    let project = Sandbox::example();
    project.build();
    project
}

/// What a user sees; the lines of the example's modules, which change with what they can do, are left out.
fn compared(project: &Sandbox, words: &[&str]) -> String {
    let before = project.written();
    let shown = project.shown(&[&["diff", "node1"], words].concat());
    assert_eq!(before, project.written(), "comparing is no build");
    let (stdout, _) = shown.split_once("---- stderr").unwrap();
    for line in stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let line = regex::Regex::new("(modules/[a-z]+/module.toml):[0-9]+").unwrap();
    line.replace_all(&shown, "$1:N").into_owned()
}

fn template() -> Sandbox {
    let files = [
        (
            "module.toml",
            "[options.word]\ntype = \"string\"\ndefault = \"a\"\ndescription = \"x\"\n\
             [[file]]\npath = \"/etc/x\"\ntemplate = \"x.txt.j2\"\n\
             [[script]]\nname = \"run\"\ntemplate = \"run.sh.j2\"\n\
             [[unit]]\nname = \"m.service\"\ntemplate = \"m.service.j2\"\nwanted_by = [\"voevent.target\"]\n",
        ),
        ("x.txt.j2", "one\n{{ m.word }}\nthree\n"),
        ("run.sh.j2", "#!/bin/sh\nexec sleep 1000\n"),
        ("m.service.j2", "[Unit]\nDescription=x\n[Service]\nExecStart={{ script(\"run\") }}\n"),
    ];
    let project = Sandbox::module(&files);
    project.build();
    project
}

#[test]
fn nothing_changed() {
    insta::assert_snapshot!(compared(&built(), &[]), @"
    exit 0
    ---- stdout
    node1: nothing changed since its last build
    ---- stderr
    ");
}

#[test]
fn an_option_with_all_that_it_reaches() {
    let project = built();
    project.edit(HOST, "ivo://org.example/node1", "ivo://org.example/other");
    insta::assert_snapshot!(compared(&project, &[]), @r#"
    exit 0
    ---- stdout
    node1, compared with its last build

    settings
      comet.local_ivo  hosts/node1.toml:14
        - "ivo://org.example/node1"
        + "ivo://org.example/other"

    changed unit comet.service
      through script comet-run

    changed script comet-run
      because of comet.local_ivo
      @@ -2,7 +2,7 @@
       # Comet in the foreground, without a pid file: systemd keeps the process, the
       …  journal its log.
       exec '/var/lib/voevent/derived/[HASH]-comet'/bin/py
       … thon '/var/lib/voevent/store/[HASH]-launch.py' '/
       … var/lib/voevent/store/[HASH]-broker.json' --nodae
       … mon --pidfile= comet \
           --voevent-node \
      -    --local-ivo='ivo://org.example/node1' \
      +    --local-ivo='ivo://org.example/other' \
           --receive \
           --receive-port='8098' \
           --author-whitelist=127.0.0.0/8 \

    a switch
      restarts comet.service: another definition of it runs
    ---- stderr
    "#);
}

#[test]
fn a_template_and_a_setting() {
    let project = template();
    project.write("modules/m/run.sh.j2", "#!/bin/sh\nexec sleep 2000\n");
    project.append(HOST, "[m]\nword = \"b\"\n");
    insta::assert_snapshot!(compared(&project, &[]), @r#"
    exit 0
    ---- stdout
    node1, compared with its last build

    settings
      m.word: "a" → "b"  hosts/node1.toml:7

    changed file /etc/x
      because of m.word
      @@ -1,3 +1,3 @@
       one
      -a
      +b
       three

    changed unit m.service
      through script run

    changed script run
      @@ -1,2 +1,2 @@
       #!/bin/sh
      -exec sleep 1000
      +exec sleep 2000

    a switch
      restarts m.service: another definition of it runs
    ---- stderr
    "#);
}

#[test]
fn a_drop_in_changes_its_unit_and_another_mode_its_file() {
    let project = template();
    project.write("modules/m/nice.service.j2", "[Service]\nNice=5\n");
    let drop_in = "\n[[unit]]\nname = \"m.service.d/nice.conf\"\ntemplate = \"nice.service.j2\"\n";
    project.append("modules/m/module.toml", drop_in);
    project.edit("modules/m/module.toml", "path = \"/etc/x\"\n", "path = \"/etc/x\"\nmode = \"0600\"\n");
    insta::assert_snapshot!(compared(&project, &[]), @"
    exit 0
    ---- stdout
    node1, compared with its last build

    new drop-in m.service.d/nice.conf

    changed file /etc/x
      mode: 0600, new
      place: link → copy

    changed unit m.service
      through drop-in m.service.d/nice.conf

    a switch
      restarts m.service: another definition of it runs
    ---- stderr
    ");
}

#[test]
fn a_module_that_is_gone() {
    let project = built();
    let host = project.read(HOST);
    let (head, _) = host.split_once("[comet]").unwrap();
    project.write(HOST, &head.replace("[\"comet\"]", "[\"users\"]"));
    insta::assert_snapshot!(compared(&project, &[]), @r#"
    exit 0
    ---- stdout
    node1, compared with its last build

    settings
      comet.broadcast.enable: true, removed  hosts/node1.toml:23
      comet.broadcast.test_interval: "1h", removed  hosts/node1.toml:24
      comet.local_ivo: "ivo://org.example/node1", removed  hosts/node1.toml:14
      comet.receive.enable: true, removed  hosts/node1.toml:18
      comet.receive.whitelist: ["192.0.2.0/24"], removed  hosts/node1.toml:19

    changed file /etc/tmpfiles.d/voevent.conf
      @@ -1,6 +1,3 @@
       # Folders of this VOEvent node, from its host file.
       d /home/voeventdeploy 0750 voeventdeploy voevent - -
       d /home/voeventserve 0750 voeventserve voevent - -
      -d /home/voeventserve/working_dir 0750 voeventserve voevent - -
      -d /home/voeventserve/working_dir/db 0750 voeventserve voevent - -
      -d /home/voeventserve/working_dir/db.bad 0750 voeventserve voevent - -

    removed check broadcast
      because of comet.broadcast.enable

    removed check receive
      because of comet.receive.enable

    removed check running

    removed directory /home/voeventserve/working_dir

    removed directory /home/voeventserve/working_dir/db

    removed directory /home/voeventserve/working_dir/db.bad

    removed package python3

    removed unit comet-eventdb.service

    removed unit comet-eventdb.timer

    removed unit comet.service
      because of comet.broadcast.enable

    removed venv comet
      12 packages

    removed file broker.json

    removed script comet-run
      because of comet.broadcast.enable, comet.broadcast.test_interval,
          comet.local_ivo, comet.receive.enable, comet.receive.whitelist

    removed file eventdb.py

    removed file launch.py

    removed file spools.py

    a switch
      stops comet-eventdb.service: no module has it any more
      stops comet-eventdb.timer: no module has it any more
      stops comet.service: no module has it any more
    ---- stderr
    "#);
}

#[test]
fn another_version_of_a_package() {
    let project = built();
    let lock = format!("hosts/locks/{}", crate::packages::LOCK);
    let text = project.read(&lock);
    let versions = regex::Regex::new("name = \"attrs\"\nversion = \"([^\"]+)\"").unwrap();
    let version = versions.captures(&text).unwrap()[1].to_owned();
    let edited = text
        .replace(
            &format!("name = \"attrs\"\nversion = \"{version}\""),
            "name = \"attrs\"\nversion = \"99.1\"",
        )
        .replace(&format!("attrs-{version}"), "attrs-99.1");
    project.write(&lock, &edited);
    insta::assert_snapshot!(compared(&project, &[]).replace(&version, "[OLD]"), @"
    exit 0
    ---- stdout
    node1, compared with its last build

    changed unit comet-eventdb.service
      through venv comet

    changed unit comet.service
      through script comet-run, venv comet

    changed venv comet
      attrs: [OLD] → 99.1

    changed script comet-run
      through venv comet

    a switch
      restarts comet-eventdb.service: another definition of it runs
      restarts comet.service: another definition of it runs
    ---- stderr
    ");
}

#[test]
fn a_requirement_without_a_lock_is_compared_but_for_its_packages() {
    let project = built();
    project.edit(HOST, "[comet]\n", "[comet]\nversion = \"3.0.0\"\n");
    let shown = compared(&project, &[]);
    let (stdout, stderr) = shown.split_once("---- stderr\n").unwrap();
    insta::assert_snapshot!(stdout, @r#"
    exit 0
    ---- stdout
    node1, compared with its last build

    settings
      comet.version: "3.1.0" → "3.0.0"  hosts/node1.toml:14

    changed unit comet-eventdb.service
      through venv comet

    changed unit comet.service
      through script comet-run, venv comet

    changed venv comet
      because of comet.version
      it has no lock for what it is now

    changed script comet-run
      through venv comet

    a switch
      restarts comet-eventdb.service: another definition of it runs
      restarts comet.service: another definition of it runs
    "#);
    let warning =
        "warning: the lock of venv `comet` is stale: requirement `comet==3.1.0` is now `comet==3.0.0`\n";
    assert!(stderr.starts_with(warning), "{stderr}");
}
