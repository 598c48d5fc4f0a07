"""What ``manage.py retry`` and ``manage.py resync`` share: an operation over a filter, watched."""

import argparse
import getpass
import time
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from entries.filters import EntryFilter
from entries.moments import InvalidMoment, parse_moment
from entries.states import EntryStatus
from retry.errors import NoSuchName, RetryError
from retry.models import Action, OperationState
from retry.operations import control
from retry.operations.control import Pace
from retry.operations.progress import Progress as Found
from retry.operations.progress import read_progress
from retry.operations.selection import Selection, preview
from retry.outcomes import Actor

#: What a filter ends with that names a source or kind that there is not, as any bad argument does.
MISSPELT = 2
#: What ``--wait`` ends with.
ALL_SUCCEEDED, SOME_DID_NOT, PAUSED = 0, 1, 2


def moment(text: str) -> datetime:
    """An ISO 8601 date and time; without an offset it is in the server's time zone."""
    try:
        return parse_moment(text, zone=timezone.get_current_timezone())
    except InvalidMoment:
        message = f"{text!r} is no time such as 2030-01-31T08:00"
        raise argparse.ArgumentTypeError(message) from None


class BulkCommand(BaseCommand):
    """With ``--wait`` the exit code says whether all succeeded."""

    action: ClassVar[Action]
    #: "retrying", beside the bar; "retried" in sentences.
    doing: ClassVar[str]
    done: ClassVar[str]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        self.add_status(parser)
        parser.add_argument("--kind", help="of the entries")
        parser.add_argument("--source", help="slug of a source")
        parser.add_argument("--upstream", help="such as the host of a page")
        parser.add_argument("--fingerprint", help="of an error group")
        parser.add_argument("--error-class", help="such as TransientError")
        parser.add_argument("--q", help="part of an external id, title or error")
        parser.add_argument("--failed-after", type=moment, metavar="TIME")
        parser.add_argument("--failed-before", type=moment, metavar="TIME")
        parser.add_argument("--gone", choices=["yes", "no"], help="from their source")
        parser.add_argument("--reason", default="", help="kept with the operation")
        parser.add_argument("--rate", type=float, metavar="N", help="entries a second at the most")
        parser.add_argument("--canary", type=int, default=0, metavar="N", help="try so many first")
        parser.add_argument(
            "--max-failure-rate", type=float, metavar="R", help="0 to 1; pause above it"
        )
        parser.add_argument("--dry-run", action="store_true", help="say how many, change nothing")
        parser.add_argument("--wait", action="store_true", help="watch it to the end")

    def handle(self, *args: Any, **options: Any) -> None:
        selection = self.selection(options)
        actor = Actor.command(getpass.getuser())
        try:
            if options["dry_run"]:
                self._say(selection, actor)
                return
            operation = control.start(
                selection,
                action=self.action,
                actor=actor,
                reason=options["reason"],
                pace=self._pace(options),
                only_if_changed=options.get("only_if_changed", False),
            )
        except NoSuchName as error:
            raise CommandError(str(error), returncode=MISSPELT) from error
        except RetryError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Operation {operation.pk}: {operation.total:,} entries.")
        if options["wait"]:
            self._wait(operation.pk)

    def add_status(self, parser: argparse.ArgumentParser) -> None:
        """The one argument in which they differ; it is ``status``, or None for every status."""
        raise NotImplementedError

    def selection(self, options: dict[str, Any]) -> Selection:
        status = options["status"]
        chosen = EntryFilter(
            status=EntryStatus(status) if status else None,
            **{
                name: options[name]
                for name in (
                    "kind",
                    "source",
                    "upstream",
                    "fingerprint",
                    "error_class",
                    "q",
                    "failed_after",
                    "failed_before",
                    "gone",
                )
            },
        )
        return Selection(filter=chosen)

    def _pace(self, options: dict[str, Any]) -> Pace:
        rate, limit = options["rate"], options["max_failure_rate"]
        if rate is not None and not 0 < rate <= 1_000_000:
            raise CommandError("--rate must be more than 0.")
        if limit is not None and not 0 <= limit <= 1:
            raise CommandError("--max-failure-rate must be between 0 and 1.")
        if not 0 <= options["canary"] <= 10_000:
            raise CommandError("--canary must be between 0 and 10000.")
        return Pace(rate_per_second=rate, canary_size=options["canary"], max_failure_rate=limit)

    def _say(self, selection: Selection, actor: Actor) -> None:
        found = preview(selection, action=self.action, actor=actor)
        if not found.exact:
            self.stdout.write(f"More than {found.total:,} entries; counting them took too long.")
            return
        self.stdout.write(f"{found.eligible:,} of {found.total:,} entries would be {self.done}.")
        for reason, count in found.skipped.items():
            self.stdout.write(f"  {count:,} would not: {reason.words}")

    def _wait(self, operation_id: UUID) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bar:
            found = read_progress(operation_id)
            task = bar.add_task(self.doing, total=max(found.total, 1))
            while not found.finished and found.operation.state != OperationState.PAUSED:
                bar.update(task, completed=found.settled)
                time.sleep(0.5)
                found = read_progress(operation_id)
            bar.update(task, completed=found.settled if found.total else 1)
        self._report(found)

    def _report(self, found: Found) -> None:
        self.stdout.write(
            f"{found.succeeded:,} succeeded, {found.failed:,} failed, {found.scheduled:,} to "
            f"be retried automatically, {found.cancelled:,} cancelled, "
            f"{found.skipped_total:,} skipped."
        )
        if found.operation.only_if_changed:
            self.stdout.write(f"  {found.unchanged:,} had nothing new and were not processed")
        for reason, count in found.skipped.items():
            self.stdout.write(f"  {count:,} skipped: {reason.replace('_', ' ')}")
        if found.operation.state == OperationState.PAUSED:
            raise CommandError(f"Paused. {found.operation.pause_reason}", returncode=PAUSED)
        if found.succeeded + found.unchanged < found.total:
            raise SystemExit(SOME_DID_NOT)
