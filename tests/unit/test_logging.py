"""Logs as a process writes them; a process of its own, because logging is set up once."""

import json
import subprocess
import sys
from typing import Any

from tests.laws.tree import ROOT

SCRIPT = """
import logging, structlog
from config.logging import configure_logging
configure_logging(json={json}, level={level!r})
structlog.contextvars.bind_contextvars(request_id="r-1")
extra = {{"run_id": "abc", "entries": 3}}
logging.getLogger("retry.runs.lifecycle").info("run.started", extra=extra)
structlog.get_logger("desk").warning("desk.busy", queue="bulk")
logging.getLogger("quiet").debug("not.shown")
logging.getLogger("httpx").info("not.shown")
try:
    password = "hunter2"
    raise ValueError("it broke")
except ValueError:
    logging.getLogger("x").exception("it.failed")
"""


def lines(*, json: bool, level: str = "INFO") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(json=json, level=level)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_in_production_every_line_is_json_with_its_context() -> None:
    found: list[dict[str, Any]] = [json.loads(line) for line in lines(json=True)]
    assert [line["event"] for line in found] == ["run.started", "desk.busy", "it.failed"]
    started, busy, failed = found
    assert (
        started.items()
        >= {
            "run_id": "abc",
            "entries": 3,
            "request_id": "r-1",
            "level": "info",
            "logger": "retry.runs.lifecycle",
        }.items()
    )
    assert started["timestamp"].endswith("Z")
    assert busy.items() >= {"queue": "bulk", "request_id": "r-1", "level": "warning"}.items()
    assert "ValueError: it broke" in failed["exception"]


def test_elsewhere_lines_are_for_reading() -> None:
    text = "\n".join(lines(json=False))
    assert "run.started" in text
    assert "run_id=abc" in text
    assert "ValueError: it broke" in text
    assert "not.shown" not in text


def test_no_format_shows_local_variables() -> None:
    """They hold passwords and payloads."""
    for as_json in (True, False):
        shown = "\n".join(lines(json=as_json)).replace('password = "hunter2"', "")
        assert "hunter2" not in shown


def test_the_level_can_be_raised() -> None:
    assert [json.loads(line)["event"] for line in lines(json=True, level="ERROR")] == ["it.failed"]
