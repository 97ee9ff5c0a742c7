//! Units that systemd would not load, or would load without lines that it does not know.

use super::{COMET, HOST, module};
use crate::sandbox::Sandbox;

const UNIT: &str = "modules/comet/comet.service.j2";

/// One unit of a module, as it is.
fn unit(name: &str, text: &str) -> Sandbox {
    let entry = format!("[[unit]]\nname = \"{name}\"\ntemplate = \"unit.j2\"\ngrammar = \"unit\"\n");
    module(&entry, &[("unit.j2", text)])
}

#[test]
fn sections_and_keys_that_systemd_does_not_know() {
    let text = "[Unti]\nDescription=x\n[Unit]\nAftre=x.target\nRestart=no\n[Service]\nExecStrat=/bin/true\n\
                NetClass=1\nRestartSteps=3\nOwnKey=1\nX-OwnKey=1\n[Timer]\nOnCalendar=daily\n";
    insta::assert_snapshot!(unit("a.service", text).refused(), @r#"
    error: systemd knows no `[Unti]` in a `.service`
     --> modules/m/unit.j2:1:1
      |
    1 | [Unti]
      | ^^^^^^
      |
      = help: did you mean `[Unit]`?

    error: systemd knows no `Aftre=` in `[Unit]`
     --> modules/m/unit.j2:4:1
      |
    4 | Aftre=x.target
      | ^^^^^
      |
      = help: did you mean `After=`?

    error: systemd knows no `Restart=` in `[Unit]`
     --> modules/m/unit.j2:5:1
      |
    5 | Restart=no
      | ^^^^^^^
      |
      = help: it is a key of `[Service]`: move it there

    error: systemd knows no `ExecStrat=` in `[Service]`
     --> modules/m/unit.j2:7:1
      |
    7 | ExecStrat=/bin/true
      | ^^^^^^^^^
      |
      = help: did you mean `ExecStart=`?

    error: `NetClass=` was taken out of systemd: the line does nothing
     --> modules/m/unit.j2:8:1
      |
    8 | NetClass=1
      | ^^^^^^^^
      |
      = help: take the line out

    error: systemd 252 of `debian-12` does not know `RestartSteps=`
     --> modules/m/unit.j2:9:1
      |
    9 | RestartSteps=3
      | ^^^^^^^^^^^^
      |
      = help: systemd 257 does: take the line out, or put it into `{% if host.system == "debian-13" %}`

    error: systemd knows no `OwnKey=` in `[Service]`
      --> modules/m/unit.j2:10:1
       |
    10 | OwnKey=1
       | ^^^^^^
       |
       = help: it is none of the 243 that there are; a key of your own starts with `X-`

    error: systemd knows no `[Timer]` in a `.service`
      --> modules/m/unit.j2:12:1
       |
    12 | [Timer]
       | ^^^^^^^
       |
       = help: such a unit has `[Unit]` and `[Service]`
    "#);
}

#[test]
fn values_that_systemd_does_not_take() {
    let text = "[Service]\nType=notify-reload\nExecStart=/bin/true\nRestart=on-failur\nRestartSec=5 parsecs\n\
                PrivateTmp=maybe\nMemoryMax=512MB\nUMask=rwx\nKillSignal=SIGTREM\n";
    insta::assert_snapshot!(unit("a.service", text).refused(), @r#"
    error: systemd 252 of `debian-12` does not know `Type=notify-reload`
     --> modules/m/unit.j2:2:6
      |
    2 | Type=notify-reload
      |      ^^^^^^^^^^^^^
      |
      = help: systemd 257 does: take the line out, or put it into `{% if host.system == "debian-13" %}`

    error: `Restart=` does not take `on-failur`
     --> modules/m/unit.j2:4:9
      |
    4 | Restart=on-failur
      |         ^^^^^^^^^
      |
      = help: did you mean `on-failure`?

    error: `RestartSec=` does not take `5 parsecs`
     --> modules/m/unit.j2:5:12
      |
    5 | RestartSec=5 parsecs
      |            ^^^^^^^^^
      |
      = help: write a time span like `90`, `500ms`, `1min 30s` or `infinity`

    error: `PrivateTmp=` does not take `maybe`
     --> modules/m/unit.j2:6:12
      |
    6 | PrivateTmp=maybe
      |            ^^^^^
      |
      = help: write `yes` or `no`

    error: `MemoryMax=` does not take `512MB`
     --> modules/m/unit.j2:7:11
      |
    7 | MemoryMax=512MB
      |           ^^^^^
      |
      = help: write bytes, with `K`, `M`, `G` or `T` for powers of 1024, a share or `infinity`: `512M`, `10%`

    error: `UMask=` does not take `rwx`
     --> modules/m/unit.j2:8:7
      |
    8 | UMask=rwx
      |       ^^^
      |
      = help: write it in octal digits, as `0640`

    error: `KillSignal=` does not take `SIGTREM`
     --> modules/m/unit.j2:9:12
      |
    9 | KillSignal=SIGTREM
      |            ^^^^^^^
      |
      = help: write the name of a signal, as `SIGTERM`
    "#);
}

#[test]
fn a_value_that_comes_from_the_host() {
    let project = Sandbox::example();
    project.append(COMET, "[options.wait]\ntype = \"string\"\ndefault = \"5s\"\ndescription = \"x\"\n");
    project.append(COMET, "[options.hour]\ntype = \"int\"\ndefault = 3\ndescription = \"x\"\n");
    project.append(COMET, "[[unit]]\nname = \"comet.timer\"\ntemplate = \"comet.timer.j2\"\n");
    let timer = "[Timer]\nOnCalendar=*-*-* {{ comet.hour }}:00\n";
    project.write("modules/comet/comet.timer.j2", timer);
    project.edit(UNIT, "Type=exec\n", "Type=exec\nTimeoutStartSec={{ comet.wait }}\n");
    project.edit(HOST, "[comet]\n", "[comet]\nwait = \"5parsecs\"\nhour = 25\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `TimeoutStartSec=` does not take `5parsecs`
      --> modules/comet/comet.service.j2:10:20
       |
    10 | TimeoutStartSec={{ comet.wait }}
       |                    ^^^^^^^^^^
       |
      ::: hosts/node1.toml:14:8
       |
    14 | wait = "5parsecs"
       |        ---------- `comet.wait` is set here
       |
       = help: write a time span like `90`, `500ms`, `1min 30s` or `infinity`

    error: `OnCalendar=` does not take `*-*-* 25:00`
      --> modules/comet/comet.timer.j2:2:12
       |
     2 | OnCalendar=*-*-* {{ comet.hour }}:00
       |            ^^^^^^^^^^^^^^^^^^^^^^^^^
       |
      ::: hosts/node1.toml:15:8
       |
    15 | hour = 25
       |        -- `comet.hour` is set here
       |
       = help: write it like `daily`, `Mon..Fri 03:00` or `*-*-01 03:00:00`: `systemd-analyze calendar` shows what one means
    "#);
}

#[test]
fn a_unit_that_lacks_something() {
    let units = [
        ("a.service", "[Unit]\nDescription=x\n"),
        ("b.service", "[Service]\nExecStart=/bin/true\n"),
        ("b.service.d/more.conf", "[Service]\nExecStart=/bin/false\n"),
        ("c.timer", "[Timer]\nPersistent=yes\n"),
    ];
    let entry = |(index, (name, _)): (usize, &(&str, &str))| {
        format!("[[unit]]\nname = \"{name}\"\ntemplate = \"{index}.j2\"\ngrammar = \"unit\"\n")
    };
    let entries: String = units.iter().enumerate().map(entry).collect();
    let names = ["0.j2", "1.j2", "2.j2", "3.j2"];
    let files: Vec<(&str, &str)> = names.into_iter().zip(units.map(|(_, text)| text)).collect();
    insta::assert_snapshot!(module(&entries, &files).refused(), @"
    error: unit `a.service` has no `ExecStart=`
     --> modules/m/module.toml:3:1
      |
    3 | [[unit]]
      | ^^^^^^^^
      |
      = help: say what it runs

    error: unit `b.service` has more than one `ExecStart=`
     --> modules/m/module.toml:7:1
      |
    7 | [[unit]]
      | ^^^^^^^^
      |
      = help: only `Type=oneshot` may; in a drop-in, an empty `ExecStart=` takes the first one back

    error: unit `c.timer` says nowhere when
      --> modules/m/module.toml:15:1
       |
    15 | [[unit]]
       | ^^^^^^^^
       |
       = help: write `OnCalendar=`, or `OnBootSec=` and `OnUnitActiveSec=`
    ");
}

#[test]
fn a_timer_of_a_service_that_nobody_emits() {
    let project = unit("a.timer", "[Timer]\nOnCalendar=daily\n");
    let said = project.build().1;
    let (warning, _) = said.split_once("node1: ").unwrap();
    insta::assert_snapshot!(warning, @"
    warning: unit `a.timer` starts `a.service`, which no module emits
     --> modules/m/module.toml:3:1
      |
    3 | [[unit]]
      | ^^^^^^^^
      |
      = help: emit a `[[unit]]` of that name, or say by `Unit=` which of the host's units it starts
    ");
    let project = unit("a.timer", "[Timer]\nOnCalendar=daily\nUnit=logrotate.service\n");
    assert!(!project.build().1.contains("warning"));
}
