"""Runs a handler's program for each event in its queue; one that fails, again, later; and keeps what fails for good.

    QUEUE/in      what the broker wrote: TIME-SHA256.xml
    QUEUE/work    what has been begun: TIME-SHA256~ATTEMPT~FAILURES~STATE.xml; STATE is `running` or `waiting`;
                  and metrics.prom
    QUEUE/done    what went well, for some days
    QUEUE/failed  what did not, and beside it in TIME-SHA256.txt how, and what the program said

An attempt is on the disk before it begins, its failure when it has ended. So whoever is killed, whenever: no event is
lost, and one that was `running` may have been handled and is run once more, with VOEVENT_CUT_OFF in its environment.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import heapq
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

# Attempts that may be cut off, by the end of this program or of the host, before an event is given up.
CUT_OFF = 3
# Seconds: the longest wait for the next attempt, a look at everything, between two tidyings, for attempts at the end.
LONGEST, LOOK, TIDY, GRACE = 900.0, 20.0, 3600.0, 10.0
SET_CHILD_SUBREAPER = 36
INOTIFY_NEW = 0x80 | 0x100 | 0x8  # moved to, created, closed after writing
OUTCOMES = ("done", "failed", "filtered")
RESULTS = ("ok", "exit", "signal", "timeout", "start", "cut")
HELP = {
    "attempts_total": "Attempts, by how they ended.",
    "events_total": "Events, by what became of them.",
    "kept_failed": "Events that failed and are kept.",
    "running": "Attempts under way.",
    "seconds_total": "How long attempts took.",
    "waiting": "Events that wait.",
}


def say(level: int, text: str) -> None:
    """A line for the journal, with its priority; one, whatever an event is called."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    print(f"<{level}>{line}", file=sys.stderr, flush=True)


def notify(state: str) -> None:
    """Tells systemd."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.connect("\0" + address[1:] if address[0] == "@" else address)
            to.send(state.encode())


def sync(folder: Path) -> None:
    """Waits until a folder's names are on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@dataclasses.dataclass(frozen=True)
class Entry:
    """An event that has been begun, as its name in `work` says it."""

    stem: str
    attempt: int
    failures: int
    state: str

    @property
    def name(self) -> str:
        """Its name."""
        return f"{self.stem}~{self.attempt}~{self.failures}~{self.state}.xml"

    @property
    def cut_off(self) -> int:
        """How many attempts did not come to an end."""
        return self.attempt - self.failures - (self.state == "running")

    @classmethod
    def of(cls, name: str) -> Entry | None:
        """What a name says; none if it is not one of ours."""
        parts = name.removesuffix(".xml").split("~")
        if len(parts) != 4 or not (parts[1].isdigit() and parts[2].isdigit()):
            return None
        return cls(parts[0], int(parts[1]), int(parts[2]), parts[3])


def is_event(name: str) -> bool:
    """Whether a file of the inbox is whole, and an event."""
    return name.endswith(".xml") and not name.startswith(".") and "~" not in name


class Queue:
    """The folders: what is in them, moved from one to the other so that it is on the disk."""

    def __init__(self, folder: Path) -> None:
        self.inbox, self.work, self.done, self.failed = (folder / name for name in ("in", "work", "done", "failed"))
        self.figures = self.work / "metrics.prom"

    def move(self, source: Path, target: Path) -> None:
        """Renames, and returns when that is on the disk."""
        source.rename(target)
        for folder in {target.parent: 0, source.parent: 0}:
            sync(folder)

    def fail(self, entry: Entry, why: str, output: str) -> None:
        """Keeps an event that is given up, with what is known of it."""
        note = self.failed / f"{entry.stem}.txt"
        try:
            note.write_text(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {why}\n\n{output}")
        except OSError as error:
            say(3, f"cannot write `{note}`: {error}")
        self.move(self.work / entry.name, self.failed / f"{entry.stem}.xml")

    def tidy(self, keep_done: float, keep_failed: float, now: float) -> None:
        """Removes what has lain there for too long: since it was moved there."""
        for folder, keep in ((self.done, keep_done), (self.failed, keep_failed)):
            for path in folder.iterdir():
                # People take files away, and may put folders here.
                with contextlib.suppress(FileNotFoundError, IsADirectoryError, PermissionError):
                    if path.lstat().st_ctime < now - keep:
                        path.unlink()


class Figures:
    """Counters that go on where they were, and gauges, in the text format of Prometheus."""

    def __init__(self, path: Path, handler: str) -> None:
        self.path = path
        self.values: dict[str, float] = {}
        zero = [f'voevent_handler_events_total{{handler="{handler}",outcome="{name}"}}' for name in OUTCOMES]
        zero += [f'voevent_handler_attempts_total{{handler="{handler}",result="{name}"}}' for name in RESULTS]
        self.values = dict.fromkeys([*zero, f'voevent_handler_seconds_total{{handler="{handler}"}}'], 0.0)
        with contextlib.suppress(OSError, ValueError):
            for line in path.read_text().splitlines():
                name, _, value = line.rpartition(" ")
                if name in self.values:
                    self.values[name] = float(value)
        self.handler = handler

    def add(self, name: str, label: str = "", by: float = 1) -> None:
        """Adds to a counter."""
        self.values[f'voevent_handler_{name}_total{{handler="{self.handler}"{label}}}'] += by

    def write(self, gauges: dict[str, float]) -> None:
        """Replaces the file."""
        families: dict[str, list[str]] = {}
        every = self.values | {
            f'voevent_handler_{name}{{handler="{self.handler}"}}': value for name, value in gauges.items()
        }
        for name, value in every.items():
            families.setdefault(name.partition("{")[0], []).append(f"{name} {value:.15g}")
        text = "".join(
            f"# HELP {family} {HELP[family.removeprefix('voevent_handler_')]}\n"
            f"# TYPE {family} {'counter' if family.endswith('_total') else 'gauge'}\n" + "\n".join(lines) + "\n"
            for family, lines in families.items()
        )
        temporary = self.path.with_name(".metrics.prom")
        temporary.write_text(text)
        temporary.rename(self.path)


@dataclasses.dataclass
class Running:
    """An attempt that is under way."""

    entry: Entry
    process: subprocess.Popen[bytes]
    began: float
    said: bytes = b""


class Dispatcher:
    """The one who runs the program."""

    def __init__(self, config_path: str, attempt: str) -> None:
        config: dict[str, Any] = json.loads(Path(config_path).read_text(encoding="utf-8"))
        self.config = config
        self.call = [sys.executable, "-I", "-S", attempt, config_path]
        self.queue = Queue(Path(config["queue"]))
        self.figures = Figures(self.queue.figures, config["name"])
        self.xpath: Any = None
        if config["xpath"]:
            self.etree: Any = importlib.import_module("lxml.etree")
            self.xpath = self.etree.XPath(config["xpath"])
            self.parser = self.etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        self.select = selectors.DefaultSelector()
        self.running: dict[int, Running] = {}
        self.waiting: list[tuple[float, str]] = []
        self.found: list[str] = []
        self.stale = True
        self.refused: set[str] = set()
        self.unwritten = ""
        self.tidied = self.written = -TIDY

    def resume(self) -> None:
        """Takes up what another one left: at once, for it waited long enough."""
        for name in sorted(os.listdir(self.queue.work)):
            entry = Entry.of(name)
            if entry is None:
                continue
            if entry.state == "running":
                self.figures.add("attempts", ',result="cut"')
                say(4, f"an attempt at {entry.stem} was cut off, and may have done its work")
                waiting = dataclasses.replace(entry, state="waiting")
                self.queue.move(self.queue.work / name, self.queue.work / waiting.name)
                entry = waiting
            heapq.heappush(self.waiting, (0.0, entry.name))

    def next(self) -> Entry | None:
        """The next attempt that is due, as it is before it is made."""
        now = time.monotonic()
        if self.waiting and self.waiting[0][0] <= now:
            return Entry.of(heapq.heappop(self.waiting)[1])
        if not self.found and self.stale:
            self.stale = False
            self.found = sorted((name for name in os.listdir(self.queue.inbox) if is_event(name)), reverse=True)
        return Entry(self.found.pop().removesuffix(".xml"), 0, 0, "new") if self.found else None

    def fill(self) -> None:
        """Begins attempts as long as there may be more."""
        while len(self.running) < self.config["concurrency"]:
            entry = self.next()
            if entry is None:
                return
            try:
                self.begin(entry)
            except FileNotFoundError:
                say(5, f"{entry.stem} was taken out of the queue")
            except OSError as error:
                if entry.stem not in self.refused:
                    say(3, f"cannot begin with {entry.stem}: {error}")
                    self.refused.add(entry.stem)
                if entry.state != "new":
                    heapq.heappush(self.waiting, (time.monotonic() + LOOK, entry.name))

    def begin(self, entry: Entry) -> None:
        """Makes an attempt, unless the event is not wanted, or was cut off too often."""
        source = self.queue.inbox / f"{entry.stem}.xml" if entry.state == "new" else self.queue.work / entry.name
        data = source.read_bytes()
        running = dataclasses.replace(entry, attempt=entry.attempt + 1, state="running")
        if entry.state == "new" and not self.wanted(data):
            self.figures.add("events", ',outcome="filtered"')
            source.unlink()
            return
        path = self.queue.work / running.name
        self.queue.move(source, path)
        if running.cut_off > CUT_OFF:
            why = f"cut off {running.cut_off} times: it ends the one who runs it, or the host"
            self.give_up(running, entry.stem, why, "")
            return
        call = [*self.call, str(path), str(running.attempt), str(running.cut_off)]
        try:
            process = subprocess.Popen(call, stdout=subprocess.PIPE)
        except OSError as error:
            # There is no room for a process now: it was no attempt.
            say(3, f"cannot begin with {entry.stem}, which waits: {error}")
            waiting = dataclasses.replace(entry, state="waiting")
            self.queue.move(path, self.queue.work / waiting.name)
            heapq.heappush(self.waiting, (time.monotonic() + LOOK, waiting.name))
            return
        if process.stdout is not None:
            self.running[process.stdout.fileno()] = Running(running, process, time.monotonic())
            self.select.register(process.stdout, selectors.EVENT_READ)

    def wanted(self, data: bytes) -> bool:
        """Whether the XPath is true of an event; what it cannot be asked of is for the program to say no to."""
        if self.xpath is None:
            return True
        try:
            return bool(self.xpath(self.etree.fromstring(data, self.parser)))
        except self.etree.LxmlError as error:
            say(4, f"the XPath cannot be asked, so the program is run: {error}")
            return True

    def ended(self, fd: int) -> None:
        """Reads from an attempt; at its end does what follows from it."""
        it = self.running[fd]
        data = os.read(fd, 1 << 20)
        it.said += data
        if data:
            return
        del self.running[fd]
        self.select.unregister(fd)
        if it.process.stdout is not None:
            it.process.stdout.close()
        code = it.process.wait()
        try:
            result = json.loads(it.said)
            failure, output, event = str(result["failure"]), str(result["output"]), str(result["ivorn"])
        except ValueError:
            failure, output, event = f"signal: it ended the one who runs it ({code})", "", ""
            self.end_strangers()
        self.figures.add("seconds", by=time.monotonic() - it.began)
        self.figures.add("attempts", f',result="{failure.partition(":")[0] or "ok"}"')
        try:
            if failure:
                self.again(it.entry, event or it.entry.stem, failure, output)
            else:
                self.well(it.entry)
        except FileNotFoundError:
            say(4, f"{it.entry.stem} was taken away while it was handled")

    def well(self, entry: Entry) -> None:
        """Keeps an event that was handled, or does not."""
        self.figures.add("events", ',outcome="done"')
        if self.config["keep_done_seconds"]:
            self.queue.move(self.queue.work / entry.name, self.queue.done / f"{entry.stem}.xml")
        else:
            (self.queue.work / entry.name).unlink()
            sync(self.queue.work)

    def end_strangers(self) -> None:
        """Kills what an attempt left that was ended before it could."""
        known = {it.process.pid for it in self.running.values()}
        for pid in map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()):
            if pid not in known:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def again(self, entry: Entry, event: str, failure: str, output: str) -> None:
        """Has an event that failed wait for its next attempt, or gives it up."""
        failures = entry.failures + 1
        if failures > self.config["retries"]:
            self.give_up(entry, event, failure, output)
            return
        waiting = dataclasses.replace(entry, failures=failures, state="waiting")
        self.queue.move(self.queue.work / entry.name, self.queue.work / waiting.name)
        wait = min(self.config["backoff_seconds"] * 2 ** (failures - 1), LONGEST)
        heapq.heappush(self.waiting, (time.monotonic() + wait, waiting.name))
        say(4, f"{event}: attempt {entry.attempt}: {failure}; again in {wait:g} s")

    def give_up(self, entry: Entry, event: str, failure: str, output: str) -> None:
        """Keeps an event as failed."""
        self.figures.add("events", ',outcome="failed"')
        self.queue.fail(entry, f"{event} attempt {entry.attempt}: {failure}", output)
        kept = self.queue.failed / f"{entry.stem}.xml"
        say(3, f"{event}: attempt {entry.attempt}: {failure}; kept as `{kept}`")

    def housekeeping(self) -> float:
        """Figures, old files; in how many seconds something is due."""
        now = time.monotonic()
        if now - self.tidied > TIDY:
            self.tidied = now
            self.queue.tidy(self.config["keep_done_seconds"], self.config["keep_failed_seconds"], time.time())
        # Counting is not cheap where much waits.
        if now - self.written > 1 or not (self.running or self.found):
            self.written = now
            waiting = sum(map(is_event, os.listdir(self.queue.inbox))) + len(self.waiting)
            failed = sum(map(is_event, os.listdir(self.queue.failed)))
            try:
                self.figures.write({"waiting": waiting, "running": len(self.running), "kept_failed": failed})
                self.unwritten = ""
            except OSError as error:
                # A disk that is full is no reason to end what runs.
                if self.unwritten != str(error):
                    say(3, f"cannot write the numbers: {error}")
                self.unwritten = str(error)
            notify(f"WATCHDOG=1\nSTATUS={waiting} waiting, {len(self.running)} running, {failed} failed")
        return max(0.0, min(self.waiting[0][0] - now, LOOK)) if self.waiting else LOOK


def watch(folder: Path) -> int:
    """A descriptor that can be read when something comes into a folder; orphans come to this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    fd = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    if fd < 0 or libc.inotify_add_watch(fd, os.fsencode(folder), INOTIFY_NEW) < 0:
        raise OSError(ctypes.get_errno(), f"cannot watch `{folder}`")
    return fd


def serve(dispatcher: Dispatcher) -> None:
    """Runs until it is told to end; then gives attempts that are under way a little time."""
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    woken.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    ends: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: ends.append(number))
    inbox = watch(dispatcher.queue.inbox)
    for fd in (inbox, woken.fileno()):
        dispatcher.select.register(fd, selectors.EVENT_READ)
    dispatcher.resume()
    notify("READY=1")
    end = float("inf")
    while not ends or (dispatcher.running and time.monotonic() < end):
        if not ends:
            dispatcher.fill()
        wait = dispatcher.housekeeping()
        for key, _ in dispatcher.select.select(GRACE / 10 if ends else wait):
            if key.fd in dispatcher.running:
                dispatcher.ended(key.fd)
            else:
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, 65536)
        # What came in is seen at the next look; so is what came while nobody told us.
        dispatcher.stale = True
        if ends and end == float("inf"):
            notify("STOPPING=1")
            end = time.monotonic() + GRACE


def main() -> None:
    """Is called as `dispatch.py CONFIG ATTEMPT`, the program that makes an attempt."""
    serve(Dispatcher(sys.argv[1], sys.argv[2]))


if __name__ == "__main__":
    main()
