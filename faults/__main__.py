"""``python -m faults [SCENARIO …] [--long] [--write]``: play scenarios, each on its own servers."""

import argparse
import json
import os
import re
import subprocess
import sys
from typing import Any

from config.env import BASE_DIR

NAMES = (
    *("connections", "time_limits", "base_exceptions", "killer"),
    *("killed_horses", "killed_workers", "asked_to_go", "frozen_dispatcher"),
    *("read_only", "restarted", "lost_answers", "emptied_redis", "garbage"),
    *("canary", "failure_limit", "upstream", "click"),
)
_PAGE = BASE_DIR / "docs" / "reliability.md"
_TABLE = re.compile(r"(<!-- played -->\n).*(<!-- end played -->)", re.DOTALL)
_HEAD = (
    "| what is broken | entries | executions | lost | doubled | stuck | unexplained | recovered |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(NAMES))
    parser.add_argument("--long", action="store_true", default=os.environ.get("FAULTS") == "long")
    parser.add_argument("--write", action="store_true", help="keep the table in the docs")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    told = [_play(name, long=chosen.long) for name in chosen.names or NAMES]
    if chosen.write:
        table = _HEAD + "".join(map(_row, told))
        _PAGE.write_text(_TABLE.sub(lambda m: m[1] + table + m[2], _PAGE.read_text()))
    bad = [each["name"] for each in told if not _holds(each)]
    sys.stdout.write(f"{len(told) - len(bad)} passed, {len(bad)} failed\n")
    sys.exit(1 if bad else 0)


def _play(name: str, *, long: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "faults.scenario", name, *(["--long"] if long else [])]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    try:
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        told = {"name": name, "broken": name, "clean": False, "wrong": ["it did not end by itself"]}
    sys.stdout.write(_line(told))
    if not _holds(told):
        sys.stdout.write(done.stderr[-12_000:])
    sys.stdout.flush()
    return told


def _holds(told: dict[str, Any]) -> bool:
    return bool(told["clean"]) and not told["wrong"]


def _line(told: dict[str, Any]) -> str:
    counts = " ".join(
        f"{name} {told.get(name, '?')}"
        for name in ("entries", "executions", "lost", "doubled", "stuck", "unexplained")
    )
    recovered = f", recovered in {told['recovered']:.1f} s" if told.get("recovered") else ""
    took = f" ({told['seconds']:.0f} s)" if "seconds" in told else ""
    wrong = "".join(f"\n    {each}" for each in told["wrong"])
    verdict = "ok  " if _holds(told) else "FAIL"
    return f"{verdict} {told['name']}: {counts}{recovered}{took}{wrong}\n"


def _row(told: dict[str, Any]) -> str:
    names = ("entries", "executions", "lost", "doubled", "stuck", "unexplained")
    cells = [f"{told.get(name, 0):,}" for name in names]
    recovered = f"{told['recovered']:.1f} s" if told.get("recovered") is not None else ""
    return f"| {' | '.join([told['broken'], *cells, recovered])} |\n"


if __name__ == "__main__":
    main()
