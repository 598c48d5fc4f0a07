"""``manage.py recount_entries``: for entries that changed without their triggers."""

from typing import Any

from retry import service
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.outcomes import Actor


class Command(DeskCommand):
    help = (
        "Count the entries of each status again and set right what pages, API and metrics show. "
        "Only needed where entries changed without the triggers of their table, as in a copy that "
        "was loaded with triggers off. Everything else goes on meanwhile."
    )

    def handle(self, *args: Any, **given: Any) -> None:
        wrong = service.recount_entries(actor=Actor.command(find_account()))
        found = f"wrong by {wrong:,}" if wrong else "right"
        self.stdout.write(f"The counts were {found}.")
