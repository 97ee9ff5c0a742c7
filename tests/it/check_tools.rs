//! What outside tools say of a host's texts, by real ones where they are installed.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use std::process::Command;

use crate::sandbox::Sandbox;

/// Whether a program is there, and does this.
fn works(words: &[&str]) -> bool {
    let run = Command::new(words[0]).args(&words[1..]).output();
    run.is_ok_and(|output| output.status.success())
}

const TOOLS: &str = "[options.x]\ntype = \"string\"\ndefault = \"x\"\ndescription = \"x\"\n";

/// The same with the tools that the tests have.
pub(crate) fn with_tools(project: Sandbox) -> Sandbox {
    project.with("PATH", &std::env::var("PATH").unwrap())
}

#[test]
fn a_shell_judges_scripts() {
    if !works(&["dash", "-n", "/dev/null"]) {
        return;
    }
    let module = format!("{TOOLS}[[script]]\nname = \"a\"\ntemplate = \"a.sh.j2\"\n");
    let text =
        "#!/bin/sh\n{% for n in [1, 2, 3] %}\necho {{ n }}\n{% endfor %}\nif true; do echo {{ m.x }}; fi\n";
    let project = with_tools(Sandbox::module(&[("module.toml", &module), ("a.sh.j2", text)]));
    project.append("hosts/node1.toml", "[m]\nx = \"y\"\n");
    insta::assert_snapshot!(project.shown(&["check"]), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: `sh -n`: "do" unexpected (expecting "then")
     --> modules/m/a.sh.j2:5:1
      |
    5 | if true; do echo {{ m.x }}; fi
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
     ::: hosts/node1.toml:7:5
      |
    7 | x = "y"
      |     --- `m.x` is set here
      |
      = help: write this line so that `sh -n` takes it
    1 host, 1 error, 0 warnings
    "#);
    // What another shell reads is not judged.
    project.edit("modules/m/module.toml", "template = \"a.sh.j2\"", "source = \"a.sh.j2\"");
    project.write("modules/m/a.sh.j2", "#!/bin/bash\nif true; do\n");
    assert!(project.shown(&["check"]).ends_with("1 host, 0 errors, 0 warnings\n"));
}

#[test]
fn python_judges_programs() {
    if !works(&["python3.11", "-c", "pass"]) {
        return;
    }
    let module = format!(
        "{TOOLS}[[file]]\npath = \"/etc/a.py\"\ntemplate = \"a.py.j2\"\n[[file]]\npath = \"/etc/b\"\nsource = \"b\"\n"
    );
    let files = [
        ("module.toml", module.as_str()),
        ("a.py.j2", "x = {{ m.x }}\ndef f():\nreturn {{ m.x }}\n"),
        ("b", "#!/usr/bin/env python3\n\nprint 'x'\n"),
    ];
    let project = with_tools(Sandbox::module(&files));
    insta::assert_snapshot!(project.shown(&["check"]), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: `python3.11`: expected an indented block after function definition on line 2
     --> modules/m/a.py.j2:3:1
      |
    3 | return {{ m.x }}
      | ^^^^^^^^^^^^^^^^
      |
     ::: modules/m/module.toml:5:11
      |
    5 | default = "x"
      |           --- `m.x` is set here
      |
      = help: write this line so that `python3.11` takes it

    error: `python3.11`: Missing parentheses in call to 'print'. Did you mean print(...)?
      --> modules/m/module.toml:10:1
       |
    10 | [[file]]
       | ^^^^^^^^ its line 3 is `print 'x'`
       |
       = help: write this line so that `python3.11` takes it
    1 host, 2 errors, 0 warnings
    "#);
}

#[test]
fn systemd_judges_units() {
    if !works(&["systemd-analyze", "--version"]) {
        return;
    }
    let module = format!(
        "{TOOLS}[[unit]]\nname = \"a.service\"\ntemplate = \"a.service.j2\"\n\
         [[unit]]\nname = \"a.service.d/b.conf\"\ntemplate = \"b.conf.j2\"\n\
         [[unit]]\nname = \"c.timer\"\ntemplate = \"c.timer.j2\"\n"
    );
    let files = [
        ("module.toml", module.as_str()),
        (
            "a.service.j2",
            "[Unit]\nAfter=nowhere.service\n[Service]\nExecStart=/opt/none {{ m.x }}\nUser=nobody\nSystemCallErrorNumber=EFOO\n",
        ),
        ("b.conf.j2", "[Service]\nRestrictAddressFamilies={{ m.x }}\n"),
        ("c.timer.j2", "[Timer]\nOnCalendar=daily\nUnit=a.service\n"),
    ];
    let project = with_tools(Sandbox::module(&files));
    project.append("hosts/node1.toml", "[m]\nx = \"AF_FOO\"\n");
    insta::assert_snapshot!(project.shown(&["check"]), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: `systemd-analyze verify`: Failed to parse error number
     --> modules/m/a.service.j2:6:1
      |
    6 | SystemCallErrorNumber=EFOO
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write this line so that `systemd-analyze verify` takes it

    error: `systemd-analyze verify`: Failed to parse address family
     --> modules/m/b.conf.j2:2:1
      |
    2 | RestrictAddressFamilies={{ m.x }}
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
     ::: hosts/node1.toml:7:5
      |
    7 | x = "AF_FOO"
      |     -------- `m.x` is set here
      |
      = help: write this line so that `systemd-analyze verify` takes it
    1 host, 2 errors, 0 warnings
    "#);
}

#[test]
fn nft_judges_rules() {
    if !works(&["sh", "-c", "PATH=$PATH:/usr/sbin; echo 'table inet x {}' | unshare -rn nft -c -f -"]) {
        return;
    }
    let module = "[options.port]\ntype = \"port\"\ndefault = 22\ndescription = \"x\"\n\
                  [[file]]\npath = \"/etc/a.nft\"\ntemplate = \"a.nft.j2\"\n";
    let text = "table inet voevent {\n    chain in {\n        tcp dport {{ m.port }} acept\n    }\n}\n";
    let project = with_tools(Sandbox::module(&[("module.toml", module), ("a.nft.j2", text)]));
    insta::assert_snapshot!(project.shown(&["check"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: `nft -c`: syntax error, unexpected newline
     --> modules/m/a.nft.j2:3:9
      |
    3 |         tcp dport {{ m.port }} acept
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
     ::: modules/m/module.toml:5:11
      |
    5 | default = 22
      |           -- `m.port` is set here
      |
      = help: write this line so that `nft -c` takes it
    1 host, 1 error, 0 warnings
    ");
    // What only the machine knows is no fault.
    let text = "add rule inet others forward iif \"eth77\" tcp dport {{ m.port }} accept\n";
    project.write("modules/m/a.nft.j2", text);
    assert!(project.shown(&["check"]).ends_with("1 host, 0 errors, 0 warnings\n"));
}

#[test]
fn a_tool_that_is_not_there_is_named_once() {
    let module = format!("{TOOLS}[[file]]\npath = \"/etc/a.py\"\ntemplate = \"a.py.j2\"\n");
    let project =
        Sandbox::module(&[("module.toml", &module), ("a.py.j2", "def f(:\n")]).with("PATH", "/nowhere");
    project.write("hosts/node2.toml", &project.read("hosts/node1.toml"));
    insta::assert_snapshot!(project.shown(&["check"]), @"
    exit 0
    ---- stdout
    ---- stderr
    not checked by `python3.11`: it is not installed
    2 hosts, 0 errors, 0 warnings
    ");
    insta::assert_snapshot!(project.shown(&["check", "--json"]), @r#"
    exit 0
    ---- stdout
    {
      "diagnostics": [],
      "hosts": [
        {
          "errors": 0,
          "path": "hosts/node1.toml",
          "warnings": 0
        },
        {
          "errors": 0,
          "path": "hosts/node2.toml",
          "warnings": 0
        }
      ],
      "safe": [],
      "tools": [
        {
          "calls": 0,
          "not_run_because": "it is not installed",
          "tool": "python3.11"
        }
      ]
    }
    ---- stderr
    not checked by `python3.11`: it is not installed
    2 hosts, 0 errors, 0 warnings
    "#);
}
