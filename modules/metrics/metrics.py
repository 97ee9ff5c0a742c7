"""All numbers of the node as one text for Prometheus. Standard library only.

write FILE   replaces the file, for the textfile collector of node_exporter
answer       answers one request of HTTP, whose connection is the standard input

Services write files of their own. They are merged: what belongs to one metric stands together, as the format
wants it, and a file with a line that is wrong is left out whole, so that it spoils nothing but itself.
"""

from __future__ import annotations

import dataclasses
import http.server
import json
import os
import re
import socket
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Bytes of a file that are read; a service that writes more is ill.
MOST = 4 << 20
# Seconds that a client may take.
PATIENCE = 5.0

NAME = "voevent_[a-zA-Z0-9_]+"
VALUE = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|Inf|NaN)"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL}(?:,{LABEL})*,?)?)\}})? +({VALUE})")
ABOUT = re.compile(rf"# (HELP|TYPE) ({NAME})(?: (.*))?")
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")


class IllError(Exception):
    """A file is not in the text format; the text says which line."""


@dataclasses.dataclass
class Family:
    """A metric: what it is, and its samples by name and labels."""

    type: str = "untyped"
    help: str = ""
    samples: dict[tuple[str, frozenset[str]], str] = dataclasses.field(default_factory=dict)


def parse(text: str) -> dict[str, Family]:
    """The metrics of a file.

    Raises IllError.
    """
    families: dict[str, Family] = {}
    for number, line in enumerate(text.split("\n"), 1):
        about = ABOUT.fullmatch(line)
        sample = SAMPLE.fullmatch(line)
        if about:
            family = families.setdefault(about[2], Family())
            if about[1] == "HELP":
                family.help = about[3] or ""
            elif about[3] not in TYPES or family.samples:
                raise IllError(f"line {number}: no type, or one that comes late")
            else:
                family.type = about[3]
        elif sample:
            family = families.setdefault(family_of(sample[1], families), Family())
            key = (sample[1], frozenset(re.findall(LABEL, sample[2] or "")))
            if key in family.samples:
                raise IllError(f"line {number}: the same sample again")
            family.samples[key] = line
        elif line and not line.startswith("#"):
            raise IllError(f"line {number}: not in the text format, or its name does not begin with `voevent_`")
    return families


def family_of(name: str, families: Mapping[str, Family]) -> str:
    """The metric that a sample belongs to."""
    for suffix in ("_bucket", "_sum", "_count"):
        whole = name.removesuffix(suffix)
        if whole != name and whole in families and families[whole].type in ("histogram", "summary"):
            return whole
    return name


def merge(files: Mapping[str, str | Exception], written_at: Mapping[str, float] | None = None) -> str:
    """One text of many, by name; what cannot be used is left out, and that is said. When each was written is told."""
    merged: dict[str, Family] = {}
    fine: dict[str, bool] = {}
    for key, text in sorted(files.items()):
        # A service that works once a day has not written yet.
        if isinstance(text, FileNotFoundError):
            continue
        try:
            if isinstance(text, Exception):
                raise text
            families = parse(text)
            for name, family in families.items():
                fits(merged.get(name), family, name)
        except (IllError, OSError, UnicodeDecodeError) as error:
            print(f"<4>the file of `{key}` is left out: {error}", file=sys.stderr, flush=True)
            fine[key] = False
            continue
        fine[key] = True
        for name, family in families.items():
            into = merged.setdefault(name, Family(family.type, family.help))
            into.samples.update(family.samples)
    # Nobody else has this name: `fits` saw to that.
    own = Family("gauge", "1 where the file of a service is read and well.")
    for key, well in fine.items():
        label = f'file="{key}"'
        own.samples[OWN, frozenset([label])] = f"{OWN}{{{label}}} {int(well)}"
    merged[OWN] = own
    merged[AGE] = Family("gauge", "When the file of a service was written: numbers of one that ended are old.")
    for key, at in (written_at or {}).items():
        label = f'file="{key}"'
        merged[AGE].samples[AGE, frozenset([label])] = f"{AGE}{{{label}}} {at:.3f}"
    return "".join(written(name, family) for name, family in sorted(merged.items()))


OWN, AGE = "voevent_metrics_file_ok", "voevent_metrics_file_timestamp_seconds"


def fits(there: Family | None, family: Family, name: str) -> None:
    """Whether a metric of one more file goes with that of the files before.

    Raises IllError.
    """
    if name in (OWN, AGE):
        raise IllError(f"`{name}` is no name for others")
    if there is None:
        return
    if there.type != family.type:
        raise IllError(f"`{name}` is a {family.type} here, and a {there.type} elsewhere")
    if there.samples.keys() & family.samples.keys():
        raise IllError(f"`{name}` has a sample that another file has too")


def written(name: str, family: Family) -> str:
    """A metric in the text format."""
    about = [f"# HELP {name} {family.help}"] if family.help else []
    lines = [*about, f"# TYPE {name} {family.type}", *family.samples.values()]
    # Ours is said to be there before any service has written: so whoever asks knows whom he asked.
    return "\n".join(lines) + "\n" if family.samples or name == OWN else ""


def read(path: Path) -> tuple[str | Exception, float | None]:
    """A file, or why it cannot be read; and when it was written. Whose it is may put anything there, a pipe too."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return IllError("it is no file"), None
            text = file.read(MOST + 1)
        return (text.decode("utf-8") if len(text) <= MOST else IllError(f"more than {MOST} bytes")), status.st_mtime
    except (OSError, UnicodeDecodeError) as error:
        return error, None


def exposition(config: Mapping[str, Any]) -> str:
    """All numbers, as they are now."""
    files = {key: read(Path(path)) for key, path in config["files"].items()}
    written_at = {key: at for key, (_, at) in sorted(files.items()) if at is not None}
    return merge({key: text for key, (text, _) in files.items()}, written_at)


def write(path: Path, text: str) -> None:
    """Replaces the file, which everybody may read."""
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)
    temporary.rename(path)


class Answer(http.server.BaseHTTPRequestHandler):
    """One request: `GET /metrics`."""

    timeout = PATIENCE
    config: Mapping[str, Any]

    def do_GET(self) -> None:
        """The numbers."""
        self._answer(whole=True)

    def do_HEAD(self) -> None:
        """How many bytes they have."""
        self._answer(whole=False)

    def _answer(self, *, whole: bool) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404, explain="the numbers are at /metrics")
            return
        body = exposition(self.config).encode()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if whole:
            self.wfile.write(body)

    def version_string(self) -> str:
        """What one need not know."""
        return "voevent-metrics"

    def log_message(self, *_arguments: Any) -> None:
        """Says nothing: it is asked again and again."""


def main(arguments: list[str]) -> None:
    """metrics.py CONFIG write FILE | metrics.py CONFIG answer."""
    config = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    if arguments[1] == "write":
        write(Path(arguments[2]), exposition(config))
        return
    handler = type("OurAnswer", (Answer,), {"config": config})
    with socket.socket(fileno=0) as connection:
        try:
            handler(connection, ("", 0), None)
        except OSError as error:
            print(f"<6>a client went: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
