"""``manage.py worker QUEUE``: process what is queued."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from retry.worker import run_worker


class Command(BaseCommand):
    help = (
        "Process runs from one queue until stopped. SIGTERM or Ctrl-C: finish the entry at hand, "
        "hand on the rest and go. Start as many as you like."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("queue", choices=sorted(settings.RQ_QUEUES), help="one queue a worker")
        parser.add_argument("--burst", action="store_true", help="go when the queue is empty")
        parser.add_argument("--name", help="shown in the admin; must be unique (default: random)")

    def handle(self, *args: Any, **options: Any) -> None:
        run_worker(options["queue"], burst=options["burst"], name=options["name"])
