"""``manage.py derive_upstreams``: for entries that were stored before their kind had upstreams."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand

from retry.outcomes import Actor
from retry.upkeep import derive_upstreams


class Command(BaseCommand):
    help = (
        "Derive from the payloads of all stored entries what they depend on. Needed once after a "
        "kind got upstreams; may be broken off and repeated."
    )

    def handle(self, *args: Any, **given: Any) -> None:
        changed = derive_upstreams(actor=Actor.command(getpass.getuser()))
        self.stdout.write(f"{changed:,} entries have another upstream now.")
