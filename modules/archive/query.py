"""Finds events in the archive, shows them byte for byte, and proves that all are there."""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import re
import sqlite3
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
COLUMNS = ("time", "source", "sha256", "ivorn", "role", "bytes", "path")
Row = dict[str, Any]


class Refused(Exception):  # noqa: N818 - it is an answer
    """What is said to the one who asked."""


def moment(text: str, now: float) -> int:
    """Nanoseconds since the epoch of `2026-11-23`, `2026-11-23T04:12`, or of a time ago, `90m`, `7d`."""
    if ago := re.fullmatch(r"(\d+)([smhdw])", text):
        return int((now - int(ago[1]) * UNITS[ago[2]]) * 1e9)
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"`{text}` is no time: write `2026-11-23`, `2026-11-23T04:12`, or how long ago, `7d`") from None
    return int((when if when.tzinfo else when.replace(tzinfo=datetime.UTC)).timestamp() * 1e9)


def written(nanoseconds: int) -> str:
    """A time as people read it, UTC."""
    when = datetime.datetime.fromtimestamp(nanoseconds // 10**9, datetime.UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 10**6 % 1000:03}Z"


class Archive:
    """The archive, to read."""

    def __init__(self, folder: Path) -> None:
        self.dir = folder
        index = folder / "index.db"
        try:
            index.open("rb").close()
            # While nobody writes, the index is one file, and no helper of it can be made by one who only reads.
            still = "" if index.with_name("index.db-wal").exists() else "&immutable=1"
            self.index = sqlite3.connect(f"{index.as_uri()}?mode=ro{still}", uri=True, timeout=10)
            self.index.execute("SELECT 1 FROM arrival LIMIT 1")
        except (OSError, sqlite3.Error) as error:
            raise Refused(f"cannot read the archive in `{folder}`: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.index.close()

    def find(self, condition: str, values: tuple[object, ...], limit: int = -1) -> list[Row]:
        """The newest rows for which something holds, the newest last."""
        sql = f"SELECT {', '.join(COLUMNS)} FROM arrival WHERE {condition} ORDER BY time DESC LIMIT ?"  # noqa: S608
        rows = self.index.execute(sql, (*values, limit)).fetchall()
        return [dict(zip(COLUMNS, row, strict=True)) for row in reversed(rows)]

    def data(self, row: Row) -> bytes | None:
        """An event's bytes, from its file or from the days that were packed; none if it is in neither."""
        path = self.dir / str(row["path"])
        if path.is_file():
            return path.read_bytes()
        packed = path.parent.with_name(path.parent.name + ".tar.xz")
        if not packed.is_file():
            return None
        with tarfile.open(packed) as tar:
            member = next((member for member in tar if member.name == path.name), None)
            file = tar.extractfile(member) if member else None
            return file.read() if file else None

    def faults(self) -> list[str]:
        """What is missing or has other bytes than its name says, what the index does not know, a line each."""
        wanted: dict[str, set[str]] = {}
        for (path,) in self.index.execute("SELECT DISTINCT path FROM arrival"):
            day, _, name = path.rpartition("/")
            wanted.setdefault(day, set()).add(name)
        days = {str(folder.relative_to(self.dir)) for folder in self.dir.glob("[0-9]*/[0-9]*/[0-9]*")}
        days = {day.removesuffix(".tar.xz") for day in days}
        found: list[str] = []
        for day in sorted(days | wanted.keys()):
            names = wanted.get(day, set())
            there = self.names(day, found)
            found.extend(f"{day}/{name}: missing" for name in sorted(names - there))
            found.extend(
                f"{day}/{name}: not in the index" for name in sorted(there - names) if not self.knows(day, name)
            )
        return found

    def knows(self, day: str, name: str) -> bool:
        """Whether an event is in the index by now: they come while one looks."""
        where = (name.partition(".")[0], f"{day}/{name}")
        return self.index.execute("SELECT 1 FROM arrival WHERE sha256 = ? AND path = ?", where).fetchone() is not None

    def names(self, day: str, faults: list[str]) -> set[str]:
        """The events of a day that are there; adds those whose bytes are wrong to the faults."""
        there = set()

        def look(name: str, data: bytes) -> None:
            there.add(name)
            if hashlib.sha256(data).hexdigest() != name.partition(".")[0]:
                faults.append(f"{day}/{name}: other bytes than its name says")

        packed = self.dir / (day + ".tar.xz")
        try:
            if packed.is_file():
                with tarfile.open(packed) as tar:
                    for member in tar:
                        file = tar.extractfile(member)
                        look(member.name, file.read() if file else b"")
        except (tarfile.TarError, EOFError, OSError) as error:
            faults.append(f"{day}.tar.xz: cannot be read: {error}")
        for path in (self.dir / day).glob("*"):
            if not path.name.startswith("."):
                look(path.name, path.read_bytes())
        return there


def listed(archive: Archive, words: argparse.Namespace, now: float) -> list[Row]:
    """The arrivals that were asked for."""
    conditions: list[tuple[str, object]] = []
    if words.since:
        conditions.append(("time >= ?", moment(words.since, now)))
    if words.until:
        conditions.append(("time < ?", moment(words.until, now)))
    if words.ivorn:
        conditions.append(("ivorn GLOB ?", words.ivorn))
    if words.source:
        conditions.append(("source = ?", words.source))
    if words.role:
        conditions.append(("role = ?", words.role))
    text = " AND ".join(condition for condition, _ in conditions) or "1"
    return archive.find(text, tuple(value for _, value in conditions), words.limit or -1)


def show(archive: Archive, which: str) -> tuple[Row, bytes]:
    """The newest event of an IVORN, or that of (the beginning of) a hash."""
    if re.fullmatch("[0-9a-f]{6,64}", which):
        rows = archive.find("sha256 GLOB ?", (which + "*",))
        if len({row["sha256"] for row in rows}) > 1:
            raise Refused(f"`{which}` begins more than one hash: write more of it")
    else:
        rows = archive.find("ivorn = ?", (which,))
    if not rows:
        raise Refused(f"no event `{which}` in the archive; `list --ivorn 'GLOB'` looks for IVORNs")
    if (other := len({row["sha256"] for row in rows}) - 1) > 0:
        print(f"the newest; {other} more with other bytes: `list --ivorn {which}`", file=sys.stderr)
    data = archive.data(rows[-1])
    if data is None:
        raise Refused(f"`{rows[-1]['path']}` is not there any more")
    return rows[-1], data


def compared(archive: Archive, lines: Iterable[str]) -> list[str]:
    """What another archive has and this one has not, and what this one got meanwhile and the other has not."""
    try:
        others = [json.loads(line) for line in lines]
        there = {str(row["sha256"]): row for row in others}
        times = [moment(row["time"], 0) for row in others]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"this is not what `list --json` prints: {error}") from None
    if not times:
        raise Refused("the other archive's list is empty")
    here = {row["sha256"]: row for row in archive.find("1", ())}
    lines = [f"only there: {row['time']} {key} {row['ivorn']}" for key, row in there.items() if key not in here]
    for key, row in here.items():
        if key not in there and min(times) <= row["time"] <= max(times):
            lines.append(f"only here:  {written(row['time'])} {key} {row['ivorn']}")
    return lines


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="voevent-archive", description="Asks the archive of VOEvents.")
    parser.add_argument("--dir", type=Path, required=True, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True)
    lists = commands.add_parser("list", help="what arrived, the newest last")
    lists.add_argument("--since", metavar="TIME", help="not before: `2026-11-23T04:12` (UTC), or how long ago: `7d`")
    lists.add_argument("--until", metavar="TIME", help="before")
    lists.add_argument("--role", choices=["observation", "prediction", "utility", "test"], help="events of this role")
    lists.add_argument("--ivorn", metavar="GLOB", help="events whose IVORN matches; `*` is any text")
    lists.add_argument("--source", help="where they came from: `comet`, …")
    lists.add_argument("--limit", type=int, metavar="N", help="the newest N of them")
    lists.add_argument("--json", action="store_true", help="one object a line, with all that is known")
    shows = commands.add_parser("show", help="an event, byte for byte")
    shows.add_argument("event", metavar="SHA256|IVORN", help="its hash (six digits will do), or its IVORN")
    compares = commands.add_parser("compare", help="with another node's: what one has and the other has not")
    compares.add_argument("list", help="what `list --json` printed there; `-` is standard input")
    commands.add_parser("verify", help="reads all, and says what is missing or damaged")
    return parser


def printable(text: str) -> str:
    """A text of others for a terminal, on which it can do nothing: an event may be called anything."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def as_owner(folder: Path) -> None:
    """Goes on as the user whose archive it is, where root asks: it is not root who decides what lies there."""
    status = folder.stat()
    if os.geteuid() == 0 and status.st_uid != 0:
        os.setgroups([])
        os.setgid(status.st_gid)
        os.setuid(status.st_uid)


def run(words: argparse.Namespace, now: float) -> int:
    """Answers; the exit code."""
    other = ""
    if words.command == "compare":
        other = sys.stdin.read() if words.list == "-" else Path(words.list).read_text(encoding="utf-8")
    try:
        as_owner(words.dir)
    except OSError as error:
        raise Refused(f"cannot read the archive in `{words.dir}`: {error}") from error
    with Archive(words.dir) as archive:
        return answer(archive, words, now, other)


def answer(archive: Archive, words: argparse.Namespace, now: float, other: str) -> int:
    """Answers from the archive, and from the list of another one; the exit code."""
    if words.command == "list":
        for row in listed(archive, words, now):
            if words.json:
                print(json.dumps(row | {"time": written(row["time"])}))
            else:
                name = printable(row["ivorn"] or row["path"])
                print(
                    written(row["time"]),
                    f"{row['role'] or '-':11}",
                    row["sha256"][:12],
                    f"{row['bytes']:6}",
                    name,
                )
    elif words.command == "show":
        sys.stdout.buffer.write(show(archive, words.event)[1])
    elif words.command == "compare":
        lines = [printable(line) for line in compared(archive, other.splitlines())]
        print("\n".join(lines) if lines else "both have the same events")
        return 1 if lines else 0
    else:
        faults = archive.faults()
        print("\n".join(faults) if faults else "all events are there")
        return 1 if faults else 0
    return 0


def main() -> int:
    """Is called by the `voevent-archive` of the module."""
    try:
        return run(arguments().parse_args(), datetime.datetime.now(datetime.UTC).timestamp())
    except BrokenPipeError:
        sys.stdout = None
        return 0
    except (Refused, OSError, UnicodeDecodeError) as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
