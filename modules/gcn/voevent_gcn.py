"""Hands what a Kafka broker such as GCN's sends to the VOEvent broker of this host.

    start.py CONFIG           consumes until it is told to stop
    start.py CONFIG resend    hands the dead letters to the broker once more

An offset is committed when the event is in other hands: acknowledged by the broker, known to it already, or
on the disk as a dead letter. So every event reaches the broker at least once, and the broker, which knows
events by their bytes, passes each on once. While the broker is away its event waits here, and all topics but
the heartbeat's rest.
"""

import importlib
import logging
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from broker import submit
from courier import LONGEST_EVENT, Config, Courier, log, notify
from letters import DAY, DeadLetters

RETRY_SECONDS = 1.0


class LostError(Exception):
    """The connection is of no use any more: the service begins anew."""


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
        # Of each of its brokers at a time; a message that is longer comes alone.
        "fetch.max.bytes": 8 << 20,
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
                self.touch()
            if self.silent:
                log(6, "the heartbeat is back")
                self.silent = False
        else:
            self.waiting.append(message)

    def touch(self) -> None:
        """Lets the monitor see the heartbeat; a disk that is full is no reason to leave Kafka."""
        try:
            self.beat_file.write_text("")
        except OSError as error:
            self.say("heartbeat", 4, f"cannot write `{self.beat_file}`: {error}")

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
        try:
            answer = submit(path.read_bytes(), config.port)
        except FileNotFoundError:
            # The service had to make room meanwhile.
            continue
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
