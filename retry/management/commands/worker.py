"""``manage.py worker QUEUE``: process queued runs."""

import argparse
import os
from typing import Any

from django.conf import settings

from retry.management.command import DeskCommand
from retry.worker import run_pool, run_worker

#: More is a slip of the finger: each is a process of tens of megabytes.
_MOST = 256


class Command(DeskCommand):
    has_id = False
    help = (
        "Process the runs of one queue until stopped. On SIGTERM or Ctrl-C it finishes the current "
        "entry, hands on the rest and exits. Any number can run. With --processes, one parent "
        "starts several and replaces those that die: manage.py worker bulk --processes 4"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "queue", choices=sorted(settings.REDRIVE_QUEUES), help="the queue to process"
        )
        parser.add_argument(
            "--processes",
            type=_parse_processes,
            default=1,
            metavar="N",
            help="how many workers; auto: one for each core it may use (default: 1)",
        )
        parser.add_argument("--burst", action="store_true", help="exit when the queue is empty")
        parser.add_argument(
            "--name",
            help="unique name, shown in the admin (default: host and process id); several workers "
            "are called NAME-1, NAME-2 and so on",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        queue, burst, name = options["queue"], options["burst"], options["name"]
        if options["processes"] == 1:
            run_worker(queue, burst=burst, name=name)
        else:
            run_pool(queue, processes=options["processes"], burst=burst, name=name)


def _parse_processes(given: str) -> int:
    if given == "auto":
        return _count_cores()
    if given.isascii() and given.isdigit() and 1 <= int(given) <= _MOST:
        return int(given)
    raise argparse.ArgumentTypeError(f"{given!r}: a number from 1 to {_MOST}, or auto")


def _count_cores() -> int:
    """Return how many cores this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
