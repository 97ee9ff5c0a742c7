"""Comet as `launch.py` runs it: what it says it has is on the disk."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

EVENT = """<?xml version="1.0" encoding="UTF-8"?>
<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" version="2.0" role="observation" ivorn="{}">\
<Who><AuthorIVORN>ivo://org.example/tests</AuthorIVORN><Date>2026-01-01T00:00:00</Date></Who></voe:VOEvent>"""
HERE = Path(__file__).parent
SEEN = "Previously seen by this broker"


def event(name: object) -> bytes:
    return EVENT.format(f"ivo://org.example/tests#{name}").encode()


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def read(connection: socket.socket) -> bytes:
    """A message of VTP; nothing at the end."""
    with connection.makefile("rb") as stream:
        return stream.read(int.from_bytes(stream.read(4), "big"))


class Broker:
    """A broker with a spool, in a folder."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.spool, self.folder = folder / "spool", folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        spool = {"path": str(self.spool), "roles": ["observation"], "streams": ["*"]}
        config = {
            "broker": "comet",
            "module": str(HERE / "spools.py"),
            "metrics": str(folder / "metrics.prom"),
            "quarantine": str(folder / "db.bad"),
            "plugins": {},
            "spools": {"a": spool},
        }
        (folder / "config.json").write_text(json.dumps(config))
        launch = [sys.executable, "-W", "ignore", str(HERE / "launch.py"), str(folder / "config.json")]
        own = ["--local-ivo=ivo://org.example/node", "--receive", f"--receive-port={self.port}"]
        self.call = [*launch, "--nodaemon", "--pidfile=", "comet", "--voevent-node", *own, *arguments]
        self.call.append(f"--eventdb={folder / 'db'}")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; it answers then."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.call, cwd=self.folder, stdout=log, stderr=log)
        end = time.monotonic() + 20
        while True:
            with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", self.port)):
                return
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it by a signal."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(20)

    def send(self, raw: bytes) -> str:
        """What it answers an author: `ack`, the reason of a refusal, or nothing."""
        with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
            connection.sendall(len(raw).to_bytes(4, "big") + raw)
            answer = read(connection)
        why = re.search(rb"<Result>Event rejected: (.*?)</Result>", answer, re.DOTALL)
        return why[1].decode() if why else "ack" if b'role="ack"' in answer else ""

    def spooled(self) -> list[str]:
        """The hashes of what is in its spool, by the bytes."""
        return sorted(digest(path.read_bytes()) for path in self.spool.glob("[0-9]*.xml"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """One that is not started yet."""
    (tmp_path / "spool").mkdir()
    broker = Broker(tmp_path)
    yield broker
    if broker.process is not None and broker.process.poll() is None:
        broker.stop(signal.SIGKILL)


def test_what_is_acknowledged_is_stored_and_nothing_else(broker: Broker) -> None:
    broker.start()
    assert broker.send(event("one")) == "ack"
    assert broker.spooled() == [digest(event("one"))]
    assert broker.send(event("one")) == SEEN
    # What is refused was not seen: it is told why each time, and can be sent when it is right.
    for wrong in (event("two").replace(b"<Date>", b"<date>"), event("")):
        reasons = [broker.send(wrong) for _ in range(2)]
        assert reasons[0] == reasons[1] != SEEN
        assert "ack" not in reasons
    assert broker.spooled() == [digest(event("one"))]


def test_the_same_from_many(broker: Broker) -> None:
    """One is acknowledged, and the others hear that it was seen only when it is stored, once."""
    broker.start()
    answers: list[tuple[str, int]] = []

    def author() -> None:
        answer = broker.send(event("many"))
        answers.append((answer, len(broker.spooled())))

    authors = [threading.Thread(target=author) for _ in range(16)]
    for one in authors:
        one.start()
    for one in authors:
        one.join()
    assert sorted(answers) == [(SEEN, 1)] * 15 + [("ack", 1)]


def test_a_spool_that_cannot_be_written(broker: Broker) -> None:
    """It takes events as before, and says that they are late."""
    broker.start()
    broker.spool.rmdir()
    began = time.monotonic()
    assert [broker.send(event(number)) for number in range(20)] == ["ack"] * 20
    assert time.monotonic() - began < 5
    broker.spool.mkdir()
    end = time.monotonic() + 10
    while 'spool_written_total{broker="comet",spool="a"} 20\n' not in (broker.folder / "metrics.prom").read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert broker.send(event("after")) == "ack"
    assert digest(event("after")) in broker.spooled()
    broker.stop()
    assert 'spool_late_total{broker="comet",spool="a"} 20\n' in (broker.folder / "metrics.prom").read_text()


def test_killed_again_and_again(broker: Broker) -> None:
    """What it acknowledged, and what it had when it was sent again, is on the disk."""
    had: list[bytes] = []
    ends = threading.Event()

    def author(name: int) -> None:
        number = 0
        while not ends.is_set():
            raw = event(f"{name}-{number}")
            with contextlib.suppress(OSError):
                answer = broker.send(raw)
                assert answer in ("ack", SEEN, "")
                if answer:
                    had.append(raw)
                    number += 1

    broker.start()
    authors = [threading.Thread(target=author, args=(name,)) for name in range(6)]
    for one in authors:
        one.start()
    for _ in range(4):
        before = len(had)
        while len(had) < before + 5:
            time.sleep(0.01)
        time.sleep(random.uniform(0.0, 0.4))  # noqa: S311 - any moment is as good
        broker.stop(signal.SIGKILL)
        broker.start()
    ends.set()
    for one in authors:
        one.join()
    lost = {digest(raw) for raw in had} - set(broker.spooled())
    assert not lost, f"{len(lost)} of {len(had)}"


def test_a_subscriber_acknowledges_what_is_stored(tmp_path: Path) -> None:
    """Also where much comes at once, and the same twice."""
    (tmp_path / "spool").mkdir()
    events = [event(number) for number in range(300)]
    sent = [raw for raw in events for _ in range(2)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        broker = Broker(tmp_path, f"--remote=127.0.0.1:{server.getsockname()[1]}")
        broker.start()
        try:
            server.settimeout(20)
            upstream, _ = server.accept()
            with upstream, upstream.makefile("rb") as answers:
                upstream.settimeout(20)
                upstream.sendall(b"".join(len(raw).to_bytes(4, "big") + raw for raw in sent))
                for number in range(len(sent)):
                    answer = answers.read(int.from_bytes(answers.read(4), "big"))
                    origin = re.search(rb"<Origin>ivo://org.example/tests#(\d+)</Origin>", answer)
                    assert origin is not None, answer
                    if number % 10 == 0:
                        assert digest(events[int(origin[1])]) in broker.spooled()
        finally:
            broker.stop()
    assert broker.spooled() == sorted(map(digest, events))
    metrics = (tmp_path / "metrics.prom").read_text()
    assert 'events_total{broker="comet",role="observation"} 300\n' in metrics
    assert 'refused_total{broker="comet",reason="seen"} 300\n' in metrics
