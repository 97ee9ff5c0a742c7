"""What the node does with each event that Comet accepts: files for its spools, and counters.

An event is on the disk in each spool that wants it before the broker notes that it has seen it, acknowledges it and
passes it on. A thread a spool writes, many events at a time where many came, and the broker goes on meanwhile.

Nothing here may stop the broker. A spool that cannot be written, as on a full disk, or that takes longer than
`PATIENCE`, is behind: until it has caught up nobody waits for it. Its events wait in memory then, and the oldest is
tried again; those that find the queue full are lost. Both are counted, as late and as lost.
"""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import fnmatch
import hashlib
import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

REFUSALS = ("seen", "invalid", "unreadable", "too_large")
ROLES = ("observation", "prediction", "utility", "test")
# What waits in memory for a spool that is behind: some days of a full disk, and far below the unit's limit.
WAITING_EVENTS = 4096
WAITING_BYTES = 16 * 1024 * 1024
# Events that share one sync of their folder, and threads that write them: the disk syncs many files in the time of one.
BATCH, WRITERS = 64, 4
# Seconds that the broker waits for a spool: less than authors wait for an answer.
PATIENCE = 5.0
# Seconds: between tries of a write that failed, two lines of the log about it, two files of counters.
RETRY = 1.0
SILENCE = 60.0
METRICS = 1.0
# Temporary files that are older than this many seconds are of a broker that died.
STALE = 3600.0

Log = Callable[[str], None]


def to_journal(text: str) -> None:
    """Writes a warning to the journal, from any thread: Twisted's log is of its main thread."""
    with contextlib.suppress(OSError):
        os.write(2, f"<4>comet: {text}\n".encode("utf-8", "backslashreplace"))


@dataclasses.dataclass(frozen=True)
class Event:
    """An event as it was received."""

    raw: bytes
    role: str
    ivorn: str
    received: int  # nanoseconds since the epoch

    def file_name(self) -> str:
        """Its name in a spool: names sort as events came."""
        return f"{self.received:020d}-{hashlib.sha256(self.raw).hexdigest()}.xml"


class Storing:
    """An event on its way into spools.

    `done` is called once, from any thread: when the event is on the disk in all of them, but for those that are behind.
    """

    def __init__(self, event: Event, spools: Iterable[Spool], done: Callable[[], None]) -> None:
        self.event = event
        self._done = done
        self._lock = threading.Lock()
        self._awaited = frozenset(spools)

    def is_awaited(self, spool: Spool) -> bool:
        """Whether somebody still waits until it is in this spool."""
        return spool in self._awaited

    def settle(self, spool: Spool) -> bool:
        """Nobody is to wait for this spool any longer; whether somebody did."""
        with self._lock:
            awaited = spool in self._awaited
            self._awaited -= {spool}
            last = awaited and not self._awaited
        if last:
            self._done()
        return awaited

    def hurry(self) -> None:
        """It took too long: what has not written it is behind."""
        for spool in self._awaited:
            spool.fall_behind()


class Spool:
    """A folder into which events are written for somebody who takes them from there."""

    def __init__(self, name: str, config: Mapping[str, Any], log: Log = to_journal) -> None:
        self.name = name
        self.path = Path(config["path"])
        self._roles = frozenset(config["roles"])
        self._streams = [re.compile(fnmatch.translate(glob)) for glob in config["streams"]]
        self._log = log
        self._said = float("-inf")
        self._queue: collections.deque[Storing] = collections.deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._behind = False
        self._thread = threading.Thread(target=self._run, name=f"spool {name}", daemon=True)
        self._writers = concurrent.futures.ThreadPoolExecutor(WRITERS, f"spool {name}")
        # Events written, writes that failed, events that were accepted before they were written, and those given up.
        self.written = 0
        self.failed = 0
        self.late = 0
        self.lost = 0

    def start(self) -> None:
        """Lets it write."""
        self._thread.start()

    def wants(self, event: Event) -> bool:
        """Whether events like this one go into it."""
        return event.role in self._roles and any(glob.match(event.ivorn) for glob in self._streams)

    def put(self, storing: Storing) -> None:
        """Takes an event; never waits for the disk."""
        with self._changed:
            size = len(storing.event.raw)
            full = len(self._queue) >= WAITING_EVENTS or self._bytes + size > WAITING_BYTES
            behind = self._behind
            # While it is not behind, who sends waits too: there is no more than they hold anyway.
            lost = behind and full
            if lost:
                self.lost += 1
            else:
                self._queue.append(storing)
                self._bytes += size
                self.late += behind
                self._changed.notify()
            if behind:
                storing.settle(self)
        if lost:
            name = storing.event.ivorn
            self._warn(f"spool `{self.name}` is full, {name} is lost to it: {self.lost} lost since the start")

    def fall_behind(self) -> None:
        """Has nobody wait for it until it has caught up."""
        with self._changed:
            self._behind = bool(self._queue)
            self.late += sum(storing.settle(self) for storing in self._queue)

    def waiting(self) -> int:
        """How many events are not written yet."""
        return len(self._queue)

    def stop(self, seconds: float) -> None:
        """Writes what waits, for so long at most, and not again what cannot be written now."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(seconds)
        # Who still waits is not answered, and sends again.
        lost = sum(not storing.is_awaited(self) for storing in list(self._queue))
        if lost:
            self.lost += lost
            self._log(f"spool `{self.name}`: stopped with {lost} events that could not be written")

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            self._tidy()
        while batch := self._next():
            faults = self._write([storing.event for storing in batch])
            self._wrote(batch, faults)
            error = next(filter(None, faults), None)
            if error is None:
                continue
            self.failed += 1
            self._warn(f"spool `{self.name}` cannot be written, {len(self._queue)} events wait: {error}")
            self.fall_behind()
            if self._stopping:
                return
            with self._changed:
                self._changed.wait(RETRY)

    def _next(self) -> list[Storing]:
        """What is to be written next; nothing at the end."""
        with self._changed:
            while not self._queue and not self._stopping:
                self._changed.wait()
            return list(itertools.islice(self._queue, BATCH))

    def _write(self, events: list[Event]) -> list[Exception | None]:
        """Why each of these is not on the disk now, where it is not."""
        try:
            # One alone wakes nobody.
            faults = list((self._writers.map if events[1:] else map)(self._place, events))
            if None in faults:
                self._sync()
        except Exception as fault:  # noqa: BLE001 - whatever it is, the broker is not to know
            return [fault] * len(events)
        return faults

    def _wrote(self, batch: list[Storing], faults: list[Exception | None]) -> None:
        """Takes what is written out of the queue."""
        written = [storing for storing, fault in zip(batch, faults, strict=True) if fault is None]
        with self._changed:
            for _ in batch:
                self._queue.popleft()
            self._queue.extendleft(storing for storing in reversed(batch) if storing not in written)
            self.written += len(written)
            self._bytes -= sum(len(storing.event.raw) for storing in written)
            self._behind = self._behind and len(self._queue) > BATCH
        for storing in written:
            storing.settle(self)

    def _place(self, event: Event) -> Exception | None:
        """Makes a file that is whole or not there; its name is on the disk when its folder is. Or says why not."""
        name = event.file_name()
        temporary = self.path / f".{name}.part"
        try:
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
            try:
                os.fchmod(file, 0o640)
                rest = memoryview(event.raw)
                while rest:
                    rest = rest[os.write(file, rest) :]
                os.fsync(file)
            finally:
                os.close(file)
            temporary.rename(self.path / name)
        except Exception as fault:  # noqa: BLE001 - as above
            with contextlib.suppress(OSError):
                temporary.unlink()
            return fault
        return None

    def _sync(self) -> None:
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _tidy(self) -> None:
        for path in self.path.glob(".*.xml.part"):
            if path.lstat().st_mtime < time.time() - STALE:
                path.unlink()

    def _warn(self, text: str) -> None:
        now = time.monotonic()
        if now - self._said >= SILENCE:
            self._said = now
            self._log(text)


def label(value: str) -> str:
    """A value of a label, as the Prometheus text format writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


class Events:
    """All that happens with an event: it is counted, and put into the spools."""

    def __init__(self, config: Mapping[str, Any], log: Log = to_journal) -> None:
        self.broker: str = config["broker"]
        self._file = Path(config["metrics"])
        self._bad = Path(config["quarantine"])
        self._log = log
        self._said = float("-inf")
        self.spools = [Spool(name, spool, log) for name, spool in sorted(config["spools"].items())]
        self.counts = dict.fromkeys(ROLES, 0)
        self.refusals = dict.fromkeys(REFUSALS, 0)
        self.last = 0  # nanoseconds since the epoch; 0 for never
        self.began = time.time_ns()
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Starts the threads that write."""
        for spool in self.spools:
            spool.start()
        self._changed.set()
        self._thread.start()

    def store(self, raw: bytes, role: str, ivorn: str, done: Callable[[], None]) -> Storing:
        """Puts an event into the spools that want it."""
        event = Event(raw, role, ivorn, time.time_ns())
        wanted = [spool for spool in self.spools if spool.wants(event)]
        storing = Storing(event, wanted, done)
        for spool in wanted:
            spool.put(storing)
        if not wanted:
            done()
        self._changed.set()
        return storing

    def accept(self, role: str) -> None:
        """Counts an event that the broker accepted."""
        self.counts[role] = self.counts.get(role, 0) + 1
        self.last = time.time_ns()
        self._changed.set()

    def refuse(self, why: str) -> None:
        """Counts what the broker did not accept; why, by one of `REFUSALS`."""
        self.refusals[why] += 1
        self._changed.set()

    def stop(self, seconds: float = 5.0) -> None:
        """Writes what waits, for so long at most."""
        end = time.monotonic() + seconds
        for spool in self.spools:
            spool.stop(max(0.0, end - time.monotonic()))
        self._stopping.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def text(self) -> str:
        """The counters, in the Prometheus text format."""
        own = f"broker={label(self.broker)}"

        def metric(name: str, kind: str, what: str, samples: Iterable[tuple[str, object]]) -> str:
            full = f"voevent_comet_{name}"
            lines = [f"# HELP {full} {what}", f"# TYPE {full} {kind}"]
            lines += [f"{full}{{{own}{more}}} {value}" for more, value in samples]
            return "\n".join(lines) + "\n"

        def spools(field: Callable[[Spool], int]) -> list[tuple[str, object]]:
            return [(f",spool={label(spool.name)}", field(spool)) for spool in self.spools]

        counts = sorted(self.counts.items())
        roles: list[tuple[str, object]] = [(f",role={label(role)}", count) for role, count in counts]
        refusals: list[tuple[str, object]] = [(f",reason={label(why)}", n) for why, n in self.refusals.items()]
        last: list[tuple[str, object]] = [("", f"{self.last / 1e9:.3f}")]
        began: list[tuple[str, object]] = [("", f"{self.began / 1e9:.3f}")]
        quarantined: list[tuple[str, object]] = [("", entries(self._bad))]
        texts = [
            metric("events_total", "counter", "Events accepted since the start.", roles),
            metric("refused_total", "counter", "What came and was refused since the start.", refusals),
            metric("last_event_timestamp_seconds", "gauge", "When the last came; 0 for none.", last),
            metric("start_timestamp_seconds", "gauge", "When the broker was started.", began),
            metric(
                "eventdb_quarantined",
                "gauge",
                "Times that parts of the event database were set aside.",
                quarantined,
            ),
        ]
        if self.spools:
            texts += [
                metric("spool_written_total", "counter", "Events written.", spools(lambda spool: spool.written)),
                metric("spool_failed_total", "counter", "Writes that failed.", spools(lambda spool: spool.failed)),
                metric("spool_late_total", "counter", "Events accepted unwritten.", spools(lambda spool: spool.late)),
                metric("spool_lost_total", "counter", "Events given up.", spools(lambda spool: spool.lost)),
                metric("spool_waiting", "gauge", "Events not written yet.", spools(lambda spool: spool.waiting())),
            ]
        return "".join(texts)

    def _run(self) -> None:
        waits = False
        while not self._stopping.is_set():
            # What waits in a spool changes without an event.
            self._changed.wait(METRICS if waits else None)
            self._changed.clear()
            waits = any(spool.waiting() for spool in self.spools)
            self._write()
            self._stopping.wait(METRICS)
        self._write()

    def _write(self) -> None:
        temporary = self._file.with_name(f"{self._file.name}.part")
        try:
            with temporary.open("w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o640)
                file.write(self.text())
            temporary.rename(self._file)
        except Exception as error:  # noqa: BLE001 - as above
            now = time.monotonic()
            if now - self._said >= SILENCE:
                self._said = now
                self._log(f"cannot write `{self._file}`: {error}")


def entries(folder: Path) -> int:
    """How many entries a folder has; none where there is no such folder."""
    try:
        return sum(1 for _ in folder.iterdir())
    except OSError:
        return 0
