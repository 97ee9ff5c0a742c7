//! Each kind of check proves what it says, and no more: with real listeners, files and commands.

use crate::driver::{Failure, Lab, Result};
use crate::node::{Node, Prepared, SHIPPED, Workstation, example};

crate::tests![checks_prove_what_they_say];

const MODULE: &str = r#"
[module]
description = "A heartbeat"

[[unit]]
name = "beat.service"
template = "beat.service.j2"
wanted_by = ["voevent.target"]

[[unit]]
name = "web.service"
template = "web.service.j2"
wanted_by = ["voevent.target"]

[[script]]
name = "who"
template = "who.sh.j2"

[[check]]
name = "beats"
kind = "file-newer"
path = "/run/beat/beat"
"#;

const UNIT: &str = "[Service]\nExecStart=/bin/sh -c 'while :; do touch /run/beat/beat; sleep 0.2; done'\nRuntimeDirectory=beat\n";

const WEB: &str = "[Service]\nExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /usr/share/doc 8066\nDynamicUser=yes\n";

/// Says who runs it, and fails where it can write to what should be read-only.
const SCRIPT: &str = "#!/bin/sh\nid -un >&2\ntouch /etc/made-by-a-check 2>/dev/null && exit 9\n[ \"$(id -un)\" != voeventserve ]\n";

/// Checks of a bundle, and what is said where they do not hold.
fn bundles() -> Vec<(String, Option<&'static str>)> {
    let check = |name: &str, rest: &str| format!("[[check]]\nname = \"{name}\"\nwithin = \"3s\"\n{rest}\n");
    vec![
        (
            check("open", "kind = \"tcp\"\nport = 8099")
                + &check(
                    "root",
                    "kind = \"command\"\ncommand = [\"/usr/bin/test\", \"-r\", \"/etc/shadow\"]\nuser = \"root\"",
                )
                + &check(
                    "nobody",
                    "kind = \"command\"\ncommand = [\"/usr/bin/test\", \"!\", \"-r\", \"/etc/shadow\"]",
                )
                + &check(
                    "dollar",
                    "kind = \"command\"\ncommand = [\"/usr/bin/test\", \"$HOME %n\", \"=\", \"$HOME %n\"]",
                )
                + &check("script", "kind = \"command\"\nscript = \"who\"")
                + &check(
                    "web",
                    "kind = \"http\"\nport = 8066\npath = \"/base-files/\"\ncontains = \"copyright\"",
                ),
            None,
        ),
        (
            check("web", "kind = \"http\"\nport = 8066\npath = \"/nothing\""),
            Some("http://127.0.0.1:8066/nothing answered with the status 404 where 200 was expected"),
        ),
        (
            check("open", "kind = \"tcp\"\nport = 8077"),
            Some("nothing accepts connections at port 8077 within 3s"),
        ),
        (
            check("stale", "kind = \"file-newer\"\npath = \"/etc/hostname\""),
            Some("`/etc/hostname` is old, and did not become newer within 3s"),
        ),
        (check("who", "kind = \"command\"\nscript = \"who\"\nuser = \"voeventserve\""), Some("voeventserve")),
        (
            check("slow", "kind = \"command\"\ncommand = [\"/usr/bin/sleep\", \"60\"]"),
            Some("`/usr/bin/sleep 60` did not end within"),
        ),
    ]
}

fn checks_prove_what_they_say() -> Result<()> {
    let lab = Lab::new()?;
    let mut workstation = Workstation::new(&lab, "w")?;
    let host = example()?.replace("modules = [\"comet\"]", "modules = [\"comet\", \"beat\"]");
    let mut names = Vec::new();
    for (checks, said) in bundles() {
        let text = format!("{MODULE}{checks}");
        let files = [
            ("module.toml", text.as_str()),
            ("beat.service.j2", UNIT),
            ("web.service.j2", WEB),
            ("who.sh.j2", SCRIPT),
        ];
        workstation = workstation.with_module("beat", &files)?;
        names.push((workstation.build(&host)?, said));
    }
    let node = Prepared::get()?.boot(&lab)?;
    node.ship(&workstation)?;
    for (bundle, said) in names {
        let output = node.switch([format!("{SHIPPED}/store/{bundle}").as_str()])?;
        match said {
            None => drop(output.checked()?),
            Some(said) if output.code() == Some(4) && output.stderr.contains(said) => {}
            Some(said) => return Err(Failure::new(format!("expected 4 and `{said}`: {output:?}"))),
        }
    }
    node.sh("test ! -e /etc/made-by-a-check").map(drop)
}
