"""Adds to the archive's index what lies in the archive and is not in it: `mend.py CONFIG ARCHIVE.PY`.

An index that was restored, or begun anew because it was damaged, is another file than the one that was seen last: then
packed days are read too. A row that is added has the source `found`, and the time at which its file was written.
"""

from __future__ import annotations

import calendar
import contextlib
import importlib.util
import json
import sqlite3
import sys
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    RootOf = Callable[[bytes], tuple[str | None, str | None]]

# Seconds in which a file that was just placed gets its row.
SETTLED = 60
DAYS = "[0-9][0-9][0-9][0-9]/[01][0-9]/[0-3][0-9]*"
LENGTH = 86_400 * 10**9


def mend(folder: Path, now: float, root_of: RootOf) -> int:
    """Mends the index; how many rows it got."""
    added = 0
    with contextlib.closing(sqlite3.connect(folder / "index.db", timeout=60)) as index:
        seen, inode = folder / ".mended", (folder / "index.db").stat().st_ino
        whole = not seen.exists() or seen.read_text(encoding="ascii") != f"{inode} {seen.stat().st_ino}"
        for day in sorted({path.with_name(path.name.partition(".")[0]) for path in folder.glob(DAYS)}):
            rows = missing(index, folder, day, root_of, whole=whole)
            late = [row for row in rows if row[0] / 1e9 < now - SETTLED]
            with index:
                index.executemany("INSERT OR IGNORE INTO arrival VALUES (?, ?, ?, ?, ?, ?, ?)", late)
            added += len(late)
    if whole:
        temporary = folder / ".mended.part"
        temporary.touch()
        # Its own number too: what was restored is known by that.
        temporary.write_text(f"{inode} {temporary.stat().st_ino}", encoding="ascii")
        temporary.rename(seen)
    return added


Row = tuple[int, str, str, str | None, str | None, int, str]


def missing(index: sqlite3.Connection, folder: Path, day: Path, root_of: RootOf, *, whole: bool) -> Iterator[Row]:
    """The rows that a day lacks."""
    within = str(day.relative_to(folder))
    try:
        first = calendar.timegm(time.strptime(within, "%Y/%m/%d")) * 10**9
    except ValueError:
        return
    rows = index.execute("SELECT path FROM arrival WHERE time >= ? AND time < ?", (first, first + LENGTH))
    known = {path.rpartition("/")[2] for (path,) in rows}
    for name, data, written in found(day, whole=whole, but=known):
        ivorn, role = root_of(data) if name.endswith(".xml") else (None, None)
        when = written if first <= written < first + LENGTH else first
        yield (when, "found", name.partition(".")[0], ivorn, role, len(data), f"{within}/{name}")


def found(day: Path, *, whole: bool, but: set[str]) -> Iterator[tuple[str, bytes, int]]:
    """A day's events, but those: name, bytes, when their file was written, in ns."""
    for path in sorted(day.glob("[0-9a-f]*")):
        if path.name not in but:
            yield path.name, path.read_bytes(), path.stat().st_mtime_ns
    packed = day.with_name(day.name + ".tar.xz")
    if whole and packed.is_file():
        with tarfile.open(packed) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.name not in but else None
                if file is not None:
                    yield member.name, file.read(), int(member.mtime) * 10**9


def main() -> None:
    """Mends it."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    # The files of the store lie apart.
    spec = importlib.util.spec_from_file_location("archive", sys.argv[2])
    if spec is None or spec.loader is None:
        raise ImportError(f"`{sys.argv[2]}` is no file of Python")
    archive = importlib.util.module_from_spec(spec)
    sys.modules["archive"] = archive
    spec.loader.exec_module(archive)
    added = mend(Path(config["dir"]), time.time(), archive.root_of)
    if added:
        print(f"<5>{added} events of the archive were not in its index, and are now", file=sys.stderr)


if __name__ == "__main__":
    main()
