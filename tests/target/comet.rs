//! Comet with all that can be set, and with an event database that is not what it should be.

use std::time::Duration;

use crate::driver::{Failure, Lab, Machine, Result, Setup, Suite};
use crate::node::{Node, Workstation};

crate::tests![
    all_options_on_bookworm,
    all_options_on_trixie,
    the_event_database_on_bookworm,
    the_event_database_on_trixie,
    the_development_version_runs,
];

const SOON: Duration = Duration::from_secs(30);
/// The broker's working folder.
const WORK: &str = "/home/voeventserve/working_dir";

fn all_options_on_bookworm() -> Result<()> {
    all_options(Suite::Bookworm)
}

fn all_options_on_trixie() -> Result<()> {
    all_options(Suite::Trixie)
}

fn the_event_database_on_bookworm() -> Result<()> {
    the_event_database(Suite::Bookworm)
}

fn the_event_database_on_trixie() -> Result<()> {
    the_event_database(Suite::Trixie)
}

/// A host of a release.
fn host(suite: Suite, modules: &str, settings: &str) -> String {
    let (system, python) = match suite {
        Suite::Bookworm => ("debian-12", "3.11"),
        Suite::Trixie => ("debian-13", "3.13"),
    };
    format!(
        "[host]\nsystem = \"{system}\"\narch = \"x86_64\"\npython = \"{python}\"\nmodules = [{modules}]\n\
         [comet]\nlocal_ivo = \"ivo://org.example/node1\"\nreceive = {{ enable = true }}\n{settings}"
    )
}

fn machine(lab: &Lab, suite: Suite) -> Result<Machine> {
    lab.boot_with("node1", Setup { suite, ..Setup::default() })
}

/// A module that takes events from a spool.
const READER: &str = "[module]\ndescription = \"x\"\nrequires = [\"users\", \"comet\"]\n\
    [[set]]\n[set.comet.spools.reader]\npath = \"/var/lib/reader/in\"\nroles = [\"test\"]\nstreams = [\"ivo://org.example/*\"]\n\
    [[directory]]\npath = \"/var/lib/reader\"\nmode = \"0755\"\nowner = \"root\"\ngroup = \"root\"\n\
    [[directory]]\npath = \"/var/lib/reader/in\"\nmode = \"2770\"\nowner = \"{{ comet.user }}\"\ngroup = \"{{ users.group }}\"\n";

const PLUGIN: &str = r#"
import comet.log as log
from comet.icomet import IHandler, IHasOptions
from twisted.plugin import IPlugin
from zope.interface import implementer

@implementer(IPlugin, IHandler, IHasOptions)
class Shout:
    name = "shout"
    word = "nothing"
    def get_options(self):
        return [("word", self.word, "What is said.")]
    def set_option(self, name, value):
        self.word = value
    def __call__(self, event):
        log.info("shouting " + self.word)

shout = Shout()
"#;

const ALL: &str = "
filters = [\"//Param[@name='SC_Lat']\", \"//Who\"]
cmd = [\"cmd.sh\"]
print_event = true
save_event = { enable = true }
plugins = { shout = { file = \"shout.py\", options = { word = \"two words $HOME\" } } }
extra_args = [\"--filter=//What\"]
invoke_script = \"invoke.sh\"
verbosity = \"debug\"
log_files = { enable = true, size = \"64K\" }
nofile = 1024
tasks_max = 64
restart_sec = \"1s\"
";

/// An author, who says whether the broker took the event.
const AUTHOR: &str = r#"
import socket, struct, sys
event = sys.stdin.buffer.read()
with socket.create_connection(("127.0.0.1", 8098), 10) as broker:
    broker.sendall(struct.pack(">I", len(event)) + event)
    answer = b""
    while len(answer) < 4 or len(answer) < 4 + struct.unpack(">I", answer[:4])[0]:
        part = broker.recv(65536)
        if not part:
            sys.exit("no answer: " + repr(answer))
        answer += part
print("ack" if b'role="ack"' in answer else answer.decode(errors="replace"))
"#;

/// An event with this local name, in the stream `ivo://org.example/tests`.
fn event(local: &str) -> String {
    include_str!("test-event.xml").replace("tests#story", &format!("tests#{local}"))
}

fn send(node: &Machine, event: &str) -> Result<String> {
    node.call(["python3", "-c", AUTHOR])?.stdin(event).ok()
}

/// What the broker said since its last start, and what was said for it.
fn journal(node: &Machine, unit: &str) -> Result<String> {
    node.sh(&format!("journalctl --sync; journalctl --no-pager -o cat -u {unit}"))
}

fn says(node: &Machine, unit: &str, text: &str) -> Result<()> {
    node.logs(&format!("-u {unit}"), text)
}

fn all_options(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?.with_module("reader", &[("module.toml", READER)])?;
    workstation.beside_hosts("shout.py", PLUGIN)?;
    workstation.beside_hosts("cmd.sh", format!("#!/bin/sh\nexec cat > {WORK}/by-cmd\n"))?;
    workstation.beside_hosts("invoke.sh", "#!/bin/sh\necho \"invoked $#\"\nexec \"$@\"\n")?;
    let bundle = workstation.build(&host(suite, "\"comet\", \"reader\"", ALL))?;
    let node = machine(&lab, suite)?;
    node.ship(&workstation)?;
    // The reader's disk is full from the beginning.
    node.sh("mkdir -p /var/lib/reader/in && mount -t tmpfs -o size=64k t /var/lib/reader/in")?;
    node.sh("cat /dev/zero > /var/lib/reader/in/.full 2> /dev/null || true")?;
    node.switch_to(&bundle)?;

    let sent = event("all");
    assert_eq!(send(&node, &sent)?, "ack", "{}", journal(&node, "comet")?);
    says(&node, "comet", "spool `reader` cannot be written, 1 events wait: [Errno 28]")?;
    assert_eq!(send(&node, &event("second"))?, "ack", "a full disk holds nobody up");
    let failed = format!("grep 'spool_failed_total.*reader' {WORK}/metrics.prom");
    node.wait(SOON, || Ok(!node.sh(&failed)?.ends_with(" 0")))?;
    node.sh("rm /var/lib/reader/in/.full")?;
    let spooled = "cd /var/lib/reader/in && ls";
    node.wait(SOON, || Ok(node.sh(spooled)?.lines().count() == 2))?;
    assert_eq!(node.sh("cd /var/lib/reader/in && cat $(ls | head -1)")?, sent.trim_end());
    assert_eq!(node.sh("cd /var/lib/reader/in && stat -c '%a %U %G' * | uniq")?, "640 voeventserve voevent");
    let counted = format!("grep -c '{{broker=\"comet\",role=\"test\"}} 2' {WORK}/metrics.prom");
    node.wait(SOON, || Ok(node.sh(&format!("{counted} || true"))? == "1"))?;

    says(&node, "comet", "shouting two words $HOME")?;
    says(&node, "comet", "invoked 1")?;
    says(&node, "comet", "<contactEmail>ops@example.org</contactEmail>")?;
    assert_eq!(
        node.sh(&format!("cmp {WORK}/events/ivo__org.example_testssecond {WORK}/by-cmd; ls {WORK}/events"))?
            .lines()
            .count(),
        2
    );
    assert!(node.sh(&format!("cat {WORK}/log/comet.log"))?.contains("shouting two words"));
    let said = journal(&node, "comet")?;
    assert!(!said.contains("plugin cache") && !said.contains("Traceback"), "{said}");
    for (property, value) in [("LimitNOFILE", "1024"), ("RestartUSec", "1s")] {
        assert_eq!(node.show("comet.service", property)?, value);
    }
    for unit in ["comet.service", "comet-eventdb.service"] {
        let score = node.sh(&format!("systemd-analyze security {unit} --no-pager | tail -1"))?;
        let exposure: f64 = score.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or(10.0);
        assert!(exposure <= 1.5, "{unit}: {score}");
    }
    a_plugin_that_is_none(&workstation, &node, suite)
}

/// What does not start is taken back.
fn a_plugin_that_is_none(workstation: &Workstation, node: &Machine, suite: Suite) -> Result<()> {
    workstation.beside_hosts("shout.py", PLUGIN.replace("\"shout\"", "\"whisper\""))?;
    let bundle = workstation.build(&host(suite, "\"comet\", \"reader\"", ALL))?;
    node.ship(workstation)?;
    let refused = node.switch([format!("{}/store/{bundle}", crate::node::SHIPPED).as_str()])?;
    assert_eq!(refused.code(), Some(4), "{refused:?}");
    says(node, "comet", "has no handler of the name `shout`: it has `whisper`")?;
    assert_eq!(send(node, &event("after"))?, "ack");
    Ok(())
}

/// A stream's file in the format of another interpreter, with an event in it that was seen.
const FOREIGN: &str = r#"
import contextlib, dbm.dumb, hashlib, os, sqlite3, sys
path, key = sys.argv[1], hashlib.sha1(sys.stdin.buffer.read()).hexdigest().encode()
with contextlib.closing(sqlite3.connect(path)) as db, db:
    db.execute("CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)")
    db.execute("INSERT INTO Dict VALUES (?, ?)", (key, b"1790000000.5"))
"#;

fn the_event_database(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let bundle = workstation.build(&host(suite, "\"comet\"", "restart_sec = \"1s\"\n"))?;
    let node = machine(&lab, suite)?;
    node.ship(&workstation)?;
    node.switch_to(&bundle)?;
    let file = if suite == Suite::Bookworm { "_tests.db" } else { "_tests" };

    assert_eq!(send(&node, &event("a"))?, "ack");
    assert!(send(&node, &event("a"))?.contains("Previously seen"));
    node.sh(&format!("test -s {WORK}/db/{file}"))?;
    // Half a file, while the broker runs: it refuses all events of the stream, until the daily check.
    node.sh(&format!("truncate -s 3000 {WORK}/db/{file}"))?;
    assert!(send(&node, &event("b"))?.contains("nak"), "{}", journal(&node, "comet")?);
    node.run(["systemctl", "start", "comet-eventdb.service"])?;
    says(&node, "comet-eventdb", "is damaged and was set aside")?;
    assert_eq!(node.sh(&format!("ls {WORK}/db.bad/*/ | head -1"))?, file);
    assert_eq!(send(&node, &event("c"))?, "ack");

    // The same before a start.
    node.run(["systemctl", "stop", "comet"])?;
    node.sh(&format!("head -c 9000 /dev/urandom > {WORK}/db/{file}"))?;
    node.run(["systemctl", "start", "comet"])?;
    says(&node, "comet", "is damaged and was set aside")?;
    assert_eq!(node.sh(&format!("ls {WORK}/db.bad | wc -l"))?, "2");
    assert_eq!(send(&node, &event("c"))?, "ack");
    node.sh(&format!(
        "chown -R voeventserve: {WORK}; test $(stat -c %U {WORK}/db.bad/*/* | uniq) = voeventserve"
    ))?;
    seen_in_another_format(&node, suite)?;

    // What nothing here can read: there is no Comet that would forget what was seen.
    node.sh(&format!("printf '\\316\\232W\\023%4096s' > {WORK}/db/_gnu"))?;
    assert!(!node.call(["systemctl", "restart", "comet"])?.output()?.success());
    says(&node, "comet", "has no `dbm.gnu`")?;
    node.sh(&format!("rm {WORK}/db/_gnu"))?;
    node.wait(SOON, || node.greets(8099))?;
    assert!(send(&node, &event("seen"))?.contains("Previously seen"));
    Ok(())
}

/// A stream that another interpreter wrote is none that nobody saw.
fn seen_in_another_format(node: &Machine, suite: Suite) -> Result<()> {
    node.run(["systemctl", "stop", "comet"])?;
    let stream = format!("{WORK}/db/_tests");
    // On Debian 13 that is the format of new files: the file of Debian 12 is beside it.
    node.call(["python3", "-c", FOREIGN, &format!("{WORK}/db/foreign")])?.stdin(event("seen")).ok()?;
    match suite {
        Suite::Bookworm => node.sh(&format!("mv {WORK}/db/foreign {stream}"))?,
        Suite::Trixie => {
            let old = "import dbm.ndbm, sys; db = dbm.ndbm.open(sys.argv[1], 'n'); db[b'x'] = b'1790000000.5'; db.close()";
            node.run(["python3", "-c", old, &stream])?;
            node.sh(&format!("mv {WORK}/db/foreign {stream}"))?
        }
    };
    node.sh(&format!("chown voeventserve: {WORK}/db/*"))?;
    node.run(["systemctl", "start", "comet"])?;
    says(node, "comet", "`_tests` was converted from ")?;
    assert!(send(node, &event("seen"))?.contains("Previously seen"), "{}", journal(node, "comet")?);
    assert_eq!(node.sh(&format!("ls {WORK}/db/_tests* | wc -l"))?, "1");
    assert_eq!(node.sh(&format!("ls {WORK}/db.old/*/ | wc -l"))?, "2");
    Ok(())
}

/// Comet's development version, from the source archive that lies beside the host file: another command line, and it
/// can listen on this host alone.
fn the_development_version_runs() -> Result<()> {
    let suite = Suite::Trixie;
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?.with_module("reader", &[("module.toml", READER)])?;
    workstation.beside_hosts("comet-3.2.0rc0.tar.gz", include_bytes!("comet-3.2.0rc0.tar.gz"))?;
    workstation.beside_hosts("shout.py", PLUGIN)?;
    workstation.beside_hosts("cmd.sh", format!("#!/bin/sh\nexec cat > {WORK}/by-cmd\n"))?;
    workstation.beside_hosts("invoke.sh", "#!/bin/sh\nexec \"$@\"\n")?;
    let more = "version = \"3.2.0-pre\"\nsource = \"comet-3.2.0rc0.tar.gz\"\nbroadcast = { local = true }\n\
                remotes = [\"192.0.2.1:8099\"]\n";
    let text = host(suite, "\"comet\", \"reader\"", &format!("{more}{ALL}"));
    workstation.lock(&text)?;
    let bundle = workstation.build(&text)?;
    let node = machine(&lab, suite)?;
    node.ship(&workstation)?;
    node.switch_to(&bundle)?;
    what_it_has_is_stored(&node)?;
    says(&node, "comet", "shouting two words $HOME")?;
    let listening = "ss -Hltn | awk '{print $4}' | grep ':809' | sort";
    assert_eq!(node.sh(listening)?, "0.0.0.0:8098\n127.0.0.1:8099");
    let said = journal(&node, "comet")?;
    assert!(!said.contains("plugin cache") && !said.contains("Traceback"), "{said}");
    Ok(())
}

/// What is acknowledged is on the disk by then, once; what is refused is not, and was not seen.
fn what_it_has_is_stored(node: &Machine) -> Result<()> {
    assert_eq!(send(node, &event("head"))?, "ack", "{}", journal(node, "comet")?);
    let stored = |count: &str| -> Result<()> {
        let stored = node.sh("ls /var/lib/reader/in | wc -l")?;
        if stored == count { Ok(()) } else { Err(Failure::new(format!("{stored} stored, not {count}"))) }
    };
    stored("1")?;
    assert!(send(node, &event("head"))?.contains("Previously seen"));
    let bad = event("bad").replace("<Who>", "<Whom/><Who>");
    for _ in 0..2 {
        let said = send(node, &bad)?;
        assert!(said.contains("Whom"), "{said}");
    }
    stored("1")?;
    node.run(["systemctl", "kill", "--signal=KILL", "comet.service"])?;
    node.wait(SOON, || node.greets(8099))?;
    assert!(send(node, &event("head"))?.contains("Previously seen"));
    assert_eq!(send(node, &event("after"))?, "ack");
    stored("2")
}
