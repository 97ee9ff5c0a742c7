//! Where settings come from and what depends on them, as a user asks it.

use crate::sandbox::Sandbox;
use crate::why::asked;

const HOST: &str = "hosts/node1.toml";

#[test]
fn a_setting_with_every_definition() {
    let project = Sandbox::example();
    project.edit(HOST, "# imports = [\"site.toml\"] ", "imports = [\"site.toml\"]");
    project.write(
        "hosts/site.toml",
        "[comet]\nremotes = [\"a.example.org:8099\"]\n\n[comet.receive]\nenable = false\n",
    );
    project.append(HOST, "\n[users.accounts.observer]\nshell = \"/bin/bash\"\n");
    insta::assert_snapshot!(asked(&project, &["why", "node1", "comet.receive"]), @r#"
    exit 0
    ---- stdout
    comet.receive.enable = true
      > host     hosts/node1.toml:18           true
      - import   hosts/site.toml:5             false  overridden
      - default  modules/comet/module.toml:N  false  overridden

    comet.receive.local = false
      > default  modules/comet/module.toml:N  false

    comet.receive.port = 8098
      > default  modules/comet/module.toml:N  8098

    comet.receive.whitelist = ["192.0.2.0/24"]
      + host     hosts/node1.toml:19           ["192.0.2.0/24"]
      - default  modules/comet/module.toml:N  []  overridden

    comet.receive.whitelist[0] = "192.0.2.0/24"
      > host     hosts/node1.toml:19  "192.0.2.0/24"
    ---- stderr
    "#);
    insta::assert_snapshot!(asked(&project, &["why", "node1", "comet.remotes"]), @r#"
    exit 0
    ---- stdout
    comet.remotes = ["a.example.org:8099"]
      + import   hosts/site.toml:2              ["a.example.org:8099"]
      - default  modules/comet/module.toml:N  []  overridden

    comet.remotes[0] = "a.example.org:8099"
      > import   hosts/site.toml:2  "a.example.org:8099"
    ---- stderr
    "#);
    insta::assert_snapshot!(asked(&project, &["why", "node1", "users.accounts.observer"]), @r#"
    exit 0
    ---- stdout
    users.accounts.observer = { "home" = "/home/observer", "keys" = [], "shell" = "…
      + host     hosts/node1.toml:26  { shell = "/bin/bash" }

    users.accounts.observer.home = "/home/observer"
      > default  modules/users/module.toml:N  "/home/observer"

    users.accounts.observer.keys = []
      + default  modules/users/module.toml:N  []

    users.accounts.observer.shell = "/bin/bash"
      > host     hosts/node1.toml:27           "/bin/bash"
      - default  modules/users/module.toml:N  "/usr/sbin/nologin"  overridden
    ---- stderr
    "#);
    insta::assert_snapshot!(asked(&project, &["why", "node1", "comet.home"]), @r#"
    exit 0
    ---- stdout
    comet.home = "/home/voeventserve"
      > default  modules/comet/module.toml:N  "/home/voeventserve"
                   of users.accounts = { "observer" = { "home" = "/home/observer", …
                   of comet.user = "voeventserve"
    ---- stderr
    "#);
    insta::assert_snapshot!(asked(&project, &["why", "node1", "host.system"]), @r#"
    exit 0
    ---- stdout
    host.system = "debian-12"
      > host     hosts/node1.toml:7  "debian-12"
    ---- stderr
    "#);
    insta::assert_snapshot!(asked(&project, &["why", "node1", "comet.remote"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: host `node1` has no path, artifact or setting `comet.remote`
     |
     = help: did you mean `comet.remotes`?
    ");
    insta::assert_snapshot!(asked(&project, &["why", "node1", "comet.remotes[0]", "--json"]), @r#"
    exit 0
    ---- stdout
    {
      "diagnostics": [],
      "kind": "settings",
      "settings": [
        {
          "definitions": [
            {
              "counts": "wins",
              "file": "hosts/site.toml",
              "given": "\"a.example.org:8099\"",
              "line": 2,
              "strength": "import",
              "text": "remotes = [\"a.example.org:8099\"]"
            }
          ],
          "name": "comet.remotes[0]",
          "value": "\"a.example.org:8099\""
        }
      ]
    }
    ---- stderr
    "#);
}

#[test]
fn what_depends_on_what() {
    let project = Sandbox::example();
    insta::assert_snapshot!(asked(&project, &["why", "node1", "--depends", "comet-run"]), @r#"
    exit 0
    ---- stdout
    script comet-run depends on
      comet.broadcast.enable = true
      comet.broadcast.port = 8099
      comet.broadcast.test_interval = "1h"
      comet.broadcast.whitelist = ["0.0.0.0/0"]
      comet.dialect = "3.1"
        comet.version = "3.1.0"
      comet.eventdb = "/home/voeventserve/working_dir/db"
        comet.working_dir = "/home/voeventserve/working_dir"
          comet.home = "/home/voeventserve"
            comet.user = "voeventserve"
              users.serve_user = "voeventserve"
            users.accounts = { "voeventdeploy" = { "home" = "/home/voeventdeploy", …
              users.accounts.voeventdeploy = { "home" = "/home/voeventdeploy", "key…
                users.accounts.voeventdeploy.home = "/home/voeventdeploy"
                users.accounts.voeventdeploy.shell = "/bin/bash"
                users.deploy_user = "voeventdeploy"
              users.accounts.voeventserve = { "home" = "/home/voeventserve", "keys"…
                users.accounts.voeventserve.home = "/home/voeventserve"
                users.accounts.voeventserve.shell = "/usr/sbin/nologin"
      comet.local_ivo = "ivo://org.example/node1"
      comet.receive.enable = true
      comet.receive.port = 8098
      comet.receive.whitelist = ["192.0.2.0/24"]
      venv comet
        comet.build_on_target = []
        comet.source = none
      file launch.py
      file broker.json
        comet.spools = { }
        file spools.py

    script comet-run reaches
      unit comet.service
        check running
        check broadcast
        check receive
    ---- stderr
    "#);
    insta::assert_snapshot!(asked(&project, &["why", "node1", "--depends", "comet.receive.port"]), @"
    exit 0
    ---- stdout
    comet.receive.port = 8098 depends on nothing

    comet.receive.port = 8098 reaches
      script comet-run  line 7
        unit comet.service
          check running
          check broadcast
      check receive
    ---- stderr
    ");
}

#[test]
fn a_table_that_replaces_what_is_weaker() {
    let project = Sandbox::example();
    project.edit(HOST, "# imports = [\"site.toml\"] ", "imports = [\"site.toml\"]");
    project.write(
        "hosts/site.toml",
        "[comet.receive]\nenable = false\nport = 9000\nwhitelist = [\"198.51.100.0/24\"]\n",
    );
    project.edit(
        HOST,
        "[comet.receive]\nenable = true\nwhitelist = [\"192.0.2.0/24\"]",
        "[comet.receive.replace]\nenable = true\nwhitelist = [\"192.0.2.0/24\"]",
    );
    insta::assert_snapshot!(asked(&project, &["why", "node1", "comet.receive"]), @r#"
    exit 0
    ---- stdout
    comet.receive.enable = true
      > host     hosts/node1.toml:18           true
      - import   hosts/site.toml:2             false  replaced
      - default  modules/comet/module.toml:N  false  overridden

    comet.receive.local = false
      > default  modules/comet/module.toml:N  false

    comet.receive.port = 8098
      - import   hosts/site.toml:3             9000  replaced
      > default  modules/comet/module.toml:N  8098

    comet.receive.whitelist = ["192.0.2.0/24"]
      + host     hosts/node1.toml:19           ["192.0.2.0/24"]
      - import   hosts/site.toml:4             ["198.51.100.0/24"]  replaced
      - default  modules/comet/module.toml:N  []  overridden

    comet.receive.whitelist[0] = "192.0.2.0/24"
      > host     hosts/node1.toml:19  "192.0.2.0/24"
    ---- stderr
    "#);
    project.edit(HOST, "[comet.receive.replace]\nenable", "[comet.receive.replace]\nenabel");
    insta::assert_snapshot!(project.shown(&["hosts/node1.toml"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: `comet.receive` has no field `enabel`
      --> hosts/node1.toml:18:1
       |
    18 | enabel = true
       | ^^^^^^
       |
       = help: did you mean `enable`?
    ");
}
