"""One attempt at an event: a program runs, bounded in time, memory and processes, and nothing of it is left.

Called as `attempt.py CONFIG EVENT ATTEMPT CUT_OFF`; says how it ended by a line of JSON. It is a process of its own, to
which every process that the program leaves behind comes back: so it ends them all, those too that made themselves a
session.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.parsers import expat

SET_CHILD_SUBREAPER = 36
# Bytes of a program's output that are kept, and that go to the journal.
OUTPUT = 64 * 1024
# Seconds from the request to end until it is no request any more, and that the kernel may take to end what is killed.
POLITE, PATIENCE = 2.0, 5.0
CGROUPS = Path("/sys/fs/cgroup")


def enforced(limit: str, cgroups: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> bool:
    """Whether the kernel holds the unit to a limit of its control group (version 2): `memory.max`, `pids.max`."""
    try:
        groups = [line[3:] for line in own.read_text().splitlines() if line.startswith("0::")]
        return any((cgroups / group.lstrip("/") / limit).read_text().strip().isdigit() for group in groups)
    except OSError:
        return False


def bound(what: int, at_most: int) -> None:
    """Lowers a limit of this process."""
    hard = resource.getrlimit(what)[1]
    at_most = at_most if hard == resource.RLIM_INFINITY else min(at_most, hard)
    resource.setrlimit(what, (at_most, at_most))


def root_of(data: bytes) -> dict[str, str]:
    """The attributes of an event's root."""
    found: dict[str, str] = {}

    def start(_: str, attributes: dict[str, str]) -> None:
        found.update({"role": "observation"} | attributes)
        parser.StartElementHandler = None

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    with contextlib.suppress(expat.ExpatError, ValueError, LookupError):
        parser.Parse(data, True)
    return found


def environment(event: Path, root: dict[str, str], words: list[str]) -> dict[str, str]:
    """What the program is told beside the event."""
    own = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "WATCHDOG_USEC")}
    sha256 = event.name.partition("~")[0].partition("-")[2]
    own |= {"VOEVENT_IVORN": root.get("ivorn", ""), "VOEVENT_ROLE": root.get("role", ""), "VOEVENT_SHA256": sha256}
    own |= dict(zip(("VOEVENT_ATTEMPT", "VOEVENT_CUT_OFF"), words, strict=True))
    credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
    for path in Path(credentials).iterdir() if credentials else ():
        key = path.name.partition(".secrets.")[2]
        plain = "".join(letter if letter.isalnum() else "_" for letter in key.upper())
        own[f"VOEVENT_SECRET_{plain}"] = str(path)
    return own


def name_of(number: int) -> str:
    """The name of a signal; those for real time have none but the first and the last."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Attempt:
    """A program that runs."""

    def __init__(self, config: dict[str, Any], event: Path, environment: dict[str, str]) -> None:
        self.timeout: float = config["timeout_seconds"]
        self.output = b""
        self.said = 0
        # Without control groups a process has at most so much address space, and the user so many processes.
        memory = 0 if enforced("memory.max") else int(config["memory_bytes"])
        processes = 0 if enforced("pids.max") else int(config["processes"])

        def limits() -> None:
            os.sched_yield()
            bound(resource.RLIMIT_CORE, 0)
            if memory:
                bound(resource.RLIMIT_AS, memory)
            if processes:
                bound(resource.RLIMIT_NPROC, processes)
            # Where memory is short, the kernel takes this one, not the one that counts failures.
            with contextlib.suppress(OSError):
                Path("/proc/self/oom_score_adj").write_text("1000")

        with event.open("rb") as data:
            self.program = subprocess.Popen(
                [config["program"], *config["arguments"]],
                stdin=data,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd="/tmp",  # noqa: S108 - of its own: PrivateTmp=
                start_new_session=True,
                preexec_fn=limits,  # noqa: PLW1509 - there are no threads
            )
        pipe = self.program.stdout
        self.pipe = pipe.fileno() if pipe else -1
        os.set_blocking(self.pipe, False)

    def ended(self, until: float) -> bool:
        """Waits for the program's end, and takes what it says."""
        fd = os.pidfd_open(self.program.pid)
        try:
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            poll.register(self.pipe, select.POLLIN)
            while (left := until - time.monotonic()) > 0:
                ready = dict(poll.poll(left * 1000))
                if self.pipe in ready and not self.take():
                    poll.unregister(self.pipe)
                if fd in ready:
                    return True
            return False
        finally:
            os.close(fd)

    def take(self) -> bool:
        """Takes what the program wrote; false at its end."""
        try:
            data = os.read(self.pipe, OUTPUT)
        except BlockingIOError:
            return True
        self.output = (self.output + data)[-OUTPUT:]
        if data and self.said < OUTPUT:
            sys.stderr.buffer.write(data)
            sys.stderr.buffer.flush()
            self.said += len(data)
        return bool(data)

    def run(self) -> str:
        """Waits for it; how it failed, or nothing."""
        start = time.monotonic()
        if not self.ended(start + self.timeout):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.program.pid, signal.SIGTERM)
            self.ended(time.monotonic() + POLITE)
            self.program.kill()
            self.program.wait()
            return f"timeout: ran longer than {self.timeout:g} s"
        code = self.program.wait()
        if code < 0:
            return f"signal: killed by {name_of(-code)}"
        return f"exit: status {code}" if code else ""

    def finish(self) -> None:
        """Takes what is left of its output; who still could write is dead."""
        while len(self.output) < OUTPUT and self.take():
            if not select.select([self.pipe], [], [], 0)[0]:
                break


def end_all() -> str:
    """Kills every process that came from this one; what could not be killed."""
    until = time.monotonic() + PATIENCE
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while time.monotonic() < until:
        for pid in children.read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.002)
        except ChildProcessError:
            return ""
    return f"processes that cannot be killed: {children.read_text()}"


def main() -> None:
    """Runs the program, and says how it ended."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if ctypes.CDLL(None, use_errno=True).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become who gets what is left")
    output, root = b"", dict[str, str]()
    try:
        event = Path(sys.argv[2])
        root = root_of(event.read_bytes())
        attempt = Attempt(config, event, environment(event, root, sys.argv[3:]))
        failure = attempt.run()
        left = end_all()
        attempt.finish()
        output = attempt.output
        failure = failure or left
    except (OSError, subprocess.SubprocessError) as error:
        failure = f"start: cannot run `{config['program']}`: {error}"
        if isinstance(error, OSError) and error.errno == 8:
            failure += "; does its first line say who runs it, as `#!/usr/bin/env python3`?"
    result = {"failure": failure, "output": output.decode(errors="replace"), "ivorn": root.get("ivorn", "")}
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
