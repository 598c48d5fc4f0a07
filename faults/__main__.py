"""``python -m faults [SCENARIO …] [--long] [--jobs N] [--write]``: each on servers of its own."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from config.env import BASE_DIR

NAMES = (
    *("connections", "time_limits", "base_exceptions", "killer"),
    *("slow_upstream", "stuck_beside", "kill_beside", "pause_beside", "sigterm_beside"),
    *("killed_horses", "killed_workers", "sigterm", "frozen_dispatcher"),
    *("read_only", "restarts", "lost_answers", "flushall", "garbage"),
    *("failover", "pooler", "pooler_session"),
    *("canary", "failure_limit", "upstream", "click"),
)
_PAGE = BASE_DIR / "docs" / "reliability.md"
_TABLE = re.compile(r"(<!-- played -->\n).*(<!-- end played -->)", re.DOTALL)
_COUNTS = ("entries", "executions", "lost", "doubled", "stuck", "unexplained", "miscounted")
_HEAD = (
    f"| what is broken | {' | '.join(_COUNTS)} | recovered |\n"
    f"| --- |{' ---: |' * (len(_COUNTS) + 1)}\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(NAMES))
    parser.add_argument("--long", action="store_true", default=os.environ.get("FAULTS") == "long")
    parser.add_argument(
        "--jobs", type=int, default=1, help="scenarios at once; with more each takes longer"
    )
    parser.add_argument("--write", action="store_true", help="write the table to the docs")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    with make_cluster() as migrated, ThreadPoolExecutor(chosen.jobs) as jobs:
        play = partial(_play, long=chosen.long, migrated=migrated)
        results = list(jobs.map(play, chosen.names or NAMES))
    if chosen.write:
        table = _HEAD + "".join(_row(each) for each in results if not each.get("skipped"))
        _PAGE.write_text(_TABLE.sub(lambda m: m[1] + table + m[2], _PAGE.read_text()))
    bad = [each["name"] for each in results if not _is_passed(each)]
    sys.stdout.write(f"{len(results) - len(bad)} passed, {len(bad)} failed\n")
    sys.exit(1 if bad else 0)


@contextmanager
def make_cluster() -> Iterator[str]:
    """A folder with a migrated PostgreSQL, which every scenario has a copy of."""
    with tempfile.TemporaryDirectory(prefix="redrive-faults-") as folder:
        subprocess.run([sys.executable, "-m", "faults.cluster", folder], cwd=BASE_DIR, check=True)
        yield folder


def _play(name: str, *, long: bool, migrated: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "faults.scenario", name, "--migrated", migrated]
    command += ["--long"] if long else []
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    try:
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        result = {
            "name": name,
            "broken": name,
            "clean": False,
            "wrong": ["it did not end by itself"],
        }
    sys.stdout.write(_line(result))
    if not _is_passed(result):
        sys.stdout.write(done.stderr[-12_000:])
    sys.stdout.flush()
    return result


def _is_passed(result: dict[str, Any]) -> bool:
    return bool(result["clean"]) and not result["wrong"]


def _line(result: dict[str, Any]) -> str:
    if result.get("skipped"):
        return f"skip {result['name']}: {result['skipped']}\n"
    counts = " ".join(f"{name} {result.get(name, '?')}" for name in _COUNTS)
    recovered = f", recovered in {result['recovered']:.1f} s" if result.get("recovered") else ""
    took = f" ({result['seconds']:.0f} s)" if "seconds" in result else ""
    wrong = "".join(f"\n    {each}" for each in result["wrong"])
    verdict = "ok  " if _is_passed(result) else "FAIL"
    return f"{verdict} {result['name']}: {counts}{recovered}{took}{wrong}\n"


def _row(result: dict[str, Any]) -> str:
    cells = [f"{result.get(name, 0):,}" for name in _COUNTS]
    recovered = f"{result['recovered']:.1f} s" if result.get("recovered") is not None else ""
    return f"| {' | '.join([result['broken'], *cells, recovered])} |\n"


if __name__ == "__main__":
    main()
