"""The broker of this host, as an author of events talks to it: VTP, without a library. Standard library only."""

import re
import socket
import struct
from dataclasses import dataclass

# An event that every broker must refuse, and that leaves no trace in it: an answer proves that it lives.
PROBE = (
    b'<?xml version="1.0"?><voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0"'
    b' version="2.0" role="test" ivorn="not an IVOID"/>'
)
ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """What the broker said: `ack`, `nak`, `closed` (no answer) or `down`, and why."""

    kind: str
    reason: str = ""


def exactly(stream: socket.socket, count: int) -> bytes | None:
    """Reads so many bytes; none if the stream ends before."""
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            return None
        data += part
    return data


def submit(event: bytes, port: int, seconds: float = ANSWER_SECONDS) -> Answer:
    """Sends an event to the broker, as an author does."""
    sent = False
    try:
        with socket.create_connection(("127.0.0.1", port), seconds) as stream:
            stream.settimeout(seconds)
            sent = True
            stream.sendall(struct.pack("!I", len(event)) + event)
            head = exactly(stream, 4)
            size = min(struct.unpack("!I", head)[0], 1 << 20) if head else 0
            body = exactly(stream, size) if head else None
    except ConnectionResetError as error:
        return Answer("closed", str(error))
    except OSError as error:
        return Answer("silent" if sent else "down", str(error))
    if body is None:
        return Answer("closed", "the broker closed the connection without an answer")
    role = re.search(rb'\brole="(ack|nak)"', body)
    if role is None:
        return Answer("closed", "the broker's answer is none of VTP")
    result = re.search(rb"<Result>(.*?)</Result>", body, re.DOTALL)
    return Answer(role[1].decode(), result[1].decode("utf-8", "replace") if result else "")
