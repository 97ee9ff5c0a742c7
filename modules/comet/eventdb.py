"""Keeps Comet's event database whole: `eventdb.py start|check FOLDER`.

The database is a folder with a file of `dbm` for each stream of events. Where such a file is damaged, Comet
refuses all events of the stream that authors send, and drops all that come from other brokers, after it
acknowledged them; where the interpreter does not know its format, that too, or Comet begins anew without a
word and takes every event for a new one.

    start   before the broker starts: sets damaged files aside, and converts what this interpreter's dbm
            would not use; what it cannot read is an error, and the broker does not start
    check   while it runs: sets damaged files aside, no more

What is set aside lies in `FOLDER.bad/TIME/`, what was converted in `FOLDER.old/TIME/`. Nothing is ever
deleted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import dbm
import fcntl
import importlib
import os
import secrets
import shutil
import signal
import sqlite3
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

# Seconds that looking at one stream may take.
PATIENCE = 60
GDBM = {0x13579ACD, 0x13579ACE, 0x13579ACF}
BERKELEY_HASH = 0x061561
SQLITE = b"SQLite format 3\0"
# The endings of the files of a stream, by format.
FILES = {"ndbm": (".db",), "dumb": (".dat", ".dir", ".bak"), "gnu": ("",), "sqlite3": ("", "-wal", "-shm")}


class Damaged(Exception):  # noqa: N818 - it is what the file is
    """A file cannot be read for what it is."""


class Unreadable(Exception):  # noqa: N818 - as above
    """Nothing that this interpreter has could read a file."""


def say(text: str, level: int = 6) -> None:
    """Writes a line to the journal."""
    sys.stderr.write(f"<{level}>event database: {text}\n")
    sys.stderr.flush()


@dataclasses.dataclass(frozen=True, order=True)
class Stored:
    """What there is of a stream in one format."""

    stream: str
    format: str  # a key of FILES, or `unknown`
    folder: Path

    def paths(self) -> list[Path]:
        """Its files, those that are there."""
        named = (self.folder / (self.stream + ending) for ending in FILES.get(self.format, ("",)))
        return [path for path in named if path.exists()]

    def __str__(self) -> str:
        """The stream and the format, for people."""
        return f"`{self.stream}` ({self.format})"


def stored(folder: Path) -> list[Stored]:
    """All that a folder holds. What a file is, its content says: a name may end in anything."""
    found = set()
    names = {entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")}
    for name in names:
        with (folder / name).open("rb") as file:
            head = file.read(16)
        stem, dot, ending = name.rpartition(".")
        if head == SQLITE:
            found.add(Stored(name, "sqlite3", folder))
        elif len(head) >= 4 and struct.unpack("=I", head[:4])[0] in GDBM:
            found.add(Stored(name, "gnu", folder))
        elif dot and ending == "db":
            found.add(Stored(stem, "ndbm", folder))
        elif dot and ending in ("dat", "dir", "bak") and {stem + ".dat", stem + ".dir"} & names:
            found.add(Stored(stem, "dumb", folder))
        elif not any(name.endswith(end) and name.removesuffix(end) in names for end in ("-wal", "-shm")):
            found.add(Stored(name, "unknown", folder))
    return sorted(found)


def module(format_: str) -> Any:
    """The module of this interpreter that reads a format."""
    try:
        return importlib.import_module(f"dbm.{format_}")
    except ImportError as error:
        raise Unreadable(f"python {sys.version.split()[0]} has no `dbm.{format_}`") from error


def entries(one: Stored) -> dict[bytes, bytes]:
    """All entries of a stream, or an error. A damaged file may end or hang the process: see `apart`."""
    if one.format == "unknown":
        raise Damaged("it has no format that is known")
    read = sqlite_entries(one) if one.format == "sqlite3" else dbm_entries(one)
    for key, value in read.items():
        try:
            float(value)
        except ValueError:
            raise Damaged(f"the time of {key!r} is {value!r}") from None
    return read


def sqlite_entries(one: Stored) -> dict[bytes, bytes]:
    """The entries of an SQLite file; the broker may write it meanwhile."""
    path = one.folder / one.stream
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=30)) as db:
            verdict = db.execute("PRAGMA quick_check").fetchone()[0]
            if verdict != "ok":
                raise Damaged(verdict)
            return {bytes(key): bytes(value) for key, value in db.execute("SELECT key, value FROM Dict")}
    except (sqlite3.Error, TypeError) as error:
        raise Damaged(str(error)) from error


def dbm_entries(one: Stored) -> dict[bytes, bytes]:
    """The entries of another file: of a copy of it, which is written too, as Comet would."""
    backend = module(one.format)
    with tempfile.TemporaryDirectory() as folder:
        for path in one.paths():
            shutil.copyfile(path, f"{folder}/x{path.name.removeprefix(one.stream)}")
        if one.format == "ndbm":
            whole_berkeley(Path(folder, "x.db"))
        try:
            with backend.open(f"{folder}/x", "w") as db:
                read = {bytes(key): bytes(db[key]) for key in db.keys()}  # noqa: SIM118 - not all are iterable
                probes = [secrets.token_hex(20).encode() for _ in range(64)]
                for probe in probes:
                    if probe in db:
                        raise Damaged("it has what was never written")
                    db[probe] = b"0"
                if any(db[probe] != b"0" for probe in probes):
                    raise Damaged("what was written cannot be read")
        except (*dbm.error, ValueError, KeyError, SyntaxError, EOFError) as error:
            raise Damaged(f"{type(error).__name__}: {error}") from error
    return read


def whole_berkeley(path: Path) -> None:
    """Looks whether a file of Berkeley DB has all its pages: the library says nothing where some are gone."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(36)
    for order in "<>":
        if len(head) == 36 and struct.unpack(order + "I", head[12:16])[0] == BERKELEY_HASH:
            page, last = struct.unpack(order + "I8xI", head[20:36])
            if (last + 1) * page > size:
                raise Damaged(f"it has {size} bytes of {(last + 1) * page}")
            return
    raise Damaged("it is no file of Berkeley DB")


def apart(work: Callable[[], object]) -> None:
    """Does something in a process of its own: what reads damaged files may crash, or never come back."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            os.close(reading)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(PATIENCE)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # Berkeley DB writes there what we say better
            try:
                work()
                code = 0
            except Unreadable as error:
                code = 2
                os.write(writing, str(error).encode())
            except BaseException as error:  # noqa: BLE001 - all of it is told
                os.write(writing, (str(error) or type(error).__name__).encode()[:1000])
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said = file.read().decode(errors="replace")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == 2:
        raise Unreadable(said)
    if code < 0:
        raise Damaged(f"reading it ended by {signal.Signals(-code).name}")
    if code != 0:
        raise Damaged(said)


def is_sound(one: Stored, tries: int) -> str | None:
    """What is wrong with a stream, if anything. A copy that was taken while it was written is taken again."""
    for rest in reversed(range(tries)):
        try:
            apart(lambda: entries(one))
        except Damaged as error:
            if rest == 0:
                return str(error)
            time.sleep(0.2)
        else:
            return None
    return None


def is_used(one: Stored) -> bool:
    """Whether the interpreter's dbm finds this very file for the stream; Comet asks it with the flag `c`."""

    def ask() -> None:
        if dbm.whichdb(str(one.folder / one.stream)) != f"dbm.{one.format}":
            raise Damaged("not found")
        module(one.format)

    try:
        apart(ask)
    except (Damaged, Unreadable):
        return False
    return True


def aside(folder: Path, ending: str) -> Path:
    """A new folder beside the database."""
    parent = folder.with_name(folder.name + ending)
    parent.mkdir(mode=0o750, exist_ok=True)
    stamp = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())
    for number in range(1, 1000):
        made = parent / (stamp if number == 1 else f"{stamp}-{number}")
        with contextlib.suppress(FileExistsError):
            made.mkdir(mode=0o750)
            return made
    raise OSError(f"`{parent}` is full of folders of this second")


def sync(path: Path) -> None:
    """Waits until a file or folder is on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def quarantine(one: Stored, why: str) -> None:
    """Sets the damaged files of a stream aside."""
    to = aside(one.folder, ".bad")
    for path in one.paths():
        path.rename(to / path.name)
    sync(to)
    sync(one.folder)
    say(
        f"{one} is damaged and was set aside in `{to}`: {why}. What was seen before of it counts as new",
        3,
    )


def merged(sources: list[Stored]) -> dict[bytes, bytes]:
    """The entries of all, each with the time when it was first seen."""
    read: dict[bytes, bytes] = {}
    for one in sources:
        for key, value in entries(one).items():
            read[key] = min(read.get(key, value), value, key=float)
    return read


def convert(stream: str, sources: list[Stored], folder: Path) -> None:
    """Writes all entries of a stream as this interpreter's dbm does; what there was is kept.

    At no moment is there no file of the stream: who dies within leaves the old one, or both, which the next
    start puts together.
    """
    read = merged(sources)
    kept = aside(folder, ".old")
    with tempfile.TemporaryDirectory(prefix=".convert-", dir=folder) as work:
        with dbm.open(f"{work}/{stream}", "n") as db:
            for key, value in read.items():
                db[key] = value
        (made,) = [one for one in stored(Path(work)) if one.stream == stream]
        if entries(made) != read:
            raise Damaged("what was written cannot be read")
        for one in sources:
            for path in one.paths():
                os.link(path, kept / path.name)
        sync(kept)
        new = made.paths()
        for path in new:
            sync(path)
            path.replace(folder / path.name)
        names = {path.name for path in new}
    for one in sources:
        for path in one.paths():
            if path.name not in names:
                path.unlink()
    sync(folder)
    formats = " and ".join(one.format for one in sources)
    say(
        f"`{stream}` was converted from {formats} to {made.format}: {len(read)} entries, the old in `{kept}`",
        5,
    )


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One at a time: the broker may be started during the daily check."""
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def keep(folder: Path, *, starting: bool) -> int:
    """Does it all. The exit code is 1 where the broker must not start."""
    sound: dict[str, list[Stored]] = {}
    refused = []
    for one in stored(folder):
        try:
            why = is_sound(one, 1 if starting else 3)
        except Unreadable as error:
            refused.append(f"{one} cannot be read: {error}")
            continue
        if why is None:
            sound.setdefault(one.stream, []).append(one)
        elif one.paths():
            quarantine(one, why)
    for text in refused:
        say(text, 3)
    if refused:
        say(
            "Comet would take its events for new ones: install what reads it, give the host the python that "
            f"wrote it, or move the files out of `{folder}`",
            3,
        )
        return 1
    for stream, all_of_it in sound.items():
        if starting and not (len(all_of_it) == 1 and is_used(all_of_it[0])):
            convert(stream, all_of_it, folder)
    return 0


def main(arguments: list[str]) -> int:
    """Runs it."""
    if len(arguments) != 2 or arguments[0] not in ("start", "check"):
        say("expected: start|check FOLDER", 3)
        return 2
    folder = Path(arguments[1])
    try:
        folder.mkdir(mode=0o750, exist_ok=True)
        with alone(folder):
            return keep(folder, starting=arguments[0] == "start")
    except (OSError, Damaged, Unreadable) as error:
        say(str(error), 3)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
