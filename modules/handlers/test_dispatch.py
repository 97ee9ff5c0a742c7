"""What a handler's queue promises, with real programs that end in every way."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attempt
import dispatch
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
EVENT = (
    '<v:VOEvent xmlns:v="x" role="test" ivorn="ivo://org.example/s#%d">'
    '<What><Param name="n" value="%d"/></What></v:VOEvent>'
)
SECONDS = 60.0


class Handler:
    """A queue, and a dispatcher that may be started and killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("in", "work", "done", "failed"):
            (folder / name).mkdir()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, script: str, **config: Any) -> None:
        self.configure(script, **config)
        files = (HERE / "dispatch.py", self.folder / "config.json", HERE / "attempt.py")
        call = [sys.executable, *map(str, files)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(call, stderr=log)

    def configure(self, script: str, **config: Any) -> None:
        program = self.folder / "program"
        program.write_text(script)
        program.chmod(0o700)
        config = {
            "name": "h",
            "queue": str(self.folder),
            "program": str(program),
            "arguments": [],
            "xpath": None,
            "timeout_seconds": 10,
            "retries": 0,
            "backoff_seconds": 0.1,
            "concurrency": 1,
            "memory_bytes": 1 << 30,
            "processes": 4000,
            "keep_done_seconds": 3600,
            "keep_failed_seconds": 3600,
        } | config
        (self.folder / "config.json").write_text(json.dumps(config))

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()

    def event(self, number: int) -> str:
        data = (EVENT % (number, number)).encode()
        stem = f"{number:020}-{hashlib.sha256(data).hexdigest()}"
        temporary = self.folder / "in" / f".{stem}"
        temporary.write_bytes(data)
        temporary.rename(self.folder / "in" / f"{stem}.xml")
        return stem

    def names(self, where: str) -> list[str]:
        return sorted(path.name for path in (self.folder / where).glob("*.xml"))

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS
        while not holds():
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.01)

    def failed(self, script: str, **config: Any) -> str:
        """What is kept of an event that the program fails at."""
        self.start(script, **config)
        stem = self.event(1)
        self.until(lambda: self.names("failed") == [f"{stem}.xml"])
        return (self.folder / "failed" / f"{stem}.txt").read_text()

    def metric(self, name: str) -> float:
        lines = (self.folder / "work" / "metrics.prom").read_text().splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[Handler]:
    it = Handler(tmp_path)
    yield it
    it.kill()


def test_each_event_once_in_order_with_its_environment(handler: Handler) -> None:
    stems = [handler.event(number) for number in range(3)]
    out = handler.folder / "out"
    words = "$VOEVENT_IVORN $VOEVENT_ROLE $VOEVENT_SHA256 $VOEVENT_ATTEMPT $VOEVENT_CUT_OFF $1"
    handler.start(f'#!/bin/sh\necho "{words} $(wc -c)" >> {out}', arguments=["a b"])
    handler.until(lambda: len(handler.names("done")) == 3)
    stems.append(handler.event(3))
    handler.until(lambda: len(handler.names("done")) == 4)
    size = len(EVENT % (0, 0))
    assert out.read_text().splitlines() == [
        f"ivo://org.example/s#{number} test {stem[21:]} 1 0 a b {size}" for number, stem in enumerate(stems)
    ]
    handler.until(lambda: handler.metric('voevent_handler_events_total{handler="h",outcome="done"}') == 4)
    assert handler.names("in") == handler.names("work") == []


@pytest.mark.parametrize(
    ("script", "said", "result"),
    [
        ("#!/bin/sh\necho why; exit 3", "exit: status 3\n\nwhy\n", "exit"),
        ("#!/bin/sh\necho why >&2; kill -SEGV $$", "signal: killed by SIGSEGV\n\nwhy\n", "signal"),
        ("#!/bin/sh\nkill -40 $$", "signal: killed by signal 40\n", "signal"),
        ("#!/bin/sh\necho why; exec sleep 60", "timeout: ran longer than 0.5 s\n\nwhy\n", "timeout"),
        ("#!/bin/sh\ntrap '' TERM; while :; do sleep 1; done", "timeout: ran longer than 0.5 s\n\n", "timeout"),
        ("echo no first line", "does its first line say who runs it", "start"),
        ("#!/nonexistent/python\n", "start: cannot run", "start"),
        ("#!/bin/sh\nkill -KILL $PPID; sleep 60", "signal: it ended the one who runs it", "signal"),
    ],
)
def test_a_failure_is_kept_and_counted(handler: Handler, script: str, said: str, result: str) -> None:
    assert said in handler.failed(script, timeout_seconds=0.5)
    counter = f'voevent_handler_attempts_total{{handler="h",result="{result}"}}'
    handler.until(lambda: handler.metric(counter) == 1)
    assert handler.metric("voevent_handler_kept_failed") == 1
    assert "kept as" in (handler.folder / "log").read_text()


def test_memory_is_bounded(handler: Handler) -> None:
    said = handler.failed(f"#!{sys.executable}\nx = bytearray(1 << 30)", memory_bytes=256 << 20)
    assert "exit: status 1" in said
    assert "MemoryError" in said


def test_what_a_program_leaves_is_ended(handler: Handler) -> None:
    left = handler.folder / "left"
    script = f"#!/bin/sh\nsetsid sh -c 'echo $$ > {left}; sleep 60' & until [ -s {left} ]; do sleep .01; done"
    handler.start(script)
    handler.event(1)
    handler.until(lambda: len(handler.names("done")) == 1)
    assert not Path(f"/proc/{left.read_text().strip()}").exists()


def test_a_failure_is_tried_again_and_others_do_not_wait(handler: Handler) -> None:
    out = handler.folder / "out"
    script = f'#!/bin/sh\necho "$VOEVENT_IVORN $VOEVENT_ATTEMPT" >> {out}\n[ $VOEVENT_IVORN != ivo://org.example/s#1 ]'
    handler.start(script, retries=2, backoff_seconds=0.3)
    for number in (1, 2):
        handler.event(number)
    handler.until(lambda: handler.names("failed") != [])
    assert [line[-3:] for line in out.read_text().splitlines()] == ["1 1", "2 1", "1 2", "1 3"]
    assert len(handler.names("done")) == 1


def test_who_is_killed_in_an_attempt_makes_another_and_says_so(handler: Handler) -> None:
    out = handler.folder / "out"
    script = f'#!/bin/sh\necho "$VOEVENT_ATTEMPT $VOEVENT_CUT_OFF" >> {out}; [ $VOEVENT_ATTEMPT = 3 ] || sleep 60'
    for lines in (1, 2):
        handler.start(script)
        if lines == 1:
            handler.event(1)
        handler.until(lambda: out.exists() and out.read_text().count("\n") == lines)  # noqa: B023
        handler.kill()
        end_programs(handler)
    handler.start(script)
    handler.until(lambda: len(handler.names("done")) == 1)
    assert out.read_text() == "1 0\n2 1\n3 2\n"
    handler.until(lambda: handler.metric('voevent_handler_attempts_total{handler="h",result="cut"}') == 2)


def end_programs(handler: Handler) -> None:
    """What systemd does: with the main process all processes of the unit end."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(handler.folder).encode() in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)


def test_an_event_that_ends_its_host_is_given_up(handler: Handler) -> None:
    stem = handler.event(1)
    source = handler.folder / "in" / f"{stem}.xml"
    source.rename(handler.folder / "work" / f"{stem}~4~0~running.xml")
    handler.start("#!/bin/sh\n")
    handler.until(lambda: handler.names("failed") != [])
    assert "cut off 4 times" in (handler.folder / "failed" / f"{stem}.txt").read_text()


def test_a_polite_end_waits_for_the_attempt(handler: Handler) -> None:
    handler.start("#!/bin/sh\nsleep 0.5")
    for number in (1, 2):
        handler.event(number)
    handler.until(lambda: handler.names("work") != [])
    handler.kill(signal.SIGTERM)
    assert [len(handler.names(where)) for where in ("in", "work", "done")] == [1, 0, 1]


def test_only_what_the_xpath_wants(handler: Handler) -> None:
    handler.start("#!/bin/sh\n", xpath="//Param[@name='n']/@value = 2")
    for number in (1, 2, 3):
        handler.event(number)
    handler.until(lambda: handler.names("in") == [] and handler.names("work") == [])
    assert handler.names("done")[0].startswith(f"{2:020}-")
    assert len(handler.names("done")) == 1
    handler.until(lambda: handler.metric('voevent_handler_events_total{handler="h",outcome="filtered"}') == 2)


def test_several_at_a_time(handler: Handler) -> None:
    there = handler.folder / "there"
    there.mkdir()
    wait = f"touch {there}/$VOEVENT_SHA256; until [ $(ls {there} | wc -l) = 4 ]; do sleep .05; done"
    for number in range(5):
        handler.event(number)
    # Four wait for each other; the fifth comes after one of them.
    handler.start(
        f"#!/bin/sh\n[ -e {there}.all ] || {{ {wait}; touch {there}.all; }}", concurrency=4, timeout_seconds=60
    )
    handler.until(lambda: len(handler.names("done")) == 5)


def test_counters_go_on_and_old_events_go(handler: Handler) -> None:
    handler.start("#!/bin/sh\n")
    handler.event(1)
    counter = 'voevent_handler_events_total{handler="h",outcome="done"}'
    handler.until(lambda: len(handler.names("done")) == 1 and handler.metric(counter) == 1)
    handler.kill(signal.SIGTERM)
    time.sleep(0.1)
    handler.start("#!/bin/sh\n", keep_done_seconds=0)
    handler.event(2)
    handler.until(lambda: handler.metric(counter) == 2)
    handler.until(lambda: handler.names("done") == [])


def test_counters_stay_exact(tmp_path: Path) -> None:
    figures = dispatch.Figures(tmp_path / "metrics.prom", "h")
    figures.add("events", ',outcome="done"', 1_234_567)
    figures.write({})
    again = dispatch.Figures(tmp_path / "metrics.prom", "h")
    again.add("events", ',outcome="done"')
    again.write({})
    assert 'voevent_handler_events_total{handler="h",outcome="done"} 1234568\n' in again.path.read_text()


def test_a_disk_that_takes_no_numbers_ends_nothing(handler: Handler) -> None:
    (handler.folder / "work" / ".metrics.prom").mkdir()
    handler.start("#!/bin/sh\nsleep 1.2")
    for number in (1, 2):
        handler.event(number)
    handler.until(lambda: len(handler.names("done")) == 2)
    assert (handler.folder / "log").read_text().count("cannot write the numbers") == 1
    assert handler.process is not None
    assert handler.process.poll() is None
    (handler.folder / "work" / ".metrics.prom").rmdir()
    handler.event(3)
    counter = 'voevent_handler_events_total{handler="h",outcome="done"}'
    handler.until(lambda: (handler.folder / "work" / "metrics.prom").exists() and handler.metric(counter) == 3)


def test_without_room_for_a_process_events_wait(
    handler: Handler, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handler.configure("#!/bin/sh\n")
    it = dispatch.Dispatcher(str(handler.folder / "config.json"), str(HERE / "attempt.py"))
    stem = handler.event(1)

    def none(*_: Any, **__: Any) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(dispatch, "LOOK", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", none)
        for _ in range(dispatch.CUT_OFF + 3):
            entry = it.next()
            assert entry is not None
            it.begin(entry)
            assert handler.names("work") == [f"{stem}~0~0~waiting.xml"]
    assert "which waits: [Errno 11]" in capsys.readouterr().err
    it.fill()
    ((fd, running),) = it.running.items()
    assert (running.entry.attempt, running.entry.cut_off) == (1, 0)
    while it.running:
        it.ended(fd)
    assert handler.names("done") == [f"{stem}.xml"]


def test_what_people_put_and_take_ends_nothing(handler: Handler) -> None:
    (handler.folder / "failed" / "looked-at").mkdir()
    (handler.folder / "failed" / "link").symlink_to("nowhere")
    handler.start(
        f"#!/bin/sh\n[ $VOEVENT_IVORN != ivo://org.example/s#1 ] || rm {handler.folder}/work/*~running.xml",
        keep_failed_seconds=-1,
    )
    for number in (1, 2):
        handler.event(number)
    handler.until(lambda: len(handler.names("done")) == 1)
    assert (handler.folder / "failed" / "looked-at").is_dir()
    assert "was taken away while it was handled" in (handler.folder / "log").read_text()


def test_an_event_writes_no_line_of_its_own_into_the_journal(handler: Handler) -> None:
    data = b'<VOEvent role="test" ivorn="ivo://a&#10;&lt;0>forged &#x9b;31m"/>'
    (handler.folder / "in" / f"{1:020}-{hashlib.sha256(data).hexdigest()}.xml").write_bytes(data)
    handler.start("#!/bin/sh\nexit 1")
    handler.until(lambda: handler.names("failed") != [])
    handler.kill(signal.SIGTERM)
    lines = (handler.folder / "log").read_text().splitlines()
    assert [line[:16] for line in lines if "forged" in line] == ["<3>ivo://a <0>fo"]
    assert not any("\x9b" in line for line in lines)


def test_what_is_no_event_is_left(handler: Handler) -> None:
    (handler.folder / "in" / "folder.xml").mkdir()
    (handler.folder / "in" / "note.txt").touch()
    (handler.folder / "in" / "garbage.xml").write_bytes(b"\xff<")
    handler.start("#!/bin/sh\n")
    handler.event(1)
    handler.until(lambda: len(handler.names("done")) == 2)
    assert (handler.folder / "in" / "folder.xml").is_dir()
    assert "cannot begin with folder" in (handler.folder / "log").read_text()


def test_limits_of_control_groups_are_known(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (tmp_path / "a.service").mkdir()
    limit = tmp_path / "a.service" / "memory.max"
    own.write_text("0::/a.service\n")
    for text, known in [("max\n", False), ("268435456\n", True)]:
        limit.write_text(text)
        assert attempt.enforced("memory.max", tmp_path, own) == known
    own.write_text("4:memory:/a.service\n")
    assert not attempt.enforced("memory.max", tmp_path, own)


def test_names_are_read_as_they_are_written() -> None:
    entry = dispatch.Entry("1-ab", 3, 1, "running")
    assert dispatch.Entry.of(entry.name) == entry
    assert entry.cut_off == 1
    assert dispatch.Entry.of("metrics.prom") is None
