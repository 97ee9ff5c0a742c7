//! A fleet in a folder: hosts that turn thirty modules on, of the sizes that modules have.

use std::fmt::Write as _;

use crate::sandbox::Sandbox;

/// Modules that are written here; `comet` and `users` are those of the project.
const MODULES: usize = 28;

const MODULE: &str = r#"[module]
description = "Service NAME"
requires = ["users", "comet"BEFORE]

[options.user]
type = "user-name"
default = "{{ users.serve_user }}"
description = "Who runs it."
[options.port]
type = "port"
min = 1024
default = PORT
description = "Where it listens."
[options.level]
type = "one of"
of = ["warning", "info", "debug"]
default = "info"
description = "What it logs."
[options.title]
type = "string"
max = 100
default = "NAME of {{ host.name }} at {{ host.address }}"
description = "For people."
[options.keep]
type = "duration"
default = "7d"
description = "How long it keeps things."
[options.memory]
type = "size"
default = "64M"
description = "Memory limit."
[options.peers]
type = "list of host-port"
default = []
description = "Whom it asks."
[options.allow]
type = "list of cidr"
default = ["192.0.2.0/24", "198.51.100.0/24"]
description = "Who may ask it."
[options.folder]
type = "path"
default = "/var/lib/NAME"
description = "Where it keeps things."
[options.streams]
type = "map of table"
description = "What it does with events."
[options.streams.fields.pattern]
type = "string"
default = "ivo://*/{{ each.key }}"
description = "Which events."
[options.streams.fields.retries]
type = "int"
min = 0
max = 10
default = 2
description = "How often it tries."
[options.streams.fields.active]
type = "bool"
default = true
description = "Whether it does."

[[assert]]
that = "NAME.memory | bytes >= 16 * 1024 * 1024"
message = "`NAME.memory` is too little: {{ NAME.memory }}"
[[assert]]
for_each = "NAME.streams"
that = "each.value.retries < 9 or not each.value.active"
message = "`{{ each.key }}` tries too often"
[[assert]]
that = "NAME.user != users.deploy_user"
message = "not as the deploy user"

[[set]]
[set.users.accounts."{{ NAME.user }}"]
[[set]]
when = "comet.broadcast.enable"
[set.NAME]
peers = ["localhost:{{ comet.broadcast.port }}"]
[[set]]
[set.NAME.streams.all]
retries = 3

[[directory]]
path = "{{ NAME.folder }}"
mode = "0750"
owner = "{{ NAME.user }}"
group = "{{ users.group }}"
[[script]]
name = "NAME-run"
template = "run.sh.j2"
[[file]]
path = "/etc/NAME/config.json"
template = "config.json.j2"
[[file]]
path = "/etc/NAME/config.toml"
template = "config.toml.j2"
[[file]]
path = "/etc/NAME/filter.py"
template = "filter.py.j2"
[[file]]
path = "/etc/NAME/NAME.ini"
template = "config.ini.j2"
[[unit]]
name = "NAME.service"
template = "NAME.service.j2"
wanted_by = ["voevent.target"]
[[unit]]
name = "NAME.timer"
template = "NAME.timer.j2"
wanted_by = ["voevent.target"]
[[listen]]
port = "{{ NAME.port }}"
from = "{{ NAME.allow }}"
[[check]]
name = "NAME-running"
kind = "unit-active"
unit = "NAME.service"
"#;

const FILES: [(&str, &str); 7] = [
    (
        "run.sh.j2",
        r#"#!/bin/sh
# Starts NAME: {{ NAME.title }}
set -eu
umask 027
folder={{ NAME.folder }}
if [ ! -d "$folder/{{ NAME.level }}" ]; then
    mkdir -p "$folder/{{ NAME.level }}"
fi
{% for peer in NAME.peers %}
printf '%s\n' "asking {{ peer }}" >&2
{% endfor %}
case {{ NAME.level }} in
    debug) set -- --verbose "$@" ;;
    warning) set -- --quiet "$@" ;;
    *) ;;
esac
{% for name, stream in NAME.streams | items %}
{% if stream.active %}
set -- "$@" --stream {{ name }} --pattern {{ stream.pattern }} --retries {{ stream.retries }}
{% endif %}
{% endfor %}
exec /usr/bin/logger --config {{ file("config.json") }} --port {{ NAME.port }} "$@"
"#,
    ),
    (
        "config.json.j2",
        "{\n  \"title\": {{ NAME.title }},\n  \"port\": {{ NAME.port }},\n  \"peers\": {{ NAME.peers }},\n  \
         \"allow\": {{ NAME.allow }},\n  \"streams\": {{ NAME.streams }},\n  \"log\": \"{{ NAME.level }}\"\n}\n",
    ),
    (
        "config.toml.j2",
        "title = {{ NAME.title }}\nkeep = \"{{ NAME.keep }}\"\n\n[listen]\nport = {{ NAME.port }}\n\
         allow = {{ NAME.allow }}\n\n[log]\nlevel = {{ NAME.level }}\n",
    ),
    (
        "filter.py.j2",
        "\"\"\"Which events NAME takes.\"\"\"\n\nSTREAMS = {{ NAME.streams }}\nHOST = {{ host.name }}\n\n\n\
         def takes(ivorn):\n    \"\"\"Whether it does.\"\"\"\n    for name, stream in STREAMS.items():\n        \
         if stream[\"active\"] and name in ivorn:\n            return True\n    return HOST in ivorn\n",
    ),
    (
        "config.ini.j2",
        "[NAME]\ntitle = {{ NAME.title }}\nport = {{ NAME.port }}\nkeep = {{ NAME.keep }}\n[log]\n\
         level = {{ NAME.level }}\nfolder = {{ NAME.folder }}\n",
    ),
    (
        "NAME.service.j2",
        r#"[Unit]
Description={{ NAME.title }}
Wants=network-online.target
After=network-online.target comet.service

[Service]
Type=exec
User={{ NAME.user }}
Group={{ users.group }}
WorkingDirectory={{ NAME.folder }}
Environment="TITLE={{ NAME.title }}" LANG=C.UTF-8
ExecStart={{ script("NAME-run") }} {{ NAME.level }}
Restart=always
RestartSec=3
MemoryMax={{ NAME.memory }}
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=yes
ReadWritePaths={{ NAME.folder }}
CapabilityBoundingSet=
RestrictAddressFamilies=AF_INET AF_INET6
SystemCallFilter=@system-service
UMask=0027
"#,
    ),
    (
        "NAME.timer.j2",
        "[Unit]\nDescription=Clears up after NAME\n\n[Timer]\nOnCalendar=daily\nRandomizedDelaySec=1h\n",
    ),
];

/// The example's project with so many hosts, each of which turns all modules on, and sets options of some.
pub(crate) fn fleet(hosts: usize) -> Sandbox {
    let sandbox = Sandbox::example();
    sandbox.remove("hosts/node1.toml");
    for index in 0..MODULES {
        let name = format!("service{index:02}");
        let before = if index < 3 { String::new() } else { format!(", \"service{:02}\"", index / 3) };
        let module = MODULE.replace("BEFORE", &before).replace("PORT", &format!("{}", 9000 + index));
        sandbox.write(&format!("modules/{name}/module.toml"), &module.replace("NAME", &name));
        for (file, text) in FILES {
            let file = file.replace("NAME", &name);
            sandbox.write(&format!("modules/{name}/{file}"), &text.replace("NAME", &name));
        }
    }
    let all: Vec<String> = (0..MODULES).map(|index| format!("\"service{index:02}\"")).collect();
    let head = "[host]\nsystem = \"debian-12\"\narch = \"x86_64\"\npython = \"3.11\"\n";
    let site = format!("{head}modules = [\"comet\", {}]\n\n[service00]\nlevel = \"debug\"\n", all.join(", "));
    sandbox.write("hosts/site.toml", &site);
    for index in 0..hosts {
        sandbox.write(&format!("hosts/node{index:03}.toml"), &host(index));
    }
    sandbox
}

/// A host; the first hundred get events from authors, the others from two of those.
fn host(index: usize) -> String {
    let mut text = format!(
        "[host]\ndescription = \"Node {index}\"\naddress = \"node{index:03}.example.org\"\n\
         imports = [\"site.toml\"]\n\n[comet]\nlocal_ivo = \"ivo://org.example/node{index:03}\"\n"
    );
    if index < 100 {
        text.push_str("[comet.receive]\nenable = true\nwhitelist = [\"192.0.2.0/24\"]\n");
    } else {
        let (one, other) = (index - 100, (index - 99) % 100);
        let remotes = format!("\"node{one:03}.example.org:8099\", \"node{other:03}.example.org:8099\"");
        let _ = writeln!(text, "remotes = [{remotes}]");
    }
    for module in (0..MODULES).filter(|module| (module + index).is_multiple_of(3)) {
        let _ = write!(
            text,
            "\n[service{module:02}]\ntitle = \"Service {module} of node {index}\"\nkeep = \"{}d\"\n\
             peers = [\"peer{index}.example.org:7000\"]\n[service{module:02}.streams.s{index}]\nretries = 4\n",
            index % 30 + 1
        );
    }
    text
}
