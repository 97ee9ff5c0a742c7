"""Copies what cannot be made again, by restic.

    backup.py CONFIG backup        copies, forgets what is old, reads back
    backup.py CONFIG fetch COPY    brings a copy (`latest`, or restic's name of it) into HOME/fetched

Databases are copied first, to HOME/stage: each copy was read wholly before it counts. HOME/stage/contents.json
says what is where; HOME/good is as old as the last backup at which all went well. HOME/repository names the one that
was used last: where it is empty all of a sudden, nothing is begun anew.
"""

import contextlib
import dbm
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESTIC = "/usr/bin/restic"
SUFFIXES = (".db", ".dat", ".dir", ".bak", ".pag", "-wal", "-shm")
# What copies are called that have all, and those that lack something.
WHOLE, PARTIAL = "voevent", "voevent-partial"
# restic's exit code where it could not read all files.
INCOMPLETE = 3
TRIES = 50
QUIET = 30_000_000


class BackupError(Exception):
    """Something could not be copied."""


def log(priority: int, text: str) -> None:
    """Writes a line for the journal; priorities are syslog's: 3 error, 4 warning, 6 information."""
    sys.stderr.write(f"<{priority}>{' '.join(text.split())}\n")
    sys.stderr.flush()


# ---- databases


def streams(folder: Path) -> dict[str, list[Path]]:
    """The files of an event database by stream: a stream has one, or some of the same name."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            suffix = next((suffix for suffix in SUFFIXES if path.name.endswith(suffix)), "")
            found[path.name.removesuffix(suffix)].append(path)
    return dict(found)


def state(paths: list[Path]) -> list[tuple[int, int, int]]:
    """What changes where a file does."""
    return [(stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in (path.stat() for path in paths)]


def entries(stream: Path) -> int:
    """Reads all of a stream; how many entries it has."""
    with dbm.open(str(stream), "r") as database:
        keys = list(database.keys())
        for key in keys:
            float(database[key])
    return len(keys)


def rested(paths: list[Path], before: list[tuple[int, int, int]], began: int) -> bool:
    """Whether nobody wrote since some time before a copy was begun: times of files are a few milliseconds coarse."""
    return before == state(paths) and all(began - written > QUIET for _, _, written in before)


def copy_stream(name: str, folder: Path, target: Path) -> int:
    """Copies a stream while the broker may write to it; how many entries the copy has.

    A file that is being written can look whole, with fewer entries or none. So a copy counts if it has as many as any
    other had, and nobody wrote meanwhile, twice in a row; or, where the stream never rests, after many.
    """
    fault: object = "it changes all the time"
    most = last = 0
    for attempt in range(TRIES):
        try:
            began = time.time_ns()
            paths = streams(folder).get(name, [])
            before = state(paths)
            for path in paths:
                # The memory that writers share is made anew by whoever opens the copy.
                if not path.name.endswith("-shm"):
                    shutil.copyfile(path, target / path.name)
            count = entries(target / name)
            twice = rested(paths, before, began) and count == last
            if count >= most and ((count > 0 and (twice or attempt > TRIES // 2)) or attempt == TRIES - 1):
                return count
            most, last = max(most, count), count
        except (OSError, ValueError, KeyError, TypeError, SyntaxError, *dbm.error) as error:
            fault = error
        for path in target.glob("*"):
            if any(path.name == name + suffix for suffix in ("", *SUFFIXES)):
                path.unlink()
        time.sleep(0.05)
    raise BackupError(f"`{folder / name}` cannot be copied: {fault}")


def copy_eventdb(folder: Path, target: Path) -> dict[str, int]:
    """Copies an event database; how many entries each stream has."""
    target.mkdir(parents=True)
    return {name: copy_stream(name, folder, target) for name in streams(folder)}


def copy_sqlite(path: Path, target: Path) -> dict[str, int]:
    """Copies a database by SQLite's own means; its integrity was checked."""
    target.mkdir(parents=True)
    copy = target / path.name
    # Without a log of what is being written nobody writes; and without one, whoever may only read must say so.
    still = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    with contextlib.closing(sqlite3.connect(copy)) as into:
        try:
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro{still}", uri=True)) as database:
                database.backup(into)
        except sqlite3.OperationalError as error:
            raise BackupError(f"`{path}` cannot be copied: {error}") from error
        into.execute("PRAGMA journal_mode = delete")
    check_sqlite(copy)
    return {}


def check_sqlite(path: Path) -> None:
    """Reads a whole database."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        answer = database.execute("PRAGMA integrity_check").fetchall()
    if answer != [("ok",)]:
        raise BackupError(f"`{path}` is damaged: {answer[:3]}")


@dataclass
class Staged:
    """What restic has to copy, and what of it not; and what could not be copied, which keeps nothing else."""

    paths: list[str]
    without: list[str]
    faults: list[str]


def stage(config: dict[str, Any], folder: Path) -> Staged:
    """Copies the databases."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    contents: list[dict[str, Any]] = []
    paths, without, faults = [str(folder)], [], []
    for key, include in sorted(config["include"].items()):
        path, kind = Path(include["path"]), include["kind"]
        entry: dict[str, Any] = {"key": key, "path": str(path), "kind": kind}
        try:
            if not path.exists():
                log(4, f"`{path}` is not there (yet): nothing to copy")
                continue
            if kind == "files":
                paths.append(str(path))
            else:
                # Never as they are: others write to them.
                without += [str(path), f"{path}-wal", f"{path}-shm"]
                copied = copy_eventdb if kind == "eventdb" else copy_sqlite
                entry["streams"] = copied(path, folder / key)
            contents.append(entry)
        except (OSError, sqlite3.Error, BackupError) as error:
            faults.append(f"{key}: {error}")
    (folder / "contents.json").write_text(json.dumps(contents, indent=1))
    for fault in faults:
        log(3, fault)
    return Staged(paths, without, faults)


# ---- restic


class Restic:
    """Runs restic on the repository."""

    def __init__(self, config: dict[str, Any]) -> None:
        secrets = Path(os.environ["CREDENTIALS_DIRECTORY"])
        home = config["home"]
        # restic loses the last words of an ssh that ends at once: they are kept in a file.
        self.ssh_log = Path(home, "ssh.log")
        self.words = [RESTIC, "--quiet", "--repo", config["repository"], "--cache-dir", f"{home}/cache"]
        self.words += ["--password-file", str(secrets / "backup.password")]
        if config["known_hosts"] is not None:
            options = f"-oStrictHostKeyChecking=yes -oUserKnownHostsFile={config['known_hosts']} -oBatchMode=yes"
            # The keys of the host's own files count for nothing here; a line that is dead is noticed.
            options += " -oGlobalKnownHostsFile=/dev/null -oConnectTimeout=30 -oServerAliveInterval=30"
            key = secrets / "backup.ssh_key"
            options += f" -i {key} -oIdentitiesOnly=yes -E {self.ssh_log}"
            command = f"ssh -F none {options} {sftp_host(config['repository'])} -s sftp"
            self.words += ["-o", f"sftp.command={command}"]
        names = [(name, secrets / f"backup.credentials.{name}") for name in config["credentials"]]
        self.env = {name: path.read_text().strip() for name, path in names}
        self.env |= {"PATH": "/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8", "TMPDIR": "/tmp"}  # noqa: S108

    def try_run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs it; how it ended, with what its ssh said among the errors."""
        self.ssh_log.unlink(missing_ok=True)
        call = [*self.words, *words]
        done = subprocess.run(call, env=self.env, text=True, errors="replace", capture_output=True, check=False)
        if self.ssh_log.exists():
            done.stderr += self.ssh_log.read_text(errors="replace")
        return done

    def run(self, *words: str) -> str:
        """Runs it; it must end well. What it printed."""
        done = self.try_run(*words)
        if done.returncode == INCOMPLETE:
            # A file that goes while it is read is missed: the next time it is not looked for.
            log(6, f"restic {words[0]}: once more: {done.stderr[-2000:]}")
            done = self.try_run(*words)
        if done.returncode != 0:
            raise BackupError(f"restic {words[0]}: exit code {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout


def sftp_host(repository: str) -> str:
    """What ssh is told of `sftp:user@host:/path` and of `sftp://user@host:port//path`."""
    found = re.match(r"sftp:(//)?([^@/:]*@)?(?:\[([^\]]+)\]|([^:/]+))(?::(\d+)/)?", repository)
    if found is None:
        raise BackupError(f"`{repository}` has no host")
    host = (found[2] or "") + (found[3] or found[4])
    return f"-p {found[5]} {host}" if found[1] and found[5] else host


def find_repository(config: dict[str, Any], restic: Restic, used: Path) -> None:
    """Makes the repository where there never was one."""
    done = restic.try_run("cat", "config")
    if done.returncode == 0:
        return
    if used.exists() and used.read_text() == config["repository"]:
        raise BackupError(
            f"`{config['repository']}` cannot be read, and was there at the last backup: is it mounted, is it there, "
            f"is the password the same? To begin a new one, remove `{used}`: {done.stderr[-2000:]}"
        )
    # It may be locked, away, or of another password: `init` fails then too, and says so.
    restic.run("init")
    log(6, f"a new repository: {config['repository']}")


def backup(config: dict[str, Any]) -> None:
    """One backup."""
    began = time.time()
    home = Path(config["home"])
    restic = Restic(config)
    staged = stage(config, home / "stage")
    find_repository(config, restic, home / "repository")
    (home / "repository").write_text(config["repository"])
    restic.run("unlock")
    label = ["--host", config["host"], "--tag", WHOLE]
    excluded = [word for path in staged.without for word in ("--exclude", path)]
    # One with less is no `latest`, and older ones, which have it, are not forgotten for it.
    tag = PARTIAL if staged.faults else WHOLE
    restic.run("backup", "--host", config["host"], "--tag", tag, *excluded, "--", *staged.paths)
    if staged.faults:
        raise BackupError(f"{len(staged.faults)} of {len(config['include'])} could not be copied; the rest was")
    restic.run("forget", "--host", config["host"], "--tag", PARTIAL, "--group-by", "host,tags", "--keep-last", "4")
    keep = [word for name, count in sorted(config["keep"].items()) for word in (f"--keep-{name}", str(count)) if count]
    restic.run("forget", *label, "--group-by", "host,tags", "--prune", *keep)
    part = config["read_data"]
    restic.run("check", *([] if part == "0%" else [f"--read-data-subset={part}"]))
    shutil.rmtree(home / "stage")
    (home / "good").write_text("")
    write_metrics(home, began)
    log(6, f"all went well, in {time.time() - began:.0f} s")


def write_metrics(home: Path, began: float) -> None:
    """What Prometheus is told."""
    lines = []
    for name, text, value in [
        ("timestamp_seconds", "The last backup at which all went well.", time.time()),
        ("duration_seconds", "How long it took.", time.time() - began),
    ]:
        full = f"voevent_backup_{name}"
        lines += [f"# HELP {full} {text}", f"# TYPE {full} gauge", f"{full} {value:.0f}"]
    partial = home / "metrics.partial"
    partial.write_text("\n".join(lines) + "\n")
    partial.rename(home / "metrics.prom")


def fetch(config: dict[str, Any], copy: str) -> None:
    """Brings a copy into HOME/fetched."""
    fetched = Path(config["home"]) / "fetched"
    shutil.rmtree(fetched, ignore_errors=True)
    fetched.mkdir()
    label = ["--host", config["host"], "--tag", WHOLE]
    Restic(config).run("restore", copy, *label, "--verify", "--target", str(fetched))
    readable(fetched)


def readable(folder: Path) -> None:
    """Lets the group read all of a folder: where restic may not set a mode, it leaves what nobody else can read."""
    folder.chmod(0o750)
    for path in folder.iterdir():
        if path.is_symlink():
            continue
        if path.is_dir():
            readable(path)
        elif path.is_file():
            path.chmod(0o640)


def main(words: list[str]) -> int:
    """Runs the program; its exit code."""
    config = json.loads(Path(words[0]).read_text())
    try:
        if words[1] == "fetch":
            fetch(config, words[2])
        else:
            backup(config)
    except (BackupError, OSError) as error:
        log(3, str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
