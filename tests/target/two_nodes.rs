//! Two nodes by their modules alone: what goes in at the first is in the archive of the second, byte for byte, and what
//! became of the rest is known. Whatever the first said that it has is in its own archive, however its broker ended.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::driver::{Call, Explain, Failure, Lab, Machine, Result, Setup, Suite};
use crate::node::{Node, SHIPPED, Workstation};

crate::tests![events_go_from_node_to_node];

const SOON: Duration = Duration::from_secs(30);
/// How long ten thousand events may take to all be archived.
const LONG: Duration = Duration::from_mins(4);
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");
const ARCHIVE: &str = "/etc/voevent/bin/voevent-archive";
/// What is counted where the author is told why, and where the connection is closed.
const REFUSED: [&str; 2] = ["invalid", "unreadable"];
const MANY: usize = 10_000;
/// How often the broker is killed, and how many events a second come meanwhile, how many in all.
const KILLS: u64 = 8;
const KILLED_RATE: &str = "250";
const KILLED_EVENTS: usize = 4000;
/// What Comet refuses, and what it says to that; it closes the connection where it can read nothing.
const BAD: [(&str, &str); 7] = [
    ("bad-entity.xml", "closed"),
    ("bad-truncated.xml", "closed"),
    ("bad-role.xml", "closed"),
    ("test-role-omitted.xml", "closed"),
    ("bad-ivoid.xml", "nak: Event rejected: "),
    ("bad-no-local-id.xml", "nak: Event rejected: "),
    ("bad-schema.xml", "nak: Event rejected: "),
];

/// A node that archives all; `more` goes into its table `[comet]`.
fn host(name: &str, suite: Suite, more: &str) -> String {
    let (system, python) = match suite {
        Suite::Bookworm => ("debian-12", "3.11"),
        Suite::Trixie => ("debian-13", "3.13"),
    };
    format!(
        "[host]\nsystem = \"{system}\"\narch = \"x86_64\"\npython = \"{python}\"\nmodules = [\"comet\", \"archive\"]\n\
         [archive]\nroles = [\"observation\", \"prediction\", \"utility\", \"test\"]\nmin_free = \"16M\"\n\
         [comet]\nlocal_ivo = \"ivo://org.example/{name}\"\nbroadcast = {{ test_interval = \"0s\" }}\n\
         restart_sec = \"1s\"\n{more}"
    )
}

/// The hashes of the events of which an author heard that the broker has them.
#[derive(Debug)]
struct Answered {
    /// It acknowledged them.
    acknowledged: BTreeSet<String>,
    /// It refused them when they were sent again, after no answer: it had seen them.
    seen: BTreeSet<String>,
}

impl Answered {
    fn all(&self) -> BTreeSet<String> {
        self.acknowledged.union(&self.seen).cloned().collect()
    }
}

/// The two nodes, and an author of events beside them.
struct Site {
    lab: Lab,
    first: Machine,
    second: Machine,
    /// A bundle of the first with which the broker restarts.
    other: String,
}

impl Site {
    fn new() -> Result<Self> {
        let lab = Lab::new()?;
        let workstation = Workstation::new(&lab, "w")?;
        let first = lab.boot("node1")?;
        let second = lab.boot_with("node2", Setup { suite: Suite::Trixie, ..Setup::default() })?;
        let receives = "receive = { enable = true, whitelist = [\"10.213.7.0/24\"] }\n";
        let subscribes = format!("remotes = [\"{}:8099\"]\n", first.address());
        let a = workstation.build_as("node1", &host("node1", Suite::Bookworm, receives))?;
        let other = host("node1", Suite::Bookworm, &format!("{receives}memory_max = \"300M\"\n"));
        let other = workstation.build_as("node1", &other)?;
        let b = workstation.build_as("node2", &host("node2", Suite::Trixie, &subscribes))?;
        for (node, bundle) in [(&first, &a), (&second, &b)] {
            node.ship(&workstation)?;
            node.switch_to(bundle)?;
        }
        let site = Self { lab, first, second, other };
        site.connected()?;
        Ok(site)
    }

    /// Waits until the second has subscribed to the first.
    fn connected(&self) -> Result<()> {
        let there = "ss -Htn state established sport = :8099 | wc -l";
        self.first.wait(SOON, || Ok(self.first.sh(there)? != "0")).explain(|| "subscribe".to_owned())
    }

    /// Runs the author; what it printed, a value a line.
    fn author(&self, words: &[&str]) -> Result<Vec<Value>> {
        let program = format!("{PROJECT}/tests/target/events/author.py");
        let address = self.first.address();
        let call =
            ["python3", program.as_str(), address.as_str(), "8098"].into_iter().chain(words.iter().copied());
        let said = self.lab.control(call).timeout(LONG).ok()?;
        said.lines().map(|line| serde_json::from_str(line).explain(|| format!("read `{line}`"))).collect()
    }

    fn stream(&self, tag: &str, count: usize, rate: &str) -> Result<(Value, Answered)> {
        let file = self.lab.dir().join(tag);
        let name = file.display().to_string();
        let said = self.author(&["stream", &name, &count.to_string(), "4", rate])?;
        let hashes = |what: &str| -> Result<BTreeSet<String>> {
            let file = file.with_extension(what);
            let hashes = fs::read_to_string(&file).explain(|| format!("read `{}`", file.display()))?;
            Ok(hashes.lines().map(str::to_owned).collect())
        };
        let answered = Answered { acknowledged: hashes("ack")?, seen: hashes("seen")? };
        assert_eq!(answered.all().len(), count, "{said:?}");
        let summary = said.into_iter().next().ok_or_else(|| Failure::new("the author said nothing"))?;
        Ok((summary, answered))
    }
}

/// The hashes of all events that a node has archived.
fn archived(node: &Machine) -> Result<BTreeSet<String>> {
    let said =
        node.sh(&format!("{ARCHIVE} list --json | grep -o '\"sha256\": \"[0-9a-f]*' | cut -d'\"' -f4"))?;
    Ok(said.lines().map(str::to_owned).collect())
}

/// Waits until a node has archived so many files; how many there are after all.
fn wait_for(node: &Machine, count: usize) -> Result<usize> {
    let there = || -> Result<usize> {
        let said = node.sh("find /var/lib/voevent-archive/events/2* -name '*.xml' | wc -l")?;
        said.parse().explain(|| format!("read `{said}`"))
    };
    let end = Instant::now() + LONG;
    let mut before = (0, Instant::now());
    while Instant::now() < end {
        let now = there()?;
        if now >= count {
            return Ok(now);
        }
        if now > before.0 {
            before = (now, Instant::now());
        } else if before.1.elapsed() > Duration::from_secs(15) {
            return Ok(now);
        }
        sleep(Duration::from_millis(300));
    }
    there()
}

fn samples() -> Result<Vec<PathBuf>> {
    let folder = Path::new(PROJECT).join("tests/samples");
    let entries = fs::read_dir(&folder).explain(|| format!("read `{}`", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    files.sort();
    Ok(files)
}

fn events_go_from_node_to_node() -> Result<()> {
    let site = Site::new()?;
    good_and_bad_ones(&site)?;
    ten_thousand(&site)?;
    a_switch_in_mid_stream(&site)?;
    kills_in_mid_stream(&site)?;
    for node in [&site.first, &site.second] {
        assert_eq!(node.run([ARCHIVE, "verify"])?, "all events are there");
        for unit in ["voevent-archive.service", "voevent-archive-tidy.service"] {
            let said = node.sh(&format!("systemd-analyze security --no-pager {unit} | tail -1"))?;
            let score = said.split_whitespace().find_map(|word| word.parse::<f32>().ok());
            assert!(score.is_some_and(|score| score <= 1.5), "{unit}: {said}");
        }
        node.run(["systemctl", "start", "voevent-archive-tidy.service"])?;
    }
    Ok(())
}

/// What is valid arrives, what is not is refused with a reason; both nodes know how many.
fn good_and_bad_ones(site: &Site) -> Result<()> {
    let files = samples()?;
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    let words: Vec<&str> = ["files"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let counts: Result<Vec<usize>> = REFUSED.iter().map(|why| refused(&site.first, why)).collect();
    let before: Vec<(&str, usize)> = REFUSED.into_iter().zip(counts?).collect();
    let mut good = 0;
    for said in site.author(&words)? {
        let (file, answer) =
            (said["file"].as_str().unwrap_or_default(), said["answer"].as_str().unwrap_or_default());
        let expected = BAD.iter().find(|(name, _)| *name == file).map_or("ack", |(_, answer)| answer);
        assert!(answer.starts_with(expected), "{file}: {answer}, not {expected}");
        println!("{file}: {answer}");
        good += usize::from(expected == "ack");
    }
    assert_eq!(good + BAD.len(), files.len(), "every file was answered");
    for (why, before) in before {
        let expected = before
            + BAD.iter().filter(|(_, answer)| REFUSED[usize::from(*answer == "closed")] == why).count();
        site.first.wait(SOON, || {
            let counted = refused(&site.first, why)?;
            let said = || Failure::new(format!("{counted} {why}, not {expected}"));
            if counted == expected { Ok(true) } else { Err(said()) }
        })?;
    }
    let is_good = |path: &&PathBuf| !BAD.iter().any(|(bad, _)| path.ends_with(bad));
    let valid: Vec<&PathBuf> = files.iter().filter(is_good).collect();
    let words = ["sha256sum", "--"].map(Path::new).into_iter().chain(valid.iter().map(|path| path.as_path()));
    let sums = Call::here(words).ok()?;
    let sent: BTreeSet<String> = sums.lines().map(|line| line[..64].to_owned()).collect();
    for node in [&site.first, &site.second] {
        assert_eq!(wait_for(node, good)?, good, "{} has the good ones and no other", node.name());
        node.wait(SOON, || Ok(archived(node)?.len() == good)).explain(|| "index the good ones".to_owned())?;
        assert_eq!(archived(node)?, sent, "{} has the good ones and no other", node.name());
        for path in &valid {
            let sent = fs::read(path).explain(|| format!("read `{}`", path.display()))?;
            let shown = node.call([ARCHIVE, "show", &ivorn_of(&sent)])?.bytes()?;
            assert!(shown == sent, "{} as {} shows it", path.display(), node.name());
        }
    }
    Ok(())
}

/// How often a broker refused something for a reason; its own health checks are among them.
fn refused(node: &Machine, why: &str) -> Result<usize> {
    let metrics = "grep refused_total{ /home/voeventserve/working_dir/metrics.prom";
    let said = node.sh(&format!("{metrics} | grep '\"{why}\"' | cut -d' ' -f2"))?;
    said.parse().explain(|| format!("read `{said}`"))
}

/// How many events a broker acknowledged since its start.
fn accepted(node: &Machine) -> Result<usize> {
    let metrics = "awk '/^voevent_comet_events_total/ { n += $2 } END { print n }'";
    let said = node.sh(&format!("{metrics} /home/voeventserve/working_dir/metrics.prom"))?;
    said.parse().explain(|| format!("read `{said}`"))
}

fn ivorn_of(event: &[u8]) -> String {
    let text = String::from_utf8_lossy(event);
    let found = text.split_once("ivorn=\"").and_then(|(_, rest)| rest.split_once('"'));
    found.map(|(ivorn, _)| ivorn.to_owned()).unwrap_or_default()
}

fn ten_thousand(site: &Site) -> Result<()> {
    let before = archived(&site.second)?.len();
    let began = Instant::now();
    let (summary, sent) = site.stream("many", MANY, "0")?;
    println!("{MANY} events in a row: {summary}");
    assert_eq!(sent.acknowledged.len(), MANY);
    for node in [&site.first, &site.second] {
        let there = wait_for(node, before + MANY)?;
        println!("{} has {there} of {} after {:?}", node.name(), before + MANY, began.elapsed());
        let missing = sent.acknowledged.difference(&archived(node)?).count();
        assert_eq!(missing, 0, "{} lacks {missing}", node.name());
    }
    // An event is stored before the broker notes that it has seen it: the second may be at that for a while.
    let busy = || Ok(accepted(&site.second)? < before + MANY);
    let end = Instant::now() + LONG;
    while busy()? && Instant::now() < end {
        sleep(Duration::from_secs(1));
    }
    if busy()? { Err(Failure::new(format!("{} is still busy", site.second.name()))) } else { Ok(()) }
}

/// The first node's broker is restarted by a switch while events come in.
fn a_switch_in_mid_stream(site: &Site) -> Result<()> {
    let (stream, switched) = std::thread::scope(|scope| {
        let stream = scope.spawn(|| site.stream("midstream", 1500, "150"));
        sleep(Duration::from_secs(3));
        let switched = site.first.switch([format!("{SHIPPED}/store/{}", site.other).as_str()]);
        (stream.join(), switched)
    });
    let said = switched?.checked()?.stderr;
    assert!(said.contains("restart comet.service"), "{said}");
    assert!(said.contains("comet.service was away for "), "{said}");
    let (summary, sent) = stream.map_err(|_| Failure::new("the author panicked"))??;
    println!("a switch in mid-stream: {summary}");
    println!("{}", said.lines().filter(|line| line.contains("comet")).collect::<Vec<_>>().join("\n"));
    nothing_is_lost(site, &sent)
}

/// The first node's broker is killed, at any moment, again and again.
fn kills_in_mid_stream(site: &Site) -> Result<()> {
    let (stream, killed) = std::thread::scope(|scope| {
        let stream = scope.spawn(|| site.stream("kills", KILLED_EVENTS, KILLED_RATE));
        let killed = (0..KILLS).try_for_each(|number| {
            // Not in step with anything that it does.
            sleep(Duration::from_millis(600 + number * 137 % 500));
            site.first.run(["systemctl", "kill", "--signal=KILL", "comet.service"])?;
            site.first.wait(SOON, || site.first.greets(8099))
        });
        (stream.join(), killed)
    });
    killed?;
    let (summary, sent) = stream.map_err(|_| Failure::new("the author panicked"))??;
    println!("{KILLS} kills in mid-stream: {summary}");
    let restarts: u64 = site.first.show("comet.service", "NRestarts")?.parse().unwrap_or(0);
    assert!(restarts >= KILLS, "{restarts} restarts");
    nothing_is_lost(site, &sent)
}

/// All that the author was told the first node has is in its archive; what the second missed while it was not
/// connected, its operator is told by name.
fn nothing_is_lost(site: &Site, sent: &Answered) -> Result<()> {
    site.connected()?;
    let all = sent.all();
    let lacks =
        || -> Result<BTreeSet<String>> { Ok(all.difference(&archived(&site.first)?).cloned().collect()) };
    let kept = site.first.wait(SOON, || Ok(lacks()?.is_empty()));
    let lacks = lacks()?;
    let seen = lacks.intersection(&sent.seen).count();
    kept.explain(|| {
        format!("keep {} events that it had, {seen} of them by \"Previously seen\"", lacks.len())
    })?;
    for counter in ["late", "lost"] {
        let of = "/home/voeventserve/working_dir/metrics.prom";
        let counted = site.first.sh(&format!("grep '^voevent_comet_spool_{counter}_total{{' {of}"))?;
        assert!(counted.lines().all(|line| line.ends_with(" 0")), "{counted}");
    }
    let rows = site.first.sh(&format!("{ARCHIVE} list --json | grep -c '\"sha256\"'"))?;
    println!(
        "node1 has all {} acknowledged and {} that it had seen; {} events came twice to its archive",
        sent.acknowledged.len(),
        sent.seen.len(),
        rows.parse::<usize>().unwrap_or(0).saturating_sub(archived(&site.first)?.len()),
    );
    // First all that is on its way comes.
    wait_for(&site.second, usize::MAX)?;
    let list = site.first.call([ARCHIVE, "list", "--json"])?.bytes()?;
    let compared = site.second.call([ARCHIVE, "compare", "-"])?.stdin(&list).output()?;
    let missing: BTreeSet<String> =
        archived(&site.first)?.difference(&archived(&site.second)?).cloned().collect();
    println!(
        "of these, node2 missed {}, {} that were seen; it is told of each that it ever missed",
        missing.intersection(&all).count(),
        missing.intersection(&sent.seen).count(),
    );
    let told = compared.stdout.lines().filter(|line| line.starts_with("only there")).count();
    assert_eq!(
        (told, compared.code()),
        (missing.len(), Some(i32::from(!missing.is_empty()))),
        "{compared:?}"
    );
    assert!(missing.iter().all(|hash| compared.stdout.contains(hash.as_str())), "{compared:?}");
    Ok(())
}
