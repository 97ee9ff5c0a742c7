"""Sends events to the broker of this host, some ten each second, each again until the broker has it.

load.py FILE    to which the hash of each such event is added, a line each
"""

from __future__ import annotations

import hashlib
import socket
import sys
import time
from pathlib import Path

EVENT = """<?xml version="1.0" encoding="UTF-8"?>
<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" version="2.0" role="observation"
    ivorn="ivo://org.example/load#{}"><Who><AuthorIVORN>ivo://org.example/load</AuthorIVORN>
<Date>2026-01-01T00:00:00</Date></Who><What><Description>load</Description></What></voe:VOEvent>"""


def send(event: bytes) -> bool:
    """Whether the broker says that it has an event."""
    with socket.create_connection(("127.0.0.1", 8098), 5) as connection:
        connection.sendall(len(event).to_bytes(4, "big") + event)
        connection.settimeout(5)
        answer = connection.recv(4096)
        return b'role="ack"' in answer or b"Previously seen" in answer


def main(file: Path) -> None:
    """Sends until it is ended."""
    with file.open("a", encoding="ascii", buffering=1) as accepted:
        while True:
            event = EVENT.format(time.time_ns()).encode()
            while not has(event):
                time.sleep(0.1)
            accepted.write(f"{hashlib.sha256(event).hexdigest()}\n")
            time.sleep(0.05)


def has(event: bytes) -> bool:
    """Whether the broker says that it has an event, and there is one."""
    try:
        return send(event)
    except OSError:
        return False


main(Path(sys.argv[1]))
