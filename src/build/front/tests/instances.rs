//! Modules that are on more than once.

mod refused;

use crate::build::artifact::What;
use crate::build::fleet::{Member, judge};
use crate::build::seal::{Sealed, seal};
use crate::build::venvs::stand_ins;

use super::{errors, good, setting, shown};

const BOTH: &str = "modules = ['b', 'b:two']\n";
const DIR: &str = "modules/b/module.toml";

/// A module that can be on more than once.
const BROKER: &str = "[module]
description = 'x'
requires = ['acc']
instances = true
[options.port]
type = 'port'
description = 'A port.'
[options.dir]
type = 'path'
default = '/srv/b{{ instance.suffix }}'
description = 'x'
[options.version]
type = 'string'
default = '1'
description = 'x'
[[set]]
[set.acc.names]
\"{{ b.dir }}\" = '{{ b.port }}'
[[set]]
[set.acc]
order = ['{{ instance.name or \"plain\" }}']
[[venv]]
name = 'v'
requirements = ['v=={{ b.version }}']
[[script]]
name = 'run'
template = 'run.sh.j2'
[[unit]]
name = 'b{{ instance.suffix }}.service'
template = 'b.service.j2'
[[listen]]
port = '{{ b.port }}'
role = 'broadcast'
";

const ACC: &str = "[module]
description = 'x'
[options.names]
type = 'map of port'
description = 'x'
[options.order]
type = 'list of string'
description = 'x'
";

const USER: &str = "[module]
description = 'x'
requires = ['b']
[options.port]
type = 'int'
default = '{{ b.port }}'
description = 'x'
[[script]]
name = 'ask'
template = 'ask.sh.j2'
";

const FILES: [(&str, &str); 6] = [
    (DIR, BROKER),
    ("modules/b/run.sh.j2", "{{ venv('v') }}/bin/x {{ b.port }} {{ instance.name is none }}\n"),
    ("modules/b/b.service.j2", "[Service]\nExecStart={{ script('run') }}\nUser={{ b.dir }}\n"),
    ("modules/acc/module.toml", ACC),
    ("modules/user/module.toml", USER),
    ("modules/user/ask.sh.j2", "{{ script('b/run') }} {{ b.port }}\n"),
];

#[test]
fn each_has_settings_and_artifacts_of_its_own() {
    let host = "modules = ['b:two', 'user', 'b']\n[b]\nport = 1\n['b:two']\nport = 2\n\
                [user]\nbind.b = 'b:two'\n";
    let compiled = good(host, &FILES);
    for (name, value) in [
        ("b.port", "1"),
        ("b:two.port", "2"),
        ("b.dir", "\"/srv/b\""),
        ("b:two.dir", "\"/srv/b-two\""),
        ("user.port", "2"),
        ("acc.names", r#"{ "/srv/b" = 1, "/srv/b-two" = 2 }"#),
        // What two instances tell a third comes in module order: the plain one first.
        ("acc.order", r#"["plain", "two"]"#),
    ] {
        assert_eq!(setting(&compiled, name), value, "{name}");
    }
    let modules: Vec<String> = compiled.rendered.modules.iter().map(ToString::to_string).collect();
    assert_eq!(modules, ["acc", "b", "b:two", "user"]);
    let texts = compiled.rendered.artifacts.iter().filter(|artifact| artifact.text().is_some());
    let texts: Vec<String> =
        texts.map(|artifact| format!("# {}\n{}", artifact.module, shown(artifact))).collect();
    insta::assert_snapshot!(texts.concat(), @r#"
    # b
    ⟨Venv b/v⟩/bin/x ⟨1⟩ ⟨true⟩
    # b
    [Service]
    ExecStart=⟨Script b/run⟩
    User=⟨"/srv/b"⟩
    # b:two
    ⟨Venv b:two/v⟩/bin/x ⟨2⟩ ⟨false⟩
    # b:two
    [Service]
    ExecStart=⟨Script b:two/run⟩
    User=⟨"/srv/b-two"⟩
    # user
    ⟨Script b:two/run⟩ ⟨2⟩
    "#);
}

#[test]
fn instances_share_a_venv() {
    let host = format!("{BOTH}[b]\nport = 1\ndir = '/a'\n['b:two']\nport = 2\ndir = '/b'\n");
    let files = FILES.map(|(path, text)| (path, text.to_owned().replace("User={{ b.dir }}\n", "")));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let compiled = good(&host, &files);
    let venvs = compiled.rendered.artifacts.iter().filter(|artifact| matches!(artifact.what, What::Venv(_)));
    assert_eq!(venvs.count(), 2);
    let Sealed { bundle, .. } = seal(&compiled.rendered, &stand_ins(&compiled.rendered)).unwrap();
    assert_eq!(bundle.manifest.venvs.len(), 1);
    // Each script is another, and each unit runs its own.
    let names = |text: &str| {
        bundle.manifest.objects.iter().filter(|object| object.name.to_string().contains(text)).count()
    };
    assert_eq!((names("-run"), names("-b.service"), names("-b-two.service")), (2, 1, 1));
}

#[test]
fn who_names_a_module_says_which() {
    insta::assert_snapshot!(errors("modules = ['b:two', 'user']\n['b:two']\nport = 2\n", &FILES), @r#"
    error: which `b` does `user` mean? the host has `b:two`
     --> modules/user/module.toml:3:13
      |
    3 | requires = ['b']
      |             ^^^ required here
      |
     ::: hosts/h.toml:5:12
      |
    5 | modules = ['b:two', 'user']
      |            ------- turned on here
      |
      = help: add a line `bind.b = "b:two"` to `[user]`, or add `b` to `modules`
    "#);
    // Asked for by name, or bound, it is clear.
    good("modules = ['b:two', 'user', 'b']\n[b]\nport = 1\n['b:two']\nport = 2\n", &FILES);
    let bound = "modules = ['b:two', 'user']\n['b:two']\nport = 2\n[user]\nbind.b = 'b:two'\n";
    let compiled = good(bound, &FILES);
    assert_eq!(compiled.rendered.modules.len(), 3, "no plain one came along");
}

#[test]
fn the_strongest_binding_counts() {
    let host = "modules = ['b', 'b:two', 'user']\nimports = ['site.toml']\n[b]\nport = 1\n['b:two']\nport = 2\n\
                [user]\nbind.b = 'b:two'\n";
    let files: Vec<(&str, &str)> =
        FILES.into_iter().chain([("hosts/site.toml", "[user]\nbind.b = 'b'\n")]).collect();
    assert_eq!(setting(&good(host, &files), "user.port"), "2");
}

#[test]
fn one_broker_of_a_host_may_subscribe_to_another() {
    let more = "[options.to]\ntype = 'list of host-port'\ndefault = []\ndescription = 'x'\n\
                [[subscribe]]\nfor_each = 'b.to'\nto = '{{ each.value }}'\n[[listen]]\nport = '{{ b.port + 100 }}'\nrole = 'receive'\n";
    let text = format!("{BROKER}{more}");
    let files: Vec<(&str, &str)> =
        [(DIR, text.as_str())].into_iter().chain(FILES[1..].iter().copied()).collect();
    let warnings = |to: &str| {
        let host = format!("{BOTH}[b]\nport = 1\nto = [{to}]\n['b:two']\nport = 2\nto = ['127.0.0.1:1']\n");
        let found = judge(&[Member::of(&mut good(&host, &files))]);
        found.into_iter().map(|found| found.message).collect::<Vec<_>>()
    };
    assert_eq!(warnings(""), Vec::<String>::new());
    let ring = "hosts subscribe to each other in a ring: `h` → `b:two` of `h` → `h`";
    assert_eq!(warnings("'localhost:2'"), [ring]);
    assert_eq!(warnings("'localhost:1'"), ["`h` subscribes to itself"]);
    // Where the first takes its events from one upstream, that is the host's only one.
    let one = "`h` takes its events from `up.example` alone: none come while that is down";
    assert_eq!(warnings("'up.example:1'"), [one]);
}
