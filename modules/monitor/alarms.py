"""Delivers a message by mail, webhook or command. Standard library only.

Run as a program it is the other end of a command's socket: it runs the command as a user of its own.
"""

from __future__ import annotations

import email.message
import email.utils
import json
import os
import smtplib
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

# Seconds: for one step of a delivery, and for a command.
STEP = 10.0
COMMAND = 20.0
# Bytes of what a command said that are told, and of a variable of its environment.
SAID, VARIABLE = 400, 120_000


class UndeliveredError(Exception):
    """A message could not be delivered; the text says why, and has no secret in it."""


class PartlyError(UndeliveredError):
    """Some have the message: to try again would tell them again."""


def deliver(alarm: Mapping[str, Any], message: Mapping[str, Any], secrets: Path) -> None:
    """Delivers a message.

    Raises UndeliveredError.
    """
    kinds = {"mail": _mail, "webhook": _webhook, "command": _command}
    try:
        kinds[alarm["kind"]](alarm, message, secrets)
    except UndeliveredError:
        raise
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise UndeliveredError(said(error)) from error


def said(error: BaseException) -> str:
    """An error on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:SAID]


def secret(secrets: Path, name: str) -> str:
    """A credential of the unit, without the newline at its end."""
    return (secrets / name).read_text(encoding="utf-8").strip()


def _context(alarm: Mapping[str, Any]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=alarm["ca"])


def mail(alarm: Mapping[str, Any], message: Mapping[str, Any]) -> email.message.EmailMessage:
    """The message as a mail."""
    written = email.message.EmailMessage()
    written["Subject"] = f"[voevent] {message['subject']}"
    written["From"] = alarm["from"]
    written["To"] = ", ".join(alarm["to"])
    written["Date"] = email.utils.formatdate()
    written["Message-ID"] = email.utils.make_msgid(domain=alarm["from"].rpartition("@")[2])
    for change in message["changes"]:
        written["X-VOEvent"] = f"{change['kind']} {change['key']}"
    # Nobody's holiday notice is to answer.
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(message["text"] + "\n")
    return written


def _mail(alarm: Mapping[str, Any], message: Mapping[str, Any], secrets: Path) -> None:
    host, _, port = alarm["server"].rpartition(":")
    host = host.strip("[]")
    written = mail(alarm, message)
    server: smtplib.SMTP
    if alarm["tls"] == "tls":
        server = smtplib.SMTP_SSL(host, int(port), timeout=STEP, context=_context(alarm))
    else:
        server = smtplib.SMTP(host, int(port), timeout=STEP)
    with server:
        if alarm["tls"] == "starttls":
            server.starttls(context=_context(alarm))
        if alarm["username"] is not None:
            server.login(alarm["username"], secret(secrets, alarm["password"]))
        refused = server.send_message(written)
    if refused:
        raise PartlyError(f"the mail server refused {', '.join(sorted(refused))}; the others have it")


def fetch(url: str, alarm: Mapping[str, Any], body: bytes | None = None) -> None:
    """Fetches an address, or posts JSON to it; it is a secret, so no error has it.

    Raises UndeliveredError.
    """
    if not url.startswith(("https://", "http://")):
        raise UndeliveredError("the address does not begin with https:// or http://")
    headers = {"User-Agent": "voevent-monitor"} | ({"Content-Type": "application/json"} if body else {})
    try:
        request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - it is one of the two
        with urllib.request.urlopen(request, timeout=STEP, context=_context(alarm)) as answer:  # noqa: S310
            answer.read(1024)
    except HTTPError as error:
        raise UndeliveredError(f"the server answered {error.code}") from None
    except URLError as error:
        raise UndeliveredError(" ".join(str(error.reason).split())[:SAID]) from None
    except Exception as error:  # noqa: BLE001 - http.client has errors of many kinds, some with the address in them
        raise UndeliveredError(type(error).__name__) from None


def _webhook(alarm: Mapping[str, Any], message: Mapping[str, Any], secrets: Path) -> None:
    fetch(secret(secrets, alarm["url"]), alarm, json.dumps(message).encode())


def _command(alarm: Mapping[str, Any], message: Mapping[str, Any], _secrets: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(COMMAND + 5)
        connection.connect(alarm["socket"])
        connection.sendall(json.dumps(message).encode())
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read(SAID * 4).decode(errors="replace")
    if answer != "ok":
        raise UndeliveredError(answer or "the command's unit ended without an answer")


def run_command(words: list[str], message: Mapping[str, Any]) -> str:
    """Runs a command with the text as its standard input; `ok`, or what went wrong."""
    whole = json.dumps(message)
    known = {
        "VOEVENT_NODE": str(message["node"]),
        "VOEVENT_SUBJECT": str(message["subject"]),
        # The kernel takes no longer variable.
        "VOEVENT_MESSAGE": whole if len(whole) < VARIABLE else json.dumps({**message, "text": "", "changes": []}),
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
    }
    try:
        done = subprocess.run(
            words,
            input=f"{message['text']}\n".encode(),
            env=known,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the command did not end within {COMMAND:.0f} s"
    except OSError as error:
        return said(error)
    output = " ".join(done.stdout.decode(errors="replace").split())[-SAID:]
    if done.returncode == 0:
        return "ok"
    ended = f"exit code {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
    return f"the command ended with {ended}" + (f": {output}" if output else "")


def main(arguments: list[str]) -> None:
    """alarms.py CONFIG ALARM, with a connection as standard input."""
    config = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    with socket.socket(fileno=0) as connection:
        connection.settimeout(STEP)
        message = json.loads(connection.makefile("rb").read(1 << 20))
        answer = run_command(config["alarms"][arguments[1]]["command"], message)
        if answer != "ok":
            print(f"<4>alarm `{arguments[1]}`: {answer}", file=sys.stderr, flush=True)
        connection.sendall(answer.encode())


if __name__ == "__main__":
    main(sys.argv[1:])
