"""Files that are there wholly or not at all: the archive's inbox, and the dead letters. Standard library only."""

import contextlib
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DAY = 86_400


def place(path: Path, data: bytes) -> None:
    """Writes a file that is there wholly or not at all, whatever happens to the machine."""
    partial = path.with_name(f".{path.name}")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def put_in_inbox(inbox: str, data: bytes, sent_at: float, suffix: str) -> None:
    """Gives bytes to the archive: what comes twice has one name, as far as its time can be believed."""
    now = time.time()
    nanoseconds = int((sent_at if abs(now - sent_at) < 30 * DAY else now) * 1e9)
    place(Path(inbox) / f"{nanoseconds:020}-{hashlib.sha256(data).hexdigest()}.{suffix}", data)


@dataclass(frozen=True)
class DeadLetters:
    """The folder of what nobody took: `SHA256.xml` (`.bin` if it is none), and `SHA256.reason` beside it."""

    folder: Path
    most: int
    most_bytes: int

    def add(self, data: bytes, reason: dict[str, Any]) -> int:
        """Keeps a letter; how many older ones had to go for it."""
        name = hashlib.sha256(data).hexdigest()
        place(self.folder / f"{name}.reason", json.dumps(reason, sort_keys=True).encode() + b"\n")
        place(self.folder / f"{name}.{'xml' if is_xml(data) else 'bin'}", data)
        letters = self.letters()
        total = sum(size for _, size, _ in letters)
        gone = 0
        for left, (_, size, path) in enumerate(letters[:-1]):
            if len(letters) - left <= self.most and total <= self.most_bytes:
                break
            self.remove(path)
            total -= size
            gone += 1
        return gone

    def letters(self) -> list[tuple[float, int, Path]]:
        """All letters, the oldest first: time, bytes, path."""
        letters = (path for path in self.folder.iterdir() if path.suffix in (".xml", ".bin"))
        found = []
        for path in letters:
            # Another one of us may take it away: who offers them to the broker once more.
            with contextlib.suppress(FileNotFoundError):
                if path.name[0] != ".":
                    status = path.stat()
                    found.append((status.st_mtime_ns / 1e9, status.st_size, path))
        return sorted(found)

    def remove(self, path: Path) -> None:
        """Removes a letter and its reason."""
        path.unlink(missing_ok=True)
        path.with_suffix(".reason").unlink(missing_ok=True)


def is_xml(data: bytes) -> bool:
    """Whether it looks like XML, in any encoding that XML can declare."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" or data[:2] in (b"\xff\xfe", b"\xfe\xff")


def is_json(data: bytes) -> bool:
    """Whether it is JSON as notices are: an object or a list."""
    try:
        return data.lstrip()[:1] in (b"{", b"[") and json.loads(data) is not None
    except (ValueError, RecursionError):
        return False
