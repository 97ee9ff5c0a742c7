//! Where lines and settings come from, as a user asks it.

#![expect(clippy::unwrap_used, reason = "a test")]

use crate::sandbox::Sandbox;

const HOST: &str = "hosts/node1.toml";

/// What a user sees; the lines of the example's modules, which change with what they can do, are left out.
pub(crate) fn asked(project: &Sandbox, words: &[&str]) -> String {
    let line = regex::Regex::new("(modules/(comet|users)/module.toml):[0-9]+").unwrap();
    line.replace_all(&project.shown(words), "$1:N").into_owned()
}

#[test]
fn a_line_is_traced_to_template_settings_and_conditions() {
    let project = Sandbox::example();
    insta::assert_snapshot!(asked(&project, &["why", HOST, "/etc/systemd/system/comet.service:16"]), @r#"
    exit 0
    ---- stdout
    /etc/systemd/system/comet.service:16
       16 | ExecStart=/var/lib/voevent/store/[HASH]-comet…

    from modules/comet/comet.service.j2:17
       17 | ExecStart={{ script("comet-run") }}
    in unit `comet.service` of module `comet`, modules/comet/module.toml:N

    because of
      if comet.invoke_script is none  modules/comet/comet.service.j2:16
        comet.invoke_script = none
    ---- stderr
    "#);
    insta::assert_snapshot!(asked(&project, &["why", "node1", "comet-run:8"]), @r#"
    exit 0
    ---- stdout
    comet-run:8
        8 |     --author-whitelist=127.0.0.0/8 \

    from modules/comet/comet-run.sh.j2:18
       18 |     --author-whitelist=127.0.0.0/8 \
    in script `comet-run` of module `comet`, modules/comet/module.toml:N

    because of
      if comet.dialect == "3.1"  modules/comet/comet-run.sh.j2:9
        comet.dialect = "3.1"
          > default  modules/comet/module.toml:N  "3.1"
                       of comet.version = "3.1.0"
      if comet.receive.enable  modules/comet/comet-run.sh.j2:15
        comet.receive.enable = true
          > host     hosts/node1.toml:18           true
          - default  modules/comet/module.toml:N  false  overridden
    ---- stderr
    "#);
    insta::assert_snapshot!(asked(&project, &["why", "node1", "/etc/sysusers.d/voevent.conf:2"]), @r#"
    exit 0
    ---- stdout
    /etc/sysusers.d/voevent.conf:2
        2 | g voevent -

    made of the group `voevent`
    from modules/users/module.toml:N
    in file `sysusers.conf`

    with
      users.group = "voevent"
        > default  modules/users/module.toml:N  "voevent"
    ---- stderr
    "#);
    insta::assert_snapshot!(asked(&project, &["why", "node1", "comet.service:61"]), @"
    exit 0
    ---- stdout
    /etc/systemd/system/comet.service:61
       61 | # added by voevent-build

    added by voevent-build: it hangs on the target that wants it
    from modules/comet/module.toml:N
    in unit `comet.service` of module `comet`, modules/comet/module.toml:N
    ---- stderr
    ");
    assert_eq!(project.written(), Vec::<String>::new(), "asking is no build");
}

#[test]
fn an_artifact_with_all_its_lines() {
    let project = Sandbox::example();
    insta::assert_snapshot!(asked(&project, &["why", "node1", "comet-run"]), @r#"
    exit 0
    ---- stdout
    script `comet-run` of module `comet`
      declared  modules/comet/module.toml:N
      made of   modules/comet/comet-run.sh.j2
      object    [HASH]-comet-run

    modules/comet/comet-run.sh.j2:1-4
        1 | #!/bin/sh
        2 | # Comet in the foreground, without a pid file: systemd keeps the proces…
        3 | exec '/var/lib/voevent/derived/[HASH]-comet'/…
        4 |     --voevent-node \

    modules/comet/comet-run.sh.j2:6
      if comet.local_ivo is not none
      comet.local_ivo = "ivo://org.example/node1"  hosts/node1.toml:14
        5 |     --local-ivo='ivo://org.example/node1' \

    modules/comet/comet-run.sh.j2:16
      if comet.dialect == "3.1"
      if comet.receive.enable
        6 |     --receive \

    modules/comet/comet-run.sh.j2:17
      if comet.dialect == "3.1"
      if comet.receive.enable
      comet.receive.port = 8098  modules/comet/module.toml:N
        7 |     --receive-port='8098' \

    modules/comet/comet-run.sh.j2:18
      if comet.dialect == "3.1"
      if comet.receive.enable
        8 |     --author-whitelist=127.0.0.0/8 \

    modules/comet/comet-run.sh.j2:20
      if comet.dialect == "3.1"
      if comet.receive.enable
      for network in comet.receive.whitelist if network != "127.0.0.0/8"
      comet.receive.whitelist = ["192.0.2.0/24"]  hosts/node1.toml:19
        9 |     --author-whitelist='192.0.2.0/24' \

    modules/comet/comet-run.sh.j2:24
      if comet.dialect == "3.1"
      if comet.broadcast.enable
       10 |     --broadcast \

    modules/comet/comet-run.sh.j2:25
      if comet.dialect == "3.1"
      if comet.broadcast.enable
      comet.broadcast.port = 8099  modules/comet/module.toml:N
       11 |     --broadcast-port='8099' \

    modules/comet/comet-run.sh.j2:26
      if comet.dialect == "3.1"
      if comet.broadcast.enable
      comet.broadcast.test_interval = "1h"  hosts/node1.toml:24
       12 |     --broadcast-test-interval='3600' \

    modules/comet/comet-run.sh.j2:27
      if comet.dialect == "3.1"
      if comet.broadcast.enable
       13 |     --subscriber-whitelist=127.0.0.0/8 \

    modules/comet/comet-run.sh.j2:29
      if comet.dialect == "3.1"
      if comet.broadcast.enable
      for network in comet.broadcast.whitelist if network != "127.0.0.0/8"
      comet.broadcast.whitelist = ["0.0.0.0/0"]  modules/comet/module.toml:N
       14 |     --subscriber-whitelist='0.0.0.0/0' \

    modules/comet/comet-run.sh.j2:77
      comet.eventdb = "/home/voeventserve/working_dir…  modules/comet/module.toml:N
       15 |     --eventdb='/home/voeventserve/working_dir/db'
    ---- stderr
    "#);
    insta::assert_snapshot!(asked(&project, &["why", "node1", "venv:comet"]), @r#"
    exit 0
    ---- stdout
    venv `comet` of module `comet`
      declared  modules/comet/module.toml:N
      object    [HASH]-comet

    with
      comet.build_on_target = []
        + default  modules/comet/module.toml:N  []
      comet.source = none
      comet.version = "3.1.0"
        > default  modules/comet/module.toml:N  "3.1.0"
    ---- stderr
    "#);
}

#[test]
fn loops_includes_and_entries_are_followed() {
    let project = Sandbox::module(&[
        (
            "module.toml",
            "[options.peers]\ntype = \"map of table\"\ndescription = \"x\"\n\
             [options.peers.fields.port]\ntype = \"port\"\ndefault = 8099\ndescription = \"x\"\n\
             [options.names]\ntype = \"list of string\"\ndefault = []\ndescription = \"x\"\n\
             [[file]]\nfor_each = \"m.peers\"\nwhen = \"each.value.port > 1\"\n\
             path = \"/etc/peers/{{ each.key }}\"\ntemplate = \"peer.txt.j2\"\n",
        ),
        (
            "peer.txt.j2",
            "{% set all = m.names %}\nport {{ each.value.port }}\n{% if m.names %}\n\
             {% include \"names.txt.j2\" %}\n{% endif %}\nend\n",
        ),
        ("names.txt.j2", "{% for name in all %}\n- {{ name }}\n{% else %}\nnone\n{% endfor %}\n"),
    ]);
    project.append(HOST, "[m]\nnames = [\"a\", \"b\"]\n\n[m.peers.one]\nport = 7001\n\n[m.peers.two]\n");
    insta::assert_snapshot!(asked(&project, &["why", "node1", "/etc/peers/one"]), @r#"
    exit 0
    ---- stdout
    file `one` of module `m`
      at        /etc/peers/one
      declared  modules/m/module.toml:14
      made of   modules/m/peer.txt.j2
      object    [HASH]-one

    with
      m.peers.one = { "port" = 7001 }
        + host     hosts/node1.toml:9  { port = 7001 }

    because of
      for_each m.peers  modules/m/module.toml:15
        m.peers = { "one" = { "port" = 7001 }, "two" = { "port" = 8099 } }
          + host     hosts/node1.toml:9  { one = { port = 7001 }, two = {} }
      when each.value.port > 1  modules/m/module.toml:16
        m.peers.one.port = 7001
          > host     hosts/node1.toml:10      7001
          - default  modules/m/module.toml:8  8099  overridden

    modules/m/peer.txt.j2:2
      m.peers.one.port = 7001  hosts/node1.toml:10
        1 | port 7001

    modules/m/names.txt.j2:2
      if m.names
      for name in all
      m.names = ["a", "b"]  hosts/node1.toml:7
        2 | - a
        3 | - b

    modules/m/peer.txt.j2:6
        4 | end
    ---- stderr
    "#);
    insta::assert_snapshot!(asked(&project, &["why", "node1", "/etc/peers/two:1"]), @r#"
    exit 0
    ---- stdout
    /etc/peers/two:1
        1 | port 8099

    from modules/m/peer.txt.j2:2
        2 | port {{ each.value.port }}
    in file `two` of module `m`, modules/m/module.toml:14

    with
      m.peers.two.port = 8099
        > default  modules/m/module.toml:8  8099

    because of
      for_each m.peers  modules/m/module.toml:15
        m.peers = { "one" = { "port" = 7001 }, "two" = { "port" = 8099 } }
          + host     hosts/node1.toml:9  { one = { port = 7001 }, two = {} }
      when each.value.port > 1  modules/m/module.toml:16
        m.peers.two.port = 8099
          > default  modules/m/module.toml:8  8099
    ---- stderr
    "#);
}
