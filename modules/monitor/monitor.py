"""One look at the node: what is wrong is told to people, once. Standard library only.

    look          what the timer starts: looks at everything, tells, writes the metrics, says that it lives
    failed UNIT   what systemd starts when a unit failed: tells at once
    test          sends a test by every alarm; fails where one cannot be delivered
    status        prints what is wrong now

Nothing is kept in memory between looks, so nothing can go astray there; systemd ends a look that hangs.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import alarms
import probes
import problems
from problems import Change, Channel, Node, Observation, State

# Seconds that all deliveries of a look may take.
DELIVERY = 40.0
# Seconds in which one broker is restarted once at most, not counting the looks at which it did not answer.
RESTART = 60.0
GENERATION = Path("/var/lib/voevent/current")


def log(level: int, text: str) -> None:
    """Writes a line to the journal: 3 error, 4 warning, 5 notice."""
    print(f"<{level}>{problems.one_line(text)}", file=sys.stderr, flush=True)


def replace(path: Path, text: str) -> None:
    """Writes a file whole, or not at all; also when the power goes."""
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Monitor:
    """The monitor of this host, with its state."""

    def __init__(self, config: Mapping[str, Any], now: float) -> None:
        self.config = config
        self.now = now
        self.folder = Path(config["state"])
        self.spare = Path(config["spare"]) / "state.json"
        self.secrets = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent"))
        self.channels = {name: Channel(a["every"], a["remind"]) for name, a in config["alarms"].items()}
        self.state = self._load()
        self.node = Node(config["node"], config["address"] or "", generation())

    def _load(self) -> State:
        # In memory lies what the disk did not take.
        for path in (self.spare, self.folder / "state.json"):
            try:
                return read_state(path)
            except FileNotFoundError:
                pass
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                log(4, f"`{path}` cannot be read and begins anew: {alarms.said(error)}")
                with contextlib.suppress(OSError):
                    path.rename(path.with_suffix(".bad"))
        return State(began=self.now)

    def save(self) -> None:
        """Writes the state: where the disk is full or takes nothing, that is no reason to tell nobody."""
        text = json.dumps(problems.to_json(self.state), indent=1) + "\n"
        try:
            replace(self.folder / "state.json", text)
            self.spare.unlink(missing_ok=True)
        except OSError as error:
            log(3, f"the state stays in memory, until it can be written: {error}")
            with contextlib.suppress(OSError):
                replace(self.spare, text)

    def look(self) -> None:
        """Looks, tells, and acts."""
        started = time.monotonic()
        problems.follow(self.state, self.now, time.clock_gettime(time.CLOCK_BOOTTIME))
        before = {key for key, problem in self.state.problems.items() if problem.raised}
        try:
            seen = probes.look(probes.Look(self.config, self.state, self.now, probes.came_up(self.now)))
        except Exception as error:  # noqa: BLE001 - whatever it is, people are to know it
            seen = probes.Seen()
            said = alarms.said(error)
            seen.observations.append(Observation("monitor", ok=False, text=f"cannot look: {said}"))
        else:
            problems.observe(self.state, Observation("monitor", ok=True, text=""), self.now)
        for observation in seen.observations:
            problems.observe(self.state, observation, self.now)
        known = probes.watched(self.config)
        problems.forget(self.state, lambda key: key == "monitor" or known(key))
        self._note(before)
        self.state.counters.looks += 1
        self._restart(seen)
        self.tell()
        well = not self.state.problems
        if well:
            self._heartbeat()
        self.save()
        seen.sample("monitor_look_seconds", time.monotonic() - started)
        try:
            replace(self.folder / "metrics.prom", exposition(self, seen))
        except OSError as error:
            log(3, f"cannot write the numbers: {error}")

    def _note(self, before: set[str]) -> None:
        for key, problem in self.state.problems.items():
            if problem.raised and key not in before:
                log(4, f"problem: {problem.text}")
        for key in sorted(before - self.state.problems.keys()):
            log(5, f"cleared: {key}")

    def failed(self, unit: str) -> None:
        """Tells that a unit failed."""
        shown: Mapping[str, str] = {}
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            shown = probes.show_units([unit])[unit]
        # What systemd starts again by itself is for the looks to see: some versions of it say so each time.
        if shown.get("Restart", "no") != "no" and shown.get("ActiveState") != "failed":
            return
        # It may be up again by now, for the next event; that it failed is told nevertheless.
        result = shown.get("Result", "success")
        text = f"{unit}: failed" + (f" ({result})" if result != "success" else "")
        log(4, f"problem: {text}")
        self._problem(f"unit {unit}", text)
        self.state.problems[f"unit {unit}"].raised = True
        self.tell()

    def _problem(self, key: str, text: str) -> None:
        problems.observe(self.state, Observation(key, ok=False, text=text), self.now)

    def tell(self) -> None:
        """Tells every alarm what it is to know; what cannot be delivered waits for the next look."""
        problems.tell(self.state, self.channels, self.now)
        # Before the first delivery: should we be ended in the midst of one, the others are not forgotten.
        self.save()
        waiting = {name: list(changes) for name, changes in self.state.outbox.items() if changes}
        for name, error in self.deliver(waiting).items():
            key = problems.undelivered(name)
            counters = self.state.counters
            if isinstance(error, alarms.PartlyError):
                log(3, f"alarm `{name}`: {error}")
            if error is None or isinstance(error, alarms.PartlyError):
                del self.state.outbox[name][: len(waiting[name])]
                counters.sent[name] = counters.sent.get(name, 0) + 1
                self.state.problems.pop(key, None)
            else:
                counters.undelivered[name] = counters.undelivered.get(name, 0) + 1
                log(3, f"alarm `{name}` cannot be delivered, and is tried again: {error}")
                self._problem(key, f"alarm `{name}` cannot be delivered: {error}")
        self.save()

    def deliver(self, waiting: Mapping[str, list[Change]]) -> dict[str, Exception | None]:
        """Delivers to these alarms; what went wrong with each."""

        def job(name: str) -> None:
            message = problems.message(self.node, waiting[name], self.now)
            alarms.deliver(self.config["alarms"][name], message, self.secrets)

        jobs = {name: (lambda name=name: job(name)) for name in waiting}
        return probes.in_time(jobs, DELIVERY) if jobs else {}

    def _heartbeat(self) -> None:
        heartbeat = self.config["heartbeat"]
        if heartbeat is None:
            return
        try:
            alarms.fetch(alarms.secret(self.secrets, heartbeat), {"ca": None})
        except (alarms.UndeliveredError, OSError) as error:
            log(4, f"the address of `heartbeat_url` cannot be fetched: {error}")

    def _restart(self, seen: probes.Seen) -> None:
        """Asks root, by touching a file, to restart a broker that does not answer, or does not reconnect."""
        after = self.config["restart_after"]
        if not after:
            return
        kept = self.state.remembered("restart")
        for unit in seen.frozen:
            problem = self.state.problems.get(f"unit {unit}")
            often = problem is not None and problem.bad >= after and problem.bad % after == 0
            if often and unit in self.config["restartable"]:
                self._ask(unit, "it does not answer", kept, RESTART)
        for unit, to in seen.lost:
            if unit in self.config["restartable"] and self._due(unit, kept, self.config["upstream_down"]):
                if probes.greets(to):
                    self._ask(unit, f"{to} would answer it", kept, 0)
                else:
                    kept[unit] = self.now

    def _due(self, unit: str, kept: Mapping[str, float], seconds: float) -> bool:
        return unit not in kept or problems.elapsed(self.now, kept[unit]) >= seconds

    def _ask(self, unit: str, why: str, kept: dict[str, float], seconds: float) -> None:
        if not self._due(unit, kept, seconds):
            return
        log(4, f"{unit} is to be restarted: {why}")
        kept[unit] = self.now
        restarts = self.state.counters.restarts
        restarts[unit] = restarts.get(unit, 0) + 1
        try:
            (Path(self.config["restart"]) / unit).write_bytes(b"")
        except OSError as error:
            log(3, f"cannot ask for a restart of {unit}: {error}")

    def test(self) -> bool:
        """Sends a test by every alarm; whether all were delivered."""
        text = "this is a test: nothing is wrong"
        change = Change("test", "test", text, self.now, self.now)
        if not self.channels:
            log(3, "no alarm is set: nobody would be told anything")
            return False
        results = self.deliver({name: [change] for name in self.channels})
        for name, error in results.items():
            log(5 if error is None else 3, f"alarm `{name}`: {error or 'delivered'}")
        return all(error is None for error in results.values())


def read_state(path: Path) -> State:
    """The state that was written there.

    Raises OSError, and what `from_json` raises.
    """
    return problems.from_json(json.loads(path.read_text(encoding="utf-8")))


def generation() -> int:
    """The number of the generation that runs; 0 where there is none."""
    try:
        return int(GENERATION.readlink().name)
    except (OSError, ValueError):
        return 0


HELP = {
    "up": "1 where what is watched is as it must be.",
    "unit_restarts": "How often systemd restarted the unit since it was started.",
    "upstream_connected": "1 where the unit is connected to the upstream.",
    "queue_files": "Files that wait in a queue.",
    "queue_oldest_seconds": "Age of the oldest file of a queue.",
    "files": "Files in a folder that should not fill.",
    "file_age_seconds": "Age of a file that should be written again and again.",
    "disk_free_bytes": "Bytes that are free.",
    "silence_seconds": "Since the last event of a kind.",
    "generation": "The generation that runs.",
    "problem": "1 for each problem that was raised.",
    "monitor_look_seconds": "How long the last look took.",
    "monitor_look_timestamp_seconds": "When the last look ended.",
    "monitor_looks_total": "Looks since the first.",
    "monitor_alarms_sent_total": "Messages that were delivered.",
    "monitor_alarms_undelivered_total": "Tries to deliver a message that failed.",
    "monitor_alarms_waiting": "Changes that an alarm is still to be told.",
    "monitor_restarts_total": "Restarts that were asked for.",
}


def exposition(monitor: Monitor, seen: probes.Seen) -> str:
    """The numbers of this look, in the text format of Prometheus."""
    counters = monitor.state.counters
    seen.sample("generation", monitor.node.generation)
    seen.sample("monitor_look_timestamp_seconds", monitor.now)
    seen.sample("monitor_looks_total", counters.looks)
    for key, problem in monitor.state.problems.items():
        if problem.raised:
            seen.sample("problem", 1, key=key)
    for name in monitor.channels:
        seen.sample("monitor_alarms_sent_total", counters.sent.get(name, 0), alarm=name)
        seen.sample("monitor_alarms_undelivered_total", counters.undelivered.get(name, 0), alarm=name)
        seen.sample("monitor_alarms_waiting", len(monitor.state.outbox.get(name, [])), alarm=name)
    for unit in monitor.config["restartable"]:
        seen.sample("monitor_restarts_total", counters.restarts.get(unit, 0), unit=unit)
    lines = []
    for name, what in HELP.items():
        full = f"voevent_{name}"
        samples = [(labels, value) for sample, labels, value in seen.samples if sample == full]
        if samples:
            lines += [f"# HELP {full} {what}", f"# TYPE {full} {kind(full)}"]
            lines += [f"{full}{braces(labels)} {value!r}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def kind(name: str) -> str:
    """The type of a metric, which its name tells."""
    return "counter" if name.endswith("_total") else "gauge"


def braces(labels: probes.Labels) -> str:
    """Labels as the text format has them."""
    escaped = ((k, v.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for k, v in labels)
    written = ",".join(f'{key}="{value}"' for key, value in escaped)
    return f"{{{written}}}" if written else ""


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Waits until no other of us looks or tells."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def status(config: Mapping[str, Any]) -> bool:
    """Prints what is wrong; whether nothing is."""
    spare = Path(config["spare"]) / "state.json"
    state = read_state(spare if spare.exists() else Path(config["state"]) / "state.json")
    for _, problem in sorted(state.problems.items()):
        word = "PROBLEM" if problem.raised else "not yet a problem"
        print(f"{word}: {problems.one_line(problem.text)} (since {problems.utc(problem.since)})")
    return not state.problems


def main(config_path: str, words: list[str]) -> int:
    """Does what the words say; the exit code."""
    config = json.loads(Path(config_path).read_text(encoding="utf-8"))
    if words == ["status"]:
        return 0 if status(config) else 1
    # In memory: this goes on where a disk takes nothing any more.
    with alone(Path(config["spare"])):
        monitor = Monitor(config, time.time())
        if words == ["test"]:
            return 0 if monitor.test() else 1
        if len(words) == 2 and words[0] == "failed":
            monitor.failed(words[1])
            return 0
        monitor.look()
    return 0
