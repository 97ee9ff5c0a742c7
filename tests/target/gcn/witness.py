"""Subscribes to a broker, and writes the IVORN of each event that comes, a line each.

witness.py PORT FILE
"""

import re
import socket
import struct
import sys
import time
from pathlib import Path

TRANSPORT = (
    '<?xml version="1.0" encoding="UTF-8"?><trn:Transport'
    ' xmlns:trn="http://www.telescope-networks.org/xml/Transport/v1.1" version="1.0" role="{role}">'
    "<Origin>{origin}</Origin><Response>ivo://org.example/witness</Response><TimeStamp>2026-01-01T00:00:00Z</TimeStamp></trn:Transport>"
)


def read(stream: socket.socket, count: int) -> bytes:
    """Reads so many bytes; an error where the stream ends before."""
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def listen(stream: socket.socket, seen: Path) -> None:
    """One connection, as long as it holds."""
    while True:
        data = read(stream, struct.unpack("!I", read(stream, 4))[0])
        origin, ivorn = re.search(rb"<Origin>(.*?)</Origin>", data), re.search(rb'ivorn="([^"]*)"', data)
        role = re.search(rb'\brole="(iamalive|authenticate)"', data)
        name = (origin or ivorn or [b"", b""])[1].decode()
        if not role:
            with seen.open("a") as file:
                file.write(f"{name}\n")
        answer = TRANSPORT.format(role=role[1].decode() if role else "ack", origin=name).encode()
        stream.sendall(struct.pack("!I", len(answer)) + answer)
        if role and role[1] == b"authenticate":
            seen.with_suffix(".connected").write_text("")


def main(port: int, seen: Path) -> None:
    """Connects for ever."""
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as stream:
                stream.settimeout(None)
                listen(stream, seen)
        except OSError:
            seen.with_suffix(".connected").unlink(missing_ok=True)
            time.sleep(0.02)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
