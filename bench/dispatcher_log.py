"""``python -m bench.dispatcher_log FILE``: the dispatcher, with a line of JSON for each tick."""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TextIO

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")


def main(path: str) -> None:
    os.environ["REDRIVE_ROLE"] = "dispatcher"
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from retry.dispatcher.loop import Dispatcher, Tick
    from retry.management.commands import dispatcher as command

    class LoggedDispatcher(Dispatcher):
        def tick(self) -> Tick:
            counted = _Counter()
            at, began, used = time.time(), time.perf_counter(), time.process_time()
            with connection.execute_wrapper(counted):
                done = super().tick()
            spent = {
                "at": at,
                "seconds": time.perf_counter() - began,
                "cpu_seconds": time.process_time() - used,
                "statements": counted.statements,
            }
            print(json.dumps(asdict(done) | spent), file=log, flush=True)
            return done

    with open(path, "w") as log:  # noqa: PTH123 - for the length of the process
        command.Dispatcher = LoggedDispatcher  # type: ignore[attr-defined] # by the command's own name
        _run(call_command, log)


def _run(call_command: Callable[..., Any], log: TextIO) -> None:
    try:
        call_command("dispatcher")
    finally:
        log.flush()


class _Counter:
    """Counts the statements of a connection."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Callable[..., Any], *args: Any) -> Any:
        self.statements += 1
        return execute(*args)


if __name__ == "__main__":
    main(sys.argv[1])
