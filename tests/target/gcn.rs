//! The module `gcn` on real hosts: real Comet, and a Kafka cluster of librdkafka's that runs on the host too.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::driver::{Failure, Lab, Machine, Result, Setup, Suite};
use crate::node::{Node, Workstation, example};

crate::tests![
    each_event_comes_once_on_debian_12,
    each_event_comes_once_on_debian_13,
    what_is_down_is_noticed_on_debian_12,
    what_is_down_is_noticed_on_debian_13,
];

const SOON: Duration = Duration::from_mins(1);
const TOPIC: &str = "gcn.classic.voevent.FERMI_GBM_FLT_POS";
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");
/// What `systemd-analyze security` may say of a service at most.
const EXPOSURE: f32 = 1.5;
const SECRET: &str = "a-planted-secret";

fn each_event_comes_once_on_debian_12() -> Result<()> {
    each_event_comes_once(Suite::Bookworm)
}

fn each_event_comes_once_on_debian_13() -> Result<()> {
    each_event_comes_once(Suite::Trixie)
}

fn what_is_down_is_noticed_on_debian_12() -> Result<()> {
    what_is_down_is_noticed(Suite::Bookworm)
}

fn what_is_down_is_noticed_on_debian_13() -> Result<()> {
    what_is_down_is_noticed(Suite::Trixie)
}

/// A node with `gcn`, a Kafka cluster, and a subscriber who notes what the broker passes on.
struct Site {
    node: Machine,
}

impl Site {
    fn new(debian: Suite, gcn: &str) -> Result<Self> {
        let lab = Lab::new()?;
        let workstation = Workstation::new(&lab, "w")?;
        let host = example()?.replace("modules = [\"comet\"]", "modules = [\"comet\", \"gcn\"]");
        let host = match debian {
            Suite::Bookworm => host,
            Suite::Trixie => host.replace("debian-12", "debian-13").replace("\"3.11\"", "\"3.13\""),
        };
        let gcn = format!(
            "[gcn]\ntopics = [\"{TOPIC}\"]\nbootstrap = [\"127.0.0.1:9092\"]\nheartbeat_limit = \"5s\"\n{gcn}"
        );
        let bundle = workstation.build(&format!("{host}\n{gcn}"))?;
        let node = lab.boot_with("node1", Setup { suite: debian, ..Setup::default() })?;
        node.sh("install -d -m 0700 /etc/voevent/secrets; umask 077; cd /etc/voevent/secrets; echo me > id")?;
        node.sh(&format!("umask 077; echo {SECRET} > /etc/voevent/secrets/secret"))?;
        node.ship(&workstation)?;
        node.switch_to(&bundle)?;
        let site = Self { node };
        site.start_the_others()?;
        Ok(site)
    }

    fn start_the_others(&self) -> Result<()> {
        for file in ["kafka.py", "witness.py"] {
            self.node.put(Path::new(PROJECT).join("tests/target/gcn").join(file), format!("/root/{file}"))?;
        }
        let python = "$(echo /var/lib/voevent/derived/*-gcn)/bin/python";
        self.node.sh(&format!(
            "systemctl stop voevent-gcn
             systemd-run --quiet --unit kafka {python} /root/kafka.py serve /run/kafka 9092
             systemd-run --quiet --unit witness python3 /root/witness.py 8099 /run/witness
             while ! [ -S /run/kafka ] || ! [ -e /run/witness.connected ]; do sleep 0.1; done
             echo \"exec {python} /root/kafka.py ask /run/kafka \\\"\\$@\\\"\" > /root/ask"
        ))?;
        Ok(())
    }

    /// Asks the cluster for something.
    fn kafka(&self, words: &str) -> Result<String> {
        let answer = self.node.sh(&format!("sh /root/ask {words}"))?;
        if answer.is_empty() {
            let journal = self.node.sh("journalctl --no-pager -u kafka | tail -20")?;
            return Err(Failure::new(format!("no answer to {words}: {journal}")));
        }
        Ok(answer)
    }

    fn service(&self, verb: &str) -> Result<()> {
        self.node.run(["systemctl", verb, "voevent-gcn"]).map(drop)
    }

    /// Writes so many new events, and sends them to a topic.
    fn produce(&self, name: &str, count: usize) -> Result<()> {
        let event = include_str!("test-event.xml").replace("role=\"test\"", "role=\"observation\"");
        self.node.write_file("/root/event.xml", event)?;
        self.node.sh(&format!(
            "mkdir -p /root/events; for i in $(seq {count}); do
             sed \"s/ivorn=\\\"[^\\\"]*\\\"/ivorn=\\\"ivo:\\/\\/org.example\\/{name}#$i\\\"/\" /root/event.xml > /root/events/{name}-$i.xml
             done"
        ))?;
        assert_eq!(self.kafka(&format!("produce {TOPIC} /root/events/{name}-*.xml"))?, "0", "not sent");
        Ok(())
    }

    /// A number of the service's metrics.
    fn metric(&self, name: &str) -> Result<u64> {
        let line = format!("sed -n 's/^voevent_gcn_{name} //p' /var/lib/voevent-gcn/metrics.prom");
        Ok(self.node.sh(&line)?.parse().unwrap_or(0))
    }

    fn result(&self, name: &str) -> Result<u64> {
        self.metric(&format!("messages_total{{result=\"{name}\"}}"))
    }

    /// Waits until a condition holds; if it does not, what the service said is part of the failure.
    fn wait(&self, holds: impl FnMut() -> Result<bool>) -> Result<()> {
        self.node.wait(SOON, holds).map_err(|failure| {
            let state = "journalctl --no-pager -u voevent-gcn -u kafka | tail -30; grep -v '#' /var/lib/voevent-gcn/metrics.prom";
            Failure::new(format!("{failure}\n{}", self.node.sh(state).unwrap_or_default()))
        })
    }

    /// Waits until the group has so many messages of the topic behind it.
    fn wait_for(&self, count: usize) -> Result<()> {
        let committed = format!("committed voevent-node1 {TOPIC}");
        self.wait(|| Ok(self.kafka(&committed)? == count.to_string()))
    }

    /// What the subscriber was sent, and how often.
    fn witnessed(&self) -> Result<BTreeMap<String, usize>> {
        let mut seen = BTreeMap::new();
        for line in self.node.sh("cat /run/witness 2>/dev/null || true")?.lines() {
            *seen.entry(line.to_owned()).or_default() += 1;
        }
        Ok(seen)
    }

    /// Each of these events came once.
    fn came_once(&self, expected: usize) -> Result<()> {
        self.wait(|| Ok(self.witnessed()?.len() >= expected))?;
        let seen = self.witnessed()?;
        assert_eq!(seen.len(), expected, "{seen:?}");
        assert!(seen.values().all(|&times| times == 1), "{seen:?}");
        Ok(())
    }

    fn hears(&self) -> Result<()> {
        let beats = || Ok(self.metric("heard")? == 1 && self.metric("heartbeat_timestamp_seconds")? > 0);
        self.wait(beats)
    }

    fn log_says(&self, text: &str) -> Result<bool> {
        Ok(self.node.sh("journalctl --no-pager -u voevent-gcn")?.contains(text))
    }

    fn is_hardened(&self, unit: &str) -> Result<()> {
        let said = self.node.sh(&format!("systemd-analyze security --no-pager {unit} | tail -1"))?;
        let score = said.split_whitespace().find_map(|word| word.parse::<f32>().ok());
        assert!(score.is_some_and(|score| score <= EXPOSURE), "{unit}: {said}");
        Ok(())
    }
}

fn each_event_comes_once(debian: Suite) -> Result<()> {
    let site = Site::new(debian, "security = \"plaintext\"\n")?;
    site.service("start")?;
    site.produce("first", 20)?;
    site.wait_for(20)?;
    site.came_once(20)?;
    site.hears()?;
    for unit in ["voevent-gcn.service", "voevent-gcn-resend.service"] {
        site.is_hardened(unit)?;
    }
    the_rest_is_kept(&site)?;

    // Killed in the middle of the work: what it did not commit comes again, and the broker knows it.
    site.produce("killed", 60)?;
    site.node.sh("systemctl kill -s KILL voevent-gcn; sleep 0.1; systemctl restart voevent-gcn")?;
    site.wait_for(85)?;
    site.came_once(80)?;

    // What came by another way is not handed on again, nor is what comes while the service is stopped lost.
    site.service("stop")?;
    let venv = site.node.sh("readlink -f /var/lib/voevent/derived/*-comet")?;
    site.node.sh(&format!(
        "sed s/killed#1/other#1/ /root/events/killed-1.xml > /root/events/other-1.xml
         {venv}/bin/comet-sendvo -h 127.0.0.1 -f - < /root/events/other-1.xml"
    ))?;
    site.kafka(&format!("produce {TOPIC} /root/events/other-1.xml"))?;
    site.produce("stopped", 3)?;
    site.service("start")?;
    site.wait_for(89)?;
    site.came_once(84)?;
    assert_eq!((site.result("seen")?, site.result("delivered")?), (1, 3));

    // Dead letters that the broker would take now are taken when they are offered again.
    site.node.sh("cd /var/lib/voevent-gcn/dead; f=$(sha256sum /root/events/killed-2.xml | cut -d' ' -f1)
         sed s/killed#2/letter#2/ /root/events/killed-2.xml > $f.xml; echo '{}' > $f.reason
         chown voeventgcn: $f.*; systemctl start voevent-gcn-resend; ! ls $f.*")?;
    assert_eq!(site.node.sh("ls /var/lib/voevent-gcn/dead | wc -l")?, "8", "the others stay");
    site.came_once(85)
}

/// What is none of the broker's: kept with the reason, byte for byte, and the rest goes on.
fn the_rest_is_kept(site: &Site) -> Result<()> {
    site.node.sh(
        "mkdir /root/rest; cd /root/rest; e=/root/events/first-1.xml
         sed s/first#1/schema#1/ $e | sed 's/<Who>/<Nobody\\/><Who>/' > schema.xml
         sed s/first#1/cut#1/ $e | head -c 300 > cut.xml
         { sed 's/first#1/big#1/;/<\\/voe:VOEvent>/d' $e; echo '<!--'; head -c 100000 /dev/zero | tr '\\0' x; echo '--></voe:VOEvent>'; } > big.xml
         printf 'Obj\\001binary' > binary
         echo '{\"alert\": 1}' > notice.json",
    )?;
    site.kafka(&format!("produce {TOPIC} /root/rest/schema.xml /root/rest/cut.xml /root/rest/big.xml"))?;
    site.kafka(&format!("produce {TOPIC} /root/rest/binary /root/rest/notice.json"))?;
    site.wait_for(25)?;
    let counts = ["rejected", "oversize", "unknown", "ignored"].map(|name| site.result(name));
    assert_eq!(counts.into_iter().collect::<Result<Vec<_>>>()?, [2, 1, 1, 1]);
    let letters =
        site.node.sh("cd /var/lib/voevent-gcn/dead; for f in schema.xml cut.xml big.xml binary; do
         n=$(sha256sum /root/rest/$f | cut -d' ' -f1); cmp $n.[xb]* /root/rest/$f
         python3 -c 'import json, sys; print(json.load(sys.stdin)[\"reason\"])' < $n.reason; done")?;
    let [schema, cut, big, binary] = letters.lines().collect::<Vec<_>>()[..] else {
        return Err(Failure::new(letters));
    };
    assert!(schema.starts_with("Event rejected"), "{schema}");
    assert_eq!(cut, "the broker closes the connection: it cannot read it");
    assert!(big.ends_with("bytes: the broker takes 99999"), "{big}");
    assert_eq!(binary, "neither a VOEvent nor JSON");
    assert!(site.node.greets(8099)?);
    Ok(())
}

fn what_is_down_is_noticed(debian: Suite) -> Result<()> {
    let sasl = "security = \"sasl_plaintext\"\nmechanism = \"PLAIN\"\nlost_after = \"20s\"\n\
                client_id = { file = \"/etc/voevent/secrets/id\" }\n\
                client_secret = { file = \"/etc/voevent/secrets/secret\" }\n";
    let site = Site::new(debian, sasl)?;
    site.kafka(&format!("login me {SECRET}"))?;
    // Kafka has the topic from the first message on; a client looks for new ones every half minute only.
    site.produce("before", 1)?;
    site.service("start")?;
    site.wait_for(1)?;
    site.hears()?;
    the_broker_is_down(&site)?;

    // Kafka is not there: noticed, and made up for.
    site.kafka("down")?;
    site.produce("kafka", 3)?;
    site.wait(|| Ok(site.metric("heard")? == 0))?;
    site.wait(|| site.log_says("no heartbeat for 5 s"))?;
    site.kafka("up")?;
    site.wait_for(10)?;
    site.hears()?;
    site.came_once(10)?;

    // The password is wrong: noticed, and tried seldom; right again, nothing is lost.
    site.kafka("login me another")?;
    site.produce("password", 2)?;
    site.wait(|| site.log_says("_AUTHENTICATION"))?;
    site.wait(|| site.log_says("no heartbeat for 20 s: it begins anew"))?;
    // Half a minute of rest: a client that comes and goes would cost its broker much.
    site.wait(|| Ok(site.node.show("voevent-gcn", "SubState")? == "auto-restart"))?;
    site.kafka("login me another")?;
    site.node.sh("echo another > /etc/voevent/secrets/secret")?;
    site.service("restart")?;
    site.wait_for(12)?;
    site.came_once(12)?;
    let secret = "p=$(systemctl show --value -p MainPID voevent-gcn); cat /proc/$p/environ /proc/$p/cmdline";
    let shown = site.node.sh(&format!("{secret} | tr '\\0' ' '; journalctl --no-pager"))?;
    assert!(!shown.contains(SECRET), "the secret is in {shown}");
    Ok(())
}

/// While the broker is stopped or frozen, events wait, and Kafka goes on being listened to.
fn the_broker_is_down(site: &Site) -> Result<()> {
    site.node.run(["systemctl", "stop", "comet"])?;
    site.produce("comet", 3)?;
    site.wait(|| Ok(site.metric("waiting")? == 1))?;
    let beat = site.metric("heartbeat_timestamp_seconds")?;
    site.wait(|| Ok(site.metric("heartbeat_timestamp_seconds")? > beat + 2))?;
    assert_eq!(site.result("delivered")?, 1);
    // The subscriber must be there before the events are, or it would not hear of them.
    site.node.sh("systemctl kill -s STOP voevent-gcn; systemctl start comet
         while ! [ -e /run/witness.connected ]; do sleep 0.05; done; systemctl kill -s CONT voevent-gcn")?;
    site.wait_for(4)?;
    site.came_once(4)?;

    site.node.run(["systemctl", "kill", "-s", "STOP", "comet"])?;
    site.produce("frozen", 3)?;
    site.wait(|| Ok(site.metric("waiting")? == 1 && site.metric("retries_total")? > 0))?;
    site.node.run(["systemctl", "kill", "-s", "CONT", "comet"])?;
    site.wait_for(7)?;
    site.came_once(7)
}
