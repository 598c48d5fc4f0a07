"""``manage.py hold``: put a kind, an upstream or a source on hold, lift a hold, list holds."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from entries.errors import UnknownKind
from retry import service
from retry.errors import RetryError
from retry.holds import control
from retry.holds.overview import count_waiting, list_active
from retry.management.account import find_account
from retry.management.bulk import parse_time
from retry.management.command import DeskCommand
from retry.models import Hold
from retry.outcomes import Actor


class Command(DeskCommand):
    help = (
        "Put a kind, one upstream of a kind, or a source on hold: its entries stay queued until "
        "the hold is lifted. Without --kind, --source and --lift: list the holds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--kind", help="put this kind on hold")
        what.add_argument("--source", metavar="SLUG", help="put this source on hold")
        what.add_argument("--lift", type=int, metavar="ID", help="lift the hold with this id")
        parser.add_argument("--upstream", default="", help="only this upstream of the kind")
        parser.add_argument(
            "--until", type=parse_time, metavar="TIME", help="lift the hold by itself at this time"
        )
        parser.add_argument("--reason", default="", help="recorded with the hold")

    def handle(self, *args: Any, **given: Any) -> None:
        if given["upstream"] and not given["kind"]:
            raise CommandError("--upstream belongs to a kind: give --kind as well.")
        if given["until"] and not (given["kind"] or given["source"]):
            raise CommandError("--until belongs to a new hold: give --kind or --source as well.")
        request: dict[str, Any] = {
            "actor": Actor.command(find_account()),
            "reason": given["reason"],
        }
        new = {**request, "ends_at": given["until"]}
        try:
            if given["kind"]:
                self._report(service.hold_kind(given["kind"], given["upstream"], **new))
            elif given["source"]:
                self._report(service.hold_source(given["source"], **new))
            elif given["lift"] is not None:
                self._report(service.lift_hold(given["lift"], **request))
            else:
                self._list()
        except (RetryError, UnknownKind) as error:
            raise CommandError(str(error)) from error

    def _report(self, hold: Hold) -> None:
        state = "is on hold" if hold.lifted_at is None else "is no longer on hold"
        if hold.lifted_at is None and hold.ends_at is not None:
            state = f"{state} until {_format(hold.ends_at)}"
        self.stdout.write(f"Hold {hold.pk}: {control.describe_target(hold)} {state}.")

    def _list(self) -> None:
        holds = list(list_active())
        waiting = count_waiting(holds)
        for hold in holds:
            since = hold.created_at.isoformat(timespec="seconds")
            waits = waiting[hold.pk]
            self.stdout.write(
                f"Hold {hold.pk}: {control.describe_target(hold)}, since {since}, "
                f"by {hold.actor_label}"
                f"{f', until {_format(hold.ends_at)}' if hold.ends_at else ''}"
                f"{f': {hold.reason}' if hold.reason else ''} "
                f"({waits.runs:,} runs and {waits.scheduled:,} scheduled entries wait)"
            )
        if not holds:
            self.stdout.write("Nothing is on hold.")


def _format(moment: datetime) -> str:
    return timezone.localtime(moment).isoformat(timespec="minutes")
