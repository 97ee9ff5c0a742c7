"""When something is a problem, and who is told what."""

from __future__ import annotations

import json

import problems
from problems import Channel, Node, Observation, State

HOUR = 3600.0
NOW = 1_000_000.0
OPS = {"ops": Channel(every=HOUR, remind=24 * HOUR)}
BAD = Observation("unit x", ok=False, text="x: failed")
GOOD = Observation("unit x", ok=True, text="")


def told(state: State, now: float, channels: dict[str, Channel] | None = None) -> list[str]:
    """What `ops` is told now; it is delivered."""
    problems.tell(state, channels or OPS, now)
    changes = state.outbox["ops"]
    state.outbox["ops"] = []
    return [f"{change.kind} {change.key}" for change in changes]


def test_a_problem_is_told_once_and_cleared_once() -> None:
    state = State()
    problems.observe(state, BAD, 0)
    assert told(state, 0) == ["raised unit x"]
    problems.observe(state, BAD, 60)
    assert told(state, 60) == []
    problems.observe(state, GOOD, 120)
    assert told(state, 120) == ["cleared unit x"]
    assert told(state, 180) == []


def test_so_many_looks_and_so_long_a_time() -> None:
    state = State()
    often = Observation("a", ok=False, text="a", looks=3)
    long = Observation("b", ok=False, text="b", seconds=100)
    for now in (0, 60, 99, 120):
        problems.observe(state, often, now)
        problems.observe(state, long, now)
    assert told(state, 99) == ["raised a", "raised b"]
    state = State()
    for now, ok in ((0, False), (60, False), (120, True), (180, False), (240, False)):
        problems.observe(state, Observation("a", ok=ok, text="a", looks=3), now)
    assert told(state, 240) == [], "not in a row"


def test_what_comes_and_goes_is_told_once_in_so_long() -> None:
    state = State()
    lines: list[tuple[int, str]] = []
    for now in range(0, 7300, 60):
        problems.observe(state, BAD if now // 60 % 2 == 0 else GOOD, now)
        lines += [(now, line) for line in told(state, now)]
    assert lines == [
        (0, "raised unit x"),
        (60, "cleared unit x"),
        (3600, "raised unit x"),
        (3660, "cleared unit x"),
        (7200, "raised unit x"),
        (7260, "cleared unit x"),
    ]


def test_what_stays_is_told_again() -> None:
    state = State()
    problems.observe(state, BAD, 0)
    assert told(state, 0) == ["raised unit x"]
    assert told(state, 23 * HOUR) == []
    assert told(state, 24 * HOUR) == ["still unit x"]
    never = {"ops": Channel(HOUR, 0)}
    assert told(state, 1000 * HOUR, never) == []


def test_a_clock_that_was_set_back_silences_nobody() -> None:
    state = State()
    problems.observe(state, BAD, 1e9)
    told(state, 1e9)
    problems.observe(state, GOOD, 1e9)
    told(state, 1e9)
    problems.observe(state, BAD, 1000)
    assert told(state, 1000) == ["raised unit x"]
    assert state.problems["unit x"].since == 1000


def test_each_alarm_has_its_own_time() -> None:
    state = State()
    channels = {"a": Channel(60, 0), "b": Channel(HOUR, 0)}
    for now, observation in ((0, BAD), (30, GOOD), (90, BAD)):
        problems.observe(state, observation, now)
        problems.tell(state, channels, now)
    assert [change.kind for change in state.outbox["a"]] == ["raised", "cleared", "raised"]
    assert [change.kind for change in state.outbox["b"]] == ["raised", "cleared"]


def test_what_cannot_be_delivered_waits_and_does_not_grow_for_ever() -> None:
    state = State()
    for n in range(problems.OUTBOX + 50):
        problems.observe(state, Observation(f"k{n}", ok=False, text=f"t{n}"), n)
        problems.tell(state, OPS, n)
    assert len(state.outbox["ops"]) == problems.OUTBOX
    assert state.outbox["ops"][-1].key == f"k{problems.OUTBOX + 49}"


def test_an_alarm_is_not_told_of_itself() -> None:
    state = State()
    channels = {"a": Channel(60, 0), "b": Channel(60, 0)}
    problems.observe(state, Observation(problems.undelivered("a"), ok=False, text="no"), 0)
    problems.tell(state, channels, 0)
    assert state.outbox["a"] == []
    assert [change.key for change in state.outbox["b"]] == ["alarm a"]


def test_what_is_watched_no_more_is_no_problem() -> None:
    state = State()
    problems.observe(state, BAD, 0)
    told(state, 0)
    problems.forget(state, lambda _: False)
    assert told(state, 60) == ["cleared unit x"]
    problems.tell(state, {}, 120)
    assert not state.told
    assert not state.outbox


def test_a_state_outlives_json() -> None:
    state = State(began=5)
    problems.observe(state, BAD, 0)
    problems.tell(state, OPS, 0)
    state.remembered("count")["x"] = {"files": 1}
    state.counters.sent["ops"] = 2
    assert problems.from_json(json.loads(json.dumps(problems.to_json(state)))) == state


def test_a_message_has_one_line_for_each_change() -> None:
    state = State()
    problems.observe(state, Observation("k", ok=False, text="first\r\nSubject: other\x1b[31m"), 0)
    problems.observe(state, BAD, 0)
    problems.tell(state, OPS, 0)
    changes = state.outbox["ops"]
    message = problems.message(Node("node1", "node1.example.org", 7), changes, 0)
    assert message["subject"] == "node1: 2 new problems"
    assert message["text"].splitlines() == [
        "PROBLEM: first Subject: other [31m (since 1970-01-01T00:00:00Z)",
        "PROBLEM: x: failed (since 1970-01-01T00:00:00Z)",
        "",
        "node1 (node1.example.org), generation 7, 1970-01-01T00:00:00Z",
    ]
    one = problems.message(Node("node1", "", 7), changes[:1], 0)
    assert one["subject"] == "node1: first Subject: other [31m"


def test_what_is_remembered_goes_along_with_a_clock_that_is_set() -> None:
    state, year = State(), 365 * 86400.0
    lost = Observation("upstream x", ok=False, text="lost", seconds=600)
    kept = state.remembered("silence").setdefault("any", {"at": NOW - 100})
    problems.follow(state, NOW, 50)
    problems.observe(state, lost, NOW)
    # The clock was wrong at boot, and is put right: it was silent for no longer than it was.
    problems.follow(state, NOW + year + 60, 110)
    problems.observe(state, lost, NOW + year + 60)
    assert not state.problems["upstream x"].raised
    assert kept["at"] == NOW + year - 100
    problems.follow(state, NOW + year + 121, 170)
    assert kept["at"] == NOW + year - 100, "a clock that is slewed is not set"
    # After a boot it is another clock.
    problems.follow(state, NOW + year + 500, 3)
    assert kept["at"] == NOW + year - 100
