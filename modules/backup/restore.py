"""Brings back what the backup has. Started by root: `/etc/voevent/bin/voevent-restore [COPY] [--only KEY]...`.

It fetches the copy first and reads its databases wholly; then it stops the services of this node, puts
everything in its place and starts them again. What goes where is said by this node's configuration, never by the copy:
that lies with a lesser user. It is read by that one, and each thing is written by the user whom the folder belongs to,
nothing by root. What lay there before is kept in /var/lib/voevent-before. Files that the copy has not stay, but of an
event database.
"""

import argparse
import contextlib
import dbm
import json
import os
import pwd
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TARGET = "voevent.target"
BEFORE = Path("/var/lib/voevent-before")


class RestoreError(Exception):
    """It cannot be done."""


FAULTS = (RestoreError, OSError, shutil.Error, sqlite3.Error, ValueError, KeyError, TypeError, AttributeError)


def say(text: str) -> None:
    """Tells people."""
    sys.stderr.write(f"{text}\n")


def systemctl(*words: str) -> str:
    """Asks systemd."""
    done = subprocess.run(["systemctl", *words], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise RestoreError(f"systemctl {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def verify(entry: dict[str, Any], source: Path) -> None:
    """Reads a fetched copy wholly: it has what was copied."""
    if entry["kind"] == "sqlite":
        path = source / Path(entry["path"]).name
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
            answer = database.execute("PRAGMA integrity_check").fetchall()
        if answer != [("ok",)]:
            raise RestoreError(f"`{path}` is damaged: {answer[:3]}")
    for name, count in entry.get("streams", {}).items():
        with dbm.open(str(source / name), "r") as stream:
            found = sum(1 for key in list(stream.keys()) if stream[key])
        if found != count:
            raise RestoreError(f"`{source / name}` has {found} entries instead of {count}")


def owner(folder: Path) -> int:
    """Whom a folder belongs to. On the way to it only links count that root made where nobody else can."""
    at = os.open("/", os.O_PATH | os.O_DIRECTORY)
    try:
        for part in folder.parts[1:]:
            above = os.fstat(at).st_uid
            there = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=at)
            if stat.S_ISLNK(os.fstat(there).st_mode):
                linked = os.fstat(there).st_uid
                os.close(there)
                if (above, linked) != (0, 0):
                    raise RestoreError(f"`{part}` in `{folder}` is a link of somebody's")
                there = os.open(part, os.O_PATH, dir_fd=at)
            os.close(at)
            at = there
        found = os.fstat(at)
    finally:
        os.close(at)
    if not stat.S_ISDIR(found.st_mode):
        raise RestoreError(f"`{folder}` is no folder")
    if found.st_uid == 0:
        raise RestoreError(f"`{folder}` is root's: a service's data lie in a folder of its user")
    return found.st_uid


def as_owner(folder: Path, work: Callable[[], None]) -> None:
    """Does something as the user whom a folder belongs to, in a process of its own."""
    user = owner(folder)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(pwd.getpwuid(user).pw_gid)
            os.setuid(user)
            os.umask(0o027)
            work()
            code = 0
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends here
            say(f"error: {type(error).__name__}: {error}")
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1] != 0:
        raise RestoreError(f"`{folder}`: it could not be done")


def put(source: Path, into: Path, before: Path, *, replace: bool) -> None:
    """Copies files below a folder; what is other is kept in `before` first."""
    if replace and into.is_dir():
        for path in sorted(into.iterdir()):
            if path.is_file() and not path.is_symlink():
                keep(path, before / path.name)
                path.unlink()
    for folder, folders, files in os.walk(source, onerror=stop):
        here = into / Path(folder).relative_to(source)
        for name in sorted(folders):
            (here / name).mkdir(exist_ok=True)
        for name in sorted(files):
            new, path = Path(folder) / name, here / name
            if new.is_symlink() or (path.exists() and path.read_bytes() == new.read_bytes()):
                continue
            if path.exists():
                keep(path, before / path.relative_to(into))
            partial = path.with_name(f".{name}.restored")
            shutil.copyfile(new, partial)
            shutil.copystat(new, partial)
            partial.rename(path)


def stop(error: OSError) -> None:
    """A folder that cannot be read is no empty one."""
    raise error


def keep(path: Path, where: Path) -> None:
    """Keeps what is there now."""
    where.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, where)


@dataclass(frozen=True)
class Thing:
    """Something that is brought back."""

    key: str
    kind: str
    path: Path
    # Where it lies in what was fetched, and how many entries its streams have.
    source: Path
    streams: dict[str, int]

    @property
    def folder(self) -> Path:
        """The folder whose owner writes it."""
        return (
            self.path if self.kind == "eventdb" or (self.kind == "files" and self.path.is_dir()) else self.path.parent
        )

    def verify(self) -> None:
        """Reads the copy wholly."""
        verify({"kind": self.kind, "path": str(self.path), "streams": self.streams}, self.source)

    def put(self, before: Path) -> None:
        """Puts it into its place."""
        if self.kind == "files" and not self.source.is_dir():
            put_file(self.source, self.path, before)
            return
        into = self.path.parent if self.kind == "sqlite" else self.path
        into.mkdir(exist_ok=True)
        put(self.source, into, before, replace=self.kind == "eventdb")
        if self.kind == "sqlite":
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


def things(contents: Any, include: dict[str, Any], fetched: Path, staged: Path) -> list[Thing]:
    """What of a copy this node has a place for."""
    found = []
    for entry in contents:
        key = str(entry["key"])
        if key not in include:
            say(f"{key}: this node has nothing of that name any more; it stays in the copy")
            continue
        kind, path = include[key]["kind"], Path(include[key]["path"])
        if kind != entry["kind"]:
            raise RestoreError(f"{key}: the copy has `{entry['kind']}`, this node `{kind}`")
        source = fetched / str(entry["path"]).lstrip("/") if kind == "files" else staged / key
        streams = {str(name): int(count) for name, count in entry.get("streams", {}).items()}
        if any("/" in name for name in streams):
            raise RestoreError(f"{key}: a stream has no name of one")
        found.append(Thing(key, kind, path, source, streams))
    return found


def restore(thing: Thing, before: Path) -> None:
    """Brings one thing back."""
    before = before / thing.key
    before.mkdir()
    before.chmod(0o2770)
    os.chown(before, -1, before.parent.stat().st_gid)
    as_owner(thing.folder, lambda: thing.put(before))
    say(f"{thing.key}: {thing.path} is back")


def put_file(source: Path, path: Path, before: Path) -> None:
    """Copies one file."""
    if path.exists():
        keep(path, before / path.name)
    partial = path.with_name(f".{path.name}.restored")
    shutil.copyfile(source, partial)
    partial.rename(path)


def running() -> list[str]:
    """The units of this node that are active and do something: not those of the backup, nor settings of the host.

    A oneshot that stays active is such a setting: the firewall, the swap. It has no data, and its end would undo it.
    """
    units = systemctl("show", "--value", "-p", "Wants", "-p", "Requires", TARGET).split()
    ours = [unit for unit in units if not unit.startswith("voevent-backup")]

    def works(unit: str) -> bool:
        shown = systemctl("show", "-p", "ActiveState", "-p", "Type", unit).split()
        return "ActiveState=active" in shown and "Type=oneshot" not in shown

    return [unit for unit in ours if works(unit)]


def main() -> int:
    """Runs the program; its exit code."""
    parser = argparse.ArgumentParser(prog="voevent-restore", description="Brings back what the backup has.")
    parser.add_argument("config", help=argparse.SUPPRESS)
    parser.add_argument("copy", nargs="?", default="latest", help="restic's name of a copy; the latest by default")
    parser.add_argument("--only", action="append", metavar="KEY", help="only this, as `backup.include` calls it")
    words = parser.parse_args()
    config = json.loads(Path(words.config).read_text())
    if not words.copy.isalnum():
        parser.error("the name of a copy has letters and digits")
    try:
        work(config, words.copy, words.only)
    except FAULTS as error:
        say(f"error: {error}")
        return 1
    return 0


def work(config: dict[str, Any], copy: str, only: list[str] | None) -> None:
    """All of it."""
    say(f"fetching the copy `{copy}`")
    systemctl("start", f"voevent-backup-fetch@{copy}.service")
    home = Path(config["home"])
    fetched = home / "fetched"
    staged = fetched / str(home / "stage").lstrip("/")
    contents = json.loads((staged / "contents.json").read_text())
    unknown = set(only or []) - {entry["key"] for entry in contents}
    if unknown:
        raise RestoreError(f"the copy has no {', '.join(sorted(unknown))}")
    contents = [entry for entry in contents if not only or entry["key"] in only]
    wanted = things(contents, config["include"], fetched, staged)
    # All that can be wrong is, before anything is stopped.
    for thing in wanted:
        owner(thing.folder)

    def verify_all() -> None:
        for thing in wanted:
            thing.verify()

    as_owner(fetched, verify_all)
    before = BEFORE / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for folder in (BEFORE, before):
        folder.mkdir(mode=0o750, exist_ok=True)
        os.chown(folder, 0, home.stat().st_gid)
    units = running()
    say(f"stopping {', '.join(units)}")
    try:
        if units:
            systemctl("stop", *units)
        for thing in wanted:
            restore(thing, before)
        os.sync()
    finally:
        say("starting them")
        if units:
            systemctl("start", *units)
    for unit in sorted({config["include"][thing.key]["then"] for thing in wanted} - {""}):
        systemctl("start", "--no-block", unit)
    shutil.rmtree(fetched)
    say(f"done; what lay there before is in {before}")


if __name__ == "__main__":
    sys.exit(main())
