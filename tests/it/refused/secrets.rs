//! Secrets: they have no text, and reach a unit by name only.

use super::{HOST, module};
use crate::sandbox::Sandbox;

/// Two secrets, one of them optional and not set, a map and a list of them, and a table with one.
const SECRETS: &str = "[options.token]\ntype = \"secret\"\ndescription = \"x\"\n\
    [options.other]\ntype = \"secret\"\noptional = true\ndescription = \"x\"\n\
    [options.keys]\ntype = \"map of secret\"\ndefault = {}\ndescription = \"x\"\n\
    [options.list]\ntype = \"list of secret\"\ndefault = []\ndescription = \"x\"\n\
    [options.t]\ntype = \"map of table\"\ndescription = \"x\"\n\
    [options.t.fields.key]\ntype = \"secret\"\ndescription = \"x\"\n\
    [[unit]]\nname = \"a.service\"\ntemplate = \"a.service.j2\"\nwanted_by = [\"voevent.target\"]\n";
const VALUES: &str = "[m]\ntoken = { file = \"/etc/voevent/secrets/gcn\" }\n\
    keys = { \"a b\" = { file = \"/etc/s/ab\" }, c = { file = \"/etc/s/c\" } }\n\
    list = [{ file = \"/etc/s/0\" }, { file = \"/etc/s/1\" }, { file = \"/etc/s/0\" }]\n\
    t.x.key = { file = \"/etc/s/x\" }\n";
const UNIT: &str = "[Service]\nType=oneshot\nExecStart=/bin/true\nLoadCredential={{ credential(m.token) }}\n";

fn secrets(entries: &str, unit: &str, more: &[(&str, &str)]) -> Sandbox {
    let mut files = vec![("a.service.j2", unit)];
    files.extend(more);
    let project = module(&format!("{SECRETS}{entries}"), &files);
    project.append(HOST, VALUES);
    project
}

#[test]
fn secrets_reach_units_by_name() {
    let unit = format!(
        "{UNIT}{{% for k, s in m.keys | items %}}\nLoadCredential={{{{ credential(s) }}}}\n{{% endfor %}}\
         {{% for s in m.list %}}\nLoadCredential={{{{ credential(s) }}}}\n{{% endfor %}}\
         {{% if m.other is not none %}}\nLoadCredential={{{{ credential(m.other) }}}}\n{{% endif %}}\
         {{% for e in m.t | items %}}\nLoadCredential={{{{ credential(e[1].key) }}}}\n{{% endfor %}}"
    );
    let project = secrets("", &unit, &[]);
    let (name, _) = project.build();
    let manifest = project.read(&format!("generated/store/{name}/manifest.toml"));
    let secrets: Vec<&str> =
        manifest.split("[[secret]]\n").skip(1).map(|part| part.split("\n\n").next().unwrap()).collect();
    insta::assert_snapshot!(secrets.join("\n"), @r#"
    unit = "a.service"
    name = "m.keys.a_b"
    path = "/etc/s/ab"
    unit = "a.service"
    name = "m.keys.c"
    path = "/etc/s/c"
    unit = "a.service"
    name = "m.list.0"
    path = "/etc/s/0"
    unit = "a.service"
    name = "m.list.1"
    path = "/etc/s/1"
    unit = "a.service"
    name = "m.t.x.key"
    path = "/etc/s/x"
    unit = "a.service"
    name = "m.token"
    path = "/etc/voevent/secrets/gcn"
    "#);
    let text = project.read(&format!("generated/store/{name}/root/etc/systemd/system/a.service"));
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("Credential")).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    LoadCredential=m.token:/etc/voevent/secrets/gcn
    LoadCredential=m.keys.a_b:/etc/s/ab
    LoadCredential=m.keys.c:/etc/s/c
    LoadCredential=m.list.0:/etc/s/0
    LoadCredential=m.list.1:/etc/s/1
    LoadCredential=m.t.x.key:/etc/s/x
    ");
}

#[test]
fn a_bundle_without_secrets_says_nothing_of_them() {
    let project = Sandbox::example();
    let (name, _) = project.build();
    assert!(!project.read(&format!("generated/store/{name}/manifest.toml")).contains("secret"));
}

#[test]
fn a_secret_has_no_text() {
    for unit in [
        "{{ m.token }}",
        "A={{ m.token ~ 'x' }}",
        "{% if m.token == 'x' %}{% endif %}",
        "{% if m.token in ['x'] %}{% endif %}",
        "{{ m.keys.c }}",
        "{{ m.t['x'].key }}",
        "{{ m.list[0] }}",
        "{{ m.token | safe }}",
    ] {
        let shown = secrets("", unit, &[]).refused();
        assert!(
            shown.contains("is a secret: it has no text to be written, joined or compared"),
            "{unit} {shown}"
        );
        assert!(shown.contains("a.service.j2:1:"), "{shown}");
    }
    for unit in [
        "{% for k, s in m.keys | items %}{{ s }}{% endfor %}",
        "{{ m.keys | items | list | first | last | upper }}",
        "{{ m.list | join(',') }}",
        "{{ '%s' | format(m.token) }}",
        "{{ m.token | string }}",
        "{{ m.token | default('x') }}",
    ] {
        let shown = secrets("", unit, &[]).refused();
        assert!(shown.contains("this is a secret, which has no text"), "{unit} {shown}");
    }
    for (unit, reason) in [
        ("{{ m.keys }}", "with references, files or secrets in it cannot be written whole"),
        ("{{ [m.token] }}", "with references, files or secrets in it cannot be written whole"),
        ("{{ credential(m.token) ~ 'x' }}", "a credential is written alone, and joined with nothing"),
        ("{{ [credential(m.token)] }}", "this is a list, which has no text"),
        ("{{ credential('x') }}", "this is a string, and no secret"),
        ("{{ credential(m.other) }}", "this secret is not set"),
        ("{{ credential() }}", "`credential` takes one secret"),
        (
            "[Service]\nEnvironment=A={{ credential(m.token) }}\n",
            "a credential can only be the whole value of",
        ),
        (
            "[Service]\nLoadCredential=x:{{ credential(m.token) }}\n",
            "a credential can only be the whole value of",
        ),
        (
            "[Service]\nLoadCredentialEncrypted={{ credential(m.token) }}\n",
            "a credential can only be the whole",
        ),
        ("[Service]\n# {{ credential(m.token) }}\n", "a credential can only be the whole value of"),
    ] {
        let shown = secrets("", unit, &[]).refused();
        assert!(shown.contains(reason), "{unit} {shown}");
    }
}

#[test]
fn secrets_outside_units() {
    let entries = "[[script]]\nname = \"s\"\ntemplate = \"s.sh.j2\"\n\
        [[file]]\nname = \"f\"\ntemplate = \"f.service.j2\"\n\
        [[file]]\nname = \"j\"\ntemplate = \"j.json.j2\"\n";
    let more = [
        ("s.sh.j2", "#!/bin/sh\necho {{ credential(m.token) }}\n"),
        ("f.service.j2", UNIT),
        ("j.json.j2", "{{ credential(m.token) }}\n"),
    ];
    insta::assert_snapshot!(secrets(entries, UNIT, &more).refused(), @r#"
    error: only a `[[unit]]` loads credentials
     --> modules/m/s.sh.j2:2:9
      |
    2 | echo {{ credential(m.token) }}
      |         ^^^^^^^^^^^^^^^^^^^
      |
     ::: hosts/node1.toml:7:9
      |
    7 | token = { file = "/etc/voevent/secrets/gcn" }
      |         ------------------------------------- `m.token` is set here
      |
      = help: a unit gets it by `LoadCredential={{ credential(…) }}`

    error: only a `[[unit]]` loads credentials
     --> modules/m/f.service.j2:4:19
      |
    4 | LoadCredential={{ credential(m.token) }}
      |                   ^^^^^^^^^^^^^^^^^^^
      |
     ::: hosts/node1.toml:7:9
      |
    7 | token = { file = "/etc/voevent/secrets/gcn" }
      |         ------------------------------------- `m.token` is set here
      |
      = help: a unit gets it by `LoadCredential={{ credential(…) }}`

    error: only a `[[unit]]` loads credentials
     --> modules/m/j.json.j2:1:4
      |
    1 | {{ credential(m.token) }}
      |    ^^^^^^^^^^^^^^^^^^^
      |
     ::: hosts/node1.toml:7:9
      |
    7 | token = { file = "/etc/voevent/secrets/gcn" }
      |         ------------------------------------- `m.token` is set here
      |
      = help: a unit gets it by `LoadCredential={{ credential(…) }}`
    "#);
    let entries = "[[assert]]\nthat = \"m.token is none\"\nmessage = \"{{ m.token }}\"\n\
        [[package]]\nname = \"{{ m.token }}\"\n\
        [options.text]\ntype = \"string\"\ndefault = \"{{ m.token }}\"\ndescription = \"x\"\n\
        [options.port]\ntype = \"port\"\ndefault = \"{{ m.token }}\"\ndescription = \"x\"\n";
    insta::assert_snapshot!(secrets(entries, UNIT, &[]).refused(), @r#"
    error: this is a secret, which has no text
      --> modules/m/module.toml:30:11
       |
    30 | message = "{{ m.token }}"
       |           ^^^^^^^^^^^^^^^
       |
       = help: a unit gets it by `LoadCredential={{ credential(…) }}`

    error: `m.text`: expected a string, found a secret
      --> modules/m/module.toml:35:11
       |
    33 | [options.text]
       |          ---- declared here
    34 | type = "string"
    35 | default = "{{ m.token }}"
       |           ^^^^^^^^^^^^^^^
       |
       = help: a unit gets it by `LoadCredential={{ credential(…) }}`

    error: `m.port`: expected a port, as an integer, found a secret
      --> modules/m/module.toml:39:11
       |
    37 | [options.port]
       |          ---- declared here
    38 | type = "port"
    39 | default = "{{ m.token }}"
       |           ^^^^^^^^^^^^^^^
       |
       = help: a unit gets it by `LoadCredential={{ credential(…) }}`
    "#);
}

#[test]
fn secrets_in_messages_and_keys() {
    let entries = "[[assert]]\nthat = \"m.token is none\"\nmessage = \"{{ m.token }}\"\n";
    insta::assert_snapshot!(secrets(entries, UNIT, &[]).refused(), @r#"
    error: this is a secret, which has no text
      --> modules/m/module.toml:30:11
       |
    30 | message = "{{ m.token }}"
       |           ^^^^^^^^^^^^^^^
       |
       = help: a unit gets it by `LoadCredential={{ credential(…) }}`
    "#);
    let entries = "[[package]]\nname = \"{{ m.token }}\"\n[[package]]\nname = \"a{{ m.token }}\"\n";
    insta::assert_snapshot!(secrets(entries, UNIT, &[]).refused(), @r#"
    error: `m.token` is a secret: it has no text to be written, joined or compared
      --> modules/m/module.toml:31:13
       |
    31 | name = "a{{ m.token }}"
       |             ^^^^^^^
       |
       = help: a unit gets it by `LoadCredential={{ credential(…) }}`; `is none` asks whether it is set
    "#);
    let entries = "[[package]]\nname = \"{{ m.token }}\"\n";
    insta::assert_snapshot!(secrets(entries, UNIT, &[]).refused(), @r#"
    error: expected a string, found a secret
      --> modules/m/module.toml:29:8
       |
    29 | name = "{{ m.token }}"
       |        ^^^^^^^^^^^^^^^
       |
      ::: hosts/node1.toml:7:9
       |
     7 | token = { file = "/etc/voevent/secrets/gcn" }
       |         ------------------------------------- `m.token` is set here
       |
       = help: give a string
    "#);
}

#[test]
fn secrets_as_they_are_written() {
    let project = secrets("", UNIT, &[]);
    project.edit(HOST, "{ file = \"/etc/s/ab\" }", "\"hunter2\"");
    project.edit(HOST, "{ file = \"/etc/s/c\" }", "{ url = \"x\" }");
    project.edit(HOST, "{ file = \"/etc/s/x\" }", "{ file = \"s/x\" }");
    project.edit(HOST, "/etc/voevent/secrets/gcn", "/etc/voevent:secrets");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `m.token`: `:` cannot be in the path of a secret
     --> hosts/node1.toml:7:9
      |
    7 | token = { file = "/etc/voevent:secrets" }
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
     ::: modules/m/module.toml:3:10
      |
    3 | [options.token]
      |          ----- declared here
      |
      = help: a path of letters, digits and `/_.,@+=-` means the same to all who read it

    error: `m.keys.a b`: expected a secret, as a table, found a string
      --> hosts/node1.toml:8:18
       |
     8 | keys = { "a b" = "hunter2", c = { url = "x" } }
       |                  ^^^^^^^^^
       |
      ::: modules/m/module.toml:10:10
       |
    10 | [options.keys]
       |          ---- declared here
       |
       = help: write `{ age = "secrets/x.age" }`, a file beside this one that `voevent-build secret` encrypted, or `{ file = "/etc/voevent/secrets/x" }`, one that lies on the target; the secret itself is in no file of the project

    error: `m.keys.c`: a secret has one key: `age` or `file`
      --> hosts/node1.toml:8:33
       |
     8 | keys = { "a b" = "hunter2", c = { url = "x" } }
       |                                 ^^^^^^^^^^^^^
       |
      ::: modules/m/module.toml:10:10
       |
    10 | [options.keys]
       |          ---- declared here
       |
       = help: write `{ age = "secrets/x.age" }`, a file beside this one that `voevent-build secret` encrypted, or `{ file = "/etc/voevent/secrets/x" }`, one that lies on the target

    error: `m.t.x.key`: `s/x` is no path: it must be absolute
      --> hosts/node1.toml:10:11
       |
    10 | t.x.key = { file = "s/x" }
       |           ^^^^^^^^^^^^^^^^
       |
      ::: modules/m/module.toml:21:19
       |
    21 | [options.t.fields.key]
       |                   --- declared here
       |
       = help: write `{ age = "secrets/x.age" }`, a file beside this one that `voevent-build secret` encrypted, or `{ file = "/etc/voevent/secrets/x" }`, one that lies on the target
    "#);
}

#[test]
fn two_secrets_of_one_name() {
    let unit =
        "[Service]\n{% for k, s in m.keys | items %}\nLoadCredential={{ credential(s) }}\n{% endfor %}";
    let project = secrets("", unit, &[]);
    project.edit(HOST, "c = { file", "\"a_b\" = { file");
    insta::assert_snapshot!(project.refused(), @r#"
    error: two secrets of `a.service` would be called `m.keys.a_b`
     --> modules/m/a.service.j2:3:19
      |
    3 | LoadCredential={{ credential(s) }}
      |                   ^^^^^^^^^^^^^
      |
     ::: hosts/node1.toml:8:8
      |
    8 | keys = { "a b" = { file = "/etc/s/ab" }, "a_b" = { file = "/etc/s/c" } }
      |        ----------------------------------------------------------------- `m.keys` is set here
      |
      = help: the name is that of the setting; give one of the keys another name
    "#);
}

#[test]
fn private_keys_are_in_no_source() {
    let project = secrets(
        "[[file]]\nname = \"f\"\nsource = \"key.pem\"\n",
        UNIT,
        &[("key.pem", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n")],
    );
    insta::assert_snapshot!(project.refused(), @r#"
    error: `modules/m/key.pem` is a private key, or has one in it
      --> modules/m/module.toml:30:10
       |
    30 | source = "key.pem"
       |          ^^^^^^^^^
       |
       = help: name it by an option of the type `secret`, and encrypt it by `voevent-build secret` or put it on the target, root's with mode 0400; if it was ever committed, make a new one
    "#);
    project.append(HOST, "# AGE-SECRET-KEY-1QQQQ\n");
    insta::assert_snapshot!(project.refused(), @"
    error: this is a private key: it would be in every copy of the project
      --> hosts/node1.toml:11:3
       |
    11 | # AGE-SECRET-KEY-1****
       |   ^^^^^^^^^^^^^^^^^^^^
       |
       = help: name it by an option of the type `secret`, and encrypt it by `voevent-build secret` or put it on the target, root's with mode 0400; if it was ever committed, make a new one
    ");
}
