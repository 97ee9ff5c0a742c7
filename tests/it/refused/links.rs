//! Links straight to somewhere, and files that take the place of others, where none can be.

use super::{HOST, module};
use crate::sandbox::Sandbox;

#[test]
fn links_that_cannot_be() {
    let link = |path: &str, to: &str| format!("[[link]]\npath = \"{path}\"\nto = \"{to}\"\n");
    let entries = [
        link("/etc/x", "/var/lib/voevent/current/x"),
        link("/etc/y", "/etc/y"),
        link("/etc/sudoers.d/x", "/srv/x"),
        link("/usr/share/x", "/srv/x"),
        link("/etc/systemd/system/x.service", "/srv/x"),
        "[[file]]\nname = \"n\"\nsource = \"text\"\nadopt = true\n".to_owned(),
    ];
    insta::assert_snapshot!(module(&entries.concat(), &[]).refused(), @r#"
    error: `/etc/x` must not lead to `/var/lib/voevent/current/x`
     --> modules/m/module.toml:5:6
      |
    5 | to = "/var/lib/voevent/current/x"
      |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: choose a path outside of it and of `/var/lib/voevent`; a file of a module is a `[[file]]`

    error: `/etc/y` must not lead to `/etc/y`
     --> modules/m/module.toml:8:6
      |
    8 | to = "/etc/y"
      |      ^^^^^^^^
      |
      = help: choose a path outside of it and of `/var/lib/voevent`; a file of a module is a `[[file]]`

    error: no link can be placed at `/etc/sudoers.d/x`: sudo takes no links
      --> modules/m/module.toml:10:8
       |
    10 | path = "/etc/sudoers.d/x"
       |        ^^^^^^^^^^^^^^^^^^
       |
       = help: write a `[[file]]`, which is a copy there

    error: no link can be placed at `/usr/share/x`: it is not below `/etc`
      --> modules/m/module.toml:13:8
       |
    13 | path = "/usr/share/x"
       |        ^^^^^^^^^^^^^^
       |
       = help: choose another path

    error: no link can be placed at `/etc/systemd/system/x.service`: units are not files
      --> modules/m/module.toml:16:8
       |
    16 | path = "/etc/systemd/system/x.service"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: write a `[[unit]]`

    error: a file without a `path` takes nobody's place
      --> modules/m/module.toml:21:9
       |
    21 | adopt = true
       |         ^^^^
       |
       = help: leave `adopt` out, or say where the file is placed
    "#);
    let twice = "[[link]]\npath = \"/etc/z\"\nto = \"/srv/x\"\n[[file]]\npath = \"/etc/z\"\nsource = \"text\"\n\
                 [[directory]]\npath = \"/etc/z\"\nmode = \"0755\"\nowner = \"root\"\ngroup = \"root\"\n";
    insta::assert_snapshot!(module(twice, &[]).refused(), @"
    error: `/etc/z` is a file and a folder at once
     --> modules/m/module.toml:9:1
      |
    6 | [[file]]
      | -------- here it is a file
    ...
    9 | [[directory]]
      | ^^^^^^^^^^^^^ `/etc/z` makes it a folder
      |
      = help: give one of them another path
    ");
}

#[test]
fn nothing_of_that_name_can_be_taken_over() {
    let entries = "[[unit]]\nname = \"x.service.d/y.conf\"\nsource = \"text\"\nadopt = true\n";
    insta::assert_snapshot!(module(entries, &[]).refused(), @"
    error: a drop-in takes nobody's place
     --> modules/m/module.toml:6:9
      |
    6 | adopt = true
      |         ^^^^
      |
      = help: leave it out
    ");
    let project = Sandbox::example();
    project.edit(HOST, "modules", "adopt = [\"commet.service\", \"comet\", \"voeventserve\"]\nmodules");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `commet.service` is no path, unit or user of this host
      --> hosts/node1.toml:11:10
       |
    11 | adopt = ["commet.service", "comet", "voeventserve"]
       |          ^^^^^^^^^^^^^^^^
       |
       = help: did you mean `comet.service`?

    error: `comet` is no path, unit or user of this host
      --> hosts/node1.toml:11:28
       |
    11 | adopt = ["commet.service", "comet", "voeventserve"]
       |                            ^^^^^^^
       |
       = help: known are `voeventdeploy`, `voeventserve`, `comet.service`, `comet-eventdb.service` and `comet-eventdb.timer`
    "#);
}
