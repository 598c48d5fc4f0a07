"""The attempts at an entry as its page shows them, newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from entries.admin import display
from entries.admin.exchange import ExchangeView, find_exchange
from entries.diffs import Diff, diff_json
from entries.models import Attempt, Edit, Entry
from entries.states import AttemptStatus
from entries.tracebacks import Section, split_frames

#: Attempts on an entry's page, the newest; each may have a traceback.
MAX_ATTEMPTS = 25


@dataclass(frozen=True, slots=True)
class AttemptView:
    """An attempt with what the template shows of it.

    ``run``: the run it belonged to, for a subclass that knows runs. ``exchange``: its request to
    another server and the response. ``details``: any other result of a failed attempt, as JSON.
    ``diffs``: what was edited before it.
    """

    attempt: Attempt
    status: str
    worker: str
    waited: str
    took: str
    run: Any
    exchange: ExchangeView | None
    details: str
    traceback: Sequence[Section]
    diffs: Sequence[Diff]


def list_attempts(entry: Entry) -> list[Attempt]:
    return list(entry.attempts.order_by("-number")[:MAX_ATTEMPTS])


def build_timeline(
    entry: Entry, attempts: Sequence[Attempt], *, runs: Mapping[UUID, Any], payloads: bool
) -> list[AttemptView]:
    """Build the timeline; without ``payloads`` neither edits nor results, which have them."""
    views = _build_views(entry, attempts, runs=runs)
    return (
        views
        if payloads
        else [replace(view, exchange=None, details="", diffs=()) for view in views]
    )


def _build_views(
    entry: Entry, attempts: Sequence[Attempt], *, runs: Mapping[UUID, Any]
) -> list[AttemptView]:
    numbers = [attempt.number for attempt in attempts]
    edits = {edit.attempt: edit for edit in entry.edits.filter(attempt__in=numbers)}
    return [
        _build_view(attempt, entry, run=runs.get(attempt.run_id), edit=edits.get(attempt.number))
        for attempt in attempts
    ]


def _build_view(attempt: Attempt, entry: Entry, *, run: Any, edit: Edit | None) -> AttemptView:
    progress = attempt.find_progress(entry)
    exchange = find_exchange(attempt.result)
    has_details = attempt.status == AttemptStatus.FAILED and attempt.result and not exchange
    return AttemptView(
        attempt=attempt,
        status=progress.status,
        worker=progress.worker,
        waited=display.format_duration(attempt.queued_at, progress.started_at),
        took=display.format_duration(attempt.started_at, attempt.ended_at),
        run=run,
        exchange=exchange,
        details=display.format_json(attempt.result) if has_details else "",
        traceback=split_frames(attempt.traceback),
        diffs=diff_edit(edit) if edit else (),
    )


def diff_edit(edit: Edit) -> list[Diff]:
    return diff_json(
        {"title": edit.title_before, "payload": edit.payload_before},
        {"title": edit.title_after, "payload": edit.payload_after},
    )


def format_result(entry: Entry) -> str | None:
    """Format the entry's result, unless its attempt shows it as an exchange."""
    if entry.result is None or find_exchange(entry.result):
        return None
    return display.format_json(entry.result)
