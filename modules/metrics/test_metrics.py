"""What services write becomes one text, which the parser of Prometheus reads; a wrong file is left out."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import metrics
import pytest
from prometheus_client.parser import text_string_to_metric_families

COMET = """# HELP voevent_comet_events_total Events accepted.
# TYPE voevent_comet_events_total counter
voevent_comet_events_total{broker="comet",role="test"} 3
voevent_comet_events_total{broker="comet",role="observation"} 12

# HELP voevent_comet_last_event_timestamp_seconds When.
# TYPE voevent_comet_last_event_timestamp_seconds gauge
voevent_comet_last_event_timestamp_seconds{broker="comet"} 1763900000.123
"""
OTHER = COMET.replace('broker="comet"', 'broker="comet-backup"')
ODD = r"""# TYPE voevent_seconds histogram
voevent_seconds_bucket{le="0.1"} 1
voevent_seconds_bucket{le="+Inf"} 2
voevent_seconds_sum 0.5
voevent_seconds_count 2
# TYPE voevent_odd gauge
voevent_odd{a="b\"c\\d\ne, {f}",g=""} NaN
voevent_odd +Inf
# a comment
voevent_untyped 1e-05"""

Sample = tuple[str, tuple[tuple[str, str], ...], float]


def read_back(text: str) -> dict[str, tuple[str, list[Sample]]]:
    """The text, as the parser of prometheus-client has it, in which each metric stands together."""
    families: dict[str, tuple[str, list[Sample]]] = {}
    for family in text_string_to_metric_families(text):
        assert family.name not in families, "a metric in two places"
        samples = [(s.name, tuple(sorted(s.labels.items())), s.value) for s in family.samples]
        families[family.name] = (family.type, samples)
    return families


def test_many_files_become_one_text() -> None:
    merged = metrics.merge({"comet": COMET, "comet-backup": OTHER, "odd": ODD})
    families = read_back(merged)
    kind, samples = families["voevent_comet_events"]
    assert kind == "counter"
    assert sorted((dict(labels)["broker"], value) for _, labels, value in samples) == [
        ("comet", 3),
        ("comet", 12),
        ("comet-backup", 3),
        ("comet-backup", 12),
    ]
    assert families["voevent_seconds"][0] == "histogram"
    assert len(families["voevent_seconds"][1]) == 4
    assert families["voevent_odd"][1][0][1] == (("a", 'b"c\\d\ne, {f}'), ("g", ""))
    assert families["voevent_untyped"] == ("unknown", [("voevent_untyped", (), 1e-05)])
    assert [value for *_, value in families[metrics.OWN][1]] == [1, 1, 1]


def test_each_sample_of_a_good_file_comes_through() -> None:
    for text in (COMET, ODD):
        merged = read_back(metrics.merge({"x": text}))
        del merged[metrics.OWN]
        # NaN is not equal to itself.
        assert repr(sorted(merged.items())) == repr(sorted(read_back(text).items()))


@pytest.mark.parametrize(
    "wrong",
    [
        "voevent_x",
        "voevent_x one",
        "voevent_x 1 1763900000",
        "voevent_x{a=b} 1",
        'voevent_x{a="b} 1',
        'voevent_x{a="b"c="d"} 1',
        r'voevent_x{a="\t"} 1',
        "node_load1 1",
        "voevent_x 1\nvoevent_x 2",
        'voevent_x{a="1",b="2"} 1\nvoevent_x{b="2",a="1"} 1',
        "# TYPE voevent_x guage",
        "voevent_x 1\n# TYPE voevent_x gauge",
        "# TYPE voevent_comet_events_total gauge\nvoevent_comet_events_total 1",
        'voevent_comet_events_total{broker="comet",role="test"} 4',
        "voevent_metrics_file_ok 1",
        "voevent_metrics_file_timestamp_seconds 1",
        "voevent_x 1\x00",
        "\x7fELF",
    ],
)
def test_a_file_that_is_wrong_is_left_out_whole(wrong: str) -> None:
    alone = read_back(metrics.merge({"comet": COMET}))
    merged = read_back(metrics.merge({"comet": COMET, "wrong": "voevent_fine 1\n" + wrong}))
    assert merged.pop(metrics.OWN)[1] == [
        (metrics.OWN, (("file", "comet"),), 1),
        (metrics.OWN, (("file", "wrong"),), 0),
    ]
    del alone[metrics.OWN]
    assert merged == alone


def test_files_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"voevent_x \xff\n")
    (tmp_path / "long").write_bytes(b"#" * (metrics.MOST + 1))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    names = {"a": "gone", "b": "text", "c": ".", "d": "long", "e": "pipe", "f": "link"}
    paths = {key: tmp_path / name for key, name in names.items()}
    text = metrics.exposition({"files": {key: str(path) for key, path in paths.items()}})
    left_out = [(dict(labels)["file"], value) for _, labels, value in read_back(text)[metrics.OWN][1]]
    assert left_out == [(key, 0) for key in "bcdef"], "one that was not written yet is no fault"


def test_how_old_the_numbers_of_a_service_are_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(COMET, encoding="utf-8")
    os.utime(tmp_path / "x", (5.5, 5.5))
    text = metrics.exposition({"files": {"a": str(tmp_path / "gone"), "b": str(tmp_path / "x")}})
    assert read_back(text)[metrics.AGE] == ("gauge", [(metrics.AGE, (("file", "b"),), 5.5)])


def asked(folder: Path, request: bytes) -> tuple[str, dict[str, str], bytes]:
    """What the program answers on a connection, as systemd gives it."""
    (folder / "comet.prom").write_text(COMET, encoding="utf-8")
    config = folder / "config.json"
    config.write_text(json.dumps({"files": {"comet": str(folder / "comet.prom")}}), encoding="utf-8")
    ours, its = socket.socketpair()
    with ours, its:
        ours.sendall(request)
        words = [sys.executable, "-I", metrics.__file__, str(config), "answer"]
        subprocess.run(words, stdin=its.fileno(), check=True, timeout=30)
        its.close()
        whole = ours.makefile("rb").read()
    head, _, body = whole.partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    return first, dict(header.split(": ", 1) for header in headers), body


def test_one_request_is_answered(tmp_path: Path) -> None:
    first, headers, body = asked(tmp_path, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert first == "HTTP/1.0 200 OK"
    assert headers["Content-Type"] == metrics.CONTENT_TYPE
    assert int(headers["Content-Length"]) == len(body)
    assert len(read_back(body.decode())["voevent_comet_events"][1]) == 2
    first, headers, body = asked(tmp_path, b"HEAD /metrics?x HTTP/1.1\r\n\r\n")
    assert (first, body) == ("HTTP/1.0 200 OK", b"")
    assert int(headers["Content-Length"]) > 100


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", "404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", "501"),
        (b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n", "414"),
        (b"rubbish\r\n\r\n", "400"),
    ],
)
def test_any_other_request_is_refused(tmp_path: Path, request_: bytes, code: str) -> None:
    assert code in asked(tmp_path, request_)[0] + asked(tmp_path, request_)[2].decode()


def test_the_file_is_replaced_and_everybody_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        (tmp_path / "voevent.prom").write_text("old", encoding="utf-8")
        metrics.write(tmp_path / "voevent.prom", "new")
    finally:
        os.umask(before)
    assert (tmp_path / "voevent.prom").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "voevent.prom").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["voevent.prom"]
