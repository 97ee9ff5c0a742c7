"""Whole looks: what is kept, told, fetched and asked for, and what the metrics say of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import alarms
import monitor
import probes
import pytest
from problems import Observation
from prometheus_client.parser import text_string_to_metric_families

NOW = 1_000_000.0
BAD = Observation("unit comet.service", ok=False, text="comet.service: no greeting")
GOOD = Observation("unit comet.service", ok=True, text="")


class World:
    """A monitor with what it would do written down."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.told: list[tuple[str, list[str]]] = []
        self.pings = 0
        self.broken: set[str] = set()
        self.partly: set[str] = set()
        self.seen = probes.Seen()
        self.greets = False
        common = {"kind": "mail", "every": 3600, "remind": 0}
        self.config: dict[str, Any] = {
            "node": "node1",
            "address": None,
            "state": str(folder),
            "spare": str(folder / "spare"),
            "restart": str(folder),
            "restart_after": 2,
            "restartable": ["comet.service"],
            "upstream_down": 600,
            "heartbeat": "beat",
            "alarms": {"a": {**common}, "b": {**common}},
            "watch": {"x": {"unit": "comet.service"}},
            "upstreams": {},
            "silence": {},
        }
        (folder / "spare").mkdir()
        (folder / "beat").write_text("https://beat.example.org/x\n", encoding="utf-8")
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
        monkeypatch.setattr(probes, "look", lambda _: self.seen)
        monkeypatch.setattr(probes, "greets", lambda _: self.greets)
        monkeypatch.setattr(alarms, "deliver", self.deliver)
        monkeypatch.setattr(alarms, "fetch", self.fetch)

    def deliver(self, alarm: Mapping[str, Any], message: Mapping[str, Any], _secrets: Path) -> None:
        """Delivers, or does not."""
        (name,) = (name for name, known in self.config["alarms"].items() if known is alarm)
        if name in self.broken:
            raise alarms.UndeliveredError("no route")
        self.told.append((name, [f"{c['kind']} {c['key']}" for c in message["changes"]]))
        if name in self.partly:
            raise alarms.PartlyError("one of them is refused")

    def fetch(self, url: str, _alarm: Mapping[str, Any]) -> None:
        """A ping."""
        assert url == "https://beat.example.org/x"
        self.pings += 1

    def look(self, now: float, *observations: Observation, **seen: Any) -> monitor.Monitor:
        """A look at which this is seen."""
        self.seen = probes.Seen(observations=list(observations), **seen)
        one = monitor.Monitor(self.config, now)
        one.look()
        return one

    def new(self) -> list[tuple[str, list[str]]]:
        """What was told since the last time."""
        told, self.told = sorted(self.told), []
        return told

    def metrics(self) -> dict[str, float]:
        """The numbers, as a parser of Prometheus' own reads them."""
        text = (self.folder / "metrics.prom").read_text(encoding="utf-8")
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {f"{s.name}{json.dumps(s.labels)}" if s.labels else s.name: s.value for s in samples}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which all is well."""
    # The threads of a delivery would hide what fails in a test.
    monkeypatch.setattr(probes, "in_time", in_turn)
    return World(tmp_path, monkeypatch)


def in_turn(jobs: Mapping[str, Any], _seconds: float) -> dict[str, Any]:
    """Runs jobs one after the other."""
    results: dict[str, Any] = {}
    for name, job in jobs.items():
        try:
            results[name] = job()
        except alarms.UndeliveredError as error:
            results[name] = error
    return results


def test_pings_come_while_all_is_well(world: World) -> None:
    world.look(NOW, GOOD)
    assert world.pings == 1
    world.look(NOW + 60, BAD)
    world.look(NOW + 120, Observation("unit comet.service", ok=False, text="once", looks=3))
    assert world.pings == 1, "not even while it is no problem yet"
    world.look(NOW + 180, GOOD)
    assert world.pings == 2


def test_each_alarm_is_told_over_several_looks(world: World) -> None:
    world.look(NOW, BAD)
    assert world.new() == [("a", ["raised unit comet.service"]), ("b", ["raised unit comet.service"])]
    world.look(NOW + 60, BAD)
    assert world.new() == []
    world.look(NOW + 120, GOOD)
    assert world.new() == [("a", ["cleared unit comet.service"]), ("b", ["cleared unit comet.service"])]


def test_what_cannot_be_delivered_is_tried_again_and_counted(world: World) -> None:
    world.broken = {"a"}
    world.look(NOW, BAD)
    assert world.new() == [("b", ["raised unit comet.service"])]
    world.look(NOW + 60, GOOD)
    assert world.new() == [("b", ["raised alarm a", "cleared unit comet.service"])]
    assert world.pings == 0, "that one cannot be told is not well"
    undelivered = 'voevent_monitor_alarms_undelivered_total{"alarm": "a"}'
    assert world.metrics()[undelivered] == 2
    assert world.metrics()['voevent_monitor_alarms_waiting{"alarm": "a"}'] == 2
    world.broken = set()
    world.look(NOW + 120, GOOD)
    assert world.new() == [("a", ["raised unit comet.service", "cleared unit comet.service"])]
    world.look(NOW + 180, GOOD)
    assert world.new() == [("b", ["cleared alarm a"])]
    assert world.metrics()[undelivered] == 2


def test_who_was_told_is_not_told_again_for_another(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.partly = {"a"}
    world.look(NOW, BAD)
    world.look(NOW + 60, BAD)
    assert world.new() == [("a", ["raised unit comet.service"]), ("b", ["raised unit comet.service"])]
    assert capsys.readouterr().err.count("<3>alarm `a`: one of them is refused") == 1


def test_a_disk_that_takes_nothing_is_told_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Observation("watch x", ok=False, text="0 MiB are free")
    real = monitor.replace

    def replace(path: Path, text: str) -> None:
        if path.parent == world.folder:
            raise OSError(28, "No space left on device")
        real(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(monitor, "replace", replace)
        world.look(NOW, full)
        assert world.new() == [("a", ["raised watch x"]), ("b", ["raised watch x"])]
        world.look(NOW + 60, full)
        assert world.new() == []
        assert not monitor.status(world.config)
    world.look(NOW + 120)
    world.look(NOW + 180, GOOD)
    assert not (world.folder / "spare" / "state.json").exists()
    assert monitor.Monitor(world.config, NOW).state.counters.looks == 4


def test_a_look_that_dies_while_it_tells_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr(alarms, "deliver", die)
        with pytest.raises(SystemExit):
            world.look(NOW, BAD)
    world.look(NOW + 60, BAD)
    assert [changes for _, changes in world.new()] == [["raised unit comet.service"]] * 2


def test_a_look_that_cannot_see_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(_: object) -> probes.Seen:
        raise OSError("no bus")

    with monkeypatch.context() as patch:
        patch.setattr(probes, "look", blind)
        world.look(NOW)
    assert world.new()[0] == ("a", ["raised monitor"])
    world.look(NOW + 60)
    assert world.new()[0] == ("a", ["cleared monitor"])


DAMAGED = ["", "{", "[]", "{}", '{"began": "x"}', '{"began": 1, "problems": {"a": 5}}']


@pytest.mark.parametrize("text", DAMAGED)
def test_a_state_that_is_damaged_begins_anew(world: World, text: str) -> None:
    (world.folder / "state.json").write_text(text, encoding="utf-8")
    world.look(NOW, BAD)
    assert world.new()[0] == ("a", ["raised unit comet.service"])
    assert (world.folder / "state.bad").read_text(encoding="utf-8") == text


def restarts(world: World) -> int:
    """How often root was asked, which is by a file."""
    asked = world.folder / "comet.service"
    if not asked.exists():
        return 0
    asked.unlink()
    return 1


def test_a_frozen_broker_is_restarted(world: World) -> None:
    world.look(NOW, BAD, frozen=["comet.service"])
    assert restarts(world) == 0
    world.look(NOW + 30, BAD, frozen=["comet.service"])
    assert restarts(world) == 1
    world.look(NOW + 60, BAD, frozen=["comet.service"])
    world.look(NOW + 89, BAD, frozen=["comet.service"])
    assert restarts(world) == 0, "it was a moment ago"
    world.look(NOW + 120, BAD, frozen=["comet.service"])
    world.look(NOW + 150, BAD, frozen=["comet.service"])
    assert restarts(world) == 1
    assert world.metrics()['voevent_monitor_restarts_total{"unit": "comet.service"}'] == 2
    world.config["restart_after"] = 0
    for n in range(6):
        world.look(NOW + 900 + n * 60, BAD, frozen=["comet.service"])
    assert restarts(world) == 0


def test_nothing_else_is_restarted(world: World) -> None:
    for n in range(4):
        world.look(NOW + n * 60, BAD, frozen=["../ssh.service", "ssh.service"])
    assert not (world.folder.parent / "ssh.service").exists()
    assert not (world.folder / "ssh.service").exists()


def test_a_broker_is_restarted_for_an_upstream_that_would_answer(world: World) -> None:
    lost = [("comet.service", "up.example.org:8099")]
    world.look(NOW, GOOD, lost=lost)
    assert restarts(world) == 0, "it does not answer us either"
    world.greets = True
    world.look(NOW + 599, GOOD, lost=lost)
    assert restarts(world) == 0
    world.look(NOW + 600, GOOD, lost=lost)
    assert restarts(world) == 1
    world.look(NOW + 660, GOOD, lost=lost)
    assert restarts(world) == 0


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ({"ActiveState": "failed", "Result": "exit-code", "Restart": "no"}, True),
        # It was started again for the next event, by a path.
        ({"ActiveState": "activating", "Result": "success", "Restart": "no"}, True),
        ({"ActiveState": "failed", "Result": "start-limit-hit", "Restart": "always"}, True),
        # systemd starts it again, and looks see whether that helps.
        ({"ActiveState": "activating", "SubState": "auto-restart", "Restart": "always"}, False),
        ({"ActiveState": "active", "Restart": "on-failure"}, False),
    ],
)
def test_a_unit_that_fails_is_told_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, shown: dict[str, str], told: object
) -> None:
    monkeypatch.setattr(probes, "show_units", lambda names: dict.fromkeys(names, shown))
    monitor.Monitor(world.config, NOW).failed("comet.service")
    assert bool(world.new()) is told


def test_a_unit_that_fails_is_told_though_systemd_says_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: list[str]) -> dict[str, dict[str, str]]:
        raise OSError("no bus")

    monkeypatch.setattr(probes, "show_units", nothing)
    monitor.Monitor(world.config, NOW).failed("comet.service")
    assert len(world.new()) == 2


def test_a_test_reaches_all_or_says_so(world: World) -> None:
    assert monitor.Monitor(world.config, NOW).test()
    assert world.new() == [("a", ["test test"]), ("b", ["test test"])]
    world.broken = {"b"}
    assert not monitor.Monitor(world.config, NOW).test()
    world.config["alarms"] = {}
    assert not monitor.Monitor(world.config, NOW).test()


def test_the_status_is_printed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.look(NOW, BAD)
    assert not monitor.status(world.config)
    world.look(NOW + 60, GOOD)
    assert monitor.status(world.config)
    out = capsys.readouterr().out
    assert out == "PROBLEM: comet.service: no greeting (since 1970-01-12T13:46:40Z)\n"


def test_metrics_say_what_was_seen(world: World) -> None:
    up = ("voevent_up", (("probe", "vtp"), ("unit", 'a"b\\c\n')), 0.0)
    world.look(NOW, BAD, samples=[up, ("voevent_silence_seconds", (), 5.5)])
    metrics = world.metrics()
    labels = json.dumps({"probe": "vtp", "unit": 'a"b\\c\n'})
    assert metrics[f"voevent_up{labels}"] == 0
    assert metrics["voevent_silence_seconds"] == 5.5
    assert metrics['voevent_problem{"key": "unit comet.service"}'] == 1
    assert metrics['voevent_monitor_alarms_sent_total{"alarm": "a"}'] == 1
    assert metrics["voevent_monitor_looks_total"] == 1
    assert metrics["voevent_monitor_look_timestamp_seconds"] == NOW
