"""``manage.py resync``: resync every entry that matches a filter."""

import argparse
from typing import Any, ClassVar

from entries.filters import EntryFilter
from retry.management.bulk import BulkCommand
from retry.models import Action
from retry.operations.selection import Selection


class Command(BulkCommand):
    help = (
        "Fetch every entry that matches a filter from its source again, store what changed, and "
        "process it, as one operation. An entry whose source cannot be read keeps its status. With "
        "--wait, the exit code is 0 if all succeeded, 1 if some did not, 2 if the operation was "
        "paused. An unknown source or kind exits with 2 as well."
    )
    action: ClassVar = Action.RESYNC
    doing: ClassVar = "Resyncing"
    done: ClassVar = "resynced"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--only-if-changed",
            action="store_true",
            help="do not process entries again that their source has not changed",
        )
        parser.add_argument("--all", action="store_true", help="every entry")

    def selection(self, options: dict[str, Any]) -> Selection:
        """An empty filter is refused: every entry is ``--all``."""
        if options["all"]:
            return Selection(filter=EntryFilter(all=True))
        return super().selection(options)
