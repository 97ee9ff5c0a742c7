"""Tests of restore.py: what is put where, and what is refused."""

import dbm
import os
import sqlite3
from pathlib import Path
from typing import Any

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


INCLUDE = {
    "files": {"path": "/srv/files", "kind": "files"},
    "index": {"path": "/srv/index.db", "kind": "sqlite"},
    "comet": {"path": "/srv/db", "kind": "eventdb"},
}


def found(*entries: dict[str, Any]) -> list[restore.Thing]:
    return restore.things(list(entries), INCLUDE, Path("/f"), Path("/f/stage"))


def test_what_goes_where_is_not_said_by_the_copy() -> None:
    """A copy is fetched into the folder of a lesser user, who can write what he likes into its list."""
    (files,) = found({"key": "files", "kind": "files", "path": "/etc/systemd", "from": "/etc/shadow"})
    assert (files.path, files.source) == (Path("/srv/files"), Path("/f/etc/systemd"))
    (comet,) = found({"key": "comet", "kind": "eventdb", "path": "/etc", "from": "/etc", "streams": {"_x": 1}})
    assert (comet.path, comet.source, comet.folder) == (Path("/srv/db"), Path("/f/stage/comet"), Path("/srv/db"))
    assert found({"key": "../../../etc/cron.d", "kind": "files", "path": "/etc"}) == []
    for entry in (
        {"key": "index", "kind": "files", "path": "/srv/index.db"},
        {"key": "comet", "kind": "eventdb", "path": "/srv/db", "streams": {"../../etc/x": 1}},
    ):
        with pytest.raises(restore.RestoreError):
            found(entry)


def test_links_of_others_lead_nowhere(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to others")
    (tmp_path / "his").mkdir()
    (tmp_path / "admin").mkdir()
    os.chown(tmp_path / "his", 65534, 65534)
    os.chown(tmp_path / "admin", 1000, 1000)
    assert restore.owner(tmp_path / "his") == 65534
    (tmp_path / "his" / "link").symlink_to(tmp_path / "admin")
    with pytest.raises(restore.RestoreError, match=r"`link` in .* is a link of somebody's"):
        restore.owner(tmp_path / "his" / "link")
    # Root's own, as where /home lies on another disk.
    (tmp_path / "home").symlink_to(tmp_path)
    assert restore.owner(tmp_path / "home" / "his") == 65534
    with pytest.raises(FileNotFoundError):
        restore.owner(tmp_path / "none")


def test_a_fault_of_who_does_it_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be another")
    os.chown(tmp_path, 65534, 65534)
    out, into = os.pipe()

    def writes() -> None:
        os.write(into, f"{os.getresuid()} {os.getgroups()}".encode())

    def fails() -> None:
        raise dbm.error[0]("rubbish")

    restore.as_owner(tmp_path, writes)
    assert os.read(out, 100) == b"(65534, 65534, 65534) []"
    with pytest.raises(restore.RestoreError, match="could not be done"):
        restore.as_owner(tmp_path, fails)
    assert "rubbish" in capfd.readouterr().err
