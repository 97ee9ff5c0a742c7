"""Brings one message after another to where it belongs: the broker, the archive, the dead letters."""

import json
import os
import re
import socket
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker import PROBE, submit
from letters import DeadLetters, is_json, is_xml, put_in_inbox

# What Comet reads of one message; at a longer one it closes the connection.
LONGEST_EVENT = 99_999


def log(priority: int, text: str) -> None:
    """Writes a line for the journal; priorities are syslog's: 3 error, 4 warning, 6 information."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    sys.stderr.write(f"<{priority}>{line}\n")
    sys.stderr.flush()


def notify(state: str) -> None:
    """Tells systemd about this service, if it asked to be told."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        name = "\0" + address[1:] if address.startswith("@") else address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto(state.encode(), name)


@dataclass(frozen=True)
class Config:
    """What the service is told by its file; seconds and bytes throughout."""

    domain: str | None
    bootstrap: list[str]
    security: str
    mechanism: str
    ca: str | None
    group_id: str
    start: str
    topics: list[str]
    heartbeat: str
    heartbeat_limit: int
    lost_after: int
    port: int
    json: str
    inbox: str | None
    state: str
    dead_letters: int
    dead_bytes: int

    @staticmethod
    def read(path: str) -> "Config":
        """Reads it from a file, which the compiler made."""
        words = json.loads(Path(path).read_bytes())
        return Config(**{name: value for name, value in words.items() if name != "code"})


@dataclass
class Courier:
    """Brings one message after another to where it belongs."""

    config: Config
    dead: DeadLetters
    counts: Counter[str] = field(default_factory=Counter)
    # Whether the message at hand was sent without an answer, and how often the broker closed on it.
    unanswered: bool = False
    closed: int = 0

    def bring(self, data: bytes, origin: dict[str, Any]) -> str | None:
        """Brings it; what became of it, or `None` if it must be tried again."""
        try:
            result = self.sort(data, origin)
        except OSError as error:
            log(3, f"cannot keep a message of {origin['topic']}: {error}")
            result = None
        if result is not None:
            self.unanswered, self.closed = False, 0
            self.counts[result] += 1
        return result

    def sort(self, data: bytes, origin: dict[str, Any]) -> str | None:
        """Decides what it is."""
        if not data:
            return "empty"
        if is_xml(data):
            if len(data) <= LONGEST_EVENT:
                return self.offer(data, origin)
            self.archive(data, origin, "xml")
            return self.bury(data, origin, f"{len(data)} bytes: the broker takes {LONGEST_EVENT}", "oversize")
        if is_json(data):
            if self.config.json == "ignore":
                return "ignored"
            self.archive(data, origin, "json")
            return "archived"
        return self.bury(data, origin, "neither a VOEvent nor JSON", "unknown")

    def offer(self, data: bytes, origin: dict[str, Any]) -> str | None:
        """Offers an event to the broker."""
        answer = submit(data, self.config.port)
        if answer.kind == "ack":
            return "delivered"
        if answer.kind == "nak":
            if "Previously seen" not in answer.reason:
                return self.bury(data, origin, answer.reason, "rejected")
            if not self.unanswered:
                return "seen"
            # It has it, but may have died before it passed it on.
            log(4, f"the broker has {ivorn(data)}, which it did not acknowledge: was it passed on?")
            self.archive(data, origin, "xml")
            return "uncertain"
        if answer.kind == "closed" and submit(PROBE, self.config.port).kind == "nak":
            # It answers, but not to this one: so it does to what it cannot read. Once may be chance.
            self.closed += 1
            if self.closed > 1:
                reason = "the broker closes the connection: it cannot read it"
                return self.bury(data, origin, reason, "rejected")
        self.unanswered = self.unanswered or answer.kind != "down"
        self.counts["retries"] += 1
        return None

    def archive(self, data: bytes, origin: dict[str, Any], suffix: str) -> None:
        """Gives it to the archive, where there is one."""
        if self.config.inbox is not None:
            put_in_inbox(self.config.inbox, data, origin["time"], suffix)

    def bury(self, data: bytes, origin: dict[str, Any], reason: str, result: str) -> str:
        """Keeps it as a dead letter."""
        gone = self.dead.add(data, {**origin, "reason": reason, "bytes": len(data)})
        self.counts["removed"] += gone
        log(4, f"{origin['topic']} {origin['offset']}: {ivorn(data)} is a dead letter: {reason}")
        if gone:
            log(4, f"{gone} old dead letters went, for there are too many")
        return result


def ivorn(data: bytes) -> str:
    """The name of an event as far as it can be seen, for the log."""
    found = re.search(rb"""\bivorn\s*=\s*["']([^"']{1,200})""", data)
    return found[1].decode("ascii", "replace") if found else "a message"
