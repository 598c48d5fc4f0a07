"""``manage.py derive_upstreams``: for entries stored before their kind had upstreams."""

from typing import Any

from retry import service
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.outcomes import Actor


class Command(DeskCommand):
    help = (
        "Derive the upstream of every stored entry from its payload. Needed once after a kind got "
        "upstreams. Can be interrupted and repeated."
    )

    def handle(self, *args: Any, **given: Any) -> None:
        changed = service.derive_upstreams(actor=Actor.command(find_account()))
        self.stdout.write(f"Updated the upstream of {changed:,} entries.")
