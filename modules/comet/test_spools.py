"""Spools and counters, without a broker."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import spools

EVENT = b"<voe:VOEvent/>"
IVORN = "ivo://org.example/stream#1"


def until(condition: Any) -> None:
    """Waits until it holds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def config(folder: Path, **spooled: dict[str, Any]) -> dict[str, Any]:
    """As the module writes it."""
    whole = {
        name: {"path": str(folder / name), "roles": ["observation"], "streams": ["*"]} | spool
        for name, spool in spooled.items()
    }
    return {
        "broker": "comet",
        "metrics": str(folder / "metrics.prom"),
        "quarantine": str(folder / "db.bad"),
        "spools": whole,
    }


def take(events: spools.Events, raw: bytes = EVENT, role: str = "observation") -> threading.Event:
    """Has an event stored and accepted; what is returned is set when the broker need not wait any longer."""
    done = threading.Event()
    events.store(raw, role, IVORN, done.set)
    events.accept(role)
    return done


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_event_is_a_file_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    events = spools.Events(config(tmp_path, a={}))
    events.start()
    before = time.time_ns()
    take(events)
    events.stop()
    (name,) = names(tmp_path / "a")
    stamp, digest = name.removesuffix(".xml").split("-")
    assert len(stamp) == 20
    assert before <= int(stamp) <= time.time_ns()
    assert digest == hashlib.sha256(EVENT).hexdigest()
    assert (tmp_path / "a" / name).read_bytes() == EVENT
    assert (tmp_path / "a" / name).stat().st_mode & 0o7777 == 0o640


def test_names_sort_as_events_came(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    events = spools.Events(config(tmp_path, a={}))
    events.start()
    for number in range(200):
        take(events, f"<e{number}/>".encode())
    events.stop()
    texts = [(tmp_path / "a" / name).read_text() for name in names(tmp_path / "a")]
    assert texts == [f"<e{number}/>" for number in range(200)]


@pytest.mark.parametrize(
    ("spool", "role", "ivorn", "wanted"),
    [
        ({}, "observation", IVORN, True),
        ({}, "test", IVORN, False),
        ({"roles": ["test"]}, "test", IVORN, True),
        ({"streams": ["ivo://org.example/*"]}, "observation", IVORN, True),
        ({"streams": ["ivo://org.example/other#*", "*stream#1"]}, "observation", IVORN, True),
        ({"streams": ["stream"]}, "observation", IVORN, False),
        ({"streams": ["IVO://*"]}, "observation", IVORN, False),
        ({"streams": []}, "observation", IVORN, False),
    ],
)
def test_who_wants_what(tmp_path: Path, spool: dict[str, Any], role: str, ivorn: str, wanted: bool) -> None:
    spooled = spools.Events(config(tmp_path, a=spool)).spools[0]
    assert spooled.wants(spools.Event(EVENT, role, ivorn, 0)) is wanted


def test_what_cannot_be_written_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "RETRY", 0.01)
    (tmp_path / "b").mkdir()
    said: list[str] = []
    events = spools.Events(config(tmp_path, a={}, b={}), said.append)
    events.start()
    for number in range(3):
        take(events, f"<e{number}/>".encode())
    until(lambda: events.spools[0].failed > 5)
    # The other is not held up, and the log is told once.
    until(lambda: len(names(tmp_path / "b")) == 3)
    assert len(said) == 1
    assert "spool `a` cannot be written" in said[0]
    (tmp_path / "a").mkdir()
    until(lambda: len(names(tmp_path / "a")) == 3)
    events.stop()
    assert (events.spools[0].written, events.spools[0].lost, len(said)) == (3, 0, 1)


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left of what could not be written whole."""
    monkeypatch.setattr(spools, "RETRY", 0.01)
    (tmp_path / "a").mkdir()

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    said: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        events = spools.Events(config(tmp_path, a={}), said.append)
        events.start()
        take(events)
        until(lambda: events.spools[0].failed > 1)
    until(lambda: len(names(tmp_path / "a")) == 1)
    events.stop()
    assert "No space left on device" in said[0]


def test_what_is_done_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In all spools, each file synced before its name is there, and then its folder."""
    for name in "ab":
        (tmp_path / name).mkdir()
    synced: list[str] = []
    sync = os.fsync

    def note(file: int) -> None:
        sync(file)
        synced.append(os.readlink(f"/proc/self/fd/{file}"))

    monkeypatch.setattr(os, "fsync", note)
    events = spools.Events(config(tmp_path, a={}, b={}))
    for number in range(2 * spools.BATCH):
        take(events, f"<e{number}/>".encode())
    last = take(events)
    assert not last.is_set()
    events.start()
    assert last.wait(10)
    for name in "ab":
        folder = str(tmp_path / name)
        assert len(names(tmp_path / name)) == 2 * spools.BATCH + 1
        of_folder = [path for path in synced if path.startswith(folder)]
        assert of_folder[-1] == folder
        # Two full batches and the last event.
        assert of_folder.count(folder) == 3
        assert sum(path.endswith(".xml.part") for path in of_folder) == 2 * spools.BATCH + 1
    events.stop()
    assert [(spool.late, spool.lost) for spool in events.spools] == [(0, 0)] * 2


def test_nobody_wants_it(tmp_path: Path) -> None:
    events = spools.Events(config(tmp_path, a={"roles": []}))
    assert take(events).is_set()


def test_what_cannot_be_written_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the broker, and not for another spool; when it can be written again, that is waited for again."""
    monkeypatch.setattr(spools, "RETRY", 0.01)
    (tmp_path / "b").mkdir()
    events = spools.Events(config(tmp_path, a={}, b={}), lambda _: None)
    events.start()
    for _ in range(3):
        assert take(events).wait(10)
    first, second = events.spools
    assert (first.late, first.written, second.late, second.written) == (3, 0, 0, 3)
    assert 'voevent_comet_spool_late_total{broker="comet",spool="a"} 3\n' in events.text()
    (tmp_path / "a").mkdir()
    until(lambda: first.waiting() == 0)
    assert take(events).wait(10)
    assert (first.late, len(names(tmp_path / "a"))) == (3, 4)
    events.stop()


def test_a_disk_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waited too long has nobody wait until it has caught up."""
    (tmp_path / "a").mkdir()
    goes_on, sync = threading.Event(), os.fsync

    def hang(file: int) -> None:
        assert goes_on.wait(10)
        sync(file)

    monkeypatch.setattr(os, "fsync", hang)
    events = spools.Events(config(tmp_path, a={}))
    events.start()
    done = [threading.Event(), threading.Event()]
    storing = [events.store(EVENT, "observation", IVORN, one.set) for one in done]
    assert not done[0].wait(0.1)
    storing[0].hurry()
    assert all(one.is_set() for one in done)
    assert take(events).is_set()
    (spool,) = events.spools
    assert spool.late == 3
    goes_on.set()
    until(lambda: spool.written == 3)
    assert take(events).wait(10)
    # One that was written meanwhile is no reason.
    storing[0].hurry()
    assert take(events).wait(10)
    assert (spool.late, spool.lost) == (3, 0)
    events.stop()


def test_a_full_queue_loses_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "WAITING_BYTES", 3 * len(EVENT))
    said: list[str] = []
    events = spools.Events(config(tmp_path, a={}), said.append)
    (spool,) = events.spools
    # Whoever sends waits: nothing is lost.
    for _ in range(5):
        take(events)
    assert (spool.waiting(), spool.late, spool.lost, len(said)) == (5, 0, 0, 0)
    spool.fall_behind()
    for _ in range(2):
        assert take(events).is_set()
    assert (spool.waiting(), spool.late, spool.lost, len(said)) == (5, 5, 2, 1)
    assert 'voevent_comet_spool_lost_total{broker="comet",spool="a"} 2\n' in events.text()
    assert 'voevent_comet_events_total{broker="comet",role="observation"} 7\n' in events.text()


def test_stopping_does_not_wait_for_what_fails(tmp_path: Path) -> None:
    said: list[str] = []
    events = spools.Events(config(tmp_path, a={}), said.append)
    events.start()
    take(events)
    until(lambda: events.spools[0].failed)
    began = time.monotonic()
    events.stop()
    assert time.monotonic() - began < 2.5
    assert said[-1] == "spool `a`: stopped with 1 events that could not be written"


def test_left_parts_go_and_fresh_ones_stay(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in [".old.xml.part", ".new.xml.part", "old.xml"]:
        (tmp_path / "a" / name).touch()
    os.utime(tmp_path / "a/.old.xml.part", (0, 0))
    os.utime(tmp_path / "a/old.xml", (0, 0))
    events = spools.Events(config(tmp_path, a={}))
    events.start()
    events.stop()
    assert names(tmp_path / "a") == [".new.xml.part", "old.xml"]


def test_counters_are_a_file(tmp_path: Path) -> None:
    (tmp_path / "db.bad/x").mkdir(parents=True)
    file = tmp_path / "metrics.prom"
    events = spools.Events(config(tmp_path) | {"broker": 'a"\\\n'})
    events.start()
    until(file.exists)
    assert 'role="test"} 0' in file.read_text()
    take(events, EVENT, "test")
    until(lambda: 'role="test"} 1' in file.read_text())
    assert 'voevent_comet_eventdb_quarantined{broker="a\\"\\\\\\n"} 1\n' in file.read_text()
    events.stop()
    assert names(tmp_path) == ["db.bad", "metrics.prom"]
    assert file.stat().st_mode & 0o7777 == 0o640


def test_counters_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "METRICS", 0.01)
    said: list[str] = []
    events = spools.Events(config(tmp_path) | {"metrics": "/nowhere/x"}, said.append)
    events.start()
    for _ in range(3):
        take(events, EVENT, "test")
        time.sleep(0.05)
    events.stop()
    assert len(said) == 1


def test_what_is_refused_is_counted(tmp_path: Path) -> None:
    events = spools.Events(config(tmp_path))
    for why in ("seen", "invalid", "invalid"):
        events.refuse(why)
    assert 'voevent_comet_refused_total{broker="comet",reason="invalid"} 2\n' in events.text()
    assert 'voevent_comet_refused_total{broker="comet",reason="unreadable"} 0\n' in events.text()
