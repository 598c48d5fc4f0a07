"""What ``manage.py retry`` and ``manage.py resync`` share: an operation and its progress."""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.core.management.base import CommandError
from django.utils import timezone
from rich import progress as rich_progress
from rich.console import Console

from entries import payload_match
from entries.criteria import Choice, Criterion, Exclusion, Ids, Moment, Payload, Span
from entries.filters import CRITERIA, EntryFilter
from entries.moments import InvalidMoment, parse_moment, parse_span
from entries.payload_match import Values
from retry import service
from retry.errors import NoSuchName, RetryError
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.models import Action, OperationState
from retry.operations.pace import Pace, parse_ramp
from retry.operations.progress import Progress, read_progress
from retry.operations.selection import Selection, preview
from retry.outcomes import Actor

#: Exit code for an unknown source or kind, the same as for any bad argument.
UNKNOWN_NAME = 2
#: Exit codes of ``--wait``.
ALL_SUCCEEDED, SOME_DID_NOT, PAUSED = 0, 1, 2
#: What ``--wait`` does not wait for: a person has to act first.
_STANDING_STILL = (OperationState.AWAITING, OperationState.PAUSED)


def parse_time(text: str) -> datetime:
    """Parse an ISO 8601 date or time; without an offset it is in the server's time zone."""
    try:
        return parse_moment(text, zone=timezone.get_current_timezone())
    except InvalidMoment:
        message = f"{text!r} is no time; write it like 2030-01-31T08:00"
        raise argparse.ArgumentTypeError(message) from None


def parse_span_text(text: str) -> str:
    try:
        parse_span(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


class BulkCommand(DeskCommand):
    """With ``--wait`` the exit code says whether all succeeded."""

    action: ClassVar[Action]
    #: "Retrying", beside the bar; "retried" in sentences.
    doing: ClassVar[str]
    done: ClassVar[str]
    #: Of the filter; None for every status.
    default_status: ClassVar[str | None] = None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        for name, criterion in CRITERIA.items():
            default = self.default_status if name == "status" else None
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(
                option, help=criterion.help, default=default, **_choose_type(criterion)
            )
        parser.add_argument("--reason", default="", help="recorded with the operation")
        parser.add_argument("--rate", type=float, metavar="N", help="at most N entries per second")
        parser.add_argument(
            "--canary", type=int, default=0, metavar="N", help="run N entries first, then the rest"
        )
        parser.add_argument(
            "--max-failure-rate",
            type=float,
            metavar="R",
            help="pause when more than this share fails (0 to 1)",
        )
        parser.add_argument(
            "--ramp",
            type=_parse_steps,
            default=(),
            metavar="STEPS",
            help='run growing steps after the canary, then the rest, such as "10, 100, 1000"',
        )
        parser.add_argument(
            "--start-at", type=parse_time, metavar="TIME", help="start nothing before this time"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="count the entries, change nothing"
        )
        parser.add_argument(
            "--wait", action="store_true", help="show progress until the operation ends"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        selection = self.selection(options)
        actor = Actor.command(find_account())
        try:
            if options["dry_run"]:
                self._preview(selection, actor)
                return
            operation = service.start_operation(
                selection,
                action=self.action,
                actor=actor,
                reason=options["reason"],
                pace=self._pace(options),
                only_if_changed=options.get("only_if_changed", False),
            )
        except NoSuchName as error:
            raise CommandError(str(error), returncode=UNKNOWN_NAME) from error
        except RetryError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Operation {operation.pk}: {operation.total:,} entries selected.")
        if operation.state == OperationState.AWAITING:
            self.stdout.write(
                "It awaits approval of another user, on its page, by the API or with "
                f"manage.py approve {operation.pk}."
            )
        if options["wait"]:
            self._wait(operation.pk)

    def selection(self, options: dict[str, Any]) -> Selection:
        given = {name: options[name] for name in CRITERIA if options[name] is not None}
        if given.get("status"):
            given["status"] = CRITERIA["status"].parse(given["status"])
        if "payload" in given:
            given["payload"] = _join_paths(given["payload"])
        return Selection(filter=EntryFilter(**given))

    def _pace(self, options: dict[str, Any]) -> Pace:
        rate, limit = options["rate"], options["max_failure_rate"]
        if rate is not None and not 0 < rate <= 1_000_000:
            raise CommandError("--rate must be more than 0 and at most 1,000,000.")
        if limit is not None and not 0 <= limit <= 1:
            raise CommandError("--max-failure-rate must be between 0 and 1.")
        if not 0 <= options["canary"] <= 10_000:
            raise CommandError("--canary must be between 0 and 10,000.")
        return Pace(
            rate_per_second=rate,
            canary_size=options["canary"],
            ramp=options["ramp"],
            start_at=options["start_at"],
            max_failure_rate=limit,
        )

    def _preview(self, selection: Selection, actor: Actor) -> None:
        found = preview(selection, action=self.action, actor=actor)
        if found.eligible is None:
            known = f"At least {found.total:,} entries match. " if found.total else ""
            self.stdout.write(f"{known}Counting all that match took too long.")
            return
        self.stdout.write(f"{found.eligible:,} of {found.total:,} entries would be {self.done}.")
        for reason, count in found.skipped.items():
            self.stdout.write(f"  {count:,} would be skipped: {reason.words}")

    def _wait(self, operation_id: UUID) -> None:
        columns = (
            rich_progress.TextColumn("{task.description}"),
            rich_progress.BarColumn(),
            rich_progress.MofNCompleteColumn(),
            rich_progress.TimeRemainingColumn(),
        )
        with rich_progress.Progress(*columns, console=Console(stderr=True)) as bar:
            found = read_progress(operation_id)
            task = bar.add_task(self.doing, total=max(found.total, 1))
            while not found.finished and found.operation.state not in _STANDING_STILL:
                bar.update(task, completed=found.settled)
                time.sleep(0.5)
                found = read_progress(operation_id)
            bar.update(task, completed=found.settled if found.total else 1)
        self._report(found)

    def _report(self, found: Progress) -> None:
        self.stdout.write(
            f"{found.succeeded:,} succeeded, {found.failed:,} failed, {found.scheduled:,} will "
            f"be retried automatically, {found.cancelled:,} cancelled, "
            f"{found.skipped_total:,} skipped."
        )
        if found.operation.only_if_changed:
            self.stdout.write(f"  {found.unchanged:,} unchanged in their source, so not processed")
        for reason, count in found.skipped.items():
            self.stdout.write(f"  {count:,} skipped: {reason.replace('_', ' ')}")
        if found.operation.state == OperationState.AWAITING:
            raise CommandError("Awaiting approval.", returncode=PAUSED)
        if found.operation.state == OperationState.PAUSED:
            raise CommandError(f"Paused. {found.operation.pause_reason}", returncode=PAUSED)
        if found.succeeded + found.unchanged < found.total:
            raise SystemExit(SOME_DID_NOT)


def parse_path(text: str) -> tuple[str, Values]:
    """Parse a path in the payload and its value."""
    try:
        return payload_match.parse_pair(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None


def _parse_steps(text: str) -> tuple[int, ...]:
    try:
        return parse_ramp(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _join_paths(pairs: Sequence[tuple[str, Values]]) -> Mapping[str, Values]:
    try:
        return payload_match.join_pairs(pairs)
    except ValueError as error:
        raise CommandError(f"argument --payload: {error}") from error


def _parse_several(criterion: Exclusion | Ids) -> Callable[[str], tuple[object, ...]]:
    def parse(text: str) -> tuple[object, ...]:
        try:
            return criterion.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def _choose_type(criterion: Criterion) -> dict[str, Any]:
    if isinstance(criterion, Exclusion | Ids):
        return {"type": _parse_several(criterion), "metavar": "A,B"}
    if isinstance(criterion, Payload):
        return {"type": parse_path, "action": "append", "metavar": "PATH=VALUE"}
    if isinstance(criterion, Moment):
        return {"type": parse_time, "metavar": "TIME"}
    if isinstance(criterion, Span):
        return {"type": parse_span_text, "metavar": "SPAN"}
    return {"choices": criterion.choices} if isinstance(criterion, Choice) else {}
