"""Answers SNTP (RFC 4330) with the time of this machine, on an address and port 123."""

import socket
import struct
import sys
import time

EPOCH = 2208988800


def stamp(seconds: float) -> bytes:
    return struct.pack("!II", int(seconds) + EPOCH, int(seconds % 1 * 2**32))


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 123))
print("ready", flush=True)
while True:
    request, client = server.recvfrom(512)
    now = time.time()
    # leap 0, version 4, mode server; stratum 2, poll 2^6 s, precision 2^-20 s
    header = struct.pack("!BBbbII4s", 0x24, 2, 6, -20, 0, 0, b"TEST")
    server.sendto(header + stamp(now - 1) + request[40:48] + stamp(now) + stamp(time.time()), client)
