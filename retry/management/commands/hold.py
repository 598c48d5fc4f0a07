"""``manage.py hold``: put a kind, an upstream or a source on hold, lift it, or say what stands."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from entries.errors import UnknownKind
from retry.errors import RetryError
from retry.holds import control
from retry.holds.overview import count_waiting, list_active
from retry.models import Hold
from retry.outcomes import Actor


class Command(BaseCommand):
    help = (
        "Put a kind, one upstream of a kind, or a source on hold: nothing of it starts until the "
        "hold is lifted. Without "
        "any of --kind, --source and --lift: say what is on hold."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--kind", help="put this kind on hold")
        what.add_argument("--source", metavar="SLUG", help="put this source on hold")
        what.add_argument("--lift", type=int, metavar="ID", help="let what waits for it go on")
        parser.add_argument("--upstream", default="", help="of the kind: this one only")
        parser.add_argument("--reason", default="", help="kept with the hold")

    def handle(self, *args: Any, **given: Any) -> None:
        if given["upstream"] and not given["kind"]:
            raise CommandError("--upstream belongs to a kind: give --kind as well.")
        asked = {"actor": Actor.command(getpass.getuser()), "reason": given["reason"]}
        try:
            if given["kind"]:
                self._say(control.hold_kind(given["kind"], given["upstream"], **asked))
            elif given["source"]:
                self._say(control.hold_source(given["source"], **asked))
            elif given["lift"] is not None:
                self._say(control.lift(given["lift"], **asked))
            else:
                self._list()
        except (RetryError, UnknownKind) as error:
            raise CommandError(str(error)) from error

    def _say(self, hold: Hold) -> None:
        stands = "is on hold" if hold.lifted_at is None else "goes on"
        self.stdout.write(f"Hold {hold.pk}: {control.describe_target(hold)} {stands}.")

    def _list(self) -> None:
        holds = list(list_active())
        waiting = count_waiting(holds)
        for hold in holds:
            since = hold.created_at.isoformat(timespec="seconds")
            waits = waiting[hold.pk]
            self.stdout.write(
                f"Hold {hold.pk}: {control.describe_target(hold)}, since {since}, "
                f"by {hold.actor_label}"
                f"{f': {hold.reason}' if hold.reason else ''} "
                f"({waits.runs:,} runs and {waits.scheduled:,} scheduled entries wait)"
            )
        if not holds:
            self.stdout.write("Nothing is on hold.")
