"""What is seen of folders, files and disks. Standard library only."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from problems import Observation, elapsed

if TYPE_CHECKING:
    from probes import Look


@dataclasses.dataclass
class Files:
    """Those of a folder: how many, when the oldest was written, when the newest came; hidden ones are not whole yet."""

    count: int = 0
    oldest: float | None = None
    newest: float = 0.0


def files(folder: Path) -> Files:
    """Looks at the files of a folder."""
    found = Files()
    for entry in os.scandir(folder):
        if entry.name.startswith("."):
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        found.count += 1
        found.oldest = status.st_mtime if found.oldest is None else min(found.oldest, status.st_mtime)
        # One that was moved here was written earlier.
        found.newest = max(found.newest, status.st_ctime)
    return found


def written(path: Path) -> float | None:
    """When a file was written; nothing where there is none."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


def free(path: Path) -> tuple[int, int, int]:
    """Of the file system of a path: free bytes, files that can be made yet, and how many there could be."""
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize, stat.f_favail, stat.f_files


FOLDERS: dict[str, Callable[[Path], Any]] = {"queue": files, "count": files, "fresh": written, "disk": free}


def judge(with_: Look, key: str, w: Mapping[str, Any], result: Any) -> None:
    """Takes in what was found at one entry of `watch`, or why nothing was."""
    trouble: str | None
    if isinstance(result, Exception):
        trouble = f"{w['path']} cannot be read: {result}"
    else:
        judges: dict[str, Callable[..., str | None]] = {
            "queue": _queue,
            "count": _count,
            "fresh": _fresh,
            "disk": _disk,
        }
        trouble = judges[w["probe"]](with_, key, w, result)
    with_.seen.sample("up", trouble is None, unit=w["unit"] or "", probe=w["probe"], watch=key)
    about = f"{w['unit']}: " if w["unit"] else ""
    with_.seen.observations.append(Observation(f"watch {key}", trouble is None, f"{about}{trouble}"))


def _queue(with_: Look, key: str, w: Mapping[str, Any], result: Files) -> str | None:
    first = with_.now if result.oldest is None else result.oldest
    with_.seen.sample("queue_files", result.count, watch=key)
    with_.seen.sample("queue_oldest_seconds", max(0.0, with_.now - first), watch=key)
    if with_.age(first) <= w["older_than"]:
        return None
    return f"{result.count} files wait in {w['path']}, the oldest for {span(with_.now - first)}"


def _count(with_: Look, key: str, w: Mapping[str, Any], result: Files) -> str | None:
    count = result.count
    with_.seen.sample("files", count, watch=key)
    if w["at_most"] is not None:
        return None if count <= w["at_most"] else f"{count} files in {w['path']}, at most {w['at_most']}"
    kept = with_.state.remembered("count")
    last = kept.setdefault(key, {"files": count, "from": count, "grew": None})
    newest = last.setdefault("newest", result.newest)
    # Where the oldest go for new ones, there are not more of them.
    if count > last["files"] or result.newest > newest:
        calm = last["grew"] is None or elapsed(with_.now, last["grew"]) > w["older_than"]
        last["from"] = last["files"] if calm else last["from"]
        last["grew"] = with_.now
    last["files"], last["newest"] = count, result.newest
    if last["grew"] is None or elapsed(with_.now, last["grew"]) > w["older_than"]:
        return None
    return f"{max(count - last['from'], 1)} new files in {w['path']}, now {count}"


def _fresh(with_: Look, key: str, w: Mapping[str, Any], result: float | None) -> str | None:
    # One that is not there gets the time that it has from when that was first seen: after a boot, those in /run do.
    missing = with_.state.remembered("fresh")
    if result is not None:
        missing.pop(key, None)
    since = missing.setdefault(key, with_.now) if result is None else result
    with_.seen.sample("file_age_seconds", max(0.0, with_.now - since), watch=key)
    if with_.age(since) <= w["older_than"]:
        return None
    return f"{w['path']} is missing" if result is None else f"{w['path']} is {span(with_.now - since)} old"


def _disk(with_: Look, key: str, w: Mapping[str, Any], result: tuple[int, int, int]) -> str | None:
    space, files, total = result
    with_.seen.sample("disk_free_bytes", space, watch=key)
    if space < w["min_free"]:
        return f"{space >> 20} MiB are free at {w['path']}, and {w['min_free'] >> 20} MiB must be"
    # Some file systems have no table of files that could be full.
    if total and files * 100 < total:
        return f"only {files} more files can be made at {w['path']}"
    return None


def span(seconds: float) -> str:
    """A length of time for people."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
