"""An author of events: sends them to a broker as VTP has it, and says what became of each.

author.py HOST PORT files FILE…             each once; a line of JSON each
author.py HOST PORT stream TAG COUNT CONNECTIONS [RATE]
    that many new events, each again until the broker has it; one line of JSON about all of them, and the hashes of
    those that it acknowledged in TAG.ack, of those that it had already when they were sent again in TAG.seen
"""

from __future__ import annotations

import collections
import hashlib
import itertools
import json
import re
import socket
import sys
import threading
import time
from pathlib import Path

EVENT = """<?xml version="1.0" encoding="UTF-8"?>
<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" version="2.0" role="observation" \
ivorn="ivo://org.example/{tag}#{number}"><Who><AuthorIVORN>ivo://org.example/{tag}</AuthorIVORN>\
<Date>2026-11-23T00:00:00</Date></Who><What><Description>A test of voevent-node.</Description></What></voe:VOEvent>"""
# Seconds for an answer, between two tries, and for an event in all.
ANSWER, PAUSE, ENOUGH = 20.0, 0.02, 60.0
SEEN = "Previously seen"


def read(connection: socket.socket, length: int) -> bytes:
    """So many bytes, or fewer at the end."""
    data = b""
    while len(data) < length and (more := connection.recv(length - len(data))):
        data += more
    return data


def send(address: tuple[str, int], event: bytes) -> str:
    """What the broker answers: `ack`, `nak: why`, or `closed`."""
    with socket.create_connection(address, ANSWER) as connection:
        connection.sendall(len(event).to_bytes(4, "big") + event)
        answer = read(connection, int.from_bytes(read(connection, 4), "big"))
    if b'role="ack"' in answer:
        return "ack"
    why = re.search(rb"<Result>(.*?)</Result>", answer, re.DOTALL)
    return "nak: " + why[1].decode() if why else "closed"


class Stream:
    """Many events, by several connections at a time."""

    def __init__(self, address: tuple[str, int], tag: str, count: int, rate: float) -> None:
        self.address = address
        self.numbers = iter(range(count))
        self.tag = tag
        self.every = 1 / rate if rate else 0.0
        self.began = time.monotonic()
        self.lock = threading.Lock()
        self.took: list[float] = []
        self.answers: list[float] = []
        self.counts: collections.Counter[str] = collections.Counter()
        self.hashes: dict[str, list[str]] = {"ack": [], "seen": []}

    def work(self) -> None:
        """Sends until there is nothing left."""
        while True:
            with self.lock:
                number = next(self.numbers, None)
            if number is None:
                return
            time.sleep(max(0.0, self.began + number * self.every - time.monotonic()))
            self.one(EVENT.format(tag=self.tag, number=number).encode())

    def one(self, event: bytes) -> None:
        """Sends an event until the broker has it."""
        end, tries, what = time.monotonic() + ENOUGH, 0, "given up"
        while time.monotonic() < end:
            tries += 1
            began = time.monotonic()
            try:
                answer = send(self.address, event)
            except OSError as error:
                answer = type(error).__name__
            if answer == "ack" or (SEEN in answer and tries > 1):
                what = "ack" if answer == "ack" else "seen"
                break
            with self.lock:
                self.counts[f"try: {answer}"] += 1
            time.sleep(PAUSE)
        with self.lock:
            now = time.monotonic()
            self.counts[what] += 1
            self.counts["sent again"] += tries > 1
            self.took.append(now - began)
            self.answers.append(now)
            if what in self.hashes:
                self.hashes[what].append(hashlib.sha256(event).hexdigest())

    def summary(self) -> dict[str, object]:
        """What became of them; times in ms, the longest time without an answer in s."""
        took = sorted(self.took)
        seconds = time.monotonic() - self.began
        answers = [self.began, *sorted(self.answers)]
        gap = max(later - earlier for earlier, later in itertools.pairwise(answers))
        return {
            "counts": dict(self.counts),
            "seconds": round(seconds, 2),
            "rate": round(len(took) / seconds, 1),
            "p50_ms": round(took[len(took) // 2] * 1000, 2),
            "p99_ms": round(took[len(took) * 99 // 100] * 1000, 2),
            "longest_gap_s": round(gap, 2),
        }


def main() -> None:
    """Sends, and says what became of it."""
    address, command = (sys.argv[1], int(sys.argv[2])), sys.argv[3]
    if command == "files":
        for name in sys.argv[4:]:
            print(json.dumps({"file": Path(name).name, "answer": send(address, Path(name).read_bytes())}))
        return
    tag, count, connections = sys.argv[4], int(sys.argv[5]), int(sys.argv[6])
    stream = Stream(address, Path(tag).name, count, float(sys.argv[7]) if len(sys.argv) > 7 else 0.0)
    threads = [threading.Thread(target=stream.work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for what, hashes in stream.hashes.items():
        Path(f"{tag}.{what}").write_text("".join(f"{one}\n" for one in hashes))
    print(json.dumps(stream.summary()))


if __name__ == "__main__":
    main()
