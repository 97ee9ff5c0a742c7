"""Tests of voevent_gcn.py without Kafka: what is done with a message, and what the broker may answer."""

import dataclasses
import hashlib
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from broker import PROBE, Answer, submit
from courier import LONGEST_EVENT, Config, Courier, log
from letters import DeadLetters, is_json, is_xml
from voevent_gcn import Bridge, metrics, resend, settings

EVENT = b'<?xml version="1.0"?><voe:VOEvent role="observation" ivorn="ivo://a.b/c#d"/>'
ORIGIN = {"topic": "t", "partition": 0, "offset": 7, "time": 1e9}
ACK = b'<trn:Transport role="ack"/>'


def nak(reason: str) -> bytes:
    return f'<trn:Transport role="nak"><Meta><Result>{reason}</Result></Meta></trn:Transport>'.encode()


@contextmanager
def broker(answer: Callable[[bytes], bytes | None]) -> Iterator[int]:
    """A broker that answers so; `None` closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                stream, _ = listener.accept()
            except OSError:
                return
            with stream:
                data = b""
                while len(data) < 4 or len(data) < 4 + struct.unpack("!I", data[:4])[0]:
                    data += stream.recv(1 << 17)
                said = answer(data[4:])
                if said is not None:
                    stream.sendall(struct.pack("!I", len(said)) + said)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


def config(folder: Path, port: int = 1, **more: Any) -> Config:
    (folder / "dead").mkdir(exist_ok=True)
    (folder / "inbox").mkdir(exist_ok=True)
    every: dict[str, Any] = {
        "domain": None,
        "bootstrap": ["a:1", "b:2"],
        "security": "sasl_ssl",
        "mechanism": "PLAIN",
        "ca": "/ca",
        "group_id": "g",
        "start": "earliest",
        "topics": ["t"],
        "heartbeat": "h",
        "heartbeat_limit": 60,
        "lost_after": 600,
        "port": port,
        "json": "archive",
        "inbox": str(folder / "inbox"),
        "state": str(folder),
        "dead_letters": 3,
        "dead_bytes": 1 << 20,
    }
    return Config(**{**every, **more})


def courier(folder: Path, port: int = 1, **more: Any) -> Courier:
    return Courier(config(folder, port, **more), DeadLetters(folder / "dead", 3, 1 << 20))


def letters(folder: Path) -> dict[str, str]:
    """The reasons of the dead letters, by what they are."""
    found = {}
    for path in (folder / "dead").glob("*.reason"):
        found[path.stem] = json.loads(path.read_text())["reason"]
    return found


def name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_broker_is_understood() -> None:
    with broker(lambda _: ACK) as port:
        assert submit(EVENT, port) == Answer("ack")
    with broker(lambda _: nak("no &amp; why")) as port:
        assert submit(EVENT, port) == Answer("nak", "no &amp; why")
    with broker(lambda _: None) as port:
        assert submit(EVENT, port).kind == "closed"
    with broker(lambda _: b"<html/>") as port:
        assert submit(EVENT, port).kind == "closed"
    assert submit(EVENT, port).kind == "down"


def test_a_frozen_broker_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert submit(EVENT, listener.getsockname()[1], 0.1).kind == "silent"


def test_what_the_broker_knows_is_not_a_dead_letter(tmp_path: Path) -> None:
    with broker(lambda _: nak("Event rejected: Previously seen by this broker")) as port:
        one = courier(tmp_path, port)
        assert one.bring(EVENT, ORIGIN) == "seen"
        assert letters(tmp_path) == {}
        # But if an attempt had no answer, the broker may have died over it: the archive gets it.
        one.unanswered = True
        assert one.bring(EVENT, ORIGIN) == "uncertain"
        assert not one.unanswered
    [kept] = (tmp_path / "inbox").iterdir()
    assert kept.read_bytes() == EVENT
    assert kept.name.endswith(f"-{name(EVENT)}.xml")


def test_a_broker_that_is_away_is_waited_for(tmp_path: Path) -> None:
    one = courier(tmp_path, 1)
    assert one.bring(EVENT, ORIGIN) is None
    assert (one.unanswered, one.counts) == (False, Counter({"retries": 1}))
    # One that closes on everything is no better.
    with broker(lambda _: None) as port:
        one = courier(tmp_path, port)
        for _ in range(3):
            assert one.bring(EVENT, ORIGIN) is None
        assert one.unanswered
    assert letters(tmp_path) == {}


def test_an_event_that_cannot_be_read_is_buried_at_the_second_time(tmp_path: Path) -> None:
    with broker(lambda data: nak("bad IVOID") if data == PROBE else None) as port:
        one = courier(tmp_path, port)
        assert one.bring(EVENT, ORIGIN) is None
        assert one.bring(EVENT, ORIGIN) == "rejected"
        assert one.bring(b"<other/>", ORIGIN) is None, "each has its own two attempts"
    assert letters(tmp_path) == {name(EVENT): "the broker closes the connection: it cannot read it"}
    assert (tmp_path / "dead" / f"{name(EVENT)}.xml").read_bytes() == EVENT


def test_the_rest_finds_its_place(tmp_path: Path) -> None:
    with broker(lambda _: nak("Schema")) as port:
        one = courier(tmp_path, port)
        binary, notice = b"\x00binary", b' {"a": 1}'
        big = EVENT + b" " * (LONGEST_EVENT + 1 - len(EVENT))
        assert one.bring(EVENT, ORIGIN) == "rejected"
        assert one.bring(big, ORIGIN) == "oversize"
        assert one.bring(binary, ORIGIN) == "unknown"
        assert one.bring(notice, ORIGIN) == "archived"
        assert one.bring(b"", ORIGIN) == "empty"
    reasons = letters(tmp_path)
    assert reasons[name(EVENT)] == "Schema"
    assert reasons[name(big)] == f"{LONGEST_EVENT + 1} bytes: the broker takes {LONGEST_EVENT}"
    assert (tmp_path / "dead" / f"{name(binary)}.bin").read_bytes() == binary
    inbox = {path.name.split("-")[1] for path in (tmp_path / "inbox").iterdir()}
    assert inbox == {f"{name(big)}.xml", f"{name(notice)}.json"}
    ignoring = courier(tmp_path, json="ignore")
    assert ignoring.bring(b"[1]", ORIGIN) == "ignored"


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    one = courier(tmp_path)
    (tmp_path / "dead").rmdir()
    assert one.bring(b"binary", ORIGIN) is None
    (tmp_path / "dead").mkdir()
    assert one.bring(b"binary", ORIGIN) == "unknown"


def test_dead_letters_are_bounded(tmp_path: Path) -> None:
    dead = DeadLetters(tmp_path, 3, 1000)
    assert [dead.add(b"<%d" % number, {}) for number in range(4)] == [0, 0, 0, 1]
    assert len(list(tmp_path.iterdir())) == 6
    assert dead.add(b"<" * 999, {}) == 3, "two would be more than so many bytes"
    assert dead.add(b"<" * 2000, {}) == 1, "the newest stays, whatever its size"
    assert [size for _, size, _ in dead.letters()] == [2000]


@pytest.mark.parametrize("data", [b"<a/>", b"\xef\xbb\xbf <a/>", "<a/>".encode("utf-16"), b"\n<a"])
def test_xml_is_told(data: bytes) -> None:
    assert is_xml(data)
    assert not is_json(data)


@pytest.mark.parametrize("data", [b"7", b"{", b"[" * 100_000, b"\xff{", b""])
def test_what_is_no_json(data: bytes) -> None:
    assert not is_json(data)


def test_other_brokers_than_gcn(tmp_path: Path) -> None:
    found = settings(config(tmp_path), {"client_id": "me", "client_secret": "x"})
    assert (found["bootstrap.servers"], found["sasl.username"], found["ssl.ca.location"]) == (
        "a:1,b:2",
        "me",
        "/ca",
    )
    plain = settings(config(tmp_path, security="plaintext"), {})
    assert not [key for key in plain if key.startswith(("sasl", "ssl"))]
    gcn = settings(config(tmp_path, domain="gcn.nasa.gov"), {})
    assert "bootstrap.servers" not in gcn
    assert gcn["enable.auto.commit"] is False


def test_metrics_can_be_read() -> None:
    text = metrics(Counter(delivered=3), 1, 12.5, 0.0, heard=True)
    assert 'voevent_gcn_messages_total{result="delivered"} 3\n' in text
    assert "voevent_gcn_heard 1\n" in text
    assert all(line.startswith(("# ", "voevent_gcn_")) for line in text.splitlines())


def test_a_disk_that_is_full_is_no_reason_to_leave_kafka(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bridge = object.__new__(Bridge)
    bridge.beat_file, bridge.said = tmp_path / "none" / "heartbeat", {}
    bridge.touch()
    bridge.touch()
    assert capsys.readouterr().err.count("cannot write") == 1
    bridge.beat_file = tmp_path / "heartbeat"
    bridge.touch()
    assert bridge.beat_file.exists()


def test_a_letter_that_is_taken_away_meanwhile_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []

    def answer(data: bytes) -> bytes:
        sent.append(data)
        return ACK

    with broker(answer) as port:
        made = config(tmp_path, port)
        dead = DeadLetters(Path(made.state) / "dead", 10, 1 << 20)
        for number in range(2):
            dead.add(EVENT + b"%d" % number, {})
        real = dead.letters()
        dead.remove(real[0][2])
        monkeypatch.setattr(DeadLetters, "letters", lambda _: real)
        assert resend(made) == 0
    assert len(sent) == 1
    assert list(dead.folder.iterdir()) == []


def test_a_log_has_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    log(4, "a\n<0>b\x1b[31m\x9bc")
    assert capsys.readouterr().err == "<4>a <0>b [31m c\n"


def test_the_words_of_the_configuration_are_all_there(tmp_path: Path) -> None:
    """What the template writes is what is read: with the places of the code, which `start.py` alone needs."""
    made = config(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**dataclasses.asdict(made), "code": {"broker": "/x"}}))
    assert Config.read(str(path)) == made
