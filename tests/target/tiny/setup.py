"""A package that is one extension module in C, as small as it can be."""

import os
import socket

from setuptools import Extension, setup  # type: ignore[import-not-found, import-untyped, unused-ignore]

# What a hostile package would try. None of it may work where it is built.
for path in ("/etc/voevent-tiny", "/var/lib/voevent-tiny", "/home/voevent-tiny"):
    try:
        os.mkdir(path)
    except OSError:
        continue
    raise SystemExit("a build can write " + path)
try:
    socket.create_connection(("127.0.0.1", 22), timeout=5)
except OSError:
    pass
else:
    raise SystemExit("a build can reach the machine's sshd")
if os.getuid() == 0:
    raise SystemExit("a build runs as root")

setup(name="voevent-tiny", version="VERSION", ext_modules=[Extension("voevent_tiny", ["tiny.c"])])
