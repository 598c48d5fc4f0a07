"""``manage.py worker QUEUE``: process queued runs."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from retry.worker import run_worker


class Command(BaseCommand):
    help = (
        "Process the runs of one queue until stopped. On SIGTERM or Ctrl-C it finishes the current "
        "entry, hands on the rest and exits. Any number can run."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "queue", choices=sorted(settings.RQ_QUEUES), help="the queue to process"
        )
        parser.add_argument("--burst", action="store_true", help="exit when the queue is empty")
        parser.add_argument("--name", help="unique name, shown in the admin (default: random)")

    def handle(self, *args: Any, **options: Any) -> None:
        run_worker(options["queue"], burst=options["burst"], name=options["name"])
