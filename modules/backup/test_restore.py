"""Tests of restore.py: what is put where, and what is refused."""

import dbm
import sqlite3
from pathlib import Path

import pytest
import restore


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_files_are_put_beside_others(tmp_path: Path) -> None:
    source, into, before = (tmp_path / name for name in ("source", "into", "before"))
    write(source / "deep" / "one", "1")
    write(source / "two", "2")
    write(source / "same", "s")
    (source / "link").symlink_to("/etc/passwd")
    write(into / "two", "other")
    write(into / "same", "s")
    write(into / "mine", "m")
    same = (into / "same").stat().st_ino
    restore.put(source, into, before, replace=False)
    assert tree(into) == {"deep/one": "1", "two": "2", "same": "s", "mine": "m"}
    assert (into / "same").stat().st_ino == same, "what is the same is not touched"
    assert tree(before) == {"two": "other"}


def test_an_event_database_is_replaced(tmp_path: Path) -> None:
    source, into, before = (tmp_path / name for name in ("source", "into", "before"))
    write(source / "_x.db", "saved")
    write(into / "_x.db", "now")
    write(into / "_y.db", "later")
    restore.put(source, into, before, replace=True)
    assert tree(into) == {"_x.db": "saved"}
    assert tree(before) == {"_x.db": "now", "_y.db": "later"}


def test_copies_are_read_first(tmp_path: Path) -> None:
    with dbm.open(str(tmp_path / "_x"), "c") as database:
        database["a"] = "1"
    entry = {"kind": "eventdb", "path": "/db", "streams": {"_x": 1}}
    restore.verify(entry, tmp_path)
    with pytest.raises(restore.RestoreError, match="has 1 entries instead of 2"):
        restore.verify({**entry, "streams": {"_x": 2}}, tmp_path)
    database_of_sqlite = sqlite3.connect(tmp_path / "index.db")
    database_of_sqlite.execute("create table t (x)")
    database_of_sqlite.close()
    restore.verify({"kind": "sqlite", "path": "/a/index.db"}, tmp_path)
    (tmp_path / "index.db").write_bytes(b"x" * 5000)
    with pytest.raises(sqlite3.Error):
        restore.verify({"kind": "sqlite", "path": "/a/index.db"}, tmp_path)


def test_nothing_is_written_as_root(tmp_path: Path) -> None:
    if tmp_path.stat().st_uid != 0:
        pytest.skip("only root has folders of root")
    with pytest.raises(restore.RestoreError, match="is root's"):
        restore.as_owner(tmp_path, lambda: None)
