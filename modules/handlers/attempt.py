"""One attempt at an event: a program runs, bounded in time, memory and processes, and nothing of it is left.

Called as `attempt.py CONFIG EVENT`; says how it ended by a line of JSON. It is a process of its own, to which every
process that the program leaves behind comes back: so it ends them all, those too that made themselves a session.
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


class Attempt:
    """A program that runs."""

    def __init__(self, config: dict[str, Any], event: Path) -> None:
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
            return f"signal: killed by {signal.Signals(-code).name}"
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
    output = b""
    try:
        attempt = Attempt(config, Path(sys.argv[2]))
        failure = attempt.run()
        left = end_all()
        attempt.finish()
        output = attempt.output
        failure = failure or left
    except (OSError, subprocess.SubprocessError) as error:
        failure = f"start: cannot run `{config['program']}`: {error}"
        if isinstance(error, OSError) and error.errno == 8:
            failure += "; does its first line say who runs it, as `#!/usr/bin/env python3`?"
    print(json.dumps({"failure": failure, "output": output.decode(errors="replace")}), flush=True)


if __name__ == "__main__":
    main()
