"""What is wrong, who was told, who is to be told now: all of it computed, nothing done. Only the stdlib.

A probe gives an observation about a key, such as `unit comet.service`. So many bad ones in a row, or of
so long a time, make a problem, which every alarm is told once; a good one ends it, and those that were
told are told so. What is to be told waits in the outbox of each alarm until it was delivered.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

# What may wait for one alarm that cannot be delivered; of more the oldest goes.
OUTBOX = 200
# Characters of a problem that are told.
LONGEST = 500
# Seconds by which a clock is set, not only slewed.
STEP = 5.0


@dataclasses.dataclass(frozen=True)
class Observation:
    """What a probe saw."""

    key: str
    ok: bool
    text: str
    looks: int = 1  # bad ones in a row that make a problem
    seconds: float = 0  # and for how long


@dataclasses.dataclass
class Problem:
    """Something that was not as it must be at the last look."""

    text: str
    since: float
    bad: int = 0
    raised: bool = False


@dataclasses.dataclass(frozen=True)
class Channel:
    """When an alarm may be told again, in seconds; `remind` 0 is never."""

    every: float
    remind: float


@dataclasses.dataclass
class Told:
    """What an alarm was last told about a problem."""

    at: float
    text: str
    since: float
    open: bool = True


@dataclasses.dataclass(frozen=True)
class Change:
    """A line of a message."""

    kind: str  # raised, still, cleared, test
    key: str
    text: str
    since: float
    at: float


@dataclasses.dataclass
class Counters:
    """What the metrics have of the past."""

    looks: int = 0
    sent: dict[str, int] = dataclasses.field(default_factory=dict)
    undelivered: dict[str, int] = dataclasses.field(default_factory=dict)
    restarts: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class State:
    """All that is kept between looks."""

    began: float = 0
    problems: dict[str, Problem] = dataclasses.field(default_factory=dict)
    told: dict[str, dict[str, Told]] = dataclasses.field(default_factory=dict)
    outbox: dict[str, list[Change]] = dataclasses.field(default_factory=dict)
    counters: Counters = dataclasses.field(default_factory=Counters)
    # What probes remember, by probe and key.
    memory: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)

    def remembered(self, probe: str) -> dict[str, Any]:
        """What a probe keeps from look to look."""
        return self.memory.setdefault(probe, {})


def to_json(state: State) -> dict[str, Any]:
    """A state as JSON has it."""
    return dataclasses.asdict(state)


def from_json(data: Mapping[str, Any]) -> State:
    """A state that was written by `to_json`.

    Raises KeyError, TypeError, ValueError or AttributeError for anything else.
    """
    return State(
        began=float(data["began"]),
        problems={key: Problem(**problem) for key, problem in data["problems"].items()},
        told={alarm: {key: Told(**told) for key, told in keys.items()} for alarm, keys in data["told"].items()},
        outbox={alarm: [Change(**change) for change in changes] for alarm, changes in data["outbox"].items()},
        counters=Counters(**data["counters"]),
        memory={probe: dict(kept) for probe, kept in data["memory"].items()},
    )


def elapsed(now: float, then: float) -> float:
    """Seconds since then; endless where the clock was set back: nothing waits for a time that was wrong."""
    return now - then if then <= now else float("inf")


def follow(state: State, now: float, ticks: float) -> None:
    """Moves what is remembered along with a clock that was set since the last look; `ticks` is one that cannot be."""
    last = state.remembered("clock")
    passed = ticks - last.get("ticks", ticks)
    step = now - last.get("now", now) - passed
    # After a boot nobody knows how long it took.
    if passed >= 0 and abs(step) > STEP:
        for problem in state.problems.values():
            problem.since += step
        for kept in state.remembered("silence").values():
            kept["at"] += step
    last.update(now=now, ticks=ticks)


def observe(state: State, observation: Observation, now: float) -> None:
    """Takes one observation in; problems begin and end here."""
    if observation.ok:
        state.problems.pop(observation.key, None)
        return
    problem = state.problems.setdefault(observation.key, Problem("", now))
    problem.text = observation.text[:LONGEST]
    problem.since = min(problem.since, now)
    problem.bad += 1
    if problem.bad >= observation.looks and now - problem.since >= observation.seconds:
        problem.raised = True


def forget(state: State, known: Callable[[str], bool]) -> None:
    """Drops problems of what is not watched any more."""
    for key in [key for key in state.problems if not known(key)]:
        del state.problems[key]


def tell(state: State, channels: Mapping[str, Channel], now: float) -> None:
    """Puts into each outbox what that alarm is to be told."""
    for gone in (state.told.keys() | state.outbox.keys()) - channels.keys():
        state.told.pop(gone, None)
        state.outbox.pop(gone, None)
    raised = {key: problem for key, problem in state.problems.items() if problem.raised}
    for alarm, channel in channels.items():
        told = state.told.setdefault(alarm, {})
        outbox = state.outbox.setdefault(alarm, [])
        outbox.extend(_changes(raised, told, channel, alarm, now))
        del outbox[:-OUTBOX]


def _changes(
    raised: Mapping[str, Problem], told: dict[str, Told], channel: Channel, alarm: str, now: float
) -> Iterable[Change]:
    for key, problem in raised.items():
        last = told.get(key)
        # Nobody can be told by an alarm that the same alarm does not work.
        if key == undelivered(alarm) or not _due(last, channel, now):
            continue
        kind = "still" if last is not None and last.open else "raised"
        told[key] = Told(now, problem.text, problem.since)
        yield Change(kind, key, problem.text, problem.since, now)
    for key, last in list(told.items()):
        if key in raised:
            continue
        if last.open:
            last.open = False
            yield Change("cleared", key, last.text, last.since, now)
        elif elapsed(now, last.at) >= channel.every:
            del told[key]


def _due(last: Told | None, channel: Channel, now: float) -> bool:
    if last is None:
        return True
    if last.open:
        return channel.remind > 0 and elapsed(now, last.at) >= channel.remind
    return elapsed(now, last.at) >= channel.every


def undelivered(alarm: str) -> str:
    """The key of the problem that an alarm cannot be delivered."""
    return f"alarm {alarm}"


@dataclasses.dataclass(frozen=True)
class Node:
    """Who speaks."""

    name: str
    address: str
    generation: int


WORDS = {"raised": "PROBLEM", "still": "STILL", "cleared": "CLEARED", "test": "TEST"}


def subject(node: Node, changes: list[Change]) -> str:
    """What a message is about, on one line."""
    if len(changes) == 1:
        change = changes[0]
        what = change.text if change.kind != "cleared" else f"cleared: {change.text}"
        return one_line(f"{node.name}: {what}")[:200]
    counts = {kind: sum(change.kind == kind for change in changes) for kind in WORDS}
    names = {"raised": "new problems", "still": "old problems", "cleared": "cleared", "test": "tests"}
    return f"{node.name}: " + ", ".join(f"{n} {names[kind]}" for kind, n in counts.items() if n)


def message(node: Node, changes: list[Change], now: float) -> dict[str, Any]:
    """What an alarm is told, for people and for programs."""
    lines = [f"{WORDS[change.kind]}: {one_line(change.text)} ({_when(change)})" for change in changes]
    host = f"{node.name} ({node.address})" if node.address else node.name
    lines.append(f"\n{host}, generation {node.generation}, {utc(now)}")
    return {
        "node": node.name,
        "address": node.address,
        "generation": node.generation,
        "time": utc(now),
        "subject": subject(node, changes),
        "text": "\n".join(lines),
        "changes": [
            {"kind": c.kind, "key": one_line(c.key), "text": one_line(c.text), "since": utc(c.since)} for c in changes
        ],
    }


def _when(change: Change) -> str:
    until = f" until {utc(change.at)}" if change.kind == "cleared" else ""
    return f"since {utc(change.since)}{until}"


def utc(seconds: float) -> str:
    """A time as people and programs read it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def one_line(text: str) -> str:
    """The text without what could begin a line or a header of its own."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
