"""A Kafka endpoint for tests: librdkafka's mock cluster behind a door at a port of one's choice.

    kafka.py serve SOCKET PORT    runs it
    kafka.py ask SOCKET WORD...   asks it for something, and prints the answer

The door passes bytes on, names itself where the cluster names its own port, and can be shut. It can also ask
for a password (SASL PLAIN), which the mock cluster itself cannot.
"""

import contextlib
import importlib
import json
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE = 18, 17, 36
WRONG_PASSWORD = 58


def read(stream: socket.socket, count: int) -> bytes:
    """Reads so many bytes; an error where the stream ends before."""
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def read_frame(stream: socket.socket) -> bytes:
    """Reads a message of Kafka's protocol."""
    return read(stream, struct.unpack("!I", read(stream, 4))[0])


def framed(data: bytes) -> bytes:
    """A message as it is sent."""
    return struct.pack("!I", len(data)) + data


def end(*streams: socket.socket) -> None:
    """Ends connections, also where somebody still reads from them."""
    for stream in streams:
        with contextlib.suppress(OSError):
            stream.shutdown(socket.SHUT_RDWR)
        stream.close()


class Door:
    """Takes connections, and passes them on to the cluster."""

    def __init__(self, cluster: int, port: int) -> None:
        self.cluster, self.port = cluster, port
        self.is_open = True
        self.login = b""
        self.connections = self.refused = 0
        self.streams: list[socket.socket] = []

    def serve(self) -> None:
        """Works for ever."""
        listener = socket.create_server(("127.0.0.1", self.port))
        while True:
            stream, _ = listener.accept()
            self.connections += 1
            if self.is_open:
                threading.Thread(target=self.pass_on, args=[stream], daemon=True).start()
            else:
                stream.close()

    def shut(self) -> None:
        """Lets nobody in any more, and throws out who is in."""
        self.is_open = False
        self.throw_out()

    def throw_out(self) -> None:
        """Ends all connections."""
        streams, self.streams = self.streams, []
        for stream in streams:
            end(stream)

    def pass_on(self, client: socket.socket) -> None:
        """One connection."""
        server = socket.create_connection(("127.0.0.1", self.cluster))
        self.streams += [client, server]
        versions: dict[bytes, int] = {}
        back = threading.Thread(target=self.answers, args=[server, client, versions], daemon=True)
        back.start()
        known = not self.login
        try:
            while True:
                frame = read_frame(client)
                key, version = struct.unpack("!HH", frame[:4])
                if key == API_VERSIONS and self.login:
                    versions[frame[4:8]] = version
                elif key in (SASL_HANDSHAKE, SASL_AUTHENTICATE) and self.login:
                    answer, known = self.sasl(key, version, frame)
                    client.sendall(framed(frame[4:8] + answer))
                    continue
                elif not known:
                    raise ConnectionError
                server.sendall(framed(frame))
        except OSError:
            end(client, server)

    def sasl(self, key: int, version: int, frame: bytes) -> tuple[bytes, bool]:
        """The answer to a login, and whether it was right."""
        body = frame[10 + struct.unpack("!H", frame[8:10])[0] :]
        if key == SASL_HANDSHAKE:
            return struct.pack("!hih", 0, 1, 5) + b"PLAIN", False
        right = body[4:] == self.login
        self.refused += not right
        answer = struct.pack("!hhi", 0 if right else WRONG_PASSWORD, -1, 0)
        return answer + (bytes(8) if version else b""), right

    def answers(self, server: socket.socket, client: socket.socket, versions: dict[bytes, int]) -> None:
        """What the cluster says."""
        theirs, ours = (b"127.0.0.1" + struct.pack("!i", port) for port in (self.cluster, self.port))
        try:
            while True:
                frame = read_frame(server)
                version = versions.pop(frame[:4], None)
                frame = frame if version is None else with_sasl(frame, version)
                client.sendall(framed(frame.replace(theirs, ours)))
        except OSError:
            end(client, server)


def with_sasl(frame: bytes, version: int) -> bytes:
    """A list of what the broker can, with logins added."""
    keys = [(SASL_HANDSHAKE, 0, 1), (SASL_AUTHENTICATE, 0, 1)]
    if version >= 3:
        more = b"".join(struct.pack("!HHHB", *key, 0) for key in keys)
        return frame[:6] + bytes([frame[6] + len(keys)]) + more + frame[7:]
    more = b"".join(struct.pack("!HHH", *key) for key in keys)
    count = struct.unpack("!I", frame[6:10])[0] + len(keys)
    return frame[:6] + struct.pack("!I", count) + more + frame[10:]


class Kafka:
    """The cluster, and who writes to it."""

    def __init__(self, port: int) -> None:
        self.kafka: Any = importlib.import_module("confluent_kafka")
        self.producer = self.kafka.Producer({"test.mock.num.brokers": 1, "message.max.bytes": 4 << 20})
        self.broker = next(iter(self.producer.list_topics(timeout=10).brokers.values()))
        self.door = Door(self.broker.port, port)
        self.beats = True

    def run(self, path: str) -> None:
        """Answers whoever asks."""
        threading.Thread(target=self.door.serve, daemon=True).start()
        threading.Thread(target=self.beat, daemon=True).start()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        while True:
            stream, _ = listener.accept()
            with stream, stream.makefile("rw") as lines:
                lines.write(f"{self.answer(lines.readline().split())}\n")

    def beat(self) -> None:
        """The heartbeat."""
        while True:
            if self.beats:
                self.producer.produce("gcn.heartbeat", b"{}")
                self.producer.poll(0)
            time.sleep(1)

    def answer(self, words: list[str]) -> object:
        """Does what was asked for."""
        match words:
            case ["produce", topic, *files]:
                for file in files:
                    self.producer.produce(topic, Path(file).read_bytes())
                return self.producer.flush(10)
            case ["committed", group, topic]:
                return self.committed(group, topic)
            case ["up"]:
                self.door.is_open = True
            case ["down"]:
                self.door.shut()
            case ["silent"]:
                self.beats = False
            case ["login", user, password]:
                self.door.login = f"\0{user}\0{password}".encode()
                self.door.throw_out()
            case ["counts"]:
                return json.dumps({"connections": self.door.connections, "refused": self.door.refused})
            case _:
                return f"what is {words}?"
        return "done"

    def committed(self, group: str, topic: str) -> int:
        """How many messages of a topic a group has behind it."""
        where = f"{self.broker.host}:{self.broker.port}"
        client = self.kafka.Consumer({"bootstrap.servers": where, "group.id": group})
        parts = [self.kafka.TopicPartition(topic, number) for number in range(4)]
        found = client.committed(parts, timeout=10)
        client.close()
        return sum(max(part.offset, 0) for part in found)


def main(words: list[str]) -> None:
    """Serves or asks."""
    if words[0] == "serve":
        Kafka(int(words[2])).run(words[1])
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(words[1])
        with stream.makefile("rw") as lines:
            lines.write(" ".join(words[2:]) + "\n")
            lines.flush()
            sys.stdout.write(lines.readline())


if __name__ == "__main__":
    main(sys.argv[1:])
