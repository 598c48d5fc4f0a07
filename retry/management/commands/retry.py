"""``manage.py retry``: put everything behind a filter back to work."""

import argparse
from typing import ClassVar

from entries.states import EntryStatus
from retry.management.bulk import BulkCommand
from retry.models import Action


class Command(BulkCommand):
    help = (
        "Retry every entry behind a filter with its stored input, as one operation (manage.py "
        "resync would fetch it from its source first). With --wait the exit code is 0 where all "
        "succeeded, 1 where some did not, 2 where the operation was paused. A source or kind that "
        "there is not ends with 2 as well."
    )
    action: ClassVar = Action.RETRY
    doing: ClassVar = "retrying"
    done: ClassVar = "retried"

    def add_status(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--status", choices=[s.value for s in EntryStatus], default="failed")
