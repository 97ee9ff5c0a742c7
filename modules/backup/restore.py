"""Brings back what the backup has. Started by root: `/etc/voevent/bin/voevent-restore [COPY] [--only KEY]...`.

It fetches the copy first and reads its databases wholly; then it stops the services of this node, puts
everything in its place and starts them again. Each thing is written by the user whom the folder belongs to,
never by root. What lay there before is kept in HOME/before-TIME. Files that the copy has not stay, but of an
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
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TARGET = "voevent.target"


class RestoreError(Exception):
    """It cannot be done."""


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


def as_owner(folder: Path, work: Any) -> None:
    """Does something as the user whom a folder belongs to, in a process of its own."""
    stat = folder.stat(follow_symlinks=False)
    if stat.st_uid == 0:
        raise RestoreError(f"`{folder}` is root's: a service's data lie in a folder of its user")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(pwd.getpwuid(stat.st_uid).pw_gid)
            os.setuid(stat.st_uid)
            os.umask(0o027)
            work()
            code = 0
        except (OSError, shutil.Error) as error:
            say(f"error: {error}")
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1] != 0:
        raise RestoreError(f"`{folder}` was not written")


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


def restore(entry: dict[str, Any], fetched: Path, before: Path) -> None:
    """Puts one thing into its place."""
    source, path = fetched / entry["from"].lstrip("/"), Path(entry["path"])
    before = before / entry["key"]
    before.mkdir()
    before.chmod(0o2770)
    os.chown(before, -1, before.parent.stat().st_gid)
    if entry["kind"] == "sqlite":
        left = [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]

        def work() -> None:
            put(source, path.parent, before, replace=False)
            for old in left:
                old.unlink(missing_ok=True)

        as_owner(path.parent, work)
    elif source.is_dir():
        as_owner(path, lambda: put(source, path, before, replace=entry["kind"] == "eventdb"))
    else:
        as_owner(path.parent, lambda: put_file(source, path, before))
    say(f"{entry['key']}: {path} is back")


def put_file(source: Path, path: Path, before: Path) -> None:
    """Copies one file."""
    if path.exists():
        keep(path, before / path.name)
    partial = path.with_name(f".{path.name}.restored")
    shutil.copyfile(source, partial)
    partial.rename(path)


def running() -> list[str]:
    """The units of this node that are active, but those of the backup."""
    units = systemctl("show", "--value", "-p", "Wants", "-p", "Requires", TARGET).split()
    ours = [unit for unit in units if not unit.startswith("voevent-backup")]
    return [unit for unit in ours if systemctl("show", "--value", "-p", "ActiveState", unit).strip() == "active"]


def main() -> int:
    """Runs the program; its exit code."""
    parser = argparse.ArgumentParser(prog="voevent-restore", description="Brings back what the backup has.")
    parser.add_argument("config", help=argparse.SUPPRESS)
    parser.add_argument("copy", nargs="?", default="latest", help="restic's name of a copy; the latest by default")
    parser.add_argument("--only", action="append", metavar="KEY", help="only this, as `backup.include` calls it")
    words = parser.parse_args()
    config = json.loads(Path(words.config).read_text())
    home = Path(config["home"])
    if not words.copy.isalnum():
        parser.error("the name of a copy has letters and digits")
    try:
        work(home, words.copy, words.only)
    except (RestoreError, OSError, sqlite3.Error, *dbm.error) as error:
        say(f"error: {error}")
        return 1
    return 0


def work(home: Path, copy: str, only: list[str] | None) -> None:
    """All of it."""
    say(f"fetching the copy `{copy}`")
    systemctl("start", f"voevent-backup-fetch@{copy}.service")
    fetched = home / "fetched"
    staged = fetched / str(home / "stage").lstrip("/")
    contents: list[dict[str, Any]] = json.loads((staged / "contents.json").read_text())
    unknown = set(only or []) - {entry["key"] for entry in contents}
    if unknown:
        raise RestoreError(f"the copy has no {', '.join(sorted(unknown))}")
    wanted = [entry for entry in contents if only is None or entry["key"] in only]
    for entry in wanted:
        verify(entry, fetched / entry["from"].lstrip("/"))
    before = home / f"before-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    before.mkdir(mode=0o750)
    os.chown(before, 0, home.stat().st_gid)
    units = running()
    say(f"stopping {', '.join(units)}")
    if units:
        systemctl("stop", *units)
    try:
        for entry in wanted:
            restore(entry, fetched, before)
    finally:
        say("starting them")
        if units:
            systemctl("start", *units)
    shutil.rmtree(fetched)
    say(f"done; what lay there before is in {before}")


if __name__ == "__main__":
    sys.exit(main())
