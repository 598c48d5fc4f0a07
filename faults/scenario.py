"""``python -m faults.scenario NAME [--long] [--migrated DIR]``: play one and print it as JSON."""

import argparse
import json
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from faults.stage import Stage, prepare_stage


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m faults.scenario", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--migrated", type=Path, metavar="DIR", help="made by faults.cluster")
    chosen = parser.parse_args()
    with prepare_stage(long=chosen.long, migrated=chosen.migrated) as stage:
        result = _play(stage, chosen.name)
        if result["wrong"] or not result["clean"]:
            for process in stage.started:
                tail = process.log.read_text(errors="replace")[-4_000:]
                sys.stderr.write(f"--- {process.log.name}\n{tail}\n")
    sys.stdout.write(json.dumps(result) + "\n")


def _play(stage: Stage, name: str) -> dict[str, Any]:
    from faults.oracle import judge
    from faults.scenarios import SCENARIOS, Outcome

    began = time.monotonic()
    try:
        outcome = SCENARIOS[name].play(stage)
    except Exception as error:  # noqa: BLE001 - the table shows all scenarios
        sys.stderr.write(traceback.format_exc())
        outcome = Outcome(wrong=[f"{type(error).__name__}: {error}"])
    took = time.monotonic() - began
    stage.end()
    verdict = judge(stage.read(), guilty=outcome.guilty)
    if outcome.recovered is not None and outcome.allowed is not None:
        slow = outcome.recovered > outcome.allowed
        outcome.expect(not slow, f"{outcome.recovered:.1f} s, at most {outcome.allowed:g} allowed")
    return asdict(verdict) | {
        "name": name,
        "broken": SCENARIOS[name].broken,
        "clean": verdict.clean,
        "recovered": outcome.recovered,
        "allowed": outcome.allowed,
        "seconds": took,
        "wrong": outcome.wrong,
        "skipped": outcome.skipped,
    }


if __name__ == "__main__":
    main()
