#!/usr/bin/env python3
"""A handler that succeeds only if all is as handlers are told, and cannot do what they cannot."""

import hashlib
import os
import pwd
import socket
import sys
from pathlib import Path

told = {name.removeprefix("VOEVENT_"): value for name, value in os.environ.items() if name.startswith("VOEVENT_")}
faults = []


def check(what: str, holds: bool) -> None:
    """Remembers what does not hold."""
    if not holds:
        faults.append(what)


event = sys.stdin.buffer.read()
check("other bytes", hashlib.sha256(event).hexdigest() == told["SHA256"])
check("other IVORN", f'ivorn="{told["IVORN"]}"'.encode() in event)
check("other role", told["ROLE"] == "observation")
check("other attempt", (told["ATTEMPT"], told["CUT_OFF"]) == ("1", "0"))
check("other secret", Path(told["SECRET_TOKEN"]).read_text() == "s3cret\n")
check("other argument", sys.argv[1:] == ["a b", "$HOME %n"])
check("other environment", os.environ["COLOUR"] == "dark blue")
check("other user", pwd.getpwuid(os.getuid()).pw_name == "voeventhandler")
check("sees other queues", os.listdir("/var/lib/voevent-queue") == ["witness"])
check("can write to /etc", not os.access("/etc", os.W_OK))
try:
    socket.create_connection(("127.0.0.1", 8099), 1).close()
    faults.append("has the network")
except OSError:
    pass
sys.exit(", ".join(faults) or 0)
