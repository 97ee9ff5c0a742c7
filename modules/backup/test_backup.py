"""Tests of backup.py: what it copies while others write, and what it does not take."""

import dbm
import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

import backup
import pytest


def fill(stream: Path, first: int, last: int) -> None:
    for number in range(first, last):
        with dbm.open(str(stream), "c") as database:
            database[f"{number:040}"] = "1700000000.5"


def test_an_event_database_is_copied_while_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "db"
    folder.mkdir()
    fill(folder / "_a.b_c", 0, 50)
    fill(folder / "_still", 0, 7)
    writer = threading.Thread(target=fill, args=[folder / "_a.b_c", 50, 400])
    writer.start()
    for number in range(5):
        found = backup.copy_eventdb(folder, tmp_path / str(number))
        assert found["_still"] == 7
        assert 50 <= found["_a.b_c"] <= 400
        assert backup.entries(tmp_path / str(number) / "_a.b_c") == found["_a.b_c"]
    writer.join()
    assert backup.copy_eventdb(folder, tmp_path / "last") == {"_a.b_c": 400, "_still": 7}


def test_a_damaged_stream_is_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "TRIES", 2)
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "_x.db").write_bytes(b"rubbish" * 1000)
    with pytest.raises(backup.BackupError, match=r"_x` cannot be copied"):
        backup.copy_eventdb(tmp_path / "db", tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def test_what_of_a_database_is_not_committed_is_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = wal")
    database.execute("create table t (x)")
    database.commit()
    database.execute("insert into t values (1)")
    database.commit()
    database.execute("insert into t values (2)")
    backup.copy_sqlite(path, tmp_path / "copy")
    copy = sqlite3.connect(tmp_path / "copy" / "index.db")
    assert copy.execute("select x from t").fetchall() == [(1,)]
    copy.close()
    database.close()
    path.write_bytes(b"x" * 5000)
    with pytest.raises((backup.BackupError, sqlite3.Error)):
        backup.copy_sqlite(path, tmp_path / "none")


def test_the_rest_is_staged_where_one_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "bad.db").write_bytes(b"x" * 5000)
    include: dict[str, Any] = {
        "bad": {"path": str(tmp_path / "bad.db"), "kind": "sqlite"},
        "files": {"path": str(tmp_path / "files"), "kind": "files"},
        "later": {"path": str(tmp_path / "later"), "kind": "files"},
    }
    staged = backup.stage({"include": include}, tmp_path / "stage")
    assert staged.paths == [str(tmp_path / "stage"), str(tmp_path / "files")]
    assert [fault.split(":")[0] for fault in staged.faults] == ["bad"]
    assert str(tmp_path / "bad.db") in staged.without, "nor as it is"
    said = capsys.readouterr().err
    assert "<3>bad: " in said
    assert "later` is not there (yet)" in said
    contents = json.loads((tmp_path / "stage" / "contents.json").read_text())
    assert [entry["key"] for entry in contents] == ["files"]


def test_sftp_hosts() -> None:
    for repository, words in [
        ("sftp:a@b.example:/x:y", "a@b.example"),
        ("sftp:b.example:x", "b.example"),
        ("sftp:b.example:2222/x", "b.example"),
        ("sftp:a@[2001:db8::1]:/x", "a@2001:db8::1"),
        ("sftp://a@b.example:2222//x", "-p 2222 a@b.example"),
        ("sftp://a@b.example//x:1/", "a@b.example"),
        ("sftp://[2001:db8::1]:2222/x", "-p 2222 2001:db8::1"),
    ]:
        assert backup.sftp_host(repository) == words, repository
    with pytest.raises(backup.BackupError, match="has no host"):
        backup.sftp_host("sftp:/x")


class Fake:
    """A restic that ends as it is told, and notes what it is called for."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        (folder / "data").mkdir()
        (folder / "bad.db").write_bytes(b"x" * 5000)
        (folder / "restic").write_text(
            f'#!/bin/sh\nshift 7; echo "$*" >> {folder}/calls\n'
            f"code=0; [ ! -e {folder}/$1 ] || read -r code < {folder}/$1\nexit $code\n"
        )
        (folder / "restic").chmod(0o700)
        monkeypatch.setattr(backup, "RESTIC", str(folder / "restic"))
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
        self.folder = folder
        self.tags: list[str] = []
        self.config: dict[str, Any] = {
            "home": str(self.home),
            "host": "node1",
            "repository": "/mnt/backup",
            "known_hosts": None,
            "credentials": [],
            "keep": {"last": 1},
            "read_data": "0%",
            "include": {"data": {"path": str(folder / "data"), "kind": "files"}},
        }

    def ends(self, command: str, code: int) -> None:
        (self.folder / command).write_text(f"{code}\n")

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        words = [line.split()[0] for line in path.read_text().splitlines()]
        self.tags = [line.split("--tag ")[1].split()[0] for line in path.read_text().splitlines() if "--tag" in line]
        path.unlink()
        return words


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(tmp_path, monkeypatch)


def test_what_ssh_says_last_is_told_once(fake: Fake) -> None:
    fake.config |= {"repository": "sftp:a@b.example:/x", "known_hosts": "/etc/known"}
    # Of what it is called with, the fake looks for the file of ssh's words: the first time alone it writes to it.
    (fake.folder / "restic").write_text(
        "#!/bin/sh\n"
        f'log=$(printf "%s\\n" "$*" | sed -n "s/.* -E \\([^ ]*\\) .*/\\1/p")\n'
        f'[ -e {fake.folder}/said ] || echo "Host key verification failed." >> "$log"\n'
        f"touch {fake.folder}/said; exit 1\n"
    )
    restic = backup.Restic(fake.config)
    with pytest.raises(backup.BackupError, match="exit code 1: Host key verification failed"):
        restic.run("init")
    with pytest.raises(backup.BackupError, match=r"exit code 1: $"):
        restic.run("init")


def test_a_repository_that_is_gone_is_not_begun_anew(fake: Fake) -> None:
    fake.ends("cat", 10)
    backup.backup(fake.config)
    assert fake.calls() == ["cat", "init", "unlock", "backup", "forget", "forget", "check"]
    assert (fake.home / "good").exists()
    # The disk is not mounted: an empty folder is not a new repository.
    with pytest.raises(backup.BackupError, match="was there at the last backup: is it mounted"):
        backup.backup(fake.config)
    assert fake.calls() == ["cat"]
    backup.backup(fake.config | {"repository": "/mnt/other"})
    assert fake.calls()[:2] == ["cat", "init"]


def test_what_cannot_be_copied_keeps_the_rest_from_nothing_but_forgetting(fake: Fake) -> None:
    fake.config["include"]["bad"] = {"path": str(fake.folder / "bad.db"), "kind": "sqlite"}
    with pytest.raises(backup.BackupError, match="1 of 2 could not be copied; the rest was"):
        backup.backup(fake.config)
    assert fake.calls() == ["cat", "unlock", "backup"]
    assert fake.tags == ["voevent-partial"], "it is no `latest`"
    assert not (fake.home / "good").exists()


def test_a_file_that_went_meanwhile_is_no_failure(fake: Fake) -> None:
    fake.ends("backup", 3)
    with pytest.raises(backup.BackupError, match="exit code 3"):
        backup.backup(fake.config)
    assert fake.calls() == ["cat", "unlock", "backup", "backup"]
    fake.ends("backup", 1)
    with pytest.raises(backup.BackupError, match="exit code 1"):
        backup.backup(fake.config)
    assert fake.calls() == ["cat", "unlock", "backup"]


def test_the_group_can_read_what_was_fetched(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").touch(mode=0o600)
    (tmp_path / "deep").chmod(0o700)
    (tmp_path / "link").symlink_to("nowhere")
    backup.readable(tmp_path)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path, tmp_path / "deep", tmp_path / "deep" / "file")]
    assert modes == [0o750, 0o750, 0o640]
