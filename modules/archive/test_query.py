"""What people get from the archive, packed days and all."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import archive
import mend
import pytest
import query
import tidy
from test_archive import DAY_1, DAY_2, event, spool

DAY = 86_400 * 10**9
NOW = DAY_2 / 1e9 + 3600
TODAY = datetime.date(2026, 11, 20)


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """An archive with four events of two days."""
    for name in ("comet", "a"):
        (tmp_path / name).mkdir()
    inboxes = {"comet": {"path": str(tmp_path / "comet"), "source": "comet"}}
    for number, when in enumerate((DAY_1, DAY_1 + 10**9, DAY_2, DAY_2 + 10**9)):
        spool(tmp_path / "comet", event(number, b"test" if number == 3 else b"observation"), when)
    config = {
        "dir": str(tmp_path / "a"),
        "inboxes": inboxes,
        "min_free": 0,
        "keep_seconds": 0,
        "compress_after_seconds": 0,
    }
    take(config)
    return config


def take(config: dict[str, Any]) -> None:
    it = archive.Archive(config)
    it.turn()
    it.index.close()


def ask(config: dict[str, Any], *words: str) -> int:
    return query.run(query.arguments().parse_args(["--dir", config["dir"], *words]), NOW)


def ivorns(config: dict[str, Any], *words: str) -> list[str]:
    with query.Archive(Path(config["dir"])) as found:
        return [row["ivorn"][-1] for row in query.listed(found, words_of("list", *words), NOW)]


def faults(config: dict[str, Any]) -> list[str]:
    with query.Archive(Path(config["dir"])) as found:
        return found.faults()


def words_of(*words: str) -> Any:
    return query.arguments().parse_args(["--dir", "/", *words])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), "0123"),
        (("--since", "2h"), "23"),
        (("--since", "2026-11-18"), "0123"),
        (("--until", "2026-11-19"), "01"),
        (("--role", "test"), "3"),
        (("--ivorn", "ivo://org.example/*#[12]"), "12"),
        (("--source", "gcn"), ""),
        (("--limit", "2"), "23"),
        (("--since", "2h", "--role", "observation"), "2"),
    ],
)
def test_events_are_found(config: dict[str, Any], words: tuple[str, ...], found: str) -> None:
    assert "".join(ivorns(config, *words)) == found


def test_a_line_has_what_people_look_for(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(config, "list", "--limit", "1") == 0
    sha256 = hashlib.sha256(event(3, b"test")).hexdigest()
    said = capsys.readouterr().out
    assert said == f"2026-11-19T11:06:41.000Z test        {sha256[:12]}    140 ivo://org.example/s#3\n"
    assert ask(config, "list", "--json") == 0
    assert capsys.readouterr().out.count('"sha256"') == 4


def pack(config: dict[str, Any]) -> None:
    tidy.tidy(config | {"compress_after_seconds": 86400}, TODAY)


@pytest.mark.parametrize("packed", [False, True])
def test_an_event_is_shown_byte_for_byte(
    config: dict[str, Any], packed: bool, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    if packed:
        pack(config)
        assert sorted(path.name for path in Path(config["dir"]).glob("2*/*/*")) == ["18.tar.xz", "19"]
    for which in ("ivo://org.example/s#1", hashlib.sha256(event(1)).hexdigest()[:8]):
        assert ask(config, "show", which) == 0
        assert capfdbinary.readouterr().out == event(1)


def test_a_wrong_question_is_answered(config: dict[str, Any]) -> None:
    for words, said in [
        (("show", "ivo://org.example/s#9"), "no event"),
        (("list", "--since", "yesterday"), "is no time"),
    ]:
        with pytest.raises(query.Refused, match=said):
            ask(config, *words)
    with pytest.raises(query.Refused, match="cannot read the archive"):
        ask({"dir": "/nonexistent"}, "list")


def test_all_days_are_verified(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    pack(config)
    assert ask(config, "verify") == 0
    folder = Path(config["dir"])
    last, other = sorted((folder / "2026/11/19").iterdir())
    last.write_bytes(b"changed")
    other.rename(other.with_name("0" * 64 + ".xml"))
    (folder / "2026/11/18.tar.xz").write_bytes(b"\xfd7zXZ")
    capsys.readouterr()
    assert ask(config, "verify") == 1
    said = capsys.readouterr().out
    for part in ("18.tar.xz: cannot be read", "other bytes", "missing", "not in the index"):
        assert part in said


def test_old_days_are_packed_and_removed(config: dict[str, Any]) -> None:
    folder = Path(config["dir"])
    pack(config)
    # What arrives late is packed with the rest.
    spool(Path(config["inboxes"]["comet"]["path"]), event(8), DAY_1 + 5)
    take(config)
    assert (folder / "2026/11/18").is_dir()
    pack(config)
    assert len(list(tidy.read(folder / "2026/11/18.tar.xz"))) == 3
    assert not (folder / "2026/11/18").exists()
    assert faults(config) == []
    spool(Path(config["inboxes"]["comet"]["path"]), event(9), DAY_2 + DAY)
    take(config)
    tidy.tidy(config | {"keep_seconds": 86400}, datetime.date(2026, 11, 20))
    assert ivorns(config) == ["2", "3", "9"]
    assert faults(config) == []


def test_a_clock_that_is_years_ahead_empties_nothing(config: dict[str, Any]) -> None:
    assert tidy.tidy(config | {"keep_seconds": 3 * 86400}, datetime.date(2099, 1, 1)) == 0
    assert ivorns(config) == ["0", "1", "2", "3"]
    assert faults(config) == []


def test_a_damaged_day_is_not_packed_and_keeps_no_other(
    config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(config["dir"]) / "2026/11/18"
    next(folder.iterdir()).write_bytes(b"changed")
    (Path(config["dir"]) / "2026/11/99").mkdir()
    assert tidy.tidy(config | {"compress_after_seconds": 1}, TODAY) == 1
    assert len(list(folder.iterdir())) == 2
    assert not folder.with_name("18.tar.xz").exists()
    assert not folder.with_name(".18.tar.xz").exists()
    assert folder.with_name("19.tar.xz").exists()
    assert "the day is left as it is" in capsys.readouterr().err
    # What was packed before, and is damaged since, is not thrown away for what came late.
    folder.with_name("19.tar.xz").write_bytes(b"\xfd7zXZ\0damaged")
    spool(Path(config["inboxes"]["comet"]["path"]), event(8), DAY_2 + 5)
    take(config)
    assert tidy.tidy(config | {"compress_after_seconds": 1}, TODAY) == 2
    assert len(list(folder.with_name("19").iterdir())) == 1


def test_an_event_that_comes_while_its_day_is_packed_stays(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(config["dir"]) / "2026/11/18"
    real = tidy.write

    def write(temporary: Path, members: Any) -> set[str]:
        names = real(temporary, members)
        (folder / ("ab" * 32 + ".xml")).write_bytes(b"late")
        (folder / ".coming.xml").touch()
        return names

    monkeypatch.setattr(tidy, "write", write)
    pack(config)
    assert sorted(path.name for path in folder.iterdir()) == [".coming.xml", "ab" * 32 + ".xml"]


def test_a_packing_that_was_killed_is_done_again(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(config["dir"]) / "2026/11/18"
    (folder / ".unfinished.xml").touch()
    os.utime(folder / ".unfinished.xml", (0, 0))
    real = Path.unlink
    left = [1]

    def killed(path: Path, missing_ok: bool = False) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        pack(config)
    monkeypatch.undo()
    assert faults(config) == []
    pack(config)
    assert not folder.exists()
    assert faults(config) == []


def mended(config: dict[str, Any], now: float = DAY_2 / 1e9 + 1e9) -> int:
    return mend.mend(Path(config["dir"]), now, archive.root_of)


def aged(config: dict[str, Any]) -> None:
    """The files are as old as the events."""
    with query.Archive(Path(config["dir"])) as found:
        for row in found.find("1", ()):
            os.utime(found.dir / row["path"], ns=(row["time"], row["time"]))


@pytest.mark.parametrize("packed", [False, True])
def test_an_index_that_was_lost_is_found_again(config: dict[str, Any], packed: bool) -> None:
    folder = Path(config["dir"])
    with query.Archive(folder) as found:
        before = found.find("1", ())
    aged(config)
    if packed:
        pack(config)
    assert mended(config) == 0
    for path in folder.glob("index.db*"):
        path.unlink()
    archive.Archive(config).index.close()
    assert len(faults(config)) == 4
    assert mended(config) == 4
    assert faults(config) == []
    with query.Archive(folder) as found:
        after = found.find("1", ())
    # Of what was packed the time is known to the second.
    assert after == [row | {"source": "found"} for row in before]
    assert mended(config) == 0


def test_an_index_that_was_restored_gets_what_came_since(config: dict[str, Any], tmp_path: Path) -> None:
    folder = Path(config["dir"])
    assert mended(config) == 0
    saved = tmp_path / "saved.db"
    with (
        contextlib.closing(sqlite3.connect(folder / "index.db")) as index,
        contextlib.closing(sqlite3.connect(saved)) as into,
    ):
        index.backup(into)
    spool(Path(config["inboxes"]["comet"]["path"]), event(7), DAY_1 + 9)
    take(config)
    aged(config)
    pack(config)
    for path in folder.glob("index.db*"):
        path.unlink()
    saved.rename(folder / "index.db")
    # So would a restore do it.
    note = (folder / ".mended").read_text()
    (folder / ".mended.restored").write_text(f"{(folder / 'index.db').stat().st_ino} {note.split()[1]}")
    (folder / ".mended.restored").rename(folder / ".mended")
    assert [fault[-16:] for fault in faults(config)] == ["not in the index"]
    assert mended(config, DAY_1 / 1e9) == 0, "what was placed a moment ago gets its row from whoever placed it"
    (folder / ".mended").unlink()
    assert mended(config) == 1
    assert faults(config) == []
    assert "7" in ivorns(config)


def test_what_an_event_is_called_does_nothing_to_a_terminal(
    config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    data = b'<VOEvent ivorn="ivo://a&#10;2026-11-18 forged &#x9b;2J&#x202e;"/>'
    spool(Path(config["inboxes"]["comet"]["path"]), data, DAY_2 + 2 * 10**9)
    take(config)
    ask(config, "list", "--limit", "1")
    out = capsys.readouterr().out
    assert out.endswith("ivo://a\ufffd2026-11-18 forged \ufffd2J\ufffd\n")


def test_root_asks_as_the_one_whose_archive_it_is(config: dict[str, Any]) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be another")
    folder = Path(config["dir"])
    os.chown(folder, 65534, 65534)
    child = os.fork()
    if child == 0:
        query.as_owner(folder)
        os._exit(int((os.getresuid(), os.getresgid(), os.getgroups()) != ((65534,) * 3, (65534,) * 3, [])))
    assert os.waitpid(child, 0)[1] == 0


def test_archives_are_compared(config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(config, "list", "--json")
    lines = capsys.readouterr().out.splitlines(keepends=True)
    other = tmp_path / "other"
    other.write_text("".join(lines))
    assert ask(config, "compare", str(other)) == 0
    more = lines[1].replace(hashlib.sha256(event(1)).hexdigest(), "ab" * 32)
    other.write_text(lines[0] + more + lines[3])
    assert ask(config, "compare", str(other)) == 1
    said = capsys.readouterr().out.splitlines()[1:]
    assert [line.split(":")[0] for line in said] == ["only there", "only here", "only here"]
    assert said[2].endswith("ivo://org.example/s#2")
    other.write_text("{}")
    with pytest.raises(query.Refused, match="not what `list --json` prints"):
        ask(config, "compare", str(other))
