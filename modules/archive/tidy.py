"""Packs the archive's old days, and removes those that are older than they are kept.

A day becomes DIR/YYYY/MM/DD.tar.xz; only when that is whole and on the disk do its files go. What arrives late for a
packed day is packed with it the next time. A day that is not kept goes from the index first: what is left of it by one
who was killed goes the next time. What is wrong with one day is said at the end, and keeps no other.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import itertools
import json
import lzma
import os
import re
import shutil
import sqlite3
import sys
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DAY = re.compile(r"(\d{4})/(\d\d)/(\d\d)(?:\.tar\.xz)?")
# More costs more memory than the service has, for two parts in a hundred.
PRESET: Final = 4
# Seconds after which nobody completes a file that is not whole.
ABANDONED: Final = 3600.0


class DamagedError(Exception):
    """An event has other bytes than its name says."""


# What may be wrong with a day.
FAULTS = (OSError, EOFError, tarfile.TarError, lzma.LZMAError, DamagedError)
Member = tuple[str, bytes, float]


def say(level: int, text: str) -> None:
    """A line for the journal, with its priority."""
    print(f"<{level}>{text}", file=sys.stderr, flush=True)


def days(folder: Path) -> dict[datetime.date, set[Path]]:
    """The days of the archive: the folder, what was packed, or both."""
    found: dict[datetime.date, set[Path]] = {}
    for path in folder.glob("[0-9]*/[0-9]*/[0-9]*"):
        if match := DAY.fullmatch(str(path.relative_to(folder))):
            try:
                day = datetime.date(int(match[1]), int(match[2]), int(match[3]))
            except ValueError:
                continue
            found.setdefault(day, set()).add(path)
    return found


def sync(path: Path) -> None:
    """Waits until a file's bytes or a folder's names are on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def intact(where: Path, name: str, data: bytes) -> bytes:
    """An event's bytes, if they are those that its name says.

    Raises DamagedError.
    """
    if hashlib.sha256(data).hexdigest() != name.partition(".")[0]:
        raise DamagedError(f"`{where}/{name}` has other bytes than its name says: the day is left as it is")
    return data


def read(packed: Path) -> Iterator[Member]:
    """What was packed, one after the other: name, bytes, and when it was written."""
    if packed.exists():
        with tarfile.open(packed) as tar:
            for member in tar:
                file = tar.extractfile(member)
                if file is not None:
                    yield member.name, intact(packed, member.name, file.read()), member.mtime


def write(temporary: Path, members: Iterable[Member]) -> set[str]:
    """Writes events into one file, one after the other; their names."""
    names = set()
    with tarfile.open(temporary, "w:xz", preset=PRESET) as tar:
        for name, data, written in members:
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(data), 0o640, written
            tar.addfile(member, io.BytesIO(data))
            names.add(name)
    return names


def pack(folder: Path) -> None:
    """Packs a day's folder, together with what was packed of that day before."""
    packed = folder.with_name(folder.name + ".tar.xz")
    files = {path.name: path for path in sorted(folder.iterdir()) if not path.name.startswith(".")}
    before = (member for member in read(packed) if member[0] not in files)
    new = ((name, intact(folder, name, path.read_bytes()), path.stat().st_mtime) for name, path in files.items())
    temporary = packed.with_name("." + packed.name)
    try:
        names = write(temporary, itertools.chain(before, new))
        sync(temporary)
        if {name for name, _, _ in read(temporary)} != names:
            raise OSError(f"`{temporary}` has not what was written into it")
    except FAULTS:
        # Room may be what is missing.
        temporary.unlink(missing_ok=True)
        raise
    temporary.rename(packed)
    sync(packed.parent)
    for path in files.values():
        path.unlink()
    leave(folder)


def leave(folder: Path) -> None:
    """Removes a folder, unless an event came into it, or is just coming."""
    for path in folder.iterdir():
        # One who was killed left it.
        if path.name.startswith(".") and path.stat().st_mtime < time.time() - ABANDONED:
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def remove(index: sqlite3.Connection, day: datetime.date, paths: set[Path]) -> None:
    """Removes a day."""
    with index:
        index.execute("DELETE FROM arrival WHERE path >= ? AND path < ?", (f"{day:%Y/%m/%d}/", f"{day:%Y/%m/%d}0"))
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    say(6, f"removed the events of {day}")


def last_day(index: sqlite3.Connection) -> datetime.date:
    """The day of the event that arrived last: without any, the first of all days."""
    (newest,) = index.execute("SELECT max(time) FROM arrival").fetchone()
    return datetime.datetime.fromtimestamp((newest or 0) // 10**9, datetime.UTC).date()


def tidy(config: dict[str, Any], today: datetime.date) -> int:
    """Removes and packs what is old; a length of 0 s is for ever. How many days have a fault."""
    archive = Path(config["dir"])
    index = sqlite3.connect(archive / "index.db", timeout=60)
    # A clock that is years ahead for a moment must not empty the archive.
    latest = min(today, last_day(index) + datetime.timedelta(days=1))

    def old(day: datetime.date, seconds: int, now: datetime.date) -> bool:
        # A day is over for so long when its last second is.
        return seconds > 0 and (now - day).days * 86400 > seconds

    faults = 0
    for day, paths in sorted(days(archive).items()):
        try:
            if old(day, config["keep_seconds"], latest):
                remove(index, day, paths)
            elif old(day, config["compress_after_seconds"], today):
                for path in paths:
                    if path.is_dir():
                        pack(path)
        except FAULTS as error:
            faults += 1
            say(3, f"{day}: {error}")
    index.close()
    return faults


def main() -> int:
    """Is called as `tidy.py CONFIG`; 1 where a day has a fault."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    return 1 if tidy(config, datetime.datetime.now(datetime.UTC).date()) else 0


if __name__ == "__main__":
    sys.exit(main())
