"""Subscribes to the broker of this host by VTP and keeps each event; or removes what is old."""

import datetime
import hashlib
import json
import os
import pathlib
import socket
import sys
import time
from typing import Any

from defusedxml.ElementTree import ParseError, fromstring

VTP = "http://www.telescope-networks.org/xml/Transport/v1.1"
ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<trn:Transport role="{role}" version="1.0" xmlns:trn="' + VTP + '">'
    "<Origin>{origin}</Origin><Response>{me}</Response><TimeStamp>{now}</TimeStamp></trn:Transport>"
)


def frame(connection: socket.socket) -> bytes:
    """One message: four bytes of length, big-endian, and so many bytes."""

    def exactly(count: int) -> bytes:
        parts = b""
        while len(parts) < count:
            part = connection.recv(count - len(parts))
            if not part:
                raise ConnectionError("the broker closed the connection")
            parts += part
        return parts

    length = int.from_bytes(exactly(4), "big")
    if length > 1 << 20:
        raise ConnectionError(f"a message of {length} bytes")
    return exactly(length)


def keep(folder: pathlib.Path, event: bytes) -> None:
    """Writes an event to DATE/SHA256.xml: whole, or not at all."""
    day = folder / datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    day.mkdir(exist_ok=True)
    path = day / (hashlib.sha256(event).hexdigest() + ".xml")
    if path.exists():
        return
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(event)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def subscribe(config: dict[str, Any]) -> None:
    """Takes events until the connection ends."""
    with socket.create_connection(("127.0.0.1", config["port"]), timeout=180) as connection:
        while True:
            message = frame(connection)
            try:
                root = fromstring(message)
            except ParseError:
                continue
            if root.tag == "{" + VTP + "}Transport":
                role, origin = root.get("role"), root.findtext("Origin", "")
                now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                answer = ANSWER.format(role=role, origin=origin, me=config["me"], now=now).encode()
                connection.sendall(len(answer).to_bytes(4, "big") + answer)
                pathlib.Path(config["connected"]).touch()
            elif root.get("role", "observation") in config["roles"]:
                keep(pathlib.Path(config["folder"]), message)


def tidy(config: dict[str, Any]) -> None:
    """Removes events that are older than they are kept."""
    oldest = time.time() - config["keep_seconds"]
    for path in pathlib.Path(config["folder"]).glob("*/*.xml"):
        if path.stat().st_mtime < oldest:
            path.unlink()


def main() -> None:
    """Is called as `cabinet.py CONFIG (run | tidy)`."""
    config = json.loads(pathlib.Path(sys.argv[1]).read_text())
    if sys.argv[2] == "tidy":
        tidy(config)
        return
    while True:
        try:
            subscribe(config)
        except OSError as error:
            print(error, file=sys.stderr, flush=True)
        time.sleep(1)


main()
