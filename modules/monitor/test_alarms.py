"""Messages go out by mail, webhook and command, and what fails says why, without a secret."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alarms
import pytest
import receivers

MESSAGE: dict[str, Any] = {
    "node": "node1",
    "subject": "node1: Öl im Keller",
    "text": "PROBLEM: Öl im Keller\n.\nend",
    "changes": [{"kind": "raised", "key": "watch oil"}],
}
MAIL: dict[str, Any] = {
    "kind": "mail",
    "to": ["a@example.org", "b@example.org"],
    "from": "voevent@node1.example.org",
    "tls": "none",
    "username": None,
    "password": "password",
    "ca": None,
}


@contextlib.contextmanager
def served(folder: Path, certificate: tuple[str, str] | None = None) -> Iterator[tuple[int, int]]:
    """A mail server and a webhook; their ports."""
    servers = receivers.start("127.0.0.1", (0, 0), folder / "log", certificate)
    try:
        yield servers[0].server_address[1], servers[1].server_address[1]
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def certificate(folder: Path) -> tuple[str, str]:
    """A certificate of 127.0.0.1, and its key."""
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    words = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=test"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]
    subprocess.run([*words, *more], check=True, capture_output=True)
    return cert, key


def log(folder: Path) -> list[dict[str, Any]]:
    """What was received."""
    return receivers.Log(folder / "log").read()


def test_a_mail_arrives_whole(tmp_path: Path) -> None:
    with served(tmp_path) as (port, _):
        alarms.deliver({**MAIL, "server": f"127.0.0.1:{port}"}, MESSAGE, tmp_path)
    (mail,) = log(tmp_path)
    assert mail["to"] == MAIL["to"]
    assert mail["subject"] == "[voevent] node1: Öl im Keller"
    assert mail["text"].splitlines()[0] == "PROBLEM: Öl im Keller"
    assert mail["changes"] == ["raised watch oil"]


def test_a_mail_with_starttls_and_a_login(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n", encoding="utf-8")
    (tmp_path / "wrong").write_text("hunter2\n", encoding="utf-8")
    pair = certificate(tmp_path)
    with served(tmp_path, pair) as (port, _):
        alarm = MAIL | {"server": f"127.0.0.1:{port}", "tls": "starttls", "username": "node", "ca": pair[0]}
        alarms.deliver(alarm, MESSAGE, tmp_path)
        with pytest.raises(alarms.UndeliveredError, match="CERTIFICATE_VERIFY_FAILED"):
            alarms.deliver({**alarm, "ca": None}, MESSAGE, tmp_path)
        with pytest.raises(alarms.UndeliveredError, match="535") as raised:
            alarms.deliver({**alarm, "password": "wrong"}, MESSAGE, tmp_path)
        assert "hunter2" not in str(raised.value)
        with pytest.raises(alarms.UndeliveredError, match="530"):
            alarms.deliver({**alarm, "username": None}, MESSAGE, tmp_path)
    assert [(mail["tls"], mail["login"]) for mail in log(tmp_path)] == [(True, "node")]


def test_starttls_is_not_given_up(tmp_path: Path) -> None:
    with served(tmp_path) as (port, _), pytest.raises(alarms.UndeliveredError, match="STARTTLS"):
        alarms.deliver({**MAIL, "server": f"127.0.0.1:{port}", "tls": "starttls"}, MESSAGE, tmp_path)
    assert log(tmp_path) == []


def test_a_mail_that_one_of_two_cannot_get_is_not_sent_again(tmp_path: Path) -> None:
    with served(tmp_path) as (port, _):
        alarm = {**MAIL, "server": f"127.0.0.1:{port}", "to": ["gone@example.org", "a@example.org"]}
        with pytest.raises(alarms.PartlyError, match=r"refused gone@example\.org; the others have it"):
            alarms.deliver(alarm, MESSAGE, tmp_path)
        with pytest.raises(alarms.UndeliveredError) as raised:
            alarms.deliver({**alarm, "to": ["gone@example.org"]}, MESSAGE, tmp_path)
    assert not isinstance(raised.value, alarms.PartlyError)
    assert [mail["to"] for mail in log(tmp_path)] == [["a@example.org"]]


def test_a_webhook_gets_json(tmp_path: Path) -> None:
    with served(tmp_path) as (_, port):
        (tmp_path / "url").write_text(f"http://127.0.0.1:{port}/T0K3N\n", encoding="utf-8")
        alarms.deliver({"kind": "webhook", "url": "url", "ca": None}, MESSAGE, tmp_path)
    assert log(tmp_path) == [{"by": "/T0K3N", "body": MESSAGE}]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:{port}/no", "the server answered 500"),
        ("http://127.0.0.1:1/T0K3N", "refused"),
        ("https://127.0.0.1:{port}/T0K3N", "SSL"),
        ("http://unknown.invalid/T0K3N", ""),
        ("http://127.0.0.1:T0K3N/", "InvalidURL"),
        ("http://127.0.0.1:{port}/T0K3N with spaces", "InvalidURL"),
        ("file:///etc/passwd?T0K3N", "does not begin with https:// or http://"),
        ("", "does not begin with"),
    ],
)
# http.client leaves a socket behind where TLS fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_webhook_that_fails_keeps_its_address(tmp_path: Path, url: str, said: str) -> None:
    with served(tmp_path) as (_, port):
        (tmp_path / "url").write_text(url.format(port=port), encoding="utf-8")
        with pytest.raises(alarms.UndeliveredError) as raised:
            alarms.deliver({"kind": "webhook", "url": "url", "ca": None}, MESSAGE, tmp_path)
    assert said in str(raised.value)
    assert "T0K3N" not in str(raised.value)
    assert log(tmp_path) == []


def test_a_secret_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(alarms.UndeliveredError, match="No such file"):
        alarms.deliver({"kind": "webhook", "url": "url", "ca": None}, MESSAGE, tmp_path)


@contextlib.contextmanager
def socket_unit(folder: Path, command: list[str]) -> Iterator[dict[str, Any]]:
    """What systemd does for a command: a process for each connection."""
    config = folder / "config.json"
    config.write_text(json.dumps({"alarms": {"own": {"command": command}}}), encoding="utf-8")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.listen()

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                words = [sys.executable, "-I", alarms.__file__, str(config), "own"]
                subprocess.run(words, stdin=connection.fileno(), check=True, env={**os.environ, "HOME": str(folder)})

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield {"kind": "command", "socket": str(folder / "socket")}
    finally:
        thread.join()
        listener.close()


def test_a_command_gets_the_text(tmp_path: Path) -> None:
    script = 'cat > "$HOME/text"; printf %s "$VOEVENT_NODE|$VOEVENT_SUBJECT" > "$HOME/environment"'
    with socket_unit(tmp_path, ["/bin/sh", "-c", script]) as alarm:
        alarms.deliver(alarm, MESSAGE, tmp_path)
    assert (tmp_path / "text").read_text(encoding="utf-8") == MESSAGE["text"] + "\n"
    assert (tmp_path / "environment").read_text(encoding="utf-8") == "node1|node1: Öl im Keller"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["/bin/sh", "-c", "echo no modem >&2; exit 3"], "ended with exit code 3: no modem"),
        (["/bin/sh", "-c", "kill -KILL $$"], "ended with signal 9"),
        (["/nonexistent"], "FileNotFoundError"),
    ],
)
def test_a_command_that_fails_says_why(tmp_path: Path, command: list[str], said: str) -> None:
    with (
        socket_unit(tmp_path, command) as alarm,
        pytest.raises(alarms.UndeliveredError, match=said),
    ):
        alarms.deliver(alarm, MESSAGE, tmp_path)


def test_a_command_gets_a_message_of_any_length(tmp_path: Path) -> None:
    long = MESSAGE | {"text": "x" * 200_000, "changes": [{"kind": "raised", "key": "y" * 200_000}]}
    with socket_unit(tmp_path, ["/bin/sh", "-c", 'cat > "$HOME/text"']) as alarm:
        alarms.deliver(alarm, long, tmp_path)
    assert len((tmp_path / "text").read_bytes()) == 200_001


def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "COMMAND", 0.2)
    assert alarms.run_command(["/bin/sleep", "60"], MESSAGE) == "the command did not end within 0 s"
