"""Sends events to the broker of this host, some ten each second, and writes down how many were accepted.

load.py FILE
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

EVENT = """<?xml version="1.0" encoding="UTF-8"?>
<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" version="2.0" role="observation"
    ivorn="ivo://org.example/load#{}"><Who><AuthorIVORN>ivo://org.example/load</AuthorIVORN>
<Date>2026-01-01T00:00:00</Date></Who><What><Description>load</Description></What></voe:VOEvent>"""


def send(event: bytes) -> bool:
    """Whether the broker accepted an event."""
    with socket.create_connection(("127.0.0.1", 8098), 5) as connection:
        connection.sendall(len(event).to_bytes(4, "big") + event)
        connection.settimeout(5)
        return b'role="ack"' in connection.recv(4096)


def main(file: Path) -> None:
    """Sends until it is ended."""
    accepted = 0
    while True:
        event = EVENT.format(time.time_ns()).encode()
        try:
            accepted += send(event)
        except OSError:
            time.sleep(0.1)
        file.write_text(f"{accepted}\n", encoding="ascii")
        time.sleep(0.05)


main(Path(sys.argv[1]))
