"""Hands what a Kafka broker such as GCN's sends to the VOEvent broker of this host.

    voevent_gcn.py CONFIG           consumes until it is told to stop
    voevent_gcn.py CONFIG resend    hands the dead letters to the broker once more

An offset is committed when the event is in other hands: acknowledged by the broker, known to it already, or
on the disk as a dead letter. So every event reaches the broker at least once, and the broker, which knows
events by their bytes, passes each on once. While the broker is away its event waits here, and all topics but
the heartbeat's rest.
"""

import hashlib
import importlib
import json
import logging
import os
import re
import signal
import socket
import struct
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What Comet reads of one message; at a longer one it closes the connection.
LONGEST_EVENT = 99_999
# An event that every broker must refuse, and that leaves no trace in it: an answer proves that it lives.
PROBE = (
    b'<?xml version="1.0"?><voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0"'
    b' version="2.0" role="test" ivorn="not an IVOID"/>'
)
RETRY_SECONDS = 1.0
ANSWER_SECONDS = 10.0
DAY = 86_400


def log(priority: int, text: str) -> None:
    """Writes a line for the journal; priorities are syslog's: 3 error, 4 warning, 6 information."""
    line = " ".join(text.split())
    sys.stderr.write(f"<{priority}>{line}\n")
    sys.stderr.flush()


def notify(state: str) -> None:
    """Tells systemd about this service, if it asked to be told."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        name = "\0" + address[1:] if address.startswith("@") else address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto(state.encode(), name)


@dataclass(frozen=True)
class Config:
    """What the service is told by its file; seconds and bytes throughout."""

    domain: str | None
    bootstrap: list[str]
    security: str
    mechanism: str
    ca: str | None
    group_id: str
    start: str
    topics: list[str]
    heartbeat: str
    heartbeat_limit: int
    lost_after: int
    port: int
    json: str
    inbox: str | None
    state: str
    dead_letters: int
    dead_bytes: int

    @staticmethod
    def read(path: str) -> "Config":
        """Reads it from a file, which the compiler made."""
        return Config(**json.loads(Path(path).read_bytes()))


# ---- the broker of this host


@dataclass(frozen=True)
class Answer:
    """What the broker said: `ack`, `nak`, `closed` (no answer) or `down`, and why."""

    kind: str
    reason: str = ""


def exactly(stream: socket.socket, count: int) -> bytes | None:
    """Reads so many bytes; none if the stream ends before."""
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            return None
        data += part
    return data


def submit(event: bytes, port: int, seconds: float = ANSWER_SECONDS) -> Answer:
    """Sends an event to the broker, as an author does."""
    sent = False
    try:
        with socket.create_connection(("127.0.0.1", port), seconds) as stream:
            stream.settimeout(seconds)
            sent = True
            stream.sendall(struct.pack("!I", len(event)) + event)
            head = exactly(stream, 4)
            size = min(struct.unpack("!I", head)[0], 1 << 20) if head else 0
            body = exactly(stream, size) if head else None
    except ConnectionResetError as error:
        return Answer("closed", str(error))
    except OSError as error:
        return Answer("silent" if sent else "down", str(error))
    if body is None:
        return Answer("closed", "the broker closed the connection without an answer")
    role = re.search(rb'\brole="(ack|nak)"', body)
    if role is None:
        return Answer("closed", "the broker's answer is none of VTP")
    result = re.search(rb"<Result>(.*?)</Result>", body, re.DOTALL)
    return Answer(role[1].decode(), result[1].decode("utf-8", "replace") if result else "")


# ---- files


def place(path: Path, data: bytes) -> None:
    """Writes a file that is there wholly or not at all, whatever happens to the machine."""
    partial = path.with_name(f".{path.name}")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def put_in_inbox(inbox: str, data: bytes, sent_at: float, suffix: str) -> None:
    """Gives bytes to the archive: what comes twice has one name, as far as its time can be believed."""
    now = time.time()
    nanoseconds = int((sent_at if abs(now - sent_at) < 30 * DAY else now) * 1e9)
    place(Path(inbox) / f"{nanoseconds:020}-{hashlib.sha256(data).hexdigest()}.{suffix}", data)


@dataclass(frozen=True)
class DeadLetters:
    """The folder of what nobody took: `SHA256.xml` (`.bin` if it is none), and `SHA256.reason` beside it."""

    folder: Path
    most: int
    most_bytes: int

    def add(self, data: bytes, reason: dict[str, Any]) -> int:
        """Keeps a letter; how many older ones had to go for it."""
        name = hashlib.sha256(data).hexdigest()
        place(self.folder / f"{name}.reason", json.dumps(reason, sort_keys=True).encode() + b"\n")
        place(self.folder / f"{name}.{'xml' if is_xml(data) else 'bin'}", data)
        letters = self.letters()
        total = sum(size for _, size, _ in letters)
        gone = 0
        for left, (_, size, path) in enumerate(letters[:-1]):
            if len(letters) - left <= self.most and total <= self.most_bytes:
                break
            self.remove(path)
            total -= size
            gone += 1
        return gone

    def letters(self) -> list[tuple[float, int, Path]]:
        """All letters, the oldest first: time, bytes, path."""
        letters = (path for path in self.folder.iterdir() if path.suffix in (".xml", ".bin"))
        paths = [path for path in letters if path.name[0] != "."]
        return sorted((path.stat().st_mtime_ns / 1e9, path.stat().st_size, path) for path in paths)

    def remove(self, path: Path) -> None:
        """Removes a letter and its reason."""
        path.unlink(missing_ok=True)
        path.with_suffix(".reason").unlink(missing_ok=True)


def is_xml(data: bytes) -> bool:
    """Whether it looks like XML, in any encoding that XML can declare."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" or data[:2] in (b"\xff\xfe", b"\xfe\xff")


def is_json(data: bytes) -> bool:
    """Whether it is JSON as notices are: an object or a list."""
    try:
        return data.lstrip()[:1] in (b"{", b"[") and json.loads(data) is not None
    except (ValueError, RecursionError):
        return False


# ---- one message


class LostError(Exception):
    """The connection is of no use any more: the service begins anew."""


@dataclass
class Courier:
    """Brings one message after another to where it belongs."""

    config: Config
    dead: DeadLetters
    counts: Counter[str] = field(default_factory=Counter)
    # Whether the message at hand was sent without an answer, and how often the broker closed on it.
    unanswered: bool = False
    closed: int = 0

    def bring(self, data: bytes, origin: dict[str, Any]) -> str | None:
        """Brings it; what became of it, or `None` if it must be tried again."""
        try:
            result = self.sort(data, origin)
        except OSError as error:
            log(3, f"cannot keep a message of {origin['topic']}: {error}")
            result = None
        if result is not None:
            self.unanswered, self.closed = False, 0
            self.counts[result] += 1
        return result

    def sort(self, data: bytes, origin: dict[str, Any]) -> str | None:
        """Decides what it is."""
        if not data:
            return "empty"
        if is_xml(data):
            if len(data) <= LONGEST_EVENT:
                return self.offer(data, origin)
            self.archive(data, origin, "xml")
            return self.bury(data, origin, f"{len(data)} bytes: the broker takes {LONGEST_EVENT}", "oversize")
        if is_json(data):
            if self.config.json == "ignore":
                return "ignored"
            self.archive(data, origin, "json")
            return "archived"
        return self.bury(data, origin, "neither a VOEvent nor JSON", "unknown")

    def offer(self, data: bytes, origin: dict[str, Any]) -> str | None:
        """Offers an event to the broker."""
        answer = submit(data, self.config.port)
        if answer.kind == "ack":
            return "delivered"
        if answer.kind == "nak":
            if "Previously seen" not in answer.reason:
                return self.bury(data, origin, answer.reason, "rejected")
            if not self.unanswered:
                return "seen"
            # It has it, but may have died before it passed it on.
            log(4, f"the broker has {ivorn(data)}, which it did not acknowledge: was it passed on?")
            self.archive(data, origin, "xml")
            return "uncertain"
        if answer.kind == "closed" and submit(PROBE, self.config.port).kind == "nak":
            # It answers, but not to this one: so it does to what it cannot read. Once may be chance.
            self.closed += 1
            if self.closed > 1:
                reason = "the broker closes the connection: it cannot read it"
                return self.bury(data, origin, reason, "rejected")
        self.unanswered = self.unanswered or answer.kind != "down"
        self.counts["retries"] += 1
        return None

    def archive(self, data: bytes, origin: dict[str, Any], suffix: str) -> None:
        """Gives it to the archive, where there is one."""
        if self.config.inbox is not None:
            put_in_inbox(self.config.inbox, data, origin["time"], suffix)

    def bury(self, data: bytes, origin: dict[str, Any], reason: str, result: str) -> str:
        """Keeps it as a dead letter."""
        gone = self.dead.add(data, {**origin, "reason": reason, "bytes": len(data)})
        self.counts["removed"] += gone
        log(4, f"{origin['topic']} {origin['offset']}: {ivorn(data)} is a dead letter: {reason}")
        if gone:
            log(4, f"{gone} old dead letters went, for there are too many")
        return result


def ivorn(data: bytes) -> str:
    """The name of an event as far as it can be seen, for the log."""
    found = re.search(rb"""\bivorn\s*=\s*["']([^"']{1,200})""", data)
    return found[1].decode("ascii", "replace") if found else "a message"


# ---- Kafka


def settings(config: Config, secrets: dict[str, str]) -> dict[str, Any]:
    """The settings of the Kafka client."""
    found: dict[str, Any] = {
        "group.id": config.group_id,
        "client.id": config.group_id,
        "auto.offset.reset": config.start,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "allow.auto.create.topics": False,
        # After a kill the group waits so long for the dead member.
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 3_000,
        # Topics that appear are found after so long.
        "topic.metadata.refresh.interval.ms": 30_000,
        "reconnect.backoff.ms": 500,
        "reconnect.backoff.max.ms": 30_000,
        "queued.max.messages.kbytes": 16_384,
        "socket.keepalive.enable": True,
    }
    if config.domain is None:
        found |= {"bootstrap.servers": ",".join(config.bootstrap), "security.protocol": config.security}
        if config.security.startswith("sasl"):
            found |= {"sasl.mechanism": config.mechanism, "sasl.username": secrets["client_id"]}
            found["sasl.password"] = secrets["client_secret"]
        if config.security.endswith("ssl"):
            found["ssl.ca.location"] = config.ca or importlib.import_module("certifi").where()
    return found


def consumer(config: Config, secrets: dict[str, str], more: dict[str, Any]) -> Any:
    """A client of GCN, or of another broker."""
    every = settings(config, secrets) | more
    if config.domain is None:
        return importlib.import_module("confluent_kafka").Consumer(every)
    return importlib.import_module("gcn_kafka").Consumer(config=every, domain=config.domain, **secrets)


class Bridge:
    """The service: takes messages, brings each away, commits."""

    def __init__(self, config: Config, connect: Callable[[Any], Any]) -> None:
        self.config = config
        state = Path(config.state)
        self.courier = Courier(config, DeadLetters(state / "dead", config.dead_letters, config.dead_bytes))
        self.beat_file, self.metrics_file = state / "heartbeat", state / "metrics.prom"
        self.kafka: Any = importlib.import_module("confluent_kafka")
        self.waiting: deque[Any] = deque()
        self.resting = False
        self.next_try = 0.0
        self.done: dict[tuple[str, int], int] = {}
        self.committed: dict[tuple[str, int], int] = {}
        self.last_commit = 0.0
        self.beat = self.began = time.monotonic()
        self.beat_time = self.message_time = 0.0
        self.silent = False
        self.said: dict[str, float] = {}
        self.reported = ""
        self.stopping = False
        self.client = connect(self)

    def run(self) -> None:
        """Works until it is told to stop."""
        topics = self.config.topics + ([self.config.heartbeat] if self.config.heartbeat else [])
        self.client.subscribe(topics, on_assign=self.assigned, on_revoke=self.revoked)
        notify("READY=1")
        try:
            while not self.stopping:
                self.turn()
        finally:
            self.report()
            self.client.close()

    def turn(self) -> None:
        """Waits a moment for a message, and does what is due."""
        now = time.monotonic()
        pause = max(0.0, min(1.0, self.next_try - now)) if self.waiting else 1.0
        message = self.client.poll(pause)
        if message is not None:
            self.take(message)
        if self.waiting and time.monotonic() >= self.next_try:
            self.deliver()
        if self.done != self.committed and time.monotonic() - self.last_commit > 5:
            self.commit(dict(self.done))
        self.listen()
        self.report()

    def take(self, message: Any) -> None:
        """Takes what came of Kafka."""
        error = message.error()
        if error is not None:
            self.trouble(error, message.topic() or "")
        elif message.topic() == self.config.heartbeat:
            self.beat = time.monotonic()
            if time.time() - self.beat_time >= 1:
                self.beat_time = time.time()
                self.beat_file.write_text("")
            if self.silent:
                log(6, "the heartbeat is back")
                self.silent = False
        else:
            self.waiting.append(message)

    def deliver(self) -> None:
        """Brings away what waits longest."""
        message = self.waiting[0]
        kind, stamp = message.timestamp()
        sent_at = stamp / 1000 if kind else time.time()
        origin = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
        if self.courier.bring(message.value() or b"", {**origin, "time": sent_at}) is None:
            self.next_try = time.monotonic() + RETRY_SECONDS
            self.say("broker", 4, f"the broker does not take events at port {self.config.port}: they wait")
            self.rest(True)
            return
        self.waiting.popleft()
        self.next_try, self.message_time = 0.0, time.time()
        key = (message.topic(), message.partition())
        self.done[key] = message.offset() + 1
        self.commit({key: self.done[key]})
        if not self.waiting:
            self.rest(False)

    def rest(self, resting: bool) -> None:
        """While an event waits, only the heartbeat goes on; and polling, or the group would be lost."""
        parts = [part for part in self.client.assignment() if part.topic != self.config.heartbeat]
        if parts and resting:
            self.client.pause(parts)
        elif parts and self.resting:
            self.client.resume(parts)
        self.resting = resting

    def commit(self, offsets: dict[tuple[str, int], int]) -> None:
        """Commits without waiting; what fails is tried again."""
        self.last_commit = time.monotonic()
        parts = [self.kafka.TopicPartition(*key, offset) for key, offset in offsets.items()]
        try:
            self.client.commit(offsets=parts, asynchronous=True)
        except self.kafka.KafkaException as error:
            self.say("commit", 4, f"cannot commit: {error}")

    def was_committed(self, error: Any, parts: list[Any]) -> None:
        """Hears what became of a commit."""
        if error is not None:
            self.say("commit", 4, f"cannot commit: {error}")
            return
        for part in parts:
            if part.error is None and part.offset >= 0:
                self.committed[part.topic, part.partition] = part.offset

    def assigned(self, client: Any, parts: list[Any]) -> None:
        """Begins where the group left off, but with the heartbeat of now."""
        for part in parts:
            if part.topic == self.config.heartbeat:
                part.offset = self.kafka.OFFSET_END
        client.assign(parts)
        if self.resting:
            self.rest(True)

    def revoked(self, _client: Any, parts: list[Any]) -> None:
        """Forgets what comes again to whoever has the partitions next."""
        gone = {(part.topic, part.partition) for part in parts}
        self.waiting = deque(m for m in self.waiting if (m.topic(), m.partition()) not in gone)
        self.courier.unanswered, self.courier.closed = False, 0
        for key in gone:
            self.done.pop(key, None)
            self.committed.pop(key, None)

    def trouble(self, error: Any, topic: str = "") -> None:
        """Says what Kafka complains of, and gives up at what does not heal."""
        self.courier.counts["errors"] += 1
        self.say(f"{error.name()} {topic}", 4, f"Kafka: {topic} {error.name()}: {error.str()}")
        if error.fatal():
            raise LostError(f"Kafka: {error.str()}")

    def listen(self) -> None:
        """Notices that nothing comes."""
        if not self.config.heartbeat:
            return
        silence = time.monotonic() - self.beat
        if silence > self.config.heartbeat_limit and not self.silent:
            self.silent = True
            limit = self.config.heartbeat_limit
            log(3, f"no heartbeat for {limit} s: are the credentials right, is Kafka there?")
        if silence > self.config.lost_after:
            raise LostError(f"no heartbeat for {self.config.lost_after} s")

    def say(self, what: str, priority: int, text: str) -> None:
        """Logs a thing once in ten minutes."""
        now = time.monotonic()
        if now - self.said.get(what, -DAY) > 600:
            self.said[what] = now
            log(priority, text)

    def report(self) -> None:
        """Tells systemd that it lives, and whoever collects metrics what it did."""
        counts = self.courier.counts
        text = metrics(counts, len(self.waiting), self.beat_time, self.message_time, not self.silent)
        state = f"{counts['delivered']} delivered, {counts['rejected']} rejected, {len(self.waiting)} waiting"
        notify(f"WATCHDOG=1\nSTATUS={'no heartbeat; ' if self.silent else ''}{state}")
        if text == self.reported:
            return
        try:
            partial = self.metrics_file.with_suffix(".partial")
            partial.write_text(text)
            partial.rename(self.metrics_file)
            self.reported = text
        except OSError as error:
            self.say("metrics", 4, f"cannot write the metrics: {error}")


RESULTS = ["delivered", "seen", "uncertain", "rejected", "oversize", "unknown", "archived"]
RESULTS += ["ignored", "empty"]


def metrics(counts: Counter[str], waiting: int, beat: float, message: float, heard: bool) -> str:
    """What it did, as Prometheus reads it."""
    lines = [
        "# HELP voevent_gcn_messages_total Messages by what became of them.",
        "# TYPE voevent_gcn_messages_total counter",
    ]
    lines += [f'voevent_gcn_messages_total{{result="{name}"}} {counts[name]}' for name in RESULTS]
    others: list[tuple[str, str, str, float]] = [
        ("retries_total", "counter", "Attempts that the broker did not answer.", counts["retries"]),
        ("errors_total", "counter", "Complaints of Kafka.", counts["errors"]),
        ("dead_letters_removed_total", "counter", "Dead letters gone for lack of room.", counts["removed"]),
        ("waiting", "gauge", "Events that wait for the broker.", waiting),
        ("heard", "gauge", "Whether the heartbeat is heard.", int(heard)),
        ("heartbeat_timestamp_seconds", "gauge", "The last heartbeat; 0 for none.", int(beat)),
        ("message_timestamp_seconds", "gauge", "The last message; 0 for none.", int(message)),
    ]
    for name, kind, text, value in others:
        full = f"voevent_gcn_{name}"
        lines += [f"# HELP {full} {text}", f"# TYPE {full} {kind}", f"{full} {value}"]
    return "\n".join(lines) + "\n"


# ---- the program


class Journal(logging.Handler):
    """Passes on what the Kafka client logs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line."""
        log(4 if record.levelno >= logging.WARNING else 6, f"kafka client: {record.getMessage()}")


def secrets() -> dict[str, str]:
    """What systemd gave to this service alone."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    names = ("client_id", "client_secret")
    files = [(name, Path(folder) / f"gcn.{name}") for name in names] if folder else []
    return {name: path.read_text().strip() for name, path in files if path.exists()}


def resend(config: Config) -> int:
    """Hands the dead letters to the broker once more; those that it takes go.

    "Previously seen" is no proof that it took one: Comet remembers what it refused, too.
    """
    dead = DeadLetters(Path(config.state) / "dead", config.dead_letters, config.dead_bytes)
    left = 0
    for _, size, path in dead.letters():
        if path.suffix != ".xml" or size > LONGEST_EVENT:
            left += 1
            continue
        answer = submit(path.read_bytes(), config.port)
        if answer.kind == "ack":
            dead.remove(path)
            log(6, f"{path.name}: {answer.kind} {answer.reason}")
        else:
            left += 1
            log(4, f"{path.name}: {answer.kind} {answer.reason}")
        if answer.kind == "down":
            log(3, "the broker is not there")
            return 1
    log(6, f"{left} dead letters are left")
    return 0


def serve(config: Config) -> int:
    """Runs the service."""
    logger = logging.getLogger("kafka")
    logger.addHandler(Journal())
    logger.propagate = False

    def connect(bridge: Bridge) -> Any:
        more = {"error_cb": bridge.trouble, "on_commit": bridge.was_committed, "logger": logger}
        return consumer(config, secrets(), more)

    bridge = Bridge(config, connect)

    def stop(_number: int, _frame: object) -> None:
        bridge.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        bridge.run()
    except LostError as lost:
        log(3, f"{lost}: it begins anew")
        return 1
    return 0


def main(words: list[str]) -> int:
    """Runs the program; its exit code."""
    config = Config.read(words[0])
    return resend(config) if words[1:] == ["resend"] else serve(config)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
