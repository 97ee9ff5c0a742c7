"""What alarms are delivered to in tests: a mail server, and addresses for HTTP, that write down what comes.

receivers.py ADDRESS MAIL_PORT HTTP_PORT LOG [CERTIFICATE KEY]

Each line of LOG is a JSON object: `by` is mail, or the path that was asked for. With a certificate the mail
server takes nothing before STARTTLS and a login.
"""

from __future__ import annotations

import base64
import email
import email.policy
import http.server
import json
import socketserver
import ssl
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar


class Log:
    """The file, for several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()

    def write(self, **entry: Any) -> None:
        """Writes a line."""
        with self.lock, self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def read(self) -> list[dict[str, Any]]:
        """All lines."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        return [json.loads(line) for line in lines]


class Mail(socketserver.StreamRequestHandler):
    """So much of SMTP as a client of the standard library needs."""

    log: ClassVar[Log]
    context: ClassVar[ssl.SSLContext | None] = None
    tls = False
    login: str | None = None

    def say(self, text: str) -> None:
        """Answers."""
        self.wfile.write(f"{text}\r\n".encode())
        self.wfile.flush()

    def handle(self) -> None:
        """Talks."""
        self.say("220 test")
        self.to: list[str] = []
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "QUIT":
                self.say("221 bye")
                return
            getattr(self, f"on_{word.lower()}", self.unknown)(line)

    def finish(self) -> None:
        """Closes what was encrypted: the server knows only what it was before."""
        super().finish()
        if self.tls:
            self.request.close()

    def unknown(self, _line: str) -> None:
        """Any other word."""
        self.say("502 no")

    def on_ehlo(self, _line: str) -> None:
        """Says what it can."""
        more = (["STARTTLS"] if self.context and not self.tls else []) + (["AUTH PLAIN"] if self.tls else [])
        lines = ["test", *more]
        for line in lines[:-1]:
            self.say(f"250-{line}")
        self.say(f"250 {lines[-1]}")

    def on_starttls(self, _line: str) -> None:
        """Encrypts what follows."""
        if self.context is None:
            self.say("502 no")
            return
        self.say("220 go")
        self.request = self.context.wrap_socket(self.request, server_side=True)
        self.rfile = self.request.makefile("rb")
        self.wfile = self.request.makefile("wb")
        self.tls = True

    def on_auth(self, line: str) -> None:
        """Takes any user whose password is `secret`."""
        _, user, word = base64.b64decode(line.split()[2]).decode().split("\0")
        self.login = user if word == "secret" else None
        self.say("235 ok" if self.login else "535 no")

    def on_mail(self, _line: str) -> None:
        """The sender."""
        self.say("530 first a login" if self.context and not self.login else "250 ok")

    def on_rcpt(self, line: str) -> None:
        """A recipient; `gone@` there is none."""
        to = line.partition("<")[2].partition(">")[0]
        if to.startswith("gone@"):
            self.say("550 gone")
            return
        self.to.append(to)
        self.say("250 ok")

    def on_rset(self, _line: str) -> None:
        """Begins anew."""
        self.say("250 ok")

    def on_data(self, _line: str) -> None:
        """The mail."""
        self.say("354 go")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        text = mail.get_content()
        self.log.write(
            by="mail",
            to=self.to,
            subject=mail["Subject"],
            text=text,
            changes=mail.get_all("X-VOEvent"),
            tls=self.tls,
            login=self.login,
        )
        self.say("250 ok")


class Http(http.server.BaseHTTPRequestHandler):
    """Takes everything; `/no` is refused."""

    log: ClassVar[Log]

    def do_GET(self) -> None:
        """A dead-man's ping."""
        self.answer(None)

    def do_POST(self) -> None:
        """A webhook."""
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, body: Any) -> None:
        """Writes it down, and answers."""
        refused = self.path == "/no"
        if not refused:
            self.log.write(by=self.path, body=body)
        self.send_response(500 if refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Says nothing."""


class Threads(socketserver.ThreadingTCPServer):
    """A server with a thread for each connection."""

    allow_reuse_address = True
    daemon_threads = True


def start(
    address: str, ports: tuple[int, int], path: Path, certificate: tuple[str, str] | None = None
) -> tuple[Threads, Threads]:
    """Starts both servers; port 0 is any."""
    log = Log(path)
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    mail = type("OurMail", (Mail,), {"log": log, "context": context})
    web = type("OurHttp", (Http,), {"log": log})
    servers = Threads((address, ports[0]), mail), Threads((address, ports[1]), web)
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return servers


if __name__ == "__main__":
    where, mail_port, http_port, log_path, *pair = sys.argv[1:]
    start(where, (int(mail_port), int(http_port)), Path(log_path), (pair[0], pair[1]) if pair else None)
    print("ready", flush=True)
    threading.Event().wait()
