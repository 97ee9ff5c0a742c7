"""Empties folders into which others write events, and keeps the events' bytes for good.

An event lies in DIR/YYYY/MM/DD/SHA256.xml, by the day (UTC) of its arrival; DIR/index.db has a row an arrival. In this
order: the file and its folders are on the disk, the row is, and only then the event leaves its inbox. Killed at any
point it does the same again, with the same result: a row's key is what the inbox calls the event, time and hash. So an
event that came twice in a day is one file and two rows.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import hashlib
import json
import os
import re
import signal
import socket
import sqlite3
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Iterable

SPOOLED = re.compile(r"(\d{20})-([0-9a-f]{64})\.([a-z0-9]{1,8})")
ROLES = ("observation", "prediction", "utility", "test")
SCHEMA = """
CREATE TABLE IF NOT EXISTS arrival (
    time INTEGER NOT NULL, source TEXT NOT NULL, sha256 TEXT NOT NULL,
    ivorn TEXT, role TEXT, bytes INTEGER NOT NULL, path TEXT NOT NULL,
    PRIMARY KEY (time, source, sha256)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS arrival_ivorn ON arrival (ivorn);
CREATE INDEX IF NOT EXISTS arrival_sha256 ON arrival (sha256);
"""
# Events that share one sync of their folder and one of the index, and bytes of them; what is longer is no event.
BATCH, BATCH_BYTES, LONGEST = 256, 32 << 20, 64 << 20
# Bytes in which an event's root is looked for.
HEAD = 64 << 10
# What the index can hold of the time of an arrival, in ns: until 2262.
LAST_TIME = 1 << 63
# Seconds between two looks, after an error, between two writings of the figures.
PAUSE, AFTER_ERROR, FIGURES = 0.2, 5.0, 5.0


@dataclasses.dataclass(frozen=True)
class Event:
    """An event as it lay in an inbox."""

    inbox: Path
    time: int
    source: str
    sha256: str
    ivorn: str | None
    role: str | None
    data: bytes
    path: str

    @classmethod
    def read(cls, inbox: Path, source: str) -> Event | None:
        """Reads what lies in an inbox; none where it has gone, or is no file."""
        try:
            fd = os.open(inbox, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(f"`{inbox}` is no file")
            data = file.read(LONGEST + 1)
        if len(data) > LONGEST:
            raise OSError(f"`{inbox}` has more than {LONGEST} bytes, as no event has")
        spooled = SPOOLED.fullmatch(inbox.name)
        arrived = int(spooled[1]) if spooled and int(spooled[1]) < LAST_TIME else status.st_mtime_ns
        kind = spooled[3] if spooled else "xml"
        sha256 = hashlib.sha256(data).hexdigest()
        if spooled and spooled[2] != sha256:
            say(4, f"`{inbox}` has other bytes than its name says: they are kept as they are")
        ivorn, role = root_of(data) if kind == "xml" else (None, None)
        path = f"{time.strftime('%Y/%m/%d', time.gmtime(arrived / 1e9))}/{sha256}.{kind}"
        return cls(inbox, arrived, source, sha256, ivorn, role, data, path)

    def row(self) -> tuple[object, ...]:
        """Its row in the index."""
        return (self.time, self.source, self.sha256, self.ivorn, self.role, len(self.data), self.path)


class _RootError(Exception):
    """Ends the reading of an event at its root."""


def root_of(data: bytes) -> tuple[str | None, str | None]:
    """The IVORN and the role of an event; none of what is no VOEvent."""
    found: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "VOEvent":
            found.update({"role": "observation"} | attributes)
        raise _RootError

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    with contextlib.suppress(_RootError, expat.ExpatError, ValueError, LookupError):
        parser.Parse(data[:HEAD], len(data) <= HEAD)
    return found.get("ivorn"), found.get("role")


HELP = {
    "bytes_total": "Bytes of events that were kept.",
    "errors_total": "What could not be read or kept.",
    "events_total": "Events that were kept.",
    "full": "1 while events wait because the disk has no room.",
    "kind_events_total": "Events that were kept, by what their IVORN matches.",
    "last_event_timestamp_seconds": "When the last event arrived.",
    "waiting": "Events that wait in inboxes.",
}


def say(level: int, text: str) -> None:
    """A line for the journal, with its priority."""
    print(f"<{level}>{text}", file=sys.stderr, flush=True)


def notify(state: str) -> None:
    """Tells systemd."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.connect("\0" + address[1:] if address[0] == "@" else address)
            to.send(state.encode())


def sync(folder: Path) -> None:
    """Waits until a folder's names are on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, on the disk."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def place(path: Path, data: bytes) -> None:
    """Writes a file that is there whole or not at all; its folder is to be synced."""
    if path.exists():
        return
    make_folder(path.parent)
    temporary = path.with_name("." + path.name)
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def damaged(error: sqlite3.Error) -> bool:
    """Whether it is the index itself that is of no use."""
    return "malformed" in str(error) or "not a database" in str(error)


def kind_counter(glob: str) -> str:
    """The counter of events whose IVORN matches."""
    escaped = glob.replace("\\", r"\\").replace('"', r"\"")
    return f'voevent_archive_kind_events_total{{kind="{escaped}"}}'


class Archive:
    """The folder, its index, and what is counted."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.dir = Path(config["dir"])
        self.inboxes = [(Path(inbox["path"]), str(inbox["source"])) for inbox in config["inboxes"].values()]
        self.min_free: int = config["min_free"]
        self.full = False
        self.said = ""
        self.failing: set[Path] = set()
        self.counters: dict[str, int] = {"voevent_archive_errors_total": 0}
        # What the monitor listens for by name is counted from nothing on, so that it can tell silence.
        self.kinds = {kind_counter(glob): re.compile(fnmatch.translate(glob)) for glob in config.get("kinds", ())}
        self.counters |= dict.fromkeys(self.kinds, 0)
        self.last = 0
        try:
            self.open()
        except sqlite3.DatabaseError as error:
            if not damaged(error):
                raise
            self.begin_index(error)

    def open(self) -> None:
        """Opens the index, or makes one."""
        self.index = sqlite3.connect(self.dir / "index.db", timeout=60)
        self.index.execute("PRAGMA journal_mode = WAL")
        self.index.execute("PRAGMA synchronous = FULL")
        self.index.executescript(SCHEMA)
        (last,) = self.index.execute("SELECT max(time) FROM arrival").fetchone()
        self.last = max(self.last, last or 0)

    def begin_index(self, error: sqlite3.Error) -> None:
        """Begins an index anew: one of no use is put aside. What it had is found again by `mend`."""
        self.index.close()
        bad = self.dir / "bad"
        bad.mkdir(exist_ok=True)
        for path in sorted(self.dir.glob("index.db*")):
            path.rename(bad / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{path.name}")
        say(2, f"the index is damaged, lies in `{bad}` now, and begins anew: {error}")
        self.count("voevent_archive_errors_total", 1)
        self.open()

    def waiting(self) -> list[tuple[Path, str]]:
        """What lies in the inboxes, the oldest first."""
        found: list[tuple[Path, str]] = []
        for folder, source in self.inboxes:
            try:
                found += [(folder / name, source) for name in os.listdir(folder) if not name.startswith(".")]
                self.failing.discard(folder)
            except OSError as error:
                self.fails(folder, error)
        return sorted(found, key=lambda event: event[0].name)

    def take(self, waiting: Iterable[tuple[Path, str]]) -> int:
        """Keeps events, and takes them out of their inboxes; how many they were."""
        events: list[Event] = []
        size = 0
        for path, source in waiting:
            if size < BATCH_BYTES and (event := self.read(path, source)) is not None:
                events.append(event)
                size += len(event.data)
        if not events or not self.has_room(size):
            return 0
        for event in events:
            place(self.dir / event.path, event.data)
        for folder in sorted({(self.dir / event.path).parent for event in events}):
            sync(folder)
        with self.index:
            insert = "INSERT OR IGNORE INTO arrival VALUES (?, ?, ?, ?, ?, ?, ?)"
            self.index.executemany(insert, [event.row() for event in events])
        for event in events:
            event.inbox.unlink(missing_ok=True)
            role = event.role if event.role in ROLES else "none"
            labels = f'{{source="{event.source}",role="{role}"}}'
            self.count("voevent_archive_events_total" + labels, 1)
            self.count("voevent_archive_bytes_total" + labels, len(event.data))
            for counter, wanted in self.kinds.items():
                self.count(counter, int(wanted.match(event.ivorn or "") is not None))
            self.last = max(self.last, event.time)
        return len(events)

    def read(self, path: Path, source: str) -> Event | None:
        """Reads an event; one that cannot be read stays where it is, and keeps no other waiting."""
        try:
            event = Event.read(path, source)
        except OSError as error:
            self.fails(path, error)
            return None
        self.failing.discard(path)
        return event

    def fails(self, path: Path, error: OSError) -> None:
        """Says once what cannot be read, an event or an inbox."""
        if path not in self.failing:
            self.failing.add(path)
            self.count("voevent_archive_errors_total", 1)
            say(3, f"cannot take an event: {error}")

    def has_room(self, wanted: int) -> bool:
        """Whether so many bytes leave what is to stay free; says so where that changes."""
        disk = os.statvfs(self.dir)
        full = disk.f_bavail * disk.f_frsize - wanted < self.min_free
        if full and not self.full:
            say(
                3,
                f"less than {self.min_free} bytes would be free: events wait in their inboxes until there is room",
            )
        elif self.full and not full:
            say(5, "there is room again")
        self.full = full
        return not full

    def count(self, name: str, by: int) -> None:
        """Adds to a counter."""
        self.counters[name] = self.counters.get(name, 0) + by

    def figures(self, waiting: int) -> str:
        """The counters and gauges, in the text format of Prometheus."""
        gauges = {
            "voevent_archive_waiting": waiting,
            "voevent_archive_full": int(self.full),
            "voevent_archive_last_event_timestamp_seconds": self.last / 1e9,
        }
        lines, seen = [], set()
        for kind, values in (("counter", self.counters), ("gauge", gauges)):
            for name, value in sorted(values.items()):
                family = name.partition("{")[0]
                if family not in seen:
                    lines += [
                        f"# HELP {family} {HELP[family.removeprefix('voevent_archive_')]}",
                        f"# TYPE {family} {kind}",
                    ]
                seen.add(family)
                lines.append(f"{name} {value}")
        return "\n".join(lines) + "\n"

    def write_figures(self, waiting: int) -> None:
        """Replaces the file with the figures."""
        temporary = self.dir / ".metrics.prom"
        temporary.write_text(self.figures(waiting), encoding="utf-8")
        temporary.rename(self.dir / "metrics.prom")

    def turn(self) -> int:
        """One look at the inboxes; how many events were taken."""
        waiting = self.waiting()
        # What cannot be read does not stand in the way of the rest.
        first = sorted(waiting, key=lambda event: event[0] in self.failing)[:BATCH]
        return self.take(first)

    def trouble(self, error: OSError | sqlite3.Error) -> None:
        """Counts what went wrong with a look, and says it where it is new."""
        self.count("voevent_archive_errors_total", 1)
        if isinstance(error, sqlite3.Error) and damaged(error):
            self.begin_index(error)
        elif self.said != str(error):
            self.said = str(error)
            say(3, f"cannot archive, and try again: {error}")


def serve(archive: Archive) -> None:
    """Empties the inboxes until it is told to end."""
    ends: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: ends.append(number))
    notify("READY=1")
    written = 0.0
    while not ends:
        notify("WATCHDOG=1")
        pause = PAUSE
        try:
            pause = 0 if archive.turn() else AFTER_ERROR if archive.full else PAUSE
            archive.said = ""
            if time.monotonic() - written > FIGURES:
                archive.write_figures(len(archive.waiting()))
                written = time.monotonic()
        except (OSError, sqlite3.Error) as error:
            archive.trouble(error)
            pause = AFTER_ERROR
        # A signal ends the sleep of nobody, so it is short.
        until = time.monotonic() + pause
        while not ends and time.monotonic() < until:
            time.sleep(min(PAUSE, pause))
    archive.index.close()


def main() -> None:
    """Is called as `archive.py CONFIG`."""
    serve(Archive(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
