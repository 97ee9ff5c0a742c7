"""What is looked at: units, brokers, upstreams, silence, and what is in `folders`. Standard library only.

Each probe gives observations, and samples for the metrics. Nothing here changes anything but what the
probes remember.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import re
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from folders import FOLDERS, judge, span
from problems import Observation, State, utc

# Seconds: how long a broker may take to answer, and any probe to end.
ANSWER = 5
PROBE = 20.0
# Seconds after a boot in which services do what they are there for.
SETTLE = 90.0
# Bytes of the numbers of a service that are read.
NUMBERS = 4 << 20
SWITCH = "/var/lib/voevent/bin/voevent-switch"
# Addresses that are remembered of a name, for the name server may be what is down.
ADDRESSES = 16

Labels = tuple[tuple[str, str], ...]


@dataclasses.dataclass
class Seen:
    """What the probes of one look gave."""

    observations: list[Observation] = dataclasses.field(default_factory=list)
    samples: list[tuple[str, Labels, float]] = dataclasses.field(default_factory=list)
    # Brokers that are up for systemd and do not answer.
    frozen: list[str] = dataclasses.field(default_factory=list)
    # Units that are not connected, and to what.
    lost: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def sample(self, name: str, value: float, **labels: str) -> None:
        """A number for the metrics."""
        self.samples.append((f"voevent_{name}", tuple(sorted(labels.items())), float(value)))


@dataclasses.dataclass(frozen=True)
class Look:
    """What a look is made with."""

    config: Mapping[str, Any]
    state: State
    now: float
    # When the host had come up: nobody did anything about files that are older.
    up_since: float = 0.0
    seen: Seen = dataclasses.field(default_factory=Seen)

    def age(self, of: float) -> float:
        """How long something has been so, while the host was up."""
        return max(0.0, self.now - max(of, self.up_since))


def came_up(now: float) -> float:
    """When the host had come up, and had a little time: after a boot its old files are not yet a problem."""
    return now - time.clock_gettime(time.CLOCK_BOOTTIME) + SETTLE


def in_time(jobs: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, Any]:
    """Runs jobs at once; what each gave, or its exception: TimeoutError where it hangs."""
    results: dict[str, Any] = {name: TimeoutError(f"no end within {seconds:.0f} s") for name in jobs}

    def run(name: str, job: Callable[[], Any]) -> None:
        try:
            result = job()
        except Exception as error:  # noqa: BLE001 - it is the result
            result = error
        results[name] = result

    end = time.monotonic() + seconds
    threads = [threading.Thread(target=run, args=job, daemon=True) for job in jobs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return dict(results)


def look(with_: Look) -> Seen:
    """Looks at everything."""
    watch: Mapping[str, Any] = with_.config["watch"]
    upstreams: Mapping[str, Any] = with_.config["upstreams"]
    names = {w["unit"] for w in watch.values() if w["unit"]} | {u["unit"] for u in upstreams.values()}
    units = show_units(sorted(names))
    jobs: dict[str, Callable[[], Any]] = {}
    for key, w in watch.items():
        if w["probe"] in ("vtp", "vtp-nak") and active(units.get(w["unit"], {})):
            jobs[f"answers {key}"] = functools.partial(answers, w["probe"], w["port"])
        elif w["probe"] in FOLDERS:
            jobs[f"folder {key}"] = functools.partial(FOLDERS[w["probe"]], Path(w["path"]))
        elif w["probe"] == "clock":
            jobs[f"clock {key}"] = synchronised
    for key, u in upstreams.items():
        jobs[f"name {key}"] = functools.partial(resolve, u["to"])
    results = in_time(jobs, PROBE)
    _units(with_, units, results)
    for key, w in watch.items():
        if w["probe"] in FOLDERS:
            judge(with_, key, w, results[f"folder {key}"])
        elif w["probe"] == "clock":
            _clock(with_, key, w, results[f"clock {key}"])
    _upstreams(with_, units, results)
    _silence(with_)
    return with_.seen


# Units and brokers.


def show_units(names: list[str]) -> dict[str, dict[str, str]]:
    """What systemd says of units.

    Raises OSError or subprocess.SubprocessError where it says nothing.
    """
    if not names:
        return {}
    properties = "Id,LoadState,ActiveState,SubState,Result,Type,RemainAfterExit,Restart,NRestarts,UID"
    words = ["systemctl", "show", "--no-pager", "-p", properties, "--", *names]
    done = subprocess.run(words, capture_output=True, timeout=PROBE, check=True, text=True)
    blocks = [dict(line.split("=", 1) for line in b.splitlines()) for b in done.stdout.split("\n\n") if b]
    return dict(zip(names, blocks, strict=True))


def active(unit: Mapping[str, str]) -> bool:
    """Whether it is up."""
    return unit.get("ActiveState") in ("active", "reloading", "refreshing")


def synchronised() -> bool:
    """Whether a time daemon synchronised the clock: as the kernel knows, or as chrony says where it may not set it.

    Raises OSError or subprocess.SubprocessError where nobody says anything.
    """
    asked = ["timedatectl", "show", "-p", "NTPSynchronized", "--value"]
    if subprocess.run(asked, capture_output=True, timeout=ANSWER, check=True, text=True).stdout.strip() == "yes":
        return True
    asked = ["chronyc", "-h", "127.0.0.1", "-c", "tracking"]
    said = subprocess.run(asked, capture_output=True, timeout=ANSWER, check=False, text=True).stdout.strip()
    return said.endswith((",Normal", ",Insert second", ",Delete second"))


def _clock(with_: Look, key: str, w: Mapping[str, Any], result: object) -> None:
    ok = result is True
    with_.seen.sample("up", ok, unit=w["unit"] or "", probe="clock", watch=key)
    why = f": {result}" if isinstance(result, Exception) else ""
    text = f"no time daemon has synchronised the clock for {span(w['older_than'])}{why}"
    with_.seen.observations.append(Observation(f"watch {key}", ok, text, seconds=w["older_than"]))


def unit_trouble(unit: Mapping[str, str], restarts: int | None, *, must_run: bool) -> str | None:
    """What is wrong with a unit, given how often systemd had restarted it at the last look."""
    state = unit.get("ActiveState", "unknown")
    if unit.get("LoadState") == "masked":
        return "is masked"
    if state == "failed":
        return f"failed ({unit.get('Result', 'unknown')})"
    # One that stays active when it has done its work is a setting of the host, as a firewall: it must hold.
    passes = unit.get("Type") == "oneshot" and unit.get("RemainAfterExit") != "yes"
    if must_run and not passes and not active(unit):
        return f"is {state} ({unit.get('SubState', 'unknown')})"
    now = int(unit.get("NRestarts") or 0)
    if restarts is not None and now > restarts:
        return f"ended and was started again, {now} times by now"
    return None


def answers(probe: str, port: int) -> str | None:
    """Asks a broker as the checks of a switch do; what is wrong, or nothing."""
    words = [SWITCH, "probe", probe, "--port", str(port), "--wait", f"{ANSWER}s"]
    done = subprocess.run(words, capture_output=True, timeout=PROBE - 5, check=False, text=True)
    if done.returncode == 0:
        return None
    said = " ".join(done.stderr.split()).removeprefix("error: ")
    return said or f"the probe `{probe}` of port {port} ended with {done.returncode}"


def _units(with_: Look, units: Mapping[str, Mapping[str, str]], results: Mapping[str, Any]) -> None:
    config, seen = with_.config, with_.seen
    restarts = with_.state.remembered("restarts")
    asked: dict[str, list[tuple[str, str, Any]]] = {name: [] for name in units}
    for key, w in config["watch"].items():
        if w["unit"]:
            asked[w["unit"]].append((key, w["probe"], results.get(f"answers {key}")))
    for name, unit in units.items():
        probes = [probe for _, probe, _ in asked[name]]
        must_run = any(probe in ("unit", "vtp", "vtp-nak") for probe in probes)
        trouble = unit_trouble(unit, restarts.get(name), must_run=must_run)
        restarts[name] = int(unit.get("NRestarts") or 0)
        seen.sample("up", trouble is None, unit=name, probe="unit")
        seen.sample("unit_restarts", restarts[name], unit=name)
        wrong = [trouble] if trouble else []
        for key, probe, result in asked[name]:
            if probe in ("vtp", "vtp-nak"):
                seen.sample("up", result is None and active(unit), unit=name, probe=probe, watch=key)
                wrong += [str(result)] if result is not None else []
        if wrong and trouble is None:
            seen.frozen.append(name)
        text = f"{name}: {'; '.join(wrong)}" if wrong else ""
        at_once = unit.get("ActiveState") == "failed"
        seen.observations.append(Observation(f"unit {name}", not wrong, text, 1 if at_once else config["fail_after"]))


# Upstreams.


def resolve(to: str) -> list[str]:
    """The addresses of a HOST:PORT.

    Raises OSError.
    """
    host, _, port = to.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    return sorted({str(address[4][0]) for address in found})


def established(tables: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
    """The other ends of all connections, and who has each: of the texts of /proc/net/tcp and tcp6."""
    for table in tables.values():
        for line in table.splitlines()[1:]:
            fields = line.split()
            if fields[3] != "01":
                continue
            address, port = fields[2].split(":")
            # Words of 32 bits, each as the processor has it.
            words = [struct.pack("=I", int(address[i : i + 8], 16)) for i in range(0, len(address), 8)]
            raw = b"".join(words)
            family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
            text = socket.inet_ntop(family, raw).removeprefix("::ffff:")
            yield text, int(port, 16), int(fields[7])


def greets(to: str) -> bool:
    """Whether a broker greets us there: a message with its length in four bytes."""
    host, _, port = to.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), ANSWER) as connection:
            connection.settimeout(ANSWER)
            return len(connection.recv(4, socket.MSG_WAITALL)) == 4
    except OSError:
        return False


def connections() -> list[tuple[str, int, int]]:
    """All connections of this host."""
    paths = {name: Path(f"/proc/self/net/{name}") for name in ("tcp", "tcp6")}
    return list(established({name: p.read_text(encoding="ascii") for name, p in paths.items() if p.exists()}))


def _upstreams(with_: Look, units: Mapping[str, Mapping[str, str]], results: Mapping[str, Any]) -> None:
    upstreams: Mapping[str, Any] = with_.config["upstreams"]
    here = connections() if upstreams else []
    known = with_.state.remembered("addresses")
    waits = with_.config["upstream_down"]
    for key, u in upstreams.items():
        unit = units.get(u["unit"], {})
        found = results[f"name {key}"]
        addresses = [*(found if isinstance(found, list) else []), *known.get(key, [])]
        known[key] = list(dict.fromkeys(addresses))[:ADDRESSES]
        port = int(u["to"].rpartition(":")[2])
        mine = {a for a, p, uid in here if p == port and str(uid) == unit.get("UID")}
        connected = bool(mine & set(known[key]))
        with_.seen.sample("upstream_connected", connected, upstream=u["to"], unit=u["unit"])
        name = f"upstream {key}"
        if not connected and not active(unit):
            continue
        why = "" if known[key] else f": {found}"
        text = f"{u['unit']} is not connected to {u['to']}{why}"
        with_.seen.observations.append(Observation(name, connected, text, seconds=waits))
        problem = with_.state.problems.get(name)
        if not connected and problem is not None and problem.raised:
            with_.seen.lost.append((u["unit"], u["to"]))


# Silence.

SAMPLE = re.compile(r"^(voevent_\w*events_total)\{([^}]*)\}\s+([0-9.eE+]+)", re.ASCII | re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"', re.ASCII)


def total(text: str, kind: str) -> float:
    """How many events of a kind a service counted: by role, by a label `kind`, or all."""
    counted = 0.0
    for _, labels, value in SAMPLE.findall(text):
        has = dict(LABEL.findall(labels))
        # What became of an event later is no other one.
        if "outcome" in has:
            continue
        if kind == "any":
            counted += float(value) if "kind" not in has else 0
        elif kind in (has.get("role"), has.get("kind")):
            counted += float(value)
    return counted


def numbers(path: Path) -> str:
    """What a service wrote, which may be anything: no more than a text of numbers, and never a pipe without an end.

    Raises OSError.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return file.read(NUMBERS).decode("utf-8", "replace")


def _silence(with_: Look) -> None:
    silence: Mapping[str, float] = with_.config["silence"]
    texts = {}
    for key, path in with_.config["metrics"].items():
        with contextlib.suppress(OSError):
            texts[key] = numbers(Path(path))
    kept = with_.state.remembered("silence")
    for kind, limit in silence.items():
        last = kept.setdefault(kind, {"at": with_.now})
        known = last.setdefault("totals", {})
        for key, text in texts.items():
            now = total(text, kind)
            # A service that was started anew counts from nothing again: then its first event is one, not its start.
            if now > known.get(key, now) or 0 < now < known.get(key, now):
                last["at"] = with_.now
            known[key] = now
        last["at"] = min(last["at"], with_.now)
        quiet = with_.now - last["at"]
        with_.seen.sample("silence_seconds", quiet, kind=kind)
        which = "no event" if kind == "any" else f"no event of `{kind}`"
        text = f"{which} came since {utc(last['at'])}, for more than {span(limit)}"
        with_.seen.observations.append(Observation(f"silence {kind}", quiet <= limit, text))


def watched(config: Mapping[str, Any]) -> Callable[[str], bool]:
    """Tells whether a key is still looked at."""
    keys = {f"watch {key}" for key in config["watch"]} | {f"upstream {key}" for key in config["upstreams"]}
    keys |= {f"silence {kind}" for kind in config["silence"]} | {f"alarm {key}" for key in config["alarms"]}
    units = [w["unit"] for w in [*config["watch"].values(), *config["upstreams"].values()] if w["unit"]]
    keys |= {f"unit {unit}" for unit in units}
    return keys.__contains__
