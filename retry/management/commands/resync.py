"""``manage.py resync``: fetch everything behind a filter from its sources, and process it."""

import argparse
from typing import Any, ClassVar

from entries.filters import EntryFilter
from entries.states import EntryStatus
from retry.management.bulk import BulkCommand
from retry.models import Action
from retry.operations.selection import Selection


class Command(BulkCommand):
    help = (
        "Fetch every entry behind a filter fresh from its source, store what changed, and process "
        "it, as one operation. An entry whose source cannot be read stays what it was. With --wait "
        "the exit code is 0 where all succeeded, 1 where some did not, 2 where the operation was "
        "paused. A source or kind that there is not ends with 2 as well."
    )
    action: ClassVar = Action.RESYNC
    doing: ClassVar = "resyncing"
    done: ClassVar = "resynced"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--only-if-changed",
            action="store_true",
            help="do not process again what the source has not changed",
        )

    def add_status(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--status", choices=[s.value for s in EntryStatus])
        parser.add_argument("--all", action="store_true", help="every entry there is")

    def selection(self, options: dict[str, Any]) -> Selection:
        """Nothing given is refused: to mean every entry, say so with ``--all``."""
        if options["all"]:
            return Selection(filter=EntryFilter(all=True))
        return super().selection(options)
