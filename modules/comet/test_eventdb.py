"""The event database, with files as dbm of this interpreter and of others writes them."""

from __future__ import annotations

import contextlib
import dbm
import dbm.dumb
import importlib
import importlib.util
import os
import sqlite3
import struct
import sys
from pathlib import Path
from typing import Any

import eventdb
import pytest

KEYS = {f"{number:040x}".encode(): f"17{number:08}.25".encode() for number in range(300)}


def write(path: Path, format_: str) -> None:
    """A stream with the entries KEYS, as dbm writes it in a format."""
    if format_ == "sqlite3":  # as python 3.13 does; 3.11 has no such module
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            db.execute("PRAGMA journal_mode = wal")
            db.execute("CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)")
            db.executemany("INSERT INTO Dict VALUES (?, ?)", KEYS.items())
        return
    with importlib.import_module(f"dbm.{format_}").open(str(path), "n") as db:
        for key, value in KEYS.items():
            db[key] = value


def formats() -> list[str]:
    """The formats that this interpreter can write."""
    libraries = {"gnu": "_gdbm", "ndbm": "_dbm", "dumb": "io", "sqlite3": "sqlite3"}
    return [name for name in eventdb.FILES if importlib.util.find_spec(libraries[name])]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "db"
    made.mkdir()
    return made


def read(path: Path) -> dict[bytes, bytes]:
    """As Comet reads."""
    db: Any
    with dbm.open(str(path), "c") as db:
        return {bytes(key): bytes(db[key]) for key in db.keys()}  # noqa: SIM118 - not all are iterable


def bad(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.with_name("db.bad").glob("*/*"))


@pytest.mark.parametrize("format_", formats())
@pytest.mark.parametrize("stream", ["_grb", "_a.db", "_b.dat", "_-wal"])
def test_what_is_whole_can_be_used_afterwards(folder: Path, format_: str, stream: str) -> None:
    write(folder / stream, format_)
    files = sorted(path.name for path in eventdb.Stored(stream, format_, folder).paths())
    used = eventdb.is_used(eventdb.Stored(stream, format_, folder))
    for work in ["check", "start", "start", "check"]:
        assert eventdb.main([work, str(folder)]) == 0
        assert bad(folder) == []
        if work == "check" and not used:
            continue
        assert read(folder / stream) == KEYS
    old = sorted(path.name for path in folder.with_name("db.old").glob("*/*"))
    # What dbm would not have used was converted, and is kept.
    assert old == ([] if used else files)


@pytest.mark.parametrize("format_", formats())
@pytest.mark.parametrize("damage", ["half", "garbage", "empty", "middle"])
@pytest.mark.parametrize("work", ["start", "check"])
def test_what_is_damaged_is_set_aside(
    folder: Path, format_: str, damage: str, work: str, capfd: pytest.CaptureFixture[str]
) -> None:
    write(folder / "_grb", format_)
    write(folder / "_other", format_)
    path = folder / ("_grb" + eventdb.FILES[format_][0])
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(
        {
            "half": content[:half],
            "garbage": os.urandom(len(content)),
            "empty": b"",
            "middle": content[:4096] + os.urandom(len(content) - 4096),
        }[damage]
    )
    assert eventdb.main([work, str(folder)]) == 0
    if format_ == "dumb" and damage in ("garbage", "middle"):
        # Its index says where values lie: what lies there is no time.
        assert "_grb.dat" in bad(folder)
    else:
        assert path.name in bad(folder), capfd.readouterr().err
        assert "<3>event database: `_grb`" in capfd.readouterr().err
    assert eventdb.main(["start", str(folder)]) == 0
    assert read(folder / "_grb") == {}
    assert read(folder / "_other") == KEYS


def test_two_formats_of_one_stream_become_one(folder: Path) -> None:
    """As a conversion leaves them that was killed."""
    write(folder / "_grb", "dumb")
    with contextlib.closing(sqlite3.connect(folder / "_grb")) as db, db:
        db.execute("CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)")
        first = next(iter(KEYS))
        db.execute("INSERT INTO Dict VALUES (?, ?)", (first, b"5.5"))
        db.execute("INSERT INTO Dict VALUES (?, ?)", (b"more", b"6.5"))
    assert eventdb.main(["start", str(folder)]) == 0
    assert read(folder / "_grb") == {**KEYS, first: b"5.5", b"more": b"6.5"}
    assert len(eventdb.stored(folder)) == 1


def test_a_time_that_is_none(folder: Path) -> None:
    with dbm.open(str(folder / "_grb"), "n") as db:
        db[b"a"] = b"yesterday"
    assert eventdb.main(["start", str(folder)]) == 0
    assert len(bad(folder)) >= 1


def test_what_nothing_here_reads_stops_the_broker(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "_grb").write_bytes(struct.pack("=I", 0x13579ACE) + bytes(4096))
    monkeypatch.setitem(sys.modules, "dbm.gnu", None)
    assert eventdb.main(["start", str(folder)]) == 1
    said = capfd.readouterr().err
    assert "`_grb` (gnu) cannot be read: python 3." in said
    assert "has no `dbm.gnu`" in said
    assert (folder / "_grb").exists()
    assert bad(folder) == []


def test_what_kills_or_hangs_its_reader(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "_grb", "dumb")
    monkeypatch.setattr(eventdb, "PATIENCE", 1)
    for crash in [lambda *_: os.abort(), lambda *_: [None for _ in iter(int, 1)]]:
        monkeypatch.setattr(eventdb, "dbm_entries", crash)
        why = eventdb.is_sound(eventdb.Stored("_grb", "dumb", folder), 1)
        assert why in ("reading it ended by SIGABRT", "reading it ended by SIGALRM")


def test_other_arguments(capfd: pytest.CaptureFixture[str]) -> None:
    assert eventdb.main(["stop", "/x"]) == 2
    assert eventdb.main(["start", "/nowhere/db"]) == 1
    assert "No such file" in capfd.readouterr().err
