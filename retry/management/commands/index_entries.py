"""``manage.py index_entries``: for entries stored before there was an index for lists."""

from typing import Any

from retry import service
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.outcomes import Actor


class Command(DeskCommand):
    help = (
        "Index stored entries for the lists and the search. Needed once after an upgrade of a "
        "large desk. Can be interrupted and repeated; everything else goes on meanwhile."
    )

    def handle(self, *args: Any, **given: Any) -> None:
        written = service.index_entries(actor=Actor.command(find_account()))
        self.stdout.write(f"Indexed {written:,} entries.")
