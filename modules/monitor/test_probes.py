"""What the probes see: in texts of systemd and the kernel, in folders, and in numbers that services write."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import folders
import probes
import pytest
from probes import Look
from problems import State

NOW = 1_000_000.0
ACTIVE = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Type": "exec", "UID": "998"}


def config(**more: Any) -> dict[str, Any]:
    """A configuration in which nothing is watched but this."""
    nothing: dict[str, Any] = {"watch": {}, "upstreams": {}, "silence": {}, "metrics": {}, "alarms": {}}
    return {"fail_after": 3, "upstream_down": 600, **nothing, **more}


def watch(probe: str, path: Path | None = None, **more: Any) -> dict[str, Any]:
    """An entry of `watch`."""
    common = {"unit": None, "port": None, "older_than": 60, "at_most": None, "min_free": 0}
    return {**common, "probe": probe, "path": str(path), **more}


def one(state: State, now: float, entry: dict[str, Any]) -> tuple[bool, str]:
    """What is seen of one entry."""
    (observation,) = probes.look(Look(config(watch={"x": entry}), state, now)).observations
    return observation.ok, observation.text


def aged(path: Path, age: float) -> None:
    """A file so many seconds old."""
    path.touch()
    os.utime(path, (NOW - age, NOW - age))


def test_a_queue_is_stuck_when_its_oldest_file_is_old(tmp_path: Path) -> None:
    entry = watch("queue", tmp_path)
    assert one(State(), NOW, entry)[0]
    aged(tmp_path / "new", 59)
    aged(tmp_path / ".part", 999)
    assert one(State(), NOW, entry)[0]
    aged(tmp_path / "old", 3700)
    assert one(State(), NOW, entry) == (False, f"2 files wait in {tmp_path}, the oldest for 62 min")
    entry = watch("queue", tmp_path / "gone", unit=None)
    ok, text = one(State(), NOW, entry)
    assert not ok
    assert "cannot be read" in text


def test_a_file_that_never_was_gets_its_time(tmp_path: Path) -> None:
    state, entry = State(), watch("fresh", tmp_path / "beat")
    assert one(state, NOW, entry)[0]
    assert one(state, NOW + 60, entry)[0]
    assert one(state, NOW + 61, entry) == (False, f"{tmp_path}/beat is missing")
    aged(tmp_path / "beat", 0)
    assert one(state, NOW + 60, entry)[0]
    assert one(state, NOW + 200, entry) == (False, f"{tmp_path}/beat is 3 min old")


def test_after_a_boot_old_files_get_some_time(tmp_path: Path) -> None:
    """What lay there over a reboot is nobody's fault, and what was in /run is gone: neither is told."""
    aged(tmp_path / "beat", 900)
    state = State()
    entries = [watch("fresh", tmp_path / "beat"), watch("queue", tmp_path), watch("fresh", tmp_path / "run")]

    def bad(now: float, up_since: float) -> list[bool]:
        look = Look(config(watch=dict(zip("abc", entries, strict=True))), state, now, up_since)
        return [not seen.ok for seen in probes.look(look).observations]

    (tmp_path / "run").mkdir()
    aged(tmp_path / "run" / ".x", 0)
    entries[2]["path"] = str(tmp_path / "run" / ".x")
    assert bad(NOW - 5, 0) == [True, True, False]
    (tmp_path / "run" / ".x").unlink()
    aged(tmp_path / "run", 900)
    assert bad(NOW, NOW + 85) == [False, False, False]
    assert bad(NOW + 145, NOW + 85) == [False, False, False]
    assert bad(NOW + 146, NOW + 85) == [True, True, True]


def test_new_files_are_seen_though_old_ones_go_for_them(tmp_path: Path) -> None:
    state, entry = State(), watch("count", tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).touch()
    assert one(state, NOW, entry)[0]
    time.sleep(0.02)
    (tmp_path / "a").unlink()
    (tmp_path / "c").touch()
    assert one(state, NOW + 60, entry) == (False, f"1 new files in {tmp_path}, now 2")
    assert one(state, NOW + 121, entry)[0]


def test_what_fills_a_folder_is_seen_until_it_is_calm(tmp_path: Path) -> None:
    state, entry = State(), watch("count", tmp_path)
    (tmp_path / "before").touch()
    assert one(state, NOW, entry)[0], "what was there at the first look is not new"
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    assert one(state, NOW + 60, entry) == (False, f"2 new files in {tmp_path}, now 3")
    (tmp_path / "c").touch()
    assert one(state, NOW + 110, entry) == (False, f"3 new files in {tmp_path}, now 4")
    assert not one(state, NOW + 170, entry)[0]
    assert one(state, NOW + 171, entry)[0]
    (tmp_path / "d").touch()
    assert one(state, NOW + 240, entry) == (False, f"1 new files in {tmp_path}, now 5")


def test_a_folder_may_have_so_many(tmp_path: Path) -> None:
    entry = watch("count", tmp_path, at_most=1)
    (tmp_path / "a").touch()
    assert one(State(), NOW, entry)[0]
    (tmp_path / "b").touch()
    assert one(State(), NOW, entry) == (False, f"2 files in {tmp_path}, at most 1")


def test_a_disk_needs_space_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(State(), NOW, watch("disk", tmp_path, min_free=1))[0]
    ok, text = one(State(), NOW, watch("disk", tmp_path, min_free=1 << 60))
    assert not ok
    assert text.endswith(f"free at {tmp_path}, and {1 << 40} MiB must be")
    monkeypatch.setitem(folders.FOLDERS, "disk", lambda _: (10**9, 5, 1000))
    assert one(State(), NOW, watch("disk", tmp_path)) == (
        False,
        f"only 5 more files can be made at {tmp_path}",
    )
    monkeypatch.setitem(folders.FOLDERS, "disk", lambda _: (10**9, 0, 0))
    assert one(State(), NOW, watch("disk", tmp_path))[0], "no table of files"


@pytest.mark.parametrize(
    ("unit", "restarts", "must_run", "trouble"),
    [
        (ACTIVE, None, True, None),
        ({**ACTIVE, "ActiveState": "reloading"}, None, True, None),
        ({**ACTIVE, "ActiveState": "activating", "SubState": "auto-restart"}, None, True, "is activating"),
        ({**ACTIVE, "ActiveState": "inactive", "SubState": "dead"}, None, True, "is inactive (dead)"),
        ({**ACTIVE, "ActiveState": "inactive", "SubState": "dead"}, None, False, None),
        ({"ActiveState": "inactive", "Type": "oneshot"}, None, True, None),
        ({"ActiveState": "inactive", "Type": "oneshot", "RemainAfterExit": "no"}, None, True, None),
        ({"ActiveState": "inactive", "Type": "oneshot", "RemainAfterExit": "yes"}, None, True, "is inactive"),
        ({"ActiveState": "failed", "Result": "timeout", "Type": "oneshot"}, None, True, "failed (timeout)"),
        ({**ACTIVE, "NRestarts": "4"}, 3, True, "was started again, 4 times"),
        ({**ACTIVE, "NRestarts": "0"}, 3, True, None),
        ({"LoadState": "masked", "ActiveState": "inactive"}, None, True, "is masked"),
    ],
)
def test_units(unit: dict[str, str], restarts: int | None, must_run: bool, trouble: str | None) -> None:
    said = probes.unit_trouble(unit, restarts, must_run=must_run)
    assert said is trouble is None or (said is not None and trouble is not None and trouble in said)


def test_a_clock_may_be_alone_for_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    said: dict[str, str] = {"timedatectl": "no\n", "chronyc": "\n"}
    monkeypatch.setattr(subprocess, "run", lambda words, **_: subprocess.CompletedProcess(words, 0, said[words[0]], ""))

    def seen() -> tuple[bool, float]:
        (found,) = probes.look(Look(config(watch={"x": watch("clock", older_than=7200)}), State(), NOW)).observations
        return found.ok, found.seconds

    assert seen() == (False, 7200)
    for name, answer, ok in [
        ("chronyc", "CB007101,203.0.113.1,2,1.0,0.1,Not synchronised\n", False),
        ("chronyc", "CB007101,203.0.113.1,2,1.0,0.1,Normal\n", True),
        ("chronyc", "", False),
        ("timedatectl", "yes\n", True),
    ]:
        said[name] = answer
        assert seen()[0] == ok, answer


def broker(state: State, monkeypatch: pytest.MonkeyPatch, unit: dict[str, str], answer: str | None) -> probes.Seen:
    """A look at a broker, which is watched in three ways."""
    monkeypatch.setattr(probes, "show_units", lambda names: dict.fromkeys(names, unit))
    monkeypatch.setattr(probes, "answers", lambda _probe, _port: answer)
    ways = {
        "up": watch("unit", unit="comet.service"),
        "a": watch("vtp", unit="comet.service", port=8099),
        "b": watch("vtp-nak", unit="comet.service", port=8098),
        "c": watch("vtp-nak", unit="comet.service", port=8198),
    }
    return probes.look(Look(config(watch=ways), state, NOW))


def test_a_broker_is_one_thing_however_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    state = State()
    (seen,) = broker(state, monkeypatch, ACTIVE, None).observations
    assert seen.ok
    frozen = broker(state, monkeypatch, ACTIVE, "no greeting within 5s")
    names = [sample[:2] for sample in frozen.samples]
    assert len(set(names)) == len(names), "samples of one name differ in their labels"
    (seen,) = frozen.observations
    assert (seen.key, seen.ok, seen.looks) == ("unit comet.service", False, 3)
    assert frozen.frozen == ["comet.service"]
    down = broker(state, monkeypatch, {**ACTIVE, "ActiveState": "failed", "Result": "signal"}, "refused")
    (seen,) = down.observations
    assert (seen.text, seen.looks) == ("comet.service: failed (signal)", 1)
    assert down.frozen == [], "what does not run is systemd's to start"


TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998        0 1 1 0 100 0 0 10 0
   1: 0BD50A0A:A1B2 0CD50A0A:1FA3 01 00000000:00000000 00:00000000 00000000   998        0 2 1 0 20 4 30 10 -1
   2: 0BD50A0A:A1B3 0DD50A0A:1FA3 06 00000000:00000000 00:00000000 00000000   998        0 3 1 0 20 4 30 10 -1
"""
TCP6 = """  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:A1B2 B80D0120000000000000000001000000:1FA3 01 0:0 0:0 0 7 0 1 1 0
   1: 0000000000000000FFFF00000100007F:A1B2 0000000000000000FFFF00000ED50A0A:1FA3 01 0:0 0:0 0 7 0 1 1 0
"""


def test_connections_are_those_that_stand() -> None:
    assert list(probes.established({"tcp": TCP, "tcp6": TCP6})) == [
        ("10.10.213.12", 8099, 998),
        ("2001:db8::1", 8099, 7),
        ("10.10.213.14", 8099, 7),
    ]


def test_a_real_connection_is_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        assert (*address, os.getuid()) not in probes.connections()
        with socket.create_connection(address):
            assert (*address, os.getuid()) in probes.connections()


def upstream(
    state: State, monkeypatch: pytest.MonkeyPatch, here: list[tuple[str, int, int]], name: list[str] | OSError
) -> list[tuple[str, bool, float]]:
    """What is seen of an upstream, whose name gives these addresses."""

    def resolve(_: str) -> list[str]:
        if isinstance(name, OSError):
            raise name
        return name

    monkeypatch.setattr(probes, "show_units", lambda names: dict.fromkeys(names, ACTIVE))
    monkeypatch.setattr(probes, "connections", lambda: here)
    monkeypatch.setattr(probes, "resolve", resolve)
    up = {"up.example.org:8099": {"unit": "comet.service", "to": "up.example.org:8099"}}
    seen = probes.look(Look(config(upstreams=up), state, NOW))
    return [(o.key, o.ok, o.seconds) for o in seen.observations if o.key.startswith("upstream")]


def test_an_upstream_is_a_connection_of_the_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    state, key = State(), "upstream up.example.org:8099"
    mine = [("192.0.2.1", 8099, 998)]
    assert upstream(state, monkeypatch, mine, ["192.0.2.1", "192.0.2.2"]) == [(key, True, 600)]
    assert upstream(state, monkeypatch, [], ["192.0.2.1"]) == [(key, False, 600)]
    for other in (("192.0.2.1", 8099, 0), ("192.0.2.1", 80, 998), ("192.0.2.9", 8099, 998)):
        assert upstream(state, monkeypatch, [other], ["192.0.2.1"]) == [(key, False, 600)]
    # The name server is down, or gives other addresses by now: the connection stands nevertheless.
    assert upstream(state, monkeypatch, mine, OSError("no name server")) == [(key, True, 600)]
    assert upstream(state, monkeypatch, mine, ["192.0.2.7"]) == [(key, True, 600)]


def silence(state: State, now: float, folder: Path, text: str | None) -> dict[str, bool]:
    """What is seen of silence, where services wrote this."""
    if text is not None:
        (folder / "metrics").write_text(text, encoding="utf-8")
    kinds = {"any": 60, "observation": 60, "ivo://x/*": 60}
    seen = probes.look(Look(config(silence=kinds, metrics={"m": str(folder / "metrics")}), state, now))
    return {o.key.removeprefix("silence "): o.ok for o in seen.observations}


def test_silence_is_no_event_counted_for_long(tmp_path: Path) -> None:
    text = (
        'voevent_comet_events_total{{broker="a",role="observation"}} {}\n'
        'voevent_comet_events_total{{broker="b",role="test"}} {}\n'
        'voevent_comet_events_total{{broker="b",kind="ivo://x/*"}} {}\n'
        "voevent_comet_other_total 7\n"
    )
    state = State()
    good = {"any": True, "observation": True, "ivo://x/*": True}
    assert silence(state, NOW, tmp_path, None) == good, "the time runs from the first look"
    assert silence(state, NOW + 60, tmp_path, text.format(0, 0, 0)) == good
    assert silence(state, NOW + 61, tmp_path, text.format(0, 0, 0)) == dict.fromkeys(good, False)
    assert silence(state, NOW + 62, tmp_path, text.format(0, 5, 0)) == {
        **dict.fromkeys(good, False),
        "any": True,
    }
    assert silence(state, NOW + 63, tmp_path, text.format(3, 5, 1)) == good
    # A broker that is new counts from nothing; its first event is one.
    assert silence(state, NOW + 120, tmp_path, text.format(0, 0, 0)) == good
    assert silence(state, NOW + 130, tmp_path, text.format(1, 0, 0)) == {**good, "ivo://x/*": False}


def test_a_service_that_begins_anew_has_no_event_for_that(tmp_path: Path) -> None:
    archive, comet = tmp_path / "archive", tmp_path / "comet"
    line = 'voevent_x_events_total{{role="observation"}} {}\n'
    later = 'voevent_handler_events_total{{handler="h",outcome="done"}} {}\n'
    state, paths = State(), {"a": str(archive), "c": str(comet)}

    def quiet(now: float, numbers: tuple[int, int, int]) -> bool:
        archive.write_text(line.format(numbers[0]), encoding="utf-8")
        comet.write_text(line.format(numbers[1]) + later.format(numbers[2]), encoding="utf-8")
        (seen,) = probes.look(Look(config(silence={"any": 60}, metrics=paths), state, now)).observations
        return not seen.ok

    assert not quiet(NOW, (7, 7, 7))
    assert quiet(NOW + 61, (0, 7, 7)), "the archive was started anew, and nothing came"
    assert quiet(NOW + 62, (0, 7, 8)), "an old event was handled at last"
    assert not quiet(NOW + 63, (1, 7, 8))


def test_whatever_lies_where_numbers_should_nobody_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "long").write_bytes(b"x" * (probes.NUMBERS + 1))
    assert probes.numbers(tmp_path / "pipe") == ""
    assert len(probes.numbers(tmp_path / "long")) == probes.NUMBERS
    with pytest.raises(OSError, match="symbolic links"):
        probes.numbers(tmp_path / "link")


def test_what_hangs_is_left_behind() -> None:
    ends = threading.Event()
    began = time.monotonic()
    results = probes.in_time({"a": ends.wait, "b": lambda: 5, "c": lambda: next(iter(()))}, 0.2)
    assert time.monotonic() - began < 5
    ends.set()
    assert isinstance(results["a"], TimeoutError)
    assert results["b"] == 5
    assert isinstance(results["c"], StopIteration)


def test_lengths_of_time_are_short() -> None:
    assert [folders.span(s) for s in (5, 119, 120, 7199, 7200, 200_000)] == [
        "5 s",
        "119 s",
        "2 min",
        "120 min",
        "2 h",
        "2 d",
    ]
