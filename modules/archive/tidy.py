"""Packs the archive's old days, and removes those that are older than they are kept.

A day becomes DIR/YYYY/MM/DD.tar.xz; only when that is whole and on the disk do its files go. What arrives late for a
packed day is packed with it the next time. A day that is not kept goes from the index first: what is left of it by one
who was killed goes the next time.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import sys
import tarfile
from pathlib import Path
from typing import Any, Final

DAY = re.compile(r"(\d{4})/(\d\d)/(\d\d)(?:\.tar\.xz)?")
# More costs more memory than the service has, for two parts in a hundred.
PRESET: Final = 4


def days(folder: Path) -> dict[datetime.date, set[Path]]:
    """The days of the archive: the folder, what was packed, or both."""
    found: dict[datetime.date, set[Path]] = {}
    for path in folder.glob("[0-9]*/[0-9]*/[0-9]*"):
        if match := DAY.fullmatch(str(path.relative_to(folder))):
            found.setdefault(datetime.date(int(match[1]), int(match[2]), int(match[3])), set()).add(path)
    return found


def sync(path: Path) -> None:
    """Waits until a file's bytes or a folder's names are on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read(packed: Path) -> dict[str, bytes]:
    """What was packed."""
    if not packed.exists():
        return {}
    with tarfile.open(packed) as tar:
        files = ((member.name, tar.extractfile(member)) for member in tar)
        return {name: file.read() for name, file in files if file is not None}


def pack(folder: Path) -> None:
    """Packs a day's folder, together with what was packed of that day before."""
    packed = folder.with_name(folder.name + ".tar.xz")
    files = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    events = read(packed) | {path.name: path.read_bytes() for path in files}
    for name, data in events.items():
        if hashlib.sha256(data).hexdigest() != name.partition(".")[0]:
            print(
                f"<3>`{folder}/{name}` has other bytes than its name says: the day is left as it is",
                file=sys.stderr,
            )
            return
    temporary = packed.with_name("." + packed.name)
    with tarfile.open(temporary, "w:xz", preset=PRESET) as tar:
        for name, data in sorted(events.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o640
            tar.addfile(member, io.BytesIO(data))
    sync(temporary)
    if read(temporary) != events:
        raise OSError(f"`{temporary}` has not what was written into it")
    temporary.rename(packed)
    sync(packed.parent)
    for path in files:
        path.unlink()
    # One who was killed may have left a file that nobody completes.
    if not any(not path.name.startswith(".") for path in folder.iterdir()):
        shutil.rmtree(folder)


def remove(index: sqlite3.Connection, day: datetime.date, paths: set[Path]) -> None:
    """Removes a day."""
    with index:
        index.execute("DELETE FROM arrival WHERE path >= ? AND path < ?", (f"{day:%Y/%m/%d}/", f"{day:%Y/%m/%d}0"))
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    print(f"<6>removed the events of {day}", file=sys.stderr)


def tidy(config: dict[str, Any], today: datetime.date) -> None:
    """Removes and packs what is old; a length of 0 s is for ever."""
    archive = Path(config["dir"])
    index = sqlite3.connect(archive / "index.db", timeout=60)

    def old(day: datetime.date, seconds: int) -> bool:
        # A day is over for so long when its last second is.
        return seconds > 0 and (today - day).days * 86400 > seconds

    for day, paths in sorted(days(archive).items()):
        if old(day, config["keep_seconds"]):
            remove(index, day, paths)
        elif old(day, config["compress_after_seconds"]):
            for path in paths:
                if path.is_dir():
                    pack(path)
    index.close()


def main() -> None:
    """Is called as `tidy.py CONFIG`."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tidy(config, datetime.datetime.now(datetime.UTC).date())


if __name__ == "__main__":
    main()
