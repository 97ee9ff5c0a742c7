"""What the archive promises: every byte, killed at any point; and what it says where it cannot."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import archive
import pytest

DAY_1 = 1_795_000_000_000_000_000  # 2026-11-18
DAY_2 = DAY_1 + 86_400_000_000_000
EVENT = (
    b'<?xml version="1.0"?><voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" '
    b'role="%s" ivorn="ivo://org.example/s#%d" version="2.0"/>'
)


def event(number: int, role: bytes = b"observation") -> bytes:
    return EVENT % (role, number)


def spool(inbox: Path, data: bytes, when: int, kind: str = "xml") -> Path:
    path = inbox / f"{when:020}-{hashlib.sha256(data).hexdigest()}.{kind}"
    path.write_bytes(data)
    return path


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    inboxes = {}
    for name in ("comet", "gcn"):
        (tmp_path / name).mkdir()
        inboxes[name] = {"path": str(tmp_path / name), "source": name}
    (tmp_path / "a").mkdir()
    return {"dir": str(tmp_path / "a"), "inboxes": inboxes, "min_free": 0, "kinds": []}


def turn(config: dict[str, Any]) -> archive.Archive:
    """One look, by an archive that is then closed."""
    it = archive.Archive(config)
    it.turn()
    it.index.close()
    return it


def rows(config: dict[str, Any]) -> list[tuple[Any, ...]]:
    index = sqlite3.connect(Path(config["dir"]) / "index.db")
    try:
        return index.execute("SELECT time, source, ivorn, role, bytes, path FROM arrival ORDER BY time").fetchall()
    finally:
        index.close()


def test_events_go_to_the_day_of_their_arrival(config: dict[str, Any], tmp_path: Path) -> None:
    first, second = event(1), event(2, b"test")
    spool(tmp_path / "comet", first, DAY_1)
    spool(tmp_path / "gcn", second, DAY_2)
    it = turn(config)
    found = rows(config)
    assert [row[:4] for row in found] == [
        (DAY_1, "comet", "ivo://org.example/s#1", "observation"),
        (DAY_2, "gcn", "ivo://org.example/s#2", "test"),
    ]
    assert [Path(row[5]).parent for row in found] == [Path("2026/11/18"), Path("2026/11/19")]
    assert [(tmp_path / "a" / row[5]).read_bytes() for row in found] == [first, second]
    assert it.waiting() == []
    assert it.counters['voevent_archive_events_total{source="gcn",role="test"}'] == 1


def test_events_of_a_kind_that_may_fall_silent_are_counted(config: dict[str, Any], tmp_path: Path) -> None:
    config["kinds"] = ["ivo://org.example/*", 'ivo://"other"/*']
    assert 'voevent_archive_kind_events_total{kind="ivo://org.example/*"} 0' in archive.Archive(config).figures(0)
    spool(tmp_path / "comet", event(1), DAY_1)
    spool(tmp_path / "gcn", b"{}", DAY_2, "json")
    figures = turn(config).figures(0).splitlines()
    assert 'voevent_archive_kind_events_total{kind="ivo://org.example/*"} 1' in figures
    assert 'voevent_archive_kind_events_total{kind="ivo://\\"other\\"/*"} 0' in figures


def test_an_event_twice_in_a_day_is_one_file_and_two_rows(config: dict[str, Any], tmp_path: Path) -> None:
    for when in (DAY_1, DAY_1 + 1, DAY_2):
        spool(tmp_path / "comet", event(1), when)
    turn(config)
    assert len(rows(config)) == 3
    assert len(list((tmp_path / "a").glob("2*/*/*/*.xml"))) == 2


def test_what_is_no_event_is_kept_as_well(config: dict[str, Any], tmp_path: Path) -> None:
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?><VOEvent ivorn="ivo://é/x#1"/>'.encode("latin-1")
    whole = [latin, b"", b"<VOEvent", b'<Other ivorn="ivo://a"/>', b"\xff\xfe\x00"]
    for number, data in enumerate(whole):
        spool(tmp_path / "comet", data, DAY_1 + number)
    spool(tmp_path / "gcn", b'{"a": 1}', DAY_1 + 9, "json")
    (tmp_path / "gcn" / "by-hand.xml").write_bytes(event(7))
    turn(config)
    found = rows(config)
    assert [row[2:4] for row in found[:6]] == [("ivo://é/x#1", "observation")] + [(None, None)] * 5
    assert found[5][5].endswith(".json")
    assert found[6][2] == "ivo://org.example/s#7"
    assert {(tmp_path / "a" / row[5]).read_bytes() for row in found} == {*whole, b'{"a": 1}', event(7)}


def test_other_bytes_than_the_name_says_are_kept_and_told(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spool(tmp_path / "comet", event(1), DAY_1).write_bytes(event(2))
    turn(config)
    assert rows(config)[0][5].endswith(hashlib.sha256(event(2)).hexdigest() + ".xml")
    assert "other bytes than its name says" in capsys.readouterr().err


def test_what_cannot_be_read_stays_and_keeps_nobody_waiting(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "comet" / "00-folder.xml").mkdir()
    (tmp_path / "comet" / ".unfinished").touch()
    spool(tmp_path / "comet", event(1), DAY_1)
    it = archive.Archive(config)
    assert [it.turn(), it.turn(), it.turn()] == [1, 0, 0]
    it.index.close()
    assert capsys.readouterr().err.count("cannot take an event") == 1
    assert it.counters["voevent_archive_errors_total"] == 1


def test_much_at_once_is_taken_in_parts(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(archive, "BATCH_BYTES", 1000)
    monkeypatch.setattr(archive, "LONGEST", 5000)
    for number in range(4):
        spool(tmp_path / "gcn", b"{%d" % number + b" " * 900, DAY_1 + number, "json")
    ill = spool(tmp_path / "comet", b"x" * 5001, DAY_1 + 9)
    it = archive.Archive(config)
    assert [it.turn(), it.turn(), it.turn()] == [2, 2, 0]
    it.index.close()
    assert ill.exists()
    assert "has more than 5000 bytes" in capsys.readouterr().err


def test_a_time_that_cannot_be_is_not_believed(config: dict[str, Any], tmp_path: Path) -> None:
    ill = spool(tmp_path / "comet", event(1), 10**20 - 1)
    os.utime(ill, ns=(DAY_1, DAY_1))
    assert turn(config).waiting() == []
    assert rows(config)[0][0] == DAY_1


def test_an_inbox_that_is_gone_keeps_no_other_waiting(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gcn").rmdir()
    spool(tmp_path / "comet", event(1), DAY_1)
    it = archive.Archive(config)
    assert [it.turn(), it.turn()] == [1, 0]
    it.index.close()
    assert capsys.readouterr().err.count("No such file") == 1


@pytest.mark.parametrize("running", [False, True])
def test_a_damaged_index_is_put_aside(
    config: dict[str, Any], tmp_path: Path, running: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    spool(tmp_path / "comet", event(1), DAY_1)
    it = turn(config)
    index = tmp_path / "a" / "index.db"
    rubbish = index.read_bytes()[:100] + b"\xff" * 8000
    if running:
        it = archive.Archive(config)
        index.write_bytes(rubbish)
        spool(tmp_path / "comet", event(2), DAY_1 + 1)
        it.index.execute("PRAGMA shrink_memory")
        with pytest.raises(sqlite3.DatabaseError) as raised:
            it.turn()
        it.trouble(raised.value)
    else:
        index.write_bytes(rubbish)
        spool(tmp_path / "comet", event(2), DAY_1 + 1)
        it = archive.Archive(config)
    assert it.turn() == 1
    it.index.close()
    assert [row[2] for row in rows(config)] == ["ivo://org.example/s#2"]
    assert any(path.name.endswith("Z-index.db") for path in (tmp_path / "a" / "bad").iterdir())
    assert "<2>the index is damaged" in capsys.readouterr().err


def test_a_root_is_looked_for_at_the_beginning() -> None:
    bomb = b'<!DOCTYPE V [<!ENTITY a "' + b"x" * 60000 + b'">]><V x="' + b"&a;" * 3_000_000 + b'"/>'
    assert archive.root_of(bomb) == (None, None)
    assert archive.root_of(event(1) + b"<!--" + b"x" * 200_000) == ("ivo://org.example/s#1", "observation")


def test_a_full_disk_leaves_events_where_they_are(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = spool(tmp_path / "comet", event(1), DAY_1)
    it = archive.Archive(config | {"min_free": 1 << 60})
    assert [it.turn(), it.turn()] == [0, 0]
    assert waiting.exists()
    assert "voevent_archive_full 1\n" in it.figures(1)
    it.min_free = 0
    assert it.turn() == 1
    assert "voevent_archive_full 0\n" in it.figures(0)
    it.index.close()
    said = capsys.readouterr().err
    assert said.count("wait in their inboxes") == 1
    assert said.count("there is room again") == 1


def test_the_figures_are_what_prometheus_reads(config: dict[str, Any], tmp_path: Path) -> None:
    spool(tmp_path / "comet", event(1), DAY_1)
    it = turn(config)
    it.write_figures(0)
    lines = (tmp_path / "a" / "metrics.prom").read_text().splitlines()
    assert "# TYPE voevent_archive_events_total counter" in lines
    assert 'voevent_archive_events_total{source="comet",role="observation"} 1' in lines
    assert f"voevent_archive_last_event_timestamp_seconds {DAY_1 / 1e9}" in lines


def die_at(call: int, config: dict[str, Any]) -> bool:
    """Takes what waits in a process that dies at one of the calls that change the disk; whether it did."""
    child = os.fork()
    if child == 0:
        left = call

        def counted(real: Any) -> Any:
            def replaced(*words: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os._exit(9)
                return real(*words, **named)

            return replaced

        it = archive.Archive(config)
        os.fsync = counted(os.fsync)
        for name in ("mkdir", "rename", "unlink", "open"):
            setattr(Path, name, counted(getattr(Path, name)))
        it.turn()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_killed_at_any_point_nothing_is_lost_and_nothing_doubled(config: dict[str, Any], tmp_path: Path) -> None:
    events = [event(number) for number in range(3)]
    points = 0
    while True:
        for number, data in enumerate(events):
            spool(tmp_path / "comet", data, DAY_1 + number)
        died = die_at(points, config)
        turn(config)
        assert [row[2] for row in rows(config)] == [f"ivo://org.example/s#{number}" for number in range(3)]
        kept = {path.read_bytes() for path in (tmp_path / "a").glob("2*/*/*/[0-9a-f]*.xml")}
        assert kept == set(events)
        assert list((tmp_path / "comet").iterdir()) == []
        if not died:
            break
        points += 1
        for path in (tmp_path / "a").glob("*"):
            if path.is_dir():
                archive_removed(path)
            else:
                path.unlink()
    assert points > 12


def archive_removed(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
