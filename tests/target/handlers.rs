//! Handlers that hang, crash, are killed, or eat memory: the broker does not notice, and each failure is kept, counted
//! and told.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::driver::{Explain, Failure, Lab, Machine, Result, Setup, Suite};
use crate::node::{Node, Workstation};

crate::tests![bad_handlers_on_debian_12, bad_handlers_on_debian_13];

const SOON: Duration = Duration::from_mins(1);
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");
const QUEUES: &str = "/var/lib/voevent-queue";
/// How many events come while handlers fail.
const EVENTS: usize = 60;
/// How much slower the author's answer may be on a machine of two cores that the failing programs keep busy.
const SLOWER: f64 = 3.0;
/// Each with what it does, and what is said of its end.
const BAD: [(&str, &str, &str); 4] = [
    ("hangs", "trap '' TERM; while :; do sleep 1000; done", "timeout: ran longer than 2 s"),
    ("crashes", "echo out of luck >&2; exit 3", "exit: status 3"),
    ("killed", "setsid sleep 2000 & kill -SEGV $$", "signal: killed by SIGSEGV"),
    ("greedy", "exec python3 -c 'all = bytearray(1 << 30)'", "MemoryError"),
];

fn host(suite: Suite, good: bool) -> String {
    let (system, python) = match suite {
        Suite::Bookworm => ("debian-12", "3.11"),
        Suite::Trixie => ("debian-13", "3.13"),
    };
    let mut text = format!(
        "[host]\nsystem = \"{system}\"\narch = \"x86_64\"\npython = \"{python}\"\n\
         modules = [\"comet\", \"handlers\", \"monitor\"]\n\
         [comet]\nlocal_ivo = \"ivo://org.example/node1\"\nbroadcast = {{ test_interval = \"0s\" }}\n\
         receive = {{ enable = true, whitelist = [\"10.213.7.0/24\"] }}\n\
         [monitor]\ninterval = \"1s\"\n[monitor.alarm.own]\nkind = \"command\"\n\
         command = [\"/bin/sh\", \"-c\", \"cat >> ~/text\"]\n\
         [handlers.handler.witness]\nprogram = \"witness.py\"\narguments = [\"a b\", \"$HOME %n\"]\nretries = 0\n\
         secrets = {{ token = {{ file = \"/etc/voevent/secrets/token\" }} }}\n\
         environment = {{ COLOUR = \"dark blue\" }}\nxpath = \"//Description\"\n"
    );
    for (name, script, _) in BAD {
        let script = Value::from(if good { "exec true" } else { script });
        text.extend([
            format!("[handlers.handler.{name}]\ncommand = \"/bin/sh\"\narguments = [\"-c\", {script}]\n"),
            "retries = 0\ntimeout = \"2s\"\nmemory_max = \"64M\"\n".to_owned(),
        ]);
    }
    text
}

fn bad_handlers_on_debian_12() -> Result<()> {
    story(Suite::Bookworm)
}

fn bad_handlers_on_debian_13() -> Result<()> {
    story(Suite::Trixie)
}

fn story(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let witness = Path::new(PROJECT).join("tests/target/events/witness.py");
    let beside = workstation.generated().with_file_name("hosts").join("witness.py");
    fs::copy(&witness, &beside).explain(|| format!("copy `{}`", witness.display()))?;
    let good = workstation.build(&host(suite, true))?;
    let bad = workstation.build(&host(suite, false))?;
    let node = lab.boot_with("node1", Setup { suite, ..Setup::default() })?;
    node.sh("install -d -m 700 /etc/voevent/secrets; echo s3cret > /etc/voevent/secrets/token; chmod 600 /etc/voevent/secrets/token")?;
    node.ship(&workstation)?;
    node.switch_to(&good)?;
    let before = author(&lab, &node, "before")?;
    let names = || BAD.iter().map(|(name, ..)| *name).chain(["witness"]);
    for name in names() {
        wait_for(&node, name, "done", EVENTS)?;
    }

    node.switch_to(&bad)?;
    let during = author(&lab, &node, "during")?;
    let ratio = during / before;
    println!("ack to the author: {before} ms before, {during} ms while handlers fail, ratio {ratio:.2}");
    wait_for(&node, "witness", "done", 2 * EVENTS)?;
    for (name, _, why) in BAD {
        let all = if name == "hangs" { 2 } else { EVENTS };
        wait_for(&node, name, "failed", all)?;
        let said = node.sh(&format!("cat $(ls {QUEUES}/{name}/failed/*.txt | head -1)"))?;
        assert!(said.contains(why) && said.contains("ivo://org.example/during#"), "{name}: {said}");
    }
    accounted_for(&node)?;
    told(&node)?;
    assert!(ratio < SLOWER, "{ratio}");
    hardened(&node, names())?;
    stopped_in_an_attempt(&node)
}

/// Sends events one after the other; the median time to the broker's answer, in ms.
fn author(lab: &Lab, node: &Machine, tag: &str) -> Result<f64> {
    let program = format!("{PROJECT}/tests/target/events/author.py");
    let (file, address) = (lab.dir().join(tag).display().to_string(), node.address());
    let count = EVENTS.to_string();
    let words = ["python3", &program, &address, "8098", "stream", &file, &count, "1", "20"];
    let said = lab.control(words).ok()?;
    println!("{tag}: {said}");
    let summary: Value = serde_json::from_str(&said).explain(|| format!("read `{said}`"))?;
    assert_eq!(summary["counts"]["ack"], EVENTS, "{said}");
    summary["p50_ms"].as_f64().ok_or_else(|| Failure::new(said))
}

fn count(node: &Machine, name: &str, folder: &str) -> Result<usize> {
    let said = node.sh(&format!("find {QUEUES}/{name}/{folder} -name '[0-9]*.xml' | wc -l"))?;
    said.parse().explain(|| format!("read `{said}`"))
}

fn wait_for(node: &Machine, name: &str, folder: &str, many: usize) -> Result<()> {
    node.wait(SOON, || {
        let there = count(node, name, folder)?;
        if there >= many {
            return Ok(true);
        }
        let said = node.sh(&format!(
            "cat {QUEUES}/{name}/failed/*.txt 2>&1 | head -20; journalctl -o cat -u voevent-handler-{name} | tail -5"
        ))?;
        Err(Failure::new(format!("{there} of {many} in {name}/{folder}: {said}")))
    })
}

/// Every event is in one folder of each queue, and counted where it is.
fn accounted_for(node: &Machine) -> Result<()> {
    for (name, ..) in BAD {
        node.wait(SOON, || {
            let folders = ["in", "work", "done", "failed"].map(|folder| count(node, name, folder));
            Ok(folders.into_iter().sum::<Result<usize>>()? == 2 * EVENTS)
        })?;
        let failed = format!("voevent_handler_events_total{{handler=\"{name}\",outcome=\"failed\"}} ");
        node.wait(SOON, || {
            let kept = count(node, name, "failed")?;
            let metrics = node.sh(&format!("cat {QUEUES}/{name}/work/metrics.prom"))?;
            Ok(metrics.contains(&format!("{failed}{kept}\n")))
        })?;
    }
    // What a killed program left running was ended with it.
    let left = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -ac '[s]leep 2000' || true";
    assert_eq!(node.sh(left)?, "0");
    Ok(())
}

/// An alarm for each that failed, by `monitor`, which knows nothing of handlers.
fn told(node: &Machine) -> Result<()> {
    for (name, ..) in BAD {
        node.wait(SOON, || {
            let text = node.sh("cat /var/lib/voevent-alarm/text")?;
            if text.contains(&format!("{QUEUES}/{name}/failed")) { Ok(true) } else { Err(Failure::new(text)) }
        })?;
    }
    let text = node.sh("cat /var/lib/voevent-alarm/text")?;
    assert!(!text.contains("witness"), "{text}");
    Ok(())
}

fn hardened<'a>(node: &Machine, names: impl Iterator<Item = &'a str>) -> Result<()> {
    for name in names {
        let unit = format!("voevent-handler-{name}.service");
        assert_eq!(node.show(&unit, "NRestarts")?, "0", "{unit} never fell");
        let said = node.sh(&format!("systemd-analyze security --no-pager {unit} | tail -1"))?;
        let score = said.split_whitespace().find_map(|word| word.parse::<f32>().ok());
        assert!(score.is_some_and(|score| score <= 1.5), "{unit}: {said}");
    }
    Ok(())
}

/// Killed in an attempt, the service comes back, and makes another that knows of the first.
fn stopped_in_an_attempt(node: &Machine) -> Result<()> {
    node.wait(SOON, || Ok(node.sh(&format!("ls {QUEUES}/hangs/work"))?.contains("~running")))?;
    node.run(["systemctl", "kill", "-s", "KILL", "voevent-handler-hangs.service"])?;
    node.wait(SOON, || {
        let metrics = node.sh(&format!("cat {QUEUES}/hangs/work/metrics.prom"))?;
        Ok(metrics.contains("voevent_handler_attempts_total{handler=\"hangs\",result=\"cut\"} 1\n"))
    })
}
